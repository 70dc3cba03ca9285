//! How parameters begin. Every scheme is a distribution of mean zero whose width follows from the
//! number of inputs (fan in) or outputs (fan out) of a unit; each parameter draws from its own
//! stream, so that adding a layer does not change another layer's beginning.

use crate::error::{Error, Result};
use crate::rng::Rng;
use crate::tensor::Shape;

/// A distribution for weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Normal, variance 2 / fan in (He et al. 2015), for rectifiers.
    HeNormal,
    /// Uniform of the same variance.
    HeUniform,
    /// Normal, variance 2 / (fan in + fan out) (Glorot & Bengio 2010), for tanh and outputs.
    GlorotNormal,
    /// Uniform of the same variance.
    GlorotUniform,
    /// Normal, variance 1 / fan in (LeCun et al. 1998, "Efficient BackProp").
    LecunNormal,
    /// Uniform of the same variance.
    LecunUniform,
    /// Uniform within 2.4 / fan in, as the LeNet-5 paper (LeCun et al. 1998, appendix A) has it.
    Lenet,
    /// Uniform within 1 / sqrt(fan in): what PyTorch's layers do by themselves.
    PyTorch,
    /// All zero.
    Zeros,
}

/// The schemes by the names that specs use.
pub(super) const SCHEMES: [(&str, Scheme); 9] = [
    ("he_normal", Scheme::HeNormal),
    ("he_uniform", Scheme::HeUniform),
    ("glorot_normal", Scheme::GlorotNormal),
    ("glorot_uniform", Scheme::GlorotUniform),
    ("lecun_normal", Scheme::LecunNormal),
    ("lecun_uniform", Scheme::LecunUniform),
    ("lenet", Scheme::Lenet),
    ("pytorch", Scheme::PyTorch),
    ("zeros", Scheme::Zeros),
];

impl Scheme {
    /// The scheme called `name`.
    ///
    /// # Errors
    /// When there is none.
    pub fn named(name: &str) -> Result<Self> {
        let found = SCHEMES.iter().find(|(known, _)| *known == name);
        found.map(|(_, scheme)| *scheme).ok_or_else(|| {
            Error::unknown(
                "initialization",
                name,
                SCHEMES.iter().map(|(known, _)| *known),
            )
        })
    }

    /// One draw for a unit with this many inputs and outputs.
    fn draw(self, rng: &mut Rng, fan_in: f32, fan_out: f32) -> f32 {
        let both = 0.5 * (fan_in + fan_out);
        let mut uniform = |limit: f32| rng.between(-limit, limit);
        match self {
            Self::HeUniform => uniform((6.0 / fan_in).sqrt()),
            Self::GlorotUniform => uniform((3.0 / both).sqrt()),
            Self::LecunUniform => uniform((3.0 / fan_in).sqrt()),
            Self::Lenet => uniform(2.4 / fan_in),
            Self::PyTorch => uniform(1.0 / fan_in.sqrt()),
            Self::HeNormal => rng.normal() * (2.0 / fan_in).sqrt(),
            Self::GlorotNormal => rng.normal() * (1.0 / both).sqrt(),
            Self::LecunNormal => rng.normal() * (1.0 / fan_in).sqrt(),
            Self::Zeros => 0.0,
        }
    }
}

/// How one parameter begins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Init {
    /// Every element this number.
    Constant(f32),
    /// Normal draws with this standard deviation, whatever the fans.
    Normal {
        /// The standard deviation.
        std: f32,
    },
    /// Draws; the fans are per unit.
    Random {
        /// The distribution.
        scheme: Scheme,
        /// Inputs of a unit; where a connection table masks some, the connected ones count.
        fan_in: usize,
        /// Outputs that an input reaches.
        fan_out: usize,
    },
}

impl Init {
    /// The elements of a parameter of `shape` whose stream is `stream`.
    pub(super) fn draw(
        self,
        seed: u64,
        stream: &str,
        shape: &Shape,
        mask: Option<&[f32]>,
    ) -> Vec<f32> {
        let (scheme, fan_in, fan_out) = match self {
            Self::Constant(value) => return vec![value; shape.elements()],
            Self::Normal { std } => {
                let mut rng = Rng::new(seed, stream);
                return (0..shape.elements()).map(|_| std * rng.normal()).collect();
            }
            Self::Random {
                scheme,
                fan_in,
                fan_out,
            } => (scheme, fan_in, fan_out),
        };
        let outputs = shape.last();
        let fan_in_of = |output: usize| match mask {
            None => fan_in as f32,
            Some(mask) => mask.iter().skip(output).step_by(outputs).sum::<f32>(),
        };
        let fans: Vec<f32> = (0..outputs).map(|o| fan_in_of(o).max(1.0)).collect();
        let mut rng = Rng::new(seed, stream);
        (0..shape.elements())
            .map(|i| {
                let value = scheme.draw(&mut rng, fans[i % outputs], fan_out as f32);
                value * mask.map_or(1.0, |mask| mask[i])
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Init, SCHEMES, Scheme};
    use crate::tensor::Shape;

    #[test]
    fn schemes_have_the_variances_of_their_papers() {
        let shape = Shape::from([100, 200]);
        for (name, scheme) in SCHEMES {
            let init = Init::Random {
                scheme,
                fan_in: 100,
                fan_out: 200,
            };
            let draws = init.draw(3, name, &shape, None);
            let variance = draws.iter().map(|x| x * x).sum::<f32>() / draws.len() as f32;
            let expected = match scheme {
                Scheme::HeNormal | Scheme::HeUniform => 0.02,
                Scheme::GlorotNormal | Scheme::GlorotUniform => 2.0 / 300.0,
                Scheme::LecunNormal | Scheme::LecunUniform => 0.01,
                Scheme::Lenet => 0.024 * 0.024 / 3.0,
                Scheme::PyTorch => 0.01 / 3.0,
                Scheme::Zeros => 0.0,
            };
            let error = (variance - expected).abs();
            assert!(
                error <= 0.05 * expected,
                "{name}: {variance} not {expected}"
            );
        }
    }
}

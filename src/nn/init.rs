//! How parameters begin. Nearly every scheme is a distribution of mean zero whose width follows from the
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
    /// Orthonormal filters, or orthonormal inputs where there are more filters than inputs (Saxe et al.
    /// 2014, section 3), with PyTorch's gain 1: no direction of a signal grows or shrinks.
    Orthogonal,
    /// Orthonormal, and when training begins scaled layer by layer until the outputs for a batch have variance
    /// one (LSUV; Mishkin & Matas 2016, algorithm 1): signals neither grow nor shrink through the nonlinearities.
    UnitVariance,
    /// Every weight 1 / fan in, for teaching: units that begin alike stay alike.
    Constant,
    /// He's normal draws over 10, for teaching: signals and gradients fade tenfold in every layer.
    TooSmall,
    /// He's normal draws times 10, for teaching: signals and gradients grow tenfold in every layer.
    TooLarge,
    /// All zero.
    Zeros,
}

/// The schemes by the names that specs use.
pub(super) const SCHEMES: [(&str, Scheme); 14] = [
    ("he_normal", Scheme::HeNormal),
    ("he_uniform", Scheme::HeUniform),
    ("glorot_normal", Scheme::GlorotNormal),
    ("glorot_uniform", Scheme::GlorotUniform),
    ("lecun_normal", Scheme::LecunNormal),
    ("lecun_uniform", Scheme::LecunUniform),
    ("lenet", Scheme::Lenet),
    ("pytorch", Scheme::PyTorch),
    ("orthogonal", Scheme::Orthogonal),
    ("lsuv", Scheme::UnitVariance),
    ("constant", Scheme::Constant),
    ("too_small", Scheme::TooSmall),
    ("too_large", Scheme::TooLarge),
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
            Self::TooSmall => rng.normal() * (2.0 / fan_in).sqrt() * 0.1,
            Self::TooLarge => rng.normal() * (2.0 / fan_in).sqrt() * 10.0,
            Self::Constant => 1.0 / fan_in,
            // What is made orthonormal afterwards.
            Self::Orthogonal | Self::UnitVariance => rng.normal(),
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
        let draw = |i: usize| scheme.draw(&mut rng, fans[i % outputs], fan_out as f32);
        let mut values: Vec<f32> = (0..shape.elements()).map(draw).collect();
        if matches!(scheme, Scheme::Orthogonal | Scheme::UnitVariance) {
            values = orthonormal(&values, outputs);
        }
        let masks = mask.into_iter().flatten();
        values
            .iter_mut()
            .zip(masks)
            .for_each(|(v, mask)| *v *= mask);
        values
    }
}

/// A matrix of `columns` with its columns made orthonormal, or its rows where there are more columns than
/// rows: Gram and Schmidt's procedure, each vector against those before it.
fn orthonormal(matrix: &[f32], columns: usize) -> Vec<f32> {
    let rows = matrix.len() / columns.max(1);
    let (count, length) = (rows.min(columns), rows.max(columns));
    let at = |vector: usize, k: usize| match columns > rows {
        true => vector * columns + k,
        false => k * columns + vector,
    };
    let elements = (0..count).flat_map(|vector| (0..length).map(move |k| (vector, k)));
    let mut vectors: Vec<f32> = elements.map(|(vector, k)| matrix[at(vector, k)]).collect();
    for vector in 0..count {
        let (before, rest) = vectors.split_at_mut(vector * length);
        let this = &mut rest[..length];
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        for other in before.chunks_exact(length) {
            let along = dot(this, other);
            this.iter_mut()
                .zip(other)
                .for_each(|(t, o)| *t -= along * o);
        }
        let norm = dot(this, this).sqrt();
        this.iter_mut()
            .for_each(|t| *t /= norm.max(f32::MIN_POSITIVE));
    }
    let mut found = vec![0.0; matrix.len()];
    for (index, value) in vectors.into_iter().enumerate() {
        found[at(index / length, index % length)] = value;
    }
    found
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
                // A hundred inputs of norm 1, each over 200 outputs.
                Scheme::Orthogonal | Scheme::UnitVariance => 1.0 / 200.0,
                Scheme::Constant => 1e-4,
                Scheme::TooSmall => 0.02 / 100.0,
                Scheme::TooLarge => 0.02 * 100.0,
                Scheme::Zeros => 0.0,
            };
            let error = (variance - expected).abs();
            assert!(
                error <= 0.05 * expected,
                "{name}: {variance} not {expected}"
            );
        }
    }

    #[test]
    fn orthogonal_weights_are_orthonormal_on_their_shorter_side() {
        let init = Init::Random {
            scheme: Scheme::Orthogonal,
            fan_in: 1,
            fan_out: 1,
        };
        for (rows, columns) in [(12, 7), (7, 12), (9, 9), (1, 1)] {
            let w = init.draw(3, "orthogonal", &Shape::from([rows, columns]), None);
            let tall = rows >= columns;
            let (count, length) = (rows.min(columns), rows.max(columns));
            let at = |vector: usize, k: usize| match tall {
                true => w[k * columns + vector],
                false => w[vector * columns + k],
            };
            for a in 0..count {
                for b in 0..=a {
                    let dot: f32 = (0..length).map(|k| at(a, k) * at(b, k)).sum();
                    let expected = f32::from(u8::from(a == b));
                    assert!((dot - expected).abs() < 1e-5, "{rows} x {columns}: {dot}");
                }
            }
        }
    }
}

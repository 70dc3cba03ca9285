//! One update of Adam over flat parameters, in PyTorch's form.

use crate::error::Result;
use crate::graph::{Example, Graph, Lowering, Op, OpInfo, ValueId, expect_inputs};
use crate::program::Args;
use crate::tensor::Spec;

use super::mutating::{mutating_kernel, mutating_lowering};
use super::random::expect_counters;
use super::rmsprop::squares;
use super::sgd::{expect_update, settings};
use super::testing::{nan, wave};

/// Algorithm 1 of Kingma & Ba 2015, with weight decay added to the gradient (coupled), or applied to
/// the parameters beside the step (decoupled: Algorithm 2 of Loshchilov & Hutter 2019, `AdamW`).
#[derive(Debug, Clone, Copy)]
struct Adam;

/// Updates `parameters` and both moments in place from `gradients`, all flat and of one size.
/// `settings` is `[8]`: learning rate, unused, coupled weight decay, beta1, beta2, epsilon, decoupled
/// weight decay, unused; `counters` is `u32[4]` with the number of steps done before.
///
/// # Errors
/// When the sizes differ.
pub fn adam(
    graph: &mut Graph,
    parameters: ValueId,
    gradients: ValueId,
    first: ValueId,
    second: ValueId,
    settings: ValueId,
    counters: ValueId,
) -> Result<ValueId> {
    graph.push(
        Adam,
        &[parameters, gradients, first, second, settings, counters],
    )
}

/// `1 - beta^steps` without cancellation: series for the logarithm and the exponential where beta is
/// near 1 and the result small.
fn correction(beta: f32, steps: f32) -> f32 {
    let d = 1.0 - beta;
    let logarithm = if d < 0.125 {
        -d * (1.0 + d * (0.5 + d * (0.333_333_33 + d * (0.25 + d * 0.2))))
    } else {
        beta.max(1e-30).ln()
    };
    let x = steps * logarithm;
    if x > -0.125 {
        return -x
            * (1.0 + x * (0.5 + x * (0.166_666_67 + x * (0.041_666_667 + x * 0.008_333_333))));
    }
    1.0 - x.max(-80.0).exp()
}

impl Op for Adam {
    fn name(&self) -> &'static str {
        "adam"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [parameters, gradients, first, second, settings, counters] =
            expect_inputs("adam", inputs)?;
        expect_counters("adam", counters)?;
        expect_update("adam", &[parameters, gradients, first, second], settings)
    }

    fn mutates(&self) -> &'static [usize] {
        &[0, 2, 3]
    }

    fn lower(&self, _: &[Spec], output: &Spec) -> Lowering {
        let n = output.shape.elements();
        let twin = |args: &mut Args<'_>| {
            let (gradients, settings) = (args.read(0), args.read(1));
            let steps = (args.read_words(2)[0].wrapping_add(1)) as f32;
            let [rate, decay, beta1, beta2, epsilon] = [0, 2, 3, 4, 5].map(|i| settings[i]);
            let shrink = 1.0 - rate * settings[6];
            let size = rate / correction(beta1, steps);
            let spread = correction(beta2, steps).sqrt();
            let [parameters, first, second] = args.write_all();
            let states = parameters.iter_mut().zip(first).zip(second);
            for (((parameter, first), second), gradient) in states.zip(gradients) {
                let gradient = gradient + decay * *parameter;
                let m = beta1 * *first + (1.0 - beta1) * gradient;
                let v = beta2 * *second + (1.0 - beta2) * gradient * gradient;
                *first = m;
                *second = v;
                *parameter = shrink * *parameter - size * m / (v.sqrt() / spread + epsilon);
            }
        };
        let kernel = mutating_kernel("adam", SHADER, &[("ELEMENTS", n)], [3, 3], n, twin);
        mutating_lowering(kernel, &[1, 4, 5], &[0, 2, 3])
    }
}

const SHADER: &str = crate::wgsl!("../../shaders/adam.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "adam",
    doc: "A step of Adam with weight decay.",
    shaders: &[("adam", SHADER)],
    examples: || {
        let decaying = |n: usize, [coupled, decoupled]: [f32; 2]| {
            let settings = settings([0.01, 0.0, coupled, 0.9, 0.999, 1e-8, decoupled, 0.0]);
            let (parameters, gradients, first) = (wave([n], 0.1), wave([n], 0.7), wave([n], 1.9));
            vec![parameters, gradients, first, squares(n), settings]
        };
        let inputs = |n| decaying(n, [0.01, 0.0]);
        let counters = |step| vec![(Spec::u32([4]), vec![step, 0, 0, 0])];
        let build = |g: &mut Graph, x: &[ValueId]| adam(g, x[0], x[1], x[2], x[3], x[4], x[5]);
        let mut poisoned = inputs(6);
        poisoned[1] = nan([6]);
        vec![
            Example::new("first step", inputs(100), build)
                .with_words(counters(0))
                .forward_only(),
            Example::new("later step", inputs(100), build)
                .with_words(counters(5000))
                .forward_only(),
            Example::new("decoupled decay", decaying(100, [0.0, 0.5]), build)
                .with_words(counters(7))
                .forward_only(),
            Example::new("one parameter", inputs(1), build)
                .with_words(counters(9))
                .forward_only(),
            Example::new("not a number", poisoned, build)
                .with_words(counters(0))
                .forward_only(),
        ]
    },
};

#[cfg(test)]
mod tests {
    use super::correction;

    #[test]
    fn bias_corrections_are_exact_to_rounding() {
        for beta in [0.0_f32, 0.5, 0.9, 0.99, 0.999] {
            for steps in [1.0_f32, 2.0, 10.0, 100.0, 10_000.0] {
                let exact = 1.0 - f64::from(beta).powf(steps.into());
                let relative = (f64::from(correction(beta, steps)) - exact).abs() / exact;
                assert!(relative < 3e-6, "beta {beta}, {steps} steps: {relative:e}");
            }
        }
    }
}

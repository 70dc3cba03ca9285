//! The learning rate of a step, found on the device from the step counter: one curve (a rise, a fall,
//! drops) of which the schedules of the literature are special cases. Nothing is written per step,
//! and another curve rebuilds nothing.

use crate::error::{Error, Result};
use crate::graph::{Example, Graph, Lowering, Op, OpInfo, ValueId, expect_inputs};
use crate::program::Args;
use crate::tensor::Spec;

use super::mutating::{mutating_kernel, mutating_lowering};
use super::random::expect_counters;
use super::sgd::settings;
use super::testing::{nan, wave};

/// `current = settings`, the first of them times the curve at this step.
#[derive(Debug, Clone, Copy)]
struct LearningRate;

/// Writes `settings` `[8]` of an optimizer into `current` `[8]`, their learning rate times the factor
/// of this step, and notes the rate in column 2 of row `step % rows` of `ring`, `[rows, 4]`. The
/// factor rises from `curve[1]` to 1 in the first `curve[0]` steps (linearly, or as half a cosine
/// wave where `curve[2]` is 1), then falls as half a cosine wave to `curve[4]` in `curve[3]` steps
/// (0: it stays at 1), and drops by the factor `curve[6]` after every `curve[5]` steps (0: never).
///
/// # Errors
/// When the shapes do not fit.
pub fn learning_rate(
    graph: &mut Graph,
    current: ValueId,
    ring: ValueId,
    settings: ValueId,
    curve: ValueId,
    counters: ValueId,
) -> Result<ValueId> {
    graph.push(LearningRate, &[current, ring, settings, curve, counters])
}

/// Checks what the ops of a learning rate share and returns the rows of the ring.
pub(super) fn expect_rate(place: &str, eights: &[&Spec], ring: &Spec) -> Result<usize> {
    if let Some(other) = eights.iter().find(|other| ***other != Spec::f32([8])) {
        return Err(Error::mismatch(place, "f32[8]", other.to_string()));
    }
    match *ring.shape.dims() {
        [rows, 4] if rows > 0 => Ok(rows),
        _ => Err(Error::mismatch(place, "a ring [rows, 4]", ring.to_string())),
    }
}

/// `(1 - cos(pi p)) / 2` for p in 0..1, as the square of a sine's series.
fn half_wave(p: f32) -> f32 {
    let x = std::f32::consts::FRAC_PI_2 * p;
    let z = x * x;
    let series = 0.008_333_333 - z * (0.000_198_412_7 - z * (2.755_731_9e-6 - z * 2.505_210_8e-8));
    let sine = x * (1.0 - z * (0.166_666_67 - z * series));
    sine * sine
}

/// The factor of the step after `steps` others.
fn factor(curve: &[f32], steps: u32) -> f32 {
    let step = steps as f32;
    let mut factor = 1.0;
    if step < curve[0] {
        let part = step / curve[0];
        let risen = if curve[2] != 0.0 {
            half_wave(part)
        } else {
            part
        };
        factor = curve[1] + (1.0 - curve[1]) * risen;
    } else if curve[3] > 0.0 {
        let part = ((step - curve[0]) / curve[3]).min(1.0);
        factor = 1.0 - (1.0 - curve[4]) * half_wave(part);
    }
    if curve[5] > 0.0 {
        let drops = (step / curve[5]) as u32;
        (0..drops.min(1000)).for_each(|_| factor *= curve[6]);
    }
    factor
}

impl Op for LearningRate {
    fn name(&self) -> &'static str {
        "learning_rate"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [current, ring, settings, curve, counters] = expect_inputs("learning_rate", inputs)?;
        expect_rate("learning_rate", &[current, settings, curve], ring)?;
        expect_counters("learning_rate", counters)?;
        Ok(current.clone())
    }

    fn mutates(&self) -> &'static [usize] {
        &[0, 1]
    }

    fn lower(&self, inputs: &[Spec], _: &Spec) -> Lowering {
        let rows = inputs[1].shape.elements() / 4;
        let twin = move |args: &mut Args<'_>| {
            let (settings, curve) = (args.read(0), args.read(1));
            let step = args.read_words(2)[0];
            let rate = settings[0] * factor(curve, step);
            args.write(0).copy_from_slice(settings);
            args.write(0)[0] = rate;
            args.write(1)[step as usize % rows * 4 + 2] = rate;
        };
        let kernel = mutating_kernel("learning_rate", SHADER, &[("ROWS", rows)], [3, 2], 1, twin);
        mutating_lowering(kernel, &[2, 3, 4], &[0, 1])
    }
}

const SHADER: &str = crate::wgsl!("../../shaders/learning_rate.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "learning_rate",
    doc: "The optimizer's settings with the learning rate of this step of a schedule.",
    shaders: &[("learning_rate", SHADER)],
    examples: || {
        let example = |name, curve, step: u32| {
            let base = settings([0.1, 0.9, 0.01, 0.8, 0.7, 1e-8, 1.0, 0.5]);
            let inputs = vec![wave([8], 0.1), wave([4, 4], 0.3), base, settings(curve)];
            let counters = vec![(Spec::u32([4]), vec![step, 7, 0, 0])];
            Example::new(name, inputs, |g, x| {
                learning_rate(g, x[0], x[1], x[2], x[3], x[4])
            })
            .with_words(counters)
            .forward_only()
        };
        let cosine = [10.0, 0.1, 0.0, 90.0, 0.01, 0.0, 0.0, 0.0];
        let mut poisoned = example("not a number", cosine, 3);
        poisoned.inputs[2] = nan([8]);
        vec![
            example("linear rise", cosine, 3),
            example("fall", cosine, 60),
            example("past the end", cosine, 4000),
            example(
                "cosine rise",
                [10.0, 0.04, 1.0, 90.0, 0.01, 0.0, 0.0, 0.0],
                7,
            ),
            example("drops", [0.0, 0.0, 0.0, 0.0, 0.0, 100.0, 0.1, 0.0], 350),
            example("one step", [0.0; 8], 0),
            poisoned,
        ]
    },
};

#[cfg(test)]
mod tests {
    use super::half_wave;

    #[test]
    fn the_series_is_a_cosine_to_rounding() {
        for i in 0..=1000_u16 {
            let p = f32::from(i) / 1000.0;
            let exact = 0.5 - 0.5 * (std::f64::consts::PI * f64::from(p)).cos();
            let error = (f64::from(half_wave(p)) - exact).abs();
            assert!(error < 5e-7, "{p}: {error:e}");
        }
    }
}

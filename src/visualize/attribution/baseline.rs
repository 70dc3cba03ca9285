//! Images without evidence: where integrated gradients begin, and what deleted pixels become.

use crate::error::Result;
use crate::field::Field;
use crate::rng::Rng;

use super::super::Request;

const BASELINES: [&str; 4] = ["black", "white", "mean", "noise"];

/// The choice of a baseline.
pub(super) fn baseline_field(doc: &str) -> Field {
    Field::choice("baseline", doc, &BASELINES, BASELINES[0])
}

/// The chosen baseline, `[h, w, c]` in 0..1.
pub(super) fn baseline(request: &Request<'_>) -> Result<Vec<f32>> {
    let [c, h, w] = request.network.spec.input;
    let chosen = request.values.choice("baseline")?;
    let mut rng = Rng::new(request.seed, "baseline");
    let mean = mean(request);
    let pixel = |i: usize| match chosen.as_str() {
        "white" => 1.0,
        "mean" => mean.get(i % c).copied().unwrap_or(0.0),
        "noise" => rng.uniform(),
        _ => 0.0,
    };
    Ok((0..h * w * c).map(pixel).collect())
}

/// The dataset's mean of each channel, in 0..1: what normalization makes zero.
pub(super) fn mean(request: &Request<'_>) -> Vec<f32> {
    let (scales, shifts) = request.normalization;
    let pairs = scales.iter().zip(shifts);
    pairs.map(|(scale, shift)| -shift / scale).collect()
}

//! Comparing with golden files: every difference beyond its bound is collected and told at the end.

use std::collections::BTreeMap;

use convscope::tensor::Tensor;
use serde::Deserialize;

/// Largest difference of logits and losses, relative to 1 + |value|.
const FORWARD: f64 = 2e-5;

/// What a golden file holds of a tensor.
#[derive(Deserialize)]
pub(crate) struct Summary {
    sum: f64,
    norm: f64,
    step: usize,
    samples: Vec<f64>,
}

/// Everything beyond its bound, told at once at the end.
#[derive(Default)]
pub(crate) struct Complaints(pub(crate) Vec<String>);

impl Complaints {
    fn close(&mut self, what: &str, found: f64, expected: f64, bound: f64) {
        let error = (found - expected).abs();
        // Written so that NaN is a complaint.
        if error <= bound {
            return;
        }
        let line = format!("{what}: {found} not {expected} (|Δ| {error:.2e} > {bound:.2e})");
        self.0.push(line);
    }

    /// Compares all of a small tensor.
    pub(crate) fn each(&mut self, what: &str, found: &[f32], expected: &[f64]) {
        assert_eq!(found.len(), expected.len(), "{what}");
        for (i, (&found, &expected)) in found.iter().zip(expected).enumerate() {
            let bound = FORWARD * (1.0 + expected.abs());
            self.close(&format!("{what}[{i}]"), f64::from(found), expected, bound);
        }
    }

    /// Compares a tensor with its sum, norm and samples; `relative` is to its root mean square.
    fn summary(&mut self, what: &str, found: &Tensor, expected: &Summary, relative: f64) {
        let values: Vec<f64> = found.array().iter().map(|&v| f64::from(v)).collect();
        let count = values.len() as f64;
        let bound = relative * expected.norm / count.sqrt();
        let norm = values.iter().map(|v| v * v).sum::<f64>().sqrt();
        self.close(
            &format!("{what} norm"),
            norm,
            expected.norm,
            bound * count.sqrt(),
        );
        // Independent errors of n entries add up to sqrt(n) times one.
        let sum = values.iter().sum::<f64>();
        self.close(
            &format!("{what} sum"),
            sum,
            expected.sum,
            bound * count.sqrt(),
        );
        let samples: Vec<f64> = values.iter().copied().step_by(expected.step).collect();
        assert_eq!(samples.len(), expected.samples.len(), "{what}");
        for (i, (&found, &sample)) in samples.iter().zip(&expected.samples).enumerate() {
            // The files hold nine digits.
            let bound = bound + 1e-8 * sample.abs();
            self.close(
                &format!("{what}[{}]", i * expected.step),
                found,
                sample,
                bound,
            );
        }
    }

    /// Compares named tensors by their summaries.
    pub(crate) fn tensors(
        &mut self,
        what: &str,
        found: &[(String, Tensor)],
        expected: &BTreeMap<String, Summary>,
        relative: f64,
    ) {
        assert_eq!(
            found.len(),
            expected.len(),
            "{what}: as many tensors as PyTorch"
        );
        for (name, tensor) in found {
            self.summary(&format!("{what} {name}"), tensor, &expected[name], relative);
        }
    }
}

//! Comparing with golden files: every difference beyond its bound is collected and told at the end.

use std::collections::BTreeMap;

use convscope::tensor::Tensor;
use serde::Deserialize;

/// Largest difference of logits and losses, relative to 1 + |value|.
const FORWARD: f64 = 2e-5;

/// What cancellation may leave of a zero, relative to the largest root mean square of all tensors.
const CANCELED: f64 = 1e-6;

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
    /// Every entry may be off by `floor`, and sample `i` by `slack(i)` more.
    fn summary(
        &mut self,
        what: &str,
        found: &Tensor,
        expected: &Summary,
        (relative, floor): (f64, f64),
        slack: impl Fn(usize) -> f64,
    ) {
        let values: Vec<f64> = found.array().iter().map(|&v| f64::from(v)).collect();
        let count = values.len() as f64;
        let bound = relative * expected.norm / count.sqrt() + floor;
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
            let bound = bound + 1e-8 * sample.abs() + slack(i);
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
        // What is zero in exact arithmetic (a bias that the next batch norm takes out again) is what is left
        // of much larger terms.
        let size = |(name, tensor): &(String, Tensor)| {
            expected[name].norm / (tensor.shape().elements() as f64).sqrt()
        };
        let floor = CANCELED * found.iter().map(size).fold(0.0, f64::max);
        for (name, tensor) in found {
            let what = format!("{what} {name}");
            self.summary(&what, tensor, &expected[name], (relative, floor), |_| 0.0);
        }
    }

    /// Compares tensors after `steps` steps of Adam. Adam divides a gradient by its own size, so that
    /// an entry whose gradient is rounding noise moves by up to the learning rate in either direction:
    /// such entries (below a thousandth of their tensor's root mean square) may be anywhere within
    /// that. Their tensor's sum and norm are still held to the bound.
    pub(crate) fn adam(
        &mut self,
        found: &[(String, Tensor)],
        expected: &BTreeMap<String, Summary>,
        gradients: &BTreeMap<String, Summary>,
        (relative, reach): (f64, f64),
    ) {
        assert_eq!(
            found.len(),
            expected.len(),
            "adam: as many tensors as PyTorch"
        );
        for (name, tensor) in found {
            let noise = |i: usize| {
                let Some(gradient) = gradients.get(name) else {
                    return 0.0;
                };
                let count = tensor.shape().elements() as f64;
                let small = 1e-3 * gradient.norm / count.sqrt();
                if gradient.samples[i].abs() < small {
                    reach
                } else {
                    0.0
                }
            };
            let what = format!("adam {name}");
            self.summary(&what, tensor, &expected[name], (relative, 0.0), noise);
        }
    }
}

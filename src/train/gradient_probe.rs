//! What the loss of the probe's image pulls at: its gradients with respect to every layer's output and to every
//! kernel. A program of its own beside the forward pass, so that nothing is paid for it until it is looked at.
//!
//! The loss is the cross-entropy for the image's class or, where that is not known, for the class the network itself
//! prefers. Its gradient by the unnormalized scores is what the probabilities lack, `p - y`, so that it needs no label.

use crate::autodiff::gradient;
use crate::backend::Backend;
use crate::error::Result;
use crate::graph::BackwardRule;
use crate::nn::Network;
use crate::ops;
use crate::tensor::Spec;

use super::probe::{CLASS, Probe, Sketch, forward};
use super::session::Session;

/// The backward pass behind the forward one.
fn backward(network: &Network, mut sketch: Sketch) -> Result<Sketch> {
    let ([c, h, w], classes) = (network.spec.input, network.spec.classes);
    let (g, logits) = (&mut sketch.graph, sketch.logits);
    let named = g.external(CLASS, Spec::f32([1, classes]))?;
    let preferred = ops::largest(g, logits, classes - 1)?;
    // 1 where no class is named.
    let open = ops::sum(g, named, [1, classes, 1], [1], -1.0)?;
    let open = ops::affine(g, open, 1.0, 1.0)?;
    let open = ops::broadcast(g, open, [1, classes, 1], [1, classes], 1.0)?;
    let preferred = ops::mul(g, preferred, open)?;
    let wanted = ops::add(g, named, preferred)?;
    let wanted = ops::affine(g, wanted, -1.0, 0.0)?;
    let lacking = ops::add(g, sketch.probabilities, wanted)?;
    let rule = BackwardRule::Gradient;
    let mut values = gradient(g, logits, lacking, &sketch.values, rule)?;
    // All colors together.
    values[0] = ops::sum(g, values[0], [h * w, c, 1], [1, h, w, 1], 1.0)?;
    Ok(Sketch { values, ..sketch })
}

impl<B: Backend> Probe<B> {
    /// Prepares the backward pass for the image that this forward pass ran last: a probe whose layers' and kernels'
    /// values are the loss's gradients with respect to them; the input's, `[h, w, 1]`, is by all colors together.
    ///
    /// # Errors
    /// When the backend has no room.
    pub async fn gradients(&self, session: &Session<B>) -> Result<Self> {
        let sketch = backward(session.network(), forward(session)?)?;
        Self::new(session, sketch, Some(self)).await
    }

    /// Runs a backward pass, for an image that is of `class` if that is known.
    ///
    /// # Errors
    /// When the backend fails.
    pub fn run_back(&self, class: Option<usize>, network: &Network) -> Result<()> {
        let named = |at: usize| f32::from(u8::from(Some(at) == class));
        let named: Vec<f32> = (0..network.spec.classes).map(named).collect();
        self.run_for(&named)
    }
}

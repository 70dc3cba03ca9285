//! How much memory a network takes while it is trained, computed from its description alone, and the
//! refusal of one that does not fit, before anything is allocated.

use crate::error::{Error, Result};

use super::network::{LayerInfo, Network, Parameter};

/// Bytes that training takes, by what they are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrainingMemory {
    /// The trained tensors.
    pub parameters: u64,
    /// Their gradients.
    pub gradients: u64,
    /// What the optimizer remembers of each parameter.
    pub optimizer: u64,
    /// Running statistics.
    pub statistics: u64,
    /// Every layer's output for the whole batch: what the backward pass may look at again. What a layer keeps
    /// beside its output (attention its scores) and what the compiler needs in between are not counted, nor is
    /// what it saves by carrying elementwise layers along: its plans are 0.7 to 1.8 times this.
    pub activations: u64,
}

impl TrainingMemory {
    /// All of it.
    pub fn total(&self) -> u64 {
        [
            self.parameters,
            self.gradients,
            self.optimizer,
            self.statistics,
            self.activations,
        ]
        .into_iter()
        .fold(0, u64::saturating_add)
    }
}

impl Network {
    /// Bytes of all layers' outputs for one image.
    pub fn activation_bytes(&self) -> u64 {
        self.layers.iter().map(|layer| layer.activation_bytes).sum()
    }

    /// What training with `batch` images per step takes, where the optimizer keeps `slots` numbers per
    /// parameter (momentum: 1, Adam: 2).
    pub fn training_memory(&self, batch: usize, slots: usize) -> TrainingMemory {
        let parameters = self.parameter_words() as u64 * 4;
        TrainingMemory {
            parameters,
            gradients: parameters,
            optimizer: parameters.saturating_mul(slots as u64),
            statistics: self.statistic_words() as u64 * 4,
            activations: self.activation_bytes().saturating_mul(batch as u64),
        }
    }

    /// Refuses a network that cannot be trained with `batch` images per step where no buffer may be larger
    /// than `limit` bytes. Nothing has been allocated then.
    ///
    /// # Errors
    /// Names the layer, the bytes and the limit.
    pub fn check_fits(&self, batch: usize, limit: u64) -> Result<()> {
        let needed = self.parameter_words() as u64 * 4;
        if needed > limit {
            let bytes = |one: &Parameter| one.shape.elements() as u64 * 4;
            let largest = self.parameters.iter().max_by_key(|one| bytes(one));
            let of = largest.map_or(String::new(), |one| {
                format!(", {} alone {}", one.name, bytes(one))
            });
            let place = format!("{}: the parameters in one buffer{of}", self.spec.name);
            return Err(Error::memory(place, needed, limit));
        }
        let bytes = |layer: &LayerInfo| layer.activation_bytes.saturating_mul(batch as u64);
        match self.layers.iter().find(|layer| bytes(layer) > limit) {
            None => Ok(()),
            Some(layer) => Err(Error::memory(
                format!("{}: {} for {batch} images", self.spec.name, layer.id),
                bytes(layer),
                limit,
            )),
        }
    }
}

//! From choices to networks, and from networks to the messages that describe them.

use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::field::Values;
use crate::nn::{LayerInfo, Network, NetworkSpec};
use crate::zoo::ARCHITECTURES;

use super::messages::{Choice, LayerMessage, NetworkInfo};

/// How the current network was chosen.
#[derive(Debug, Clone)]
pub(super) enum Chosen {
    /// From the registry.
    Architecture(Choice),
    /// From a spec.
    Spec(NetworkSpec),
}

pub(super) fn network_for(chosen: &Chosen, dataset: &Dataset) -> Result<Network> {
    match chosen {
        Chosen::Spec(spec) => {
            if spec.input != dataset.shape || spec.classes < dataset.classes.len() {
                let (shape, classes) = (dataset.shape, dataset.classes.len());
                let expected = format!("input {shape:?} and {classes} classes, as the dataset has");
                let found = format!("input {:?} and {} classes", spec.input, spec.classes);
                return Err(Error::mismatch(
                    format!("network {}", spec.name),
                    expected,
                    found,
                ));
            }
            Network::new(spec)
        }
        Chosen::Architecture(Choice { id, options }) => {
            let found = ARCHITECTURES
                .iter()
                .find(|architecture| architecture.id == id);
            let architecture = found.ok_or_else(|| {
                Error::unknown("architecture", id, ARCHITECTURES.iter().map(|a| a.id))
            })?;
            let values = Values::check(id, &(architecture.fields)(), options)?;
            let spec = (architecture.spec)(&values, dataset.shape, dataset.classes.len())?;
            Network::new(&spec)
        }
    }
}

pub(super) fn network_info(network: &Network) -> NetworkInfo {
    let layer = |(index, layer): (usize, &LayerInfo)| LayerMessage {
        id: layer.id.clone(),
        kind: layer.kind.to_string(),
        doc: layer.doc.to_string(),
        inputs: layer.inputs.clone(),
        shape: layer.shape,
        params: layer.params,
        macs: layer.macs as f64,
        receptive_field: layer.receptive_field.size.into_iter().max().unwrap_or(1),
        receptive_stride: layer.receptive_field.stride.into_iter().max().unwrap_or(1),
        receptive_center: layer.receptive_field.center(),
        activation_bytes: layer.activation_bytes as f64,
        kernel: network.kernel(index).map(|kernel| kernel.shape()),
    };
    let layers: Vec<LayerMessage> = network.layers.iter().enumerate().map(layer).collect();
    NetworkInfo {
        name: network.spec.name.clone(),
        params: layers.iter().map(|layer| layer.params).sum(),
        macs: layers.iter().map(|layer| layer.macs).sum(),
        layers,
    }
}

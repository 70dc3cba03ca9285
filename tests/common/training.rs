//! A session on a small generated dataset, for the tests of training.

use std::rc::Rc;

use convscope::backend::Backend;
use convscope::data;
use convscope::nn::Network;
use convscope::train::{Loaded, Session};
use convscope::zoo;
use serde_json::{Map, json};

/// A fresh network with weights of `seed` on 200 images of a generated dataset.
pub(crate) fn session<B: Backend>(
    backend: &B,
    dataset: &str,
    architecture: &str,
    seed: u64,
) -> Session<B> {
    let limit = backend.max_buffer_bytes();
    session_within(backend, dataset, architecture, seed, limit)
}

/// The same with images in buffers of at most `limit` bytes.
pub(crate) fn session_within<B: Backend>(
    backend: &B,
    dataset: &str,
    architecture: &str,
    seed: u64,
    limit: u64,
) -> Session<B> {
    let options = json!({ "train": 200, "test": 100 });
    let dataset = data::generate(dataset, options.as_object().expect("an object"));
    let dataset = dataset.expect("a dataset of the registry");
    let spec = zoo::spec(
        architecture,
        &Map::new(),
        dataset.shape,
        dataset.classes.len(),
    );
    let network = Network::new(&spec.expect("an architecture of the registry"));
    let data = Rc::new(Loaded::within(backend, dataset, limit).expect("room for the dataset"));
    let network = network.expect("a network that fits the dataset");
    Session::new(backend, data, network, seed).expect("room for the network")
}

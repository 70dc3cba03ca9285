//! Networks in training, as the benchmarks and the example measure them.

use std::error::Error;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use convscope::backend::Backend;
use convscope::backend::cpu::Cpu;
use convscope::data::{self, Dataset};
use convscope::nn::{Network, NetworkSpec};
use convscope::train::{Loaded, Plan, Session};
use convscope::zoo;
use serde_json::{Map, json};

pub(crate) type Outcome<T> = Result<T, Box<dyn Error>>;

/// Network, dataset and batch size of each measurement.
pub(crate) const RUNS: [(&str, &str, usize); 4] = [
    ("lenet5", "pen-digits", 64),
    ("vgg", "shapes", 32),
    ("mini-vgg", "shapes", 32),
    ("resnet20", "shapes", 32),
];

/// The description of "vgg" or of an architecture of the zoo, for ten classes.
pub(crate) fn spec(name: &str, input: [usize; 3]) -> Outcome<NetworkSpec> {
    match name {
        "vgg" => vgg(),
        _ => Ok(zoo::spec(name, &Map::new(), input, 10)?),
    }
}

/// A network and its plan of momentum SGD, not yet prepared.
pub(crate) fn planned<B: Backend>(
    backend: &B,
    name: &str,
    dataset: &str,
    batch: usize,
) -> Outcome<(Session<B>, Plan)> {
    planned_on(backend, name, images(dataset, 1000)?, batch)
}

/// A generated dataset with so many training images.
pub(crate) fn images(dataset: &str, train: usize) -> Outcome<Dataset> {
    let options = json!({ "train": train, "test": 100 });
    let options = options.as_object().cloned().unwrap_or_default();
    Ok(data::generate(dataset, &options)?)
}

/// The same on a dataset that is there.
pub(crate) fn planned_on<B: Backend>(
    backend: &B,
    name: &str,
    dataset: Dataset,
    batch: usize,
) -> Outcome<(Session<B>, Plan)> {
    let network = Network::new(&spec(name, dataset.shape)?)?;
    let data = Rc::new(Loaded::new(backend, dataset)?);
    let session = Session::new(backend, data, network, 1)?;
    let settings = json!({ "learningRate": 0.01, "momentum": 0.9 });
    let settings = settings.as_object().cloned().unwrap_or_default();
    Ok((session, Plan::new("sgd", &settings, batch)?))
}

/// A network in training on the CPU backend, warm.
pub(crate) fn session(name: &str, dataset: &str, batch: usize) -> Outcome<Session<Cpu>> {
    let (mut session, plan) = planned(&Cpu::new(), name, dataset, batch)?;
    now(session.prepare(&plan))?;
    now(session.advance(3))?;
    Ok(session)
}

/// The plain VGG that the peers are measured with: 3x3 convolutions of 32, 32, 64, 64, 128 and 128
/// maps, halved after each pair, and a dense layer of 128.
fn vgg() -> Outcome<NetworkSpec> {
    let mut nodes = Vec::new();
    for channels in [32, 64, 128] {
        for _ in 0..2 {
            nodes.push(json!({ "kind": "conv2d", "out_channels": channels, "padding": "same" }));
            nodes.push(json!({ "kind": "relu" }));
        }
        nodes.push(json!({ "kind": "max_pool2d" }));
    }
    nodes.push(json!({ "kind": "flatten" }));
    nodes.push(json!({ "kind": "dense", "units": 128 }));
    nodes.push(json!({ "kind": "relu" }));
    nodes.push(json!({ "kind": "dense", "units": 10 }));
    let spec = json!({ "name": "VGG", "input": [3, 32, 32], "classes": 10, "nodes": nodes });
    Ok(serde_json::from_value(spec)?)
}

/// The value of a future of the CPU backend, which is always ready.
pub(crate) fn now<T, E: Error + 'static>(future: impl Future<Output = Result<T, E>>) -> Outcome<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Ok(value?),
        Poll::Pending => Err("the CPU backend made somebody wait".into()),
    }
}

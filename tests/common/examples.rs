//! The examples of `ops::OPS` as graphs: inputs are the external values `x0`, `x1` ..., outputs are
//! the op's value and, where the example is differentiable, its gradients with respect to all float
//! inputs under a fixed random seed tensor.

use convscope::autodiff::gradient;
use convscope::error::Result;
use convscope::graph::{BackwardRule, Example, Graph, OpInfo, ValueId};
use convscope::ops::OPS;
use convscope::rng::Rng;
use convscope::tensor::Spec;

/// An example ready to compile.
pub(crate) struct Case {
    /// "op/example".
    pub(crate) name: String,
    pub(crate) graph: Graph,
    /// The external values.
    pub(crate) inputs: Vec<ValueId>,
    /// What each external value holds before the run.
    pub(crate) feeds: Vec<Vec<u32>>,
    /// The op's value.
    pub(crate) output: ValueId,
    /// Its gradients, if the example is differentiable.
    pub(crate) gradients: Vec<ValueId>,
    /// The gradient's seed.
    pub(crate) seed: Vec<f32>,
    pub(crate) example: Example,
}

/// Every example of every op.
pub(crate) fn cases() -> Vec<Case> {
    let of = |info: &OpInfo| {
        let examples = (info.examples)().into_iter();
        let build = |example: Example| {
            let name = format!("{}/{}", info.name, example.name);
            case(name.clone(), example).unwrap_or_else(|error| panic!("{name}: {error}"))
        };
        examples.map(build).collect::<Vec<_>>()
    };
    OPS.iter().flat_map(of).collect()
}

fn case(name: String, example: Example) -> Result<Case> {
    let mut graph = Graph::new();
    let (mut inputs, mut feeds) = (Vec::new(), Vec::new());
    for (index, tensor) in example.inputs.iter().enumerate() {
        let spec = Spec::f32(tensor.shape());
        inputs.push(graph.external(&format!("x{index}"), spec)?);
        feeds.push(bytemuck::cast_slice(&tensor.to_vec()).to_vec());
    }
    for (spec, words) in &example.words {
        inputs.push(graph.external(&format!("x{}", inputs.len()), spec.clone())?);
        feeds.push(words.clone());
    }
    let output = (example.build)(&mut graph, &inputs)?;
    let shape = graph.shape(output).clone();
    let mut rng = Rng::new(1, "gradient check");
    let seed: Vec<f32> = (0..shape.elements()).map(|_| rng.normal()).collect();
    let gradients = if example.differentiable {
        let seed = graph.constant(shape, &seed)?;
        let floats = &inputs[..example.inputs.len()];
        gradient(&mut graph, output, seed, floats, BackwardRule::Gradient)?
    } else {
        Vec::new()
    };
    Ok(Case {
        name,
        graph,
        inputs,
        feeds,
        output,
        gradients,
        seed,
        example,
    })
}

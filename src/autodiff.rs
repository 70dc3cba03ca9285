//! Reverse-mode differentiation as a graph transformation: the gradient is more graph. Under
//! [`BackwardRule::Deconvnet`] and [`BackwardRule::Guided`] the same walk draws the reconstructions
//! of Zeiler & Fergus 2014 and Springenberg et al. 2015.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::graph::{Backward, BackwardRule, Graph, Origin, ValueId};
use crate::ops;

/// Adds to `graph` the gradients of `<seed, of>` with respect to each of `wrt` and returns them.
/// `seed` has the shape of `of`. A value that `of` does not depend on gets zeros.
///
/// # Errors
/// When `seed` has another shape than `of`, or an op on the way has no gradient.
pub fn gradient(
    graph: &mut Graph,
    of: ValueId,
    seed: ValueId,
    wrt: &[ValueId],
    rule: BackwardRule,
) -> Result<Vec<ValueId>> {
    if graph.spec(of) != graph.spec(seed) {
        let expected = format!("a seed of {}", graph.spec(of));
        return Err(Error::mismatch(
            "gradient",
            expected,
            graph.spec(seed).to_string(),
        ));
    }
    let needed = depends_on(graph, wrt);
    let mut gradients = BTreeMap::from([(of, seed)]);
    for id in (0..=of.0).rev().map(ValueId) {
        let Some(&dy) = gradients.get(&id) else {
            continue;
        };
        let Origin::Node { op, inputs } = graph.value(id).origin.clone() else {
            continue;
        };
        if !needed[id.0] || wrt.contains(&id) && !inputs.iter().any(|input| needed[input.0]) {
            continue;
        }
        let wanted: Vec<bool> = inputs.iter().map(|input| needed[input.0]).collect();
        let mut backward = Backward {
            graph,
            inputs: &inputs,
            output: id,
            dy,
            rule,
            wanted: &wanted,
        };
        let parts = op.backward(&mut backward)?;
        for ((&input, part), wanted) in inputs.iter().zip(parts).zip(wanted) {
            let Some(part) = part.filter(|_| wanted) else {
                continue;
            };
            let sum = match gradients.get(&input) {
                Some(&before) => ops::add(graph, before, part)?,
                None => part,
            };
            gradients.insert(input, sum);
        }
    }
    wrt.iter()
        .map(|value| match gradients.get(value) {
            Some(&gradient) => Ok(gradient),
            None => {
                let shape = graph.shape(*value).clone();
                let zeros = vec![0.0; shape.elements()];
                graph.constant(shape, &zeros)
            }
        })
        .collect()
}

/// For each value, whether it is or depends on one of `sources`.
fn depends_on(graph: &Graph, sources: &[ValueId]) -> Vec<bool> {
    let mut needed = vec![false; graph.values().len()];
    for (index, value) in graph.values().iter().enumerate() {
        needed[index] = sources.contains(&ValueId(index))
            || matches!(&value.origin, Origin::Node { inputs, .. }
                if inputs.iter().any(|input| needed[input.0]));
    }
    needed
}

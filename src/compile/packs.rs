//! Which kernels write straight into a pack. A part of a pack that a kernel computes, or that is a view
//! of what a kernel computes, needs no copy if the kernel's output can lie in the pack so that all its
//! parts are where they belong.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use crate::graph::{Graph, Lowering, Origin, ValueId};

/// For each producer that has a place in a pack: which pack, and from which word on.
pub(super) fn plan(
    graph: &Graph,
    lowered: &[Option<Lowering>],
) -> HashMap<ValueId, (ValueId, usize)> {
    let mut planned = HashMap::new();
    for (index, value) in graph.values().iter().enumerate() {
        let (Origin::Node { inputs, .. }, Some(Lowering::Pack { offsets })) =
            (&value.origin, &lowered[index])
        else {
            continue;
        };
        let mut parts: BTreeMap<ValueId, Vec<Part>> = BTreeMap::new();
        let mut taken = Vec::new();
        for (&input, &offset) in inputs.iter().zip(offsets) {
            let words = graph.shape(input).elements();
            let producer = producer(graph, lowered, input);
            taken.push((
                offset..offset + words,
                producer.map(|(producer, _)| producer),
            ));
            if let Some((producer, within)) = producer {
                parts
                    .entry(producer)
                    .or_default()
                    .push(Part { offset, within });
            }
        }
        let size = value.spec.shape.elements();
        for (producer, parts) in parts {
            let words = graph.shape(producer).elements();
            let first = common_start(&parts).filter(|&first| {
                let range = first..first + words;
                let is_foreign = |(other, owner): &(Range<usize>, Option<ValueId>)| {
                    *owner != Some(producer) && other.start < range.end && range.start < other.end
                };
                range.end <= size && !taken.iter().any(is_foreign)
            });
            if let Some(first) = first {
                planned.entry(producer).or_insert((ValueId(index), first));
            }
        }
    }
    planned
}

/// Where a part lies in the pack, and where in its producer's output.
struct Part {
    offset: usize,
    within: usize,
}

/// The one place of the producer's output from which all its parts are where they belong.
fn common_start(parts: &[Part]) -> Option<usize> {
    let mut starts = parts
        .iter()
        .map(|part| part.offset.checked_sub(part.within));
    let first = starts.next()??;
    starts.all(|start| start == Some(first)).then_some(first)
}

/// The node whose kernels write `value`, seen through views, and where in its output `value` begins.
fn producer(
    graph: &Graph,
    lowered: &[Option<Lowering>],
    value: ValueId,
) -> Option<(ValueId, usize)> {
    let Origin::Node { op, inputs } = &graph.value(value).origin else {
        return None;
    };
    match &lowered[value.0] {
        Some(Lowering::Kernels { .. } | Lowering::Map) if op.mutates().is_empty() => {
            Some((value, 0))
        }
        Some(Lowering::Alias { offset }) => {
            let (producer, within) = producer(graph, lowered, inputs[0])?;
            Some((producer, within + offset))
        }
        _ => None,
    }
}

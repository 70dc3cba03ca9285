//! Which elementwise nodes are carried by the kernel before them. A value that only one elementwise node
//! reads need never reach memory: its kernel sends each element through the node's stage before it is
//! stored, and through the next node's, and so on while the same holds.

use litemap::LiteMap;

use crate::graph::{Graph, Lowering, Op, Origin, Slot, ValueId};
use crate::program::{IDENTITY, MOST_BINDINGS, Stage};

/// The elementwise nodes behind one kernel.
#[derive(Debug)]
pub(super) struct Chain {
    /// The last node before which the kernel cannot run: its own, or that of an operand of a stage.
    pub(super) after: ValueId,
    /// The last of them: the value that the kernel stores.
    pub(super) end: ValueId,
    /// All of them; none has a kernel of its own.
    pub(super) nodes: Vec<ValueId>,
    pub(super) stages: Vec<Stage>,
    /// What the stages read besides, in order.
    pub(super) operands: Vec<ValueId>,
}

/// The chains by the node whose kernel carries them. `lowered` has the lowering of every live node.
pub(super) fn chains(
    graph: &Graph,
    lowered: &[Option<Lowering>],
    outputs: &[ValueId],
) -> LiteMap<ValueId, Chain> {
    let readers = readers(graph, lowered);
    let mutations = mutations(graph, lowered);
    let mut carried = vec![false; lowered.len()];
    let mut chains = LiteMap::new();
    for (index, lowering) in lowered.iter().enumerate() {
        let head = ValueId(index);
        let room = lowering
            .as_ref()
            .and_then(|lowering| room(graph, head, lowering));
        let Some(mut room) = room.filter(|_| !carried[index]) else {
            continue;
        };
        let mut chain = Chain {
            after: head,
            end: head,
            nodes: Vec::new(),
            stages: Vec::new(),
            operands: Vec::new(),
        };
        // A value that is asked for or read elsewhere has to be stored as it is.
        while let [(reader, primary)] = readers[chain.end.0][..] {
            let Origin::Node { op, inputs } = &graph.value(reader).origin else {
                break;
            };
            let stage = stage(graph, op.as_ref(), inputs, primary);
            // What another kernel carries already reads this value there.
            let free = !carried[reader.0] && !outputs.contains(&chain.end);
            let Some(stage) = stage.filter(|_| free) else {
                break;
            };
            let others = (0..inputs.len())
                .filter(|&i| i != primary)
                .map(|i| inputs[i]);
            let others: Vec<ValueId> = others.collect();
            let changed = |operand: &ValueId| {
                let state = external(graph, lowered, *operand);
                let between = |&&(root, at): &&(ValueId, ValueId)| {
                    Some(root) == state && at > head && at < reader
                };
                mutations.iter().any(|mutation| between(&mutation))
            };
            // Operands must be what they are when the node runs. They cannot depend on the head, which nothing else
            // reads; where they come after it, it waits for them, and all that it reads by then must last as long.
            let after = others.iter().copied().fold(chain.after, ValueId::max);
            let mut earlier = inputs_of(graph, head).iter().chain(&chain.operands);
            if others.len() > room
                || others.iter().any(changed)
                || after > head && earlier.any(changed)
            {
                break;
            }
            chain.after = after;
            room -= others.len();
            carried[reader.0] = true;
            chain.end = reader;
            chain.nodes.push(reader);
            chain.stages.push(stage);
            chain.operands.extend(others);
        }
        if !chain.stages.is_empty() {
            chains.insert(head, chain);
        }
    }
    chains
}

/// How many operands the last kernel of `head` may take on; none if it carries no stages.
fn room(graph: &Graph, head: ValueId, lowering: &Lowering) -> Option<usize> {
    let bindings = match lowering {
        Lowering::Map => match &graph.value(head).origin {
            Origin::Node { inputs, .. } => inputs.len() + 1,
            _ => return None,
        },
        Lowering::Kernels { calls, .. } => {
            let last = calls.last()?;
            let carries = last.kernel.wgsl.ends_with(IDENTITY);
            let stores = last.bindings.contains(&Slot::Output);
            (carries && stores).then_some(last.bindings.len())?
        }
        Lowering::Parts { .. } | Lowering::Alias { .. } | Lowering::Pack { .. } => return None,
    };
    Some(MOST_BINDINGS.saturating_sub(bindings))
}

fn inputs_of(graph: &Graph, node: ValueId) -> &[ValueId] {
    match &graph.value(node).origin {
        Origin::Node { inputs, .. } => inputs,
        _ => &[],
    }
}

fn stage(graph: &Graph, op: &dyn Op, inputs: &[ValueId], primary: usize) -> Option<Stage> {
    let specs: Vec<_> = inputs.iter().map(|&id| graph.spec(id).clone()).collect();
    op.stage(primary, &specs)
}

/// For each value the live nodes that read it, once per operand, and as which operand.
fn readers(graph: &Graph, lowered: &[Option<Lowering>]) -> Vec<Vec<(ValueId, usize)>> {
    let mut readers = vec![Vec::new(); lowered.len()];
    for (index, value) in graph.values().iter().enumerate() {
        let Origin::Node { inputs, .. } = &value.origin else {
            continue;
        };
        if lowered[index].is_some() {
            for (operand, input) in inputs.iter().enumerate() {
                readers[input.0].push((ValueId(index), operand));
            }
        }
    }
    readers
}

/// The outside values that live nodes update, and by which node.
fn mutations(graph: &Graph, lowered: &[Option<Lowering>]) -> Vec<(ValueId, ValueId)> {
    let mut found = Vec::new();
    for (index, value) in graph.values().iter().enumerate() {
        let Origin::Node { op, inputs } = &value.origin else {
            continue;
        };
        if lowered[index].is_some() {
            let roots = op.mutates().iter();
            let roots = roots.filter_map(|&i| external(graph, lowered, inputs[i]));
            found.extend(roots.map(|root| (root, ValueId(index))));
        }
    }
    found
}

/// The outside value that `value` is a view of, or is after an update.
fn external(graph: &Graph, lowered: &[Option<Lowering>], value: ValueId) -> Option<ValueId> {
    match &graph.value(value).origin {
        Origin::External(_) => Some(value),
        Origin::Constant(_) => None,
        Origin::Node { op, inputs } => {
            let state = op.mutates().first().map(|&state| inputs[state]);
            let is_view = matches!(lowered[value.0], Some(Lowering::Alias { .. }));
            let base = state.or_else(|| is_view.then(|| inputs[0]))?;
            external(graph, lowered, base)
        }
    }
}

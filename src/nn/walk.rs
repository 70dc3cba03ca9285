//! One run over a network's layers, in order, on a graph: for shape inference on a scratch graph and
//! for building alike.

use litemap::LiteMap;

use crate::error::{Error, Result};
use crate::graph::{Graph, Origin, ValueId};

use super::analysis::ReceptiveField;
use super::layers::Body;
use super::network::LayerInfo;
use super::scope::{Average, Declaration, Inner, MAX_SIDE, Mode, Scope, check_size};
use super::spec::{INPUT, Resolved};

/// What one run over the layers found out.
#[derive(Debug, Default)]
pub(super) struct Walk {
    pub(super) outputs: Vec<ValueId>,
    pub(super) infos: Vec<LayerInfo>,
    pub(super) declared: Vec<(String, Declaration)>,
    pub(super) averages: Vec<Average>,
    pub(super) scores: Option<ValueId>,
    pub(super) auxiliaries: Vec<(ValueId, f32)>,
    pub(super) inner: Vec<(usize, Inner, ValueId)>,
}

/// What becomes of a layer's output, given its index, before other layers take it.
pub type Edit<'a> = dyn FnMut(&mut Graph, usize, ValueId) -> Result<ValueId> + 'a;

/// Runs the layers on `graph`; with `views`, parameters are looked up instead of declared.
pub(super) fn run(
    nodes: &[Resolved],
    graph: &mut Graph,
    x: ValueId,
    mode: Mode,
    views: Option<&LiteMap<&str, ValueId>>,
    edit: &mut Edit<'_>,
) -> Result<Walk> {
    let mut walk = Walk::default();
    let mut index: LiteMap<&str, usize> = LiteMap::new();
    index.insert(INPUT, 0);
    walk.outputs.push(x);
    walk.infos.push(LayerInfo {
        id: INPUT.to_owned(),
        kind: INPUT.to_owned(),
        doc: "The normalized image.".to_owned(),
        inputs: Vec::new(),
        shape: chw(graph, x),
        params: 0,
        macs: 0,
        activation_bytes: bytes(graph, x),
        receptive_field: ReceptiveField::default(),
        weight: None,
    });
    for (position, node) in nodes.iter().enumerate() {
        // `resolve` has checked that every input is an earlier node.
        let from: Vec<usize> = node.inputs.iter().map(|id| index[&id.as_str()]).collect();
        layer(node, &from, graph, mode, views, &mut walk)?;
        let output = &mut walk.outputs[position + 1];
        *output = edit(graph, position + 1, *output)?;
        index.insert(&node.id, position + 1);
    }
    Ok(walk)
}

/// Runs one layer and notes what it did.
fn layer(
    node: &Resolved,
    from: &[usize],
    graph: &mut Graph,
    mode: Mode,
    views: Option<&LiteMap<&str, ValueId>>,
    walk: &mut Walk,
) -> Result<()> {
    let Body::Layer(build) = node.kind.body else {
        return Err(Error::mismatch(node.id.as_str(), "a layer", "a block"));
    };
    let inputs: Vec<ValueId> = from.iter().map(|&i| walk.outputs[i]).collect();
    let fields: Vec<ReceptiveField> = from
        .iter()
        .map(|&i| walk.infos[i].receptive_field)
        .collect();
    let mut scope = Scope::new(graph, &node.id, &node.values, &inputs, mode, views);
    let output = build(&mut scope)?;
    let Scope {
        declared,
        averages,
        scores,
        auxiliary,
        inner,
        kernel,
        macs,
        window,
        ..
    } = scope;
    let shape = chw(graph, output);
    check_size(&node.id, &shape)?;
    if shape[1].max(shape[2]) > MAX_SIDE {
        let expected = format!("sides of at most {MAX_SIDE}");
        return Err(Error::mismatch(
            node.id.as_str(),
            expected,
            format!("{shape:?}"),
        ));
    }
    let seen = fields
        .into_iter()
        .reduce(ReceptiveField::union)
        .unwrap_or_default();
    walk.infos.push(LayerInfo {
        id: node.id.clone(),
        kind: node.kind.id.to_owned(),
        doc: node.kind.doc.to_owned(),
        inputs: node.inputs.clone(),
        shape,
        params: 0,
        macs,
        activation_bytes: if is_view(graph, output) || walk.outputs.contains(&output) {
            0
        } else {
            bytes(graph, output)
        },
        receptive_field: window.map_or(seen, |window| seen.through(&window)),
        weight: kernel,
    });
    let index = walk.outputs.len();
    let inner = inner.into_iter();
    walk.inner
        .extend(inner.map(|(inner, value)| (index, inner, value)));
    walk.outputs.push(output);
    walk.averages.extend(averages);
    walk.scores = scores;
    (walk.auxiliaries).extend(auxiliary.map(|weight| (output, weight)));
    let named = declared
        .into_iter()
        .map(|d| (format!("{}.{}", node.id, d.name), d));
    walk.declared.extend(named);
    Ok(())
}

/// Bytes of one image's share of `value`.
fn bytes(graph: &Graph, value: ValueId) -> u64 {
    let each = graph.shape(value).dims().iter().skip(1);
    each.map(|&dim| dim as u64).product::<u64>() * 4
}

/// Whether `value` is another value under another shape.
fn is_view(graph: &Graph, value: ValueId) -> bool {
    matches!(&graph.value(value).origin, Origin::Node { op, .. } if op.name() == "view")
}

fn chw(graph: &Graph, value: ValueId) -> [usize; 3] {
    match *graph.shape(value).dims() {
        [_, h, w, c] => [c, h, w],
        ref dims => [dims.last().copied().unwrap_or(1), 1, 1],
    }
}

//! Elements picked by a fixed table and added: filter banks that repeat, turn or shear a few learned filters. The
//! gradient adds by the transposed table, so it needs no atomic addition and is the same on every backend.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::graph::{
    Backward, Example, Graph, Lowering, Op, OpInfo, Origin, ValueId, expect_dtype, expect_inputs,
};
use crate::program::{Args, Kernel};
use crate::tensor::{DType, Shape, Spec};

use super::testing::{nan, wave};

/// `y[i]` = sum over k of `x[table[i, k]]`, as far as the table has an element there.
#[derive(Debug, Clone)]
struct GatherSum {
    shape: Shape,
}

/// Where a table has no element.
const NONE: u32 = u32::MAX;

/// The result has `shape`; its element `i` is the sum of the elements of `x` that `table[i]` names, as many for
/// each as the table's length is of the shape's.
///
/// # Errors
/// When the table names an element that `x` does not have, or is not as long as some multiple of the shape.
pub fn gather_sum(
    graph: &mut Graph,
    x: ValueId,
    table: &[u32],
    shape: impl Into<Shape>,
) -> Result<ValueId> {
    let elements = graph.shape(x).elements();
    if let Some(&bad) = table.iter().find(|&&at| at as usize >= elements) {
        let expected = format!("indices below {elements}");
        return Err(Error::mismatch("gather_sum", expected, bad.to_string()));
    }
    by_table(graph, x, table.into(), shape.into())
}

fn by_table(graph: &mut Graph, x: ValueId, table: Arc<[u32]>, shape: Shape) -> Result<ValueId> {
    let table = graph.constant_words(table);
    graph.push(GatherSum { shape }, &[x, table])
}

/// For each of `elements` the places in `table` that name it, `terms` of the table to a place; padded with
/// [`NONE`] to as many as the most often named one has.
fn transposed(table: &[u32], terms: usize, elements: usize) -> Vec<u32> {
    let mut counts = vec![0; elements];
    let named = || table.iter().enumerate().filter(|(_, at)| **at != NONE);
    named().for_each(|(_, &at)| counts[at as usize] += 1);
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    let mut found = vec![NONE; elements * most];
    counts.fill(0);
    for (place, &at) in named() {
        let at = at as usize;
        // The table fits a buffer, so its places fit 32 bits.
        found[at * most + counts[at]] = (place / terms) as u32;
        counts[at] += 1;
    }
    found
}

impl Op for GatherSum {
    fn name(&self) -> &'static str {
        "gather_sum"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [x, table] = expect_inputs("gather_sum", inputs)?;
        expect_dtype("gather_sum", x, DType::F32)?;
        let length = expect_dtype("gather_sum", table, DType::U32)?.elements();
        let elements = self.shape.elements();
        if elements == 0 || length == 0 || !length.is_multiple_of(elements) {
            let expected = format!("a table for {}", self.shape);
            return Err(Error::mismatch("gather_sum", expected, table.to_string()));
        }
        Ok(Spec::f32(self.shape.clone()))
    }

    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        let Origin::Constant(table) = &b.graph.value(b.inputs[1]).origin else {
            return Err(Error::not_differentiable(
                "gather_sum",
                "its table is not a constant",
            ));
        };
        let shape = b.graph.shape(b.inputs[0]).clone();
        let terms = table.len() / self.shape.elements();
        let table = transposed(table, terms, shape.elements());
        Ok(vec![
            Some(by_table(b.graph, b.dy, table.into(), shape)?),
            None,
        ])
    }

    fn lower(&self, inputs: &[Spec], output: &Spec) -> Lowering {
        let elements = output.shape.elements();
        let terms = inputs[1].shape.elements() / elements;
        let twin = move |args: &mut Args<'_>| {
            let (x, table) = (args.read(0), args.read_words(1));
            for (y, places) in args.write(0).iter_mut().zip(table.chunks_exact(terms)) {
                let named = places.iter().filter_map(|&at| x.get(at as usize));
                *y = named.sum();
            }
        };
        let constants = [("ELEMENTS", elements), ("TERMS", terms)];
        let kernel = Kernel::tailed("gather_sum", SHADER, &constants, 2, elements, twin);
        Lowering::single(kernel, 2)
    }
}

const SHADER: &str = crate::wgsl!("../../shaders/gather_sum.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "gather_sum",
    doc: "Elements of another value, picked and added by a fixed table.",
    shaders: &[("gather_sum", SHADER)],
    examples: || {
        // Element 1 is named three times, element 4 never.
        let picked =
            |g: &mut Graph, x: &[ValueId]| gather_sum(g, x[0], &[1, 0, 3, 1, 2, 5, 1, 0], [2, 4]);
        let pairs =
            |g: &mut Graph, x: &[ValueId]| gather_sum(g, x[0], &[1, 0, 3, 1, 2, 5, 1, 0], [4]);
        vec![
            Example::new("picked", vec![wave([6], 0.1)], picked),
            Example::new("pairs", vec![wave([6], 0.1)], pairs),
            Example::new("one element", vec![wave([1], 0.1)], |g, x| {
                gather_sum(g, x[0], &[0], [1])
            }),
            Example::new("not a number", vec![nan([6])], picked).forward_only(),
        ]
    },
};

//! Which elements of a row are among its largest: a quantile without sorting, for pictures from which
//! the pixels that matter least are cut (Yosinski et al. 2015).

use crate::error::{Error, Result};
use crate::graph::{Example, Graph, Lowering, Op, OpInfo, ValueId, expect_dtype, expect_inputs};
use crate::program::{Access, Args, Kernel, wgsl_with};
use crate::tensor::{DType, Spec};
use std::sync::Arc;

use super::testing::{nan, wave};

/// 1 for the elements of each row that are not among its `dropped` smallest, else 0.
#[derive(Debug, Clone, Copy)]
struct Largest {
    dropped: usize,
}

/// Halvings of the range in which the quantile is sought; floats have no more digits.
const HALVINGS: usize = 24;

/// A mask `[n, p]` of `x` `[n, p]`: 0 for at most `dropped` of the smallest elements of each row (fewer
/// where elements are equal to within 2^-24 of the row's range), 1 for the others.
///
/// # Errors
/// When `x` is not a matrix of floats with more than `dropped` columns.
pub fn largest(graph: &mut Graph, x: ValueId, dropped: usize) -> Result<ValueId> {
    graph.push(Largest { dropped }, &[x])
}

/// The largest bound that no more than `dropped` elements are below, found by halving.
fn bound(row: &[f32], dropped: usize) -> f32 {
    let mut low = row.iter().fold(f32::MAX, |m, &x| if x < m { x } else { m });
    let mut high = row.iter().fold(f32::MIN, |m, &x| if x > m { x } else { m });
    for _ in 0..HALVINGS {
        let middle = 0.5 * low + 0.5 * high;
        let below = row.iter().filter(|&&x| x < middle).count();
        if below <= dropped {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

impl Op for Largest {
    fn name(&self) -> &'static str {
        "largest"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [x] = expect_inputs("largest", inputs)?;
        let [_, columns] = expect_dtype("largest", x, DType::F32)?.two("largest")?;
        if columns <= self.dropped || x.shape.elements() == 0 {
            let expected = format!("rows of more than {} elements", self.dropped);
            return Err(Error::mismatch("largest", expected, x.to_string()));
        }
        Ok(x.clone())
    }

    fn lower(&self, _: &[Spec], output: &Spec) -> Lowering {
        let Ok([rows, columns]) = output.shape.two("largest") else {
            unreachable!("infer gave {output}")
        };
        let dropped = self.dropped;
        let twin = move |args: &mut Args<'_>| {
            let x = args.read(0).chunks_exact(columns);
            for (x, y) in x.zip(args.write(0).chunks_exact_mut(columns)) {
                let bound = bound(x, dropped);
                for (y, x) in y.iter_mut().zip(x) {
                    *y = f32::from(u8::from(*x >= bound));
                }
            }
        };
        let constants = [
            ("COLUMNS", columns),
            ("DROPPED", dropped),
            ("HALVINGS", HALVINGS),
        ];
        let kernel = Kernel {
            name: "largest",
            wgsl: wgsl_with(&constants, SHADER),
            accesses: vec![Access::Read, Access::Write],
            workgroups: [rows as u32, 1, 1],
            tiled: None,
            run: None,
            twin: Arc::new(twin),
        };
        Lowering::single(kernel, 1)
    }
}

const SHADER: &str = crate::wgsl!("../../shaders/largest.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "largest",
    doc: "Which elements of a row are not among its smallest.",
    shaders: &[("largest", SHADER)],
    examples: || {
        let five = |g: &mut Graph, x: &[ValueId]| largest(g, x[0], 5);
        let none = |g: &mut Graph, x: &[ValueId]| largest(g, x[0], 0);
        vec![
            Example::new("rows", vec![wave([3, 100], 0.1)], five).forward_only(),
            Example::new("none dropped", vec![wave([2, 7], 0.1)], none).forward_only(),
            Example::new("one element", vec![wave([1, 1], 0.1)], none).forward_only(),
            Example::new("not a number", vec![nan([2, 9])], five).forward_only(),
        ]
    },
};

#[cfg(test)]
mod tests {
    use super::bound;

    #[test]
    fn the_bound_leaves_out_the_smallest() {
        let row: Vec<f32> = (0..100).map(|i| (i * 37 % 100) as f32).collect();
        for dropped in [0, 1, 50, 99] {
            let bound = bound(&row, dropped);
            assert_eq!(row.iter().filter(|x| **x < bound).count(), dropped);
        }
        // Equal elements stay together.
        assert_eq!(bound(&[2.0; 4], 2), 2.0);
    }
}

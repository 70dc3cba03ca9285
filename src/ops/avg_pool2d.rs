//! Average pooling and its gradient.

use crate::error::Result;
use crate::graph::{Backward, Example, Graph, Lowering, Op, OpInfo, ValueId, expect_inputs};
use crate::program::{Args, Kernel};
use crate::tensor::Spec;

use super::pool2d::{Pool2d, Pooling, config};
use super::testing::{nan, wave};

/// `y` = mean of `x` under the window, the padding counted as zeros.
#[derive(Debug, Clone, Copy)]
struct AvgPool(Pool2d);

/// Spreads `dy` evenly under the windows, for inputs of this size.
#[derive(Debug, Clone, Copy)]
struct AvgPoolGradient {
    config: Pool2d,
    input: [usize; 2],
}

/// Averages `x` `[n, h, w, c]` under each window; padding counts as zeros, as in PyTorch's default.
///
/// # Errors
/// When no window fits, or the padding is as large as the window.
pub fn avg_pool2d(graph: &mut Graph, x: ValueId, config: Pool2d) -> Result<ValueId> {
    graph.push(AvgPool(config), &[x])
}

/// Gradient of [`avg_pool2d`] with respect to its input of size `input` = `[h, w]`.
///
/// # Errors
/// When `dy` is not the shape that the pooling gives for such an input.
pub fn avg_pool2d_gradient(
    graph: &mut Graph,
    dy: ValueId,
    config: Pool2d,
    input: [usize; 2],
) -> Result<ValueId> {
    graph.push(AvgPoolGradient { config, input }, &[dy])
}

impl Op for AvgPool {
    fn name(&self) -> &'static str {
        "avg_pool2d"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [x] = expect_inputs("avg_pool2d", inputs)?;
        Ok(Spec::f32(
            Pooling::forward("avg_pool2d", self.0, x)?.y_dims(),
        ))
    }

    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        let [_, height, width, _] = b.graph.shape(b.inputs[0]).four("avg_pool2d")?;
        let dx = avg_pool2d_gradient(b.graph, b.dy, self.0, [height, width])?;
        Ok(vec![Some(dx)])
    }

    fn lower(&self, inputs: &[Spec], output: &Spec) -> Lowering {
        let Ok(pooling) = Pooling::forward("avg_pool2d", self.0, &inputs[0]) else {
            unreachable!("infer accepted {inputs:?}")
        };
        let scale = 1.0 / (self.0.size[0] * self.0.size[1]) as f32;
        let twin = move |args: &mut Args<'_>| {
            let (x, channels) = (args.read(0), pooling.channels);
            let y = args.write(0);
            y.fill(0.0);
            pooling.for_each_tap(|_, x_at, y_at| {
                let x = &x[x_at..x_at + channels];
                for (y, x) in y[y_at..y_at + channels].iter_mut().zip(x) {
                    *y += x;
                }
            });
            y.iter_mut().for_each(|y| *y *= scale);
        };
        let threads = output.shape.elements();
        let constants = pooling.constants();
        Lowering::single(
            Kernel::tailed("avg_pool2d", SHADER, &constants, 1, threads, twin),
            1,
        )
    }
}

impl Op for AvgPoolGradient {
    fn name(&self) -> &'static str {
        "avg_pool2d_gradient"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [dy] = expect_inputs("avg_pool2d_gradient", inputs)?;
        let pooling = Pooling::backward("avg_pool2d_gradient", self.config, dy, self.input)?;
        Ok(Spec::f32(pooling.x_dims()))
    }

    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        Ok(vec![Some(avg_pool2d(b.graph, b.dy, self.config)?)])
    }

    fn lower(&self, inputs: &[Spec], output: &Spec) -> Lowering {
        let place = "avg_pool2d_gradient";
        let Ok(pooling) = Pooling::backward(place, self.config, &inputs[0], self.input) else {
            unreachable!("infer accepted {inputs:?}")
        };
        let scale = 1.0 / (self.config.size[0] * self.config.size[1]) as f32;
        let twin = move |args: &mut Args<'_>| {
            let (dy, channels) = (args.read(0), pooling.channels);
            let dx = args.write(0);
            dx.fill(0.0);
            pooling.for_each_tap(|_, x_at, y_at| {
                let dy = &dy[y_at..y_at + channels];
                for (dx, dy) in dx[x_at..x_at + channels].iter_mut().zip(dy) {
                    *dx += dy;
                }
            });
            dx.iter_mut().for_each(|dx| *dx *= scale);
        };
        let threads = output.shape.elements();
        let constants = pooling.constants();
        let kernel = Kernel::tailed(place, GRADIENT_SHADER, &constants, 1, threads, twin);
        Lowering::single(kernel, 1)
    }
}

const SHADER: &str = crate::wgsl!("../../shaders/avg_pool2d.wgsl");
const GRADIENT_SHADER: &str = crate::wgsl!("../../shaders/avg_pool2d_gradient.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "avg_pool2d",
    doc: "Mean under sliding windows, padding counted as zeros.",
    shaders: &[("avg_pool2d", SHADER)],
    examples: || {
        let halved = |g: &mut Graph, x: &[ValueId]| avg_pool2d(g, x[0], config(2, 2, 0));
        let one = |g: &mut Graph, x: &[ValueId]| avg_pool2d(g, x[0], config(1, 1, 0));
        vec![
            Example::new("halved", vec![wave([2, 4, 5, 3], 0.1)], halved),
            Example::new("overlapping", vec![wave([1, 4, 5, 2], 0.1)], |g, x| {
                avg_pool2d(g, x[0], config(3, 2, 1))
            }),
            Example::new("one element", vec![wave([1, 1, 1, 1], 0.1)], one),
            Example::new("not a number", vec![nan([1, 4, 4, 1])], halved).forward_only(),
        ]
    },
};

pub(super) const GRADIENT_INFO: OpInfo = OpInfo {
    name: "avg_pool2d_gradient",
    doc: "Spreads each element evenly under its window.",
    shaders: &[("avg_pool2d_gradient", GRADIENT_SHADER)],
    examples: || {
        vec![
            Example::new("overlapping", vec![wave([1, 2, 3, 2], 0.1)], |g, x| {
                avg_pool2d_gradient(g, x[0], config(3, 2, 1), [4, 5])
            }),
            Example::new("one element", vec![wave([1, 1, 1, 1], 0.1)], |g, x| {
                avg_pool2d_gradient(g, x[0], config(1, 1, 0), [1, 1])
            }),
            Example::new("not a number", vec![nan([1, 2, 2, 1])], |g, x| {
                avg_pool2d_gradient(g, x[0], config(2, 2, 0), [4, 4])
            })
            .forward_only(),
        ]
    },
};

//! Windows of pixels side by side as channels ("im2col"), and the transpose that adds them back: what makes an
//! unshared convolution a product.

use crate::error::{Error, Result};
use crate::graph::{
    Backward, Example, Graph, Lowering, Op, OpInfo, ValueId, expect_dtype, expect_inputs,
};
use crate::program::{Args, Kernel};
use crate::tensor::{DType, Spec};

use super::pool2d::{Pool2d, Pooling, config};
use super::testing::{nan, wave};

/// `y[n, oy, ox, (ky, kx, c)]` = `x` under the window's tap, 0 in the padding.
#[derive(Debug, Clone, Copy)]
struct Unfold(Pool2d);

/// Each element of `dy` added where it came from, for inputs of this size.
#[derive(Debug, Clone, Copy)]
struct Fold {
    config: Pool2d,
    input: [usize; 2],
}

/// The windows of `x` `[n, h, w, c]`: `[n, oh, ow, kh * kw * c]`, taps in row-major order, each with
/// all channels.
///
/// # Errors
/// When no window fits, or the padding is as large as the window.
pub fn unfold(graph: &mut Graph, x: ValueId, config: Pool2d) -> Result<ValueId> {
    graph.push(Unfold(config), &[x])
}

/// The transpose of [`unfold`] for inputs of size `input` = `[h, w]`: overlapping windows add up.
///
/// # Errors
/// When `dy` is not what such an unfolding gives.
pub fn fold(graph: &mut Graph, dy: ValueId, config: Pool2d, input: [usize; 2]) -> Result<ValueId> {
    graph.push(Fold { config, input }, &[dy])
}

fn taps(config: Pool2d) -> usize {
    config.size[0] * config.size[1]
}

impl Fold {
    fn pooling(&self, dy: &Spec) -> Result<Pooling> {
        let [n, oh, ow, wide] = expect_dtype("fold", dy, DType::F32)?.four("fold")?;
        let narrow = Spec::f32([n, oh, ow, wide / taps(self.config).max(1)]);
        let pooling = Pooling::backward("fold", self.config, &narrow, self.input)?;
        if wide.is_multiple_of(taps(self.config)) {
            return Ok(pooling);
        }
        let expected = format!("channels for {} taps", taps(self.config));
        Err(Error::mismatch("fold", expected, dy.to_string()))
    }
}

impl Op for Unfold {
    fn name(&self) -> &'static str {
        "unfold"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [x] = expect_inputs("unfold", inputs)?;
        let [n, oh, ow, c] = Pooling::forward("unfold", self.0, x)?.y_dims();
        Ok(Spec::f32([n, oh, ow, taps(self.0) * c]))
    }

    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        let [_, height, width, _] = b.graph.shape(b.inputs[0]).four("unfold")?;
        let dx = fold(b.graph, b.dy, self.0, [height, width])?;
        Ok(vec![Some(dx)])
    }

    fn lower(&self, inputs: &[Spec], output: &Spec) -> Lowering {
        let Ok(pooling) = Pooling::forward("unfold", self.0, &inputs[0]) else {
            unreachable!("infer accepted {inputs:?}")
        };
        let taps = taps(self.0);
        let twin = move |args: &mut Args<'_>| {
            let (x, channels) = (args.read(0), pooling.channels);
            let y = args.write(0);
            y.fill(0.0);
            pooling.for_each_tap(|tap, x_at, y_at| {
                let at = y_at * taps + tap as usize * channels;
                y[at..at + channels].copy_from_slice(&x[x_at..x_at + channels]);
            });
        };
        let (constants, threads) = (pooling.constants(), output.shape.elements());
        let kernel = Kernel::linear("unfold", SHADER, &constants, 1, threads, twin);
        Lowering::single(kernel, 1)
    }
}

impl Op for Fold {
    fn name(&self) -> &'static str {
        "fold"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [dy] = expect_inputs("fold", inputs)?;
        Ok(Spec::f32(self.pooling(dy)?.x_dims()))
    }

    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        Ok(vec![Some(unfold(b.graph, b.dy, self.config)?)])
    }

    fn lower(&self, inputs: &[Spec], output: &Spec) -> Lowering {
        let Ok(pooling) = self.pooling(&inputs[0]) else {
            unreachable!("infer accepted {inputs:?}")
        };
        let taps = taps(self.config);
        let twin = move |args: &mut Args<'_>| {
            let (dy, channels) = (args.read(0), pooling.channels);
            let dx = args.write(0);
            dx.fill(0.0);
            pooling.for_each_tap(|tap, x_at, y_at| {
                let at = y_at * taps + tap as usize * channels;
                let dx = &mut dx[x_at..x_at + channels];
                let dy = &dy[at..at + channels];
                dx.iter_mut().zip(dy).for_each(|(dx, dy)| *dx += dy);
            });
        };
        let (constants, threads) = (pooling.constants(), output.shape.elements());
        let kernel = Kernel::tailed("fold", FOLD_SHADER, &constants, 1, threads, twin);
        Lowering::single(kernel, 1)
    }
}

const SHADER: &str = crate::wgsl!("../../shaders/unfold.wgsl");
const FOLD_SHADER: &str = crate::wgsl!("../../shaders/fold.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "unfold",
    doc: "Windows of pixels as channels.",
    shaders: &[("unfold", SHADER)],
    examples: || {
        let padded = |g: &mut Graph, x: &[ValueId]| unfold(g, x[0], config(3, 2, 1));
        vec![
            Example::new("padded", vec![wave([2, 4, 5, 2], 0.1)], padded),
            Example::new("one element", vec![wave([1, 1, 1, 1], 0.1)], |g, x| {
                unfold(g, x[0], config(1, 1, 0))
            }),
            Example::new("not a number", vec![nan([1, 3, 3, 2])], padded).forward_only(),
        ]
    },
};

pub(super) const FOLD_INFO: OpInfo = OpInfo {
    name: "fold",
    doc: "Windows given as channels, added where they overlap.",
    shaders: &[("fold", FOLD_SHADER)],
    examples: || {
        let padded = |g: &mut Graph, x: &[ValueId]| fold(g, x[0], config(3, 2, 1), [4, 5]);
        vec![
            Example::new("padded", vec![wave([1, 2, 3, 18], 0.1)], padded),
            Example::new("one element", vec![wave([1, 1, 1, 1], 0.1)], |g, x| {
                fold(g, x[0], config(1, 1, 0), [1, 1])
            }),
            Example::new("not a number", vec![nan([1, 2, 3, 9])], padded).forward_only(),
        ]
    },
};

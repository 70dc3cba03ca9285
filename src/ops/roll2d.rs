//! Circular shift of images by an offset that lives on the device: the jitter of activation
//! maximization (Mordvintsev et al. 2015, "Inceptionism") without rebuilding a program per shift.

use crate::error::{Error, Result};
use crate::graph::{
    Backward, Example, Graph, Lowering, Op, OpInfo, ValueId, expect_dtype, expect_inputs,
};
use crate::program::{Args, Kernel};
use crate::tensor::{DType, Spec};

use super::testing::{nan, wave};

/// `y[n, (i + dy) % h, (j + dx) % w, c] = x[n, i, j, c]`, or the other way.
#[derive(Debug, Clone, Copy)]
struct Roll {
    inverse: bool,
}

/// Shifts `x` `[n, h, w, c]` down and right by `offsets` = (dy, dx), u32 `[2]`, modulo its size; up
/// and left when `inverse`.
///
/// # Errors
/// When `x` is not a batch of images or `offsets` not two words.
pub fn roll2d(graph: &mut Graph, x: ValueId, offsets: ValueId, inverse: bool) -> Result<ValueId> {
    graph.push(Roll { inverse }, &[x, offsets])
}

impl Op for Roll {
    fn name(&self) -> &'static str {
        "roll2d"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [x, offsets] = expect_inputs("roll2d", inputs)?;
        expect_dtype("roll2d", x, DType::F32)?.four("roll2d")?;
        if *offsets != Spec::u32([2]) || x.shape.elements() == 0 {
            let found = format!("{x} and {offsets}");
            return Err(Error::mismatch("roll2d", "images and u32[2]", found));
        }
        Ok(x.clone())
    }

    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        let dx = roll2d(b.graph, b.dy, b.inputs[1], !self.inverse)?;
        Ok(vec![Some(dx), None])
    }

    fn lower(&self, _: &[Spec], output: &Spec) -> Lowering {
        let Ok([images, height, width, channels]) = output.shape.four("roll2d") else {
            unreachable!("infer gave {output}")
        };
        let inverse = self.inverse;
        let twin = move |args: &mut Args<'_>| {
            let (x, offsets) = (args.read(0), args.read_words(1));
            let shift = |offset: u32, extent: usize| match offset as usize % extent {
                shift if inverse => extent - shift,
                shift => shift,
            };
            let (down, right) = (shift(offsets[0], height), shift(offsets[1], width) % width);
            let line = width * channels;
            let y = args.write(0);
            for (row, x) in x.chunks_exact(line).enumerate() {
                let target = row / height * height + (row % height + down) % height;
                let y = &mut y[target * line..(target + 1) * line];
                let (kept, wrapped) = x.split_at((width - right) * channels);
                y[right * channels..].copy_from_slice(kept);
                y[..right * channels].copy_from_slice(wrapped);
            }
        };
        let constants = [
            ("IMAGES", images),
            ("HEIGHT", height),
            ("WIDTH", width),
            ("CHANNELS", channels),
            ("INVERSE", usize::from(inverse)),
        ];
        let threads = output.shape.elements();
        let kernel = Kernel::linear("roll2d", SHADER, &constants, 2, threads, twin);
        Lowering::single(kernel, 2)
    }
}

const SHADER: &str = crate::wgsl!("../../shaders/roll2d.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "roll2d",
    doc: "Circular shift of images by an offset on the device.",
    shaders: &[("roll2d", SHADER)],
    examples: || {
        let forth = |g: &mut Graph, x: &[ValueId]| roll2d(g, x[0], x[1], false);
        let back = |g: &mut Graph, x: &[ValueId]| roll2d(g, x[0], x[1], true);
        let offsets = |dy, dx| vec![(Spec::u32([2]), vec![dy, dx])];
        vec![
            Example::new("forth", vec![wave([2, 3, 4, 2], 0.1)], forth).with_words(offsets(2, 9)),
            Example::new("back", vec![wave([1, 3, 4, 2], 0.1)], back).with_words(offsets(4, 3)),
            Example::new("back by none", vec![wave([1, 2, 2, 1], 0.1)], back)
                .with_words(offsets(0, 2)),
            Example::new("one element", vec![wave([1, 1, 1, 1], 0.1)], forth)
                .with_words(offsets(5, 0)),
            Example::new("not a number", vec![nan([1, 2, 3, 1])], forth)
                .with_words(offsets(1, 1))
                .forward_only(),
        ]
    },
};

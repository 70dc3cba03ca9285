//! The generator: from a code to an image by a dense layer and two transposed convolutions that double the side,
//! after the "up-convolutional" networks of Dosovitskiy & Brox (2016, "Generating images with perceptual similarity
//! metrics based on deep networks"), small enough to be trained in a tab.

use crate::error::Result;
use crate::graph::{Graph, ValueId, flat_layout};
use crate::ops::{self, Conv2d};
use crate::rng::Rng;
use crate::tensor::{Shape, Spec};

/// Maps at a quarter and at half of the image's side.
const MAPS: [usize; 2] = [48, 24];

/// Side of the transposed convolutions' kernels.
const KERNEL: usize = 4;

/// What is below zero keeps this share.
const SLOPE: f32 = 0.2;

/// The transposed convolutions' settings: exactly twice the side, or that and one pixel.
const DOUBLE: Conv2d = Conv2d {
    stride: [2; 2],
    padding: [[1; 2]; 2],
    dilation: [1; 2],
    groups: 1,
};

/// Between a code of `code` numbers and images `[c, h, w]`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Generator {
    pub(super) code: usize,
    pub(super) image: [usize; 3],
}

impl Generator {
    /// Heights and widths at a quarter and at half.
    fn sides(self) -> [[usize; 2]; 2] {
        let [_, h, w] = self.image;
        // What the convolutions that DOUBLE transposes make of these sides.
        let half = [h, w].map(|side| (side / 2).max(1));
        [half.map(|side| (side / 2).max(1)), half]
    }

    /// Dense weights and bias, then filters and bias of each transposed convolution.
    fn shapes(self) -> [Shape; 6] {
        let ([[h, w], _], [c, ..]) = (self.sides(), self.image);
        let first = h * w * MAPS[0];
        [
            Shape::from([self.code, first]),
            Shape::from([first]),
            Shape::from([KERNEL, KERNEL, MAPS[1], MAPS[0]]),
            Shape::from([MAPS[1]]),
            Shape::from([KERNEL, KERNEL, c, MAPS[1]]),
            Shape::from([c]),
        ]
    }

    /// Words of all parameters.
    pub(super) fn words(self) -> usize {
        flat_layout(&self.shapes()).1
    }

    /// First word and number of words of each parameter.
    pub(super) fn tensors(self) -> Vec<(usize, usize)> {
        let shapes = self.shapes();
        let (offsets, _) = flat_layout(&shapes);
        let sizes = shapes.iter().map(Shape::elements);
        offsets.into_iter().zip(sizes).collect()
    }

    /// Parameters to begin with: He's normal draws, biases zero.
    pub(super) fn start(self, rng: &mut Rng) -> Vec<f32> {
        let mut flat = vec![0.0; self.words()];
        // Of the taps of a transposed convolution every second one down and across meets a pixel.
        let taps = KERNEL * KERNEL / 4;
        let fans = [self.code, taps * MAPS[0], taps * MAPS[1]];
        let weights = self.tensors().into_iter().step_by(2);
        for ((offset, words), fan) in weights.zip(fans) {
            let deviation = (2.0 / fan as f32).sqrt();
            let place = &mut flat[offset..offset + words];
            place.iter_mut().for_each(|w| *w = deviation * rng.normal());
        }
        flat
    }

    /// The parameters as views of the outside buffer "generator".
    pub(super) fn parameters(self, g: &mut Graph) -> Result<Vec<ValueId>> {
        let flat = g.external("generator", Spec::f32([self.words()]))?;
        let each = self.tensors().into_iter().zip(self.shapes());
        each.map(|((offset, _), shape)| ops::view(g, flat, offset, shape))
            .collect()
    }

    /// Logits of images `[n, h, w, c]` from codes `[n, code]`.
    pub(super) fn draw(
        self,
        g: &mut Graph,
        parameters: &[ValueId],
        code: ValueId,
    ) -> Result<ValueId> {
        let ([[h, w], half], [_, height, width]) = (self.sides(), self.image);
        let [n, _] = g.shape(code).two("generator")?;
        let x = ops::matmul(g, code, parameters[0], false, false)?;
        let x = ops::add(g, x, parameters[1])?;
        let x = ops::leaky_relu(g, x, SLOPE)?;
        let x = ops::reshape(g, x, [n, h, w, MAPS[0]])?;
        let x = ops::conv2d_input_gradient(g, x, parameters[2], DOUBLE, half)?;
        let x = ops::add(g, x, parameters[3])?;
        let x = ops::leaky_relu(g, x, SLOPE)?;
        let x = ops::conv2d_input_gradient(g, x, parameters[4], DOUBLE, [height, width])?;
        ops::add(g, x, parameters[5])
    }
}

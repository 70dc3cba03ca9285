//! The forms of the three convolutions for GPUs: each a matrix product whose operands are found while they are loaded, over
//! all pixels of the batch (`ops::gemm`). Convolutions with hardly any channels per group keep to the form
//! of one thread per element, as does an input gradient whose dilated windows also move in strides.

use super::super::gemm::Gemm;
use super::NARROW;
use super::geometry::Geometry;
use crate::program::Tiled;

impl Geometry {
    /// The forward pass.
    pub(super) fn tiled_forward(&self) -> Option<Tiled> {
        let gemm = Gemm {
            rows: self.rows() * self.output[1],
            columns: self.outputs,
            layers: self.config.groups,
            a_by_terms: true,
            b_by_terms: false,
        };
        let source = format!("{WINDOWS}{FORWARD}");
        let fits = self.outputs >= NARROW && self.is_addressable();
        fits.then(|| gemm.tiled("conv2d_tiled", &source, &self.without("IMAGES")))
    }

    /// The gradient of the filters, in `chunks` chunks of `rows` output rows.
    pub(super) fn tiled_weight_gradient(&self, [rows, chunks]: [usize; 2]) -> Option<Tiled> {
        let gemm = Gemm {
            rows: self.taps_by_inputs(),
            columns: self.outputs,
            layers: chunks * self.config.groups,
            a_by_terms: false,
            b_by_terms: false,
        };
        let source = format!("{WINDOWS}{WEIGHT_GRADIENT}");
        let mut constants = self.without("KERNEL_Y");
        constants.push(("CHUNK_ROWS", rows));
        let fits = self.outputs >= NARROW && self.is_addressable();
        fits.then(|| gemm.tiled("conv2d_weight_gradient_tiled", &source, &constants))
    }

    /// The gradient of the input.
    pub(super) fn tiled_input_gradient(&self) -> Option<Tiled> {
        let [down, across] = self.config.stride;
        let phase = self.input[0].div_ceil(down) * self.input[1].div_ceil(across);
        let gemm = Gemm {
            rows: self.images * phase,
            columns: self.inputs,
            layers: self.config.groups * down * across,
            a_by_terms: true,
            b_by_terms: true,
        };
        let moves_whole = down * across == 1 || self.config.dilation == [1, 1];
        let fits = self.inputs >= NARROW && self.is_addressable() && moves_whole;
        let name = "conv2d_input_gradient_tiled";
        fits.then(|| gemm.tiled(name, INPUT_GRADIENT, &self.without("IMAGES")))
    }

    /// What the shaders know but for `name`.
    fn without(&self, name: &str) -> Vec<(&'static str, usize)> {
        let mut constants = self.constants();
        constants.retain(|(other, _)| *other != name);
        constants
    }

    /// Whether padded rows and columns have room in half a word, beside a mark for what is outside.
    fn is_addressable(&self) -> bool {
        (0..2).all(|axis| {
            let [before, after] = self.config.padding[axis];
            before + self.input[axis] + after < 1 << 14
        })
    }
}

const WINDOWS: &str = crate::wgsl!("../../../shaders/windows.wgsl");
const FORWARD: &str = crate::wgsl!("../../../shaders/conv2d_tiled.wgsl");
const WEIGHT_GRADIENT: &str = crate::wgsl!("../../../shaders/conv2d_weight_gradient_tiled.wgsl");
const INPUT_GRADIENT: &str = crate::wgsl!("../../../shaders/conv2d_input_gradient_tiled.wgsl");

/// The files, for the ops' entries.
pub(super) const SHADERS: [(&str, &str); 4] = [
    ("windows", WINDOWS),
    ("conv2d_tiled", FORWARD),
    ("conv2d_weight_gradient_tiled", WEIGHT_GRADIENT),
    ("conv2d_input_gradient_tiled", INPUT_GRADIENT),
];

//! The gradient of the filters: four rows of them by `N` channels, summed over a block of pixels.

use std::array;

use super::super::super::product::{Job, ROWS, Sums, on_widest, pack_rows, panel_floats};
use super::super::frame::Frame;
use super::super::geometry::Geometry;

/// Floats framed at a time. Each is copied into the first-level cache before it is used, so that they
/// may be many.
const FRAME_FLOATS: usize = 1 << 15;

/// `dw = x` transposed `* dy`.
#[derive(Debug)]
pub(in super::super) struct WeightGradient<'a> {
    pub(in super::super) geometry: &'a Geometry,
    pub(in super::super) x: &'a [f32],
    pub(in super::super) dy: &'a [f32],
    pub(in super::super) dw: &'a mut [f32],
    pub(in super::super) scratch: [&'a mut [f32]; 3],
}

impl WeightGradient<'_> {
    /// Floats of scratch memory: panels of output gradients, four rows of the windows, and a frame.
    pub(in super::super) fn scratch(geometry: &Geometry) -> [usize; 3] {
        let frame = Frame::new(geometry, FRAME_FLOATS);
        let pixels = frame.most_pixels();
        let panels = panel_floats(pixels, geometry.outputs);
        [panels, pixels * ROWS, frame.scratch()]
    }

    pub(in super::super) fn run(self) {
        on_widest(self.geometry.outputs, self);
    }
}

impl Job for WeightGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const N: usize, const FUSED: bool>(self) {
        let Self {
            geometry,
            x,
            dy,
            dw,
            ..
        } = self;
        let [panels, packed, framed] = self.scratch;
        let frame = Frame::new(geometry, FRAME_FLOATS);
        let (co, outputs, inner) = (geometry.co(), geometry.outputs, geometry.taps_by_inputs());
        let panels = panels.as_chunks_mut::<N>().0;
        let packed = packed.as_chunks_mut::<ROWS>().0;
        dw.fill(0.0);
        for block in frame.blocks() {
            let x = frame.read(&block, x, framed);
            let packed = &mut packed[..block.pixels];
            for group in 0..geometry.config.groups {
                let lanes = || (0..outputs).step_by(N);
                for (first, panel) in lanes().zip(panels.chunks_exact_mut(block.pixels)) {
                    let dy = &dy[block.first * co + group * outputs + first..];
                    pack_rows(dy, co, N.min(outputs - first), panel);
                }
                for element in (0..inner).step_by(ROWS) {
                    let elements: [usize; ROWS] = array::from_fn(|p| (element + p).min(inner - 1));
                    let rows = elements.map(|element| frame.filter_row(element) * co);
                    frame.pack(elements.map(|element| frame.tap(group, element)), x, packed);
                    for (first, panel) in lanes().zip(panels.chunks_exact(block.pixels)) {
                        let mut sums = Sums::<N>::zero();
                        sums.add_columns::<FUSED>(packed, panel);
                        let width = N.min(outputs - first);
                        let column = group * outputs + first;
                        // A loop of constant length is unrolled, and the sums stay in registers.
                        for p in 0..ROWS {
                            if element + p < inner {
                                sums.add_to(p, &mut dw[rows[p] + column..][..width]);
                            }
                        }
                    }
                }
            }
        }
    }
}

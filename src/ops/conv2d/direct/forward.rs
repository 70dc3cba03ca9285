//! The forward pass: a block of four pixels by `N` channels stays in registers over the whole window.

use std::slice;

use super::super::super::product::{Job, ROWS, Sums, each_row, on_widest, pack_rows, panel_floats};
use super::super::frame::Frame;
use super::super::geometry::Geometry;

/// Floats framed at a time, so that they stay in the first-level cache.
const FRAME_FLOATS: usize = 1 << 13;

/// `y = x * w`.
#[derive(Debug)]
pub(in super::super) struct Forward<'a> {
    pub(in super::super) geometry: &'a Geometry,
    pub(in super::super) x: &'a [f32],
    pub(in super::super) w: &'a [f32],
    pub(in super::super) y: &'a mut [f32],
    pub(in super::super) scratch: [&'a mut [f32]; 2],
}

impl Forward<'_> {
    /// Floats of scratch memory: panels of filters, and a frame.
    pub(in super::super) fn scratch(geometry: &Geometry) -> [usize; 2] {
        let panels = panel_floats(geometry.taps_by_inputs(), geometry.outputs);
        [
            geometry.config.groups * panels,
            Frame::folded(geometry, FRAME_FLOATS).scratch(),
        ]
    }

    pub(in super::super) fn run(self) {
        on_widest(self.geometry.outputs, self);
    }
}

impl Job for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const N: usize, const FUSED: bool>(self) {
        let Self {
            geometry, x, w, y, ..
        } = self;
        let [panels, framed] = self.scratch;
        let frame = Frame::folded(geometry, FRAME_FLOATS);
        let (co, outputs, inner) = (geometry.co(), geometry.outputs, geometry.taps_by_inputs());
        let panels = panels.as_chunks_mut::<N>().0;
        let lanes = || {
            let of_group = move |group| (0..outputs).step_by(N).map(move |first| (group, first));
            (0..geometry.config.groups).flat_map(of_group)
        };
        for ((group, first), panel) in lanes().zip(panels.chunks_exact_mut(inner)) {
            let column = group * outputs + first;
            for (element, row) in panel.iter_mut().enumerate() {
                let w = &w[frame.filter_row(element) * co + column..];
                pack_rows(w, co, N.min(outputs - first), slice::from_mut(row));
            }
        }
        let run = frame.run();
        for block in frame.blocks() {
            let x = frame.read(&block, x, framed);
            for ((group, first), panel) in lanes().zip(panels.chunks_exact(inner)) {
                let width = N.min(outputs - first);
                let (mut windows, runs) = (frame.windows(&block), frame.runs(group));
                let y = &mut y[block.first * co + group * outputs + first..];
                for pixel in (0..block.pixels).step_by(ROWS) {
                    let starts = windows.next();
                    let mut sums = Sums::<N>::zero();
                    for (at, row) in runs.clone() {
                        let rows = each_row(|p| &x[starts[p] + at..][..run]);
                        sums.add_rows::<FUSED>(rows, &panel[row..row + run]);
                    }
                    // A loop of constant length is unrolled, and the sums stay in registers.
                    for p in 0..ROWS {
                        if pixel + p < block.pixels {
                            sums.write(p, &mut y[(pixel + p) * co..][..width]);
                        }
                    }
                }
            }
        }
    }
}

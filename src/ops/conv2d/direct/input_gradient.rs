//! The gradient of the input: blocks of four pixels by `N` floats of their windows, added where those
//! are.

use super::super::super::product::{
    Job, ROWS, Sums, each_row, on_widest, pack_columns, panel_floats,
};
use super::super::frame::Frame;
use super::super::geometry::Geometry;

/// Floats framed at a time, so that they stay in the first-level cache.
const FRAME_FLOATS: usize = 1 << 13;

/// Floats of the panels that four pixels are multiplied with in turn: they stay in the first-level
/// cache.
const NEAR_FLOATS: usize = 1 << 12;

/// `dx = dy * w` transposed.
#[derive(Debug)]
pub(in super::super) struct InputGradient<'a> {
    pub(in super::super) geometry: &'a Geometry,
    pub(in super::super) dy: &'a [f32],
    pub(in super::super) w: &'a [f32],
    pub(in super::super) dx: &'a mut [f32],
    pub(in super::super) scratch: [&'a mut [f32]; 2],
}

impl InputGradient<'_> {
    /// Floats of scratch memory: panels of filters, and a frame.
    pub(in super::super) fn scratch(geometry: &Geometry) -> [usize; 2] {
        let frame = Frame::new(geometry, FRAME_FLOATS);
        let runs = geometry.config.groups * geometry.taps_by_inputs() / frame.run();
        [
            runs * panel_floats(geometry.outputs, frame.run()),
            frame.scratch(),
        ]
    }

    pub(in super::super) fn run(self) {
        on_widest(Frame::new(self.geometry, FRAME_FLOATS).run(), self);
    }
}

impl Job for InputGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const N: usize, const FUSED: bool>(self) {
        let Self {
            geometry,
            dy,
            w,
            dx,
            ..
        } = self;
        let [panels, framed] = self.scratch;
        let frame = Frame::new(geometry, FRAME_FLOATS);
        let (co, outputs, run) = (geometry.co(), geometry.outputs, frame.run());
        let panels = panels.as_chunks_mut::<N>().0;
        let run_panels = run.div_ceil(N) * outputs;
        let runs = || (0..geometry.config.groups).flat_map(|g| frame.runs(g).map(move |r| (g, r)));
        for ((group, (_, row)), panels) in runs().zip(panels.chunks_exact_mut(run_panels)) {
            for (panel, first) in panels.chunks_exact_mut(outputs).zip((0..).step_by(N)) {
                let w = &w[(row + first) * co + group * outputs..];
                pack_columns(w, co, N.min(run - first), panel);
            }
        }
        let near = (NEAR_FLOATS / (outputs * N)).max(1);
        dx.fill(0.0);
        for block in frame.blocks() {
            let dy = &dy[block.first * co..][..block.pixels * co];
            let target = frame.target(&block, dx, framed);
            for ((group, (at, _)), panels) in runs().zip(panels.chunks_exact(run_panels)) {
                for (panels, near) in panels.chunks(near * outputs).zip((0..).step_by(near * N)) {
                    let mut windows = frame.windows(&block);
                    for pixel in (0..block.pixels).step_by(ROWS) {
                        let rows = each_row(|p| {
                            let pixel = (pixel + p).min(block.pixels - 1);
                            &dy[pixel * co + group * outputs..][..outputs]
                        });
                        let starts = windows.next();
                        let count = ROWS.min(block.pixels - pixel);
                        for (panel, first) in panels.chunks_exact(outputs).zip((0..).step_by(N)) {
                            let mut sums = Sums::<N>::zero();
                            sums.add_rows::<FUSED>(rows, panel);
                            let width = N.min(run - near - first);
                            // A loop of constant length is unrolled, and the sums stay in registers.
                            for (p, start) in starts.into_iter().enumerate() {
                                if p < count {
                                    let at = start + at + near + first;
                                    sums.add_to(p, &mut target[at..at + width]);
                                }
                            }
                        }
                    }
                }
            }
            frame.add(&block, framed, dx);
        }
    }
}

//! The CPU side of convolution: products of windows and filters that are never written out. The
//! forward pass sums in registers over the window's rows, which are contiguous in a framed NHWC image;
//! the gradient of the input adds its blocks where the windows are; the gradient of the filters sums
//! over pixels. Anderson et al. 2017, "Low-memory GEMM-based convolution algorithms for deep neural
//! networks", compare this family with the patch matrix that it replaces here.

use std::ops::Range;

use super::super::product::{
    Job, ROWS, add, along_rows, by_columns, on_widest, pack_columns, pack_rows, panel_floats,
};
use super::frame::Frame;
use super::geometry::Geometry;

/// `y = x * w`.
#[derive(Debug)]
pub(super) struct Forward<'a> {
    pub(super) geometry: &'a Geometry,
    pub(super) x: &'a [f32],
    pub(super) w: &'a [f32],
    pub(super) y: &'a mut [f32],
    pub(super) scratch: [&'a mut [f32]; 2],
}

impl Forward<'_> {
    /// Floats of scratch memory: panels of filters, and a frame.
    pub(super) fn scratch(geometry: &Geometry) -> [usize; 2] {
        let panels = panel_floats(geometry.taps_by_inputs(), geometry.outputs);
        [
            geometry.config.groups * panels,
            Frame::new(geometry).scratch(),
        ]
    }

    pub(super) fn run(self) {
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
        let frame = Frame::new(geometry);
        let (co, outputs, inner) = (geometry.co(), geometry.outputs, geometry.taps_by_inputs());
        let panels = panels.as_chunks_mut::<N>().0;
        let lanes = || {
            let of_group = move |group| (0..outputs).step_by(N).map(move |first| (group, first));
            (0..geometry.config.groups).flat_map(of_group)
        };
        for ((group, first), panel) in lanes().zip(panels.chunks_exact_mut(inner)) {
            pack_rows(
                &w[group * outputs + first..],
                co,
                N.min(outputs - first),
                panel,
            );
        }
        let run = frame.run();
        for block in frame.blocks(0..geometry.rows()) {
            let x = frame.read(&block, x, framed);
            for ((group, first), panel) in lanes().zip(panels.chunks_exact(inner)) {
                let width = N.min(outputs - first);
                let mut windows = frame.windows(&block);
                let y = &mut y[block.first * co + group * outputs + first..];
                for pixel in (0..block.pixels).step_by(ROWS) {
                    let starts = windows.next::<ROWS>();
                    let mut sums = [[0.0; N]; ROWS];
                    for (at, row) in frame.runs(group) {
                        let rows = starts.map(|start| &x[start + at..][..run]);
                        sums = along_rows::<N, FUSED>(sums, rows, &panel[row..row + run]);
                    }
                    for (p, sums) in sums.iter().take(block.pixels - pixel).enumerate() {
                        let y = &mut y[(pixel + p) * co..];
                        match width == N {
                            true => y[..N].copy_from_slice(sums),
                            false => y[..width].copy_from_slice(&sums[..width]),
                        }
                    }
                }
            }
        }
    }
}

/// `dx = dy * w` transposed.
#[derive(Debug)]
pub(super) struct InputGradient<'a> {
    pub(super) geometry: &'a Geometry,
    pub(super) dy: &'a [f32],
    pub(super) w: &'a [f32],
    pub(super) dx: &'a mut [f32],
    pub(super) scratch: [&'a mut [f32]; 2],
}

impl InputGradient<'_> {
    /// Floats of scratch memory: panels of filters, and a frame.
    pub(super) fn scratch(geometry: &Geometry) -> [usize; 2] {
        let frame = Frame::new(geometry);
        let runs = geometry.config.groups * geometry.taps_by_inputs() / frame.run();
        [
            runs * panel_floats(geometry.outputs, frame.run()),
            frame.scratch(),
        ]
    }

    pub(super) fn run(self) {
        on_widest(Frame::new(self.geometry).run(), self);
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
        let frame = Frame::new(geometry);
        let (co, outputs, run) = (geometry.co(), geometry.outputs, frame.run());
        let panels = panels.as_chunks_mut::<N>().0;
        let lanes = || {
            let of_group = |group| {
                let of_run = move |(at, row)| {
                    (0..run)
                        .step_by(N)
                        .map(move |first| (group, at + first, row + first, first))
                };
                frame.runs(group).flat_map(of_run)
            };
            (0..geometry.config.groups).flat_map(of_group)
        };
        for ((group, _, row, first), panel) in lanes().zip(panels.chunks_exact_mut(outputs)) {
            pack_columns(
                &w[row * co + group * outputs..],
                co,
                N.min(run - first),
                panel,
            );
        }
        dx.fill(0.0);
        for block in frame.blocks(0..geometry.rows()) {
            let dy = &dy[block.first * co..][..block.pixels * co];
            frame.add(&block, dx, framed, |dx| {
                for ((group, at, _, first), panel) in lanes().zip(panels.chunks_exact(outputs)) {
                    let width = N.min(run - first);
                    let mut windows = frame.windows(&block);
                    for pixel in (0..block.pixels).step_by(ROWS) {
                        let rows = std::array::from_fn(|p| {
                            let pixel = (pixel + p).min(block.pixels - 1);
                            &dy[pixel * co + group * outputs..][..outputs]
                        });
                        let sums = along_rows::<N, FUSED>([[0.0; N]; ROWS], rows, panel);
                        let starts = windows.next::<ROWS>();
                        let parts = starts.iter().zip(&sums).take(block.pixels - pixel);
                        for (start, sums) in parts {
                            let dx = &mut dx[start + at..];
                            match width == N {
                                true => add(&mut dx[..N], sums),
                                false => add(&mut dx[..width], sums),
                            }
                        }
                    }
                }
            });
        }
    }
}

/// `dw = x` transposed `* dy`, over some output rows of the batch.
#[derive(Debug)]
pub(super) struct WeightGradient<'a> {
    pub(super) geometry: &'a Geometry,
    pub(super) rows: Range<usize>,
    pub(super) x: &'a [f32],
    pub(super) dy: &'a [f32],
    pub(super) dw: &'a mut [f32],
    pub(super) scratch: [&'a mut [f32]; 3],
}

impl WeightGradient<'_> {
    /// Floats of scratch memory: panels of output gradients, four rows of the windows, and a frame.
    pub(super) fn scratch(geometry: &Geometry) -> [usize; 3] {
        let frame = Frame::new(geometry);
        let pixels = frame.most_pixels();
        let panels = panel_floats(pixels, geometry.outputs);
        [panels, pixels * ROWS, frame.scratch()]
    }

    pub(super) fn run(self) {
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
        let frame = Frame::new(geometry);
        let (co, outputs, inner) = (geometry.co(), geometry.outputs, geometry.taps_by_inputs());
        let panels = panels.as_chunks_mut::<N>().0;
        let packed = packed.as_chunks_mut::<ROWS>().0;
        dw.fill(0.0);
        for block in frame.blocks(self.rows.clone()) {
            let x = frame.read(&block, x, framed);
            let packed = &mut packed[..block.pixels];
            for group in 0..geometry.config.groups {
                let lanes = || (0..outputs).step_by(N);
                for (first, panel) in lanes().zip(panels.chunks_exact_mut(block.pixels)) {
                    let dy = &dy[block.first * co + group * outputs + first..];
                    pack_rows(dy, co, N.min(outputs - first), panel);
                }
                for row in (0..inner).step_by(ROWS) {
                    let count = ROWS.min(inner - row);
                    let taps = std::array::from_fn(|p| frame.tap(group, (row + p).min(inner - 1)));
                    frame.pack(taps, x, packed);
                    for (first, panel) in lanes().zip(panels.chunks_exact(block.pixels)) {
                        let nothing = [[0.0; N]; ROWS];
                        let sums = by_columns::<N, FUSED>(nothing, packed, panel);
                        let width = N.min(outputs - first);
                        let column = group * outputs + first;
                        for (p, sums) in sums[..count].iter().enumerate() {
                            let dw = &mut dw[(row + p) * co + column..];
                            match width == N {
                                true => add(&mut dw[..N], sums),
                                false => add(&mut dw[..width], sums),
                            }
                        }
                    }
                }
            }
        }
    }
}

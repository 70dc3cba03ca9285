//! The CPU twins of the three convolution kernels. A depthwise convolution, whose products have a
//! single column, goes tap by tap over all channels at once; every other one is [`direct`](super::direct).

use crate::program::Args;

use super::direct::{Forward, InputGradient, WeightGradient};
use super::geometry::Geometry;

/// `y = x * w`; reads x, w; writes y.
pub(super) fn forward(geometry: &Geometry, args: &mut Args<'_>) {
    let (x, w) = (args.read(0), args.read(1));
    if geometry.is_depthwise() {
        let (y, channels) = (args.write(0), geometry.ci());
        y.fill(0.0);
        return for_each_tap(geometry, |tap, x_at, y_at| {
            let pairs = x[x_at..x_at + channels].iter().zip(&w[tap * channels..]);
            for (y, (x, w)) in y[y_at..y_at + channels].iter_mut().zip(pairs) {
                *y += x * w;
            }
        });
    }
    let (y, scratch) = args.write_with_scratch(0, Forward::scratch(geometry));
    Forward {
        geometry,
        x,
        w,
        y,
        scratch,
    }
    .run();
}

/// `dx = dy * w` transposed; reads dy, w; writes dx.
pub(super) fn input_gradient(geometry: &Geometry, args: &mut Args<'_>) {
    let (dy, w) = (args.read(0), args.read(1));
    if geometry.is_depthwise() {
        let (dx, channels) = (args.write(0), geometry.ci());
        dx.fill(0.0);
        return for_each_tap(geometry, |tap, x_at, y_at| {
            let pairs = dy[y_at..y_at + channels].iter().zip(&w[tap * channels..]);
            for (dx, (dy, w)) in dx[x_at..x_at + channels].iter_mut().zip(pairs) {
                *dx += dy * w;
            }
        });
    }
    let (dx, scratch) = args.write_with_scratch(0, InputGradient::scratch(geometry));
    InputGradient {
        geometry,
        dy,
        w,
        dx,
        scratch,
    }
    .run();
}

/// `dw = x` transposed `* dy`; reads x, dy; writes the parts of a sum: everything, then zeros, as one
/// thread has no use for parts.
pub(super) fn weight_gradient(geometry: &Geometry, args: &mut Args<'_>) {
    let (x, dy) = (args.read(0), args.read(1));
    let (parts, scratch) = args.write_with_scratch(0, WeightGradient::scratch(geometry));
    let (dw, rest) = parts.split_at_mut(geometry.taps_by_inputs() * geometry.co());
    rest.fill(0.0);
    if geometry.is_depthwise() {
        let channels = geometry.ci();
        dw.fill(0.0);
        return for_each_tap(geometry, |tap, x_at, y_at| {
            let pairs = x[x_at..x_at + channels].iter().zip(&dy[y_at..]);
            for (dw, (x, dy)) in dw[tap * channels..].iter_mut().zip(pairs) {
                *dw += x * dy;
            }
        });
    }
    WeightGradient {
        geometry,
        x,
        dy,
        dw,
        scratch,
    }
    .run();
}

/// Calls `visit(tap, x_index, y_index)` for each output pixel and each tap that falls on the image;
/// the indices are those of channel 0.
#[inline(always)]
fn for_each_tap(geometry: &Geometry, mut visit: impl FnMut(usize, usize, usize)) {
    let Geometry {
        config,
        input: [height, width],
        kernel,
        output,
        ..
    } = *geometry;
    let (ci, co) = (geometry.ci(), geometry.co());
    for row in 0..geometry.rows() {
        let (image, oy) = (row / output[0], row % output[0]);
        for ox in 0..output[1] {
            for tap in 0..kernel[0] * kernel[1] {
                let (ky, kx) = (tap / kernel[1], tap % kernel[1]);
                let iy = (oy * config.stride[0] + ky * config.dilation[0])
                    .wrapping_sub(config.padding[0][0]);
                let ix = (ox * config.stride[1] + kx * config.dilation[1])
                    .wrapping_sub(config.padding[1][0]);
                if iy < height && ix < width {
                    let x_at = ((image * height + iy) * width + ix) * ci;
                    visit(tap, x_at, (row * output[1] + ox) * co);
                }
            }
        }
    }
}

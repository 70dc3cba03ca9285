//! The three products against sums written as the formulas say, for frames of several blocks, folded
//! ones, and every kind of border.

use super::super::geometry::{Conv2d, Geometry};
use super::{Forward, InputGradient, WeightGradient};

fn number(i: usize) -> f32 {
    (i * 7 % 23) as f32 * 0.1 - 1.1
}

/// Calls `visit(x, w, y)` with the indices of every product of the convolution.
fn for_each_product(g: &Geometry, mut visit: impl FnMut(usize, usize, usize)) {
    let (ci, co) = (g.ci(), g.co());
    let [height, width] = g.input;
    for pixel in 0..g.rows() * g.output[1] {
        let (row, ox) = (pixel / g.output[1], pixel % g.output[1]);
        let (image, oy) = (row / g.output[0], row % g.output[0]);
        for tap in 0..g.kernel[0] * g.kernel[1] {
            let along = |axis: usize, o: usize, k: usize| {
                let config = &g.config;
                (o * config.stride[axis] + k * config.dilation[axis])
                    .wrapping_sub(config.padding[axis][0])
            };
            let iy = along(0, oy, tap / g.kernel[1]);
            let ix = along(1, ox, tap % g.kernel[1]);
            if iy >= height || ix >= width {
                continue;
            }
            for (o, i) in (0..co * g.inputs).map(|n| (n / g.inputs, n % g.inputs)) {
                let x = ((image * height + iy) * width + ix) * ci + o / g.outputs * g.inputs + i;
                visit(x, (tap * g.inputs + i) * co + o, pixel * co + o);
            }
        }
    }
}

#[track_caller]
fn assert_close(what: &str, g: &Geometry, found: &[f32], expected: &[f64]) {
    for (i, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        let gap = (f64::from(found) - expected).abs();
        let bound = 1e-4 * (1.0 + expected.abs());
        assert!(
            gap < bound,
            "{what} of {g:?}, element {i}: {found}, not {expected}"
        );
    }
}

fn check(config: Conv2d, x: [usize; 4], kernel: [usize; 2], co: usize) {
    let g = Geometry::new("test", config, x, kernel, co).expect("the tests' shapes fit");
    let sizes = [g.x_dims(), g.w_dims(), g.y_dims()].map(|dims| dims.iter().product::<usize>());
    let [x, w, dy] = sizes.map(|n| (0..n).map(number).collect::<Vec<f32>>());
    let [mut dx_sums, mut dw_sums, mut y_sums] = sizes.map(|n| vec![0.0_f64; n]);
    for_each_product(&g, |at_x, at_w, at_y| {
        let [x, w, dy] = [x[at_x], w[at_w], dy[at_y]].map(f64::from);
        y_sums[at_y] += x * w;
        dx_sums[at_x] += dy * w;
        dw_sums[at_w] += x * dy;
    });
    // Whatever the last user left in outputs and scratch memory must not matter.
    let [mut dx, mut dw, mut y] = sizes.map(|n| vec![f32::NAN; n]);
    let mut scratch = Forward::scratch(&g).map(|n| vec![f32::NAN; n]);
    let [a, b] = &mut scratch;
    Forward {
        geometry: &g,
        x: &x,
        w: &w,
        y: &mut y,
        scratch: [a, b],
    }
    .run();
    assert_close("y", &g, &y, &y_sums);
    let mut scratch = InputGradient::scratch(&g).map(|n| vec![f32::NAN; n]);
    let [a, b] = &mut scratch;
    InputGradient {
        geometry: &g,
        dy: &dy,
        w: &w,
        dx: &mut dx,
        scratch: [a, b],
    }
    .run();
    assert_close("dx", &g, &dx, &dx_sums);
    let mut scratch = WeightGradient::scratch(&g).map(|n| vec![f32::NAN; n]);
    let [a, b, c] = &mut scratch;
    WeightGradient {
        geometry: &g,
        x: &x,
        dy: &dy,
        dw: &mut dw,
        scratch: [a, b, c],
    }
    .run();
    assert_close("dw", &g, &dw, &dw_sums);
}

#[test]
fn convolutions_are_their_formulas() {
    let plain = Conv2d::default();
    let padded = |p: usize| Conv2d {
        padding: [[p; 2]; 2],
        ..plain
    };
    let uneven = Conv2d {
        padding: [[0, 2], [3, 1]],
        stride: [2, 1],
        ..plain
    };
    let strided = Conv2d {
        stride: [2; 2],
        ..padded(1)
    };
    let dilated = Conv2d {
        dilation: [2, 3],
        ..padded(2)
    };
    let tall = Conv2d {
        dilation: [2, 1],
        ..padded(1)
    };
    let groups = |groups| Conv2d {
        groups,
        ..padded(1)
    };
    for (config, x, kernel, co) in [
        // Folded: one and three channels, with every kind of border.
        (padded(2), [2, 9, 11, 1], [5, 5], 6),
        (padded(1), [3, 8, 7, 3], [3, 3], 8),
        (uneven, [2, 9, 10, 1], [3, 4], 9),
        (strided, [2, 9, 9, 3], [3, 3], 33),
        (tall, [1, 9, 9, 2], [3, 3], 5),
        // In several blocks, padded and bare.
        (padded(1), [2, 40, 40, 8], [3, 3], 10),
        (plain, [2, 40, 41, 8], [3, 3], 17),
        (strided, [1, 81, 40, 8], [3, 3], 9),
        // A single row of windows is larger than a frame should be.
        (padded(1), [1, 4, 300, 40], [3, 3], 3),
        // Runs torn apart.
        (dilated, [2, 12, 13, 6], [3, 2], 7),
        (groups(2), [2, 5, 5, 12], [3, 3], 10),
        (groups(3), [1, 5, 5, 3], [2, 2], 6),
        // Windows of one pixel, and of the whole image.
        (plain, [3, 5, 5, 7], [1, 1], 9),
        (plain, [3, 5, 5, 4], [5, 5], 12),
        (plain, [1, 1, 1, 1], [1, 1], 2),
    ] {
        check(config, x, kernel, co);
    }
}

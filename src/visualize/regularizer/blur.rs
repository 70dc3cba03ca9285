//! A Gaussian blur every few steps, which takes off the high frequencies that gradients are full of
//! (Yosinski et al. 2015).

use crate::field::Field;
use crate::ops;

use super::super::transformation::mixed;
use super::{Action, Regularizer};

pub(super) const INFO: Regularizer = Regularizer {
    fields: |_| {
        let blur = "Standard deviation of a Gaussian blur, in pixels; pixel by pixel only.";
        let every = "Steps from one blur to the next.";
        vec![
            Field::number("blur", blur, 0.0, 8.0, 0.0),
            Field::integer("blurEvery", every, 1.0, 256.0, 4.0),
        ]
    },
    action: Action::Touch("blur", |graph, touched, values| {
        let deviation = values.number("blur")? as f32;
        let period = u32::try_from(values.integer("blurEvery")?).unwrap_or(u32::MAX);
        let [n, h, w, c] = graph.shape(touched.pixels).four("blur")?;
        let planes = ops::transpose(graph, touched.pixels, [n, h * w, c], [n * c, h, w])?;
        let (down, across) = (gaussian(h, deviation), gaussian(w, deviation));
        let sides = [down.as_slice(), &across];
        let blurred = touched.canvas.separable(graph, planes, [h, w], sides)?;
        let due = ops::every(graph, touched.counters, period, period - 1)?;
        mixed(graph, [touched.pixels, blurred], due)
    }),
};

/// The matrix `[size, size]` that blurs a line; what would come from outside is left out of the mean.
fn gaussian(size: usize, deviation: f32) -> Vec<f32> {
    let tap = |from: usize, to: usize| {
        let away = from.abs_diff(to) as f32 / deviation;
        (-0.5 * away * away).exp()
    };
    let sum = |to: usize| (0..size).map(|from| tap(from, to)).sum::<f32>();
    (0..size * size)
        .map(|i| tap(i / size, i % size) / sum(i % size))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::gaussian;

    #[test]
    fn a_constant_line_stays_as_it_is() {
        let matrix = gaussian(9, 1.5);
        for to in 0..9 {
            let sum: f32 = (0..9).map(|from| matrix[from * 9 + to]).sum();
            assert!((sum - 1.0).abs() < 1e-6);
        }
    }
}

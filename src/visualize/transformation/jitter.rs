//! Shifts by whole pixels, the image's opposite borders joined (Mordvintsev et al. 2015).

use crate::field::Field;
use crate::ops;
use crate::tensor::Spec;

use super::Transformation;

pub(super) const INFO: Transformation = Transformation {
    fields: |preset| {
        let jitter =
            "Largest random shift per step, in pixels; at most an eighth of what the unit sees.";
        let pad = "Whether the mean color comes in where the image is shifted away, instead of its opposite \
                   border.";
        vec![
            Field::integer("jitter", jitter, 0.0, 16.0, f64::from(preset.jitter)),
            Field::bool("pad", pad, false),
        ]
    },
    apply: |graph, x, scene| {
        let shift = scene.shift()?;
        if shift == 0 || scene.values.bool("pad")? {
            return Ok(x);
        }
        // Rolled by 0..=2j and back by j: a shift of -j..=j.
        let offsets = ops::random_offsets(graph, scene.counters, 2 * shift + 1, 0)?;
        let ahead = ops::roll2d(graph, x, offsets, false)?;
        let back = graph.external("jitter", Spec::u32([2]))?;
        scene.buffers.push(("jitter", vec![shift; 2]));
        ops::roll2d(graph, ahead, back, true)
    },
};

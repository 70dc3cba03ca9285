//! Half a cosine wave down, after a linear warm-up.

use crate::field::Field;

use super::{ScheduleInfo, curve, length, steps};

pub(super) const INFO: ScheduleInfo = ScheduleInfo {
    id: "cosine",
    name: "Cosine with warm-up",
    doc: "Rises linearly to the learning rate (Goyal et al. 2017), then falls along half a cosine wave (Loshchilov & Hutter 2017).",
    fields: || {
        let warmup = "Epochs in which the rate rises.";
        let floor = "Share of the learning rate that is left at the end.";
        vec![
            length(),
            Field::number("warmup", warmup, 0.0, 1000.0, 0.0),
            Field::number("floor", floor, 0.0, 1.0, 0.0),
        ]
    },
    numbers: |values, horizon| {
        let all = steps("cosine", values, horizon)?;
        let warmup = values.number("warmup")? * f64::from(horizon.per_epoch);
        let rise = (warmup.round() as f32).min(all - 1.0);
        let floor = values.number("floor")? as f32;
        // The first step is not at a rate of 0.
        let begin = 1.0 / rise.max(1.0);
        Ok([rise, begin, 0.0, all - rise, floor, 0.0, 0.0, 0.0])
    },
    follow: Some(curve),
};

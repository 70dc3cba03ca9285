//! A staircase: PyTorch's `StepLR`.

use crate::field::Field;

use super::{ScheduleInfo, curve};

pub(super) const INFO: ScheduleInfo = ScheduleInfo {
    id: "step-decay",
    name: "Steps",
    doc: "Multiplies the learning rate by a factor every few epochs, as the ResNets were trained (He et al. 2016).",
    fields: || {
        let every = "Epochs between two drops.";
        let factor = "What the rate is multiplied by at each drop.";
        vec![
            Field::number("every", every, 0.01, 10_000.0, 10.0),
            Field::number("factor", factor, 0.01, 1.0, 0.1),
        ]
    },
    numbers: |values, horizon| {
        let every = values.number("every")? * f64::from(horizon.per_epoch);
        let factor = values.number("factor")? as f32;
        let whole = every.round().max(1.0) as f32;
        Ok([0.0, 0.0, 0.0, 0.0, 0.0, whole, factor, 0.0])
    },
    follow: Some(curve),
};

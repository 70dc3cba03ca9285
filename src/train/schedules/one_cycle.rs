//! One rise and one fall: PyTorch's `OneCycleLR` with cosines, without its cycle of the momentum.

use crate::field::Field;

use super::{ScheduleInfo, curve, length, steps};

pub(super) const INFO: ScheduleInfo = ScheduleInfo {
    id: "one-cycle",
    name: "One cycle",
    doc: "Rises to the learning rate and falls far below where it began, once (Smith & Topin 2018).",
    fields: || {
        let rise = "Share of the steps in which the rate rises.";
        let begin = "The rate begins at the learning rate divided by this.";
        let end = "The rate ends at its beginning divided by this.";
        vec![
            length(),
            Field::number("rise", rise, 0.0, 1.0, 0.3),
            Field::number("divide", begin, 1.0, 1e6, 25.0),
            Field::number("divideEnd", end, 1.0, 1e6, 1e4),
        ]
    },
    numbers: |values, horizon| {
        let number = |name| values.number(name).map(|x| x as f32);
        let all = steps("one-cycle", values, horizon)?;
        // As in PyTorch, the last of the steps is at the end of the curve.
        let rise = (number("rise")? * all - 1.0).max(0.0);
        let begin = 1.0 / number("divide")?;
        let end = begin / number("divideEnd")?;
        Ok([
            rise,
            begin,
            1.0,
            (all - 1.0 - rise).max(1.0),
            end,
            0.0,
            0.0,
            0.0,
        ])
    },
    follow: Some(curve),
};

//! Drops when learning stops: PyTorch's `ReduceLROnPlateau` on the mean training loss of each epoch.

use crate::field::Field;
use crate::ops::{self, Plateau};

use super::ScheduleInfo;

pub(super) const INFO: ScheduleInfo = ScheduleInfo {
    id: "plateau",
    name: "Plateau",
    doc: "Multiplies the learning rate by a factor when an epoch's training loss has stopped falling.",
    fields: || {
        let factor = "What the rate is multiplied by.";
        let patience = "Epochs without improvement that are waited for first.";
        let threshold = "Share by which the mean loss must fall to count as an improvement.";
        let floor = "Share of the learning rate below which it does not go.";
        vec![
            Field::number("factor", factor, 0.01, 1.0, 0.1),
            Field::integer("patience", patience, 0.0, 1000.0, 3.0),
            Field::number("threshold", threshold, 0.0, 1.0, 1e-4),
            Field::number("floor", floor, 0.0, 1.0, 1e-4),
        ]
    },
    numbers: |values, horizon| {
        let number = |name| values.number(name).map(|x| x as f32);
        let (factor, patience) = (number("factor")?, number("patience")?);
        let (threshold, floor) = (number("threshold")?, number("floor")?);
        let epoch = horizon.per_epoch as f32;
        Ok([epoch, factor, patience, threshold, floor, 0.0, 0.0, 0.0])
    },
    follow: Some(|graph, pacing| {
        let of = Plateau {
            current: pacing.current,
            ring: pacing.ring,
            state: pacing.state,
            settings: pacing.settings,
            judge: pacing.numbers,
            losses: pacing.losses,
            counters: pacing.counters,
        };
        ops::plateau_rate(graph, &of)
    }),
};

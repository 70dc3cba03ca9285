//! No schedule.

use super::ScheduleInfo;

pub(super) const INFO: ScheduleInfo = ScheduleInfo {
    id: "constant",
    name: "Constant",
    doc: "Keeps the learning rate as it is.",
    fields: Vec::new,
    numbers: |_, _| Ok([0.0; 8]),
    follow: None,
};

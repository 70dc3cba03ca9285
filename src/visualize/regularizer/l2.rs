//! The squared distance of the normalized image from the mean color (Simonyan et al. 2014, equation 1).

use crate::field::Field;

use super::{Action, Regularizer, mean_square};

pub(super) const INFO: Regularizer = Regularizer {
    fields: |preset| {
        let doc = "Weight of the mean squared distance from the mean color.";
        vec![Field::number("l2", doc, 0.0, 1000.0, preset.l2)]
    },
    action: Action::Penalty(|graph, images, values| {
        let weight = values.number("l2")? as f32;
        match weight > 0.0 {
            true => Ok(Some(mean_square(graph, images, weight)?)),
            false => Ok(None),
        }
    }),
};

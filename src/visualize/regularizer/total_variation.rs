//! The mean squared difference of neighboring pixels (Mahendran & Vedaldi 2015, equation 4 with beta 2),
//! the borders not joined.

use crate::field::Field;
use crate::ops;
use crate::ops::Conv2d;

use super::{Action, Regularizer, mean_square};

pub(super) const INFO: Regularizer = Regularizer {
    fields: |preset| {
        let doc = "Weight of the mean squared difference of neighboring pixels.";
        vec![Field::number(
            "totalVariation",
            doc,
            0.0,
            1000.0,
            preset.total_variation,
        )]
    },
    action: Action::Penalty(|graph, images, values| {
        let weight = values.number("totalVariation")? as f32;
        let [_, h, w, c] = graph.shape(images).four("total variation")?;
        if weight <= 0.0 || h.max(w) < 2 {
            return Ok(None);
        }
        let config = Conv2d {
            groups: c,
            ..Conv2d::default()
        };
        let mut sum = None;
        for kernel in [[2, 1], [1, 2]] {
            if kernel[0] > h || kernel[1] > w {
                continue;
            }
            let taps = [vec![-1.0; c], vec![1.0; c]].concat();
            let taps = graph.constant([kernel[0], kernel[1], 1, c], &taps)?;
            let differences = ops::conv2d(graph, images, taps, config)?;
            let penalty = mean_square(graph, differences, weight)?;
            sum = Some(match sum {
                Some(before) => ops::add(graph, before, penalty)?,
                None => penalty,
            });
        }
        Ok(sum)
    }),
};

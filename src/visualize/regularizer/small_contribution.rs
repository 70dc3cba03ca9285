//! Pixels that do nothing for the objective are cut: those whose share of it, value times gradient summed
//! over the channels, is smallest (Yosinski et al. 2015, "clipping pixels with small contribution").

use crate::field::Field;
use crate::ops;

use super::{Action, Regularizer, without_smallest};

pub(super) const INFO: Regularizer = Regularizer {
    fields: |_| {
        let doc = "Percentage of the pixels that are cut after each step, those that contribute least to the \
                   objective; pixel by pixel only.";
        vec![Field::number("smallContribution", doc, 0.0, 99.0, 0.0)]
    },
    action: Action::Touch("smallContribution", |graph, touched, values| {
        let percent = values.number("smallContribution")?;
        let [n, h, w, c] = graph.shape(touched.pixels).four("small contribution")?;
        let shares = ops::mul(graph, touched.pixels, touched.gradient)?;
        let shares = ops::sum(graph, shares, [n * h * w, c, 1], [n, h, w], 1.0)?;
        // Its size, whichever way it goes.
        let squares = ops::mul(graph, shares, shares)?;
        without_smallest(graph, touched.pixels, squares, percent)
    }),
};

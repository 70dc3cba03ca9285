//! Pixels that are hardly there are cut: those of the smallest norm over the channels, measured from the
//! base image (Yosinski et al. 2015, "clipping pixels with small norm").

use crate::field::Field;
use crate::ops;

use super::{Action, Regularizer, without_smallest};

pub(super) const INFO: Regularizer = Regularizer {
    fields: |_| {
        let doc = "Percentage of the pixels that are cut after each step, those of the smallest norm; pixel \
                   by pixel only.";
        vec![Field::number("smallNorm", doc, 0.0, 99.0, 0.0)]
    },
    action: Action::Touch("smallNorm", |graph, touched, values| {
        let percent = values.number("smallNorm")?;
        let [n, h, w, c] = graph.shape(touched.pixels).four("small norm")?;
        let squares = ops::mul(graph, touched.pixels, touched.pixels)?;
        let norms = ops::sum(graph, squares, [n * h * w, c, 1], [n, h, w], 1.0)?;
        without_smallest(graph, touched.pixels, norms, percent)
    }),
};

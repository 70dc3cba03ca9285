//! The mean square of a whole layer: whatever excites it at all (Mordvintsev et al. 2015, `DeepDream`).

use crate::ops;

use super::{Objective, Subject};

pub(super) const INFO: Objective = Objective {
    id: "layer",
    value: "mean square",
    of: Subject::Layer,
    score: |graph, sight| {
        let [n, h, w, c] = graph.shape(sight.maps).four("layer")?;
        let squares = ops::mul(graph, sight.maps, sight.maps)?;
        let size = h * w * c;
        ops::sum(graph, squares, [n, size, 1], [n], 1.0 / size as f32)
    },
};

//! The unit at the middle of its map (Erhan et al. 2009; Zeiler & Fergus 2014 call it a feature).

use crate::ops;

use super::{Objective, Subject, weighted};

pub(super) const INFO: Objective = Objective {
    id: "unit",
    value: "activation",
    of: Subject::Channels,
    score: |graph, sight| {
        let [n, h, w, c] = graph.shape(sight.maps).four("unit")?;
        let middle = h / 2 * w + w / 2;
        let at_middle = |i: usize| f32::from(u8::from(i / c == middle));
        let mask: Vec<f32> = (0..h * w * c).map(at_middle).collect();
        let mask = graph.constant([h, w, c], &mask)?;
        let seen = ops::mul(graph, sight.maps, mask)?;
        let values = ops::sum(graph, seen, [n, h * w, c], [n, c], 1.0)?;
        weighted(graph, values, sight.aims)
    },
};

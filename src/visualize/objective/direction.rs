//! A direction in the space of the layer's channels (Carter et al. 2019, section "Feature visualization"): how far
//! the map's mean goes along it, times how nearly it points there, so that nothing else is raised beside it.

use crate::ops;

use super::super::attribution::clamp;
use super::{Objective, Subject, map_means, weighted};

/// Below this cosine images that point elsewhere are treated alike, as in Lucid, so that they can turn round.
const LEAST_COSINE: f32 = 0.1;

/// The aims are of length 1.
pub(super) const INFO: Objective = Objective {
    id: "direction",
    value: "along it",
    of: Subject::Channels,
    score: |graph, sight| {
        let means = map_means(graph, sight.maps)?;
        let along = weighted(graph, means, sight.aims)?;
        let square = weighted(graph, means, means)?;
        let square = ops::affine(graph, square, 1.0, 1e-12)?;
        let length = ops::power(graph, square, 0.5)?;
        let cosine = ops::ratio(graph, along, length, 1e-6)?;
        let cosine = clamp(graph, cosine, LEAST_COSINE, 1.0)?;
        ops::mul(graph, along, cosine)
    },
};

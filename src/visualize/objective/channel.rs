//! The mean of a channel over its map (Olah et al. 2017).

use super::{Objective, Subject, map_means, weighted};

pub(super) const INFO: Objective = Objective {
    id: "channel",
    value: "mean activation",
    of: Subject::Channels,
    score: |graph, sight| {
        let means = map_means(graph, sight.maps)?;
        weighted(graph, means, sight.aims)
    },
};

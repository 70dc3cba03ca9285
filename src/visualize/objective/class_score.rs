//! The unnormalized score of a class, before the softmax (Simonyan et al. 2014, section 2).

use super::{Objective, Subject, weighted};

pub(super) const INFO: Objective = Objective {
    id: "class score",
    value: "score",
    of: Subject::Classes,
    score: |graph, sight| weighted(graph, sight.logits, sight.aims),
};

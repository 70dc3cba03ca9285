//! The probability of a class, behind the softmax. It can be raised by lowering the other classes, and
//! its gradient dies where it is near 1 (Simonyan et al. 2014, section 2, prefer the score).

use crate::ops;

use super::{Objective, Subject, weighted};

pub(super) const INFO: Objective = Objective {
    id: "class probability",
    value: "probability",
    of: Subject::Classes,
    score: |graph, sight| {
        let probabilities = ops::softmax(graph, sight.logits)?;
        weighted(graph, probabilities, sight.aims)
    },
};

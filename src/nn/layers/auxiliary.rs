//! The end of a classifier at the side of a network (Szegedy et al. 2015, section 5): its scores have a loss of their
//! own, a small part of what is trained, which brings a gradient to the layers in the middle. Nothing takes its
//! output, and when the network answers it is not there.

use crate::error::Result;
use crate::field::Field;
use crate::graph::ValueId;

use super::super::scope::Scope;
use super::{Body, LayerKind};

pub(super) const KIND: LayerKind = LayerKind {
    id: "auxiliary",
    doc: "Ends a classifier at the side, whose loss is added in training (Szegedy et al. 2015).",
    fields: || {
        let doc = "What its loss is multiplied by.";
        vec![Field::number("weight", doc, 0.0, 10.0, 0.3)]
    },
    body: Body::Layer(build),
};

fn build(scope: &mut Scope<'_>) -> Result<ValueId> {
    let (scores, _) = scope.vector()?;
    scope.auxiliary = Some(scope.values.number("weight")? as f32);
    Ok(scores)
}

//! Guided backpropagation of a class score (Springenberg et al. 2015): only what is positive both on the
//! way up and on the way back reaches the pixels.

use crate::error::Result;
use crate::graph::BackwardRule;

use super::maps::Kind;
use super::{Attribution, Map, Scene};

/// The method.
#[derive(Debug)]
pub(in super::super) struct GuidedBackprop;

impl Attribution for GuidedBackprop {
    fn id(&self) -> &'static str {
        "guided-backpropagation"
    }

    fn name(&self) -> &'static str {
        "Guided backpropagation"
    }

    fn doc(&self) -> &'static str {
        "The class score's gradient with everything negative cut at each rectifier (Springenberg et al. \
         2015): sharp, but it hardly depends on the class (Adebayo et al. 2018)."
    }

    fn map(&self, scene: &mut Scene<'_>) -> Result<Map> {
        let guided = scene.gradient(scene.x, BackwardRule::Guided)?;
        Ok(Map::new(guided, Kind::Signed))
    }
}

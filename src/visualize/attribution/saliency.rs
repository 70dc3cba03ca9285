//! Which pixels the class score depends on most (Simonyan et al. 2014, section 3): the size of the
//! gradient of the unnormalized class score with respect to the pixels.

use crate::error::Result;
use crate::graph::BackwardRule;

use super::maps::Kind;
use super::{Attribution, Map, Scene};

/// The method.
#[derive(Debug)]
pub(in super::super) struct Saliency;

impl Attribution for Saliency {
    fn id(&self) -> &'static str {
        "saliency"
    }

    fn name(&self) -> &'static str {
        "Saliency map"
    }

    fn doc(&self) -> &'static str {
        "How strongly each pixel of this image moves the class score: the size of the score's \
         gradient (Simonyan et al. 2014)."
    }

    fn map(&self, scene: &mut Scene<'_>) -> Result<Map> {
        let gradient = scene.gradient(scene.x, BackwardRule::Gradient)?;
        Ok(Map::new(gradient, Kind::Size))
    }
}

//! The gradient times what it belongs to (Shrikumar et al. 2017, section 2.2): what each input adds to
//! the class score, were the network linear. The input is what the network sees, the normalized image.

use crate::error::Result;
use crate::graph::BackwardRule;
use crate::ops;

use super::maps::Kind;
use super::{Attribution, Map, Scene};

/// The method.
#[derive(Debug)]
pub(in super::super) struct GradientXInput;

impl Attribution for GradientXInput {
    fn id(&self) -> &'static str {
        "gradient-x-input"
    }

    fn name(&self) -> &'static str {
        "Gradient x input"
    }

    fn doc(&self) -> &'static str {
        "What each pixel adds to the class score if the network is taken as linear here: its gradient \
         times its normalized value (Shrikumar et al. 2017)."
    }

    fn map(&self, scene: &mut Scene<'_>) -> Result<Map> {
        let gradient = scene.gradient(scene.x, BackwardRule::Gradient)?;
        let product = ops::mul(&mut scene.graph, gradient, scene.x)?;
        Ok(Map::new(product, Kind::Signed))
    }
}

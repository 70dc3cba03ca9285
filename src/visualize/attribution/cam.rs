//! Class activation maps: a layer's maps, weighted by how much the class score wants each of them, laid
//! over the image. Grad-CAM (Selvaraju et al. 2017) weights by the mean gradient, Grad-CAM++ (Chattopadhay
//! et al. 2018) by positive gradients alone, each pixel by its part in the score; guided Grad-CAM multiplies
//! the map with guided backpropagation.

use crate::error::{Error, Result};
use crate::graph::{BackwardRule, Graph, ValueId};
use crate::ops;

use super::super::enlarge::enlarged;
use super::maps::{Answer, Kind};
use super::{Attribution, Map, Scene};

/// Weights by the mean gradient.
#[derive(Debug)]
pub(in super::super) struct GradCam;

/// Weights by positive gradients.
#[derive(Debug)]
pub(in super::super) struct GradCamPlusPlus;

/// Grad-CAM times guided backpropagation.
#[derive(Debug)]
pub(in super::super) struct GuidedGradCam;

impl Attribution for GradCam {
    fn id(&self) -> &'static str {
        "grad-cam"
    }

    fn name(&self) -> &'static str {
        "Grad-CAM"
    }

    fn doc(&self) -> &'static str {
        "Where this layer sees evidence for the class: its maps, weighted by the mean gradient of the class \
         score (Selvaraju et al. 2017)."
    }

    fn needs_layer(&self) -> bool {
        true
    }

    fn map(&self, scene: &mut Scene<'_>) -> Result<Map> {
        let map = grad_cam(scene)?;
        Ok(at_layer(scene, map, Kind::Positive))
    }
}

impl Attribution for GradCamPlusPlus {
    fn id(&self) -> &'static str {
        "grad-cam-plus-plus"
    }

    fn name(&self) -> &'static str {
        "Grad-CAM++"
    }

    fn doc(&self) -> &'static str {
        "Grad-CAM with weights from positive gradients, so that several objects of the class all count \
         (Chattopadhay et al. 2018)."
    }

    fn needs_layer(&self) -> bool {
        true
    }

    /// Equations 10 and 19 for a score under an exponential, whose factor is left out.
    fn map(&self, scene: &mut Scene<'_>) -> Result<Map> {
        let (maps, gradient) = maps_and_gradient(scene)?;
        let g = &mut scene.graph;
        let [_, h, w, c] = g.shape(maps).four("Grad-CAM++")?;
        let square = ops::mul(g, gradient, gradient)?;
        let cube = ops::mul(g, square, gradient)?;
        let activation = ops::sum(g, maps, [1, h * w, c], [c], 1.0)?;
        let rest = ops::mul(g, cube, activation)?;
        let twice = ops::affine(g, square, 2.0, 0.0)?;
        let divisor = ops::add(g, twice, rest)?;
        // As pytorch-grad-cam does, to which the goldens hold this.
        let alpha = ops::ratio(g, square, divisor, 1e-6)?;
        let positive = ops::relu(g, gradient)?;
        let parts = ops::mul(g, alpha, positive)?;
        let weights = ops::sum(g, parts, [1, h * w, c], [c], 1.0)?;
        let size = scene.size();
        let map = weighted(&mut scene.graph, maps, weights, size)?;
        Ok(at_layer(scene, map, Kind::Positive))
    }
}

impl Attribution for GuidedGradCam {
    fn id(&self) -> &'static str {
        "guided-grad-cam"
    }

    fn name(&self) -> &'static str {
        "Guided Grad-CAM"
    }

    fn doc(&self) -> &'static str {
        "Guided backpropagation where Grad-CAM sees evidence: as sharp as the one, as specific to the class \
         as the other (Selvaraju et al. 2017)."
    }

    fn needs_layer(&self) -> bool {
        true
    }

    fn map(&self, scene: &mut Scene<'_>) -> Result<Map> {
        let guided = scene.gradient(scene.x, BackwardRule::Guided)?;
        let [h, w, _] = scene.size();
        let cam = grad_cam(scene)?;
        let cam = ops::reshape(&mut scene.graph, cam, [1, h, w])?;
        let product = ops::mul(&mut scene.graph, guided, cam)?;
        Ok(at_layer(scene, product, Kind::Signed))
    }
}

/// A map whose title names the layer.
fn at_layer(scene: &Scene<'_>, map: ValueId, kind: Kind) -> Map {
    let told = format!(" · at {}", scene.request.layer_id());
    let tell = move |_: &Answer, _: &[f32], _: &[Vec<f32>]| Ok((told.clone(), Vec::new()));
    Map {
        tell: Some(Box::new(tell)),
        ..Map::new(map, kind)
    }
}

/// The map of Grad-CAM, `[1, h, w, 1]` of the image's size.
fn grad_cam(scene: &mut Scene<'_>) -> Result<ValueId> {
    let (maps, gradient) = maps_and_gradient(scene)?;
    let g = &mut scene.graph;
    let [_, h, w, c] = g.shape(maps).four("Grad-CAM")?;
    let scale = 1.0 / (h * w) as f32;
    let weights = ops::sum(g, gradient, [1, h * w, c], [c], scale)?;
    let size = scene.size();
    weighted(&mut scene.graph, maps, weights, size)
}

/// The chosen layer's maps and the class score's gradient with respect to them.
fn maps_and_gradient(scene: &mut Scene<'_>) -> Result<(ValueId, ValueId)> {
    let request = scene.request;
    let [_, h, w] = request.network.layers[request.layer].shape;
    if request.layer == 0 || h * w < 2 {
        let expected = "a layer with maps behind the input";
        return Err(Error::mismatch("Grad-CAM", expected, request.layer_id()));
    }
    let maps = scene.built.layers[request.layer];
    let gradient = scene.gradient(maps, BackwardRule::Gradient)?;
    Ok((maps, gradient))
}

/// The positive part of the weighted sum of `maps`, scaled up to the image: `[1, h, w, 1]`.
fn weighted(g: &mut Graph, maps: ValueId, weights: ValueId, size: [usize; 3]) -> Result<ValueId> {
    let [_, h, w, c] = g.shape(maps).four("class activation map")?;
    let each = ops::mul(g, maps, weights)?;
    let sum = ops::sum(g, each, [h * w, c, 1], [h, w], 1.0)?;
    let positive = ops::relu(g, sum)?;
    let [height, width, _] = size;
    let large = enlarged(g, positive, [1, h, w], [height, width])?;
    ops::reshape(g, large, [1, height, width, 1])
}

//! The mean gradient over noisy copies of the image (Smilkov et al. 2017), which averages out what changes
//! from pixel to pixel.

use crate::error::Result;
use crate::field::Field;
use crate::ops;
use crate::rng::Rng;

use super::super::Request;
use super::maps::Kind;
use super::{Attribution, Map, Scene};

/// The method.
#[derive(Debug)]
pub(in super::super) struct SmoothGrad;

impl Attribution for SmoothGrad {
    fn id(&self) -> &'static str {
        "smoothgrad"
    }

    fn name(&self) -> &'static str {
        "SmoothGrad"
    }

    fn doc(&self) -> &'static str {
        "The saliency map averaged over noisy copies of the image (Smilkov et al. 2017)."
    }

    fn fields(&self) -> Vec<Field> {
        let noise = "Deviation of the noise, as a share of the image's range.";
        vec![
            Field::integer("samples", "Noisy copies.", 1.0, 256.0, 50.0),
            Field::number("noise", noise, 0.0, 1.0, 0.15),
        ]
    }

    fn samples(&self, request: &Request<'_>) -> Result<usize> {
        request.values.integer("samples")
    }

    fn map(&self, scene: &mut Scene<'_>) -> Result<Map> {
        let request = scene.request;
        let [h, w, c] = scene.size();
        let samples = self.samples(request)?;
        let pixels = request.image()?.to_vec();
        let high = pixels.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let low = pixels.iter().copied().fold(f32::INFINITY, f32::min);
        let deviation = request.values.number("noise")? as f32 * (high - low);
        let mut rng = Rng::new(request.seed, "smoothgrad");
        let noise = scene.rows(h * w * c, |_| deviation * rng.normal())?;
        let image = scene.repeated(scene.image)?;
        let shape = scene.graph.shape(image).clone();
        let noise = ops::reshape(&mut scene.graph, noise, shape)?;
        let noisy = ops::add(&mut scene.graph, image, noise)?;
        let mean = scene.swept_gradient(noisy, 1.0 / samples as f32)?;
        Ok(Map::new(mean, Kind::Size))
    }
}

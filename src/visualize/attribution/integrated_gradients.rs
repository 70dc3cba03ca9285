//! Integrated gradients (Sundararajan et al. 2017): gradients along the straight way from a baseline to the
//! image, so that the attributions add up to the difference of the two class scores (completeness). The
//! integral is a sum over the middles of equal steps.

use crate::error::Result;
use crate::field::Field;
use crate::ops;

use super::super::Request;
use super::maps::{Answer, Kind};
use super::{Attribution, Map, Scene, baseline, baseline_field};

/// The method.
#[derive(Debug)]
pub(in super::super) struct IntegratedGradients;

impl Attribution for IntegratedGradients {
    fn id(&self) -> &'static str {
        "integrated-gradients"
    }

    fn name(&self) -> &'static str {
        "Integrated gradients"
    }

    fn doc(&self) -> &'static str {
        "What each pixel adds to the class score on the way from a baseline to this image; the sum is the \
         whole difference (Sundararajan et al. 2017)."
    }

    fn fields(&self) -> Vec<Field> {
        let doc = "The image without evidence from which the way begins.";
        vec![
            baseline_field(doc),
            Field::integer("steps", "Steps of the way.", 1.0, 1024.0, 64.0),
        ]
    }

    fn samples(&self, request: &Request<'_>) -> Result<usize> {
        request.values.integer("steps")
    }

    fn map(&self, scene: &mut Scene<'_>) -> Result<Map> {
        let [h, w, c] = scene.size();
        let steps = self.samples(scene.request)?;
        let start = baseline(scene.request)?;
        let start = scene.graph.constant([1, h, w, c], &start)?;
        let g = &mut scene.graph;
        let minus = ops::affine(g, start, -1.0, 0.0)?;
        let way = ops::add(g, scene.image, minus)?;
        let flat = ops::reshape(g, way, [1, h * w * c])?;
        let middles = scene.rows(1, |k| (k as f32 + 0.5) / steps as f32)?;
        let gone = ops::matmul(&mut scene.graph, middles, flat, false, false)?;
        let begin = scene.repeated(start)?;
        let shape = scene.graph.shape(begin).clone();
        let gone = ops::reshape(&mut scene.graph, gone, shape)?;
        let points = ops::add(&mut scene.graph, begin, gone)?;
        let mean = scene.swept_gradient(points, 1.0 / steps as f32)?;
        let map = ops::mul(&mut scene.graph, mean, way)?;
        let nothing = scene.answer(start)?.logits;
        let tell = |answer: &Answer, map: &[f32], more: &[Vec<f32>]| {
            let difference = answer.scores[answer.class] - more[0][answer.class];
            let sum: f32 = map.iter().sum();
            let told = format!(" · adds up to {sum:.2} of {difference:.2}");
            Ok((told, Vec::new()))
        };
        Ok(Map {
            more: vec![nothing],
            tell: Some(Box::new(tell)),
            ..Map::new(map, Kind::Signed)
        })
    }
}

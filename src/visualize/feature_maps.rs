//! A layer's activations for one image, as numbers for scripts; the page's live tiles are drawn from
//! the device without passing here.

use crate::compile::compile;
use crate::error::Result;
use crate::graph::Graph;
use crate::nn::Mode;
use crate::tensor::Tensor;

use super::{Needs, Picture, Recipe, Request, Visualization, image_from_output};

/// The method.
#[derive(Debug)]
pub(super) struct FeatureMaps;

impl Visualization for FeatureMaps {
    fn id(&self) -> &'static str {
        "feature-maps"
    }

    fn name(&self) -> &'static str {
        "Feature maps"
    }

    fn doc(&self) -> &'static str {
        "Every unit of the layer as it answers this image, one map per unit."
    }

    fn needs(&self) -> Needs {
        Needs {
            layer: true,
            channel: false,
            image: true,
        }
    }

    fn recipe(&self, request: &Request<'_>) -> Result<Recipe> {
        let mut graph = Graph::new();
        let image = request.external_image(&mut graph)?;
        let x = request.normalize(&mut graph, image)?;
        let built = request.network.build(&mut graph, x, Mode::Eval)?;
        let shape = request.network.layers[request.layer].shape;
        let layer = request.layer_id().to_owned();
        let decode = move |outputs: &[Vec<f32>]| {
            let [c, h, w] = shape;
            let maps = image_from_output(&outputs[0], shape)?.to_vec();
            let signed = maps.iter().any(|&x| x < 0.0);
            (0..c)
                .zip(maps.chunks_exact(h * w))
                .map(|(unit, map)| {
                    let map = Tensor::new([1, h, w], map.to_vec())?;
                    Picture::new(format!("{layer} unit {unit}"), &map, signed)
                })
                .collect()
        };
        Ok(Recipe {
            compiled: compile(&graph, "feature maps", &[built.layers[request.layer]])?,
            buffers: vec![("image", request.image_words()?)],
            runs: 1,
            decode: Box::new(decode),
            then: None,
        })
    }
}

//! What an attention layer looks at in an image: the weights of each head, as maps over the image, for one
//! position that asks or for all of them on the average. Attention that pools a whole sequence asks once.

use crate::compile::compile;
use crate::error::{Error, Result};
use crate::field::Field;
use crate::graph::Graph;
use crate::nn::{Inner, Mode};
use crate::ops;
use crate::tensor::Tensor;

use super::attribution::best;
use super::enlarge::enlarged;
use super::{Needs, Picture, Recipe, Request, Shown, Visualization};

/// The method.
#[derive(Debug)]
pub(super) struct AttentionMaps;

/// Who asks; the first is the default.
const QUERIES: [&str; 2] = ["mean", "position"];

impl Visualization for AttentionMaps {
    fn id(&self) -> &'static str {
        "attention-maps"
    }

    fn name(&self) -> &'static str {
        "Attention maps"
    }

    fn doc(&self) -> &'static str {
        "Where each head of an attention layer looks in this image: for one position that asks, or for all on the \
         average (Vaswani et al. 2017, section 3.2)."
    }

    fn needs(&self) -> Needs {
        Needs {
            layer: true,
            channel: false,
            image: true,
        }
    }

    fn fields(&self) -> Vec<Field> {
        let query = "Who asks: all positions on the average, or one.";
        let at = |name, doc| Field::integer(name, doc, 0.0, 1023.0, 0.0);
        vec![
            Field::choice("query", query, &QUERIES, QUERIES[0]),
            at("row", "Row of the image at which the one position lies."),
            at("column", "Column of the image at which it lies."),
        ]
    }

    fn recipe(&self, request: &Request<'_>) -> Result<Recipe> {
        let (place, network) = ("attention maps", request.network);
        let mut graph = Graph::new();
        let g = &mut graph;
        let image = request.external_image(g)?;
        let x = request.normalize(g, image)?;
        let built = network.build(g, x, Mode::Eval)?;
        let weights = request.inner(&built, Inner::Attention, place, "a layer with attention")?;
        let [_, heads, queries, pixels] = g.shape(weights).four(place)?;
        let layer = &network.layers[request.layer];
        let from = layer
            .inputs
            .first()
            .map_or(layer.id.as_str(), String::as_str);
        let [_, h, w] = network.layer(from)?.1.shape;
        let [_, height, width] = network.spec.input;
        let mut asked = format!("mean over {queries} positions");
        let mut shares = vec![1.0 / queries as f32; queries];
        if queries == 1 {
            "pooling".clone_into(&mut asked);
        } else if request.values.choice("query")? == QUERIES[1] {
            let [row, column] = [("row", height), ("column", width)].map(|(axis, extent)| {
                let at = request.values.integer(axis)?;
                match at < extent {
                    true => Ok(at),
                    false => {
                        let expected = format!("an index below {extent}");
                        Err(Error::mismatch(axis, expected, at.to_string()))
                    }
                }
            });
            let (row, column) = (row?, column?);
            asked = format!("asked at row {row}, column {column}");
            shares.fill(0.0);
            shares[row * h / height * w + column * w / width] = 1.0;
        }
        // Each head takes from its own queries.
        let own = |at: usize| match at / queries % heads == at / (heads * queries) {
            true => shares[at % queries],
            false => 0.0,
        };
        let own: Vec<f32> = (0..heads * heads * queries).map(own).collect();
        let own = g.constant([heads, heads * queries], &own)?;
        let rows = ops::reshape(g, weights, [heads * queries, pixels])?;
        let maps = ops::matmul(g, own, rows, false, false)?;
        let large = enlarged(g, maps, [heads, h, w], [height, width])?;
        let title = layer.id.clone();
        let decode = move |outputs: &[Vec<f32>]| {
            let picture = |(head, (map, large)): (usize, (&[f32], &[f32]))| {
                let most = best(map);
                let title = format!(
                    "{title} head {head} · {asked} · most {:.1} % of it at row {}, column {} of {h} x {w}",
                    100.0 * map[most],
                    most / w,
                    most % w
                );
                let large = Tensor::new([1, height, width], large.to_vec())?;
                Ok(Picture::new(title, &large, false)?.shown(Shown::Map))
            };
            let small = outputs[0].chunks_exact(pixels);
            small
                .zip(outputs[1].chunks_exact(height * width))
                .enumerate()
                .map(picture)
                .collect()
        };
        Ok(Recipe {
            compiled: compile(&graph, place, &[maps, large])?,
            buffers: vec![("image", request.image_words()?)],
            runs: 1,
            decode: Box::new(decode),
            then: None,
        })
    }
}

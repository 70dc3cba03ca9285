//! Reconstruction of what excited a unit, by walking its activation back to the pixels under the
//! three rules side by side: the deconvnet of Zeiler & Fergus 2014 (section 2.1, with the max-pooling
//! switches of the forward pass), plain backpropagation, and guided backpropagation (Springenberg et
//! al. 2015). All three are the same reverse walk; only the rule for rectifiers differs.

use crate::autodiff::gradient;
use crate::compile::compile;
use crate::error::Result;
use crate::field::Field;
use crate::graph::{BackwardRule, Graph, ValueId};
use crate::nn::Mode;
use crate::ops::{self, Pool2d};

use super::{
    Needs, Picture, Recipe, Request, Visualization, as_maps, image_from_output, one_channel,
};

/// The method.
#[derive(Debug)]
pub(super) struct Deconvnet;

pub(super) const RULES: [(BackwardRule, &str); 3] = [
    (BackwardRule::Deconvnet, "Deconvnet"),
    (BackwardRule::Gradient, "Gradient"),
    (BackwardRule::Guided, "Guided backpropagation"),
];

const STRONGEST: &str = "strongest";

impl Visualization for Deconvnet {
    fn id(&self) -> &'static str {
        "deconvnet"
    }

    fn name(&self) -> &'static str {
        "Deconvnet reconstruction"
    }

    fn doc(&self) -> &'static str {
        "What in this image excited the unit: its activation is sent back to the pixels through the \
         real pooling switches, under three rules side by side (Zeiler & Fergus 2014; Springenberg \
         et al. 2015)."
    }

    fn needs(&self) -> Needs {
        Needs {
            layer: true,
            channel: true,
            image: true,
        }
    }

    fn fields(&self) -> Vec<Field> {
        let doc = "Whether only the unit's strongest position is sent back, or its whole map.";
        vec![Field::choice("from", doc, &[STRONGEST, "map"], STRONGEST)]
    }

    fn recipe(&self, request: &Request<'_>) -> Result<Recipe> {
        request.behind_input("deconvnet")?;
        let mut graph = Graph::new();
        let g = &mut graph;
        let image = request.external_image(g)?;
        let x = request.normalize(g, image)?;
        let built = request.network.build(g, x, Mode::Eval)?;
        let value = built.layers[request.layer];
        let strongest = request.values.choice("from")? == STRONGEST;
        let seed = match strongest {
            true => strongest_seed(g, value, request.channel)?,
            false => map_seed(g, value, request.channel)?,
        };
        let outputs = RULES
            .iter()
            .map(|(rule, _)| Ok(gradient(g, value, seed, &[x], *rule)?[0]))
            .collect::<Result<Vec<_>>>()?;
        let shape = request.network.spec.input;
        let title = format!("{} unit {}", request.layer_id(), request.channel);
        let decode = move |outputs: &[Vec<f32>]| {
            let pairs = outputs.iter().zip(RULES);
            let picture = |(output, (_, rule)): (&Vec<f32>, (BackwardRule, &str))| {
                Picture::new(
                    format!("{rule} · {title}"),
                    &image_from_output(output, shape)?,
                    true,
                )
            };
            pairs.map(picture).collect()
        };
        Ok(Recipe {
            compiled: compile(&graph, "deconvnet", &outputs)?,
            buffers: vec![("image", request.image_words()?)],
            runs: 1,
            decode: Box::new(decode),
            then: None,
        })
    }
}

/// The layer's activations with everything set to zero but the chosen channel's strongest position in each
/// image.
pub(super) fn strongest_seed(g: &mut Graph, value: ValueId, channel: usize) -> Result<ValueId> {
    let strongest = strongest_only(g, value)?;
    map_seed(g, strongest, channel)
}

/// The layer's activations with everything set to zero but each channel's strongest position in each image.
pub(super) fn strongest_only(g: &mut Graph, value: ValueId) -> Result<ValueId> {
    let maps = as_maps(g, value)?;
    let [_, h, w, _] = g.shape(maps).four("deconvnet")?;
    let whole = Pool2d::whole([h, w]);
    let switches = ops::max_pool2d_switches(g, maps, whole)?;
    let best = ops::pool_take(g, maps, switches, whole)?;
    let strongest = ops::max_unpool2d(g, best, switches, whole, [h, w])?;
    ops::reshape(g, strongest, g.shape(value).clone())
}

/// The layer's activations with everything but the chosen channel set to zero.
fn map_seed(g: &mut Graph, value: ValueId, channel: usize) -> Result<ValueId> {
    let mask = one_channel(g, g.shape(value).last(), channel)?;
    ops::mul(g, value, mask)
}

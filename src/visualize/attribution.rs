//! Attribution: how much each pixel of an image counts for a class. A method is an [`Attribution`], a
//! function that adds its map to a [`Scene`], a graph in which the network already answers the image. So
//! every method becomes a visualization in the one `impl` below, and those that compare or test
//! attributions ([`attributions`], [`randomization`], [`deletion`]) take any of them as a part.

mod adversarial;
mod attributions;
mod baseline;
mod cam;
mod deletion;
mod fooling;
mod gradient_x_input;
mod guided;
mod integrated_gradients;
mod maps;
mod occlusion;
mod randomization;
mod relevance;
mod saliency;
mod saliency_box;
mod scene;
mod smoothgrad;

pub(super) use adversarial::{Fgsm, Pgd};
pub(super) use attributions::Attributions;
pub(super) use cam::{GradCam, GradCamPlusPlus, GuidedGradCam};
pub(super) use deletion::Deletion;
pub(super) use fooling::Fooling;
pub(super) use gradient_x_input::GradientXInput;
pub(super) use guided::GuidedBackprop;
pub(super) use integrated_gradients::IntegratedGradients;
pub(super) use maps::{best, clamp, size};
pub(super) use occlusion::Occlusion;
pub(super) use randomization::Randomization;
pub(super) use relevance::Relevance;
pub(super) use saliency::Saliency;
pub(super) use saliency_box::SaliencyBox;
pub(super) use smoothgrad::SmoothGrad;

use crate::compile::compile;
use crate::error::{Error, Result};
use crate::field::{Field, Values};
use crate::graph::ValueId;

use super::{Group, Needs, Picture, Recipe, Request, VISUALIZATIONS, Visualization};
use baseline::{baseline, baseline_field};
use maps::{Answer, Asker, Kind};
use scene::Scene;

/// A way to say how much each pixel counts for the class.
pub trait Attribution: Sync {
    /// Key in scripts and links.
    fn id(&self) -> &'static str;
    /// Name in menus.
    fn name(&self) -> &'static str;
    /// One sentence with its source.
    fn doc(&self) -> &'static str;
    /// Its settings besides the class.
    fn fields(&self) -> Vec<Field> {
        Vec::new()
    }
    /// Whether it looks at a layer's maps.
    fn needs_layer(&self) -> bool {
        false
    }
    /// How many images beside the one explained the network answers for it.
    ///
    /// # Errors
    /// When the settings do not fit the image.
    fn samples(&self, _: &Request<'_>) -> Result<usize> {
        Ok(0)
    }
    /// Adds the map to the scene.
    ///
    /// # Errors
    /// Says why where the method does not apply.
    fn map(&self, scene: &mut Scene<'_>) -> Result<Map>;
}

/// More of a title and more pictures, from the answer, the map `[h, w]` and what else was put out.
type Tell = Box<dyn Fn(&Answer, &[f32], &[Vec<f32>]) -> Result<(String, Vec<Picture>)>>;

/// What an attribution adds to a scene.
pub struct Map {
    /// `[1, h, w, channels]`, of the image's size.
    value: ValueId,
    kind: Kind,
    /// More values to be put out, and what is told of them.
    more: Vec<ValueId>,
    tell: Option<Tell>,
}

impl std::fmt::Debug for Map {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Map").finish_non_exhaustive()
    }
}

impl Map {
    /// A map and nothing else.
    fn new(value: ValueId, kind: Kind) -> Self {
        Self {
            value,
            kind,
            more: Vec::new(),
            tell: None,
        }
    }
}

impl<A: Attribution> Visualization for A {
    fn id(&self) -> &'static str {
        Attribution::id(self)
    }

    fn name(&self) -> &'static str {
        Attribution::name(self)
    }

    fn doc(&self) -> &'static str {
        Attribution::doc(self)
    }

    fn needs(&self) -> Needs {
        Needs {
            layer: self.needs_layer(),
            ..IMAGE
        }
    }

    fn group(&self) -> Group {
        Group::Answer
    }

    fn fields(&self) -> Vec<Field> {
        all_fields(self)
    }

    fn recipe(&self, request: &Request<'_>) -> Result<Recipe> {
        map_recipe(self, request)
    }

    fn attribution(&self) -> Option<&dyn Attribution> {
        Some(self)
    }
}

/// What most methods here need.
const IMAGE: Needs = Needs {
    layer: false,
    channel: false,
    image: true,
};

/// The class and a method's own settings.
fn all_fields(method: &dyn Attribution) -> Vec<Field> {
    let mut fields = vec![class_field()];
    fields.extend(method.fields());
    fields
}

/// The class that is explained.
fn class_field() -> Field {
    let doc = "Index of the class whose score is explained; -1: the one that the network predicts.";
    Field::integer("class", doc, -1.0, 999.0, -1.0)
}

/// The class that `request` asks for; none if it is the predicted one.
fn asked_class(request: &Request<'_>) -> Result<Option<usize>> {
    let class = request.values.number("class")?;
    if class < 0.0 {
        return Ok(None);
    }
    let classes = request.network.spec.classes;
    if class >= classes as f64 {
        let expected = format!("a class below {classes}, or -1 for the predicted one");
        return Err(Error::mismatch("class", expected, class.to_string()));
    }
    Ok(Some(class as usize))
}

/// The recipe of one attribution. Its first output is the map, `[h, w]` with all channels in one.
fn map_recipe(method: &dyn Attribution, request: &Request<'_>) -> Result<Recipe> {
    let samples = method.samples(request)?;
    let mut scene = Scene::new(request, samples)?;
    let Map {
        value,
        kind,
        more,
        tell,
    } = method.map(&mut scene)?;
    let map = kind.reduced(&mut scene.graph, value)?;
    let mut outputs = vec![map, scene.built.logits, scene.class];
    outputs.extend(more);
    let [_, h, w] = request.network.spec.input;
    let (asker, title) = (Asker::new(method.id(), request), method.name());
    let decode = move |outputs: &[Vec<f32>]| {
        let answer = Answer::new(&asker, &outputs[1], &outputs[2])?;
        let (told, pictures) = match &tell {
            Some(tell) => tell(&answer, &outputs[0], &outputs[3..])?,
            None => (String::new(), Vec::new()),
        };
        let title = format!("{title} · {}{told}", answer.class());
        let mut all = vec![kind.picture(title, &outputs[0], [h, w])?];
        all.extend(pictures);
        Ok(all)
    };
    scene.advance()?;
    Ok(Recipe {
        compiled: compile(&scene.graph, method.id(), &outputs)?,
        runs: scene.runs(),
        buffers: scene.buffers,
        decode: Box::new(decode),
        then: None,
    })
}

/// All attributions, in the order of the page.
fn all() -> impl Iterator<Item = &'static dyn Attribution> {
    VISUALIZATIONS
        .iter()
        .filter_map(|method| method.attribution())
}

/// The choice of an attribution.
fn method_field() -> Field {
    let ids: Vec<&str> = all().map(Attribution::id).collect();
    let doc = "The attribution that is tested, at its default settings.";
    Field::choice(
        "attribution",
        doc,
        &ids,
        ids.first().copied().unwrap_or_default(),
    )
}

/// The attribution that `request` chose and the request to it: same class, default settings.
fn chosen<'a>(request: &Request<'a>) -> Result<(&'static dyn Attribution, Request<'a>)> {
    let id = request.values.choice("attribution")?;
    let method = all().find(|method| method.id() == id);
    let method =
        method.ok_or_else(|| Error::unknown("attribution", id, all().map(Attribution::id)))?;
    Ok((method, with_defaults(method, request)?))
}

/// `request` as one to `method` at its default settings, for the same class; where it needs a layer with
/// maps and the request has none, for the last one.
fn with_defaults<'a>(method: &dyn Attribution, request: &Request<'a>) -> Result<Request<'a>> {
    let class = request.values.json("class")?;
    let given = serde_json::Map::from_iter([("class".to_owned(), class)]);
    let values = Values::check(method.id(), &all_fields(method), &given)?;
    let layers = &request.network.layers;
    let has_maps = |index: usize| {
        let [_, h, w] = layers[index].shape;
        index > 0 && h * w > 1
    };
    let last = (1..layers.len()).rev().find(|&index| has_maps(index));
    let layer = match request.layer {
        chosen if has_maps(chosen) => chosen,
        _ => last.unwrap_or(0),
    };
    Ok(request.with(layer, values))
}

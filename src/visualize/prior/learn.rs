//! The generator's lessons: of each image the code is taken, an image is drawn from it, and the two are to agree in
//! their pixels, in the maps of a layer in the middle, and in the code.

use serde_json::Map;

use crate::autodiff::gradient;
use crate::compile::compile;
use crate::error::{Error, Result};
use crate::field::Values;
use crate::graph::{BackwardRule, Graph, ValueId};
use crate::nn::Mode;
use crate::ops;
use crate::rng::Rng;
use crate::tensor::Spec;
use crate::train::{N_SETTINGS, Update, find_optimizer};

use super::super::inversion::relative_square;
use super::super::mosaic::mosaic;
use super::super::recipe::{Decode, Next};
use super::super::{Recipe, image_from_output};
use super::Prior;

/// Images per lesson, and how many of them are shown.
const BATCH: usize = 32;
const SHOWN: usize = 8;

/// Size of Adam's steps.
const RATE: f32 = 0.002;

/// The optimizer's state.
const SLOTS: [&str; 2] = ["generator first moments", "generator second moments"];

/// The recipe, before `then`, which is given the generator and the bounds of the code.
pub(super) fn recipe(prior: &Prior<'_>, then: Recipe) -> Result<Recipe> {
    let (request, generator) = (prior.request, prior.generator);
    let data = request.data()?;
    let n_items = data.len("train")?;
    let batch = BATCH.min(n_items);
    let words = generator.words();
    let mut graph = Graph::new();
    let g = &mut graph;
    let counters = g.external("lesson counters", Spec::u32([4]))?;
    let indices = ops::epoch_indices(g, counters, n_items, batch)?;
    let images = data.gather(g, "train", indices)?.images;
    let built = request.network.build(g, images, Mode::Eval)?;
    let code = prior.code_of(g, &built)?;
    let [mean, unit] = ["code mean", "code unit"].map(|name| prior.per_code(g, name));
    let standard = standardized(g, code, mean?, unit?)?;
    let parameters = generator.parameters(g)?;
    let logits = generator.draw(g, &parameters, standard)?;
    let drawn = prior.image(g, logits)?;
    let seen = request.normalize(g, drawn)?;
    let answer = request.network.build(g, seen, Mode::Eval)?;
    let again = prior.code_of(g, &answer)?;
    let maps = [answer.layers[prior.compared], built.layers[prior.compared]];
    let losses = [[seen, images], maps, [again, code]]
        .into_iter()
        .map(|[found, wanted]| {
            let minus = ops::affine(g, wanted, -1.0, 0.0)?;
            let difference = ops::add(g, found, minus)?;
            relative_square(g, difference, wanted)
        })
        .collect::<Result<Vec<ValueId>>>()?;
    let loss = ops::add(g, losses[0], losses[1])?;
    let loss = ops::add(g, loss, losses[2])?;
    let one = g.constant([1], &[1.0])?;
    let gradients = gradient(g, loss, one, &parameters, BackwardRule::Gradient)?;
    let gradients = ops::pack(g, &gradients)?;
    let flat = g.external("generator", Spec::f32([words]))?;
    let [first, second] = SLOTS.map(|name| g.external(name, Spec::f32([words])));
    let adam = find_optimizer("adam")?;
    let update = Update {
        parameters: flat,
        gradients,
        slots: &[first?, second?],
        settings: g.external("lesson settings", Spec::f32([N_SETTINGS]))?,
        counters,
        tensors: &generator.tensors(),
    };
    (adam.update)(g, &update)?;
    ops::advance(g, counters)?;

    let mut settings = Map::new();
    settings.insert("learningRate".to_owned(), f64::from(RATE).into());
    let settings = (adam.settings)(&Values::check("adam", &(adam.fields)(), &settings)?)?;
    let bits = |floats: &[f32]| floats.iter().map(|x| x.to_bits()).collect::<Vec<u32>>();
    let [low, high] = ["code low", "code high"].map(|name| prior.per_code(g, name));
    let outputs = [flat, low?, high?, drawn, images, losses[0]];
    Ok(Recipe {
        compiled: compile(&graph, "generator lesson", &outputs)?,
        buffers: vec![
            ("lesson counters", vec![0, request.seed as u32, 0, 0]),
            ("lesson settings", bits(&settings)),
            (
                "generator",
                bits(&generator.start(&mut Rng::new(request.seed, "generator"))),
            ),
            (SLOTS[0], vec![0; words]),
            (SLOTS[1], vec![0; words]),
        ],
        runs: u32::try_from(request.values.integer("lessons")?).unwrap_or(u32::MAX),
        decode: decode(prior, batch.min(SHOWN)),
        then: Some(Box::new(Next {
            recipe: then,
            feed: Box::new(move |outputs| match outputs {
                [flat, low, high, ..] => Ok(vec![
                    ("generator", bits(flat)),
                    ("code low", bits(low)),
                    ("code high", bits(high)),
                ]),
                _ => {
                    let found = outputs.len().to_string();
                    Err(Error::mismatch("learned prior", "six outputs", found))
                }
            }),
        })),
    })
}

/// Codes in deviations from their means.
fn standardized(g: &mut Graph, code: ValueId, mean: ValueId, unit: ValueId) -> Result<ValueId> {
    let minus = ops::affine(g, mean, -1.0, 0.0)?;
    let centered = ops::add(g, code, minus)?;
    ops::mul(g, centered, unit)
}

/// Some images, and below them what the generator draws from their codes.
fn decode(prior: &Prior<'_>, shown: usize) -> Decode {
    let [c, h, w] = prior.generator.image;
    let (scales, shifts) = prior.request.normalization;
    let (scales, shifts) = (scales.to_vec(), shifts.to_vec());
    let code = prior.request.network.layers[prior.code].id.clone();
    Box::new(move |outputs| {
        let (drawn, images, loss) = (&outputs[3], &outputs[4], &outputs[5]);
        let plain: Vec<f32> = images
            .iter()
            .enumerate()
            .map(|(i, x)| (x - shifts[i % c]) / scales[i % c])
            .collect();
        let rows = [&plain, drawn].map(|all| all.chunks_exact(c * h * w).take(shown));
        let tiles = rows
            .into_iter()
            .flatten()
            .map(|image| Ok(image_from_output(image, [c, h, w])?.to_vec()))
            .collect::<Result<Vec<_>>>()?;
        let off = 100.0 * loss.first().copied().unwrap_or(f32::NAN);
        let title = format!(
            "Images, and below what the generator draws of them from {code} · {off:.0} % off"
        );
        Ok(vec![mosaic(title, &tiles, [c, h, w], shown, false)?])
    })
}

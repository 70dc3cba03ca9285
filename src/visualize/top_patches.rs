//! What excites a unit in the dataset: the nine images in which its strongest activation is largest, cropped to
//! what the unit sees there, beside what the unit sees in them (Zeiler & Fergus 2014, Fig. 2). The dataset streams
//! by in batches on the device; lists, crops and reconstructions are right for what has been seen so far.

use crate::autodiff::gradient;
use crate::compile::compile;
use crate::error::{Error, Result};
use crate::field::Field;
use crate::graph::{BackwardRule, Graph, ValueId};
use crate::nn::Mode;
use crate::ops::{self, Pool2d, TOP_ROW};
use crate::tensor::Spec;

use super::deconvnet::{RULES, strongest_seed};
use super::mosaic::mosaic;
use super::sample::split_field;
use super::sight::Sight;
use super::{Needs, Picture, Recipe, Request, Visualization, as_maps};

/// The method.
#[derive(Debug)]
pub(super) struct TopPatches;

/// Images that a unit's list keeps: three rows of three.
const KEPT: usize = 9;

/// Images per run. The reconstructions of the list cost as much as some thirty of them.
const BATCH: usize = 256;

impl Visualization for TopPatches {
    fn id(&self) -> &'static str {
        "top-patches"
    }

    fn name(&self) -> &'static str {
        "Top 9 in the data"
    }

    fn doc(&self) -> &'static str {
        "The nine images that excite this unit most, cropped to what it sees, beside what it sees in \
         them, sent back to the pixels (Zeiler & Fergus 2014)."
    }

    fn needs(&self) -> Needs {
        Needs {
            layer: true,
            channel: true,
            image: false,
        }
    }

    fn about_unit(&self) -> Option<&'static [(&'static str, &'static str)]> {
        Some(&[])
    }

    fn streams(&self) -> bool {
        true
    }

    fn fields(&self) -> Vec<Field> {
        let rules = RULES.map(|(_, name)| name);
        let passes =
            "Times over all images; more than one keeps the list right while the network learns.";
        vec![
            split_field("test"),
            Field::choice("rule", "How activations are sent back.", &rules, rules[0]),
            Field::integer("passes", passes, 1.0, 10_000.0, 1.0),
        ]
    }

    fn recipe(&self, request: &Request<'_>) -> Result<Recipe> {
        let layer = &request.network.layers[request.layer];
        request.behind_input("top patches")?;
        let data = request.data()?;
        let split = request.values.choice("split")?;
        let n_items = data.len(&split)?;
        let batch = BATCH.min(n_items);
        let rule = request.values.choice("rule")?;
        let rule = RULES.iter().find(|(_, name)| *name == rule);
        let rule = rule.map_or(BackwardRule::Deconvnet, |(rule, _)| *rule);

        let mut graph = Graph::new();
        let g = &mut graph;
        let counters = g.external("scan counters", Spec::u32([4]))?;
        let indices = ops::sequential_indices(g, counters, n_items, batch)?;
        let inputs = data.gather(g, &split, indices)?;
        let built = request.network.build(g, inputs.images, Mode::Eval)?;
        let (values, positions) = strongest(g, built.layers[request.layer])?;
        let units = layer.shape[0];
        let state = g.external("top images", Spec::u32([3, units, TOP_ROW]))?;
        let state = ops::top_images(g, state, values, positions, indices, [KEPT, n_items])?;
        ops::advance(g, counters)?;

        // The list of this unit, and what its images make of it.
        let row = |g: &mut Graph, plane: usize| {
            let offset = (plane * units + request.channel) * TOP_ROW;
            ops::view(g, state, offset, [KEPT])
        };
        let list = [row(g, 0)?, row(g, 1)?, row(g, 2)?];
        let best = data.gather(g, &split, list[1])?;
        let built = request.network.build(g, best.images, Mode::Eval)?;
        let value = built.layers[request.layer];
        let seed = strongest_seed(g, value, request.channel)?;
        let back = gradient(g, value, seed, &[best.images], rule)?[0];
        let outputs = [list[0], list[1], list[2], best.labels, best.images, back];

        let shown = Shown {
            title: format!("{} unit {}", layer.id, request.channel),
            classes: request.classes.to_vec(),
            split,
            n_items,
            sight: Sight::of(request),
            normalization: (
                request.normalization.0.to_vec(),
                request.normalization.1.to_vec(),
            ),
        };
        let batches = n_items.div_ceil(batch);
        let passes = request.values.integer("passes")?;
        Ok(Recipe {
            compiled: compile(&graph, "top patches", &outputs)?,
            buffers: vec![
                ("scan counters", vec![0; 4]),
                ("top images", ops::empty_top_images(units, n_items)),
            ],
            runs: u32::try_from(batches.saturating_mul(passes)).unwrap_or(u32::MAX),
            decode: Box::new(move |outputs| shown.pictures(outputs)),
            then: None,
        })
    }
}

/// Each unit's largest activation in each image and where it is, `[n, c]` both.
fn strongest(g: &mut Graph, value: ValueId) -> Result<(ValueId, ValueId)> {
    let maps = as_maps(g, value)?;
    let [n, h, w, c] = g.shape(maps).four("top patches")?;
    let whole = Pool2d::whole([h, w]);
    let positions = ops::max_pool2d_switches(g, maps, whole)?;
    let values = ops::pool_take(g, maps, positions, whole)?;
    let values = ops::reshape(g, values, [n, c])?;
    Ok((values, ops::reshape(g, positions, [n, c])?))
}

/// What the pictures are made with.
struct Shown {
    title: String,
    /// Names of the classes.
    classes: Vec<String>,
    split: String,
    n_items: usize,
    sight: Sight,
    normalization: (Vec<f32>, Vec<f32>),
}

impl Shown {
    fn pictures(&self, outputs: &[Vec<f32>]) -> Result<Vec<Picture>> {
        let [values, items, positions, labels, images, back] = outputs else {
            let expected = "six outputs";
            return Err(Error::mismatch(
                "top patches",
                expected,
                outputs.len().to_string(),
            ));
        };
        let word = |floats: &[f32], i: usize| floats[i].to_bits() as usize;
        let found = (0..KEPT)
            .take_while(|&i| word(items, i) < self.n_items)
            .count();
        let [c, h, w] = self.sight.image;
        let (scales, shifts) = &self.normalization;
        let mut patches = Vec::new();
        let mut reconstructions = Vec::new();
        for i in 0..found {
            let window = self.sight.window(word(positions, i));
            let image = &images[i * h * w * c..][..h * w * c];
            let pixel = |at: usize| (image[at] - shifts[at % c]) / scales[at % c];
            patches.push(self.sight.crop(window, 0.5, pixel));
            let image = &back[i * h * w * c..][..h * w * c];
            reconstructions.push(self.sight.crop(window, 0.0, |at| image[at]));
        }
        let [height, width] = self.sight.window(0).1;
        let label = |i: usize| {
            let class = word(labels, i);
            let name = self.classes.get(class);
            name.map_or_else(|| class.to_string(), String::clone)
        };
        let labels: Vec<String> = (0..found).map(label).collect();
        let range = match (values.first(), values.get(found.saturating_sub(1))) {
            (Some(most), Some(least)) if found > 0 => {
                format!(" · activation {most:.2} to {least:.2}")
            }
            _ => String::new(),
        };
        let title = format!(
            "{}: top {found} of {} {} images{range} · classes {}",
            self.title,
            self.n_items,
            self.split,
            labels.join(", ")
        );
        let size = [c, height, width];
        Ok(vec![
            mosaic(title, &patches, size, 3, false)?,
            mosaic(
                "What the unit sees in them".to_owned(),
                &reconstructions,
                size,
                3,
                true,
            )?,
        ])
    }
}

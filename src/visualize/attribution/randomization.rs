//! The sanity check of Adebayo et al. 2018, section 3: the network's weights are drawn anew from the top layer
//! down, and the attribution is computed after each. One that explains what the network has learned must
//! change; one that stays the same shows the image, not the network. The weights are replaced in the program,
//! the network's own stay as they are.

use crate::compile::compile;
use crate::error::Result;
use crate::field::Field;
use crate::graph::{Graph, ValueId};
use crate::nn::{Network, Parameter};
use crate::ops;
use crate::tensor::{Spec, ascending};

use super::super::sample::total;
use super::super::{Group, Needs, Picture, Recipe, Request, Visualization};
use super::maps::{Answer, Asker, Kind, clamp};
use super::scene::{Scene, check_words};
use super::{IMAGE, chosen, class_field, method_field};

/// The method.
#[derive(Debug)]
pub(in super::super) struct Randomization;

/// Most pictures of a cascade; a deeper network is randomized several layers at a time.
const MOST_LEVELS: usize = 12;

/// What the check does with the maps of one attribution.
struct Shown {
    asker: Asker,
    title: String,
    names: Vec<String>,
    kind: Kind,
    size: [usize; 2],
}

impl Visualization for Randomization {
    fn id(&self) -> &'static str {
        "weight-randomization"
    }

    fn name(&self) -> &'static str {
        "Sanity check: random weights"
    }

    fn doc(&self) -> &'static str {
        "The attribution while the weights are drawn anew from the top layer down: if it does not change, it \
         does not show what the network has learned (Adebayo et al. 2018)."
    }

    fn needs(&self) -> Needs {
        IMAGE
    }

    fn group(&self) -> Group {
        Group::Trust
    }

    fn fields(&self) -> Vec<Field> {
        vec![method_field(), class_field()]
    }

    fn recipe(&self, request: &Request<'_>) -> Result<Recipe> {
        let (method, inner) = chosen(request)?;
        let network = request.network;
        check_words(self.id(), network.parameter_words())?;
        let levels = levels(network);
        let n = levels.len() + 1;
        let cascade = Cascade {
            network,
            seed: request.seed,
            levels: &levels,
        };
        let samples = method.samples(&inner)?;
        let mut scene = Scene::over(&inner, samples, samples.max(1), |g| cascade.state(g))?;
        let map = method.map(&mut scene)?;
        let (kind, more) = (map.kind, [scene.built.logits, scene.class]);
        let g = &mut scene.graph;
        let value = kind.reduced(g, map.value)?;
        let [_, h, w] = network.spec.input;
        let value = ops::reshape(g, value, [1, h * w])?;
        // Each run is one level; its map and its answer go to their row.
        let (level, counters) = level(g, n)?;
        let mut outputs = Vec::new();
        for (name, value) in ["cascade maps", "cascade scores", "cascade class"]
            .into_iter()
            .zip([value, more[0], more[1]])
        {
            let share = ops::matmul(g, level, value, true, false)?;
            let (all, buffer) = total(g, name, share)?;
            outputs.push(all);
            scene.buffers.push(buffer);
        }
        let (done, buffer) = total(g, "cascade levels", level)?;
        outputs.push(done);
        scene.buffers.push(buffer);
        scene.buffers.push(("cascade counters", vec![0; 4]));
        ops::advance(g, counters)?;
        let shown = Shown {
            asker: Asker::new(self.id(), request),
            title: method.name().to_owned(),
            names: levels.into_iter().map(|(name, _)| name).collect(),
            kind,
            size: [h, w],
        };
        Ok(Recipe {
            compiled: compile(&scene.graph, self.id(), &outputs)?,
            buffers: scene.buffers,
            runs: u32::try_from(n).unwrap_or(u32::MAX),
            decode: Box::new(move |outputs: &[Vec<f32>]| shown.pictures(outputs)),
            then: None,
        })
    }
}

impl Shown {
    /// The maps of all levels that are done, the original first, and the curve of their rank correlations.
    fn pictures(&self, outputs: &[Vec<f32>]) -> Result<Vec<Picture>> {
        let [h, w] = self.size;
        let n = self.names.len() + 1;
        let done = outputs[3].iter().filter(|&&done| done > 0.0).count().max(1);
        let classes = outputs[1].len() / n;
        let row = |output: usize, k: usize, width: usize| &outputs[output][k * width..][..width];
        let map = |k: usize| row(0, k, h * w);
        let mut pictures = Vec::new();
        let mut correlations = vec![1.0];
        for k in 0..done {
            let title = if k == 0 {
                let answer = Answer::new(&self.asker, row(1, 0, classes), row(2, 0, classes))?;
                format!("{} · as trained · {}", self.title, answer.class())
            } else {
                let correlation = rank_correlation(map(0), map(k));
                correlations.push(correlation);
                let name = &self.names[k - 1];
                format!("{name} and all above random · rank correlation {correlation:.2}")
            };
            pictures.push(self.kind.picture(title, map(k), self.size)?);
        }
        if correlations.len() == n && n > 2 {
            let title = "Rank correlation with the trained network's map as more layers are random, from the top down";
            pictures.push(Picture::curves(title, &[correlations])?);
        }
        Ok(pictures)
    }
}

/// Layers with parameters from the top down, in at most [`MOST_LEVELS`] groups: the name of each group's
/// lowest layer, and the layers.
fn levels(network: &Network) -> Vec<(String, Vec<String>)> {
    let trained = network.layers.iter().rev().filter(|layer| layer.params > 0);
    let ids: Vec<String> = trained.map(|layer| layer.id.clone()).collect();
    let size = ids.len().div_ceil(MOST_LEVELS).max(1);
    let groups = ids.chunks(size);
    groups
        .filter_map(|group| Some((group.last()?.clone(), group.to_vec())))
        .collect()
}

/// The row of this run, `[1, n]`, and the counters that it comes from.
fn level(g: &mut Graph, n: usize) -> Result<(ValueId, ValueId)> {
    let counters = g.external("cascade counters", Spec::u32([4]))?;
    let index = ops::sequential_indices(g, counters, n, 1)?;
    Ok((ops::one_hot(g, index, n)?, counters))
}

/// Weights of which those of the first levels are random.
struct Cascade<'a> {
    network: &'a Network,
    seed: u64,
    levels: &'a [(String, Vec<String>)],
}

impl Cascade<'_> {
    /// The network's state with as many levels random as runs have been.
    fn state(&self, g: &mut Graph) -> Result<[ValueId; 2]> {
        let (network, n) = (self.network, self.levels.len() + 1);
        let own = network.state(g)?;
        // Not the training's own seed, whose weights these may still resemble.
        let (parameters, statistics) = network.initial(self.seed ^ 0x5a17);
        let (level, _) = level(g, n)?;
        let numbers: Vec<f32> = (0..n).map(|k| k as f32).collect();
        let numbers = g.constant([n, 1], &numbers)?;
        let random = ops::matmul(g, level, numbers, false, false)?;
        let mut state = own;
        for (value, list, drawn) in [
            (0, &network.parameters, parameters),
            (1, &network.statistics, statistics),
        ] {
            let words = drawn.len();
            // 1 where the level is below those that are random, 0 where it is one of them.
            let at = self.level_of_words(list, words);
            let at = g.constant([words], &at)?;
            let minus = ops::broadcast(g, random, [1, words, 1], [words], -1.0)?;
            let above = ops::add(g, at, minus)?;
            let keep = clamp(g, above, 0.0, 1.0)?;
            let drawn = g.constant([words], &drawn)?;
            let take = ops::affine(g, keep, -1.0, 1.0)?;
            let kept = ops::mul(g, own[value], keep)?;
            let taken = ops::mul(g, drawn, take)?;
            state[value] = ops::add(g, kept, taken)?;
        }
        Ok(state)
    }

    /// For each word of a flat buffer the number of its level, from 1 on.
    fn level_of_words(&self, list: &[Parameter], words: usize) -> Vec<f32> {
        let mut at = vec![0.0; words];
        for one in list {
            let (owner, _) = one.name.split_once('.').unwrap_or_default();
            let mut levels = self.levels.iter();
            let level = levels.position(|(_, layers)| layers.iter().any(|id| id == owner));
            let number = level.map_or(0, |level| level + 1) as f32;
            at[one.offset..one.offset + one.shape.elements()].fill(number);
        }
        at
    }
}

/// Spearman's rank correlation of the sizes of two maps; 0 where one is the same everywhere.
fn rank_correlation(a: &[f32], b: &[f32]) -> f32 {
    let [a, b] = [a, b].map(ranks);
    let mean = (a.len() as f32 - 1.0) / 2.0;
    let product = |x: &[f32], y: &[f32]| {
        let pairs = x.iter().zip(y);
        pairs.map(|(x, y)| (x - mean) * (y - mean)).sum::<f32>()
    };
    let size = (product(&a, &a) * product(&b, &b)).sqrt();
    if size > 0.0 {
        product(&a, &b) / size
    } else {
        0.0
    }
}

/// The rank of each value's size, the mean rank where several are equal.
fn ranks(values: &[f32]) -> Vec<f32> {
    let sizes: Vec<f32> = values.iter().map(|value| value.abs()).collect();
    let order = ascending(&sizes);
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    for group in order.chunk_by(|&a, &b| values[a].abs() == values[b].abs()) {
        let rank = first as f32 + (group.len() as f32 - 1.0) / 2.0;
        group.iter().for_each(|&at| ranks[at] = rank);
        first += group.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::rank_correlation;

    #[test]
    fn ranks_alone_count() {
        let map = [0.1, -3.0, 2.0, 0.5];
        let squared: Vec<f32> = map.iter().map(|x| x * x).collect();
        assert!((rank_correlation(&map, &squared) - 1.0).abs() < 1e-6);
        assert!((rank_correlation(&map, &[4.0, 1.0, 2.0, 3.0]) + 1.0).abs() < 1e-6);
        assert_eq!(rank_correlation(&map, &[1.0; 4]), 0.0);
        // By hand: ranks 0 1 2 3 and 0.5 0.5 2 3.
        let tied = rank_correlation(&[1.0, 2.0, 3.0, 4.0], &[1.0, 1.0, 5.0, 6.0]);
        assert!((tied - 4.5 / (5.0_f32 * 4.5).sqrt()).abs() < 1e-6);
    }
}

//! A network made from its description: the layers with their shapes and costs, the parameters with
//! their places in the flat buffers, and the two things one does with it: begin (`initial`) and
//! become a graph (`build`).

use litemap::LiteMap;

use crate::error::{Error, Result};
use crate::graph::{Graph, ValueId, flat_layout};
use crate::ops;
use crate::tensor::{Shape, Spec};

use super::analysis::ReceptiveField;
use super::boundary::Boundary;
use super::init::{Init, Scheme};
use super::scope::{Average, Declaration, Inner, MAX_SIDE, Mode, check_size};
use super::spec::{INPUT, NetworkSpec, Resolved};
use super::walk::{Edit, run};

/// One layer, as shown on the page's network map.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerInfo {
    /// Its name in the network.
    pub id: String,
    /// Its entry in [`LAYERS`](super::LAYERS); "input" for the image.
    pub kind: String,
    /// One sentence on the kind.
    pub doc: String,
    /// Ids of the layers whose outputs it takes.
    pub inputs: Vec<String>,
    /// Channels, height and width of its output; a vector is `[c, 1, 1]`.
    pub shape: [usize; 3],
    /// Trainable parameters.
    pub params: usize,
    /// Multiply-adds per image of its convolutions, products and trained coefficients.
    pub macs: u64,
    /// Bytes of its output for one image; 0 where the output is its input under another shape.
    pub activation_bytes: u64,
    /// Which image pixels an output can see.
    pub receptive_field: ReceptiveField,
    /// Index into [`Network::parameters`] of its kernel: HWIO of a convolution, `[in, out]` of a dense layer.
    pub weight: Option<usize>,
}

/// A trained tensor or a running statistic.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// `"<layer>.weight"`, `"<layer>.bias"`, `"<layer>.running_mean"` ...
    pub name: String,
    /// Shape inside: HWIO, `[in, out]`, `[c]`.
    pub shape: Shape,
    /// First word in its flat buffer ([`flat_layout`]).
    pub offset: usize,
    /// Elements that are trained: all, or those that a connection table leaves; 0 for statistics.
    pub trainable: usize,
    /// How it looks outside.
    pub boundary: Boundary,
    pub(super) init: Init,
    pub(super) mask: Option<Vec<f32>>,
}

/// A network, ready to be built into graphs.
#[derive(Debug)]
pub struct Network {
    /// The description it was made from.
    pub spec: NetworkSpec,
    /// The image first, then every layer in order.
    pub layers: Vec<LayerInfo>,
    /// Trained tensors, in the order of the flat buffer "parameters".
    pub parameters: Vec<Parameter>,
    /// Running statistics, in the order of the flat buffer "statistics".
    pub statistics: Vec<Parameter>,
    nodes: Vec<Resolved>,
}

/// A network within a graph.
#[derive(Debug, Clone)]
pub struct Built {
    /// Output of every [`LayerInfo`], `[n, h, w, c]` or `[n, c]`.
    pub layers: Vec<ValueId>,
    /// What layers show of their inside: index of the layer, what it is, and the value.
    pub inner: Vec<(usize, Inner, ValueId)>,
    /// Class scores before the softmax, `[n, classes]`.
    pub logits: ValueId,
    /// Class scores of classifiers at the side, `[n, classes]`, and what their losses are multiplied by.
    pub auxiliaries: Vec<(ValueId, f32)>,
    /// Views of the parameters; pack their gradients for the optimizer.
    pub parameters: Vec<ValueId>,
    /// The flat running statistics after this batch, where it changes them.
    pub statistics: Option<ValueId>,
}

impl Built {
    /// What the layer of this index shows of its inside, if it has that.
    pub fn inner(&self, layer: usize, inner: Inner) -> Option<ValueId> {
        let mut all = self.inner.iter();
        let found = all.find(|(index, other, _)| (*index, *other) == (layer, inner));
        found.map(|(_, _, value)| *value)
    }
}

impl Network {
    /// Checks a description by running its layers once, without a number of its tensors existing:
    /// a network of any size can be described, also where it could not be trained.
    ///
    /// # Errors
    /// Names the node, what it expected and what it found.
    pub fn new(spec: &NetworkSpec) -> Result<Self> {
        check_ends(spec)?;
        let nodes = spec.resolve()?;
        let mut graph = Graph::new();
        let [c, h, w] = spec.input;
        let x = graph.external(INPUT, Spec::f32([1, h, w, c]))?;
        let walk = run(&nodes, &mut graph, x, Mode::Train, None, &mut |_, _, y| {
            Ok(y)
        })?;
        let last = walk.outputs.last().copied().unwrap_or(x);
        let scores = walk.scores.unwrap_or(last);
        let ends = walk.auxiliaries.iter().map(|(scores, _)| *scores);
        for scores in ends.chain([scores]) {
            if *graph.shape(scores) != Shape::from([1, spec.classes]) {
                let at = walk.outputs.iter().rposition(|&output| output == scores);
                let info = at.map_or(walk.infos.last(), |at| walk.infos.get(at));
                let place = info.map_or(INPUT, |info| info.id.as_str());
                let expected = format!("a vector of {} class scores at the end", spec.classes);
                let found = format!("{:?}", &graph.shape(scores).dims()[1..]);
                return Err(Error::mismatch(place, expected, found));
            }
        }
        let (statistics, parameters): (Vec<_>, Vec<_>) =
            walk.declared.into_iter().partition(|(_, d)| d.statistic);
        let mut network = Self {
            spec: spec.clone(),
            layers: walk.infos,
            parameters: placed(parameters)?,
            statistics: placed(statistics)?,
            nodes,
        };
        network.count_parameters();
        Ok(network)
    }

    /// Words of the flat parameter buffer.
    pub fn parameter_words(&self) -> usize {
        flat_layout(self.parameters.iter().map(|one| &one.shape)).1
    }

    /// Words of the flat buffer of running statistics (never 0, so that it can be bound).
    pub fn statistic_words(&self) -> usize {
        flat_layout(self.statistics.iter().map(|one| &one.shape)).1
    }

    /// Trainable parameters in all.
    pub fn params(&self) -> usize {
        self.layers.iter().map(|layer| layer.params).sum()
    }

    /// Multiply-adds per image in all.
    pub fn macs(&self) -> u64 {
        self.layers.iter().map(|layer| layer.macs).sum()
    }

    /// The layer called `id` and its index.
    ///
    /// # Errors
    /// When there is none.
    pub fn layer(&self, id: &str) -> Result<(usize, &LayerInfo)> {
        let mut all = self.layers.iter().enumerate();
        all.find(|(_, layer)| layer.id == id).ok_or_else(|| {
            Error::unknown(
                "layer",
                id,
                self.layers.iter().map(|layer| layer.id.as_str()),
            )
        })
    }

    /// Adds the network to `graph` behind the images `x` `[n, h, w, c]`, with outside buffers
    /// "parameters" and "statistics".
    ///
    /// # Errors
    /// When `x` is not a batch of this network's input.
    pub fn build(&self, graph: &mut Graph, x: ValueId, mode: Mode) -> Result<Built> {
        let state = self.state(graph)?;
        self.build_over(graph, x, mode, state)
    }

    /// Adds the outside buffers "parameters" and "statistics" to `graph`: the network's state.
    ///
    /// # Errors
    /// When `graph` has other buffers under these names.
    pub fn state(&self, graph: &mut Graph) -> Result<[ValueId; 2]> {
        let flat = graph.external("parameters", Spec::f32([self.parameter_words()]))?;
        let running = graph.external("statistics", Spec::f32([self.statistic_words()]))?;
        Ok([flat, running])
    }

    /// [`Network::build`] over a state of its own: flat parameters and flat running statistics.
    ///
    /// # Errors
    /// When `x` is not a batch of this network's input, or the state is not of its size.
    pub fn build_over(
        &self,
        graph: &mut Graph,
        x: ValueId,
        mode: Mode,
        state: [ValueId; 2],
    ) -> Result<Built> {
        self.build_edited(graph, x, mode, state, &mut |_, _, output| Ok(output))
    }

    /// [`Network::build_over`] with every layer's output replaced by what `edit` makes of it: to silence a
    /// unit, to turn a map.
    ///
    /// # Errors
    /// As [`Network::build_over`], and when `edit` fails.
    pub fn build_edited(
        &self,
        graph: &mut Graph,
        x: ValueId,
        mode: Mode,
        [flat, running]: [ValueId; 2],
        edit: &mut Edit<'_>,
    ) -> Result<Built> {
        let [c, h, w] = self.spec.input;
        let shape = graph.shape(x).four(&self.spec.name)?;
        if shape[1..] != [h, w, c] {
            let expected = format!("images [{h}, {w}, {c}]");
            let found = format!("{:?}", &shape[1..]);
            return Err(Error::mismatch(self.spec.name.as_str(), expected, found));
        }
        let parameters = views(graph, flat, &self.parameters)?;
        let statistics = views(graph, running, &self.statistics)?;
        let mut by_name: LiteMap<&str, ValueId> = LiteMap::new();
        let declared = self.parameters.iter().chain(&self.statistics);
        for (one, &view) in declared.zip(parameters.iter().chain(&statistics)) {
            by_name.insert(&one.name, view);
        }
        let walk = run(&self.nodes, graph, x, mode, Some(&by_name), edit)?;
        let last = walk.outputs.last().copied().unwrap_or(x);
        Ok(Built {
            logits: walk.scores.unwrap_or(last),
            auxiliaries: walk.auxiliaries,
            layers: walk.outputs,
            inner: walk.inner,
            parameters,
            statistics: averaged(graph, running, &statistics, &walk.averages)?,
        })
    }

    /// Parameters and running statistics at the beginning, flat as in the buffers, padding zero.
    pub fn initial(&self, seed: u64) -> (Vec<f32>, Vec<f32>) {
        let fill = |list: &[Parameter], words: usize| {
            let mut flat = vec![0.0; words];
            for one in list {
                let stream = format!("init {}", one.name);
                let values = one
                    .init
                    .draw(seed, &stream, &one.shape, one.mask.as_deref());
                flat[one.offset..one.offset + values.len()].copy_from_slice(&values);
            }
            flat
        };
        let parameters = fill(&self.parameters, self.parameter_words());
        (parameters, fill(&self.statistics, self.statistic_words()))
    }

    /// Layers whose weights are to be scaled to outputs of variance one before training: their indices and
    /// their weights', in order.
    pub(crate) fn calibrated(&self) -> Vec<(usize, usize)> {
        let is_calibrated = |one: &Parameter| match one.init {
            Init::Random { scheme, .. } => scheme == Scheme::UnitVariance,
            Init::Constant(_) | Init::Normal { .. } => false,
        };
        let weight_of = |layer: &LayerInfo| {
            let mut all = self.parameters.iter();
            all.position(|one| one.name.strip_suffix(".weight") == Some(layer.id.as_str()))
        };
        let layers = self.layers.iter().enumerate();
        layers
            .filter_map(|(index, layer)| Some((index, weight_of(layer)?)))
            .filter(|(_, weight)| is_calibrated(&self.parameters[*weight]))
            .collect()
    }

    /// Attributes each parameter's trainable elements to its layer, and finds each layer's kernel.
    fn count_parameters(&mut self) {
        let mut trainable: LiteMap<&str, usize> = LiteMap::new();
        let mut kernels: LiteMap<&str, usize> = LiteMap::new();
        for (index, one) in self.parameters.iter().enumerate() {
            let (owner, name) = one.name.split_once('.').unwrap_or_default();
            *trainable.entry(owner).or_default() += one.trainable;
            if name == "weight" {
                kernels.insert(owner, index);
            }
        }
        for layer in &mut self.layers {
            let id = layer.id.as_str();
            layer.params = trainable.get(id).copied().unwrap_or(0);
            layer.weight = layer.weight.and_then(|_| kernels.get(id).copied());
        }
    }
}

/// Refuses an input or class count outside what any layer could take.
fn check_ends(spec: &NetworkSpec) -> Result<()> {
    let [c, h, w] = spec.input;
    let sides = 1..=MAX_SIDE;
    if !(1..=64).contains(&c) || !sides.contains(&h) || !sides.contains(&w) {
        let expected = format!("1 to 64 channels and sides of 1 to {MAX_SIDE}");
        return Err(Error::mismatch(
            "network input",
            expected,
            format!("{:?}", spec.input),
        ));
    }
    if !(2..=1000).contains(&spec.classes) {
        let found = spec.classes.to_string();
        return Err(Error::mismatch("network classes", "2 to 1000", found));
    }
    Ok(())
}

/// Gives each declaration its place in the flat buffer.
fn placed(declared: Vec<(String, Declaration)>) -> Result<Vec<Parameter>> {
    let sizes: u64 = declared
        .iter()
        .map(|(_, d)| d.shape.elements() as u64)
        .sum();
    check_size(
        "network parameters",
        &[usize::try_from(sizes).unwrap_or(usize::MAX)],
    )?;
    let (offsets, _) = flat_layout(declared.iter().map(|(_, d)| &d.shape));
    let place = |((name, d), offset): ((String, Declaration), usize)| {
        let connected = |mask: &Vec<f32>| mask.iter().filter(|&&m| m != 0.0).count();
        let all = d.mask.as_ref().map_or(d.shape.elements(), connected);
        Parameter {
            name,
            shape: d.shape,
            offset,
            trainable: if d.statistic { 0 } else { all },
            boundary: d.boundary,
            init: d.init,
            mask: d.mask,
        }
    };
    Ok(declared.into_iter().zip(offsets).map(place).collect())
}

fn views(graph: &mut Graph, flat: ValueId, list: &[Parameter]) -> Result<Vec<ValueId>> {
    list.iter()
        .map(|one| ops::view(graph, flat, one.offset, one.shape.clone()))
        .collect()
}

/// All running statistics after `averages`, in one update of the flat buffer `running`; those that no
/// layer moves stay as they are.
fn averaged(
    graph: &mut Graph,
    running: ValueId,
    statistics: &[ValueId],
    averages: &[Average],
) -> Result<Option<ValueId>> {
    if averages.is_empty() {
        return Ok(None);
    }
    let (offsets, words) = flat_layout(statistics.iter().map(|&view| graph.shape(view)));
    let (mut keep, mut take) = (vec![1.0; words], vec![0.0; words]);
    let mut values = statistics.to_vec();
    for average in averages {
        let is_its = |&view: &ValueId| view == average.statistic;
        let index = statistics.iter().position(is_its).ok_or_else(|| {
            let expected = "averages of declared statistics";
            Error::mismatch("running statistics", expected, "another value")
        })?;
        let range = offsets[index]..offsets[index] + graph.shape(average.value).elements();
        keep[range.clone()].fill(average.keep);
        take[range].fill(average.take);
        values[index] = average.value;
    }
    let values = ops::pack(graph, &values)?;
    let keep = graph.constant([words], &keep)?;
    let take = graph.constant([words], &take)?;
    ops::running_average(graph, running, values, keep, take).map(Some)
}

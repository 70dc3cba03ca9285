//! What a unit of a deeper layer weighs in the pixels: its kernel composed with all layers before it as if they had
//! no nonlinearities. Whatever has nothing to learn and keeps channels apart is taken as what it does to the mean:
//! an activation passes on, a pooling averages. The rest is linear in most networks, and the filter is its slope;
//! where it is not, two images give two slopes, and the picture says so.

use crate::autodiff::gradient;
use crate::compile::compile;
use crate::error::Result;
use crate::graph::{BackwardRule, Graph, ValueId};
use crate::nn::{LayerInfo, Mode};
use crate::ops::{self, Pool2d};
use crate::rng::Rng;
use crate::tensor::Tensor;

use super::sight::Sight;
use super::{Needs, Picture, Recipe, Request, Visualization, as_maps, check_finite};

/// The method.
#[derive(Debug)]
pub(super) struct EffectiveFilter;

/// Said where the slope depends on the image.
const CURVED: &str = "The layers before this one are not linear even without their activations: this is their slope \
                      at the mean image.";

impl Visualization for EffectiveFilter {
    fn id(&self) -> &'static str {
        "effective-filter"
    }

    fn name(&self) -> &'static str {
        "Effective filter"
    }

    fn doc(&self) -> &'static str {
        "What the unit weighs in the pixels: its kernel composed with the layers before it, activations left out and \
         poolings taken as means."
    }

    fn needs(&self) -> Needs {
        Needs {
            layer: true,
            channel: true,
            image: false,
        }
    }

    fn recipe(&self, request: &Request<'_>) -> Result<Recipe> {
        let (place, network) = ("effective filter", request.network);
        request.behind_input(place)?;
        let [c, h, w] = network.spec.input;
        let mut rng = Rng::new(request.seed, place);
        let pixels = h * w * c;
        // The mean image, and another.
        let images: Vec<f32> = (0..2 * pixels)
            .map(|at| if at < pixels { 0.0 } else { rng.normal() })
            .collect();
        let mut graph = Graph::new();
        let g = &mut graph;
        let x = g.constant([2, h, w, c], &images)?;
        let state = network.state(g)?;
        let mut values = vec![x];
        let mut edit = |g: &mut Graph, index: usize, output: ValueId| {
            let layer = &network.layers[index];
            let output = match *layer.inputs.as_slice() {
                [ref input] if layer.params == 0 => {
                    let (at, before) = network.layer(input)?;
                    linear(g, [before, layer], values[at], output)?
                }
                _ => output,
            };
            values.push(output);
            Ok(output)
        };
        let built = network.build_edited(g, x, Mode::Eval, state, &mut edit)?;
        let maps = built.layers[request.layer];
        let sight = Sight::of(request);
        let [height, width] = sight.map;
        let middle = height / 2 * width + width / 2;
        let units = network.layers[request.layer].shape[0];
        let size = height * width * units;
        let seed: Vec<f32> = (0..2 * size)
            .map(|at| f32::from(u8::from(at % size == middle * units + request.channel)))
            .collect();
        let seed = g.constant([2, height, width, units], &seed)?;
        let maps = as_maps(g, maps)?;
        let slopes = gradient(g, maps, seed, &[x], BackwardRule::Gradient)?[0];
        let name = format!("{} unit {}", request.layer_id(), request.channel);
        let decode = move |outputs: &[Vec<f32>]| {
            check_finite(place, "weights", &outputs[0])?;
            let (own, other) = outputs[0].split_at(pixels);
            let most = own.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
            let mut pairs = own.iter().zip(other);
            let bent = pairs.any(|(a, b)| (a - b).abs() > 1e-3 * most);
            let window = sight.window(middle);
            let [tall, wide] = window.1;
            let filter = Tensor::new([c, tall, wide], sight.crop(window, 0.0, |at| own[at]))?;
            let title = format!("{name}: what it weighs in {tall} x {wide} pixels");
            let mut picture = Picture::new(title, &filter, true)?;
            picture.note = bent.then(|| CURVED.to_owned());
            Ok(vec![picture])
        };
        Ok(Recipe {
            compiled: compile(&graph, place, &[slopes])?,
            buffers: Vec::new(),
            runs: 1,
            decode: Box::new(decode),
            then: None,
        })
    }
}

/// What a layer that learns nothing does to the mean of its input `x`: the same, or `output` itself where it mixes
/// channels or makes maps larger.
fn linear(
    g: &mut Graph,
    [before, layer]: [&LayerInfo; 2],
    x: ValueId,
    output: ValueId,
) -> Result<ValueId> {
    let shape = g.shape(output).clone();
    if *g.shape(x) == shape {
        return Ok(x);
    }
    let apart = before.shape[0] == layer.shape[0];
    let (&[n, h, w, c], true) = (g.shape(x).dims(), apart) else {
        return Ok(output);
    };
    if shape.rank() == 2 {
        return ops::sum(g, x, [n, h * w, c], shape, 1.0 / (h * w) as f32);
    }
    let (from, to) = (before.receptive_field, layer.receptive_field);
    let mut pool = Pool2d::whole([1; 2]);
    for (axis, extent) in [h, w].into_iter().enumerate() {
        let step = from.stride[axis];
        let first = from.offset[axis] - to.offset[axis];
        let (Ok(first), Some(reach)) = (
            usize::try_from(first),
            to.size[axis].checked_sub(from.size[axis]),
        ) else {
            return Ok(output);
        };
        let (size, stride) = (reach / step + 1, (to.stride[axis] / step).max(1));
        let before = first / step;
        let end = (layer.shape[axis + 1] - 1) * stride + size;
        let after = end.saturating_sub(extent + before);
        if before.max(after) >= size {
            return Ok(output);
        }
        pool.size[axis] = size;
        pool.stride[axis] = stride;
        pool.padding[axis] = [before, after];
    }
    let mean = ops::avg_pool2d(g, x, pool)?;
    // Maps that are made larger are no pooling.
    Ok(if *g.shape(mean) == shape {
        mean
    } else {
        output
    })
}

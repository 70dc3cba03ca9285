//! Runs methods without a laboratory around them.

use convscope::backend::Backend;
use convscope::backend::cpu::Cpu;
use convscope::error::Result;
use convscope::field::Values;
use convscope::nn::Network;
use convscope::tensor::Tensor;
use convscope::train::Look;
use convscope::visualize::{Picture, Recipe, Request, find_visualization};
use pollster::block_on;
use serde_json::Value;

/// Runs a recipe and those that follow it to their end, over these weights (parameters and statistics).
pub(crate) fn run_over<B: Backend>(
    backend: &B,
    recipe: Recipe,
    (parameters, statistics): (&[f32], &[f32]),
) -> Result<Vec<Picture>> {
    let filled = |name: &str, words: &[u32]| {
        let buffer = backend.allocate(name, words.len()).unwrap();
        backend.upload(&buffer, 0, words).unwrap();
        buffer
    };
    let mut pictures = Vec::new();
    let mut next = Some((recipe, Vec::new()));
    while let Some((recipe, fed)) = next {
        let external = |name: &str| {
            let mut all = recipe.buffers.iter().chain(&fed);
            let own = all.find(|(other, _)| *other == name);
            Some(match (own, name) {
                (Some((_, words)), _) => filled(name, words),
                (None, "parameters") => filled(name, bytemuck::cast_slice(parameters)),
                (None, "statistics") => filled(name, bytemuck::cast_slice(statistics)),
                _ => return None,
            })
        };
        let prepared = block_on(backend.prepare(&recipe.compiled.program, &external)).unwrap();
        backend.run(&prepared, recipe.runs).unwrap();
        let views = recipe.compiled.outputs.iter();
        let outputs: Vec<Vec<f32>> = views
            .map(|view| {
                let buffer = backend.buffer(&prepared, view.buffer);
                let words = block_on(backend.read(&buffer, view.offset, view.words)).unwrap();
                words.into_iter().map(f32::from_bits).collect()
            })
            .collect();
        pictures.extend((recipe.decode)(&outputs)?);
        next = match recipe.then {
            Some(next) => Some((next.recipe, (next.feed)(&outputs)?)),
            None => None,
        };
    }
    Ok(pictures)
}

/// What `method` shows of these weights.
pub(crate) fn pictures(request: &Request<'_>, method: &str, parameters: &[f32]) -> Vec<Picture> {
    let (_, statistics) = request.network.initial(0);
    let recipe = find_visualization(method).unwrap().recipe(request).unwrap();
    run_over(&Cpu::new(), recipe, (parameters, &statistics)).unwrap()
}

/// Nothing is known of a dataset.
static LOOK: Look = Look {
    covariance: Vec::new(),
    spectrum: Vec::new(),
};

/// A request with images as they are, unnormalized.
pub(crate) fn request<'a>(
    network: &'a Network,
    method: &str,
    (layer, channel): (&str, usize),
    image: Option<&'a Tensor>,
    fields: &Value,
) -> Request<'a> {
    let method = find_visualization(method).unwrap();
    Request {
        network,
        normalization: (
            &[1.0; 3][..network.spec.input[0]],
            &[0.0; 3][..network.spec.input[0]],
        ),
        look: &LOOK,
        layer: network
            .layers
            .iter()
            .position(|info| info.id == layer)
            .unwrap(),
        channel,
        classes: &[],
        image,
        directions: None,
        seed: 1,
        values: Values::check(method.id(), &method.fields(), fields.as_object().unwrap()).unwrap(),
        data: None,
    }
}

//! What augmentations make of one training image: the same ops as in training, on the same backend.

use crate::backend::Backend;
use crate::compile::{Compiled, compile};
use crate::data::{N_STRENGTHS, STAGES};
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::tensor::{Spec, Tensor};

use super::plan::{Pick, entries, stages};
use super::session::Session;
use super::{read_view, words_from_floats};

/// Most versions in one preview.
const MOST: usize = 64;

/// `count` versions of training image `index`, `[c, h, w]` in 0..1, as `augmentations` draw them from
/// `seed`. Images that are blended in are those that follow it.
pub(super) async fn augmented<B: Backend>(
    session: &Session<B>,
    index: usize,
    augmentations: &[Pick],
    count: usize,
    seed: u32,
) -> Result<Vec<Tensor>> {
    let (data, backend) = (session.data(), session.backend());
    let n = data.dataset.train.len();
    // Refuses an index that is past the end.
    data.dataset.train.image(index)?;
    if !(1..=MOST).contains(&count) {
        let expected = format!("1 to {MOST}");
        return Err(Error::mismatch(
            "augmented versions",
            expected,
            count.to_string(),
        ));
    }
    // Ops that blend take a row's partner from the other end.
    let partners = (0..count).map(|i| (index + 1 + i) % n);
    let rows: Vec<u32> = std::iter::repeat_n(index, count)
        .chain(partners)
        .map(|item| item as u32)
        .collect();
    let chosen = entries(augmentations)?;
    let mut graph = Graph::new();
    let g = &mut graph;
    let counters = g.external("preview counters", Spec::u32([4]))?;
    let indices = g.external("preview items", Spec::u32([rows.len()]))?;
    let stages = stages(augmentations)?;
    let layout = &data.layout;
    let batch = layout.gather_plain(g, "train", indices.into(), counters, &stages)?;
    let Compiled { program, outputs } = compile(&graph, "augmentations", &[batch.images])?;

    let mut buffers = Vec::new();
    let mut buffer = |name: &str, words: &[u32]| -> Result<()> {
        let buffer = backend.allocate(name, words.len())?;
        backend.upload(&buffer, 0, words)?;
        buffers.push((name.to_owned(), buffer));
        Ok(())
    };
    buffer("preview counters", &[0, seed, 0, 0])?;
    buffer("preview items", &rows)?;
    for stage in STAGES {
        let strengths: [f32; N_STRENGTHS] = stage.strengths(&chosen)?;
        buffer(stage.buffer(), words_from_floats(&strengths))?;
    }
    let find = |name: &str| {
        let own = buffers.iter().find(|(other, _)| other == name);
        own.map_or_else(|| session.buffer(name), |(_, buffer)| Some(buffer.clone()))
    };
    let prepared = backend.prepare(&program, &find).await?;
    backend.run(&prepared, 1)?;
    let pixels = read_view(backend, &prepared, outputs[0]).await?;
    let [c, h, w] = data.dataset.shape;
    let images = pixels.chunks_exact(h * w * c).take(count);
    images
        .map(|image| Tensor::new([h, w, c], image.to_vec())?.permuted(&[2, 0, 1]))
        .collect()
}

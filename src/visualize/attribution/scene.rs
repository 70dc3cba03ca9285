//! The graph in which a network answers the image that is explained, and the parts from which
//! attributions are made: gradients of the class score, and sweeps over many images. A sweep's images come
//! in batches, one in each run of the program, so that its progress shows and it can be stopped; what
//! differs between them is a row of a table, chosen on the device by the number of the run.

use crate::autodiff::gradient;
use crate::error::{Error, Result};
use crate::graph::{BackwardRule, Graph, ValueId};
use crate::nn::{Built, Mode};
use crate::ops::{self, Pool2d};
use crate::tensor::Spec;

use super::super::sample::{batch_of, total};
use super::super::{Request, one_channel};
use super::asked_class;

/// An image before a network.
#[derive(Debug)]
pub struct Scene<'a> {
    pub(super) graph: Graph,
    pub(super) request: &'a Request<'a>,
    /// The image in 0..1, and as the network sees it: `[1, h, w, c]`.
    pub(super) image: ValueId,
    pub(super) x: ValueId,
    /// The network's answer.
    pub(super) built: Built,
    /// `[1, classes]`: 1 at the class that is explained.
    pub(super) class: ValueId,
    /// Outside buffers and what they hold at first.
    pub(super) buffers: Vec<(&'static str, Vec<u32>)>,
    state: [ValueId; 2],
    counters: ValueId,
    samples: usize,
    batch: usize,
}

impl<'a> Scene<'a> {
    /// The scene of a request, with a sweep over `samples` images.
    pub(super) fn new(request: &'a Request<'a>, samples: usize) -> Result<Self> {
        let batch = batch_of(request.network.macs(), samples);
        Self::over(request, samples, batch, |graph| {
            request.network.state(graph)
        })
    }

    /// The same over weights of its own, the sweep in batches of `batch`.
    pub(super) fn over(
        request: &'a Request<'a>,
        samples: usize,
        batch: usize,
        state: impl FnOnce(&mut Graph) -> Result<[ValueId; 2]>,
    ) -> Result<Self> {
        let class = asked_class(request)?;
        let mut graph = Graph::new();
        let g = &mut graph;
        let image = request.external_image(g)?;
        let counters = g.external("sweep counters", Spec::u32([4]))?;
        let own = request.network.state(g)?;
        let state = state(g)?;
        let x = request.normalize(g, image)?;
        let built = request.network.build_over(g, x, Mode::Eval, state)?;
        let classes = request.network.spec.classes;
        let class = match class {
            Some(class) => {
                let row = one_channel(g, classes, class)?;
                ops::reshape(g, row, [1, classes])?
            }
            None => {
                // Other weights explain what the network's own predict.
                let logits = match state == own {
                    true => built.logits,
                    false => request.network.build_over(g, x, Mode::Eval, own)?.logits,
                };
                let label = argmax(g, logits)?;
                ops::one_hot(g, label, classes)?
            }
        };
        let buffers = vec![
            ("image", request.image_words()?),
            ("sweep counters", vec![0, request.seed as u32, 0, 0]),
        ];
        Ok(Self {
            graph,
            request,
            image,
            x,
            built,
            class,
            buffers,
            state,
            counters,
            samples,
            batch,
        })
    }

    /// Runs of the program.
    pub(super) fn runs(&self) -> u32 {
        u32::try_from(self.samples.div_ceil(self.batch.max(1)).max(1)).unwrap_or(u32::MAX)
    }

    /// Images of a run's sweep.
    pub(super) fn batch(&self) -> usize {
        self.batch
    }

    /// Height, width and channels of the image.
    pub(super) fn size(&self) -> [usize; 3] {
        let [c, h, w] = self.request.network.spec.input;
        [h, w, c]
    }

    /// Ends a run.
    pub(super) fn advance(&mut self) -> Result<()> {
        ops::advance(&mut self.graph, self.counters)?;
        Ok(())
    }

    /// The answer to other images in 0..1, `[n, h, w, c]`.
    pub(super) fn answer(&mut self, images: ValueId) -> Result<Built> {
        let g = &mut self.graph;
        let x = self.request.normalize(g, images)?;
        let network = self.request.network;
        network.build_over(g, x, Mode::Eval, self.state)
    }

    /// The class score's gradient with respect to a value on the image's own way.
    pub(super) fn gradient(&mut self, to: ValueId, rule: BackwardRule) -> Result<ValueId> {
        let g = &mut self.graph;
        Ok(gradient(g, self.built.logits, self.class, &[to], rule)?[0])
    }

    /// `[batch, samples]`: 1 where an image of this run is that sample.
    pub(super) fn present(&mut self) -> Result<ValueId> {
        let g = &mut self.graph;
        let indices = ops::sequential_indices(g, self.counters, self.samples, self.batch)?;
        ops::one_hot(g, indices, self.samples)
    }

    /// The rows of a table `[samples, width]` of `entries` that belong to this run: `[batch, width]`, zero past
    /// the end.
    pub(super) fn rows(
        &mut self,
        width: usize,
        entries: impl FnMut(usize) -> f32,
    ) -> Result<ValueId> {
        let words = self.samples.saturating_mul(width);
        check_words("attribution", words)?;
        let table: Vec<f32> = (0..words).map(entries).collect();
        let present = self.present()?;
        let table = self.graph.constant([self.samples, width], &table)?;
        ops::matmul(&mut self.graph, present, table, false, false)
    }

    /// For each image of this run the class as a row of `[batch, classes]`, times `weight`; zeros past the end.
    pub(super) fn classes(&mut self, weight: f32) -> Result<ValueId> {
        let weights = self.rows(1, |_| weight)?;
        ops::matmul(&mut self.graph, weights, self.class, false, false)
    }

    /// One image `[1, h, w, c]` for each of this run: `[batch, h, w, c]`.
    pub(super) fn repeated(&mut self, image: ValueId) -> Result<ValueId> {
        let [h, w, c] = self.size();
        let factors = [1, self.batch, h * w * c];
        let shape = [self.batch, h, w, c];
        ops::broadcast(&mut self.graph, image, factors, shape, 1.0)
    }

    /// The class scores' gradients for other images, weighted and added up over all runs: `[1, h, w, c]`.
    pub(super) fn swept_gradient(&mut self, images: ValueId, weight: f32) -> Result<ValueId> {
        let [h, w, c] = self.size();
        let built = self.answer(images)?;
        let seed = self.classes(weight)?;
        let g = &mut self.graph;
        let each = gradient(g, built.logits, seed, &[images], BackwardRule::Gradient)?[0];
        let factors = [1, self.batch, h * w * c];
        let share = ops::sum(g, each, factors, [1, h, w, c], 1.0)?;
        self.total("swept gradient", share)
    }

    /// `share` added up over all runs.
    pub(super) fn total(&mut self, name: &'static str, share: ValueId) -> Result<ValueId> {
        if self.runs() == 1 {
            return Ok(share);
        }
        let (total, buffer) = total(&mut self.graph, name, share)?;
        self.buffers.push(buffer);
        Ok(total)
    }
}

/// Refuses tables that would fill the tab's memory.
pub(super) fn check_words(place: &str, words: usize) -> Result<()> {
    /// 64 MiB.
    const MOST_WORDS: usize = 1 << 24;
    if words <= MOST_WORDS {
        return Ok(());
    }
    Err(Error::memory(
        place.to_owned(),
        4 * words as u64,
        4 * MOST_WORDS as u64,
    ))
}

/// The index of the largest element of `row` `[1, n]`, u32 `[1]`.
pub(super) fn argmax(g: &mut Graph, row: ValueId) -> Result<ValueId> {
    let [_, n] = g.shape(row).two("class scores")?;
    let whole = Pool2d::whole([1, n]);
    let row = ops::reshape(g, row, [1, 1, n, 1])?;
    let switch = ops::max_pool2d_switches(g, row, whole)?;
    ops::reshape(g, switch, [1])
}

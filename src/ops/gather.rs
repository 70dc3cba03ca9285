//! Batches out of the dataset that lies on the device as bytes: unpacking, normalization and labels.

use crate::error::{Error, Result};
use crate::graph::{Example, Graph, Lowering, Op, OpInfo, ValueId, expect_dtype, expect_inputs};
use crate::program::{Args, Kernel, MOST_BINDINGS};
use crate::tensor::{DType, Spec, Tensor};

use super::indices::{EpochIndices, ITEMS_SHADER, Items};

/// Images of a batch.
#[derive(Debug, Clone, Copy)]
struct GatherImages {
    /// Its input behind the shards are the counters, not the items.
    epoch: Option<EpochIndices>,
    batch: usize,
    shape: [usize; 3],
    n_items: usize,
    /// Items of each shard but the last, which has the rest.
    per_shard: usize,
}

/// Buffers that a dataset may be spread over; the kernel binds three others.
pub const MOST_SHARDS: usize = MOST_BINDINGS - 3;

/// Labels of a batch.
#[derive(Debug, Clone, Copy)]
struct GatherLabels;

/// The images `items` (`u32[n]`) of a dataset as `[n, h, w, c]` floats: each byte is divided by
/// 255, multiplied by its channel's scale and moved by its shift. `words` are NHWC bytes, four to a
/// word from the lowest bits up, each image starting at a word; `scale_shift` is `[2, c]`. An index
/// past the last of `n_items` images gives zeros. A dataset larger than a buffer may be comes in up to
/// [`MOST_SHARDS`] `shards` of `per_shard` images each, the last with the rest.
///
/// # Errors
/// When the shards are not `n_items` images of `[h, w, c] = shape`, or the other inputs do not fit.
pub fn gather_images(
    graph: &mut Graph,
    shards: &[ValueId],
    items: Items,
    shape: [usize; 3],
    [n_items, per_shard]: [usize; 2],
    scale_shift: ValueId,
) -> Result<ValueId> {
    // Those of another dataset's epoch are taken as they are.
    let epoch = items.epoch.filter(|(epoch, _)| epoch.n_items == n_items);
    let op = GatherImages {
        epoch: epoch.map(|(epoch, _)| epoch),
        batch: vector("gather_images items", graph.spec(items.indices))?,
        shape,
        n_items,
        per_shard,
    };
    let source = epoch.map_or(items.indices, |(_, counters)| counters);
    graph.push(op, &[shards, &[source, scale_shift]].concat())
}

/// The labels of the items `indices`, `u32[n]`; 0 for an index past the last label.
///
/// # Errors
/// When labels or indices are not `u32` vectors.
pub fn gather_labels(graph: &mut Graph, labels: ValueId, indices: ValueId) -> Result<ValueId> {
    graph.push(GatherLabels, &[labels, indices])
}

/// The length of a vector of words.
fn vector(place: &str, input: &Spec) -> Result<usize> {
    match *expect_dtype(place, input, DType::U32)?.dims() {
        [n] => Ok(n),
        _ => Err(Error::mismatch(place, "a vector", input.to_string())),
    }
}

impl Op for GatherImages {
    fn name(&self) -> &'static str {
        "gather_images"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [shards @ .., _, scale_shift] = inputs else {
            let expected = "shards, items and scales";
            let found = format!("{} inputs", inputs.len());
            return Err(Error::mismatch("gather_images", expected, found));
        };
        let [h, w, c] = self.shape;
        let needed = self.n_items.div_ceil(self.per_shard.max(1));
        if shards.len() != needed || !(1..=MOST_SHARDS).contains(&needed) {
            let expected = format!("{needed} shards, at most {MOST_SHARDS}");
            let found = shards.len().to_string();
            return Err(Error::mismatch("gather_images", expected, found));
        }
        for (index, shard) in shards.iter().enumerate() {
            let items = self.per_shard.min(self.n_items - index * self.per_shard);
            let n_words = items * (h * w * c).div_ceil(4);
            if vector("gather_images shard", shard)? != n_words {
                let expected = format!("{n_words} words for {items} images");
                let found = shard.to_string();
                return Err(Error::mismatch("gather_images", expected, found));
            }
        }
        if *scale_shift != Spec::f32([2, c]) {
            let expected = format!("scale and shift {}", Spec::f32([2, c]));
            return Err(Error::mismatch(
                "gather_images",
                expected,
                scale_shift.to_string(),
            ));
        }
        Ok(Spec::f32([self.batch, h, w, c]))
    }

    fn lower(&self, inputs: &[Spec], _: &Spec) -> Lowering {
        let Self {
            epoch,
            batch,
            shape: [h, w, c],
            n_items,
            per_shard,
        } = *self;
        let (size, shards) = (h * w * c, inputs.len() - 2);
        let per_item = size.div_ceil(4);
        let mut constants = vec![
            ("BATCH", batch),
            ("SIZE", size),
            ("CHANNELS", c),
            ("PER_SHARD", per_shard),
            ("SHARDS", shards),
            ("given", usize::from(epoch.is_none())),
        ];
        match epoch {
            Some(epoch) => constants.extend(epoch.constants()),
            None => constants.push(("ITEMS", n_items)),
        }
        let twin = move |args: &mut Args<'_>| {
            let (scales, shifts) = args.read(shards + 1).split_at(c);
            let mut words: [&[u32]; MOST_SHARDS] = [&[]; MOST_SHARDS];
            for (shard, words) in words.iter_mut().enumerate().take(shards) {
                *words = args.read_words(shard);
            }
            let source = args.read_words(shards);
            let (y, [items]) = args.write_with_scratch(0, [batch]);
            let items = bytemuck::cast_slice_mut(items);
            match epoch {
                Some(epoch) => epoch.find(source, items),
                None => items.copy_from_slice(source),
            }
            for (row, &mut item) in y.chunks_exact_mut(size).zip(items) {
                let item = item as usize;
                if item >= n_items {
                    row.fill(0.0);
                    continue;
                }
                let image = &words[item / per_shard][item % per_shard * per_item..][..per_item];
                for (four, word) in row.chunks_mut(4).zip(image) {
                    for (y, byte) in four.iter_mut().zip(word.to_le_bytes()) {
                        *y = f32::from(byte) / 255.0;
                    }
                }
                if let ([scale], [shift]) = (scales, shifts) {
                    row.iter_mut().for_each(|y| *y = *y * scale + shift);
                    continue;
                }
                for pixel in row.chunks_exact_mut(c) {
                    for (y, (scale, shift)) in pixel.iter_mut().zip(scales.iter().zip(shifts)) {
                        *y = *y * scale + shift;
                    }
                }
            }
        };
        let head = if epoch.is_some() { ITEMS_SHADER } else { "" };
        let kernel = Kernel::linear(
            "gather_images",
            &format!("{head}{IMAGES_SHADER}"),
            &constants,
            shards + 2,
            batch * per_item,
            twin,
        );
        Lowering::single(kernel, shards + 2)
    }
}

impl Op for GatherLabels {
    fn name(&self) -> &'static str {
        "gather_labels"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [labels, indices] = expect_inputs("gather_labels", inputs)?;
        vector("gather_labels labels", labels)?;
        Ok(Spec::u32([vector("gather_labels indices", indices)?]))
    }

    fn lower(&self, inputs: &[Spec], output: &Spec) -> Lowering {
        let (n_items, batch) = (inputs[0].shape.elements(), output.shape.elements());
        let constants = [("ITEMS", n_items), ("BATCH", batch)];
        let twin = |args: &mut Args<'_>| {
            let (labels, indices) = (args.read_words(0), args.read_words(1));
            for (y, &item) in args.write_words(0).iter_mut().zip(indices) {
                *y = labels.get(item as usize).copied().unwrap_or(0);
            }
        };
        let kernel = Kernel::linear("gather_labels", LABELS_SHADER, &constants, 2, batch, twin);
        Lowering::single(kernel, 2)
    }
}

const IMAGES_SHADER: &str = crate::wgsl!("../../shaders/gather_images.wgsl");
const LABELS_SHADER: &str = crate::wgsl!("../../shaders/gather_labels.wgsl");

pub(super) const IMAGES_INFO: OpInfo = OpInfo {
    name: "gather_images",
    doc: "A batch of normalized images from the bytes of a dataset.",
    shaders: &[("gather_images", IMAGES_SHADER)],
    examples: || {
        let scale_shift = |values: [f32; 4]| vec![Tensor::from_fn([2, 2], |i| values[i])];
        // Three 1x3 images of two channels: 6 bytes, so 2 words each.
        let words = vec![
            0x0403_0201,
            0x0605,
            0xffee_ddcc,
            0xbbaa,
            0x8070_6050,
            0x1020,
        ];
        let data = |indices: Vec<u32>| {
            let n = indices.len();
            vec![(Spec::u32([6]), words.clone()), (Spec::u32([n]), indices)]
        };
        let example = |name, values, indices| {
            Example::new(name, scale_shift(values), |g, x| {
                gather_images(g, &x[1..2], x[2].into(), [1, 3, 2], [3, 3], x[0])
            })
            .with_words(data(indices))
            .forward_only()
        };
        vec![
            example(
                "with a row past the end",
                [2.0, 3.0, -0.5, 0.25],
                vec![2, 0, 3],
            ),
            example("one image", [1.0, 1.0, 0.0, 0.0], vec![1]),
            example(
                "not a number",
                [f32::NAN, 1.0, 0.0, f32::INFINITY],
                vec![1, 2],
            ),
            Example::new(
                "of an epoch",
                scale_shift([2.0, 3.0, -0.5, 0.25]),
                |g, x| {
                    let items = super::epoch_items(g, x[2], 3, 5)?;
                    gather_images(g, &x[1..2], items, [1, 3, 2], [3, 3], x[0])
                },
            )
            .with_words(vec![
                (Spec::u32([6]), words.clone()),
                (Spec::u32([4]), vec![4, 9, 0, 0]),
            ])
            .forward_only(),
            Example::new(
                "in two shards",
                scale_shift([2.0, 3.0, -0.5, 0.25]),
                |g, x| gather_images(g, &x[1..3], x[3].into(), [1, 3, 2], [3, 2], x[0]),
            )
            .with_words(vec![
                (Spec::u32([4]), words[..4].to_vec()),
                (Spec::u32([2]), words[4..].to_vec()),
                (Spec::u32([4]), vec![2, 0, 1, 3]),
            ])
            .forward_only(),
        ]
    },
};

pub(super) const LABELS_INFO: OpInfo = OpInfo {
    name: "gather_labels",
    doc: "The labels of a batch.",
    shaders: &[("gather_labels", LABELS_SHADER)],
    examples: || {
        let example = |name, labels: Vec<u32>, indices: Vec<u32>| {
            let specs = [labels.len(), indices.len()].map(|n| Spec::u32([n]));
            let [a, b] = specs;
            Example::new(name, Vec::new(), |g, x| gather_labels(g, x[0], x[1]))
                .with_words(vec![(a, labels), (b, indices)])
                .forward_only()
        };
        vec![
            example("with a row past the end", vec![5, 6, 7], vec![2, 0, 9]),
            example("one label", vec![4], vec![0]),
        ]
    },
};

//! The two products of multi-head attention (Vaswani et al. 2017, equation 1), batched over images and heads,
//! whose features lie side by side in the channels: scores `Q K^T`, and mixtures `P V`. Each is the other's
//! gradient, so nothing else is needed, and no head is ever copied out.

use crate::error::{Error, Result};
use crate::graph::{
    Backward, Example, Graph, Lowering, Op, OpInfo, ValueId, expect_dtype, expect_inputs,
};
use crate::program::{Args, Kernel};
use crate::tensor::{DType, Spec};

use super::rows::sum_pairs;
use super::testing::{nan, wave};

/// `y[n, h, t, s] = sum over k of a[n, t, (h, k)] * b[n, s, (h, k)]`.
#[derive(Debug, Clone, Copy)]
struct Scores {
    heads: usize,
}

/// `y[n, t, (h, k)] = sum over s of p[n, h, t, s] * v[n, s, (h, k)]`; transposed, the sum is over t.
#[derive(Debug, Clone, Copy)]
struct Mix {
    transposed: bool,
}

/// The scalar product of every token of `a` `[n, t, c]` with every token of `b` `[n, s, c]`, in each of
/// `heads` equal parts of the channels: `[n, heads, t, s]`.
///
/// # Errors
/// When the shapes do not fit, or `heads` does not divide the channels.
pub fn attention_scores(
    graph: &mut Graph,
    a: ValueId,
    b: ValueId,
    heads: usize,
) -> Result<ValueId> {
    graph.push(Scores { heads }, &[a, b])
}

/// The tokens of `v` `[n, s, c]` mixed by `p` `[n, heads, t, s]`, each head its part of the channels:
/// `[n, t, c]`. With `transposed`, `v` is `[n, t, c]` and the result `[n, s, c]`.
///
/// # Errors
/// When the shapes do not fit.
pub fn attention_mix(
    graph: &mut Graph,
    p: ValueId,
    v: ValueId,
    transposed: bool,
) -> Result<ValueId> {
    graph.push(Mix { transposed }, &[p, v])
}

/// All sizes of either product: `t` by `s` weights for each of `images * heads`, over `width` features.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    images: usize,
    heads: usize,
    t: usize,
    s: usize,
    width: usize,
}

impl Sizes {
    fn channels(&self) -> usize {
        self.heads * self.width
    }

    fn constants(&self) -> Vec<(&'static str, usize)> {
        vec![
            ("IMAGES", self.images),
            ("HEADS", self.heads),
            ("QUERIES", self.t),
            ("KEYS", self.s),
            ("WIDTH", self.width),
        ]
    }

    /// Calls `visit(weight, query, key)` with the index of each weight and of the first feature of the two
    /// tokens that it joins.
    fn for_each_weight(&self, mut visit: impl FnMut(usize, usize, usize)) {
        let channels = self.channels();
        let mut weight = 0;
        for image in 0..self.images {
            for head in 0..self.heads {
                for t in 0..self.t {
                    let query = (image * self.t + t) * channels + head * self.width;
                    for s in 0..self.s {
                        let key = (image * self.s + s) * channels + head * self.width;
                        visit(weight, query, key);
                        weight += 1;
                    }
                }
            }
        }
    }
}

/// The extents of a batch of token lists `[n, tokens, channels]`.
fn tokens(place: &str, x: &Spec) -> Result<[usize; 3]> {
    let shape = expect_dtype(place, x, DType::F32)?;
    match *shape.dims() {
        [n, tokens, channels] if shape.elements() > 0 => Ok([n, tokens, channels]),
        _ => {
            let expected = "[images, tokens, channels]";
            Err(Error::mismatch(place, expected, x.to_string()))
        }
    }
}

impl Scores {
    fn sizes(&self, inputs: &[Spec]) -> Result<Sizes> {
        let place = "attention_scores";
        let [a, b] = expect_inputs(place, inputs)?;
        let [images, t, channels] = tokens(place, a)?;
        let [images_of_b, s, channels_of_b] = tokens(place, b)?;
        let heads = self.heads;
        let fits = heads > 0 && channels.is_multiple_of(heads);
        if !fits || [images, channels] != [images_of_b, channels_of_b] {
            let expected = format!("tokens like {a} whose channels {heads} divides");
            return Err(Error::mismatch(place, expected, b.to_string()));
        }
        Ok(Sizes {
            images,
            heads,
            t,
            s,
            width: channels / heads,
        })
    }
}

impl Mix {
    fn sizes(&self, inputs: &[Spec]) -> Result<Sizes> {
        let place = "attention_mix";
        let [p, v] = expect_inputs(place, inputs)?;
        let [images, heads, t, s] = expect_dtype(place, p, DType::F32)?.four(place)?;
        let [images_of_v, inner, channels] = tokens(place, v)?;
        let expected = [images, if self.transposed { t } else { s }];
        if [images_of_v, inner] != expected
            || p.shape.elements() == 0
            || !channels.is_multiple_of(heads)
        {
            let expected = format!("tokens {expected:?} of {heads} heads for {p}");
            return Err(Error::mismatch(place, expected, v.to_string()));
        }
        Ok(Sizes {
            images,
            heads,
            t,
            s,
            width: channels / heads,
        })
    }
}

impl Op for Scores {
    fn name(&self) -> &'static str {
        "attention_scores"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let s = self.sizes(inputs)?;
        Ok(Spec::f32([s.images, s.heads, s.t, s.s]))
    }

    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        let da = attention_mix(b.graph, b.dy, b.inputs[1], false)?;
        let db = attention_mix(b.graph, b.dy, b.inputs[0], true)?;
        Ok(vec![Some(da), Some(db)])
    }

    fn lower(&self, inputs: &[Spec], output: &Spec) -> Lowering {
        let Ok(sizes) = self.sizes(inputs) else {
            unreachable!("infer accepted {inputs:?}")
        };
        let width = sizes.width;
        let twin = move |args: &mut Args<'_>| {
            let (a, b) = (args.read(0), args.read(1));
            let y = args.write(0);
            sizes.for_each_weight(|weight, query, key| {
                let (a, b) = (&a[query..query + width], &b[key..key + width]);
                y[weight] = sum_pairs(a, b, |a, b| a * b);
            });
        };
        let (constants, threads) = (sizes.constants(), output.shape.elements());
        let name = "attention_scores";
        let kernel = Kernel::tailed(name, SCORES_SHADER, &constants, 2, threads, twin);
        Lowering::single(kernel, 2)
    }
}

impl Op for Mix {
    fn name(&self) -> &'static str {
        "attention_mix"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let s = self.sizes(inputs)?;
        let outer = if self.transposed { s.s } else { s.t };
        Ok(Spec::f32([s.images, outer, s.channels()]))
    }

    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        let (p, v, dy) = (b.inputs[0], b.inputs[1], b.dy);
        let heads = b.graph.shape(p).dims()[1];
        let (queries, keys) = if self.transposed { (v, dy) } else { (dy, v) };
        let dp = match b.wanted[0] {
            true => Some(attention_scores(b.graph, queries, keys, heads)?),
            false => None,
        };
        let dv = attention_mix(b.graph, p, dy, !self.transposed)?;
        Ok(vec![dp, Some(dv)])
    }

    fn lower(&self, inputs: &[Spec], output: &Spec) -> Lowering {
        let Ok(sizes) = self.sizes(inputs) else {
            unreachable!("infer accepted {inputs:?}")
        };
        let (width, transposed) = (sizes.width, self.transposed);
        let twin = move |args: &mut Args<'_>| {
            let (p, v) = (args.read(0), args.read(1));
            let y = args.write(0);
            y.fill(0.0);
            sizes.for_each_weight(|weight, query, key| {
                let (to, from) = if transposed {
                    (key, query)
                } else {
                    (query, key)
                };
                let (y, v) = (&mut y[to..to + width], &v[from..from + width]);
                y.iter_mut().zip(v).for_each(|(y, v)| *y += p[weight] * v);
            });
        };
        let mut constants = sizes.constants();
        constants.push(("TRANSPOSED", usize::from(transposed)));
        let threads = output.shape.elements();
        let kernel = Kernel::tailed("attention_mix", MIX_SHADER, &constants, 2, threads, twin);
        Lowering::single(kernel, 2)
    }
}

const SCORES_SHADER: &str = crate::wgsl!("../../shaders/attention_scores.wgsl");
const MIX_SHADER: &str = crate::wgsl!("../../shaders/attention_mix.wgsl");

pub(super) const SCORES_INFO: OpInfo = OpInfo {
    name: "attention_scores",
    doc: "Scalar products of all pairs of tokens, head by head.",
    shaders: &[("attention_scores", SCORES_SHADER)],
    examples: || {
        let two = |g: &mut Graph, x: &[ValueId]| attention_scores(g, x[0], x[1], 2);
        let one = |g: &mut Graph, x: &[ValueId]| attention_scores(g, x[0], x[1], 1);
        let inputs = |a: [usize; 3], b: [usize; 3]| vec![wave(a, 0.1), wave(b, 0.4)];
        vec![
            Example::new("two heads", inputs([2, 3, 6], [2, 4, 6]), two),
            Example::new("one element", inputs([1, 1, 1], [1, 1, 1]), one),
            Example::new(
                "not a number",
                vec![nan([1, 2, 3]), wave([1, 2, 3], 0.4)],
                one,
            )
            .forward_only(),
        ]
    },
};

pub(super) const MIX_INFO: OpInfo = OpInfo {
    name: "attention_mix",
    doc: "Tokens mixed by given weights, head by head.",
    shaders: &[("attention_mix", MIX_SHADER)],
    examples: || {
        let plain = |g: &mut Graph, x: &[ValueId]| attention_mix(g, x[0], x[1], false);
        let turned = |g: &mut Graph, x: &[ValueId]| attention_mix(g, x[0], x[1], true);
        let inputs = |p: [usize; 4], v: [usize; 3]| vec![wave(p, 0.1), wave(v, 0.4)];
        let poisoned = vec![nan([1, 1, 2, 3]), wave([1, 3, 2], 0.4)];
        vec![
            Example::new("two heads", inputs([2, 2, 3, 4], [2, 4, 6]), plain),
            Example::new("transposed", inputs([2, 2, 3, 4], [2, 3, 6]), turned),
            Example::new("one element", inputs([1, 1, 1, 1], [1, 1, 1]), plain),
            Example::new("not a number", poisoned, plain).forward_only(),
        ]
    },
};

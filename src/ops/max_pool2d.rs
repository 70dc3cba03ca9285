//! Max-pooling in two steps: the switches (where in its window each maximum was) and the values taken
//! there. The gradient puts `dy` back at the switches, which is also the unpooling of Zeiler & Fergus
//! 2014, section 2.1, so that a deconvnet needs no op of its own.

mod twins;

use crate::error::{Error, Result};
use crate::graph::{
    Backward, Example, Graph, Lowering, Op, OpInfo, Origin, Value, ValueId, expect_inputs,
};
use crate::program::{Args, Kernel, OWN_WINDOWS};
use crate::tensor::Spec;

use super::pool2d::{Pool2d, Pooling, config};
use super::testing::{nan, wave};

/// Index `ky * kw + kx` of the first maximum in each window; NaN is larger than anything.
#[derive(Debug, Clone, Copy)]
struct Switches(Pool2d);

/// The element of each window that its switch points to.
#[derive(Debug, Clone, Copy)]
struct Take(Pool2d);

/// Each element of `dy` added where its switch points to, for inputs of this size.
#[derive(Debug, Clone, Copy)]
struct Unpool {
    config: Pool2d,
    input: [usize; 2],
}

/// For each window of `x` `[n, h, w, c]` the index `ky * kw + kx` of its maximum, u32
/// `[n, oh, ow, c]`. The first maximum wins, padding never does, and the first NaN wins over all
/// (PyTorch, too, propagates NaN).
///
/// # Errors
/// When no window fits, or the padding is as large as the window.
pub fn max_pool2d_switches(graph: &mut Graph, x: ValueId, config: Pool2d) -> Result<ValueId> {
    graph.push(Switches(config), &[x])
}

/// The elements of `x` `[n, h, w, c]` that `switches` `[n, oh, ow, c]` point to; zero where one points
/// out of its window or into the padding.
///
/// # Errors
/// When the switches are not those of such a pooling.
pub fn pool_take(
    graph: &mut Graph,
    x: ValueId,
    switches: ValueId,
    config: Pool2d,
) -> Result<ValueId> {
    graph.push(Take(config), &[x, switches])
}

/// `dy` `[n, oh, ow, c]` put back where `switches` point to, zero elsewhere, added where windows
/// overlap: `[n, h, w, c]` for `input` = `[h, w]`.
///
/// # Errors
/// When `dy` and `switches` are not those of such a pooling.
pub fn max_unpool2d(
    graph: &mut Graph,
    dy: ValueId,
    switches: ValueId,
    config: Pool2d,
    input: [usize; 2],
) -> Result<ValueId> {
    graph.push(Unpool { config, input }, &[dy, switches])
}

/// The maximum of `x` `[n, h, w, c]` under each window.
///
/// # Errors
/// When no window fits, or the padding is as large as the window.
pub fn max_pool2d(graph: &mut Graph, x: ValueId, config: Pool2d) -> Result<ValueId> {
    let switches = max_pool2d_switches(graph, x, config)?;
    pool_take(graph, x, switches, config)
}

/// A gradient that an unpooling has put where the maxima of a value were.
pub(super) struct Unpooled {
    /// The gradient of the maxima.
    pub(super) dy: ValueId,
    pub(super) switches: ValueId,
    pub(super) maxima: ValueId,
}

/// What `dy` has been unpooled from, if from where the maxima of `x` were.
pub(super) fn unpooled(graph: &Graph, dy: ValueId, x: ValueId) -> Option<Unpooled> {
    let node = |value: &Value, name: &str| match &value.origin {
        Origin::Node { op, inputs } if op.name() == name => Some([inputs[0], inputs[1]]),
        _ => None,
    };
    let [dy, switches] = node(graph.value(dy), "max_unpool2d")?;
    let is_pooled = |value: &Value| node(value, "pool_take") == Some([x, switches]);
    let maxima = graph.values().iter().position(is_pooled)?;
    Some(Unpooled {
        dy,
        switches,
        maxima: ValueId(maxima),
    })
}

/// Refuses switches that are not those of `pooling`.
fn check_switches(place: &str, pooling: &Pooling, switches: &Spec) -> Result<()> {
    let expected = Spec::u32(pooling.y_dims());
    if *switches == expected {
        return Ok(());
    }
    Err(Error::mismatch(
        place,
        format!("switches {expected}"),
        switches.to_string(),
    ))
}

impl Op for Switches {
    fn name(&self) -> &'static str {
        "max_pool2d_switches"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [x] = expect_inputs("max_pool2d_switches", inputs)?;
        let pooling = Pooling::forward("max_pool2d_switches", self.0, x)?;
        Ok(Spec::u32(pooling.y_dims()))
    }

    fn lower(&self, inputs: &[Spec], output: &Spec) -> Lowering {
        let place = "max_pool2d_switches";
        let Ok(pooling) = Pooling::forward(place, self.0, &inputs[0]) else {
            unreachable!("infer accepted {inputs:?}")
        };
        let twin = move |args: &mut Args<'_>| twins::switches(&pooling, args);
        let threads = output.shape.elements();
        let (name, source, constants) = match pooling.window_constants() {
            Some(constants) => {
                let name = "max_pool2d_switches_windows";
                (name, SWITCHES_WINDOWS_SHADER, constants)
            }
            None => (place, SWITCHES_SHADER, pooling.constants()),
        };
        let kernel = Kernel::linear(name, source, &constants, 1, threads, twin);
        Lowering::single(kernel, 1)
    }
}

impl Op for Take {
    fn name(&self) -> &'static str {
        "pool_take"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [x, switches] = expect_inputs("pool_take", inputs)?;
        let pooling = Pooling::forward("pool_take", self.0, x)?;
        check_switches("pool_take", &pooling, switches)?;
        Ok(Spec::f32(pooling.y_dims()))
    }

    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        let [_, height, width, _] = b.graph.shape(b.inputs[0]).four("pool_take")?;
        let input = [height, width];
        let dx = max_unpool2d(b.graph, b.dy, b.inputs[1], self.0, input)?;
        Ok(vec![Some(dx), None])
    }

    fn lower(&self, inputs: &[Spec], output: &Spec) -> Lowering {
        let Ok(pooling) = Pooling::forward("pool_take", self.0, &inputs[0]) else {
            unreachable!("infer accepted {inputs:?}")
        };
        let twin = move |args: &mut Args<'_>| twins::take(&pooling, args);
        let threads = output.shape.elements();
        let (name, source, constants) = match pooling.window_constants() {
            Some(constants) => ("pool_take_windows", TAKE_WINDOWS_SHADER, constants),
            None => ("pool_take", TAKE_SHADER, pooling.constants()),
        };
        let kernel = Kernel::linear(name, source, &constants, 2, threads, twin);
        Lowering::single(kernel, 2)
    }
}

impl Op for Unpool {
    fn name(&self) -> &'static str {
        "max_unpool2d"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [dy, switches] = expect_inputs("max_unpool2d", inputs)?;
        let pooling = Pooling::backward("max_unpool2d", self.config, dy, self.input)?;
        check_switches("max_unpool2d", &pooling, switches)?;
        Ok(Spec::f32(pooling.x_dims()))
    }

    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        let ddy = pool_take(b.graph, b.dy, b.inputs[1], self.config)?;
        Ok(vec![Some(ddy), None])
    }

    fn lower(&self, inputs: &[Spec], output: &Spec) -> Lowering {
        let place = "max_unpool2d";
        let Ok(pooling) = Pooling::backward(place, self.config, &inputs[0], self.input) else {
            unreachable!("infer accepted {inputs:?}")
        };
        let twin = move |args: &mut Args<'_>| twins::unpool(&pooling, args);
        let kernel = match pooling.window_constants() {
            Some(constants) => {
                let (name, threads) = ("max_unpool2d_windows", inputs[0].shape.elements());
                Kernel::tailed(name, WINDOWS_SHADER, &constants, 2, threads, twin)
            }
            None => {
                let (constants, threads) = (pooling.constants(), output.shape.elements());
                Kernel::tailed(place, UNPOOL_SHADER, &constants, 2, threads, twin)
            }
        };
        Lowering::single(kernel, 2)
    }
}

const SWITCHES_SHADER: &str = crate::wgsl!("../../shaders/max_pool2d_switches.wgsl");
const SWITCHES_WINDOWS_SHADER: &str =
    crate::wgsl!("../../shaders/max_pool2d_switches_windows.wgsl");
const TAKE_SHADER: &str = crate::wgsl!("../../shaders/pool_take.wgsl");
const TAKE_WINDOWS_SHADER: &str = crate::wgsl!("../../shaders/pool_take_windows.wgsl");
const WINDOWS_SHADER: &str = crate::wgsl!("../../shaders/max_unpool2d_windows.wgsl");
const UNPOOL_SHADER: &str = crate::wgsl!("../../shaders/max_unpool2d.wgsl");

pub(super) const SWITCHES_INFO: OpInfo = OpInfo {
    name: "max_pool2d_switches",
    doc: "Where in each window the maximum is.",
    shaders: &[
        ("max_pool2d_switches", SWITCHES_SHADER),
        ("max_pool2d_switches_windows", SWITCHES_WINDOWS_SHADER),
        ("own_windows", OWN_WINDOWS),
    ],
    examples: || {
        let halved = |g: &mut Graph, x: &[ValueId]| max_pool2d_switches(g, x[0], config(2, 2, 0));
        let padded = |g: &mut Graph, x: &[ValueId]| max_pool2d_switches(g, x[0], config(3, 2, 1));
        vec![
            Example::new("halved", vec![wave([2, 4, 5, 3], 0.1)], halved).forward_only(),
            Example::new("tiling", vec![wave([2, 4, 6, 3], 0.1)], halved).forward_only(),
            Example::new("padded", vec![wave([1, 4, 5, 2], 0.1)], padded).forward_only(),
            Example::new("one element", vec![wave([1, 1, 1, 1], 0.1)], padded).forward_only(),
            Example::new("not a number", vec![nan([1, 4, 4, 1])], halved).forward_only(),
            Example::new("not a number, padded", vec![nan([1, 4, 4, 1])], padded).forward_only(),
        ]
    },
};

pub(super) const TAKE_INFO: OpInfo = OpInfo {
    name: "pool_take",
    doc: "The elements of each window that switches point to: with their own switches, the maxima.",
    shaders: &[
        ("pool_take", TAKE_SHADER),
        ("pool_take_windows", TAKE_WINDOWS_SHADER),
    ],
    examples: || {
        let halved = |g: &mut Graph, x: &[ValueId]| max_pool2d(g, x[0], config(2, 2, 0));
        let padded = |g: &mut Graph, x: &[ValueId]| max_pool2d(g, x[0], config(3, 2, 1));
        // The phases keep each maximum away from a tie, where there is no derivative.
        vec![
            Example::new("halved", vec![wave([2, 4, 5, 3], 1.1)], halved),
            Example::new("tiling", vec![wave([2, 4, 6, 3], 2.3)], halved),
            Example::new("overlapping", vec![wave([1, 4, 5, 2], 6.1)], padded),
            // Whose gradient is gated before it is unpooled.
            Example::new("rectified", vec![wave([1, 4, 6, 1], 1.5)], |g, x| {
                let y = super::relu(g, x[0])?;
                max_pool2d(g, y, config(2, 2, 0))
            }),
            Example::new(
                "rectified, overlapping",
                vec![wave([1, 4, 5, 2], 6.1)],
                |g, x| {
                    let y = super::relu(g, x[0])?;
                    max_pool2d(g, y, config(3, 2, 1))
                },
            ),
            Example::new("one element", vec![wave([1, 1, 1, 1], 0.1)], padded),
            Example::new("not a number", vec![nan([1, 4, 4, 1])], halved).forward_only(),
        ]
    },
};

pub(super) const UNPOOL_INFO: OpInfo = OpInfo {
    name: "max_unpool2d",
    doc: "Elements put back where switches point to: the gradient of max-pooling.",
    shaders: &[
        ("max_unpool2d", UNPOOL_SHADER),
        ("max_unpool2d_windows", WINDOWS_SHADER),
    ],
    examples: || {
        let words =
            |switches: &[u32], shape: [usize; 4]| vec![(Spec::u32(shape), switches.to_vec())];
        let overlapping =
            |g: &mut Graph, x: &[ValueId]| max_unpool2d(g, x[0], x[1], config(3, 2, 1), [4, 3]);
        vec![
            Example::new("overlapping", vec![wave([1, 2, 2, 2], 0.1)], overlapping)
                .with_words(words(&[8, 4, 6, 7, 2, 5, 0, 1], [1, 2, 2, 2])),
            Example::new("tiling", vec![wave([2, 1, 2, 2], 0.1)], |g, x| {
                max_unpool2d(g, x[0], x[1], config(2, 2, 0), [2, 4])
            })
            .with_words(words(&[3, 0, 2, 1, 1, 3, 0, 2], [2, 1, 2, 2])),
            Example::new("one element", vec![wave([1, 1, 1, 1], 0.1)], |g, x| {
                max_unpool2d(g, x[0], x[1], config(1, 1, 0), [1, 1])
            })
            .with_words(words(&[0], [1, 1, 1, 1])),
            Example::new("not a number", vec![nan([1, 2, 2, 2])], overlapping)
                .with_words(words(&[8, 4, 6, 7, 2, 5, 0, 1], [1, 2, 2, 2]))
                .forward_only(),
        ]
    },
};

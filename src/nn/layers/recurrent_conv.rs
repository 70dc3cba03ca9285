//! The recurrent convolutional layer (Liang & Hu 2015, "Recurrent Convolutional Neural Network for Object
//! Recognition", equations 1 to 3), unrolled: the same two sets of filters at every step, so that depth grows
//! with the steps and the number of parameters does not.

use crate::error::Result;
use crate::field::Field;
use crate::graph::ValueId;
use crate::ops;

use super::super::init::Init;
use super::super::scope::{Declaration, Scope};
use super::conv2d::{Window, around, declare_weight};
use super::norm::response;
use super::{Body, LayerKind, init_field};

pub(super) const KIND: LayerKind = LayerKind {
    id: "recurrent_conv2d",
    doc: "x(t) = norm(relu(w * u + v * x(t - 1) + b)), with the same filters w of the input and v of the state at \
          every step (Liang & Hu 2015).",
    fields: || {
        let whole = Field::integer;
        let steps = "Recurrent steps after the first, which sees the input alone.";
        let norm = "Whether each step ends with local response normalization, over an eighth of the maps and \
                    one more.";
        vec![
            whole("out_channels", "Maps of the state.", 1.0, 4096.0, 16.0),
            whole("kernel", "Side of the filters; odd.", 1.0, 31.0, 3.0),
            whole("steps", steps, 0.0, 16.0, 3.0),
            Field::bool("norm", norm, true),
            init_field("he_normal"),
        ]
    },
    body: Body::Layer(build),
};

fn build(scope: &mut Scope<'_>) -> Result<ValueId> {
    let (x, [_, h, w, ci]) = scope.image()?;
    let values = scope.values;
    let (co, side) = (values.integer("out_channels")?, values.integer("kernel")?);
    let (steps, norm) = (values.integer("steps")?, values.bool("norm")?);
    if side % 2 == 0 {
        // Otherwise the state would drift by half a pixel per step.
        return Err(scope.wrong("filters of an odd side", side.to_string()));
    }
    let window = Window {
        kernel: [side; 2],
        stride: [1; 2],
        padding: [around("same", side); 2],
        dilation: [1; 2],
    };
    window.place(scope, [h, w])?;
    let reach = (side - 1) * (steps + 1);
    scope.sees([reach + 1; 2], [1; 2], [reach / 2; 2]);
    let taps = (h * w) as u64 * (side * side * co) as u64;
    scope.count_macs(taps * (ci + steps * co) as u64);
    let config = window.config(1);
    let weight = declare_weight(scope, "weight", [side, side, ci, co], 1, None)?;
    scope.is_kernel();
    let own = declare_weight(scope, "recurrent_weight", [side, side, co, co], 1, None)?;
    let bias = scope.declare(Declaration::new("bias", [co], Init::Constant(0.0)))?;
    let g = &mut *scope.graph;
    let fed = ops::conv2d(g, x, weight, config)?;
    let fed = ops::add(g, fed, bias)?;
    let mut sum = fed;
    for step in 0..=steps {
        let mut state = ops::relu(g, sum)?;
        if norm {
            let n = (co / 8 + 1).min(co);
            // The paper divides alpha by n.
            state = response(g, state, n, 1.0, 0.001 / n as f32, 0.75)?;
        }
        if step == steps {
            return Ok(state);
        }
        let back = ops::conv2d(g, state, own, config)?;
        sum = ops::add(g, back, fed)?;
    }
    Ok(sum)
}

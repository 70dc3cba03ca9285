//! The binary classification loss of a margin, weakened where the answer is already right: the focal
//! loss, and with exponent 0 the binary cross-entropy.

use crate::error::Result;
use crate::graph::{
    Backward, Example, Graph, Lowering, Op, OpInfo, ValueId, expect_dtype, expect_inputs,
};
use crate::program::Stage;
use crate::tensor::{DType, Spec, Tensor};

use super::testing::{nan, wave};

/// `y = miss^gamma softplus(-x)`, `miss = sigmoid(-x)`.
#[derive(Debug, Clone, Copy)]
struct Focal {
    gamma: f32,
}

/// `dx = -dy miss^gamma (gamma (1 - miss) softplus(-x) + miss)`, from dy and the margins.
#[derive(Debug, Clone, Copy)]
struct FocalSlope(Focal);

/// `-(1 - p)^gamma log p` of each margin `x`, with `p = sigmoid(x)` the probability given to the right
/// answer: equation 4 of Lin et al. 2017 ("Focal Loss for Dense Object Detection").
///
/// # Errors
/// When `x` is not of floats.
pub fn focal(graph: &mut Graph, x: ValueId, gamma: f32) -> Result<ValueId> {
    graph.push(Focal { gamma }, &[x])
}

impl Focal {
    fn constants(self) -> Vec<(&'static str, usize)> {
        vec![("GAMMA_BITS", self.gamma.to_bits() as usize)]
    }

    /// The probability given to the wrong answer, that to the power of gamma, and the log loss.
    fn parts(self, x: f32) -> [f32; 3] {
        let z = (-x.abs()).exp();
        let miss = if x <= 0.0 { 1.0 } else { z } / (1.0 + z);
        let loss = (-x).max(0.0) + (1.0 + z).ln();
        let weight = if self.gamma == 0.0 {
            1.0
        } else {
            (self.gamma * miss.ln()).exp()
        };
        [miss, weight, loss]
    }
}

impl Op for Focal {
    fn name(&self) -> &'static str {
        "focal"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [x] = expect_inputs("focal", inputs)?;
        expect_dtype("focal", x, DType::F32)?;
        Ok(x.clone())
    }

    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        let dx = b.graph.push(FocalSlope(*self), &[b.dy, b.inputs[0]])?;
        Ok(vec![Some(dx)])
    }

    fn stage(&self, _: usize, _: &[Spec]) -> Option<Stage> {
        let this = *self;
        let loss = move |x| {
            let [_, weight, loss] = this.parts(x);
            weight * loss
        };
        Some(Stage::unary(SHADER, self.constants(), loss))
    }

    fn lower(&self, _: &[Spec], _: &Spec) -> Lowering {
        Lowering::Map
    }
}

impl Op for FocalSlope {
    fn name(&self) -> &'static str {
        "focal_slope"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [dy, x] = expect_inputs("focal_slope", inputs)?;
        expect_dtype("focal_slope", dy, DType::F32)?;
        expect_dtype("focal_slope", x, DType::F32)?;
        Ok(dy.clone())
    }

    fn stage(&self, primary: usize, _: &[Spec]) -> Option<Stage> {
        let Self(focal) = *self;
        let slope = move |dy: f32, x| {
            let [miss, weight, loss] = focal.parts(x);
            -dy * weight * (focal.gamma * (1.0 - miss) * loss + miss)
        };
        let constants = focal.constants();
        (primary == 0).then(|| Stage::elementwise(SLOPE_SHADER, constants, slope))
    }

    fn lower(&self, _: &[Spec], _: &Spec) -> Lowering {
        Lowering::Map
    }
}

const SHADER: &str = crate::wgsl!("../../shaders/focal.wgsl");
const SLOPE_SHADER: &str = crate::wgsl!("../../shaders/focal_slope.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "focal",
    doc: "The binary log loss of margins, weakened where they are large already.",
    shaders: &[("focal", SHADER), ("focal_slope", SLOPE_SHADER)],
    examples: || {
        let two = |g: &mut Graph, x: &[ValueId]| focal(g, x[0], 2.0);
        let zero = |g: &mut Graph, x: &[ValueId]| focal(g, x[0], 0.0);
        let large = Tensor::from_fn([4], |i| [-200.0, 80.0, -1e4, 1e4][i]);
        vec![
            Example::new("exponent two", vec![wave([3, 5], 0.1)], two),
            Example::new("exponent zero", vec![wave([3, 5], 0.4)], zero),
            Example::new("one element", vec![wave([1], 0.2)], two),
            Example::new("large margins", vec![large], zero).forward_only(),
            Example::new("not a number", vec![nan([6])], zero).forward_only(),
        ]
    },
};

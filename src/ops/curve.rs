//! What smooth activations share: a function of one number, its derivative, and the two elementwise
//! ops made from them. The derivative is taken at the input, which an activation's kernel thus keeps.

use crate::error::Result;
use crate::graph::{Backward, Graph, Lowering, Op, ValueId, expect_dtype, expect_inputs};
use crate::program::Stage;
use crate::tensor::{DType, Spec};

/// An elementwise function with one number of its own, in both languages.
#[derive(Debug)]
pub(super) struct Curve {
    /// Stem of the function.
    pub(super) stem: &'static str,
    /// `fn stage(v)`: the function.
    pub(super) shader: &'static str,
    /// Stem of the derivative.
    pub(super) gradient_stem: &'static str,
    /// `fn stage(v, e)`: the gradient `v` times the derivative at `e`.
    pub(super) gradient_shader: &'static str,
    /// The function of an element and the parameter.
    pub(super) value: fn(f32, f32) -> f32,
    /// Its derivative with respect to the element.
    pub(super) slope: fn(f32, f32) -> f32,
}

/// `y = value(x, parameter)`. Shaders know the parameter as `PARAMETER_BITS`, an f32 bit pattern.
#[derive(Debug, Clone, Copy)]
struct Apply {
    curve: &'static Curve,
    parameter: f32,
}

/// `dx = dy * slope(x, parameter)`, from dy and x.
#[derive(Debug, Clone, Copy)]
struct ApplyGradient(Apply);

/// Applies `curve` with `parameter` to each element of `x`.
pub(super) fn apply(
    graph: &mut Graph,
    x: ValueId,
    curve: &'static Curve,
    parameter: f32,
) -> Result<ValueId> {
    graph.push(Apply { curve, parameter }, &[x])
}

impl Apply {
    fn constants(&self) -> Vec<(&'static str, usize)> {
        vec![("PARAMETER_BITS", self.parameter.to_bits() as usize)]
    }
}

impl Op for Apply {
    fn name(&self) -> &'static str {
        self.curve.stem
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let [x] = expect_inputs(self.curve.stem, inputs)?;
        expect_dtype(self.curve.stem, x, DType::F32)?;
        Ok(x.clone())
    }

    fn backward(&self, b: &mut Backward<'_>) -> Result<Vec<Option<ValueId>>> {
        let dx = b.graph.push(ApplyGradient(*self), &[b.dy, b.inputs[0]])?;
        Ok(vec![Some(dx)])
    }

    fn stage(&self, _: usize, _: &[Spec]) -> Option<Stage> {
        let Self { curve, parameter } = *self;
        let value = move |v| (curve.value)(v, parameter);
        Some(Stage::unary(curve.shader, self.constants(), value))
    }

    fn lower(&self, _: &[Spec], _: &Spec) -> Lowering {
        Lowering::Map
    }
}

impl Op for ApplyGradient {
    fn name(&self) -> &'static str {
        self.0.curve.gradient_stem
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let place = self.0.curve.gradient_stem;
        let [dy, x] = expect_inputs(place, inputs)?;
        expect_dtype(place, dy, DType::F32)?;
        expect_dtype(place, x, DType::F32)?;
        Ok(dy.clone())
    }

    fn stage(&self, primary: usize, _: &[Spec]) -> Option<Stage> {
        let Apply { curve, parameter } = self.0;
        let slope = move |dy, x| dy * (curve.slope)(x, parameter);
        let source = curve.gradient_shader;
        (primary == 0).then(|| Stage::elementwise(source, self.0.constants(), slope))
    }

    fn lower(&self, _: &[Spec], _: &Spec) -> Lowering {
        Lowering::Map
    }
}

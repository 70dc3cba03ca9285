//! The typed, static, single-assignment tensor graph, and what an operation must say of itself.
//! Every value has one producer and a shape fixed when it is added. State (parameters, running
//! statistics, counters) lives in few flat buffers; ops that mutate state return a value that
//! stands for the state afterwards, and run in the order in which they were added.
//!
//! The graph knows the trait [`Op`] but no concrete operation; those are in `ops`.

mod op;

pub use op::{Backward, BackwardRule, Call, Example, Lowering, Op, OpInfo, Slot};

use std::sync::Arc;

use litemap::LiteMap;

use crate::error::{Error, Result};
use crate::program::{ALIGN_WORDS, aligned};
use crate::tensor::{DType, Shape, Spec};

/// A value in its [`Graph`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ValueId(pub usize);

/// Where a value comes from.
#[derive(Debug, Clone)]
pub enum Origin {
    /// An outside buffer of this name: an input, a state or a dataset. Ops may mutate it.
    External(String),
    /// Words fixed when the graph was built.
    Constant(Arc<[u32]>),
    /// The output of an operation.
    Node {
        /// The operation.
        op: Arc<dyn Op>,
        /// Its operands.
        inputs: Vec<ValueId>,
    },
}

/// A value: what it is and where it comes from.
#[derive(Debug, Clone)]
pub struct Value {
    /// Shape and element type.
    pub spec: Spec,
    /// Its producer.
    pub origin: Origin,
}

/// A static tensor graph; values are in topological order by construction.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    values: Vec<Value>,
    externals: LiteMap<String, ValueId>,
}

impl Graph {
    /// An empty graph.
    pub fn new() -> Self {
        Self::default()
    }

    /// All values, in order.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// The value `id`. Ids are only made by this graph, so the index is valid.
    pub fn value(&self, id: ValueId) -> &Value {
        &self.values[id.0]
    }

    /// Shape and element type of `id`.
    pub fn spec(&self, id: ValueId) -> &Spec {
        &self.value(id).spec
    }

    /// Shape of `id`.
    pub fn shape(&self, id: ValueId) -> &Shape {
        &self.value(id).spec.shape
    }

    /// An outside buffer: input, state or dataset, bound by name when the program is prepared.
    /// The same name always gives the same value.
    ///
    /// # Errors
    /// When `name` was added before with another spec.
    pub fn external(&mut self, name: &str, spec: Spec) -> Result<ValueId> {
        if let Some(&id) = self.externals.get(name) {
            let found = self.spec(id);
            if *found != spec {
                return Err(Error::mismatch(name, found.to_string(), spec.to_string()));
            }
            return Ok(id);
        }
        let id = self.add(Value {
            spec,
            origin: Origin::External(name.to_owned()),
        });
        self.externals.insert(name.to_owned(), id);
        Ok(id)
    }

    /// A constant float tensor, row-major.
    ///
    /// # Errors
    /// When the number of elements is not the shape's.
    pub fn constant(&mut self, shape: impl Into<Shape>, data: &[f32]) -> Result<ValueId> {
        let spec = Spec::f32(shape);
        if spec.shape.elements() != data.len() {
            let expected = format!("{} elements", spec.shape.elements());
            return Err(Error::mismatch(
                "constant",
                expected,
                data.len().to_string(),
            ));
        }
        let words: Arc<[u32]> = bytemuck::cast_slice(data).into();
        Ok(self.add(Value {
            spec,
            origin: Origin::Constant(words),
        }))
    }

    /// A constant list of unsigned numbers.
    pub fn constant_words(&mut self, words: Arc<[u32]>) -> ValueId {
        self.add(Value {
            spec: Spec::u32([words.len()]),
            origin: Origin::Constant(words),
        })
    }

    /// Applies `op` to `inputs`.
    ///
    /// # Errors
    /// When the op's shape rule refuses the inputs.
    pub fn push(&mut self, op: impl Op, inputs: &[ValueId]) -> Result<ValueId> {
        self.push_shared(Arc::new(op), inputs)
    }

    /// [`Graph::push`], not generic, as there are some hundred ops.
    fn push_shared(&mut self, op: Arc<dyn Op>, inputs: &[ValueId]) -> Result<ValueId> {
        let specs: Vec<Spec> = inputs.iter().map(|&id| self.spec(id).clone()).collect();
        let spec = op.infer(&specs)?;
        let origin = Origin::Node {
            op,
            inputs: inputs.to_vec(),
        };
        Ok(self.add(Value { spec, origin }))
    }

    /// Applies the operation of node `id` to other inputs.
    ///
    /// # Errors
    /// When `id` is not a node, or the op's shape rule refuses the inputs.
    pub fn again(&mut self, id: ValueId, inputs: &[ValueId]) -> Result<ValueId> {
        let Origin::Node { op, .. } = self.value(id).origin.clone() else {
            return Err(Error::mismatch("again", "a node", "an input or a constant"));
        };
        self.push_shared(op, inputs)
    }

    fn add(&mut self, value: Value) -> ValueId {
        self.values.push(value);
        ValueId(self.values.len() - 1)
    }
}

/// Lays out tensors one after another in a flat state buffer, each at an aligned offset.
/// Returns the offsets and the total number of words.
pub fn flat_layout<'a>(shapes: impl IntoIterator<Item = &'a Shape>) -> (Vec<usize>, usize) {
    let mut next = 0;
    let offsets = shapes
        .into_iter()
        .map(|shape| {
            let offset = next;
            next += aligned(shape.elements());
            offset
        })
        .collect();
    (offsets, next.max(ALIGN_WORDS))
}

/// Checks an operand's element type and returns its shape.
///
/// # Errors
/// When `input` is not of `dtype`.
pub fn expect_dtype<'a>(place: &str, input: &'a Spec, dtype: DType) -> Result<&'a Shape> {
    if input.dtype == dtype {
        return Ok(&input.shape);
    }
    Err(Error::mismatch(
        place,
        format!("{dtype:?} elements"),
        input.to_string(),
    ))
}

/// Checks the number of operands.
///
/// # Errors
/// When it is not `N`.
pub fn expect_inputs<'a, const N: usize>(place: &str, inputs: &'a [Spec]) -> Result<&'a [Spec; N]> {
    inputs
        .try_into()
        .map_err(|_| Error::mismatch(place, format!("{N} inputs"), inputs.len().to_string()))
}

//! Shapes, element types and host tensors. Inside convscope images are NHWC and filters HWIO; at
//! every boundary (files, scripts, exports) they are NCHW and OIHW. [`Tensor::permuted`] is the one
//! place where the order of axes changes on the host.

mod hartley;

pub use hartley::hartley;

use std::fmt;

use ndarray::{ArrayD, IxDyn};

use crate::error::{Error, Result};

/// The extents of a tensor, outermost first.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Shape(Vec<usize>);

impl Shape {
    /// A shape with these extents.
    pub fn new(dims: impl Into<Vec<usize>>) -> Self {
        Self(dims.into())
    }

    /// The extents.
    pub fn dims(&self) -> &[usize] {
        &self.0
    }

    /// Number of elements.
    pub fn elements(&self) -> usize {
        self.0.iter().product()
    }

    /// Number of axes.
    pub fn rank(&self) -> usize {
        self.0.len()
    }

    /// The last extent (channels, in NHWC); 1 for a scalar.
    pub fn last(&self) -> usize {
        self.0.last().copied().unwrap_or(1)
    }

    /// The four extents of an image batch `[n, h, w, c]` or of a filter bank `[h, w, i, o]`.
    pub fn four(&self, place: &str) -> Result<[usize; 4]> {
        <[usize; 4]>::try_from(self.0.as_slice())
            .map_err(|_| Error::mismatch(place, "a shape of 4 axes", self.to_string()))
    }

    /// The two extents of a matrix `[rows, columns]`.
    pub fn two(&self, place: &str) -> Result<[usize; 2]> {
        <[usize; 2]>::try_from(self.0.as_slice())
            .map_err(|_| Error::mismatch(place, "a shape of 2 axes", self.to_string()))
    }
}

impl<const N: usize> From<[usize; N]> for Shape {
    fn from(dims: [usize; N]) -> Self {
        Self(dims.to_vec())
    }
}

impl From<&[usize]> for Shape {
    fn from(dims: &[usize]) -> Self {
        Self(dims.to_vec())
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Element type of a device value; every element is one 32-bit word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DType {
    /// 32-bit float.
    F32,
    /// 32-bit unsigned integer: labels, switches, counters, and bytes packed by four.
    U32,
}

/// Shape and element type of a value: all that shape inference knows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Spec {
    /// Extents.
    pub shape: Shape,
    /// Element type.
    pub dtype: DType,
}

impl Spec {
    /// A float value of this shape.
    pub fn f32(shape: impl Into<Shape>) -> Self {
        Self {
            shape: shape.into(),
            dtype: DType::F32,
        }
    }

    /// An unsigned value of this shape.
    pub fn u32(shape: impl Into<Shape>) -> Self {
        Self {
            shape: shape.into(),
            dtype: DType::U32,
        }
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.dtype {
            DType::F32 => "f32",
            DType::U32 => "u32",
        };
        write!(f, "{name}{}", self.shape)
    }
}

/// A float tensor in host memory, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor(ArrayD<f32>);

impl Tensor {
    /// A tensor of this shape with these elements, row-major.
    ///
    /// # Errors
    /// When the number of elements is not the shape's.
    pub fn new(shape: impl Into<Shape>, data: Vec<f32>) -> Result<Self> {
        let shape = shape.into();
        let found = data.len();
        ArrayD::from_shape_vec(IxDyn(shape.dims()), data)
            .map(Self)
            .map_err(|_| {
                let expected = format!("{} elements for shape {shape}", shape.elements());
                Error::mismatch("tensor", expected, found.to_string())
            })
    }

    /// A tensor of this shape, each element given by its row-major index.
    pub fn from_fn(shape: impl Into<Shape>, mut element: impl FnMut(usize) -> f32) -> Self {
        let shape = shape.into();
        let mut index = 0..;
        let next = || index.next().map_or(0.0, &mut element);
        Self(ArrayD::from_shape_simple_fn(IxDyn(shape.dims()), next))
    }

    /// Extents.
    pub fn shape(&self) -> Shape {
        Shape::from(self.0.shape())
    }

    /// The elements, row-major.
    pub fn to_vec(&self) -> Vec<f32> {
        self.0.iter().copied().collect()
    }

    /// The elements as an array.
    pub fn array(&self) -> &ArrayD<f32> {
        &self.0
    }

    /// The same elements under another shape.
    ///
    /// # Errors
    /// When the numbers of elements differ.
    pub fn reshaped(&self, shape: impl Into<Shape>) -> Result<Self> {
        Self::new(shape, self.to_vec())
    }

    /// The tensor whose axis `i` is this one's axis `axes[i]`, row-major again.
    ///
    /// # Errors
    /// When `axes` is not a permutation of this tensor's axes.
    pub fn permuted(&self, axes: &[usize]) -> Result<Self> {
        let all = 0..self.0.ndim();
        if axes.len() != all.len() || all.clone().any(|axis| !axes.contains(&axis)) {
            let expected = format!("a permutation of {} axes", self.0.ndim());
            return Err(Error::mismatch(
                "tensor axes",
                expected,
                format!("{axes:?}"),
            ));
        }
        let view = self.0.view().permuted_axes(IxDyn(axes));
        Ok(Self(view.as_standard_layout().into_owned()))
    }
}

/// The indices of `values` from the smallest value to the largest; equal ones stay in their order.
pub fn ascending(values: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    order
}

#[cfg(test)]
mod tests {
    use super::{Shape, Tensor};

    #[test]
    fn permuting_there_and_back_is_the_identity() {
        let nchw = Tensor::from_fn([2, 3, 4, 5], |i| i as f32);
        let nhwc = nchw.permuted(&[0, 2, 3, 1]).unwrap();
        assert_eq!(nhwc.shape(), Shape::from([2, 4, 5, 3]));
        assert_eq!(nhwc.to_vec()[1], 20.0);
        assert_eq!(nhwc.permuted(&[0, 3, 1, 2]).unwrap(), nchw);
        assert!(nchw.permuted(&[0, 0, 1, 2]).is_err());
    }
}

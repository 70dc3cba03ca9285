//! The one place where a network's tensors change between convscope's layout and PyTorch's, and
//! where tensors from outside are checked before they replace parameters.

use std::collections::BTreeSet;

use crate::error::{Error, Result};
use crate::tensor::{Shape, Tensor};

use super::network::{Network, Parameter};

/// How a parameter's layout at every boundary (files, scripts) differs from the one inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boundary {
    /// The same on both sides.
    Same,
    /// HWIO inside, OIHW outside.
    Convolution,
    /// HWDIO inside with so many slices D in front of the inputs, as `[h, w, d * i, o]`; OIDHW outside: filters over
    /// slices, and over the elements of a group.
    Slices(usize),
    /// `[in, out]` inside, `[out, in]` outside.
    Dense,
    /// HWC inside, CHW outside.
    Maps,
}

impl Boundary {
    /// The shape inside with every axis apart that is one outside.
    fn apart(self, inside: &Shape) -> Shape {
        match (self, inside.dims()) {
            (Self::Slices(d), &[h, w, di, o]) => Shape::from([h, w, d, di / d, o]),
            _ => inside.clone(),
        }
    }

    /// Axis `i` outside is axis `axes[i]` inside; `None` where nothing moves.
    fn axes_out(self) -> Option<&'static [usize]> {
        match self {
            Self::Same => None,
            Self::Convolution => Some(&[3, 2, 0, 1]),
            Self::Slices(_) => Some(&[4, 3, 2, 0, 1]),
            Self::Dense => Some(&[1, 0]),
            Self::Maps => Some(&[2, 0, 1]),
        }
    }

    /// Axis `i` inside is axis `axes[i]` outside.
    fn axes_in(self) -> Option<&'static [usize]> {
        match self {
            Self::Same => None,
            Self::Convolution => Some(&[2, 3, 1, 0]),
            Self::Slices(_) => Some(&[3, 4, 2, 1, 0]),
            Self::Dense => Some(&[1, 0]),
            Self::Maps => Some(&[1, 2, 0]),
        }
    }

    /// The shape outside of a tensor that has `inside` inside.
    pub fn shape_out(self, inside: &Shape) -> Shape {
        let apart = self.apart(inside);
        match self.axes_out() {
            None => apart,
            Some(axes) => Shape::new(axes.iter().map(|&a| apart.dims()[a]).collect::<Vec<_>>()),
        }
    }
}

impl Parameter {
    fn range(&self) -> std::ops::Range<usize> {
        self.offset..self.offset + self.shape.elements()
    }

    /// This parameter out of the flat buffer, in PyTorch's layout.
    fn take(&self, flat: &[f32]) -> Result<Tensor> {
        let words = flat.get(self.range()).ok_or_else(|| {
            let expected = format!("a flat buffer of at least {} words", self.range().end);
            Error::mismatch(self.name.as_str(), expected, flat.len().to_string())
        })?;
        let tensor = Tensor::new(self.boundary.apart(&self.shape), words.to_vec())?;
        match self.boundary.axes_out() {
            None => Ok(tensor),
            Some(axes) => tensor.permuted(axes),
        }
    }

    /// A tensor from outside in the layout inside, after every check.
    fn accept(&self, tensor: &Tensor) -> Result<Vec<f32>> {
        let expected = self.boundary.shape_out(&self.shape);
        if tensor.shape() != expected {
            let found = tensor.shape().to_string();
            return Err(Error::mismatch(
                self.name.as_str(),
                format!("shape {expected}"),
                found,
            ));
        }
        if let Some(bad) = tensor.array().iter().find(|value| !value.is_finite()) {
            return Err(Error::mismatch(
                self.name.as_str(),
                "finite numbers",
                bad.to_string(),
            ));
        }
        let inside = match self.boundary.axes_in() {
            None => tensor.to_vec(),
            Some(axes) => tensor.permuted(axes)?.to_vec(),
        };
        let mut pairs = self.mask.iter().flatten().zip(&inside);
        match pairs.find(|(mask, value)| **mask == 0.0 && **value != 0.0) {
            None => Ok(inside),
            Some((_, value)) => Err(Error::mismatch(
                self.name.as_str(),
                "0 where the table has no connection",
                value.to_string(),
            )),
        }
    }
}

impl Network {
    /// All parameters and running statistics under their PyTorch names and in its layout: filters
    /// OIHW (OIDHW over slices), dense weights `[out, in]`.
    ///
    /// # Errors
    /// When a buffer is shorter than this network's.
    pub fn export(&self, parameters: &[f32], statistics: &[f32]) -> Result<Vec<(String, Tensor)>> {
        let from = |list: &[Parameter], flat: &[f32]| {
            list.iter()
                .map(|one| Ok((one.name.clone(), one.take(flat)?)))
                .collect::<Result<Vec<_>>>()
        };
        let mut all = from(&self.parameters, parameters)?;
        all.extend(from(&self.statistics, statistics)?);
        Ok(all)
    }

    /// Replaces the named tensors. Either all are accepted or nothing changes.
    ///
    /// # Errors
    /// On an unknown or repeated name, a wrong shape, a value that is not finite, or a connection
    /// that the network does not have.
    pub fn import(
        &self,
        tensors: &[(String, Tensor)],
        parameters: &mut [f32],
        statistics: &mut [f32],
    ) -> Result<()> {
        let mut accepted = Vec::new();
        let mut seen = BTreeSet::new();
        for (name, tensor) in tensors {
            if !seen.insert(name) {
                return Err(Error::mismatch(
                    name.as_str(),
                    "each tensor once",
                    "it twice",
                ));
            }
            let find = |list: &'_ [Parameter]| list.iter().position(|one| one.name == *name);
            let (one, statistic) = match (find(&self.parameters), find(&self.statistics)) {
                (Some(index), _) => (&self.parameters[index], false),
                (None, Some(index)) => (&self.statistics[index], true),
                (None, None) => {
                    let known = self.parameters.iter().chain(&self.statistics);
                    let known = known.map(|one| one.name.as_str());
                    return Err(Error::unknown("parameter", name.as_str(), known));
                }
            };
            let size = if statistic {
                statistics.len()
            } else {
                parameters.len()
            };
            if one.range().end > size {
                let expected = format!("a flat buffer of at least {} words", one.range().end);
                return Err(Error::mismatch(name.as_str(), expected, size.to_string()));
            }
            accepted.push((one.range(), statistic, one.accept(tensor)?));
        }
        for (range, statistic, values) in accepted {
            let flat = if statistic {
                &mut *statistics
            } else {
                &mut *parameters
            };
            flat[range].copy_from_slice(&values);
        }
        Ok(())
    }
}

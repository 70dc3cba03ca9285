//! With which weights a unit looks at the units of another layer, as pictures: one slice for each map that it reads.
//! A convolution's filters are such kernels, and so are the rows of a dense layer, which sees whole maps, or numbers.

use super::network::{LayerInfo, Network};

/// Where the kernels of a layer lie within a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kernel {
    /// Index of the parameter.
    pub weight: usize,
    /// The layer whose channels the slices look at.
    pub sender: usize,
    /// Kernels; filters that are shared (over slices, over turns) make several blocks of channels.
    pub units: usize,
    /// Slices of each.
    pub inputs: usize,
    /// Height and width of a slice.
    pub size: [usize; 2],
    /// Words from one element of a slice to the next, row by row, and from one slice to the next. The kernels of
    /// all units are interleaved.
    pub strides: [usize; 2],
}

impl Kernel {
    /// Shape of all of them, `[o, i, h, w]`.
    pub fn shape(&self) -> [usize; 4] {
        let [h, w] = self.size;
        [self.units, self.inputs, h, w]
    }

    /// First word of slice `input` of what `unit` looks with.
    pub fn first(&self, unit: usize, input: usize) -> usize {
        input * self.strides[1] + unit % self.units
    }

    /// That slice, row by row, of the words of the parameter.
    pub fn slice(&self, words: &[f32], unit: usize, input: usize) -> Vec<f32> {
        let [h, w] = self.size;
        let first = self.first(unit, input);
        let own = words.iter().skip(first).step_by(self.strides[0]);
        own.take(h * w).copied().collect()
    }
}

impl Network {
    /// The kernels of the layer of this index, if its units look at another layer with some.
    pub fn kernel(&self, layer: usize) -> Option<Kernel> {
        let info = self.layers.get(layer)?;
        let weight = info.weight?;
        let before = |id: &String| Some(self.layer(id).ok()?.0);
        let mut sender = info.inputs.first().and_then(before)?;
        match *self.parameters[weight].shape.dims() {
            [h, w, inputs, units] => Some(Kernel {
                weight,
                sender,
                units,
                inputs,
                size: [h, w],
                strides: [inputs * units, units],
            }),
            [all, units] => {
                sender = self.flattened(sender).unwrap_or(sender);
                let [inputs, h, w] = self.layers[sender].shape;
                (inputs * h * w == all).then_some(Kernel {
                    weight,
                    sender,
                    units,
                    inputs,
                    size: [h, w],
                    strides: [units, h * w * units],
                })
            }
            _ => None,
        }
    }

    /// The layer whose maps a vector lists, channel by channel, as a flatten does; what has nothing to learn and
    /// changes no length (dropout, an activation) may come between.
    fn flattened(&self, vector: usize) -> Option<usize> {
        let length = |layer: &LayerInfo| layer.shape.iter().product::<usize>();
        let mut layer = &self.layers[vector];
        loop {
            let [input] = layer.inputs.as_slice() else {
                return None;
            };
            let (index, before) = self.layer(input).ok()?;
            let same = layer.params == 0 && length(before) == length(layer);
            match before.shape {
                _ if !same => return None,
                [_, 1, 1] => layer = before,
                _ => return Some(index),
            }
        }
    }
}

//! What part of the image a unit sees, and that part cut out.

use crate::nn::ReceptiveField;

use super::Request;

/// How the units of a layer see the image.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sight {
    /// `[c, h, w]`.
    pub(super) image: [usize; 3],
    /// Height and width of a unit's map.
    pub(super) map: [usize; 2],
    field: ReceptiveField,
}

impl Sight {
    /// That of the request's layer.
    pub(super) fn of(request: &Request<'_>) -> Self {
        let layer = &request.network.layers[request.layer];
        Self {
            image: request.network.spec.input,
            map: [layer.shape[1], layer.shape[2]],
            field: layer.receptive_field,
        }
    }

    /// First row and column, and extent, of what the unit sees from `position` of its map: the whole image along
    /// an axis where it sees that much.
    pub(super) fn window(&self, position: usize) -> ([i64; 2], [usize; 2]) {
        let along = |axis: usize, at: usize| {
            let (size, whole) = (self.field.size[axis], self.image[axis + 1]);
            // Positions and strides are of images in memory, far below 2^63.
            let moved = (at * self.field.stride[axis]) as i64;
            let first = self.field.offset[axis].saturating_add(moved);
            if size >= whole {
                (0, whole)
            } else {
                (first, size)
            }
        };
        let across = self.map[1].max(1);
        let [(top, height), (left, width)] =
            [along(0, position / across), along(1, position % across)];
        ([top, left], [height, width])
    }

    /// `[c, height, width]` of an NHWC image under a window, `outside` where there is no image.
    pub(super) fn crop(
        &self,
        ([top, left], [height, width]): ([i64; 2], [usize; 2]),
        outside: f32,
        pixel: impl Fn(usize) -> f32,
    ) -> Vec<f32> {
        let [c, h, w] = self.image;
        let mut patch = Vec::with_capacity(c * height * width);
        for channel in 0..c {
            for i in 0..height * width {
                let (y, x) = (top + (i / width) as i64, left + (i % width) as i64);
                let inside = usize::try_from(y).ok().filter(|&y| y < h);
                let inside = inside.zip(usize::try_from(x).ok().filter(|&x| x < w));
                patch.push(inside.map_or(outside, |(y, x)| pixel((y * w + x) * c + channel)));
            }
        }
        patch
    }
}

//! Where the object is, from the saliency map alone (Simonyan et al. 2014, section 3.2): the box around the
//! largest connected part of the most salient pixels. The paper hands the pixels to a color segmentation
//! first; here the map is blurred a little, so that neighbors join, and the part itself is boxed.

use crate::error::Result;
use crate::field::Field;
use crate::tensor::{Tensor, ascending};

use super::super::{Needs, Picture, Recipe, Request, Visualization};
use super::{IMAGE, Saliency, class_field, map_recipe, with_defaults};

/// The method.
#[derive(Debug)]
pub(in super::super) struct SaliencyBox;

impl Visualization for SaliencyBox {
    fn id(&self) -> &'static str {
        "saliency-box"
    }

    fn name(&self) -> &'static str {
        "Box from saliency"
    }

    fn doc(&self) -> &'static str {
        "Where the object of the class is: the box around the largest connected part of the most salient \
         pixels (Simonyan et al. 2014, section 3.2)."
    }

    fn needs(&self) -> Needs {
        IMAGE
    }

    fn fields(&self) -> Vec<Field> {
        let quantile = "Share of the pixels that are not salient enough to belong to the object.";
        let blur = "Deviation of the blur that joins neighboring pixels first, in pixels.";
        vec![
            class_field(),
            Field::number("quantile", quantile, 0.0, 0.999, 0.85),
            Field::number("blur", blur, 0.0, 16.0, 1.5),
        ]
    }

    fn recipe(&self, request: &Request<'_>) -> Result<Recipe> {
        let quantile = request.values.number("quantile")?;
        let blur = request.values.number("blur")? as f32;
        let image = request.image()?.clone();
        let [_, h, w] = request.network.spec.input;
        let mut recipe = map_recipe(&Saliency, &with_defaults(&Saliency, request)?)?;
        let saliency = recipe.decode;
        recipe.decode = Box::new(move |outputs: &[Vec<f32>]| {
            let mut pictures = saliency(outputs)?;
            let [top, left, bottom, right] =
                object(&blurred(&outputs[0], [h, w], blur), [h, w], quantile);
            let title = format!(
                "Box · columns {left} to {right}, rows {top} to {bottom} ({} x {} pixels)",
                right - left + 1,
                bottom - top + 1
            );
            let boxed = boxed(&image, [h, w], [top, left, bottom, right])?;
            pictures.insert(0, Picture::new(title, &boxed, false)?);
            Ok(pictures)
        });
        Ok(recipe)
    }
}

/// A Gaussian blur of this deviation, within the image.
fn blurred(map: &[f32], [h, w]: [usize; 2], deviation: f32) -> Vec<f32> {
    let reach = (3.0 * deviation).ceil() as usize;
    let weight = |distance: usize| {
        let far = distance as f32 / deviation.max(1e-6);
        (-0.5 * far * far).exp()
    };
    let along = |map: &[f32], step: usize, extent: usize| -> Vec<f32> {
        let mean = |at: usize| {
            let (here, mut sum, mut total) = (at / step % extent, 0.0, 0.0);
            for there in here.saturating_sub(reach)..=(here + reach).min(extent - 1) {
                let weight = weight(here.abs_diff(there));
                sum += weight * map[at + there * step - here * step];
                total += weight;
            }
            sum / total
        };
        (0..map.len()).map(mean).collect()
    };
    along(&along(map, 1, w), w, h)
}

/// First and last row and column (`[top, left, bottom, right]`) of the largest part, neighbors in all eight
/// directions, of the pixels above `quantile`.
fn object(map: &[f32], [h, w]: [usize; 2], quantile: f64) -> [usize; 4] {
    let order = ascending(map);
    let at = order.get((quantile * map.len() as f64) as usize);
    let threshold = at.map_or(f32::INFINITY, |&at| map[at]);
    let mut free: Vec<bool> = map.iter().map(|&value| value >= threshold).collect();
    let mut largest = Vec::new();
    for start in 0..map.len() {
        let mut part = Vec::new();
        let mut open = vec![start];
        while let Some(at) = open.pop() {
            if !std::mem::take(&mut free[at]) {
                continue;
            }
            part.push(at);
            let (y, x) = (at / w, at % w);
            for ny in y.saturating_sub(1)..=(y + 1).min(h - 1) {
                open.extend((x.saturating_sub(1)..=(x + 1).min(w - 1)).map(|nx| ny * w + nx));
            }
        }
        if part.len() > largest.len() {
            largest = part;
        }
    }
    let bounds = |of: fn(usize, usize) -> usize| {
        let values = || largest.iter().map(|&at| of(at, w));
        [values().min().unwrap_or(0), values().max().unwrap_or(0)]
    };
    let ([top, bottom], [left, right]) = (bounds(|at, w| at / w), bounds(|at, w| at % w));
    [top, left, bottom, right]
}

/// `image` in color with the box drawn on it, in orange.
fn boxed(
    image: &Tensor,
    [h, w]: [usize; 2],
    [top, left, bottom, right]: [usize; 4],
) -> Result<Tensor> {
    const COLOR: [f32; 3] = [0.9, 0.45, 0.0];
    let pixels = image.to_vec();
    let channels = pixels.len() / (h * w).max(1);
    let on_edge = |at: usize| {
        let (y, x) = (at / w, at % w);
        let within = (top..=bottom).contains(&y) && (left..=right).contains(&x);
        within && (y == top || y == bottom || x == left || x == right)
    };
    let colored = |i: usize| {
        let (c, at) = (i / (h * w), i % (h * w));
        if on_edge(at) {
            return COLOR[c];
        }
        pixels[c.min(channels.saturating_sub(1)) * h * w + at]
    };
    Ok(Tensor::from_fn([3, h, w], colored))
}

#[cfg(test)]
mod tests {
    use super::object;

    #[test]
    fn the_box_is_around_the_largest_part_and_nothing_else() {
        #[rustfmt::skip]
        let map = [
            9.0, 0.0, 0.0, 0.0, 0.0,
            0.0, 0.0, 0.0, 8.0, 0.0,
            0.0, 0.0, 7.0, 0.0, 0.0,
            0.0, 0.0, 0.0, 6.0, 0.0,
        ];
        assert_eq!(object(&map, [4, 5], 0.8), [1, 2, 3, 3]);
    }
}

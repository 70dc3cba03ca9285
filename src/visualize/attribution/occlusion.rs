//! Occlusion sensitivity (Zeiler & Fergus 2014, section 4.2 and Fig. 7): a square is moved over the image
//! and the network asked again at each place. Shown are how much each pixel's occlusion costs the class, the
//! class's probability by the square's place, and which class is then the most probable.

use crate::error::Result;
use crate::field::Field;
use crate::graph::ValueId;
use crate::ops;
use crate::tensor::Tensor;

use super::super::{Picture, Request, Shown};
use super::baseline::mean;
use super::maps::{Answer, Kind, best};
use super::{Attribution, Map, Scene};

/// The method.
#[derive(Debug)]
pub(in super::super) struct Occlusion;

const OCCLUDERS: [&str; 3] = ["gray", "mean", "black"];

impl Attribution for Occlusion {
    fn id(&self) -> &'static str {
        "occlusion"
    }

    fn name(&self) -> &'static str {
        "Occlusion sensitivity"
    }

    fn doc(&self) -> &'static str {
        "How much of the class's probability is lost where a square covers the image, and what the network \
         then says (Zeiler & Fergus 2014, Fig. 7)."
    }

    fn fields(&self) -> Vec<Field> {
        let occluder = "What covers the image: middle gray, the dataset's mean, or black.";
        let stride = "Step from one place of the square to the next, in pixels.";
        vec![
            Field::integer("patch", "Side of the square, in pixels.", 1.0, 128.0, 6.0),
            Field::integer("stride", stride, 1.0, 64.0, 2.0),
            Field::choice("occluder", occluder, &OCCLUDERS, OCCLUDERS[0]),
        ]
    }

    fn samples(&self, request: &Request<'_>) -> Result<usize> {
        let [rows, columns] = Places::axes(request)?;
        Ok(rows.starts.len() * columns.starts.len())
    }

    fn map(&self, scene: &mut Scene<'_>) -> Result<Map> {
        let request = scene.request;
        let [h, w, c] = scene.size();
        let [rows, columns] = Places::axes(request)?;
        let (down, across) = (rows.starts.len(), columns.starts.len());
        let batch = scene.batch();
        let mask = mask(scene, &rows, &columns)?;
        let color = match request.values.choice("occluder")?.as_str() {
            "mean" => mean(request),
            "black" => vec![0.0; c],
            _ => vec![0.5; c],
        };
        let g = &mut scene.graph;
        let color = g.constant([c], &color)?;
        let minus = ops::affine(g, scene.image, -1.0, 0.0)?;
        let change = ops::add(g, minus, color)?;
        let change = scene.repeated(change)?;
        let image = scene.repeated(scene.image)?;
        let g = &mut scene.graph;
        let change = ops::mul(g, change, mask)?;
        let occluded = ops::add(g, image, change)?;
        let built = scene.answer(occluded)?;
        let present = scene.present()?;
        let g = &mut scene.graph;
        let probabilities = ops::softmax(g, built.logits)?;
        let by_place = ops::matmul(g, present, probabilities, true, false)?;
        // What each place costs, spread over the pixels it covers.
        let before = ops::softmax(g, scene.built.logits)?;
        let before = ops::matmul(g, before, scene.class, false, true)?;
        let now = ops::matmul(g, probabilities, scene.class, false, true)?;
        let is_there = scene.rows(1, |_| 1.0)?;
        let g = &mut scene.graph;
        let now = ops::mul(g, now, is_there)?;
        let before = ops::matmul(g, is_there, before, false, false)?;
        let minus = ops::affine(g, now, -1.0, 0.0)?;
        let cost = ops::add(g, before, minus)?;
        let cost = ops::reshape(g, cost, [1, batch])?;
        let mask = ops::reshape(g, mask, [batch, h * w])?;
        let share = ops::matmul(g, cost, mask, false, false)?;
        let cover: Vec<f32> = (0..h * w)
            .map(|at| rows.cover(at / w) * columns.cover(at % w))
            .map(|times| if times > 0.0 { 1.0 / times } else { 0.0 })
            .collect();
        let cover = g.constant([1, h * w], &cover)?;
        let share = ops::mul(g, share, cover)?;
        let share = ops::reshape(g, share, [1, h, w, 1])?;
        let map = scene.total("occlusion", share)?;
        let by_place = scene.total("occluded probabilities", by_place)?;
        let tell = move |answer: &Answer, _: &[f32], more: &[Vec<f32>]| {
            let pictures = by_place_pictures(answer, &more[0], [down, across])?;
            Ok((String::new(), pictures))
        };
        Ok(Map {
            more: vec![by_place],
            tell: Some(Box::new(tell)),
            ..Map::new(map, Kind::Signed)
        })
    }
}

/// The class's probability and the most probable class, by the square's place; zero where it was not yet.
fn by_place_pictures(
    answer: &Answer,
    probabilities: &[f32],
    [down, across]: [usize; 2],
) -> Result<Vec<Picture>> {
    let places = || probabilities.chunks_exact(answer.probabilities.len());
    let of_class: Vec<f32> = places().map(|place| place[answer.class]).collect();
    let winners: Vec<usize> = places().map(best).collect();
    let kept = winners.iter().filter(|&&class| class == answer.class);
    let share = 100.0 * kept.count() as f32 / winners.len().max(1) as f32;
    let class = answer.asker.name(answer.class);
    let grid = |values: Vec<f32>| Tensor::new([1, down, across], values);
    let winners = winners.into_iter().map(|class| class as f32).collect();
    Ok(vec![
        Picture::new(
            format!("Probability of {class} by the square's place"),
            &grid(of_class)?,
            false,
        )?
        .shown(Shown::Map),
        Picture::new(
            format!("Most probable class by the square's place: {class} at {share:.0} % of them"),
            &grid(winners)?,
            false,
        )?
        .shown(Shown::Map),
    ])
}

/// Places of the square along one axis.
#[derive(Debug)]
struct Places {
    extent: usize,
    patch: usize,
    starts: Vec<usize>,
}

impl Places {
    /// Rows and columns. The last place is the first that reaches the image's end.
    fn axes(request: &Request<'_>) -> Result<[Self; 2]> {
        let [_, h, w] = request.network.spec.input;
        let patch = request.values.integer("patch")?;
        let stride = request.values.integer("stride")?;
        Ok([h, w].map(|extent| {
            let patch = patch.min(extent);
            let count = (extent - patch).div_ceil(stride.max(1)) + 1;
            let starts = (0..count).map(|k| k * stride).collect();
            Self {
                extent,
                patch,
                starts,
            }
        }))
    }

    fn covers(&self, start: usize, at: usize) -> f32 {
        f32::from(u8::from((start..start + self.patch).contains(&at)))
    }

    /// How many places cover `at`.
    fn cover(&self, at: usize) -> f32 {
        self.starts
            .iter()
            .map(|&start| self.covers(start, at))
            .sum()
    }
}

/// `[batch, h, w]`: 1 where the square of each place lies.
fn mask(scene: &mut Scene<'_>, rows: &Places, columns: &Places) -> Result<ValueId> {
    let (h, w, across) = (rows.extent, columns.extent, columns.starts.len());
    let in_row = scene.rows(h, |i| rows.covers(rows.starts[i / h / across], i % h))?;
    let in_column = scene.rows(w, |i| columns.covers(columns.starts[i / w % across], i % w))?;
    let batch = scene.batch();
    let g = &mut scene.graph;
    let down = ops::broadcast(g, in_row, [batch * h, w, 1], [batch, h, w], 1.0)?;
    let across = ops::broadcast(g, in_column, [batch, h, w], [batch, h, w], 1.0)?;
    ops::mul(g, down, across)
}

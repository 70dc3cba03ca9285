//! What the examples that look at networks share: a method asked as the page asks it, and sheets of its pictures.

use std::path::Path;

use convscope::backend::Backend;
use convscope::field::Values;
use convscope::train::Session;
use convscope::visualize::{Job, Picture, Request, find_visualization};
use pollster::block_on;
use serde_json::{Map, Value};

use crate::common::Outcome;

/// `method` for unit 0 of a layer and the first test image, with these fields, ready to advance.
pub(crate) fn job<B: Backend>(
    session: &Session<B>,
    method: &str,
    layer: usize,
    fields: &Map<String, Value>,
) -> Outcome<Job<B>> {
    let method = find_visualization(method)?;
    let (network, data) = (session.network(), session.data());
    let values = Values::check(method.id(), &method.fields_for(network.spec.input), fields)?;
    let image = data.dataset.test.image(0)?;
    let request = Request {
        network,
        normalization: (&data.layout.normalization.0, &data.layout.normalization.1),
        look: data.look(),
        layer,
        channel: 0,
        image: Some(&image),
        directions: None,
        seed: 1,
        values,
        data: Some(&data.layout),
        classes: &data.dataset.classes,
    };
    Ok(block_on(Job::new(session, method, &request))?)
}

/// The pictures of `job` when it is done; it advances by so many runs at a time.
pub(crate) fn finished<B: Backend>(
    session: &Session<B>,
    mut job: Job<B>,
    slice: u32,
) -> Outcome<Vec<Picture>> {
    loop {
        let pictures = block_on(job.advance(session, slice))?;
        if job.finished() {
            return Ok(pictures);
        }
    }
}

/// Writes pictures side by side, sixteen in a row at twice their size.
pub(crate) fn sheet(folder: &str, name: &str, pictures: &[Picture]) -> Outcome<()> {
    let Some(first) = pictures.first().filter(|_| !folder.is_empty()) else {
        return Ok(());
    };
    let (w, h, c) = (first.width, first.height, first.channels);
    let columns = pictures.len().min(16);
    let [width, height] = [
        columns * (2 * w + 4),
        pictures.len().div_ceil(columns) * (2 * h + 4),
    ];
    let pixel = |x: u32, y: u32| {
        let [x, y] = [x as usize, y as usize];
        let picture = pictures.get(y / (2 * h + 4) * columns + x / (2 * w + 4));
        let (y, x) = (y % (2 * h + 4) / 2, x % (2 * w + 4) / 2);
        let at = |channel: usize| match picture.filter(|_| y < h && x < w) {
            Some(picture) => picture.data[(channel % c * h + y) * w + x],
            None => 0.5,
        };
        image::Rgb([0, 1, 2].map(|channel| (at(channel).clamp(0.0, 1.0) * 255.0) as u8))
    };
    std::fs::create_dir_all(folder)?;
    let sheet = image::RgbImage::from_fn(width as u32, height as u32, pixel);
    sheet.save(Path::new(folder).join(format!("{name}.png")))?;
    Ok(())
}

//! Real datasets from files, as the examples train on them.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use convscope::data::{Dataset, Split, load_idx};
use convscope::rng::Rng;
use zip::ZipArchive;

pub(crate) type Outcome<T> = Result<T, Box<dyn Error>>;

const MNIST: [&str; 4] = [
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
];

/// The dataset called "mnist", "rotated-mnist" or "cifar-10" from `folder`, which has a folder for each.
pub(crate) fn dataset(name: &str, folder: &Path) -> Outcome<Dataset> {
    match name {
        "mnist" => mnist(&folder.join("mnist")),
        "rotated-mnist" => rotated(mnist(&folder.join("mnist"))?),
        "cifar-10" => cifar(&folder.join("cifar-10")),
        other => Err(format!("expected mnist, rotated-mnist or cifar-10, found {other}").into()),
    }
}

fn mnist(folder: &Path) -> Outcome<Dataset> {
    let mut files = Vec::new();
    for name in MNIST {
        files.push((name.to_owned(), std::fs::read(folder.join(name))?));
    }
    let files: Vec<(String, &[u8])> = files
        .iter()
        .map(|(name, bytes)| (name.clone(), bytes.as_slice()))
        .collect();
    Ok(load_idx("MNIST", &files)?)
}

/// 12,000 training and 10,000 test digits, each turned by an angle of its own (as Larochelle et al. 2007 made
/// MNIST-rot; there the test split has 50,000).
fn rotated(mnist: Dataset) -> Outcome<Dataset> {
    let turn_all = |split: &Split, n: usize, stream: &str| -> Outcome<Split> {
        let mut rng = Rng::new(1, stream);
        let (mut images, mut labels) = (Vec::new(), Vec::new());
        for index in 0..n.min(split.len()) {
            let image = split.image(index)?.to_vec();
            images.extend(turned(&image, rng.uniform() * std::f32::consts::TAU));
            labels.push(u8::try_from(split.label(index)?)?);
        }
        Ok(Split::new([1, 28, 28], images, labels)?)
    };
    Ok(Dataset {
        name: "MNIST, rotated".into(),
        train: turn_all(&mnist.train, 12_000, "train angles")?,
        test: turn_all(&mnist.test, 10_000, "test angles")?,
        ..mnist
    })
}

/// A 28x28 image in 0..1 turned about its middle, bilinear, as bytes.
fn turned(image: &[f32], angle: f32) -> Vec<u8> {
    let (sin, cos) = angle.sin_cos();
    let pixel = |x: i32, y: i32| match (usize::try_from(x), usize::try_from(y)) {
        (Ok(x), Ok(y)) if x < 28 && y < 28 => image[y * 28 + x],
        _ => 0.0,
    };
    let at = |i: usize| {
        let (x, y) = ((i % 28) as f32 - 13.5, (i / 28) as f32 - 13.5);
        let (u, v) = (cos * x + sin * y + 13.5, cos * y - sin * x + 13.5);
        let (left, top) = (u.floor(), v.floor());
        let (s, t) = (u - left, v - top);
        let (left, top) = (left as i32, top as i32);
        let above = pixel(left, top) * (1.0 - s) + pixel(left + 1, top) * s;
        let below = pixel(left, top + 1) * (1.0 - s) + pixel(left + 1, top + 1) * s;
        ((above * (1.0 - t) + below * t) * 255.0).round() as u8
    };
    (0..28 * 28).map(at).collect()
}

fn cifar(folder: &Path) -> Outcome<Dataset> {
    let (classes, train) = image_folder(&folder.join("cifar-10-train.zip"))?;
    let (_, test) = image_folder(&folder.join("cifar-10-test.zip"))?;
    Ok(Dataset {
        name: "CIFAR-10 (JPEG)".into(),
        doc: "60,000 photographs of ten classes, from JPEG files in one folder per class.".into(),
        classes,
        shape: [3, 32, 32],
        train,
        test,
    })
}

/// Color images of 32x32 in a zip with one folder per class: the classes in alphabetical order, and the images.
fn image_folder(path: &Path) -> Outcome<(Vec<String>, Split)> {
    let mut archive = ZipArchive::new(File::open(path)?)?;
    let class = |name: &str| name.split_once('/').map(|(class, _)| class.to_owned());
    let classes: BTreeSet<String> = archive.file_names().filter_map(class).collect();
    let classes: Vec<String> = classes.into_iter().collect();
    let (mut images, mut labels) = (Vec::new(), Vec::new());
    for index in 0..archive.len() {
        let mut file = archive.by_index(index)?;
        let Some(class) = class(file.name()).filter(|_| file.is_file()) else {
            continue;
        };
        let label = classes.iter().position(|other| *other == class);
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        images.extend(image::load_from_memory(&bytes)?.to_rgb8().into_raw());
        labels.push(u8::try_from(label.unwrap_or_default())?);
    }
    Ok((classes, Split::new([3, 32, 32], images, labels)?))
}

/// The dataset with at most so many training and test images, taken evenly from each split: files may be sorted
/// by class.
pub(crate) fn shortened(dataset: Dataset, [train, test]: [usize; 2]) -> Outcome<Dataset> {
    Ok(Dataset {
        train: spread(&dataset.train, dataset.shape, train)?,
        test: spread(&dataset.test, dataset.shape, test)?,
        ..dataset
    })
}

fn spread(split: &Split, shape: [usize; 3], most: usize) -> Outcome<Split> {
    let (all, size) = (split.len(), shape.iter().product::<usize>());
    let kept = most.min(all);
    let (mut images, mut labels) = (Vec::new(), Vec::new());
    for index in (0..kept).map(|index| index * all / kept) {
        images.extend_from_slice(&split.images()[index * size..][..size]);
        labels.push(split.labels()[index]);
    }
    Ok(Split::new(shape, images, labels)?)
}

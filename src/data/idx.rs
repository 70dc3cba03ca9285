//! Datasets from IDX files, as MNIST, Fashion-MNIST, EMNIST and KMNIST are published: images and
//! labels in separate files, for training and for testing, each possibly gzipped. What a file holds
//! is told by its content, which split it belongs to by its name. Single files are read in `parse`;
//! this file fits them together and refuses sets that do not fit.

mod parse;
#[cfg(test)]
mod tests;

use crate::error::{Error, Result};

use super::{Dataset, Split};

use parse::{Content, LIMIT, Part, parse};

/// The class names of Fashion-MNIST (Xiao, Rasul & Vollgraf 2017).
const FASHION: [&str; 10] = [
    "T-shirt/top",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
];

/// Builds the dataset called `name` from IDX or IDX.gz files, given as pairs of file name and
/// content, in any order: images and labels for training, and images and labels for testing
/// ("t10k" or "test" in the file's name). From a single pair, the last sixth is held out as the
/// test split, and the dataset's `doc` says so. Bytes are taken as they are; classes are named by
/// their numbers, except those of Fashion-MNIST ("fashion" in a file's name or in `name`).
///
/// # Errors
/// Says which file is malformed, missing, superfluous, or does not fit the others; see
/// `idx/tests.rs` for every sentence.
pub fn load_idx(name: &str, files: &[(String, &[u8])]) -> Result<Dataset> {
    let (mut images, mut labels) = (Vec::new(), Vec::new());
    let mut budget = LIMIT;
    for (file, bytes) in files {
        let part = parse(file, bytes, budget)?;
        budget -= part.bytes.len() as u64;
        match part.content {
            Content::Images { .. } => images.push(part),
            Content::Labels { .. } => labels.push(part),
        }
    }
    let images = Splits::assign("images", images)?;
    let labels = Splits::assign("labels", labels)?;
    let (shape, train, test, doc) = match (images, labels) {
        (Splits::None, Splits::None) => {
            let expected = "a file of images and a file of labels";
            return Err(Error::mismatch(name, expected, "no files"));
        }
        (Splits::One(images), Splits::One(labels)) => one_pair(images, labels)?,
        (Splits::Both(images), Splits::Both(labels)) => two_pairs(images, labels)?,
        (images, labels) => return Err(incomplete(name, &images, &labels)),
    };
    let last = train.labels().iter().chain(test.labels()).max();
    let fashion = files.iter().map(|(file, _)| file.as_str()).chain([name]);
    let fashion = fashion
        .into_iter()
        .any(|text| text.to_ascii_lowercase().contains("fashion"));
    Ok(Dataset {
        name: name.into(),
        doc,
        classes: class_names(last.map_or(0, |&last| usize::from(last) + 1), fashion),
        shape,
        train,
        test,
    })
}

fn class_names(count: usize, fashion: bool) -> Vec<String> {
    if fashion && count == FASHION.len() {
        return FASHION.map(Into::into).to_vec();
    }
    (0..count).map(|class| class.to_string()).collect()
}

/// The files of one kind, by split.
enum Splits<'a> {
    None,
    One(Part<'a>),
    /// Training and testing.
    Both([Part<'a>; 2]),
}

impl<'a> Splits<'a> {
    fn assign(kind: &str, mut parts: Vec<Part<'a>>) -> Result<Self> {
        if let Some(third) = parts.get(2) {
            let expected = format!("at most two files of {kind} (training and test)");
            return Err(Error::mismatch(third.file, expected, "one more"));
        }
        let (first, second) = match (parts.pop(), parts.pop()) {
            (Some(second), Some(first)) => (first, second),
            (Some(only), None) => return Ok(Self::One(only)),
            (None, _) => return Ok(Self::None),
        };
        match (is_test(first.file), is_test(second.file)) {
            (Some(false), Some(true) | None) | (None, Some(true)) => {
                Ok(Self::Both([first, second]))
            }
            (Some(true), Some(false) | None) | (None, Some(false)) => {
                Ok(Self::Both([second, first]))
            }
            (role, _) => {
                let expected = format!(
                    "one file of training {kind} (\"train\" in its name) and one of test {kind} \
                     (\"t10k\" or \"test\")"
                );
                let found = match role {
                    Some(false) => format!("training {kind} in {} too", first.file),
                    Some(true) => format!("test {kind} in {} too", first.file),
                    None => format!("neither in its name nor in {}", first.file),
                };
                Err(Error::mismatch(second.file, expected, found))
            }
        }
    }

    fn files(&self) -> Vec<&str> {
        match self {
            Self::None => Vec::new(),
            Self::One(part) => vec![part.file],
            Self::Both(parts) => parts.iter().map(|part| part.file).collect(),
        }
    }
}

/// Whether a file's name says that it belongs to the test split; none if it says nothing, or both.
fn is_test(file: &str) -> Option<bool> {
    let name = file
        .rsplit(['/', '\\'])
        .next()
        .unwrap_or(file)
        .to_ascii_lowercase();
    let (train, test) = (
        name.contains("train"),
        name.contains("t10k") || name.contains("test"),
    );
    (train != test).then_some(test)
}

fn incomplete(name: &str, images: &Splits<'_>, labels: &Splits<'_>) -> Error {
    let (images, labels) = (images.files(), labels.files());
    let list = |files: &[&str]| match files {
        [] => "none".into(),
        files => files.join(", "),
    };
    let missing = if images.len() > labels.len() {
        "labels"
    } else {
        "images"
    };
    Error::mismatch(
        name,
        format!("as many files of images as of labels (a file of {missing} is missing)"),
        format!("images: {}; labels: {}", list(&images), list(&labels)),
    )
}

/// Shape, training split, test split, and the sentence that says how they came about.
type Sorted = ([usize; 3], Split, Split, String);

fn two_pairs(images: [Part<'_>; 2], labels: [Part<'_>; 2]) -> Result<Sorted> {
    let [train_images, test_images] = images;
    let [train_labels, test_labels] = labels;
    let (train_file, test_file) = (train_images.file, test_images.file);
    let (shape, images, labels) = pair(train_images, train_labels)?;
    let train = Split::new(shape, images, labels)?;
    let (test_shape, images, labels) = pair(test_images, test_labels)?;
    if test_shape != shape {
        let expected = format!("images of {} as in {train_file}", size(shape));
        return Err(Error::mismatch(
            test_file,
            expected,
            format!("images of {}", size(test_shape)),
        ));
    }
    let test = Split::new(shape, images, labels)?;
    let doc = format!(
        "{} training images and {} test images from files.",
        train.len(),
        test.len()
    );
    Ok((shape, train, test, doc))
}

fn one_pair(images: Part<'_>, labels: Part<'_>) -> Result<Sorted> {
    if let (Some(images_test), Some(labels_test)) = (is_test(images.file), is_test(labels.file))
        && images_test != labels_test
    {
        let split = if images_test { "test" } else { "training" };
        let expected = format!("{split} labels, to go with {}", images.file);
        let found = if labels_test {
            "test labels"
        } else {
            "training labels"
        };
        return Err(Error::mismatch(labels.file, expected, found));
    }
    let file = images.file;
    let (shape, mut images, mut labels) = pair(images, labels)?;
    if labels.len() < 2 {
        let expected = "at least 2 images, to hold some out for testing";
        return Err(Error::mismatch(file, expected, "1 image"));
    }
    let held_out = (labels.len() / 6).max(1);
    let kept = labels.len() - held_out;
    let test_labels = labels.split_off(kept);
    let test_images = images.split_off(kept * shape.iter().product::<usize>());
    let doc = format!(
        "{kept} training images from {file}, and its last {held_out} (a sixth) held out for testing."
    );
    let train = Split::new(shape, images, labels)?;
    Ok((
        shape,
        train,
        Split::new(shape, test_images, test_labels)?,
        doc,
    ))
}

/// The shape, bytes and labels of images and labels that belong together.
fn pair(images: Part<'_>, labels: Part<'_>) -> Result<([usize; 3], Vec<u8>, Vec<u8>)> {
    let (Content::Images { count, shape }, Content::Labels { count: found }) =
        (images.content, labels.content)
    else {
        // `load_idx` sorts files by their content; said again rather than assumed.
        return Err(Error::mismatch(images.file, "images", "labels"));
    };
    if count != found {
        let expected = format!("{count} labels, one for each image in {}", images.file);
        return Err(Error::mismatch(labels.file, expected, found.to_string()));
    }
    Ok((shape, images.bytes, labels.bytes))
}

fn size([c, h, w]: [usize; 3]) -> String {
    format!("{h}x{w}x{c}")
}

//! Every way in which files are refused, with its sentence; and what is accepted.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::load_idx;

/// An IDX file of bytes with these axes and elements.
fn idx(dims: &[u32], elements: impl IntoIterator<Item = u8>) -> Vec<u8> {
    let mut file = vec![0, 0, 8, dims.len() as u8];
    file.extend(dims.iter().flat_map(|dim| dim.to_be_bytes()));
    file.extend(elements);
    file
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Images `[n, 2, 2]` whose bytes count up.
fn images(n: u32) -> Vec<u8> {
    idx(&[n, 2, 2], (0..4 * n).map(|i| i as u8))
}

/// Labels 0, 1, 2, 0, 1 ...
fn labels(n: u32) -> Vec<u8> {
    idx(&[n], (0..n).map(|i| (i % 3) as u8))
}

/// Loads files by name.
fn load(files: &[(&str, Vec<u8>)]) -> Result<super::Dataset, String> {
    let files: Vec<_> = files
        .iter()
        .map(|(file, bytes)| ((*file).to_owned(), bytes.as_slice()))
        .collect();
    load_idx("mine", &files).map_err(|error| error.to_string())
}

/// Loads `bytes` as the images of a pair.
fn refused(bytes: Vec<u8>) -> String {
    load(&[("i", bytes), ("l", labels(6))]).unwrap_err()
}

#[test]
fn a_malformed_file_is_refused_with_its_sentence() {
    let header = |element, rank| [vec![0, 0, element, rank], [0, 0, 0, 1].repeat(5)].concat();
    let zipped = gzip(&images(6));
    let mut flipped = zipped.clone();
    let crc = flipped.len() - 8;
    flipped[crc] ^= 1;
    for (bytes, sentence) in [
        (
            vec![],
            "i: expected an IDX file, with a header of at least 8 bytes, found an empty file",
        ),
        (
            vec![0, 0, 8],
            "i: expected an IDX file, with a header of at least 8 bytes, found the end after 3 bytes",
        ),
        (
            b"PK\x03\x04 a zip file".to_vec(),
            "i: expected an IDX file (first bytes 00 00), or one compressed with gzip (1f 8b), found \
             first bytes 50 4b 03 04",
        ),
        (
            gzip(b"\x89PNG in gzip"),
            "i: expected an IDX file (first bytes 00 00), or one compressed with gzip (1f 8b), found \
             first bytes 89 50 4e 47",
        ),
        (
            header(9, 3),
            "i: expected elements that are unsigned bytes (08), found signed bytes (09)",
        ),
        (
            header(0x0d, 3),
            "i: expected elements that are unsigned bytes (08), found 32-bit floats (0d)",
        ),
        (
            header(7, 3),
            "i: expected elements that are unsigned bytes (08), found the unknown element type 07",
        ),
        (
            header(8, 2),
            "i: expected 1 axis (labels), or 3 or 4 axes (images), found 2 axes",
        ),
        (
            header(8, 5),
            "i: expected 1 axis (labels), or 3 or 4 axes (images), found 5 axes",
        ),
        (
            images(6)[..14].to_vec(),
            "i: expected a header of 16 bytes, found the end after 14 bytes",
        ),
        (
            images(6)[..30].to_vec(),
            "i: expected 24 bytes after the header, which says [6, 2, 2], found only 14",
        ),
        (
            gzip(&images(6)[..30]),
            "i: expected 24 bytes after the header, which says [6, 2, 2], found only 14",
        ),
        (
            [images(6), vec![0]].concat(),
            "i: expected 24 bytes after the header, which says [6, 2, 2], found more",
        ),
        // A bomb: a million zeros in a kilobyte, of which 25 are read.
        (
            gzip(&[images(6), vec![0; 1_000_000]].concat()),
            "i: expected 24 bytes after the header, which says [6, 2, 2], found more",
        ),
        (
            idx(&[0, 2, 2], []),
            "i: expected at least one item, found the shape [0, 2, 2]",
        ),
        (
            idx(&[6, 0, 2], []),
            "i: expected images [n, height, width] or [n, height, width, channels] of 1 to 512 \
             pixels a side and 1 or 3 channels, found the shape [6, 0, 2]",
        ),
        (
            idx(&[6, 513, 2], []),
            "i: expected images [n, height, width] or [n, height, width, channels] of 1 to 512 \
             pixels a side and 1 or 3 channels, found the shape [6, 513, 2]",
        ),
        (
            idx(&[6, 2, 2, 4], []),
            "i: expected images [n, height, width] or [n, height, width, channels] of 1 to 512 \
             pixels a side and 1 or 3 channels, found the shape [6, 2, 2, 4]",
        ),
        (
            idx(&[u32::MAX, 512, 512, 3], []),
            "i: needs 3377699719741440 bytes, the limit is 1073741824 bytes",
        ),
        (
            zipped[..zipped.len() - 10].to_vec(),
            "i: expected a whole gzip file, found a file that ends too early",
        ),
        (
            zipped[..5].to_vec(),
            "i: expected a whole gzip file, found a file that ends too early",
        ),
        (
            flipped,
            "i: expected a whole gzip file, found damaged data (corrupt gzip stream does not have \
             a matching checksum)",
        ),
        (
            [zipped, b"garbage after".to_vec()].concat(),
            "i: expected a whole gzip file, found damaged data (invalid gzip header)",
        ),
    ] {
        assert_eq!(refused(bytes), sentence);
    }
}

#[test]
fn files_that_do_not_fit_are_refused_with_their_sentence() {
    for (files, sentence) in [
        (
            vec![],
            "mine: expected a file of images and a file of labels, found no files",
        ),
        (
            vec![("i", images(6))],
            "mine: expected as many files of images as of labels (a file of labels is missing), \
             found images: i; labels: none",
        ),
        (
            vec![("l", labels(6))],
            "mine: expected as many files of images as of labels (a file of images is missing), \
             found images: none; labels: l",
        ),
        (
            vec![
                ("train-i", images(6)),
                ("test-i", images(6)),
                ("train-l", labels(6)),
            ],
            "mine: expected as many files of images as of labels (a file of labels is missing), \
             found images: train-i, test-i; labels: train-l",
        ),
        (
            vec![("i", images(6)), ("l", labels(5))],
            "l: expected 6 labels, one for each image in i, found 5",
        ),
        (
            vec![("i", images(1)), ("l", labels(1))],
            "i: expected at least 2 images, to hold some out for testing, found 1 image",
        ),
        (
            vec![("train-i", images(6)), ("t10k-l", labels(6))],
            "t10k-l: expected training labels, to go with train-i, found test labels",
        ),
        (
            vec![("train-a", images(6)), ("train-b", images(6))],
            "train-b: expected one file of training images (\"train\" in its name) and one of test \
             images (\"t10k\" or \"test\"), found training images in train-a too",
        ),
        (
            vec![("t10k-a", labels(6)), ("test-b", labels(6))],
            "test-b: expected one file of training labels (\"train\" in its name) and one of test \
             labels (\"t10k\" or \"test\"), found test labels in t10k-a too",
        ),
        (
            vec![("a", images(6)), ("b", images(6))],
            "b: expected one file of training images (\"train\" in its name) and one of test images \
             (\"t10k\" or \"test\"), found neither in its name nor in a",
        ),
        (
            vec![("a", images(6)), ("b", images(6)), ("c", images(6))],
            "c: expected at most two files of images (training and test), found one more",
        ),
        (
            vec![
                ("train-i", images(6)),
                ("train-l", labels(6)),
                ("test-i", idx(&[6, 2, 3], [0; 36])),
                ("test-l", labels(6)),
            ],
            "test-i: expected images of 2x2x1 as in train-i, found images of 2x3x1",
        ),
    ] {
        assert_eq!(load(&files).unwrap_err(), sentence);
    }
}

#[test]
fn all_files_together_stay_within_the_limit() {
    // The first file's 8 bytes are off the budget when the second is read.
    let files = [("l", labels(8)), ("i", idx(&[1 << 20, 32, 32], []))];
    let sentence = "i: needs 1073741824 bytes, the limit is 1073741816 bytes";
    assert_eq!(load(&files).unwrap_err(), sentence);
}

#[test]
fn content_and_names_tell_what_a_file_is() {
    // In any order, gzipped or not; the one without a word is the other split's.
    let dataset = load(&[
        ("labels of T10K", gzip(&labels(2))),
        ("images", images(4)),
        ("a/train/folder\\labels", labels(4)),
        ("test images", gzip(&images(2))),
    ])
    .unwrap();
    assert_eq!((dataset.train.len(), dataset.test.len()), (4, 2));
    assert_eq!(dataset.classes, ["0", "1", "2"]);
    assert_eq!(
        dataset.doc,
        "4 training images and 2 test images from files."
    );
    let color = load(&[("i", idx(&[2, 1, 2, 3], 0..12)), ("l", labels(2))]).unwrap();
    assert_eq!(color.shape, [3, 1, 2]);
    assert_eq!(color.train.images(), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn the_last_sixth_of_a_single_pair_is_held_out() {
    let dataset = load(&[("i", images(13)), ("l", labels(13))]).unwrap();
    assert_eq!((dataset.train.len(), dataset.test.len()), (11, 2));
    assert_eq!(dataset.test.images(), [44, 45, 46, 47, 48, 49, 50, 51]);
    assert_eq!(dataset.test.labels(), [2, 0]);
    let doc = "11 training images from i, and its last 2 (a sixth) held out for testing.";
    assert_eq!(dataset.doc, doc);
}

#[test]
fn fashion_has_its_class_names() {
    let labels = || idx(&[12], (0..12).map(|i| i % 10));
    let named = load(&[
        ("fashion/train-images", images(12)),
        ("train-labels", labels()),
    ])
    .unwrap();
    assert_eq!(named.classes[9], "ankle boot");
    let plain = load(&[("train-images", images(12)), ("train-labels", labels())]).unwrap();
    assert_eq!(plain.classes[9], "9");
}

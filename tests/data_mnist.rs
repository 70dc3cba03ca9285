//! The real MNIST (`LeCun`, Cortes & Burges), read from the files as they are published, where this
//! checkout has them beside it; its known facts come out.

use std::io;

use convscope::data::load_idx;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/mnist");

/// Name and content of the four files.
fn files() -> io::Result<Vec<(String, Vec<u8>)>> {
    let names = [
        "t10k-images-idx3",
        "t10k-labels-idx1",
        "train-images-idx3",
        "train-labels-idx1",
    ];
    let read = |name| {
        let file = format!("{name}-ubyte.gz");
        let bytes = std::fs::read(format!("{FOLDER}/{file}"))?;
        Ok((file, bytes))
    };
    names.into_iter().map(read).collect()
}

#[test]
fn mnist_is_read_with_its_known_facts() {
    let files = match files() {
        Ok(files) => files,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            println!("skipped: no MNIST in {FOLDER}");
            return;
        }
        Err(error) => panic!("MNIST is there but cannot be read: {error}"),
    };
    let files: Vec<_> = files
        .iter()
        .map(|(name, bytes)| (name.clone(), &bytes[..]))
        .collect();
    let mnist = load_idx("MNIST", &files).unwrap();
    assert_eq!(mnist.shape, [1, 28, 28]);
    assert_eq!((mnist.train.len(), mnist.test.len()), (60_000, 10_000));
    assert_eq!(mnist.train.label(0), Ok(5));
    let mut histogram = [0; 10];
    for &label in mnist.train.labels() {
        histogram[usize::from(label)] += 1;
    }
    assert_eq!(
        histogram,
        [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    );
    let (mean, deviation) = mnist.statistics();
    assert!((mean[0] - 0.1307).abs() < 5e-5, "mean {mean:?}");
    assert!(
        (deviation[0] - 0.3081).abs() < 5e-5,
        "deviation {deviation:?}"
    );
}

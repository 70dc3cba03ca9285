//! Whatever bytes come from outside, reading a dataset never panics: it gives an error, or a dataset
//! whose counts match. Valid files of any size come back as they were.

use std::io::Write as _;

use convscope::data::{Dataset, load_idx};
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

fn idx(dims: &[usize], elements: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0, 8, dims.len() as u8];
    file.extend(dims.iter().flat_map(|&dim| (dim as u32).to_be_bytes()));
    file.extend(elements);
    file
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("writing to memory");
    encoder.finish().expect("writing to memory")
}

/// The parts of one split's two files: `[n, h, w, c]`, pixels, labels.
fn split() -> impl Strategy<Value = ([usize; 4], Vec<u8>, Vec<u8>)> {
    let dims = (
        2_usize..9,
        1_usize..7,
        1_usize..7,
        prop_oneof![Just(1_usize), Just(3)],
    );
    dims.prop_flat_map(|(n, h, w, c)| {
        let bytes = |len| proptest::collection::vec(any::<u8>(), len);
        (Just([n, h, w, c]), bytes(n * h * w * c), bytes(n))
    })
}

fn check_counts(dataset: &Dataset) {
    let size: usize = dataset.shape.iter().product();
    for split in [&dataset.train, &dataset.test] {
        assert!(!split.is_empty());
        assert_eq!(split.images().len(), split.len() * size);
        assert!(
            split
                .labels()
                .iter()
                .all(|&label| usize::from(label) < dataset.classes.len())
        );
        assert_eq!(split.words().images.len(), split.len() * size.div_ceil(4));
        assert!(split.image(split.len() - 1).is_ok());
        assert!(split.image(split.len()).is_err());
    }
}

proptest! {
    #[test]
    fn files_of_any_size_come_back(
        ([n, h, w, c], pixels, labels) in split(),
        zipped in any::<[bool; 2]>(),
        swapped in any::<bool>(),
    ) {
        let shape = [n, h, w, c];
        // A gray image may come with or without its axis of one channel.
        let dims = if c == 1 && swapped { &shape[..3] } else { &shape[..] };
        let pack = |bytes: Vec<u8>, zipped: bool| if zipped { gzip(&bytes) } else { bytes };
        let images = pack(idx(dims, &pixels), zipped[0]);
        let classes = pack(idx(&[n], &labels), zipped[1]);
        let mut files = vec![("a".to_owned(), &images[..]), ("b".to_owned(), &classes[..])];
        if swapped {
            files.reverse();
        }
        let dataset = load_idx("any", &files).expect("a valid pair");
        check_counts(&dataset);
        prop_assert_eq!(dataset.shape, [c, h, w]);
        prop_assert_eq!([dataset.train.images(), dataset.test.images()].concat(), pixels);
        prop_assert_eq!([dataset.train.labels(), dataset.test.labels()].concat(), labels);
    }

    #[test]
    fn damaged_files_never_panic(
        (dims, pixels, labels) in split(),
        zipped in any::<bool>(),
        truncated in proptest::option::of(any::<prop::sample::Index>()),
        mutations in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        // Half of the mutations hit the header, where they matter most.
        header in proptest::collection::vec((0_usize..20, any::<u8>()), 0..3),
        damage_labels in any::<bool>(),
    ) {
        let mut files = [idx(&dims, &pixels), idx(&dims[..1], &labels)];
        let damaged = &mut files[usize::from(damage_labels)];
        let hit = |bytes: &mut Vec<u8>| {
            for (at, byte) in &header {
                if let Some(place) = bytes.get_mut(*at) {
                    *place = *byte;
                }
            }
            for (at, byte) in &mutations {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
        };
        if zipped {
            // Inside the compressed stream, and then the stream itself, in one case of two.
            if header.len() < 2 {
                hit(damaged);
            }
            *damaged = gzip(damaged);
        }
        if !zipped || header.len() == 2 {
            hit(damaged);
        }
        if let Some(at) = truncated {
            damaged.truncate(at.index(damaged.len()));
        }
        let [images, labels] = &files;
        let pair = [("images".to_owned(), &images[..]), ("labels".to_owned(), &labels[..])];
        match load_idx("damaged", &pair) {
            Ok(dataset) => check_counts(&dataset),
            Err(error) => prop_assert!(error.to_string().contains("expected")
                || error.to_string().contains("needs"), "{error}"),
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        first in proptest::collection::vec(any::<u8>(), 0..64),
        second in proptest::collection::vec(any::<u8>(), 0..64),
    ) {
        let files = [("train".to_owned(), &first[..]), ("test".to_owned(), &second[..])];
        prop_assert!(load_idx("noise", &files).is_err());
    }
}

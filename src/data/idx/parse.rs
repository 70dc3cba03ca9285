//! One IDX file (`LeCun`, Cortes & Burges, "The MNIST database"): two zero bytes, the element type, the
//! number of axes, each extent as a big-endian 32-bit number, and the elements; the whole possibly
//! compressed with gzip. Nothing is allocated by a number from the file before it was checked.

use std::io::{ErrorKind, Read};

use flate2::read::MultiGzDecoder;

use crate::error::{Error, Result};

/// What one file holds.
pub(super) struct Part<'a> {
    /// Its name, for error sentences.
    pub(super) file: &'a str,
    /// What it holds.
    pub(super) content: Content,
    /// Its elements.
    pub(super) bytes: Vec<u8>,
}

/// What an IDX file's axes say about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// One class index per image.
    Labels {
        /// How many.
        count: usize,
    },
    /// Images in NHWC order.
    Images {
        /// How many.
        count: usize,
        /// Channels, height and width.
        shape: [usize; 3],
    },
}

/// The sum of the elements of all files that are read together may not exceed this: 1 GiB.
pub(super) const LIMIT: u64 = 1 << 30;

/// Longest side of an image in pixels.
const MAX_SIDE: u32 = 512;

/// Reads a file of at most `budget` elements.
///
/// # Errors
/// When it is no IDX file of bytes, its axes are neither those of images nor of labels, its length
/// is not what its header says, its compression is damaged, or it is larger than `budget`.
pub(super) fn parse<'a>(file: &'a str, bytes: &[u8], budget: u64) -> Result<Part<'a>> {
    if bytes.starts_with(&[0x1f, 0x8b]) {
        read(file, MultiGzDecoder::new(bytes), budget)
    } else {
        read(file, bytes, budget)
    }
}

fn read(file: &str, mut source: impl Read, budget: u64) -> Result<Part<'_>> {
    let rank = read_magic(file, &mut source)?;
    let mut dims = Vec::with_capacity(rank);
    for _ in 0..rank {
        let mut extent = [0; 4];
        let found = fill(file, &mut source, &mut extent)?;
        if found < extent.len() {
            let expected = format!("a header of {} bytes", 4 + 4 * rank);
            return Err(ended(file, expected, 4 + 4 * dims.len() + found));
        }
        dims.push(u32::from_be_bytes(extent));
    }
    let content = content(file, &dims)?;
    let size = dims
        .iter()
        .try_fold(1_u64, |size, &dim| size.checked_mul(dim.into()));
    let size = size
        .filter(|&size| size <= budget)
        .ok_or_else(|| Error::memory(file, size.unwrap_or(u64::MAX), budget))?;
    // One byte more than declared, to tell a file with trailing bytes; the vector grows with what
    // is there, not with what the header says.
    let mut bytes = Vec::new();
    let read = source.take(size + 1).read_to_end(&mut bytes);
    read.map_err(|error| damaged(file, &error))?;
    let found = match bytes.len() as u64 {
        found if found == size => {
            return Ok(Part {
                file,
                content,
                bytes,
            });
        }
        found if found > size => "more".into(),
        found => format!("only {found}"),
    };
    let expected = format!("{size} bytes after the header, which says {dims:?}");
    Err(Error::mismatch(file, expected, found))
}

/// Reads the first four bytes and returns the number of axes.
fn read_magic(file: &str, source: &mut impl Read) -> Result<usize> {
    let mut magic = [0; 4];
    let found = fill(file, source, &mut magic)?;
    if found < magic.len() {
        return Err(ended(
            file,
            "an IDX file, with a header of at least 8 bytes",
            found,
        ));
    }
    let [zero, one, element, rank] = magic;
    if [zero, one] != [0, 0] {
        let expected = "an IDX file (first bytes 00 00), or one compressed with gzip (1f 8b)";
        let found = magic.map(|byte| format!("{byte:02x}")).join(" ");
        return Err(Error::mismatch(
            file,
            expected,
            format!("first bytes {found}"),
        ));
    }
    if element != 0x08 {
        let found = match element {
            0x09 => "signed bytes (09)".into(),
            0x0b => "16-bit integers (0b)".into(),
            0x0c => "32-bit integers (0c)".into(),
            0x0d => "32-bit floats (0d)".into(),
            0x0e => "64-bit floats (0e)".into(),
            other => format!("the unknown element type {other:02x}"),
        };
        return Err(Error::mismatch(
            file,
            "elements that are unsigned bytes (08)",
            found,
        ));
    }
    if !matches!(rank, 1 | 3 | 4) {
        let expected = "1 axis (labels), or 3 or 4 axes (images)";
        return Err(Error::mismatch(file, expected, format!("{rank} axes")));
    }
    Ok(rank.into())
}

fn content(file: &str, dims: &[u32]) -> Result<Content> {
    let (count, size) = match *dims {
        [count] => (count, None),
        [count, h, w] => (count, Some([1, h, w])),
        [count, h, w, c] => (count, Some([c, h, w])),
        // `read_magic` lets no other rank pass; said again rather than assumed.
        _ => {
            let found = format!("{} axes", dims.len());
            return Err(Error::mismatch(file, "1, 3 or 4 axes", found));
        }
    };
    if count == 0 {
        return Err(Error::mismatch(
            file,
            "at least one item",
            format!("the shape {dims:?}"),
        ));
    }
    let count = count as usize;
    let Some([c, h, w]) = size else {
        return Ok(Content::Labels { count });
    };
    let side = 1..=MAX_SIDE;
    if !(side.contains(&h) && side.contains(&w) && (c == 1 || c == 3)) {
        let expected = format!(
            "images [n, height, width] or [n, height, width, channels] of 1 to {MAX_SIDE} pixels \
             a side and 1 or 3 channels"
        );
        return Err(Error::mismatch(
            file,
            expected,
            format!("the shape {dims:?}"),
        ));
    }
    let shape = [c, h, w].map(|extent| extent as usize);
    Ok(Content::Images { count, shape })
}

/// Reads until `buffer` is full or the source ends; returns how many bytes there were.
fn fill(file: &str, source: &mut impl Read, buffer: &mut [u8]) -> Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match source.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) => return Err(damaged(file, &error)),
        }
    }
    Ok(filled)
}

fn ended(file: &str, expected: impl Into<String>, found: usize) -> Error {
    let found = match found {
        0 => "an empty file".into(),
        found => format!("the end after {found} bytes"),
    };
    Error::mismatch(file, expected, found)
}

/// Only gzip can fail to be read: slices never do.
fn damaged(file: &str, error: &std::io::Error) -> Error {
    let found = match error.kind() {
        ErrorKind::UnexpectedEof => "a file that ends too early".into(),
        ErrorKind::OutOfMemory => "more data than there is memory for".into(),
        _ => format!("damaged data ({error})"),
    };
    Error::mismatch(file, "a whole gzip file", found)
}

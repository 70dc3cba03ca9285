//! Shaders as they are shipped: without the comments and the indentation that their files have for readers, eight
//! of the 700 kilobytes that a visitor may download. It is done when convscope is compiled.

/// A WGSL file, by its path from the file that names it, without comment lines, empty lines and indentation. Lines
/// that begin with `//:` say how the text is unrolled, and stay.
#[macro_export]
macro_rules! wgsl {
    ($path:literal) => {{
        const SOURCE: &str = include_str!($path);
        const LENGTH: usize = $crate::program::stripped::<0>(SOURCE).1;
        const BYTES: [u8; LENGTH] = $crate::program::stripped::<LENGTH>(SOURCE).0;
        match std::str::from_utf8(&BYTES) {
            Ok(text) => text,
            Err(_) => panic!("whole lines of a text are a text"),
        }
    }};
}

/// The first `N` bytes of the stripped text, and how many bytes it has.
pub const fn stripped<const N: usize>(source: &str) -> ([u8; N], usize) {
    let source = source.as_bytes();
    let (mut bytes, mut length, mut at) = ([0; N], 0, 0);
    while at < source.len() {
        while at < source.len() && matches!(source[at], b' ' | b'\n') {
            at += 1;
        }
        let is_comment = starts(source, at, b"//") && !starts(source, at, b"//:");
        while at < source.len() {
            let byte = source[at];
            at += 1;
            if !is_comment {
                if length < N {
                    bytes[length] = byte;
                }
                length += 1;
            }
            if byte == b'\n' {
                break;
            }
        }
    }
    (bytes, length)
}

const fn starts(source: &[u8], at: usize, with: &[u8]) -> bool {
    let mut i = 0;
    while i < with.len() {
        if at + i >= source.len() || source[at + i] != with[i] {
            return false;
        }
        i += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::stripped;

    #[test]
    fn only_what_readers_need_is_left_out() {
        let source =
            "// Why.\nfn f() {\n    // Because.\n\n    //:for p N\n    let x = 1 / 2; // half\n}";
        let (bytes, length) = stripped::<60>(source);
        let text = std::str::from_utf8(&bytes[..length]).unwrap();
        assert_eq!(text, "fn f() {\n//:for p N\nlet x = 1 / 2; // half\n}");
        assert_eq!(stripped::<0>(source).1, length);
    }
}

//! Source files as the checkers see them: a path and a text, with comments, the insides of literals
//! and test code blanked on request. Blanked bytes become spaces, so that every line keeps its number.

use std::fs;
use std::path::Path;

/// A source file.
pub(crate) struct Source {
    /// Relative to the repository, with forward slashes.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Every file below `folder` whose extension is one of `extensions`, by path.
pub(crate) fn sources(folder: &str, extensions: &[&str]) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut folders, mut found) = (vec![root.join(folder)], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a source folder is readable") {
            let path = entry.expect("a readable entry").path();
            let extension = path.extension().and_then(|extension| extension.to_str());
            if path.is_dir() {
                folders.push(path);
            } else if extension.is_some_and(|extension| extensions.contains(&extension)) {
                let relative = path
                    .strip_prefix(root)
                    .expect("it was found below the root");
                let names = relative.iter().map(|name| name.to_string_lossy());
                found.push(Source {
                    path: names.collect::<Vec<_>>().join("/"),
                    text: fs::read_to_string(&path).expect("a source file is UTF-8"),
                });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// "path:line: message" for byte `at` of `text`.
pub(crate) fn complaint(path: &str, text: &str, at: usize, message: &str) -> String {
    let line = text[..at].matches('\n').count() + 1;
    format!("{path}:{line}: {message}")
}

/// Whether `c` can be part of an identifier.
pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Where `word` starts in `text` with no identifier character before it.
pub(crate) fn starts<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let found = text.match_indices(word).map(|(at, _)| at);
    found.filter(|&at| !text[..at].ends_with(is_word))
}

/// Where `word` occurs in `text` as a whole identifier.
pub(crate) fn words<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    starts(text, word).filter(|&at| !text[at + word.len()..].starts_with(is_word))
}

/// Rust `text` with comments and literals blanked.
pub(crate) fn code(text: &str) -> String {
    let mut blanked = text.as_bytes().to_vec();
    let mut at = 0;
    while at < text.len() {
        let length = opaque(&text.as_bytes()[at..]);
        blank(&mut blanked[at..at + length]);
        at += length.max(1);
    }
    String::from_utf8(blanked).expect("whole comments and literals were blanked")
}

/// Rust `text` as [`code`] without what `#[cfg(test)]` marks; nothing if the whole file is tests.
pub(crate) fn production(path: &str, text: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    if path.ends_with("/tests.rs") {
        return String::new();
    }
    let mut code = code(text).into_bytes();
    while let Some(start) = code
        .windows(MARK.len())
        .position(|window| window == MARK.as_bytes())
    {
        let after = start + MARK.len();
        let end = after + item(&code[after..]);
        blank(&mut code[start..end]);
    }
    String::from_utf8(code).expect("whole items were blanked")
}

/// Length of the item at the start of `code`: to its `;` or the end of its block.
fn item(code: &[u8]) -> usize {
    let mut depth = 0_i32;
    for (at, byte) in code.iter().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            _ => {}
        }
        if depth <= 0 && matches!(byte, b';' | b'}') {
            return at + 1;
        }
    }
    code.len()
}

fn blank(bytes: &mut [u8]) {
    for byte in bytes.iter_mut().filter(|byte| **byte != b'\n') {
        *byte = b' ';
    }
}

/// Length of the comment or literal at the start of `text`; 0 if there is none.
fn opaque(text: &[u8]) -> usize {
    let until = |mark: &[u8], from: usize| {
        let found = text.get(from..).and_then(|rest| {
            let mut windows = rest.windows(mark.len());
            windows.position(|window| window == mark)
        });
        found.map_or(text.len(), |found| from + found + mark.len())
    };
    match text {
        [b'/', b'/', ..] => until(b"\n", 2),
        [b'/', b'*', ..] => block_comment(text),
        [b'"', ..] => string(text),
        [b'r', b'"' | b'#', ..] => {
            let hashes = text[1..].iter().take_while(|byte| **byte == b'#').count();
            if text.get(1 + hashes) == Some(&b'"') {
                until(&[b"\"", "#".repeat(hashes).as_bytes()].concat(), 2 + hashes)
            } else {
                0
            }
        }
        [b'\'', b'\\', ..] => until(b"'", 3),
        [b'\'', first, ..] => {
            // A character of up to four bytes and a quote; else it is a lifetime.
            let width = usize::try_from(first.leading_ones()).unwrap_or(0).max(1);
            if text.get(1 + width) == Some(&b'\'') {
                width + 2
            } else {
                0
            }
        }
        _ => 0,
    }
}

fn block_comment(text: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        match text[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn string(text: &[u8]) -> usize {
    let mut at = 1;
    while at < text.len() && text[at] != b'"' {
        at += if text[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(text.len())
}

#[test]
fn comments_literals_and_tests_are_blanked() {
    let blanked = [
        "// crate::web",
        "//! crate::web",
        "/* a /* crate::web */ crate::web */",
        "\"crate::web\"",
        "\"\\\"crate::web\"",
        "r#\"\"crate::web\"#",
        "#[cfg(test)]\nmod a {\n    fn b() { crate::web::c() }\n}",
        "#[cfg(test)]\n#[path = \"x\"]\nmod crate_web { struct crate::web; }",
        "#[cfg(test)]\nuse crate::web;",
    ];
    for text in blanked {
        let rest = production("src/a.rs", text);
        assert_eq!(rest.trim(), "", "{text}");
        assert_eq!(rest.len(), text.len(), "{text}");
        assert_eq!(
            rest.matches('\n').count(),
            text.matches('\n').count(),
            "{text}"
        );
    }
    let kept = [
        ("let c = '\"'; web // x", "let c =    ; web"),
        ("let c = '\\''; web", "let c =     ; web"),
        ("fn a<'a>(b: &'a str) {}", "fn a<'a>(b: &'a str) {}"),
        ("'é' web", "     web"),
        ("#[cfg(test)]\nfn a() {}\nfn b() {}", "fn b() {}"),
        ("r#type: u8", "r#type: u8"),
    ];
    for (text, expected) in kept {
        let rest = production("src/a.rs", text);
        assert!(rest.trim_end().ends_with(expected), "{text} became {rest}");
    }
}

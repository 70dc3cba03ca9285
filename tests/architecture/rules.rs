//! Rules for the text of single files: which outside crates a Rust file may name, what the core never
//! touches, what never passes through serde, and how a file is written.

use crate::imports::paths;
use crate::source::{code, complaint, is_word, production, starts, words};

/// Outside crates with a home: what their names start with, and the only paths that may say them.
const HOMES: &[(&[&str], &[&str])] = &[
    (
        &["wgpu"],
        &[
            "src/backend/gpu.rs",
            "src/backend/gpu/",
            "src/web/present_gpu.rs",
        ],
    ),
    (
        &[
            "wasm_bindgen",
            "js_sys",
            "web_sys",
            "serde_wasm_bindgen",
            "console_error_panic_hook",
        ],
        &["src/web.rs", "src/web/"],
    ),
];

/// Complains of outside crates away from their home.
pub(crate) fn check_homes(path: &str, text: &str) -> Vec<String> {
    let code = code(text);
    let mut complaints = Vec::new();
    for (names, homes) in HOMES {
        if homes.iter().any(|home| path.starts_with(home)) {
            continue;
        }
        for name in *names {
            let message = format!("{name} is named outside of {}", homes.join(", "));
            complaints.extend(starts(&code, name).map(|at| complaint(path, text, at, &message)));
        }
    }
    complaints
}

/// What the standard library has of the outside world. The clock is the caller's, bytes come in as
/// slices.
const OUTSIDE: &[&str] = &[
    "fs",
    "net",
    "env",
    "process",
    "time::Instant",
    "time::SystemTime",
    "time::*",
];

/// Complains of I/O, of the environment and of clocks.
pub(crate) fn check_outside_world(path: &str, text: &str) -> Vec<String> {
    let code = production(path, text);
    let mut complaints = Vec::new();
    for (at, used) in paths(&code, "std") {
        let below = |outside: &&&str| {
            let rest = used.strip_prefix(**outside);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        };
        if OUTSIDE.iter().any(|outside| below(&outside)) {
            let message = format!("the core has no std::{used}: no I/O, no environment, no clock");
            complaints.push(complaint(path, text, at, &message));
        }
    }
    for clock in ["Instant::now", "SystemTime::now"] {
        let message = format!("the core reads no clock ({clock})");
        complaints.extend(starts(&code, clock).map(|at| complaint(path, text, at, &message)));
    }
    complaints
}

/// Complains of f32 arrays and tensors in types that derive `Serialize` or `Deserialize`.
pub(crate) fn check_serde(path: &str, text: &str) -> Vec<String> {
    let code = production(path, text);
    let mut complaints = Vec::new();
    for at in starts(&code, "derive(") {
        let rest = &code[at..];
        let Some(end) = rest.find(")]") else { continue };
        let derived = |name| starts(&rest[..end], name).next().is_some();
        if !derived("Serialize") && !derived("Deserialize") {
            continue;
        }
        let start = at + end + ")]".len();
        let body = &code[start..start + definition(&code[start..])];
        let marks = ["Vec<f32", "[f32", "Array"].map(|mark| starts_anywhere(body, mark));
        let arrays = marks.into_iter().flatten().filter(|&found| {
            // Of ndarray's `Array1<f32>` ... the name alone says nothing.
            let word = body[found..].trim_start_matches(is_word);
            !body[found..].starts_with("Array") || word.starts_with("<f32")
        });
        for found in arrays.chain(words(body, "Tensor")) {
            let message = "an f32 array or tensor does not pass through serde";
            complaints.push(complaint(path, text, start + found, message));
        }
    }
    complaints
}

fn starts_anywhere<'a>(text: &'a str, mark: &'a str) -> Vec<usize> {
    text.match_indices(mark).map(|(at, _)| at).collect()
}

/// Length of the struct or enum, further attributes included, at the start of `code`.
fn definition(code: &str) -> usize {
    let mut depth = 0_i32;
    for (at, c) in code.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 && matches!(c, '}' | ';') {
            return at + 1;
        }
    }
    code.len()
}

/// Complains of `unsafe`, of stubs, of lints silenced without a reason, and of test modules that are
/// not marked as such.
pub(crate) fn check_manners(path: &str, text: &str) -> Vec<String> {
    let code = code(text);
    let mut complaints = Vec::new();
    let mut complain = |at, message: &str| complaints.push(complaint(path, text, at, message));
    words(&code, "unsafe").for_each(|at| complain(at, "unsafe"));
    for stub in ["todo!", "unimplemented!"] {
        starts(&code, stub).for_each(|at| complain(at, &format!("a stub ({stub})")));
    }
    for attribute in ["allow(", "expect("] {
        let silenced = starts(&code, attribute)
            .filter(|&at| code[..at].ends_with("#[") || code[..at].ends_with("#!["));
        for at in silenced {
            let end = code[at..].find(']').map_or(code.len(), |end| at + end);
            if words(&code[at..end], "reason").next().is_none() {
                complain(at, &format!("#[{attribute}...)] without a reason"));
            }
        }
    }
    // The other rules take a file called tests.rs for test code.
    let production = production(path, text);
    starts(&production, "mod tests;").for_each(|at| complain(at, "mod tests without #[cfg(test)]"));
    complaints
}

/// A file of more lines does two things.
const MAX_LINES: usize = 400;

/// Complains of a file that is too long to read.
pub(crate) fn check_length(path: &str, text: &str) -> Vec<String> {
    let lines = text.lines().count();
    let message = format!("{lines} lines; at most {MAX_LINES}");
    if lines > MAX_LINES {
        vec![format!("{path}:{lines}: {message}")]
    } else {
        Vec::new()
    }
}

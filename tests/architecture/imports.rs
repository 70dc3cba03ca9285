//! Which room of the house may use which. [`ROOMS`] is the import table of the design as data; the
//! checker expands every path that starts at the crate's root, `use` trees included, and compares.

use crate::source::{complaint, is_word, production, starts};

/// A room in reading order and the rooms it may use.
pub(crate) struct Room {
    pub(crate) name: &'static str,
    pub(crate) uses: &'static [&'static str],
}

const fn room(name: &'static str, uses: &'static [&'static str]) -> Room {
    Room { name, uses }
}

/// The import table. `backend` stands for its trait: an implementation is named by `web` alone.
#[rustfmt::skip]
pub(crate) const ROOMS: &[Room] = &[
    room("error", &[]),
    room("field", &["error"]),
    room("rng", &[]),
    room("tensor", &["error"]),
    room("program", &["tensor", "error"]),
    room("graph", &["program", "tensor", "error"]),
    room("ops", &["graph", "program", "tensor", "error"]),
    room("autodiff", &["graph", "ops", "tensor", "error"]),
    room("nn", &["graph", "ops", "tensor", "rng", "field", "error"]),
    room("zoo", &["nn", "field", "error"]),
    room("data", &["graph", "ops", "tensor", "rng", "field", "error"]),
    room("compile", &["graph", "ops", "program", "tensor", "error"]),
    room("backend", &["program", "tensor", "error"]),
    room("train", &["compile", "autodiff", "backend", "data", "nn", "ops", "graph", "program", "tensor",
        "rng", "field", "error"]),
    room("visualize", &["train", "compile", "autodiff", "backend", "nn", "ops", "graph", "tensor", "rng",
        "field", "error"]),
    room("interop", &["nn", "tensor", "error"]),
    room("web", &["interop", "visualize", "train", "backend", "compile", "data", "zoo", "nn", "autodiff",
        "ops", "graph", "program", "tensor", "rng", "field", "error"]),
];

/// The room that the file at `path` is in: `src/<room>.rs` or `src/<room>/...`.
fn room_of(path: &str) -> &str {
    let path = path.trim_start_matches("src/").trim_end_matches(".rs");
    path.split('/').next().unwrap_or(path)
}

/// Complains of paths that lead to a room which this file's room may not use.
pub(crate) fn check_imports(path: &str, text: &str) -> Vec<String> {
    let room = room_of(path);
    if ["lib", "base", "engine"].contains(&room) {
        return Vec::new();
    }
    let Some(entry) = ROOMS.iter().find(|entry| entry.name == room) else {
        return vec![complaint(
            path,
            text,
            0,
            &format!("room {room} is not in the import table"),
        )];
    };
    let code = production(path, text);
    let forbidden = |(at, used): &(usize, String)| {
        let message = forbidden(entry, used)?;
        Some((*at, complaint(path, text, *at, &message)))
    };
    let mut found: Vec<_> = root_paths(path, &code)
        .iter()
        .filter_map(forbidden)
        .collect();
    found.sort();
    found.dedup();
    found.into_iter().map(|(_, complaint)| complaint).collect()
}

/// Macros, which stand at the crate's root, and the rooms that they are of.
const MACROS: [(&str, &str); 1] = [("wgsl", "program")];

/// What is wrong with `entry` using `used`, a path below the crate's root.
fn forbidden(entry: &Room, used: &str) -> Option<String> {
    let (room, rest) = match MACROS.iter().find(|(name, _)| *name == used) {
        Some((name, room)) => (*room, *name),
        None => used.split_once("::").unwrap_or((used, "")),
    };
    let known = ROOMS.iter().any(|other| other.name == room);
    if !known {
        return Some(format!(
            "crate::{used} does not lead to a room of the import table"
        ));
    }
    if room == entry.name {
        return None;
    }
    if !entry.uses.contains(&room) {
        return Some(format!("{} may not use {room} (crate::{used})", entry.name));
    }
    let implementation = rest
        .split("::")
        .next()
        .is_some_and(|name| matches!(name, "cpu" | "gpu"));
    (room == "backend" && implementation && entry.name != "web").then(|| {
        format!(
            "{} may use the trait of backend only (crate::{used})",
            entry.name
        )
    })
}

/// Every path in `code` that starts at the crate's root, without the root, and where it is: those after
/// `crate::`, those that climb to it by `super::`, and those that start at an imported `backend`.
fn root_paths(path: &str, code: &str) -> Vec<(usize, String)> {
    let mut found = paths(code, "crate");
    let depth = path.matches('/').count();
    for (at, climbing) in paths(code, "super") {
        let mut rest = climbing.as_str();
        let mut climbed = 1;
        while let Some(above) = rest.strip_prefix("super::") {
            (rest, climbed) = (above, climbed + 1);
        }
        let room = rest.split("::").next();
        // Climbing out of an inline module, however high, ends at an item, not at a room.
        if climbed >= depth && ROOMS.iter().any(|entry| Some(entry.name) == room) {
            found.push((at, rest.to_owned()));
        }
    }
    for (at, below) in paths(code, "backend") {
        // Elsewhere, a path that starts with the word is one of the room's own modules.
        if below.starts_with("cpu") || below.starts_with("gpu") {
            found.push((at, format!("backend::{below}")));
        }
    }
    found
}

/// Every path in `code` below `root::`, with `use` trees expanded, and where its last part is.
pub(crate) fn paths(code: &str, root: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for at in starts(code, root) {
        let climbing = root == "super" && code[..at].trim_end().ends_with("super::");
        let rest = code[at + root.len()..].trim_start();
        if let Some(tree) = rest.strip_prefix("::").filter(|_| !climbing) {
            expand(tree, "", &mut found);
        }
    }
    // `expand` counts from the end, which every tail of `code` knows.
    found
        .into_iter()
        .map(|(left, path)| (code.len() - left, path))
        .collect()
}

/// Expands the use tree at the start of `tree` below `prefix` and returns what follows it.
fn expand<'a>(tree: &'a str, prefix: &str, found: &mut Vec<(usize, String)>) -> &'a str {
    let tree = tree.trim_start();
    if let Some(mut rest) = tree.strip_prefix('{') {
        while !rest.is_empty() {
            rest = rest.trim_start();
            if let Some(after) = rest.strip_prefix('}') {
                return after;
            }
            rest = expand(rest, prefix, found);
            // Past a rename and the comma.
            rest = rest.trim_start_matches(|c| c != ',' && c != '}');
            rest = rest.strip_prefix(',').unwrap_or(rest);
        }
        return rest;
    }
    let end = tree
        .find(|c: char| !is_word(c) && c != '*')
        .unwrap_or(tree.len());
    let separator = if prefix.is_empty() || end == 0 {
        ""
    } else {
        "::"
    };
    let path = format!("{prefix}{separator}{}", &tree[..end]);
    let rest = &tree[end..];
    match rest.trim_start().strip_prefix("::") {
        Some(below) if end > 0 => expand(below, &path, found),
        _ => {
            found.push((tree.len(), path));
            rest
        }
    }
}

/// Complains where the crate's `mod` lines do not follow the reading order of the table.
pub(crate) fn check_order(path: &str, text: &str) -> Vec<String> {
    let code = production(path, text);
    let mut complaints = Vec::new();
    let mut last = 0;
    for at in starts(&code, "mod ") {
        let rest = &code[at + "mod ".len()..];
        let name = rest.split(|c| !is_word(c)).next().unwrap_or_default();
        match ROOMS.iter().position(|entry| entry.name == name) {
            None => {
                let message = format!("room {name} is not in the import table");
                complaints.push(complaint(path, text, at, &message));
            }
            Some(place) if place < last => {
                let message = format!("room {name} stands after {}", ROOMS[last].name);
                complaints.push(complaint(path, text, at, &message));
            }
            Some(place) => last = place,
        }
    }
    complaints
}

#[test]
fn the_table_goes_one_way() {
    for (index, entry) in ROOMS.iter().enumerate() {
        for used in entry.uses {
            let earlier = ROOMS[..index].iter().any(|other| other.name == *used);
            assert!(
                earlier,
                "{} uses {used}, which does not stand before it",
                entry.name
            );
        }
    }
}

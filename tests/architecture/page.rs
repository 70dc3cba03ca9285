//! Rules for the page: it has no name of a layer, architecture, dataset, optimizer or method (all come
//! from the catalog), and it never makes markup out of text.

use convscope::data::{AUGMENTATIONS, DATASETS};
use convscope::train::{LOSSES, OPTIMIZERS, SCHEDULES};
use convscope::visualize::VISUALIZATIONS;

use crate::source::{complaint, words};

/// Every id that the page may not know. A new registry is one more line.
pub(crate) fn registry_ids() -> Vec<(&'static str, &'static str)> {
    let mut ids = Vec::new();
    ids.extend(DATASETS.iter().map(|info| ("dataset", info.id)));
    ids.extend(OPTIMIZERS.iter().map(|info| ("optimizer", info.id)));
    ids.extend(SCHEDULES.iter().map(|info| ("schedule", info.id)));
    ids.extend(LOSSES.iter().map(|info| ("loss", info.id)));
    ids.extend(VISUALIZATIONS.iter().map(|method| ("method", method.id())));
    ids.extend(AUGMENTATIONS.iter().map(|info| ("augmentation", info.id)));
    ids
}

/// Ids that are also ordinary words of a page: path, id, and why the literal there is not the id.
pub(crate) const EXCEPTIONS: &[(&str, &str, &str)] = &[];

/// Complains of a string literal that equals an id, and of an id that is no plain word ("lenet5",
/// "feature-maps") anywhere.
pub(crate) fn check_names(path: &str, text: &str, ids: &[(&str, &str)]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (kind, id) in ids {
        let excepted = |(place, word, _): &(&str, &str, &str)| *place == path && word == id;
        if EXCEPTIONS.iter().any(excepted) {
            continue;
        }
        let plain = id.chars().all(|c| c.is_ascii_lowercase());
        let quoted = |at: usize| {
            let before = text[..at].chars().next_back();
            let after = text[at + id.len()..].chars().next();
            before == after && matches!(before, Some('"' | '\'' | '`'))
        };
        for at in words(text, id).filter(|&at| !plain || quoted(at)) {
            let message = format!("names the {kind} \"{id}\", which comes from the catalog");
            complaints.push(complaint(path, text, at, &message));
        }
    }
    complaints
}

/// Complains of markup made out of text.
pub(crate) fn check_markup(path: &str, text: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    for sink in [
        "{@html",
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
    ] {
        let message = format!("makes markup out of text ({sink})");
        let found = text.match_indices(sink);
        complaints.extend(found.map(|(at, _)| complaint(path, text, at, &message)));
    }
    complaints
}

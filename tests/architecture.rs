//! The invariants of the house that can be read off its text: who may use whom, who may name which
//! outside crate, what the core never touches, what never passes through serde, what the page never
//! says, and how files are written. Each checker is a function of a path and a text; the first tests
//! here run them over the repository and list every violation, the last one seeds violations and sees
//! them found.

#[path = "architecture/imports.rs"]
mod imports;
#[path = "architecture/page.rs"]
mod page;
#[path = "architecture/rules.rs"]
mod rules;
#[path = "architecture/seeded.rs"]
mod seeded;
#[path = "architecture/source.rs"]
mod source;

use source::{Source, sources};

/// What a rule looks like: a path and a text to its complaints.
type Checker = fn(&str, &str) -> Vec<String>;

/// Runs `check` over `files` and fails with everything it complains of.
fn assert_clean(files: &[Source], check: impl Fn(&str, &str) -> Vec<String>) {
    assert!(!files.is_empty(), "there is nothing to check");
    let complaints: Vec<_> = files
        .iter()
        .flat_map(|file| check(&file.path, &file.text))
        .collect();
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

fn rust() -> Vec<Source> {
    sources("src", &["rs"])
}

/// The page without what the build generates from Rust.
fn page() -> Vec<Source> {
    let mut files = sources("www/src", &["ts", "svelte"]);
    files.retain(|file| !file.path.starts_with("www/src/gen/"));
    files
}

#[test]
fn rooms_use_only_what_the_import_table_allows() {
    assert_clean(&rust(), imports::check_imports);
}

#[test]
fn the_crate_lists_its_rooms_in_reading_order() {
    let root: Vec<_> = rust()
        .into_iter()
        .filter(|file| file.path == "src/lib.rs")
        .collect();
    assert_clean(&root, imports::check_order);
}

#[test]
fn outside_crates_are_named_only_at_home() {
    assert_clean(&rust(), rules::check_homes);
}

#[test]
fn the_core_does_no_io_and_reads_no_clock() {
    assert_clean(&rust(), rules::check_outside_world);
}

#[test]
fn no_f32_array_passes_through_serde() {
    assert_clean(&rust(), rules::check_serde);
}

#[test]
fn nothing_is_unsafe_stubbed_or_silenced() {
    assert_clean(&rust(), rules::check_manners);
}

#[test]
fn every_file_can_be_read_in_one_go() {
    let files: Vec<_> = rust()
        .into_iter()
        .chain(page())
        .chain(sources("shaders", &["wgsl"]))
        .collect();
    assert_clean(&files, rules::check_length);
}

#[test]
fn the_page_names_nothing_of_the_registries() {
    let ids = page::registry_ids();
    assert_clean(&page(), |path, text| page::check_names(path, text, &ids));
}

#[test]
fn the_page_makes_no_markup_out_of_text() {
    assert_clean(&page(), page::check_markup);
}

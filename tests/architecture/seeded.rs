//! Every checker against seeded violations, which it must report at their line, and against text that
//! looks like one and is none.

use crate::Checker;
use crate::imports::{check_imports, check_order};
use crate::page::{check_markup, check_names};
use crate::rules::{check_homes, check_length, check_manners, check_outside_world, check_serde};

/// A checker, a path, a text, and the complaints' places and a part of each.
type Row = (Checker, &'static str, &'static str, &'static [&'static str]);

const ROWS: &[Row] = &[
    // Imports.
    (
        check_imports,
        "src/nn/a.rs",
        "\nuse crate::backend::Backend;",
        &["src/nn/a.rs:2: nn may not use backend"],
    ),
    (
        check_imports,
        "src/graph.rs",
        "use crate::{\n    error::Error,\n    ops::{self, add},\n};",
        &[":3: graph may not use ops", ":3: graph may not use ops"],
    ),
    (
        check_imports,
        "src/ops/a.rs",
        "use super::super::nn::Network;",
        &[":1: ops may not use nn"],
    ),
    (
        check_imports,
        "src/ops/a.rs",
        "fn f() { crate::web::go::<u8>() }",
        &["ops may not use web"],
    ),
    (
        check_imports,
        "src/ops/a.rs",
        "macro_rules! m { () => { $crate::train::x() } }",
        &["ops may not use train"],
    ),
    (
        check_imports,
        "src/train/a.rs",
        "use crate::backend::{Backend, gpu::Gpu};",
        &["the trait of backend only (crate::backend::gpu::Gpu)"],
    ),
    (
        check_imports,
        "src/visualize.rs",
        "use crate::backend;\nfn f(x: backend::cpu::Cpu) {}",
        &[":2: visualize may use the trait"],
    ),
    (
        check_imports,
        "src/train/a.rs",
        "use crate::visualize as v;",
        &["train may not use visualize"],
    ),
    (
        check_imports,
        "src/train/a.rs",
        "use crate::*;",
        &["crate::* does not lead to a room"],
    ),
    (
        check_imports,
        "src/cellar/a.rs",
        "",
        &["room cellar is not in the import table"],
    ),
    (
        check_imports,
        "src/ops/a.rs",
        "use super::sum;\nuse crate::graph::{Graph, Op as _};",
        &[],
    ),
    (
        check_imports,
        "src/ops/a.rs",
        "#[cfg(test)]\nmod tests {\n    use crate::backend::cpu::Cpu;\n}",
        &[],
    ),
    (
        check_imports,
        "src/ops/a.rs",
        "// crate::web\nconst A: &str = \"crate::web\";",
        &[],
    ),
    (
        check_imports,
        "src/train/a.rs",
        "use crate::backend::Backend;",
        &[],
    ),
    (
        check_imports,
        "src/web/a.rs",
        "use crate::backend::gpu::Gpu;",
        &[],
    ),
    (check_imports, "src/lib.rs", "pub use crate::web::Lab;", &[]),
    (
        check_order,
        "src/lib.rs",
        "pub mod graph;\npub mod program;",
        &[":2: room program stands after graph"],
    ),
    (
        check_order,
        "src/lib.rs",
        "pub mod cellar;",
        &[":1: room cellar is not"],
    ),
    (
        check_order,
        "src/lib.rs",
        "pub mod error;\npub mod web;",
        &[],
    ),
    // Outside crates.
    (
        check_homes,
        "src/train.rs",
        "\nfn f(d: &wgpu::Device) {}",
        &["src/train.rs:2: wgpu is named"],
    ),
    (
        check_homes,
        "src/web/present_host.rs",
        "use wgpu;",
        &["wgpu is named"],
    ),
    (
        check_homes,
        "src/backend/gpu.rs",
        "use js_sys::Array;",
        &["js_sys is named"],
    ),
    (
        check_homes,
        "src/nn.rs",
        "#[cfg(test)]\nmod t { use wasm_bindgen_test::*; }",
        &[":2: wasm_bindgen is named"],
    ),
    (
        check_homes,
        "src/backend/gpu/read.rs",
        "use wgpu::Buffer;",
        &[],
    ),
    (
        check_homes,
        "src/web/a.rs",
        "use wasm_bindgen::prelude::*;",
        &[],
    ),
    (
        check_homes,
        "src/backend.rs",
        "//! `gpu` runs on wgpu.\nconst A: &str = \"wgpu\";",
        &[],
    ),
    // The outside world.
    (
        check_outside_world,
        "src/data.rs",
        "\nuse std::fs::File;",
        &["src/data.rs:2: the core has no std::fs::File"],
    ),
    (
        check_outside_world,
        "src/data.rs",
        "use std::{\n    fmt,\n    time::{Duration, Instant},\n};",
        &[":3: the core has no std::time::Instant"],
    ),
    (
        check_outside_world,
        "src/data.rs",
        "use std::time::*;\nlet a = Instant::now();",
        &[
            ":1: the core has no std::time::*",
            ":2: the core reads no clock",
        ],
    ),
    (
        check_outside_world,
        "src/data.rs",
        "let a = ::std::env::var(\"A\");",
        &["std::env::var"],
    ),
    (
        check_outside_world,
        "src/data.rs",
        "use std::net;",
        &["std::net"],
    ),
    (
        check_outside_world,
        "src/data.rs",
        "use std::{fmt, time::Duration};\nuse std::io::Read;",
        &[],
    ),
    (
        check_outside_world,
        "src/data/idx/tests.rs",
        "use std::fs;",
        &[],
    ),
    // Serde.
    (
        check_serde,
        "src/nn.rs",
        "#[derive(Debug, Serialize)]\nstruct A {\n    b: Vec<f32>,\n}",
        &["src/nn.rs:3: an f32 array"],
    ),
    (
        check_serde,
        "src/nn.rs",
        "#[derive(serde::Deserialize)]\n#[serde(tag = \"a\")]\nenum A {\n    B(Option<Tensor>),\n    C { d: [f32; 3] },\n}",
        &[":5: an f32 array", ":4: an f32 array"],
    ),
    (
        check_serde,
        "src/nn.rs",
        "#[derive(Serialize)]\nstruct A(Array1<f32>);",
        &[":2: an f32 array"],
    ),
    (
        check_serde,
        "src/nn.rs",
        "#[derive(Serialize)]\nstruct A { b: f32, c: Vec<u8>, d: Array1<u8>, e: TensorShape }\nstruct B(Vec<f32>);",
        &[],
    ),
    (
        check_serde,
        "src/nn.rs",
        "#[derive(Debug)]\nstruct A { b: Vec<f32> }",
        &[],
    ),
    // Manners.
    (
        check_manners,
        "src/nn.rs",
        "fn a() {\n    unsafe { b() }\n}",
        &["src/nn.rs:2: unsafe"],
    ),
    (
        check_manners,
        "src/nn.rs",
        "fn a() { todo!() }\nfn b() { unimplemented!() }",
        &[":1: a stub (todo!)", ":2: a stub (unimplemented!)"],
    ),
    (
        check_manners,
        "src/nn.rs",
        "#![allow(dead_code)]\n#[allow(\n    unused,\n)]\nfn a() {}",
        &[":1: #[allow(", ":2: #[allow("],
    ),
    (
        check_manners,
        "src/nn.rs",
        "#[expect(dead_code)]\nfn a() {}",
        &["#[expect("],
    ),
    (
        check_manners,
        "src/nn.rs",
        "mod tests;",
        &["without #[cfg(test)]"],
    ),
    (
        check_manners,
        "src/nn.rs",
        "#[expect(dead_code, reason = \"todo! unsafe\")]\nfn a() { b.expect(\"c\") } // unsafe\n#[cfg(test)]\nmod tests;",
        &[],
    ),
    // The page.
    (
        names,
        "www/src/a.ts",
        "\nif (kind === 'dropout') return;",
        &["www/src/a.ts:2: names the layer \"dropout\""],
    ),
    (
        names,
        "www/src/a.ts",
        "f(`dropout`, \"dropout\")",
        &[":1: names", ":1: names"],
    ),
    (
        names,
        "www/src/a.svelte",
        "<p>Try lenet5</p>",
        &[":1: names the architecture \"lenet5\""],
    ),
    (
        names,
        "www/src/a.ts",
        "const t = { lenet5: 1 };",
        &[":1: names the architecture"],
    ),
    (
        names,
        "www/src/a.ts",
        "// Without dropout, 'dropouts' and \"a dropout\" and lenet50 are words.",
        &[],
    ),
    (
        check_markup,
        "www/src/a.svelte",
        "<p>\n{@html doc}</p>",
        &["www/src/a.svelte:2: makes markup"],
    ),
    (
        check_markup,
        "www/src/a.ts",
        "node.innerHTML = text;",
        &["(innerHTML)"],
    ),
    (check_markup, "www/src/a.svelte", "<html>{doc}</html>", &[]),
];

fn names(path: &str, text: &str) -> Vec<String> {
    check_names(
        path,
        text,
        &[("layer", "dropout"), ("architecture", "lenet5")],
    )
}

#[test]
fn seeded_violations_are_found_and_nothing_else() {
    for (check, path, text, expected) in ROWS {
        let found = check(path, text);
        let all = found
            .iter()
            .zip(*expected)
            .all(|(found, part)| found.contains(part));
        assert!(
            all && found.len() == expected.len(),
            "{path}: {text}\nfound {found:#?}"
        );
    }
}

#[test]
fn a_file_of_401_lines_is_too_long() {
    assert_eq!(
        check_length("src/a.rs", &"\n".repeat(400)),
        Vec::<String>::new()
    );
    assert_eq!(
        check_length("src/a.rs", &"\n".repeat(401)),
        ["src/a.rs:401: 401 lines; at most 400"]
    );
}

//! Every WGSL file is valid and has exactly one owner, and every kernel that the ops' examples lower
//! to declares the bindings that its Rust side binds. Shaders compile lazily in a browser, so what is
//! wrong here would otherwise show in a user's tab.

#[path = "common/examples.rs"]
#[expect(dead_code, reason = "only the kernels matter here, not their inputs")]
mod examples;
#[path = "common/training.rs"]
mod training;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use convscope::backend::cpu::Cpu;
use convscope::compile::compile;
use convscope::ops::OPS;
use convscope::program::{Access, Family, Launch};
use convscope::train::Plan;
use convscope::zoo::ARCHITECTURES;
use naga::valid::{Capabilities, ValidationFlags, Validator};
use naga::{AddressSpace, Module, ShaderStage, StorageAccess};
use serde_json::Map;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The text of every shader by its stem.
fn shaders() -> BTreeMap<String, String> {
    let entries = fs::read_dir(root().join("shaders")).expect("the folder shaders exists");
    let paths = entries.map(|entry| entry.expect("a readable entry").path());
    let read = |path: PathBuf| {
        let stem = path.file_stem()?.to_str()?.to_owned();
        Some((stem, fs::read_to_string(path).ok()?))
    };
    paths.filter_map(read).collect()
}

/// Every Rust file below `folder`, with its text.
fn sources(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).expect("a source folder is readable") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("a source file is readable");
            found.push((path, text));
        }
    }
}

/// One form of a kernel.
struct Form {
    name: &'static str,
    wgsl: Arc<str>,
    accesses: Vec<Access>,
    workgroups: [u32; 3],
}

const FAMILIES: [Family; 2] = [Family::Software, Family::Gpu];

/// All distinct forms of kernels of all examples, forward and backward.
fn kernels() -> Vec<Form> {
    let mut kernels = BTreeMap::new();
    for case in examples::cases() {
        let outputs: Vec<_> = [case.output].into_iter().chain(case.gradients).collect();
        let compiled = compile(&case.graph, &case.name, &outputs)
            .unwrap_or_else(|error| panic!("{}: {error}", case.name));
        for (kernel, family) in both(&compiled.program.kernels) {
            let (name, wgsl, workgroups) = kernel.form(family);
            kernels.entry(wgsl.clone()).or_insert(Form {
                name,
                wgsl: wgsl.clone(),
                accesses: kernel.accesses.clone(),
                workgroups,
            });
        }
    }
    kernels.into_values().collect()
}

fn both<T>(kernels: &[T]) -> impl Iterator<Item = (&T, Family)> {
    kernels
        .iter()
        .flat_map(|kernel| FAMILIES.map(|family| (kernel, family)))
}

/// The parsed and validated module, or what is wrong with it.
fn validated(name: &str, wgsl: &str) -> Result<Module, String> {
    let parsed = naga::front::wgsl::parse_str(wgsl);
    let module = parsed.map_err(|error| error.emit_to_string_with_path(wgsl, name))?;
    Validator::new(ValidationFlags::all(), Capabilities::empty())
        .validate(&module)
        .map_err(|error| error.emit_to_string_with_path(wgsl, name))?;
    Ok(module)
}

fn assert_none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn every_shader_has_exactly_one_owner() {
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    let mut complaints = Vec::new();
    for (stem, text) in shaders() {
        let needle = format!("shaders/{stem}.wgsl\")");
        let includers: Vec<_> = files
            .iter()
            .filter(|(_, source)| source.contains(&needle))
            .map(|(path, _)| path)
            .collect();
        if includers.len() != 1 {
            complaints.push(format!(
                "{stem}.wgsl is included by {includers:?}, not by one file"
            ));
        }
        let is_op = includers
            .iter()
            .any(|path| path.starts_with(root().join("src/ops")));
        let owned = OPS
            .iter()
            .flat_map(|info| info.shaders.iter().map(move |s| (info.name, s)));
        let owners: Vec<_> = owned.filter(|(_, (name, _))| *name == stem).collect();
        if is_op && (owners.len() != 1 || owners[0].1.1 != stripped(&text)) {
            let names: Vec<_> = owners.iter().map(|(op, _)| op).collect();
            complaints.push(format!(
                "{stem}.wgsl is declared by {names:?}, not by one op"
            ));
        }
    }
    assert_none(&complaints);
}

#[test]
fn every_shader_of_an_op_is_exercised_and_every_other_is_valid() {
    let kernels = kernels();
    let shaders = shaders();
    let mut complaints = Vec::new();
    for (stem, text) in &shaders {
        let is_op = OPS
            .iter()
            .any(|info| info.shaders.iter().any(|(name, _)| name == stem));
        if is_op {
            // Some files are completed by others.
            let mark = mark(text);
            let has = |kernel: &Form| kernel.name == stem || kernel.wgsl.contains(&mark);
            if !kernels.iter().any(has) {
                complaints.push(format!("{stem}.wgsl: no example runs it"));
            }
        } else if let Err(error) = validated(stem, &complete(text)) {
            complaints.push(error);
        }
    }
    for kernel in &kernels {
        // An elementwise op is a map or a tail: its own file is part of what carries it.
        let mark = shaders.get(kernel.name).map(|text| mark(text));
        if !mark.is_some_and(|mark| !mark.is_empty() && kernel.wgsl.contains(&mark)) {
            complaints.push(format!(
                "kernel {}: is not made from its own file",
                kernel.name
            ));
        }
    }
    assert_none(&complaints);
}

/// A file's text as it is shipped.
fn stripped(text: &str) -> String {
    let (bytes, length) = convscope::program::stripped::<65_536>(text);
    String::from_utf8(bytes[..length].to_vec()).expect("whole lines of a text")
}

/// The longest stretch of a file's lines without a constant or a number that is filled in: what is made from the
/// file has it.
fn mark(text: &str) -> String {
    let text = stripped(text);
    let lines = text.lines().filter(|line| !line.starts_with("fn stage"));
    let filled = |c: char| c.is_ascii_uppercase() || c == '$' || c == ':';
    let stretches = lines.flat_map(|line| line.split(filled));
    let mark = stretches.max_by_key(|stretch| stretch.len());
    mark.unwrap_or_default().to_owned()
}

/// A shader that a kernel completes: with the tail it may end with, and the size it maps.
fn complete(text: &str) -> String {
    if !text.contains("tail(") {
        return text.to_owned();
    }
    let text = format!("{text}{}", convscope::program::IDENTITY);
    convscope::program::wgsl_with(&[("ELEMENTS", 6)], &text).to_string()
}

#[test]
fn every_kernel_is_valid_and_binds_what_it_declares() {
    let mut complaints = Vec::new();
    for kernel in kernels() {
        let (name, wgsl) = (kernel.name, &kernel.wgsl);
        complaints.extend(check(name, wgsl, &kernel.accesses, kernel.workgroups));
        let unused = unused_constants(wgsl).into_iter();
        complaints.extend(unused.map(|constant| format!("kernel {name}: {constant} is not used")));
    }
    assert_none(&complaints);
}

/// The training steps of all networks join nearly all that can be joined.
#[test]
fn every_launch_of_a_training_step_is_valid_and_binds_what_it_declares() {
    let plan = Plan::new("adam", &Map::new(), 4).unwrap();
    let mut complaints = Vec::new();
    for entry in ARCHITECTURES.iter().filter(|entry| !entry.full) {
        let dataset = match entry.input {
            [1, ..] => "pen-digits",
            _ => "shapes",
        };
        let session = training::session(&Cpu::new(), dataset, entry.id, 1);
        let program = session.step_program(&plan).unwrap();
        let launches: Vec<_> = FAMILIES
            .map(|family| program.launches(family))
            .into_iter()
            .flatten()
            .collect();
        let joined = launches.iter().filter(|launch| launch.name.contains('+'));
        complaints.extend(joined.flat_map(|launch| {
            let Launch { name, wgsl, .. } = launch;
            let (accesses, workgroups) = (&launch.accesses, launch.workgroups);
            check(name, wgsl, accesses, workgroups)
        }));
    }
    assert_none(&complaints);
}

/// What is wrong with a kernel.
fn check(name: &str, wgsl: &str, accesses: &[Access], workgroups: [u32; 3]) -> Vec<String> {
    let module = match validated(name, wgsl) {
        Ok(module) => module,
        Err(error) => return vec![error],
    };
    let mut complaints = Vec::new();
    match module.entry_points.as_slice() {
        [entry] if entry.name == "main" && entry.stage == ShaderStage::Compute => {
            // WebGPU's default limit.
            if entry.workgroup_size.iter().product::<u32>() > 256 {
                complaints.push(format!("a workgroup of {:?}", entry.workgroup_size));
            }
        }
        other => complaints.push(format!("{} entry points, not just main", other.len())),
    }
    let (declared, bound) = (declared(&module), expected(accesses));
    if declared != bound {
        complaints.push(format!("declares {declared:?}, but Rust binds {bound:?}"));
    }
    if accesses.len() > 8 {
        complaints.push("more than 8 storage buffers, WebGPU's default limit".into());
    }
    if workgroups.iter().any(|n| !(1..=65_535).contains(n)) {
        complaints.push(format!("{workgroups:?} workgroups"));
    }
    let named = |complaint| format!("kernel {name}: {complaint}");
    complaints.into_iter().map(named).collect()
}

/// Group, binding and whether it can be written, of every storage buffer in `module`.
fn declared(module: &Module) -> Vec<(u32, u32, bool)> {
    let mut found: Vec<_> = module
        .global_variables
        .iter()
        .filter_map(|(_, variable)| {
            let binding = variable.binding.as_ref()?;
            let AddressSpace::Storage { access } = variable.space else {
                // Nothing else may be bound; this entry matches no access.
                return Some((u32::MAX, binding.binding, false));
            };
            Some((
                binding.group,
                binding.binding,
                access.contains(StorageAccess::STORE),
            ))
        })
        .collect();
    found.sort_unstable();
    found
}

fn expected(accesses: &[Access]) -> Vec<(u32, u32, bool)> {
    let entry = |(binding, access): (u32, &Access)| (0, binding, *access != Access::Read);
    (0..).zip(accesses).map(entry).collect()
}

/// Names of module constants that nothing uses.
fn unused_constants(wgsl: &str) -> Vec<&str> {
    // Comments do not count as uses.
    let code = wgsl
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default());
    let is_separator = |c: char| !c.is_alphanumeric() && c != '_';
    let words: Vec<&str> = code.flat_map(|line| line.split(is_separator)).collect();
    let uses = |name: &str| words.iter().filter(|word| **word == name).count();
    let declared = words
        .windows(2)
        .filter(|pair| pair[0] == "const")
        .map(|pair| pair[1]);
    declared.filter(|name| uses(name) < 2).collect()
}

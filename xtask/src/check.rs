//! `cargo xtask test`: everything that must hold, the quick and telling things first, stopping at the
//! first that does not. A new check is one line in [`CHECKS`] and its function.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::Result;
use crate::setup::{self, Host};
use crate::shell::{Machine, show};
use crate::steps::Steps;
use crate::{http, site};

/// What every check may look at.
struct Context {
    machine: Machine,
    host: Host,
    /// Selects among the tests of a test runner.
    filter: Vec<String>,
}

/// One check: the name to select it by, what it says while it runs, what it does.
struct Check {
    name: &'static str,
    title: &'static str,
    run: fn(&Context) -> Result<()>,
}

const CHECKS: &[Check] = &[
    Check {
        name: "fmt",
        title: "Rust format",
        run: |c| cargo(c, &["fmt", "--all", "--check"]),
    },
    Check {
        name: "clippy",
        title: "clippy, native",
        run: |c| {
            cargo(
                c,
                &[
                    "clippy",
                    "--workspace",
                    "--all-targets",
                    "--",
                    "-D",
                    "warnings",
                ],
            )
        },
    },
    Check {
        name: "clippy-wasm",
        title: "clippy, wasm32",
        run: |c| {
            cargo(
                c,
                &[
                    "clippy",
                    "--lib",
                    "--target",
                    "wasm32-unknown-unknown",
                    "--",
                    "-D",
                    "warnings",
                ],
            )
        },
    },
    Check {
        name: "doc",
        title: "Rust documentation",
        run: doc,
    },
    Check {
        name: "rust",
        title: "Rust tests",
        run: rust,
    },
    Check {
        name: "types",
        title: "generated TypeScript types are committed",
        run: types,
    },
    Check {
        name: "page-types",
        title: "svelte-check",
        run: |c| npm(c, "check"),
    },
    Check {
        name: "page-lint",
        title: "eslint",
        run: |c| npm(c, "lint"),
    },
    Check {
        name: "page-fmt",
        title: "page format",
        run: page_format,
    },
    Check {
        name: "build",
        title: "trunk build --release",
        run: |c| site::build(&c.machine),
    },
    Check {
        name: "size",
        title: "sizes within budget",
        run: |c| site::sizes(&c.machine),
    },
    Check {
        name: "browser",
        title: "browser tests",
        run: browser,
    },
];

/// Sets up and runs the checks that `args` names, or all.
pub(crate) fn run(args: &[&str]) -> Result<()> {
    let split = args
        .iter()
        .position(|arg| *arg == "--")
        .unwrap_or(args.len());
    let chosen = choose(&args[..split])?;
    let filter = args
        .iter()
        .skip(split + 1)
        .map(|arg| (*arg).to_owned())
        .collect();
    let mut steps = Steps::new(setup::SITE_STEPS + setup::TEST_STEPS + chosen.len());
    let outcome = all(&mut steps, &chosen, filter);
    steps.summary();
    outcome
}

fn all(steps: &mut Steps, chosen: &[&Check], filter: Vec<String>) -> Result<()> {
    let machine = setup::site(steps)?;
    let host = setup::tests(steps, &machine)?;
    let context = Context {
        machine,
        host,
        filter,
    };
    for check in chosen {
        steps.run(&format!("{} ({})", check.title, check.name), || {
            (check.run)(&context)
        })?;
    }
    Ok(())
}

/// The checks by name. What looks at `dist/` brings the build along, so that it never sees an old one.
fn choose(names: &[&str]) -> Result<Vec<&'static Check>> {
    let known: Vec<_> = CHECKS.iter().map(|check| check.name).collect();
    if let Some(name) = names.iter().find(|name| !known.contains(name)) {
        return Err(format!(
            "expected one of {}, found `{name}`",
            known.join(", ")
        ));
    }
    let wants_site = names.iter().any(|name| ["size", "browser"].contains(name));
    let wanted = |check: &&Check| {
        names.is_empty() || names.contains(&check.name) || (wants_site && check.name == "build")
    };
    Ok(CHECKS.iter().filter(wanted).collect())
}

fn cargo(context: &Context, args: &[&str]) -> Result<()> {
    context.machine.run("cargo", args)
}

fn npm(context: &Context, script: &str) -> Result<()> {
    context
        .machine
        .run("npm", &["--prefix", "www", "run", script])
}

fn doc(context: &Context) -> Result<()> {
    let args = [
        "doc",
        "--workspace",
        "--no-deps",
        "--document-private-items",
    ];
    show(
        context
            .machine
            .command("cargo", &args)
            .env("RUSTDOCFLAGS", "-D warnings"),
    )
}

/// nextest where it is installed, which runs tests in parallel processes, else cargo's own runner.
fn rust(context: &Context) -> Result<()> {
    let nextest = context.machine.find("cargo-nextest").is_some();
    let args: &[&str] = if nextest {
        &["nextest", "run", "--workspace", "--no-fail-fast"]
    } else {
        &["test", "--workspace", "--no-fail-fast", "--all-targets"]
    };
    show(
        on_software_gpu(context, &mut context.machine.command("cargo", args)).args(&context.filter),
    )?;
    if context.filter.is_empty() {
        cargo(
            context,
            &["test", "--quiet", "--doc", "--package", "convscope"],
        )?;
    }
    Ok(())
}

/// The same software driver on every machine. With one, a test that finds no adapter fails instead of
/// skipping.
fn on_software_gpu<'a>(context: &Context, command: &'a mut Command) -> &'a mut Command {
    // Written by ts-rs while tests run; large integers are numbers for serde-wasm-bindgen.
    let types = context.machine.root.join("www/src/gen");
    command
        .env("TS_RS_EXPORT_DIR", types)
        .env("TS_RS_LARGE_INT", "number")
        .env("LP_NUM_THREADS", "2");
    if let Some(driver) = &context.host.driver {
        command
            .env("VK_DRIVER_FILES", driver)
            .env("CONVSCOPE_REQUIRE_GPU", "1");
    }
    command
}

/// The types that the Rust tests just wrote are those in the commit.
fn types(context: &Context) -> Result<()> {
    let machine = &context.machine;
    if !machine.root.join(".git").exists() || machine.find("git").is_none() {
        println!("      not a git checkout: nothing to compare with");
        return Ok(());
    }
    let folder = "www/src/gen";
    let changed = machine.quiet("git", &["status", "--porcelain", "--", folder])?;
    if changed.trim().is_empty() {
        return Ok(());
    }
    // Not yet committed is fine at a desk, where the types have just been written anew.
    if env::var_os("CI").is_none() {
        println!("      to be committed with the change:\n{changed}");
        return Ok(());
    }
    machine.run("git", &["--no-pager", "diff", "--", folder])?;
    Err(format!(
        "expected the committed types in {folder} to equal those of the Rust sources, found\n{changed}"
    ))
}

fn page_format(context: &Context) -> Result<()> {
    let prettier = [
        "--no-install",
        "prettier",
        "--check",
        "src",
        "../tests/browser",
        "../benches/browser/src",
    ];
    show(
        context
            .machine
            .command("npx", &prettier)
            .current_dir(context.machine.root.join("www")),
    )
}

/// Playwright in a real Chromium against `dist/`, served by a server with a careful host's headers.
fn browser(context: &Context) -> Result<()> {
    let machine = &context.machine;
    let tests = machine.root.join("tests/browser");
    if !has_specs(&tests)? {
        return Err(format!(
            "expected *.spec.ts in {}, found none",
            tests.display()
        ));
    }
    let address = http::serve(site::dist(machine))?;
    let config = tests.join("playwright.config.ts");
    let mut command = machine.command("npx", &["--no-install", "playwright", "test"]);
    command
        .arg("--config")
        .arg(config)
        .args(&context.filter)
        .current_dir(machine.root.join("www"))
        // The tests are no part of the page, and use its packages all the same.
        .env("NODE_PATH", machine.root.join("www/node_modules"))
        .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")
        .env("CHROMIUM", &context.host.browser)
        .env("CONVSCOPE_URL", format!("http://{address}/"));
    show(&mut command)
}

fn has_specs(folder: &Path) -> Result<bool> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(entries
        .flatten()
        .any(|entry| entry.file_name().to_string_lossy().ends_with(".spec.ts")))
}

#[cfg(test)]
mod tests {
    use super::{CHECKS, choose};

    fn names(args: &[&str]) -> Vec<&'static str> {
        choose(args)
            .unwrap()
            .iter()
            .map(|check| check.name)
            .collect()
    }

    #[test]
    fn no_name_chooses_every_check() {
        assert_eq!(names(&[]).len(), CHECKS.len());
    }

    #[test]
    fn browser_tests_bring_a_fresh_build_along() {
        assert_eq!(names(&["browser"]), ["build", "browser"]);
        assert_eq!(names(&["rust", "fmt"]), ["fmt", "rust"]);
    }

    #[test]
    fn unknown_check_is_an_error_that_lists_the_known() {
        let error = choose(&["colour"]).err().unwrap();
        assert!(error.contains("`colour`") && error.contains("clippy-wasm"));
    }
}

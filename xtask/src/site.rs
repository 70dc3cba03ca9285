//! The site: Trunk builds it into `dist/`, and what a visitor downloads stays within a budget.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Result;
use crate::shell::{Machine, show, silent};

/// Most that a visitor may have to download, compressed: by ending, in bytes.
const BUDGETS: [(&str, u64); 2] = [("wasm", 700_000), ("js", 150_000)];

/// Prints the compressed size of a file: node is there anyway, gzip may not be.
const GZIP_SIZE: &str = "process.stdout.write(String(require('zlib').gzipSync(require('fs').readFileSync(process.argv[1]), { level: 9 }).length))";

/// Builds the optimized site into `dist/`.
pub(crate) fn build(machine: &Machine) -> Result<()> {
    prepare(machine)?;
    show(&mut trunk(machine, &["build", "--release"]))
}

/// Builds and serves until it is stopped, rebuilding on changes.
pub(crate) fn serve(machine: &Machine, port: u16, release: bool) -> Result<()> {
    prepare(machine)?;
    let port = port.to_string();
    let mut args = vec!["serve", "--address", "127.0.0.1", "--port", &port];
    if release {
        args.push("--release");
    }
    show(&mut trunk(machine, &args))
}

/// Checks the budgets on what is in `dist/`.
pub(crate) fn sizes(machine: &Machine) -> Result<()> {
    let files = files(&dist(machine))?;
    let mut over = Vec::new();
    for (ending, budget) in BUDGETS {
        let mut sum = 0;
        for file in files
            .iter()
            .filter(|file| file.extension().is_some_and(|found| found == ending))
        {
            let size = gzip_size(machine, file)?;
            println!("      {:>9} bytes compressed  {}", size, file.display());
            sum += size;
        }
        println!("      {sum:>9} of {budget} bytes for .{ending}");
        if sum == 0 {
            over.push(format!("expected a .{ending} file in dist/, found none"));
        } else if sum > budget {
            over.push(format!(
                "expected at most {budget} bytes of .{ending} compressed, found {sum}"
            ));
        }
    }
    if over.is_empty() {
        Ok(())
    } else {
        Err(over.join("; "))
    }
}

/// Where the site is left.
pub(crate) fn dist(machine: &Machine) -> PathBuf {
    machine.root.join("dist")
}

/// Every file under `folder`, sorted.
pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        let entries =
            fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        for entry in entries {
            let path = entry
                .map_err(|error| format!("{}: {error}", folder.display()))?
                .path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn gzip_size(machine: &Machine, file: &Path) -> Result<u64> {
    let text = silent(machine.command("node", &["-e", GZIP_SIZE]).arg(file))?;
    text.parse().map_err(|_| {
        format!(
            "expected a number of bytes for {}, found `{text}`",
            file.display()
        )
    })
}

/// Trunk wants every path that it is told not to watch to exist.
fn prepare(machine: &Machine) -> Result<()> {
    for folder in ["www/.gen", "www/src/gen"] {
        let path = machine.root.join(folder);
        fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

fn trunk(machine: &Machine, args: &[&str]) -> std::process::Command {
    let mut command = machine.command("trunk", args);
    // Trunk reads NO_COLOR as a truth value and refuses the usual NO_COLOR=1.
    command.env_remove("NO_COLOR");
    command
}

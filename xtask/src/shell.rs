//! Running other programs with the pinned tools first on the PATH, and finding them there.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::Result;

/// Where the repository is and which folders go in front of the PATH.
pub(crate) struct Machine {
    /// Root of the checkout.
    pub(crate) root: PathBuf,
    /// Folder of the pinned tools, outside the checkout, so that a second clone is quick.
    pub(crate) cache: PathBuf,
    front: Vec<PathBuf>,
}

impl Machine {
    /// This checkout on this machine. The checkout is found at run time: a shared target folder may
    /// hold the `xtask` of another one.
    pub(crate) fn new() -> Result<Self> {
        let manifest =
            env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&manifest)
            .parent()
            .ok_or(
                "expected the xtask crate inside the repository, found it at the root of the disk",
            )?
            .to_path_buf();
        let home = env::var_os("HOME").or_else(|| env::var_os("USERPROFILE"));
        let cache = env::var_os("CONVSCOPE_TOOLS")
            .map(PathBuf::from)
            .or_else(|| home.map(|home| Path::new(&home).join(".cache/convscope/tools")))
            .ok_or("expected HOME or CONVSCOPE_TOOLS in the environment, found neither")?;
        let front = vec![root.join("www/node_modules/.bin")];
        Ok(Self { root, cache, front })
    }

    /// Puts `folder` in front of the PATH of everything that runs from now on.
    pub(crate) fn prepend(&mut self, folder: PathBuf) {
        self.front.insert(0, folder);
    }

    /// A command in the root of the checkout.
    pub(crate) fn command(&self, program: &str, args: &[&str]) -> Command {
        // npm and npx are scripts on Windows, which only a name with its extension starts.
        let script = cfg!(windows) && matches!(program, "npm" | "npx");
        let name = if script {
            format!("{program}.cmd")
        } else {
            program.to_owned()
        };
        // The program itself is searched on the new PATH as well.
        let path = self.find(&name).unwrap_or_else(|| PathBuf::from(&name));
        let mut command = Command::new(path);
        command
            .args(args)
            .current_dir(&self.root)
            .env("PATH", self.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs with its output shown as it comes.
    pub(crate) fn run(&self, program: &str, args: &[&str]) -> Result<()> {
        show(&mut self.command(program, args))
    }

    /// Runs silently; the output is shown when it fails, and returned when it does not.
    pub(crate) fn quiet(&self, program: &str, args: &[&str]) -> Result<String> {
        silent(&mut self.command(program, args))
    }

    /// Where `program` is on the PATH.
    pub(crate) fn find(&self, program: &str) -> Option<PathBuf> {
        env::split_paths(&self.path())
            .map(|folder| executable(&folder, program))
            .find(|path| path.is_file())
    }

    fn path(&self) -> OsString {
        let rest = env::var_os("PATH").unwrap_or_default();
        let all = self.front.iter().cloned().chain(env::split_paths(&rest));
        env::join_paths(all).unwrap_or(rest)
    }
}

/// `program` in `folder` under the name this system gives it.
pub(crate) fn executable(folder: &Path, program: &str) -> PathBuf {
    let bare = program.contains('.') || !cfg!(windows);
    folder.join(if bare {
        program.to_owned()
    } else {
        format!("{program}.exe")
    })
}

/// Runs `command` with its output shown as it comes.
pub(crate) fn show(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .map_err(|error| format!("`{}` did not start: {error}", line(command)))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("`{}` ended with {status}", line(command)))
    }
}

/// Runs `command` silently and returns what it printed on standard output.
pub(crate) fn silent(command: &mut Command) -> Result<String> {
    let Output {
        status,
        stdout,
        stderr,
    } = command
        .output()
        .map_err(|error| format!("`{}` did not start: {error}", line(command)))?;
    let text = String::from_utf8_lossy(&stdout).into_owned();
    if status.success() {
        Ok(text)
    } else {
        let errors = String::from_utf8_lossy(&stderr);
        Err(format!(
            "`{}` ended with {status}\n{text}{errors}",
            line(command)
        ))
    }
}

fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

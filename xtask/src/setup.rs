//! What a fresh machine lacks, step by step: first what the site is built with, then what tests need
//! besides. Each step looks before it installs, so that the second run is quick.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Result;
use crate::shell::{Machine, show, silent};
use crate::steps::Steps;
use crate::tools::{self, Tool};

/// Number of steps of [`site`].
pub(crate) const SITE_STEPS: usize = 5;

/// Number of steps of [`tests`].
pub(crate) const TEST_STEPS: usize = 2;

/// Everything that building the site takes.
pub(crate) fn site(steps: &mut Steps) -> Result<Machine> {
    let mut machine = Machine::new()?;
    steps.ensure("Rust target wasm32-unknown-unknown", || target(&machine))?;
    let trunk = tools::pinned(&machine, "trunk")?;
    let tool = Tool {
        package: "trunk",
        program: "trunk",
        version: &trunk,
        args: &["--locked", "--no-default-features"],
    };
    steps.ensure(&format!("trunk {trunk}"), || {
        tools::ensure(&mut machine, &tool)
    })?;
    let bindgen = tools::wasm_bindgen(&machine)?;
    let tool = Tool {
        package: "wasm-bindgen-cli",
        program: "wasm-bindgen",
        version: &bindgen,
        args: &[],
    };
    steps.ensure(&format!("wasm-bindgen {bindgen}"), || {
        tools::ensure(&mut machine, &tool)
    })?;
    steps.ensure("Node ^20.19 or >=22.12", || tools::node(&mut machine))?;
    packages(steps, &machine, "www")?;
    Ok(machine)
}

/// The npm packages that `folder`'s lock file names: `npm ci`, when it is another than at the last time.
pub(crate) fn packages(steps: &mut Steps, machine: &Machine, folder: &str) -> Result<()> {
    steps.ensure(&format!("npm packages of {folder}/"), || {
        install_packages(machine, folder)
    })
}

/// The browser's program.
pub(crate) fn chromium(steps: &mut Steps, machine: &Machine) -> Result<PathBuf> {
    steps.ensure("Chromium", || browser(machine))
}

/// What tests need besides: a browser and, on Linux, a software Vulkan driver.
pub(crate) fn tests(steps: &mut Steps, machine: &Machine) -> Result<Host> {
    let browser = chromium(steps, machine)?;
    let driver = steps.ensure("software Vulkan driver", || driver(machine))?;
    Ok(Host { browser, driver })
}

/// Programs and drivers outside the checkout that tests run on.
pub(crate) struct Host {
    /// The browser's program.
    pub(crate) browser: PathBuf,
    /// Value of `VK_DRIVER_FILES`: software drivers only, so that every machine tests the same.
    pub(crate) driver: Option<String>,
}

fn target(machine: &Machine) -> Result<((), String)> {
    let name = "wasm32-unknown-unknown";
    // Asks the compiler itself, which also answers where there is no rustup.
    let libraries = machine.quiet("rustc", &["--print", "target-libdir", "--target", name])?;
    if Path::new(libraries.trim()).is_dir() {
        return Ok(((), "ready".to_owned()));
    }
    machine.run("rustup", &["target", "add", name])?;
    Ok(((), "installed".to_owned()))
}

fn install_packages(machine: &Machine, folder: &str) -> Result<((), String)> {
    let root = machine.root.join(folder);
    let lock = root.join("package-lock.json");
    let stamp = root.join("node_modules/.package-lock.stamp");
    let wanted = fs::read(&lock).map_err(|error| format!("{}: {error}", lock.display()))?;
    if fs::read(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(((), "ready".to_owned()));
    }
    let args = [
        "--prefix",
        folder,
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
    ];
    silent(
        machine
            .command("npm", &args)
            .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1"),
    )?;
    fs::write(&stamp, wanted).map_err(|error| format!("{}: {error}", stamp.display()))?;
    Ok(((), "installed".to_owned()))
}

fn browser(machine: &Machine) -> Result<(PathBuf, String)> {
    if let Some(path) = find_browser(machine) {
        let note = format!("ready ({})", path.display());
        return Ok((path, note));
    }
    // Text without a font has no width: a machine that has no browser may have no font either.
    apt(machine, &["chromium", "fonts-dejavu-core"])?;
    let path = find_browser(machine)
        .ok_or("expected chromium on the PATH after its installation, found none")?;
    Ok((path, "installed".to_owned()))
}

fn find_browser(machine: &Machine) -> Option<PathBuf> {
    if let Some(path) = env::var_os("CHROMIUM") {
        return Some(PathBuf::from(path));
    }
    let names = ["chromium", "chromium-browser", "google-chrome", "chrome"];
    let fixed = ["/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"];
    let on_path = names.iter().find_map(|name| machine.find(name));
    on_path.or_else(|| fixed.iter().map(PathBuf::from).find(|path| path.is_file()))
}

fn driver(machine: &Machine) -> Result<(Option<String>, String)> {
    if let Ok(chosen) = env::var("VK_DRIVER_FILES") {
        let note = format!("VK_DRIVER_FILES={chosen}");
        return Ok((Some(chosen), note));
    }
    if !cfg!(target_os = "linux") {
        return Ok((
            None,
            "none here: native GPU tests use the machine's own driver or are skipped".to_owned(),
        ));
    }
    let missing = lavapipe().is_none() || !loader();
    if missing {
        apt(machine, &["mesa-vulkan-drivers", "libvulkan1"])?;
    }
    let lavapipe =
        lavapipe().ok_or("expected lvp_icd*.json in /usr/share/vulkan/icd.d, found none")?;
    // Chromium's own driver has WebGPU's default limits, which lavapipe exceeds.
    let swiftshader = Path::new("/usr/lib/chromium/vk_swiftshader_icd.json");
    let files: Vec<_> = [lavapipe.as_path(), swiftshader]
        .into_iter()
        .filter(|path| path.is_file())
        .map(|path| path.to_string_lossy())
        .collect();
    let note = if missing { "installed" } else { "ready" };
    Ok((
        Some(files.join(":")),
        format!("{note} ({} of 2)", files.len()),
    ))
}

fn lavapipe() -> Option<PathBuf> {
    let files = fs::read_dir("/usr/share/vulkan/icd.d").ok()?;
    let mut paths = files.filter_map(|file| Some(file.ok()?.path()));
    paths.find(|path| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("lvp_icd"))
    })
}

/// Whether the Vulkan loader is where a linker looks.
fn loader() -> bool {
    let arch = env::consts::ARCH;
    [
        "/usr/lib",
        "/usr/lib64",
        &format!("/usr/lib/{arch}-linux-gnu"),
        "/usr/local/lib",
    ]
    .iter()
    .any(|folder| Path::new(folder).join("libvulkan.so.1").exists())
}

/// Installs Debian packages where that is possible, and otherwise says what is to be installed.
fn apt(machine: &Machine, packages: &[&str]) -> Result<()> {
    let by_hand = format!(
        "`apt-get install {}` or the like on this system",
        packages.join(" ")
    );
    if machine.find("apt-get").is_none() {
        return Err(format!(
            "expected it installed, found neither it nor apt-get; please run {by_hand}"
        ));
    }
    let root = machine
        .quiet("id", &["-u"])
        .is_ok_and(|id| id.trim() == "0");
    if !root && machine.quiet("sudo", &["-n", "true"]).is_err() {
        return Err(format!(
            "expected it installed, and this user may not do that; please run {by_hand}"
        ));
    }
    let install = [
        &["install", "--yes", "--no-install-recommends"][..],
        packages,
    ]
    .concat();
    for args in [&["update", "--quiet"][..], &install] {
        let whole = [&["apt-get"][..], args].concat();
        let words = if root {
            &whole[..]
        } else {
            &[&["sudo", "-n"][..], &whole].concat()[..]
        };
        show(
            machine
                .command(words[0], &words[1..])
                .env("DEBIAN_FRONTEND", "noninteractive"),
        )?;
    }
    Ok(())
}

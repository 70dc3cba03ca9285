//! `cargo xtask bench`: builds the site and the benchmark beside it, and lets the benchmark's own runner
//! (`benches/browser/src/runner`) measure convscope and its peers in one Chromium. Its npm packages are
//! large and are installed by this command alone.

use crate::Result;
use crate::setup;
use crate::shell::show;
use crate::site;
use crate::steps::Steps;

/// Where the benchmark lives.
const FOLDER: &str = "benches/browser";

/// Steps besides the site's set-up: two of set-up, two builds, the measurement.
const STEPS: usize = 5;

/// Sets up, builds, measures, and leaves the table in `benches/results/browser.md`.
pub(crate) fn run(args: &[&str]) -> Result<()> {
    check(args)?;
    let mut steps = Steps::new(setup::SITE_STEPS + STEPS);
    let machine = setup::site(&mut steps)?;
    setup::packages(&mut steps, &machine, FOLDER)?;
    let browser = setup::chromium(&mut steps, &machine)?;
    steps.run("trunk build --release", || site::build(&machine))?;
    steps.run("bench page and runner", || {
        machine.run("npm", &["--prefix", FOLDER, "run", "build"])
    })?;
    steps.run("measurements, up to 20 minutes", || {
        let mut command = machine.command("node", &["dist/runner/main.js"]);
        command
            .args(args)
            .arg("--dist")
            .arg(site::dist(&machine))
            .current_dir(machine.root.join(FOLDER))
            .env("CHROMIUM", &browser);
        show(&mut command)
    })
}

/// Refuses wrong arguments before minutes of building.
fn check(args: &[&str]) -> Result<()> {
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        match *arg {
            "--quick" => {}
            "--rounds" => {
                let value = rest.next().copied().unwrap_or("nothing");
                let rounds = value.parse::<u32>().ok().filter(|&rounds| rounds > 0);
                rounds.ok_or_else(|| {
                    format!("expected a number from 1 after --rounds, found `{value}`")
                })?;
            }
            other => {
                return Err(format!("expected --rounds N or --quick, found `{other}`"));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn right_arguments_pass() {
        for args in [&[][..], &["--quick"], &["--rounds", "3"]] {
            assert_eq!(check(args), Ok(()));
        }
    }

    #[test]
    fn a_wrong_argument_is_refused_with_what_was_expected() {
        for args in [
            &["--rounds"][..],
            &["--rounds", "0"],
            &["--rounds", "many"],
            &["--fast"],
        ] {
            let error = check(args).unwrap_err();
            assert!(error.starts_with("expected "), "{error}");
        }
    }
}

//! The commands of convscope, each of which does all of its own set-up: `cargo xtask serve` shows the
//! app, `cargo xtask test` passes all tests, `cargo xtask build` leaves a static `dist/`, `cargo xtask
//! bench` measures it beside its peers. Reading order: [`steps`] (numbered progress), [`shell`] (running
//! programs), [`tools`] and [`setup`] (what a fresh machine lacks), [`site`] (Trunk and the size
//! budgets), [`check`] (the steps of `test`), [`http`] (the file server of the browser tests), [`mod@bench`].
//!
//! Only the standard library, so that the first line appears seconds after a clean clone.
#![expect(
    clippy::print_stdout,
    reason = "a command-line program talks through stdout"
)]

mod bench;
mod check;
mod http;
mod setup;
mod shell;
mod site;
mod steps;
mod tools;

use std::process::ExitCode;

/// Errors are sentences for the person at the terminal.
type Result<T> = std::result::Result<T, String>;

const USAGE: &str = "usage: cargo xtask COMMAND

  serve [--port N] [--dev]      build everything, serve it on http://127.0.0.1:8080/ and rebuild on changes
                                (--dev: without optimization, quicker to rebuild, slower to run)
  test [STEP...] [-- FILTER]    set up, then run all steps in order, or only those named;
                                FILTER selects among the tests of the steps `rust` and `browser`
  build                         leave the optimized static site in dist/
  bench [--rounds N] [--quick]  measure training beside other engines in one Chromium, into
                                benches/results/browser.md (5 rounds; --quick: 2, and fewer engines)

Pinned tools are kept in $CONVSCOPE_TOOLS, by default ~/.cache/convscope/tools.";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let outcome = match args.as_slice() {
        ["serve", rest @ ..] => serve(rest),
        ["test", rest @ ..] => check::run(rest),
        ["build"] => build(),
        ["bench", rest @ ..] => bench::run(rest),
        [] | ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
        other => Err(format!(
            "expected serve, test, build or bench, found `{}`\n\n{USAGE}",
            other.join(" ")
        )),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            println!("\nerror: {message}");
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<()> {
    let mut steps = steps::Steps::new(setup::SITE_STEPS + 2);
    let machine = setup::site(&mut steps)?;
    steps.run("trunk build --release", || site::build(&machine))?;
    steps.run("sizes within budget", || site::sizes(&machine))?;
    println!("\ndist/ is ready in {}", steps.elapsed());
    Ok(())
}

fn serve(args: &[&str]) -> Result<()> {
    let (mut port, mut release) = (8080_u16, true);
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        match *arg {
            "--dev" => release = false,
            "--port" => {
                let value = rest.next().copied().unwrap_or("nothing");
                port = value
                    .parse()
                    .map_err(|_| format!("expected a port number after --port, found `{value}`"))?;
            }
            other => {
                return Err(format!(
                    "expected --port N or --dev, found `{other}`\n\n{USAGE}"
                ));
            }
        }
    }
    let mut steps = steps::Steps::new(setup::SITE_STEPS + 1);
    let machine = setup::site(&mut steps)?;
    let mode = if release { "optimized" } else { "unoptimized" };
    steps.run(
        &format!("trunk serve, {mode}; http://127.0.0.1:{port}/ answers after the build"),
        || site::serve(&machine, port, release),
    )
}

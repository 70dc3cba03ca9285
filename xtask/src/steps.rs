//! Numbered steps: which one of how many is running, what came of it, how long it took.

use std::time::{Duration, Instant};

use crate::Result;

/// The steps of one command, in order.
pub(crate) struct Steps {
    total: usize,
    started: Instant,
    done: Vec<(String, Duration, bool)>,
}

impl Steps {
    /// Starts the clock on a command of `total` steps.
    pub(crate) fn new(total: usize) -> Self {
        Self {
            total,
            started: Instant::now(),
            done: Vec::new(),
        }
    }

    /// A step whose work may print: a line before it and a line after it.
    pub(crate) fn run<T>(&mut self, name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let head = self.head();
        println!("{head} {name} ...");
        self.finish(&head, name, work, |_| "done".to_owned())
    }

    /// A step that makes sure of something and says in a word or two what came of it.
    pub(crate) fn ensure<T>(
        &mut self,
        name: &str,
        work: impl FnOnce() -> Result<(T, String)>,
    ) -> Result<T> {
        let head = self.head();
        self.finish(&head, name, work, |(_, note)| note.clone())
            .map(|(value, _)| value)
    }

    /// Time since the command started.
    pub(crate) fn elapsed(&self) -> String {
        clock(self.started.elapsed())
    }

    /// Prints every step with its time, then the line with the counts.
    pub(crate) fn summary(&self) {
        println!("\n{:>8}  step", "time");
        for (name, time, passed) in &self.done {
            println!(
                "{:>8}  {name}{}",
                clock(*time),
                if *passed { "" } else { "  FAILED" }
            );
        }
        let skipped = self.total - self.done.len();
        if skipped > 0 {
            println!("{:>8}  {skipped} steps not run", "");
        }
        println!("{:>8}  in all\n", self.elapsed());
        let passed = self.done.iter().filter(|(_, _, passed)| *passed).count();
        println!("{passed} passed, {} failed", self.done.len() - passed);
    }

    fn head(&self) -> String {
        format!("[{}/{}]", self.done.len() + 1, self.total)
    }

    fn finish<T>(
        &mut self,
        head: &str,
        name: &str,
        work: impl FnOnce() -> Result<T>,
        note: impl FnOnce(&T) -> String,
    ) -> Result<T> {
        let started = Instant::now();
        let outcome = work();
        let time = started.elapsed();
        self.done.push((name.to_owned(), time, outcome.is_ok()));
        match outcome {
            Ok(value) => {
                println!(
                    "{head} {name} ... {} ({}, {} in all)",
                    note(&value),
                    clock(time),
                    self.elapsed()
                );
                Ok(value)
            }
            Err(message) => {
                println!("{head} {name} ... FAILED ({})", clock(time));
                Err(format!("step {head} {name}: {message}"))
            }
        }
    }
}

/// Seconds with one decimal under a minute, else minutes and seconds.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 60 {
        format!("{:.1} s", time.as_secs_f64())
    } else {
        format!("{}:{:02} min", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, Steps, clock};

    #[test]
    fn failed_step_is_named_with_its_number() {
        let mut steps = Steps::new(2);
        assert_eq!(steps.run("first", || Ok(7)), Ok(7));
        let error = steps.run("second", || Err::<(), _>("it broke".to_owned()));
        assert_eq!(error, Err("step [2/2] second: it broke".to_owned()));
    }

    #[test]
    fn clock_reads_as_a_person_says_it() {
        assert_eq!(clock(Duration::from_millis(12_340)), "12.3 s");
        assert_eq!(clock(Duration::from_secs(125)), "2:05 min");
    }
}

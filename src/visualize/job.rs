//! Runs a course on a backend in slices, so that pictures appear while they improve and the user can
//! stop at any time.

use crate::backend::Backend;
use crate::error::Result;
use crate::train::{Session, read_view};

use super::{Course, Picture, Request, Visualization};

/// Said of optimized pictures of a network that has not learned anything.
const UNTRAINED: &str = "This network has not been trained here: with random weights, units look for nothing in \
                         particular.";

/// A course under way on a backend.
#[derive(Debug)]
pub struct Job<B: Backend> {
    backend: B,
    course: Course,
    own: Vec<(&'static str, B::Buffer)>,
    prepared: B::Prepared,
    /// The program for the first runs of each round, and their number.
    opening: Option<(B::Prepared, u32)>,
    /// Runs done in this round.
    done: u32,
    /// Rounds done, and their pictures.
    round: usize,
    finished: Vec<Picture>,
    untrained: bool,
}

impl<B: Backend> Job<B> {
    /// Prepares `method` for `request` over the weights of `session`.
    ///
    /// # Errors
    /// When the method does not apply, or the backend has no room.
    pub async fn new(
        session: &Session<B>,
        method: &dyn Visualization,
        request: &Request<'_>,
    ) -> Result<Self> {
        let course = method.course(request)?;
        let backend = session.backend().clone();
        let mut own = Vec::new();
        for (name, words) in &course.recipe.buffers {
            let buffer = backend.allocate(name, words.len())?;
            backend.upload(&buffer, 0, words)?;
            own.push((*name, buffer));
        }
        let external = |name: &str| {
            let found = own.iter().find(|(other, _)| *other == name);
            found
                .map(|(_, buffer)| buffer.clone())
                .or_else(|| session.buffer(name))
        };
        let program = &course.recipe.compiled.program;
        let prepared = backend.prepare(program, &external).await?;
        let opening = match &course.opening {
            Some((opening, runs)) => {
                let prepared = backend.prepare(&opening.program, &external).await?;
                Some((prepared, *runs))
            }
            None => None,
        };
        Ok(Self {
            untrained: course.optimizes && session.step() == 0,
            backend,
            course,
            own,
            prepared,
            opening,
            done: 0,
            round: 0,
            finished: Vec::new(),
        })
    }

    /// Whether it goes on until it is stopped.
    pub fn is_live(&self) -> bool {
        self.course.live
    }

    /// Share done, 0 to 1; 0 for what has no end.
    pub fn fraction(&self) -> f32 {
        if self.course.live {
            return 0.0;
        }
        let rounds = self.course.more.len() + 1;
        let round = self.done as f32 / self.course.recipe.runs.max(1) as f32;
        (self.round as f32 + round) / rounds as f32
    }

    /// Whether all runs are done.
    pub fn finished(&self) -> bool {
        self.round == self.course.more.len() && self.round_is_done()
    }

    fn round_is_done(&self) -> bool {
        !self.course.live && self.done >= self.course.recipe.runs
    }

    /// Runs up to `runs` more times and returns the pictures as they are now.
    ///
    /// # Errors
    /// When the backend fails.
    pub async fn advance(&mut self, runs: u32) -> Result<Vec<Picture>> {
        if self.round_is_done() && !self.finished() {
            self.finished = self.pictures().await?;
            self.begin_round()?;
        }
        if !self.round_is_done() {
            let left = match self.course.live {
                true => u32::MAX,
                false => self.course.recipe.runs - self.done,
            };
            let runs = runs.clamp(1, left);
            let first = match &self.opening {
                Some((opening, most)) => {
                    let first = most.saturating_sub(self.done).min(runs);
                    if first > 0 {
                        self.backend.run(opening, first)?;
                    }
                    first
                }
                None => 0,
            };
            if runs > first {
                self.backend.run(&self.prepared, runs - first)?;
            }
            self.done = self.done.saturating_add(runs);
        }
        self.pictures().await
    }

    /// Fills the buffers for the next round.
    fn begin_round(&mut self) -> Result<()> {
        let round = &self.course.more[self.round];
        for ((name, buffer), (_, words)) in self.own.iter().zip(&self.course.recipe.buffers) {
            let other = round.buffers.iter().find(|(other, _)| other == name);
            let words = other.map_or(words, |(_, words)| words);
            self.backend.upload(buffer, 0, words)?;
        }
        self.round += 1;
        self.done = 0;
        Ok(())
    }

    /// The pictures as they are now, of all rounds so far.
    ///
    /// # Errors
    /// When the backend fails.
    pub async fn pictures(&self) -> Result<Vec<Picture>> {
        // Of the program that ran last.
        let (compiled, prepared) = match (&self.course.opening, &self.opening) {
            (Some((compiled, _)), Some((prepared, runs))) if self.done <= *runs => {
                (compiled, prepared)
            }
            _ => (&self.course.recipe.compiled, &self.prepared),
        };
        let mut outputs = Vec::new();
        for &view in &compiled.outputs {
            outputs.push(read_view(&self.backend, prepared, view).await?);
        }
        let mut pictures = self.finished.clone();
        let new = match self.round {
            0 => (self.course.recipe.decode)(&outputs)?,
            round => (self.course.more[round - 1].decode)(&outputs)?,
        };
        pictures.extend(new);
        if self.untrained {
            let notes = pictures.iter_mut().map(|picture| &mut picture.note);
            notes.for_each(|note| *note = note.take().or_else(|| Some(UNTRAINED.to_owned())));
        }
        Ok(pictures)
    }
}

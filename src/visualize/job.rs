//! Runs a course on a backend in slices, so that pictures appear while they improve and the user can
//! stop at any time.

use crate::backend::Backend;
use crate::compile::Compiled;
use crate::error::Result;
use crate::train::{Session, read_view};

use super::{Buffers, Course, Picture, Request, Visualization};

/// Said of optimized pictures of a network that has not learned anything.
const UNTRAINED: &str = "This network has not been trained here: with random weights, units look for nothing in \
                         particular.";

/// Outside buffers on a backend.
type Own<B> = Vec<(&'static str, <B as Backend>::Buffer)>;

/// A course under way on a backend.
#[derive(Debug)]
pub struct Job<B: Backend> {
    backend: B,
    course: Course,
    own: Own<B>,
    prepared: B::Prepared,
    /// The pictures of the rounds and of the recipes of the chain that have ended.
    before: Vec<Picture>,
    /// Rounds that have ended.
    round: usize,
    /// Runs of this round or recipe, of those that have ended, and of all.
    done: u32,
    done_before: u32,
    all: u32,
    untrained: bool,
    /// See [`Visualization::streams`].
    pub streams: bool,
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
        let own = filled(session, &course.recipe.buffers)?;
        let prepared = prepare(session, &course.recipe.compiled, &own).await?;
        let rounds = u32::try_from(course.more.len() + 1).unwrap_or(u32::MAX);
        Ok(Self {
            backend: session.backend().clone(),
            untrained: course.optimizes && session.step() == 0,
            all: course.recipe.all_runs().saturating_mul(rounds),
            course,
            own,
            prepared,
            before: Vec::new(),
            round: 0,
            done: 0,
            done_before: 0,
            streams: method.streams(),
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
        (self.done_before + self.done) as f32 / self.all.max(1) as f32
    }

    /// Whether all runs are done.
    pub fn finished(&self) -> bool {
        let is_last = self.round == self.course.more.len() && self.course.recipe.then.is_none();
        is_last && self.left() == 0
    }

    /// Runs that this round or recipe still wants.
    fn left(&self) -> u32 {
        match self.course.live {
            true => u32::MAX,
            false => self.course.recipe.runs.saturating_sub(self.done),
        }
    }

    /// Runs up to `runs` more times and returns the pictures as they are now.
    ///
    /// # Errors
    /// When the backend fails.
    pub async fn advance(&mut self, session: &Session<B>, runs: u32) -> Result<Vec<Picture>> {
        if self.left() == 0 {
            self.go_on(session).await?;
        }
        let runs = runs.max(1).min(self.left());
        self.backend.run(&self.prepared, runs)?;
        self.done = self.done.saturating_add(runs);
        self.pictures().await
    }

    /// Begins the next round, or puts the next recipe of the chain in the place of the one that has ended.
    async fn go_on(&mut self, session: &Session<B>) -> Result<()> {
        if self.finished() {
            return Ok(());
        }
        let outputs = self.outputs().await?;
        self.before.extend(self.decoded(&outputs)?);
        if let Some(round) = self.course.more.get(self.round) {
            for ((name, buffer), (_, words)) in self.own.iter().zip(&self.course.recipe.buffers) {
                let other = round.buffers.iter().find(|(other, _)| other == name);
                let words = other.map_or(words, |(_, words)| words);
                self.backend.upload(buffer, 0, words)?;
            }
            self.round += 1;
        } else if let Some(next) = self.course.recipe.then.take() {
            let mut own = filled(session, &next.recipe.buffers)?;
            own.extend(filled(session, &(next.feed)(&outputs)?)?);
            self.prepared = prepare(session, &next.recipe.compiled, &own).await?;
            self.own = own;
            self.course = Course::from(next.recipe);
            self.round = 0;
        }
        self.done_before = self.done_before.saturating_add(self.done);
        self.done = 0;
        Ok(())
    }

    /// What the program that ran last put out.
    async fn outputs(&self) -> Result<Vec<Vec<f32>>> {
        let mut outputs = Vec::new();
        for &view in &self.course.recipe.compiled.outputs {
            outputs.push(read_view(&self.backend, &self.prepared, view).await?);
        }
        Ok(outputs)
    }

    fn decoded(&self, outputs: &[Vec<f32>]) -> Result<Vec<Picture>> {
        match self.round.checked_sub(1) {
            Some(round) => (self.course.more[round].decode)(outputs),
            None => (self.course.recipe.decode)(outputs),
        }
    }

    /// The pictures as they are now.
    ///
    /// # Errors
    /// When the backend fails.
    pub async fn pictures(&self) -> Result<Vec<Picture>> {
        let mut pictures = self.before.clone();
        pictures.extend(self.decoded(&self.outputs().await?)?);
        if self.untrained {
            let notes = pictures.iter_mut().map(|picture| &mut picture.note);
            notes.for_each(|note| *note = note.take().or_else(|| Some(UNTRAINED.to_owned())));
        }
        Ok(pictures)
    }
}

/// Makes and fills outside buffers.
fn filled<B: Backend>(session: &Session<B>, buffers: &Buffers) -> Result<Own<B>> {
    let backend = session.backend();
    let mut own = Vec::new();
    for (name, words) in buffers {
        let buffer = backend.allocate(name, words.len())?;
        backend.upload(&buffer, 0, words)?;
        own.push((*name, buffer));
    }
    Ok(own)
}

/// Prepares a program over its own buffers and those of the session.
async fn prepare<B: Backend>(
    session: &Session<B>,
    compiled: &Compiled,
    own: &Own<B>,
) -> Result<B::Prepared> {
    let external = |name: &str| {
        let found = own.iter().find(|(other, _)| *other == name);
        found
            .map(|(_, buffer)| buffer.clone())
            .or_else(|| session.buffer(name))
    };
    session
        .backend()
        .prepare(&compiled.program, &external)
        .await
}

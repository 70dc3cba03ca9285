//! Runs a recipe on a backend in slices, so that pictures appear while they improve and the user can
//! stop at any time.

use std::rc::Rc;

use crate::backend::Backend;
use crate::error::Result;
use crate::train::{Session, read_view};

use super::{Picture, Recipe, Request, Visualization};

/// A recipe under way on a backend.
#[derive(Debug)]
pub struct Job<B: Backend> {
    backend: B,
    recipe: Rc<Recipe>,
    prepared: B::Prepared,
    done: u32,
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
        let recipe = Rc::new(method.recipe(request)?);
        let backend = session.backend().clone();
        let mut own = Vec::new();
        for (name, words) in &recipe.buffers {
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
        let prepared = backend.prepare(&recipe.compiled.program, &external).await?;
        Ok(Self {
            backend,
            recipe,
            prepared,
            done: 0,
            streams: method.streams(),
        })
    }

    /// Share done, 0 to 1.
    pub fn fraction(&self) -> f32 {
        self.done as f32 / self.recipe.runs.max(1) as f32
    }

    /// Whether all runs are done.
    pub fn finished(&self) -> bool {
        self.done >= self.recipe.runs
    }

    /// Runs up to `runs` more times and returns the pictures as they are now.
    ///
    /// # Errors
    /// When the backend fails.
    pub async fn advance(&mut self, runs: u32) -> Result<Vec<Picture>> {
        let runs = runs.clamp(1, (self.recipe.runs - self.done).max(1));
        if !self.finished() {
            self.backend.run(&self.prepared, runs)?;
            self.done += runs;
        }
        self.pictures().await
    }

    /// The pictures as they are now.
    ///
    /// # Errors
    /// When the backend fails.
    pub async fn pictures(&self) -> Result<Vec<Picture>> {
        let mut outputs = Vec::new();
        for &view in &self.recipe.compiled.outputs {
            outputs.push(read_view(&self.backend, &self.prepared, view).await?);
        }
        (self.recipe.decode)(&outputs)
    }
}

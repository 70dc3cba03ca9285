//! Runs a recipe on a backend in slices, so that pictures appear while they improve and the user can
//! stop at any time.

use crate::backend::Backend;
use crate::error::Result;
use crate::train::{Session, read_view};

use super::{Picture, Recipe, Request, Visualization};

/// A recipe under way on a backend.
#[derive(Debug)]
pub struct Job<B: Backend> {
    backend: B,
    recipe: Recipe,
    prepared: B::Prepared,
    /// The pictures of the recipes of the chain that have ended.
    before: Vec<Picture>,
    /// Runs of this recipe, of those that have ended, and of the whole chain.
    done: u32,
    done_before: u32,
    all: u32,
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
        let recipe = method.recipe(request)?;
        Ok(Self {
            backend: session.backend().clone(),
            prepared: prepare(session, &recipe, &[]).await?,
            all: recipe.all_runs(),
            recipe,
            before: Vec::new(),
            done: 0,
            done_before: 0,
            streams: method.streams(),
        })
    }

    /// Share done, 0 to 1.
    pub fn fraction(&self) -> f32 {
        (self.done_before + self.done) as f32 / self.all.max(1) as f32
    }

    /// Whether all runs are done.
    pub fn finished(&self) -> bool {
        self.done >= self.recipe.runs && self.recipe.then.is_none()
    }

    /// Runs up to `runs` more times and returns the pictures as they are now.
    ///
    /// # Errors
    /// When the backend fails.
    pub async fn advance(&mut self, session: &Session<B>, runs: u32) -> Result<Vec<Picture>> {
        if self.done >= self.recipe.runs {
            self.go_on(session).await?;
        }
        let runs = runs.clamp(1, (self.recipe.runs - self.done).max(1));
        if self.done < self.recipe.runs {
            self.backend.run(&self.prepared, runs)?;
            self.done += runs;
        }
        self.pictures().await
    }

    /// Puts the next recipe of the chain in the place of the one that has ended.
    async fn go_on(&mut self, session: &Session<B>) -> Result<()> {
        let Some(next) = self.recipe.then.take() else {
            return Ok(());
        };
        let outputs = self.outputs().await?;
        let fed = (next.feed)(&outputs)?;
        self.before.extend((self.recipe.decode)(&outputs)?);
        self.prepared = prepare(session, &next.recipe, &fed).await?;
        self.done_before += self.done;
        self.done = 0;
        self.recipe = next.recipe;
        Ok(())
    }

    async fn outputs(&self) -> Result<Vec<Vec<f32>>> {
        let mut outputs = Vec::new();
        for &view in &self.recipe.compiled.outputs {
            outputs.push(read_view(&self.backend, &self.prepared, view).await?);
        }
        Ok(outputs)
    }

    /// The pictures as they are now.
    ///
    /// # Errors
    /// When the backend fails.
    pub async fn pictures(&self) -> Result<Vec<Picture>> {
        let mut pictures = self.before.clone();
        pictures.extend((self.recipe.decode)(&self.outputs().await?)?);
        Ok(pictures)
    }
}

/// Makes and fills a recipe's own buffers, `fed` among them, and prepares its program.
async fn prepare<B: Backend>(
    session: &Session<B>,
    recipe: &Recipe,
    fed: &[(&'static str, Vec<u32>)],
) -> Result<B::Prepared> {
    let backend = session.backend();
    let mut own = Vec::new();
    for (name, words) in recipe.buffers.iter().chain(fed) {
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
    backend.prepare(&recipe.compiled.program, &external).await
}

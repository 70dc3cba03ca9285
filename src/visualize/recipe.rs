//! How pictures are made, as plain values: a program with its buffers, what follows it, and how it is
//! repeated.

use crate::compile::Compiled;
use crate::error::Result;

use super::Picture;

/// Turns the program's outputs into pictures.
pub(super) type Decode = Box<dyn Fn(&[Vec<f32>]) -> Result<Vec<Picture>>>;

/// Outside buffers by name and what they hold at first.
pub(super) type Buffers = Vec<(&'static str, Vec<u32>)>;

/// A method, ready to run.
pub struct Recipe {
    /// The program; it reads "parameters" and "statistics" and writes only its own buffers.
    pub compiled: Compiled,
    /// The recipe's own outside buffers and what they hold at first.
    pub buffers: Buffers,
    /// How often the program runs.
    pub runs: u32,
    /// Pictures from the outputs after any number of runs.
    pub decode: Decode,
    /// What runs when this one has ended; its pictures come behind this one's.
    pub then: Option<Box<Next>>,
}

/// Buffers that follow from what a recipe put out.
type Feed = Box<dyn Fn(&[Vec<f32>]) -> Result<Buffers>>;

/// The next recipe of a chain.
pub struct Next {
    /// The recipe.
    pub recipe: Recipe,
    /// More of its buffers, from the outputs of the one before.
    pub feed: Feed,
}

impl std::fmt::Debug for Next {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.recipe.fmt(f)
    }
}

impl Recipe {
    /// Runs of the whole chain.
    pub fn all_runs(&self) -> u32 {
        let then = self.then.as_ref().map_or(0, |next| next.recipe.all_runs());
        self.runs.saturating_add(then)
    }

    /// Puts `recipe`, which needs nothing of this chain, at its end.
    #[must_use]
    pub fn followed_by(mut self, recipe: Self) -> Self {
        self.then = Some(Box::new(match self.then {
            Some(next) => Next {
                recipe: next.recipe.followed_by(recipe),
                feed: next.feed,
            },
            None => Next {
                recipe,
                feed: Box::new(|_| Ok(Vec::new())),
            },
        }));
        self
    }
}

impl std::fmt::Debug for Recipe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recipe")
            .field("runs", &self.runs)
            .finish_non_exhaustive()
    }
}

/// A recipe and how it goes on.
pub struct Course {
    /// The recipe, with the first batch.
    pub recipe: Recipe,
    /// The batches after it.
    pub more: Vec<Round>,
    /// Whether it goes on until it is stopped.
    pub live: bool,
    /// Whether its pictures are optimized, and mean nothing where the network is untrained.
    pub optimizes: bool,
}

/// A further batch: the recipe once more from the start, with some buffers filled otherwise.
pub struct Round {
    /// The buffers that differ, by name.
    pub buffers: Buffers,
    /// Pictures of this batch.
    pub decode: Decode,
}

impl From<Recipe> for Course {
    /// Once, and no more than that.
    fn from(recipe: Recipe) -> Self {
        Self {
            recipe,
            more: Vec::new(),
            live: false,
            optimizes: false,
        }
    }
}

impl std::fmt::Debug for Course {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Course")
            .field("recipe", &self.recipe)
            .field("live", &self.live)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Round {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Round").finish_non_exhaustive()
    }
}

//! Error values. Every sentence says what was expected, what was found and where, because the
//! page shows it to the user as it is. The core returns errors; only the boundary (`web`) reports
//! them, so each is handled exactly once.

/// What went wrong, told as one sentence a user can act on. It is one pointer, as nearly every call in the core may
/// return one: what a visitor downloads is three percent smaller than with the causes themselves.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<Cause>);

/// What can go wrong anywhere in convscope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// A value (shape, field, file, option) is not what its place needs.
    #[error("{place}: expected {expected}, found {found}")]
    Mismatch {
        /// The layer, op, field or file where the mismatch was seen.
        place: String,
        /// What would have been right.
        expected: String,
        /// What was there instead.
        found: String,
    },
    /// A name is not in its registry.
    #[error("unknown {kind} \"{name}\"; known: {known}")]
    Unknown {
        /// What kind of thing was looked up ("layer", "dataset" ...).
        kind: &'static str,
        /// The name that was asked for.
        name: String,
        /// The names that exist, separated by commas.
        known: String,
    },
    /// A gradient was asked of an operation that has none.
    #[error("{op}: has no gradient ({reason})")]
    NotDifferentiable {
        /// The operation's name.
        op: &'static str,
        /// Why there is none.
        reason: &'static str,
    },
    /// Something would not fit into the adapter's or the tab's memory.
    #[error("{place}: needs {needed} bytes, the limit is {limit} bytes")]
    Memory {
        /// What would have been allocated.
        place: String,
        /// Bytes it needs.
        needed: u64,
        /// Bytes that are allowed.
        limit: u64,
    },
    /// The backend (GPU device, adapter) failed.
    #[error("{backend} backend: {reason}")]
    Backend {
        /// Which backend.
        backend: &'static str,
        /// What it said.
        reason: String,
    },
    /// The user stopped the work.
    #[error("{0}: stopped")]
    Canceled(String),
}

impl Error {
    /// What went wrong, to tell one thing from another.
    pub fn cause(&self) -> &Cause {
        &self.0
    }

    fn new(cause: Cause) -> Self {
        Self(Box::new(cause))
    }

    /// Shorthand for [`Cause::Canceled`].
    pub fn canceled(what: impl Into<String>) -> Self {
        Self::new(Cause::Canceled(what.into()))
    }

    /// Shorthand for [`Cause::Mismatch`].
    pub fn mismatch(
        place: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self::new(Cause::Mismatch {
            place: place.into(),
            expected: expected.into(),
            found: found.into(),
        })
    }

    /// Shorthand for [`Cause::NotDifferentiable`].
    pub fn not_differentiable(op: &'static str, reason: &'static str) -> Self {
        Self::new(Cause::NotDifferentiable { op, reason })
    }

    /// Shorthand for [`Cause::Memory`].
    pub fn memory(place: impl Into<String>, needed: u64, limit: u64) -> Self {
        let place = place.into();
        Self::new(Cause::Memory {
            place,
            needed,
            limit,
        })
    }

    /// Shorthand for [`Cause::Backend`].
    pub fn backend(backend: &'static str, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self::new(Cause::Backend { backend, reason })
    }

    /// Shorthand for [`Cause::Unknown`] that lists the registry's names.
    pub fn unknown<'a>(
        kind: &'static str,
        name: impl Into<String>,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let known = known.into_iter().collect::<Vec<_>>().join(", ");
        Self::new(Cause::Unknown {
            kind,
            name: name.into(),
            known,
        })
    }
}

/// Result with convscope's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

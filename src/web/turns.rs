//! Which jobs share the time, and how long live work's slices took.

use crate::backend::Backend;

use super::lab::Lab;
use super::work::Work;

impl<B: Backend> Lab<B> {
    /// Tells live work whose slice came last how long that took: until now.
    pub(super) fn note_turn(&mut self, id: u32, now: f64) {
        let before = self.turn.replace((id, now));
        if let Some((last, began)) = before
            && let Some(Work::Live(_, gaps)) = self.jobs.get_mut(&last)
        {
            gaps.took(now - began);
        }
    }

    /// Whether the network trains.
    pub(super) fn is_training(&self) -> bool {
        self.jobs
            .values()
            .any(|work| matches!(work, Work::Train(_)))
    }
}

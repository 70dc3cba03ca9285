//! How much work to do at a time: slices of a fixed length of wall clock, learned as it goes. The clock
//! is the caller's.

/// Length of a slice, in milliseconds of wall clock.
const SLICE_MS: f64 = 40.0;

/// How many units of work fit into a slice, learned from the slices so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// When the last slice began.
    last: Option<f64>,
    units: u32,
    /// Units that the device finished since then: those of the last slice, or, where a slice is
    /// awaited one slice late, of the one before.
    finished: u32,
    late: bool,
    /// Units per second of late.
    pub(super) speed: f64,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            last: None,
            units: 1,
            finished: 0,
            late: false,
            speed: 0.0,
        }
    }
}

impl Pace {
    /// For work whose slices are awaited one slice late.
    pub(super) fn late() -> Self {
        Self {
            late: true,
            ..Self::default()
        }
    }

    /// Notes that a slice begins at `now` milliseconds; returns how many units it should have.
    pub(super) fn begin(&mut self, now: f64, most: u32) -> u32 {
        let submitted = self.units;
        if let Some(before) = self.last.filter(|_| self.finished > 0) {
            let took = (now - before).max(1.0);
            let speed = f64::from(self.finished) * 1000.0 / took;
            // Follows changes within a few slices, without jumping at every hiccup.
            self.speed = if self.speed == 0.0 {
                speed
            } else {
                0.7 * self.speed + 0.3 * speed
            };
            let target = self.speed * SLICE_MS / 1000.0;
            self.units = (target as u32).clamp(1, submitted * 2);
        }
        self.units = self.units.min(most);
        self.finished = match (self.late, self.last) {
            (true, None) => 0,
            (true, Some(_)) => submitted,
            (false, _) => self.units,
        };
        self.last = Some(now);
        self.units
    }
}

#[cfg(test)]
mod tests {
    use super::Pace;

    #[test]
    fn slices_grow_until_they_take_their_time_and_no_longer() {
        let mut pace = Pace::default();
        let mut now = 0.0;
        let mut units = 0;
        for _ in 0..30 {
            units = pace.begin(now, 1000);
            now += f64::from(units) * 0.5;
        }
        assert!(
            (70..=90).contains(&units),
            "80 units of 0.5 ms are a slice of 40 ms: {units}"
        );
        assert_eq!(pace.begin(now, 7), 7);
    }
}

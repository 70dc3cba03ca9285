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
    /// Milliseconds and units since the speed was measured last.
    window: (f64, u32),
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
            window: (0.0, 0),
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
            // Over a while: one slice may end at once because its device time was awaited elsewhere.
            self.window.0 += (now - before).max(0.0);
            self.window.1 += self.finished;
            let enough = if self.speed == 0.0 { 10.0 } else { 150.0 };
            if self.window.0 >= enough {
                let (took, units) = std::mem::take(&mut self.window);
                let speed = f64::from(units) * 1000.0 / took;
                self.speed = if self.speed == 0.0 {
                    speed
                } else {
                    0.5 * (self.speed + speed)
                };
                let target = self.speed * SLICE_MS / 1000.0;
                self.units = (target as u32).clamp(1, submitted * 4);
            }
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

/// Milliseconds of a slice of work that goes on beside training, how many units it may have, and how many
/// times as long it then rests: training loses no more than a tenth.
const GAP_MS: f64 = 20.0;
const MOST_UNITS: u32 = 256;
const REST: f64 = 9.0;

/// When endless work beside training gets a slice, and how large: it is told how long its slices took.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gaps {
    units: u32,
    began: f64,
    took: f64,
}

impl Default for Gaps {
    fn default() -> Self {
        Self {
            units: 1,
            began: f64::NEG_INFINITY,
            took: 0.0,
        }
    }
}

impl Gaps {
    /// How many units a slice at `now` should have; none while it rests, as it does beside training.
    pub(super) fn begin(&mut self, now: f64, training: bool) -> Option<u32> {
        if training && now < self.began + (1.0 + REST) * self.took {
            return None;
        }
        self.began = now;
        Some(self.units)
    }

    /// Notes that the slice which began last took this long.
    pub(super) fn took(&mut self, milliseconds: f64) {
        self.took = milliseconds.max(0.0);
        let fitting = f64::from(self.units) * GAP_MS / self.took.max(0.1);
        self.units = (fitting as u32).clamp(1, (2 * self.units).min(MOST_UNITS));
    }
}

#[cfg(test)]
mod tests {
    use super::{Gaps, Pace};

    #[test]
    fn work_beside_training_takes_a_tenth_of_the_time() {
        let mut gaps = Gaps::default();
        let (mut now, mut busy) = (0.0, 0.0);
        while now < 60_000.0 {
            // A training slice of 40 ms, then perhaps one of 3 ms per unit.
            now += 40.0;
            if let Some(units) = gaps.begin(now, true) {
                let took = 3.0 * f64::from(units);
                gaps.took(took);
                busy += took;
                now += took;
            }
        }
        assert!((0.05..=0.1).contains(&(busy / now)), "{busy} of {now}");
        assert!(gaps.begin(now, false).is_some(), "it does not rest alone");
    }

    #[test]
    fn slices_grow_until_they_take_their_time_and_no_longer() {
        let mut pace = Pace::default();
        let mut now = 0.0;
        let mut units = 0;
        for _ in 0..200 {
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

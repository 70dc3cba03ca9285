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

#[cfg(test)]
mod tests {
    use super::Pace;

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

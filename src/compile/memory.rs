//! The memory plan: temporaries whose lives do not overlap share a buffer. Greedy by size (Pisarchyk
//! & Lee 2020, "Efficient memory management for deep neural net inference", section 5.2), which for
//! training graphs comes close to the lower bound and is a page of code.

/// A temporary: its size and the launches between which it is needed.
#[derive(Debug, Clone)]
pub(super) struct Life {
    pub(super) words: usize,
    /// First and last launch that touch it; none if no launch does.
    span: Option<(usize, usize)>,
    /// Never shared: it outlives the run, or its padding must stay zero.
    pub(super) keep: bool,
}

impl Life {
    pub(super) fn new(words: usize) -> Self {
        Self {
            words,
            span: None,
            keep: false,
        }
    }

    pub(super) fn use_at(&mut self, launch: usize) {
        let first = self.span.map_or(launch, |(first, _)| first);
        self.span = Some((first, launch));
    }

    fn overlaps(&self, other: &Self) -> bool {
        match (self.span, other.span) {
            _ if self.keep || other.keep => true,
            (Some((a, b)), Some((c, d))) => a <= d && c <= b,
            _ => false,
        }
    }
}

/// Buffers by size, and which of them each temporary got.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) buffers: Vec<usize>,
    pub(super) assigned: Vec<usize>,
}

/// Assigns each temporary, largest first, to the first buffer whose other tenants it never meets.
pub(super) fn plan(lives: &[Life]) -> Plan {
    let mut order: Vec<usize> = (0..lives.len()).collect();
    order.sort_by_key(|&index| (std::cmp::Reverse(lives[index].words), index));
    let mut tenants: Vec<Vec<usize>> = Vec::new();
    let mut assigned = vec![0; lives.len()];
    for index in order {
        let free =
            |tenants: &Vec<usize>| tenants.iter().all(|&t| !lives[t].overlaps(&lives[index]));
        let buffer = tenants.iter().position(free).unwrap_or_else(|| {
            tenants.push(Vec::new());
            tenants.len() - 1
        });
        tenants[buffer].push(index);
        assigned[index] = buffer;
    }
    // The first tenant is the largest.
    let buffers = tenants
        .iter()
        .map(|tenants| lives[tenants[0]].words)
        .collect();
    Plan { buffers, assigned }
}

#[cfg(test)]
mod tests {
    use super::{Life, plan};

    #[test]
    fn lives_that_meet_never_share() {
        let life = |words, first, last, keep| {
            let mut life = Life::new(words);
            life.use_at(first);
            life.use_at(last);
            life.keep = keep;
            life
        };
        let lives = [
            life(8, 0, 1, false),
            life(4, 1, 2, false),
            life(6, 2, 3, false),
            life(2, 3, 3, true),
            life(2, 5, 6, false),
        ];
        let plan = plan(&lives);
        for (i, a) in lives.iter().enumerate() {
            for (j, b) in lives.iter().enumerate().skip(i + 1) {
                assert!(
                    !a.overlaps(b) || plan.assigned[i] != plan.assigned[j],
                    "{i} {j}"
                );
            }
        }
        assert_eq!(plan.buffers.iter().sum::<usize>(), 8 + 4 + 2);
    }
}

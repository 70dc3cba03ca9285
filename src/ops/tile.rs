//! How large the tile of results is that one thread of an unrolled kernel keeps to itself: the cost model behind the
//! forms for software adapters. A larger tile uses what it loads more often; a smaller one gives more threads, wastes
//! less past the ends of the axes, and compiles sooner.

use crate::program::GROUP;

/// What one thread does at each turn of its loop.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn {
    /// Elements that it loads.
    pub(super) loads: usize,
    /// Multiply-adds.
    pub(super) multiply_adds: usize,
    /// Sums that it takes along to the next turn.
    pub(super) sums: usize,
}

impl Turn {
    /// Half cycles of four threads on SwiftShader: a fit to 54 measurements of nine layers' forward pass, which all lie
    /// within 20 % of it and half of them within 4 % (`benches/README.md`). A load costs most because each of the four
    /// asks for itself whether it may and where.
    fn cost(self) -> u64 {
        (52 * self.loads + 8 * self.multiply_adds + 5 * self.sums) as u64
    }
}

/// Half cycles for a partial result: its store, its load and its addition.
pub(super) const PARTIAL: u64 = 350;

/// The time of a kernel whose `threads` do `turns` each, in half cycles of two cores with four threads at once: a software
/// adapter has at least two cores, which share a launch by workgroups.
pub(super) fn cost(threads: usize, turns: usize, turn: Turn) -> u64 {
    let group = GROUP as usize;
    let longest = match threads.div_ceil(group) {
        1 => threads,
        groups => groups.div_ceil(2) * group,
    };
    2 * cost_beside(longest, turns, turn)
}

/// The same for a kernel that has another one beside it in its launch, so that the cores share both.
pub(super) fn cost_beside(threads: usize, turns: usize, turn: Turn) -> u64 {
    (threads * turns) as u64 * turn.cost()
}

/// Whether the unrolled body of a kernel with `work` multiply-adds may be that long, with at most `sums` sums. Longer ones
/// compile slowly (64 sums with 192 multiply-adds 0.1 s, 160 with 800 0.4 s), which small work does not make up for.
pub(super) fn is_short(turn: Turn, work: u64, sums: usize) -> bool {
    let [most_sums, most] = match work {
        ..2_000_000 => [64, 400],
        _ => [sums, 850],
    };
    turn.multiply_adds <= most && turn.sums <= most_sums
}

/// Sums that a thread takes along at most, if not for other reasons fewer.
pub(super) const MOST_SUMS: usize = 170;

/// Axes of a tile at most; those that it does not have are of one.
const AXES: usize = 5;

/// Extents of a tile.
pub(super) type Tile = [usize; AXES];

/// The cost and extents of the cheapest tile of one to `most` along each axis. Where `cost` allows none, it is of ones and
/// beyond price.
pub(super) fn cheapest(most: Tile, cost: &dyn Fn(Tile) -> Option<u64>) -> (u64, Tile) {
    let (mut tile, mut best) = ([1; AXES], (u64::MAX, [1; AXES]));
    loop {
        if let Some(cost) = cost(tile).filter(|cost| *cost < best.0) {
            best = (cost, tile);
        }
        // The next one, counting up the last axis first.
        let Some(axis) = (0..AXES).rev().find(|&axis| tile[axis] < most[axis]) else {
            return best;
        };
        tile[axis] += 1;
        tile[axis + 1..].fill(1);
    }
}

#[cfg(test)]
mod tests {
    use super::{Turn, cheapest, cost};

    /// The cheapest tile of a product without bound on its body, `rows` by `columns`.
    fn product(rows: usize, columns: usize) -> [usize; 2] {
        let (_, [r, c, ..]) = cheapest([8, 8, 1, 1, 1], &|[r, c, ..]| {
            let turn = Turn {
                loads: r + c,
                multiply_adds: r * c,
                sums: r * c,
            };
            Some(cost(rows.div_ceil(r) * columns.div_ceil(c), 1, turn))
        });
        [r, c]
    }

    /// Of 512 by 6 a tile of 8 rows would leave one of two cores idle.
    #[test]
    fn tiles_are_large_and_waste_little() {
        for ([rows, columns], expected) in [
            ([512, 512], [8, 8]),
            ([512, 6], [4, 6]),
            ([1024, 6], [8, 6]),
            ([500, 500], [8, 8]),
            ([14 * 64, 1], [7, 1]),
            ([1, 1], [1, 1]),
        ] {
            let found = product(rows, columns);
            assert_eq!(found, expected, "{rows} by {columns}");
        }
    }
}

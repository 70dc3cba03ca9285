//! The histograms of a layer as pictures, as they are now and, live, over all states of the network that were met.

use std::cell::RefCell;

use crate::error::{Error, Result};
use crate::tensor::Tensor;

use super::super::{Picture, Shown, check_finite};
use super::EACH;

/// Most states of the network that a picture over time shows; with more, every second is left out.
const MOST_STATES: usize = 128;

/// Of one quantity: how many numbers are in each bin, between what ends, and the sum of their squares.
#[derive(Debug, Clone)]
struct Counted {
    counts: Vec<f32>,
    ends: [f32; 2],
    squares: f32,
}

/// The network after some steps.
#[derive(Debug)]
struct State {
    step: u32,
    counted: Vec<Counted>,
    /// For each parameter the size of a step's move, as a share of its own.
    moves: Vec<f32>,
}

/// What has been seen so far.
pub(super) struct History {
    /// Of the activations and of each parameter; the gradient of each follows it.
    names: Vec<String>,
    said: String,
    states: RefCell<Vec<State>>,
    live: bool,
}

impl History {
    /// Nothing yet.
    pub(super) fn new(names: Vec<String>, said: String, live: bool) -> Self {
        Self {
            names,
            said,
            states: RefCell::new(Vec::new()),
            live,
        }
    }

    /// The pictures of what was put out, which is remembered where it is live.
    pub(super) fn pictures(&self, outputs: &[Vec<f32>]) -> Result<Vec<Picture>> {
        let quantities = 2 * self.names.len();
        if outputs.len() < EACH * quantities {
            let found = outputs.len().to_string();
            return Err(Error::mismatch(
                "histograms",
                "three outputs of each",
                found,
            ));
        }
        let mut now = Vec::new();
        for (at, parts) in outputs.chunks_exact(EACH).take(quantities).enumerate() {
            check_finite(&self.name(at), "numbers", &parts[1])?;
            now.push(Counted {
                counts: parts[0].clone(),
                ends: [parts[1][0], parts[1][1]],
                squares: parts[2][0],
            });
        }
        let mut pictures = Vec::new();
        for (at, counted) in now.iter().enumerate() {
            pictures.push(self.curve(at, counted, &now[at / 2 * 2])?);
        }
        if !self.live {
            return Ok(pictures);
        }
        let rest = &outputs[EACH * quantities..];
        let step = rest[0][0].to_bits();
        let states = &mut *self.states.borrow_mut();
        let last = states.last().map(|state| state.step);
        // Weights that were drawn anew begin a new history.
        if last.is_some_and(|last| step < last) {
            states.clear();
        }
        if last != Some(step) {
            let steps = step.saturating_sub(last.unwrap_or(step)) as f32;
            let moved = rest.get(1).map_or(&[] as &[f32], Vec::as_slice);
            let own = now.iter().skip(2).step_by(2);
            let moves = moved.iter().zip(own);
            let share = |(moved, own): (&f32, &Counted)| (moved / own.squares).sqrt() / steps;
            let moves = moves.map(share).collect();
            states.push(State {
                step,
                counted: now,
                moves,
            });
        }
        if states.len() > MOST_STATES {
            let mut index = 0;
            states.retain(|_| {
                index += 1;
                index % 2 == 1
            });
        }
        if states.len() > 1 {
            for at in 0..quantities {
                pictures.push(self.over_time(at, states)?);
            }
            pictures.extend(self.moved(states)?);
        }
        Ok(pictures)
    }

    /// What a quantity is called.
    fn name(&self, at: usize) -> String {
        match at % 2 {
            0 => self.names[at / 2].clone(),
            _ => format!("Gradient of the loss by {}", lowered(&self.names[at / 2])),
        }
    }

    /// A histogram as a curve, its fullest bin 1.
    fn curve(&self, at: usize, counted: &Counted, of: &Counted) -> Result<Picture> {
        let all: f32 = counted.counts.iter().sum();
        let most = counted.counts.iter().copied().fold(0.0, f32::max);
        let row = counted.counts.iter().map(|count| count / most.max(1.0));
        let [low, high] = counted.ends.map(short);
        let mut title = format!(
            "{} · {all} numbers, {low} to {high}, fullest bin {:.1} %",
            self.name(at),
            100.0 * most / all.max(1.0)
        );
        // Activations, and the gradients of all, are those of the batch.
        if at < 2 || at % 2 == 1 {
            title.push_str(&format!(" · {}", self.said));
        }
        if at > 2 && at % 2 == 1 && of.squares > 0.0 {
            let share = short((counted.squares / of.squares).sqrt());
            title.push_str(&format!(
                " · {share} of the length of {}",
                self.names[at / 2]
            ));
        }
        Ok(Picture::curves(title, &[row.collect()])?.between(low, high))
    }

    /// A quantity's histograms over time: a row for each state, all between the same ends.
    fn over_time(&self, at: usize, states: &[State]) -> Result<Picture> {
        let all = || states.iter().map(|state| &state.counted[at]);
        let low = all().map(|one| one.ends[0]).fold(f32::INFINITY, f32::min);
        let high = all()
            .map(|one| one.ends[1])
            .fold(f32::NEG_INFINITY, f32::max);
        let bins = states[0].counted[at].counts.len();
        let rows: Vec<f32> = all().flat_map(|one| rebinned(one, [low, high])).collect();
        let title = format!(
            "{} over training · step {} (above) to {} (below), {} (left) to {} (right)",
            self.name(at),
            states[0].step,
            states[states.len() - 1].step,
            short(low),
            short(high)
        );
        let table = Tensor::new([1, states.len(), bins], rows)?;
        Ok(Picture::new(title, &table, false)?.shown(Shown::Map))
    }

    /// How far a step moves each parameter, over time.
    fn moved(&self, states: &[State]) -> Result<Vec<Picture>> {
        // Nothing is known of how the first state came about.
        let [_, known @ ..] = states else {
            return Ok(Vec::new());
        };
        let curve = |(at, name): (usize, &String)| {
            let each = known.iter().filter_map(|state| state.moves.get(at));
            let row: Vec<f32> = each.map(|share| share.max(1e-12).log10()).collect();
            let title = format!(
                "Update-to-weight ratio of {name} in a step, as a power of ten (-3 is usual)"
            );
            let step =
                |state: Option<&State>| format!("step {}", state.map_or(0, |state| state.step));
            Ok(Picture::curves(title, &[row])?.between(step(known.first()), step(known.last())))
        };
        self.names.iter().skip(1).enumerate().map(curve).collect()
    }
}

/// A number in few letters.
fn short(number: f32) -> String {
    match number.abs() {
        size if size == 0.0 || (1e-3..1e4).contains(&size) => format!("{number:.3}"),
        _ => format!("{number:.1e}"),
    }
}

/// A name within a sentence.
fn lowered(name: &str) -> String {
    let mut letters = name.chars();
    match letters.next() {
        Some(first) => std::iter::once(first.to_ascii_lowercase())
            .chain(letters)
            .collect(),
        None => String::new(),
    }
}

/// Shares of the numbers in as many bins between other ends, those within a bin taken as evenly spread.
fn rebinned(counted: &Counted, [low, high]: [f32; 2]) -> Vec<f32> {
    let bins = counted.counts.len();
    let all: f32 = counted.counts.iter().sum::<f32>().max(1.0);
    let [first, last] = counted.ends;
    // Numbers that are nearly the same have a bin to themselves.
    let width = (last - first).max((high - low) / bins as f32);
    let first = first.min(high - width);
    let width = width.max(f32::MIN_POSITIVE);
    let below = |edge: f32| {
        let at = ((edge - first) / width).clamp(0.0, 1.0) * bins as f32;
        let whole = (at as usize).min(bins);
        let part = counted
            .counts
            .get(whole)
            .map_or(0.0, |count| count * (at - whole as f32));
        (counted.counts[..whole].iter().sum::<f32>() + part) / all
    };
    let edge = |bin: usize| low + (high - low) * bin as f32 / bins as f32;
    (0..bins)
        .map(|bin| below(edge(bin + 1)) - below(edge(bin)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Counted, rebinned};

    #[test]
    fn other_bins_hold_the_same_shares() {
        let counted = Counted {
            counts: vec![4.0, 0.0, 2.0, 2.0],
            ends: [0.0, 4.0],
            squares: 0.0,
        };
        assert_eq!(rebinned(&counted, [0.0, 4.0]), [0.5, 0.0, 0.25, 0.25]);
        assert_eq!(rebinned(&counted, [-4.0, 4.0]), [0.0, 0.0, 0.5, 0.5]);
        assert_eq!(rebinned(&counted, [0.0, 8.0]), [0.5, 0.5, 0.0, 0.0]);
    }
}

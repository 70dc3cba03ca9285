//! Which dispatches go to the device together. A launch costs as much as a small kernel, so that a dispatch joins
//! the earliest launch that it may join: one after everything that it depends on, beside what is there;
//! or that of the last dispatch that it depends on. There it goes along, if each of its threads continues with the very
//! elements that the same thread has just written, or within, behind a barrier, if each of its workgroups continues with
//! what the same workgroup has. All bindings together must suffice, and WebGPU allows
//! no buffer to be read and written in one launch except through one binding.

use std::ops::Range;

use litemap::LiteMap;

use crate::program::{Access, Dispatch, Family, Join, Kernel, MOST_BINDINGS, Source};

use super::{Compiler, Place, Root};

/// Dispatches by number that run side by side.
#[derive(Debug, Default)]
struct Launch {
    lanes: Vec<Lane>,
    slots: Vec<Slot>,
    /// Whether others may join.
    open: bool,
}

/// Dispatches by number that run in the same workgroups.
#[derive(Debug, Default)]
struct Lane {
    /// By the same threads, one after the other.
    along: Vec<usize>,
    /// When all threads are done, whatever the order.
    within: Vec<usize>,
}

/// Where a dispatch may go: which launch, and in which lane and how it continues one.
type Home = (usize, Option<(usize, Join)>);

/// A binding.
#[derive(Debug, Clone)]
struct Slot {
    place: Place,
    words: usize,
    kind: String,
    writes: bool,
}

/// A use of memory by a dispatch that has its launch.
#[derive(Debug)]
struct Touch {
    dispatch: usize,
    binding: usize,
    range: Range<usize>,
    writes: bool,
}

/// What an earlier dispatch and a new one have in common: the earlier one, the number of its binding, and that of
/// the new one's.
#[derive(Debug, Clone, Copy)]
struct Meeting {
    with: usize,
    theirs: usize,
    own: usize,
}

/// The launches so far.
struct Planner<'a> {
    compiler: &'a Compiler<'a>,
    /// Of each kernel.
    sources: Vec<Option<Source>>,
    launches: Vec<Launch>,
    /// The launch of each dispatch.
    home: Vec<usize>,
    touches: LiteMap<Root, Vec<Touch>>,
}

impl Slot {
    fn range(&self) -> Range<usize> {
        self.place.offset..self.place.offset + self.words
    }
}

fn meet(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}

/// `slots` with `more`, if one launch may have them all.
fn joined(slots: &[Slot], more: &[Slot]) -> Option<Vec<Slot>> {
    let mut slots = slots.to_vec();
    for slot in more {
        let is_same = |other: &&mut Slot| {
            (other.place, other.words, &other.kind) == (slot.place, slot.words, &slot.kind)
        };
        if let Some(same) = slots.iter_mut().find(is_same) {
            same.writes |= slot.writes;
        } else {
            slots.push(slot.clone());
        }
    }
    let mut pairs = slots.iter().enumerate().flat_map(|(i, slot)| {
        let others = slots[i + 1..].iter();
        others.map(move |other| (slot, other))
    });
    let clash = |(a, b): (&Slot, &Slot)| {
        let apart = a.place.root != b.place.root || !a.writes && !b.writes;
        !apart && (a.writes != b.writes || meet(&a.range(), &b.range()))
    };
    (slots.len() <= MOST_BINDINGS && !pairs.any(clash)).then_some(slots)
}

/// The text of `kernel` taken apart, if each of its forms can be part of a launch.
fn source(kernel: &Kernel) -> Option<Source> {
    let gpu = Source::of(kernel, Family::Gpu)?;
    match kernel.tiled {
        Some(_) => Source::of(kernel, Family::Software),
        None => Some(gpu),
    }
}

impl Planner<'_> {
    fn kernel(&self, dispatch: usize) -> usize {
        self.compiler.program.dispatches[dispatch].kernel
    }

    fn slots(&self, dispatch: usize) -> Vec<Slot> {
        let kernel = self.kernel(dispatch);
        let accesses = &self.compiler.program.kernels[kernel].accesses;
        let bindings = self.compiler.bindings[dispatch].iter().zip(accesses);
        let kind = |index| {
            let source = self.sources[kernel].as_ref();
            source.map_or_else(String::new, |source| source.kind(index).to_owned())
        };
        let slot =
            |(index, (&(place, words), &access)): (usize, (&(Place, usize), &Access))| Slot {
                place,
                words,
                kind: kind(index),
                writes: access != Access::Read,
            };
        bindings.enumerate().map(slot).collect()
    }

    /// Where `slots` meet what dispatches before have used, so that the order matters.
    fn meetings(&self, slots: &[Slot]) -> Vec<Meeting> {
        let mut found = Vec::new();
        for (own, slot) in slots.iter().enumerate() {
            for touch in self.touches.get(&slot.place.root).into_iter().flatten() {
                if (touch.writes || slot.writes) && meet(&touch.range, &slot.range()) {
                    let (with, theirs) = (touch.dispatch, touch.binding);
                    found.push(Meeting { with, theirs, own });
                }
            }
        }
        found
    }

    /// Whether the threads of `meeting.with` go on with the same elements in `dispatch`.
    fn continues(&self, dispatch: usize, meeting: Meeting) -> bool {
        let Meeting { with, theirs, own } = meeting;
        let kernel = |number| &self.compiler.program.kernels[self.kernel(number)];
        let is_own = |number, binding| {
            let source = self.sources[self.kernel(number)].as_ref();
            source.is_some_and(|source| source.is_own(binding))
        };
        let bindings = &self.compiler.bindings;
        kernel(with).workgroups == kernel(dispatch).workgroups
            && kernel(with).tiled.is_none()
            && kernel(dispatch).tiled.is_none()
            && bindings[with][theirs] == bindings[dispatch][own]
            && is_own(with, theirs)
            && is_own(dispatch, own)
    }

    /// Whether the workgroups of `meeting.with` may go on with `dispatch`, because they have what meets to themselves.
    fn is_within(&self, dispatch: usize, meeting: Meeting) -> bool {
        let Meeting { with, theirs, own } = meeting;
        let kernel = |number| &self.compiler.program.kernels[self.kernel(number)];
        let (before, after) = (kernel(with), kernel(dispatch));
        let elements = |kernel: &Kernel, binding| {
            let run = kernel.run.filter(|run| run.binding == binding);
            run.map(|run| run.elements)
        };
        let repeats = after.repeats_within(before);
        let runs = elements(before, theirs).zip(elements(after, own));
        let bindings = &self.compiler.bindings;
        let are_runs_whole = runs.is_some_and(|(before, after)| before == repeats as usize * after);
        before.workgroups == [1; 3] && repeats == 1
            || bindings[with][theirs] == bindings[dispatch][own] && are_runs_whole
    }

    /// How `dispatch` may continue `lane`, which has all of `meetings`.
    fn continuation(&self, dispatch: usize, lane: &Lane, meetings: &[Meeting]) -> Option<Join> {
        let all = |f: &dyn Fn(&Meeting) -> bool| {
            let is_there = |one: &Meeting| lane.along.contains(&one.with);
            meetings.iter().all(|one| is_there(one) && f(one))
        };
        if lane.within.is_empty() && all(&|one| self.continues(dispatch, *one)) {
            return Some(Join::Along);
        }
        all(&|one| self.is_within(dispatch, *one)).then_some(Join::Within)
    }

    /// The earliest launch that `dispatch` may join.
    fn place(&self, dispatch: usize, slots: &[Slot]) -> Option<Home> {
        self.sources[self.kernel(dispatch)].as_ref()?;
        let meetings = self.meetings(slots);
        let last = meetings.iter().map(|meeting| self.home[meeting.with]).max();
        let fits = |launch: &usize| {
            let launch = &self.launches[*launch];
            launch.open && joined(&launch.slots, slots).is_some()
        };
        if let Some(last) = last.filter(fits) {
            let in_last = meetings.iter().filter(|one| self.home[one.with] == last);
            let in_last: Vec<Meeting> = in_last.copied().collect();
            let mut lanes = self.launches[last].lanes.iter().enumerate();
            let lane = lanes.find_map(|(index, lane)| {
                let join = self.continuation(dispatch, lane, &in_last)?;
                Some((index, join))
            });
            if lane.is_some() {
                return Some((last, lane));
            }
        }
        let mut after = last.map_or(0, |last| last + 1)..self.launches.len();
        after.find(fits).map(|launch| (launch, None))
    }

    fn add(&mut self, dispatch: usize) {
        let slots = self.slots(dispatch);
        let place = self.place(dispatch, &slots);
        let (launch, lane) = place.unwrap_or((self.launches.len(), None));
        if place.is_none() {
            self.launches.push(Launch {
                open: self.sources[self.kernel(dispatch)].is_some(),
                ..Launch::default()
            });
        }
        let home = &mut self.launches[launch];
        home.slots = joined(&home.slots, &slots).unwrap_or_default();
        match lane {
            Some((lane, Join::Within)) => home.lanes[lane].within.push(dispatch),
            Some((lane, _)) => home.lanes[lane].along.push(dispatch),
            None => home.lanes.push(Lane {
                along: vec![dispatch],
                within: Vec::new(),
            }),
        }
        self.home.push(launch);
        for (binding, slot) in slots.into_iter().enumerate() {
            let (range, writes) = (slot.range(), slot.writes);
            self.touches
                .entry(slot.place.root)
                .or_default()
                .push(Touch {
                    dispatch,
                    binding,
                    range,
                    writes,
                });
        }
    }
}

impl Compiler<'_> {
    /// Puts the dispatches into launches, in which order they then are, and says when temporaries live.
    pub(super) fn plan_launches(&mut self) {
        let mut planner = Planner {
            sources: self.program.kernels.iter().map(source).collect(),
            compiler: self,
            launches: Vec::new(),
            home: Vec::new(),
            touches: LiteMap::new(),
        };
        (0..self.bindings.len()).for_each(|dispatch| planner.add(dispatch));
        let launches = planner.launches;
        self.reorder(&launches);
    }

    /// Brings the dispatches into the order of `launches`.
    fn reorder(&mut self, launches: &[Launch]) {
        let (mut dispatches, mut bindings) = (Vec::new(), Vec::new());
        for (time, launch) in launches.iter().enumerate() {
            let first = dispatches.len();
            for lane in &launch.lanes {
                for (position, &number) in lane.along.iter().chain(&lane.within).enumerate() {
                    let join = match position {
                        0 if dispatches.len() == first => Join::Apart,
                        0 => Join::Beside,
                        _ if position < lane.along.len() => Join::Along,
                        _ => Join::Within,
                    };
                    let kernel = self.program.dispatches[number].kernel;
                    let own = std::mem::take(&mut self.bindings[number]);
                    for (place, _) in &own {
                        if let Root::Temporary(index) = place.root {
                            self.temporaries[index].use_at(time);
                        }
                    }
                    dispatches.push(Dispatch {
                        kernel,
                        bindings: Vec::new(),
                        join,
                    });
                    bindings.push(own);
                }
            }
        }
        (self.program.dispatches, self.bindings) = (dispatches, bindings);
    }
}

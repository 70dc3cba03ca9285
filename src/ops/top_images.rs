//! The images that excite each unit most, kept while a dataset streams by: a short sorted list per unit,
//! updated in place. An image that comes by again replaces its own entry, so that the list follows a
//! network that learns.

use crate::error::{Error, Result};
use crate::graph::{Example, Graph, Lowering, Op, OpInfo, ValueId, expect_dtype, expect_inputs};
use crate::program::{ALIGN_WORDS, Args};
use crate::tensor::{DType, Spec};

use super::mutating::{mutating_kernel, mutating_lowering};
use super::testing::{nan, wave};

/// Keeps the `kept` best of `n_items` images.
#[derive(Debug, Clone, Copy)]
struct TopImages {
    kept: usize,
    n_items: usize,
}

/// Words from one unit's list to the next, so that each list is a view: the most images a list can keep.
pub const TOP_ROW: usize = ALIGN_WORDS;

/// What an empty entry has for its value: less than any activation.
const LOWEST: f32 = f32::MIN;

/// Updates `state` `u32[3, units, TOP_ROW]` in place with a batch: `values` and `positions` `[n, units]` are each
/// image's strongest activation and where it was, `indices` `u32[n]` the images' numbers; those from
/// `n_items` on are left out, as are values that are not numbers. Each list has the values (bits of f32),
/// the images' numbers and the positions, largest value first, in the first `kept` words of its rows.
///
/// # Errors
/// When the shapes do not fit, or `kept` is not 1 to [`TOP_ROW`].
pub fn top_images(
    graph: &mut Graph,
    state: ValueId,
    values: ValueId,
    positions: ValueId,
    indices: ValueId,
    [kept, n_items]: [usize; 2],
) -> Result<ValueId> {
    graph.push(
        TopImages { kept, n_items },
        &[state, values, positions, indices],
    )
}

/// The words of a state with empty lists.
pub fn empty_top_images(units: usize, n_items: usize) -> Vec<u32> {
    let plane = units * TOP_ROW;
    let mut words = vec![LOWEST.to_bits(); plane];
    // Numbers of images fit: they are indices into a dataset in memory.
    words.resize(2 * plane, n_items as u32);
    words.resize(3 * plane, 0);
    words
}

impl Op for TopImages {
    fn name(&self) -> &'static str {
        "top_images"
    }

    fn infer(&self, inputs: &[Spec]) -> Result<Spec> {
        let place = "top_images";
        let [state, values, positions, indices] = expect_inputs(place, inputs)?;
        let [n] = *expect_dtype(place, indices, DType::U32)?.dims() else {
            return Err(Error::mismatch(
                place,
                "a vector of indices",
                indices.to_string(),
            ));
        };
        let [rows, units] = *expect_dtype(place, values, DType::F32)?.dims() else {
            return Err(Error::mismatch(
                place,
                "values [n, units]",
                values.to_string(),
            ));
        };
        let expected = [Spec::u32([3, units, TOP_ROW]), Spec::u32([n, units])];
        for (expected, found) in expected.iter().zip([state, positions]) {
            if expected != found {
                return Err(Error::mismatch(
                    place,
                    expected.to_string(),
                    found.to_string(),
                ));
            }
        }
        if rows != n || !(1..=TOP_ROW).contains(&self.kept) {
            let expected = format!("{n} rows of values, lists of 1 to {TOP_ROW}");
            let found = format!("{rows} rows, lists of {}", self.kept);
            return Err(Error::mismatch(place, expected, found));
        }
        Ok(state.clone())
    }

    fn mutates(&self) -> &'static [usize] {
        &[0]
    }

    fn lower(&self, inputs: &[Spec], _: &Spec) -> Lowering {
        let (kept, n_items) = (self.kept, self.n_items);
        let (batch, units) = (inputs[3].shape.elements(), inputs[1].shape.last());
        let constants = [
            ("UNITS", units),
            ("BATCH", batch),
            ("KEPT", kept),
            ("ITEMS", n_items),
            ("ROW", TOP_ROW),
            ("LOWEST_BITS", LOWEST.to_bits() as usize),
        ];
        let twin = move |args: &mut Args<'_>| {
            let (values, positions) = (args.read(0), args.read_words(1));
            let indices = args.read_words(2);
            let (best, rest) = args.write_words(0).split_at_mut(units * TOP_ROW);
            let (images, places) = rest.split_at_mut(units * TOP_ROW);
            for (i, &item) in indices.iter().enumerate() {
                if item as usize >= n_items {
                    continue;
                }
                for unit in 0..units {
                    let row = unit * TOP_ROW..unit * TOP_ROW + kept;
                    let mut list = List {
                        values: &mut best[row.clone()],
                        images: &mut images[row.clone()],
                        positions: &mut places[row],
                    };
                    list.remove(item, n_items as u32);
                    list.insert(values[i * units + unit], item, positions[i * units + unit]);
                }
            }
        };
        let kernel = mutating_kernel("top_images", SHADER, &constants, [3, 1], units, twin);
        mutating_lowering(kernel, &[1, 2, 3], &[0])
    }
}

/// One unit's list.
struct List<'a> {
    values: &'a mut [u32],
    images: &'a mut [u32],
    positions: &'a mut [u32],
}

impl List<'_> {
    /// Takes the entry of `item` out, if there is one; an empty one follows at the end.
    fn remove(&mut self, item: u32, empty: u32) {
        let Some(at) = self.images.iter().position(|&other| other == item) else {
            return;
        };
        for list in [&mut *self.values, &mut *self.images, &mut *self.positions] {
            list[at..].rotate_left(1);
        }
        let last = self.values.len() - 1;
        (self.values[last], self.images[last], self.positions[last]) = (LOWEST.to_bits(), empty, 0);
    }

    /// Puts an entry where it belongs, and the last one out.
    fn insert(&mut self, value: f32, item: u32, position: u32) {
        let above = |&other: &u32| value > f32::from_bits(other);
        let smaller = self
            .values
            .iter()
            .rev()
            .take_while(|other| above(other))
            .count();
        let slot = self.values.len() - smaller;
        if smaller == 0 {
            return;
        }
        for list in [&mut *self.values, &mut *self.images, &mut *self.positions] {
            list[slot..].rotate_right(1);
        }
        (self.values[slot], self.images[slot], self.positions[slot]) =
            (value.to_bits(), item, position);
    }
}

const SHADER: &str = crate::wgsl!("../../shaders/top_images.wgsl");

pub(super) const INFO: OpInfo = OpInfo {
    name: "top_images",
    doc: "The images that excite each unit most, kept while a dataset streams by.",
    shaders: &[("top_images", SHADER)],
    examples: || {
        // Lists of 3 for 2 units; image 1 is in both lists already, image 9 is not of the dataset.
        let state = || {
            let mut words = empty_top_images(2, 8);
            for unit in 0..2 {
                words[unit * TOP_ROW] = 0.2_f32.to_bits();
                words[(2 + unit) * TOP_ROW] = 1;
            }
            (Spec::u32([3, 2, TOP_ROW]), words)
        };
        let build = |g: &mut Graph, x: &[ValueId]| top_images(g, x[1], x[0], x[2], x[3], [3, 8]);
        let example = |name, values| {
            let positions: Vec<u32> = (0..12).collect();
            Example::new(name, vec![values], build)
                .with_words(vec![
                    state(),
                    (Spec::u32([6, 2]), positions),
                    (Spec::u32([6]), vec![3, 1, 9, 4, 0, 7]),
                ])
                .forward_only()
        };
        let one = Example::new("one element", vec![wave([1, 1], 0.3)], |g, x| {
            top_images(g, x[1], x[0], x[2], x[3], [1, 1])
        });
        vec![
            example("a batch", wave([6, 2], 0.4)),
            one.with_words(vec![
                (Spec::u32([3, 1, TOP_ROW]), empty_top_images(1, 1)),
                (Spec::u32([1, 1]), vec![5]),
                (Spec::u32([1]), vec![0]),
            ])
            .forward_only(),
            example("not a number", nan([6, 2])),
        ]
    },
};

#[cfg(test)]
mod tests {
    use super::List;

    #[test]
    fn a_list_stays_sorted_and_has_an_image_once() {
        let [mut values, mut images, mut positions] = [[0_u32; 3]; 3];
        values.fill(super::LOWEST.to_bits());
        images.fill(99);
        let mut list = List {
            values: &mut values,
            images: &mut images,
            positions: &mut positions,
        };
        for (value, item) in [(1.0, 5), (3.0, 6), (2.0, 7), (0.5, 8), (4.0, 5)] {
            list.remove(item, 99);
            list.insert(value, item, item + 1);
        }
        assert_eq!(images, [5, 6, 7]);
        assert_eq!(positions, [6, 7, 8]);
        assert_eq!(values.map(f32::from_bits), [4.0, 3.0, 2.0]);
    }
}

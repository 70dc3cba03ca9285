//! The innermost loops: blocks of a product that are summed in registers. Four rows by two vectors
//! leave WebAssembly's sixteen registers room for the operands; more rows were measured slower there
//! and natively.

use super::lanes::Lanes;

/// Rows of a block.
pub(in super::super) const ROWS: usize = 4;

/// `f` of each row of a block. (`array::from_fn` and `map` are not always inlined.)
#[inline(always)]
pub(in super::super) fn each_row<T>(mut f: impl FnMut(usize) -> T) -> [T; ROWS] {
    [f(0), f(1), f(2), f(3)]
}

/// A block of sums under way: `N` columns of each row.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Sums<const N: usize>([Lanes<N>; ROWS]);

impl<const N: usize> Sums<N> {
    #[inline(always)]
    pub(in super::super) fn zero() -> Self {
        Self([Lanes::zero(); ROWS])
    }

    /// Writes as many columns of row `row` as `to` has.
    #[inline(always)]
    pub(in super::super) fn write(&self, row: usize, to: &mut [f32]) {
        if let Ok(whole) = <&mut [f32; N]>::try_from(&mut *to) {
            return self.0[row].store(whole);
        }
        let mut sums = [0.0; N];
        self.0[row].store(&mut sums);
        // Element by element, as a copy of variable length is a call in WebAssembly.
        for (j, sum) in sums.into_iter().enumerate() {
            if let Some(to) = to.get_mut(j) {
                *to = sum;
            }
        }
    }

    /// Adds as many columns of row `row` as `to` has.
    #[inline(always)]
    pub(in super::super) fn add_to(&self, row: usize, to: &mut [f32]) {
        if let Ok(whole) = <&mut [f32; N]>::try_from(&mut *to) {
            return Lanes::load(whole).plus(self.0[row]).store(whole);
        }
        let mut sums = [0.0; N];
        self.0[row].store(&mut sums);
        to.iter_mut().zip(sums).for_each(|(to, sum)| *to += sum);
    }

    /// Adds the product of four rows, each contiguous, and a panel.
    #[inline(always)]
    pub(in super::super) fn add_rows<const FUSED: bool>(
        &mut self,
        rows: [&[f32]; ROWS],
        panel: &[[f32; N]],
    ) {
        let [a, b, c, d] = rows;
        let columns = a.iter().zip(b).zip(c.iter().zip(d));
        for (panel, ((a, b), (c, d))) in panel.iter().zip(columns) {
            self.step::<FUSED>([*a, *b, *c, *d], panel);
        }
    }

    /// Adds the product of four rows, packed column by column, and a panel.
    #[inline(always)]
    pub(in super::super) fn add_columns<const FUSED: bool>(
        &mut self,
        columns: &[[f32; ROWS]],
        panel: &[[f32; N]],
    ) {
        for (column, b) in columns.iter().zip(panel) {
            self.step::<FUSED>(*column, b);
        }
    }

    /// Adds to each row its element of a column times a row of the panel.
    #[inline(always)]
    fn step<const FUSED: bool>(&mut self, column: [f32; ROWS], b: &[f32; N]) {
        let b = Lanes::load(b);
        for (sums, a) in self.0.iter_mut().zip(column) {
            *sums = sums.plus_product::<FUSED>(a, b);
        }
    }
}

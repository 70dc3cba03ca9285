//! The innermost loops: blocks of a product that are summed in registers. Four rows by two vectors
//! leave WebAssembly's sixteen registers room for the operands; more rows were measured slower there
//! and natively.

/// Rows of a block.
pub(in super::super) const ROWS: usize = 4;

/// Elements of the inner extent that are taken at once.
const UNROLL: usize = 4;

/// A block of sums: `N` columns of each row.
pub(super) type Block<const N: usize> = [[f32; N]; ROWS];

#[inline(always)]
fn multiply_add<const FUSED: bool>(a: f32, b: f32, sum: f32) -> f32 {
    if FUSED {
        a.mul_add(b, sum)
    } else {
        a * b + sum
    }
}

/// Adds to `sums` the product of four rows, each contiguous, and a panel.
#[inline(always)]
pub(in super::super) fn along_rows<const N: usize, const FUSED: bool>(
    mut sums: Block<N>,
    rows: [&[f32]; ROWS],
    panel: &[[f32; N]],
) -> Block<N> {
    // Equal lengths, said so that the compiler sees them.
    let rows = rows.map(|row| row[..panel.len()].as_chunks::<UNROLL>());
    let (panels, rest) = panel.as_chunks::<UNROLL>();
    let chunks = rows.map(|(chunks, _)| &chunks[..panels.len()]);
    for (k, panel) in panels.iter().enumerate() {
        let rows = chunks.map(|row| &row[k]);
        for (q, b) in panel.iter().enumerate() {
            step::<N, FUSED>(&mut sums, rows.map(|row| row[q]), b);
        }
    }
    let rows = rows.map(|(_, row)| &row[..rest.len()]);
    for (k, b) in rest.iter().enumerate() {
        step::<N, FUSED>(&mut sums, rows.map(|row| row[k]), b);
    }
    sums
}

/// Adds to each row of `sums` its element of a column times a row of the panel.
#[inline(always)]
fn step<const N: usize, const FUSED: bool>(sums: &mut Block<N>, column: [f32; ROWS], b: &[f32; N]) {
    for (sums, a) in sums.iter_mut().zip(column) {
        for (sum, b) in sums.iter_mut().zip(b) {
            *sum = multiply_add::<FUSED>(a, *b, *sum);
        }
    }
}

/// Adds to `sums` the product of four rows, packed column by column, and a panel.
#[inline(always)]
pub(in super::super) fn by_columns<const N: usize, const FUSED: bool>(
    mut sums: Block<N>,
    columns: &[[f32; ROWS]],
    panel: &[[f32; N]],
) -> Block<N> {
    let (columns, last_columns) = columns[..panel.len()].as_chunks::<UNROLL>();
    let (panels, last_panels) = panel.as_chunks::<UNROLL>();
    for (columns, panels) in columns.iter().zip(panels) {
        for (column, b) in columns.iter().zip(panels) {
            step::<N, FUSED>(&mut sums, *column, b);
        }
    }
    for (column, b) in last_columns.iter().zip(last_panels) {
        step::<N, FUSED>(&mut sums, *column, b);
    }
    sums
}

//! The output layer of the 1998 LeNet-5: Euclidean radial basis functions around fixed codes. Its
//! 84 inputs are seen as a picture of 7x12 pixels, and the code of a class is a drawing of its digit,
//! -1 and +1 (LeCun et al. 1998, section II.B and Fig. 3; the drawings here are convscope's own, in
//! the manner of the figure). The output is the squared distance to each code, a penalty, so the
//! class scores are its negative; with them softmax cross-entropy is the paper's criterion (9)
//! without its constant `exp(-j)`.

use crate::error::Result;
use crate::graph::ValueId;
use crate::ops;

use super::super::scope::Scope;
use super::{Body, LayerKind, no_fields};

pub(super) const KIND: LayerKind = LayerKind {
    id: "rbf",
    doc: "Squared distances to ten fixed 7x12 drawings of the digits (LeCun et al. 1998).",
    fields: no_fields,
    body: Body::Layer(build),
};

fn build(scope: &mut Scope<'_>) -> Result<ValueId> {
    let (x, [n, features]) = scope.vector()?;
    if features != PIXELS {
        return Err(scope.wrong(format!("{PIXELS} inputs (7x12)"), features.to_string()));
    }
    let classes = DIGITS.len();
    let minus: Vec<f32> = codes().map(|code| -code).collect();
    scope.count_macs((classes * PIXELS) as u64);
    let g = &mut *scope.graph;
    let minus = g.constant([classes, PIXELS], &minus)?;
    let each = ops::broadcast(g, x, [n, classes, PIXELS], [n, classes, PIXELS], 1.0)?;
    let difference = ops::add(g, each, minus)?;
    let square = ops::mul(g, difference, difference)?;
    let penalty = ops::sum(g, square, [n * classes, PIXELS, 1], [n, classes], 1.0)?;
    let scores = ops::affine(g, penalty, -1.0, 0.0)?;
    scope.scores(scores);
    Ok(penalty)
}

/// Pixels of a drawing.
const PIXELS: usize = 7 * 12;

/// The codes, digit by digit and row by row, as -1 and +1.
fn codes() -> impl Iterator<Item = f32> {
    DIGITS.into_iter().flatten().flat_map(|row: u8| {
        (0..7).map(move |column| {
            if row >> (6 - column) & 1 == 1 {
                1.0
            } else {
                -1.0
            }
        })
    })
}

/// The drawings: a byte per row, seven pixels of it, the leftmost in bit 6.
#[rustfmt::skip]
const DIGITS: [[u8; 12]; 10] = [
    [
        0b0000000,
        0b0011100,
        0b0110110,
        0b1100011,
        0b1100011,
        0b1100011,
        0b1100011,
        0b1100011,
        0b0110110,
        0b0011100,
        0b0000000,
        0b0000000,
    ],
    [
        0b0000000,
        0b0001100,
        0b0011100,
        0b0111100,
        0b0001100,
        0b0001100,
        0b0001100,
        0b0001100,
        0b0001100,
        0b0111111,
        0b0000000,
        0b0000000,
    ],
    [
        0b0000000,
        0b0111110,
        0b1100011,
        0b0000011,
        0b0000011,
        0b0000110,
        0b0011100,
        0b0110000,
        0b1100000,
        0b1111111,
        0b0000000,
        0b0000000,
    ],
    [
        0b0000000,
        0b1111111,
        0b0000011,
        0b0000110,
        0b0001100,
        0b0011110,
        0b0000011,
        0b0000011,
        0b1100011,
        0b0111110,
        0b0000000,
        0b0000000,
    ],
    [
        0b0000000,
        0b0000110,
        0b0001110,
        0b0011110,
        0b0110110,
        0b1100110,
        0b1100110,
        0b1111111,
        0b0000110,
        0b0000110,
        0b0000000,
        0b0000000,
    ],
    [
        0b0000000,
        0b1111111,
        0b1100000,
        0b1100000,
        0b1101110,
        0b1110011,
        0b0000011,
        0b0000011,
        0b1100011,
        0b0111110,
        0b0000000,
        0b0000000,
    ],
    [
        0b0000000,
        0b0011110,
        0b0110000,
        0b1100000,
        0b1101110,
        0b1110011,
        0b1100011,
        0b1100011,
        0b1100011,
        0b0111110,
        0b0000000,
        0b0000000,
    ],
    [
        0b0000000,
        0b1111111,
        0b0000011,
        0b0000011,
        0b0000110,
        0b0000110,
        0b0001100,
        0b0001100,
        0b0011000,
        0b0011000,
        0b0000000,
        0b0000000,
    ],
    [
        0b0000000,
        0b0111110,
        0b1100011,
        0b1100011,
        0b1100011,
        0b0111110,
        0b1100011,
        0b1100011,
        0b1100011,
        0b0111110,
        0b0000000,
        0b0000000,
    ],
    [
        0b0000000,
        0b0111110,
        0b1100011,
        0b1100011,
        0b1100011,
        0b1100111,
        0b0111011,
        0b0000011,
        0b0000110,
        0b0111100,
        0b0000000,
        0b0000000,
    ],
];

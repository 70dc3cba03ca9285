//! Which units an image of a batch is for: one unit, a direction, two units together, a point on the way
//! from one to another, their positive or negative end, or every unit of a layer.

use crate::error::{Error, Result};
use crate::field::{Field, Values};

/// What one image is for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Aim {
    /// In plain words.
    pub(super) label: String,
    /// A weight for each channel or class.
    pub(super) weights: Vec<f32>,
    /// 1, or -1 for the negative end, where the objective is lowered.
    pub(super) sign: f32,
}

/// Images along an interpolation when only one is asked for.
const WAY: usize = 5;

/// How two units are combined; the first is the default.
const COMBINATIONS: &[&str] = &["alone", "joint", "difference", "interpolated"];

/// The two ends of a unit.
const ENDS: &[&str] = &["positive", "negative", "both"];

/// The fields that [`aims`] reads.
pub(super) fn fields() -> Vec<Field> {
    let combine = "Alone, or with another unit: both at once, the direction from the other to this one, or \
                   images on the way from this one to the other.";
    let end = "What excites it, what it dislikes most, or both.";
    let images = "Images of the same unit; diversity keeps them apart.";
    vec![
        Field::choice("combine", combine, COMBINATIONS, COMBINATIONS[0]),
        Field::integer("other", "Index of the other unit.", 0.0, 65_535.0, 0.0),
        Field::choice("end", end, ENDS, ENDS[0]),
        Field::integer("images", images, 1.0, 16.0, 1.0),
    ]
}

/// One aim for each image, for `units` of a layer (or of the classes) of `count`, called `what`.
///
/// # Errors
/// When the other unit does not exist, or a field is missing.
pub(super) fn aims(values: &Values, units: &[usize], count: usize, what: &str) -> Result<Vec<Aim>> {
    let combine = values.choice("combine")?;
    let other = values.integer("other")?;
    if combine != COMBINATIONS[0] && other >= count {
        let expected = format!("an index below {count}");
        return Err(Error::mismatch("other", expected, other.to_string()));
    }
    let images = values.integer("images")?.max(1);
    let ends: &[f32] = match values.choice("end")?.as_str() {
        "negative" => &[-1.0],
        "both" => &[1.0, -1.0],
        _ => &[1.0],
    };
    let mut aims = Vec::new();
    for &unit in units {
        // Weights of this unit and of the other, and in words.
        let pairs: Vec<([f32; 2], String)> = match combine.as_str() {
            "joint" => vec![([0.5, 0.5], format!("{what} {unit} with {other}"))],
            "difference" => vec![([1.0, -1.0], format!("{what} {unit} without {other}"))],
            "interpolated" => {
                let steps = if images > 1 { images } else { WAY };
                let part = |i: usize| i as f32 / (steps - 1) as f32;
                let label = |t: f32| format!("{what} {unit} to {other}, {:.0} %", 100.0 * t);
                (0..steps)
                    .map(part)
                    .map(|t| ([1.0 - t, t], label(t)))
                    .collect()
            }
            _ => vec![([1.0, 0.0], format!("{what} {unit}"))],
        };
        let repeats = if combine == "interpolated" { 1 } else { images };
        for &sign in ends {
            for (pair, label) in pairs.iter().flat_map(|pair| vec![pair; repeats]) {
                let mut weights = vec![0.0; count];
                weights[unit] += pair[0];
                if pair[1] != 0.0 {
                    weights[other] += pair[1];
                }
                let end = if sign < 0.0 { ", negative" } else { "" };
                aims.push(Aim {
                    label: format!("{label}{end}"),
                    weights,
                    sign,
                });
            }
        }
    }
    Ok(aims)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Aim, aims, fields};
    use crate::error::Result;
    use crate::field::Values;

    fn found(given: &Value, units: &[usize]) -> Result<Vec<Aim>> {
        let values = Values::check("t", &fields(), given.as_object().unwrap()).unwrap();
        aims(&values, units, 3, "unit")
    }

    #[test]
    fn every_combination_has_its_weights() {
        let one = |given: Value| found(&given, &[1]).unwrap();
        assert_eq!(one(json!({}))[0].weights, [0.0, 1.0, 0.0]);
        let joint = &one(json!({ "combine": "joint", "other": 2 }))[0];
        assert_eq!(joint.weights, [0.0, 0.5, 0.5]);
        let difference = &one(json!({ "combine": "difference", "other": 0 }))[0];
        assert_eq!(difference.weights, [-1.0, 1.0, 0.0]);
        assert_eq!(difference.label, "unit 1 without 0");
        let way = one(json!({ "combine": "interpolated", "other": 0, "images": 3 }));
        let middle: Vec<_> = way.iter().map(|aim| aim.weights[1]).collect();
        assert_eq!(middle, [1.0, 0.5, 0.0]);
        let ends = one(json!({ "end": "both", "images": 2 }));
        let signs: Vec<_> = ends.iter().map(|aim| aim.sign).collect();
        assert_eq!(signs, [1.0, 1.0, -1.0, -1.0]);
    }

    #[test]
    fn another_unit_that_is_not_there_is_refused() {
        let refusal = found(&json!({ "combine": "joint", "other": 3 }), &[0]).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "other: expected an index below 3, found 3"
        );
    }
}

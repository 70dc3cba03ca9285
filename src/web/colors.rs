//! The color maps of live tiles, those of the page, and colors as the page writes them.

use crate::error::{Error, Result};

/// The two color maps of the page, 9 anchors each, RGB in 0..1.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Colors {
    /// For values that are never negative.
    pub(super) sequential: Vec<[f32; 3]>,
    /// For signed values; the middle is zero.
    pub(super) diverging: Vec<[f32; 3]>,
}

/// Anchors of each color map.
const N_ANCHORS: usize = 9;

impl Colors {
    /// The maps that the page uses too.
    ///
    /// # Errors
    /// When the file they are in is not two lists of nine hex colors.
    pub(super) fn load() -> Result<Self> {
        let text = include_str!("../../www/src/draw/colormaps.json");
        let wrong = |found: String| Error::mismatch("colormaps.json", "9 hex colors a map", found);
        let maps: serde_json::Value =
            serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
        let map = |name: &str| -> Result<Vec<[f32; 3]>> {
            let anchors = maps[name]
                .as_array()
                .ok_or_else(|| wrong(format!("no {name}")))?;
            let colors: Vec<_> = anchors
                .iter()
                .filter_map(|c| c.as_str().and_then(rgb_from_hex))
                .collect();
            if colors.len() != N_ANCHORS {
                return Err(wrong(format!("{} in {name}", colors.len())));
            }
            Ok(colors)
        };
        Ok(Self {
            sequential: map("sequential")?,
            diverging: map("diverging")?,
        })
    }
}

/// "#rrggbb" as RGB in 0..1.
pub(super) fn rgb_from_hex(hex: &str) -> Option<[f32; 3]> {
    let digits = hex
        .strip_prefix('#')
        .filter(|digits| digits.len() == 6 && digits.is_ascii())?;
    let channel = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).ok();
    Some([channel(0)?, channel(2)?, channel(4)?].map(|byte| f32::from(byte) / 255.0))
}

/// The color at `t` in 0..1 of a map, linear between its anchors.
pub(super) fn sample(map: &[[f32; 3]], t: f32) -> [f32; 3] {
    let at = t.clamp(0.0, 1.0) * (N_ANCHORS - 1) as f32;
    let left = (at as usize).min(N_ANCHORS - 2);
    let share = at - left as f32;
    [0, 1, 2].map(|i| map[left][i] + share * (map[left + 1][i] - map[left][i]))
}

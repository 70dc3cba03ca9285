//! Colors that can be told apart: a background of two related colors, and an object of two inks, with
//! a stated contrast in brightness between all inks and grounds.

use crate::data::plane::mix;
use crate::rng::Rng;

/// Red, green and blue, 0 to 1.
pub(super) type Color = [f32; 3];

/// The colors of one picture.
pub(super) struct Palette {
    /// The background's two ends.
    pub(super) grounds: [Color; 2],
    /// The object's two inks.
    pub(super) inks: [Color; 2],
}

impl Palette {
    /// Colors whose inks differ from each other and from the grounds in brightness, less so at
    /// greater difficulty. Easy pictures have a dark ground; the harder they are, the more often
    /// ground and inks take the dark, middle and bright places in a random order.
    pub(super) fn random(difficulty: f32, rng: &mut Rng) -> Self {
        let step = mix(0.36, 0.2, difficulty);
        let middle = rng.between(0.12 + step, 0.88 - step);
        let mut levels = [middle - step, middle, middle + step];
        let shuffled = rng.uniform() < difficulty;
        // The inks change places in any picture; all three in shuffled ones.
        for i in if shuffled { [2, 1] } else { [2, 2] } {
            let low = usize::from(!shuffled);
            levels.swap(i, low + rng.below(i + 1 - low));
        }
        let [ground, first, second] = levels;
        let hue = rng.uniform();
        let ink = hue + rng.between(0.2, 0.8);
        let mut color = |hue: f32, brightness: f32| {
            let saturation = rng.between(0.35, 1.0);
            with_brightness(hue, saturation, brightness)
        };
        Self {
            grounds: [
                color(hue, ground - step / 6.0),
                color(hue + 0.08, ground + step / 6.0),
            ],
            inks: [color(ink, first), color(ink + 0.12, second)],
        }
    }
}

/// Any color.
pub(super) fn any(rng: &mut Rng) -> Color {
    let (hue, saturation) = (rng.uniform(), rng.uniform());
    with_brightness(hue, saturation, rng.between(0.1, 0.9))
}

/// From `a` at 0 to `b` at 1.
pub(super) fn blend(a: Color, b: Color, t: f32) -> Color {
    [mix(a[0], b[0], t), mix(a[1], b[1], t), mix(a[2], b[2], t)]
}

/// The color of this hue (in turns) and brightness (Rec. 601 luma) that is as far from gray as the
/// color cube allows, times `saturation`.
fn with_brightness(hue: f32, saturation: f32, brightness: f32) -> Color {
    let ramp = |phase: f32| {
        let turn = hue + phase;
        let turn = turn - turn.floor();
        ((turn * 6.0 - 3.0).abs() - 1.0).clamp(0.0, 1.0)
    };
    let pure = [ramp(0.0), ramp(2.0 / 3.0), ramp(1.0 / 3.0)];
    let luma = 0.299 * pure[0] + 0.587 * pure[1] + 0.114 * pure[2];
    let tint = pure.map(|channel| channel - luma);
    // The largest step along the tint that stays in 0..1 in every channel.
    let reach = tint.iter().fold(1.0_f32, |reach, &t| {
        let room = if t > 0.0 {
            1.0 - brightness
        } else {
            brightness
        };
        reach.min(room / t.abs().max(1e-6))
    });
    tint.map(|t| brightness + saturation * reach * t)
}

#[cfg(test)]
mod tests {
    use super::{Palette, with_brightness};
    use crate::rng::Rng;

    fn luma(color: [f32; 3]) -> f32 {
        0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2]
    }

    #[test]
    fn colors_have_the_brightness_asked_for() {
        for step in 0..60 {
            let (hue, brightness) = (step as f32 / 30.0, 0.1 + (step % 9) as f32 / 10.0);
            let color = with_brightness(hue, 1.0, brightness);
            assert!((luma(color) - brightness).abs() < 1e-5, "{color:?}");
            assert!(
                color.iter().all(|c| (-1e-5..=1.00001).contains(c)),
                "{color:?}"
            );
        }
    }

    #[test]
    fn inks_stand_out_from_grounds() {
        let mut rng = Rng::new(3, "palette");
        for _ in 0..200 {
            let palette = Palette::random(0.5, &mut rng);
            for ground in palette.grounds {
                let contrast = (luma(palette.inks[0]) - luma(ground)).abs();
                assert!(contrast > 0.2, "contrast {contrast}");
            }
        }
    }
}

//! What went wrong with an optimized image, in plain words: nothing to climb, an objective that cannot
//! rise, a penalty that holds everything flat, noise, or weights that are no numbers. Shown under the
//! picture, so that nobody reads meaning into noise.

use std::f32::consts::TAU;

/// What is known of an image's making, whatever the image.
#[derive(Debug, Clone, Copy)]
pub(super) struct Evidence {
    /// Height, width and channels.
    pub(super) shape: [usize; 3],
    /// What the objective's value is called.
    pub(super) value: &'static str,
    /// [`roughness`] of the dataset's images.
    pub(super) roughness: f32,
    /// Deviation of the dataset's pixels.
    pub(super) deviation: f32,
    /// Whether penalties were asked for.
    pub(super) regularized: bool,
}

/// Images this many times as rough as the dataset's are called noise; white noise's roughness is 4.
const NOISE: f32 = 6.0;

/// Images below this share of the dataset's deviation are called flat.
const FLAT: f32 = 0.1;

impl Evidence {
    /// What is wrong with `image` `[h, w, c]` whose objective is `shown` and has a gradient of squared
    /// length `pull` with respect to the pixels; nothing if nothing is.
    pub(super) fn diagnose(&self, image: &[f32], shown: f32, pull: f32) -> Option<String> {
        let sentence = if !(shown.is_finite() && pull.is_finite())
            || image.iter().any(|x| !x.is_finite())
        {
            "Not a number: the network's weights are not finite. Reset it and train with smaller steps."
        } else if pull == 0.0 && self.value == "probability" && shown > 0.5 {
            "Saturated: the probability is 1 to within rounding, and nothing pulls any more. Raise the score \
             instead."
        } else if pull == 0.0 {
            "Nothing pulls: no change of the pixels changes this value. The unit may be dead, or off for \
             every image near this one; try another seed or start from an image."
        } else if shown == 0.0 {
            "Off: the value is 0, and no step towards the unit has woken it. It may be dead; try another seed \
             or start from an image."
        } else if self.is_flat(image) && self.regularized {
            "Flat: the penalties outweigh the objective. Lower l2 or total variation."
        } else if self.rough(image) {
            "Mostly noise: far rougher than the dataset's images. Optimize frequencies instead of pixels, \
             move the image more, or blur it."
        } else {
            return None;
        };
        Some(sentence.to_owned())
    }

    fn is_flat(&self, image: &[f32]) -> bool {
        let n = image.len().max(1) as f32;
        let mean = image.iter().sum::<f32>() / n;
        let variance = image.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / n;
        variance.sqrt() < FLAT * self.deviation
    }

    fn rough(&self, image: &[f32]) -> bool {
        let limit = (NOISE * self.roughness).clamp(1.0, 3.0);
        !self.is_flat(image) && roughness(image, self.shape) > limit
    }
}

/// Mean squared difference of neighboring pixels, both ways together, in units of the variance within a
/// channel: 4 for white noise, near 0 for smooth pictures, 0 for a constant one. `image` is `[h, w, c]`.
pub fn roughness(image: &[f32], [h, w, c]: [usize; 3]) -> f32 {
    let at = |y: usize, x: usize, channel: usize| image[(y * w + x) * c + channel];
    let (mut differences, mut variance) = (0.0, 0.0);
    for channel in 0..c {
        let pixels = || (0..h * w).map(|i| (i / w, i % w));
        let mean = pixels().map(|(y, x)| at(y, x, channel)).sum::<f32>() / (h * w) as f32;
        for (y, x) in pixels() {
            let here = at(y, x, channel);
            variance += (here - mean) * (here - mean);
            // The borders joined, so that every pixel has two neighbors, as in the transform.
            let (down, right) = (at((y + 1) % h, x, channel), at(y, (x + 1) % w, channel));
            differences += (here - down) * (here - down) + (here - right) * (here - right);
        }
    }
    if variance > 0.0 {
        differences / variance
    } else {
        0.0
    }
}

/// [`roughness`] of images whose frequencies `[h, w]` have these amplitudes, constant color left out.
pub fn roughness_of(amplitudes: &[f32], [h, w]: [usize; 2]) -> f32 {
    let (mut differences, mut variance) = (0.0, 0.0);
    for (i, amplitude) in amplitudes.iter().enumerate().skip(1) {
        let step = |k: usize, size: usize| 2.0 - 2.0 * (TAU * k as f32 / size as f32).cos();
        let square = amplitude * amplitude;
        variance += square;
        differences += square * (step(i / w, h) + step(i % w, w));
    }
    if variance > 0.0 {
        differences / variance
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::{Evidence, TAU, roughness, roughness_of};
    use crate::rng::Rng;

    const SHAPE: [usize; 3] = [16, 16, 1];

    fn noise() -> Vec<f32> {
        let mut rng = Rng::new(1, "noise");
        (0..256).map(|_| rng.uniform()).collect()
    }

    fn wave() -> Vec<f32> {
        (0..256)
            .map(|i| 0.5 + 0.4 * ((i % 16) as f32 * TAU / 16.0).sin())
            .collect()
    }

    #[test]
    fn roughness_tells_noise_from_shapes_and_agrees_with_the_spectrum() {
        assert!((roughness(&noise(), SHAPE) - 4.0).abs() < 0.6);
        assert!(roughness(&wave(), SHAPE) < 0.2);
        assert_eq!(roughness(&[0.3; 256], SHAPE), 0.0);
        assert!((roughness_of(&[1.0; 256], [16, 16]) - 4.0).abs() < 0.1);
        let mut one = [0.0; 256];
        one[1] = 1.0;
        assert!((roughness_of(&one, [16, 16]) - roughness(&wave(), SHAPE)).abs() < 1e-3);
    }

    #[test]
    fn each_failure_has_its_sentence() {
        let evidence = |value, regularized| Evidence {
            shape: SHAPE,
            value,
            roughness: 0.2,
            deviation: 0.3,
            regularized,
        };
        let say = |evidence: Evidence, image: &[f32], shown, pull| {
            let sentence = evidence.diagnose(image, shown, pull).unwrap_or_default();
            sentence.split(':').next().unwrap_or_default().to_owned()
        };
        let plain = evidence("activation", false);
        assert_eq!(say(plain, &wave(), 1.0, 1.0), "");
        assert_eq!(say(plain, &wave(), f32::NAN, 1.0), "Not a number");
        assert_eq!(say(plain, &wave(), 0.0, 0.0), "Nothing pulls");
        assert_eq!(say(plain, &wave(), 0.0, 1.0), "Off");
        assert_eq!(say(plain, &noise(), 1.0, 1.0), "Mostly noise");
        assert_eq!(
            say(evidence("probability", false), &wave(), 1.0, 0.0),
            "Saturated"
        );
        assert_eq!(
            say(evidence("activation", true), &[0.5; 256], 1.0, 1.0),
            "Flat"
        );
    }
}

//! What a dataset's pictures look like on the average, for methods that draw pictures of the same kind:
//! how the channels vary together, and how strong each spatial frequency is. Both are measured on the
//! training split; skip this file if you only train.

use crate::tensor::hartley;

use super::Dataset;

/// Multiply-adds that measuring a spectrum may take; the images it is measured on are chosen by it.
const MOST_WORK: usize = 150_000_000;

/// Images beyond which a mean amplitude hardly changes.
const MOST_IMAGES: usize = 512;

impl Dataset {
    /// Covariance of the channels over all pixels of the training split, in 0..1 units: `[c, c]`. An empty
    /// split gives zeros.
    pub fn channel_covariance(&self) -> Vec<f32> {
        let channels = self.shape[0];
        let mut sums = vec![0_u64; channels];
        let mut products = vec![0_u64; channels * channels];
        for pixel in self.train.images().chunks_exact(channels.max(1)) {
            for (a, &x) in pixel.iter().enumerate() {
                sums[a] += u64::from(x);
                for (product, &y) in products[a * channels..].iter_mut().zip(pixel) {
                    *product += u64::from(x) * u64::from(y);
                }
            }
        }
        let count = (self.train.images().len() / channels.max(1)).max(1) as f64;
        let mean = |c: usize| sums[c] as f64 / count;
        let covariance = |i: usize| {
            let product = products[i] as f64 / count;
            (product - mean(i / channels) * mean(i % channels)) / (255.0 * 255.0)
        };
        (0..products.len()).map(|i| covariance(i) as f32).collect()
    }

    /// Mean amplitude of each spatial frequency of the training images, their channels' means taken off:
    /// `[h, w]`, coefficients of the orthonormal Hartley transform in the order of the transform, averaged
    /// over the channels, over the four signs of a frequency, and over some hundred images taken at equal
    /// distances. An empty split gives zeros.
    pub fn amplitude_spectrum(&self) -> Vec<f32> {
        let [c, h, w] = self.shape;
        let size = c * h * w;
        let mut sums = vec![0.0_f64; h * w];
        if size == 0 || self.train.is_empty() {
            return vec![0.0; h * w];
        }
        let count = (MOST_WORK / (size * (h + w)))
            .clamp(1, MOST_IMAGES)
            .min(self.train.len());
        let (means, _) = self.statistics();
        let (rows, columns) = (hartley(h), hartley(w));
        let mut plane = vec![0.0_f32; h * w];
        let mut half = vec![0.0_f32; h * w];
        for image in 0..count {
            let first = image * self.train.len() / count * size;
            let pixels = &self.train.images()[first..first + size];
            for (channel, mean) in means.iter().enumerate() {
                for (value, pixel) in plane.iter_mut().zip(pixels.chunks_exact(c)) {
                    *value = f32::from(pixel[channel]) / 255.0 - mean;
                }
                // Along the rows, then down the columns; the matrices are symmetric.
                for (half, line) in half.chunks_exact_mut(w).zip(plane.chunks_exact(w)) {
                    half.fill(0.0);
                    for (value, basis) in line.iter().zip(columns.chunks_exact(w)) {
                        half.iter_mut()
                            .zip(basis)
                            .for_each(|(y, b)| *y += value * b);
                    }
                }
                plane.fill(0.0);
                for (line, basis) in half.chunks_exact(w).zip(rows.chunks_exact(h)) {
                    for (out, b) in plane.chunks_exact_mut(w).zip(basis) {
                        out.iter_mut().zip(line).for_each(|(y, x)| *y += b * x);
                    }
                }
                let amplitudes = plane.iter().map(|x| f64::from(x.abs()));
                sums.iter_mut()
                    .zip(amplitudes)
                    .for_each(|(sum, x)| *sum += x);
            }
        }
        let scale = 1.0 / (4.0 * count as f64 * c as f64);
        let mean = |i: usize| {
            let [u, v] = [i / w, i % w];
            let [back, left] = [(h - u) % h, (w - v) % w];
            let signs = [u * w + v, u * w + left, back * w + v, back * w + left];
            (scale * signs.iter().map(|&i| sums[i]).sum::<f64>()) as f32
        };
        (0..h * w).map(mean).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::data::{Dataset, Split};

    fn dataset(shape: [usize; 3], pixel: impl Fn(usize, usize, usize, usize) -> u8) -> Dataset {
        let [c, h, w] = shape;
        let images = (0..4 * c * h * w).map(|i| {
            let (image, y, x, channel) = (i / (c * h * w), i / (c * w) % h, i / c % w, i % c);
            pixel(image, y, x, channel)
        });
        let split = Split::new(shape, images.collect(), vec![0; 4]).unwrap();
        Dataset {
            name: "t".into(),
            doc: String::new(),
            classes: vec!["a".into()],
            shape,
            train: split.clone(),
            test: split,
        }
    }

    #[test]
    fn a_wave_has_one_frequency_with_its_signs() {
        let wave = |_: usize, _: usize, x: usize, _: usize| [128, 228, 128, 28][x % 4];
        let spectrum = dataset([1, 4, 8], wave).amplitude_spectrum();
        let strongest = spectrum.iter().fold(0.0_f32, |m, x| m.max(*x));
        for (i, found) in spectrum.iter().enumerate() {
            // Two periods in 8 pixels, and none down.
            let expected = [2, 6].contains(&i);
            assert_eq!(*found > 1e-3 * strongest, expected, "{i}: {found}");
        }
        // Energy is kept: the sum of squares over both signs is that of the image, 4 rows of 4 extremes.
        let energy = (spectrum[2] * spectrum[2] + spectrum[6] * spectrum[6]) * 255.0 * 255.0;
        assert!((energy - 16.0 * 1e4).abs() < 1e2, "{energy}");
    }

    #[test]
    fn channels_that_move_together_are_found() {
        let pixel = |_: usize, _: usize, x: usize, channel: usize| match channel {
            2 => 255 - 50 * (x % 2) as u8,
            _ => 100 * (x % 2) as u8,
        };
        let covariance = dataset([3, 2, 4], pixel).channel_covariance();
        let unit = 50.0 * 50.0 / (255.0 * 255.0);
        let expected = [1.0, 1.0, -0.5, 1.0, 1.0, -0.5, -0.5, -0.5, 0.25].map(|x| x * unit);
        for (found, expected) in covariance.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{covariance:?}");
        }
    }
}

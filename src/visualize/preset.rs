//! Defaults of optimized images by the kind of images a network takes: what is gentle on 224 pixels
//! smears a digit of 28, and gray pictures need no palette. The page shows them as the fields' defaults.

/// Defaults for one kind of input.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Preset {
    /// Steps of ascent.
    pub(super) steps: u32,
    /// Size of Adam's steps.
    pub(super) rate: f64,
    /// Largest random shift, in pixels.
    pub(super) jitter: u32,
    /// Largest random turn, in degrees.
    pub(super) rotate: f64,
    /// Largest random factor of size.
    pub(super) scale: f64,
    /// Weight of the L2 penalty.
    pub(super) l2: f64,
    /// Weight of the total variation.
    pub(super) total_variation: f64,
    /// What is optimized.
    pub(super) parameterization: &'static str,
    /// Where it begins.
    pub(super) start: &'static str,
}

/// Up to 40 pixels of gray: digits, letters, clothes.
const SMALL_GRAY: Preset = Preset {
    steps: 256,
    rate: 0.1,
    jitter: 2,
    rotate: 5.0,
    scale: 1.05,
    l2: 0.0,
    total_variation: 0.0,
    parameterization: "fourier",
    start: "noise",
};

/// Up to 40 pixels of color. Units inside a residual network see detail that shifts of 3 pixels average away: of ResNet-20's
/// second stage a third of the images then excited their unit more than the best image of CIFAR-10, and all of them with
/// these movements, at the dataset's own fall of power with frequency (`examples/feature_visualization.rs`).
const SMALL_COLOR: Preset = Preset {
    steps: 256,
    rate: 0.1,
    jitter: 1,
    rotate: 2.0,
    scale: 1.02,
    l2: 0.0,
    total_variation: 0.0,
    parameterization: "fourier",
    start: "noise",
};

/// Larger pictures: Lucid's own transformations.
const LARGE: Preset = Preset {
    steps: 512,
    rate: 0.1,
    jitter: 8,
    rotate: 10.0,
    scale: 1.1,
    l2: 0.0,
    total_variation: 0.0,
    parameterization: "fourier",
    start: "noise",
};

impl Preset {
    /// The preset for images `[c, h, w]`.
    pub(super) fn of([c, h, w]: [usize; 3]) -> Self {
        match (c, h.min(w)) {
            (1, ..=40) => SMALL_GRAY,
            (_, ..=40) => SMALL_COLOR,
            _ => LARGE,
        }
    }

    /// The same without movements, for pictures in which places matter.
    pub(super) fn still(self) -> Self {
        Self {
            jitter: 0,
            rotate: 0.0,
            scale: 1.0,
            ..self
        }
    }
}

//! The groups under which the page lists methods, by the question that they answer.

/// A group of methods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// About one unit.
    Unit,
    /// About a whole layer.
    Layer,
    /// Attribution.
    Answer,
    /// Tests of attribution.
    Trust,
    /// Images that are changed.
    Change,
}

impl Group {
    /// Every group, in the order of the page.
    pub const ALL: [Self; 5] = [
        Self::Unit,
        Self::Layer,
        Self::Answer,
        Self::Trust,
        Self::Change,
    ];

    /// Key, heading and one sentence.
    pub fn words(self) -> [&'static str; 3] {
        match self {
            Self::Unit => [
                "unit",
                "What it looks for",
                "What excites this unit, what it is connected to, and what is lost without it.",
            ],
            Self::Layer => [
                "layer",
                "The whole layer",
                "All units of this layer: what they keep of an image, and which of them do nothing.",
            ],
            Self::Answer => [
                "answer",
                "Why this answer",
                "Which pixels of the image count for a class.",
            ],
            Self::Trust => [
                "trust",
                "Can the reasons be trusted?",
                "Tests that a map of the pixels that count must pass.",
            ],
            Self::Change => [
                "change",
                "What changes the answer",
                "Images moved, altered or made up, and what the network makes of them.",
            ],
        }
    }
}

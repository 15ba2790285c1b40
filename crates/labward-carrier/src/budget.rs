//! How much one walk may spend.

/// How much one walk may spend. What would go beyond is an [`Obstacle::OverBudget`](crate::Obstacle::OverBudget).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// How many carriers may stand in one another, at least 1.
    pub depth: usize,
    /// The most parts that are shown.
    pub parts: usize,
    /// The most bytes of one part.
    pub part_bytes: u64,
    /// The most bytes of all parts together.
    pub total_bytes: u64,
    /// How many times its packed size a part may unpack to, beyond the first 16 MiB.
    pub ratio: u64,
}

impl Default for Budget {
    /// 16 deep, 20,000 parts, 256 MiB a part, 1 GiB in all, 500 times.
    fn default() -> Self {
        Self {
            depth: 16,
            parts: 20_000,
            part_bytes: 256 << 20,
            total_bytes: 1 << 30,
            ratio: 500,
        }
    }
}

impl Budget {
    /// For one message on its way: 12 deep, 2,000 parts, 64 MiB a part, 128 MiB in all, 500 times.
    #[must_use]
    pub fn message() -> Self {
        Self {
            depth: 12,
            parts: 2_000,
            part_bytes: 64 << 20,
            total_bytes: 128 << 20,
            ratio: 500,
        }
    }
}

/// Which bound a walk would have gone beyond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Limit {
    /// [`Budget::depth`].
    Depth,
    /// [`Budget::parts`].
    Parts,
    /// [`Budget::part_bytes`].
    PartBytes,
    /// [`Budget::total_bytes`].
    TotalBytes,
    /// [`Budget::ratio`].
    Ratio,
    /// The time that the caller gave.
    Time,
}

impl Limit {
    /// The stable code of the bound.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Depth => "depth",
            Self::Parts => "parts",
            Self::PartBytes => "part-bytes",
            Self::TotalBytes => "total-bytes",
            Self::Ratio => "ratio",
            Self::Time => "time",
        }
    }
}

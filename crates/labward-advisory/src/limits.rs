//! How much a document may ask of the machine.

/// Bounds of every reader here; what passes one is refused by name, never cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest document, in bytes.
    pub max_bytes: usize,
    /// The most values and keys of a JSON document.
    pub max_values: usize,
    /// The deepest nesting of a JSON document; 127 at most, the JSON library reads no deeper.
    pub max_depth: usize,
    /// The most entries of a reader's own lists (products, components, rows): the rest is a flaw.
    pub max_entries: usize,
    /// The most flaws that are listed; more are counted.
    pub max_flaws: usize,
}

impl Default for Limits {
    /// For one advisory: 64 MiB, 8 million values, 100 levels, 1 million entries, 1,000 flaws.
    fn default() -> Self {
        Self {
            max_bytes: 64 << 20,
            max_values: 8_000_000,
            max_depth: 100,
            max_entries: 1_000_000,
            max_flaws: 1_000,
        }
    }
}

impl Limits {
    /// For a bill of materials: as the default, but 256 MiB and 32 million values.
    ///
    /// While it is read, about four times its size is needed beside its bytes.
    pub fn sbom() -> Self {
        Self {
            max_bytes: 256 << 20,
            max_values: 32_000_000,
            ..Self::default()
        }
    }
}

//! Any bytes as CycloneDX: components within bounds, each after the one that it is nested in, or an error.

use labward_advisory::cyclonedx::Bom;
use labward_advisory::{Limits, Purl};

pub fn run(data: &[u8]) {
    let limits = Limits {
        max_entries: 20,
        max_flaws: 20,
        ..Limits::sbom()
    };
    let Ok(bom) = Bom::parse(data, &limits) else { return };
    // What the document is about comes beside the limit.
    assert!(bom.components.len() <= 21);
    for (at, one) in bom.components.iter().enumerate() {
        assert!(one.parent.is_none_or(|parent| parent < at));
        let _ = one.purl.as_deref().and_then(Purl::parse);
    }
}

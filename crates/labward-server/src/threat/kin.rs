//! What is disclosed of a device, and what of that is matched.
//!
//! It must never give a device what was disclosed of another model.

use std::sync::Arc;

use labward_devices::{Attribute, Shown};
use labward_disclosures::{DisclosureKind, Held, Kin};
use labward_threats::Parts;

use crate::app::Core;

/// What a device is, as far as it decides what is said of it.
pub(crate) fn kin(one: &Shown) -> Kin {
    let text = |attribute| one.text(attribute);
    let own = std::iter::once(one.device.id);
    Kin {
        devices: own.chain(one.merged.iter().copied()).collect(),
        manufacturer: text(Attribute::Manufacturer).unwrap_or_default(),
        model: text(Attribute::Model)
            .or_else(|| text(Attribute::Product))
            .unwrap_or_default(),
        version: text(Attribute::Version).unwrap_or_default(),
    }
}

/// The disclosure of this kind that counts for a device.
pub(crate) fn disclosure(core: &Core, kind: DisclosureKind, one: &Shown) -> Option<Arc<Held>> {
    core.disclosures.of(kind, &kin(one))
}

/// The bill of materials of a device, as it is matched.
pub(crate) fn parts(core: &Core, one: &Shown) -> Option<Parts> {
    let held = disclosure(core, DisclosureKind::Sbom, one)?;
    Some(Parts {
        sha256: held.about.sha256,
        bill: Arc::clone(held.bill()?),
    })
}

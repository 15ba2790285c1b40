//! The audit detail of an entry: who, why and what was asked for, sealed under a site's audit key.
//!
//! It must never be sealed under a patient's key: an accounting of disclosures (45 CFR 164.528)
//! must outlive it. Bound to the site by the context; the leaf binds it to its entry.

use labward_base::Secret;
use labward_base::id::{PatientId, RecordId, SiteId};
use labward_seal::{Context, OpenError, SealError, SealKey};

/// The kind under which details are sealed; records have kinds from 1 on.
const DETAIL_KIND: u16 = 0;

/// Seals a detail under the audit key of `site` in this epoch of the key.
pub fn seal_detail(
    key: &SealKey,
    epoch: u32,
    site: SiteId,
    detail: &[u8],
) -> Result<Vec<u8>, SealError> {
    labward_seal::seal(key, epoch, &context(site), detail)
}

/// Opens a detail that [`seal_detail`] sealed.
pub fn open_detail(
    key: &SealKey,
    site: SiteId,
    sealed: &[u8],
) -> Result<Secret<Vec<u8>>, OpenError> {
    labward_seal::open(key, &context(site), sealed)
}

fn context(site: SiteId) -> Context {
    Context {
        site,
        patient: PatientId::new(0),
        kind: DETAIL_KIND,
        record: RecordId::new(0),
        version: 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_opens_at_its_own_site_only() {
        let key = SealKey::generate().unwrap();
        let (here, there) = (SiteId::new(1), SiteId::new(2));
        let sealed = seal_detail(&key, 1, here, b"because of a complaint").unwrap();
        let opened = open_detail(&key, here, &sealed).unwrap();
        assert_eq!(opened.expose(), b"because of a complaint");
        assert_eq!(
            open_detail(&key, there, &sealed).err(),
            Some(OpenError::Mismatch)
        );
        let other = SealKey::generate().unwrap();
        assert_eq!(
            open_detail(&other, here, &sealed).err(),
            Some(OpenError::Mismatch)
        );
    }
}

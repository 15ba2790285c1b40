//! The keys of backups, from the site's secret key.
//!
//! It must never be printed, or stored: whoever holds the key archive and a slot makes it again.

use labward_base::id::{PatientId, RecordId, SiteId};
use labward_seal::primitive::hkdf_sha256_expand;
use labward_seal::{
    Context, CryptoFailed, KEY_BYTES, OpenError, SealError, SealKey, constant_time_eq, hmac_sha256,
    open, seal, sha256,
};
use zeroize::Zeroizing;

const LABEL: &[u8] = b"labward/backup1";
/// In the place of a record's kind: a run of a backup. Kinds of records are small numbers.
const RUN_KIND: u16 = 0xf003;
/// Length of a tag or a MAC, in bytes.
pub(crate) const TAG_BYTES: usize = 32;

/// What seals, names and authenticates the parts of one installation's backups.
pub struct BackupKey {
    site: SiteId,
    epoch: u32,
    runs: SealKey,
    tags: Zeroizing<[u8; KEY_BYTES]>,
    macs: Zeroizing<[u8; KEY_BYTES]>,
}

impl BackupKey {
    /// The key of the backups of `site`, from its secret key of this epoch.
    ///
    /// # Errors
    /// [`CryptoFailed`] if the library refuses.
    pub fn derive(site: SiteId, secret: &SealKey, epoch: u32) -> Result<Self, CryptoFailed> {
        let derive = |purpose: &[u8]| -> Result<Zeroizing<[u8; KEY_BYTES]>, CryptoFailed> {
            let mut key = Zeroizing::new([0; KEY_BYTES]);
            hkdf_sha256_expand(secret.expose(), &[LABEL, purpose], key.as_mut_slice())?;
            Ok(key)
        };
        Ok(Self {
            site,
            epoch,
            runs: SealKey::from_bytes(*derive(b"runs")?),
            tags: derive(b"tags")?,
            macs: derive(b"macs")?,
        })
    }

    /// Whose backups it is for.
    pub const fn site(&self) -> SiteId {
        self.site
    }

    pub(crate) const fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Whose backups these are, in a form that tells nothing else.
    pub(crate) fn identity(&self) -> [u8; TAG_BYTES] {
        self.mac(b"labward/backup-folder")
    }

    pub(crate) fn mac(&self, text: &[u8]) -> [u8; TAG_BYTES] {
        hmac_sha256(self.macs.as_slice(), text)
    }

    pub(crate) fn is_mac(&self, text: &[u8], mac: &[u8]) -> bool {
        constant_time_eq(&self.mac(text), mac)
    }

    /// By what a run is known again: the same bytes in the same place of the same file.
    pub(crate) fn tag(&self, file: &str, number: u64, plain: &[u8]) -> [u8; TAG_BYTES] {
        let place = self.context(file, number).to_bytes();
        let message = [place.as_slice(), &sha256(plain)].concat();
        hmac_sha256(self.tags.as_slice(), &message)
    }

    pub(crate) fn seal(&self, file: &str, number: u64, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        seal(&self.runs, self.epoch, &self.context(file, number), plain)
    }

    pub(crate) fn open(
        &self,
        file: &str,
        number: u64,
        sealed: &[u8],
    ) -> Result<labward_base::Secret<Vec<u8>>, OpenError> {
        open(&self.runs, &self.context(file, number), sealed)
    }

    /// Binds a run to its file and place, so that none can stand in for another.
    fn context(&self, file: &str, number: u64) -> Context {
        let [a, b, c, d, e, f, g, h, ..] = sha256(file.as_bytes());
        Context {
            site: self.site,
            patient: PatientId::new(u64::from_be_bytes([a, b, c, d, e, f, g, h])),
            kind: RUN_KIND,
            record: RecordId::new(number),
            version: 1,
        }
    }
}

//! Giving back what two people want back: bit for bit, where it lay.
//!
//! It must never write outside of the folder, replace a file that is there, or put bytes in place that
//! are not those that were taken.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labward_api::malware::{InspectFile, RestoreFilter, RestoreOrder};
use labward_base::hex;
use labward_os::held::{HeldError, HeldFolder, Metadata, Moment, Restoration};
use labward_seal::Sha256;

use super::settle::{Outcome, why};
use super::watched::{Job, Watched, place_of};

/// Why something was not given back: as people are told, and more for the journal.
type NotBack = (&'static str, String);

/// The line that says why.
const NOT_GIVEN_BACK: &str = "guard.not-given-back";
/// So many names are tried beside the one that is taken.
const NAMES_MAX: u32 = 16;

impl Watched {
    /// Gives back everything that is to be, one after the other.
    pub(super) fn give_back_all(&self) {
        let of = RestoreFilter {
            place: self.config.name.clone(),
            host: self.shared.host.clone(),
        };
        let shared = &self.shared;
        let orders = match shared.server.restores(&of) {
            Ok(orders) => orders,
            Err(failure) => {
                if !self.heard(&failure) {
                    self.say_once(NOT_GIVEN_BACK, 0, failure.to_string());
                }
                return;
            }
        };
        shared.health.answered(&shared.tell);
        if self.cache.told(&orders.rules) {
            self.say("guard.new-rules", &[]);
            self.later(Job::Everything);
        }
        for order in &orders.unsettled {
            self.settle(order);
        }
        for order in &orders.orders {
            if self.is_ended() {
                return;
            }
            if self.ledger.is_due(order.item) {
                self.give_back_one(order, &of);
            }
        }
    }

    /// Gives an item back, or says why not; it is tried again as long as it is ordered.
    fn give_back_one(&self, order: &RestoreOrder, of: &RestoreFilter) {
        match self.give_back(order, of) {
            Ok(()) => {
                self.ledger.is_done(order.item);
                self.ledger.note(order.item, Outcome::WrittenBack);
            }
            Err((code, why)) => {
                self.say_once(NOT_GIVEN_BACK, order.item, format!("{code}: {why}"));
                self.ledger.note(order.item, Outcome::NotWrittenBack(code));
            }
        }
    }

    /// Says why something is not done with an item, or with 0 why it is not known what is to be; the same
    /// only once.
    pub(super) fn say_once(&self, code: &str, item: u64, why: String) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let facts = [("item", item.to_string()), ("why", why.clone())];
        if said.insert(item, why.clone()) != Some(why) {
            self.say(code, &facts);
        }
    }

    fn give_back(&self, order: &RestoreOrder, of: &RestoreFilter) -> Result<(), NotBack> {
        let given = &self.shared.given;
        let (mine, sha256) = (&self.config.name, order.sha256.to_ascii_lowercase());
        if given.is_done(mine, order.item, &order.approved) {
            // Only the server does not know: whoever got it may have moved it.
            return Ok(());
        }
        let (path, metadata) = read(&order.file).map_err(|why| ("refused", why))?;
        let outside = || ("outside", "it lay outside of the folder".to_owned());
        let below = path.strip_prefix(&self.config.path);
        let below = below.map_err(|_| outside())?;
        let name = below.file_name().ok_or_else(outside)?;
        let folder = self.folder_of(below)?;
        let _reading = self.rooms.read().unwrap_or_else(PoisonError::into_inner);
        let _coming = given.coming(mine, &sha256);
        let restoration = self.fetch(order, of, begin(&folder, name, order.item)?)?;
        let restored = restoration.finish(&metadata);
        let restored = restored.map_err(|error| not_back(&error))?;
        let beside = below.with_file_name(&restored.name);
        let place = place_of(&beside);
        let file = (restored.identity.inode, place.as_str(), sha256.as_str());
        let noted = given.note(mine, file, (order.item, &order.approved));
        let differences = restored.differences.iter().map(|one| one.code());
        let facts = [
            ("item", order.item.to_string()),
            ("inode", restored.identity.inode.to_string()),
            ("other-name", (restored.name != *name).to_string()),
            ("differs", differences.collect::<Vec<_>>().join(",")),
        ];
        self.say("guard.given-back", &facts);
        noted.map_err(|why| ("refused", format!("it stands, but is not noted: {why}")))
    }

    fn folder_of(&self, below: &Path) -> Result<HeldFolder, NotBack> {
        let parent = match below.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let folder = self.root.folder(parent);
        folder.map_err(|error| not_back(&error))
    }

    /// The bytes, compared with what was taken.
    fn fetch(
        &self,
        order: &RestoreOrder,
        of: &RestoreFilter,
        into: Restoration,
    ) -> Result<Restoration, NotBack> {
        let mut copy = Copy {
            into,
            sha256: Sha256::new(),
            left: order.size_bytes,
            failed: None,
        };
        let taken = self.shared.server.take(order.item, of, &mut copy);
        if let Err(failure) = taken {
            // Its own disk, or the line.
            let code = copy.failed.unwrap_or("broken-off");
            return Err((code, failure.to_string()));
        }
        if copy.left > 0 || !hex::encode(&copy.sha256.finish()).eq_ignore_ascii_case(&order.sha256)
        {
            return Err(("other-bytes", "what came is not what was taken".to_owned()));
        }
        Ok(copy.into)
    }
}

fn not_back(error: &HeldError) -> NotBack {
    (why(error), error.code().to_owned())
}

/// Begins the file under its name, or the first one beside it that is free.
fn begin(folder: &HeldFolder, name: &OsStr, item: u64) -> Result<Restoration, NotBack> {
    let mut begun = folder.begin(name);
    for number in 0..NAMES_MAX {
        let mut beside = name.to_owned();
        beside.push(format!(".given-back-{item}"));
        if number > 0 {
            beside.push(format!(".{number}"));
        }
        begun = begun.and_then(|begun| begun.or_as(&beside));
    }
    begun.map_err(|error| not_back(&error))
}

/// Writes, hashes, and takes no more than was promised.
struct Copy {
    into: Restoration,
    sha256: Sha256,
    left: u64,
    /// Why a byte could not be written here.
    failed: Option<&'static str>,
}

impl Write for Copy {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if length > self.left {
            self.failed = Some("other-bytes");
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let done = self.into.write(bytes).inspect_err(|error| {
            self.failed = Some(match error.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "disk-full",
                _ => "refused",
            });
        })?;
        self.sha256.update(bytes.get(..done).unwrap_or_default());
        self.left -= u64::try_from(done).unwrap_or(self.left);
        Ok(done)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.into.flush()
    }
}

/// Where it lay, and what stood beside its bytes.
pub(super) fn read(file: &InspectFile) -> Result<(PathBuf, Metadata), String> {
    let bytes = |text: &str| STANDARD.decode(text).map_err(|_| "no base64".to_owned());
    let path = PathBuf::from(OsString::from_vec(bytes(&file.path)?));
    let mut attributes = BTreeMap::new();
    for (name, value) in &file.attributes {
        attributes.insert(OsString::from_vec(bytes(name)?), bytes(value)?);
    }
    let moment = |(seconds, nanoseconds): (i64, u32)| Moment {
        seconds,
        nanoseconds,
    };
    if path.as_os_str().as_bytes().contains(&0) {
        return Err("its path holds a NUL".to_owned());
    }
    let metadata = Metadata {
        mode: file.mode,
        owner: file.owner,
        group: file.group,
        accessed: moment(file.accessed),
        modified: moment(file.modified),
        changed: moment(file.modified),
        attributes,
        flags: file.flags,
        links: 1,
    };
    Ok((path, metadata))
}

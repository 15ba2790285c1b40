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
use labward_os::held::{HeldFolder, Metadata, Moment, Restoration};
use labward_seal::Sha256;

use super::watched::Watched;

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
                    self.say_once(0, failure.to_string());
                }
                return;
            }
        };
        shared.health.answered(&shared.tell);
        for order in orders {
            if self.is_ended() {
                return;
            }
            if let Err(why) = self.give_back(&order, &of) {
                self.say_once(order.item, why);
            }
        }
    }

    /// Says why an item is not given back, or with 0 why it is not known what is to be; the same only
    /// once.
    fn say_once(&self, item: u64, why: String) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let facts = [("item", item.to_string()), ("why", why.clone())];
        if said.insert(item, why.clone()) != Some(why) {
            self.say("guard.not-given-back", &facts);
        }
    }

    fn give_back(&self, order: &RestoreOrder, of: &RestoreFilter) -> Result<(), String> {
        let (path, metadata) = read(&order.file)?;
        let below = path.strip_prefix(&self.config.path);
        let below = below.map_err(|_| "it lay outside of the folder".to_owned())?;
        let name = below.file_name().ok_or("it has no name")?;
        let folder = self.folder_of(below)?;
        let given = &self.shared.given;
        let (mine, sha256) = (&self.config.name, order.sha256.to_ascii_lowercase());
        if let Some(before) = given.inode_of(mine, order.item)
            && folder
                .look(name)
                .is_ok_and(|there| there.is_some_and(|there| there.inode == before))
        {
            // The server had not noted it yet.
            return Ok(());
        }
        let _reading = self.rooms.read().unwrap_or_else(PoisonError::into_inner);
        let _coming = given.coming(mine, &sha256);
        let restoration = self.fetch(order, of, begin(&folder, name, order.item)?)?;
        let restored = restoration.finish(&metadata);
        let restored = restored.map_err(|error| error.code().to_owned())?;
        let noted = given.note(mine, restored.identity.inode, &sha256, order.item);
        let differences = restored.differences.iter().map(|one| one.code());
        let facts = [
            ("item", order.item.to_string()),
            ("inode", restored.identity.inode.to_string()),
            ("other-name", (restored.name != *name).to_string()),
            ("differs", differences.collect::<Vec<_>>().join(",")),
        ];
        self.say("guard.given-back", &facts);
        noted.map_err(|why| format!("it stands, but is not noted: {why}"))
    }

    fn folder_of(&self, below: &Path) -> Result<HeldFolder, String> {
        let parent = match below.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let folder = self.root.folder(parent);
        folder.map_err(|error| format!("its folder: {}", error.code()))
    }

    /// The bytes, compared with what was taken.
    fn fetch(
        &self,
        order: &RestoreOrder,
        of: &RestoreFilter,
        into: Restoration,
    ) -> Result<Restoration, String> {
        let mut copy = Copy {
            into,
            sha256: Sha256::new(),
            left: order.size_bytes,
        };
        let taken = self.shared.server.take(order.item, of, &mut copy);
        taken.map_err(|failure| failure.to_string())?;
        if copy.left > 0 || !hex::encode(&copy.sha256.finish()).eq_ignore_ascii_case(&order.sha256)
        {
            return Err("what came is not what was taken".to_owned());
        }
        Ok(copy.into)
    }
}

/// Begins the file under its name, or the first one beside it that is free.
fn begin(folder: &HeldFolder, name: &OsStr, item: u64) -> Result<Restoration, String> {
    let mut begun = folder.begin(name);
    for number in 0..NAMES_MAX {
        let mut beside = name.to_owned();
        beside.push(format!(".given-back-{item}"));
        if number > 0 {
            beside.push(format!(".{number}"));
        }
        begun = begun.and_then(|begun| begun.or_as(&beside));
    }
    begun.map_err(|error| error.code().to_owned())
}

/// Writes, hashes, and takes no more than was promised.
struct Copy {
    into: Restoration,
    sha256: Sha256,
    left: u64,
}

impl Write for Copy {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if length > self.left {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let done = self.into.write(bytes)?;
        self.sha256.update(bytes.get(..done).unwrap_or_default());
        self.left -= u64::try_from(done).unwrap_or(self.left);
        Ok(done)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.into.flush()
    }
}

/// Where it lay, and what stood beside its bytes.
fn read(file: &InspectFile) -> Result<(PathBuf, Metadata), String> {
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

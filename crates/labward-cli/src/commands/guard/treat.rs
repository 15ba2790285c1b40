//! What is done with a malicious file once it lies in quarantine, and with what a crash left of that.
//!
//! It must never remove a file that is not the one that was copied, nor one of which the server has
//! no item.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use labward_os::held::{HeldError, HeldFile, HeldFolder, Leftover, Removal};

use super::cache::{Sealed, Verdict, settles};
use super::given::hash;
use super::pause;
use super::settle::{Outcome, why};
use super::watched::{Job, Looked, Watched, facts};

/// So many names are tried for a file whose own is taken.
const NAMES_MAX: u32 = 16;
/// What stands in a folder that this program makes for a moment.
const INSIDE: &str = "held";

impl Watched {
    /// Looks at a file when there is time, and does what is to be done; `tries` were made before.
    pub(super) fn look_and_treat(&self, path: &Path, tries: u32) {
        let held = match self.root.file(path) {
            Ok(held) => held,
            Err(error) => return self.not_held(path, tries, &error),
        };
        match self.look(&held, path) {
            Looked::Changed | Looked::Unknown => self.again(path, tries),
            Looked::Verdict(Verdict::Malicious, sealed) => {
                self.treat(&held, path, sealed.as_ref(), tries);
            }
            Looked::Larger | Looked::Verdict(..) => {}
        }
    }

    fn not_held(&self, path: &Path, tries: u32, error: &HeldError) {
        match error {
            HeldError::Changed(_) => self.again(path, tries),
            // A link, a device, or gone: nothing of it can be read here.
            HeldError::NotRegular { .. } | HeldError::NotAFolder(_) | HeldError::BadPath(_) => {}
            other if other.kind() == Some(std::io::ErrorKind::NotFound) => {}
            other => {
                self.say("guard.not-looked", &[("why", other.code().to_owned())]);
                self.again(path, tries);
            }
        }
    }

    /// Tries a file again later; if it was tried too often, with a walk in some minutes.
    pub(super) fn again(&self, path: &Path, tries: u32) {
        if tries < self.config.retries {
            self.later(Job::File(path.to_owned(), tries + 1));
        } else {
            self.missed.store(true, Ordering::Relaxed);
        }
    }

    /// Removes a malicious file that lies in quarantine.
    pub(super) fn treat(&self, held: &HeldFile, path: &Path, sealed: Option<&Sealed>, tries: u32) {
        let identity = held.identity();
        let Some(sealed) = sealed else {
            self.say("guard.not-quarantined", &facts(identity, &[]));
            return self.again(path, tries);
        };
        let item = sealed.item;
        if !is_copied(held, sealed) {
            self.ledger.note(item, Outcome::NotRemoved("changed"));
            return self.again(path, tries);
        }
        let reading = self.rooms.read().unwrap_or_else(PoisonError::into_inner);
        let removal = held.remove_if_same(identity);
        drop(reading);
        let said = |code: &str| vec![("item", item.to_string()), ("what", code.to_owned())];
        match removal {
            Ok(removal) => {
                self.removed(held, path, item, &removal, tries);
            }
            Err(error) => {
                let mut more = facts(identity, &[]);
                more.extend(said(error.code()));
                self.say("guard.not-removed", &more);
                self.ledger.note(item, Outcome::NotRemoved(why(&error)));
                self.again(path, tries);
            }
        }
    }

    fn removed(&self, held: &HeldFile, path: &Path, item: u64, removal: &Removal, tries: u32) {
        let mut more = facts(held.identity(), &[("item", item.to_string())]);
        self.ledger.note(item, outcome(removal));
        match removal {
            Removal::Removed {
                links_left,
                private,
                unwritten,
            } => {
                more.push(("links-left", links_left.to_string()));
                more.push(("private", private.to_string()));
                more.push(("unwritten", unwritten.to_string()));
                self.say("guard.quarantined", &more);
                if *links_left > 0 {
                    // Its other names may stand in this folder, too.
                    self.later(Job::Everything);
                }
            }
            Removal::Changed | Removal::StillWritten | Removal::NotThere => {
                more.push(("what", removal.code().to_owned()));
                self.say("guard.not-removed", &more);
                self.again(path, tries);
            }
            Removal::Displaced { name } => {
                self.say("guard.displaced", &more);
                self.put_aside(held.folder(), name, held.name());
                self.again(path, tries);
            }
        }
    }

    /// Puts a file of somebody else's, whose name was taken while it was moved, under a free name.
    fn put_aside(&self, folder: &HeldFolder, room: &OsString, name: &std::ffi::OsStr) {
        let leftovers = folder.leftovers().unwrap_or_default();
        let Some(leftover) = leftovers.iter().find(|one| one.name == *room) else {
            return;
        };
        let mut aside = name.to_owned();
        aside.push(".displaced");
        self.put_back(folder, leftover, &aside);
    }

    fn put_back(&self, folder: &HeldFolder, leftover: &Leftover, name: &OsString) {
        for number in 0..NAMES_MAX {
            let mut free = name.clone();
            if number > 0 {
                free.push(format!(".{number}"));
            }
            match folder.put_back(leftover, &free) {
                Err(HeldError::Taken(_)) => {}
                Ok(()) => return self.say("guard.put-back", &inode(leftover)),
                Err(error) => {
                    let mut more = inode(leftover);
                    more.push(("why", error.code().to_owned()));
                    return self.say("guard.not-put-back", &more);
                }
            }
        }
    }

    /// Looks for what a crash left in a folder below the root: what is malicious is removed from
    /// there, everything else is put back under the name `recovered-` and 16 digits.
    pub(super) fn recover(&self, below: &Path) -> Result<(), HeldError> {
        let place = match below.as_os_str().is_empty() {
            true => Path::new("."),
            false => below,
        };
        let folder = self.root.folder(place)?;
        if folder.leftovers()?.is_empty() {
            return Ok(());
        }
        // Whatever stands there while nothing is moved was left.
        let _quiet = self.rooms.write().unwrap_or_else(PoisonError::into_inner);
        for leftover in folder.leftovers()? {
            self.recover_one(&folder, below, &leftover);
        }
        Ok(())
    }

    fn recover_one(&self, folder: &HeldFolder, below: &Path, leftover: &Leftover) {
        if leftover.file.is_none() || leftover.is_begun {
            // It is empty, or what was being given back, which is given back anew; one that is not this program's is
            // not removed.
            let _ = folder.discard(leftover);
            return;
        }
        let room = PathBuf::from(&leftover.name);
        let held = folder
            .file(&room.join(INSIDE))
            .or_else(|_| folder.file(&room));
        let Ok(held) = held else { return };
        let name = leftover.name.to_string_lossy();
        let name = name.trim_start_matches(labward_os::held::HIDDEN_PREFIX);
        let name = OsString::from(format!("recovered-{name}"));
        match self.look(&held, &below.join(&name)) {
            Looked::Verdict(Verdict::Malicious, Some(sealed)) => {
                if is_copied(&held, &sealed)
                    && let Ok(removal) = held.remove_if_same(held.identity())
                {
                    self.removed(&held, &below.join(&name), sealed.item, &removal, u32::MAX);
                }
                if let Ok(Some(empty)) = folder.leftovers().map(|all| {
                    all.into_iter()
                        .find(|one| one.name == leftover.name && one.file.is_none())
                }) {
                    let _ = folder.discard(&empty);
                }
            }
            Looked::Verdict(Verdict::Malicious, None) | Looked::Changed | Looked::Unknown => {}
            Looked::Larger | Looked::Verdict(..) => self.put_back(folder, leftover, &name),
        }
    }
}

const fn outcome(removal: &Removal) -> Outcome {
    match removal {
        Removal::Removed { .. } => Outcome::Removed,
        Removal::NotThere => Outcome::Gone,
        Removal::Changed => Outcome::NotRemoved("changed"),
        Removal::StillWritten => Outcome::NotRemoved("still-written"),
        Removal::Displaced { .. } => Outcome::NotRemoved("displaced"),
    }
}

/// Whether what lies in quarantine is what stands here now. A file that was written just before it was
/// copied is read once more, when a change since would show by its times.
fn is_copied(held: &HeldFile, sealed: &Sealed) -> bool {
    if sealed.is_settled {
        return true;
    }
    pause(settles(held.identity()));
    hash(held.reader()).is_ok_and(|sha256| sha256 == sealed.sha256)
}

fn inode(leftover: &Leftover) -> Vec<(&'static str, String)> {
    leftover
        .file
        .as_ref()
        .map(|file| facts(file, &[]))
        .unwrap_or_default()
}

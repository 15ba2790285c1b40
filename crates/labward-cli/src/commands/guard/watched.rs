//! A folder that is watched, and one look at a file of it.
//!
//! It must never call a file clean that the server did not look at to the end, or that changed while
//! it was looked at.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Arc, Mutex, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labward_api::malware::{InspectAbout, InspectFile, Inspected};
use labward_base::{hex, problem};
use labward_os::held::{HeldError, HeldFile, HeldFolder, Identity, Metadata};
use labward_seal::sha256;

use super::cache::{Cache, Sealed, Verdict, is_settled, now};
use super::config::{Choice, FolderConfig};
use super::given::{Given, hash};
use super::known::Memory;
use super::server::{Health, Server};
use super::settle::{Ledger, Outcome};
use super::tell::Tell;

/// What all folders share.
pub(super) struct Shared {
    pub(super) host: String,
    /// Where the guard keeps what it knows.
    pub(super) state: PathBuf,
    pub(super) server: Server,
    pub(super) health: Health,
    pub(super) given: Given,
    pub(super) tell: Tell,
}

/// A folder that is there and watched.
pub(super) struct Watched {
    pub(super) shared: Arc<Shared>,
    pub(super) config: FolderConfig,
    pub(super) root: HeldFolder,
    /// Where it really lies, as the system tells paths.
    pub(super) real: PathBuf,
    /// The accounts whose openings are not asked about.
    pub(super) exempt: Vec<u32>,
    pub(super) cache: Cache,
    /// Where what is known is kept; none where nothing can be relied on after a restart.
    pub(super) memory: Option<Memory>,
    /// Whether a file has the same number whenever it is looked at.
    pub(super) has_inodes: bool,
    /// Whether changes are looked for, because nobody tells of all of them.
    pub(super) is_polled: bool,
    /// What the server is to be told.
    pub(super) ledger: Ledger,
    /// What is to be done when there is time.
    pub(super) jobs: SyncSender<Job>,
    /// More was to be done than could be noted.
    pub(super) overflowed: AtomicBool,
    /// Something was given up that a walk finds again.
    pub(super) missed: AtomicBool,
    /// Whether it is not watched any more.
    pub(super) ended: AtomicBool,
    /// Read while a file is removed or comes back; written while what a crash left is looked for.
    pub(super) rooms: RwLock<()>,
    /// Why an item was not given back, as it was said.
    pub(super) said: Mutex<BTreeMap<u64, String>>,
}

/// Something to be done when there is time. Paths lie below the root.
#[derive(Debug)]
pub(super) enum Job {
    Everything,
    File(PathBuf, u32),
    Folder(PathBuf),
}

/// What a look at a file came to.
#[derive(Debug)]
pub(super) enum Looked {
    /// It changed meanwhile.
    Changed,
    /// It is larger than what is looked at.
    Larger,
    /// Nothing is known: the server could not be asked, or could not look.
    Unknown,
    /// What the server says; and what lies in quarantine.
    Verdict(Verdict, Option<Sealed>),
}

impl Looked {
    /// Whether somebody may open it, as this folder has it.
    pub(super) fn choice(&self, config: &FolderConfig) -> Choice {
        match self {
            Self::Changed | Self::Unknown => config.unwell,
            Self::Larger => config.larger,
            Self::Verdict(Verdict::Clean, _) => Choice::Allow,
            Self::Verdict(Verdict::Malicious, _) => Choice::Deny,
            Self::Verdict(Verdict::Suspicious, _) => config.suspicious,
            Self::Verdict(Verdict::Unscannable, _) => config.unscannable,
        }
    }
}

impl Watched {
    pub(super) fn say(&self, code: &str, facts: &[(&str, String)]) {
        self.shared.tell.say(code, &self.config.name, facts);
    }

    pub(super) fn is_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed) || labward_os::is_stopped()
    }

    /// Notes something to be done; what does not fit makes everything be looked through.
    pub(super) fn later(&self, job: Job) {
        if let Err(TrySendError::Full(_)) = self.jobs.try_send(job) {
            self.overflowed.store(true, Ordering::Relaxed);
        }
    }

    /// Where something lies below the root, by where the system says that it lies.
    pub(super) fn below(&self, path: &Path) -> Option<PathBuf> {
        let below = path.strip_prefix(&self.real).ok()?;
        (!below.as_os_str().is_empty()).then(|| below.to_owned())
    }

    /// Looks at a file of the folder, which is put into quarantine if it is malicious. It is told as
    /// lying at `shown_at` below the root.
    pub(super) fn look(&self, held: &HeldFile, shown_at: &Path) -> Looked {
        let metadata = match held.metadata() {
            Ok(metadata) => metadata,
            Err(error) => {
                self.unread(held.identity(), &error);
                return Looked::Unknown;
            }
        };
        let path = self.config.path.join(shown_at);
        let mut about = self.about(&path, true);
        about.file = Some(written(&path, &metadata));
        about.key = Some(key(held.identity()));
        let place = (!self.has_inodes).then(|| place_of(shown_at));
        self.look_at(held.reader(), held.identity(), place, about)
    }

    /// Looks at an open file that cannot be removed, because it is not known by which name it was
    /// opened.
    pub(super) fn look_open(&self, file: &File, identity: &Identity) -> Looked {
        let about = self.about(Path::new("unknown"), false);
        self.look_at(file, identity, None, about)
    }

    fn about(&self, path: &Path, quarantine: bool) -> InspectAbout {
        let name = path.file_name().unwrap_or_default();
        InspectAbout {
            way: "folder".to_owned(),
            place: self.config.name.clone(),
            host: self.shared.host.clone(),
            name: name.to_string_lossy().into_owned(),
            quarantine,
            ..InspectAbout::default()
        }
    }

    fn look_at(
        &self,
        file: &File,
        identity: &Identity,
        place: Option<String>,
        about: InspectAbout,
    ) -> Looked {
        if let Some(known) = self.known(file, identity, place.as_deref()) {
            return known;
        }
        let began = now();
        let found = self.shared.server.inspect(about, file, identity.size_bytes);
        if !is_still(file, identity) {
            if let Ok((
                Inspected {
                    item: Some(item), ..
                },
                _,
            )) = &found
            {
                // What was sealed is not what stands here now.
                self.ledger.note(*item, Outcome::NotRemoved("changed"));
            }
            return Looked::Changed;
        }
        let (found, sha256) = match found {
            Ok(found) => found,
            Err(failure) => {
                self.not_looked(identity, &failure);
                return Looked::Unknown;
            }
        };
        self.shared.health.answered(&self.shared.tell);
        let is_of_it = found.sha256.eq_ignore_ascii_case(&hex::encode(&sha256));
        let Some(verdict) = verdict(&found).filter(|_| is_of_it) else {
            self.say(
                "guard.not-looked",
                &facts(identity, &[("verdict", found.verdict)]),
            );
            return Looked::Unknown;
        };
        self.found(verdict, identity, &found);
        let sealed = found.item.map(|item| Sealed {
            item,
            sha256: found.sha256.to_ascii_lowercase(),
            is_settled: is_settled(identity, began),
        });
        let kept = (verdict, sealed.clone());
        self.cache.keep(*identity, kept, &found.rules, began);
        Looked::Verdict(verdict, sealed)
    }

    /// What is known without the server.
    fn known(&self, file: &File, identity: &Identity, place: Option<&str>) -> Option<Looked> {
        if identity.size_bytes == 0 {
            return Some(Looked::Verdict(Verdict::Clean, None));
        }
        match self.cache.verdict(identity) {
            // Whoever wants to remove it needs an item.
            Some((Verdict::Malicious, None)) | None => {}
            Some((known, sealed)) => return Some(Looked::Verdict(known, sealed)),
        }
        if identity.size_bytes > self.config.max_bytes {
            self.say("guard.larger", &facts(identity, &[]));
            return Some(Looked::Larger);
        }
        let (given, name, began) = (&self.shared.given, &self.config.name, now());
        let which = (identity.inode, place);
        if given.may_be(name, identity.inode, place)
            && hash(file).is_ok_and(|sha256| given.is(name, which, &sha256))
            && is_still(file, identity)
        {
            self.cache.keep_given(*identity, began);
            return Some(Looked::Verdict(Verdict::Clean, None));
        }
        None
    }

    fn found(&self, verdict: Verdict, identity: &Identity, found: &Inspected) {
        if verdict == Verdict::Clean {
            return;
        }
        let number = |number: Option<u64>| number.map_or("-".to_owned(), |n| n.to_string());
        let more = [
            ("verdict", found.verdict.clone()),
            ("detection", number(found.detection)),
            ("item", number(found.item)),
        ];
        self.say("guard.found", &facts(identity, &more));
    }

    fn not_looked(&self, identity: &Identity, failure: &crate::Failure) {
        if !self.heard(failure) {
            let more = [("why", failure.to_string())];
            self.say("guard.not-looked", &facts(identity, &more));
        }
    }

    /// Notes whether the server answered; true if it did not, which is told here.
    pub(super) fn heard(&self, failure: &crate::Failure) -> bool {
        let shared = &self.shared;
        if failure.code() == problem::SERVER_NOT_RUNNING.code {
            shared.health.failed(&shared.tell, &failure.to_string());
            return true;
        }
        // It answers, and cannot or will not do this one: the next may be another matter.
        shared.health.answered(&shared.tell);
        false
    }

    fn unread(&self, identity: &Identity, error: &HeldError) {
        let more = [("why", error.code().to_owned())];
        self.say("guard.not-looked", &facts(identity, &more));
    }
}

/// Which file it is, and what else there is to say.
pub(super) fn facts(
    identity: &Identity,
    more: &[(&'static str, String)],
) -> Vec<(&'static str, String)> {
    let mut all = vec![("inode", identity.inode.to_string())];
    all.extend(more.iter().cloned());
    all
}

/// Where a file lies below the root, without naming it.
pub(super) fn place_of(below: &Path) -> String {
    hex::encode(&sha256(below.as_os_str().as_bytes()))
}

/// The same for the same file with the same bytes, whatever its name and rights.
fn key(identity: &Identity) -> String {
    let modified = identity.modified;
    let mut bytes = Vec::new();
    for number in [identity.device, identity.inode, identity.size_bytes] {
        bytes.extend(number.to_be_bytes());
    }
    bytes.extend(modified.seconds.to_be_bytes());
    bytes.extend(modified.nanoseconds.to_be_bytes());
    hex::encode(&sha256(&bytes))
}

fn is_still(file: &File, identity: &Identity) -> bool {
    Identity::of(file).is_ok_and(|now| now == *identity)
}

fn verdict(found: &Inspected) -> Option<Verdict> {
    match found.verdict.as_str() {
        "clean" => Some(Verdict::Clean),
        "malicious" => Some(Verdict::Malicious),
        "suspicious" => Some(Verdict::Suspicious),
        "unscannable" => Some(Verdict::Unscannable),
        _ => None,
    }
}

fn written(path: &Path, metadata: &Metadata) -> InspectFile {
    let attributes = metadata.attributes.iter();
    InspectFile {
        path: STANDARD.encode(path.as_os_str().as_bytes()),
        mode: metadata.mode,
        owner: metadata.owner,
        group: metadata.group,
        accessed: (metadata.accessed.seconds, metadata.accessed.nanoseconds),
        modified: (metadata.modified.seconds, metadata.modified.nanoseconds),
        attributes: attributes
            .map(|(name, value)| (STANDARD.encode(name.as_bytes()), STANDARD.encode(value)))
            .collect(),
        flags: metadata.flags,
    }
}

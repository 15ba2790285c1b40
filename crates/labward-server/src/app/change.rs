//! The configuration changed by edits: the file is written and put in force, or nothing has changed.
//!
//! It must never write over what somebody else wrote, write a file that a reload would refuse, or
//! put anything in force that was not asked for. Everything that can fail is done first; then the file
//! is put in place, synced, then the entry, then what runs is switched. If the machine stops between
//! file and entry, the next start takes the file, which was checked, and records its SHA-256.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use labward_api::config::{ConfigEdit, ConfigForm};
use labward_base::{Clock as _, Problem, Timestamp, problem};
use labward_ledger::{Actor, Facts, LedgerError, Outcome, append};
use labward_os::{OsError, access_of, current_uid, write_durably};
use labward_seal::sha256;

use super::reload::{Candidate, Reloaded, loaded_entry, may_run, read_text};
use super::{Core, Opened, ReloadError};
use crate::config::{Change, EditError, changes, edited};
use crate::error::ServerError;

/// Files before the present one of which is known what was changed since; each is 1 MiB at most.
const PAST_FILES: usize = 16;

/// A file that was in force, and who put another in its place.
pub(crate) struct Past {
    text: String,
    by: Actor,
    time: Timestamp,
}

/// Edits as they were asked for.
pub(crate) struct Changing<'a> {
    /// SHA-256 of the file from which they were made.
    pub(crate) base: [u8; 32],
    /// The edits, in their order.
    pub(crate) edits: &'a [ConfigEdit],
}

/// What edits would change.
pub(crate) struct LookedAt {
    /// SHA-256 of the file in force.
    pub(crate) sha256: [u8; 32],
    /// What is otherwise then.
    pub(crate) changes: Vec<Change>,
    /// The links that go, each with its connections now.
    pub(crate) closes: Vec<(String, u64)>,
    /// What others changed since the base.
    pub(crate) meanwhile: Option<Meanwhile>,
    /// Why they would be refused.
    pub(crate) refused: Option<ChangeError>,
}

/// What was changed since the file from which edits were made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Meanwhile {
    /// Who changed it last and when, if it is known.
    pub(crate) last: Option<(Actor, Timestamp)>,
    /// What was changed.
    pub(crate) changed: Vec<String>,
    /// What these edits change, too.
    pub(crate) both: Vec<String>,
}

/// Why edits changed nothing.
#[derive(Debug)]
pub(crate) enum ChangeError {
    /// One of them cannot be made.
    Edit(EditError),
    /// What came of them is refused.
    Reload(ReloadError),
    /// They were made from another file than the one in force.
    Meanwhile(Meanwhile),
    /// The file on the disk is not the one in force.
    FileDiffers,
    /// They change nothing.
    Same,
}

impl ChangeError {
    /// What a person is told about it.
    pub(crate) fn problem(&self) -> &'static Problem {
        match self {
            Self::Edit(error) => error.problem,
            Self::Reload(error) => error.problem(),
            Self::Meanwhile(_) => &problem::CONFIG_CHANGED,
            Self::FileDiffers => &problem::CONFIG_FILE_DIFFERS,
            Self::Same => &problem::CONFIG_SAME,
        }
    }

    /// What varies, to be shown beside the problem.
    pub(crate) fn detail(&self) -> Option<String> {
        let detail = match self {
            Self::Edit(error) => error.place.clone(),
            Self::Reload(error) => error.detail(),
            Self::Meanwhile(meanwhile) => meanwhile.words(),
            Self::FileDiffers | Self::Same => String::new(),
        };
        Some(detail).filter(|detail| !detail.is_empty())
    }

    /// The key that is wrong, if it is one.
    pub(crate) fn key(&self) -> Option<&str> {
        match self {
            Self::Edit(error) => error.key.as_deref(),
            // The one rule that clashes over a single key.
            Self::Reload(ReloadError::Config(crate::config::ConfigError::Unsafe {
                place,
                rule,
                ..
            })) if place.starts_with("link ") && rule.starts_with("it listens on") => {
                Some("listen")
            }
            _ => None,
        }
    }

    /// What the value of that key must be.
    pub(crate) fn expected(&self) -> Option<&ConfigForm> {
        match self {
            Self::Edit(error) => error.expected.as_ref(),
            _ => None,
        }
    }
}

impl From<ReloadError> for ChangeError {
    fn from(error: ReloadError) -> Self {
        Self::Reload(error)
    }
}

impl Meanwhile {
    fn words(&self) -> String {
        let who = self.last.as_ref().map_or_else(
            || "who is not known any more".to_owned(),
            |(by, time)| format!("{by} at {}", time.to_rfc3339()),
        );
        let both = match (self.last.is_some(), self.both.as_slice()) {
            (false, _) => "whether these edits touch it is not known".to_owned(),
            (true, []) => "these edits touch none of it".to_owned(),
            (true, both) => format!("these edits change, too: {}", both.join(", ")),
        };
        format!("{who}: {}; {both}", self.changed.join(", "))
    }
}

/// The file that is written for a change.
pub(super) struct ConfigFile {
    path: PathBuf,
    mode: u32,
    group: u32,
    old: String,
    new: String,
}

/// Why the file cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("put another file in its place")]
pub struct NotWritten {
    /// The file.
    pub path: PathBuf,
    /// What the system said; none if the file belongs to another account than its folder's new files
    /// would.
    #[source]
    pub source: Option<OsError>,
}

impl ConfigFile {
    /// Looks at the file that is to be replaced; a symbolic link is followed, so that it stays one.
    fn of(path: &Path, old: String, new: String) -> Result<Self, NotWritten> {
        let refuse = || NotWritten {
            path: path.to_owned(),
            source: None,
        };
        let path = path.canonicalize().map_err(|_| refuse())?;
        let access = access_of(&path).map_err(|_| refuse())?;
        // Another account's file would become ours.
        if access.owner_uid != current_uid() {
            return Err(refuse());
        }
        let group = fs::metadata(&path).map_err(|_| refuse())?.gid();
        Ok(Self {
            mode: access.mode,
            group,
            path,
            old,
            new,
        })
    }

    /// The new text in the place of the old; whoever looks sees the one or the other, whole.
    pub(super) fn replace(&self) -> Result<(), ReloadError> {
        self.write(&self.new).map_err(|source| {
            // It may stand there, only not yet for good.
            self.put_back();
            ReloadError::NotWritten(NotWritten {
                path: self.path.clone(),
                source: Some(source),
            })
        })
    }

    fn write(&self, text: &str) -> Result<(), OsError> {
        write_durably(&self.path, text.as_bytes(), self.mode)?;
        // An account that may not give it to the group keeps it for itself: fewer may read it then.
        if let Err(error) = chown(&self.path, None, Some(self.group)) {
            tracing::warn!(cause = %error, "the configuration's group could not be kept");
        }
        Ok(())
    }

    /// The old text again, as far as the disk lets us.
    pub(super) fn put_back(&self) {
        let is_old = || fs::read(&self.path).is_ok_and(|text| text == self.old.as_bytes());
        if is_old() {
            return;
        }
        if let Err(error) = self.write(&self.old) {
            tracing::error!(
                cause = %crate::http::chain(&error),
                "the old configuration could not be put back: what is on the disk is not in force"
            );
        }
    }
}

impl Core {
    /// What edits would change in the file in force, and why they would be refused; changes nothing.
    ///
    /// # Errors
    /// [`ReloadError`] if there is no file that could be changed.
    pub(crate) fn look_at(&self, asked: &Changing<'_>) -> Result<LookedAt, ReloadError> {
        let opened = self.opened().ok_or(ReloadError::Sealed)?;
        let present = self.present_text()?;
        let mut looked_at = LookedAt {
            sha256: sha256(present.as_bytes()),
            changes: Vec::new(),
            closes: Vec::new(),
            meanwhile: None,
            refused: None,
        };
        let candidate = match self.made(&present, asked.edits) {
            Ok(candidate) => candidate,
            Err(refused) => {
                looked_at.meanwhile = self.meanwhile(asked, &present, &[]);
                looked_at.refused = Some(refused);
                return Ok(looked_at);
            }
        };
        looked_at.meanwhile = self.meanwhile(asked, &present, &candidate.changes);
        looked_at.refused = match &looked_at.meanwhile {
            Some(meanwhile) if meanwhile.last.is_none() || !meanwhile.both.is_empty() => {
                Some(ChangeError::Meanwhile(meanwhile.clone()))
            }
            _ => may_change(&candidate, &opened).err(),
        };
        looked_at.closes = closing(&candidate, &opened);
        looked_at.changes = candidate.changes;
        Ok(looked_at)
    }

    /// Makes edits of the file and puts it in force, in the words of `why`; what is refused is
    /// recorded, too.
    ///
    /// # Errors
    /// [`ChangeError`]; file and what runs are then as they were.
    pub(crate) fn change(
        &self,
        asked: &Changing<'_>,
        actor: Actor,
        why: &str,
    ) -> Result<Reloaded, ChangeError> {
        let _one = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let opened = self.opened().ok_or(ReloadError::Sealed)?;
        let present = self.present_text()?;
        let entry = loaded_entry(&opened, actor, why)?;
        let before = sha256(present.as_bytes());
        let facts = Facts::new().text("how", "change").hex("before", &before);
        let done = self.try_change(asked, &present, &opened, |candidate, write| {
            self.put(
                candidate,
                &opened,
                entry.clone(),
                facts.clone(),
                Some(write),
            )
        });
        match &done {
            Ok(done) => tracing::info!(
                changes = done.changes.len(),
                "the configuration was changed"
            ),
            Err(error) => {
                let code = error.problem().code;
                tracing::warn!(code, "the configuration was not changed");
                let refused = entry.facts(facts).outcome(Outcome::Refused(code));
                self.store
                    .write(move |tx| append(tx, &refused))
                    .map_err(|error: LedgerError| ReloadError::from(ServerError::from(error)))?;
            }
        }
        done
    }

    fn try_change(
        &self,
        asked: &Changing<'_>,
        present: &str,
        opened: &Opened,
        put: impl FnOnce(Candidate, &ConfigFile) -> Result<Reloaded, ReloadError>,
    ) -> Result<Reloaded, ChangeError> {
        let path = self.source_path()?;
        let on_disk = read_text(&path).map_err(ReloadError::from)?;
        if on_disk != present {
            return Err(ChangeError::FileDiffers);
        }
        if sha256(present.as_bytes()) != asked.base {
            let made = self.made(present, asked.edits);
            let ours = made.map_or_else(|_| Vec::new(), |candidate| candidate.changes);
            let meanwhile = self.meanwhile(asked, present, &ours);
            return Err(ChangeError::Meanwhile(meanwhile.unwrap_or_default()));
        }
        let candidate = self.made(present, asked.edits)?;
        may_change(&candidate, opened)?;
        let new = candidate.loaded.source.as_ref();
        let new = new.map(|source| source.text.clone()).unwrap_or_default();
        let write = ConfigFile::of(&path, present.to_owned(), new);
        let write = write.map_err(ReloadError::NotWritten)?;
        Ok(put(candidate, &write)?)
    }

    /// The file with the edits made, checked.
    fn made(&self, present: &str, edits: &[ConfigEdit]) -> Result<Candidate, ChangeError> {
        let text = edited(present, edits).map_err(ChangeError::Edit)?;
        Ok(self.candidate(text).map_err(without_line)?)
    }

    /// What others changed since the base, if that is not in force any more; `ours` is what the
    /// edits change.
    fn meanwhile(&self, asked: &Changing<'_>, present: &str, ours: &[Change]) -> Option<Meanwhile> {
        if sha256(present.as_bytes()) == asked.base {
            return None;
        }
        let past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        let mut files = past.iter().rev();
        let Some(base) = files.find(|one| sha256(one.text.as_bytes()) == asked.base) else {
            return Some(Meanwhile::default());
        };
        let theirs = changes(&base.text, present);
        let last = past.back().map(|last| (last.by, last.time));
        Some(Meanwhile {
            last,
            both: both(&theirs, ours, asked.edits),
            changed: theirs.iter().map(named).collect(),
        })
    }

    /// The file in force, with who is about to replace it.
    pub(super) fn past_of(&self, by: Actor) -> Option<Past> {
        let present = self.loaded();
        Some(Past {
            text: present.source.as_ref()?.text.clone(),
            by,
            time: self.clock.now(),
        })
    }

    /// Keeps in mind what was in force until now.
    pub(super) fn remember(&self, past: Option<Past>, next: &Candidate) {
        let is_same = |past: &Past| sha256(past.text.as_bytes()) == next.sha256;
        let mut all = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend(past.filter(|past| !is_same(past)));
        while all.len() > PAST_FILES {
            all.pop_front();
        }
    }

    /// The text of the file in force.
    pub(crate) fn present_text(&self) -> Result<String, ReloadError> {
        let present = self.loaded();
        let source = present.source.as_ref().ok_or(ReloadError::NoFile)?;
        Ok(source.text.clone())
    }

    fn source_path(&self) -> Result<PathBuf, ReloadError> {
        let present = self.loaded();
        let source = present.source.as_ref().ok_or(ReloadError::NoFile)?;
        Ok(source.path.clone())
    }
}

/// Refuses what changes nothing, and what cannot be put in force while the server runs.
fn may_change(candidate: &Candidate, opened: &Opened) -> Result<(), ChangeError> {
    if candidate.changes.is_empty() {
        return Err(ChangeError::Same);
    }
    Ok(may_run(candidate, opened)?)
}

/// The links that go with their connections.
fn closing(candidate: &Candidate, opened: &Opened) -> Vec<(String, u64)> {
    let links = &candidate.loaded.config.gateway.links;
    let stays = |name: &str| links.iter().any(|link| link.name.as_str() == name);
    let running = opened.gateway.status();
    let gone = running.iter().filter(|link| !stays(link.name.as_str()));
    gone.map(|link| (link.name.to_string(), link.counts.connections))
        .collect()
}

fn named(change: &Change) -> String {
    format!("{} {}", change.table, change.key)
}

/// What is otherwise on both sides. Routes have no name: whoever changes one counts on the order of
/// all.
fn both(theirs: &[Change], ours: &[Change], edits: &[ConfigEdit]) -> Vec<String> {
    let is_route = |change: &Change| change.table.starts_with("[[route]]");
    let counts = edits
        .iter()
        .any(|edit| edit.table == "route" && edit.name.is_some());
    let touches = |their: &&Change| {
        let is_it = |our: &Change| our.table == their.table && our.key == their.key;
        ours.iter().any(is_it) || counts && is_route(their)
    };
    theirs.iter().filter(touches).map(named).collect()
}

/// The lines are of a file that nobody sees.
fn without_line(error: ReloadError) -> ReloadError {
    use crate::config::ConfigError::{Unreadable, Unsafe};
    match error {
        ReloadError::Config(Unreadable { what, .. }) => {
            ReloadError::Config(Unreadable { line: 0, what })
        }
        ReloadError::Config(Unsafe { place, rule, .. }) => ReloadError::Config(Unsafe {
            line: 0,
            place,
            rule,
        }),
        other => other,
    }
}

//! Set-up: how an installation comes into being.
//!
//! One state machine asks for what is needed and refuses what does not fit; the terminal, the
//! unattended file and the wizard in the browser only carry its questions and answers. The installation exists
//! once `labward.toml` has its name: until then all of it can be cleared and made again.
//!
//! It must never touch a folder that holds an installation or anything else, put a key file or
//! recovery shares into the data folder (**Invariant:** root-key slots do not live with the data),
//! show a share twice, or remove a file that it did not make.
//!
//! | Module | Holds |
//! |---|---|
//! | `place` | whether the folder may be used, and what an interrupted set-up left there |
//! | `create` | folder, database, keys, authority, ledger key, reserve |
//! | `sign_in` | [`FirstSignIn`]: how the first administrator signs in at the console |
//! | `shares` | which groups of which shares are typed back |
//! | `terminal` | [`init_interactive`] |
//! | `unattended` | [`Answers`], [`init_unattended`] |

mod create;
mod error;
mod place;
mod shares;
mod sign_in;
mod terminal;
#[cfg(test)]
mod tests;
mod unattended;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use labward_base::id::SlotId;
use labward_base::{Clock, Secret, remark};
use labward_identity::{Role, Roles};
use labward_keys::{MIN_PASSPHRASE_CHARS, NewSlot, SlotKind};

use crate::config::Config;
use create::Created;
use place::Place;
use shares::Confirmation;

pub(crate) use create::server_names;
pub use error::SetupError;
pub use shares::{Challenge, ShareSheet};
pub use sign_in::FirstSignIn;
pub use terminal::{AskPassphrase, Terminal, init_interactive};
pub use unattended::{Answers, init_unattended};

/// Room set aside if nothing else is asked for, in MiB.
pub const DEFAULT_RESERVE_MIB: u32 = 64;

/// The most room that is set aside, in MiB.
pub const MAX_RESERVE_MIB: u32 = 65_536;

/// The most slots that are made at once.
const MAX_SLOTS: usize = 16;

/// A set-up under way.
pub struct Setup {
    clock: Arc<dyn Clock>,
    place: Place,
    wanted: Wanted,
    state: State,
    /// The key files that were made.
    key_files: Vec<PathBuf>,
}

/// What was answered so far.
#[derive(Default)]
struct Wanted {
    administrator: Option<Administrator>,
    site: Site,
    slots: Vec<NewSlot>,
    reserve_mib: u32,
    sign_in: Option<FirstSignIn>,
    console: Option<SocketAddr>,
}

/// The first person, who may do everything that sets the installation up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Administrator {
    /// What the lab calls them, 1 to 100 characters.
    pub name: String,
    /// Their account of the operating system.
    pub uid: u32,
    /// What they are in the lab, administrator among it.
    pub roles: Roles,
}

/// The lab.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Site {
    /// What it is called, 1 to 64 characters.
    pub name: String,
    /// Names and addresses by which peers reach this machine; empty means its own name and
    /// localhost.
    pub names: Vec<String>,
}

/// What is asked for next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Who the first administrator is.
    Administrator,
    /// What the lab is called.
    Site,
    /// A slot, or that there are enough.
    Slots,
    /// That the recovery shares were written down.
    Confirm,
    /// Nothing more.
    Finish,
    /// Nothing: a step failed half-way, and only a new set-up leads on.
    Failed,
}

/// An answer to what is asked for.
pub enum Answer {
    /// To [`Step::Administrator`].
    Administrator(Administrator),
    /// To [`Step::Site`].
    Site(Site),
    /// To [`Step::Slots`]: one more.
    Slot(NewSlot),
    /// To [`Step::Slots`]: that is all; makes the installation.
    NoMoreSlots,
    /// To [`Step::Confirm`]: the groups that [`Setup::challenge`] asks for.
    Groups(Secret<String>),
    /// To [`Step::Confirm`]: the shares of this slot were put into this file, which is read back.
    SharesFile(SlotId, PathBuf),
}

/// What was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The configuration.
    pub config: PathBuf,
    /// The ledger's public key, as a C2SP verifier key.
    pub ledger_key: String,
    /// SHA-256 of the authority's public key, in hex.
    pub authority_sha256: String,
    /// The slots that were made.
    pub slots: Vec<(SlotId, SlotKind, String)>,
    /// Slots whose key file lies on the data's own file system: a finding.
    pub beside_data: Vec<SlotId>,
}

enum State {
    Administrator,
    Site,
    Slots,
    Confirm(Created, Confirmation),
    Finish(Created),
    /// A step failed half-way; only a new set-up leads on.
    Failed,
}

impl Setup {
    /// Looks at the folder `data`, takes its lock and clears what an interrupted set-up left.
    ///
    /// # Errors
    /// [`SetupError::Exists`], [`SetupError::NotEmpty`], [`SetupError::Busy`],
    /// [`SetupError::File`]; nothing was changed then.
    pub fn begin(data: &Path, clock: Arc<dyn Clock>) -> Result<Self, SetupError> {
        Ok(Self {
            clock,
            place: Place::take(data)?,
            wanted: Wanted::new(),
            state: State::Administrator,
            key_files: Vec::new(),
        })
    }

    /// Forgets every answer, clears what was made, and begins anew without giving the folder to
    /// anybody in between. Shares that were shown open nothing.
    ///
    /// # Errors
    /// [`SetupError::Store`], [`SetupError::File`].
    pub fn again(self) -> Result<Self, SetupError> {
        let Self {
            clock,
            mut place,
            state,
            key_files,
            ..
        } = self;
        match state {
            State::Confirm(created, _) | State::Finish(created) => created.abandon()?,
            _ => {}
        }
        place.clear_again(&key_files)?;
        Ok(Self {
            clock,
            place,
            wanted: Wanted::new(),
            state: State::Administrator,
            key_files: Vec::new(),
        })
    }

    /// Whether an interrupted set-up was cleared: recovery shares and key files of it open nothing.
    pub const fn cleared_interrupted(&self) -> bool {
        self.place.cleared
    }

    /// What is asked for next.
    pub const fn step(&self) -> Step {
        match self.state {
            State::Administrator => Step::Administrator,
            State::Site => Step::Site,
            State::Slots => Step::Slots,
            State::Confirm(..) => Step::Confirm,
            State::Finish(_) => Step::Finish,
            State::Failed => Step::Failed,
        }
    }

    /// Sets aside another amount of room for bad days, 1 to [`MAX_RESERVE_MIB`] MiB.
    ///
    /// # Errors
    /// [`SetupError::BadAnswer`].
    pub fn reserve(&mut self, mib: u32) -> Result<(), SetupError> {
        if !(1..=MAX_RESERVE_MIB).contains(&mib) {
            return Err(SetupError::bad(remark::answer_reserve()));
        }
        self.wanted.reserve_mib = mib;
        Ok(())
    }

    /// Lets the first administrator sign in at the console, without an invitation.
    ///
    /// # Errors
    /// As [`FirstSignIn::check`], once person and site are known.
    pub fn sign_in(&mut self, sign_in: FirstSignIn) -> Result<(), SetupError> {
        let person = self.wanted.administrator.as_ref();
        let name = person.map_or("", |person| &person.name);
        sign_in.check(name, &self.wanted.site.name)?;
        self.wanted.sign_in = Some(sign_in);
        Ok(())
    }

    /// Writes into the configuration where the console is to listen.
    pub const fn console(&mut self, listen: SocketAddr) {
        self.wanted.console = Some(listen);
    }

    /// Takes the answer to what is asked for.
    ///
    /// # Errors
    /// [`SetupError::BadAnswer`]: the same is asked again. [`SetupError::SharesNotConfirmed`], or
    /// whatever kept the installation from being made: it is then left unfinished, and a new
    /// set-up clears it.
    pub fn answer(&mut self, answer: Answer) -> Result<(), SetupError> {
        match (&mut self.state, answer) {
            (State::Administrator, Answer::Administrator(person)) => {
                check_administrator(&person)?;
                self.wanted.administrator = Some(person);
                self.state = State::Site;
            }
            (State::Site, Answer::Site(site)) => {
                check_site(&site)?;
                self.wanted.site = site;
                self.state = State::Slots;
            }
            (State::Slots, Answer::Slot(slot)) => {
                self.check_slot(&slot)?;
                self.wanted.slots.push(slot);
            }
            (State::Slots, Answer::NoMoreSlots) => self.create()?,
            (State::Confirm(_, confirmation), Answer::Groups(typed)) => {
                let outcome = confirmation.answer(typed.expose());
                self.after_confirmation(outcome)?;
            }
            (State::Confirm(created, confirmation), Answer::SharesFile(slot, path)) => {
                let outcome = self
                    .place
                    .refuse_inside(&path)
                    .and_then(|()| confirmation.write_file(slot, &path))
                    .and_then(|typed| created.prove_shares(slot, typed));
                self.after_confirmation(outcome)?;
            }
            _ => return Err(SetupError::bad(remark::answer_misplaced())),
        }
        Ok(())
    }

    /// Gives the folder up as it was found, if nothing was made in it.
    pub fn leave(self) {
        if matches!(
            self.state,
            State::Administrator | State::Site | State::Slots
        ) {
            self.place.leave();
        }
    }

    /// How many slots there are to be so far.
    pub const fn slot_count(&self) -> usize {
        self.wanted.slots.len()
    }

    /// The recovery shares to be written down; handed out once.
    pub fn take_shares(&mut self) -> Vec<ShareSheet> {
        match &mut self.state {
            State::Confirm(_, confirmation) => confirmation.take_sheets(),
            _ => Vec::new(),
        }
    }

    /// Which groups of which share are to be typed back now.
    pub fn challenge(&self) -> Option<Challenge> {
        match &self.state {
            State::Confirm(_, confirmation) => confirmation.challenge(),
            _ => None,
        }
    }

    /// Closes the new installation and gives its configuration its name: from here on it exists.
    ///
    /// # Errors
    /// [`SetupError::BadAnswer`] if something is still asked for; what keeps files from being
    /// written.
    pub fn finish(self) -> Result<Report, SetupError> {
        match self.state {
            State::Finish(created) => created.finish(&self.place),
            _ => Err(SetupError::bad(remark::answer_missing())),
        }
    }

    fn check_slot(&self, slot: &NewSlot) -> Result<(), SetupError> {
        if self.wanted.slots.len() >= MAX_SLOTS {
            return Err(SetupError::bad(remark::answer_enough_slots()));
        }
        match slot {
            NewSlot::KeyFile { path, .. } => {
                self.place.check_key_file(path)?;
                let taken = |other: &NewSlot| matches!(other, NewSlot::KeyFile { path: taken, .. } if taken == path);
                if self.wanted.slots.iter().any(taken) {
                    return Err(SetupError::bad(remark::answer_key_file_twice()));
                }
            }
            NewSlot::Passphrase { passphrase, .. } => {
                if passphrase.expose().chars().count() < MIN_PASSPHRASE_CHARS {
                    return Err(SetupError::bad(remark::answer_passphrase()));
                }
            }
            NewSlot::Shares {
                threshold, count, ..
            } => {
                if *threshold < 2 || threshold > count || *count > labward_keys::MAX_SHARES {
                    return Err(SetupError::bad(remark::answer_shares()));
                }
            }
        }
        let label = match slot {
            NewSlot::KeyFile { label, .. }
            | NewSlot::Passphrase { label, .. }
            | NewSlot::Shares { label, .. } => label,
        };
        if !(1..=64).contains(&label.chars().count()) || label.chars().any(char::is_control) {
            return Err(SetupError::bad(remark::answer_label()));
        }
        Ok(())
    }

    fn create(&mut self) -> Result<(), SetupError> {
        if self.wanted.slots.is_empty() {
            return Err(SetupError::bad(remark::answer_no_slot()));
        }
        // Whatever fails from here on leaves a folder that only a new set-up may use.
        self.state = State::Failed;
        let mut created = create::create(&self.place, &self.wanted, &self.clock)?;
        let key_files = self.wanted.slots.iter().filter_map(|slot| match slot {
            NewSlot::KeyFile { path, .. } => Some(path.clone()),
            _ => None,
        });
        self.key_files = key_files.collect();
        let confirmation = Confirmation::new(created.sheets(&self.wanted.slots))?;
        self.wanted.slots.clear();
        self.state = match confirmation.is_done() {
            true => State::Finish(created),
            false => State::Confirm(created, confirmation),
        };
        Ok(())
    }

    fn after_confirmation(&mut self, outcome: Result<(), SetupError>) -> Result<(), SetupError> {
        if let Err(error @ SetupError::BadAnswer { .. }) = outcome {
            return Err(error);
        }
        self.state = match (std::mem::replace(&mut self.state, State::Failed), outcome) {
            (State::Confirm(created, confirmation), Ok(())) if confirmation.is_done() => {
                State::Finish(created)
            }
            (state, Ok(())) => state,
            (_, Err(error)) => return Err(error),
        };
        Ok(())
    }
}

impl Wanted {
    fn new() -> Self {
        Self {
            reserve_mib: DEFAULT_RESERVE_MIB,
            ..Self::default()
        }
    }
}

/// Refuses what cannot be the first administrator.
pub(crate) fn check_administrator(person: &Administrator) -> Result<(), SetupError> {
    let length = person.name.chars().count();
    if person.name.trim() != person.name
        || !(1..=100).contains(&length)
        || person.name.chars().any(char::is_control)
    {
        return Err(SetupError::bad(remark::answer_person_name()));
    }
    if !person.roles.contains(Role::Administrator) {
        return Err(SetupError::bad(remark::answer_first_person()));
    }
    Ok(())
}

/// Refuses what cannot be the lab.
pub(crate) fn check_site(site: &Site) -> Result<(), SetupError> {
    // What the configuration would refuse at the first start is refused now.
    Config::parse(&Config::example(&site.name, &site.names, None))
        .map_err(|error| SetupError::bad(remark::technical(error.detail())))?;
    Ok(())
}

//! How far the set-up is, what was answered, and what each answer changes.
//!
//! It must never keep a password or a passphrase longer than the set-up needs it, show shares again
//! once they are said to be on paper, or make an installation of answers that were not checked.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use labward_api::status::Opener;
use labward_base::{Secret, remark};
use labward_console::pages::setup as html;
use labward_identity::{Language, Role, Roles};
use labward_keys::{NewSlot, SlotOpener, Stretch};
use labward_os::{SystemClock, current_uid};
use labward_seal::{constant_time_eq, sha256};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use super::link::{SetupLink, random_text};
use super::restore::Restoring;
use super::{Left, fingerprint};
use crate::backup::RestoreError;
use crate::folder::DataFolder;
use crate::http::chain;
use crate::http::failure::Failure;
use crate::setup::{
    self, Administrator, Answer, FirstSignIn, Report, Setup, SetupError, ShareSheet, Site,
    server_names,
};

/// How far the set-up is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum At {
    Lab,
    Administrator,
    Keys,
    /// The shares are shown.
    Shares,
    /// They are typed back.
    Confirm,
    /// What was made cannot be used.
    Failed,
    /// A backup is being restored.
    Restoring,
    /// The installation is there.
    Done,
    /// The same, from a backup.
    Restored,
    /// The server starts.
    Left,
}

/// The one set-up of this process.
pub(super) struct Wizard {
    /// None once it has ended, however it did.
    setup: Option<Setup>,
    /// None once it was used.
    pub(super) link: Option<SetupLink>,
    /// What the cookie of the one browser holds.
    session: Option<Secret<String>>,
    data: PathBuf,
    /// Where it listens, and where the console will.
    pub(super) listen: SocketAddr,
    pub(super) language: Option<Language>,
    pub(super) at: At,
    pub(super) lab: html::Lab,
    pub(super) person: html::Administrator,
    password: Option<Secret<String>>,
    pub(super) slots: html::Slots,
    pub(super) sheets: Vec<ShareSheet>,
    opener: Left,
    made: Option<Made>,
    /// What was typed about a backup; no secret.
    pub(super) restore: html::Restore,
    restoring: Option<Restoring>,
    /// Why the last restore failed, until it is shown.
    restore_failed: Option<RestoreError>,
    pub(super) restored: Option<html::Restored>,
    leave: Option<oneshot::Sender<Left>>,
}

/// What the last pages show.
struct Made {
    report: Report,
    names: Vec<String>,
    authority_pem: String,
    authority: String,
    server: String,
}

/// The slots that were asked for.
pub(super) struct WantedSlots {
    /// Where the key file is to be, or the passphrase.
    pub(super) opener: SlotOpener,
    /// How many shares are needed, of how many.
    pub(super) shares: (u8, u8),
    /// What the lab will call the two slots.
    pub(super) labels: [String; 2],
}

impl Wizard {
    pub(super) fn new(
        setup: Setup,
        link: SetupLink,
        data: &Path,
        listen: SocketAddr,
        leave: oneshot::Sender<Left>,
    ) -> Self {
        Self {
            setup: Some(setup),
            link: Some(link),
            session: None,
            data: data.to_owned(),
            listen,
            language: None,
            at: At::Lab,
            lab: html::Lab {
                names: server_names(&[]).join(" "),
                data: data.display().to_string(),
                ..html::Lab::default()
            },
            person: html::Administrator::default(),
            password: None,
            slots: html::Slots::default(),
            sheets: Vec::new(),
            opener: None,
            made: None,
            restore: html::Restore::default(),
            restoring: None,
            restore_failed: None,
            restored: None,
            leave: Some(leave),
        }
    }

    /// Spends the link: the cookie of the browser that showed it, or none if it does not fit.
    pub(super) fn open(&mut self, typed: &str) -> Result<Option<Secret<String>>, Failure> {
        if !self.link.as_ref().is_some_and(|link| link.fits(typed)) {
            return Ok(None);
        }
        let id = random_text().map_err(SetupError::from)?;
        self.session = Some(id.clone());
        self.link = None;
        Ok(Some(id))
    }

    /// Whether this is the cookie of the one browser.
    pub(super) fn knows(&self, cookie: Option<&str>) -> bool {
        let session = self.session.as_ref().zip(cookie);
        session
            .is_some_and(|(id, cookie)| constant_time_eq(id.expose().as_bytes(), cookie.as_bytes()))
    }

    /// What each form carries.
    pub(super) fn csrf(&self) -> String {
        let id = self.session.as_ref().map_or("", |id| id.expose());
        let whole = Zeroizing::new([b"labward/setup-csrf1", id.as_bytes()].concat());
        URL_SAFE_NO_PAD.encode(sha256(&whole))
    }

    /// Takes the lab.
    pub(super) fn set_lab(&mut self, name: &str, names: &str) -> Result<(), SetupError> {
        name.clone_into(&mut self.lab.name);
        names.clone_into(&mut self.lab.names);
        setup::check_site(&self.site())?;
        self.at = At::Administrator;
        Ok(())
    }

    /// Takes the first administrator.
    pub(super) fn set_administrator(
        &mut self,
        person: html::Administrator,
        password: Secret<String>,
    ) -> Result<(), SetupError> {
        self.person = person;
        setup::check_administrator(&self.administrator())?;
        let sign_in = self.sign_in(password);
        sign_in.check(&self.person.name, &self.lab.name)?;
        self.password = Some(sign_in.password);
        self.at = At::Keys;
        Ok(())
    }

    /// Makes the installation. What an answer spoils is asked for again; what fails later can only be
    /// begun again.
    pub(super) fn create(&mut self, wanted: WantedSlots) -> Result<(), SetupError> {
        let made = self.try_create(&wanted);
        let is_made = self
            .setup
            .as_ref()
            .is_some_and(|setup| setup.step() == setup::Step::Confirm);
        match (made, is_made) {
            (Ok(()), true) => {
                self.sheets = self
                    .setup
                    .as_mut()
                    .map(Setup::take_shares)
                    .unwrap_or_default();
                if matches!(wanted.opener, SlotOpener::Passphrase(_)) {
                    self.opener = Some(wanted.opener);
                }
                self.at = At::Shares;
                Ok(())
            }
            (outcome, _) => {
                // A set-up that already knows some of the answers cannot be told them again.
                self.again()?;
                outcome
            }
        }
    }

    fn try_create(&mut self, wanted: &WantedSlots) -> Result<(), SetupError> {
        let Some(password) = self.password.clone() else {
            return Err(misplaced());
        };
        let (person, site, sign_in) = (self.administrator(), self.site(), self.sign_in(password));
        let Some(setup) = &mut self.setup else {
            return Err(misplaced());
        };
        setup.answer(Answer::Administrator(person))?;
        setup.answer(Answer::Site(site))?;
        setup.sign_in(sign_in)?;
        setup.console(self.listen);
        let [first, second] = wanted.labels.clone();
        setup.answer(Answer::Slot(match &wanted.opener {
            SlotOpener::KeyFile(path) => NewSlot::KeyFile {
                label: first,
                path: path.clone(),
            },
            SlotOpener::Passphrase(passphrase) => NewSlot::Passphrase {
                label: first,
                passphrase: passphrase.clone(),
                stretch: Stretch::default(),
            },
            SlotOpener::Shares(_) => return Err(misplaced()),
        }))?;
        let (threshold, count) = wanted.shares;
        setup.answer(Answer::Slot(NewSlot::Shares {
            label: second,
            threshold,
            count,
        }))?;
        setup.answer(Answer::NoMoreSlots)
    }

    /// The shares are on paper: from here on they are shown to nobody.
    pub(super) fn written(&mut self) {
        self.sheets.clear();
        self.at = At::Confirm;
    }

    /// What is to be typed back.
    pub(super) fn challenge(&self) -> Option<html::Asked> {
        let challenge = self.setup.as_ref()?.challenge()?;
        let groups = challenge.groups.iter().map(usize::to_string);
        Some(html::Asked {
            share: challenge.share,
            groups: groups.collect::<Vec<_>>().join(", "),
        })
    }

    /// Takes what was typed back; with the last of it the installation exists.
    pub(super) fn groups(&mut self, typed: Secret<String>) -> Result<(), SetupError> {
        let Some(setup) = &mut self.setup else {
            return Err(misplaced());
        };
        match setup.answer(Answer::Groups(typed)) {
            Ok(()) if setup.step() == setup::Step::Finish => {}
            Ok(()) => return Ok(()),
            Err(error @ SetupError::BadAnswer { .. }) => return Err(error),
            Err(error) => {
                self.at = At::Failed;
                return Err(error);
            }
        }
        self.at = At::Failed;
        let Some(setup) = self.setup.take() else {
            return Err(misplaced());
        };
        let report = setup.finish()?;
        self.made = Some(self.look(report)?);
        self.password = None;
        self.at = At::Done;
        Ok(())
    }

    /// Clears what was made and asks for the slots again.
    pub(super) fn again(&mut self) -> Result<(), SetupError> {
        self.sheets.clear();
        self.opener = None;
        self.at = At::Failed;
        self.setup = Some(match self.setup.take() {
            Some(setup) => setup.again()?,
            None => Setup::begin(&self.data, Arc::new(SystemClock))?,
        });
        self.at = At::Keys;
        Ok(())
    }

    /// Begins to restore a backup: the set-up lets go of the folder, in which nothing was made.
    pub(super) fn restore(&mut self, opener: Opener) -> Result<(), Failure> {
        if let Some(setup) = self.setup.take() {
            setup.leave();
        }
        match Restoring::begin(&self.data, &self.restore, opener) {
            Ok(restoring) => {
                self.restoring = Some(restoring);
                self.at = At::Restoring;
                Ok(())
            }
            Err(error) => {
                self.hold_again()?;
                Err(error.into())
            }
        }
    }

    /// Takes up what came of a restore, if it has ended.
    pub(super) fn look_after_restore(&mut self) {
        let Some(restoring) = self.restoring.take_if(|one| one.is_over()) else {
            return;
        };
        match restoring.outcome() {
            Ok(whole) => {
                self.restored = Some(whole.shown);
                self.opener = Some(whole.opener);
                self.password = None;
                self.at = At::Restored;
            }
            Err(error) => {
                tracing::error!(error = %chain(&error), "the backup was not restored");
                self.restore_failed = Some(error);
                // Whoever took the folder meanwhile is told of at the next step.
                if let Err(error) = self.hold_again() {
                    tracing::error!(error = %chain(&error), "the folder cannot be set up");
                }
            }
        }
    }

    /// Whether a restore failed and nobody was told.
    pub(super) const fn has_restore_failure(&self) -> bool {
        self.restore_failed.is_some()
    }

    /// Why the last restore failed; told once.
    pub(super) fn take_restore_failure(&mut self) -> Option<RestoreError> {
        self.restore_failed.take()
    }

    /// Takes the folder again after a restore that failed: the answers about the lab are asked for anew.
    fn hold_again(&mut self) -> Result<(), SetupError> {
        self.at = At::Lab;
        self.setup = Some(Setup::begin(&self.data, Arc::new(SystemClock))?);
        Ok(())
    }

    /// Has the server start; nothing before the installation is there, or a second time.
    pub(super) fn leave(&mut self) {
        if !matches!(self.at, At::Done | At::Restored) {
            return;
        }
        self.at = At::Left;
        if let Some(leave) = self.leave.take() {
            // Who waits for it may be told to stop at this moment.
            let _ = leave.send(self.opener.take());
        }
    }

    /// Ends the set-up: the folder is left as it was if nothing was made in it.
    pub(super) fn give_up(&mut self) {
        self.link = None;
        if let Some(setup) = self.setup.take() {
            setup.leave();
        }
    }

    /// What the last pages show to a browser that came by this host.
    pub(super) fn made(&self, host: &str) -> Option<html::Made> {
        let made = self.made.as_ref()?;
        let names = || made.names.iter();
        let host = names().find(|name| *name == host).or(names().next())?;
        let host = match host.contains(':') {
            true => format!("[{host}]"),
            false => host.clone(),
        };
        Some(html::Made {
            authority: made.authority.clone(),
            server: made.server.clone(),
            names: made.names.join(" "),
            ledger_key: made.report.ledger_key.clone(),
            beside_data: !made.report.beside_data.is_empty(),
            sealed: self.slots.passphrase,
            sign_in: format!("https://{host}:{}/sign-in", self.listen.port()),
        })
    }

    /// The authority's certificate.
    pub(super) fn authority(&self) -> Option<String> {
        let made = self.made.as_ref();
        made.map(|made| made.authority_pem.clone())
    }

    fn look(&self, report: Report) -> Result<Made, SetupError> {
        let data = DataFolder::new(&self.data);
        let read = |path: PathBuf| {
            let text = std::fs::read_to_string(&path);
            text.map_err(|source| SetupError::File { path, source })
        };
        let authority_pem = read(data.authority_certificate())?;
        let server_pem = read(data.server_certificate())?;
        let shown = |pem: &str| {
            let certificate = CertificateDer::from_pem_slice(pem.as_bytes());
            certificate.map_or_else(|_| String::new(), |one| fingerprint(&one))
        };
        Ok(Made {
            report,
            names: self.site().names,
            authority: shown(&authority_pem),
            server: shown(&server_pem),
            authority_pem,
        })
    }

    fn site(&self) -> Site {
        let names = self.lab.names.split_whitespace();
        Site {
            name: self.lab.name.clone(),
            names: names.map(str::to_owned).collect(),
        }
    }

    fn administrator(&self) -> Administrator {
        let roles = Roles::from(Role::Administrator);
        Administrator {
            name: self.person.name.clone(),
            uid: current_uid(),
            roles: match self.person.reads {
                true => roles.and(Role::LabManager),
                false => roles,
            },
        }
    }

    fn sign_in(&self, password: Secret<String>) -> FirstSignIn {
        FirstSignIn {
            login: self.person.login.clone(),
            password,
            language: self.language,
        }
    }
}

/// An answer to what is not asked for now.
fn misplaced() -> SetupError {
    SetupError::bad(remark::answer_misplaced())
}

impl From<SetupError> for Failure {
    fn from(error: SetupError) -> Self {
        Self::new(error.problem()).with_said(error.detail(), error.remark())
    }
}

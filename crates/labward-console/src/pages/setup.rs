//! The first run: from an empty folder to the first sign-in, a page a step.
//!
//! It must never show a password, a passphrase or the link's token again; recovery shares stand on one
//! page alone, which is made in memory that is wiped.

use askama::Template;
use labward_api::ProblemBody;
use labward_identity::Language;
use zeroize::Zeroizing;

use super::When;
use crate::RenderError;
use crate::frame::{Frame, Place};
use crate::language::Texts as _;

/// Room for a page of shares: growing would leave copies of them behind.
const SHARES_PAGE_BYTES: usize = 128 << 10;

/// The steps in their order: the key of each text.
const STEPS: [&str; 5] = [
    "setup-step-lab",
    "setup-step-administrator",
    "setup-step-keys",
    "setup-step-shares",
    "setup-step-start",
];

/// What is the same in every step.
#[derive(Clone, Copy)]
pub struct Step<'a> {
    /// Who reads, and in which language.
    pub f: &'a Frame,
    /// What each form carries.
    pub csrf: &'a str,
    /// What was wrong with what was sent.
    pub fault: Option<&'a ProblemBody>,
    /// What was wrong, where it has a text of its own.
    pub wrong: Option<Wrong>,
}

/// What was wrong, where it has a text of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// The code of the link.
    Code,
    /// The two passphrases differ.
    Passphrases,
    /// The two passwords differ.
    Passwords,
}

impl Wrong {
    const fn key(self) -> &'static str {
        match self {
            Self::Code => "setup-wrong-code",
            Self::Passphrases => "setup-passphrases-differ",
            Self::Passwords => "join-different",
        }
    }
}

/// One entry of the list of steps.
struct Listed {
    text: &'static str,
    here: bool,
}

impl Step<'_> {
    fn steps(&self, number: usize) -> Vec<Listed> {
        let steps = STEPS.iter().zip(1..);
        steps
            .map(|(text, place)| Listed {
                text,
                here: place == number,
            })
            .collect()
    }
}

/// What was typed about the lab.
#[derive(Clone, Debug, Default)]
pub struct Lab {
    /// What it is called.
    pub name: String,
    /// Names and addresses of this machine, parted by blanks.
    pub names: String,
    /// The data folder, as it is named in a command.
    pub data: String,
}

/// What was typed about the first administrator; no password.
#[derive(Clone, Debug, Default)]
pub struct Administrator {
    /// What the lab calls them.
    pub name: String,
    /// What they sign in as.
    pub login: String,
    /// Whether they may also look at patients' records.
    pub reads: bool,
}

/// What was typed about the slots; no passphrase.
#[derive(Clone, Debug, Default)]
pub struct Slots {
    /// Whether the passphrase was chosen instead of a key file.
    pub passphrase: bool,
    /// Where the key file is to be made.
    pub path: String,
    /// Whether 3 of 5 shares were chosen instead of 2 of 3.
    pub five: bool,
}

/// What the lab will call the slot that opens the root key, and that of the shares.
pub fn labels(f: &Frame, slots: &Slots) -> [String; 2] {
    let first = match slots.passphrase {
        true => f.t("setup-passphrase"),
        false => f.t("setup-key-file"),
    };
    [first.into_owned(), f.t("setup-step-shares").into_owned()]
}

/// One recovery share, to be written down or printed.
pub struct Share<'a> {
    /// What the lab calls the slot.
    pub label: &'a str,
    /// Its number, counted from 1.
    pub number: usize,
    /// How many there are.
    pub count: usize,
    /// How many of them open the slot.
    pub threshold: u64,
    /// Its groups of four characters.
    pub groups: Vec<&'a str>,
}

/// What is to be typed back.
pub struct Asked {
    /// The number of the share.
    pub share: usize,
    /// The numbers of its groups, such as `3, 11`.
    pub groups: String,
}

/// What was made.
pub struct Made {
    /// SHA-256 of the authority's certificate, as browsers show it.
    pub authority: String,
    /// SHA-256 of the server's certificate, as browsers show it.
    pub server: String,
    /// The names in the server's certificate.
    pub names: String,
    /// The ledger's public key.
    pub ledger_key: String,
    /// Whether a key file lies on the data's own file system.
    pub beside_data: bool,
    /// Whether each start needs a person with the passphrase.
    pub sealed: bool,
    /// Where people sign in.
    pub sign_in: String,
}

/// What was typed about a backup; no secret.
#[derive(Clone, Debug, Default)]
pub struct Restore {
    /// The folder of backups.
    pub backups: String,
    /// The folder of key archives, or one archive.
    pub archives: String,
    /// `key-file`, `passphrase` or `shares`.
    pub slot: String,
    /// Where the key file is.
    pub path: String,
    /// Whether to go on though keys are missing.
    pub without_missing_keys: bool,
}

/// What was restored.
#[derive(Clone, Debug, Default)]
pub struct Restored {
    /// The generation of the backup.
    pub generation: u64,
    /// The moment that it holds, RFC 3339.
    pub created: String,
    /// Entries of the ledger.
    pub entries: u64,
    /// Patients whose keys are missing.
    pub missing_keys: u64,
    /// Patients who were disposed of since.
    pub disposed_since: u64,
    /// The ledger's public key from here on.
    pub ledger_key: String,
    /// The names of the server.
    pub names: Vec<String>,
    /// The port of its console, if it has one.
    pub console: Option<u16>,
}

/// What was restored, as a page shows it.
pub struct RestoredView {
    /// What was restored.
    pub restored: Restored,
    /// Where people sign in, if there is a console.
    pub sign_in: Option<String>,
    /// Whether the server starts.
    pub is_started: bool,
}

impl RestorePage<'_> {
    /// Whether the archive is older than the backup: a person must say what is to be lost.
    fn lacks_keys(&self) -> bool {
        let fault = self.s.fault;
        fault.is_some_and(|fault| fault.code == labward_base::problem::BACKUP_KEYS_OLDER.code)
    }
}

macro_rules! step_page {
    ($page:ident, $template:literal, $number:literal, $view:ty) => {
        #[derive(Template)]
        #[template(path = $template)]
        struct $page<'a> {
            f: &'a Frame,
            s: Step<'a>,
            v: $view,
        }

        impl<'a> $page<'a> {
            const NUMBER: usize = $number;

            const fn new(s: Step<'a>, v: $view) -> Self {
                Self { f: s.f, s, v }
            }
        }
    };
}

step_page!(OpenPage, "setup_open.html", 0, bool);
step_page!(LabPage, "setup_lab.html", 1, &'a Lab);
step_page!(
    AdministratorPage,
    "setup_administrator.html",
    2,
    &'a Administrator
);
step_page!(KeysPage, "setup_keys.html", 3, &'a Slots);
step_page!(SharesPage, "setup_shares.html", 4, &'a [Share<'a>]);
step_page!(ConfirmPage, "setup_confirm.html", 4, &'a Asked);
step_page!(DonePage, "setup_done.html", 5, &'a Made);
step_page!(StartedPage, "setup_started.html", 5, &'a Made);

step_page!(RestorePage, "setup_restore.html", 0, &'a Restore);
step_page!(RestoredPage, "setup_restored.html", 0, &'a RestoredView);

#[derive(Template)]
#[template(path = "setup_restoring.html")]
struct RestoringPage<'a> {
    f: &'a Frame,
    s: Step<'a>,
}

impl RestoringPage<'_> {
    const NUMBER: usize = 0;
}

/// Which backup is to be restored.
///
/// # Errors
///
/// [`RenderError`].
pub fn restore(s: Step<'_>, restore: &Restore) -> Result<String, RenderError> {
    RestorePage::new(s, restore).render()
}

/// A backup is being restored.
///
/// # Errors
///
/// [`RenderError`].
pub fn restoring(s: Step<'_>) -> Result<String, RenderError> {
    RestoringPage { f: s.f, s }.render()
}

/// What was restored.
///
/// # Errors
///
/// [`RenderError`].
pub fn restored(s: Step<'_>, view: &RestoredView) -> Result<String, RenderError> {
    RestoredPage::new(s, view).render()
}

#[derive(Template)]
#[template(path = "setup_failed.html")]
struct FailedPage<'a> {
    f: &'a Frame,
    s: Step<'a>,
}

impl FailedPage<'_> {
    const NUMBER: usize = 4;
}

/// Where the link's code is shown; `spent` if another browser has used it.
///
/// # Errors
///
/// [`RenderError`].
pub fn open(s: Step<'_>, spent: bool) -> Result<String, RenderError> {
    OpenPage::new(s, spent).render()
}

/// The lab.
///
/// # Errors
///
/// [`RenderError`].
pub fn lab(s: Step<'_>, lab: &Lab) -> Result<String, RenderError> {
    LabPage::new(s, lab).render()
}

/// The first administrator.
///
/// # Errors
///
/// [`RenderError`].
pub fn administrator(s: Step<'_>, person: &Administrator) -> Result<String, RenderError> {
    AdministratorPage::new(s, person).render()
}

/// Where the slots live.
///
/// # Errors
///
/// [`RenderError`].
pub fn keys(s: Step<'_>, slots: &Slots) -> Result<String, RenderError> {
    KeysPage::new(s, slots).render()
}

/// The recovery shares, to be printed or written down.
///
/// # Errors
///
/// [`RenderError`].
pub fn shares(s: Step<'_>, shares: &[Share<'_>]) -> Result<Zeroizing<String>, RenderError> {
    let mut text = Zeroizing::new(String::with_capacity(SHARES_PAGE_BYTES));
    SharesPage::new(s, shares).render_into(&mut *text)?;
    Ok(text)
}

/// What is to be typed back from the paper.
///
/// # Errors
///
/// [`RenderError`].
pub fn confirm(s: Step<'_>, asked: &Asked) -> Result<String, RenderError> {
    ConfirmPage::new(s, asked).render()
}

/// That what was made cannot be used, and how to begin again.
///
/// # Errors
///
/// [`RenderError`].
pub fn failed(s: Step<'_>) -> Result<String, RenderError> {
    FailedPage { f: s.f, s }.render()
}

/// That the lab is set up, and what changes with the start.
///
/// # Errors
///
/// [`RenderError`].
pub fn done(s: Step<'_>, made: &Made) -> Result<String, RenderError> {
    DonePage::new(s, made).render()
}

/// That the server starts, and where to sign in.
///
/// # Errors
///
/// [`RenderError`].
pub fn started(s: Step<'_>, made: &Made) -> Result<String, RenderError> {
    StartedPage::new(s, made).render()
}

#[cfg(test)]
mod tests {
    use super::*;
    use labward_identity::Theme;

    fn frame(language: Language) -> Frame {
        Frame {
            language,
            theme: Theme::Auto,
            viewer: None,
            nonce: "nonce".to_owned(),
            lab: "Labward".to_owned(),
            place: Place::Elsewhere,
            done: None,
            alarm: None,
            glass: None,
        }
    }

    const fn step(f: &Frame) -> Step<'_> {
        Step {
            f,
            csrf: "token",
            fault: None,
            wrong: None,
        }
    }

    #[test]
    fn each_step_marks_its_place_and_its_form_carries_the_token() {
        for language in Language::ALL {
            let f = frame(*language);
            let s = step(&f);
            let lab = lab(s, &Lab::default()).unwrap();
            let person = administrator(s, &Administrator::default()).unwrap();
            let keys = keys(s, &Slots::default()).unwrap();
            let asked = Asked {
                share: 2,
                groups: "3, 11".to_owned(),
            };
            let confirm = confirm(s, &asked).unwrap();
            for page in [lab, person, keys, confirm, failed(s).unwrap()] {
                assert_eq!(page.matches("aria-current=\"step\"").count(), 1);
                assert!(page.contains("name=\"csrf\" value=\"token\""));
            }
            // Before the link is spent there is no token, and afterwards no form.
            assert!(open(s, false).unwrap().contains("action=\"/open\""));
            assert!(!open(s, true).unwrap().contains("<form"));
        }
    }

    #[test]
    fn what_was_typed_comes_back_escaped() {
        let f = frame(Language::En);
        let typed = Lab {
            name: "\"><script>x</script>".to_owned(),
            ..Lab::default()
        };
        let page = lab(step(&f), &typed).unwrap();
        assert!(!page.contains("<script>x"), "{page}");
    }

    #[test]
    fn a_page_of_shares_holds_every_group_in_its_order_and_never_grows() {
        let f = frame(Language::Es);
        let groups: Vec<String> = (0..24).map(|number| format!("G{number:03}")).collect();
        let share = |number| Share {
            label: "paper",
            number,
            count: 16,
            threshold: 3,
            groups: groups.iter().map(String::as_str).collect(),
        };
        let all: Vec<Share<'_>> = (1..=16).map(share).collect();
        let page = shares(step(&f), &all).unwrap();
        let listed = groups.iter().map(|group| format!("<li>{group}</li>"));
        assert_eq!(page.matches(&listed.collect::<String>()).count(), 16);
        assert!(page.len() < SHARES_PAGE_BYTES && page.capacity() == SHARES_PAGE_BYTES);
    }
}

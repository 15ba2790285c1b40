//! Set-up without a person: the answers stand in a TOML file.
//!
//! A passphrase never stands in that file: it names another file, or standard input. Recovery shares
//! go to a file that nobody but its owner may read, are read back and shown to open. docs/ref/init.md
//! explains every key.

use std::fs::File;
use std::io::{BufRead, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use labward_base::id::SlotId;
use labward_base::{Clock, Secret, remark};
use labward_identity::Roles;
use labward_keys::{NewSlot, Stretch};
use labward_os::current_uid;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{Administrator, Answer, DEFAULT_RESERVE_MIB, Report, Setup, SetupError, Site, Step};

/// A file of answers, or of a passphrase, is never longer.
const MAX_BYTES: u64 = 64 * 1024;

/// The name that stands for standard input.
const STDIN: &str = "-";

/// The answers of an unattended set-up.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    version: u32,
    administrator: AdministratorAnswer,
    site: SiteAnswer,
    #[serde(default = "default_reserve")]
    reserve_mib: u32,
    #[serde(rename = "slot")]
    slots: Vec<SlotAnswer>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
struct AdministratorAnswer {
    name: String,
    #[serde(default = "current_uid")]
    uid: u32,
    #[serde(default = "administrator_alone")]
    roles: Vec<String>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
struct SiteAnswer {
    name: String,
    #[serde(default)]
    names: Vec<String>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
enum SlotAnswer {
    KeyFile {
        label: String,
        path: PathBuf,
    },
    Passphrase {
        label: String,
        passphrase_file: PathBuf,
    },
    Shares {
        label: String,
        threshold: u8,
        count: u8,
        file: PathBuf,
    },
}

impl Answers {
    /// Reads the answers in the file `path`.
    ///
    /// # Errors
    /// [`SetupError::File`], [`SetupError::BadAnswer`].
    pub fn load(path: &Path) -> Result<Self, SetupError> {
        let mut text = String::new();
        File::open(path)
            .and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text))
            .map_err(SetupError::file(path))?;
        Self::parse(&text)
    }

    /// Reads answers.
    ///
    /// # Errors
    /// [`SetupError::BadAnswer`] names the line.
    pub fn parse(text: &str) -> Result<Self, SetupError> {
        let answers: Self = toml::from_str(text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            let line = crate::config::line_of(text, offset);
            SetupError::bad(remark::technical(format!(
                "line {line}: {}",
                error.message()
            )))
        })?;
        if answers.version != 1 {
            return Err(SetupError::bad(remark::answer_version()));
        }
        Ok(answers)
    }

    fn administrator(&self) -> Result<Administrator, SetupError> {
        let AdministratorAnswer { name, uid, roles } = &self.administrator;
        let roles: Roles = roles.join(",").parse()?;
        Ok(Administrator {
            name: name.clone(),
            uid: *uid,
            roles,
        })
    }
}

/// Sets an installation up in `data` with these answers; `input` is where a passphrase is read from
/// whose file is `-`, a line each.
///
/// # Errors
/// [`SetupError`]; nothing is asked again, and a set-up that ends half-way is cleared by the next.
pub fn init_unattended(
    data: &Path,
    clock: Arc<dyn Clock>,
    answers: &Answers,
    input: &mut dyn BufRead,
) -> Result<Report, SetupError> {
    labward_os::restrict_umask();
    let mut setup = Setup::begin(data, clock)?;
    setup.reserve(answers.reserve_mib)?;
    setup.answer(Answer::Administrator(answers.administrator()?))?;
    setup.answer(Answer::Site(Site {
        name: answers.site.name.clone(),
        names: answers.site.names.clone(),
    }))?;
    for slot in &answers.slots {
        setup.answer(Answer::Slot(new_slot(slot, input)?))?;
    }
    for slot in &answers.slots {
        // Looked at before anything is made: shares that cannot be written would be lost.
        if let SlotAnswer::Shares { file, .. } = slot {
            setup.place.check_key_file(file)?;
        }
    }
    setup.answer(Answer::NoMoreSlots)?;
    for (number, slot) in (1..).zip(&answers.slots) {
        if let SlotAnswer::Shares { file, .. } = slot {
            setup.answer(Answer::SharesFile(SlotId::new(number), file.clone()))?;
        }
    }
    match setup.step() {
        Step::Finish => setup.finish(),
        _ => Err(SetupError::SharesNotConfirmed),
    }
}

fn new_slot(slot: &SlotAnswer, input: &mut dyn BufRead) -> Result<NewSlot, SetupError> {
    Ok(match slot {
        SlotAnswer::KeyFile { label, path } => NewSlot::KeyFile {
            label: label.clone(),
            path: path.clone(),
        },
        SlotAnswer::Passphrase {
            label,
            passphrase_file,
        } => NewSlot::Passphrase {
            label: label.clone(),
            passphrase: read_passphrase(passphrase_file, input)?,
            stretch: Stretch::default(),
        },
        SlotAnswer::Shares {
            label,
            threshold,
            count,
            ..
        } => NewSlot::Shares {
            label: label.clone(),
            threshold: *threshold,
            count: *count,
        },
    })
}

/// The first line of the file, or of what follows on standard input.
fn read_passphrase(path: &Path, input: &mut dyn BufRead) -> Result<Secret<String>, SetupError> {
    let mut text = Zeroizing::new(String::with_capacity(2_048));
    let read = if path == Path::new(STDIN) {
        input.take(MAX_BYTES).read_line(&mut text)
    } else {
        let file = File::open(path).map_err(SetupError::file(path))?;
        file.take(MAX_BYTES).read_to_string(&mut text)
    };
    read.map_err(SetupError::file(path))?;
    let line = text.lines().next().unwrap_or_default();
    Ok(Secret::new(line.to_owned()))
}

const fn default_reserve() -> u32 {
    DEFAULT_RESERVE_MIB
}

fn administrator_alone() -> Vec<String> {
    vec!["administrator".to_owned()]
}

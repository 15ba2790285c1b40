//! Set-up at a terminal: questions in plain words, a default wherever there is a good one.
//!
//! It must never show a passphrase, or shares before everything else was answered.

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use labward_base::{Clock, Secret, remark};
use labward_identity::{Role, Roles};
use labward_keys::{NewSlot, SlotKind, Stretch};
use labward_os::current_uid;

use super::{Administrator, Answer, Challenge, Report, Setup, SetupError, ShareSheet, Site, Step};

/// Groups of a share in one line.
const GROUPS_PER_LINE: usize = 6;

/// A line that is typed is never longer.
const MAX_LINE_BYTES: u64 = 4 * 1024;

/// Asks for a passphrase without showing it; the text is the question.
pub type AskPassphrase<'a> = dyn FnMut(&str) -> std::io::Result<Secret<String>> + 'a;

/// Whom set-up talks with.
pub struct Terminal<'a> {
    /// What is typed, a line each.
    pub input: &'a mut dyn BufRead,
    /// What is shown.
    pub output: &'a mut dyn Write,
    /// How a passphrase is asked for.
    pub passphrase: &'a mut AskPassphrase<'a>,
}

/// Sets an installation up in `data`, asking at `terminal`.
///
/// # Errors
/// [`SetupError`]; a set-up that ends half-way is cleared by the next one.
pub fn init_interactive(
    data: &Path,
    clock: Arc<dyn Clock>,
    terminal: &mut Terminal<'_>,
) -> Result<Report, SetupError> {
    labward_os::restrict_umask();
    let mut setup = Setup::begin(data, clock)?;
    terminal.say(&format!("Labward is set up in {}.", data.display()))?;
    if setup.cleared_interrupted() {
        terminal.say(
            "An interrupted set-up was cleared. Recovery shares and key files of it open nothing; \
             destroy them.",
        )?;
    }
    let mut shown = false;
    loop {
        let answer = match setup.step() {
            Step::Administrator => terminal.administrator()?,
            Step::Site => terminal.site()?,
            Step::Slots => terminal.slot(setup.slot_count())?,
            Step::Confirm => {
                if !std::mem::replace(&mut shown, true) {
                    terminal.show_shares(&setup.take_shares())?;
                }
                let Some(challenge) = setup.challenge() else {
                    return Err(SetupError::SharesNotConfirmed);
                };
                terminal.groups(&challenge)?
            }
            Step::Finish => break,
            Step::Failed => return Err(SetupError::bad(remark::answer_failed())),
        };
        match setup.answer(answer) {
            Ok(()) => {}
            Err(SetupError::BadAnswer { why }) => terminal.say(&format!("Not so: {why}."))?,
            Err(error) => return Err(error),
        }
    }
    let report = setup.finish()?;
    terminal.show_report(&report)?;
    Ok(report)
}

impl Terminal<'_> {
    fn administrator(&mut self) -> Result<Answer, SetupError> {
        self.say("\nThe first person is the administrator: keys, peers, people, configuration.")?;
        let name = self.ask("Name", "")?;
        let uid = loop {
            let own = current_uid().to_string();
            let typed = self.ask("Number of their account on this machine (uid)", &own)?;
            match typed.parse() {
                Ok(uid) => break uid,
                Err(_) => self.say("Not so: the number of an account is a whole number.")?,
            }
        };
        let roles = Roles::from(Role::Administrator);
        self.say(
            "Kept apart, no one account both lets people in and reads what they may read; a small \
             lab often needs both.",
        )?;
        let reads = self.yes_or_no("May they also look at patients' records (lab manager)?")?;
        Ok(Answer::Administrator(Administrator {
            name,
            uid,
            roles: if reads {
                roles.and(Role::LabManager)
            } else {
                roles
            },
        }))
    }

    fn site(&mut self) -> Result<Answer, SetupError> {
        let name = self.ask("\nName of the laboratory", "Laboratory")?;
        self.say(
            "By which names or addresses do analyzers and partners reach this machine? Several \
             are parted by blanks.",
        )?;
        let names = self.ask("Names (empty: this machine's own and localhost)", "")?;
        let names = names.split_whitespace().map(str::to_owned).collect();
        Ok(Answer::Site(Site { name, names }))
    }

    fn slot(&mut self, so_far: usize) -> Result<Answer, SetupError> {
        if so_far == 0 {
            self.say(
                "\nThe root key opens all records. A slot is a way to open it; any one slot is \
                 enough.\nRecommended: a key file on another volume, so that the server starts by \
                 itself, and recovery\nshares on paper of which 2 of 3 are needed, for the day \
                 when that volume is gone.",
            )?;
        }
        self.say("  1  a key file on another volume\n  2  recovery shares\n  3  a passphrase")?;
        let proposed = match so_far {
            0 => "1",
            1 => "2",
            _ => "done",
        };
        loop {
            let choice = self.ask("Next slot: 1, 2, 3 or done", proposed)?;
            let slot = match choice.as_str() {
                "1" => self.key_file(so_far)?,
                "2" => self.shares(so_far)?,
                "3" => match self.passphrase(so_far)? {
                    Some(slot) => slot,
                    None => continue,
                },
                "done" | "d" => return Ok(Answer::NoMoreSlots),
                _ => {
                    self.say("Not so: type 1, 2, 3 or done.")?;
                    continue;
                }
            };
            return Ok(Answer::Slot(slot));
        }
    }

    fn key_file(&mut self, so_far: usize) -> Result<NewSlot, SetupError> {
        let path = self.ask("Path of the key file, such as /mnt/keys/labward.key", "")?;
        Ok(NewSlot::KeyFile {
            label: self.label(SlotKind::KeyFile, so_far)?,
            path: PathBuf::from(path),
        })
    }

    fn shares(&mut self, so_far: usize) -> Result<NewSlot, SetupError> {
        let numbers = self.ask("How many are needed, of how many", "2/3")?;
        // Numbers that cannot be read are 0, which the set-up refuses with the rule.
        let (threshold, count) = numbers.split_once('/').unwrap_or((&numbers, ""));
        let number = |text: &str| text.trim().parse().unwrap_or(0);
        Ok(NewSlot::Shares {
            threshold: number(threshold),
            count: number(count),
            label: self.label(SlotKind::Shares, so_far)?,
        })
    }

    fn passphrase(&mut self, so_far: usize) -> Result<Option<NewSlot>, SetupError> {
        let ended = |_| SetupError::bad(remark::answer_no_passphrase());
        let first = (self.passphrase)("Passphrase, at least 15 characters: ").map_err(ended)?;
        let second = (self.passphrase)("The same again: ").map_err(ended)?;
        if first.expose() != second.expose() {
            self.say("Not so: the two differ.")?;
            return Ok(None);
        }
        Ok(Some(NewSlot::Passphrase {
            label: self.label(SlotKind::Passphrase, so_far)?,
            passphrase: first,
            stretch: Stretch::default(),
        }))
    }

    fn label(&mut self, kind: SlotKind, so_far: usize) -> Result<String, SetupError> {
        let proposed = format!("{kind} {}", so_far + 1);
        self.ask("What the lab calls this slot", &proposed)
    }

    fn show_shares(&mut self, sheets: &[ShareSheet]) -> Result<(), SetupError> {
        self.say(
            "\nWrite these recovery shares down now, each on a paper of its own for another \
             person.\nThey are shown this once and kept nowhere.",
        )?;
        for sheet in sheets {
            let count = sheet.shares.len();
            for (number, share) in (1..).zip(&sheet.shares) {
                self.say(&format!(
                    "\n{}: share {number} of {count}, any {} open",
                    sheet.label, sheet.threshold
                ))?;
                let groups: Vec<&str> = share.expose().split('-').collect();
                for (line, groups) in groups.chunks(GROUPS_PER_LINE).enumerate() {
                    let first = line * GROUPS_PER_LINE + 1;
                    // Not joined into one text first, which would leave copies of the share behind.
                    self.write(&format!("  {first:>2}  "))?;
                    for group in groups {
                        self.write(group)?;
                        self.write(" ")?;
                    }
                    self.write("\n")?;
                }
            }
        }
        self.say("\nWhen all are written down, type some of it back from the paper.")
    }

    fn groups(&mut self, challenge: &Challenge) -> Result<Answer, SetupError> {
        let groups: Vec<String> = challenge.groups.iter().map(usize::to_string).collect();
        let question = format!(
            "{}, share {}: groups {}",
            challenge.label,
            challenge.share,
            groups.join(" and ")
        );
        Ok(Answer::Groups(Secret::new(self.ask(&question, "")?)))
    }

    fn show_report(&mut self, report: &Report) -> Result<(), SetupError> {
        if !report.beside_data.is_empty() {
            self.say(
                "\nAttention: a key file lies on the data's own file system. Who takes the disk has \
                 both; move it.",
            )?;
        }
        self.say(&format!(
            "\nDone. Next: labward serve, then labward check and labward peer add.\n\
             Configuration: {}\n\
             Give this public key of the ledger to whoever is to check it:\n  {}",
            report.config.display(),
            report.ledger_key
        ))
    }

    /// Asks until it is yes or no; an empty line is no.
    fn yes_or_no(&mut self, question: &str) -> Result<bool, SetupError> {
        loop {
            match self.ask(question, "no")?.to_ascii_lowercase().as_str() {
                "yes" | "y" => return Ok(true),
                "no" | "n" => return Ok(false),
                _ => self.say("Not so: type yes or no.")?,
            }
        }
    }

    /// Asks one question; an empty line is `default`.
    fn ask(&mut self, question: &str, default: &str) -> Result<String, SetupError> {
        let shown = match default {
            "" => format!("{question}: "),
            _ => format!("{question} [{default}]: "),
        };
        self.write(&shown)?;
        let mut line = String::new();
        let read = std::io::Read::take(&mut *self.input, MAX_LINE_BYTES).read_line(&mut line);
        match read {
            Ok(length) if length > 0 => {}
            // Nothing was made for a question without an answer; the next set-up clears the rest.
            _ => return Err(SetupError::InputEnded),
        }
        let typed = line.trim();
        Ok(if typed.is_empty() { default } else { typed }.to_owned())
    }

    fn say(&mut self, text: &str) -> Result<(), SetupError> {
        self.write(text)?;
        self.write("\n")
    }

    fn write(&mut self, text: &str) -> Result<(), SetupError> {
        self.output
            .write_all(text.as_bytes())
            .and_then(|()| self.output.flush())
            .map_err(SetupError::file(Path::new("the terminal")))
    }
}

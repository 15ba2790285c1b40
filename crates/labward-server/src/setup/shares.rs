//! Recovery shares on their way to paper: shown once, then asked for in part.
//!
//! Which groups are asked for is chosen at random after the shares are made, so that nobody can
//! pass by copying what is easy. It must never say which character was wrong.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use labward_base::id::SlotId;
use labward_base::{Secret, remark};
use labward_os::create_durably;
use labward_seal::{CryptoFailed, random_bytes};
use zeroize::Zeroizing;

use super::SetupError;

/// Groups of one share that are typed back.
const GROUPS_ASKED: usize = 2;

/// Wrong answers to one challenge after which the set-up ends.
const MAX_WRONG: u8 = 3;

/// A file of shares is never longer.
const MAX_FILE_BYTES: u64 = 16 * 1024;

/// The shares of one slot, to be written down.
pub struct ShareSheet {
    /// The slot.
    pub slot: SlotId,
    /// What the lab calls it.
    pub label: String,
    /// How many of them open it.
    pub threshold: u8,
    /// The shares as people write them: groups of four characters.
    pub shares: Vec<Secret<String>>,
}

/// Which groups of which share are to be typed back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The slot.
    pub slot: SlotId,
    /// What the lab calls the slot.
    pub label: String,
    /// The number of the share, counted from 1.
    pub share: usize,
    /// The numbers of the groups, counted from 1, ascending.
    pub groups: Vec<usize>,
}

/// What has still to be typed back.
pub(super) struct Confirmation {
    sheets: Vec<ShareSheet>,
    /// The next one is the last.
    open: Vec<(Challenge, Secret<String>)>,
    wrong: u8,
}

impl Confirmation {
    /// Chooses, for each slot, as many shares as open it, and groups of each.
    pub(super) fn new(sheets: Vec<ShareSheet>) -> Result<Self, CryptoFailed> {
        let mut open = Vec::new();
        for sheet in &sheets {
            for share in choose(sheet.shares.len(), usize::from(sheet.threshold))? {
                let Some(text) = sheet.shares.get(share) else {
                    continue;
                };
                let groups: Vec<&str> = text.expose().split('-').collect();
                let chosen = choose(groups.len(), GROUPS_ASKED)?;
                let mut expected = String::with_capacity(16);
                for group in chosen.iter().filter_map(|place| groups.get(*place)) {
                    expected.push_str(group);
                }
                let challenge = Challenge {
                    slot: sheet.slot,
                    label: sheet.label.clone(),
                    share: share + 1,
                    groups: chosen.iter().map(|place| place + 1).collect(),
                };
                open.push((challenge, Secret::new(expected)));
            }
        }
        open.reverse();
        Ok(Self {
            sheets,
            open,
            wrong: 0,
        })
    }

    pub(super) const fn is_done(&self) -> bool {
        self.open.is_empty()
    }

    pub(super) fn challenge(&self) -> Option<Challenge> {
        self.open.last().map(|(challenge, _)| challenge.clone())
    }

    pub(super) fn take_sheets(&mut self) -> Vec<ShareSheet> {
        std::mem::take(&mut self.sheets)
    }

    /// Compares what was typed with what is asked for; blanks, hyphens and case do not count.
    pub(super) fn answer(&mut self, typed: &str) -> Result<(), SetupError> {
        let Some((_, expected)) = self.open.last() else {
            return Err(SetupError::bad(remark::answer_nothing_typed()));
        };
        if *plain(typed) == *plain(expected.expose()) {
            self.open.pop();
            self.wrong = 0;
            return Ok(());
        }
        self.wrong += 1;
        if self.wrong >= MAX_WRONG {
            return Err(SetupError::SharesNotConfirmed);
        }
        Err(SetupError::bad(remark::answer_wrong_groups()))
    }

    /// Writes the shares of `slot` to a new file for its owner alone, and answers those that open
    /// the slot as the file gives them back.
    pub(super) fn write_file(
        &mut self,
        slot: SlotId,
        path: &Path,
    ) -> Result<Vec<Secret<String>>, SetupError> {
        let Some(place) = self.sheets.iter().position(|sheet| sheet.slot == slot) else {
            return Err(SetupError::bad(remark::answer_shares_out()));
        };
        let sheet = self.sheets.remove(place);
        let count = sheet.shares.len();
        // Room for all of it at once: growing would leave copies of the shares behind.
        let mut text = Zeroizing::new(String::with_capacity(512 + count * 128));
        text.push_str(&format!(
            "# Recovery shares of slot {slot}; any {} of {count} open it.\n\
             # Give each to another person on paper, then destroy this file.\n",
            sheet.threshold
        ));
        for share in &sheet.shares {
            text.push_str(share.expose());
            text.push('\n');
        }
        create_durably(path, text.as_bytes(), 0o600)?;
        let mut read = Zeroizing::new(String::with_capacity(text.len() + 1));
        File::open(path)
            .and_then(|file| file.take(MAX_FILE_BYTES).read_to_string(&mut read))
            .map_err(SetupError::file(path))?;
        self.open.retain(|(challenge, _)| challenge.slot != slot);
        let lines = read.lines().filter(|line| !line.starts_with('#'));
        Ok(lines
            .take(usize::from(sheet.threshold))
            .map(|line| Secret::new(line.to_owned()))
            .collect())
    }
}

/// Characters as the shares are read: what looks alike is the same.
fn plain(typed: &str) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(typed.len()));
    for typed in typed.chars().filter(|c| !c.is_whitespace() && *c != '-') {
        text.push(match typed.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        });
    }
    text
}

/// `count` different numbers below `of`, ascending, at random.
fn choose(of: usize, count: usize) -> Result<Vec<usize>, CryptoFailed> {
    let mut left: Vec<usize> = (0..of).collect();
    let mut chosen = Vec::with_capacity(count.min(of));
    while chosen.len() < count && !left.is_empty() {
        // The bias of the remainder is below 2^-56 for so few.
        let random = u64::from_be_bytes(random_bytes()?);
        let length = u64::try_from(left.len()).unwrap_or(u64::MAX);
        let place = usize::try_from(random % length).unwrap_or_default();
        chosen.push(left.swap_remove(place));
    }
    chosen.sort_unstable();
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use labward_testkit::TempDir;
    use std::os::unix::fs::PermissionsExt as _;

    fn sheet(slot: u32) -> ShareSheet {
        let share = |letter: &str| Secret::new(vec![letter.repeat(4); 18].join("-"));
        ShareSheet {
            slot: SlotId::new(slot),
            label: "paper".to_owned(),
            threshold: 2,
            shares: ["A", "B", "0"].map(share).into(),
        }
    }

    #[test]
    fn as_many_shares_are_asked_for_as_open_the_slot() {
        let mut seen = [false; 3];
        for _ in 0..200 {
            let mut confirmation = Confirmation::new(vec![sheet(1)]).unwrap();
            let mut shares = Vec::new();
            while let Some(challenge) = confirmation.challenge() {
                assert_eq!(challenge.groups.len(), GROUPS_ASKED);
                assert!(
                    challenge
                        .groups
                        .iter()
                        .all(|group| (1..=18).contains(group))
                );
                let letter = ["a", "b", "o"][challenge.share - 1];
                shares.push(challenge.share);
                seen[challenge.share - 1] = true;
                confirmation
                    .answer(&format!(" {} {}", letter.repeat(4), letter.repeat(4)))
                    .unwrap();
            }
            assert_eq!(shares.len(), 2);
            assert_ne!(shares[0], shares[1]);
        }
        assert_eq!(seen, [true; 3], "the choice is not random");
    }

    #[test]
    fn three_wrong_answers_end_it_and_one_does_not() {
        let mut confirmation = Confirmation::new(vec![sheet(1)]).unwrap();
        for _ in 0..2 {
            let error = confirmation.answer("XXXX XXXX").unwrap_err();
            assert!(matches!(error, SetupError::BadAnswer { .. }));
        }
        let error = confirmation.answer("").unwrap_err();
        assert!(matches!(error, SetupError::SharesNotConfirmed));
        assert!(!confirmation.is_done());
    }

    #[test]
    fn a_file_of_shares_is_its_owners_alone_and_replaces_nothing() {
        let folder = TempDir::new();
        let path = folder.join("shares.txt");
        let mut confirmation = Confirmation::new(vec![sheet(1), sheet(2)]).unwrap();
        let read = confirmation.write_file(SlotId::new(2), &path).unwrap();
        assert_eq!(read.len(), 2);
        assert!(read[0].expose().starts_with("AAAA-"));
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(confirmation.challenge().unwrap().slot, SlotId::new(1));
        assert!(confirmation.write_file(SlotId::new(1), &path).is_err());
    }
}

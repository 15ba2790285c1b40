//! Looks at the machine, the data folder and the ledger for the checks.
//!
//! It must never decide what a fact means, or make something up that could not be looked at.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use labward_base::Timestamp;
use labward_base::id::EntryIndex;
use labward_ledger::{Action, Leaf, entries_before};
use labward_records::reserve::BREAK_GLASS;
use labward_store::{Query, StoreError};

use super::{LedgerActs, Machine};

/// Open files and folders that are listed at most.
const MAX_LISTED: usize = 20;

/// Files and folders that are looked at: one place with wrong permissions seldom comes alone.
const MAX_LOOKED_AT: usize = 20_000;

/// Folders below the data folder that are entered.
const MAX_DEPTH: usize = 4;

/// How far back the ledger is read: a month, or this many entries.
const BACK: Duration = Duration::from_secs(31 * 86_400);
const MAX_ENTRIES: usize = 50_000;
const PAGE: u32 = 1_000;

impl Machine {
    /// Looks at this machine and at the data folder `data`, whose socket and the way to it members
    /// of a group may use if `socket_group`.
    pub fn measure(data: &Path, socket_group: bool) -> Self {
        let mounts = fs::read_to_string("/proc/self/mountinfo").ok();
        let limits = fs::read_to_string("/proc/self/limits").ok();
        let path = data.canonicalize().ok();
        Self {
            uid: labward_os::current_uid(),
            disk: labward_os::disk_space(data).ok(),
            in_memory: path.and_then(|path| is_in_memory(&path, &mounts?)),
            open_to_others: open_to_others(data, socket_group).ok(),
            core_dumps: limits.and_then(|limits| allows_core_dumps(&limits)),
            swap: labward_os::swap_is_active().ok(),
        }
    }
}

impl LedgerActs {
    /// Reads what was done with a ledger of `size` entries lately.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn read<Q: Query>(query: &mut Q, size: u64, now: Timestamp) -> Result<Self, StoreError> {
        let mut acts = Self {
            back_to: now,
            ..Self::default()
        };
        let mut before = EntryIndex::new(size);
        let mut looked_at = 0;
        while looked_at < MAX_ENTRIES {
            let page = entries_before(query, before, PAGE)?;
            for row in &page {
                before = row.index;
                // What does not parse is for `ledger verify` to find, and no act.
                let Ok(leaf) = Leaf::parse(&row.leaf) else {
                    continue;
                };
                acts.back_to = leaf.time;
                let seen = match leaf.action {
                    Action::ClockJumped => &mut acts.clock_jumped,
                    Action::LedgerExported => &mut acts.exported,
                    Action::LedgerVerified => &mut acts.verified,
                    Action::RecordSearched | Action::RecordShown
                        if leaf.facts.get(BREAK_GLASS).is_some() =>
                    {
                        &mut acts.broken_glass
                    }
                    _ => continue,
                };
                seen.get_or_insert(leaf.time);
            }
            looked_at += page.len();
            if page.is_empty() {
                // The whole ledger was read.
                acts.back_to = Timestamp::from_micros(i64::MIN);
                break;
            }
            if now.since(acts.back_to) > BACK {
                break;
            }
        }
        Ok(acts)
    }
}

/// Whether the file system that `path` lies on is kept in memory, after `/proc/self/mountinfo`.
fn is_in_memory(path: &Path, mounts: &str) -> Option<bool> {
    let of_line = |line: &str| {
        // 36 35 98:0 /root /mount/point options … - type source super-options
        let (left, right) = line.split_once(" - ")?;
        let point = unescape(left.split(' ').nth(4)?);
        let kind = right.split(' ').next()?.to_owned();
        path.starts_with(&point)
            .then(|| (point.components().count(), kind))
    };
    // A later mount hides an earlier one on the same place.
    let (_, kind) = mounts
        .lines()
        .filter_map(of_line)
        .max_by_key(|(depth, _)| *depth)?;
    Some(matches!(kind.as_str(), "tmpfs" | "ramfs"))
}

/// A path as the kernel writes it: blanks and backslashes as three octal digits.
fn unescape(text: &str) -> PathBuf {
    let replaced = text
        .replace("\\040", " ")
        .replace("\\011", "\t")
        .replace("\\012", "\n")
        .replace("\\134", "\\");
    PathBuf::from(replaced)
}

/// Whether the limits of `/proc/self/limits` let a crash write memory to disk.
fn allows_core_dumps(limits: &str) -> Option<bool> {
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max core file size"))?;
    Some(line.split_whitespace().next()? != "0")
}

/// What others may reach of the data folder, the first few.
fn open_to_others(data: &Path, socket_group: bool) -> io::Result<Vec<PathBuf>> {
    let mut open = Vec::new();
    let mut looked_at = 0;
    let mut waiting = vec![(data.to_owned(), 0)];
    while let Some((path, depth)) = waiting.pop() {
        looked_at += 1;
        if looked_at > MAX_LOOKED_AT || open.len() >= MAX_LISTED {
            break;
        }
        let facts = match fs::symlink_metadata(&path) {
            Ok(facts) => facts,
            // Deleted since its folder was read.
            Err(error) if error.kind() == io::ErrorKind::NotFound && depth > 0 => continue,
            Err(error) => return Err(error),
        };
        let kind = facts.file_type();
        // A link's own permissions mean nothing; where it leads is not the installation's.
        if kind.is_symlink() {
            continue;
        }
        let on_the_way = depth == 0 || path == data.join("run");
        let allowed = match socket_group {
            true if kind.is_socket() => 0o070,
            true if on_the_way => 0o050,
            _ => 0,
        };
        if facts.permissions().mode() & 0o077 & !allowed != 0 {
            open.push(path.clone());
        }
        if kind.is_dir() && depth < MAX_DEPTH {
            for entry in fs::read_dir(&path)? {
                waiting.push((entry?.path(), depth + 1));
            }
        }
    }
    Ok(open)
}

#[cfg(test)]
mod tests {
    use super::*;
    use labward_base::id::{NodeId, SiteId};
    use labward_ledger::{Actor, LedgerJournal, NewEntry, Subject, append};
    use labward_store::{Options, Store};
    use labward_testkit::TempDir;
    use std::fs::Permissions;
    use std::sync::Arc;

    const MOUNTS: &str = "22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n\
        30 22 0:25 / /run rw,nosuid - tmpfs tmpfs rw\n\
        31 22 0:26 / /srv/two\\040words rw - tmpfs tmpfs rw\n\
        32 30 254:1 / /run/disk rw shared:1 master:2 - xfs /dev/vdb rw\n";

    #[test]
    fn a_folder_in_memory_is_told_from_one_on_a_disk() {
        for (path, memory) in [
            ("/var/lib/labward", false),
            ("/run/labward", true),
            ("/running", false),
            ("/run/disk/labward", false),
            ("/srv/two words/labward", true),
        ] {
            assert_eq!(
                is_in_memory(Path::new(path), MOUNTS),
                Some(memory),
                "{path}"
            );
        }
        assert_eq!(is_in_memory(Path::new("/x"), "nonsense"), None);
        let shm = Path::new("/dev/shm");
        if shm.is_dir() {
            assert_eq!(Machine::measure(shm, false).in_memory, Some(true));
        }
    }

    #[test]
    fn a_limit_of_zero_forbids_core_dumps_and_any_other_allows_them() {
        let limits = |soft| {
            format!(
                "Limit                     Soft Limit           Hard Limit           Units\n\
                 Max core file size        {soft}                    unlimited            bytes\n"
            )
        };
        assert_eq!(allows_core_dumps(&limits("0")), Some(false));
        assert_eq!(allows_core_dumps(&limits("unlimited")), Some(true));
        assert_eq!(allows_core_dumps(""), None);
    }

    #[test]
    fn what_others_may_reach_is_listed_and_the_groups_way_to_the_socket_is_not() {
        let folder = TempDir::new();
        let set = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode));
        let run = folder.join("run");
        fs::create_dir(&run).unwrap();
        fs::create_dir(folder.join("db")).unwrap();
        let file = folder.join("db/labward.sqlite");
        fs::write(&file, "x").unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(run.join("admin.sock")).unwrap();
        for (path, mode) in [
            (folder.path().to_owned(), 0o710),
            (run.clone(), 0o710),
            (run.join("admin.sock"), 0o660),
            (folder.join("db"), 0o700),
            (file.clone(), 0o600),
        ] {
            set(&path, mode).unwrap();
        }
        assert!(open_to_others(folder.path(), true).unwrap().is_empty());
        assert_eq!(open_to_others(folder.path(), false).unwrap().len(), 3);
        set(&file, 0o604).unwrap();
        assert_eq!(open_to_others(folder.path(), true).unwrap(), [file]);
        set(&run, 0o711).unwrap();
        assert_eq!(open_to_others(folder.path(), true).unwrap().len(), 2);
        assert!(open_to_others(&folder.join("none"), true).is_err());
    }

    #[test]
    fn this_machine_can_be_measured() {
        let folder = TempDir::new();
        let machine = Machine::measure(folder.path(), false);
        assert_eq!(machine.uid, labward_os::current_uid());
        assert!(machine.disk.is_some_and(|disk| disk.total_bytes > 0));
        assert!(machine.core_dumps.is_some() && machine.swap.is_some());
        let nowhere = Machine::measure(&folder.join("none"), false);
        assert_eq!(nowhere.disk, None);
        assert_eq!(nowhere.open_to_others, None);
        assert_eq!(nowhere.in_memory, None);
    }

    #[test]
    fn the_last_acts_are_read_from_the_ledger() {
        let folder = TempDir::new();
        let start = Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap();
        let clock = labward_testkit::FakeClock::new(start);
        let journal = LedgerJournal::new(NodeId::new(1), Arc::new(clock.clone()));
        let options = Options::new(folder.join("db.sqlite"));
        let store = Store::open(options, labward_ledger::MIGRATIONS, Box::new(journal)).unwrap();
        let act = |action| {
            store
                .write(move |tx| {
                    let site = SiteId::new(1);
                    let entry = NewEntry::new(site, Actor::System, action, Subject::Ledger);
                    append(tx, &entry)
                })
                .unwrap()
        };
        let now = || labward_base::Clock::now(&clock);
        let read = |size| {
            store
                .read(|snapshot| LedgerActs::read(snapshot, size, now()))
                .unwrap()
        };
        assert_eq!(read(0).verified, None);
        act(Action::LedgerVerified);
        let verified = now();
        clock.advance(Duration::from_secs(86_400));
        act(Action::LedgerExported);
        let exported = now();
        let acts = read(2);
        assert_eq!(
            (acts.verified, acts.exported),
            (Some(verified), Some(exported))
        );
        assert_eq!(acts.clock_jumped, None);
        assert_eq!(acts.back_to, Timestamp::from_micros(i64::MIN), "all of it");
        store.close().unwrap();
    }
}

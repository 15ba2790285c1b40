//! Looks at the machine and the data folder for the checks.
//!
//! It must never decide what a fact means, or make something up that could not be looked at.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use labward_base::{Remark, remark};

use super::swap::open_swaps;
use super::{Machine, Measured, Reserve};
use crate::folder::DataFolder;
use crate::http::unread;

/// Open files and folders that are listed at most.
const MAX_LISTED: usize = 20;

/// Files and folders that are looked at: one place with wrong permissions seldom comes alone.
const MAX_LOOKED_AT: usize = 20_000;

/// Folders below the data folder that are entered.
const MAX_DEPTH: usize = 4;

impl Machine {
    /// Looks at this machine and at the data folder `data`, whose socket and the way to it members
    /// of a group may use if `socket_group`.
    pub fn measure(data: &Path, socket_group: bool) -> Self {
        let walked = walk(data, socket_group);
        let mounts = read("/proc/self/mountinfo");
        let path = data.canonicalize().map_err(|error| on(data, &error));
        Self {
            uid: labward_os::current_uid(),
            disk: labward_os::disk_space(data).map_err(|error| unread(&error)),
            inodes: labward_os::inodes(data).map_err(|error| unread(&error)),
            file_system: mounts.and_then(|mounts| {
                let kind = file_system(&path?, &mounts);
                kind.ok_or_else(remark::no_mount)
            }),
            open_to_others: walked
                .as_ref()
                .map(|walked| walked.open.clone())
                .map_err(Clone::clone),
            foreign_owner: walked.map(|walked| walked.foreign),
            core_dumps: core_dumps(),
            open_swaps: open_swaps(),
            clock_is_kept: labward_os::is_synchronized().map_err(|error| unread(&error)),
            memory_lock_bytes: labward_os::memory_lock_limit(),
            sync_time: labward_os::sync_time(data).map_err(|error| unread(&error)),
            reserve: reserve(&DataFolder::new(data).reserve()),
        }
    }
}

fn read(path: &str) -> Measured<String> {
    fs::read_to_string(path).map_err(|error| remark::file(path, error.to_string()))
}

fn on(path: &Path, error: &io::Error) -> Remark {
    remark::file(path.display().to_string(), error.to_string())
}

/// How much of the reserve is really there: a file may be long and hold nothing.
fn reserve(path: &Path) -> Measured<Reserve> {
    match fs::metadata(path) {
        Ok(facts) => Ok(Reserve {
            length: facts.len(),
            allocated: facts.blocks().saturating_mul(512),
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Reserve::default()),
        Err(error) => Err(on(path, &error)),
    }
}

/// The ways by which a crash may write memory to disk: a file, or a program that takes the dump.
fn core_dumps() -> Measured<Vec<Remark>> {
    if !labward_os::is_dumpable().map_err(|error| unread(&error))? {
        return Ok(Vec::new());
    }
    let pattern = read("/proc/sys/kernel/core_pattern")?;
    Ok(dumped_by(&pattern, labward_os::core_limit()))
}

/// A dump that is piped into a program heeds no limit but one (core(5)).
fn dumped_by(pattern: &str, limit: Option<u64>) -> Vec<Remark> {
    let pattern = pattern.trim();
    let is_piped = pattern.starts_with('|');
    let is_limited = limit == Some(0);
    match (is_piped, is_limited, pattern.is_empty()) {
        (true, ..) => vec![remark::core_pattern(pattern)],
        (false, false, false) => vec![remark::core_file(pattern)],
        _ => Vec::new(),
    }
}

/// The kind of the file system that `path` lies on, after `/proc/self/mountinfo`.
fn file_system(path: &Path, mounts: &str) -> Option<String> {
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
    Some(kind)
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

/// What was found in the data folder, the first few of each.
#[derive(Default)]
struct Walked {
    /// What others may reach.
    open: Vec<PathBuf>,
    /// What another account owns.
    foreign: Vec<PathBuf>,
}

/// Looks at the permissions and the owner of what lies in the data folder.
fn walk(data: &Path, socket_group: bool) -> Measured<Walked> {
    let mut walked = Walked::default();
    let mut looked_at = 0;
    let own = labward_os::current_uid();
    let mut waiting = vec![(data.to_owned(), 0)];
    while let Some((path, depth)) = waiting.pop() {
        looked_at += 1;
        if looked_at > MAX_LOOKED_AT || walked.open.len() >= MAX_LISTED {
            break;
        }
        let facts = match fs::symlink_metadata(&path) {
            Ok(facts) => facts,
            // Deleted since its folder was read.
            Err(error) if error.kind() == io::ErrorKind::NotFound && depth > 0 => continue,
            Err(error) => return Err(on(&path, &error)),
        };
        let kind = facts.file_type();
        if facts.uid() != own && walked.foreign.len() < MAX_LISTED {
            walked.foreign.push(path.clone());
        }
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
            walked.open.push(path.clone());
        }
        if kind.is_dir() && depth < MAX_DEPTH {
            for entry in fs::read_dir(&path).map_err(|error| on(&path, &error))? {
                let entry = entry.map_err(|error| on(&path, &error))?;
                waiting.push((entry.path(), depth + 1));
            }
        }
    }
    Ok(walked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use labward_testkit::TempDir;
    use std::fs::Permissions;

    const MOUNTS: &str = "22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n\
        30 22 0:25 / /run rw,nosuid - tmpfs tmpfs rw\n\
        31 22 0:26 / /srv/two\\040words rw - tmpfs tmpfs rw\n\
        32 30 254:1 / /run/disk rw shared:1 master:2 - xfs /dev/vdb rw\n";

    #[test]
    fn the_file_system_is_that_of_the_nearest_mount() {
        for (path, kind) in [
            ("/var/lib/labward", "ext4"),
            ("/run/labward", "tmpfs"),
            ("/running", "ext4"),
            ("/run/disk/labward", "xfs"),
            ("/srv/two words/labward", "tmpfs"),
        ] {
            let found = file_system(Path::new(path), MOUNTS);
            assert_eq!(found.as_deref(), Some(kind), "{path}");
        }
        assert_eq!(file_system(Path::new("/x"), "nonsense"), None);
        let mounts = read("/proc/self/mountinfo").unwrap();
        let found = file_system(Path::new("/proc/self"), &mounts);
        assert_eq!(found.as_deref(), Some("proc"));
    }

    #[test]
    fn a_dump_into_a_program_heeds_no_limit() {
        for (pattern, limit, ways) in [
            ("core\n", Some(0), 0),
            ("core\n", None, 1),
            ("core\n", Some(1 << 20), 1),
            ("|/usr/lib/systemd/systemd-coredump %P\n", Some(0), 1),
            ("\n", None, 0),
        ] {
            assert_eq!(dumped_by(pattern, limit).len(), ways, "{pattern} {limit:?}");
        }
    }

    #[test]
    fn a_reserve_that_is_gone_or_hollow_is_seen() {
        let folder = TempDir::new();
        let path = folder.join("reserve");
        assert_eq!(reserve(&path), Ok(Reserve::default()));
        let file = fs::File::create(&path).unwrap();
        file.set_len(1 << 20).unwrap();
        let hollow = reserve(&path).unwrap();
        assert_eq!(hollow.length, 1 << 20);
        assert!(hollow.allocated < hollow.length);
        labward_os::preallocate(&file, 1 << 20).unwrap();
        let full = reserve(&path).unwrap();
        assert!(full.allocated >= full.length);
    }

    #[test]
    fn what_another_account_owns_is_named() {
        let folder = TempDir::new();
        let file = folder.join("labward.toml");
        fs::write(&file, "x").unwrap();
        assert_eq!(
            walk(folder.path(), false).unwrap().foreign,
            Vec::<PathBuf>::new()
        );
        // Only root may give a file away; elsewhere there is nothing to see.
        if std::os::unix::fs::chown(&file, Some(12_345), None).is_ok() {
            assert_eq!(walk(folder.path(), false).unwrap().foreign, [file]);
        }
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
        assert!(walk(folder.path(), true).unwrap().open.is_empty());
        assert_eq!(walk(folder.path(), false).unwrap().open.len(), 3);
        set(&file, 0o604).unwrap();
        assert_eq!(walk(folder.path(), true).unwrap().open, [file]);
        set(&run, 0o711).unwrap();
        assert_eq!(walk(folder.path(), true).unwrap().open.len(), 2);
        assert!(walk(&folder.join("none"), true).is_err());
    }

    #[test]
    fn this_machine_can_be_measured() {
        let folder = TempDir::new();
        let machine = Machine::measure(folder.path(), false);
        assert_eq!(machine.uid, labward_os::current_uid());
        assert!(machine.disk.is_ok_and(|disk| disk.total_bytes > 0));
        assert!(machine.core_dumps.is_ok() && machine.open_swaps.is_ok());
        assert!(machine.sync_time.is_ok() && machine.inodes.is_ok());
        let nowhere = Machine::measure(&folder.join("none"), false);
        assert!(
            nowhere.disk.unwrap_err().to_string().contains("none"),
            "it says why"
        );
        assert!(nowhere.open_to_others.is_err() && nowhere.foreign_owner.is_err());
        assert!(nowhere.file_system.is_err() && nowhere.sync_time.is_err());
    }
}

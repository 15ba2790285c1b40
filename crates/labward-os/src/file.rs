//! Files that survive a power cut, and facts about where files lie and who may read them.
//!
//! It must never report a write as done before file and folder are synced (**Invariant:** no
//! acknowledgement before durability).

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::fs::{CWD, FallocateFlags, RenameFlags, fallocate, renameat_with, statvfs, syncfs};

use crate::clock::Stopwatch;
use crate::error::OsError;

/// The room on a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskSpace {
    /// What this process may still write, in bytes.
    pub free_bytes: u64,
    /// The size of the file system, in bytes.
    pub total_bytes: u64,
}

/// The inodes of a file system: as many files can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inodes {
    /// How many are free for this process.
    pub free: u64,
    /// How many there are; 0 if the file system makes them as they are needed.
    pub total: u64,
}

/// Who may reach a file or folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// The permission bits, 0o000 to 0o7777.
    pub mode: u32,
    /// The owner.
    pub owner_uid: u32,
}

impl Access {
    /// Whether the owner alone may read, write or enter; an access control list shows as group
    /// access.
    pub const fn is_owner_only(&self) -> bool {
        self.mode & 0o077 == 0
    }
}

/// Who may reach `path`; symbolic links are followed.
///
/// # Errors
/// [`OsError`] if it does not exist or cannot be looked at.
pub fn access_of(path: &Path) -> Result<Access, OsError> {
    let facts = fs::metadata(path).map_err(OsError::on("look at", path))?;
    Ok(Access {
        mode: facts.mode() & 0o7777,
        owner_uid: facts.uid(),
    })
}

/// The number of the file system on which `path` lies.
///
/// Two numbers mean two file systems, not always two disks: partitions of one disk differ too.
///
/// # Errors
/// [`OsError`] if it does not exist or cannot be looked at.
pub fn device_of(path: &Path) -> Result<u64, OsError> {
    let facts = fs::metadata(path).map_err(OsError::on("look at", path))?;
    Ok(facts.dev())
}

/// Whether `a` and `b` lie on one file system, so that who takes the one takes the other.
///
/// # Errors
/// As [`device_of`].
pub fn same_device(a: &Path, b: &Path) -> Result<bool, OsError> {
    Ok(device_of(a)? == device_of(b)?)
}

/// The room on the file system on which `path` lies.
///
/// # Errors
/// [`OsError`] if it does not exist or cannot be looked at.
pub fn disk_space(path: &Path) -> Result<DiskSpace, OsError> {
    let facts = statvfs(path).map_err(OsError::on("measure the disk of", path))?;
    Ok(DiskSpace {
        free_bytes: facts.f_bavail.saturating_mul(facts.f_frsize),
        total_bytes: facts.f_blocks.saturating_mul(facts.f_frsize),
    })
}

/// The inodes of the file system on which `path` lies.
///
/// # Errors
/// [`OsError`] if it does not exist or cannot be looked at.
pub fn inodes(path: &Path) -> Result<Inodes, OsError> {
    let facts = statvfs(path).map_err(OsError::on("count the inodes of", path))?;
    Ok(Inodes {
        free: facts.f_favail,
        total: facts.f_files,
    })
}

/// How long it takes to write 4 KiB in the folder `path` and sync them: the median of a few times.
///
/// # Errors
/// [`OsError`] if nothing can be written there.
pub fn sync_time(path: &Path) -> Result<Duration, OsError> {
    const TIMES: usize = 9;
    let probe = Temporary::beside(&path.join("sync-probe"));
    let measured = (|| {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&probe.0)?;
        let mut times = Vec::with_capacity(TIMES);
        for _ in 0..TIMES {
            file.write_all(&[0; 4096])?;
            let watch = Stopwatch::start();
            file.sync_data()?;
            times.push(watch.elapsed());
        }
        times.sort_unstable();
        Ok(times.get(TIMES / 2).copied().unwrap_or_default())
    })();
    measured.map_err(OsError::on::<std::io::Error>("write and sync in", path))
}

/// Sets aside room for `bytes` from the beginning of `file`, which grows to that length.
///
/// # Errors
/// [`OsError`] if there is not so much room, or the file system cannot set room aside.
pub fn preallocate(file: &File, bytes: u64) -> Result<(), OsError> {
    if bytes == 0 {
        return Ok(());
    }
    fallocate(file, FallocateFlags::empty(), 0, bytes)
        .map_err(|source| OsError::new("set aside", format!("{bytes} bytes of disk"), source))
}

/// Makes the file `path` of `bytes` zeros, for its owner alone, whose room is taken and durable.
///
/// The zeros are really written, so that writing over them later asks the file system for nothing.
/// One that never writes in place (btrfs, ZFS) needs room even then.
///
/// # Errors
/// [`OsError`] if there is a file already, or not so much room; what was begun is removed.
pub fn set_aside(path: &Path, bytes: u64) -> Result<(), OsError> {
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(OsError::on("make", path))?;
    let filled = preallocate(&file, bytes).and_then(|()| {
        write_zeros(&file, bytes)
            .and_then(|()| file.sync_all())
            .map_err(OsError::on("fill", path))
    });
    if filled.is_err() {
        // Half a reserve must not be taken for a whole one.
        let _ = fs::remove_file(path);
    }
    filled.and_then(|()| sync_folder(folder_of(path)))
}

fn write_zeros(mut file: &File, bytes: u64) -> std::io::Result<()> {
    let zeros = [0; 64 * 1024];
    let mut left = bytes;
    while left > 0 {
        let size = usize::try_from(left).map_or(zeros.len(), |left| left.min(zeros.len()));
        let part = zeros.get(..size).unwrap_or(&zeros);
        file.write_all(part)?;
        left -= u64::try_from(size).unwrap_or(left);
    }
    Ok(())
}

/// Makes what was created, renamed or removed in the folder `path` survive a power cut.
///
/// # Errors
/// [`OsError`] if the folder cannot be opened or synced.
pub fn sync_folder(path: &Path) -> Result<(), OsError> {
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(OsError::on("sync", path))
}

/// Makes everything that was written on the file system of the folder `path` survive a power cut:
/// for many files at once.
///
/// # Errors
/// [`OsError`] if the folder cannot be opened or something could not be written.
pub fn sync_file_system(path: &Path) -> Result<(), OsError> {
    let folder = File::open(path).map_err(OsError::on("sync", path))?;
    syncfs(&folder).map_err(|source| OsError::new("sync", path.display().to_string(), source))
}

/// Writes `bytes` as the file `path` with the permissions `mode`, replacing what was there.
///
/// Whoever looks, even after a power cut, sees the old content or the new, whole; after the answer
/// it is the new.
///
/// # Errors
/// [`OsError`]; the old content stands then, unless it says that the folder could not be synced:
/// then the new content stands but may not survive a power cut.
pub fn write_durably(path: &Path, bytes: &[u8], mode: u32) -> Result<(), OsError> {
    place(path, bytes, mode, RenameFlags::empty())
}

/// As [`write_durably`], but never replaces a file that is there.
///
/// # Errors
/// [`OsError`], with [`OsError::kind`] `AlreadyExists` if there is one.
pub fn create_durably(path: &Path, bytes: &[u8], mode: u32) -> Result<(), OsError> {
    place(path, bytes, mode, RenameFlags::NOREPLACE)
}

/// A file that comes into being piece by piece: under another name until [`NewFile::finish`], and
/// gone if that is never called.
pub struct NewFile {
    path: PathBuf,
    temporary: Temporary,
    file: File,
}

impl NewFile {
    /// Begins the file that is to stand at `path` with the permissions `mode`.
    ///
    /// # Errors
    /// [`OsError`] if nothing can be written in its folder.
    pub fn begin(path: &Path, mode: u32) -> Result<Self, OsError> {
        let temporary = Temporary::beside(path);
        let file = temporary.create(mode).map_err(OsError::on("write", path))?;
        Ok(Self {
            path: path.to_owned(),
            temporary,
            file,
        })
    }

    /// Puts it in place, synced; never replaces a file that is there.
    ///
    /// # Errors
    /// [`OsError`], with [`OsError::kind`] `AlreadyExists` if there is one.
    pub fn finish(self) -> Result<(), OsError> {
        let Self {
            path,
            temporary,
            file,
        } = self;
        file.sync_all().map_err(OsError::on("write", &path))?;
        renameat_with(CWD, &temporary.0, CWD, &path, RenameFlags::NOREPLACE)
            .map_err(OsError::on("put in place", &path))?;
        sync_folder(folder_of(&path))
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

fn place(path: &Path, bytes: &[u8], mode: u32, flags: RenameFlags) -> Result<(), OsError> {
    let temporary = Temporary::beside(path);
    temporary
        .write(bytes, mode)
        .map_err(OsError::on("write", path))?;
    renameat_with(CWD, &temporary.0, CWD, path, flags)
        .map_err(OsError::on("put in place", path))?;
    sync_folder(folder_of(path))
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A file that is being written, under a name nobody else uses; removed when dropped, which after
/// the renaming removes nothing.
struct Temporary(PathBuf);

impl Temporary {
    fn beside(path: &Path) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = format!(".{name}.{}-{count}.tmp", std::process::id());
        Self(folder_of(path).join(name))
    }

    fn write(&self, bytes: &[u8], mode: u32) -> std::io::Result<()> {
        let mut file = self.create(mode)?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    fn create(&self, mode: u32) -> std::io::Result<File> {
        // A crash may have left a file of this name: nobody else's, for the process id is ours.
        let _ = fs::remove_file(&self.0);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode & 0o700)
            .open(&self.0)?;
        // After the opening, because the umask narrows the mode given there.
        file.set_permissions(Permissions::from_mode(mode))?;
        Ok(file)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::ErrorKind;

    /// A folder of its own under the system's temporary one, removed when dropped.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path =
                std::env::temp_dir().join(format!("labward-os-{name}-{}", std::process::id()));
            fs::create_dir(&path).unwrap();
            Self(path)
        }

        fn names(&self) -> Vec<String> {
            let mut names: Vec<String> = fs::read_dir(&self.0)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_durable_write_replaces_the_whole_file_and_leaves_nothing_beside_it() {
        let folder = Folder::new("write");
        let path = folder.0.join("root.key");
        write_durably(&path, b"a longer first content", 0o600).unwrap();
        write_durably(&path, b"second", 0o640).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(access_of(&path).unwrap().mode, 0o640);
        assert_eq!(folder.names(), ["root.key"]);
    }

    #[test]
    fn creating_never_replaces() {
        let folder = Folder::new("create");
        let path = folder.0.join("root.key");
        create_durably(&path, b"first", 0o400).unwrap();
        let error = create_durably(&path, b"second", 0o400).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(folder.names(), ["root.key"]);
    }

    #[test]
    fn a_new_file_is_there_whole_or_not_at_all() {
        let folder = Folder::new("new");
        let path = folder.0.join("image");
        let mut file = NewFile::begin(&path, 0o600).unwrap();
        file.write_all(b"first ").unwrap();
        drop(file);
        assert!(folder.names().is_empty());
        let mut file = NewFile::begin(&path, 0o600).unwrap();
        file.write_all(b"first ").unwrap();
        file.write_all(b"second").unwrap();
        assert!(!path.exists());
        file.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"first second");
        assert_eq!(access_of(&path).unwrap().mode, 0o600);
        let again = NewFile::begin(&path, 0o600).unwrap();
        let error = again.finish().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert_eq!(folder.names(), ["image"]);
    }

    #[test]
    fn a_write_that_fails_leaves_the_old_content_and_says_where() {
        let folder = Folder::new("fails");
        let path = folder.0.join("taken");
        fs::create_dir(&path).unwrap();
        let error = write_durably(&path, b"x", 0o600).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("put in place {}", path.display())
        );
        assert_eq!(folder.names(), ["taken"]);
        let nowhere = folder.0.join("no/such/folder/file");
        let error = write_durably(&nowhere, b"x", 0o600).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }

    #[test]
    fn access_beyond_the_owner_is_seen() {
        let folder = Folder::new("access");
        let path = folder.0.join("file");
        for (mode, alone) in [
            (0o600, true),
            (0o700, true),
            (0o640, false),
            (0o604, false),
            (0o610, false),
        ] {
            write_durably(&path, b"x", mode).unwrap();
            let access = access_of(&path).unwrap();
            assert_eq!(access.is_owner_only(), alone, "{mode:o}");
            assert_eq!(access.owner_uid, crate::current_uid());
        }
        let error = access_of(&folder.0.join("nothing")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }

    #[test]
    fn proc_lies_on_another_device_than_the_temporary_folder() {
        let folder = Folder::new("device");
        let file = folder.0.join("file");
        fs::write(&file, b"x").unwrap();
        assert!(same_device(&folder.0, &file).unwrap());
        assert!(!same_device(&folder.0, Path::new("/proc")).unwrap());
        assert!(same_device(&folder.0, Path::new("/no/such/path")).is_err());
    }

    #[test]
    fn free_room_is_part_of_the_whole() {
        let space = disk_space(&std::env::temp_dir()).unwrap();
        assert!(space.total_bytes > 0);
        assert!(space.free_bytes <= space.total_bytes);
        assert!(disk_space(Path::new("/no/such/path")).is_err());
    }

    #[test]
    fn inodes_and_the_time_of_a_sync_are_measured_and_nothing_is_left_behind() {
        let folder = Folder::new("probe");
        let inodes = inodes(&folder.0).unwrap();
        assert!(inodes.free <= inodes.total);
        let time = sync_time(&folder.0).unwrap();
        assert!(time < Duration::from_secs(60), "{time:?}");
        assert_eq!(folder.names(), Vec::<String>::new());
        assert!(sync_time(&folder.0.join("nothing")).is_err());
    }

    #[test]
    fn preallocated_room_is_really_taken() {
        let folder = Folder::new("preallocate");
        let file = File::create(folder.0.join("reserve")).unwrap();
        preallocate(&file, 0).unwrap();
        preallocate(&file, 1_000_000).unwrap();
        let facts = file.metadata().unwrap();
        assert_eq!(facts.len(), 1_000_000);
        assert!(facts.blocks() * 512 >= 1_000_000, "{}", facts.blocks());
        assert!(preallocate(&file, u64::MAX / 4).is_err());
    }

    #[test]
    fn what_is_set_aside_is_the_owners_taken_and_zero_and_replaces_nothing() {
        let folder = Folder::new("aside");
        let path = folder.0.join("reserve");
        set_aside(&path, 150_000).unwrap();
        assert_eq!(fs::read(&path).unwrap(), vec![0; 150_000]);
        let facts = fs::metadata(&path).unwrap();
        assert!(facts.blocks() * 512 >= 150_000);
        assert_eq!(facts.permissions().mode() & 0o777, 0o600);
        assert_eq!(
            set_aside(&path, 1).unwrap_err().kind(),
            ErrorKind::AlreadyExists
        );
        let too_large = folder.0.join("large");
        assert!(set_aside(&too_large, u64::MAX / 4).is_err());
        assert_eq!(folder.names(), ["reserve"]);
    }

    #[test]
    fn only_a_folder_that_exists_is_synced() {
        let folder = Folder::new("sync");
        sync_folder(&folder.0).unwrap();
        assert!(sync_folder(&folder.0.join("nothing")).is_err());
        assert_eq!(folder_of(Path::new("file")), Path::new("."));
    }
}

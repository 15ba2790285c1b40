//! Whether what is swapped out lands on a disk in clear.
//!
//! It must never take swap for encrypted because it cannot be told: then it is listed.

use std::fs;
use std::path::{Path, PathBuf};

use labward_base::remark;

use super::Measured;

/// Devices that stand on devices that stand on …
const MAX_DEPTH: usize = 8;

/// Swap of this machine that is not known to be encrypted.
pub(super) fn open_swaps() -> Measured<Vec<String>> {
    let table = fs::read_to_string("/proc/swaps");
    let table = table.map_err(|error| remark::file("/proc/swaps", error.to_string()))?;
    Ok(open_in(&table, Path::new("/sys/block")))
}

/// The swaps of `table` (as `/proc/swaps` lists them) that are not on a device of dm-crypt or in
/// compressed memory, by what `blocks` (`/sys/block`) says.
fn open_in(table: &str, blocks: &Path) -> Vec<String> {
    let lines = table.lines().skip(1).filter(|line| !line.trim().is_empty());
    let swaps = lines.filter_map(|line| line.split_whitespace().next());
    swaps
        .filter(|swap| !is_closed(swap, blocks))
        .map(str::to_owned)
        .collect()
}

fn is_closed(swap: &str, blocks: &Path) -> bool {
    // /dev/mapper/swap leads to /dev/dm-0; of a file nothing is known.
    let device = Path::new(swap).canonicalize();
    let device = device.unwrap_or_else(|_| PathBuf::from(swap));
    let name = device
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    device.starts_with("/dev") && (is_in_memory(&name, blocks) || is_encrypted(&name, blocks, 0))
}

/// Compressed memory, unless it writes to a disk what does not fit.
fn is_in_memory(name: &str, blocks: &Path) -> bool {
    let backing = fs::read_to_string(blocks.join(name).join("backing_dev"));
    name.starts_with("zram") && backing.map_or(true, |backing| backing.trim() == "none")
}

fn is_encrypted(name: &str, blocks: &Path, depth: usize) -> bool {
    let block = blocks.join(name);
    let uuid = fs::read_to_string(block.join("dm/uuid")).unwrap_or_default();
    if uuid.starts_with("CRYPT-") {
        return true;
    }
    // A volume on encrypted disks is encrypted if all of them are.
    let Ok(below) = fs::read_dir(block.join("slaves")) else {
        return false;
    };
    let names: Vec<String> = below
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    depth < MAX_DEPTH
        && !names.is_empty()
        && names
            .iter()
            .all(|name| is_encrypted(name, blocks, depth + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use labward_testkit::TempDir;

    #[test]
    fn only_swap_on_dm_crypt_or_in_memory_is_closed() {
        let blocks = TempDir::new();
        let device = |name: &str, uuid: &str, slaves: &[&str]| {
            fs::create_dir_all(blocks.join(name).join("dm")).unwrap();
            fs::write(blocks.join(name).join("dm/uuid"), uuid).unwrap();
            for slave in slaves {
                fs::create_dir_all(blocks.join(name).join("slaves").join(slave)).unwrap();
            }
        };
        device("dm-90", "CRYPT-PLAIN-swap\n", &["sda2"]);
        device("dm-91", "LVM-abc\n", &["dm-90"]);
        device("dm-92", "LVM-def\n", &["dm-90", "sda3"]);
        let open = |swap: &str| {
            let table =
                format!("Filename\tType\tSize\tUsed\tPriority\n{swap}\tpartition\t1\t0\t-2\n");
            !open_in(&table, blocks.path()).is_empty()
        };
        for (swap, is_open) in [
            ("/dev/dm-90", false),
            ("/dev/dm-91", false),
            ("/dev/dm-92", true),
            ("/dev/zram7", false),
            ("/dev/sdz9", true),
            ("/swapfile-of-nobody", true),
        ] {
            assert_eq!(open(swap), is_open, "{swap}");
        }
        assert_eq!(open_in("Filename\n", blocks.path()), Vec::<String>::new());
        assert!(open_swaps().is_ok());
    }
}

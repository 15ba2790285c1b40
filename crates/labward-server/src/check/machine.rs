//! Checks of the machine and the data folder.

use super::{CheckInput, Found};

const GIB: u64 = 1024 * 1024 * 1024;

pub(super) fn in_memory(input: &CheckInput) -> Found {
    Found::when(input.machine.in_memory)
}

pub(super) fn open_to_others(input: &CheckInput) -> Found {
    match &input.machine.open_to_others {
        None => Found::Unmeasured,
        Some(paths) => Found::at(paths.iter().map(|path| path.display())),
    }
}

pub(super) fn disk_full(input: &CheckInput) -> Found {
    Found::when(is_below(input, 5, GIB))
}

pub(super) fn disk_low(input: &CheckInput) -> Found {
    let full = is_below(input, 5, GIB);
    Found::when(is_below(input, 15, 0).map(|low| low && full == Some(false)))
}

pub(super) fn core_dumps(input: &CheckInput) -> Found {
    Found::when(input.machine.core_dumps)
}

pub(super) fn swap(input: &CheckInput) -> Found {
    Found::when(input.machine.swap)
}

pub(super) fn root(input: &CheckInput) -> Found {
    Found::when(Some(input.machine.uid == 0))
}

/// Whether less than `percent` of the disk, or less than `bytes`, is free.
fn is_below(input: &CheckInput, percent: u64, bytes: u64) -> Option<bool> {
    let disk = input.machine.disk?;
    let part = disk.total_bytes / 100 * percent;
    Some(disk.free_bytes < part.max(bytes))
}

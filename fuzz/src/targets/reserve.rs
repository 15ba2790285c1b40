//! Whatever stands in the reserve's file, its readings are found in order, what is written behind
//! them is found behind them, and nothing is left after they were merged.

use std::fs::{self, File};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::LazyLock;

use labward_records::reserve::raw::RawReserve;

const PAGE: usize = 4_096;

/// A file in memory that has no name and goes with this process.
static FILE: LazyLock<File> = LazyLock::new(|| {
    let name = format!("/dev/shm/labward-fuzz-reserve-{}", std::process::id());
    let file = File::options().read(true).write(true).create_new(true).open(&name);
    fs::remove_file(&name).expect("it was just made");
    file.expect("room in memory")
});

pub fn run(data: &[u8]) {
    let [merged, room, content @ ..] = data else { return };
    let merged = u64::from(*merged);
    let mut bytes = content.to_vec();
    bytes.resize(bytes.len() + usize::from(*room) * 64, 0);
    let path = PathBuf::from(format!("/proc/self/fd/{}", FILE.as_raw_fd()));
    let filled = FILE.set_len(0).and_then(|()| FILE.write_all_at(&bytes, 0));
    filled.expect("room in memory");
    let mut reserve = RawReserve::open(&path, merged).expect("any content is read");
    let before = reserve.readings(merged).expect("any content is read");
    let mut last = merged;
    for (number, _) in &before {
        assert!(*number > last, "a number comes once and in order");
        last = *number;
    }
    let sealed = &content[..content.len().min(PAGE)];
    if last < u64::MAX
        && let Some(number) = reserve.append(sealed)
    {
        assert_eq!(number, last + 1);
        let mut expected = before;
        expected.push((number, sealed.to_vec()));
        assert_eq!(reserve.readings(merged).expect("it is read"), expected);
        reserve = RawReserve::open(&path, merged).expect("it is opened again");
        assert_eq!(reserve.readings(merged).expect("it is read"), expected);
    }
    reserve.wipe().expect("it is wiped");
    assert_eq!(reserve.readings(0).expect("it is read"), []);
    let kept = fs::read(&path).expect("it is read");
    assert_eq!(kept.len(), bytes.len(), "the file is as long as it was");
    assert!(kept.iter().take(kept.len() / PAGE * PAGE).all(|byte| *byte == 0));
}

//! Any bytes as a list of hashes: every hash that is counted is found again, or the list is refused.

use labward_scan::hashes::Collector;

/// The forms are told by the ending of the name, too.
const NAMES: [&str; 4] = ["list", "a.hdb", "m.csv", "w.json"];

pub fn run(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    let name = NAMES[usize::from(*first) % NAMES.len()];
    let mut collector = Collector::default();
    let Ok(list) = collector.add(name, rest).cloned() else { return };
    assert!(list.hashes > 0);
    let kept = collector.finish().len();
    assert!(kept > 0 && kept <= list.hashes);
}

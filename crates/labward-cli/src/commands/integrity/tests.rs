//! A folder before and after somebody was at it.

use std::fs;

use labward_testkit::TempDir;

use super::compare::{Kind, explain};
use super::manifest::Line;
use super::program::{Program, ProgramKind};
use super::*;

fn manifest(folder: &Path) -> Vec<u8> {
    let mut writer = Writer::begin(Vec::new(), &head("pc", folder)).unwrap();
    let held = HeldFolder::open(folder).unwrap();
    collect::collect(&held, &mut |line| {
        writer.add(&line).unwrap();
        Ok(())
    })
    .unwrap();
    writer.finish().unwrap().0
}

fn merge(before: &[u8], after: &[u8]) -> (Vec<Change>, IntegrityCounts) {
    let mut merge = Merge::begin(Reader::begin(before).unwrap()).unwrap();
    let mut now = Reader::begin(after).unwrap();
    while let Some((path, line)) = now.next().unwrap() {
        merge.take(&path, &line).unwrap();
    }
    merge.finish().unwrap();
    (merge.changes, merge.counts)
}

#[test]
fn what_was_added_changed_moved_removed_is_told_apart() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = TempDir::new();
    for name in ["changed", "gone", "mode", "moved", "same", "touched"] {
        fs::write(folder.join(name), name).unwrap();
    }
    let before = manifest(folder.path());
    assert!(merge(&before, &before).0.is_empty());
    fs::create_dir(folder.join("a")).unwrap();
    fs::rename(folder.join("moved"), folder.join("a/other")).unwrap();
    fs::remove_file(folder.join("gone")).unwrap();
    fs::write(folder.join("new"), "new").unwrap();
    fs::write(folder.join("changed"), "Changed").unwrap();
    fs::write(folder.join("touched"), "touched").unwrap();
    fs::set_permissions(folder.join("mode"), fs::Permissions::from_mode(0o4755)).unwrap();
    let (changes, counts) = merge(&before, &manifest(folder.path()));
    let told: Vec<_> = changes
        .iter()
        .map(|one| (one.kind, one.path.to_str().unwrap()))
        .collect();
    let expected = [
        (Kind::Moved, "a/other"),
        (Kind::Changed, "changed"),
        (Kind::Removed, "gone"),
        (Kind::Rights, "mode"),
        (Kind::Added, "new"),
    ];
    assert_eq!(told, expected);
    assert_eq!(
        (
            counts.added,
            counts.changed,
            counts.moved,
            counts.removed,
            counts.rights,
            counts.files
        ),
        (1, 1, 1, 1, 1, 6)
    );
}

fn program(version: &str, signed: bool) -> Program {
    Program {
        kind: ProgramKind::Windows,
        version: Some(version.to_owned()),
        signed: Some(signed),
    }
}

fn changed(
    was: Program,
    is: Program,
    verdict: &'static str,
) -> (Option<&'static str>, Vec<&'static str>) {
    let facts = |hash: &str, program: Program| manifest::FileFacts {
        size: hash.len() as u64,
        sha256: hash.to_owned(),
        modified: (0, 0),
        mode: 0,
        owner: 0,
        group: 0,
        program: Some(program),
    };
    let text = |one: manifest::FileFacts| {
        let mut writer = Writer::begin(Vec::new(), &head("pc", Path::new("/"))).unwrap();
        writer
            .add(&Line::new(Path::new("windows/x.exe"), Ok(one)))
            .unwrap();
        writer.finish().unwrap().0
    };
    let (mut changes, mut counts) = merge(&text(facts("a", was)), &text(facts("bb", is)));
    changes[0].verdict = Some(verdict);
    explain(&mut changes, &mut counts, true);
    (changes[0].explained, changes[0].alarms.clone())
}

#[test]
fn only_a_newer_signed_and_clean_program_looks_like_an_update() {
    let old = || program("10.0.9.1", true);
    let new = || program("10.0.19.1", true);
    assert_eq!(changed(old(), new(), "clean"), (Some("update"), vec![]));
    assert_eq!(
        changed(new(), old(), "clean"),
        (None, vec!["older-version"])
    );
    assert_eq!(
        changed(old(), program("10.0.20.1", false), "clean"),
        (None, vec!["signature-lost"])
    );
    assert_eq!(changed(old(), new(), "malicious"), (None, vec!["malware"]));
    assert_eq!(
        changed(old(), new(), "scanner-error"),
        (None, vec!["not-scanned"])
    );
    let unsigned = || program("1.0.0.0", false);
    assert_eq!(
        changed(unsigned(), unsigned(), "clean"),
        (None, vec!["unsigned-program"])
    );
}

#[test]
fn a_change_that_hides_its_time_is_an_alarm() {
    let folder = TempDir::new();
    let path = folder.join("result.cfg");
    fs::write(&path, "low=3.5").unwrap();
    let before = manifest(folder.path());
    let time = fs::metadata(&path).unwrap().modified().unwrap();
    fs::write(&path, "low=9.5").unwrap();
    File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_modified(time)
        .unwrap();
    let (mut changes, mut counts) = merge(&before, &manifest(folder.path()));
    let alarms = explain(&mut changes, &mut counts, true);
    assert_eq!(alarms[0].code, "changed-unseen");
}

//! A folder before and after somebody was at it.

use std::fs;

use labward_testkit::program::windows_program;
use labward_testkit::{Publisher, TempDir};

use super::compare::{Kind, explain, signers};
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

/// What is told of one program after the scanner said `verdict`.
fn changed(was: Option<&[u8]>, is: &[u8], verdict: &'static str) -> (Change, Vec<u8>) {
    let folder = TempDir::new();
    let path = folder.join("x.exe");
    if let Some(was) = was {
        fs::write(&path, was).unwrap();
    }
    let before = manifest(folder.path());
    fs::write(&path, is).unwrap();
    let (mut changes, mut counts) = merge(&before, &manifest(folder.path()));
    changes[0].verdict = Some(verdict);
    explain(&mut changes, &mut counts, true);
    (changes.remove(0), before)
}

fn told(
    was: Option<&[u8]>,
    is: &[u8],
    verdict: &'static str,
) -> (Option<&'static str>, &'static str, Vec<&'static str>) {
    let change = changed(was, is, verdict).0;
    let signing = change.signing.map_or("", signing::Signing::code);
    (change.explained, signing, change.alarms)
}

fn maker() -> Publisher {
    Publisher::new("Example Analyzers GmbH", "Example Analyzers")
}

fn old() -> Vec<u8> {
    windows_program(b"old", [10, 0, 9, 1])
}

fn new() -> Vec<u8> {
    windows_program(b"newer", [10, 0, 19, 1])
}

#[test]
fn only_a_newer_and_clean_program_of_the_same_signer_looks_like_an_update() {
    let maker = maker();
    let (was, is) = (maker.sign(&old()), maker.sign(&new()));
    let same = |alarms| (None, "same-signer", alarms);
    let update = (Some("update"), "same-signer", vec![]);
    assert_eq!(told(Some(&was), &is, "clean"), update);
    assert_eq!(told(Some(&is), &was, "clean"), same(vec!["older-version"]));
    assert_eq!(told(Some(&was), &is, "malicious"), same(vec!["malware"]));
    let not_scanned = same(vec!["not-scanned"]);
    assert_eq!(told(Some(&was), &is, "scanner-error"), not_scanned);
    let renewed = maker.renewed();
    assert_eq!(told(Some(&was), &renewed.sign(&new()), "clean"), update);
    let other = renewed.succeeded_by("Other Ltd", "Other");
    let other = told(Some(&was), &other.sign(&new()), "clean");
    assert_eq!(other, (None, "other-signer", vec!["signer-changed"]));
}

#[test]
fn a_certificate_that_only_says_the_same_names_is_no_update() {
    let was = maker().sign(&old());
    let forged = maker().sign(&new());
    let forged = told(Some(&was), &forged, "clean");
    assert_eq!(forged, (None, "same-name", vec!["signer-unproven"]));
}

#[test]
fn a_signature_that_is_gone_or_does_not_fit_is_an_alarm() {
    let maker = maker();
    let was = maker.sign(&old());
    let lost = told(Some(&was), &new(), "clean");
    assert_eq!(lost, (None, "lost", vec!["signature-lost"]));
    let mut patched = maker.sign(&new());
    patched[0x200] ^= 1;
    let wrong = (None, "wrong", vec!["signature-wrong"]);
    assert_eq!(told(Some(&was), &patched, "clean"), wrong);
    assert_eq!(told(None, &patched, "clean"), wrong);
    let mut unread = maker.sign(&new());
    let table = new().len() + 8;
    unread[table] ^= 0xff;
    let unread = told(Some(&was), &unread, "clean");
    assert_eq!(unread, (None, "unread", vec!["signature-unread"]));
    let unsigned = told(Some(&old()), &new(), "clean");
    assert_eq!(unsigned, (None, "", vec!["unsigned-program"]));
    let first = told(Some(&old()), &maker.sign(&new()), "clean");
    assert_eq!(first, (None, "new", vec![]));
}

#[test]
fn a_person_reads_who_signed_and_the_server_is_told_how_many() {
    let maker = maker();
    let (was, is) = (maker.sign(&old()), maker.sign(&new()));
    let (change, _) = changed(Some(&was), &is, "clean");
    let mut out = Vec::new();
    write_change(&mut out, &change).unwrap();
    let name = "Example Analyzers GmbH (Example Analyzers)";
    let line = format!(
        "changed x.exe, version 10.0.19.1, clean, update; signed by the same signer as before, {name}\n"
    );
    assert_eq!(String::from_utf8(out).unwrap(), line);
    let kinds = signers(&[change.clone(), change]);
    assert_eq!(kinds.len(), 1);
    assert_eq!((kinds[0].how.as_str(), kinds[0].count), ("same-signer", 2));
    assert_eq!(kinds[0].was.as_deref(), Some(name));
}

/// What was written before signers were read.
#[test]
fn a_baseline_of_the_first_form_explains_no_update() {
    let maker = maker();
    let folder = TempDir::new();
    let path = folder.join("x.exe");
    fs::write(&path, maker.sign(&old())).unwrap();
    let head = Head {
        labward_integrity: 1,
        ..head("pc", folder.path())
    };
    let mut writer = Writer::begin(Vec::new(), &head).unwrap();
    let held = HeldFolder::open(folder.path()).unwrap();
    collect::collect(&held, &mut |mut line| {
        let file = line.file.as_mut().unwrap();
        file.program.as_mut().unwrap().signature = None;
        writer.add(&line).unwrap();
        Ok(())
    })
    .unwrap();
    let before = writer.finish().unwrap().0;
    fs::write(&path, maker.sign(&new())).unwrap();
    let (mut changes, mut counts) = merge(&before, &manifest(folder.path()));
    changes[0].verdict = Some("clean");
    explain(&mut changes, &mut counts, true);
    let change = &changes[0];
    assert_eq!(change.signing, Some(signing::Signing::UnknownBefore));
    assert_eq!((change.explained, change.alarms.len()), (None, 0));
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

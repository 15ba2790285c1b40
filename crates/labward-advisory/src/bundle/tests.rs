//! Archives that are whole, that lie, and that are meant to do harm.

use std::io::{Cursor, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;
use labward_base::Timestamp;
use proptest::prelude::*;
use zip::write::SimpleFileOptions;

use super::*;
use crate::integrity::{MinisignKey, PublicKey, SignatureFault};

const CSAF: &[u8] = include_bytes!("fixtures/advisory.json");
const CSAF_ASC: &[u8] = include_bytes!("fixtures/advisory.json.asc");
const PUBLISHER: &[u8] = include_bytes!("fixtures/publisher.key.asc");
const EPSS: &[u8] = b"#model_version:v2025.03.14,score_date:2025-08-25T00:00:00+0000\ncve,epss,percentile\nCVE-2019-0708,0.94,0.99\n";
const OSV: &[u8] = br#"{"id":"RUSTSEC-2020-0001","modified":"2020-01-01T00:00:00Z","affected":[]}"#;
const KEV: &[u8] = br#"{"catalogVersion":"2025.01.01","vulnerabilities":[]}"#;
const BUNDLE_KEY: &[u8] = include_bytes!("fixtures/bundle.pub");
const OTHER_KEY: &[u8] = include_bytes!("fixtures/other.pub");
const MANIFEST_SIGNATURE: &[u8] = include_bytes!("fixtures/manifest.json.minisig");

fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap()
}

fn hash_of(name: &str, bytes: &[u8]) -> Vec<u8> {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA512, bytes);
    let hex: String = hash
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{hex}  {name}\n").into_bytes()
}

fn header(name: &[u8], size: usize, kind: u8) -> Vec<u8> {
    let mut block = vec![0; BLOCK];
    block[..name.len().min(100)].copy_from_slice(&name[..name.len().min(100)]);
    block[124..135].copy_from_slice(format!("{size:011o}").as_bytes());
    block[148..156].fill(b' ');
    block[156] = kind;
    block[257..263].copy_from_slice(b"ustar\0");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    block
}

use super::tar::BLOCK;

fn entry(name: &[u8], bytes: &[u8], kind: u8) -> Vec<u8> {
    let mut all = header(name, bytes.len(), kind);
    all.extend(bytes);
    all.resize(all.len().next_multiple_of(BLOCK), 0);
    all
}

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut all: Vec<u8> = files
        .iter()
        .flat_map(|(name, bytes)| entry(name.as_bytes(), bytes, b'0'))
        .collect();
    all.resize(all.len() + 2 * BLOCK, 0);
    all
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// What came of a file: name, kind and trust of each document, and the codes of the faults by name.
type Outcome = (Vec<(String, Kind, Trust)>, Vec<(String, &'static str)>);

fn walked(name: &str, bytes: &[u8], bounds: &Bounds) -> (Outcome, Walked) {
    let keys = [PublicKey::parse(PUBLISHER).unwrap()];
    let bundle_keys = [MinisignKey::parse(BUNDLE_KEY).unwrap()];
    let checks = Checks {
        keys: &keys,
        bundle_keys: &bundle_keys,
        now: now(),
    };
    let mut items = Vec::new();
    let walked = walk(name, bytes, Beside::default(), &checks, bounds, |item| {
        items.push((item.name.to_owned(), item.kind, item.trust()));
    });
    assert_eq!(walked.documents, items.len());
    let faults = walked.faults.iter();
    let faults = faults
        .map(|one| (one.name.clone(), one.kind.code()))
        .collect();
    ((items, faults), walked)
}

#[track_caller]
fn check(name: &str, bytes: &[u8], items: &[(&str, Kind, Trust)], faults: &[(&str, &'static str)]) {
    let (outcome, _) = walked(name, bytes, &Bounds::default());
    let items = items
        .iter()
        .map(|(name, kind, trust)| ((*name).to_owned(), *kind, *trust));
    let faults = faults
        .iter()
        .map(|(name, code)| ((*name).to_owned(), *code));
    assert_eq!(outcome, (items.collect(), faults.collect()));
}

#[test]
fn a_file_is_what_stands_in_it() {
    use Kind::{Csaf, CycloneDx, Epss, Kev, OpenVex, Osv, Spdx};
    let spdx = br#"{"spdxVersion":"SPDX-2.3","packages":[]}"#;
    let vex = br#"{"@context":"https://openvex.dev/ns/v0.2.0","statements":[]}"#;
    let kev_csv = b"\"cveID\",\"vendorProject\",\"dateAdded\"\n";
    let documents: [(&[u8], Kind); 9] = [
        (CSAF, Csaf),
        (
            br#" {"bomFormat":"CycloneDX","specVersion":"1.6"}"#,
            CycloneDx,
        ),
        (EPSS, Epss),
        (KEV, Kev),
        (kev_csv, Kev),
        (vex, OpenVex),
        (OSV, Osv),
        (br#"[{"id":"A-1","modified":"2020-01-01T00:00:00Z"}]"#, Osv),
        (spdx, Spdx),
    ];
    for (bytes, kind) in documents {
        check(
            "any-name",
            bytes,
            &[("any-name", kind, Trust::Unsigned)],
            &[],
        );
    }
    check("x.json", b"", &[], &[("x.json", "empty")]);
    check("x.json", b"{\"document\":", &[], &[("x.json", "not-json")]);
    check("x.json", b"{}", &[], &[("x.json", "unknown")]);
    check("x.csv", b"a,b\n1,2\n", &[], &[("x.csv", "unknown")]);
    let deep = "[".repeat(200);
    check("x.json", deep.as_bytes(), &[], &[("x.json", "too-complex")]);
}

#[test]
fn every_kind_of_archive_gives_the_same_documents() {
    let hash = hash_of("a.json", CSAF);
    let files: [(&str, &[u8]); 4] = [
        ("d/a.json.sha512", &hash),
        ("d/a.json", CSAF),
        ("d/a.json.asc", CSAF_ASC),
        ("epss.csv", EPSS),
    ];
    let tar = tar(&files);
    let zstd = zstd::stream::encode_all(tar.as_slice(), 3).unwrap();
    for archive in [gz(&tar), zip(&files), zstd, tar] {
        let expect = [
            ("d/a.json", Kind::Csaf, Trust::Signed),
            ("epss.csv", Kind::Epss, Trust::Unsigned),
        ];
        check("x", &archive, &expect, &[]);
    }
}

#[test]
fn what_is_packed_alone_or_in_another_archive_is_reached() {
    check(
        "epss.csv.gz",
        &gz(EPSS),
        &[("epss.csv", Kind::Epss, Trust::Unsigned)],
        &[],
    );
    let inner = zip(&[("one.json", OSV), ("b/two.json", OSV)]);
    let outer = gz(&tar(&[("all.zip", &inner), ("epss.csv.gz", &gz(EPSS))]));
    let expect = [
        ("all.zip/one.json", Kind::Osv, Trust::Unsigned),
        ("all.zip/b/two.json", Kind::Osv, Trust::Unsigned),
        ("epss.csv", Kind::Epss, Trust::Unsigned),
    ];
    check("x", &outer, &expect, &[]);
    let mut nested = zip(&[("a.json", OSV)]);
    for _ in 0..DEEPEST {
        nested = zip(&[("z", &nested)]);
    }
    check("x", &nested, &[], &[("z/z/z/z", "too-deep")]);
}

#[test]
fn a_document_that_is_not_what_its_hash_or_signature_says_is_refuted() {
    let hash = hash_of("a.json", OSV);
    let archive = tar(&[("a.json", CSAF), ("a.json.sha512", &hash)]);
    check(
        "x",
        &archive,
        &[("a.json", Kind::Csaf, Trust::Refuted)],
        &[],
    );
    let archive = tar(&[("a.json", OSV), ("a.json.asc", CSAF_ASC)]);
    check("x", &archive, &[("a.json", Kind::Osv, Trust::Refuted)], &[]);
    let foreign = include_bytes!("../integrity/fixtures/other.json.asc");
    let archive = tar(&[("a.json", CSAF), ("a.json.asc", foreign)]);
    check(
        "x",
        &archive,
        &[("a.json", Kind::Csaf, Trust::Unsigned)],
        &[],
    );
}

#[test]
fn what_refutes_an_archive_refutes_all_that_is_in_it() {
    let archive = gz(&tar(&[("a.json", CSAF), ("a.json.asc", CSAF_ASC)]));
    let wrong = hash_of("x.tar.gz", b"another");
    let right = hash_of("x.tar.gz", &archive);
    for (hash, expect) in [(wrong, Trust::Refuted), (right, Trust::Signed)] {
        let keys = [PublicKey::parse(PUBLISHER).unwrap()];
        let checks = Checks {
            keys: &keys,
            bundle_keys: &[],
            now: now(),
        };
        let beside = Beside {
            sha512: Some(&hash),
            ..Beside::default()
        };
        let mut trusts = Vec::new();
        walk(
            "x.tar.gz",
            &archive,
            beside,
            &checks,
            &Bounds::default(),
            |item| {
                trusts.push(item.trust());
            },
        );
        assert_eq!(trusts, [expect]);
    }
}

#[test]
fn nothing_is_left_out_in_silence() {
    let mut archive = entry(b"folder/", b"", b'5');
    archive.extend(entry(b"link.json", b"", b'2'));
    archive.extend(tar(&[
        ("changes.csv", b"\"a.json\",\"2020-01-01\"\n"),
        ("feed.json", br#"{"feed":{"id":"x"}}"#),
        ("LICENSE", b"Do what you want."),
        ("orphan.json.asc", CSAF_ASC),
        ("page.html", b"<html>"),
        ("bad\x1b[2J.json", b"{"),
        ("a.json", OSV),
    ]));
    let faults = [
        ("link.json", "not-a-file"),
        ("page.html", "unknown"),
        ("bad\u{fffd}[2J.json", "not-json"),
        ("orphan.json.asc", "beside-nothing"),
    ];
    check(
        "x",
        &archive,
        &[("a.json", Kind::Osv, Trust::Unsigned)],
        &faults,
    );
    let (_, walked) = walked("x", &archive, &Bounds::default());
    let notices: Vec<_> = walked
        .notices
        .iter()
        .map(|(name, what)| (&**name, *what))
        .collect();
    let expect = [
        ("changes.csv", Notice::Index),
        ("feed.json", Notice::Index),
        ("LICENSE", Notice::Prose),
    ];
    assert_eq!(notices, expect);
}

#[test]
fn long_names_of_both_kinds_are_read_and_those_that_are_too_long_refused() {
    let long = format!("{}/a.json", "d".repeat(300));
    let mut gnu = entry(b"././@LongLink", format!("{long}\0").as_bytes(), b'L');
    gnu.extend(tar(&[("cut", OSV)]));
    check("x", &gnu, &[(&long, Kind::Osv, Trust::Unsigned)], &[]);
    let record = format!(" path={long}\n");
    let record = format!("{}{record}", record.len() + 3);
    let mut pax = entry(b"PaxHeaders/a", record.as_bytes(), b'x');
    pax.extend(tar(&[("cut", OSV)]));
    check("x", &pax, &[(&long, Kind::Osv, Trust::Unsigned)], &[]);
    let too_long = "n".repeat(LONGEST_NAME + 1);
    let mut gnu = entry(b"././@LongLink", too_long.as_bytes(), b'L');
    gnu.extend(tar(&[("cut", OSV)]));
    check("x", &gnu, &[], &[(&too_long[..LONGEST_NAME], "name")]);
}

#[test]
fn what_breaks_off_is_told_after_what_could_be_read() {
    let whole = tar(&[("a.json", OSV), ("b.json", CSAF)]);
    let expect = [("a.json", Kind::Osv, Trust::Unsigned)];
    let cut = &whole[..3 * BLOCK + 100];
    check(
        "x",
        cut,
        &expect,
        &[("b.json", "not-json"), ("x", "damaged")],
    );
    let packed = gz(&whole);
    let cut = &packed[..packed.len() - 20];
    let (outcome, _) = walked("x.gz", cut, &Bounds::default());
    assert!(
        outcome.1.contains(&("x.gz".to_owned(), "damaged")),
        "{outcome:?}"
    );
    check("x", b"\x1f\x8bgarbage", &[], &[("x", "damaged")]);
    check("x", b"\xfd7zXZ\0garbage", &[], &[("x", "damaged")]);
    check("x", b"\x28\xb5\x2f\xfdgarbage", &[], &[("x", "damaged")]);
    check("x", b"PK\x03\x04garbage", &[], &[("x", "damaged")]);
}

#[test]
fn what_would_unpack_without_end_is_stopped() {
    let zeros = vec![b' '; 64 << 20];
    for bomb in [gz(&zeros), zip(&[("a.json", &zeros)])] {
        let (outcome, _) = walked("bomb", &bomb, &Bounds::default());
        assert!(outcome.0.is_empty());
        assert!(
            outcome.1.iter().any(|(_, code)| *code == "ratio"),
            "{outcome:?}"
        );
    }
    let small = Bounds {
        max_entry_bytes: 100,
        ..Bounds::default()
    };
    let archive = zip(&[("a.json", CSAF), ("b.json", OSV)]);
    let (outcome, _) = walked("x", &archive, &small);
    assert_eq!(
        outcome.0,
        [("b.json".to_owned(), Kind::Osv, Trust::Unsigned)]
    );
    assert_eq!(outcome.1, [("a.json".to_owned(), "entry-too-large")]);
    let small = Bounds {
        max_entries: 1,
        ..Bounds::default()
    };
    let (outcome, _) = walked("x", &archive, &small);
    assert_eq!(outcome.0.len(), 1);
    assert_eq!(outcome.1, [("x".to_owned(), "too-many-entries")]);
    let small = Bounds {
        max_total_bytes: 300,
        ..Bounds::default()
    };
    let (outcome, _) = walked("x", &archive, &small);
    assert!(
        outcome.1.contains(&("x".to_owned(), "too-much")),
        "{outcome:?}"
    );
}

fn manifest() -> String {
    let documents = [("a.json", CSAF), ("epss.csv.gz", EPSS)];
    manifest_of(now(), "Tests of Labward", documents)
}

fn bundle(manifest: &str, epss: &[u8], more: &[(&str, &[u8])]) -> Vec<u8> {
    let mut files: Vec<(&str, &[u8])> = vec![
        ("manifest.json", manifest.as_bytes()),
        ("./manifest.json.minisig", MANIFEST_SIGNATURE),
        ("./a.json", CSAF),
        ("epss.csv.gz", epss),
    ];
    files.extend(more);
    tar(&files)
}

#[test]
fn a_bundle_vouches_for_what_its_signed_list_names() {
    let manifest = manifest();
    let whole = bundle(&manifest, EPSS, &[("c.json", OSV)]);
    let expect = [
        ("a.json", Kind::Csaf, Trust::Signed),
        ("epss.csv.gz", Kind::Epss, Trust::Signed),
        ("c.json", Kind::Osv, Trust::Refuted),
    ];
    check("x.tar", &whole, &expect, &[]);
    let (_, walked) = walked("x.tar", &whole, &Bounds::default());
    let made = walked.manifest.unwrap();
    assert_eq!((made.made, &*made.by), (Some(now()), "Tests of Labward"));
    let id = MinisignKey::parse(BUNDLE_KEY).unwrap().id().to_owned();
    assert!(matches!(made.signature, SignatureCheck::Good(signer) if signer.key == id));
}

#[test]
fn a_bundle_that_was_changed_vouches_for_nothing() {
    let manifest = manifest();
    let other = EPSS.to_ascii_uppercase();
    let (outcome, _) = walked("x.tar", &bundle(&manifest, &other, &[]), &Bounds::default());
    assert_eq!(
        outcome.0[1].2,
        Trust::Refuted,
        "another document under a listed name"
    );
    let forged = manifest.replace("Tests of", "Friends of");
    let (outcome, _) = walked("x.tar", &bundle(&forged, EPSS, &[]), &Bounds::default());
    assert!(
        outcome
            .0
            .iter()
            .all(|(_, _, trust)| *trust == Trust::Refuted)
    );
    let cut = tar(&[("manifest.json", manifest.as_bytes()), ("a.json", CSAF)]);
    let expect = [("a.json", Kind::Csaf, Trust::Unsigned)];
    check("x.tar", &cut, &expect, &[("epss.csv.gz", "missing")]);
    let broken = br#"{"format":"labward-bundle","version":2,"documents":[]}"#;
    let archive = tar(&[("manifest.json", broken), ("a.json", OSV)]);
    let expect = [("a.json", Kind::Osv, Trust::Unsigned)];
    check(
        "x.tar",
        &archive,
        &expect,
        &[("manifest.json", "bad-manifest")],
    );
    let foreign = tar(&[("manifest.json", b"{\"name\":\"an app\"}")]);
    check("x.tar", &foreign, &[], &[("manifest.json", "unknown")]);
}

#[test]
fn the_key_of_another_list_is_named() {
    use crate::integrity::verify_minisign;
    let other = [MinisignKey::parse(OTHER_KEY).unwrap()];
    let id = MinisignKey::parse(BUNDLE_KEY).unwrap().id().to_owned();
    let outcome = verify_minisign(MANIFEST_SIGNATURE, manifest().as_bytes(), &other);
    assert_eq!(outcome, Err(SignatureFault::OtherKey(id.clone())));
    assert!(
        String::from_utf8_lossy(BUNDLE_KEY).contains(&id),
        "it is the id that minisign prints"
    );
    let line = BUNDLE_KEY.split(|byte| *byte == b'\n').nth(1).unwrap();
    assert_eq!(MinisignKey::parse(line).unwrap().id(), id);
    for none in [&b""[..], b"\n\n", b"RW", &BUNDLE_KEY[..60]] {
        let fault = MinisignKey::parse(none).err();
        assert_eq!(fault, Some(SignatureFault::NotAKey));
        let outcome = verify_minisign(none, b"x", &other);
        assert_eq!(outcome, Err(SignatureFault::NotASignature));
    }
}

#[test]
fn all_advisories_of_cisa_fit_their_hashes_and_name_their_key() {
    let Some(data) = crate::real_data::folder("CISA in its archive") else {
        return;
    };
    let bytes = std::fs::read(data.join("csaf/cisa-ot-2017-2023.tar.xz")).unwrap();
    let checks = Checks {
        keys: &[],
        bundle_keys: &[],
        now: now(),
    };
    let cisa = SignatureCheck::KeyUnknown("144AED0A57BE7D4AE835D9D8CAC5AC4F74164B17".to_owned());
    let mut products = 0;
    let walked = walk(
        "cisa.tar.xz",
        &bytes,
        Beside::default(),
        &checks,
        &Bounds::default(),
        |item| {
            assert_eq!(
                (item.kind, item.hash),
                (Kind::Csaf, HashCheck::Good),
                "{}",
                item.name
            );
            assert_eq!(*item.signature, cisa, "{}", item.name);
            assert_eq!(item.trust(), Trust::Unsigned);
            let advisory = crate::csaf::Advisory::parse(item.bytes, &crate::Limits::default());
            products += advisory.unwrap().products.len();
        },
    );
    assert_eq!((walked.documents, products), (2_035, 13_541));
    assert_eq!((walked.faults, walked.notices), (Vec::new(), Vec::new()));
}

#[test]
fn real_documents_are_known_for_what_they_are() {
    let Some(data) = crate::real_data::folder("documents of each kind") else {
        return;
    };
    let mut counts = std::collections::BTreeMap::new();
    for folder in ["csaf/medical", "csaf/examples", "kev", "sbom"] {
        for file in std::fs::read_dir(data.join(folder)).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_none_or(|end| end != "json") {
                continue;
            }
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let (outcome, _) = walked(&name, &std::fs::read(&path).unwrap(), &Bounds::default());
            match outcome.0.first() {
                Some((_, kind, _)) => *counts.entry((folder, kind.name())).or_insert(0) += 1,
                None => panic!("{name}: {outcome:?}"),
            }
        }
    }
    assert_eq!(counts[&("csaf/medical", "csaf")], 134);
    assert_eq!(counts[&("kev", "kev")], 1);
    assert_eq!(
        counts
            .keys()
            .filter(|(_, kind)| *kind == "cyclonedx")
            .count(),
        1
    );
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        walked("x", &bytes, &Bounds::default());
    }

    #[test]
    fn no_changed_archive_panics_or_signs_what_was_changed(which in 0..4_usize, at: prop::sample::Index, byte: u8) {
        let files: [(&str, &[u8]); 3] = [("a.json", CSAF), ("a.json.asc", CSAF_ASC), ("b.json", OSV)];
        let tar = tar(&files);
        let mut archive = match which {
            0 => gz(&tar),
            1 => zip(&files),
            2 => zstd::stream::encode_all(tar.as_slice(), 3).unwrap(),
            _ => tar,
        };
        let at = at.index(archive.len());
        archive[at] = byte;
        let keys = [PublicKey::parse(PUBLISHER).unwrap()];
        let checks = Checks { keys: &keys, bundle_keys: &[], now: now() };
        let mut signed = Vec::new();
        walk("x", &archive, Beside::default(), &checks, &Bounds::default(), |item| {
            if item.trust() == Trust::Signed {
                signed.push(item.bytes.to_vec());
            }
        });
        prop_assert!(signed.iter().all(|bytes| bytes == CSAF));
    }
}

//! Programs signed here, by `osslsigncode`, and by others, and what is told of them once somebody was at them.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::Command;

use labward_testkit::program::windows_program;
use labward_testkit::{Publisher, TempDir};
use proptest::prelude::*;

use super::*;
use crate::signer::Continuity;

fn of(bytes: &[u8]) -> Option<Signature> {
    read(&mut Cursor::new(bytes)).unwrap()
}

fn fit(bytes: &[u8]) -> Fit {
    of(bytes).unwrap().fit
}

fn maker() -> Publisher {
    Publisher::new("Example Analyzers GmbH", "Example Analyzers")
}

fn program() -> Vec<u8> {
    windows_program(b"reads the photometer", [1, 2, 3, 4])
}

/// Where the table of a program that was signed here begins.
fn table(signed: &[u8]) -> usize {
    program().len().next_multiple_of(8).min(signed.len())
}

#[test]
fn a_signature_that_fits_is_told_with_who_it_says_it_is_of() {
    let signature = of(&maker().sign(&program())).unwrap();
    assert_eq!(signature.fit, Fit::Fits);
    assert_eq!(signature.hash, Some(Hash::Sha256));
    let signer = signature.signer.unwrap();
    assert_eq!(signer.name, "Example Analyzers GmbH");
    assert_eq!(signer.organisation.as_deref(), Some("Example Analyzers"));
    assert_eq!(signer.issuer, "Example Code Signing CA");
    assert_eq!(signer.serial, "01");
    assert!(signer.issuer_key.is_some());
}

#[test]
fn every_way_to_fit_has_its_own_code() {
    for (fit, code) in CODES {
        assert_eq!(
            (fit.code(), Fit::try_from(code.to_owned())),
            (code, Ok(fit))
        );
    }
    assert!(Fit::try_from("fine".to_owned()).is_err());
}

#[test]
fn a_program_without_a_signature_has_none() {
    assert_eq!(of(&program()), None);
    assert_eq!(of(b"MZ"), None);
    assert_eq!(of(b"\x7fELF"), None);
    assert_eq!(of(b""), None);
}

#[test]
fn every_byte_that_is_changed_is_told_but_those_that_no_signature_covers() {
    let signed = maker().sign(&program());
    let free = 0x80 + 24 + 64..0x80 + 24 + 68;
    for at in 0..table(&signed) {
        let mut changed = signed.clone();
        changed[at] ^= 0x01;
        let is_fitting = of(&changed).is_some_and(|one| one.fit == Fit::Fits);
        assert_eq!(is_fitting, free.contains(&at), "byte {at}");
    }
}

#[test]
fn a_signature_of_another_file_or_key_does_not_fit() {
    let one = maker();
    let mut swapped = one.sign(&program());
    swapped[0x210] ^= 0xff;
    assert_eq!(fit(&swapped), Fit::Misfits(Misfit::File));
    // Another certificate with the same names and number, put in the place of the one that belongs there.
    let mine = one.pkcs7(&[7; 32]);
    let leaf_of = |pkcs7: &[u8]| {
        let (signed, _) = SignedData::parse(pkcs7).unwrap();
        leaf(&signed).unwrap().whole.to_vec()
    };
    let certificate = leaf_of(&mine);
    let foreign = (0..100).map(|_| leaf_of(&maker().pkcs7(&[7; 32])));
    let mut foreign = foreign.filter(|foreign| foreign.len() == certificate.len());
    let foreign = foreign.next().unwrap();
    let at = mine
        .windows(certificate.len())
        .position(|part| part == certificate)
        .unwrap();
    let mut mixed = mine;
    mixed[at..at + foreign.len()].copy_from_slice(&foreign);
    let (signed, _) = SignedData::parse(&mixed).unwrap();
    let said = of_signer(&signed, leaf(&signed).unwrap());
    assert_eq!(said, Fit::Misfits(Misfit::Key));
}

#[test]
fn what_was_signed_must_be_what_stands_beside_it() {
    let publisher = maker();
    let signed = publisher.sign(&program());
    let file = {
        let pkcs7 = &signed[table(&signed) + 8..];
        SignedData::parse(pkcs7).unwrap().0.file_digest.to_vec()
    };
    let at = signed.windows(32).rposition(|part| part == file).unwrap();
    let mut changed = signed.clone();
    changed[at] ^= 1;
    assert_eq!(fit(&changed), Fit::Misfits(Misfit::Content));
}

#[test]
fn bytes_that_are_put_behind_a_signature_are_told() {
    let signed = maker().sign(&program());
    let begin = table(&signed);
    let entry = 0x80 + 24 + 112 + 32;
    let mut longer = signed.clone();
    longer.extend_from_slice(b"download");
    assert_eq!(fit(&longer), Fit::Misfits(Misfit::File));
    for place in [begin, entry + 4] {
        let length = longer[place..].first_chunk().copied().unwrap();
        let length = u32::from_le_bytes(length) + 8;
        longer[place..place + 4].copy_from_slice(&length.to_le_bytes());
    }
    assert_eq!(fit(&longer), Fit::Misfits(Misfit::Appended));
}

#[test]
fn a_table_in_what_is_loaded_does_not_fit() {
    let signed = maker().sign(&program());
    // The section now reaches over the table.
    let mut wide = signed.clone();
    let size = u32::try_from(signed.len() - 0x200).unwrap();
    wide[0x80 + 24 + 0xf0 + 16..][..4].copy_from_slice(&size.to_le_bytes());
    assert_eq!(fit(&wide), Fit::Misfits(Misfit::Place));
    let mut cut = signed.clone();
    cut.truncate(signed.len() - 8);
    assert!(matches!(fit(&cut), Fit::Unread(_) | Fit::Misfits(_)));
}

#[test]
fn the_same_signer_is_known_by_keys_and_not_by_names() {
    let signer = |one: &Publisher| of(&one.sign(&program())).unwrap().signer.unwrap();
    let one = maker();
    let before = signer(&one);
    assert_eq!(
        signer(&one).continuity(&before),
        Continuity::SameCertificate
    );
    let renewed = one.renewed();
    assert_eq!(signer(&renewed).continuity(&before), Continuity::SameSigner);
    let forger = maker();
    assert_eq!(signer(&forger).continuity(&before), Continuity::SameName);
    let other = renewed.succeeded_by("Other Ltd", "Example Analyzers");
    assert_eq!(signer(&other).continuity(&before), Continuity::Another);
    assert!(Continuity::SameSigner.is_same() && !Continuity::SameName.is_same());
}

#[test]
fn a_name_cannot_change_how_it_is_shown() {
    let odd = Publisher::new("Micro\u{202e}tfos\u{7}", &"x".repeat(400));
    let signer = of(&odd.sign(&program())).unwrap().signer.unwrap();
    assert_eq!(signer.name, "Micro\u{fffd}tfos\u{fffd}");
    assert_eq!(signer.organisation.unwrap().len(), 200);
}

proptest! {
    #[test]
    fn wild_tables_are_no_harm(at in 0_usize..2_000, byte: u8, cut in 0_usize..2_400) {
        let mut signed = maker().sign(&program());
        let begin = table(&signed);
        let last = signed.len() - 1;
        signed[(begin + at).min(last)] = byte;
        let _ = of(&signed);
        signed.truncate(cut.min(last));
        let _ = of(&signed);
    }
}

/// What `osslsigncode`, an independent reading of the same form, signs.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the peer is a program, and no server"
)]
fn what_another_tool_signs_is_read() {
    let folder = TempDir::new();
    let (key, certificate) = (folder.join("key.pem"), folder.join("cert.pem"));
    let run = |program: &str, words: &[&str]| {
        let done = Command::new(program).args(words).output();
        done.is_ok_and(|done| done.status.success())
    };
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let plain = folder.join("plain.exe");
    fs::write(&plain, program()).unwrap();
    for (kind, hash, expected) in [
        ("rsa:2048", "sha256", Hash::Sha256),
        ("rsa:2048", "sha1", Hash::Sha1),
        ("rsa:3072", "sha384", Hash::Sha384),
    ] {
        let made = run(
            "openssl",
            &[
                "req",
                "-x509",
                "-newkey",
                kind,
                "-nodes",
                "-days",
                "9",
                "-subj",
                "/CN=Peer/O=Peer Laboratories/C=DE",
                "-addext",
                "extendedKeyUsage=codeSigning",
                "-keyout",
                &text(&key),
                "-out",
                &text(&certificate),
            ],
        );
        let signed = folder.join(format!("{kind}-{hash}.exe"));
        let done = made
            && run(
                "osslsigncode",
                &[
                    "sign",
                    "-certs",
                    &text(&certificate),
                    "-key",
                    &text(&key),
                    "-h",
                    hash,
                    "-in",
                    &text(&plain),
                    "-out",
                    &text(&signed),
                ],
            );
        if !done {
            eprintln!("labward-skip: osslsigncode is not installed");
            return;
        }
        let signature = of(&fs::read(&signed).unwrap()).unwrap();
        assert_eq!(signature.fit, Fit::Fits, "{kind} {hash}");
        assert_eq!(signature.hash, Some(expected));
        let signer = signature.signer.unwrap();
        assert_eq!(signer.organisation.as_deref(), Some("Peer Laboratories"));
        assert_eq!(signer.country.as_deref(), Some("DE"));
    }
}

/// Such as boot loaders that Debian and Microsoft signed: installed, or unpacked below `LABWARD_TEST_PROGRAMS`.
#[test]
#[ignore = "it needs signed programs of others, which nobody may bundle"]
fn what_others_published_is_read() {
    let mut found = Vec::new();
    let named = std::env::var_os("LABWARD_TEST_PROGRAMS").map(PathBuf::from);
    for folder in named.into_iter().chain([
        PathBuf::from("/usr/lib/shim"),
        PathBuf::from("/usr/lib/grub/x86_64-efi-signed"),
    ]) {
        files(&folder, &mut found);
    }
    let mut signed = 0;
    for path in &found {
        let bytes = fs::read(path).unwrap();
        let Some(signature) = of(&bytes) else {
            continue;
        };
        signed += 1;
        let signer = signature.signer.as_ref();
        println!("{} {} {signer:?}", path.display(), signature.fit.code());
        assert_eq!(signature.fit, Fit::Fits, "{}", path.display());
        let image = Image::read(&mut Cursor::new(&bytes)).unwrap().unwrap();
        let end = usize::try_from(image.table.start).unwrap();
        for place in [0x400, end / 2, end - 1] {
            let mut changed = bytes.clone();
            changed[place] ^= 0x40;
            assert_ne!(fit(&changed), Fit::Fits, "{}", path.display());
        }
    }
    assert!(signed > 0, "there are no signed programs of others");
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|end| {
            ["exe", "dll", "signed", "efi"]
                .iter()
                .any(|one| end == *one)
        }) {
            found.push(path);
        }
    }
}

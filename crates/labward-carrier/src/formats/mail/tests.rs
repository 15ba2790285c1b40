//! Mails written here and mails of others.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use crate::testing::{parts, seen};
use crate::{Budget, Declared, Seen, walk};

fn program() -> Vec<u8> {
    let mut bytes = b"MZ\x50\0\x02\0\0\0\x04\0".to_vec();
    bytes.resize(300, 0xa5);
    bytes
}

fn wrapped(text: &str) -> String {
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(76)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    lines.join("\r\n")
}

fn mail(parts: &str) -> String {
    format!(
        "From: a@lab.example\r\nSubject: result\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed;\r\n boundary=\"xyz\"\r\n\r\nfor old readers\r\n{parts}--xyz--\r\n"
    )
}

fn attachment(header: &str, body: &str) -> String {
    format!("--xyz\r\n{header}\r\n\r\n{body}\r\n")
}

#[test]
fn every_part_comes_out_with_its_name_and_type() {
    let base64 = wrapped(&STANDARD.encode(program()));
    let bytes = mail(&[
        attachment("Content-Type: text/plain", "Dear colleague"),
        attachment(
            "Content-Type: application/pdf; name*0=\"re\";\r\n name*1=\"port.pdf\"\r\nContent-Transfer-Encoding: base64",
            &base64,
        ),
        attachment(
            "Content-Disposition: attachment; filename*=utf-8''b%C3%A9po%2Eexe\r\nContent-Transfer-Encoding: quoted-printable",
            "a=3Db=\r\nc",
        ),
    ]
    .concat());
    assert_eq!(
        seen(bytes.as_bytes()),
        [
            " = mime",
            "mime / part 1 = text",
            "mime : report.pdf / base64 = dos",
            "mime : report.pdf / base64 ! type-mismatch",
            "mime : bépo.exe / quoted-printable = text",
            "mime : bépo.exe / quoted-printable ! type-mismatch",
        ]
    );
    let found = parts(bytes.as_bytes());
    assert_eq!(found.get(2).unwrap().1, program());
    assert_eq!(found.get(3).unwrap().1, b"a=bc");
}

/// A mail server takes headers with a space before the colon, and any number of them.
#[test]
fn what_is_said_to_be_a_mail_is_opened_however_its_first_lines_look() {
    let base64 = wrapped(&STANDARD.encode(program()));
    let attached = attachment("Content-Transfer-Encoding: base64", &base64);
    let many = "X-Nothing: 1\r\n".repeat(100);
    for first in ["X : 1\r\n", "H|\\^&: 1\r\n", &many] {
        let bytes = format!("{first}{}", mail(&attached));
        let mut found = Vec::new();
        let mut look = |_: &crate::Path, seen: Seen<'_>| {
            if let Seen::Part(part) = seen {
                found.push(part.bytes.to_vec());
            }
        };
        let declared = Declared::named("mail.eml");
        walk(
            bytes.as_bytes(),
            &declared,
            &Budget::default(),
            &|| true,
            &mut look,
        );
        assert!(found.contains(&program()), "{first}");
    }
}

#[test]
fn mails_in_mails_and_boxes_of_mails_are_opened() {
    let base64 = wrapped(&STANDARD.encode(program()));
    let header = "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64";
    let inner = mail(&attachment(header, &base64));
    let outer = mail(&attachment(
        "Content-Type: message/rfc822",
        &inner.replace("xyz", "inner"),
    ));
    assert_eq!(
        seen(outer.as_bytes()),
        [
            " = mime",
            "mime / part 1 = mime",
            "mime / part 1 / mime / part 1 / base64 = dos"
        ]
    );
    let several = format!("From a Mon\r\n{inner}\r\nFrom b Tue\r\n{inner}");
    let found = seen(several.as_bytes());
    assert_eq!(
        found,
        [
            " = mime",
            "mail 1 / mime / part 1 / base64 = dos",
            "mail 2 / mime / part 1 / base64 = dos"
        ]
    );
    let nested = attachment(
        "Content-Type: multipart/mixed; boundary=in",
        "--in\r\n\r\none\r\n--in\r\n\r\ntwo\r\n--in--",
    );
    assert_eq!(
        seen(mail(&nested).as_bytes()),
        [
            " = mime",
            "mime / part 1.1 = text",
            "mime / part 1.2 = text"
        ]
    );
}

#[test]
fn what_is_written_loosely_is_read_all_the_same() {
    let base64 = wrapped(&STANDARD.encode(program()));
    let header = "Content-Transfer-Encoding: BASE64";
    let wrong =
        mail(&attachment(header, &base64)).replace("boundary=\"xyz\"", "boundary=\"other\"");
    let spoiled = mail(&attachment(header, &base64.replace("\r\n", "!\r\n")));
    let open_end = mail(&attachment(header, &base64)).replace("--xyz--\r\n", "");
    for bytes in [wrong, spoiled, open_end] {
        let found = parts(bytes.as_bytes());
        assert!(
            found.iter().any(|(_, bytes)| *bytes == program()),
            "{bytes}"
        );
    }
    let behind = format!(
        "{}\r\n{base64}\r\n",
        mail(&attachment("Content-Type: text/plain", "x"))
    );
    assert_eq!(
        seen(behind.as_bytes()).last().unwrap(),
        "mime / around the parts / base64 = dos"
    );
    let unknown = mail(&attachment("Content-Transfer-Encoding: x-own", "abc"));
    assert_eq!(
        seen(unknown.as_bytes()).last().unwrap(),
        " ? unknown-packing"
    );
}

#[test]
fn a_header_alone_is_no_mail_in_a_mail() {
    assert_eq!(seen(b"From: a\r\nSubject: b\r\n"), [" = mime"]);
    let base64 = STANDARD.encode(program());
    let bytes = format!("From: a\r\nSubject: b\r\n{base64}\r\n");
    assert_eq!(seen(bytes.as_bytes()), [" = text", "line 3 / base64 = dos"]);
}

#[test]
fn what_is_encrypted_is_told() {
    let enveloped = b"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03\xa0\x80";
    let signed = b"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80";
    let header =
        "Content-Type: application/pkcs7-mime; name=smime.p7m\r\nContent-Transfer-Encoding: base64";
    for (header, body, code) in [
        (header, STANDARD.encode(enveloped), "encrypted"),
        (header, STANDARD.encode(signed), "unknown-packing"),
        (
            "Content-Type: application/octet-stream",
            "-----BEGIN PGP MESSAGE-----\r\n\r\nhQEM\r\n-----END PGP MESSAGE-----".to_owned(),
            "encrypted",
        ),
    ] {
        let found = seen(mail(&attachment(header, &body)).as_bytes());
        assert!(found.iter().any(|line| line.ends_with(code)), "{found:?}");
    }
}

#[test]
fn a_mail_of_very_many_mails_ends() {
    let mut bytes = String::from("From: a\r\nSubject: b\r\n");
    bytes.push_str(&"Content-Type: message/rfc822\r\n\r\n".repeat(100_000));
    let last = seen(bytes.as_bytes()).pop().unwrap();
    assert!(last.ends_with("over-budget-depth"), "{last}");
    let mut bytes = String::from("From: a\r\nSubject: b\r\n");
    for n in 0..1_000 {
        bytes.push_str(&format!(
            "Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n"
        ));
    }
    assert!(
        seen(bytes.as_bytes())
            .last()
            .unwrap()
            .ends_with("over-budget-depth")
    );
}

#[test]
fn real_mails_give_their_program() {
    let folder = std::path::Path::new("/usr/share/clamav-testfiles");
    let Ok(program) = std::fs::read(folder.join("clam.exe")) else {
        eprintln!("labward-skip: mail real files: clamav-testfiles is not installed");
        return;
    };
    for name in [
        "clam.mail",
        "clam.exe.mbox.base64",
        "clam.exe.mbox.uu",
        "clam.exe.html",
    ] {
        let file = std::fs::read(folder.join(name)).unwrap();
        assert!(
            parts(&file).iter().any(|(_, bytes)| *bytes == program),
            "{name}"
        );
        assert!(
            seen(&file).iter().all(|line| !line.contains(" ? ")),
            "{name}"
        );
    }
}

proptest! {
    #[test]
    fn any_mail_ends(rest: Vec<u8>, lines in "((--xyz(--)?|Content-Type: multipart/mixed; boundary=xyz|Content-Transfer-Encoding: base64|From a|[A-Za-z0-9+/=:; ]{0,40})?\r?\n){0,20}") {
        for rest in [&rest[..], lines.as_bytes()] {
            prop_assert!(!seen(&[mail("").as_bytes(), b"\r\n--xyz\r\n", rest].concat()).is_empty());
            prop_assert!(!seen(&[b"From: a\r\nSubject: b\r\n", rest].concat()).is_empty());
        }
    }
}

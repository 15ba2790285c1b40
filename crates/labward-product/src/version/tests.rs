//! What is a version, and the order of two.

use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(a: &str, b: &str, expect: Result<Ordering, Apart>) {
    let (x, y) = (Version::read(a), Version::read(b));
    assert_eq!(x.compare(&y), expect, "{a:?} and {b:?}");
    assert_eq!(
        y.compare(&x),
        expect.map(Ordering::reverse),
        "{b:?} and {a:?}"
    );
}

#[track_caller]
fn rising(versions: &[&str]) {
    for (at, a) in versions.iter().enumerate() {
        for b in versions.iter().skip(at + 1) {
            check(a, b, Ok(Ordering::Less));
        }
    }
}

#[test]
fn what_stands_on_devices_is_read() {
    for (text, scheme) in [
        ("R8.2 SP2", Scheme::Number),
        ("1.4.1.0", Scheme::Number),
        ("00-24", Scheme::Number),
        ("04.04.00.00", Scheme::Number),
        ("Rev M", Scheme::Letter),
        ("A.01.07", Scheme::Number),
        ("2023.3_Build_9342", Scheme::Number),
        ("1.7.15b", Scheme::Number),
        ("May 2018", Scheme::Date),
        ("26-June-2017", Scheme::Date),
        ("8/30/2024", Scheme::Date),
        ("Firmware V2.1", Scheme::Number),
        ("02.07.07(10)", Scheme::Number),
        ("3/4/2024", Scheme::Unread),
        ("august 28", Scheme::Unread),
        ("Windows 10 Professional", Scheme::Unread),
        ("CoaguChek XS Pro", Scheme::Unread),
        ("F.0.G.0", Scheme::Unread),
        ("", Scheme::Unread),
        ("99999999999999999999999.1", Scheme::Unread),
    ] {
        let version = Version::read(text);
        assert_eq!(version.scheme(), scheme, "{text:?}");
        assert_eq!(version.text(), text);
    }
}

#[test]
fn numbers_letters_and_steps_rise_in_the_order_that_people_mean() {
    rising(&[
        "1.9",
        "1.10",
        "1.10.1",
        "1.11",
        "2.0 alpha",
        "2.0 beta 2",
        "2.0 rc1",
        "2.0",
        "2.0.1",
    ]);
    rising(&[
        "V7.4",
        "V7.4 Upd1",
        "V7.4 SP1",
        "V7.4 SP1 Upd 1",
        "V7.4 SP1 Upd2",
        "V7.4 SP2",
        "V7.5",
    ]);
    rising(&["8.2", "R8.2 SP1", "8.2 Service Pack 2"]);
    rising(&["4.20", "4.20 SR1", "4.30"]);
    rising(&["1.1.3", "1.1.3 Build 10", "1.1.3 Build 11", "1.1.4"]);
    rising(&["2023.3", "2023.3_Build_9342", "2023.4"]);
    rising(&["1.7.15", "1.7.15a", "1.7.15b", "1.7.16"]);
    rising(&["Rev B", "C", "Rev. M", "Z", "AA"]);
    rising(&["A.01", "A.01.07", "A.02", "B.06.18", "C.01"]);
    rising(&["12 March 2018", "May 2018", "2018-06-01", "8/30/2024"]);
    rising(&["BT02", "BT04", "BT06"]);
    rising(&["HD 16", "HD23"]);
}

#[test]
fn ways_of_writing_do_not_matter() {
    for (a, b) in [
        ("04.04.00.00", "4.4"),
        ("V1.0", "1"),
        ("Version 1.2", "1.2"),
        ("R8.2 SP2", "8.2 service pack 02"),
        ("1.0 SP1", "1.0.0 SP1"),
        ("rev m", "M"),
        ("1.7.15B", "1.7.15b"),
        ("１．２", "1.2"),
    ] {
        check(a, b, Ok(Ordering::Equal));
    }
}

#[test]
fn what_has_no_order_says_why() {
    check("U61", "L81", Err(Apart::Series));
    check("R120", "120", Err(Apart::Series));
    check("1.2", "B.06", Err(Apart::Series));
    check("1.2 SP1", "1.2.1", Err(Apart::Shape));
    check("1.1.3 Build 10", "1.1.3 MR Build 11", Err(Apart::Shape));
    check("1.0-5", "1.0.4", Err(Apart::Shape));
    check("May 2018", "1.7", Err(Apart::Scheme));
    check("1.2", "somewhat newer", Err(Apart::Unread));
    check(
        "3.215.00HW001.2.2019",
        "3.215.00HW002.2.2019",
        Err(Apart::Shape),
    );
    check("2017 8.1", "8.1", Err(Apart::Unread));
    check("2017 R2", "12.1", Err(Apart::Shape));
    check("S4 A.07.107", "S3 B.01", Err(Apart::Series));
}

#[test]
fn a_longer_version_is_finer_and_a_padded_one_is_unclear() {
    let relation = |a: &str, b: &str| Version::read(a).relation(&Version::read(b));
    assert_eq!(relation("2.7.1", "2.7"), Relation::Finer(Extra::Number));
    assert_eq!(relation("2.7", "2.7 SP1"), Relation::Coarser(Extra::Step));
    assert_eq!(
        relation("1.7.15b", "1.7.15"),
        Relation::Finer(Extra::Letter)
    );
    assert_eq!(
        relation("2.0", "2.0 beta"),
        Relation::Coarser(Extra::Prerelease)
    );
    assert_eq!(relation("2.7.0", "2.7"), Relation::Equal);
    let unclear = |a: &str, b: &str| Version::read(a).padding_is_unclear(&Version::read(b));
    assert!(unclear("1.003", "1.2"));
    assert!(!unclear("1.003", "1.002"));
    assert!(!unclear("1.10", "1.9"), "no zero stands before");
}

/// Texts that look like versions more often than chance would have it.
fn versions() -> impl Strategy<Value = String> {
    let part = prop_oneof!["[0-9]{1,3}", "[a-c]", "0"];
    let step = prop_oneof![
        Just(""),
        Just(" SP1"),
        Just(" SP2"),
        Just(" HF3"),
        Just(" beta"),
        Just("b"),
        Just("-5")
    ];
    (
        prop_oneof![Just(""), Just("v"), Just("R"), Just("BT")],
        prop::collection::vec(part, 1..5),
        step,
    )
        .prop_map(|(start, parts, step)| format!("{start}{}{step}", parts.join(".")))
}

proptest! {
    #[test]
    fn the_order_is_an_order(a in versions(), b in versions(), c in versions()) {
        let (a, b, c) = (Version::read(&a), Version::read(&b), Version::read(&c));
        if a.scheme() != Scheme::Unread {
            prop_assert_eq!(a.compare(&a), Ok(Ordering::Equal));
        }
        prop_assert_eq!(a.compare(&b), b.compare(&a).map(Ordering::reverse));
        if let (Ok(x), Ok(y), Ok(z)) = (a.compare(&b), b.compare(&c), a.compare(&c))
            && x == y
        {
            prop_assert_eq!(z, x, "{} {} {}", a, b, c);
        }
    }

    #[test]
    fn any_text_is_kept(text in any::<String>()) {
        let version = Version::read(&text);
        prop_assert_eq!(version.text(), text.trim());
    }
}

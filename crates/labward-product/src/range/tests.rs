//! Texts of advisories, what is read of them, and what is claimed of a version.

use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(text: &str, expect: &str) {
    let read = match read(text) {
        Ok(reading) => {
            let mut shown: Vec<String> = reading
                .alternatives
                .iter()
                .map(ToString::to_string)
                .collect();
            shown.extend(
                reading
                    .conditions
                    .iter()
                    .map(|c| format!("{:?}: {}", c.kind, c.text)),
            );
            if reading.confidence == Confidence::Doubtful {
                shown.push("doubtful".to_owned());
            }
            shown.join(" | ")
        }
        Err(unreadable) => {
            assert_eq!(unreadable.text, text);
            format!("{:?}", unreadable.why)
        }
    };
    assert_eq!(read, expect, "{text:?}");
}

/// `y`, `n` or the code of the doubt.
#[track_caller]
fn asks(text: &str, version: &str) -> &'static str {
    match read(text).unwrap().holds(&Version::read(version)) {
        Holds::Yes(_) => "y",
        Holds::No(_) => "n",
        Holds::CannotTell(doubt, _) => doubt.code(),
    }
}

#[test]
fn operators_and_words_are_read() {
    check("vers:all/*", "*");
    check("All versions", "*");
    check("vers:all/<V4.3.8", "< V4.3.8");
    check("vers:all/>=V2022.4<V2023.1", "≥ V2022.4, < V2023.1");
    check("2.3.6 and  below", "≤ 2.3.6");
    check("prior to 5.1", "< 5.1");
    check("5.1 or newer", "≥ 5.1");
    check("up to and including 7.0", "≤ 7.0");
    check("All versions < V1.0 SP1 Upd1", "< V1.0 SP1 Upd1");
    check("All BIOS versions < V22.01.08", "< V22.01.08");
    check("< 1.8.4 Service Pack 01", "< 1.8.4 Service Pack 01");
    check("<=(R4.10)", "≤ R4.10");
    check(
        "between V3.0 (including) and V3.0.2 (excluding)",
        "≥ V3.0, < V3.0.2",
    );
    check("≤ 2.0", "≤ 2.0");
}

#[test]
fn opposite_bounds_are_a_range_and_others_a_list() {
    check(">= 1.0.0  | <= 1.3.1", "≥ 1.0.0, ≤ 1.3.1");
    check(
        "> 4.001 | < 4.005 | > 5.011 | < 5.017",
        "> 4.001, < 4.005 | > 5.011, < 5.017",
    );
    check(
        "9.13 | 9.19 | 9.33 | 12.1",
        "= 9.13 | = 9.19 | = 9.33 | = 12.1",
    );
    check("A10 < A11", "≥ A10, < A11");
    check("A.01 <= C.0x | 4.0", "≥ A.01, ≤ C.0x.* | = 4.0");
    check(">= V2.3 and < V6.30.016", "≥ V2.3, < V6.30.016");
    check("Rev B-M", "≥ B, ≤ M");
    check("<=9.4 FP1 | >= 10.2.1", "≤ 9.4 FP1 | ≥ 10.2.1");
    check(
        "< 1.99 | 2.20 | 2.40",
        "< 1.99 | = 2.20 | = 2.40 | doubtful",
    );
    check("<= 4.2.21 | <= 5.0.27", "≤ 4.2.21 | ≥ 5.0, ≤ 5.0.27");
    check("12.x", "= 12.*");
    check("<= 12.2.x.x", "≤ 12.2.*");
}

#[test]
fn dates_parts_serial_numbers_and_models_have_their_units() {
    check("<May 2018", "< May 2018.*");
    check("distributed  < april 1, 2018", "< april 1, 2018");
    check("< august 28", "NoYear");
    check("<4/5/2024", "AmbiguousDate");
    check("<=the_first_5_digits_of_serial_number_22081", "≤ 22081.*");
    check("882300 Gemini 16 Slice", "= 882300 Gemini 16 Slice");
    let unit = |text: &str| read(text).unwrap().alternatives[0].unit;
    assert_eq!(
        unit("distributed  < april 1, 2018"),
        Unit::Date(DateOf::Distributed)
    );
    assert_eq!(unit("<= 012U000061"), Unit::Part);
    assert_eq!(
        unit("<=the_first_5_digits_of_serial_number_22081"),
        Unit::Serial(5)
    );
    assert_eq!(unit("CoaguChek XS Pro"), Unit::Model);
    assert_eq!(unit("MMT-1710"), Unit::Model);
    assert_eq!(unit("3120"), Unit::Mark);
    let models = read("MMT-1715 | MMT-1754").unwrap();
    assert_eq!(
        models.models().collect::<Vec<_>>(),
        ["MMT-1715", "MMT-1754"]
    );
}

#[test]
fn what_must_hold_besides_is_kept() {
    check(
        "<=11.2 on Windows 8.1 with IIS 7.5",
        "≤ 11.2 | OperatingSystem: on Windows 8.1 with IIS 7.5",
    );
    check(">= 5.0.0 | CVE-2019-18340", "≥ 5.0.0 | Cve: CVE-2019-18340");
    check(
        "* (only affected by CVE-2019-10943)",
        "* | Cve: only affected by CVE-2019-10943",
    );
    check("9.x model 35700BAX3", "= 9.* | Model: model 35700BAX3");
    check("* (end-of-life 2011)", "* | Remark: end-of-life 2011");
    check(
        "with wireless option (shipped between 2016-August 2018)",
        "* | Option: with wireless option | Shipped: shipped between 2016-August 2018",
    );
    check(
        "All versions with Function State (FS) < 11",
        "* | OtherPart: with Function State (FS) < 11",
    );
    check("NMC2 <= 6.9.6", "≤ 6.9.6 | OtherPart: NMC2 | doubtful");
    let only = read("* (only affected by CVE-2019-10943)").unwrap();
    let any = Version::read("1.0");
    assert!(matches!(
        only.holds(&any),
        Holds::CannotTell(Doubt::Condition(ConditionKind::Cve), _)
    ));
    assert!(matches!(
        only.holds_for(&any, Some("cve-2019-10943")),
        Holds::Yes(_)
    ));
    assert!(matches!(
        only.holds_for(&any, Some("CVE-2020-1")),
        Holds::CannotTell(..)
    ));
}

#[test]
fn what_no_rule_reads_is_said_to_be_unreadable() {
    check("", "Empty");
    check("No version", "SaysNone");
    check(">= <= 2.2", "Grammar");
    check("V3.X.14", "Wildcard");
    check(">= 9.3.0 -  but not including 9.3.8", "Grammar");
    check("all versions except 4.1", "Exclusion");
    check("!= 4.1", "Exclusion");
    check("<4.04E_10.95.210.01", "Operand");
    check(&"1.0 | ".repeat(1000), "TooLong");
}

#[test]
fn a_claim_is_made_only_where_nothing_else_may_be_meant() {
    assert_eq!(asks("<= 2.7", "2.6.9"), "y");
    assert_eq!(asks("<= 2.7", "2.8"), "n");
    assert_eq!(asks("<= 2.7", "2.7.1"), "finer");
    assert_eq!(asks("<= 2.7", "2.7 SP1"), "finer");
    assert_eq!(asks("< 4.8.1", "4.8"), "coarser");
    assert_eq!(asks("< 4.8 SP1", "4.8"), "y");
    assert_eq!(asks("< 1.003", "1.2"), "padding");
    assert_eq!(asks("<May 2018", "1.7"), "date");
    assert_eq!(asks("<May 2018", "2018-04-30"), "y");
    assert_eq!(asks("distributed  < april 1, 2018", "1.7"), "date");
    assert_eq!(asks("3120", "1.7"), "may-be-model");
    assert_eq!(asks("3120", "3120"), "y");
    assert_eq!(asks("20-33", "25"), "may-be-model");
    assert_eq!(asks("1.275M—1.280S", "1.278B"), "may-be-model");
    assert_eq!(asks("< 3002-19", "1.0"), "no-order");
    assert_eq!(asks("CoaguChek XS Pro", "1.7"), "speaks-of-models");
    assert_eq!(asks("<= U61 |<= L81", "U62"), "n");
    assert_eq!(asks("<= U61 |<= L81", "L81"), "y");
    assert_eq!(asks("<= U61 |<= L81", "62"), "no-order");
    assert_eq!(asks("< 1.99 | 2.20", "1.0"), "reading");
    assert_eq!(
        asks(
            "<= 7.20 (7.50 may also be affected if installed by hand)",
            "7.50"
        ),
        "reading"
    );
    assert_eq!(
        asks("< 2.15 (Firmware versions prior to 8.26.4)", "8.20"),
        "reading"
    );
    assert_eq!(
        asks("4.1.1 (and possibly prior versions)", "4.1.0"),
        "reading"
    );
    assert_eq!(asks("<=2.6-GA-01-23116", "2.6"), "coarser");
    assert_eq!(asks("<= 1.0", "0.0.0"), "version-unread");
    assert_eq!(asks("<= 1.0", "newest"), "version-unread");
    assert_eq!(asks("vers:all/*", "newest"), "y");
}

#[test]
fn a_fixed_version_of_an_older_branch_is_not_affected_by_the_newer_one() {
    let text = "<= 4.2.21 | <= 5.0.27 | <= 5.1.19 | <= 6.0.16";
    assert_eq!(asks(text, "4.2.20"), "y");
    assert_eq!(asks(text, "3.9"), "y");
    assert_eq!(asks(text, "5.0.27"), "y");
    assert_eq!(asks(text, "5.0.28"), "n");
    assert_eq!(asks(text, "5.2.1"), "between-branches");
    assert_eq!(asks(text, "6.0.17"), "n");
    assert_eq!(asks(text, "7.1"), "n");
}

#[test]
fn the_trail_names_the_alternative_and_the_rule() {
    let reading = read("9.13 | 9.19 | 12.1").unwrap();
    let Holds::Yes(trail) = reading.holds(&Version::read("9.19")) else {
        panic!("it is listed")
    };
    assert_eq!(
        trail,
        Trail {
            alternative: Some(1),
            how: Some(How::Listed)
        }
    );
    let reading = read(">= 1.0.0  | <= 1.3.1").unwrap();
    let Holds::No(trail) = reading.holds(&Version::read("1.3.2")) else {
        panic!("it is above")
    };
    assert_eq!(
        trail,
        Trail {
            alternative: Some(0),
            how: Some(How::Paired)
        }
    );
}

/// Pieces that advisories are made of, in any order.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("<="),
        Just(">="),
        Just("<"),
        Just("|"),
        Just("and"),
        Just("below"),
        Just("prior to"),
        Just("("),
        Just(")"),
        Just("1.2"),
        Just("V3.x"),
        Just("SP1"),
        Just("Rev B-M"),
        Just("May 2018"),
        Just("all"),
        Just(","),
        Just("CVE-2019-18340"),
        Just("with"),
        Just("U61"),
        Just("012U000040"),
        Just("vers:all/"),
        Just("é"),
        Just("serial number"),
        Just("first 5 digits of"),
        Just("-"),
        Just("x"),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.join(" "))
}

proptest! {
    #[test]
    fn any_text_is_read_or_said_to_be_unreadable(text in any::<String>(), version in any::<String>()) {
        if let Ok(reading) = read(&text) {
            prop_assert!(!reading.alternatives.is_empty());
            let _ = reading.holds(&Version::read(&version));
        }
    }

    #[test]
    fn pieces_of_advisories_never_panic_and_are_never_empty(text in texts()) {
        match read(&text) {
            Ok(reading) => {
                prop_assert!(!reading.alternatives.is_empty());
                for version in ["1.1", "1.2", "3.4", "U60", "C", "2018-04-01"] {
                    let _ = reading.holds(&Version::read(version));
                }
            }
            Err(unreadable) => prop_assert_eq!(unreadable.text, text),
        }
    }

    #[test]
    fn a_single_bound_is_above_or_below(a in 0_u32..40, b in 0_u32..40, c in 0_u32..40, d in 0_u32..40) {
        prop_assume!(c + d > 0, "0.0 says that a device knows no version");
        let below = read(&format!("< {a}.{b}")).unwrap();
        let at_least = read(&format!(">= {a}.{b}")).unwrap();
        let version = Version::read(&format!("{c}.{d}"));
        let (below, at_least) = (below.holds(&version), at_least.holds(&version));
        let is_below = (c, d) < (a, b);
        prop_assert_eq!(matches!(below, Holds::Yes(_)), is_below);
        prop_assert_eq!(matches!(below, Holds::No(_)), !is_below);
        prop_assert_eq!(matches!(at_least, Holds::Yes(_)), !is_below);
        prop_assert_eq!(matches!(at_least, Holds::No(_)), is_below);
    }
}

#[test]
fn a_text_of_64_kilobytes_takes_bounded_work() {
    for piece in ["1.", "(", "<", "a", "| ", "and ", "é", "cve-1 ", "x", "-"] {
        let text = piece.repeat(65_536 / piece.len());
        assert!(read(&text).is_err());
        assert_eq!(
            Version::read(&text).scheme(),
            crate::version::Scheme::Unread
        );
        // The longest text that is read at all.
        let longest = piece.repeat(MAX_BYTES / piece.len());
        if let Ok(reading) = read(&longest) {
            let _ = reading.holds(&Version::read("1.0"));
        }
    }
}

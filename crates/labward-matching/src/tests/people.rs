//! What people said: it decides, it stays visible, and nothing goes by it.

use std::str::FromStr as _;

use labward_base::Timestamp;
use labward_product::Match;
use proptest::prelude::*;

use super::*;

const KEY: u64 = 7;

fn alias(id: u64, name: &str, product: &str, is_product: bool) -> Alias {
    Alias {
        id,
        said: Timestamp::from_seconds(i64::try_from(id).unwrap()),
        manufacturer: "Illumina".to_owned(),
        name: name.to_owned(),
        vendor: "Illumina".to_owned(),
        product: product.to_owned(),
        is_product,
    }
}

fn statement(id: u64, status: VexStatus, version: Option<&str>) -> Statement {
    Statement {
        id,
        said: Timestamp::from_seconds(i64::try_from(id).unwrap()),
        device: KEY,
        version: version.map(str::to_owned),
        vulnerability: VulnerabilityId::public("cve-2023-1968"),
        status,
        justification: None,
        words: String::new(),
    }
}

/// The one answer about the one vulnerability.
fn answer(
    products: &[(&str, &str, &str, &str)],
    device: &Device,
    aliases: &[Alias],
    statements: &[Statement],
) -> Option<Answer> {
    let (books, all) = (Books::shipped().unwrap(), [advisory(products)]);
    let said = Answers::new(aliases.to_vec(), statements.to_vec());
    let mut answers = Matcher::new(&books, &all).answers_with(device, KEY, &said);
    assert!(answers.len() <= 1, "one vulnerability is one answer");
    answers.pop()
}

fn without(answer: &Answer) -> Option<Option<Verdict>> {
    answer.without.as_ref().map(|one| one.verdict)
}

const FAMILY: [(&str, &str, &str, &str); 1] = [("Illumina", "NextSeq", "<= 4.0", AFFECTED)];

#[test]
fn a_name_that_a_person_confirms_is_the_product_and_its_version_is_read() {
    let with = |version| device("Illumina, Inc.", "NextSeq550 Dx", version);
    let said = [alias(1, "nextseq 550dx", "NextSeq", true)];
    let alone = answer(&FAMILY, &with("3.0"), &[], &[]).unwrap();
    assert_eq!((alone.verdict, alone.without), (Verdict::CannotTell, None));
    for (version, verdict) in [("3.0", Verdict::Affected), ("4.1", Verdict::NotAffected)] {
        let told = answer(&FAMILY, &with(version), &said, &[]).unwrap();
        assert_eq!(told.verdict, verdict, "{version}");
        assert_eq!(without(&told), Some(Some(Verdict::CannotTell)));
        let trail = &told.trails[0];
        assert_eq!((trail.person, trail.name), (Some(1), Match::Same));
    }
}

#[test]
fn a_person_may_name_a_product_that_no_rule_finds() {
    let here = device("Illumina", "Blue box", "3.0");
    let said = [alias(1, "Blue Box", "nextseq", true)];
    assert_eq!(answer(&FAMILY, &here, &[], &[]), None);
    let told = answer(&FAMILY, &here, &said, &[]).unwrap();
    assert_eq!(
        (told.verdict, without(&told)),
        (Verdict::Affected, Some(None))
    );
    let other = device("Roche", "Blue box", "3.0");
    assert_eq!(answer(&FAMILY, &other, &said, &[]), None);
}

#[test]
fn what_a_person_sets_aside_stays_in_the_list() {
    let here = device("Illumina", "NextSeq 550", "3.0");
    let said = [alias(1, "NextSeq 550", "NextSeq", false)];
    let told = answer(&FAMILY, &here, &said, &[]).unwrap();
    assert_eq!(told.verdict, Verdict::NotAffected);
    assert_eq!(without(&told), Some(Some(Verdict::CannotTell)));
    let trail = &told.trails[0];
    assert_eq!((trail.person, trail.name), (Some(1), Match::No));
    assert_eq!(&*trail.named, "NextSeq");
}

#[test]
fn setting_one_product_aside_leaves_the_others() {
    let products = [
        ("Illumina", "NextSeq", "<= 4.0", AFFECTED),
        ("Illumina", "NextSeq 550", "<= 4.0", AFFECTED),
    ];
    let here = device("Illumina", "NextSeq 550", "3.0");
    let said = [alias(1, "NextSeq 550", "NextSeq", false)];
    let told = answer(&products, &here, &said, &[]).unwrap();
    assert_eq!(told.verdict, Verdict::Affected);
    let people: Vec<_> = told.trails.iter().map(|one| one.person).collect();
    assert_eq!(people, [None, Some(1)]);
}

#[test]
fn of_two_answers_the_newest_counts() {
    let here = device("Illumina", "NextSeq 550", "3.0");
    let (old, new) = (
        alias(1, "NextSeq 550", "NextSeq", false),
        alias(2, "NextSeq 550", "NextSeq", true),
    );
    for said in [[old.clone(), new.clone()], [new, old]] {
        let told = answer(&FAMILY, &here, &said, &[]).unwrap();
        let person = told.trails[0].person;
        assert_eq!((told.verdict, person), (Verdict::Affected, Some(2)));
    }
    let (old, new) = (
        statement(1, VexStatus::Affected, None),
        statement(2, VexStatus::Fixed, None),
    );
    for said in [[old.clone(), new.clone()], [new, old]] {
        let told = answer(&FAMILY, &here, &[], &said).unwrap();
        assert_eq!(told.verdict, Verdict::NotAffected);
        assert_eq!(told.stated.unwrap().id, 2);
        assert_eq!(without(&told), Some(Some(Verdict::CannotTell)));
    }
}

#[test]
fn a_statement_of_one_version_says_nothing_of_another() {
    let said = [statement(1, VexStatus::NotAffected, Some("3.0 "))];
    let with = |version| {
        let here = device("Illumina", "NextSeq", version);
        answer(&FAMILY, &here, &[], &said).unwrap()
    };
    assert_eq!(with("3.0").verdict, Verdict::NotAffected);
    assert_eq!(with("3.1").verdict, Verdict::Affected);
    assert_eq!(with("").verdict, Verdict::CannotTell);
    assert_eq!(with("").stated, None);
}

#[test]
fn under_investigation_clears_nothing() {
    let said = [statement(1, VexStatus::UnderInvestigation, None)];
    let with = |version| {
        let here = device("Illumina", "NextSeq", version);
        let told = answer(&FAMILY, &here, &[], &said).unwrap();
        let reasons: Vec<_> = told.reasons.iter().map(|one| one.code()).collect();
        (told.verdict, reasons)
    };
    assert_eq!(with("3.0"), (Verdict::Affected, vec![]));
    assert_eq!(
        with("4.1"),
        (Verdict::CannotTell, vec!["under-investigation"])
    );
}

#[test]
fn what_a_person_calls_affected_is_told_even_where_no_product_matches() {
    let here = device("Illumina", "Blue box", "3.0");
    let said = [statement(1, VexStatus::Affected, None)];
    let told = answer(&FAMILY, &here, &[], &said).unwrap();
    assert_eq!((told.verdict, told.trails.len()), (Verdict::Affected, 0));
    assert_eq!(without(&told), Some(None));
    let said = [statement(1, VexStatus::NotAffected, None)];
    assert_eq!(answer(&FAMILY, &here, &[], &said), None);
    let mut of_another = statement(1, VexStatus::Affected, None);
    of_another.device = KEY + 1;
    assert_eq!(answer(&FAMILY, &here, &[], &[of_another]), None);
}

#[test]
fn a_vulnerability_without_cve_is_known_again_by_its_title() {
    let mut all = [advisory(&FAMILY)];
    all[0].vulnerabilities[0].cve = None;
    let id = |all: &[Advisory; 1], place| VulnerabilityId::of(&all[0], place).unwrap().to_string();
    assert_eq!(id(&all, 0), "A-1#0");
    all[0].vulnerabilities[0].title = Some("Open port".into());
    assert_eq!(id(&all, 0), "A-1#=Open port");
    let twin = all[0].vulnerabilities[0].clone();
    all[0].vulnerabilities.push(twin);
    assert_eq!(id(&all, 1), "A-1#1");
}

const NAMES: [&str; 5] = [
    "NextSeq",
    "NextSeq 550",
    "NextSeq 550 Dx",
    "MiSeq",
    "MiSeq Software",
];
const RANGES: [&str; 5] = ["<= 4.0", "> 2.0", "3.0", "", "vers:all/*"];
const STATUSES: [&str; 4] = [
    AFFECTED,
    "fixed",
    "known_not_affected",
    "under_investigation",
];

/// A product by its places in those.
type Written = (usize, usize, usize);

fn any_products() -> impl Strategy<Value = Vec<Written>> {
    let product = (0..NAMES.len(), 0..RANGES.len(), 0..STATUSES.len());
    proptest::collection::vec(product, 1..4)
}

/// Aliases and statements, each with a number of its own.
fn any_said() -> impl Strategy<Value = (Vec<Alias>, Vec<Statement>)> {
    let aliases = (0..NAMES.len(), 0..NAMES.len(), any::<bool>(), 0..3_i64);
    let statements = (0..4_usize, any::<bool>(), 0..3_i64);
    let many = (
        proptest::collection::vec(aliases, 0..5),
        proptest::collection::vec(statements, 0..4),
    );
    many.prop_map(|(aliases, statements)| {
        let aliases = (0..)
            .zip(aliases)
            .map(|(id, (name, product, is, said))| Alias {
                said: Timestamp::from_seconds(said),
                ..alias(id, NAMES[name], NAMES[product], is)
            });
        let statements = (100..)
            .zip(statements)
            .map(|(id, (status, all, said))| Statement {
                said: Timestamp::from_seconds(said),
                ..statement(id, VexStatus::ALL[status], (!all).then_some("3.0"))
            });
        (aliases.collect(), statements.collect())
    })
}

fn written(products: &[Written], id: &str) -> Advisory {
    let products: Vec<_> = products
        .iter()
        .map(|(name, range, status)| ("Illumina", NAMES[*name], RANGES[*range], STATUSES[*status]))
        .collect();
    Advisory {
        id: id.into(),
        ..advisory(&products)
    }
}

/// The answers by the ids of their advisories.
fn by_id(all: &[Advisory], answers: Vec<Answer>) -> Vec<(String, Answer)> {
    let mut told: Vec<_> = answers
        .into_iter()
        .map(|one| {
            (
                all[one.advisory].id.to_string(),
                Answer { advisory: 0, ..one },
            )
        })
        .collect();
    told.sort_by(|a, b| a.0.cmp(&b.0));
    told
}

proptest! {
    #[test]
    fn nothing_goes_and_the_order_does_not_matter(
        products in any_products(),
        more in any_products(),
        (aliases, statements) in any_said(),
        name in 0..NAMES.len(),
        version in prop_oneof![Just(""), Just("3.0"), Just("4.1")],
    ) {
        let books = Books::shipped().unwrap();
        let (one, other) = (written(&products, "A-1"), written(&more, "A-2"));
        let here = device("Illumina", NAMES[name], version);
        let (forward, back) = ([one.clone(), other.clone()], [other, one]);
        let said = Answers::new(aliases.clone(), statements.clone());
        let turned = Answers::new(aliases.into_iter().rev(), statements.into_iter().rev());
        let matcher = Matcher::new(&books, &forward);
        let told = matcher.answers_with(&here, KEY, &said);
        let other_way = Matcher::new(&books, &back).answers_with(&here, KEY, &turned);
        prop_assert_eq!(by_id(&forward, told.clone()), by_id(&back, other_way));
        for alone in matcher.answers(&here) {
            let kept = told.iter().find(|one| one.advisory == alone.advisory).unwrap();
            let verdict = kept.without.as_ref().map_or(Some(kept.verdict), |one| one.verdict);
            prop_assert_eq!(verdict, Some(alone.verdict));
            prop_assert!(!kept.trails.is_empty());
        }
        for one in &told {
            prop_assert_eq!(one.reasons.is_empty(), one.verdict != Verdict::CannotTell);
        }
    }

    #[test]
    fn an_id_is_read_as_it_is_written(
        advisory in "[A-Z0-9#%=-]{1,12}",
        title in ".{0,20}",
        place: usize,
    ) {
        for id in [
            VulnerabilityId::public("CVE-2023-1968"),
            VulnerabilityId::Titled { advisory: advisory.clone(), title },
            VulnerabilityId::Placed { advisory, place },
        ] {
            prop_assert_eq!(VulnerabilityId::from_str(&id.to_string()), Ok(id));
        }
    }

    #[test]
    fn no_text_panics_as_an_id(text in ".{0,30}") {
        let _ = VulnerabilityId::from_str(&text);
    }
}

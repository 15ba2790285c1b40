//! The whole scan, with gzip and plain bytes.

use std::io::Write as _;
use std::sync::LazyLock;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use labward_carrier::{Budget, Declared};
use labward_testkit::carrier::eicar;

use crate::hashes::Collector;
use crate::yara::Loader;
use crate::{
    Deadline, Engine, EngineError, FindingKind, Hit, Look, Policy, Report, Scanner, Setting,
    Verdict,
};

static EICAR: LazyLock<Vec<u8>> = LazyLock::new(eicar);
const LONG: Duration = Duration::from_secs(60);

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::default());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn with(engines: Vec<Box<dyn Engine>>) -> Scanner {
    Scanner::new(engines, Policy::default(), None, Some(1_700_000_000))
}

fn own() -> Box<dyn Engine> {
    let mut loader = Loader::default();
    loader.add_own();
    assert_eq!(loader.sets()[0].refused, [], "our own rules load");
    Box::new(loader.finish())
}

fn scan(scanner: &Scanner, bytes: &[u8], declared: &Declared) -> Report {
    scanner.scan(Setting::File, bytes, declared, &Deadline::after(LONG))
}

fn plain(scanner: &Scanner, bytes: &[u8]) -> Report {
    scan(scanner, bytes, &Declared::nothing())
}

fn rules(report: &Report) -> Vec<&str> {
    report
        .findings
        .iter()
        .map(|one| one.rule.as_str())
        .collect()
}

#[test]
fn eicar_is_malicious_however_deep_it_is_packed_and_only_as_the_standard_says() {
    let scanner = with(vec![own()]);
    assert_eq!(plain(&scanner, &EICAR).verdict, Verdict::Malicious);
    let report = plain(&scanner, &gzip(&gzip(&EICAR)));
    assert_eq!(report.verdict, Verdict::Malicious);
    let finding = &report.findings[0];
    assert_eq!(
        (finding.path.as_str(), finding.kind),
        ("gzip / gzip", FindingKind::Eicar)
    );
    assert_eq!(
        finding.sha256,
        "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"
    );
    assert_eq!((report.parts, report.rules_since), (3, Some(1_700_000_000)));
    let verdict = |tail: &[u8]| plain(&scanner, &[&EICAR[..], tail].concat()).verdict;
    assert_eq!(verdict(b"\r\n \t\x1a"), Verdict::Malicious);
    assert_eq!(verdict(&[b' '; 60]), Verdict::Malicious);
    assert_eq!(verdict(&[b' '; 61]), Verdict::Clean);
    assert_eq!(verdict(b"x"), Verdict::Clean);
    assert_eq!(
        plain(&scanner, &[b" ", &EICAR[..]].concat()).verdict,
        Verdict::Clean
    );
}

#[test]
fn what_cannot_be_looked_into_is_never_clean() {
    let scanner = with(vec![own()]);
    let mut damaged = gzip(&[b'a'; 5_000]);
    damaged.truncate(20);
    let report = plain(&scanner, &damaged);
    assert_eq!(report.verdict, Verdict::Unscannable, "{report:?}");
    assert_eq!(report.obstacles[0].why, "damaged");
    let small = Budget {
        depth: 1,
        ..Budget::default()
    };
    let report = scanner.scan_within(
        Setting::File,
        &small,
        &gzip(&gzip(b"x")),
        &Declared::nothing(),
        &Deadline::after(LONG),
    );
    assert_eq!(
        (report.verdict, report.obstacles[0].why.as_str()),
        (Verdict::Unscannable, "over-budget-depth")
    );
    let late = scanner.scan(
        Setting::File,
        b"x",
        &Declared::nothing(),
        &Deadline::after(Duration::ZERO),
    );
    assert_ne!(late.verdict, Verdict::Clean);
}

/// An engine that fails in one of the ways.
struct Failing(Option<EngineError>);

impl Engine for Failing {
    fn name(&self) -> &'static str {
        "failing"
    }

    fn look(&self, _: &Look<'_>, _: &Deadline) -> Result<Vec<Hit>, EngineError> {
        Err(self
            .0
            .clone()
            .expect("a library that does not keep its word"))
    }

    fn state(&self) -> String {
        String::new()
    }
}

#[test]
fn an_engine_that_fails_or_panics_is_a_scanner_error_and_takes_no_finding_away() {
    let failures = [
        Some(EngineError::Late),
        Some(EngineError::TooLarge),
        Some(EngineError::Unreachable("x".to_owned())),
        None,
    ];
    for failure in failures {
        let code = failure.as_ref().map_or("panic", EngineError::code);
        let scanner = with(vec![own(), Box::new(Failing(failure.clone()))]);
        let report = plain(&scanner, b"Glucose 5.1");
        assert_eq!(
            (report.verdict, report.faults[0].code.as_str()),
            (Verdict::ScannerError, code)
        );
        assert_eq!(
            plain(&scanner, &EICAR).verdict,
            Verdict::Malicious,
            "{code}"
        );
    }
}

#[test]
fn rules_of_others_are_suspicious_until_a_person_approves_them() {
    let load = |approved: &[&str]| {
        let mut loader = Loader::default();
        loader.add_text("lab", "rule found { meta: description = \"said\\x01\" author = \"Somebody\" score = 90 strings: $a = \"needle\" condition: $a }");
        let mut rules = loader.finish();
        rules.approve(approved.iter().map(|name| (*name).to_owned()));
        with(vec![Box::new(rules)])
    };
    let report = plain(&load(&[]), &gzip(b"a needle"));
    assert_eq!(
        (report.verdict, rules(&report)),
        (Verdict::Suspicious, vec!["found"])
    );
    assert_eq!(report.findings[0].description, "said  (Somebody)");
    assert_eq!(report.findings[0].severity, crate::Severity::Critical);
    let approved = plain(&load(&["found"]), b"a needle");
    assert_eq!(approved.verdict, Verdict::Malicious);
    assert_ne!(report.rules, approved.rules);
}

#[test]
fn a_set_that_was_approved_makes_malicious_and_another_set_with_the_same_names_does_not() {
    let folder = labward_testkit::TempDir::new();
    let (ours, theirs) = (folder.join("ours.yar"), folder.join("theirs.zip"));
    let rule = |word: &str| format!("rule bad {{ strings: $a = \"{word}\" condition: $a }}");
    std::fs::write(&ours, rule("first-word")).unwrap();
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&theirs).unwrap());
    let plain = zip::write::SimpleFileOptions::default();
    for (name, text) in [
        ("a/b.yar", rule("second-word")),
        ("read.txt", rule("third-word")),
    ] {
        zip.start_file(name, plain).unwrap();
        std::io::Write::write_all(&mut zip, text.as_bytes()).unwrap();
    }
    zip.finish().unwrap();
    let verdicts = |approve: [bool; 2]| {
        let mut loader = Loader::default();
        for (path, approve) in [&ours, &theirs].into_iter().zip(approve) {
            loader.add_path(path, "", None);
            if approve {
                loader.approve_last();
            }
        }
        let rules = loader.finish();
        assert_eq!(rules.len(), 2, "{:?}", rules.sets());
        let state = rules.state();
        let scanner = with(vec![Box::new(rules)]);
        let verdict = |text: &str| plain_verdict(&scanner, text);
        (
            verdict("first-word"),
            verdict("second-word"),
            verdict("third-word"),
            state,
        )
    };
    use Verdict::{Clean, Malicious, Suspicious};
    let (first, second, third, none) = verdicts([false, false]);
    assert_eq!((first, second, third), (Suspicious, Suspicious, Clean));
    let (first, second, _, one) = verdicts([true, false]);
    assert_eq!((first, second), (Malicious, Suspicious));
    let (first, second, _, other) = verdicts([false, true]);
    assert_eq!((first, second), (Suspicious, Malicious));
    assert!(none != one && one != other && none != other);
}

fn plain_verdict(scanner: &Scanner, text: &str) -> Verdict {
    plain(scanner, text.as_bytes()).verdict
}

#[test]
fn a_bad_rule_is_named_and_the_others_load() {
    let mut loader = Loader::default();
    let text = "import \"pe\"\nimport \"cuckoo\"\ninclude \"/etc/passwd\"\nrule good1 { condition: pe.is_pe }\n\
                rule bad {\n condition:\n nonsense }\nrule needs_cuckoo { condition: cuckoo.sync.mutex(/x/) }\n\
                rule good2 { strings: $a = \"x1\" condition: $a }\nrule good2 { condition: true }\n";
    loader.add_text("mixed", text);
    loader.add_text("broken", "rule a { strings: $a = ");
    let [mixed, broken] = loader.sets() else {
        panic!()
    };
    assert_eq!(mixed.rules, 2);
    let told: Vec<_> = mixed
        .refused
        .iter()
        .map(|one| (one.rule.as_deref(), one.line))
        .collect();
    assert_eq!(
        told,
        [
            (None, 2),
            (None, 3),
            (Some("bad"), 7),
            (Some("needs_cuckoo"), 8),
            (Some("good2"), 10)
        ],
        "{:?}",
        mixed.refused
    );
    assert!(
        mixed.refused[1].why.contains("not allowed"),
        "{:?}",
        mixed.refused[1]
    );
    assert_eq!((broken.rules, broken.refused.len()), (0, 1));
    let scanner = with(vec![Box::new(loader.finish())]);
    assert_eq!(rules(&plain(&scanner, b"x1")), ["good2"]);
}

#[test]
fn rules_know_name_kind_and_whether_it_is_clinical() {
    let mut loader = Loader::default();
    let text = "rule named { condition: filename == \"a.PDF\" and extension == \".pdf\" and filepath contains \"dir\" }\n\
                rule kind { condition: filetype == \"EXE\" }\nrule lab { condition: clinical }";
    loader.add_text("x", text);
    let scanner = with(vec![Box::new(loader.finish())]);
    assert_eq!(
        rules(&scan(&scanner, b"x", &Declared::named("dir/a.PDF"))),
        ["named"]
    );
    assert_eq!(rules(&plain(&scanner, b"MZ")), ["kind"]);
    assert_eq!(rules(&plain(&scanner, b"MSH|^~\\&|A\r")), ["lab"]);
}

#[test]
fn hashes_are_malicious_and_known_good_bytes_are_not_told() {
    let md5 = "9e107d9d372bb6826bd81d3542a419d6";
    let fox = b"The quick brown fox jumps over the lazy dog";
    let hashes = |list: &str| {
        let mut collector = Collector::default();
        collector.add("list.hdb", list.as_bytes()).unwrap();
        with(vec![Box::new(collector.finish())])
    };
    let report = plain(&hashes(&format!("{md5}:43:Fox\n")), &gzip(fox));
    assert_eq!(report.verdict, Verdict::Malicious);
    assert_eq!(
        (
            report.findings[0].rule.as_str(),
            report.findings[0].description.as_str()
        ),
        (format!("md5:{md5}").as_str(), "Fox")
    );
    assert_eq!(
        plain(&hashes(&format!("{md5}:44:Fox\n")), fox).verdict,
        Verdict::Clean,
        "another size"
    );
    let sha1 = plain(
        &hashes("2fd4e1c67a2d28fced849ee1bb76e7391b93eb12:*:Fox"),
        fox,
    );
    assert_eq!(sha1.verdict, Verdict::Malicious);

    let mut good = Collector::default();
    let list =
        format!("[\"d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592\",\"{md5}\"]");
    good.add("known.json", list.as_bytes()).unwrap();
    let good = good.finish_allow();
    assert_eq!(good.ignored(), 1, "an MD5 clears nothing");
    let mut bad = Collector::default();
    bad.add("list", md5.as_bytes()).unwrap();
    let scanner = Scanner::new(
        vec![Box::new(bad.finish())],
        Policy::default(),
        Some(good),
        None,
    );
    assert_eq!(plain(&scanner, fox).verdict, Verdict::Clean);
}

#[test]
fn the_structure_speaks_without_any_rule() {
    let scanner = with(Vec::new());
    let mut dicom = vec![0; 200];
    dicom[..2].copy_from_slice(b"MZ");
    dicom[128..132].copy_from_slice(b"DICM");
    let verdict = |bytes: &[u8], declared: &Declared, setting| {
        scanner
            .scan(setting, bytes, declared, &Deadline::after(LONG))
            .verdict
    };
    assert_eq!(
        verdict(&dicom, &Declared::nothing(), Setting::Message),
        Verdict::Suspicious
    );
    let report = scan(&scanner, &dicom, &Declared::typed("application/pdf"));
    assert_eq!(
        rules(&report),
        [
            "labward.structure.program-as-document",
            "labward.structure.dicom-preamble",
            "labward.structure.program-in-clinical"
        ]
    );
    assert!(report.signs.iter().any(|one| one.sign == "polyglot"));
    assert_eq!(
        verdict(
            b"MZ is a name",
            &Declared::typed("text/plain"),
            Setting::Message
        ),
        Verdict::Clean
    );
    assert_eq!(
        verdict(&dicom[..100], &Declared::named("tool.exe"), Setting::File),
        Verdict::Clean
    );
}

#[test]
fn a_report_is_bounded_and_still_says_the_worst() {
    let text: String = (0..300)
        .map(|n| format!("rule r{n} {{ condition: true }}\n"))
        .collect();
    let mut loader = Loader::default();
    loader.add_text("many", &text);
    let mut worst = Collector::default();
    worst.add("l", b"9e107d9d372bb6826bd81d3542a419d6").unwrap();
    let scanner = with(vec![Box::new(loader.finish()), Box::new(worst.finish())]);
    let fox = b"The quick brown fox jumps over the lazy dog";
    // Three parts with 100 hits each, the one with the known hash last.
    let report = plain(&scanner, &gzip(&gzip(fox)));
    assert_eq!((report.findings.len(), report.left_out), (200, 101));
    assert_eq!(report.verdict, Verdict::Malicious);
    assert!(report.is_plausible());
}

/// Every carrier of a laboratory around a payload: the path of what is found, and the verdict.
fn in_every_carrier(scanner: &Scanner, payload: &[u8], kind: FindingKind) {
    let carriers = labward_testkit::carrier::all(payload);
    assert_eq!(carriers.len(), 26);
    for carrier in carriers {
        let report = scanner.scan(
            Setting::Message,
            &carrier.bytes,
            &Declared::nothing(),
            &Deadline::after(LONG),
        );
        // A preamble has room for 128 bytes of a program, which no hash knows.
        let is_cut = carrier.name == "DICOM preamble" && payload.len() > 128;
        let (verdict, kind) = match is_cut {
            true => (Verdict::Suspicious, FindingKind::Structure),
            false => (Verdict::Malicious, kind),
        };
        assert_eq!(report.verdict, verdict, "{}", carrier.name);
        let mut found = report.findings.iter().filter(|one| one.kind == kind);
        let is_there = found.any(|one| one.path == carrier.path);
        assert!(is_there, "{}: {:?}", carrier.name, report.findings);
    }
}

#[test]
fn eicar_is_found_in_every_carrier_of_a_laboratory() {
    let scanner = with(vec![own()]);
    in_every_carrier(&scanner, &EICAR, FindingKind::Eicar);
}

#[test]
fn the_test_program_of_clamav_is_found_in_every_carrier_of_a_laboratory() {
    let Ok(program) = std::fs::read("/usr/share/clamav-testfiles/clam.exe") else {
        eprintln!("labward-skip: clamav-testfiles is not installed");
        return;
    };
    let hash = crate::hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &program).as_ref());
    let mut list = Collector::default();
    list.add("list.txt", hash.as_bytes()).unwrap();
    let scanner = with(vec![own(), Box::new(list.finish())]);
    in_every_carrier(&scanner, &program, FindingKind::Hash);
}

/// Rules of every kind that the loader tells apart, some with words that stand in the texts below.
const MIXED: &str = r#"import "pe"
import "math"
rule word { strings: $a = "Glucose" nocase condition: $a }
rule two { strings: $a = "glucose" $b = "hemoglobin" wide $c = "xyz" condition: 2 of them }
rule count { strings: $a = "result" condition: #a > 1 }
rule none { strings: $a = "result" condition: not $a }
rule few { strings: $a = "result" condition: #a < 2 and filesize > 3 }
rule hexes { strings: $a = { 52 65 73 75 6C 74 ?? 31 } condition: $a }
rule regex { strings: $a = /resul(t|ts)_[0-9]+/ condition: $a }
rule either { strings: $a = "potassium" $b = "so" fullword condition: $a or $b }
rule coded { strings: $a = "glucose" base64 condition: $a }
rule mixed { strings: $a = "sodium chloride" xor condition: $a }
rule module { strings: $a = "glucose" condition: $a and math.entropy(0, filesize) > 1.0 }
rule windows { strings: $a = "result" condition: uint16(0) == 0x5a4d and any of them }
rule elf { condition: uint32(0) == 0x464c457f and not pe.is_pe }
rule each { strings: $a = "result" $b = "glucose" condition: for any of them : ( $ at 2 ) }
rule percent { strings: $a = "result_1" $b = "glucose" condition: 50% of them }
"#;

/// The rules as they are loaded, and each asked about all bytes.
static BOTH: LazyLock<(Scanner, Scanner)> = LazyLock::new(|| {
    let scanner = |mut loader: Loader| {
        loader.add_own();
        loader.add_text("mixed", MIXED);
        let mut sets = loader.sets().iter();
        assert!(
            sets.all(|set| set.refused.is_empty()),
            "{:?}",
            loader.sets()
        );
        with(vec![Box::new(loader.finish())])
    };
    (scanner(Loader::default()), scanner(Loader::plain()))
});

proptest::proptest! {
    #[test]
    fn what_rules_demand_changes_no_hit(
        head in "(MZ|\\x7fELF|\\PC{0,2})",
        words in proptest::collection::vec(
            "(Glucose|glucose|GLUCOSE|result|Result|Result 1|results_7|result_1|so|potassium|h\0e\0m\0o\0g\0l\0o\0b\0i\0n\0|xyz|Z2x1Y29zZ| |[a-z]{0,9})",
            0..12,
        ),
    ) {
        let bytes = format!("{head}{}", words.concat()).into_bytes();
        let hits = |scanner: &Scanner| {
            let report = plain(scanner, &bytes);
            let mut found: Vec<_> = report.findings.into_iter().map(|one| (one.path, one.rule)).collect();
            found.sort();
            (report.verdict, found)
        };
        proptest::prop_assert_eq!(hits(&BOTH.0), hits(&BOTH.1));
    }
}

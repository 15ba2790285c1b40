//! Hits that come from bills of materials, and what publishers answer.

use labward_advisory::Limits;
use labward_matching::{Bill, VexStatus};
use labward_seal::sha256;
use serde_json::json;

use super::*;

const MANUFACTURER: &str = "Example Company";

fn bill(version: &str) -> String {
    json!({"bomFormat": "CycloneDX", "specVersion": "1.4", "serialNumber": "urn:uuid:7",
        "metadata": {"component": {"name": "ABC", "type": "device", "bom-ref": "abc"}},
        "components": [
            {"type": "library", "name": "log4j-core", "group": "org.apache.logging.log4j",
             "version": version, "bom-ref": "log4j",
             "purl": format!("pkg:maven/org.apache.logging.log4j/log4j-core@{version}")},
            {"type": "library", "name": "lodash", "version": "4.17.11", "purl": "pkg:npm/lodash@4.17.11"}]})
    .to_string()
}

fn with(bill: &str) -> Vec<Subject> {
    let read = Bill::read(bill.as_bytes(), &Limits::sbom()).unwrap();
    vec![Subject {
        id: DeviceId::new(7),
        device: Device {
            manufacturer: MANUFACTURER.to_owned(),
            model: "ABC".to_owned(),
            product: String::new(),
            version: "4.2".to_owned(),
        },
        os: Default::default(),
        parts: Some(Parts {
            sha256: sha256(bill.as_bytes()),
            bill: Arc::new(read),
        }),
    }]
}

fn osv(id: &str, cve: &str, [ecosystem, name]: [&str; 2], events: serde_json::Value) -> String {
    json!({"id": id, "aliases": [cve], "modified": "2024-01-01T00:00:00Z", "summary": format!("Of {name}"),
        "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
        "affected": [{"package": {"ecosystem": ecosystem, "name": name},
            "ranges": [{"type": "ECOSYSTEM", "events": events}]}]})
    .to_string()
}

fn log4shell(id: &str) -> String {
    let package = ["Maven", "org.apache.logging.log4j:log4j-core"];
    let events = json!([{"introduced": "2.0"}, {"fixed": "2.15.0"}]);
    osv(id, "CVE-2021-44228", package, events)
}

fn open(lab: &Lab) -> Vec<(String, Verdict)> {
    let hits = lab.threats.hits();
    let open = hits.values().filter(|hit| hit.closed.is_none());
    open.map(|hit| (hit.key.to_string(), hit.verdict)).collect()
}

fn rematch(lab: &Lab, subjects: &[Subject]) -> Arc<Matched> {
    lab.clock.advance(Duration::from_secs(1));
    lab.threats.rematch(subjects, lab.clock.now()).unwrap()
}

fn closed_by(lab: &Lab) -> Vec<&'static str> {
    let hits = lab.threats.hits();
    hits.values()
        .filter_map(|hit| Some(hit.closed?.1.name()))
        .collect()
}

/// An OpenVEX document of one statement.
fn openvex(id: &str, author: &str, product: &str, status: &str, why: Option<&str>) -> String {
    let mut statement = json!({"vulnerability": {"name": "CVE-2021-44228"}, "status": status,
        "timestamp": "2024-02-01T00:00:00Z", "products": [{"@id": product}]});
    if let Some(why) = why {
        statement["justification"] = json!(why);
    }
    json!({"@context": "https://openvex.dev/ns/v0.2.0", "@id": id, "author": author, "version": 1,
        "timestamp": "2024-02-01T00:00:00Z", "statements": [statement]})
    .to_string()
}

const LOG4J: &str = "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1";

#[test]
fn one_hit_a_vulnerability_whatever_calls_it_and_a_newer_bill_closes_it() {
    let lab = lab();
    let lodash = osv(
        "GHSA-jf85",
        "CVE-2019-10744",
        ["npm", "lodash"],
        json!([{"introduced": "0"}, {"fixed": "4.17.12"}]),
    );
    let files = [
        ("a.json", &*log4shell("GHSA-jfh8")),
        ("b.json", &*log4shell("OTHER-1")),
        ("c.json", &*lodash),
    ];
    let done = import(&lab, &files);
    assert_eq!(
        states(&done),
        ["added", "added"],
        "one document for each ecosystem"
    );
    assert_eq!(states(&import(&lab, &files)), ["known", "known"]);
    let matched = rematch(&lab, &with(&bill("2.14.1")));
    assert_eq!(
        open(&lab),
        [
            ("OSV CVE-2019-10744".to_owned(), Verdict::Affected),
            ("OSV CVE-2021-44228".to_owned(), Verdict::Affected)
        ]
    );
    let of = |one: &&Judged| one.key.vulnerability == "CVE-2021-44228";
    let one = matched.judged.iter().find(of).unwrap();
    assert_eq!(one.steps.len(), 2);
    assert_eq!(one.steps[0].found_by, LOG4J);
    assert_eq!(one.steps[0].versions.as_deref(), Some(">= 2.0, < 2.15.0"));
    assert_eq!(one.told.as_ref().unwrap().scores[0].base_tenths, Some(98));
    // Nothing is new: nothing is written.
    assert_eq!(rematch(&lab, &with(&bill("2.14.1"))).changed, (0, 0));
    rematch(&lab, &with(&bill("2.17.1")));
    assert_eq!(closed_by(&lab), ["sbom"]);
    let (read, damaged) = Threats::load(lab.store.clone(), SITE).unwrap();
    assert!(damaged.is_empty());
    let again = read
        .rematch(&with(&bill("2.14.1")), lab.clock.now())
        .unwrap();
    assert_eq!(again.changed, (1, 0));
}

#[test]
fn a_record_that_was_withdrawn_closes_its_hit() {
    let lab = lab();
    import(&lab, &[("a.json", &log4shell("GHSA-jfh8"))]);
    rematch(&lab, &with(&bill("2.14.1")));
    assert_eq!(open(&lab).len(), 1);
    let mut withdrawn: serde_json::Value = serde_json::from_str(&log4shell("GHSA-jfh8")).unwrap();
    withdrawn["withdrawn"] = json!("2024-03-01T00:00:00Z");
    withdrawn["modified"] = json!("2024-03-01T00:00:00Z");
    assert_eq!(
        states(&import(&lab, &[("a.json", &withdrawn.to_string())])),
        ["updated"]
    );
    rematch(&lab, &with(&bill("2.14.1")));
    assert_eq!(closed_by(&lab), ["advisory"]);
}

#[test]
fn the_makers_vex_closes_with_a_reason_and_nobody_elses_does() {
    let lab = lab();
    import(&lab, &[("a.json", &log4shell("GHSA-jfh8"))]);
    let subjects = with(&bill("2.14.1"));
    let say = |author: &str, status: &str, why: Option<&str>| {
        let text = openvex("https://e.x/vex", author, LOG4J, status, why);
        import(&lab, &[("v.json", &text)]);
        rematch(&lab, &subjects)
    };
    rematch(&lab, &subjects);
    let justified = Some("vulnerable_code_not_in_execute_path");
    let matched = say("Somebody Else", "not_affected", justified);
    assert_eq!(open(&lab).len(), 1);
    let told = &matched.judged[0].published;
    assert_eq!(
        (told.len(), told[0].is_by_maker, told[0].counts),
        (1, false, false)
    );
    say("Example Company PSIRT", "not_affected", None);
    assert_eq!(open(&lab).len(), 1, "without a reason");
    assert_eq!(lab.threats.library().vex_documents().count(), 2);
    let text = openvex(
        "https://e.x/vex-2",
        "Example Company PSIRT",
        LOG4J,
        "not_affected",
        justified,
    );
    import(&lab, &[("w.json", &text)]);
    let matched = rematch(&lab, &subjects);
    let one = &matched.judged[0];
    assert_eq!(
        (one.verdict, one.without),
        (Verdict::NotAffected, Some(Verdict::Affected))
    );
    let counting: Vec<_> = one.published.iter().filter(|said| said.counts).collect();
    assert_eq!(counting.len(), 1);
    assert_eq!(counting[0].status, VexStatus::NotAffected);
    assert_eq!(closed_by(&lab), ["vex"]);
    // What a person of the lab says stands before it.
    let hit = lab.threats.hits().values().next().cloned().unwrap();
    let said = Said::Status {
        device: hit.device,
        vulnerability: VulnerabilityId::public("CVE-2021-44228"),
        status: Status::Affected,
        version: None,
    };
    let new = NewStatement::new(said, b"sealed".to_vec()).unwrap();
    lab.threats
        .state_that(&new, OFFICER, lab.clock.now())
        .unwrap();
    rematch(&lab, &subjects);
    assert_eq!(
        open(&lab),
        [("OSV CVE-2021-44228".to_owned(), Verdict::Affected)]
    );
}

#[test]
fn a_link_into_the_bill_and_a_package_that_is_the_device_are_understood() {
    for (target, is_about) in [
        ("urn:cdx:7/1#log4j", true),
        ("urn:cdx:7/1#abc", true),
        ("urn:cdx:8/1#log4j", false),
    ] {
        let lab = lab();
        import(&lab, &[("a.json", &log4shell("GHSA-jfh8"))]);
        let vex = json!({"bomFormat": "CycloneDX", "specVersion": "1.4", "serialNumber": "urn:uuid:9",
            "metadata": {"timestamp": "2024-02-01T00:00:00Z", "component": {"name": "VEX", "type": "file",
                "supplier": {"name": "Example Company"}}},
            "vulnerabilities": [{"id": "CVE-2021-44228", "analysis": {"state": "not_affected",
                "justification": "code_not_reachable"}, "affects": [{"ref": target}]}]});
        assert_eq!(
            states(&import(&lab, &[("v.json", &vex.to_string())])),
            ["added"]
        );
        rematch(&lab, &with(&bill("2.14.1")));
        assert_eq!(open(&lab).is_empty(), is_about, "{target}");
    }
    let lab = lab();
    let refused = import(&lab, &[("a.json", &bill("1"))]);
    assert_eq!(
        states(&refused),
        ["refused"],
        "a bill says nothing of vulnerabilities"
    );
}

fn example(name: &str) -> Option<String> {
    let Some(data) = std::env::var_os("LABWARD_TEST_DATA").map(PathBuf::from) else {
        eprintln!("labward-skip: VEX documents of OASIS: LABWARD_TEST_DATA is not set");
        return None;
    };
    std::fs::read_to_string(data.join("csaf/examples").join(name)).ok()
}

#[test]
fn the_csaf_vex_of_oasis_answers_what_the_bill_says() {
    // Of ABC 4.2 not affected; the other one is of GHI 17.4.
    for (name, closed) in [
        ("2022-evd-uc-01-na-001.json", true),
        ("2022-evd-uc-01-ui-001.json", false),
    ] {
        let Some(text) = example(name) else { return };
        let lab = lab();
        import(&lab, &[("a.json", &log4shell("GHSA-jfh8"))]);
        rematch(&lab, &with(&bill("2.14.1")));
        assert_eq!(states(&import(&lab, &[(name, &text)])), ["added"]);
        let matched = rematch(&lab, &with(&bill("2.14.1")));
        let one = matched
            .judged
            .iter()
            .find(|one| one.key.advisory == "OSV")
            .unwrap();
        assert_eq!(one.verdict == Verdict::NotAffected, closed, "{name}");
        if closed {
            let document = lab
                .threats
                .library()
                .document(one.published[0].document)
                .cloned();
            assert_eq!(document.unwrap().file, name, "the trail names the document");
            assert_eq!(closed_by(&lab), ["vex"]);
        }
    }
}

#[test]
fn an_advisory_about_the_device_and_its_bill_tell_one_vulnerability_once() {
    let Some(text) = example("2022-evd-uc-01-a-001.json") else {
        return;
    };
    let lab = lab();
    import(
        &lab,
        &[("a.json", &log4shell("GHSA-jfh8")), ("b.json", &text)],
    );
    let mut subjects = with(&bill("2.14.1"));
    subjects[0].device.model = "DEF".to_owned();
    subjects[0].device.version = "1.0".to_owned();
    let matched = rematch(&lab, &subjects);
    assert_eq!(
        open(&lab),
        [(
            "2022-EVD-UC-01-A-001 CVE-2021-44228".to_owned(),
            Verdict::Affected
        )]
    );
    let one = matched.judged.iter().find(|one| !one.is_summed).unwrap();
    assert!(
        one.steps.iter().any(|step| step.found_by == LOG4J),
        "{:?}",
        one.steps
    );
}

#[test]
fn a_real_bill_is_matched_with_thousands_of_ranges_and_again_without_a_change() {
    let Some(data) = std::env::var_os("LABWARD_TEST_DATA").map(PathBuf::from) else {
        eprintln!("labward-skip: real bills of materials: LABWARD_TEST_DATA is not set");
        return;
    };
    let lab = lab();
    let text = std::fs::read_to_string(data.join("sbom/juice-shop-11.1.2.cdx.json")).unwrap();
    let read = Bill::read(text.as_bytes(), &Limits::sbom()).unwrap();
    let all: Vec<serde_json::Value> = read
        .components
        .iter()
        .flat_map(|one| std::iter::repeat_n(one, 20))
        .enumerate()
        .map(|(at, one)| {
            let purl = one.purl.as_ref().unwrap();
            let name = match &purl.namespace {
                Some(scope) => format!("{scope}/{}", purl.name),
                None => purl.name.clone(),
            };
            let events = json!([{"introduced": format!("{}.0.0", at % 20)}, {"fixed": format!("{}.5.0", at % 20)}]);
            let text = osv(&format!("X-{at}"), &format!("CVE-2030-{at}"), ["npm", &name], events);
            let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
            value["affected"][0]["ranges"][0]["type"] = json!("SEMVER");
            value
        })
        .collect();
    let total = all.len();
    assert!(total > 16_000);
    import(&lab, &[("all.json", &json!(all).to_string())]);
    let subjects = with(&text);
    let first = rematch(&lab, &subjects);
    assert!(first.changed.0 > 100, "{:?}", first.changed);
    assert_eq!(rematch(&lab, &subjects).changed, (0, 0));
}

#[test]
fn an_ecosystem_that_cannot_be_read_any_more_closes_nothing_and_hides_no_other() {
    let lab = lab();
    let lodash = osv(
        "GHSA-jf85",
        "CVE-2019-10744",
        ["npm", "lodash"],
        json!([{"introduced": "0"}, {"fixed": "4.17.12"}]),
    );
    import(&lab, &[("a.json", &log4shell("GHSA-jfh8"))]);
    rematch(&lab, &with(&bill("2.14.1")));
    import(&lab, &[("c.json", &lodash)]);
    let of_maven = lab.threats.library().ecosystems().next().unwrap().id;
    let id = of_maven.get();
    let damaged = lab.store.write(move |tx| {
        tx.execute(
            "UPDATE advisory SET content = $1 WHERE id = $2",
            &[
                [0_u8; 8].as_slice().into(),
                i64::try_from(id).unwrap().into(),
            ],
        )
    });
    damaged
        .map_err(|error: StoreError| error.to_string())
        .unwrap();
    let (again, _) = Threats::load(lab.store.clone(), SITE).unwrap();
    let matched = again
        .rematch(&with(&bill("2.14.1")), lab.clock.now())
        .unwrap();
    assert_eq!(
        (matched.changed, &*matched.unread),
        ((1, 0), &[of_maven][..])
    );
    let hits = again.hits();
    let open: Vec<_> = hits
        .values()
        .filter(|hit| hit.closed.is_none())
        .map(|hit| hit.key.to_string())
        .collect();
    assert_eq!(open, ["OSV CVE-2021-44228", "OSV CVE-2019-10744"]);
}

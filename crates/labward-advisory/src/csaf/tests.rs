//! Reading and testing documents that are small, broken or hostile.

use proptest::prelude::*;

use super::*;

/// A document of one product on another, a group, a score that lies and a remediation by group.
const SMALL: &str = r#"{
  "document": {
    "category": "csaf_security_advisory", "csaf_version": "2.0", "lang": "en",
    "distribution": {"tlp": {"label": "WHITE"}},
    "notes": [{"category": "summary", "text": "…"}],
    "publisher": {"category": "vendor", "name": "Maker", "namespace": "https://maker.example"},
    "title": "Analyzer (Update B)",
    "tracking": {"current_release_date": "2024-01-02T00:00:00Z", "id": "MAKER-1",
      "initial_release_date": "2024-01-01T00:00:00Z", "status": "final", "version": "2",
      "revision_history": [
        {"date": "2024-01-01T00:00:00Z", "number": "1", "summary": "Initial"},
        {"date": "2024-01-02T00:00:00Z", "number": "2", "summary": "Update"}]}
  },
  "product_tree": {
    "branches": [{"category": "vendor", "name": "Maker", "branches": [
      {"category": "product_family", "name": "Analyzers", "branches": [
      {"category": "product_name", "name": "Software", "branches": [
        {"category": "product_version_range", "name": "vers:generic/<2.0",
         "product": {"name": "Software before 2.0", "product_id": "SW",
           "product_identification_helper": {"purl": "pkg:generic/software", "model_numbers": ["M-1"],
             "hashes": [{"filename": "a.exe", "file_hashes": [{"algorithm": "sha256", "value": "00"}]}]}}},
        {"category": "service_pack", "name": "SP1",
         "product": {"name": "Software SP1", "product_id": "SP1"}}]}]}]}],
    "full_product_names": [{"name": "Windows 10", "product_id": "OS"}],
    "relationships": [
      {"category": "installed_on", "product_reference": "TWICE", "relates_to_product_reference": "OS",
       "full_product_name": {"name": "Chain", "product_id": "CHAIN"}},
      {"category": "installed_on", "product_reference": "SW", "relates_to_product_reference": "OS",
       "full_product_name": {"name": "Software on Windows 10", "product_id": "TWICE"}}],
    "product_groups": [{"group_id": "G", "product_ids": ["SW", "SP1"]}]
  },
  "vulnerabilities": [{
    "cve": "CVE-2024-0001", "cwe": {"id": "CWE-20", "name": "Improper Input Validation"},
    "notes": [{"category": "summary", "text": "…"}],
    "product_status": {"known_affected": ["SW", "CHAIN"], "fixed": ["SP1"]},
    "scores": [{"products": ["SW"], "cvss_v3": {"version": "3.1", "baseScore": 1.0, "baseSeverity": "LOW",
      "vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}}],
    "remediations": [{"category": "vendor_fix", "details": "Update.", "group_ids": ["G"], "product_ids": ["SW"]}],
    "flags": [{"label": "component_not_present", "product_ids": ["OS"]}],
    "threats": [{"category": "impact", "details": "None."}]
  }]
}"#;

fn read(text: &str) -> Advisory {
    Advisory::parse(text.as_bytes(), &Limits::default()).unwrap()
}

fn told(flaws: &Flaws) -> Vec<String> {
    let listed = flaws.listed().iter();
    listed
        .map(|flaw| format!("{} {}", flaw.rule, flaw.place))
        .collect()
}

fn product<'a>(advisory: &'a Advisory, id: &str) -> &'a Product {
    advisory
        .product(advisory.find_product(id).unwrap())
        .unwrap()
}

#[test]
fn a_product_has_what_its_branches_say() {
    let advisory = read(SMALL);
    let one = product(&advisory, "SW");
    assert_eq!(one.vendor.as_deref(), Some("Maker"));
    assert_eq!(one.family.as_deref(), Some("Analyzers"));
    assert_eq!(one.name.as_deref(), Some("Software"));
    let version = one.version.as_ref().unwrap();
    assert_eq!(
        (&*version.text, version.kind),
        ("vers:generic/<2.0", VersionKind::Range)
    );
    let helper = one.helper.as_ref().unwrap();
    assert_eq!(helper.purl.as_deref(), Some("pkg:generic/software"));
    assert_eq!(&*helper.model_numbers[0], "M-1");
    assert_eq!(&*helper.hashes[0].filename, "a.exe");
    let pack = product(&advisory, "SP1");
    assert_eq!(
        (
            &*pack.other_branches[0].category,
            &*pack.other_branches[0].name
        ),
        ("service_pack", "SP1")
    );
    assert_eq!(pack.version, None);
}

#[test]
fn a_product_on_another_is_resolved_to_both() {
    let advisory = read(SMALL);
    for (id, component) in [("TWICE", "SW"), ("CHAIN", "TWICE")] {
        let one = product(&advisory, id);
        let relation = one.relation.as_ref().unwrap();
        assert_eq!(relation.kind, RelationKind::InstalledOn);
        assert_eq!(relation.component, advisory.find_product(component));
        assert_eq!(relation.platform, advisory.find_product("OS"));
        // Through the chain, too.
        assert_eq!(one.name.as_deref(), Some("Software"), "{id}");
        assert_eq!(one.version, product(&advisory, "SW").version, "{id}");
    }
}

#[test]
fn groups_are_resolved_and_products_stand_once() {
    let advisory = read(SMALL);
    let one = &advisory.vulnerabilities[0];
    let ids: Vec<_> = ["SW", "SP1"]
        .iter()
        .filter_map(|id| advisory.find_product(id))
        .collect();
    assert_eq!(one.remediations[0].products, ids);
    assert_eq!(one.remediations[0].kind, RemediationKind::VendorFix);
    let fixed: Vec<_> = one.statuses_of(ids[1]).collect();
    assert_eq!(fixed, [Status::Fixed]);
    assert_eq!(one.statuses.len(), 3);
    assert_eq!(&*one.flags[0].label, "component_not_present");
    assert!(one.threats[0].products.is_empty());
}

#[test]
fn a_score_that_lies_is_told_and_not_used() {
    let advisory = read(SMALL);
    let score = &advisory.vulnerabilities[0].scores[0].score;
    assert_eq!(
        (score.base_tenths, score.severity),
        (Some(98), Some(crate::Severity::Critical))
    );
    assert_eq!(advisory.worst_tenths(), Some(98));
    assert_eq!(
        told(&advisory.flaws),
        ["6.1.9 /vulnerabilities/0/scores/0/cvss_v3/baseScore"]
    );
}

#[test]
fn tracking_knows_the_update_and_the_label() {
    let advisory = read(SMALL);
    assert_eq!(
        (&*advisory.id, &*advisory.tracking.version),
        ("MAKER-1", "2")
    );
    assert_eq!(advisory.tracking.legacy_version.as_deref(), Some("B"));
    assert_eq!(advisory.tlp, Some(Tlp::White));
    let released = advisory.tracking.current_release.unwrap();
    assert_eq!(released.to_rfc3339(), "2024-01-02T00:00:00.000000Z");
}

#[test]
fn the_tests_of_the_standard_name_what_is_wrong() {
    let document = Document::parse(SMALL, &Limits::default()).unwrap();
    let flaws = document.validate();
    let errors: Vec<String> = flaws
        .listed()
        .iter()
        .filter(|flaw| flaw.weight() == crate::Weight::Error)
        .map(|flaw| format!("{} {}", flaw.rule, flaw.place))
        .collect();
    let hash = "/product_tree/branches/0/branches/0/branches/0/branches/0/product/\
        product_identification_helper/hashes/0/file_hashes/0/value";
    assert_eq!(
        errors,
        [
            format!("schema {hash}"),
            "6.1.9 /vulnerabilities/0/scores/0/cvss_v3/baseScore".to_owned(),
            "6.1.9 /vulnerabilities/0/scores/0/cvss_v3/baseSeverity".to_owned(),
        ]
    );
}

#[test]
fn what_is_of_the_wrong_kind_costs_itself_alone() {
    let text = SMALL
        .replace("\"cve\": \"CVE-2024-0001\"", "\"cve\": 7")
        .replace("\"2024-01-02T00:00:00Z\", \"id\"", "\"yesterday\", \"id\"")
        .replace("[\"SW\", \"CHAIN\"]", "[\"SW\", \"NONE\", null, \"CHAIN\"]")
        .replace("\"group_ids\": [\"G\"]", "\"group_ids\": [\"H\"]")
        .replace("\"threats\": [", "\"threats\": [5, ")
        .replace(
            "\"distribution\": {\"tlp\": {\"label\": \"WHITE\"}}",
            "\"distribution\": []",
        );
    let advisory = read(&text);
    assert_eq!(advisory.products.len(), 5);
    let one = &advisory.vulnerabilities[0];
    assert_eq!(
        (&one.cve, one.statuses.len(), one.threats.len()),
        (&None, 3, 1)
    );
    assert_eq!(
        told(&advisory.flaws),
        [
            "read /vulnerabilities/0/cve",
            "6.1.1 /vulnerabilities/0/product_status/known_affected/1",
            "read /vulnerabilities/0/product_status/known_affected/2",
            "6.1.9 /vulnerabilities/0/scores/0/cvss_v3/baseScore",
            "6.1.4 /vulnerabilities/0/remediations/0/group_ids/0",
            "read /vulnerabilities/0/threats/0",
            "read /document/tracking/current_release_date",
            "read /document/distribution",
        ]
    );
}

#[test]
fn a_circle_of_relationships_ends_and_is_told() {
    let text = SMALL.replace(
        "\"product_reference\": \"SW\", \"relates_to_product_reference\": \"OS\",\n       \"full_product_name\": {\"name\": \"Software on",
        "\"product_reference\": \"CHAIN\", \"relates_to_product_reference\": \"OS\",\n       \"full_product_name\": {\"name\": \"Software on",
    );
    assert_ne!(text, SMALL);
    let advisory = read(&text);
    assert!(told(&advisory.flaws).contains(&"6.1.3 /product_tree/relationships/0".to_owned()));
    assert_eq!(product(&advisory, "CHAIN").name, None);
    assert_eq!(advisory.vulnerabilities[0].statuses.len(), 3);
}

#[test]
fn an_id_defined_twice_hides_no_product() {
    let text = SMALL.replace("\"product_id\": \"SP1\"", "\"product_id\": \"SW\"");
    let advisory = read(&text);
    assert_eq!(advisory.products.len(), 5);
    assert_eq!(&*product(&advisory, "SW").full_name, "Software before 2.0");
    assert!(
        told(&advisory.flaws)
            .iter()
            .any(|flaw| flaw.starts_with("6.1.2 /product_tree/branches"))
    );
}

#[test]
fn a_key_that_stands_twice_is_told() {
    let text = SMALL.replace(
        "\"cve\": \"CVE-2024-0001\"",
        "\"cve\": \"CVE-2024-0001\", \"cve\": \"CVE-2024-0002\"",
    );
    let advisory = read(&text);
    assert_eq!(
        advisory.vulnerabilities[0].cve.as_deref(),
        Some("CVE-2024-0001")
    );
    assert_eq!(told(&advisory.flaws)[0], "read /vulnerabilities/0");
}

#[test]
fn bytes_that_are_no_text_are_replaced_and_told() {
    let bytes: Vec<u8> = SMALL
        .bytes()
        .flat_map(|byte| if byte == b'M' { vec![0xe4] } else { vec![byte] })
        .collect();
    let advisory = Advisory::parse(&bytes, &Limits::default()).unwrap();
    assert_eq!(&*advisory.publisher.name, "\u{fffd}aker");
    assert!(
        advisory
            .flaws
            .listed()
            .iter()
            .any(|flaw| flaw.rule == "text")
    );
}

#[test]
fn what_is_no_csaf_is_an_error() {
    for text in [
        "{}",
        "[]",
        "{\"document\":{}}",
        "{\"bomFormat\":\"CycloneDX\"}",
        "7",
    ] {
        let error = Document::parse(text, &Limits::default()).err();
        assert_eq!(error, Some(Error::NotA("CSAF")), "{text}");
    }
    assert!(matches!(
        Advisory::parse(b"{\"document\":", &Limits::default()),
        Err(Error::NotJson { .. })
    ));
}

#[test]
fn a_bomb_of_references_is_cut_and_told() {
    let ids: Vec<String> = (0..50).map(|at| format!("\"P{at}\"")).collect();
    let names: Vec<String> = (0..50)
        .map(|at| format!("{{\"name\":\"n\",\"product_id\":\"P{at}\"}}"))
        .collect();
    let flags = vec!["{\"label\":\"component_not_present\",\"group_ids\":[\"G\"]}"; 100].join(",");
    let text = format!(
        "{{\"document\":{{\"csaf_version\":\"2.0\"}},\"product_tree\":{{\"full_product_names\":[{}],\
         \"product_groups\":[{{\"group_id\":\"G\",\"product_ids\":[{}]}}]}},\
         \"vulnerabilities\":[{{\"flags\":[{flags}]}}]}}",
        names.join(","),
        ids.join(",")
    );
    let limits = Limits {
        max_entries: 60,
        ..Limits::default()
    };
    let advisory = Advisory::parse(text.as_bytes(), &limits).unwrap();
    let flags = &advisory.vulnerabilities[0].flags;
    let references: usize = flags.iter().map(|flag| flag.products.len()).sum();
    assert!(references <= 60 * 8, "{references}");
    assert!(
        advisory
            .flaws
            .listed()
            .iter()
            .any(|flaw| flaw.what.contains("than the limit"))
    );
    let roomy = Document::parse(&text, &Limits::default()).unwrap();
    assert!(
        !roomy
            .validate()
            .listed()
            .iter()
            .any(|flaw| flaw.rule == "limit")
    );
    let limits = Limits {
        max_entries: 10,
        ..Limits::default()
    };
    let advisory = Advisory::parse(text.as_bytes(), &limits).unwrap();
    assert_eq!(advisory.products.len(), 10);
    let limited = Document::parse(&text, &limits).unwrap();
    assert!(
        limited
            .validate()
            .listed()
            .iter()
            .any(|flaw| flaw.rule == "limit")
    );
}

#[test]
fn branches_as_deep_as_allowed_are_read_and_deeper_ones_refused() {
    let tree = |depth: usize| {
        let open = "{\"category\":\"product_family\",\"name\":\"f\",\"branches\":[".repeat(depth);
        let inner = "{\"category\":\"product_name\",\"name\":\"n\",\"product\":{\"name\":\"p\",\"product_id\":\"P\"}}";
        format!(
            "{{\"document\":{{\"csaf_version\":\"2.0\"}},\"product_tree\":{{\"branches\":[{open}{inner}{}]}}}}",
            "]}".repeat(depth)
        )
    };
    let advisory = read(&tree(40));
    assert_eq!(product(&advisory, "P").other_branches.len(), 39);
    let error = Advisory::parse(tree(60).as_bytes(), &Limits::default()).err();
    assert_eq!(error, Some(Error::TooDeep { limit: 100 }));
}

proptest! {
    #[test]
    fn no_changed_byte_panics(at in 0..SMALL.len(), byte: u8) {
        let mut bytes = SMALL.as_bytes().to_vec();
        bytes[at] = byte;
        let _ = Advisory::parse(&bytes, &Limits::default());
        if let Ok(text) = std::str::from_utf8(&bytes)
            && let Ok(document) = Document::parse(text, &Limits::default())
        {
            let _ = document.validate();
        }
    }

    #[test]
    fn no_cut_and_joined_document_panics(start in 0..SMALL.len(), end in 0..SMALL.len()) {
        let bytes = SMALL.as_bytes();
        let mut mixed = bytes[..start].to_vec();
        mixed.extend_from_slice(&bytes[end..]);
        let _ = Advisory::parse(&mixed, &Limits::default());
    }
}

//! Statements of publishers in three formats, and what they leave open.

use labward_advisory::Purl;
use labward_advisory::cyclonedx::Bom;
use labward_advisory::openvex::OpenVex;

use super::*;

/// Vulnerability, status and package of each statement, and why the others are left out.
fn told(published: &Published) -> (Vec<(String, &'static str)>, Vec<&'static str>) {
    let statements = published.statements.iter();
    let statements = statements.map(|one| (one.vulnerability[0].to_string(), one.status.as_str()));
    let left_out = published.left_out.iter().map(|one| one.why.code());
    (statements.collect(), left_out.collect())
}

#[test]
fn openvex_is_read_where_the_product_is_a_package() {
    let text = json!({
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": "urn:x", "author": "A", "timestamp": "2024-01-02T00:00:00Z",
        "version": 1,
        "statements": [
            { "vulnerability": { "name": "CVE-2021-44228" }, "status": "not_affected",
              "justification": "vulnerable_code_not_present",
              "products": [{ "@id": "pkg:npm/a@1.0.0" }, { "@id": "the box in the corner" }] },
            { "vulnerability": { "name": "CVE-2021-1" }, "status": "harmless", "products": [{ "@id": "pkg:npm/a" }] },
        ],
    });
    let document = OpenVex::parse(text.to_string().as_bytes(), &Limits::default()).unwrap();
    let published = Published::of_openvex(&document);
    let statements = vec![("CVE-2021-44228".to_owned(), "not_affected")];
    assert_eq!(
        told(&published),
        (statements, vec!["no-identity", "no-status"])
    );
    let one = &published.statements[0];
    assert_eq!(
        one.justification,
        Some(Justification::VulnerableCodeNotPresent)
    );
    let is_about = |purl| one.is_about(&Purl::parse(purl).unwrap());
    assert!(is_about("pkg:npm/a@1.0.0"));
    assert!(
        !is_about("pkg:npm/a@1.0.1") && !is_about("pkg:npm/a") && !is_about("pkg:pypi/a@1.0.0")
    );
}

#[test]
fn cyclonedx_is_read_where_the_component_is_in_the_document() {
    let text = json!({
        "bomFormat": "CycloneDX", "specVersion": "1.4",
        "components": [
            { "bom-ref": "a", "type": "library", "name": "a", "version": "1", "purl": "pkg:npm/a@1" },
            { "bom-ref": "b", "type": "device", "name": "Reader", "version": "2", "supplier": { "name": "Maker" } },
            { "bom-ref": "c", "type": "library", "name": "c" },
        ],
        "vulnerabilities": [{
            "id": "CVE-2024-1",
            "analysis": { "state": "false_positive", "justification": "code_not_reachable" },
            "affects": [
                { "ref": "a" }, { "ref": "b" }, { "ref": "c" }, { "ref": "urn:cdx:1/1#a" },
                { "ref": "a", "versions": [{ "version": "2", "status": "affected" }] },
            ],
        }],
    });
    let bom = Bom::parse(text.to_string().as_bytes(), &Limits::sbom()).unwrap();
    let published = Published::of_cyclonedx(&bom);
    let (statements, left_out) = told(&published);
    assert_eq!(
        statements,
        vec![("CVE-2024-1".to_owned(), "not_affected"); 3]
    );
    assert_eq!(left_out, ["no-identity", "versions"]);
    let why = Some(Justification::VulnerableCodeNotInExecutePath);
    assert!(
        published
            .statements
            .iter()
            .all(|one| one.justification == why)
    );
}

#[test]
fn csaf_is_read_where_one_version_is_named() {
    let advisory = advisory(&[
        ("Illumina", "MiSeq", "3.0", AFFECTED),
        ("Illumina", "iSeq", "", "known_not_affected"),
        ("Illumina", "NextSeq", "1", "recommended"),
    ]);
    let (statements, left_out) = told(&Published::of_csaf(&advisory));
    assert_eq!(statements, []);
    assert_eq!(left_out, ["versions", "no-identity"]);
}

/// The examples of CycloneDX name products of other documents; those of OASIS name vendor, name and version.
#[test]
fn no_statement_of_the_examples_is_dropped() {
    let Some(data) = std::env::var_os("LABWARD_TEST_DATA") else {
        eprintln!("labward-skip: no_statement: LABWARD_TEST_DATA is not set");
        return;
    };
    let data = PathBuf::from(data);
    for case in ["vex-case-2", "vex-case-3", "vex-case-6", "vex-case-8"] {
        let bytes = std::fs::read(data.join(format!("sbom/{case}.cdx.json"))).unwrap();
        let bom = Bom::parse(&bytes, &Limits::sbom()).unwrap();
        let published = Published::of_cyclonedx(&bom);
        let said: usize = bom
            .vulnerabilities
            .iter()
            .map(|one| one.affects.len())
            .sum();
        assert_eq!(
            (published.statements.len(), published.left_out.len()),
            (0, said)
        );
    }
    let (mut clear, mut left_out) = (0, std::collections::BTreeMap::new());
    for entry in std::fs::read_dir(data.join("csaf/examples")).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let advisory = Advisory::parse(&bytes, &Limits::default()).unwrap();
        let published = Published::of_csaf(&advisory);
        let statuses = advisory
            .vulnerabilities
            .iter()
            .flat_map(|one| &one.statuses);
        let recommended = labward_advisory::csaf::Status::Recommended;
        let said = statuses.filter(|one| one.status != recommended).count();
        assert_eq!(published.statements.len() + published.left_out.len(), said);
        clear += published.statements.len();
        for one in published.left_out {
            *left_out.entry(one.why.code()).or_insert(0) += 1;
        }
    }
    let expect = [("combined", 21), ("no-identity", 5), ("versions", 22)];
    assert_eq!((clear, left_out), (331, expect.into()));
}

#[test]
fn a_link_into_a_bill_of_materials_is_clear() {
    let text = json!({"bomFormat": "CycloneDX", "specVersion": "1.4", "vulnerabilities": [
        {"id": "CVE-2021-44228", "analysis": {"state": "not_affected", "justification": "code_not_reachable"},
         "affects": [{"ref": "urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#log4j"},
             {"ref": "urn:cdx:3e671687/#"}]}]});
    let bom = Bom::parse(text.to_string().as_bytes(), &Limits::default()).unwrap();
    let published = Published::of_cyclonedx(&bom);
    assert_eq!(published.left_out.len(), 1);
    let linked = PublishedProduct::Linked {
        serial: "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79".into(),
        reference: "log4j".into(),
    };
    assert_eq!(published.statements[0].product, linked);
}

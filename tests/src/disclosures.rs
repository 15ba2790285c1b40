//! What manufacturers disclose: bills of materials matched with vulnerabilities of packages, VEX that answers hits, MDS2, and
//! which patches vendors approve.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::devices::entries;
use crate::support::{Installation, eventually};

const WHY: [&str; 2] = ["--why", "a test"];

fn data() -> Option<PathBuf> {
    let data = std::env::var_os("LABWARD_TEST_DATA").map(PathBuf::from);
    if data.is_none() {
        eprintln!("labward-skip: real bills of materials: LABWARD_TEST_DATA is not set");
    }
    data
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn file(lab: &Installation, name: &str, content: &Value) -> PathBuf {
    let path = lab.beside(name);
    std::fs::write(&path, content.to_string()).unwrap();
    path
}

fn import(lab: &Installation, path: &Path) -> Value {
    lab.json(&["advisory", "import", "--source", "test", text(path)])
}

fn hits(lab: &Installation, state: &str) -> Vec<(String, String)> {
    let all = lab.json(&["hit", "list", "--state", state]);
    let all = all["hits"].as_array().unwrap().iter();
    let word = |hit: &Value, name: &str| hit[name].as_str().unwrap_or_default().to_owned();
    all.map(|hit| (word(hit, "vulnerability"), word(hit, "closed_by")))
        .collect()
}

fn osv(id: &str, cve: &str, [ecosystem, name]: [&str; 2], ranges: &[(&str, &str)]) -> Value {
    let ranges: Vec<Value> = ranges
        .iter()
        .map(|(from, fixed)| json!({"type": "SEMVER", "events": [{"introduced": from}, {"fixed": fixed}]}))
        .collect();
    let ranges: Vec<Value> = ranges
        .into_iter()
        .map(|mut one| {
            if ecosystem == "Maven" {
                one["type"] = json!("ECOSYSTEM");
            }
            one
        })
        .collect();
    json!({"id": id, "aliases": [cve], "modified": "2024-01-01T00:00:00Z", "summary": format!("Of {name}"),
        "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
        "affected": [{"package": {"ecosystem": ecosystem, "name": name}, "ranges": ranges}],
        "references": [{"type": "ADVISORY", "url": "https://nvd.nist.gov/vuln/detail/X"}]})
}

/// What is known of three packages that are in the real bills of materials.
fn known() -> Value {
    json!([
        osv(
            "GHSA-xvch-5gv4-984h",
            "CVE-2021-44906",
            ["npm", "minimist"],
            &[("0", "0.2.4"), ("1.0.0", "1.2.6")]
        ),
        osv(
            "GHSA-35jh-r3h4-6jhm",
            "CVE-2021-23337",
            ["npm", "lodash"],
            &[("0", "4.17.21")]
        ),
        osv(
            "GHSA-gww7-p5w4-wrfv",
            "CVE-2019-20330",
            ["Maven", "com.fasterxml.jackson.core:jackson-databind"],
            &[("2.0.0", "2.9.10.2")]
        ),
    ])
}

fn lab_with(values: &[&str]) -> Installation {
    let lab = Installation::create("");
    let server = lab.serve();
    lab.run(&[&["device", "add"][..], values].concat()).ok();
    server.stop();
    lab
}

const DEVICE: &[&str] = &[
    "name=Reader in room 2",
    "manufacturer=Example Company",
    "model=ABC",
    "version=4.2",
];

#[test]
fn the_parts_of_a_device_make_hits_until_a_newer_bill_says_otherwise() {
    let Some(data) = data() else { return };
    let lab = lab_with(DEVICE);
    let server = lab.serve();
    let real = data.join("sbom/juice-shop-11.1.2.cdx.json");
    let done = lab.json(&["device", "attach-sbom", "1", text(&real)]);
    assert_eq!(
        (&done["disclosure"]["total"], &done["opened"]),
        (&840.into(), &0.into())
    );
    let done = import(&lab, &file(&lab, "all.json", &known()));
    assert_eq!(
        (&done["added"], &done["refused"]),
        (&2.into(), &0.into()),
        "{done}"
    );
    assert_eq!(done["opened"], 2, "of npm alone something is in it");
    let open = |cve: &str| (cve.to_owned(), String::new());
    let mut found = hits(&lab, "open");
    found.sort();
    assert_eq!(found, [open("CVE-2021-23337"), open("CVE-2021-44906")]);
    let listed = lab.json(&["hit", "list"]);
    let of_lodash = listed["hits"].as_array().unwrap().iter();
    let id = of_lodash
        .clone()
        .find(|hit| hit["vulnerability"] == "CVE-2021-23337")
        .unwrap();
    assert_eq!((&id["cvss"], &id["advisory"]), (&9.8.into(), &"OSV".into()));
    let shown = lab.json(&["hit", "show", &id["id"].to_string()]);
    let ways: Vec<&str> = shown["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["found_by"].as_str().unwrap())
        .collect();
    assert_eq!(ways, ["pkg:npm/lodash@4.17.19", "pkg:npm/lodash@2.4.2"]);
    assert_eq!(shown["steps"][0]["versions"], "< 4.17.21");
    assert_eq!(shown["references"][0], "https://nvd.nist.gov/vuln/detail/X");
    // Which devices have it is asked across all of them.
    let with = lab.json(&["device", "components", "--find", "lodash@4"]);
    assert_eq!(with["total"], 1);
    assert_eq!(
        with["components"][0]["vulnerabilities"][0],
        "CVE-2021-23337"
    );
    assert_eq!(lab.json(&["device", "show", "1"])["sbom"]["matchable"], 840);
    // A release without lodash.
    let mut newer: Value = serde_json::from_slice(&std::fs::read(&real).unwrap()).unwrap();
    newer["components"]
        .as_array_mut()
        .unwrap()
        .retain(|one| one["name"] != "lodash");
    let newer = file(&lab, "newer.json", &newer);
    let done = lab.json(&["device", "attach-sbom", "1", text(&newer)]);
    assert_eq!(done["closed"], 1);
    assert_eq!(
        hits(&lab, "closed"),
        [("CVE-2021-23337".to_owned(), "sbom".to_owned())]
    );
    assert_eq!(entries(&lab, "device.disclosed"), 2);
    // The very file again is no change.
    lab.json(&["device", "attach-sbom", "1", text(&newer)]);
    assert_eq!(entries(&lab, "device.disclosed"), 2);
    server.stop();
    let server = lab.serve();
    eventually("the first matching", || {
        lab.json(&["hit", "list"])["matched"]
            .is_string()
            .then_some(())
    });
    assert_eq!(hits(&lab, "open"), [open("CVE-2021-44906")]);
    lab.run(&[&["device", "detach", "1"][..], &WHY].concat())
        .ok();
    assert!(hits(&lab, "open").is_empty());
    assert_eq!(entries(&lab, "device.disclosure-removed"), 1);
    server.stop();
}

#[test]
fn a_bill_of_a_model_is_of_each_of_its_devices_and_of_no_other_version() {
    let Some(data) = data() else { return };
    let lab = lab_with(&[DEVICE, &["serial=A1"]].concat());
    let server = lab.serve();
    for values in [
        ["model=ABC", "version=4.2", "serial=A2"],
        ["model=ABC", "version=4.3", "serial=A3"],
    ] {
        lab.run(
            &[
                &["device", "add", "manufacturer=EXAMPLE COMPANY"][..],
                &values,
            ]
            .concat(),
        )
        .ok();
    }
    import(&lab, &file(&lab, "all.json", &known()));
    let real = data.join("sbom/dropwizard-1.3.15.cdx.json");
    let done = lab.json(&["device", "attach-sbom", "1", text(&real), "--model"]);
    assert_eq!(done["opened"], 2, "jackson-databind in two devices");
    assert!(lab.json(&["device", "show", "3"])["sbom"].is_null());
    // A version that the device says now takes it out of the model's bill.
    lab.run(&["device", "set", "2", "version=4.3"]).ok();
    eventually("the other version", || {
        (hits(&lab, "open").len() == 1).then_some(())
    });
    lab.run(&["device", "add", "name=nameless"]).ok();
    lab.run(&["device", "attach-sbom", "4", text(&real), "--model"])
        .fails(73, "device.no-model");
    lab.run(&["device", "attach-sbom", "1", "/etc/hostname"])
        .fails(65, "device.bad-sbom");
    server.stop();
}

#[test]
fn the_makers_word_closes_a_hit_and_somebody_elses_is_only_shown() {
    let lab = lab_with(DEVICE);
    let server = lab.serve();
    let bill = json!({"bomFormat": "CycloneDX", "specVersion": "1.4", "components": [
        {"type": "library", "name": "log4j-core", "version": "2.14.1",
         "purl": "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1"}]});
    lab.run(&[
        "device",
        "attach-sbom",
        "1",
        text(&file(&lab, "bill.json", &bill)),
    ])
    .ok();
    let log4j = ["Maven", "org.apache.logging.log4j:log4j-core"];
    import(
        &lab,
        &file(
            &lab,
            "osv.json",
            &osv(
                "GHSA-jfh8-c2jp-5v3q",
                "CVE-2021-44228",
                log4j,
                &[("2.0", "2.15.0")],
            ),
        ),
    );
    assert_eq!(hits(&lab, "open").len(), 1);
    let openvex = |author: &str| {
        json!({"@context": "https://openvex.dev/ns/v0.2.0", "@id": format!("https://vex.example/{}", author.len()),
            "author": author, "timestamp": "2024-02-01T00:00:00Z", "version": 1, "statements": [
            {"vulnerability": {"name": "CVE-2021-44228"}, "status": "not_affected",
             "justification": "vulnerable_code_not_in_execute_path",
             "products": [{"@id": "pkg:maven/org.apache.logging.log4j/log4j-core"}]}]})
    };
    import(&lab, &file(&lab, "other.json", &openvex("Somebody Else")));
    let shown = lab.json(&["hit", "show", "1"]);
    assert_eq!(shown["hit"]["state"], "open");
    assert_eq!(
        (
            &shown["published"][0]["maker"],
            &shown["published"][0]["counts"]
        ),
        (&false.into(), &false.into())
    );
    import(
        &lab,
        &file(&lab, "maker.json", &openvex("Example Company PSIRT")),
    );
    assert_eq!(
        hits(&lab, "closed"),
        [("CVE-2021-44228".to_owned(), "vex".to_owned())]
    );
    let shown = lab.json(&["hit", "show", "1"]);
    let counting = shown["published"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["counts"] == true);
    assert_eq!(counting.unwrap()["publisher"], "Example Company PSIRT");
    assert_eq!(shown["without"], "affected");
    // A person of the lab knows better, and says so to others.
    lab.run(&[&["hit", "state", "1", "--as", "affected"][..], &WHY].concat())
        .ok();
    assert_eq!(hits(&lab, "open").len(), 1);
    let vex = lab.json(&["hit", "vex"]);
    assert_eq!(vex["statements"][0]["status"], "affected");
    assert_eq!(vex["statements"][0]["action_statement"], "a test");
    assert_eq!(
        vex["statements"][0]["products"][0]["@id"],
        "pkg:generic/Example%20Company/ABC@4.2"
    );
    server.stop();
}

#[test]
fn the_csaf_vex_of_a_maker_answers_what_its_bill_says() {
    let Some(data) = data() else { return };
    let lab = lab_with(DEVICE);
    let server = lab.serve();
    let bill = json!({"bomFormat": "CycloneDX", "specVersion": "1.4", "components": [
        {"type": "library", "name": "log4j-core", "version": "2.14.1",
         "purl": "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1"}]});
    lab.run(&[
        "device",
        "attach-sbom",
        "1",
        text(&file(&lab, "bill.json", &bill)),
    ])
    .ok();
    let log4j = ["Maven", "org.apache.logging.log4j:log4j-core"];
    import(
        &lab,
        &file(
            &lab,
            "osv.json",
            &osv(
                "GHSA-jfh8-c2jp-5v3q",
                "CVE-2021-44228",
                log4j,
                &[("2.0", "2.15.0")],
            ),
        ),
    );
    // Of ABC 4.2: known_not_affected, with an impact statement.
    import(&lab, &data.join("csaf/examples/2022-evd-uc-01-na-001.json"));
    assert_eq!(
        hits(&lab, "closed"),
        [("CVE-2021-44228".to_owned(), "vex".to_owned())]
    );
    let shown = lab.json(&["hit", "show", "1"]);
    assert_eq!(shown["published"][0]["name"], "2022-EVD-UC-01-NA-001");
    // The VEX of CycloneDX's own examples are documents, too; what would never be known again is none.
    let done = import(&lab, &data.join("sbom/vex-case-2.cdx.json"));
    assert_eq!((&done["added"], &done["refused"]), (&1.into(), &0.into()));
    let nameless = data.join("sbom/vex-case-8.cdx.json");
    lab.run(&["advisory", "import", "--source", "test", text(&nameless)])
        .fails(65, "advisory.bad-file");
    server.stop();
}

/// A workbook of a few questions of the form.
fn mds2(lab: &Installation, malware: &str) -> PathBuf {
    let rows = [
        ["DOC-1", "Manufacturer Name", "Example Company"],
        [
            "DOC-2",
            "Device Description",
            "Reader, software version 4.1",
        ],
        ["DOC-3", "Device Model", "ABC-2"],
        ["MPII-1", "Personally identifiable information?", "Yes"],
        ["MLDP-2", "Anti-malware?", malware],
        [
            "CSUP-2",
            "Operating system?",
            "Yes; Windows 10 IoT Enterprise LTSC 2019",
        ],
        ["CSUP-2.2", "Vendor service for updates?", "Yes"],
        ["STCF-1", "Encrypted at rest?", "No"],
    ];
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let sheet = workbook.add_worksheet();
    for (row, texts) in (0..).zip(rows) {
        for (column, text) in (0..).zip(texts) {
            sheet.write_string(row, column, text).unwrap();
        }
    }
    let path = lab.beside("mds2.xlsx");
    workbook.save(&path).unwrap();
    path
}

#[test]
fn what_a_manufacturer_discloses_is_shown_and_known_of_the_device() {
    let lab = lab_with(DEVICE);
    let server = lab.serve();
    let done = lab.json(&["device", "attach-mds2", "1", text(&mds2(&lab, "No"))]);
    assert_eq!(
        (&done["changed"], &done["disclosure"]["total"]),
        (&1.into(), &8.into())
    );
    let device = lab.json(&["device", "show", "1"]);
    let values = &device["device"]["values"];
    assert_eq!(
        (&values["anti-malware"], &values["patching"]),
        (&"not supported".into(), &"vendor".into())
    );
    // The lab's own word counts, and that the form says another is a conflict as of any list.
    assert_eq!(values["model"], "ABC");
    assert_eq!(values["os"], "Windows 10 IoT Enterprise LTSC 2019");
    let conflicts = device["device"]["conflicts"].as_array().unwrap();
    let disagrees = |attribute: &str| conflicts.iter().any(|one| one["attribute"] == attribute);
    assert!(disagrees("model"), "{conflicts:?}");
    // Which version a form was filled in for is not which one is installed.
    assert!(!disagrees("version"), "{conflicts:?}");
    let sources = device["attributes"].as_array().unwrap().iter();
    let malware = sources
        .clone()
        .find(|one| one["attribute"] == "anti-malware")
        .unwrap();
    assert_eq!(malware["observed"][0]["format"], "mds2");
    let os = sources
        .clone()
        .find(|one| one["attribute"] == "os")
        .unwrap();
    let said = &os["observed"][0];
    assert_eq!(
        (&said["format"], &said["confidence"]),
        (&"mds2".into(), &"medium".into())
    );
    let shown = lab.json(&["device", "mds2", "1"]);
    let said = shown["disclosures"].as_array().unwrap().iter();
    let rest = said
        .clone()
        .find(|one| one["capability"] == "encryption-at-rest")
        .unwrap();
    assert_eq!(
        (&rest["disclosed"], &rest["question"]),
        (&"no".into(), &"STCF-1".into())
    );
    assert_eq!(shown["sections"].as_array().unwrap().len(), 5);
    lab.run(&["device", "attach-mds2", "1", text(&mds2(&lab, "Yes"))])
        .ok();
    assert_eq!(
        lab.json(&["device", "show", "1"])["device"]["values"]["anti-malware"],
        "supported"
    );
    assert_eq!(entries(&lab, "device.disclosed"), 2);
    lab.run(&["device", "attach-mds2", "1", "/etc/hostname"])
        .fails(65, "device.bad-mds2");
    lab.run(&["device", "mds2", "7"])
        .fails(66, "device.unknown");
    server.stop();
}

#[test]
fn what_a_vendor_says_of_a_patch_is_kept_and_taken_by_its_treatment() {
    let lab = lab_with(DEVICE);
    let server = lab.serve();
    let bill = json!({"bomFormat": "CycloneDX", "specVersion": "1.4", "components": [
        {"type": "library", "name": "lodash", "version": "4.17.19", "purl": "pkg:npm/lodash@4.17.19"}]});
    lab.run(&[
        "device",
        "attach-sbom",
        "1",
        text(&file(&lab, "bill.json", &bill)),
    ])
    .ok();
    import(&lab, &file(&lab, "all.json", &known()));
    let approve = |patch: &str, word: &str| {
        let words = [
            "device",
            "approve",
            "--manufacturer",
            "Example Company",
            "--model",
            "ABC",
        ];
        let said = ["--patch", patch, "--as", word, "--document", "Bulletin 7"];
        lab.run(&[&words[..], &said, &WHY].concat()).ok();
    };
    approve("KB5034441", "pending");
    approve("KB5034441", "rejected");
    approve("CVE-2021-23337", "approved");
    let holding = lab.json(&["device", "approvals"]);
    assert_eq!(holding["approvals"].as_array().unwrap().len(), 2);
    assert_eq!(
        lab.json(&["device", "approvals", "--all"])["approvals"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    assert_eq!(
        lab.json(&["hit", "show", "1"])["approvals"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let treat = |why: &str| {
        lab.run(&["hit", "treat", "1", "--as", "patch", "--why", why])
            .ok();
        lab.json(&["hit", "show", "1"])["hit"]["treatment"]["approved"].clone()
    };
    assert_eq!(
        treat("the release of May"),
        true,
        "the vendor approves what closes this CVE"
    );
    assert_eq!(
        treat("by KB5034441"),
        false,
        "one of two that are named is rejected"
    );
    lab.run(&[&["device", "unapprove", "3"][..], &WHY].concat())
        .ok();
    assert!(treat("the release of May").is_null());
    assert_eq!(
        [
            entries(&lab, "device.patch-stated"),
            entries(&lab, "device.patch-withdrawn")
        ],
        [3, 1]
    );
    let nothing = [
        "device",
        "approve",
        "--manufacturer",
        "X",
        "--model",
        "Y",
        "--patch",
        " ",
        "--as",
        "pending",
    ];
    lab.run(&[&nothing[..], &WHY].concat())
        .fails(65, "device.bad-approval");
    server.stop();
}

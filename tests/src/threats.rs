//! What threatens the devices of a lab: advisories taken over, hits that open and close by themselves, and what
//! people say and decide about them.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::devices::{connect, entries, list_of_60, send_astm};
use crate::support::{Installation, eventually};

const LINKS: &str = "[[link]]\nname = \"astm\"\nlisten = \"0.0.0.0:0\"\nframing = \"astm\"\n";
const WHY: [&str; 2] = ["--why", "a test"];

fn data() -> Option<PathBuf> {
    let data = std::env::var_os("LABWARD_TEST_DATA").map(PathBuf::from);
    if data.is_none() {
        eprintln!("labward-skip: advisories of CISA: LABWARD_TEST_DATA is not set");
    }
    data
}

fn kev(data: &Path) -> PathBuf {
    let mut files = std::fs::read_dir(data.join("kev")).unwrap();
    let is_json = |path: &PathBuf| path.extension().is_some_and(|end| end == "json");
    let found = files.find_map(|file| Some(file.unwrap().path()).filter(is_json));
    found.unwrap()
}

fn import(lab: &Installation, source: &str, paths: &[&Path]) -> Value {
    let paths: Vec<&str> = paths.iter().map(|path| path.to_str().unwrap()).collect();
    lab.json(&[&["advisory", "import", "--source", source][..], &paths].concat())
}

fn hits(lab: &Installation, words: &[&str]) -> Vec<Value> {
    let all = lab.json(&[&["hit", "list"][..], words].concat());
    all["hits"].as_array().unwrap().clone()
}

/// An advisory about DCA Vantage below 04.05.
fn advisory(lab: &Installation) -> PathBuf {
    let text = r#"{"document":{"category":"csaf_security_advisory","csaf_version":"2.0",
        "title":"Siemens Healthineers DCA Vantage","publisher":{"category":"vendor","name":"Example",
        "namespace":"https://psirt.example"},"tracking":{"id":"EX-2026-1","version":"1","status":"final",
        "initial_release_date":"2026-01-01T00:00:00Z","current_release_date":"2026-01-01T00:00:00Z",
        "revision_history":[{"number":"1","date":"2026-01-01T00:00:00Z","summary":"x"}]}},
        "product_tree":{"branches":[{"category":"vendor","name":"Siemens Healthineers","branches":[
        {"category":"product_name","name":"DCA Vantage","branches":[{"category":"product_version_range",
        "name":"< 04.05","product":{"product_id":"P1","name":"DCA Vantage < 04.05"}}]}]}]},
        "vulnerabilities":[{"cve":"CVE-2026-1000","product_status":{"known_affected":["P1"]},
        "scores":[{"products":["P1"],"cvss_v3":{"version":"3.1","baseScore":9.8,"baseSeverity":"CRITICAL",
        "vectorString":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}}],
        "remediations":[{"category":"vendor_fix","details":"Update to 04.05.","product_ids":["P1"]}]}]}"#;
    let path = lab.beside("ex-2026-1.json");
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn an_analyzer_that_says_a_new_version_closes_its_hit_by_itself() {
    let lab = Installation::create(LINKS);
    let server = lab.serve();
    lab.run(&[
        "device",
        "add",
        "name=DCA in room 2",
        "manufacturer=Siemens Healthineers",
        "model=DCA VANTAGE",
        "serial=S067337",
        "criticality=high",
    ])
    .ok();
    let done = import(&lab, "psirt", &[&advisory(&lab)]);
    assert_eq!((&done["added"], &done["opened"]), (&1.into(), &1.into()));
    assert_eq!(
        hits(&lab, &[])[0]["verdict"],
        "cannot-tell",
        "no version is known"
    );
    let mut client = connect(&lab, "astm", "dca");
    send_astm(&mut client, "H|\\^&|||DCA VANTAGE^04.04.00.00^S067337");
    let hit = eventually("the hit to be sure", || {
        hits(&lab, &[])
            .pop()
            .filter(|hit| hit["verdict"] == "affected")
    });
    assert_eq!(hit["state"], "open");
    let shown = lab.json(&["hit", "show", "1"]);
    assert_eq!(shown["steps"][0]["versions"], "< 04.05");
    assert!(!shown["urgency"].as_array().unwrap().is_empty());
    assert_eq!(shown["remediations"][0]["kind"], "vendor_fix");
    // A control that nobody measures is noted and does not count; a patch does, until the retest.
    let treat = |kind: &str| lab.run(&[&["hit", "treat", "1", "--as", kind][..], &WHY].concat());
    treat("control").ok();
    assert_eq!(hits(&lab, &[])[0]["treatment"]["counts"], false);
    treat("patch").ok();
    assert_eq!(hits(&lab, &["--state", "treated"]).len(), 1);
    send_astm(&mut client, "H|\\^&|||DCA VANTAGE^04.05.01.00^S067337");
    let closed = eventually("the retest", || hits(&lab, &["--state", "closed"]).pop());
    assert_eq!(
        (&closed["closed_by"], &closed["device"]["name"]),
        (&"retest".into(), &"DCA in room 2".into())
    );
    let again = lab.run(&[&["hit", "treat", "1", "--as", "patch"][..], &WHY].concat());
    again.fails(73, "hit.closed");
    assert_eq!(entries(&lab, "hit.treated"), 2);
    server.stop();
    let server = lab.serve();
    assert_eq!(hits(&lab, &["--state", "closed"]).len(), 1);
    server.stop();
}

#[test]
fn what_people_say_counts_until_it_is_withdrawn_and_an_acceptance_ends() {
    let lab = Installation::create(LINKS);
    let server = lab.serve();
    lab.run(&[
        "device",
        "add",
        "name=DCA",
        "manufacturer=SH",
        "model=Vantage A1c",
    ])
    .ok();
    import(&lab, "psirt", &[&advisory(&lab)]);
    assert!(
        hits(&lab, &[]).is_empty(),
        "the names say nothing of each other"
    );
    let words = [
        "hit",
        "product",
        "--manufacturer",
        "SH",
        "--model",
        "Vantage A1c",
        "--vendor",
        "Siemens Healthineers",
        "--product",
        "DCA Vantage",
    ];
    lab.run(&[&words[..], &WHY].concat()).ok();
    let found = hits(&lab, &[]);
    assert_eq!(
        (found.len(), &found[0]["verdict"]),
        (1, &"cannot-tell".into())
    );
    let id = found[0]["id"].to_string();
    for (until, code) in [("2020-01-01", 65), ("2999-01-01", 65)] {
        let refused = lab.run(&[&["hit", "accept", &id, "--until", until][..], &WHY].concat());
        refused.fails(code, "hit.bad-treatment");
    }
    let state = ["hit", "state", &id, "--as", "not-affected"];
    lab.run(&[&state[..], &WHY].concat()).ok();
    assert_eq!(
        hits(&lab, &["--state", "closed"])[0]["closed_by"],
        "statement"
    );
    let said = lab.json(&["hit", "statements"]);
    let newest = said["statements"][0]["id"].to_string();
    assert_eq!(said["statements"][0]["why"], "a test");
    lab.run(&[&["hit", "withdraw", &newest][..], &WHY].concat())
        .ok();
    assert_eq!(hits(&lab, &[]).len(), 1);
    assert_eq!(
        [
            entries(&lab, "hit.stated"),
            entries(&lab, "hit.statement-withdrawn")
        ],
        [2, 1]
    );
    server.stop();
}

#[test]
fn all_advisories_of_cisa_are_held_and_hit_the_devices_of_a_lab() {
    let Some(data) = data() else { return };
    let lab = Installation::create(LINKS);
    let server = lab.serve();
    lab.run(&["device", "import", list_of_60().to_str().unwrap()])
        .ok();
    let archive = data.join("csaf/cisa-ot-2017-2023.tar.xz");
    let seen = lab.json(&[
        "advisory",
        "import",
        "--source",
        "cisa",
        "--preview",
        archive.to_str().unwrap(),
    ]);
    assert_eq!(seen["added"], 2035);
    let done = import(&lab, "cisa", &[&archive]);
    assert_eq!(
        ["added", "updated", "known", "older", "refused"].map(|name| done[name].as_u64().unwrap()),
        [2035, 0, 0, 0, 0]
    );
    assert!(done["opened"].as_u64().unwrap() > 20, "{}", done["opened"]);
    let held = lab.json(&["advisory", "list", "--find", "ICSMA-23-117-01"]);
    assert_eq!(held["advisories"][0]["hash_checked"], true);
    let again = import(&lab, "cisa", &[&archive]);
    assert_eq!(again["known"], 2035);
    let scores = lab.beside("epss.csv");
    std::fs::write(
        &scores,
        "#model_version:v2025.03.14,score_date:2026-11-01T00:00:00+0000\n\
                             cve,epss,percentile\nCVE-2023-1968,0.01,0.5\n",
    )
    .unwrap();
    import(&lab, "kev", &[&kev(&data), &scores]);
    let advisory = lab.json(&["advisory", "show", "ICSMA-23-117-01"]);
    assert!(!advisory["hits"].as_array().unwrap().is_empty());
    let before = lab.json(&["hit", "list", "--state", "all"]);
    server.stop();
    // Everything is read back, and nothing changes by reading it.
    let server = lab.serve();
    let after = eventually("the first matching", || {
        let after = lab.json(&["hit", "list", "--state", "all"]);
        after["matched"].is_string().then_some(after)
    });
    assert_eq!(before["hits"], after["hits"]);
    server.stop();
}

#[test]
fn a_file_that_is_no_advisory_is_told_and_the_rest_goes_on() {
    let lab = Installation::create(LINKS);
    let server = lab.serve();
    let folder = lab.beside("folder");
    std::fs::create_dir(&folder).unwrap();
    std::fs::copy(advisory(&lab), folder.join("good.json")).unwrap();
    std::fs::write(folder.join("bad.json"), "{\"document\": 7").unwrap();
    std::fs::copy(advisory(&lab), folder.join("forged.json")).unwrap();
    std::fs::write(
        folder.join("forged.json.sha512"),
        format!("{}  forged.json\n", "0".repeat(128)),
    )
    .unwrap();
    let done = lab.run(&["advisory", "import", folder.to_str().unwrap()]);
    done.fails(65, "advisory.bad-file");
    let held = lab.json(&["advisory", "list"]);
    assert_eq!(held["total"], 1);
    assert_eq!(held["sources"][0]["refused"], 2, "{held}");
    let none = lab.run(&["advisory", "import", "/etc/hostname"]);
    none.fails(65, "advisory.bad-file");
    let check = lab.run(&["check"]).out;
    assert!(check.contains("check.advisories-refused"), "{check}");
    server.stop();
}

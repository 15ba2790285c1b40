//! Sources of advisories on another machine, over real TLS: providers, feeds, directories and single files; what
//! fails and what does not hinder the rest; and files chosen in the browser.

pub(crate) mod mirror;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use aws_lc_rs::digest::{SHA512, digest};
use labward_base::hex;
use serde_json::{Value, json};

use self::mirror::{Mirror, Reply};
use crate::console::Lab;
use crate::devices::entries;
use crate::support::{Browser, Installation, eventually};

const LINK: &str = "[[link]]\nname = \"hl7\"\nlisten = \"127.0.0.1:0\"\n";
const SIGNED: &str = "../crates/labward-advisory/src/bundle/fixtures";
/// A key that the provider claims and nobody trusted: that of CISA.
const FOREIGN_KEY: &str = "144AED0A57BE7D4AE835D9D8CAC5AC4F74164B17";

fn data() -> Option<PathBuf> {
    let data = std::env::var_os("LABWARD_TEST_DATA").map(PathBuf::from);
    if data.is_none() {
        eprintln!("labward-skip: advisories of a mirror: LABWARD_TEST_DATA is not set");
    }
    data
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(SIGNED)
        .join(name)
}

fn sha512(name: &str, bytes: &[u8]) -> String {
    let hash = hex::encode(digest(&SHA512, bytes).as_ref());
    format!("{hash}  {name}\n")
}

/// A table of the configuration with one source.
fn source(mirror: &Mirror, url: &str, more: &str) -> String {
    format!(
        "[[advisory_source]]\nname = \"psirt\"\nurl = \"{url}\"\nca_file = {:?}\n\
         timeout_seconds = 3\nevery_hours = 24\n{more}\n",
        mirror.ca_file()
    )
}

/// Has the server look into its sources again at once, as another configuration does.
fn look_again(lab: &Installation, before: u64) {
    let every = |hours: u64| format!("every_hours = {hours}\n");
    lab.configure(&every(before), &every(before - 1));
    lab.run(&["reload", "--why", "look again"]).ok();
}

/// The source as `advisory list` shows it, once it is as it should be; the documents are left out.
fn seen(lab: &Installation, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
    eventually(what, || {
        let all = lab.json(&["advisory", "list", "--find", "no such document"]);
        let mut sources = all["sources"].as_array()?.iter();
        let source = sources.find(|one| one["name"] == "psirt")?;
        fits(source).then(|| source.clone())
    })
}

fn has_finding(lab: &Installation, code: &str) -> bool {
    let check = lab.json_of(&["check"]);
    let mut findings = check["findings"].as_array().unwrap().iter();
    findings.any(|one| one["code"] == code && one.to_string().contains("psirt"))
}

/// A provider with advisories of CISA in a feed, and everything that can go wrong with some of them.
struct Provider {
    mirror: Mirror,
    entries: Vec<Value>,
}

impl Provider {
    fn new() -> Self {
        Self {
            mirror: Mirror::open(),
            entries: Vec::new(),
        }
    }

    /// Lists a document, with a hash and a signature beside it, without saying what is there.
    fn list(&mut self, name: &str, updated: &str) {
        let url = self.mirror.url(&format!("/csaf/{name}"));
        let known = self.entries.iter().position(|one| one["id"] == name);
        let entry = json!({"id": name, "title": name, "updated": updated,
            "link": [{"rel": "self", "href": url},
                {"rel": "hash", "href": format!("{url}.sha512")},
                {"rel": "signature", "href": format!("{url}.asc")}],
            "content": {"type": "application/json", "src": url}});
        match known {
            Some(at) => self.entries[at] = entry,
            None => self.entries.push(entry),
        }
        let feed = json!({"feed": {"id": "all", "title": "All", "entry": self.entries}});
        self.mirror.file("/csaf/feed.json", feed.to_string());
    }

    fn publish(&mut self, name: &str, updated: &str, bytes: &[u8]) {
        self.list(name, updated);
        let path = format!("/csaf/{name}");
        self.mirror.file(&path, bytes);
        self.mirror
            .file(&format!("{path}.sha512"), sha512(name, bytes));
    }

    /// The metadata, which names the feed and one that is for others only.
    fn describe(&self, own_key: &str) -> String {
        let (feed, amber) = (
            self.mirror.url("/csaf/feed.json"),
            self.mirror.url("/csaf/amber.json"),
        );
        let metadata = json!({"canonical_url": "https://psirt.example", "metadata_version": "2.0",
            "role": "csaf_trusted_provider", "publisher": {"category": "vendor", "name": "Example PSIRT",
            "namespace": "https://psirt.example"},
            "distributions": [{"rolie": {"feeds": [{"summary": "all", "tlp_label": "WHITE", "url": feed},
                {"summary": "restricted", "tlp_label": "AMBER", "url": amber}]}}],
            "public_openpgp_keys": [{"fingerprint": own_key, "url": feed},
                {"fingerprint": FOREIGN_KEY, "url": feed}]});
        self.mirror.put("/csaf/amber.json", Reply::Status(403));
        let path = "/.well-known/csaf/provider-metadata.json";
        self.mirror.file(path, metadata.to_string());
        self.mirror.url(path)
    }
}

#[test]
fn a_provider_is_followed_and_only_what_changed_is_fetched_again() {
    let Some(data) = data() else { return };
    let mut provider = Provider::new();
    let day = "2026-01-01T00:00:00Z";
    let medical = |name: &str| std::fs::read(data.join("csaf/medical").join(name)).unwrap();
    let good = [
        "icsma-17-017-01.json",
        "icsma-17-082-01.json",
        "icsma-18-058-02.json",
    ];
    for name in good {
        provider.publish(name, day, &medical(name));
    }
    let signed = std::fs::read(fixture("advisory.json")).unwrap();
    provider.publish("advisory.json", day, &signed);
    let signature = std::fs::read(fixture("advisory.json.asc")).unwrap();
    provider.mirror.file("/csaf/advisory.json.asc", signature);
    // Each of these fails in its own way, and none hinders the rest.
    provider.publish("forged.json", day, &medical("icsma-18-086-01.json"));
    let wrong = sha512("forged.json", b"another");
    provider.mirror.file("/csaf/forged.json.sha512", wrong);
    provider.list("missing.json", day);
    provider.list("moved.json", day);
    let plain = provider.mirror.url("/csaf/x.json").replace("https", "http");
    provider.mirror.put("/csaf/moved.json", Reply::To(plain));
    provider.list("slow.json", day);
    provider.mirror.put("/csaf/slow.json", Reply::Trickle);
    let elsewhere = provider.mirror.url_by("127.0.0.1", "/csaf/elsewhere.json");
    provider
        .entries
        .push(json!({"id": "e", "updated": day, "content": {"src": elsewhere}}));
    provider.list("broken.json", day);
    provider
        .mirror
        .file("/csaf/broken.json", "{\"document\": 7");

    let key = fixture("publisher.key.asc");
    let url = provider.describe("00".repeat(20).as_str());
    let config = source(&provider.mirror, &url, "");
    let lab = Installation::create(&format!("{LINK}{config}"));
    lab.configure(
        "\n# signing_keys = []",
        &format!("\nsigning_keys = [{key:?}]"),
    );
    let server = lab.serve();
    let source = seen(&lab, "the feed to be read", |source| {
        source["documents"] == 4 && source["refused"] == 6 && source["waiting"] == 0
    });
    assert_eq!(source["list"], "provider");
    assert_eq!(source["publisher"], "Example PSIRT");
    assert_eq!(
        source["keys"][1],
        json!({"fingerprint": FOREIGN_KEY, "trusted": false})
    );
    for (file, why) in [
        ("broken.json", "no JSON"),
        ("elsewhere.json", "127.0.0.1"),
        ("forged.json", "its hash is not the one beside it"),
        ("missing.json", "404"),
        ("moved.json", "not https"),
        ("slow.json", "in time"),
    ] {
        let mut faults = source["faults"].as_array().unwrap().iter();
        let found = faults.find(|one| one["address"].as_str().unwrap().ends_with(file));
        let found = found.unwrap_or_else(|| panic!("no {file} in {source}"));
        assert!(found["why"].as_str().unwrap().contains(why), "{found}");
    }
    let said = lab.run(&["advisory", "list"]).ok();
    for part in [
        "psirt: published by Example PSIRT",
        FOREIGN_KEY,
        "missing.json: answered 404",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(has_finding(&lab, "check.advisories-refused"));
    let maker = lab.json(&["advisory", "show", "MAKER-1"]);
    assert!(maker["advisory"]["signer"].is_string(), "{maker}");
    let held = lab.json(&["advisory", "list", "--find", "ICSMA-17-017-01"]);
    assert_eq!(held["advisories"][0]["hash_checked"], true);
    assert!(held["advisories"][0]["signer"].is_null());
    assert_eq!(entries(&lab, "advisory.imported"), 1);
    let asked = provider.mirror.asked();
    assert_eq!(
        asked.iter().filter(|path| path.ends_with(good[0])).count(),
        1
    );
    assert!(!asked.iter().any(|path| path.ends_with("elsewhere.json")));
    assert!(
        provider.mirror.connections() < asked.len(),
        "lines are used again"
    );

    // One is released anew, one is mended: these are fetched, and what failed is tried again.
    let text = String::from_utf8(medical(good[1])).unwrap();
    let mut newer: Value = serde_json::from_str(&text).unwrap();
    newer["document"]["tracking"]["current_release_date"] = json!("2026-02-01T00:00:00Z");
    newer["document"]["tracking"]["version"] = json!("99");
    provider.publish(
        good[1],
        "2026-02-01T00:00:00Z",
        newer.to_string().as_bytes(),
    );
    provider.publish("missing.json", day, &medical("icsma-18-107-01.json"));
    look_again(&lab, 24);
    seen(&lab, "the second look", |source| {
        source["documents"] == 5 && source["refused"] == 5
    });
    let asked = provider.mirror.asked();
    for (name, times) in [
        (good[0], 0),
        (good[1], 1),
        (good[2], 0),
        ("missing.json", 1),
        ("advisory.json", 0),
    ] {
        let of = asked.iter().filter(|path| path.ends_with(name));
        assert_eq!(of.count(), times, "{name}: {asked:?}");
    }
    let held = lab.json(&["advisory", "show", "ICSMA-17-082-01"]);
    assert_eq!(held["advisory"]["version"], "99");
    assert_eq!(entries(&lab, "advisory.imported"), 2);

    // What was fetched is known after a kill, and nothing new is no entry.
    server.kill();
    let server = lab.serve();
    look_again(&lab, 23);
    eventually("the third look", || {
        let asked = provider.mirror.shared_asked();
        asked
            .iter()
            .any(|path| path.ends_with("slow.json"))
            .then_some(())
    });
    let source = seen(&lab, "the same as before", |source| source["refused"] == 5);
    assert_eq!(source["documents"], 5);
    let asked = provider.mirror.asked();
    assert!(
        !asked.iter().any(|path| path.contains("icsma-")),
        "{asked:?}"
    );
    assert_eq!(entries(&lab, "advisory.imported"), 2);
    server.stop();
}

#[test]
fn a_directory_with_all_advisories_of_cisa_is_read_in_looks_and_goes_on_after_a_kill() {
    let Some(data) = data() else { return };
    let mirror = Mirror::open();
    let lab = Installation::create(&format!(
        "{LINK}{}",
        source(&mirror, &mirror.url("/csaf/"), "")
    ));
    let folder = lab.beside("mirror");
    std::fs::create_dir(&folder).unwrap();
    let archive = data.join("csaf/cisa-ot-2017-2023.tar.xz");
    let mut tar = Command::new("tar");
    tar.arg("-xJf").arg(archive).arg("-C").arg(&folder);
    assert!(tar.arg("--strip-components=3").status().unwrap().success());
    let mut list = String::new();
    for year in std::fs::read_dir(&folder).unwrap() {
        let year = year.unwrap().file_name().into_string().unwrap();
        for file in std::fs::read_dir(folder.join(&year)).unwrap() {
            let name = file.unwrap().file_name().into_string().unwrap();
            let path = format!("{year}/{name}");
            mirror.file(
                &format!("/csaf/{path}"),
                std::fs::read(folder.join(&path)).unwrap(),
            );
            if name.ends_with(".json") {
                list.push_str(&format!("\"{path}\",\"{year}-06-01T00:00:00Z\"\n"));
            }
        }
    }
    mirror.file("/csaf/changes.csv", list);
    let began = Instant::now();
    let server = lab.serve();
    // Each batch is there when it is durable.
    for batch in 1..=10 {
        seen(&lab, "the next batch", |source| {
            source["documents"].as_u64() >= Some(batch * 200)
        });
    }
    let source = seen(&lab, "the end of the look", |source| {
        source["waiting"] == 35
    });
    let took = began.elapsed();
    assert_eq!(
        (&source["documents"], &source["refused"]),
        (&2000.into(), &0.into())
    );
    assert_eq!(source["list"], "directory");
    server.kill();
    let server = lab.serve();
    seen(&lab, "the rest", |source| {
        source["documents"] == 2035 && source["waiting"] == 0
    });
    let asked = mirror.asked();
    let documents = asked.iter().filter(|path| path.ends_with(".json")).count();
    assert_eq!(documents, 2035, "each once, before and after the kill");
    println!(
        "2,000 documents, hashes and signatures: {took:?}, {} lines",
        mirror.connections()
    );
    server.stop();
}

#[test]
fn a_mirror_that_cannot_be_trusted_is_told_until_its_authority_is_named() {
    let mirror = Mirror::open();
    let signed = std::fs::read(fixture("advisory.json")).unwrap();
    mirror.file("/a.json", signed.clone());
    let config = source(&mirror, &mirror.url("/a.json"), "");
    let ca_line = format!("ca_file = {:?}\n", mirror.ca_file());
    let lab = Installation::create(&format!("{LINK}{}", config.replace(&ca_line, "")));
    let server = lab.serve();
    let failing = |what: &str, part: &str| {
        let source = seen(&lab, what, |source| {
            source["failure"]
                .as_str()
                .is_some_and(|why| why.contains(part))
        });
        assert!(source["checked"].is_null(), "{source}");
    };
    failing("an unknown authority", "UnknownIssuer");
    assert!(mirror.asked().is_empty());
    assert!(has_finding(&lab, "check.advisories-refused"));
    let said = lab.run(&["advisory", "list"]).ok();
    assert!(said.contains("never") && said.contains("FAILING"), "{said}");
    let reload = |from: &str, to: &str| {
        lab.configure(from, to);
        lab.run(&["reload", "--why", "its authority"]).ok();
    };
    let every = "every_hours = 24\n";
    let nowhere = format!("ca_file = {:?}\n", lab.beside("nowhere.pem"));
    reload(every, &format!("{every}{nowhere}"));
    failing("a file that is not there", "nowhere.pem: No such file");
    let empty = lab.beside("empty.pem");
    std::fs::write(&empty, "hello\n").unwrap();
    let empty = format!("ca_file = {empty:?}\n");
    reload(&nowhere, &empty);
    failing(
        "a file without a certificate",
        "there is no certificate in it",
    );
    reload(&empty, &ca_line);
    let source = seen(&lab, "the file", |source| {
        source["documents"] == 1 && source["failure"].is_null()
    });
    assert!(source["list"].is_null(), "{source}");
    assert!(!has_finding(&lab, "check.advisories-refused"));
    server.stop();
}

#[test]
fn an_archive_is_one_file_also_behind_a_redirection_to_a_host_that_is_named() {
    let Some(data) = data() else { return };
    let mirror = Mirror::open();
    let archive = std::fs::read(data.join("csaf/cisa-ot-2017-2023.tar.xz")).unwrap();
    mirror.file("/codeload/develop", archive);
    let to = mirror.url_by("127.0.0.1", "/codeload/develop");
    mirror.put("/archive/develop.tar.xz", Reply::To(to));
    let config =
        source(&mirror, &mirror.url("/archive/develop.tar.xz"), "").replace("= 3\n", "= 60\n");
    let lab = Installation::create(&format!("{LINK}{config}"));
    let server = lab.serve();
    let source = seen(&lab, "a refusal", |source| source["failure"].is_string());
    let why = source["failure"].as_str().unwrap();
    assert!(why.contains("127.0.0.1") && why.contains("hosts"), "{why}");
    let place = mirror.url_by("127.0.0.1", "").replace("https://", "");
    lab.configure(
        "every_hours = 24\n",
        &format!("every_hours = 24\nhosts = [\"{place}\"]\n"),
    );
    lab.run(&["reload", "--why", "where archives are"]).ok();
    let source = seen(&lab, "the archive", |source| source["documents"] == 2035);
    assert_eq!(
        (&source["refused"], &source["waiting"]),
        (&0.into(), &0.into())
    );
    server.stop();
}

/// Sends files as a form of a browser does.
fn upload(
    browser: &mut Browser,
    fields: &[(&str, &str)],
    files: &[(&str, &[u8])],
) -> (u16, String) {
    let page = browser.get("/advisories/import");
    let csrf = page.hidden("csrf");
    let mut body = Vec::new();
    let text = |name: &str, value: &str| {
        format!("--XyZ\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    for (name, value) in [&[("csrf", csrf.as_str())][..], fields].concat() {
        body.extend(text(name, value).into_bytes());
    }
    for (name, bytes) in files {
        let head = format!(
            "--XyZ\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        body.extend([head.as_bytes(), bytes, b"\r\n"].concat());
    }
    body.extend(b"--XyZ--\r\n");
    let kind = "multipart/form-data; boundary=XyZ";
    let answered = browser.send("POST", "/advisories/import", kind, &body);
    (answered.status, answered.body)
}

#[test]
fn files_chosen_in_the_browser_are_taken_over_and_what_is_refused_is_named() {
    let lab = Lab::new();
    let mut it = lab.joined("ida", "it");
    let (signed, signature) = (
        std::fs::read(fixture("advisory.json")).unwrap(),
        std::fs::read(fixture("advisory.json.asc")).unwrap(),
    );
    let hash = sha512("advisory.json", &signed);
    let source = ("source", "maker");
    let beside: [(&str, &[u8]); 2] = [
        ("advisory.json", &signed),
        ("advisory.json.asc", &signature),
    ];
    let (status, page) = upload(&mut it, &[source, ("preview", "yes")], &beside);
    assert_eq!(status, 200);
    assert!(
        page.contains("What would happen") && page.contains("1 added"),
        "{page}"
    );
    assert_eq!(
        lab.lab.json(&["advisory", "list"])["total"],
        0,
        "it only looked"
    );
    let files: [(&str, &[u8]); 4] = [
        ("advisory.json", &signed),
        ("advisory.json.sha512", hash.as_bytes()),
        ("forged.json", &signed),
        ("forged.json.sha512", hash.as_bytes()),
    ];
    let (status, page) = upload(&mut it, &[source], &files);
    assert_eq!(status, 200);
    for part in [
        "1 added",
        "1 refused",
        "forged.json",
        "its hash is not the one beside it",
        "/ledger?from=",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let held = lab.lab.json(&["advisory", "list"]);
    assert_eq!(
        (&held["total"], &held["sources"][0]["name"]),
        (&1.into(), &"maker".into())
    );
    assert_eq!(held["advisories"][0]["hash_checked"], true);
    assert_eq!(entries(&lab.lab, "advisory.imported"), 1);
    it.language = "es";
    let (_, page) = upload(&mut it, &[source], &[("advisory.json", &signed)]);
    assert!(page.contains("1 ya conocido"), "{page}");
    it.language = "en";
    // What is no document, what is of no source, and nothing at all are told on the same page.
    for (fields, files, says) in [
        (
            [("source", "a b")],
            &[("a.json", &signed[..])][..],
            "no name for a source",
        ),
        (
            [source],
            &[("a.json", &b"hello"[..])],
            "nothing in this file can be read",
        ),
        ([source], &[], "nothing in this file can be read"),
    ] {
        let (status, page) = upload(&mut it, &fields, files);
        assert_eq!(status, 200);
        assert!(
            page.contains("alert-danger") && page.contains(says),
            "{says}: {page}"
        );
    }
    // Who may not change devices does not find the page.
    let mut nurse = lab.joined("cleo", "clinical-staff");
    assert_eq!(nurse.get("/advisories/import").status, 404);
    // A form of another site is not taken.
    it.site = "cross-site";
    let (status, _) = upload(&mut it, &[source], &[("advisory.json", &signed)]);
    assert_eq!(status, 403);
}

#[test]
fn a_body_that_is_too_large_is_refused_in_words_and_not_by_a_broken_line() {
    let lab = Lab::new();
    let mut it = lab.joined("ida", "it");
    let huge = vec![b' '; (256 << 20) + (1 << 20)];
    let (status, page) = upload(&mut it, &[("source", "x")], &[("a.json", &huge)]);
    assert_eq!(status, 413, "{page}");
    assert!(page.contains("larger than this endpoint takes"), "{page}");
}

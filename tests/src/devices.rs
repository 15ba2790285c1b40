//! What devices a real lab has: from a list, from what analyzers send, by hand; and what people decide.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::Value;

use crate::console::Lab;
use crate::support::{Client, Installation, eventually};

/// Links that are not only this machine's.
const LINKS: &str = "[[link]]\nname = \"astm\"\nlisten = \"0.0.0.0:0\"\nframing = \"astm\"\n\
                     [[link]]\nname = \"hl7\"\nlisten = \"0.0.0.0:0\"\n";
const WHY: [&str; 2] = ["--why", "a test"];

/// A list of 60 devices as a lab keeps it.
pub(crate) fn list_of_60() -> PathBuf {
    PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../testkit/data/devices.csv"
    ))
}

fn devices(lab: &Installation, words: &[&str]) -> Vec<Value> {
    let all = lab.json(&[&["device", "list"][..], words].concat());
    all["devices"].as_array().unwrap().clone()
}

fn device(lab: &Installation, id: u64) -> Value {
    lab.json(&["device", "show", &id.to_string()])
}

fn import(lab: &Installation, file: &str, text: &str) -> Value {
    let path = lab.beside(file);
    std::fs::write(&path, text).unwrap();
    lab.json(&["device", "import", path.to_str().unwrap()])
}

fn counts(read: &Value) -> [u64; 4] {
    ["added", "changed", "known", "refused"].map(|name| read[name].as_u64().unwrap())
}

/// How many entries of this action there are.
pub(crate) fn entries(lab: &Installation, action: &str) -> usize {
    let listed = lab.json(&["ledger", "list", "--action", action, "--limit", "100"]);
    listed["entries"].as_array().unwrap().len()
}

/// One message of an analyzer over ASTM, frame by frame, each acknowledged.
pub(crate) fn send_astm(client: &mut Client, header: &str) {
    const ACK: u8 = 6;
    let text = format!("{header}\rP|1||4711||DOE^PAT\rO|1|A1\rR|1|^^^^WBC|5.1\rL|1|N\r");
    let body = [b"1", text.as_bytes(), &[3]].concat();
    let sum = body.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    let frame = [&[2], &body[..], format!("{sum:02X}\r\n").as_bytes()].concat();
    for part in [&[5][..], &frame] {
        client.write(part).unwrap();
        assert_eq!(client.byte().unwrap(), ACK);
    }
    client.write(&[4]).unwrap();
}

pub(crate) fn connect(lab: &Installation, link: &str, peer: &str) -> Client {
    let identity = lab.peer(peer, "analyzer").client_config(true);
    let rule = ["peer", "set", peer, "--astm-sender", "*"];
    lab.run(&[&rule[..], &WHY].concat()).ok();
    let here = SocketAddr::from(([127, 0, 0, 1], lab.address(link).port()));
    Client::connect(here, &identity).unwrap()
}

#[test]
fn an_analyzer_that_sends_is_there_with_its_model_and_version_and_costs_one_entry() {
    let lab = Installation::create(LINKS);
    let server = lab.serve();
    let mut client = connect(&lab, "astm", "xn550");
    for _ in 0..3 {
        send_astm(&mut client, "H|\\^&|||    XN-550^00-24^22723^^^^BD634545");
    }
    let found = eventually("the analyzer to be a device", || devices(&lab, &[]).pop());
    let value = |name: &str| {
        found["values"][name]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    assert_eq!(
        [value("model"), value("version"), value("serial")],
        ["XN-550", "00-24", "22723"]
    );
    assert_eq!(
        (&found["peers"][0], &found["links"][0]),
        (&"xn550".into(), &"astm".into())
    );
    // Another version is seen; three messages that say the same were one entry.
    send_astm(&mut client, "H|\\^&|||XN-550^00-25^22723");
    eventually("the new version", || {
        (devices(&lab, &[])[0]["values"]["version"] == "00-25").then_some(())
    });
    assert_eq!(
        (entries(&lab, "device.added"), entries(&lab, "device.seen")),
        (1, 1)
    );
    let shown = device(&lab, 1).to_string() + &lab.log();
    assert!(
        !shown.contains("DOE") && !shown.contains("4711"),
        "nothing of a patient: {shown}"
    );
    server.stop();
}

#[test]
fn a_sender_of_hl7_says_its_software_and_is_bound_by_a_person() {
    let lab = Installation::create(LINKS);
    let server = lab.serve();
    lab.run(&["device", "add", "name=Middleware", "location=Server room"])
        .ok();
    let mut client = connect(&lab, "hl7", "mw");
    lab.run(&["device", "set", "1", "--peer", "mw"]).ok();
    let message = "MSH|^~\\&|MIDWARE^1.2.3^ISO|LAB|EHR|X|20261127||ORU^R01^ORU_R01|77|P|2.5.1\r\
                   SFT|Acme^L|8.1.4|MidWare|b77\rPID|1||4711^^^LAB||DOE^PAT\r\
                   OBR|1|||WBC\rOBX|1|NM|WBC||5.1||||||F|||||||XN-550^Sysmex\r";
    assert_eq!(client.exchange(message.as_bytes(), "77").unwrap(), "AA");
    let found = eventually("the version of the software", || {
        let found = device(&lab, 1);
        (found["device"]["values"]["version"] == "8.1.4").then_some(found)
    });
    let values = &found["device"]["values"];
    assert_eq!(values["name"], "Middleware", "a person's word comes first");
    assert_eq!(
        (&values["product"], &values["manufacturer"]),
        (&"MidWare".into(), &"Acme".into())
    );
    assert_eq!(values["equipment"], "XN-550^Sysmex");
    assert_eq!(
        devices(&lab, &[]).len(),
        1,
        "no second device beside the one that it is bound to"
    );
    assert!(!found.to_string().contains("DOE"));
    server.stop();
}

#[test]
fn a_list_of_sixty_is_taken_over_once_with_one_entry_and_survives_a_restart() {
    let lab = Installation::create(LINKS);
    let server = lab.serve();
    let file = list_of_60();
    let path = file.to_str().unwrap();
    let seen = lab.json(&["device", "import", path, "--preview"]);
    assert_eq!(
        (counts(&seen), devices(&lab, &[]).len()),
        ([60, 0, 0, 0], 0)
    );
    let done = lab.json(&["device", "import", path]);
    assert_eq!(counts(&done), [60, 0, 0, 0]);
    assert_eq!(
        counts(&lab.json(&["device", "import", path])),
        [0, 0, 60, 0]
    );
    assert_eq!(
        (
            entries(&lab, "device.imported"),
            entries(&lab, "device.added")
        ),
        (2, 0)
    );
    // Tells the analyzer that sends from the line of the list that describes it.
    let mut client = connect(&lab, "astm", "xn550");
    send_astm(&mut client, "H|\\^&|||XN-550^00-24^22723");
    let found = eventually("the peer to be bound to the device of the list", || {
        let all = devices(&lab, &["--find", "22723"]);
        all.into_iter().find(|one| one["peers"][0] == "xn550")
    });
    assert_eq!(found["values"]["name"], "Hematology 1");
    assert_eq!(devices(&lab, &[]).len(), 60);
    let before = lab.json(&["device", "list", "--state", "all"]);
    server.stop();
    let server = lab.serve();
    assert_eq!(lab.json(&["device", "list", "--state", "all"]), before);
    server.stop();
}

#[test]
fn lines_that_cannot_be_taken_are_named_and_the_rest_goes_on() {
    let lab = Installation::create(LINKS);
    let server = lab.serve();
    let text = "nombre;fabricante;número de serie;dirección MAC;criticidad\n\
                Citómetro;BD;Z6591801;00:1b:2c:00:00:01;alta\n\
                Centrífuga;Hettich;C-1001;no es una MAC;baja\n\
                Nevera;;;;\n\
                Horno;Memmert;M-5001;;enorme\n\
                Citómetro 2;BD;Z6591802;;alta\n";
    let read = import(&lab, "lista.csv", text);
    assert_eq!(counts(&read), [2, 0, 0, 3]);
    let lines = read["lines"].as_array().unwrap().iter();
    let faults: Vec<(u64, &str)> = lines
        .filter_map(|line| Some((line["line"].as_u64()?, line["fault"].as_str()?)))
        .collect();
    assert_eq!(faults, [(3, "bad-value"), (4, "no-key"), (5, "bad-value")]);
    assert_eq!(devices(&lab, &["--find", "citómetro"]).len(), 2);
    assert_eq!(devices(&lab, &[])[0]["values"]["criticality"], "high");
    let no_list = lab.beside("no-list.csv");
    std::fs::write(&no_list, "colour,size\nred,3\n").unwrap();
    let refused = lab.run(&["device", "import", no_list.to_str().unwrap()]);
    refused.fails(65, "device.bad-list");
    server.stop();
}

#[test]
fn what_a_person_merged_stays_merged_over_the_next_list_and_a_split_undoes_it() {
    let lab = Installation::create(LINKS);
    let server = lab.serve();
    let text = "name,manufacturer,serial,asset tag,location\nXN,Sysmex,22723,,\nXN of room 2,,,LAB-0417,Room 2\n";
    assert_eq!(counts(&import(&lab, "list.csv", text)), [2, 0, 0, 0]);
    lab.run(&[&["device", "merge", "1", "2"][..], &WHY].concat())
        .ok();
    // The second line names what the first one named, as a person decided.
    assert_eq!(counts(&import(&lab, "list.csv", text)), [0, 0, 1, 1]);
    let only = "name,asset tag,location\nXN,LAB-0417,Room 3\n";
    assert_eq!(counts(&import(&lab, "list-2.csv", only)), [0, 1, 0, 0]);
    let all = devices(&lab, &[]);
    assert_eq!(
        (all.len(), &all[0]["values"]["location"]),
        (1, &"Room 3".into())
    );
    assert_eq!(device(&lab, 2)["device"]["id"], 1);
    lab.run(&[&["device", "split", "2"][..], &WHY].concat())
        .ok();
    assert_eq!(devices(&lab, &[]).len(), 2);
    let again = lab.run(&[&["device", "split", "2"][..], &WHY].concat());
    again.fails(73, "device.not-merged");
    lab.run(&[&["device", "remove", "2"][..], &WHY].concat())
        .ok();
    assert_eq!(
        counts(&import(&lab, "list-3.csv", only)),
        [0, 0, 0, 1],
        "removed stays removed"
    );
    assert_eq!(devices(&lab, &["--state", "removed"]).len(), 1);
    let acts = ["device.merged", "device.split", "device.removed"];
    assert_eq!(acts.map(|act| entries(&lab, act)), [1, 1, 1]);
    lab.run(&["ledger", "verify"]).ok();
    server.stop();
}

#[test]
fn a_conflict_is_shown_in_the_console_and_settled_there_in_either_language() {
    let lab = Lab::with(LINKS);
    let text = "manufacturer,model,serial,version\nSysmex,XN-550,22723,00-22\n";
    import(&lab.lab, "list.csv", text);
    let mut client = connect(&lab.lab, "astm", "xn550");
    send_astm(&mut client, "H|\\^&|||XN-550^00-24^22723");
    eventually("a conflict", || {
        let all = devices(&lab.lab, &["--state", "conflict"]);
        (all.len() == 1).then_some(())
    });
    let mut it = lab.joined("ines", "it");
    let page = it.get("/devices").body;
    assert!(
        page.contains("These need a decision") && page.contains("Version: sources disagree"),
        "{page}"
    );
    let form = it.get("/devices/1");
    let csrf = form.hidden("csrf");
    let csrf = ("csrf", csrf.as_str());
    let page = form.body;
    assert!(
        page.contains("xn550 on link astm") && page.contains("This is right"),
        "{page}"
    );
    let revision = device(&lab.lab, 1)["device"]["revision"].to_string();
    let settle = [
        csrf,
        ("revision", revision.as_str()),
        ("attribute", "version"),
        ("value", "00-24"),
    ];
    assert_eq!(it.post("/devices/1/settle", &settle).status, 303);
    assert_eq!(devices(&lab.lab, &["--state", "conflict"]).len(), 0);
    // Who saw an older one is told, and what they typed changes nothing.
    let late = [
        csrf,
        ("revision", revision.as_str()),
        ("value-location", "Room 9"),
    ];
    let refused = it.post("/devices/1/set", &late).body;
    assert!(
        refused.contains("changed since you looked at it"),
        "{refused}"
    );
    // A list is looked at, and then taken over.
    let list = (
        "list",
        "nombre;fabricante;serie\nCentrífuga;Hettich;C-1001\nNevera;;\n",
    );
    let preview = it.post("/devices/import", &[csrf, list]).body;
    assert!(
        preview.contains("1 new") && preview.contains("nothing by which it would be known"),
        "{preview}"
    );
    assert_eq!(devices(&lab.lab, &[]).len(), 1);
    let apply = [csrf, list, ("apply", "yes")];
    assert!(
        it.post("/devices/import", &apply)
            .body
            .contains("What became of each line")
    );
    assert_eq!(devices(&lab.lab, &[]).len(), 2);
    // An administrator sees, and changes nothing.
    let mut administrator = lab.joined("ada", "administrator");
    assert!(
        !administrator
            .get("/devices/1")
            .body
            .contains("action=\"/devices/")
    );
    assert_eq!(administrator.get("/devices/import").status, 404);
}

#[test]
fn real_advisories_are_held_against_the_list_without_a_server() {
    let Some(data) = labward_testkit::test_data("real_advisories_are_held_against") else {
        return;
    };
    let lab = Installation::none_yet();
    let list = list_of_60();
    let (list, folder) = (list.to_str().unwrap(), data.join("csaf/medical"));
    let kev = data.join("kev/known_exploited_vulnerabilities.json");
    let words = ["advisory", "match", "--devices", list, "--kev"];
    let paths = [kev.to_str().unwrap(), folder.to_str().unwrap()];
    let hits = lab.json(&[&words[..], &paths].concat());
    assert_eq!(hits["advisories"], 134);
    let devices = hits["devices"].as_array().unwrap();
    assert_eq!(devices.len(), 60);
    let named = |name: &str| devices.iter().find(|one| one["name"] == name).unwrap();
    let hit = &named("Sequencer 4")["hits"][0];
    assert_eq!(hit["verdict"], "affected");
    assert_eq!(hit["advisory"], "ICSMA-23-117-01");
    assert_eq!(hit["trail"][0]["versions"], "1.8");
    let open = &named("Coagulation POC")["hits"][0];
    assert_eq!(
        (&open["verdict"], &open["reasons"][0]),
        (&Value::from("cannot-tell"), &Value::from("no-range"))
    );
    assert_eq!(named("Sequencer 3")["hits"].as_array().unwrap().len(), 0);
    let text = lab.run(&[&words[..], &paths].concat()).ok();
    assert!(
        text.contains("no advisory affects it; 1 may speak of it"),
        "{text}"
    );
}

//! The first analyzer, connected in the console: from the form on *Home* to its first message.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use crate::console::Lab;
use crate::support::{Answered, Browser, Client, Identity, Installation, eventually};

/// A port that nobody listens on.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// Sends the form of an analyzer, changed as said.
fn connect(browser: &mut Browser, port: u16, changed: &[(&str, &str)]) -> Answered {
    let csrf = browser.get("/first-analyzer").hidden("csrf");
    let port = port.to_string();
    let mut fields = vec![
        ("csrf", csrf.as_str()),
        ("name", "chem1"),
        ("way", "tls"),
        ("speaks", "hl7"),
        ("port", &port),
        ("application", "CHEM1"),
        ("facility", "MAINLAB"),
        ("types", "ORU^R01, ORU^W01"),
        ("sender", ""),
        ("authority", "MAINLAB"),
    ];
    for (name, text) in changed {
        fields.retain(|(known, _)| known != name);
        fields.push((name, text));
    }
    browser.post("/first-analyzer", &fields)
}

/// Downloads the analyzer's file.
fn download(browser: &mut Browser, page: &str) -> Answered {
    let csrf = browser.get(page).hidden("csrf");
    let path = page.split('?').next().unwrap();
    browser.post(&format!("{path}/file"), &[("csrf", &csrf)])
}

/// One result of the analyzer, in the name of this facility.
fn result(number: u32, facility: &str) -> Vec<u8> {
    format!(
        "MSH|^~\\&|CHEM1|{facility}|LIS|LAB|20260101120000||ORU^R01^ORU_R01|C{number}|P|2.5.1\r\
         PID|1||4711^^^MAINLAB^MR||Rivera^Marisol||19840217|F\r\
         OBR|1||ACC-1|GLU^Glucose^L\rOBX|1|NM|2345-7^Glucose^LN||5.1|mmol/L|3.9-5.8|N|||F\r"
    )
    .into_bytes()
}

fn of_action(lab: &Installation, action: &str) -> Vec<serde_json::Value> {
    let listed = lab.json(&["ledger", "list", "--action", action]);
    listed["entries"].as_array().unwrap().clone()
}

#[test]
fn the_first_analyzer_is_connected_in_the_console_and_its_first_message_is_seen() {
    let lab = Lab::with("");
    let mut ada = lab.joined("ada", "administrator");
    assert!(ada.get("/").body.contains("href=\"/first-analyzer\""));
    let mut bea = lab.joined("bea", "clinical-staff");
    assert!(!bea.get("/").body.contains("/first-analyzer"));
    assert_eq!(bea.get("/first-analyzer").status, 404);

    let port = free_port();
    let asked = connect(&mut ada, port, &[]);
    assert_eq!(asked.status, 303, "{}", asked.body);
    let page = asked.header("location").unwrap().to_owned();
    assert_eq!(page, "/first-analyzer/chem1?link=hl7");
    let waiting = ada.get(&page);
    assert!(waiting.body.contains("Waiting for the first message"));
    assert!(waiting.body.contains(&port.to_string()) && waiting.body.contains("localhost"));
    // Left and come back to: the server knows the analyzer, whatever the address says.
    let form = ada.get("/first-analyzer");
    assert!(form.body.contains("href=\"/first-analyzer/chem1\""));
    assert!(ada.get("/first-analyzer/chem1").body.contains("Waiting"));
    assert_eq!(ada.get("/first-analyzer/nobody").status, 404);

    let file = download(&mut ada, &page);
    assert_eq!(file.status, 200);
    assert_eq!(file.header("cache-control"), Some("no-store"));
    assert_eq!(
        file.header("content-disposition"),
        Some("attachment; filename=\"chem1.pem\"")
    );
    assert!(!waiting.body.contains("PRIVATE KEY") && file.body.contains("PRIVATE KEY"));
    let handed = of_action(&lab.lab, "peer.renewed");
    assert_eq!(handed.len(), 1);
    assert_eq!(
        handed[0]["actor"],
        of_action(&lab.lab, "peer.added")[0]["actor"]
    );

    // Who shows no certificate is refused, and the page says so at once.
    let chem1 = Identity::from_pem(file.body.as_bytes());
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let stranger = Client::connect(address, &chem1.client_config(false));
    let said = stranger.and_then(|mut stranger| {
        stranger.send(&result(0, "MAINLAB"))?;
        stranger.ack()
    });
    assert!(said.is_err());
    eventually("the refusal shows", || {
        let body = ada.get(&format!("{page}&live=1")).body;
        body.contains("<strong>1</strong>connections refused")
            .then_some(())
    });

    let mut client = Client::connect(address, &chem1.client_config(true)).unwrap();
    client.send(&result(1, "ELSEWHERE")).unwrap();
    assert_eq!(client.ack().unwrap().0, "AR");
    let held = ada.get(&page).body;
    assert!(
        held.contains("It came, and is held") && held.contains("MSH-4"),
        "{held}"
    );
    assert!(held.contains("gateway.not-allowed") && !held.contains("Rivera"));

    client.send(&result(2, "MAINLAB")).unwrap();
    assert_eq!(client.ack().unwrap().0, "AA");
    let received = ada.get(&page).body;
    assert!(
        received.contains("Received.") && received.contains("ORU^R01"),
        "{received}"
    );
    let link = received.split("href=\"/messages/").nth(1).unwrap();
    let message = ada.get(&format!("/messages/{}", link.split('"').next().unwrap()));
    assert!(message.status == 200 && message.body.contains("chem1"));
    assert!(!ada.get("/").body.contains("href=\"/first-analyzer\""));
    // The link is in the file, so that it is there after the next start, too.
    let config = std::fs::read_to_string(lab.lab.data().join("labward.toml")).unwrap();
    assert!(
        config.contains(&format!("listen = \"0.0.0.0:{port}\"")),
        "{config}"
    );
}

#[test]
fn what_does_not_fit_the_form_is_said_there_and_opens_nothing() {
    let lab = Lab::with("");
    let mut ada = lab.joined("ada", "it");
    let port = free_port();
    for (changed, said) in [
        (&[("name", "chem 1")][..], "chem 1"),
        (&[("name", "../peers")], "../peers"),
        (&[("port", "0")], "a port is a number"),
        (&[("port", "soon")], "a port is a number"),
        (&[("application", " , ")], "MSH-3"),
        (&[("facility", "")], "MSH-4"),
        (&[("types", "")], "MSH-9"),
        (&[("speaks", "astm")], "H-5"),
    ] {
        let refused = connect(&mut ada, port, changed);
        assert_eq!(refused.status, 200, "{changed:?}");
        assert!(refused.body.contains("role=\"alert\""), "{changed:?}");
        assert!(refused.body.contains(said), "{changed:?}: {}", refused.body);
    }
    assert!(of_action(&lab.lab, "peer.added").is_empty());
    assert!(
        lab.lab.json(&["status"])["links"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    // Another site's form, and the file without the session's token.
    ada.site = "cross-site";
    assert_eq!(
        ada.post("/first-analyzer", &[("name", "chem1")]).status,
        403
    );
    assert_eq!(ada.post("/first-analyzer/chem1/file", &[]).status, 403);
}

#[test]
fn a_second_analyzer_uses_the_link_that_is_there_and_one_on_this_machine_gets_a_plain_one() {
    let lab = Lab::with("");
    let mut ada = lab.joined("ada", "it");
    let port = free_port();
    assert_eq!(connect(&mut ada, port, &[]).status, 303);
    let taken = connect(&mut ada, port, &[]);
    assert!(taken.body.contains("role=\"alert\""), "{}", taken.body);
    let second = connect(&mut ada, port, &[("name", "chem2")]);
    let page = second.header("location").unwrap();
    assert_eq!(page, "/first-analyzer/chem2?link=hl7");
    let clash = connect(
        &mut ada,
        port,
        &[("name", "chem3"), ("speaks", "astm"), ("sender", "X")],
    );
    assert!(clash.body.contains("it listens on"), "{}", clash.body);

    let changed = [
        ("name", "coag1"),
        ("way", "loopback"),
        ("speaks", "astm"),
        ("sender", "COAG"),
    ];
    let beside = connect(&mut ada, free_port(), &changed);
    let page = beside.header("location").unwrap().to_owned();
    assert_eq!(page, "/first-analyzer/coag1?link=astm");
    let shown = ada.get(&page).body;
    assert!(shown.contains("127.0.0.1") && !shown.contains("/coag1/file"));
    let status = lab.lab.json(&["status"]);
    let links = status["links"].as_array().unwrap();
    assert_eq!(links.len(), 2);
    assert_eq!(links[1]["transport"], "plain");
}

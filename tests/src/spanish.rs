//! Every word of the console in Spanish: no text of ours is English, and what is quoted says so.

use labward_base::{problem, remark};

use crate::console::{Lab, PASSWORD};
use crate::support::{Browser, Client, Installation, Numbered, eventually};

/// An installation with much to say: a link for everybody, a receiver that is not there.
const CONFIG: &str = "[[link]]\nname = \"hl7\"\nlisten = \"0.0.0.0:0\"\n\
    [[destination]]\nname = \"ehr\"\nconnect_seconds = 1\n\
    retry = { first_ms = 50, max_ms = 100 }\n\
    target = { kind = \"mllp\", address = \"127.0.0.1:1\", \
    transport = { mode = \"mutual-tls\", server_name = \"ehr\" } }\n\
    [[route]]\ntypes = [\"*\"]\nto = [\"ehr\"]\n";

/// The sentences of our own tables, as they would stand on a page.
fn english() -> Vec<String> {
    let problems = problem::ALL.iter().flat_map(|one| [one.what, one.todo]);
    let remarks = remark::ALL.iter().filter(|kind| kind.places.is_empty());
    let remarks = remarks
        .map(|kind| kind.text)
        .filter(|text| text.contains(' '));
    let checks = include_str!("../../docs/ref/checks.md").lines();
    let checks = checks.filter(|line| line.starts_with("| `check."));
    let checks = checks.flat_map(|line| {
        line.split(" | ")
            .skip(2)
            .map(|cell| cell.trim_end_matches(" |"))
    });
    let all = problems.chain(remarks).chain(checks);
    all.map(|text| text.replace('\'', "&#39;").replace('"', "&#34;"))
        .collect()
}

/// A page without what it quotes in the words of another program, and how often it quotes.
fn without_quotations(body: &str) -> (String, usize) {
    let mut parts = body.split("<q lang=\"en\">");
    let mut text = parts.next().unwrap_or_default().to_owned();
    let mut quotations = 0;
    for part in parts {
        text.push_str(part.split_once("</q>").expect("a quotation ends").1);
        quotations += 1;
    }
    (text, quotations)
}

/// Says what of a page is not in Spanish; the links to the other language are called by its own name.
fn faults(page: &str, body: &str) -> Vec<String> {
    let (text, _) = without_quotations(body);
    let text = text.replace("hreflang=\"en\" lang=\"en\"", "hreflang=\"en\"");
    let mut faults = Vec::new();
    if !text.contains("<html lang=\"es\"") {
        faults.push(format!("{page}: it is not a page in Spanish"));
    }
    for marked in text
        .split("lang=\"en\"")
        .skip(1)
        .filter(|rest| !rest.starts_with(" href=") && !rest.starts_with(" value=\"en\""))
    {
        let said: String = marked.chars().take(120).collect();
        faults.push(format!("{page}: marked as English: {said}"));
    }
    for sentence in english().iter().filter(|one| text.contains(one.as_str())) {
        faults.push(format!("{page}: {sentence}"));
    }
    faults
}

fn spanish(browser: &mut Browser) {
    let token = browser.get("/me").hidden("csrf");
    let fields = [
        ("csrf", token.as_str()),
        ("language", "es"),
        ("theme", "auto"),
    ];
    assert_eq!(browser.post("/me", &fields).status, 303);
}

#[test]
fn a_page_that_is_not_in_spanish_is_told() {
    let page = |body: &str| faults("/", &format!("<html lang=\"es\">{body}"));
    assert_eq!(
        page("<p>Hola <q lang=\"en\">there is no such slot</q></p>"),
        Vec::<String>::new()
    );
    assert_eq!(page("there is no such slot").len(), 1);
    assert_eq!(page("<span lang=\"en\">hello</span>").len(), 1);
    assert_eq!(page("the root key is sealed").len(), 1);
    assert_eq!(page("the server runs as root").len(), 1);
    assert_eq!(faults("/", "<html lang=\"en\">").len(), 2);
}

#[test]
fn every_word_of_the_console_is_spanish_for_who_reads_spanish() {
    let lab = Lab::of(Installation::create(CONFIG));
    let peer = lab.lab.peer("xn550", "analyzer").client_config(true);
    let mut client = Client::connect(lab.lab.address("hl7"), &peer).unwrap();
    let message = Numbered {
        client: 1,
        patient: 3,
        number: 1,
    };
    client
        .exchange(&message.message(), &message.control_id())
        .unwrap();
    eventually("the receiver is said to be away", || {
        let all = lab.lab.json(&["destination", "list"]);
        all[0]["last_error"].is_string().then_some(())
    });
    let mut ada = lab.joined("ada", "administrator");
    let mut clara = lab.joined("clara", "clinical-staff");
    let mut olga = lab.joined("olga", "security-officer");
    for browser in [&mut ada, &mut clara, &mut olga] {
        spanish(browser);
    }
    let mut found = Vec::new();
    let mut look = |browser: &mut Browser, page: &str, must_hold: &str| {
        let body = browser.get(page).body;
        found.extend(faults(page, &body));
        let main = body.split("<main").last().unwrap_or_default();
        if !body.contains(must_hold) {
            found.push(format!("{page}: no {must_hold} in {main}"));
        }
        body
    };
    // What is wrong, what could not be measured and why, with its places.
    let home = look(
        &mut ada,
        "/",
        "hay una sola ranura, y sin ella ya nunca se podría leer nada",
    );
    assert!(home.contains("enlace hl7 (0.0.0.0:"), "{home}");
    assert!(home.contains("check.open-address"), "{home}");
    let flow = look(&mut ada, "/flow", "send.unreachable");
    assert!(flow.contains("no se pudo llegar al receptor"), "{flow}");
    let record = look(&mut ada, "/messages", "xn550");
    let record = record.split("href=\"/messages/").nth(1).unwrap();
    let record = record.split('"').next().unwrap().to_owned();
    look(&mut ada, &format!("/messages/{record}"), "Su recorrido");
    look(&mut ada, "/messages/99999", "no existe ese mensaje");
    look(
        &mut ada,
        "/messages?state=nonsense",
        "el estado es recibido",
    );
    for page in ["/ledger", "/people", "/settings", "/me"] {
        look(&mut ada, page, "csrf");
    }
    look(
        &mut ada,
        "/ledger?since=yesterday",
        "una hora es AAAA-MM-DD",
    );
    look(&mut olga, "/safeguards", "traducciones de trabajo");
    look(
        &mut olga,
        "/safeguards?profile=proposed-2025",
        "nunca se hizo una copia de seguridad",
    );
    look(&mut clara, "/break-glass", "csrf");
    look(&mut clara, "/records", "csrf");
    look(&mut clara, "/people", "Código");
    // What is refused.
    let mut answered = |name: &str, body: String, must_hold: &str| {
        found.extend(faults(name, &body));
        let main = body.split("<main").last().unwrap_or_default();
        if !body.contains(must_hold) {
            found.push(format!("{name}: no {must_hold} in {main}"));
        }
    };
    let token = ada.get("/ledger").hidden("csrf");
    let verified = ada.post("/ledger/verify", &[("csrf", &token)]).body;
    answered("verify", verified, "El registro está íntegro");
    let token = ada.get("/people").hidden("csrf");
    let fields = [("csrf", token.as_str()), ("name", ""), ("role", "it")];
    answered(
        "no name",
        ada.post("/people", &fields).body,
        "no tiene la forma debida",
    );
    let token = clara.get("/records").hidden("csrf");
    let fields = [
        ("csrf", token.as_str()),
        ("birth_date", "soon"),
        ("why", "a test"),
    ];
    answered(
        "birth",
        clara.post("/records", &fields).body,
        "escriba una fecha de nacimiento",
    );
    let fields = [("csrf", token.as_str()), ("mrn", "1")];
    answered(
        "no reason",
        clara.post("/records", &fields).body,
        "no se dio ningún motivo",
    );
    // Before the sign-in the browser says the language.
    let code = lab.invite("bea", "it");
    let mut nobody = lab.browser();
    nobody.language = "es-US";
    answered("sign-in", nobody.get("/sign-in").body, "Iniciar sesión");
    let wrong = [("login", "ada"), ("password", "wrong wrong wrong wrong")];
    answered(
        "wrong password",
        nobody.post("/sign-in", &wrong).body,
        "no concuerdan",
    );
    let join = |code: &str, login: &str, password: &str| {
        [
            ("code", code),
            ("login", login),
            ("password", password),
            ("again", password),
        ]
        .map(|(name, value)| (name, value.to_owned()))
    };
    for (name, fields, must_hold) in [
        (
            "weak",
            join(&code, "bea", "aaaaaaaaaaaaaaaaaaaa"),
            "es un trozo corto repetido",
        ),
        (
            "short",
            join(&code, "bea", "short"),
            "tiene menos de 15 caracteres",
        ),
        (
            "ended",
            join("nonsense", "bea", PASSWORD),
            "la invitación ya se usó",
        ),
        (
            "taken",
            join(&code, "ada", PASSWORD),
            "otra persona ya inicia sesión con este nombre",
        ),
    ] {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(a, b)| (*a, b.as_str())).collect();
        answered(name, nobody.post("/join", &fields).body, must_hold);
    }
    assert!(found.is_empty(), "{found:#?}");
}

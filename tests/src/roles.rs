//! What people are in the lab: changed at once, and many added from one list.

use std::fs;

use serde_json::Value;

use crate::console::{Lab, PASSWORD};
use crate::support::Installation;

/// A list as a spreadsheet gives it, with a column that is not looked at.
const LIST: &str = "\u{feff}Nombre;Departamento;Función\r\n\
     Núria Example;Lab;clinical-staff\r\n\
     ;;\r\n\
     Omar Example;IT;Lab manager + IT\r\n";

fn people(lab: &Installation) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let all = lab.json(&["person", "list"]);
    let all = all.as_array().unwrap().iter();
    all.map(|one| (text(&one["name"]), text(&one["role"])))
        .collect()
}

fn changes(lab: &Installation) -> usize {
    let words = ["ledger", "list", "--action", "person.", "--limit", "1000"];
    lab.json(&words)["entries"].as_array().unwrap().len()
}

#[test]
fn roles_change_in_an_open_session_and_the_last_administrator_keeps_theirs() {
    let lab = Lab::new();
    let mut officer = lab.joined("olga", "security-officer");
    let mut clerk = lab.joined("kim", "clinical-staff");
    assert_eq!(clerk.get("/records").status, 200);
    assert_eq!(clerk.get("/people").status, 404);
    assert_eq!(clerk.get("/break-glass/reviews").status, 404);

    let id = lab.lab.json(&["person", "list"]);
    let id = id.as_array().unwrap().iter();
    let id = id.clone().find(|one| one["name"] == "kim").unwrap()["id"].to_string();
    let page = officer.get(&format!("/people/{id}"));
    assert!(page.body.contains("value=\"clinical-staff\" checked"));
    let csrf = page.hidden("csrf");
    let set = [
        ("csrf", csrf.as_str()),
        ("role", "it"),
        ("role", "lab-manager"),
    ];
    let done = officer.post(&format!("/people/{id}/roles"), &set);
    assert_eq!(done.header("location"), Some("/people?done=roles-set"));
    assert_eq!(clerk.get("/break-glass/reviews").status, 200, "at once");
    assert_eq!(clerk.get("/people").status, 200);

    // No role at all, one that there is not, and an expert without an engagement are refused on the page.
    for wrong in ["", "king", "expert"] {
        let answer = officer.post(
            &format!("/people/{id}/roles"),
            &[("csrf", &csrf), ("role", wrong)],
        );
        assert!(answer.body.contains("role=\"alert\""), "{}", answer.body);
    }
    lab.lab.run(&["person", "set", "kim", "--role", "it"]).ok();
    let before = changes(&lab.lab);
    lab.lab.run(&["person", "set", "kim", "--role", "it"]).ok();
    assert_eq!(changes(&lab.lab), before, "no change, no entry");

    lab.lab.run(&["person", "set", "olga", "--role", "it"]).ok();
    assert_eq!(officer.get(&format!("/people/{id}")).status, 404);
    let only = people(&lab.lab);
    let (name, _) = only
        .iter()
        .find(|(_, role)| role.contains("administrator"))
        .unwrap();
    let lost = ["person", "set", name, "--role", "it"];
    lab.lab.run(&lost).fails(73, "identity.last-administrator");
}

#[test]
fn a_list_is_looked_at_then_added_whole_with_an_invitation_for_each() {
    let lab = Lab::new();
    let mut officer = lab.joined("olga", "security-officer");
    let before = (people(&lab.lab), changes(&lab.lab));
    let csrf = officer.get("/people/import").hidden("csrf");
    let looked = officer.post("/people/import", &[("csrf", &csrf), ("table", LIST)]);
    assert!(
        looked.body.contains("2 people would be added"),
        "{}",
        looked.body
    );
    assert!(looked.body.contains("Lab manager, IT"), "{}", looked.body);
    for (line, name) in [(2, "Núria Example"), (4, "Omar Example")] {
        let row = format!("class=\"number\">{line}</td><th scope=\"row\">{name}<");
        assert!(looked.body.contains(&row), "{}", looked.body);
    }
    assert_eq!((people(&lab.lab), changes(&lab.lab)), before);

    let wrong = format!("{LIST}Pia Example;Lab;queen\r\n");
    for apply in ["", "yes"] {
        let fields = [("csrf", csrf.as_str()), ("table", &wrong), ("apply", apply)];
        let refused = officer.post("/people/import", &fields);
        assert!(refused.body.contains("1 line cannot be read"));
        assert!(refused.body.contains("no such role"));
    }
    assert_eq!((people(&lab.lab), changes(&lab.lab)), before, "all or none");

    let fields = [("csrf", csrf.as_str()), ("table", LIST), ("apply", "yes")];
    let sheet = officer.post("/people/import", &fields);
    assert_eq!(sheet.header("cache-control"), Some("no-store"));
    assert_eq!(sheet.body.matches("<svg class=\"qr\"").count(), 2);
    let (_, link) = sheet.body.split_once("/join#").unwrap();
    let code = link.split('<').next().unwrap();
    let mut nuria = lab.browser();
    let fields = [
        ("code", code),
        ("login", "nuria"),
        ("password", PASSWORD),
        ("again", PASSWORD),
    ];
    assert_eq!(nuria.post("/join", &fields).status, 303);
    assert_eq!(nuria.get("/records").status, 200);

    // The same list again changes nothing.
    let fields = [("csrf", csrf.as_str()), ("table", LIST), ("apply", "yes")];
    let again = officer.post("/people/import", &fields);
    assert!(again.body.contains("0 people were added"), "{}", again.body);
    let now = people(&lab.lab);
    assert_eq!(now.len(), before.0.len() + 2);
    assert!(now.contains(&("Omar Example".to_owned(), "lab-manager,it".to_owned())));
}

#[test]
fn a_list_that_labward_wrote_is_read_and_one_that_is_none_is_refused() {
    let lab = Lab::new();
    lab.lab
        .run(&["person", "add", "Rosa Example", "--role", "it,lab-manager"])
        .ok();
    let file = lab.lab.beside("people.csv");
    let path = file.to_str().unwrap();
    lab.lab.run(&["export", "people", "--out", path]).ok();
    let read = lab.lab.json(&["person", "import", path]);
    assert_eq!((&read["added"], &read["refused"]), (&0.into(), &0.into()));
    assert_eq!(read["known"], people(&lab.lab).len());

    let many: String = (0..5_001).map(|n| format!("P {n},it\n")).collect();
    let wrong: [(&[u8], &str); 6] = [
        (b"", "no column"),
        (b"name,role\n", "names nobody"),
        (b"name\nN. N.\n", "no column `role`"),
        (b"login,role\nkim,it\n", "no column `name`"),
        (b"name,role\nN\xe9ria,it\n", "not UTF-8"),
        (many.as_bytes(), ""),
    ];
    for (bytes, detail) in wrong {
        let head: &[u8] = if detail.is_empty() {
            b"name,role\n"
        } else {
            b""
        };
        fs::write(&file, [head, bytes].concat()).unwrap();
        let refused = lab.lab.run(&["person", "import", path]);
        let said = refused.fails(65, "identity.bad-list").err;
        assert!(said.contains(detail), "{said}");
    }
    fs::write(&file, "name\trole\nTea Example\tit\n\"cut").unwrap();
    let preview = lab.lab.json(&["person", "import", path, "--preview"]);
    assert_eq!(preview["lines"][0]["state"], "new");
    assert_eq!(preview["lines"][1]["state"], "no-role");
}

//! Edits of one file: what changes, what stays, what is refused; and whatever a person may type.

use super::*;
use crate::config::{Config, changes};
use proptest::prelude::*;
use serde_json::json;

const FILE: &str = r#"# The lab's file; ask Jo before you touch it.
version = 1

[retention]
# Our state wants nine.
results_years = 9   # since the audit

## All about links.
# [[link]]

# The old analyzer
[[link]]
name = "old"
listen = "127.0.0.1:2575" # room 4
limits = { frame_seconds = 60 }

# The new one, for both shifts
[[link]]
listen = "127.0.0.1:2576"
name = "new"
[link.limits] # it is slow
frame_seconds = 50

[[destination]]
name = "ehr"
target = { kind = "mllp", address = "ehr.example:2575" }

[log]
level = "info"
# format = "text"
"#;

fn edit(does: EditKind, table: &str, name: Option<&str>, set: Json) -> ConfigEdit {
    let set = set.as_object().unwrap().clone();
    ConfigEdit {
        does,
        table: table.to_owned(),
        name: name.map(str::to_owned),
        set: set.into_iter().collect(),
    }
}

fn change(table: &str, name: &str, set: Json) -> ConfigEdit {
    edit(EditKind::Change, table, Some(name), set)
}

fn done(edits: &[ConfigEdit]) -> String {
    let text = edited(FILE, edits).unwrap();
    Config::parse(&text).unwrap();
    text
}

fn refused(edit: ConfigEdit) -> (&'static str, String) {
    let error = edited(FILE, &[edit]).unwrap_err();
    (error.problem.code, error.place)
}

/// The lines that are otherwise: gone, come.
fn lines(new: &str) -> (Vec<&'static str>, Vec<&str>) {
    let gone = FILE
        .lines()
        .filter(|line| !new.lines().any(|other| other == *line));
    let come = new
        .lines()
        .filter(|line| !FILE.lines().any(|other| other == *line));
    (gone.collect(), come.collect())
}

#[test]
fn a_value_changes_and_every_comment_and_space_stays() {
    let new = done(&[
        change("link", "old", json!({ "listen": "0.0.0.0:2600" })),
        change("link", "new", json!({ "limits.frame_seconds": 40 })),
        edit(
            EditKind::Change,
            "retention",
            None,
            json!({ "results_years": 10 }),
        ),
    ]);
    let (gone, come) = lines(&new);
    assert_eq!(gone.len(), 3);
    assert_eq!(
        come,
        [
            "results_years = 10   # since the audit",
            "listen = \"0.0.0.0:2600\" # room 4",
            "frame_seconds = 40"
        ]
    );
}

#[test]
fn what_was_not_written_comes_where_its_table_is() {
    let new = done(&[
        change(
            "link",
            "old",
            json!({ "limits.handshake_seconds": 5, "peer": "xn550" }),
        ),
        change(
            "destination",
            "ehr",
            json!({ "target.transport.peer": "ehr", "retry.first_ms": 50 }),
        ),
        edit(
            EditKind::Change,
            "ledger",
            None,
            json!({ "publish_seconds": 5 }),
        ),
    ]);
    let (gone, come) = lines(&new);
    assert_eq!(gone.len(), 2, "{new}");
    assert_eq!(
        come,
        [
            "limits = { frame_seconds = 60, handshake_seconds = 5 }",
            "peer = \"xn550\"",
            "target = { kind = \"mllp\", address = \"ehr.example:2575\", transport = { mode = \
             \"mutual-tls\", peer = \"ehr\" } }",
            "retry = { first_ms = 50 }",
            "[ledger]",
            "publish_seconds = 5",
        ],
        "{new}"
    );
    // What stood last in the file stays with what it is about.
    assert!(
        new.ends_with("# format = \"text\"\n\n[ledger]\npublish_seconds = 5\n"),
        "{new}"
    );
}

#[test]
fn another_link_stands_behind_all_others_and_a_route_leads_from_it() {
    let new = done(&[
        edit(
            EditKind::Add,
            "link",
            None,
            json!({ "listen": "127.0.0.1:2577", "name": "third", "transport.mode": "plain",
                    "peer": "c501" }),
        ),
        edit(
            EditKind::Add,
            "route",
            None,
            json!({ "types": ["*"], "links": ["third"], "to": ["ehr"] }),
        ),
    ]);
    let (gone, _) = lines(&new);
    assert!(gone.is_empty(), "{gone:?}");
    assert!(
        new.ends_with(
            "# format = \"text\"\n\n[[link]]\nname = \"third\"\nlisten = \"127.0.0.1:2577\"\n\
             peer = \"c501\"\ntransport = { mode = \"plain\" }\n\n\
             [[route]]\ntypes = [\"*\"]\nlinks = [\"third\"]\nto = [\"ehr\"]\n"
        ),
        "{new}"
    );
}

#[test]
fn what_is_removed_takes_its_own_comment_along_and_no_other() {
    let new = done(&[edit(EditKind::Remove, "link", Some("old"), json!({}))]);
    let (gone, come) = lines(&new);
    assert!(come.is_empty(), "{come:?}");
    assert_eq!(
        gone,
        [
            "# The old analyzer",
            "name = \"old\"",
            "listen = \"127.0.0.1:2575\" # room 4",
            "limits = { frame_seconds = 60 }"
        ]
    );
    assert!(new.contains("## All about links.\n# [[link]]\n"));
    let new = done(&[edit(
        EditKind::Change,
        "retention",
        None,
        json!({ "results_years": null }),
    )]);
    assert!(!new.contains("results_years"), "{new}");
}

#[test]
fn what_means_nothing_beside_a_new_value_goes() {
    let drop = "age1qyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyq";
    let new = done(&[
        change(
            "destination",
            "ehr",
            json!({ "target.transport.peer": "ehr" }),
        ),
        change(
            "destination",
            "ehr",
            json!({ "target.kind": "file-drop", "target.folder": "/srv/drop",
                    "target.recipient": drop }),
        ),
    ]);
    assert!(
        !new.contains("transport") && !new.contains("address"),
        "{new}"
    );
    let error = edited(
        &new,
        &[change(
            "destination",
            "ehr",
            json!({ "target.kind": "mllp" }),
        )],
    );
    let error = error.unwrap_err();
    let key = Some("target.address".to_owned());
    assert_eq!((error.problem.code, error.key), ("config.missing", key));
}

#[test]
fn a_mistake_is_named_with_its_place() {
    let add = |set| edit(EditKind::Add, "link", None, set);
    for (edit, code, place) in [
        (
            add(json!({ "name": "old", "listen": "127.0.0.1:1" })),
            "config.name-taken",
            "[[link]] old name",
        ),
        (
            add(json!({ "name": "x" })),
            "config.missing",
            "[[link]] x listen",
        ),
        (
            add(json!({ "listen": "127.0.0.1:1" })),
            "config.missing",
            "[[link]] name",
        ),
        (
            add(json!({ "name": "a b", "listen": "127.0.0.1:1" })),
            "config.bad-value",
            "[[link]] a b name",
        ),
        (
            change("link", "old", json!({ "listen": "localhost" })),
            "config.bad-value",
            "[[link]] old listen",
        ),
        (
            change("link", "old", json!({ "limits.frame_seconds": 0 })),
            "config.bad-value",
            "[[link]] old limits.frame_seconds",
        ),
        (
            change("link", "old", json!({ "framing": "hl7" })),
            "config.bad-value",
            "[[link]] old framing",
        ),
        (
            change("link", "old", json!({ "peer": "x".repeat(2_000) })),
            "config.bad-value",
            "[[link]] old peer",
        ),
        (
            change("link", "old", json!({ "listen": null })),
            "config.missing",
            "[[link]] old listen",
        ),
        (
            change("link", "old", json!({ "name": "other" })),
            "config.not-editable",
            "[[link]] old name",
        ),
        (
            change("link", "old", json!({ "lisen": "x" })),
            "config.not-editable",
            "[[link]] old lisen",
        ),
        (
            change("link", "none", json!({})),
            "config.no-part",
            "[[link]] none",
        ),
        (
            change("route", "1", json!({})),
            "config.no-part",
            "[[route]] 1",
        ),
        (
            edit(EditKind::Change, "keys", None, json!({ "files": [] })),
            "config.not-editable",
            "\"keys\"",
        ),
        (
            edit(EditKind::Change, "tls", None, json!({ "names": [] })),
            "config.not-editable",
            "[tls] names",
        ),
        (
            edit(EditKind::Remove, "retention", None, json!({})),
            "config.not-editable",
            "[retention]",
        ),
    ] {
        assert_eq!(refused(edit), (code, place.to_owned()));
    }
    let many = vec![change("link", "old", json!({})); MAX_EDITS + 1];
    assert_eq!(
        edited(FILE, &many).unwrap_err().problem.code,
        "server.too-large"
    );
}

#[test]
fn a_list_that_is_written_in_one_line_is_edited_in_place() {
    let file = "version = 1\nlink = [{ name = \"a\", listen = \"127.0.0.1:1\" }]\n";
    let add = edit(
        EditKind::Add,
        "link",
        None,
        json!({ "name": "b", "listen": "127.0.0.1:2" }),
    );
    let set = change("link", "a", json!({ "listen": "127.0.0.1:3" }));
    let new = edited(file, &[add, set]).unwrap();
    assert_eq!(changes(file, &new).len(), 3, "{new}");
    let gone = edit(EditKind::Remove, "link", Some("a"), json!({}));
    let new = edited(&new, &[gone]).unwrap();
    assert_eq!(Config::parse(&new).unwrap().gateway.links.len(), 1);
}

proptest! {
    /// Whatever a person writes is that value, and no other table or key.
    #[test]
    fn no_text_becomes_anything_but_a_value(text in "\\PC{0,40}|[\\n\\r\"'\\[\\]=#\\\\{}, a]{0,30}") {
        let set = json!({ "peer": text, "authority": text });
        let new = edited(FILE, &[change("link", "old", set)]).unwrap();
        let found = changes(FILE, &new);
        let keys: Vec<&str> = found.iter().map(|one| one.key.as_str()).collect();
        prop_assert_eq!(keys, ["peer", "authority"]);
        let file: toml::Table = new.parse().unwrap();
        let link = file["link"].as_array().unwrap()[0].as_table().unwrap();
        prop_assert_eq!(link["peer"].as_str().unwrap(), &text);
        let back = json!({ "peer": null, "authority": null });
        let back = edited(&new, &[change("link", "old", back)]).unwrap();
        prop_assert_eq!(back, FILE);
    }

    #[test]
    fn no_name_of_a_table_or_key_gets_into_the_file(table in "\\PC{0,20}", key in "\\PC{0,20}") {
        let asked = edit(EditKind::Change, &table, None, json!({ key.clone(): "x" }));
        if let Ok(text) = edited(FILE, &[asked]) {
            prop_assert!(section(&table).is_some() && find(&table, &key).is_some(), "{}", text);
        }
        let asked = change("link", "old", json!({ key.clone(): "x" }));
        prop_assert!(edited(FILE, &[asked]).is_err() || find("link", &key).is_some());
    }
}

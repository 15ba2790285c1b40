//! What differs between two configurations: table by table, key by key, old and new.
//!
//! Defaults count: a key that is written down with the value that held before is no change. It must
//! never call something changeable that is only read when the server starts.

use toml::{Table, Value};

use super::schema::{Key, Omitted, Section};
use super::sections::FILE;

/// Tables of which every key is read only when the server starts.
const TABLES_AT_START: &[&str] = &["node", "store", "witness"];

/// Keys that are read only when the server starts, with the table that they stand in.
const KEYS_AT_START: &[(&str, &str)] = &[
    ("console", "idle_minutes"),
    ("console", "listen"),
    ("console", "session_hours"),
    ("gateway", "runtimes"),
    ("http", "socket_group"),
    ("ledger", "origin"),
    ("log", "format"),
    ("malware", "clamd"),
    ("malware", "enabled"),
    ("malware", "max_item_bytes"),
    ("malware", "processes"),
    ("malware", "retention_days"),
    ("link.limits", "window_days"),
    ("link.limits", "window_messages"),
];

/// One key that is otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The table, such as `[log]` or `[[link]] xn550`.
    pub table: String,
    /// The key, with the tables within that lead to it: `limits.frame_seconds`.
    pub key: String,
    /// The value before, as TOML; none if there was none.
    pub old: Option<String>,
    /// The value now.
    pub new: Option<String>,
    /// Whether it is read only when the server starts.
    pub needs_restart: bool,
}

/// What differs between two files that were both accepted.
pub fn changes(old: &str, new: &str) -> Vec<Change> {
    let read = |text: &str| text.parse::<Table>().unwrap_or_default();
    let (old, new) = (read(old), read(new));
    let mut changes = Vec::new();
    for section in FILE.sections {
        if section.many {
            compare_many(section, &old, &new, &mut changes);
            continue;
        }
        let table = |file: &Table| file.get(section.name)?.as_table().cloned();
        let (old, new) = (table(&old), table(&new));
        let mut place = Place {
            table: format!("[{}]", section.name),
            path: section.name.to_owned(),
            prefix: String::new(),
            is_known: true,
            changes: &mut changes,
        };
        place.compare(section, old.as_ref(), new.as_ref());
    }
    changes
}

/// Whether this key of this table (`link.limits`) is read only when the server starts.
pub(super) fn is_read_at_start(table: &str, key: &str) -> bool {
    is_table_at_start(table) || KEYS_AT_START.contains(&(table, key))
}

/// Whether this table (`witness.transport`) is read only when the server starts, also one that
/// comes or goes.
fn is_table_at_start(table: &str) -> bool {
    let outermost = table.split('.').next().unwrap_or(table);
    TABLES_AT_START.contains(&outermost)
}

/// One table on both sides.
struct Place<'a> {
    table: String,
    path: String,
    prefix: String,
    /// Whether the table stands on both sides, so that what is left out has its default.
    is_known: bool,
    changes: &'a mut Vec<Change>,
}

fn compare_many(section: &'static Section, old: &Table, new: &Table, changes: &mut Vec<Change>) {
    let named = |file: &Table| -> Vec<(String, Table)> {
        let list = file.get(section.name).and_then(Value::as_array);
        let tables = list.into_iter().flatten().filter_map(Value::as_table);
        let name = |(number, table): (usize, &Table)| {
            let name = table.get("name").and_then(Value::as_str);
            let name = name.map_or_else(|| (number + 1).to_string(), str::to_owned);
            (name, table.clone())
        };
        tables.enumerate().map(name).collect()
    };
    let (old, new) = (named(old), named(new));
    let find = |all: &[(String, Table)], name: &str| {
        let found = all.iter().find(|(known, _)| known == name);
        found.map(|(_, table)| table.clone())
    };
    let gone = old
        .iter()
        .filter(|(name, _)| find(&new, name).is_none())
        .map(|(name, _)| name);
    let names = new.iter().map(|(name, _)| name).chain(gone);
    for name in names {
        let (old, new) = (find(&old, name), find(&new, name));
        let mut place = Place {
            table: format!("[[{}]] {name}", section.name),
            path: section.name.to_owned(),
            prefix: String::new(),
            is_known: old.is_some() && new.is_some(),
            changes,
        };
        place.compare(section, old.as_ref(), new.as_ref());
    }
}

impl Place<'_> {
    fn compare(&mut self, section: &'static Section, old: Option<&Table>, new: Option<&Table>) {
        for key in section.keys {
            let (old, new) = (self.value(key, old), self.value(key, new));
            if old != new {
                self.changes.push(Change {
                    table: self.table.clone(),
                    key: format!("{}{}", self.prefix, key.name),
                    needs_restart: is_table_at_start(&self.path)
                        || self.is_known && is_read_at_start(&self.path, key.name),
                    old,
                    new,
                });
            }
        }
        for below in section.sections {
            let table = |table: Option<&Table>| table?.get(below.name)?.as_table().cloned();
            let (old, new) = (table(old), table(new));
            let mut place = Place {
                table: self.table.clone(),
                path: format!("{}.{}", self.path, below.name),
                prefix: format!("{}{}.", self.prefix, below.name),
                is_known: self.is_known,
                changes: self.changes,
            };
            place.compare(below, old.as_ref(), new.as_ref());
        }
    }

    /// The value that holds: what is written, else the default where that stands for something.
    fn value(&self, key: &Key, table: Option<&Table>) -> Option<String> {
        if let Some(value) = table.and_then(|table| table.get(key.name)) {
            return Some(value.to_string());
        }
        let is_meant = key.only.is_none_or(|(beside, value)| {
            let tag = table.and_then(|table| table.get(beside));
            tag.and_then(Value::as_str) == Some(value)
        });
        match key.omitted {
            Omitted::Value(value) if self.is_known && is_meant => Some(value.to_owned()),
            // Without its table a line is protected.
            Omitted::Required if self.is_known && key.name == "mode" => {
                Some("\"mutual-tls\"".to_owned())
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "version = 1\n[[link]]\nname = \"a\"\nlisten = \"127.0.0.1:1\"\n";

    fn check(old: &str, new: &str, expect: &[(&str, &str, Option<&str>, Option<&str>)]) {
        let found = changes(old, new);
        let found: Vec<_> = found
            .iter()
            .map(|change| {
                let Change {
                    table,
                    key,
                    old,
                    new,
                    ..
                } = change;
                (table.as_str(), key.as_str(), old.as_deref(), new.as_deref())
            })
            .collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn each_key_that_differs_is_named_with_its_old_and_new_value() {
        check(BASE, BASE, &[]);
        check(
            BASE,
            &format!("{BASE}limits = {{ frame_seconds = 60 }}\n[log]\nlevel = \"debug\"\n"),
            &[
                ("[[link]] a", "limits.frame_seconds", Some("30"), Some("60")),
                ("[log]", "level", Some("\"info\""), Some("\"debug\"")),
            ],
        );
        check(
            &format!("{BASE}[[route]]\ntypes = [\"*\"]\nto = [\"x\"]\n"),
            &format!("{BASE}[[route]]\ntypes = [\"*\"]\nto = [\"x\", \"y\"]\n"),
            &[("[[route]] 1", "to", Some("[\"x\"]"), Some("[\"x\", \"y\"]"))],
        );
    }

    #[test]
    fn a_default_that_is_written_down_is_no_change() {
        check(
            BASE,
            &format!(
                "{BASE}framing = \"mllp\"\ntransport = {{ mode = \"mutual-tls\" }}\n\
                 limits = {{ frame_seconds = 30 }}\n[tls]\nalarm_days = [30,14,7,1]\n"
            ),
            &[],
        );
    }

    #[test]
    fn what_comes_and_goes_is_shown_by_the_keys_that_are_written() {
        let more = format!(
            "{BASE}[[link]]\nname = \"b\"\nlisten = \"127.0.0.1:2\"\n\
             limits = {{ window_days = 3 }}\n"
        );
        let b = |old, new| [("[[link]] b", "name", old, new)][0];
        let name = Some("\"b\"");
        let listen = Some("\"127.0.0.1:2\"");
        check(
            BASE,
            &more,
            &[
                b(None, name),
                ("[[link]] b", "listen", None, listen),
                ("[[link]] b", "limits.window_days", None, Some("3")),
            ],
        );
        assert!(changes(BASE, &more).iter().all(|one| !one.needs_restart));
        check(
            &more,
            BASE,
            &[
                b(name, None),
                ("[[link]] b", "listen", listen, None),
                ("[[link]] b", "limits.window_days", Some("3"), None),
            ],
        );
    }

    #[test]
    fn what_is_read_at_start_only_says_so() {
        for (rest, key, restart) in [
            ("[store]\nreaders = 5\n", "readers", true),
            ("[gateway]\nruntimes = 3\n", "runtimes", true),
            ("[gateway]\ndrain_seconds = 3\n", "drain_seconds", false),
            ("[node]\nname = \"x\"\n", "name", true),
            ("[console]\nidle_minutes = 5\n", "idle_minutes", true),
            (
                "[console.oidc]\nclient_id = \"x\"\n",
                "oidc.client_id",
                false,
            ),
            ("[site]\nname = \"x\"\n", "name", false),
            ("[log]\nformat = \"json\"\n", "format", true),
            ("limits = { window_days = 1 }\n", "limits.window_days", true),
        ] {
            let found = changes(BASE, &format!("{BASE}{rest}"));
            assert_eq!(found.len(), 1, "{rest}");
            assert_eq!(
                (found[0].key.as_str(), found[0].needs_restart),
                (key, restart)
            );
        }
    }

    #[test]
    fn a_witness_comes_and_goes_only_with_a_restart() {
        let with =
            format!("{BASE}[[witness]]\nname = \"partner\"\ntransport = {{ mode = \"plain\" }}\n");
        for (old, new) in [(BASE, with.as_str()), (with.as_str(), BASE)] {
            let found = changes(old, new);
            assert_eq!(found.len(), 2);
            assert!(found.iter().all(|one| one.needs_restart), "{found:?}");
        }
    }

    #[test]
    fn every_key_that_is_said_to_be_read_at_start_exists() {
        for table in TABLES_AT_START {
            assert!(FILE.section(table).is_some(), "{table}");
        }
        for (table, key) in KEYS_AT_START {
            let mut section = &FILE;
            for name in table.split('.') {
                section = section.section(name).unwrap();
            }
            assert!(section.key(key).is_some(), "{table} {key}");
        }
    }

    #[test]
    fn a_default_stands_in_the_definition_as_toml_writes_it() {
        fn walk(section: &Section) {
            for key in section.keys {
                if let Omitted::Value(value) = key.omitted {
                    let table: Table = format!("x = {value}").parse().unwrap();
                    assert_eq!(table["x"].to_string(), value, "{}", key.name);
                }
            }
            section.sections.iter().for_each(walk);
        }
        walk(&FILE);
    }
}

//! What of the file can be changed over the API: a closed list, described for whoever makes a form.
//!
//! It must never hold where keys live, who may reach the server, or what only a start reads of a
//! table: those are changed in the file, by whoever may write it.

use std::collections::BTreeMap;

use labward_api::config::{ConfigForm, ConfigKey, ConfigPart, ConfigTable};
use serde_json::Value as Json;
use toml::{Table, Value};

use super::difference::is_read_at_start;
use super::schema::{Key, Kind, Omitted, Section};
use super::sections::FILE;

/// The tables, each with its keys; of those without any, all.
const EDITABLE: &[(&str, &[&str])] = &[
    ("link", &[]),
    ("destination", &[]),
    ("route", &[]),
    ("retention", &["results_years", "pathology_years"]),
    ("ledger", &["publish_seconds"]),
    ("tls", &["alarm_days", "authority_alarm_days"]),
    ("gateway", &["drain_seconds"]),
    ("site", &["name"]),
    ("log", &["level"]),
    (
        "malware",
        &["timeout_ms", "rescan_days", "imports_unscanned"],
    ),
];

/// One key, and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Found {
    pub(super) key: &'static Key,
    /// The outermost table: `link`.
    table: &'static str,
}

/// The table of this name, if anything in it can be changed over the API.
pub(super) fn section(table: &str) -> Option<&'static Section> {
    EDITABLE.iter().find(|(name, _)| *name == table)?;
    FILE.section(table)
}

/// The key `limits.frame_seconds` of the table `link`, if it can be changed over the API.
pub(super) fn find(table: &str, dotted: &str) -> Option<Found> {
    let (name, keys) = EDITABLE.iter().find(|(name, _)| *name == table)?;
    if !keys.is_empty() && !keys.contains(&dotted) {
        return None;
    }
    let mut section = FILE.section(name)?;
    let mut rest = dotted;
    while let Some((below, more)) = rest.split_once('.') {
        section = section.section(below)?;
        rest = more;
    }
    let key = section.key(rest)?;
    Some(Found { key, table: name })
}

impl Found {
    /// What its value must be.
    pub(super) fn form(&self) -> ConfigForm {
        form(self.table, self.key)
    }
}

/// What of the file in force can be changed.
pub(crate) fn tables(text: &str) -> Vec<ConfigTable> {
    let file: Table = text.parse().unwrap_or_default();
    let described = EDITABLE.iter().filter_map(|(name, only)| {
        let section = FILE.section(name)?;
        let mut keys = Vec::new();
        describe(section, name, "", &mut keys);
        keys.retain(|key| only.is_empty() || only.contains(&key.key.as_str()));
        Some(ConfigTable {
            table: (*name).to_owned(),
            many: section.many,
            parts: parts(section, &file, &keys),
            keys,
        })
    });
    described.collect()
}

fn describe(section: &'static Section, path: &str, prefix: &str, keys: &mut Vec<ConfigKey>) {
    let table = path.split('.').next().unwrap_or(path);
    for key in section.keys {
        // Without its table a line is protected.
        let is_mode = key.name == "mode";
        keys.push(ConfigKey {
            key: format!("{prefix}{}", key.name),
            form: form(table, key),
            required: matches!(key.omitted, Omitted::Required) && !is_mode,
            default: match key.omitted {
                Omitted::Value(text) => value_of(text),
                _ if is_mode => Some("mutual-tls".into()),
                _ => None,
            },
            only: key
                .only
                .map(|(beside, value)| (format!("{prefix}{beside}"), value.to_owned())),
            at_start: is_read_at_start(path, key.name),
        });
    }
    for below in section.sections {
        let path = format!("{path}.{}", below.name);
        describe(below, &path, &format!("{prefix}{}.", below.name), keys);
    }
}

fn form(table: &str, key: &Key) -> ConfigForm {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    match (table, key.name, key.kind) {
        ("link" | "destination", "name", _) => ConfigForm::Name,
        (_, "listen", _) => ConfigForm::Listen,
        (_, "address", _) => ConfigForm::Address,
        (_, "expires", _) => ConfigForm::Day,
        (.., Kind::Choice(choices)) => ConfigForm::Choice {
            choices: words(choices),
        },
        (.., Kind::Flag) => ConfigForm::Flag,
        (.., Kind::Number(least, most)) => ConfigForm::Number { least, most },
        (.., Kind::Numbers(least, most)) => ConfigForm::Numbers { least, most },
        (.., Kind::Text) => ConfigForm::Text,
        (.., Kind::Texts) => ConfigForm::Texts,
    }
}

fn value_of(text: &str) -> Option<Json> {
    let table: Table = format!("x = {text}").parse().ok()?;
    json(table.get("x")?)
}

fn parts(section: &Section, file: &Table, keys: &[ConfigKey]) -> Vec<ConfigPart> {
    let found = file.get(section.name);
    if !section.many {
        let table = found.and_then(Value::as_table);
        return vec![ConfigPart {
            name: None,
            values: table.map_or_else(BTreeMap::new, |table| values(table, keys)),
        }];
    }
    let all = found.and_then(Value::as_array).into_iter().flatten();
    let tables = all.filter_map(Value::as_table).enumerate();
    let part = |(number, table): (usize, &Table)| {
        let name = table.get("name").and_then(Value::as_str);
        ConfigPart {
            name: Some(name.map_or_else(|| (number + 1).to_string(), str::to_owned)),
            values: values(table, keys),
        }
    };
    tables.map(part).collect()
}

fn values(table: &Table, keys: &[ConfigKey]) -> BTreeMap<String, Json> {
    let value = |key: &ConfigKey| {
        let mut names = key.key.split('.');
        let first = table.get(names.next()?)?;
        let found = names.try_fold(first, |value, name| value.get(name))?;
        Some((key.key.clone(), json(found)?))
    };
    keys.iter().filter_map(value).collect()
}

fn json(value: &Value) -> Option<Json> {
    serde_json::to_value(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_changed_exists_and_nothing_of_it_is_read_at_start_alone() {
        for (name, keys) in EDITABLE {
            let section = FILE.section(name).unwrap();
            for key in *keys {
                assert!(section.key(key).is_some(), "{name} {key}");
                assert!(!is_read_at_start(name, key), "{name} {key}");
            }
        }
        for closed in ["keys", "http", "console", "witness", "node", "store"] {
            assert!(section(closed).is_none(), "{closed}");
        }
        assert!(find("ledger", "origin").is_none());
        assert!(find("tls", "names").is_none());
        assert!(find("link", "limits.frame_seconds").is_some());
        assert!(find("destination", "target.transport.peer").is_some());
        assert!(find("link", "limits.no").is_none() && find("link", "").is_none());
    }

    #[test]
    fn a_file_is_shown_by_what_is_written_in_it() {
        let text = "version = 1\n[retention]\nresults_years = 9\n[[link]]\nname = \"a\"\n\
                    listen = \"127.0.0.1:1\"\nlimits = { frame_seconds = 3 }\n\
                    [[route]]\ntypes = [\"*\"]\nto = []\n";
        let tables = tables(text);
        let of = |name: &str| tables.iter().find(|one| one.table == name).unwrap();
        let link = of("link");
        assert_eq!(link.parts[0].name.as_deref(), Some("a"));
        assert_eq!(link.parts[0].values["limits.frame_seconds"], 3);
        assert_eq!(of("route").parts[0].name.as_deref(), Some("1"));
        assert_eq!(of("retention").parts[0].values["results_years"], 9);
        assert!(of("log").parts[0].values.is_empty());
        assert!(of("destination").parts.is_empty());
        let mode = link.keys.iter().find(|one| one.key == "transport.mode");
        assert_eq!(mode.unwrap().default, Some("mutual-tls".into()));
        let reason = link.keys.iter().find(|one| one.key == "transport.reason");
        let only = Some(("transport.mode".to_owned(), "plain".to_owned()));
        assert_eq!(reason.unwrap().only, only);
        assert!(link.keys.iter().any(|one| one.at_start));
    }
}

//! The configuration: what is in force, a form for one table of it, and what a change would do.
//!
//! It must never say that something will be changed which the server did not say, or hide what others
//! changed meanwhile.

use std::borrow::Cow;

use askama::Template;
use labward_api::ProblemBody;
use labward_api::config::{
    ConfigChange, ConfigFault, ConfigForm, ConfigKey, ConfigPart, ConfigPreview, ConfigTable,
    Configuration, EditKind, Meanwhile, Reload,
};
use labward_api::status::{DestinationStatus, Status};
use labward_identity::Permission;
use serde_json::Value;

use super::When;
use crate::RenderError;
use crate::frame::{Frame, Place};
use crate::language::Texts as _;

/// The keys that a form shows first; all others are behind "more".
const FIRST: &[&str] = &[
    "name",
    "listen",
    "framing",
    "peer",
    "transport.mode",
    "transport.reason",
    "transport.owner",
    "transport.expires",
    "transport.from_addresses",
    "target.kind",
    "target.address",
    "target.transport.mode",
    "target.transport.peer",
    "target.transport.server_name",
    "target.folder",
    "target.recipient",
    "types",
    "from",
    "links",
    "to",
];

/// The keys that a list of tables shows.
const LISTED: &[(&str, &[&str])] = &[
    ("link", &["listen", "framing", "transport.mode", "peer"]),
    (
        "destination",
        &[
            "target.kind",
            "target.address",
            "target.folder",
            "target.transport.mode",
        ],
    ),
    ("route", &["types", "from", "links", "to"]),
];

#[derive(Template)]
#[template(path = "settings.html")]
struct SettingsPage<'a> {
    f: &'a Frame,
    status: &'a Status,
    reload: &'a Reload,
    configuration: &'a Configuration,
}

impl SettingsPage<'_> {
    fn lists(&self) -> Vec<(&ConfigTable, &'static [&'static str])> {
        let all = LISTED.iter().filter_map(|(name, columns)| {
            let mut tables = self.configuration.tables.iter();
            Some((tables.find(|table| table.table == *name)?, *columns))
        });
        all.collect()
    }

    /// The tables that stand once.
    fn policies(&self) -> Vec<(&ConfigTable, &ConfigPart)> {
        let tables = self.configuration.tables.iter().filter(|table| !table.many);
        tables
            .filter_map(|table| Some((table, table.parts.first()?)))
            .collect()
    }

    fn may_change(&self) -> bool {
        self.f.may(Permission::ConfigChange) && self.configuration.is_file
    }

    /// What holds for a key, written or not.
    fn holds(&self, table: &ConfigTable, part: &ConfigPart, key: &str) -> String {
        let default = || {
            table
                .keys
                .iter()
                .find(|one| one.key == key)?
                .default
                .as_ref()
        };
        let value = part.values.get(key).or_else(default);
        value.map_or_else(|| self.f.t("unknown").into_owned(), text_of)
    }
}

/// The configuration in force, and what a reload would change.
///
/// # Errors
///
/// [`RenderError`].
pub fn settings(
    f: &Frame,
    status: &Status,
    reload: &Reload,
    configuration: &Configuration,
) -> Result<String, RenderError> {
    SettingsPage {
        f,
        status,
        reload,
        configuration,
    }
    .render()
}

/// A table that is filled in.
pub struct Filling<'a> {
    /// What may stand in it.
    pub table: &'a ConfigTable,
    /// The one that is changed; none while another is added.
    pub part: Option<&'a ConfigPart>,
    /// SHA-256 of the file that the form shows.
    pub base: &'a str,
    /// What was filled in, beside the keys; none shows what is there.
    pub filled: Option<&'a [(String, String)]>,
    /// What was wrong.
    pub fault: Option<&'a ConfigFault>,
}

/// One field of a form.
struct Field<'a> {
    key: &'a ConfigKey,
    id: String,
    /// What stands in it.
    value: String,
    /// What stood in it when the form was made.
    was: String,
    /// What holds if it is left empty.
    default: Option<String>,
    /// The words to choose from; none is free text.
    choices: Vec<&'a str>,
    fault: Option<Cow<'static, str>>,
}

#[derive(Template)]
#[template(path = "configuration.html")]
struct FillingPage<'a> {
    f: &'a Frame,
    filling: &'a Filling<'a>,
    title: Cow<'static, str>,
    first: Vec<Field<'a>>,
    more: Vec<Field<'a>>,
}

impl FillingPage<'_> {
    fn name(&self) -> &str {
        let part = self.filling.part.and_then(|part| part.name.as_deref());
        part.unwrap_or_default()
    }

    fn row<'a>(&'a self, field: &'a Field<'a>) -> Row<'a> {
        Row {
            f: self.f,
            field,
            is_there: self.filling.part.is_some(),
        }
    }

    fn does(&self) -> &'static str {
        match self.filling.part {
            Some(_) => "change",
            None => "add",
        }
    }

    /// What is wrong with the whole, or with no field of the form.
    fn whole(&self) -> Option<&ProblemBody> {
        let of_field = |field: &Field<'_>| field.fault.is_some();
        let is_shown = self.first.iter().chain(&self.more).any(of_field);
        let fault = self.filling.fault.filter(|_| !is_shown)?;
        Some(&fault.problem)
    }

    fn is_wrong_within(&self) -> bool {
        self.more.iter().any(|field| field.fault.is_some())
    }
}

/// The form for one table: a link, a route, a destination, or values that stand once.
///
/// # Errors
///
/// [`RenderError`].
pub fn filling(f: &Frame, filling: &Filling<'_>) -> Result<String, RenderError> {
    let name = filling.part.and_then(|part| part.name.as_deref());
    let family = match (filling.part, name) {
        (Some(_), Some(_)) => "configuration-one",
        (Some(_), None) => "configuration-table",
        (None, _) => "configuration-new",
    };
    let key = format!("{family}-{}", filling.table.table);
    let title = f.w(&key, "name", name.unwrap_or_default());
    let fields = filling.table.keys.iter();
    // A name is given once.
    let fields = fields.filter(|key| filling.part.is_none() || key.key != "name");
    let fields = fields.map(|key| field(f, filling, key));
    let is_first =
        |field: &Field<'_>| FIRST.contains(&field.key.key.as_str()) || !filling.table.many;
    let (first, more) = fields.partition(is_first);
    FillingPage {
        f,
        filling,
        title,
        first,
        more,
    }
    .render()
}

fn field<'a>(f: &Frame, filling: &'a Filling<'a>, key: &'a ConfigKey) -> Field<'a> {
    let is_it = |(name, _): &&(String, String)| *name == key.key;
    let there = filling.part.and_then(|part| part.values.get(&key.key));
    let there = there.map(text_of).unwrap_or_default();
    let filled = |name: &str| {
        let all = filling.filled?.iter();
        let found = all.into_iter().find(|(known, _)| known == name);
        found.map(|(_, text)| text.clone())
    };
    let value = filling.filled.and_then(|all| all.iter().find(is_it));
    let value = value.map_or_else(|| there.clone(), |(_, text)| text.clone());
    let fault = filling
        .fault
        .filter(|fault| fault.key.as_deref() == Some(&key.key));
    Field {
        key,
        id: id_of(&key.key),
        was: filled(&format!("was.{}", key.key)).unwrap_or(there),
        value,
        default: key
            .default
            .as_ref()
            .map(text_of)
            .filter(|text| !text.is_empty()),
        choices: match &key.form {
            ConfigForm::Choice { choices } => choices.iter().map(String::as_str).collect(),
            ConfigForm::Flag => vec!["true", "false"],
            _ => Vec::new(),
        },
        fault: fault.map(|fault| said(f, fault)),
    }
}

/// What a key is called.
fn label(f: &Frame, key: &str) -> Cow<'static, str> {
    f.of("field", &id_of(key))
}

fn id_of(key: &str) -> String {
    key.replace(['.', '_'], "-")
}

/// One field with its label, its help and what is wrong with it.
#[derive(Template)]
#[template(path = "configuration_field.html")]
struct Row<'a> {
    f: &'a Frame,
    field: &'a Field<'a>,
    /// Whether the table is there already.
    is_there: bool,
}

impl askama::filters::HtmlSafe for Row<'_> {}

impl Field<'_> {
    fn label(&self, f: &Frame) -> Cow<'static, str> {
        label(f, &self.key.key)
    }

    fn input(&self) -> &'static str {
        match self.key.form {
            ConfigForm::Day => "date",
            _ => "text",
        }
    }

    fn mode(&self) -> &'static str {
        match self.key.form {
            ConfigForm::Number { .. } => "numeric",
            _ => "text",
        }
    }

    /// What the value must be, where that is not to be seen.
    fn help(&self, f: &Frame) -> Option<Cow<'static, str>> {
        expected(f, &self.key.form)
    }

    fn only(&self, f: &Frame) -> Option<Cow<'static, str>> {
        let (beside, value) = self.key.only.as_ref()?;
        let beside = label(f, beside);
        let words = [("key", &*beside), ("value", value.as_str())];
        Some(f.language.with("configuration-only", &words))
    }
}

/// What a value must be, in words.
fn expected(f: &Frame, form: &ConfigForm) -> Option<Cow<'static, str>> {
    let range = |key: &str, least: i64, most: i64| {
        if most == i64::MAX {
            return f.w("expected-number-from", "least", &least.to_string());
        }
        let (least, most) = (least.to_string(), most.to_string());
        f.language.with(key, &[("least", &least), ("most", &most)])
    };
    Some(match form {
        ConfigForm::Choice { .. } | ConfigForm::Flag | ConfigForm::Text => return None,
        ConfigForm::Number { least, most } => range("expected-number", *least, *most),
        ConfigForm::Numbers { least, most } => range("expected-numbers", *least, *most),
        ConfigForm::Texts => f.t("expected-texts"),
        ConfigForm::Name => f.t("expected-name"),
        ConfigForm::Listen => f.t("expected-listen"),
        ConfigForm::Address => f.t("expected-address"),
        ConfigForm::Day => f.t("expected-day"),
    })
}

/// What is wrong with a field, in the reader's language.
fn said(f: &Frame, fault: &ConfigFault) -> Cow<'static, str> {
    match fault.problem.code.as_str() {
        "config.missing" => f.t("wrong-missing"),
        "config.name-taken" => f.t("wrong-name-taken"),
        "config.unsafe" => f.t("wrong-listen-twice"),
        _ => {
            let what = fault.expected.as_ref().and_then(|form| expected(f, form));
            match what {
                Some(what) => f.w("wrong-value-needs", "what", &what),
                None => f.t("wrong-value"),
            }
        }
    }
}

/// A value as it stands in a field.
fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().map(text_of).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// A change as it is looked at before it is made.
pub struct Previewed<'a> {
    /// What the server says about it.
    pub preview: &'a ConfigPreview,
    /// The edits, as JSON.
    pub edits: &'a str,
    /// What it does.
    pub does: EditKind,
    /// The destination that goes, as far as it is known.
    pub leaving: Option<&'a DestinationStatus>,
    /// What was wrong with the last try.
    pub fault: Option<&'a ProblemBody>,
    /// The reason that was given then.
    pub why: &'a str,
}

#[derive(Template)]
#[template(path = "configuration_preview.html")]
struct PreviewPage<'a> {
    f: &'a Frame,
    shown: &'a Previewed<'a>,
    preview: &'a ConfigPreview,
}

impl PreviewPage<'_> {
    /// Whether a person must choose between two changes.
    fn is_conflict(&self) -> bool {
        let refused = self.preview.refused.as_ref();
        refused.is_some_and(|fault| fault.problem.code == "config.changed")
    }

    /// Why it cannot be made, if it is not for another change.
    fn refused(&self) -> Option<&ProblemBody> {
        let refused = self
            .preview
            .refused
            .as_ref()
            .filter(|_| !self.is_conflict());
        refused.map(|fault| &fault.problem)
    }

    fn who(&self, meanwhile: &Meanwhile) -> Cow<'static, str> {
        match &meanwhile.by {
            Some(by) => self.f.w("configuration-meanwhile", "who", by),
            None => self.f.t("configuration-meanwhile-unknown"),
        }
    }

    fn connections(&self) -> u64 {
        self.preview.closes.iter().map(|one| one.connections).sum()
    }

    fn is_removal(&self) -> bool {
        self.shown.does == EditKind::Remove
    }
}

/// What a change would do, to be confirmed with a reason.
///
/// # Errors
///
/// [`RenderError`].
pub fn previewed(f: &Frame, shown: &Previewed<'_>) -> Result<String, RenderError> {
    PreviewPage {
        f,
        shown,
        preview: shown.preview,
    }
    .render()
}

#[derive(Template)]
#[template(path = "changes.html")]
struct Changes<'a> {
    f: &'a Frame,
    changes: &'a [ConfigChange],
}

/// The table of what is otherwise.
fn changes<'a>(f: &'a Frame, changes: &'a [ConfigChange]) -> Changes<'a> {
    Changes { f, changes }
}

impl askama::filters::HtmlSafe for Changes<'_> {}

#[cfg(test)]
#[path = "configuration_tests.rs"]
mod tests;

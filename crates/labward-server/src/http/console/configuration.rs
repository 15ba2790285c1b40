//! The pages of the configuration: what is in force, a form for one table, what a change would do.
//!
//! It must never change anything that the person did not see first: a form says what stood in it, so that
//! only what they changed becomes an edit.

use labward_api::config::{
    ChangeConfig, ConfigEdit, ConfigFault, ConfigForm, ConfigPreview, ConfigTable, Configuration,
    EditKind, PreviewConfig, Reload,
};
use labward_api::status::{DestinationStatus, Status};
use labward_api::{ProblemBody, Why};
use labward_base::{problem, remark};
use labward_console::frame::Place;
use labward_console::pages as html;
use serde_json::{Value, json};

use super::pages::{name_of, why, written};
use super::visit::{Page, Visit, shown_within};
use crate::http::failure::Failure;

/// `GET /settings`
pub(super) fn settings(visit: &Visit) -> Result<Page, Failure> {
    let status: Status = visit.get("status")?;
    let reload: Reload = visit.get("config/preview")?;
    let configuration: Configuration = visit.get("config")?;
    written(html::settings(
        &visit.frame(Place::Settings),
        &status,
        &reload,
        &configuration,
    ))
}

/// `POST /settings/reload`
pub(super) fn reload(visit: &Visit) -> Result<Page, Failure> {
    visit.post::<Value>("config/reload", &[], &why(visit))?;
    Ok(Page::To("/settings?done=reloaded".to_owned()))
}

/// `GET /settings/edit`
pub(super) fn edit(visit: &Visit) -> Result<Page, Failure> {
    let configuration: Configuration = visit.get("config")?;
    let (table, name) = (visit.query.text("table"), visit.query.some("name"));
    with_form(visit, &configuration, (table, name.as_deref()), None, None)
}

/// `POST /settings/preview`: the form becomes an edit, which is looked at.
pub(super) fn preview(visit: &Visit) -> Result<Page, Failure> {
    let configuration: Configuration = visit.get("config")?;
    let form = &visit.form;
    let (table, name) = (form.text("table"), form.some("which"));
    let found = table_of(&configuration, table)?;
    let filled = filled(visit, found);
    let does = match form.text("do") {
        "add" => EditKind::Add,
        "remove" => EditKind::Remove,
        _ => EditKind::Change,
    };
    let edits = vec![ConfigEdit {
        does,
        table: table.to_owned(),
        name: name.clone(),
        set: match does {
            EditKind::Remove => [].into(),
            _ => edits(visit, found),
        },
    }];
    let asked = PreviewConfig {
        base: form.text("base").to_owned(),
        edits,
    };
    let seen: ConfigPreview = visit.post("config/preview", &[], &asked)?;
    match &seen.refused {
        // What a person can put right stands beside what they wrote.
        Some(fault) if does != EditKind::Remove && seen.meanwhile.is_none() => {
            let which = (table, name.as_deref());
            with_form(visit, &configuration, which, Some(&filled), Some(fault))
        }
        _ => with_preview(visit, seen, &asked.edits, None, ""),
    }
}

/// `POST /settings/confirm`: the same edits, looked at again.
pub(super) fn confirm(visit: &Visit) -> Result<Page, Failure> {
    let asked = PreviewConfig {
        base: visit.form.text("base").to_owned(),
        edits: sent(visit)?,
    };
    let seen: ConfigPreview = visit.post("config/preview", &[], &asked)?;
    with_preview(visit, seen, &asked.edits, None, "")
}

/// `POST /settings/change`
pub(super) fn change(visit: &Visit) -> Result<Page, Failure> {
    let Why { why } = why(visit);
    let asked = ChangeConfig {
        base: visit.form.text("base").to_owned(),
        edits: sent(visit)?,
        why: why.clone(),
    };
    let Err(failure) = visit.post::<Reload>("config/change", &[], &asked) else {
        return Ok(Page::To("/settings?done=changed".to_owned()));
    };
    let fault = shown_within(failure)?;
    let ChangeConfig { base, edits, .. } = asked;
    let asked = PreviewConfig { base, edits };
    let seen: ConfigPreview = visit.post("config/preview", &[], &asked)?;
    // What the preview says itself is not said twice.
    let said = seen.refused.as_ref().map(|one| one.problem.code.as_str());
    let is_said = said == Some(fault.code.as_str()) || seen.meanwhile.is_some();
    let fault = (!is_said).then_some(&fault);
    with_preview(visit, seen, &asked.edits, fault, &why)
}

/// The edits that a page of ours carried.
fn sent(visit: &Visit) -> Result<Vec<ConfigEdit>, Failure> {
    let edits = serde_json::from_str(visit.form.text("edits"));
    edits.map_err(|_| Failure::misunderstood(remark::edits_form()))
}

fn table_of<'a>(configuration: &'a Configuration, table: &str) -> Result<&'a ConfigTable, Failure> {
    let found = configuration.tables.iter().find(|one| one.table == table);
    found.ok_or(Failure::new(&problem::CONFIG_NO_PART))
}

/// Every field that belongs to the table, as it was sent.
fn filled(visit: &Visit, table: &ConfigTable) -> Vec<(String, String)> {
    let names = table.keys.iter().map(|key| key.key.clone());
    let names = names.chain(table.keys.iter().map(|key| format!("was.{}", key.key)));
    names
        .map(|name| {
            let text = visit.form.text(&name).to_owned();
            (name, text)
        })
        .collect()
}

/// What the person changed in the form.
fn edits(visit: &Visit, table: &ConfigTable) -> std::collections::BTreeMap<String, Value> {
    let changed = table.keys.iter().filter_map(|key| {
        let value = visit.form.text(&key.key).trim();
        let was = visit.form.text(&format!("was.{}", key.key)).trim();
        (value != was).then(|| (key.key.clone(), value_of(&key.form, value)))
    });
    changed.collect()
}

/// What stands in a field; what is no number stays text, so that it is refused.
fn value_of(form: &ConfigForm, text: &str) -> Value {
    let number = |text: &str| {
        text.parse::<i64>()
            .map_or_else(|_| json!(text), |number| json!(number))
    };
    let list = |one: &dyn Fn(&str) -> Value| {
        let members = text.split([',', '\n']).map(str::trim);
        Value::Array(members.filter(|one| !one.is_empty()).map(one).collect())
    };
    match form {
        _ if text.is_empty() => Value::Null,
        ConfigForm::Flag => match text {
            "true" => json!(true),
            "false" => json!(false),
            other => json!(other),
        },
        ConfigForm::Number { .. } => number(text),
        ConfigForm::Numbers { .. } => list(&number),
        ConfigForm::Texts => list(&|one| json!(one)),
        _ => json!(text),
    }
}

fn with_form(
    visit: &Visit,
    configuration: &Configuration,
    (table, name): (&str, Option<&str>),
    filled: Option<&[(String, String)]>,
    fault: Option<&ConfigFault>,
) -> Result<Page, Failure> {
    let table = table_of(configuration, table)?;
    let is_it = |part: &&labward_api::config::ConfigPart| part.name.as_deref() == name;
    let part = table.parts.iter().find(is_it);
    // Where there may be several, none is named while another is added.
    if part.is_none() && name.is_some() {
        return Err(Failure::new(&problem::CONFIG_NO_PART));
    }
    let sent = visit.form.some("base");
    written(html::filling(
        &visit.frame(Place::Settings),
        &html::Filling {
            table,
            part,
            base: sent.as_deref().unwrap_or(&configuration.sha256),
            filled,
            fault,
        },
    ))
}

fn with_preview(
    visit: &Visit,
    mut seen: ConfigPreview,
    edits: &[ConfigEdit],
    fault: Option<&ProblemBody>,
    why: &str,
) -> Result<Page, Failure> {
    if let Some(meanwhile) = &mut seen.meanwhile
        && let Some(name) = meanwhile.by.as_deref().and_then(|by| name_of(visit, by))
    {
        meanwhile.by = Some(name);
    }
    let does = edits.first().map(|edit| edit.does).unwrap_or_default();
    let gone = |edit: &&ConfigEdit| edit.does == EditKind::Remove && edit.table == "destination";
    let gone = edits
        .iter()
        .find(gone)
        .and_then(|edit| edit.name.as_deref());
    let destinations: Vec<DestinationStatus> = match gone {
        Some(_) => visit.get("destinations")?,
        None => Vec::new(),
    };
    let leaving = destinations
        .iter()
        .find(|one| Some(one.name.as_str()) == gone);
    let edits = serde_json::to_string(edits).unwrap_or_default();
    written(html::previewed(
        &visit.frame(Place::Settings),
        &html::Previewed {
            preview: &seen,
            edits: &edits,
            does,
            leaving,
            fault,
            why,
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_becomes_a_value_of_its_form_and_an_empty_one_none() {
        let number = ConfigForm::Number { least: 1, most: 9 };
        let numbers = ConfigForm::Numbers { least: 1, most: 9 };
        for (form, text, value) in [
            (&number, "7", json!(7)),
            (&number, "seven", json!("seven")),
            (&number, "", Value::Null),
            (&numbers, "3, 2,,1", json!([3, 2, 1])),
            (
                &ConfigForm::Texts,
                " ORU^*,\nADT^* ",
                json!(["ORU^*", "ADT^*"]),
            ),
            (&ConfigForm::Flag, "true", json!(true)),
            (&ConfigForm::Flag, "yes", json!("yes")),
            (&ConfigForm::Text, "7", json!("7")),
        ] {
            assert_eq!(value_of(form, text.trim()), value, "{text:?}");
        }
    }
}

//! Edits of the file: what a person asked for is changed, and every comment, order and space stays.
//!
//! It must never write a word of a person as anything but a value, change what was not asked for, or
//! take a key that [`editable`](super::editable) does not name. Whether the lab may run with what
//! comes of it is for the same check to say that a file edited by hand goes through.

use std::net::SocketAddr;

use labward_api::config::{ConfigEdit, ConfigForm, EditKind};
use labward_base::{Problem, problem};
use labward_gateway::config::{Expiry, LinkName};
use serde_json::Value as Json;
use toml_edit::{
    Array, ArrayOfTables, Decor, DocumentMut, InlineTable, Item, RawString, Table, TableLike, Value,
};

use super::editable::{find, section};
use super::schema::{Omitted, Section};

/// Edits made at once, at most.
const MAX_EDITS: usize = 64;
/// Characters of a text, at most.
const MAX_CHARS: usize = 1_024;
/// Members of a list, at most.
const MAX_MEMBERS: usize = 256;

/// Why edits are refused before the file as a whole is looked at.
#[derive(Debug)]
pub(crate) struct EditError {
    /// What is wrong.
    pub(crate) problem: &'static Problem,
    /// Where, such as `[[link]] xn550 listen`.
    pub(crate) place: String,
    /// The key.
    pub(crate) key: Option<String>,
    /// What its value must be, if that is what is wrong.
    pub(crate) expected: Option<ConfigForm>,
}

/// The text of the file with the edits made in their order.
///
/// # Errors
/// [`EditError`] for the first that cannot be made.
pub(crate) fn edited(text: &str, edits: &[ConfigEdit]) -> Result<String, EditError> {
    let whole = |problem| EditError {
        problem,
        place: "labward.toml".to_owned(),
        key: None,
        expected: None,
    };
    if edits.len() > MAX_EDITS {
        return Err(whole(&problem::SERVER_TOO_LARGE));
    }
    let file = text.parse::<DocumentMut>();
    let mut file = file.map_err(|_| whole(&problem::CONFIG_UNREADABLE))?;
    for edit in edits {
        Edit::of(edit)?.make(&mut file)?;
    }
    Ok(file.to_string())
}

/// One edit of a table that can be edited.
struct Edit<'a> {
    asked: &'a ConfigEdit,
    section: &'static Section,
}

impl<'a> Edit<'a> {
    fn of(asked: &'a ConfigEdit) -> Result<Self, EditError> {
        match section(&asked.table) {
            Some(section) => Ok(Self { asked, section }),
            None => Err(EditError {
                problem: &problem::CONFIG_NOT_EDITABLE,
                // It may be long, or not be meant for a terminal.
                place: format!("{:?}", asked.table.chars().take(64).collect::<String>()),
                key: None,
                expected: None,
            }),
        }
    }

    fn make(&self, file: &mut DocumentMut) -> Result<(), EditError> {
        match (self.asked.does, self.section.many) {
            (EditKind::Add, true) => self.add(file),
            (EditKind::Change, true) => {
                let at = self.find(file)?;
                let part = file.get_mut(self.section.name);
                let part = part.and_then(|list| part_mut(list, at));
                self.fill(part.ok_or_else(|| self.refuse(&problem::CONFIG_NO_PART))?)
            }
            (EditKind::Change, false) => self.change_single(file),
            (EditKind::Remove, true) => {
                let at = self.find(file)?;
                remove_part(file, self.section.name, at);
                Ok(())
            }
            (EditKind::Add | EditKind::Remove, false) => {
                Err(self.refuse(&problem::CONFIG_NOT_EDITABLE))
            }
        }
    }

    /// The place of the part among those of its kind.
    fn find(&self, file: &DocumentMut) -> Result<usize, EditError> {
        let name = self.asked.name.as_deref().unwrap_or_default();
        let names = names(file, self.section.name);
        let at = names.iter().position(|known| known == name);
        at.ok_or_else(|| self.refuse(&problem::CONFIG_NO_PART))
    }

    fn add(&self, file: &mut DocumentMut) -> Result<(), EditError> {
        if self.section.key("name").is_some() {
            let name = self.asked.set.get("name").and_then(Json::as_str);
            let taken = name.is_some_and(|name| {
                let names = names(file, self.section.name);
                names.iter().any(|known| known == name)
            });
            if taken {
                return Err(self.refuse_key(&problem::CONFIG_NAME_TAKEN, "name", None));
            }
        }
        let mut part = Table::new();
        // The order of the reference.
        self.fill(&mut part)?;
        let list = file.entry(self.section.name);
        let list = list.or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
        match list {
            Item::ArrayOfTables(_) => append(file, self.section.name, part),
            Item::Value(Value::Array(list)) => list.push(part.into_inline_table()),
            _ => return Err(self.refuse(&problem::CONFIG_UNREADABLE)),
        }
        Ok(())
    }

    fn change_single(&self, file: &mut DocumentMut) -> Result<(), EditError> {
        if !file.contains_key(self.section.name) {
            let mut table = Table::new();
            self.fill(&mut table)?;
            to_the_end(file, &mut table);
            file.insert(self.section.name, Item::Table(table));
            return Ok(());
        }
        let table = file.get_mut(self.section.name);
        let table = table.and_then(Item::as_table_like_mut);
        self.fill(table.ok_or_else(|| self.refuse(&problem::CONFIG_UNREADABLE))?)
    }

    /// Sets what was asked for in one part, and takes away what then means nothing.
    fn fill(&self, part: &mut dyn TableLike) -> Result<(), EditError> {
        let asked = &self.asked.set;
        for dotted in asked.keys() {
            let found = find(self.section.name, dotted);
            let is_name = dotted == "name" && self.section.many;
            if found.is_none() || is_name && self.asked.does != EditKind::Add {
                let shown: String = dotted.chars().take(64).collect();
                return Err(self.refuse_key(&problem::CONFIG_NOT_EDITABLE, &shown, None));
            }
        }
        let mut in_order = Vec::new();
        keys_of(self.section, "", &mut in_order);
        for dotted in &in_order {
            match asked.get(dotted) {
                Some(Json::Null) => remove(part, dotted),
                Some(value) => {
                    let form = find(self.section.name, dotted).map(|found| found.form());
                    let form = form.unwrap_or_default();
                    let Some(value) = toml_of(&form, value) else {
                        let bad = &problem::CONFIG_BAD_VALUE;
                        return Err(self.refuse_key(bad, dotted, Some(form)));
                    };
                    set(part, dotted, value);
                }
                None => {}
            }
        }
        for dotted in in_order.iter().rev() {
            if !asked.contains_key(dotted) && !means_something(part, self.section, dotted) {
                remove(part, dotted);
            }
        }
        self.check_required(part, self.section, "")
    }

    fn check_required(
        &self,
        part: &dyn TableLike,
        section: &Section,
        prefix: &str,
    ) -> Result<(), EditError> {
        for key in section.keys {
            if matches!(key.omitted, Omitted::Required) && !part.contains_key(key.name) {
                let dotted = format!("{prefix}{}", key.name);
                // Without its table a line is protected.
                if key.name == "mode" {
                    continue;
                }
                let meant = key.only.is_none_or(|(beside, value)| {
                    part.get(beside).and_then(Item::as_str) == Some(value)
                });
                if meant {
                    return Err(self.refuse_key(&problem::CONFIG_MISSING, &dotted, None));
                }
            }
        }
        let empty = InlineTable::new();
        for below in section.sections {
            let prefix = format!("{prefix}{}.", below.name);
            let table = part.get(below.name).and_then(Item::as_table_like);
            self.check_required(table.unwrap_or(&empty), below, &prefix)?;
        }
        Ok(())
    }

    fn refuse(&self, problem: &'static Problem) -> EditError {
        let name = self.asked.set.get("name").and_then(Json::as_str);
        let name = self.asked.name.as_deref().or(name).unwrap_or_default();
        let name: String = name.chars().take(64).filter(|c| !c.is_control()).collect();
        let place = match self.section.many {
            true => format!("[[{}]] {name}", self.section.name),
            false => format!("[{}]", self.section.name),
        };
        EditError {
            problem,
            place: place.trim_end().to_owned(),
            key: None,
            expected: None,
        }
    }

    fn refuse_key(
        &self,
        problem: &'static Problem,
        key: &str,
        expected: Option<ConfigForm>,
    ) -> EditError {
        let whole = self.refuse(problem);
        EditError {
            place: format!("{} {key}", whole.place),
            key: Some(key.to_owned()),
            expected,
            ..whole
        }
    }
}

/// Every key below a table in the order of the reference, dotted.
fn keys_of(section: &Section, prefix: &str, keys: &mut Vec<String>) {
    keys.extend(
        section
            .keys
            .iter()
            .map(|key| format!("{prefix}{}", key.name)),
    );
    for below in section.sections {
        keys_of(below, &format!("{prefix}{}.", below.name), keys);
    }
}

/// Whether the key is of use beside what stands in its table, and its table in the one above.
fn means_something(part: &dyn TableLike, section: &Section, dotted: &str) -> bool {
    let (mut table, mut section, mut rest) = (part, section, dotted);
    while let Some((name, more)) = rest.split_once('.') {
        let (Some(below), Some(inner)) = (
            section.section(name),
            table.get(name).and_then(Item::as_table_like),
        ) else {
            return true;
        };
        // A file drop has no line to protect.
        let is_line = name == "transport" && section.name == "target";
        if is_line && table.get("kind").and_then(Item::as_str) == Some("file-drop") {
            return false;
        }
        (table, section, rest) = (inner, below, more);
    }
    section
        .key(rest)
        .and_then(|key| key.only)
        .is_none_or(|(beside, value)| table.get(beside).and_then(Item::as_str) == Some(value))
}

/// The names of the parts of one kind in their order; of those without one, their numbers.
fn names(file: &DocumentMut, table: &str) -> Vec<String> {
    let name = |(number, part): (usize, &dyn TableLike)| {
        let name = part.get("name").and_then(Item::as_str);
        name.map_or_else(|| (number + 1).to_string(), str::to_owned)
    };
    match file.get(table) {
        Some(Item::ArrayOfTables(list)) => {
            let parts = list.iter().map(|part| part as &dyn TableLike);
            parts.enumerate().map(name).collect()
        }
        Some(Item::Value(Value::Array(list))) => {
            let parts = list.iter().filter_map(Value::as_inline_table);
            let parts = parts.map(|part| part as &dyn TableLike);
            parts.enumerate().map(name).collect()
        }
        _ => Vec::new(),
    }
}

fn part_mut(list: &mut Item, at: usize) -> Option<&mut dyn TableLike> {
    match list {
        Item::ArrayOfTables(list) => list.get_mut(at).map(|part| part as &mut dyn TableLike),
        Item::Value(Value::Array(list)) => {
            let part = list.get_mut(at)?.as_inline_table_mut()?;
            Some(part as &mut dyn TableLike)
        }
        _ => None,
    }
}

fn set(part: &mut dyn TableLike, dotted: &str, mut value: Value) {
    let Some((name, rest)) = dotted.split_once('.') else {
        match part.get_mut(dotted) {
            Some(Item::Value(old)) => {
                // What stands beside the value stays: its comment above all.
                *value.decor_mut() = old.decor().clone();
                *old = value;
            }
            _ => {
                part.insert(dotted, Item::Value(value));
            }
        }
        return;
    };
    if part.get(name).is_none() {
        part.insert(name, Item::Value(InlineTable::new().into()));
    }
    let Some(item) = part.get_mut(name) else {
        return;
    };
    if let Some(below) = item.as_table_like_mut() {
        if name == "transport" && rest != "mode" && !below.contains_key("mode") {
            below.insert("mode", toml_edit::value("mutual-tls"));
        }
        set(below, rest, value);
    }
    tidy(item);
}

/// Spaces of a line that was written into; one with a comment in it is left as it is.
fn tidy(item: &mut Item) {
    if let Some(inline) = item.as_inline_table_mut()
        && !inline.to_string().contains(['#', '\n'])
    {
        inline.fmt();
    }
}

fn remove(part: &mut dyn TableLike, dotted: &str) {
    let Some((name, rest)) = dotted.split_once('.') else {
        let comment = part.key(dotted).map(|key| comment_of(key.leaf_decor()));
        let next = {
            let mut names = part.iter().map(|(name, _)| name.to_owned());
            names.find(|name| name == dotted);
            names.next()
        };
        part.remove(dotted);
        // What a person wrote above it stays, above what follows.
        let comment = comment.unwrap_or_default();
        if !comment.is_empty()
            && let Some(mut key) = next.and_then(|next| part.key_mut(&next))
        {
            prepend(key.leaf_decor_mut(), &comment);
        }
        return;
    };
    let Some(item) = part.get_mut(name) else {
        return;
    };
    if let Some(below) = item.as_table_like_mut() {
        remove(below, rest);
        let is_empty = below.is_empty();
        // A line is protected without its table, and a table without a key says nothing.
        if is_empty {
            part.remove(name);
            return;
        }
    }
    if let Some(item) = part.get_mut(name) {
        tidy(item);
    }
}

/// Adds a part behind all others; what stood last in the file stays before it.
fn append(file: &mut DocumentMut, table: &str, mut part: Table) {
    to_the_end(file, &mut part);
    if let Some(Item::ArrayOfTables(list)) = file.get_mut(table) {
        list.push(part);
    }
}

fn to_the_end(file: &mut DocumentMut, table: &mut Table) {
    let trailing = text_of(Some(file.trailing()));
    let mut last = -1;
    positions(file.as_table(), &mut |position, _| {
        last = last.max(position)
    });
    let end = match trailing.is_empty() || trailing.ends_with('\n') {
        true => "",
        false => "\n",
    };
    table.set_position(Some(last + 1));
    table.decor_mut().set_prefix(format!("{trailing}{end}\n"));
    file.set_trailing("");
}

/// Removes a part; its own comment goes with it, what stands above a blank line stays.
fn remove_part(file: &mut DocumentMut, table: &str, at: usize) {
    let mut kept = None;
    match file.get_mut(table) {
        Some(Item::ArrayOfTables(list)) => {
            if let Some(part) = list.get(at) {
                let above = text_of(part.decor().prefix());
                let mut last = part.position().unwrap_or(0);
                positions(part, &mut |position, _| last = last.max(position));
                let stays = above.rfind("\n\n").and_then(|end| above.get(..=end));
                kept = stays
                    .filter(|stays| stays.contains('#'))
                    .map(|stays| (last, stays.to_owned()));
            }
            list.remove(at);
            if list.is_empty() {
                file.remove(table);
            }
        }
        Some(Item::Value(Value::Array(list))) => {
            list.remove(at);
        }
        _ => {}
    }
    if let Some((position, comment)) = kept {
        keep_comment(file, position, &comment);
    }
}

/// Puts a comment above the next table behind a position, or at the end of the file.
fn keep_comment(file: &mut DocumentMut, position: isize, comment: &str) {
    let mut next: Option<isize> = None;
    positions(file.as_table(), &mut |at, _| {
        if at > position && next.is_none_or(|next| at < next) {
            next = Some(at);
        }
    });
    let Some(next) = next else {
        let trailing = text_of(Some(file.trailing()));
        file.set_trailing(format!("{comment}{trailing}"));
        return;
    };
    positions_mut(file.as_table_mut(), &mut |table| {
        if table.position() == Some(next) {
            prepend(table.decor_mut(), comment);
        }
    });
}

/// Every table with a place of its own in the file.
fn positions(table: &Table, see: &mut dyn FnMut(isize, &Table)) {
    for (_, item) in table {
        let mut below = |table: &Table| {
            if let Some(position) = table.position() {
                see(position, table);
            }
            positions(table, see);
        };
        match item {
            Item::Table(table) => below(table),
            Item::ArrayOfTables(list) => list.iter().for_each(below),
            _ => {}
        }
    }
}

fn positions_mut(table: &mut Table, change: &mut dyn FnMut(&mut Table)) {
    for (_, item) in table.iter_mut() {
        let mut below = |table: &mut Table| {
            change(table);
            positions_mut(table, change);
        };
        match item {
            Item::Table(table) => below(table),
            Item::ArrayOfTables(list) => list.iter_mut().for_each(below),
            _ => {}
        }
    }
}

fn prepend(decor: &mut Decor, comment: &str) {
    let before = text_of(decor.prefix());
    decor.set_prefix(format!("{comment}{before}"));
}

fn comment_of(decor: &Decor) -> String {
    let text = text_of(decor.prefix());
    if text.contains('#') {
        text
    } else {
        String::new()
    }
}

fn text_of(raw: Option<&RawString>) -> String {
    raw.and_then(RawString::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// The value as TOML, if it is one of this form.
fn toml_of(form: &ConfigForm, value: &Json) -> Option<Value> {
    let text = || {
        value
            .as_str()
            .filter(|text| text.chars().count() <= MAX_CHARS)
    };
    let list = || value.as_array().filter(|list| list.len() <= MAX_MEMBERS);
    let in_range = |value: &Json, least: i64, most: i64| {
        value
            .as_i64()
            .filter(|number| (least..=most).contains(number))
    };
    match form {
        ConfigForm::Choice { choices } => {
            let word = text()?;
            choices
                .iter()
                .any(|choice| choice == word)
                .then(|| word.into())
        }
        ConfigForm::Flag => value.as_bool().map(Value::from),
        ConfigForm::Number { least, most } => in_range(value, *least, *most).map(Value::from),
        ConfigForm::Numbers { least, most } => {
            let numbers = list()?.iter().map(|one| in_range(one, *least, *most));
            Some(Value::Array(numbers.collect::<Option<Array>>()?))
        }
        ConfigForm::Text => text().map(Value::from),
        ConfigForm::Texts => {
            let texts = list()?.iter().map(|one| {
                let text = one.as_str()?;
                (text.chars().count() <= MAX_CHARS).then_some(text)
            });
            Some(Value::Array(texts.collect::<Option<Array>>()?))
        }
        ConfigForm::Name => text()
            .filter(|name| name.parse::<LinkName>().is_ok())
            .map(Value::from),
        ConfigForm::Listen => text()
            .filter(|at| at.parse::<SocketAddr>().is_ok())
            .map(Value::from),
        ConfigForm::Address => text().filter(|at| is_address(at)).map(Value::from),
        ConfigForm::Day => text()
            .filter(|day| day.parse::<Expiry>().is_ok())
            .map(Value::from),
    }
}

/// Whether a text is a host and a port.
fn is_address(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else {
        return false;
    };
    let fits = |c: char| c.is_ascii_alphanumeric() || "-._[]:".contains(c);
    !host.is_empty() && host.chars().all(fits) && port.parse::<u16>().is_ok_and(|port| port > 0)
}

#[cfg(test)]
#[path = "edit_tests.rs"]
mod tests;

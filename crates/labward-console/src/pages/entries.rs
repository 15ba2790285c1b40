//! Entries of the ledger as rows for the eye.

use std::fmt::Write as _;

use serde_json::Value;

/// One entry as a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its place in the ledger.
    pub index: u64,
    /// When it was recorded, RFC 3339.
    pub time: String,
    /// Who acted: a person by name where the server knows one.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// What it was done to.
    pub subject: String,
    /// The message that it was done to, if it was one.
    pub message: Option<u64>,
    /// How it ended.
    pub outcome: String,
    /// Its facts in clear.
    pub facts: String,
}

/// The rows of these leaves, in their order; `name` says who a person or peer is.
pub fn rows(leaves: &[Value], name: impl Fn(&str) -> Option<String>) -> Vec<Row> {
    let row = |leaf: &Value| {
        let text = |key: &str| leaf.get(key).and_then(Value::as_str).unwrap_or_default();
        Row {
            index: leaf.get("n").and_then(Value::as_u64).unwrap_or_default(),
            time: text("time").to_owned(),
            actor: named(text("actor"), &name),
            action: text("action").to_owned(),
            subject: named(text("subject"), &name),
            message: text("subject")
                .strip_prefix("record:")
                .filter(|_| text("action").starts_with("message."))
                .and_then(|number| number.parse().ok()),
            outcome: text("outcome").to_owned(),
            facts: facts(leaf.get("facts")),
        }
    };
    leaves.iter().map(row).collect()
}

fn named(who: &str, name: &impl Fn(&str) -> Option<String>) -> String {
    match name(who) {
        Some(name) => format!("{name} ({who})"),
        None => who.to_owned(),
    }
}

fn facts(facts: Option<&Value>) -> String {
    let mut text = String::new();
    for (key, value) in facts.and_then(Value::as_object).into_iter().flatten() {
        if !text.is_empty() {
            text.push_str(" · ");
        }
        // Writing to a String cannot fail.
        let _ = match value {
            Value::String(value) => write!(text, "{key}: {value}"),
            value => write!(text, "{key}: {value}"),
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_leaf_becomes_a_row_and_people_have_names() {
        let leaf = json!({
            "n": 17, "time": "2026-11-22T20:33:00.000001Z", "actor": "person:3",
            "action": "record.shown", "subject": "record:42", "outcome": "success",
            "facts": { "type": "ORU^R01", "to": [1, 2] },
        });
        let name = |who: &str| (who == "person:3").then(|| "Eva".to_owned());
        let rows = rows(&[leaf, json!({})], name);
        assert_eq!(rows[0].actor, "Eva (person:3)");
        assert_eq!(rows[0].facts, "to: [1,2] · type: ORU^R01");
        assert_eq!((rows[0].index, rows[1].index), (17, 0));
        assert_eq!(
            rows[0].message, None,
            "a record that was shown need not be a message"
        );
    }
}

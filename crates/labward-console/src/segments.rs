//! A message segment by segment, and field by field, out of the view that the API gives of it.
//!
//! It must never leave out a field that says something.

use serde_json::Value;

/// One segment or record of a message, field by field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// `OBX` or `R`.
    pub id: String,
    /// The fields that say something.
    pub fields: Vec<Field>,
}

/// One field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its number, from 1.
    pub number: usize,
    /// Its text: components by `^`, repetitions by `~`.
    pub text: String,
}

/// Every segment of this view, with the fields that say something.
pub fn segments(view: &Value) -> Vec<Segment> {
    let (list, id) = match (view.get("segments"), view.get("records")) {
        (Some(Value::Array(list)), _) => (list, "id"),
        (_, Some(Value::Array(list))) => (list, "type"),
        _ => return Vec::new(),
    };
    let segment = |one: &Value| Segment {
        id: one
            .get(id)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        fields: (1..)
            .zip(fields(one))
            .map(|(number, field)| Field {
                number,
                text: whole(field),
            })
            .filter(|field| !field.text.is_empty())
            .collect(),
    };
    list.iter().map(segment).collect()
}

fn fields(segment: &Value) -> impl Iterator<Item = &Value> {
    segment
        .get("fields")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// All of a field.
fn whole(field: &Value) -> String {
    match field {
        Value::String(text) => text.clone(),
        Value::Array(repetitions) => {
            let repetition = |one: &Value| {
                let parts = one
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str);
                parts.collect::<Vec<_>>().join("^")
            };
            repetitions
                .iter()
                .map(repetition)
                .collect::<Vec<_>>()
                .join("~")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_field_that_says_something_stands_under_its_number() {
        let view = json!({ "segments": [
            { "id": "MSH", "fields": ["|", "^~\\&", "XN"] },
            { "id": "PID", "fields": ["1", "", [["4711", "", "", "LAB"], ["12"]], ""] },
        ]});
        let parts = segments(&view);
        assert_eq!(parts[1].id, "PID");
        assert_eq!(parts[1].fields.len(), 2);
        assert_eq!(parts[1].fields[1].text, "4711^^^LAB~12");
        assert_eq!(parts[1].fields[1].number, 3);
        let records = json!({ "records": [{ "type": "R", "fields": ["R", "1"] }] });
        assert_eq!(segments(&records)[0].id, "R");
    }

    #[test]
    fn nothing_panics() {
        for view in [
            json!(null),
            json!({ "text": "x" }),
            json!({ "segments": [{ "id": "PID" }, { "id": 3, "fields": 4 }] }),
            json!({ "segments": [{ "id": "OBR", "fields": [[], [[]], [[1]], {}] }] }),
            json!({ "records": 5 }),
        ] {
            segments(&view);
        }
    }
}

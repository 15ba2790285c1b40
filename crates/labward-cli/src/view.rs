//! A record as a person reads it: a line a field, named as the standard names it.

use std::io::{self, Write};

use serde_json::Value;

/// Joins repetitions, components and subcomponents, outermost first.
const JOINTS: [&str; 3] = [" ~ ", " ^ ", " & "];

/// Writes the fields of an HL7 or ASTM record, one a line; anything else as JSON.
pub(crate) fn write(out: &mut dyn Write, view: &Value) -> io::Result<()> {
    let lines = view
        .get("segments")
        .or_else(|| view.get("records"))
        .and_then(Value::as_array);
    let Some(lines) = lines else {
        return match view {
            Value::String(text) => writeln!(out, "{text}"),
            view => writeln!(out, "{view:#}"),
        };
    };
    for line in lines {
        let id = line.get("id").and_then(Value::as_str).unwrap_or("?");
        let fields = line.get("fields").and_then(Value::as_array);
        for (index, field) in fields.into_iter().flatten().enumerate() {
            let text = join(field, &JOINTS);
            if !text.is_empty() {
                let name = format!("{id}-{}", index + 1);
                writeln!(out, "{name:<8} {text}")?;
            }
        }
    }
    Ok(())
}

fn join(value: &Value, joints: &[&str]) -> String {
    match (value, joints) {
        (Value::String(text), _) => text.clone(),
        (Value::Array(parts), [joint, inner @ ..]) => {
            let mut texts: Vec<String> = parts.iter().map(|part| join(part, inner)).collect();
            // Empty parts at the end say nothing; those between hold their place.
            while texts.last().is_some_and(String::is_empty) {
                texts.pop();
            }
            texts.join(joint)
        }
        (other, _) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(view: &Value, expect: &str) {
        let mut out = Vec::new();
        write(&mut out, view).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expect);
    }

    #[test]
    fn each_field_that_says_something_is_a_line() {
        let pid =
            json!({"id": "PID", "fields": ["1", "", [["A", "", "B&"], ["C", ""]], [["", ""]]]});
        check(
            &json!({"segments": [pid]}),
            "PID-1    1\nPID-3    A ^  ^ B& ~ C\n",
        );
    }

    #[test]
    fn what_has_no_fields_is_shown_as_it_is() {
        check(&json!("plain text"), "plain text\n");
        check(
            &json!({"resourceType": "X"}),
            "{\n  \"resourceType\": \"X\"\n}\n",
        );
    }
}

//! A short text with places, as it travels: its code and what stands in its places, so that whoever
//! shows it says it in the reader's language.

use std::collections::BTreeMap;

use labward_base::remark::PlaceValue as Value;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A short text with places; holds no patient data.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Remark {
    /// The stable code of the text.
    pub code: String,
    /// What stands in its places by their names; `quote` is what another program said, in its words.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub places: BTreeMap<String, PlaceValue>,
    /// The whole in English, what follows it included.
    pub text: String,
    /// Why it is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<Box<Self>>,
}

/// What stands in a place of a text.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PlaceValue {
    /// A number.
    Number(u64),
    /// A name, an address, a path, a day (`YYYY-MM-DD`) or a time (RFC 3339).
    Text(String),
}

impl From<&labward_base::Remark> for Remark {
    fn from(remark: &labward_base::Remark) -> Self {
        let places = remark.places().map(|(name, value)| {
            let value = match value {
                Value::Number(number) => PlaceValue::Number(*number),
                Value::Text(text) => PlaceValue::Text(text.clone()),
            };
            (name.to_owned(), value)
        });
        Self {
            code: remark.kind().code.to_owned(),
            places: places.collect(),
            text: remark.to_string(),
            because: remark.reason().map(|reason| Box::new(reason.into())),
        }
    }
}

impl From<labward_base::Remark> for Remark {
    fn from(remark: labward_base::Remark) -> Self {
        Self::from(&remark)
    }
}

//! What the guard says of what it does, one line each, for the journal.
//!
//! It must never name a file: names may tell of patients. A file is told by its inode, and by the
//! number under which the server keeps its name sealed.

use std::io::{self, Write as _};

use labward_base::Clock as _;
use labward_os::SystemClock;
use serde_json::{Map, Value};

/// Where lines go.
pub(super) struct Tell {
    json: bool,
}

impl Tell {
    pub(super) const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Says that something happened in a folder.
    pub(super) fn say(&self, code: &str, folder: &str, facts: &[(&str, String)]) {
        let line = match self.json {
            true => {
                let mut all = Map::new();
                all.insert("at".to_owned(), SystemClock.now().to_rfc3339().into());
                all.insert("code".to_owned(), code.into());
                all.insert("folder".to_owned(), folder.into());
                let facts = facts.iter();
                all.extend(facts.map(|(name, value)| ((*name).to_owned(), value.clone().into())));
                Value::Object(all).to_string()
            }
            false => {
                let facts = facts.iter();
                let facts: String = facts
                    .map(|(name, value)| format!(" {name}={value}"))
                    .collect();
                format!("{code} folder={folder}{facts}")
            }
        };
        // Nobody can be told that standard output is gone, and guarding goes on.
        let _ = writeln!(io::stdout().lock(), "{line}");
    }
}

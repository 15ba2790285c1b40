//! Which sources could not be looked into the last time, and why.
//!
//! It is not kept: a server that starts looks again.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Why each source could not be looked into the last time, by its name.
#[derive(Debug, Default)]
pub(crate) struct SourceFaults(Mutex<BTreeMap<String, String>>);

impl SourceFaults {
    /// Why this source could not be looked into the last time; `None` if it could.
    pub(crate) fn of(&self, name: &str) -> Option<String> {
        self.all().get(name).cloned()
    }

    pub(super) fn set(&self, name: &str, why: String) {
        self.all().insert(name.to_owned(), why);
    }

    pub(super) fn clear(&self, name: &str) {
        self.all().remove(name);
    }

    pub(super) fn retain(&self, keeps: impl Fn(&str) -> bool) {
        self.all().retain(|name, _| keeps(name));
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

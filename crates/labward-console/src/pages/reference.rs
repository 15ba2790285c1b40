//! The reference of the API, as this very program answers it: without any network but the lab's.
//!
//! It must never name an endpoint or a member that is not in the OpenAPI document.

use askama::Template;

use crate::RenderError;
use crate::frame::{Frame, Place};
use crate::language::Texts as _;

/// What one endpoint does.
pub struct Operation {
    /// Its verb.
    pub verb: &'static str,
    /// Its path, with that of the API before it.
    pub path: String,
    /// What it does, in English.
    pub does: &'static str,
    /// What it takes: the name of a type, or a few words.
    pub takes: String,
    /// What it gives: the name of a type, or a few words.
    pub gives: &'static str,
    /// What one must be permitted to do.
    pub permission: &'static str,
    /// The roles that permit it.
    pub roles: Vec<&'static str>,
    /// Whether the reader may do it.
    pub is_yours: bool,
}

/// A type of requests or answers.
pub struct ApiType {
    /// Its name.
    pub name: String,
    /// What it is, in English.
    pub about: String,
    /// Its members.
    pub members: Vec<Member>,
}

/// A member of a type.
pub struct Member {
    /// Its name.
    pub name: String,
    /// What may stand there.
    pub kind: String,
    /// Whether a request must have it.
    pub is_required: bool,
    /// What it is, in English.
    pub about: String,
}

#[derive(Template)]
#[template(path = "reference.html")]
struct ReferencePage<'a> {
    f: &'a Frame,
    operations: &'a [Operation],
    types: &'a [ApiType],
}

impl ReferencePage<'_> {
    /// The type that a word names, for a link to it: `[Person]` names `Person`.
    fn named(&self, word: &str) -> Option<&str> {
        let name = word.trim_matches(['[', ']']);
        let found = self.types.iter().find(|one| one.name == name);
        found.map(|one| one.name.as_str())
    }
}

/// Every endpoint and every type.
///
/// # Errors
///
/// [`RenderError`].
pub fn reference(
    f: &Frame,
    operations: &[Operation],
    types: &[ApiType],
) -> Result<String, RenderError> {
    ReferencePage {
        f,
        operations,
        types,
    }
    .render()
}

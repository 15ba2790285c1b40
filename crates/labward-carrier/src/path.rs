//! Where a part lies: the steps from the outermost bytes to it, in words for people.

use std::fmt;

/// The longest name that is kept of a step, in characters.
const LONGEST_NAME: usize = 120;

/// One step into a carrier.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// A place that the format names: `OBX[3].5.5`, `stream 12`, `presentedForm[0].data`.
    Place(String),
    /// How the bytes were written or packed: `base64`, `zip`, `gzip`.
    Packing(&'static str),
    /// A member with a name of its own, as the sender wrote it, and its number from 1.
    Member {
        /// From 1.
        number: usize,
        /// Only printable characters, bounded in length.
        name: String,
    },
}

impl Step {
    /// A member by the name that stands in the carrier; what is not printable, or turns the direction of
    /// writing, is shown by its number.
    #[must_use]
    pub fn member(number: usize, name: &str) -> Self {
        Self::Member {
            number,
            name: printable(name),
        }
    }
}

fn printable(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if out.chars().count() >= LONGEST_NAME {
            out.push('…');
            break;
        }
        if c.is_control() || turns_direction(c) {
            out.push_str(&c.escape_unicode().to_string());
        } else {
            out.push(c);
        }
    }
    out
}

fn turns_direction(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The steps from the outermost bytes to a part; empty for those bytes themselves.
///
/// Names in it are the sender's and may name a patient: [`Path::plain`] leaves them out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Path {
    steps: Vec<Step>,
}

impl Path {
    /// The steps, outermost first.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The path without names of the sender's: a member is told by its number and a short ending. For
    /// ledger and log.
    #[must_use]
    pub fn plain(&self) -> String {
        self.written(|number, name| {
            let ending = name
                .rsplit_once('.')
                .map(|(_, ending)| ending)
                .filter(|e| e.len() <= 5 && e.chars().all(|c| c.is_ascii_alphabetic()));
            match ending {
                Some(ending) => format!("{number}.{}", ending.to_ascii_lowercase()),
                None => number.to_string(),
            }
        })
    }

    /// The place in the outermost bytes that the path begins with; none if it begins otherwise.
    #[must_use]
    pub fn place(&self) -> Option<&str> {
        match self.steps.first() {
            Some(Step::Place(place)) => Some(place),
            Some(Step::Packing(_) | Step::Member { .. }) | None => None,
        }
    }

    pub(crate) fn push(&mut self, step: Step) {
        self.steps.push(step);
    }

    pub(crate) fn truncate(&mut self, len: usize) {
        self.steps.truncate(len);
    }

    pub(crate) fn len(&self) -> usize {
        self.steps.len()
    }

    fn written(&self, member: impl Fn(usize, &str) -> String) -> String {
        let mut out = String::new();
        for step in &self.steps {
            let (between, text) = match step {
                Step::Place(place) => (" / ", place.clone()),
                Step::Packing(packing) => (" / ", (*packing).to_owned()),
                Step::Member { number, name } => (" : ", member(*number, name)),
            };
            if !out.is_empty() {
                out.push_str(between);
            }
            out.push_str(&text);
        }
        out
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written(|_, name| name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_can_follow_it_and_the_log_learns_no_name() {
        let mut path = Path::default();
        path.push(Step::Place("OBX[3].5.5".to_owned()));
        path.push(Step::Packing("base64"));
        path.push(Step::Packing("zip"));
        path.push(Step::member(2, "Smith\u{202e}fdp.EXE"));
        assert_eq!(
            path.to_string(),
            "OBX[3].5.5 / base64 / zip : Smith\\u{202e}fdp.EXE"
        );
        assert_eq!(path.plain(), "OBX[3].5.5 / base64 / zip : 2.exe");
        assert_eq!(path.place(), Some("OBX[3].5.5"));
    }
}

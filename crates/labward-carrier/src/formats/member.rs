//! A member with a name of its own: entered, and its name looked at.

use std::io::Read;

use crate::kind::Kind;
use crate::path::Step;
use crate::seen::{Declared, Sign};
use crate::walk::Walker;

/// A member of an archive: its number from 1 and its name as the sender wrote it.
#[derive(Clone, Copy)]
pub(crate) struct Member<'n> {
    pub(crate) kind: Kind,
    pub(crate) number: usize,
    pub(crate) name: &'n str,
}

impl Member<'_> {
    fn step(self) -> Step {
        Step::member(self.number, self.name)
    }

    /// Shows bytes that lie in the archive as they are.
    pub(crate) fn enter(self, walker: &mut Walker<'_>, bytes: &[u8]) {
        walker.enter(self.steps(), &Declared::named(self.name), bytes);
        self.tell_escape(walker);
    }

    /// Unpacks and shows.
    pub(crate) fn unpack(self, walker: &mut Walker<'_>, packed_len: usize, packed: &mut dyn Read) {
        let declared = Declared::named(self.name);
        walker.unpack(
            self.steps(),
            &declared,
            self.kind,
            packed_len as u64,
            packed,
        );
        self.tell_escape(walker);
    }

    /// Tells why it could not be looked into.
    pub(crate) fn obstacle(self, walker: &mut Walker<'_>, obstacle: crate::Obstacle) {
        walker.within(Step::Packing(self.kind.code()), |walker| {
            walker.obstacle_at(self.step(), obstacle);
        });
        self.tell_escape(walker);
    }

    /// Tells a fact about it.
    pub(crate) fn sign(self, walker: &mut Walker<'_>, sign: Sign) {
        walker.within(Step::Packing(self.kind.code()), |walker| {
            walker.sign_at(self.step(), sign);
        });
    }

    /// Tells a name that would leave its folder; also for members without content.
    pub(crate) fn tell_escape(self, walker: &mut Walker<'_>) {
        if escapes(self.name) {
            self.sign(walker, Sign::NameEscapes);
        }
    }

    fn steps(self) -> [Step; 2] {
        [Step::Packing(self.kind.code()), self.step()]
    }
}

/// Whether a reader that trusts the name would write outside the folder it unpacks into.
fn escapes(name: &str) -> bool {
    let drive = matches!(name.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
    drive || name.starts_with(['/', '\\']) || name.split(['/', '\\']).any(|step| step == "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_leave_their_folder_are_known() {
        for name in [
            "../a",
            "a/../../b",
            "..\\a",
            "/etc/a",
            "\\\\host\\a",
            "C:\\a",
        ] {
            assert!(escapes(name), "{name}");
        }
        for name in ["a", "a/b", "a..b", "...", "a/..b/c"] {
            assert!(!escapes(name), "{name}");
        }
    }
}

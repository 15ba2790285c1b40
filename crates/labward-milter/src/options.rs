//! What the two ends agree on at the start.
//!
//! It must never claim a version or a step that the mail server did not offer.

use crate::MilterError;
use crate::fields::number;

/// The newest version of the protocol.
pub const NEWEST: u32 = 6;
/// The oldest version that is spoken: the first one that says what it can.
pub const OLDEST: u32 = 2;

/// What a filter may do to a mail, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Actions(pub u32);

impl Actions {
    /// Add headers.
    pub const ADD_HEADERS: Self = Self(0x01);
    /// Replace the body.
    pub const CHANGE_BODY: Self = Self(0x02);
    /// Change and remove headers.
    pub const CHANGE_HEADERS: Self = Self(0x10);

    /// All of both.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` is in it.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Which steps are left out, which are not answered, and how headers are passed, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Steps(pub u32);

impl Steps {
    /// A header is not answered.
    pub const NO_REPLY_HEADER: Self = Self(0x80);
    /// Commands that the mail server does not know are not passed on.
    pub const NO_UNKNOWN: Self = Self(0x100);
    /// The start of the data is not passed on.
    pub const NO_DATA: Self = Self(0x200);
    /// The connection is not answered.
    pub const NO_REPLY_CONNECT: Self = Self(0x1000);
    /// The greeting is not answered.
    pub const NO_REPLY_HELO: Self = Self(0x2000);
    /// The sender is not answered.
    pub const NO_REPLY_MAIL: Self = Self(0x4000);
    /// A recipient is not answered.
    pub const NO_REPLY_RCPT: Self = Self(0x8000);
    /// The start of the data is not answered.
    pub const NO_REPLY_DATA: Self = Self(0x1_0000);
    /// An unknown command is not answered.
    pub const NO_REPLY_UNKNOWN: Self = Self(0x2_0000);
    /// The end of the headers is not answered.
    pub const NO_REPLY_END_OF_HEADERS: Self = Self(0x4_0000);
    /// A piece of the body is not answered.
    pub const NO_REPLY_BODY: Self = Self(0x8_0000);
    /// Headers keep the space that they begin with.
    pub const LEADING_SPACE: Self = Self(0x10_0000);

    /// All of both.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both.
    pub const fn among(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether all of `other` is in it.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// What one end offers, or the other asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The version of the protocol.
    pub version: u32,
    /// What may be done to a mail.
    pub actions: Actions,
    /// Steps that may be, or are, left out.
    pub steps: Steps,
}

impl Options {
    /// The answer to what a mail server offers: all of `actions`, and of `steps` what it can.
    ///
    /// # Errors
    /// [`MilterError::Incapable`] if it is too old, or cannot do all of `actions`.
    pub fn answer(&self, actions: Actions, steps: Steps) -> Result<Self, MilterError> {
        if self.version < OLDEST || !self.actions.has(actions) {
            return Err(MilterError::Incapable);
        }
        Ok(Self {
            version: self.version.min(NEWEST),
            actions,
            steps: steps.among(self.steps),
        })
    }

    /// What follows the three numbers (sets of macros) is not read.
    pub(crate) fn read(data: &[u8]) -> Option<Self> {
        let (version, rest) = number(data)?;
        let (actions, rest) = number(rest)?;
        let (steps, _) = number(rest)?;
        Some(Self {
            version,
            actions: Actions(actions),
            steps: Steps(steps),
        })
    }

    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        for number in [self.version, self.actions.0, self.steps.0] {
            out.extend_from_slice(&number.to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_asked_for_that_was_not_offered() {
        let needed = Actions::ADD_HEADERS.with(Actions::CHANGE_BODY);
        let wanted = Steps::LEADING_SPACE.with(Steps::NO_REPLY_BODY);
        let offered = |version, actions, steps| Options {
            version,
            actions: Actions(actions),
            steps: Steps(steps),
        };
        let answer = offered(6, 0x1ff, 0x1f_ffff).answer(needed, wanted).unwrap();
        assert_eq!(
            (answer.version, answer.actions, answer.steps),
            (6, needed, wanted)
        );
        let old = offered(2, 0x3f, 0x7f).answer(needed, wanted).unwrap();
        assert_eq!((old.version, old.steps), (2, Steps(0)));
        assert_eq!(offered(9, 3, 0).answer(needed, wanted).unwrap().version, 6);
        for incapable in [offered(1, 0x3f, 0), offered(6, 0x01, 0)] {
            let refused = incapable.answer(needed, wanted);
            assert_eq!(refused, Err(MilterError::Incapable));
        }
    }
}

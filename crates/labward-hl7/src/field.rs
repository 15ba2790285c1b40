//! Fields and what they are made of: repetitions, components, subcomponents.
//!
//! All are borrowed views, split when asked. It must never allocate to look at a value, and never
//! tell "not sent" (empty) and "delete it" (`""`) apart by guessing: both have their question.

use std::borrow::Cow;

use memchr::memchr;

use crate::{Charset, Delimiters, escape::unescape};

/// One field of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    raw: &'a [u8],
    delimiters: Delimiters,
    /// MSH-1 and MSH-2 consist of delimiters and are never split by them.
    literal: bool,
}

/// One repetition of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repetition<'a> {
    raw: &'a [u8],
    delimiters: Delimiters,
    literal: bool,
}

/// One component of a repetition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Component<'a> {
    raw: &'a [u8],
    delimiters: Delimiters,
}

macro_rules! value_methods {
    ($($view:ident)+) => {$(
        impl<'a> $view<'a> {
            /// The bytes as they were sent, escape sequences included.
            pub fn raw(&self) -> &'a [u8] {
                self.raw
            }

            /// True if nothing was sent.
            pub fn is_empty(&self) -> bool {
                self.raw.is_empty()
            }

            /// True if the HL7 null `""` was sent: the receiver is to delete what it has.
            pub fn is_null(&self) -> bool {
                self.raw == b"\"\""
            }

            /// The bytes with their escape sequences undone.
            pub fn unescaped(&self) -> Cow<'a, [u8]> {
                unescape(self.raw, &self.delimiters)
            }

            /// The value as text, for display only.
            pub fn text(&self, charset: Charset) -> Cow<'a, str> {
                match self.unescaped() {
                    Cow::Borrowed(bytes) => charset.decode(bytes),
                    Cow::Owned(bytes) => Cow::Owned(charset.decode(&bytes).into_owned()),
                }
            }
        }
    )+};
}

value_methods!(Field Repetition Component);

impl<'a> Field<'a> {
    pub(crate) fn new(raw: &'a [u8], delimiters: Delimiters) -> Self {
        Self {
            raw,
            delimiters,
            literal: false,
        }
    }

    pub(crate) fn literal(raw: &'a [u8], delimiters: Delimiters) -> Self {
        Self {
            raw,
            delimiters,
            literal: true,
        }
    }

    /// The repetitions in order; a field always has one, if only an empty one.
    pub fn repetitions(&self) -> impl Iterator<Item = Repetition<'a>> + use<'a> {
        let delimiter = if self.literal {
            None
        } else {
            self.delimiters.repetition
        };
        let (delimiters, literal) = (self.delimiters, self.literal);
        Pieces::new(self.raw, delimiter).map(move |raw| Repetition {
            raw,
            delimiters,
            literal,
        })
    }

    /// Component `n` (from 1) of the first repetition; empty if it is not there.
    pub fn component(&self, n: usize) -> Component<'a> {
        let empty = Repetition {
            raw: &[],
            delimiters: self.delimiters,
            literal: self.literal,
        };
        self.repetitions().next().unwrap_or(empty).component(n)
    }
}

impl<'a> Repetition<'a> {
    /// Component `n` (from 1); empty if it is not there.
    pub fn component(&self, n: usize) -> Component<'a> {
        let delimiter = if self.literal {
            None
        } else {
            Some(self.delimiters.component)
        };
        Component {
            raw: nth(self.raw, delimiter, n),
            delimiters: self.delimiters,
        }
    }

    /// The components in order; a repetition always has one, if only an empty one.
    pub fn components(&self) -> impl Iterator<Item = Component<'a>> + use<'a> {
        let delimiter = if self.literal {
            None
        } else {
            Some(self.delimiters.component)
        };
        let delimiters = self.delimiters;
        Pieces::new(self.raw, delimiter).map(move |raw| Component { raw, delimiters })
    }
}

impl<'a> Component<'a> {
    /// Subcomponent `n` (from 1), which has no parts of its own; empty if it is not there.
    pub fn subcomponent(&self, n: usize) -> Self {
        let raw = nth(self.raw, self.delimiters.subcomponent, n);
        Self {
            raw,
            delimiters: self.delimiters,
        }
    }
}

fn nth(raw: &[u8], delimiter: Option<u8>, n: usize) -> &[u8] {
    n.checked_sub(1)
        .and_then(|skip| Pieces::new(raw, delimiter).nth(skip))
        .unwrap_or(&[])
}

/// The pieces between delimiters, at least one; without a delimiter the whole is the one piece.
#[derive(Clone, Debug)]
pub(crate) struct Pieces<'a> {
    rest: Option<&'a [u8]>,
    delimiter: Option<u8>,
}

impl<'a> Pieces<'a> {
    pub(crate) fn new(raw: &'a [u8], delimiter: Option<u8>) -> Self {
        Self {
            rest: Some(raw),
            delimiter,
        }
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest?;
        let found = self.delimiter.and_then(|delimiter| memchr(delimiter, rest));
        let Some((piece, after)) = found.and_then(|at| rest.split_at_checked(at)) else {
            self.rest = None;
            return Some(rest);
        };
        self.rest = after.get(1..);
        Some(piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn field(raw: &[u8]) -> Field<'_> {
        Field::new(raw, Delimiters::STANDARD)
    }

    #[test]
    fn a_field_splits_into_repetitions_components_and_subcomponents() {
        let pid3 = field(b"12^^^A&1.2.3&ISO^MR~34^^^B");
        let first: Vec<_> = pid3
            .repetitions()
            .map(|one| one.component(1).raw())
            .collect();
        assert_eq!(first, [b"12", b"34"]);
        assert_eq!(pid3.component(4).raw(), b"A&1.2.3&ISO");
        assert_eq!(pid3.component(4).subcomponent(2).raw(), b"1.2.3");
        assert_eq!(pid3.component(5).raw(), b"MR");
        for missing in [
            pid3.component(0),
            pid3.component(6),
            pid3.component(4).subcomponent(9),
        ] {
            assert!(missing.is_empty());
        }
    }

    #[test]
    fn an_empty_field_is_not_a_null_field() {
        assert!(field(b"").is_empty() && !field(b"").is_null());
        assert!(field(b"\"\"").is_null() && !field(b"\"\"").is_empty());
        assert_eq!(field(b"").repetitions().count(), 1);
        assert_eq!(field(b"a~").repetitions().count(), 2);
    }

    #[test]
    fn text_is_unescaped_after_it_is_split() {
        let name = field(b"Smith \\T\\ Co\\S\\x^Al");
        assert_eq!(name.component(1).text(Charset::Ascii), "Smith & Co^x");
        assert_eq!(name.component(1).unescaped().as_ref(), b"Smith & Co^x");
        assert_eq!(name.component(2).text(Charset::Ascii), "Al");
    }

    #[test]
    fn an_undeclared_delimiter_does_not_split() {
        let set = Delimiters {
            repetition: None,
            subcomponent: None,
            ..Delimiters::STANDARD
        };
        let one = Field::new(b"a&b~c^d", set);
        assert_eq!(one.component(1).raw(), b"a&b~c");
        assert_eq!(one.component(1).subcomponent(1).raw(), b"a&b~c");
    }

    proptest! {
        #[test]
        fn the_pieces_and_their_delimiters_are_the_whole(raw: Vec<u8>) {
            let parts: Vec<Vec<u8>> = field(&raw)
                .repetitions()
                .map(|one| {
                    let parts: Vec<_> = one.components().map(|part| part.raw()).collect();
                    parts.join(&b'^')
                })
                .collect();
            prop_assert_eq!(parts.join(&b'~'), raw);
        }
    }
}

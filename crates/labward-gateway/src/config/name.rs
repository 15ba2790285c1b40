//! Names that stand in the configuration, in facts and in status: of links and of destinations.
//!
//! A name never holds a path, a space or patient data: it is short, plain and safe in a file name.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Text that was to be a name but is empty, too long or holds another character.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "read a name: 1 to 64 of a-z, A-Z, 0-9, '-', '_' and '.' are allowed, the first a letter or digit"
)]
pub struct NotAName;

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NotAName;

            fn from_str(text: &str) -> Result<Self, NotAName> {
                if is_name(text) { Ok(Self(text.into())) } else { Err(NotAName) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotAName;

            fn try_from(text: String) -> Result<Self, NotAName> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                Self::from(&*name.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

names! {
    /// The name of a link: one listener and the rules for what comes in through it.
    LinkName;
    /// The name of a destination: where messages are delivered to.
    DestinationName;
}

fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    text.len() <= 64
        && bytes
            .next()
            .is_some_and(|first| first.is_ascii_alphanumeric())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_plain_and_no_path() {
        for good in ["a", "chem-1", "LIS_main.2", &"x".repeat(64)] {
            assert!(good.parse::<LinkName>().is_ok(), "{good}");
        }
        for bad in [
            "",
            ".",
            "../etc",
            "a b",
            "-x",
            "a/b",
            "\u{e4}",
            &"x".repeat(65),
        ] {
            assert_eq!(bad.parse::<DestinationName>(), Err(NotAName), "{bad}");
        }
    }
}

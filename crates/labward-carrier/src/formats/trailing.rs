//! Bytes behind the end of a format that has one.

use crate::kind::{Claims, Kind};
use crate::path::Step;
use crate::seen::{Declared, Sign};
use crate::walk::Walker;

/// Tells and shows what stands behind `end`; line ends and zeros that fill a block are nothing.
pub(crate) fn tell(walker: &mut Walker<'_>, bytes: &[u8], end: Option<usize>) {
    let Some(rest) = end.and_then(|end| bytes.get(end..)) else {
        return;
    };
    if rest.iter().all(|c| *c == 0 || c.is_ascii_whitespace()) {
        return;
    }
    walker.sign(Sign::TrailingData);
    show(walker, rest);
}

/// As [`tell`], where only a known kind of file is worth a word.
pub(crate) fn tell_known(walker: &mut Walker<'_>, bytes: &[u8], end: Option<usize>) {
    let Some(rest) = end.and_then(|end| bytes.get(end..)) else {
        return;
    };
    let rest = rest.trim_ascii_start();
    if !rest.is_empty() && is_known(rest) {
        walker.sign(Sign::TrailingData);
        show(walker, rest);
    }
}

fn show(walker: &mut Walker<'_>, rest: &[u8]) {
    let step = Step::Place("behind the end".to_owned());
    walker.enter([step], &Declared::nothing(), rest);
}

/// Whether the bytes are a kind of file that says what it is.
pub(crate) fn is_known(bytes: &[u8]) -> bool {
    !matches!(
        Claims::of(bytes).main(),
        Kind::Unknown | Kind::Text | Kind::Json
    )
}

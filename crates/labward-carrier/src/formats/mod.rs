//! One module a format: what lies in it. Each is total, asks the walker before each part, and tells what it
//! could not look into.

mod gzip;

use crate::kind::Kind;
use crate::seen::Part;
use crate::walk::Walker;

/// Whether anything may lie in bytes of this kind.
pub(crate) fn opens(kind: Kind) -> bool {
    opener(kind).is_some()
}

/// Enters what lies in the part, read as `kind`.
pub(crate) fn open(walker: &mut Walker<'_>, kind: Kind, part: &Part<'_>) {
    if let Some(opener) = opener(kind) {
        opener(walker, part);
    }
}

type Opener = fn(&mut Walker<'_>, &Part<'_>);

fn opener(kind: Kind) -> Option<Opener> {
    match kind {
        Kind::Gzip => Some(gzip::open),
        _ => None,
    }
}

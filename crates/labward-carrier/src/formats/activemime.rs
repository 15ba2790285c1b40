//! ActiveMime: the container in which Word keeps macros of documents saved as mail or markup; packed with zlib.

use crate::kind::Kind;
use crate::path::Step;
use crate::seen::{Declared, Obstacle, Part};
use crate::walk::Walker;

use super::bytes::len32;
use super::guard::Guarded;

/// The offset of the stream, in the header, counts from behind its own place.
const OFFSET: usize = 0x1e;

pub(crate) fn open(walker: &mut Walker<'_>, part: &Part<'_>) {
    let named = len32(part.bytes, OFFSET).map(|offset| offset.saturating_add(46));
    let stream = [named, Some(0x32)]
        .into_iter()
        .flatten()
        .filter_map(|at| part.bytes.get(at..))
        .find(|stream| stream.first() == Some(&0x78));
    let Some(stream) = stream else {
        return walker.obstacle(Obstacle::Damaged(Kind::ActiveMime));
    };
    walker.unpack(
        [Step::Packing(Kind::ActiveMime.code())],
        &Declared::nothing(),
        Kind::ActiveMime,
        stream.len() as u64,
        &mut Guarded(flate2::bufread::ZlibDecoder::new(stream)),
    );
}

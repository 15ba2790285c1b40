//! Which messages are one message sent again.
//!
//! E1394 has no message number that devices fill in (H-3 is empty in nearly all), so the body itself
//! is the id: after a lost ACK the sender repeats it byte for byte. But an instrument may also measure
//! the same twice. So an identical body within [`RETRANSMISSION`] is a copy, and a later one a new
//! message that is marked. It must never hold back a result longer than that.

use std::time::Duration;

use labward_base::Timestamp;
use labward_base::id::RecordId;
use labward_ledger::{Leaf, entry_of_record};
use labward_store::StoreError;

use crate::duplicate::Tag;
use crate::path::{Caller, Shared};

/// So long after a message its identical body is the same message sent again.
///
/// E1381 lets a sender wait 15 s for each of six tries and 10 s more for a busy host.
pub(super) const RETRANSMISSION: Duration = Duration::from_secs(600);

/// The mark of a message whose identical body came before, but too long ago for a copy.
pub(super) const SAME_CONTENT: &str = "same-content-as-earlier";

/// The tag under which a message stands in the duplicate window, and whether to mark it.
///
/// The first message of a body stands under the body alone, later ones also under the span of
/// [`RETRANSMISSION`] in which they came; both outlive a restart like every tag of the window.
pub(super) fn identify(
    shared: &Shared,
    caller: &Caller,
    bytes: &[u8],
    admitted: bool,
) -> (Tag, bool) {
    let now = shared.clock.now();
    let body = shared.index_key.tag("gateway.message-body", &[bytes]);
    let seen = |id| {
        // Only the path of the message reserves: a place that is given back turns copies away.
        let found = caller.link.window.find((id, body), admitted)?;
        Some(found.is_none_or(|record| is_recent(shared, record, now)))
    };
    let first = shared.id_tag(caller, [b"astm", &body, b""]);
    if seen(first) != Some(false) {
        return (first, false);
    }
    let span = i64::try_from(RETRANSMISSION.as_secs()).unwrap_or(i64::MAX);
    let number = now.as_seconds().div_euclid(span);
    let of_span = |number: i64| shared.id_tag(caller, [b"astm", &body, &number.to_be_bytes()]);
    let before = of_span(number.saturating_sub(1));
    if seen(before) == Some(true) {
        return (before, false);
    }
    (of_span(number), true)
}

/// Whether the entry that keeps `record` is younger than [`RETRANSMISSION`].
///
/// This reads the database, but only for a body that came before. What cannot be read counts as
/// old: a result delivered twice is less harm than one that is not delivered.
fn is_recent(shared: &Shared, record: RecordId, now: Timestamp) -> bool {
    let entry: Result<_, StoreError> = shared
        .store
        .read(|snapshot| entry_of_record(snapshot, record));
    let Ok(Some(entry)) = entry else { return false };
    Leaf::parse(&entry.leaf).is_ok_and(|leaf| now.since(leaf.time) < RETRANSMISSION)
}

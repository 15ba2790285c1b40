//! The heads of TCP streams: the first bytes of each direction in order, in a table that is bounded in
//! streams and in bytes.
//!
//! It must never join bytes over a gap, and never show what it keeps.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::net::IpAddr;

use labward_base::Timestamp;

use crate::packet::Segment;

/// So many pieces of one direction are kept apart while what lies between them is missing.
const PIECES_MAX: usize = 16;

/// One end of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct End {
    /// Its address.
    pub ip: IpAddr,
    /// Its port.
    pub port: u16,
}

/// The two ends of a stream, the lower one first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FlowKey {
    ends: [End; 2],
}

/// The first bytes of one direction.
#[derive(Clone, Default)]
pub struct Head {
    bytes: Vec<u8>,
    base: Option<u32>,
    /// What of `bytes` was seen: sorted, apart from each other.
    pieces: Vec<(usize, usize)>,
    has_gap: bool,
    has_ended: bool,
}

/// A stream.
#[derive(Clone, Debug, Default)]
pub struct Flow {
    heads: [Head; 2],
    /// The end that opened it, if that was seen.
    client: Option<usize>,
    /// Its last segment came then.
    last: Timestamp,
    /// Its heads were handed over and let go.
    is_read: bool,
    /// It had traffic since the table last looked for one to evict.
    is_recent: bool,
}

/// What the table may keep.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FlowLimits {
    pub(crate) flows: usize,
    pub(crate) head_bytes: usize,
    pub(crate) bytes: usize,
}

/// The streams that are followed.
#[derive(Debug)]
pub(crate) struct FlowTable {
    limits: FlowLimits,
    flows: HashMap<FlowKey, Flow>,
    order: VecDeque<FlowKey>,
    bytes: usize,
    evicted: u64,
}

impl FlowKey {
    /// The key of the stream between these ends, and which of them (0 or 1) `source` is.
    pub fn new(source: End, target: End) -> (Self, usize) {
        if source <= target {
            (
                Self {
                    ends: [source, target],
                },
                0,
            )
        } else {
            (
                Self {
                    ends: [target, source],
                },
                1,
            )
        }
    }

    /// The lower end and the higher one.
    pub const fn ends(&self) -> [End; 2] {
        self.ends
    }
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Head")
            .field("bytes", &self.bytes.len())
            .field("has_gap", &self.has_gap)
            .finish_non_exhaustive()
    }
}

impl Head {
    /// The bytes from the first one on, up to the first that was not seen.
    pub fn in_order(&self) -> &[u8] {
        let end = match self.pieces.first() {
            Some(&(0, end)) => end,
            _ => 0,
        };
        self.bytes.get(..end).unwrap_or_default()
    }

    /// Whether bytes are missing between those that were seen.
    pub fn has_gap(&self) -> bool {
        self.has_gap || self.pieces.len() > 1
    }

    /// Takes a segment's bytes; those behind `limit` are passed over.
    fn take(&mut self, segment: &Segment<'_>, limit: usize) {
        self.has_ended |= segment.ends;
        let first = segment.sequence.wrapping_add(u32::from(segment.syn));
        if segment.syn {
            self.base = Some(first);
        }
        let payload = segment.payload.0;
        if payload.is_empty() {
            return;
        }
        let base = *self.base.get_or_insert(first);
        // Half of the circle is behind: bytes before the first that was seen.
        let distance = first.wrapping_sub(base);
        if distance > u32::MAX / 2 {
            return;
        }
        let start = usize::try_from(distance).unwrap_or(usize::MAX);
        let seen = self.in_order().len();
        if start >= limit {
            self.has_gap |= seen < limit && start > seen;
            return;
        }
        let end = start.saturating_add(payload.len()).min(limit);
        self.place(start, end, payload);
    }

    fn place(&mut self, start: usize, end: usize, payload: &[u8]) {
        // What came first stays: a repeated segment must not rewrite what was read.
        let after = self.in_order().len().max(start);
        let is_new = self
            .pieces
            .iter()
            .all(|&(from, to)| end < from || to < start);
        if end <= after || (is_new && self.pieces.len() == PIECES_MAX) {
            return;
        }
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        let source = payload.get(after - start..end - start);
        if let (Some(place), Some(source)) = (self.bytes.get_mut(after..end), source) {
            place.copy_from_slice(source);
        }
        let mut whole = (start, end);
        self.pieces.retain(|&(from, to)| {
            let apart = end < from || to < start;
            if !apart {
                whole = (whole.0.min(from), whole.1.max(to));
            }
            apart
        });
        let at = self.pieces.partition_point(|piece| piece.0 < whole.0);
        self.pieces.insert(at, whole);
    }

    fn is_full(&self, limit: usize) -> bool {
        self.in_order().len() >= limit
    }
}

impl Flow {
    /// What the end with this index (see [`FlowKey::ends`]) sent.
    pub fn head(&self, end: usize) -> Option<&Head> {
        self.heads.get(end)
    }

    /// When its last segment came.
    pub const fn last(&self) -> Timestamp {
        self.last
    }

    /// Which end opened it, if that was seen.
    pub const fn client(&self) -> Option<usize> {
        self.client
    }

    /// Whether this opening segment is the stream's own, sent again or seen late.
    fn is_opened_by(&self, end: usize, segment: &Segment<'_>) -> bool {
        let base = self.heads.get(end).and_then(|head| head.base);
        base == Some(segment.sequence.wrapping_add(1))
    }

    fn size(&self) -> usize {
        self.heads.iter().map(|head| head.bytes.len()).sum()
    }
}

impl FlowTable {
    pub(crate) fn new(limits: FlowLimits) -> Self {
        Self {
            limits,
            flows: HashMap::new(),
            order: VecDeque::new(),
            bytes: 0,
            evicted: 0,
        }
    }

    /// How many streams had to go before they ended.
    pub(crate) const fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Takes a segment; `read` gets each stream that ended, is full, or has to go. Which end opened
    /// the segment's stream, if that was seen.
    pub(crate) fn take(
        &mut self,
        at: Timestamp,
        key: FlowKey,
        end: usize,
        segment: &Segment<'_>,
        read: &mut impl FnMut(FlowKey, &Flow),
    ) -> Option<usize> {
        let limit = self.limits.head_bytes;
        let flow = match self.flows.entry(key) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                self.order.push_back(key);
                entry.insert(Flow::default())
            }
        };
        // The same ports again, often long before the other side of the old stream was seen to end.
        if segment.syn && !segment.ack && !flow.is_opened_by(end, segment) {
            if flow.size() > 0 {
                read(key, flow);
            }
            self.bytes = self.bytes.saturating_sub(flow.size());
            *flow = Flow::default();
        }
        flow.last = at;
        flow.is_recent = true;
        if flow.is_read {
            return flow.client;
        }
        if segment.syn {
            flow.client = Some(if segment.ack { 1 - end.min(1) } else { end });
        }
        let client = flow.client;
        let before = flow.size();
        if let Some(head) = flow.heads.get_mut(end) {
            head.take(segment, limit);
        }
        let after = flow.size();
        let has_ended = segment.resets
            || flow
                .heads
                .iter()
                .all(|head| head.has_ended || head.is_full(limit));
        self.bytes = self.bytes.saturating_sub(before).saturating_add(after);
        if has_ended {
            read(key, flow);
            flow.is_read = true;
            flow.heads = Default::default();
            self.bytes = self.bytes.saturating_sub(after);
        }
        while self.flows.len() > self.limits.flows || self.bytes > self.limits.bytes {
            if !self.evict(read) {
                break;
            }
        }
        client
    }

    /// Lets the oldest stream go that had no traffic since the table came round.
    fn evict(&mut self, read: &mut impl FnMut(FlowKey, &Flow)) -> bool {
        while let Some(key) = self.order.pop_front() {
            let Some(flow) = self.flows.get_mut(&key) else {
                continue;
            };
            if flow.is_recent {
                flow.is_recent = false;
                self.order.push_back(key);
                continue;
            }
            self.bytes = self.bytes.saturating_sub(flow.size());
            if !flow.is_read {
                self.evicted = self.evicted.saturating_add(1);
                read(key, flow);
            }
            self.flows.remove(&key);
            return true;
        }
        false
    }

    /// Reads and forgets the streams that have been silent since `before`.
    pub(crate) fn settle(&mut self, before: Timestamp, read: &mut impl FnMut(FlowKey, &Flow)) {
        let mut waiting = std::mem::take(&mut self.order);
        waiting.retain(|key| {
            let Some(flow) = self.flows.get(key) else {
                return false;
            };
            if flow.last >= before {
                return true;
            }
            if !flow.is_read {
                read(*key, flow);
            }
            self.bytes = self.bytes.saturating_sub(flow.size());
            self.flows.remove(key);
            false
        });
        self.order = waiting;
    }

    /// Reads every stream that is left.
    pub(crate) fn finish(&mut self, read: &mut impl FnMut(FlowKey, &Flow)) {
        for key in std::mem::take(&mut self.order) {
            if let Some(flow) = self.flows.remove(&key).filter(|flow| !flow.is_read) {
                read(key, &flow);
            }
        }
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::Payload;
    use proptest::prelude::*;

    const LIMITS: FlowLimits = FlowLimits {
        flows: 4,
        head_bytes: 10,
        bytes: 1_000,
    };

    fn segment(sequence: u32, payload: &[u8]) -> Segment<'_> {
        Segment {
            source: 1,
            target: 2,
            sequence,
            syn: false,
            ack: true,
            ends: false,
            resets: false,
            payload: Payload(payload),
        }
    }

    fn key(port: u16) -> (FlowKey, usize) {
        let end = |ip: &str, port| End {
            ip: ip.parse().unwrap(),
            port,
        };
        FlowKey::new(end("10.0.0.2", port), end("10.0.0.1", 2575))
    }

    fn head(segments: &[Segment<'_>]) -> Head {
        let mut head = Head::default();
        for one in segments {
            head.take(one, 10);
        }
        head
    }

    #[test]
    fn segments_out_of_order_are_put_in_order() {
        let open = Segment {
            syn: true,
            ..segment(u32::MAX - 1, b"")
        };
        // The numbers go over the end of the circle.
        let head = head(&[open, segment(2, b"def"), segment(u32::MAX, b"abc")]);
        assert_eq!(head.in_order(), b"abcdef");
        assert!(!head.has_gap());
    }

    #[test]
    fn bytes_behind_a_gap_are_not_joined() {
        let head = head(&[segment(5, b"abc"), segment(9, b"xyz")]);
        assert_eq!(head.in_order(), b"abc");
        assert!(head.has_gap());
        assert!(!format!("{head:?}").contains("97"));
    }

    #[test]
    fn a_repeated_segment_does_not_rewrite_what_was_read() {
        let head = head(&[
            segment(5, b"abc"),
            segment(5, b"XYZdef"),
            segment(1, b"____"),
        ]);
        assert_eq!(head.in_order(), b"abcdef");
    }

    #[test]
    fn only_the_first_bytes_are_kept() {
        let head = head(&[segment(5, b"0123456789abc"), segment(18, b"xyz")]);
        assert_eq!(head.in_order(), b"0123456789");
        assert!(!head.has_gap() && head.is_full(10));
    }

    /// The ports and first bytes of the streams that were read.
    fn run(table: &mut FlowTable, port: u16, one: &Segment<'_>, seconds: i64) -> Vec<Vec<u8>> {
        let mut read = Vec::new();
        let (key, end) = key(port);
        table.take(
            Timestamp::from_seconds(seconds),
            key,
            end,
            one,
            &mut |_, flow| {
                read.push(flow.head(end).unwrap().in_order().to_vec());
            },
        );
        read
    }

    #[test]
    fn a_stream_is_read_once_and_another_on_its_ports_again() {
        let mut table = FlowTable::new(LIMITS);
        let close = |sequence| Segment {
            ends: true,
            ..segment(sequence, b"")
        };
        assert!(run(&mut table, 9, &segment(1, b"abc"), 1).is_empty());
        assert!(run(&mut table, 9, &close(4), 1).is_empty());
        let (key, end) = key(9);
        let mut read = 0;
        table.take(
            Timestamp::from_seconds(1),
            key,
            1 - end,
            &close(1),
            &mut |_, _| read += 1,
        );
        assert_eq!((read, table.bytes), (1, 0));
        assert!(run(&mut table, 9, &segment(4, b"late"), 1).is_empty());
        let open = Segment {
            syn: true,
            ack: false,
            ..segment(100, b"")
        };
        assert!(run(&mut table, 9, &open, 2).is_empty());
        run(&mut table, 9, &segment(101, b"new"), 2);
        let mut heads = Vec::new();
        table.finish(&mut |_, flow| heads.push(flow.head(end).unwrap().in_order().to_vec()));
        assert_eq!(heads, [b"new"]);
    }

    #[test]
    fn ports_that_are_used_again_begin_another_stream() {
        let open = |sequence| Segment {
            syn: true,
            ack: false,
            ..segment(sequence, b"")
        };
        let mut table = FlowTable::new(LIMITS);
        for (one, read) in [
            (open(0), None),
            (segment(1, b"first"), None),
            // The same opening, seen twice.
            (open(0), None),
            (open(7_000), Some(b"first".to_vec())),
            (segment(7_001, b"second"), None),
        ] {
            assert_eq!(run(&mut table, 9, &one, 1), Vec::from_iter(read));
        }
        assert_eq!(table.bytes, 6);
        let reset = Segment {
            resets: true,
            ..segment(7_007, b"")
        };
        assert_eq!(run(&mut table, 9, &reset, 1), [b"second"]);
        assert_eq!(table.bytes, 0);
    }

    #[test]
    fn the_oldest_silent_stream_goes_first_and_is_read() {
        let mut table = FlowTable::new(LIMITS);
        for port in 1..=4 {
            assert!(
                run(
                    &mut table,
                    port,
                    &segment(1, &[u8::try_from(port).unwrap()]),
                    1
                )
                .is_empty()
            );
        }
        // All had traffic, so the table comes round once and takes the first.
        assert_eq!(run(&mut table, 5, &segment(1, b"\x05"), 1), [[1]]);
        run(&mut table, 2, &segment(2, b"+"), 1);
        assert_eq!(run(&mut table, 6, &segment(1, b"\x06"), 1), [[3]]);
        assert_eq!(table.evicted(), 2);
        assert_eq!(table.flows.len(), LIMITS.flows);
    }

    #[test]
    fn a_stream_that_fell_silent_is_settled() {
        let mut table = FlowTable::new(LIMITS);
        run(&mut table, 1, &segment(1, b"old"), 1);
        run(&mut table, 2, &segment(1, b"new"), 5);
        let mut read = 0;
        table.settle(Timestamp::from_seconds(5), &mut |_, _| read += 1);
        assert_eq!(
            (read, table.flows.len(), table.order.len(), table.bytes),
            (1, 1, 1, 3)
        );
    }

    proptest! {
        #[test]
        fn the_pieces_of_a_stream_give_its_beginning_in_any_order(
            stream in prop::collection::vec(any::<u8>(), 1..60),
            base in any::<u32>(),
            cuts in prop::collection::vec((0..60usize, 1..9usize), 0..30),
        ) {
            let mut head = Head { base: Some(base), ..Head::default() };
            let mut seen = [false; 60];
            for (start, length) in cuts {
                let end = (start + length).min(stream.len());
                let Some(bytes) = stream.get(start..end) else { continue };
                let pieces = head.pieces.len();
                head.take(&segment(base.wrapping_add(u32::try_from(start).unwrap()), bytes), 40);
                prop_assert!(head.pieces.len() <= PIECES_MAX);
                if pieces < PIECES_MAX {
                    seen[start..end].fill(true);
                }
            }
            let expected = seen.iter().take(40).take_while(|one| **one).count();
            prop_assert_eq!(head.in_order(), &stream[..head.in_order().len()]);
            prop_assert_eq!(head.in_order().len(), expected);
        }

        #[test]
        fn the_table_stays_within_its_bounds(
            all in prop::collection::vec((0..12u16, any::<u32>(), 0..30usize, any::<u8>()), 0..200),
        ) {
            let limits = FlowLimits { flows: 5, head_bytes: 16, bytes: 40 };
            let mut table = FlowTable::new(limits);
            for (port, sequence, length, flags) in all {
                let one = Segment {
                    syn: flags & 1 > 0, ack: flags & 2 > 0, ends: flags & 12 == 12, resets: flags & 96 == 96,
                    ..segment(sequence % 20, &[7; 30][..length])
                };
                let (key, end) = key(port);
                let end = if flags & 16 > 0 { end } else { 1 - end };
                table.take(Timestamp::from_seconds(1), key, end, &one, &mut |_, _| {});
                prop_assert!(table.flows.len() <= limits.flows && table.bytes <= limits.bytes);
                prop_assert_eq!(table.flows.len(), table.order.len());
                prop_assert_eq!(table.bytes, table.flows.values().map(Flow::size).sum::<usize>());
            }
        }
    }
}

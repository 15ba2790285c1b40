//! The frame decoder: a state machine over bytes that never looks at a byte twice.
//!
//! It must never depend on how the bytes were cut, and never hold more than one frame and its limit.

use std::collections::VecDeque;
use std::mem;

use memchr::memchr2;

use super::{END, Event, JUNK_LIMIT, NOISE_LIMIT, START};

/// Segments whose id after `0B` inside a frame shows that a new frame began.
const OPENINGS: [&[u8]; 3] = [b"MSH", b"FHS", b"BHS"];
/// The record type that begins a TLS connection.
const TLS_HANDSHAKE: u8 = 0x16;
/// Every method that begins an HTTP request, and the preface of HTTP/2.
const HTTP_METHODS: [&[u8]; 10] = [
    b"GET ",
    b"PUT ",
    b"POST ",
    b"HEAD ",
    b"PRI * ",
    b"PATCH ",
    b"TRACE ",
    b"DELETE ",
    b"OPTIONS ",
    b"CONNECT ",
];

/// Takes the bytes of one connection apart into [`Event`]s.
///
/// ```
/// use labward_hl7::mllp::{Decoder, Event};
///
/// let mut decoder = Decoder::new(16 * 1024 * 1024);
/// decoder.feed(b"\x0bMSH|^~\\&|LAB\r\x1c");
/// assert_eq!(decoder.next_event(), None);
/// decoder.feed(b"\r");
/// assert_eq!(decoder.next_event(), Some(Event::Frame(b"MSH|^~\\&|LAB\r".to_vec())));
/// ```
#[derive(Debug)]
pub struct Decoder {
    max_frame_bytes: usize,
    state: State,
    /// The frame's content and what may be its end.
    buffer: Vec<u8>,
    /// Bytes between frames, kept until it is clear what they are.
    outside: Vec<u8>,
    /// True until the first `0B`.
    is_fresh: bool,
    events: VecDeque<Event>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// No frame has begun.
    Between,
    /// `0B` came and nothing else yet.
    Begun,
    /// Inside a frame.
    Inside(Tail),
    /// The stream is not MLLP; the rest is ignored.
    Ended,
    /// Inside a frame that is too long.
    Skipping(Tail),
}

/// What the last bytes of the buffer may still become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tail {
    /// They are content.
    Content,
    /// `1C`: the first half of an end.
    End,
    /// `0B` and so many bytes of an opening.
    Start(usize),
}

impl Tail {
    fn pending_bytes(self) -> usize {
        match self {
            Self::Content => 0,
            Self::End => 1,
            Self::Start(matched) => matched + 1,
        }
    }
}

impl Decoder {
    /// A decoder for a new connection; `max_frame_bytes` limits a frame's content.
    pub fn new(max_frame_bytes: usize) -> Self {
        Self {
            max_frame_bytes,
            state: State::Between,
            buffer: Vec::new(),
            outside: Vec::new(),
            is_fresh: true,
            events: VecDeque::new(),
        }
    }

    /// Takes what was read; the events wait in [`Decoder::next_event`].
    ///
    /// **Invariant:** time and memory are linear in the bytes, however they are cut.
    pub fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            bytes = match self.state {
                State::Between => self.feed_between(bytes),
                State::Begun => self.feed_begun(bytes),
                State::Inside(tail) => self.feed_inside(bytes, tail, false),
                State::Skipping(tail) => self.feed_inside(bytes, tail, true),
                State::Ended => return,
            };
        }
    }

    /// The next event, if one is complete.
    pub fn next_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// How many bytes of the unfinished frame are held; 0 between frames.
    pub fn frame_bytes(&self) -> usize {
        self.buffer.len()
    }

    /// True if a frame has begun and not ended: the caller's time limit for a frame runs.
    pub fn is_inside_frame(&self) -> bool {
        matches!(
            self.state,
            State::Begun | State::Inside(_) | State::Skipping(_)
        )
    }

    /// True if the last byte was `1C`: on a lenient link the caller waits 1 s for its CR, then
    /// calls [`Decoder::finish_lenient`].
    pub fn awaits_cr(&self) -> bool {
        matches!(self.state, State::Inside(Tail::End))
    }

    /// Ends the frame although the CR after `1C` is missing; `None` unless
    /// [`Decoder::awaits_cr`]. Comes after all events in [`Decoder::next_event`]; a CR that comes
    /// later is noise.
    pub fn finish_lenient(&mut self) -> Option<Event> {
        if !self.awaits_cr() {
            return None;
        }
        self.state = State::Between;
        self.buffer.pop();
        Some(whole_frame(mem::take(&mut self.buffer), true))
    }

    /// How many bytes that belong to no frame are waiting for one to begin; noise within its limit
    /// counts as 0. If this stays above 0 for 10 s, the caller takes them and closes.
    pub fn pending_junk(&self) -> usize {
        if self.outside_is_noise() {
            0
        } else {
            self.outside.len()
        }
    }

    /// Takes the bytes that belong to no frame and ends the stream.
    pub fn take_junk(&mut self) -> Vec<u8> {
        self.state = State::Ended;
        mem::take(&mut self.outside)
    }

    /// The link closed: gives what was still held as [`Event::Cut`], [`Event::Junk`] or
    /// [`Event::Noise`], after all events in [`Decoder::next_event`].
    pub fn finish(&mut self) -> Option<Event> {
        let state = mem::replace(&mut self.state, State::Ended);
        let buffer = mem::take(&mut self.buffer);
        match state {
            State::Inside(_) => Some(Event::Cut(buffer)),
            State::Between | State::Begun => self.take_outside(false),
            State::Skipping(_) | State::Ended => None,
        }
    }

    fn feed_between<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let Some((&byte, rest)) = bytes.split_first() else {
            return bytes;
        };
        if byte == START {
            self.is_fresh = false;
            self.state = State::Begun;
        } else if self.is_fresh && self.outside.is_empty() && byte == TLS_HANDSHAKE {
            self.end_stream(Event::TlsHello);
        } else {
            self.push_outside(byte);
            if self.is_fresh && HTTP_METHODS.contains(&self.outside.as_slice()) {
                self.outside = Vec::new();
                self.end_stream(Event::Http);
            }
        }
        rest
    }

    fn feed_begun<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let Some((&byte, rest)) = bytes.split_first() else {
            return bytes;
        };
        if byte == START {
            self.push_outside(byte);
            return rest;
        }
        let outside = self.take_outside(true);
        self.events.extend(outside);
        self.state = State::Inside(Tail::Content);
        bytes
    }

    fn feed_inside<'b>(&mut self, bytes: &'b [u8], tail: Tail, skipping: bool) -> &'b [u8] {
        let (tail, rest) = match tail {
            Tail::Content => self.take_content(bytes, skipping),
            Tail::End | Tail::Start(_) => {
                let Some((&byte, rest)) = bytes.split_first() else {
                    return bytes;
                };
                match self.resolve_tail(tail, byte, skipping) {
                    Resolved::NewState(state) => {
                        self.state = state;
                        return rest;
                    }
                    Resolved::Tail(tail) => {
                        self.buffer.push(byte);
                        (tail, rest)
                    }
                    Resolved::Content => (Tail::Content, bytes),
                }
            }
        };
        let content_bytes = self.buffer.len().saturating_sub(tail.pending_bytes());
        self.state = if skipping {
            State::Skipping(tail)
        } else if content_bytes > self.max_frame_bytes {
            self.report_oversized();
            State::Skipping(tail)
        } else {
            State::Inside(tail)
        };
        rest
    }

    /// Copies content up to the next byte that may end it, but never beyond the limit.
    fn take_content<'b>(&mut self, bytes: &'b [u8], skipping: bool) -> (Tail, &'b [u8]) {
        let found = memchr2(END, START, bytes);
        let plain_bytes = found.unwrap_or(bytes.len());
        if skipping {
            self.buffer.clear();
        } else {
            let room = self
                .max_frame_bytes
                .saturating_add(1)
                .saturating_sub(self.buffer.len());
            if plain_bytes >= room {
                let (taken, rest) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
                self.buffer.extend_from_slice(taken);
                return (Tail::Content, rest);
            }
        }
        let kept = if skipping { plain_bytes } else { 0 };
        let upto = found.map_or(bytes.len(), |at| at + 1);
        let (taken, rest) = bytes.split_at_checked(upto).unwrap_or((bytes, &[]));
        self.buffer
            .extend_from_slice(taken.get(kept..).unwrap_or(&[]));
        let tail = match taken.last() {
            Some(&END) => Tail::End,
            Some(&START) => Tail::Start(0),
            _ => Tail::Content,
        };
        (tail, rest)
    }

    /// Decides what `byte` makes of the buffer's last bytes.
    fn resolve_tail(&mut self, tail: Tail, byte: u8, skipping: bool) -> Resolved {
        match (tail, byte) {
            (Tail::End, b'\r') => {
                self.end_frame(skipping, false);
                Resolved::NewState(State::Between)
            }
            (Tail::End, START) => {
                self.end_frame(skipping, true);
                Resolved::NewState(State::Begun)
            }
            (Tail::Start(matched), _) => self.resolve_start(matched, byte, skipping),
            _ => Resolved::Content,
        }
    }

    fn resolve_start(&mut self, matched: usize, byte: u8, skipping: bool) -> Resolved {
        let at = self.buffer.len().saturating_sub(matched);
        let so_far = self.buffer.get(at..).unwrap_or(&[]);
        let fits =
            |opening: &&&[u8]| opening.starts_with(so_far) && opening.get(matched) == Some(&byte);
        let Some(opening) = OPENINGS.iter().find(fits) else {
            return Resolved::Content;
        };
        if matched + 1 < opening.len() {
            return Resolved::Tail(Tail::Start(matched + 1));
        }
        self.buffer.truncate(at.saturating_sub(1));
        let first = mem::replace(&mut self.buffer, opening.to_vec());
        if !skipping {
            self.events.push_back(Event::Cut(first));
        }
        Resolved::NewState(State::Inside(Tail::Content))
    }

    fn end_frame(&mut self, skipping: bool, without_cr: bool) {
        self.buffer.pop();
        let content = mem::take(&mut self.buffer);
        if !skipping {
            self.events.push_back(whole_frame(content, without_cr));
        }
    }

    fn report_oversized(&mut self) {
        let mut head = mem::take(&mut self.buffer);
        head.truncate(self.max_frame_bytes);
        self.events.push_back(Event::Oversized { head });
    }

    fn push_outside(&mut self, byte: u8) {
        self.outside.push(byte);
        if self.outside.len() >= JUNK_LIMIT {
            let bytes = mem::take(&mut self.outside);
            self.end_stream(Event::Junk {
                bytes,
                resumed: false,
            });
        }
    }

    fn take_outside(&mut self, resumed: bool) -> Option<Event> {
        if self.outside.is_empty() {
            return None;
        }
        let is_noise = self.outside_is_noise();
        let bytes = mem::take(&mut self.outside);
        Some(if is_noise {
            Event::Noise { count: bytes.len() }
        } else {
            Event::Junk { bytes, resumed }
        })
    }

    fn outside_is_noise(&self) -> bool {
        let noise = |byte: &u8| matches!(*byte, 0 | b'\r' | b'\n' | START | END);
        self.outside.len() <= NOISE_LIMIT && self.outside.iter().all(noise)
    }

    fn end_stream(&mut self, event: Event) {
        self.events.push_back(event);
        self.state = State::Ended;
    }
}

fn whole_frame(content: Vec<u8>, without_cr: bool) -> Event {
    match content.as_slice() {
        [] => Event::EmptyFrame,
        [0x06] => Event::CommitAck,
        [0x15] => Event::CommitNak,
        _ if without_cr => Event::LenientFrame(content),
        _ => Event::Frame(content),
    }
}

/// What one more byte made of a [`Tail`].
enum Resolved {
    /// Plain content after all; the byte is looked at again.
    Content,
    /// The byte is used up and this is the state now.
    NewState(State),
    /// The byte belongs to what may still become an end or a start.
    Tail(Tail),
}

#[cfg(test)]
mod tests;

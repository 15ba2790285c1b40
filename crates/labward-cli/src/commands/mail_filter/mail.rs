//! A mail as it comes over the line, in bounded memory, and its bytes as RFC 5322 has them.
//!
//! It must never look into what it holds beyond the names of headers, or hold more than it may.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The header in which the filter says what it found.
pub(super) const SCAN_HEADER: &str = "X-Labward-Scan";

/// What a piece takes beside its bytes.
const PIECE_BYTES: usize = 96;

/// The memory that all mails share.
#[derive(Debug)]
pub(super) struct Memory {
    used: AtomicUsize,
    most: usize,
}

impl Memory {
    pub(super) fn of(most: usize) -> Arc<Self> {
        Arc::new(Self {
            used: AtomicUsize::new(0),
            most,
        })
    }

    #[cfg(test)]
    pub(super) fn used(&self) -> usize {
        self.used.load(Ordering::SeqCst)
    }

    fn take(&self, bytes: usize) -> bool {
        let add = |used: usize| used.checked_add(bytes).filter(|sum| *sum <= self.most);
        self.used
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, add)
            .is_ok()
    }
}

/// Why a mail is not held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unheld {
    /// All mails together take too much.
    NoMemory,
    /// It is larger than what is looked at.
    TooLarge,
}

/// A mail between its sender's name and its end.
#[derive(Debug)]
pub(super) struct Mail {
    /// Who sent it, as it stands on the envelope.
    pub(super) sender: Vec<u8>,
    /// To whom.
    pub(super) recipients: Vec<Vec<u8>>,
    /// What the mail server calls it.
    pub(super) queue_id: Vec<u8>,
    headers: Vec<(Vec<u8>, Vec<u8>)>,
    body: Vec<Vec<u8>>,
    strangers: u32,
    unheld: Option<Unheld>,
    size_bytes: usize,
    most_bytes: usize,
    memory: Arc<Memory>,
    taken: usize,
}

impl Mail {
    /// An empty one of at most `most_bytes`.
    pub(super) fn new(memory: &Arc<Memory>, most_bytes: usize) -> Self {
        Self {
            sender: Vec::new(),
            recipients: Vec::new(),
            queue_id: Vec::new(),
            headers: Vec::new(),
            body: Vec::new(),
            strangers: 0,
            unheld: None,
            size_bytes: 0,
            most_bytes,
            memory: Arc::clone(memory),
            taken: 0,
        }
    }

    /// Why it is not held, if it is not.
    pub(super) fn unheld(&self) -> Option<Unheld> {
        self.unheld
    }

    /// Whether any of its content came.
    pub(super) fn has_begun(&self) -> bool {
        self.size_bytes > 0
    }

    /// Its headers in order: names and values.
    pub(super) fn headers(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let headers = self.headers.iter();
        headers.map(|(name, value)| (name.as_slice(), value.as_slice()))
    }

    /// How many headers of strangers say that the filter found something.
    pub(super) fn strangers(&self) -> u32 {
        self.strangers
    }

    pub(super) fn set_sender(&mut self, sender: Vec<u8>) {
        if self.takes(sender.len()) {
            self.sender = sender;
        }
    }

    pub(super) fn add_recipient(&mut self, recipient: Vec<u8>) {
        if self.takes(recipient.len()) {
            self.recipients.push(recipient);
        }
    }

    /// A header; `value` begins behind the colon.
    pub(super) fn add_header(&mut self, name: Vec<u8>, value: &[u8]) {
        if name
            .trim_ascii()
            .eq_ignore_ascii_case(SCAN_HEADER.as_bytes())
        {
            self.strangers = self.strangers.saturating_add(1);
        }
        let value = with_line_ends(value);
        // The colon, and the end of the line.
        let size = name.len() + value.len() + 3;
        if self.holds(size) {
            self.headers.push((name, value));
        }
    }

    /// A piece of the body.
    pub(super) fn add_body(&mut self, piece: Vec<u8>) {
        if !piece.is_empty() && self.holds(piece.len()) {
            self.body.push(piece);
        }
    }

    /// Whether so many bytes of its content are held.
    fn holds(&mut self, bytes: usize) -> bool {
        self.size_bytes = self.size_bytes.saturating_add(bytes);
        if self.unheld.is_none() && self.size_bytes + 2 > self.most_bytes {
            self.give_up(Unheld::TooLarge);
        }
        self.takes(bytes)
    }

    fn takes(&mut self, bytes: usize) -> bool {
        if self.unheld.is_some() {
            return false;
        }
        let wanted = bytes.saturating_add(PIECE_BYTES);
        let is_taken = self.memory.take(wanted);
        if is_taken {
            self.taken += wanted;
        } else {
            self.give_up(Unheld::NoMemory);
        }
        is_taken
    }

    fn give_up(&mut self, why: Unheld) {
        self.unheld = Some(why);
        self.headers = Vec::new();
        self.body = Vec::new();
        self.recipients = Vec::new();
        self.free();
    }

    fn free(&mut self) {
        self.memory.used.fetch_sub(self.taken, Ordering::SeqCst);
        self.taken = 0;
    }

    /// How long it is in bytes.
    pub(super) fn size_bytes(&self) -> usize {
        // The empty line behind the headers.
        self.size_bytes + 2
    }

    /// Its bytes, as they are read.
    pub(super) fn reader(&self) -> impl Read + '_ {
        let headers = self.headers.iter();
        let headers = headers.flat_map(|(name, value)| [name, &b":"[..], value, b"\r\n"]);
        let body = self.body.iter().map(Vec::as_slice);
        Pieces {
            pieces: headers.chain([&b"\r\n"[..]]).chain(body),
            rest: &[],
        }
    }
}

impl Drop for Mail {
    fn drop(&mut self) {
        self.free();
    }
}

/// Mail servers pass the lines of a folded header with LF alone; on the line they ended with CR LF.
fn with_line_ends(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    for byte in value {
        if *byte == b'\n' && out.last() != Some(&b'\r') {
            out.push(b'\r');
        }
        out.push(*byte);
    }
    out
}

/// Pieces of bytes, read one behind the other.
struct Pieces<'a, I> {
    pieces: I,
    rest: &'a [u8],
}

impl<'a, I: Iterator<Item = &'a [u8]>> Read for Pieces<'a, I> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            match self.pieces.next() {
                Some(piece) => self.rest = piece,
                None => return Ok(0),
            }
        }
        self.rest.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(mail: &Mail) -> Vec<u8> {
        let mut out = Vec::new();
        mail.reader().read_to_end(&mut out).unwrap();
        assert_eq!(out.len(), mail.size_bytes());
        out
    }

    #[test]
    fn the_mail_is_put_together_as_it_came() {
        let mut mail = Mail::new(&Memory::of(10_000), 10_000);
        mail.add_header(b"Subject".to_vec(), b"  one\n\ttwo");
        mail.add_header(b"To".to_vec(), b"<a@lab.example>\r\n b");
        mail.add_body(b"Dear\r\n".to_vec());
        mail.add_body(b"\xff\0".to_vec());
        let expect = b"Subject:  one\r\n\ttwo\r\nTo:<a@lab.example>\r\n b\r\n\r\nDear\r\n\xff\0";
        assert_eq!(bytes(&mail), expect);
    }

    #[test]
    fn a_mail_of_exactly_the_most_is_held_and_one_byte_more_is_not() {
        let memory = Memory::of(1_000_000);
        let mut mail = Mail::new(&memory, 1_000);
        mail.add_body(vec![b'a'; 998]);
        assert_eq!((mail.unheld(), mail.size_bytes()), (None, 1_000));
        mail.add_body(vec![b'a']);
        assert_eq!(mail.unheld(), Some(Unheld::TooLarge));
        assert_eq!(memory.used(), 0, "what is not looked at is not kept");
        mail.add_header(b"x-labward-scan".to_vec(), b" clean");
        assert_eq!((mail.strangers(), memory.used()), (1, 0));
    }

    #[test]
    fn what_all_mails_take_is_bounded_and_given_back() {
        let memory = Memory::of(3_000);
        let mut first = Mail::new(&memory, 10_000);
        first.add_body(vec![0; 2_000]);
        let mut second = Mail::new(&memory, 10_000);
        second.add_body(vec![0; 2_000]);
        assert_eq!(
            (first.unheld(), second.unheld()),
            (None, Some(Unheld::NoMemory))
        );
        drop(first);
        assert_eq!(memory.used(), 0);
        let mut many = Mail::new(&memory, 10_000);
        (0..1_000).for_each(|_| many.add_body(vec![0]));
        assert_eq!(
            many.unheld(),
            Some(Unheld::NoMemory),
            "a piece takes more than its byte"
        );
    }
}

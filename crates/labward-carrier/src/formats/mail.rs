//! Mail (RFC 5322, MIME): every part of it, mails in mails, mailboxes of several mails.
//!
//! The headers are read by `mail-parser`; the parts are parted here, because a mail of very many mails in
//! one another would end that parser's process when its tree is dropped. Receivers pass over what is no
//! Base64 inside Base64; here what comes before it is shown, and then what comes of all.

use mail_parser::{HeaderValue, MessageParser, MimeHeaders as _};
use memchr::memmem;

use crate::Limit;
use crate::decode;
use crate::find;
use crate::formats::text;
use crate::kind::{Claims, Kind};
use crate::path::Step;
use crate::seen::{Declared, Obstacle, Part};
use crate::walk::Walker;

/// Multiparts in one another.
const DEEPEST: usize = 20;
/// A part that names more boundaries than this, one a header, is read by these.
const MOST_BOUNDARIES: usize = 4;
/// The most bytes of a part's header that are read.
const LONGEST_HEADER: usize = 1 << 20;

pub(crate) fn open(walker: &mut Walker<'_>, part: &Part<'_>) {
    let several = mails(part.bytes).nth(1).is_some();
    for (n, mail) in mails(part.bytes).enumerate() {
        if !walker.goes_on() {
            return;
        }
        let place = several.then(|| Step::Place(format!("mail {}", n + 1)));
        let mut entity = Mail {
            steps: place.into_iter().chain([Step::Packing("mime")]).collect(),
            leaves: 0,
        };
        entity.open(walker, mail, "", 0);
    }
}

/// The mails of a mailbox (each begins with a line `From `), or the one mail.
fn mails(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let is_box = bytes.trim_ascii_start().starts_with(b"From ");
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let from = rest?;
        let next = if is_box { next_mail(from) } else { None };
        rest = next.and_then(|next| from.get(next..));
        let mail = next.and_then(|next| from.get(..next)).unwrap_or(from);
        if !is_box {
            return Some(mail);
        }
        let line_end = memchr::memchr(b'\n', mail).map_or(mail.len(), |end| end + 1);
        mail.get(line_end..)
    })
}

/// Where the next mail of a mailbox begins: behind an empty line.
fn next_mail(bytes: &[u8]) -> Option<usize> {
    memmem::find_iter(bytes, b"\nFrom ")
        .find(|at| {
            let before = bytes.get(..*at).unwrap_or_default();
            *at > 0 && (before.ends_with(b"\n") || before.ends_with(b"\n\r"))
        })
        .map(|at| at + 1)
}

struct Mail {
    steps: Vec<Step>,
    leaves: usize,
}

/// What the header of a part says.
#[derive(Default)]
struct Header {
    declared: Declared,
    is_multipart: bool,
    boundaries: Vec<String>,
    encoding: String,
}

impl Mail {
    /// Enters what is in the part, which has this number: empty for the mail itself, then `2`, `2.1`.
    fn open(&mut self, walker: &mut Walker<'_>, part: &[u8], number: &str, depth: usize) {
        if depth > DEEPEST {
            walker.obstacle(Obstacle::OverBudget(Limit::Depth));
            return;
        }
        let (head, body) = head_and_body(part);
        let Some(body) = body else {
            // A header without a body, or a body without its header.
            let mut steps = self.steps.clone();
            steps.push(Step::Place("header".to_owned()));
            text::search(walker, &steps, part);
            return;
        };
        let header = Header::of(head);
        if header.is_multipart && self.open_parts(walker, &header, body, number, depth) {
            return;
        }
        let is_mail = matches!(
            header.declared.media_type.as_deref(),
            Some("message/rfc822" | "message/global")
        );
        // A mail of few headers, which its bytes alone do not show to be one.
        if is_mail && header.encoding.is_empty() && Claims::of(body).main() != Kind::Mime {
            self.open(walker, body, &format!("{number}.1"), depth + 1);
            return;
        }
        self.leaves += 1;
        let mut steps = self.steps.clone();
        steps.push(match header.declared.name.as_deref() {
            Some(name) => Step::member(self.leaves, name),
            None if number.is_empty() => Step::Place("body".to_owned()),
            None => Step::Place(format!("part {number}")),
        });
        enter_body(walker, &steps, &header, body);
    }

    /// Enters the parts of a multipart; false if none of its boundaries stands in it.
    fn open_parts(
        &mut self,
        walker: &mut Walker<'_>,
        header: &Header,
        body: &[u8],
        number: &str,
        depth: usize,
    ) -> bool {
        let named = header.boundaries.iter().map(String::as_bytes);
        let mut boundaries: Vec<&[u8]> = named.take(MOST_BOUNDARIES).collect();
        boundaries.extend(guessed_boundary(body));
        for boundary in boundaries {
            let mut pieces = split(body, boundary);
            let Some(preamble) = pieces.next() else {
                continue;
            };
            let mut pieces = pieces.peekable();
            if pieces.peek().is_none() {
                continue;
            }
            let mut steps = self.steps.clone();
            steps.push(Step::Place("around the parts".to_owned()));
            text::search(walker, &steps, preamble.bytes);
            for (n, piece) in (1..).zip(pieces) {
                if !walker.goes_on() {
                    break;
                }
                if piece.is_outside {
                    text::search(walker, &steps, piece.bytes);
                    continue;
                }
                let number = if number.is_empty() {
                    n.to_string()
                } else {
                    format!("{number}.{n}")
                };
                self.open(walker, piece.bytes, &number, depth + 1);
            }
            return true;
        }
        false
    }
}

/// The header of a part, and what follows its empty line; `None` without one.
fn head_and_body(part: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut at = 0;
    for line in part.split_inclusive(|byte| *byte == b'\n') {
        let next = at + line.len();
        if matches!(line, b"\n" | b"\r\n") {
            return (part.get(..at).unwrap_or_default(), part.get(next..));
        }
        at = next;
    }
    (part, None)
}

impl Header {
    fn of(head: &[u8]) -> Self {
        let head = head.get(..LONGEST_HEADER).unwrap_or(head);
        let parser = MessageParser::new().with_mime_headers();
        let Some(message) = parser.parse_headers(head) else {
            return Self::default();
        };
        let mut header = Self {
            encoding: message
                .content_transfer_encoding()
                .unwrap_or_default()
                .trim()
                .to_ascii_lowercase(),
            ..Self::default()
        };
        let mut media_type = None;
        for one in message.headers() {
            let HeaderValue::ContentType(content) = &one.value else {
                continue;
            };
            let is_type = one.name.as_str().eq_ignore_ascii_case("content-type");
            let name = content.attribute(if is_type { "name" } else { "filename" });
            if let Some(name) = name
                && (header.declared.name.is_none() || !is_type)
            {
                header.declared.name = Declared::named(name).name;
            }
            if is_type {
                header.is_multipart |= content.ctype().eq_ignore_ascii_case("multipart");
                header
                    .boundaries
                    .extend(content.attribute("boundary").map(str::to_owned));
                let subtype = content.subtype().unwrap_or_default();
                media_type = Some(format!("{}/{subtype}", content.ctype()));
            }
        }
        let media_type = media_type.as_deref().map(Declared::typed);
        header.declared.media_type = media_type.and_then(|declared| declared.media_type);
        header
    }
}

/// A stretch of a multipart's body.
struct Piece<'a> {
    bytes: &'a [u8],
    /// Before the first part or behind the last.
    is_outside: bool,
}

/// What stands before the first boundary, then each part, then what stands behind the last.
fn split<'a>(body: &'a [u8], boundary: &'a [u8]) -> impl Iterator<Item = Piece<'a>> {
    let mut rest = Some(body);
    let mut is_outside = true;
    std::iter::from_fn(move || {
        let from = rest?;
        let Some((end, next, closes)) = next_boundary(from, boundary) else {
            rest = None;
            return Some(Piece {
                bytes: from,
                is_outside,
            });
        };
        rest = from.get(next..);
        let piece = Piece {
            bytes: from.get(..end).unwrap_or_default(),
            is_outside,
        };
        is_outside = closes;
        Some(piece)
    })
}

/// Where the next boundary's line begins and ends, and whether it closes the multipart.
fn next_boundary(bytes: &[u8], boundary: &[u8]) -> Option<(usize, usize, bool)> {
    let mark = [b"--", boundary].concat();
    for at in memmem::find_iter(bytes, &mark) {
        let before = bytes.get(..at).unwrap_or_default();
        let after = bytes.get(at + mark.len()..).unwrap_or_default();
        let line_end = memchr::memchr(b'\n', after).map_or(after.len(), |end| end + 1);
        let line = after.get(..line_end).unwrap_or_default().trim_ascii();
        let starts_line = before.is_empty() || before.ends_with(b"\n");
        if starts_line && matches!(line, b"" | b"--") {
            let end = match before {
                [.., b'\r', b'\n'] => at - 2,
                [.., b'\n'] => at - 1,
                _ => at,
            };
            return Some((end, at + mark.len() + line_end, line == b"--"));
        }
    }
    None
}

/// The first line that looks like a boundary, for a header that names none or another.
fn guessed_boundary(body: &[u8]) -> Option<&[u8]> {
    let head = body.get(..64 << 10).unwrap_or(body);
    head.split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii_end)
        .filter(|line| (6..=74).contains(&line.len()))
        .filter_map(|line| line.strip_prefix(b"--"))
        .find(|boundary| {
            boundary.iter().any(u8::is_ascii_alphanumeric) && !boundary.contains(&b' ')
        })
}

/// Enters the body of a part, decoded as its header says.
fn enter_body(walker: &mut Walker<'_>, steps: &[Step], header: &Header, body: &[u8]) {
    if let Some(obstacle) = closed(header, body)
        && let Some(step) = steps.last()
    {
        walker.obstacle_at(step.clone(), obstacle);
    }
    let at = |writing| steps.iter().cloned().chain(writing);
    match header.encoding.as_str() {
        "base64" => enter_base64(walker, steps, header, body),
        "quoted-printable" => {
            let writing = Some(Step::Packing("quoted-printable"));
            let bytes = decode::quoted_printable(body);
            walker.enter(at(writing), &header.declared, &bytes);
        }
        "" | "7bit" | "8bit" | "binary" => {
            walker.enter(at(None), &header.declared, body);
        }
        // The lines name the file themselves.
        "uuencode" | "x-uuencode" | "x-uue" | "uue" => {
            walker.enter(at(None), &Declared::nothing(), body);
        }
        _ => {
            walker.enter(at(None), &header.declared, body);
            walker.obstacle(Obstacle::UnknownPacking(Kind::Mime));
        }
    }
}

/// What S/MIME (RFC 8551) and OpenPGP (RFC 9580) put out of reach.
fn closed(header: &Header, body: &[u8]) -> Option<Obstacle> {
    const PGP: &[u8] = b"-----BEGIN PGP MESSAGE-----";
    /// The object identifiers that CMS content begins with: enveloped, authenticated and enveloped.
    const ENVELOPED: [&[u8]; 2] = [
        b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03",
        b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17",
    ];
    if body.trim_ascii_start().starts_with(PGP) {
        return Some(Obstacle::Encrypted);
    }
    let said = header.declared.media_type.as_deref()?.to_ascii_lowercase();
    if !matches!(
        said.as_str(),
        "application/pkcs7-mime" | "application/x-pkcs7-mime"
    ) {
        return None;
    }
    let head = body.get(..400).unwrap_or(body);
    let content = if header.encoding == "base64" {
        decode::base64(head).bytes
    } else {
        head.to_vec()
    };
    let head = content.get(..64).unwrap_or(&content);
    let is_enveloped = ENVELOPED.iter().any(|id| memmem::find(head, id).is_some());
    Some(if is_enveloped {
        Obstacle::Encrypted
    } else {
        Obstacle::UnknownPacking(Kind::Mime)
    })
}

fn enter_base64(walker: &mut Walker<'_>, steps: &[Step], header: &Header, body: &[u8]) {
    let at = || steps.iter().cloned().chain([Step::Packing("base64")]);
    let decoded = decode::base64(body);
    if !decoded.bytes.is_empty() {
        walker.enter(at(), &header.declared, &decoded.bytes);
    }
    let rest = body.get(decoded.used..).unwrap_or_default();
    let is_digit = |byte: &&u8| decode::base64_digit(**byte).is_some();
    if rest.iter().filter(is_digit).count() < find::SHORTEST {
        if decoded.bytes.is_empty() && !body.trim_ascii().is_empty() {
            walker.enter(steps.iter().cloned(), &header.declared, body);
            walker.obstacle(Obstacle::Damaged(Kind::Mime));
        }
        return;
    }
    let belongs = |byte: &&u8| is_digit(byte) || **byte == b'=';
    let digits: Vec<u8> = body.iter().filter(belongs).copied().collect();
    let all = decode::base64(&digits).bytes;
    if all.len() > decoded.bytes.len() {
        walker.enter(at(), &header.declared, &all);
    }
    text::search(walker, steps, rest);
}

#[cfg(test)]
mod tests;

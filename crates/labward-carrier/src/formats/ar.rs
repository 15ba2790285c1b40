//! `ar` archives, also Debian packages and libraries: members behind headers of 60 bytes.

use crate::kind::Kind;
use crate::seen::{Obstacle, Part};
use crate::walk::Walker;

use super::bytes::{slice, text, up_to};
use super::member::Member;

const HEADER: usize = 60;

pub(crate) fn open(walker: &mut Walker<'_>, part: &Part<'_>) {
    let mut at = 8;
    let mut number = 0;
    let mut names: &[u8] = &[];
    while let Some(header) = slice(part.bytes, at, HEADER) {
        if !walker.goes_on() {
            return;
        }
        let size = slice(header, 48, 10)
            .map(text)
            .and_then(|size| size.trim().parse::<usize>().ok());
        let Some(size) = size.filter(|_| header.ends_with(b"`\n")) else {
            return walker.obstacle(Obstacle::Damaged(Kind::Ar));
        };
        let content = up_to(part.bytes, at + HEADER, size);
        let short = text(slice(header, 0, 16).unwrap_or_default());
        match short.trim_end() {
            "//" => names = content,
            "/" | "/SYM64/" => {}
            short => {
                number += 1;
                let (name, content) = named(short, names, content);
                let member = Member {
                    kind: Kind::Ar,
                    number,
                    name: &name,
                };
                member.enter(walker, content);
            }
        }
        if content.len() < size {
            return walker.obstacle(Obstacle::Damaged(Kind::Ar));
        }
        at += HEADER + size.next_multiple_of(2);
    }
}

/// Long names stand in a member of their own (GNU: `/OFFSET`) or before the content (BSD: `#1/LENGTH`).
fn named<'c>(short: &str, names: &[u8], content: &'c [u8]) -> (String, &'c [u8]) {
    if let Some(len) = short.strip_prefix("#1/").and_then(|n| n.parse().ok()) {
        let name = text(up_to(content, 0, len));
        let content = content.get(len..).unwrap_or_default();
        return (name.trim_end_matches('\0').to_owned(), content);
    }
    if let Some(at) = short
        .strip_prefix('/')
        .and_then(|n| n.parse::<usize>().ok())
    {
        let name = names.get(at..).unwrap_or_default();
        let name = name.split(|c| *c == b'\n').next().unwrap_or_default();
        return (text(name).trim_end_matches('/').to_owned(), content);
    }
    (short.trim_end_matches('/').to_owned(), content)
}

//! What stands in the place of a mail that was taken out.
//!
//! It must never hold anything of that mail: not its body, not a header that could carry what was found, not a rule's name.

use labward_milter::Reply;

use super::mail::Mail;

/// Headers that stay: who, to whom, when, about what, and by which way.
const KEPT: &[&str] = &[
    "auto-submitted",
    "cc",
    "date",
    "from",
    "in-reply-to",
    "message-id",
    "mime-version",
    "received",
    "references",
    "reply-to",
    "return-path",
    "sender",
    "subject",
    "to",
];

/// A longer value is none that people wrote, in bytes (the longest line of RFC 5322).
const VALUE_MAX_BYTES: usize = 998;

/// The most headers that are removed one by one.
const REMOVED_MAX: usize = 1_000;

/// Turns the mail into the notice; none if it has more headers than can be removed.
pub(super) fn replies(mail: &Mail, item: u64, leading_space: bool) -> Option<Vec<Reply>> {
    let mut replies = Vec::new();
    let mut seen: Vec<(String, u32)> = Vec::new();
    let mut has_version = false;
    for (name, value) in mail.headers() {
        let shown = String::from_utf8_lossy(name.trim_ascii()).to_ascii_lowercase();
        let number = number(&mut seen, &shown)?;
        if !KEPT.contains(&shown.as_str()) || value.len() > VALUE_MAX_BYTES {
            let name = name.trim_ascii().to_vec();
            replies.push(Reply::ChangeHeader(number, name, Vec::new()));
        } else if shown == "mime-version" {
            has_version = true;
        }
        if replies.len() > REMOVED_MAX {
            return None;
        }
    }
    // From the last to the first, so that a number means the same however the mail server counts what is gone.
    replies.reverse();
    let mut add = |name: &str, value: &str| {
        let value = if leading_space {
            format!(" {value}")
        } else {
            value.to_owned()
        };
        replies.push(Reply::AddHeader(name.into(), value.into_bytes()));
    };
    if !has_version {
        add("MIME-Version", "1.0");
    }
    add("Content-Type", "text/plain; charset=utf-8");
    add("Content-Transfer-Encoding", "quoted-printable");
    add(
        super::mail::SCAN_HEADER,
        &format!("malicious (quarantine {item})"),
    );
    replies.extend(Reply::body(body(item).as_bytes()));
    Some(replies)
}

/// Which one of its name this header is, from 1; none if there are too many names.
fn number(seen: &mut Vec<(String, u32)>, name: &str) -> Option<u32> {
    if let Some((_, number)) = seen.iter_mut().find(|(of, _)| of == name) {
        *number = number.checked_add(1)?;
        return Some(*number);
    }
    if seen.len() >= REMOVED_MAX + KEPT.len() {
        return None;
    }
    seen.push((name.to_owned(), 1));
    Some(1)
}

/// The notice in both languages, encoded (RFC 2045 section 6.7).
fn body(item: u64) -> String {
    let text = format!(
        "The mail that stood here was taken out: malware was found in it.\n\
         \n\
         Sender, date and subject are those of that mail. Do not answer it.\n\
         It is kept, sealed, in quarantine as number {item}.\n\
         If you need it, give this number to whoever looks after Labward\n\
         in your laboratory: two people together can give it back.\n\
         \n\
         --\n\
         \n\
         El correo que estaba aquí se retiró:\n\
         contenía un programa malicioso.\n\
         \n\
         Remitente, fecha y asunto son los de aquel correo. No lo responda.\n\
         Se conserva, sellado, en cuarentena con el número\n\
         {item}.\n\
         Si lo necesita, dé este número a quien se ocupa\n\
         de Labward en su laboratorio: dos personas juntas\n\
         pueden devolverlo.\n"
    );
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'\n' => out.push_str("\r\n"),
            b'=' | 0x7f.. => out.push_str(&format!("={byte:02X}")),
            other => out.push(char::from(other)),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::mail_filter::mail::Memory;

    fn mail(headers: &[(&str, &str)]) -> Mail {
        let mut mail = Mail::new(&Memory::of(100 << 20), 100 << 20);
        for (name, value) in headers {
            mail.add_header(name.as_bytes().to_vec(), value.as_bytes());
        }
        mail
    }

    #[test]
    fn no_header_that_could_carry_anything_stays() {
        let long = "x".repeat(VALUE_MAX_BYTES + 1);
        let mail = mail(&[
            ("From", " a@lab.example"),
            ("Content-Type", " multipart/mixed"),
            ("X-A", " 1"),
            ("x-a ", " 2"),
            ("References", &long),
        ]);
        let replies = replies(&mail, 7, true).unwrap();
        let removed: Vec<(u32, &[u8])> = replies
            .iter()
            .filter_map(|reply| match reply {
                Reply::ChangeHeader(number, name, value) => {
                    assert!(value.is_empty());
                    Some((*number, name.as_slice()))
                }
                _ => None,
            })
            .collect();
        let expect: [(u32, &[u8]); 4] = [
            (1, b"References"),
            (2, b"x-a"),
            (1, b"X-A"),
            (1, b"Content-Type"),
        ];
        assert_eq!(removed, expect);
        let version = Reply::AddHeader(b"MIME-Version".to_vec(), b" 1.0".to_vec());
        assert!(replies.contains(&version));
    }

    #[test]
    fn the_notice_names_the_number_in_lines_that_every_server_takes() {
        let body = body(u64::MAX);
        assert_eq!(body.matches(&u64::MAX.to_string()).count(), 2);
        assert!(body.is_ascii());
        assert!(body.lines().all(|line| line.len() <= 76), "{body}");
    }

    #[test]
    fn a_mail_of_headers_without_end_has_no_notice() {
        let many: Vec<String> = (0..2_000).map(|n| format!("X-{n}")).collect();
        let headers: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "")).collect();
        assert!(replies(&mail(&headers), 1, true).is_none());
        assert!(replies(&mail(&[("X-A", ""); 2_000]), 1, true).is_none());
    }
}

//! RTF: objects written as digits, and fields.
//!
//! Word reads such digits through almost anything that stands between them, and files are made so that a
//! scanner does not: blanks, groups, words of control, `\bin`, characters as `\'hh`.

use crate::kind::Kind;
use crate::path::Step;
use crate::seen::{Declared, Obstacle, Part, Sign};
use crate::walk::Walker;

use super::bytes::up_to;
use super::ole::office::{find_ole, is_dde};
use super::ole::package::{enter_native, ole1};

/// Groups in groups; what is deeper belongs to the last one counted.
const DEEPEST: usize = 10_000;
/// The most of a field code that is kept.
const LONGEST_CODE: usize = 4_096;

pub(crate) fn open(walker: &mut Walker<'_>, part: &Part<'_>) {
    let mut reader = Reader {
        bytes: part.bytes,
        at: 0,
        groups: vec![Target::Text],
        digits: Vec::new(),
        half: None,
        code: Vec::new(),
        class: Vec::new(),
        template: Vec::new(),
    };
    let mut number = 0;
    let mut told_dde = false;
    let mut told_link = false;
    while let Some(ended) = reader.next_group() {
        if !walker.goes_on() {
            return;
        }
        match ended {
            Target::Object => {
                number += 1;
                let data = std::mem::take(&mut reader.digits);
                let class = std::mem::take(&mut reader.class);
                walker.spend(data.len());
                open_object(walker, number, &data, &class);
            }
            Target::Field => {
                let code = std::mem::take(&mut reader.code);
                if is_dde(&code) && !std::mem::replace(&mut told_dde, true) {
                    walker.sign(Sign::Dde);
                }
            }
            Target::Template => {
                let template = std::mem::take(&mut reader.template);
                if points_outside(&template) && !std::mem::replace(&mut told_link, true) {
                    walker.sign(Sign::ExternalLink);
                }
            }
            _ => {}
        }
    }
}

/// A template on another machine; one in the sender's own folders is what every document names.
fn points_outside(template: &[u8]) -> bool {
    let template = template.trim_ascii();
    template.starts_with(b"\\\\")
        || [&b"http:"[..], b"https:", b"ftp:", b"file:"]
            .iter()
            .any(|scheme| up_to(template, 0, scheme.len()).eq_ignore_ascii_case(scheme))
}

fn open_object(walker: &mut Walker<'_>, number: usize, data: &[u8], class: &[u8]) {
    let class = String::from_utf8_lossy(class.trim_ascii()).into_owned();
    let step = Step::Place(format!("object {number}"));
    if data.is_empty() {
        return;
    }
    if let Some(object) = ole1(data) {
        let class = match object.class.is_empty() {
            true => class,
            false => object.class,
        };
        walker.within(step.clone(), |walker| match object.topic {
            Some(_) => walker.sign(Sign::ExternalLink),
            None => enter_native(walker, 1, &class, object.native),
        });
        // A wrong length in it is no place to hide the rest.
        if object.topic.is_some() || find_ole(object.native).is_some() {
            return;
        }
    }
    let from = find_ole(data).and_then(|at| data.get(at..));
    match (from, ole1(data)) {
        (Some(file), _) => {
            walker.enter([step.clone()], &Declared::nothing(), file);
            walker.sign_at(step, Sign::EmbeddedObject);
        }
        (None, Some(_)) => {}
        (None, None) => {
            walker.enter([step.clone()], &Declared::nothing(), data);
            walker.sign_at(step.clone(), Sign::EmbeddedObject);
            walker.obstacle_at(step, Obstacle::Damaged(Kind::Rtf));
        }
    }
}

/// Where the text of a group goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Text,
    Object,
    Class,
    Field,
    Template,
    /// A group in one of the others, whose text is passed over.
    Nothing,
}

struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
    groups: Vec<Target>,
    digits: Vec<u8>,
    half: Option<u8>,
    code: Vec<u8>,
    class: Vec<u8>,
    template: Vec<u8>,
}

impl Reader<'_> {
    /// Reads on until a group ends that held something; at the end of the bytes the open ones end too.
    fn next_group(&mut self) -> Option<Target> {
        while let Some(c) = self.bytes.get(self.at).copied() {
            self.at += 1;
            match c {
                b'{' => {
                    let target = self.target();
                    if self.groups.len() < DEEPEST {
                        self.groups.push(target);
                    }
                }
                b'}' => {
                    let ended = self.groups.pop()?;
                    if self.groups.is_empty() {
                        self.groups.push(Target::Text);
                    }
                    // A group in the group of an object goes on in it.
                    if ended != Target::Text && ended != self.target() {
                        if ended == Target::Object {
                            self.half = None;
                        }
                        return Some(ended);
                    }
                }
                b'\\' => self.control(),
                c => self.text(c),
            }
        }
        let ended = self.groups.pop()?;
        Some(ended)
    }

    fn target(&self) -> Target {
        self.groups.last().copied().unwrap_or(Target::Text)
    }

    fn aim(&mut self, target: Target) {
        if let Some(last) = self.groups.last_mut() {
            *last = target;
        }
    }

    fn text(&mut self, c: u8) {
        match self.target() {
            Target::Object => self.digit(c),
            Target::Field if self.code.len() < LONGEST_CODE && !matches!(c, b'\r' | b'\n') => {
                self.code.push(c);
            }
            Target::Class if self.class.len() < LONGEST_CODE => self.class.push(c),
            Target::Template if self.template.len() < LONGEST_CODE => self.template.push(c),
            _ => {}
        }
    }

    fn digit(&mut self, c: u8) {
        let Some(digit) = char::from(c)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
        else {
            return;
        };
        match self.half.take() {
            Some(high) => self.digits.push(high << 4 | digit),
            None => self.half = Some(digit),
        }
    }

    /// A word or a character of control, behind its backslash.
    fn control(&mut self) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let letters = rest.iter().take_while(|c| c.is_ascii_alphabetic()).count();
        let Some(word) = rest.get(..letters).filter(|word| !word.is_empty()) else {
            return self.character(rest);
        };
        let behind = rest.get(letters..).unwrap_or_default();
        let minus = usize::from(behind.first() == Some(&b'-'));
        let digits = behind
            .iter()
            .skip(minus)
            .take_while(|c| c.is_ascii_digit())
            .count();
        let parameter = behind.get(..minus + digits).unwrap_or_default();
        let blank = usize::from(behind.get(minus + digits) == Some(&b' '));
        self.at += letters + minus + digits + blank;
        match word {
            b"objdata" => {
                self.digits.clear();
                self.half = None;
                self.aim(Target::Object);
            }
            b"objclass" => self.aim(Target::Class),
            b"fldinst" => self.aim(Target::Field),
            b"template" => self.aim(Target::Template),
            b"bin" => self.binary(parameter),
            _ => {}
        }
    }

    fn character(&mut self, rest: &[u8]) {
        match rest {
            // A character as two digits: text, but never a digit of an object.
            [b'\'', high, low, ..] => {
                self.at += 3;
                if self.target() != Target::Object
                    && let Some(c) = hex(*high, *low)
                {
                    self.text(c);
                }
            }
            // A group that a reader may pass over: of what an object holds, it does.
            [b'*', ..] => {
                self.at += 1;
                if self.target() == Target::Object && self.groups.len() > 1 {
                    let before = self.groups.len().checked_sub(2);
                    let inner = before.and_then(|i| self.groups.get(i)) == Some(&Target::Object);
                    if inner {
                        self.aim(Target::Nothing);
                    }
                }
            }
            _ => self.at += 1,
        }
    }

    /// As many bytes as they are.
    fn binary(&mut self, parameter: &[u8]) {
        let len = std::str::from_utf8(parameter)
            .ok()
            .and_then(|n| n.parse().ok());
        let content = up_to(self.bytes, self.at, len.unwrap_or(0));
        if self.target() == Target::Object {
            self.digits.extend_from_slice(content);
        }
        self.at += content.len();
    }
}

fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |c: u8| char::from(c).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use crate::testing::{part, seen};

    /// An object of OLE 1 that packages a script, as digits.
    fn object() -> String {
        let mut package = vec![2, 0];
        package.extend(b"run.sh\0C:\\run.sh\0\0\0\x03\0\x04\0\0\0tmp\0");
        package.extend(10_u32.to_le_bytes());
        package.extend(b"#!/bin/sh\n");
        let mut object = b"\x01\x05\0\0\x02\0\0\0\x08\0\0\0Package\0\0\0\0\0\0\0\0\0".to_vec();
        object.extend(u32::try_from(package.len()).unwrap().to_le_bytes());
        object.extend(package);
        object.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn digits_are_read_through_what_hides_them() {
        let digits = object();
        let (first, rest) = digits.split_at(21);
        for hidden in [
            digits.clone(),
            format!("{first} \r\n\t{rest}"),
            format!("{first}\\par {rest}"),
            format!("{first}{{\\*\\hidden abcdef}}{rest}"),
            format!("{first}\\'41{rest}"),
            format!("{{{first}}}{rest}"),
        ] {
            let rtf = format!("{{\\rt1{{\\object\\objemb{{\\*\\objdata {hidden}}}}}}}");
            let seen = seen(rtf.as_bytes());
            assert!(
                seen.contains(&"object 1 : run.sh = script".to_owned()),
                "{hidden}: {seen:?}"
            );
            assert_eq!(part(rtf.as_bytes(), "run.sh"), b"#!/bin/sh\n");
        }
    }

    #[test]
    fn fields_and_templates_are_told() {
        let rtf = b"{\\rtf1{\\*\\template http://a.test/t.dotm}{\\field{\\*\\fldinst{\\b  DD}{EAUTO c:\\\\x}}}}";
        let seen = seen(rtf);
        assert!(seen.contains(&" ! dde".to_owned()), "{seen:?}");
        assert!(seen.contains(&" ! external-link".to_owned()), "{seen:?}");
        assert_eq!(
            crate::testing::seen(b"{\\rtf1{\\field{\\*\\fldinst PAGE}}}"),
            [" = rtf"]
        );
    }
}

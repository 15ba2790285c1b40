//! PDF (ISO 32000-1): files in it, scripts, what it starts by itself.
//!
//! Own reading of the objects wherever they stand, for a damaged table hides nothing from the programs that open
//! such files. Only what is encrypted without a password goes through `lopdf`, and is then read as any other.
//! Streams are shown where they hold a known type of file or a script: a report's pages are not.

mod body;
mod filter;
mod object;

use std::borrow::Cow;
use std::collections::HashSet;

use memchr::memmem;

use crate::kind::Kind;
use crate::path::Step;
use crate::seen::{Declared, Obstacle, Part, Sign};
use crate::walk::Walker;

use super::bytes::{text, utf16be, utf16le};
use super::guard::guarded;
use super::trailing;
use body::{Body, Object};
use object::Value;

/// A longer encrypted document is not given to the library.
const LONGEST_ENCRYPTED: usize = 64 << 20;

pub(crate) fn open(walker: &mut Walker<'_>, part: &Part<'_>) {
    let body = Body::read(walker, part.bytes);
    if body.encrypted {
        match decrypted(part.bytes) {
            Some(open) => {
                let body = Body::read(walker, &open);
                look(walker, &body);
            }
            None => walker.obstacle(Obstacle::Encrypted),
        }
    } else {
        // Elsewhere the mark may be a word in a text.
        if body.objects.is_empty() && part.bytes.starts_with(b"%PDF-") {
            walker.obstacle(Obstacle::Damaged(Kind::Pdf));
        }
        look(walker, &body);
    }
    let end = memmem::rfind(part.bytes, b"%%EOF").map(|at| at + 5);
    trailing::tell_known(walker, part.bytes, end);
}

/// Written again without encryption, if the empty password opens it.
fn decrypted(bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.len() > LONGEST_ENCRYPTED {
        return None;
    }
    guarded(|| {
        let mut document = lopdf::Document::load_mem(bytes).ok()?;
        if document.trailer.has(b"Encrypt") {
            document.decrypt("").ok()?;
        }
        let mut open = Vec::new();
        document.save_to(&mut open).ok()?;
        Some(open)
    })
    .flatten()
}

fn look(walker: &mut Walker<'_>, body: &Body<'_>) {
    let mut looking = Looking {
        body,
        told: HashSet::new(),
        entered: HashSet::new(),
    };
    for object in &body.objects {
        if !walker.goes_on() {
            return;
        }
        looking.value(walker, object.number, &object.value);
    }
    for object in &body.objects {
        if !walker.goes_on() {
            return;
        }
        looking.stream(walker, object);
    }
}

struct Looking<'l, 'b> {
    body: &'l Body<'b>,
    told: HashSet<Sign>,
    /// Streams that were shown, by where they stand.
    entered: HashSet<usize>,
}

impl<'b> Looking<'_, 'b> {
    fn tell(&mut self, walker: &mut Walker<'_>, sign: Sign) {
        if self.told.insert(sign) {
            walker.sign(sign);
        }
    }

    /// Looks at a value and those in it.
    fn value(&mut self, walker: &mut Walker<'_>, number: u32, value: &Value) {
        match value {
            Value::Dict(entries) => {
                self.dict(walker, number, value);
                for (_, value) in entries {
                    self.value(walker, number, value);
                }
            }
            Value::Array(values) => {
                for value in values {
                    self.value(walker, number, value);
                }
            }
            _ => {}
        }
    }

    fn dict(&mut self, walker: &mut Walker<'_>, number: u32, dict: &Value) {
        if let Some(script) = dict.get("JS") {
            self.script(walker, number, script);
        }
        if dict.is("S", "Launch") || self.starts_something(dict) {
            self.tell(walker, Sign::PdfAction);
        }
        if let Some(files) = dict.get("EF") {
            self.file(walker, dict, files);
        }
        if let Some(form) = dict.get("XFA") {
            self.form(walker, form);
        }
    }

    fn script(&mut self, walker: &mut Walker<'_>, number: u32, script: &Value) {
        self.tell(walker, Sign::PdfScript);
        let step = Step::Place(format!("script {number}"));
        match (self.body.resolve(script), script) {
            (Value::Text(script), _) => {
                let declared = Declared::typed("text/javascript");
                show(walker, step, &declared, string(script).as_bytes(), None);
            }
            (_, Value::Reference(number)) => {
                self.enter(walker, *number, step, &Declared::typed("text/javascript"));
            }
            _ => {}
        }
    }

    /// An action that runs when the document or a page is opened, closed, saved or printed (12.6.3). One that
    /// only goes to a page is none, and the checks of form fields (keys K, F, V, C alone) are scripts only.
    fn starts_something(&self, dict: &Value) -> bool {
        let acts = |value: &Value| {
            let action = self.body.resolve(value);
            matches!(
                action
                    .get("S")
                    .map(|s| self.body.resolve(s))
                    .and_then(Value::name),
                Some(
                    "Launch"
                        | "URI"
                        | "SubmitForm"
                        | "ImportData"
                        | "JavaScript"
                        | "GoToR"
                        | "GoToE"
                        | "Rendition"
                )
            )
        };
        let additional = dict.get("AA").map(|aa| self.body.resolve(aa));
        let events = match additional {
            Some(Value::Dict(events)) => events.as_slice(),
            _ => &[],
        };
        dict.get("OpenAction").is_some_and(acts)
            || events
                .iter()
                .filter(|(event, _)| !matches!(event.as_str(), "K" | "F" | "V" | "C"))
                .any(|(_, action)| acts(action))
    }

    /// An embedded file (7.11.4), by the name of its specification.
    fn file(&mut self, walker: &mut Walker<'_>, spec: &Value, files: &Value) {
        let name = ["UF", "F", "Unix", "DOS", "Mac"]
            .iter()
            .filter_map(|key| spec.get(key))
            .find_map(|name| match self.body.resolve(name) {
                Value::Text(name) => Some(string(name)),
                _ => None,
            })
            .unwrap_or_default();
        let Value::Dict(entries) = self.body.resolve(files) else {
            return;
        };
        for (_, file) in entries {
            if let Value::Reference(number) = file {
                let step = Step::member(*number as usize, &name);
                self.enter(walker, *number, step, &Declared::named(&name));
            }
        }
    }

    fn form(&mut self, walker: &mut Walker<'_>, form: &Value) {
        for packet in self.body.resolve(form).each() {
            let Value::Reference(number) = packet else {
                continue;
            };
            let step = Step::Place(format!("form {number}"));
            self.form_packet(walker, *number, step);
        }
        if let Value::Reference(number) = form {
            let step = Step::Place(format!("form {number}"));
            self.form_packet(walker, *number, step);
        }
    }

    fn form_packet(&mut self, walker: &mut Walker<'_>, number: u32, step: Step) {
        let declared = Declared::typed("application/xdp+xml");
        let content = self.enter(walker, number, step, &declared);
        if content.is_some_and(|xml| memmem::find(&xml, b"application/x-javascript").is_some()) {
            self.tell(walker, Sign::PdfScript);
        }
    }

    /// Shows a stream whatever it holds, once.
    fn enter(
        &mut self,
        walker: &mut Walker<'_>,
        number: u32,
        step: Step,
        declared: &Declared,
    ) -> Option<Cow<'b, [u8]>> {
        let body = self.body;
        let object = body.object(number)?;
        let stream = object
            .stream
            .filter(|s| self.entered.insert(s.as_ptr().addr()))?;
        let (content, obstacle) = filter::unpacked(walker, &object.value, stream);
        show(walker, step, declared, &content, obstacle);
        Some(content)
    }

    /// Shows a stream that nothing names, if it holds a known type of file.
    fn stream(&mut self, walker: &mut Walker<'_>, object: &Object<'_>) {
        let Some(stream) = object.stream else {
            return;
        };
        let is_structure = object.value.is("Type", "ObjStm") || object.value.is("Type", "XRef");
        if is_structure || self.entered.contains(&stream.as_ptr().addr()) {
            return;
        }
        let step = Step::Place(format!("stream {}", object.number));
        let (content, obstacle) = filter::unpacked(walker, &object.value, stream);
        if object.value.is("Type", "EmbeddedFile") || trailing::is_known(&content) {
            self.entered.insert(stream.as_ptr().addr());
            show(walker, step, &Declared::nothing(), &content, obstacle);
        } else if let Some(obstacle) = obstacle {
            walker.obstacle_at(step, obstacle);
        }
    }
}

fn show(
    walker: &mut Walker<'_>,
    step: Step,
    declared: &Declared,
    content: &[u8],
    obstacle: Option<Obstacle>,
) {
    walker.within(Step::Packing(Kind::Pdf.code()), |walker| {
        walker.enter([step.clone()], declared, content);
        if let Some(obstacle) = obstacle {
            walker.obstacle_at(step, obstacle);
        }
    });
}

/// A text string (7.9.2): UTF-16 with its mark, else one byte a character.
fn string(bytes: &[u8]) -> String {
    match bytes {
        [0xfe, 0xff, rest @ ..] => utf16be(rest),
        [0xff, 0xfe, rest @ ..] => utf16le(rest),
        [0xef, 0xbb, 0xbf, rest @ ..] => text(rest),
        _ => bytes.iter().map(|c| char::from(*c)).collect(),
    }
}

#[cfg(test)]
mod tests;

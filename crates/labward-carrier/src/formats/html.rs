//! Web pages: `data:` URIs, what their scripts have as strings and lists of numbers, and whether a script
//! hands a file to the reader (HTML smuggling, MITRE ATT&CK T1027.006). No script is run.

use memchr::memmem;

use crate::find::{self, Found};
use crate::formats::script;
use crate::kind::{Claims, Kind};
use crate::path::Step;
use crate::seen::{Declared, Part, Sign};
use crate::walk::Walker;

/// What a script says that builds a file or hands it over, in lower case.
const MAKERS: &[&[u8]] = &[
    b"new blob(",
    b"new file(",
    b"createobjecturl",
    b"mssaveoropenblob",
    b"mssaveblob",
    b".download",
    b" download=",
];
/// So many digits of Base64 in a script are a file, even if what they decode to is not known: it may be
/// encrypted.
const LONG: usize = 2_048;

pub(crate) fn open(walker: &mut Walker<'_>, part: &Part<'_>) {
    let mut holds_file = false;
    let (mut line, mut counted) = (1, 0);
    find::all(part.bytes, &mut |found| {
        holds_file |= is_file(&found);
        let before = part.bytes.get(counted..found.at).unwrap_or_default();
        line += memchr::memchr_iter(b'\n', before).count();
        counted = found.at;
        let steps = [
            Step::Place(format!("line {line}")),
            Step::Packing(found.writing),
        ];
        walker.enter(steps, &found.declared, &found.bytes);
        walker.goes_on()
    });
    for script in scripts(part.bytes) {
        if !walker.goes_on() {
            return;
        }
        holds_file |= has_long_run(script);
        script::all(script, &mut |place, writing, bytes| {
            holds_file |= !(is_picture(bytes) || (writing.is_none() && is_words(bytes)));
            let steps = std::iter::once(Step::Place(place)).chain(writing.map(Step::Packing));
            walker.enter(steps, &Declared::nothing(), bytes);
            walker.goes_on()
        });
    }
    let low = part.bytes.to_ascii_lowercase();
    if holds_file
        && MAKERS
            .iter()
            .any(|maker| memmem::find(&low, maker).is_some())
    {
        walker.sign(Sign::HtmlSmuggling);
    }
}

/// Whether it is something that a page hands over, not what it shows.
fn is_file(found: &Found) -> bool {
    let said = found.declared.media_type.as_deref().unwrap_or("");
    let shows = [
        "image/",
        "font/",
        "text/",
        "audio/",
        "video/",
        "application/font",
    ];
    !(shows.iter().any(|family| said.starts_with(family)) || is_picture(&found.bytes))
}

fn is_picture(bytes: &[u8]) -> bool {
    let kind = Claims::of(bytes).main();
    matches!(
        kind,
        Kind::Jpeg | Kind::Png | Kind::Gif | Kind::Bmp | Kind::Json
    ) || bytes.starts_with(b"wOFF")
        || bytes.starts_with(b"wOF2")
}

/// What a page says or shows: a string of words with an escape in it is no file.
fn is_words(bytes: &[u8]) -> bool {
    matches!(
        Claims::of(bytes).main(),
        Kind::Text | Kind::Html | Kind::Xml
    )
}

/// The texts of the scripts of a page.
fn scripts(page: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = page;
    std::iter::from_fn(move || {
        let (_, after) = split_at_mark(rest, b"<script")?;
        let open = memchr::memchr(b'>', after)?;
        let script = after.get(open + 1..)?;
        let (script, after) = split_at_mark(script, b"</script").unwrap_or((script, b""));
        rest = after;
        Some(script)
    })
}

/// What stands before a mark, in any case of its letters, and what stands behind it.
fn split_at_mark<'a>(text: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    memchr::memchr_iter(b'<', text)
        .find(|at| {
            text.get(*at..at + mark.len())
                .is_some_and(|found| found.eq_ignore_ascii_case(mark))
        })
        .and_then(|at| Some((text.get(..at)?, text.get(at + mark.len()..)?)))
}

/// Whether a very long string that is no picture stands in the script.
fn has_long_run(script: &[u8]) -> bool {
    let is_digit = |byte: &u8| crate::decode::base64_digit(*byte).is_some();
    script.split(|byte| !is_digit(byte)).any(|run| {
        run.len() >= LONG && !is_picture(&crate::decode::base64(run.get(..64).unwrap_or(run)).bytes)
    })
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use crate::testing::{parts, seen};

    fn program() -> Vec<u8> {
        let mut bytes = b"MZ\x50\0\x02\0\0\0\x04\0".to_vec();
        bytes.resize(300, 0xa5);
        bytes
    }

    #[test]
    fn a_file_that_a_script_builds_is_shown_and_told() {
        let base64 = STANDARD.encode(program());
        let (one, two) = base64.split_at(150);
        let numbers: Vec<String> = program().iter().map(u8::to_string).collect();
        let hex: String = program()
            .iter()
            .map(|byte| format!("\\x{byte:02x}"))
            .collect();
        for (data, path) in [
            (format!("atob('{base64}')"), "line 1 / base64"),
            (format!("atob('{one}' +\n \"{two}\")"), "string 1 / base64"),
            (format!("['{one}', '{two}'].join('')"), "string 1 / base64"),
            (format!("[{}]", numbers.join(", ")), "numbers 1"),
            (format!("\"{hex}\""), "string 1"),
        ] {
            let page = format!(
                "<html><SCRIPT type=a>var b = new Blob([{data}]); a.download = 'r.exe'</Script></html>"
            );
            let found = parts(page.as_bytes());
            let at = found.iter().find(|(_, bytes)| *bytes == program());
            assert_eq!(at.map(|(path, _)| path.as_str()), Some(path), "{data}");
            assert_eq!(seen(page.as_bytes()).last().unwrap(), " ! html-smuggling");
        }
        let secret: String = "q9Zk".repeat(800);
        let page = format!("<html><script>x(new Blob([d('{secret}')]))</script>");
        assert_eq!(seen(page.as_bytes()), [" = html", " ! html-smuggling"]);
        let link = format!(
            "<html><a download=\"r.exe\" href=\"data:application/octet-stream;base64,{base64}\">"
        );
        assert_eq!(
            seen(link.as_bytes()),
            [" = html", "line 1 / base64 = dos", " ! html-smuggling"]
        );
    }

    #[test]
    fn pictures_and_exports_are_no_smuggling() {
        let mut picture = b"\x89PNG\r\n\x1a\n".to_vec();
        picture.resize(4_000, 0x5a);
        let picture = STANDARD.encode(picture);
        for page in [
            format!(
                "<html><img src=\"data:image/png;base64,{picture}\"><a download=\"a.csv\" href=\"/a.csv\">"
            ),
            format!(
                "<html><script>var logo = '{picture}'; save(new Blob([rows.join('\\n')]))</script>"
            ),
            "<html><script>var a=[1,2,3]; save(new Blob([rows]))</script>don't".to_owned(),
            "<html><script>say('Nothing to export: the log doesn\\'t hold a run.'); save(new Blob([rows]))</script>"
                .to_owned(),
            "<html><script>row='<tr><td>\\u00a0</td><td>a row of the table to print</td></tr>'; save(new Blob([rows]))</script>"
                .to_owned(),
        ] {
            let found = seen(page.as_bytes());
            assert!(found.iter().all(|line| !line.contains('!')), "{found:?}");
        }
    }

    proptest! {
        #[test]
        fn any_page_ends(rest in "[<>/a-z='\"+,\\[\\]\\\\x0-9 \n]{0,300}", bytes: Vec<u8>) {
            for rest in [rest.as_bytes(), &bytes] {
                prop_assert!(!seen(&[b"<html><script>", rest].concat()).is_empty());
            }
        }
    }
}

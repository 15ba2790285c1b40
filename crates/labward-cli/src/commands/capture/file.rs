//! `device read-capture`: captures of traffic, read here and now without a server.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use labward_base::problem;
use labward_capture::file::FlawKind;
use labward_capture::oui::Registry;
use labward_capture::{CaptureReader, Observed, Observer};

use super::{Answer, Context, registry, show, write};
use crate::args::ReadCaptureArgs;
use crate::failure::Failure;

/// So much of a file is read at once.
const PIECE_BYTES: u64 = 1 << 20;

pub(in crate::commands) fn run(
    context: &Context,
    arguments: &ReadCaptureArgs,
) -> Result<(), Failure> {
    let registry = arguments.oui.as_deref().map(registry).transpose()?;
    let (answer, damaged) = answer(arguments.files.iter().map(open), registry.as_ref())?;
    show(context.json, &answer, |out| write(out, &answer))?;
    match damaged {
        Some(text) => Err(Failure::new(&problem::CLI_FILE, text)),
        None => Ok(()),
    }
}

/// What captures show.
pub(in crate::commands) struct Captured {
    pub(in crate::commands) observed: Observed,
    /// What of them was not looked at.
    pub(in crate::commands) remarks: Vec<String>,
    /// Which of them is damaged, if one is.
    pub(in crate::commands) damaged: Option<String>,
}

/// Reads all captures as one, because a device may be in several.
pub(in crate::commands) fn observe<'a, R: Read>(
    files: impl Iterator<Item = Result<(&'a Path, R), Failure>>,
) -> Result<Captured, Failure> {
    let mut observer = Observer::default();
    let mut remarks = Vec::new();
    let mut damaged = None;
    for file in files {
        let (path, mut file) = file?;
        let mut reader = CaptureReader::new();
        feed(&mut file, &mut reader, &mut observer).map_err(|error| unreadable(path, &error))?;
        let Some(flaw) = reader.flaw() else { continue };
        let text = format!("{}: {flaw}", path.display());
        match flaw.kind {
            FlawKind::NotACapture => return Err(Failure::new(&problem::CLI_FILE, text)),
            // A capture that is stopped often ends within a packet.
            FlawKind::Truncated => {}
            FlawKind::Damaged | FlawKind::TooLong => damaged = Some(text.clone()),
        }
        remarks.push(text);
    }
    Ok(Captured {
        observed: observer.finish(),
        remarks,
        damaged,
    })
}

/// What the captures say, and which of them is damaged, if one is.
fn answer<'a, R: Read>(
    files: impl Iterator<Item = Result<(&'a Path, R), Failure>>,
    registry: Option<&Registry>,
) -> Result<(Answer, Option<String>), Failure> {
    let captured = observe(files)?;
    let answer = Answer::new(captured.observed, registry, captured.remarks);
    Ok((answer, captured.damaged))
}

pub(in crate::commands) fn open(path: &PathBuf) -> Result<(&Path, File), Failure> {
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    Ok((path, file))
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(
        &problem::CLI_FILE,
        format!("read {}: {error}", path.display()),
    )
}

/// Hands a file over piece by piece; what is not done with stays for the next piece.
fn feed(
    file: &mut impl Read,
    reader: &mut CaptureReader,
    observer: &mut Observer,
) -> io::Result<()> {
    let mut waiting = Vec::new();
    loop {
        let mut piece = file.by_ref().take(PIECE_BYTES);
        let is_end = piece.read_to_end(&mut waiting)? == 0;
        let done = reader.read(&waiting, is_end, |frame| {
            observer.observe(frame.at, frame.link, frame.bytes);
        });
        waiting.drain(..done);
        if is_end || reader.flaw().is_some() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An ARP request of 10.0.0.7 as a capture in the form of pcap.
    fn capture() -> Vec<u8> {
        let mut frame = vec![0xff; 6];
        frame.extend([
            0, 0x10, 0x7f, 1, 2, 3, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 0, 0x10, 0x7f, 1, 2, 3,
        ]);
        frame.extend([10, 0, 0, 7, 0, 0, 0, 0, 0, 0, 10, 0, 0, 9]);
        let mut file = vec![
            0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0,
        ];
        file.extend([1, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 42, 0, 0, 0, 42, 0, 0, 0]);
        file.extend(frame);
        file
    }

    fn read_all(files: &[&[u8]]) -> Result<(Answer, Option<String>), Failure> {
        let registry = Registry::read(b"MA-L,00107F,Acme Converters,x\n").unwrap();
        let files = files.iter().map(|file| Ok((Path::new("lab.pcap"), *file)));
        answer(files, Some(&registry))
    }

    #[test]
    fn a_device_in_two_captures_is_one_with_its_card_and_its_maker() {
        let (answer, damaged) = read_all(&[&capture(), &capture()]).unwrap();
        assert_eq!(damaged, None);
        let json = serde_json::to_value(&answer).unwrap();
        let device = &json["devices"][0];
        assert_eq!(
            (&device["mac"], &device["ips"][0]),
            (&"00:10:7f:01:02:03".into(), &"10.0.0.7".into())
        );
        assert_eq!(device["known"][0]["value"], "Acme Converters");
        assert_eq!(device["known"][0]["confidence"], "hint");
        assert_eq!(device["known"][0]["seen"], "1970-01-01T00:00:07.000000Z");
        assert_eq!((answer.devices.len(), answer.frames), (1, 2));
        let mut text = Vec::new();
        write(&mut text, &answer).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(
            text.starts_with("10.0.0.7  00:10:7f:01:02:03\n  what          value"),
            "{text}"
        );
        assert!(
            text.ends_with("devices: 1; conversations: 0; frames: 2 (84 bytes)\n"),
            "{text}"
        );
    }

    #[test]
    fn a_capture_that_breaks_off_is_read_so_far_and_a_damaged_one_is_a_failure_after_it() {
        let whole = capture();
        let cut = [&whole[..], &whole[24..50]].concat();
        let (answer, damaged) = read_all(&[&cut]).unwrap();
        assert_eq!((answer.frames, damaged), (1, None));
        assert_eq!(
            answer.remarks,
            ["lab.pcap: the capture ends within a packet (byte 82)"]
        );
        let hostile = [&whole[..], &[0xff; 16]].concat();
        let (answer, damaged) = read_all(&[&hostile]).unwrap();
        assert_eq!(answer.frames, 1);
        assert!(damaged.unwrap().contains("byte 82"));
        assert!(read_all(&[b"no capture at all"]).is_err());
    }
}

//! Several messages in one: the batch protocol `FHS BHS … BTS FTS` (HL7 v2.5.1 chapter 2.10.3), and
//! messages that simply follow each other.
//!
//! It must never drop a message because the wrapping around it is wrong: the messages are given as
//! they are, and what does not fit is reported as a [`Deviation`].

use labward_base::{Problem, problem};

use crate::field::Pieces;
use crate::message::lines;
use crate::{Delimiters, LineEnding, Segment};

/// More messages than this are refused.
pub const MAX_MESSAGES: usize = 100_000;
/// More batches and files than this are refused.
pub const MAX_BATCHES: usize = 10_000;

/// Why bytes are not a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// Neither a message nor a batch header anywhere.
    #[error("read a batch: it holds neither a message nor a batch header")]
    NotHl7,
    /// More than [`MAX_MESSAGES`] messages or [`MAX_BATCHES`] batches.
    #[error("read a batch: it has more than {MAX_MESSAGES} messages or {MAX_BATCHES} batches")]
    TooMany,
}

impl BatchError {
    /// What a person is told.
    pub fn problem(&self) -> &'static Problem {
        match self {
            Self::NotHl7 => &problem::GATEWAY_NOT_HL7,
            Self::TooMany => &problem::GATEWAY_TOO_LARGE,
        }
    }
}

/// Where the wrapping does not fit what it holds; batches and files count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deviation {
    /// BTS-1 states another number of messages than the batch holds.
    BatchCount {
        /// Which batch.
        batch: usize,
        /// What BTS-1 says; `None` if it is not a number.
        stated: Option<usize>,
        /// How many messages there are.
        found: usize,
    },
    /// FTS-1 states another number of batches than the file holds.
    FileCount {
        /// Which file.
        file: usize,
        /// What FTS-1 says; `None` if it is not a number.
        stated: Option<usize>,
        /// How many batches there are.
        found: usize,
    },
    /// BTS, or messages of a batch file, without BHS.
    MissingBatchHeader,
    /// BHS without BTS: the batch may have been cut.
    MissingBatchTrailer {
        /// Which batch.
        batch: usize,
    },
    /// FTS without FHS.
    MissingFileHeader,
    /// FHS without FTS: the file may have been cut.
    MissingFileTrailer {
        /// Which file.
        file: usize,
    },
    /// Segments that belong to no message.
    StraySegments {
        /// How many.
        count: usize,
    },
}

impl Deviation {
    /// What a person is told.
    pub fn problem(&self) -> &'static Problem {
        &problem::GATEWAY_BAD_BATCH
    }
}

/// The messages of a batch, a file of batches, or a row of messages.
#[derive(Clone, Debug, Default)]
pub struct Batch<'a> {
    messages: Vec<&'a [u8]>,
    file_header: Option<Segment<'a>>,
    batch_header: Option<Segment<'a>>,
    batches: usize,
    files: usize,
    deviations: Vec<Deviation>,
}

impl<'a> Batch<'a> {
    /// True if the bytes begin with FHS or BHS, or hold more than one message: a frame that must be
    /// split.
    pub fn is_batch(bytes: &[u8]) -> bool {
        let mut kinds = lines(bytes, LineEnding::of(bytes)).map(Kind::of);
        match kinds.next() {
            Some(Kind::FileHeader | Kind::BatchHeader) => true,
            Some(Kind::Message) => kinds.any(|kind| kind == Kind::Message),
            _ => false,
        }
    }

    /// Splits the bytes; a UTF-8 byte order mark and blank lines before them are passed over.
    ///
    /// **Invariant:** parsers are total; any bytes give a batch or a [`BatchError`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, BatchError> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut splitter = Splitter::default();
        let ending = LineEnding::of(bytes);
        for (line, at) in lines_with_offset(bytes, ending) {
            splitter.take_line(bytes, line, at)?;
        }
        splitter.finish(bytes)
    }

    /// The messages in order, each with its own segment ends and unchanged.
    pub fn messages(&self) -> impl ExactSizeIterator<Item = &'a [u8]> + '_ {
        self.messages.iter().copied()
    }

    /// The first FHS.
    pub fn file_header(&self) -> Option<Segment<'a>> {
        self.file_header
    }

    /// The first BHS; BHS-11 is the batch's control id.
    pub fn batch_header(&self) -> Option<Segment<'a>> {
        self.batch_header
    }

    /// How many BHS there are.
    pub fn batches(&self) -> usize {
        self.batches
    }

    /// How many FHS there are.
    pub fn files(&self) -> usize {
        self.files
    }

    /// Where the wrapping does not fit; empty for a sound batch and for a plain row of messages.
    pub fn deviations(&self) -> &[Deviation] {
        &self.deviations
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    BatchHeader,
    BatchTrailer,
    FileHeader,
    FileTrailer,
    Message,
    Other,
}

impl Kind {
    fn of(line: &[u8]) -> Self {
        let Some((id, rest)) = line.split_at_checked(3) else {
            return Self::Other;
        };
        if rest.first().is_some_and(u8::is_ascii_alphanumeric) {
            return Self::Other;
        }
        match id {
            b"BHS" if !rest.is_empty() => Self::BatchHeader,
            b"FHS" if !rest.is_empty() => Self::FileHeader,
            b"MSH" if !rest.is_empty() => Self::Message,
            b"BTS" => Self::BatchTrailer,
            b"FTS" => Self::FileTrailer,
            _ => Self::Other,
        }
    }
}

/// Non-blank lines and where they begin.
fn lines_with_offset(bytes: &[u8], ending: LineEnding) -> impl Iterator<Item = (&[u8], usize)> {
    let base = bytes.as_ptr().addr();
    lines(bytes, ending).map(move |line| (line, line.as_ptr().addr() - base))
}

/// Walks over the lines and keeps what is open.
#[derive(Default)]
struct Splitter<'a> {
    batch: Batch<'a>,
    message_at: Option<usize>,
    /// Messages in the open batch.
    in_batch: Option<usize>,
    /// Batches in the open file.
    in_file: Option<usize>,
    stray: usize,
}

impl<'a> Splitter<'a> {
    fn take_line(&mut self, bytes: &'a [u8], line: &'a [u8], at: usize) -> Result<(), BatchError> {
        let kind = Kind::of(line);
        if kind == Kind::Other {
            self.stray += usize::from(self.message_at.is_none());
            return Ok(());
        }
        self.end_message(bytes, at)?;
        match kind {
            Kind::Message => {
                self.message_at = Some(at);
                if self.in_batch.is_none() && self.batch.batches + self.batch.files > 0 {
                    self.report_missing_header();
                }
            }
            Kind::FileHeader => {
                self.end_batch();
                self.end_file();
                self.batch.files += 1;
                self.in_file = Some(0);
                self.batch.file_header = self.batch.file_header.or_else(|| header_segment(line));
            }
            Kind::BatchHeader => {
                self.end_batch();
                self.batch.batches += 1;
                self.in_batch = Some(0);
                self.in_file = self.in_file.map(|batches| batches + 1);
                self.batch.batch_header = self.batch.batch_header.or_else(|| header_segment(line));
            }
            Kind::BatchTrailer => self.check_batch_count(line),
            Kind::FileTrailer => {
                self.end_batch();
                self.check_file_count(line);
            }
            Kind::Other => {}
        }
        let wrapping = self.batch.batches + self.batch.files + self.batch.deviations.len();
        if wrapping > MAX_BATCHES {
            Err(BatchError::TooMany)
        } else {
            Ok(())
        }
    }

    fn finish(mut self, bytes: &'a [u8]) -> Result<Batch<'a>, BatchError> {
        self.end_message(bytes, bytes.len())?;
        self.end_batch();
        self.end_file();
        if self.stray > 0 {
            self.batch
                .deviations
                .push(Deviation::StraySegments { count: self.stray });
        }
        let batch = self.batch;
        if batch.messages.is_empty() && batch.batches == 0 && batch.files == 0 {
            return Err(BatchError::NotHl7);
        }
        Ok(batch)
    }

    fn end_message(&mut self, bytes: &'a [u8], at: usize) -> Result<(), BatchError> {
        let Some(message) = self.message_at.take().and_then(|from| bytes.get(from..at)) else {
            return Ok(());
        };
        if self.batch.messages.len() >= MAX_MESSAGES {
            return Err(BatchError::TooMany);
        }
        self.batch.messages.push(message);
        self.in_batch = self.in_batch.map(|messages| messages + 1);
        Ok(())
    }

    fn check_batch_count(&mut self, trailer: &[u8]) {
        let Some(found) = self.in_batch.take() else {
            self.report_missing_header();
            return;
        };
        let stated = stated_count(trailer);
        if stated.is_some_and(|stated| stated != Some(found)) {
            let (batch, stated) = (self.batch.batches, stated.flatten());
            self.batch.deviations.push(Deviation::BatchCount {
                batch,
                stated,
                found,
            });
        }
    }

    /// Once for a row of messages, not for each of them.
    fn report_missing_header(&mut self) {
        if self.batch.deviations.last() != Some(&Deviation::MissingBatchHeader) {
            self.batch.deviations.push(Deviation::MissingBatchHeader);
        }
    }

    fn check_file_count(&mut self, trailer: &[u8]) {
        let Some(found) = self.in_file.take() else {
            self.batch.deviations.push(Deviation::MissingFileHeader);
            return;
        };
        let stated = stated_count(trailer);
        if stated.is_some_and(|stated| stated != Some(found)) {
            let (file, stated) = (self.batch.files, stated.flatten());
            self.batch.deviations.push(Deviation::FileCount {
                file,
                stated,
                found,
            });
        }
    }

    fn end_batch(&mut self) {
        if self.in_batch.take().is_some() {
            let batch = self.batch.batches;
            self.batch
                .deviations
                .push(Deviation::MissingBatchTrailer { batch });
        }
    }

    fn end_file(&mut self) {
        if self.in_file.take().is_some() {
            let file = self.batch.files;
            self.batch
                .deviations
                .push(Deviation::MissingFileTrailer { file });
        }
    }
}

fn header_segment(line: &[u8]) -> Option<Segment<'_>> {
    let delimiters = Delimiters::from_header(line.get(3..)?)?;
    Some(Segment::new(line, delimiters))
}

/// BTS-1 or FTS-1: `None` if empty, which the standard allows; `Some(None)` if not a number.
fn stated_count(trailer: &[u8]) -> Option<Option<usize>> {
    let separator = trailer.get(3).copied();
    let raw = Pieces::new(trailer, separator).nth(1)?.trim_ascii();
    if raw.is_empty() {
        return None;
    }
    Some(
        std::str::from_utf8(raw)
            .ok()
            .and_then(|text| text.parse().ok()),
    )
}

#[cfg(test)]
mod tests;

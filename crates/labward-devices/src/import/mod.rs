//! Lists of devices from files: CSV as people write it, and what other programs export.
//!
//! It must never stop at a line that cannot be read, take a file for another kind silently, or grow
//! without a bound.

mod netbox;
mod nmap;
mod table;
#[cfg(test)]
mod tests;

use labward_base::id::{DeviceId, EntryIndex};

use crate::DevicesError;
use crate::attribute::Attribute;

/// Bytes of a list at most.
const LIST_MAX_BYTES: usize = 16 << 20;
/// Lines of a list at most.
const LINES_MAX: usize = 20_000;

/// What kind of list it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ImportFormat {
    /// CSV with the columns of `docs/guide/devices.md`.
    Csv,
    /// The CSV export of GLPI.
    Glpi,
    /// The disclosure statement of a manufacturer (MDS2), which is no list: it is attached to devices.
    Mds2,
    /// Devices of NetBox, as CSV or as JSON of its API.
    NetBox,
    /// The XML of nmap.
    Nmap,
    /// The CSV export of Snipe-IT.
    SnipeIt,
}

/// What became of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// What kind of list it is.
    pub format: ImportFormat,
    /// SHA-256 of the file.
    pub sha256: [u8; 32],
    /// Each line.
    pub lines: Vec<Line>,
    /// The entry that records it; none if it was only looked at.
    pub entry: Option<EntryIndex>,
}

/// What becomes of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number in the file, from 1; of a file without lines the device's place in it.
    pub line: u64,
    /// What it calls the device; empty if it cannot be read.
    pub name: String,
    /// What becomes of it.
    pub state: LineState,
}

/// What becomes of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineState {
    /// It names a device that was not known. In a preview the number is the one that it would have.
    Added(DeviceId),
    /// It says something new of this device.
    Changed(DeviceId),
    /// It says of this device what is known.
    Known(DeviceId),
    /// Nothing.
    Refused(LineFault),
}

/// Why a line is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineFault {
    /// Its key fits these devices equally well.
    Ambiguous(Vec<DeviceId>),
    /// It holds no value of this attribute where one should stand.
    BadValue(Attribute),
    /// Nothing in it would let the device be known again.
    NoKey,
    /// It is not what a line of such a file is.
    NotRead,
    /// It names this device, which was removed.
    Removed(DeviceId),
    /// Another line of the list named this device already.
    Twice(DeviceId),
}

/// A device as a file describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) line: u64,
    pub(crate) values: Vec<(Attribute, String)>,
    pub(crate) fault: Option<LineFault>,
}

impl ImportFormat {
    /// Every kind of list.
    pub const ALL: &[Self] = &[
        Self::Csv,
        Self::SnipeIt,
        Self::Glpi,
        Self::NetBox,
        Self::Nmap,
    ];

    /// The name in commands, JSON and the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Glpi => "glpi",
            Self::Mds2 => "mds2",
            Self::NetBox => "netbox",
            Self::Nmap => "nmap",
            Self::SnipeIt => "snipe-it",
        }
    }

    /// The kind of this name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.name() == name)
    }

    /// The kind of file of this name, lists or not.
    pub(crate) fn by_any_name(name: &str) -> Option<Self> {
        Self::by_name(name).or((name == Self::Mds2.name()).then_some(Self::Mds2))
    }
}

impl LineFault {
    /// The name in JSON.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Ambiguous(_) => "ambiguous",
            Self::BadValue(_) => "bad-value",
            Self::NoKey => "no-key",
            Self::NotRead => "not-read",
            Self::Removed(_) => "removed",
            Self::Twice(_) => "twice",
        }
    }
}

impl Imported {
    pub(crate) fn count(&self, is: impl Fn(&LineState) -> bool) -> usize {
        self.lines.iter().filter(|line| is(&line.state)).count()
    }
}

/// The devices of a file, whose kind is looked for where it is not said.
pub(crate) fn read(
    format: Option<ImportFormat>,
    bytes: &[u8],
) -> Result<(ImportFormat, Vec<Row>), DevicesError> {
    if bytes.len() > LIST_MAX_BYTES {
        return Err(DevicesError::BadList("it is larger than 16 MiB"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| DevicesError::BadList("it is not UTF-8"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let begins = text.trim_start();
    let is_json = begins.starts_with(['{', '[']);
    let is_xml = begins.starts_with('<');
    let format = match format {
        Some(format) => format,
        None if is_json => ImportFormat::NetBox,
        None if is_xml => ImportFormat::Nmap,
        None => table::format_of(text),
    };
    let rows = match format {
        ImportFormat::Nmap => nmap::read(text)?,
        ImportFormat::NetBox if is_json => netbox::read(text)?,
        _ => table::read(format, text)?,
    };
    match rows.len() {
        0 => Err(DevicesError::BadList("it names no device")),
        1..=LINES_MAX => Ok((format, rows)),
        _ => Err(DevicesError::BadList("it holds more than 20,000 devices")),
    }
}

/// What a line calls its device.
pub(crate) fn name_of(values: &[(Attribute, String)]) -> String {
    use Attribute::{AssetTag, Hostname, Ip, Model, Name, Serial};
    let of = |attribute: &Attribute| values.iter().find(|(one, _)| one == attribute);
    let found = [Name, Hostname, Model, AssetTag, Serial, Ip]
        .iter()
        .find_map(of);
    found.map(|(_, value)| value.clone()).unwrap_or_default()
}

/// A row of these texts: the first that cannot be read refuses it.
pub(crate) fn row(line: u64, texts: &[(Attribute, &str)], notes: &[String]) -> Row {
    let mut row = Row {
        line,
        values: Vec::new(),
        fault: None,
    };
    let mut add = |attribute: Attribute, text: &str| match attribute.read(text) {
        Ok(values) => row
            .values
            .extend(values.into_iter().map(|value| (attribute, value))),
        Err(_) => row.fault = row.fault.take().or(Some(LineFault::BadValue(attribute))),
    };
    texts
        .iter()
        .for_each(|(attribute, text)| add(*attribute, text));
    let mut all = notes.join("; ");
    if let Some((end, _)) = all.char_indices().nth(1_900) {
        all.truncate(end);
    }
    add(Attribute::Notes, &all);
    // One value of each but of those that a device may have several of: the first column counts.
    let mut seen = Vec::new();
    row.values.retain(|(attribute, _)| {
        let is_first = !seen.contains(attribute);
        seen.push(*attribute);
        is_first || attribute.is_many()
    });
    let has_key =
        !crate::key::keys_of(row.values.iter().map(|(one, value)| (*one, value.as_str())))
            .is_empty();
    if !has_key && row.fault.is_none() {
        row.fault = Some(LineFault::NoKey);
    }
    row
}

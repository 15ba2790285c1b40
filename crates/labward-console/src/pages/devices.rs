//! What devices the lab has: the list, one device with everything that was said of it, and lists from
//! files.
//!
//! It must never show a value without where it comes from on the device's own page, or a conflict by
//! colour alone.

use std::borrow::Cow;

use askama::Template;
use labward_api::ProblemBody;
use labward_api::device::{
    Device, DeviceAttribute, DeviceConflict, DeviceFilter, DeviceObservation, DeviceShown, Devices,
    ImportedDevice, ImportedDevices,
};
use labward_api::disclosure::DeviceDisclosure;
use labward_api::hit::Hits;
use labward_identity::Permission;

use super::behaviour::Usual;
use super::hit::who;
use super::hits::{Group, band_class, band_rank, due, due_class, groups, shown_vulnerability};
use super::parts::attached_to;
use super::safeguards::span;
use super::{When, count, in_address};
use crate::RenderError;
use crate::frame::{Frame, Place};
use crate::language::Texts as _;

/// Devices on a page.
pub const DEVICES_ON_PAGE: u32 = 50;

/// Rows of open hits on the page of a device.
const HITS_SHOWN: usize = 10;

/// Which devices the list may show, the first without a word in the address.
const STATES: &[&str] = &["present", "conflict", "removed", "all"];

/// What a person may say of a device, in the order of the form.
pub const DEVICE_FIELDS: &[&str] = &[
    "name",
    "category",
    "manufacturer",
    "model",
    "product",
    "version",
    "serial",
    "udi",
    "asset-tag",
    "hostname",
    "mac",
    "ip",
    "os",
    "os-build",
    "anti-malware",
    "patching",
    "criticality",
    "location",
    "owner",
    "contact",
    "support-until",
    "notes",
];

/// What is asked first when a device is added by hand.
const FIRST_FIELDS: &[&str] = &[
    "name",
    "manufacturer",
    "model",
    "version",
    "serial",
    "asset-tag",
    "location",
];

const CRITICALITIES: &[&str] = &["low", "normal", "high"];

#[derive(Template)]
#[template(path = "devices.html")]
struct DevicesPage<'a> {
    f: &'a Frame,
    filter: &'a DeviceFilter,
    conflicts: &'a [Device],
    page: &'a Devices,
    asked: &'a DeviceFields,
    fault: Option<&'a ProblemBody>,
}

/// What was filled into the form of a new device, by attribute.
pub type DeviceFields = Vec<(String, String)>;

impl DevicesPage<'_> {
    fn is_state(&self, state: &str) -> bool {
        self.filter.state.as_deref().unwrap_or("present") == state
    }

    fn q(&self) -> &str {
        self.filter.q.as_deref().unwrap_or_default()
    }

    /// The words of the search as they stand in an address.
    fn q_in_address(&self) -> String {
        in_address(self.q())
    }

    fn state(&self) -> &str {
        self.filter.state.as_deref().unwrap_or_default()
    }

    fn typed(&self, field: &str) -> &str {
        let found = self.asked.iter().find(|(name, _)| name == field);
        found.map_or("", |(_, text)| text)
    }
}

/// The devices: those in conflict first, then those that the filter fits.
///
/// # Errors
///
/// [`RenderError`].
pub fn devices(
    f: &Frame,
    filter: &DeviceFilter,
    conflicts: &[Device],
    page: &Devices,
    (asked, fault): (&DeviceFields, Option<&ProblemBody>),
) -> Result<String, RenderError> {
    DevicesPage {
        f,
        filter,
        conflicts,
        page,
        asked,
        fault,
    }
    .render()
}

#[derive(Template)]
#[template(path = "device.html")]
struct DevicePage<'a> {
    f: &'a Frame,
    one: &'a DeviceShown,
    others: &'a [Device],
    peers: Option<&'a [String]>,
    hits: Vec<Group<'a>>,
    usual: Usual<'a>,
    fault: Option<&'a ProblemBody>,
}

impl DevicePage<'_> {
    fn hits_more(&self) -> u64 {
        count(self.hits.len().saturating_sub(HITS_SHOWN))
    }

    fn may(&self) -> bool {
        self.f.may(Permission::DeviceChange)
    }

    /// What stands in a field of the form: what counts now.
    fn value(&self, field: &str) -> &str {
        self.one.device.values.get(field).map_or("", String::as_str)
    }

    /// What is attached and can be taken away.
    fn attached(&self) -> impl Iterator<Item = &DeviceDisclosure> {
        self.one.sbom.iter().chain(&self.one.mds2)
    }

    fn is_bound(&self, peer: &str) -> bool {
        self.one.device.peers.iter().any(|one| one == peer)
    }

    /// Whether a person may say that this value is the right one.
    fn may_settle(&self, attribute: &DeviceAttribute, observed: &DeviceObservation) -> bool {
        let is_field = DEVICE_FIELDS.contains(&attribute.attribute.as_str());
        let is_there = self.one.device.removed.is_none();
        attribute.conflict && observed.current && is_field && is_there && self.may()
    }
}

/// One device, with its open `hits`, what it usually does, everything that was said of it and the forms to change it.
///
/// # Errors
///
/// [`RenderError`].
pub fn device(
    f: &Frame,
    one: &DeviceShown,
    others: &[Device],
    peers: Option<&[String]>,
    (hits, usual): (&Hits, Usual<'_>),
    fault: Option<&ProblemBody>,
) -> Result<String, RenderError> {
    let mut hits = groups(&hits.hits);
    hits.sort_by_key(|group| (group.is_all_treated(), band_rank(group.worst)));
    DevicePage {
        f,
        one,
        others,
        peers,
        hits,
        usual,
        fault,
    }
    .render()
}

#[derive(Template)]
#[template(path = "devices_import.html")]
struct ImportPage<'a> {
    f: &'a Frame,
    list: &'a str,
    read: Option<&'a ImportedDevices>,
    fault: Option<&'a ProblemBody>,
}

impl ImportPage<'_> {
    /// What becomes of a line, in words.
    fn what(&self, line: &ImportedDevice) -> String {
        let f = self.f;
        let word = match &line.fault {
            None => f.of("device-line", &line.state),
            Some(fault) => f.of("device-fault", fault),
        };
        match &line.attribute {
            Some(attribute) => format!("{word}: {}", f.of("device-attribute", attribute)),
            None => word.into_owned(),
        }
    }

    fn is_done(&self) -> bool {
        self.read.is_some_and(|read| read.entry.is_some())
    }

    /// Those that need a person first.
    fn lines(&self) -> Vec<&ImportedDevice> {
        let all = self
            .read
            .map(|read| read.lines.as_slice())
            .unwrap_or_default();
        let mut all: Vec<&ImportedDevice> = all.iter().collect();
        all.sort_by_key(|line| line.state != "refused");
        all
    }
}

/// The form for a list of devices and, once it was looked at, what becomes of each line.
///
/// # Errors
///
/// [`RenderError`].
pub fn devices_import(
    f: &Frame,
    list: &str,
    read: Option<&ImportedDevices>,
    fault: Option<&ProblemBody>,
) -> Result<String, RenderError> {
    ImportPage {
        f,
        list,
        read,
        fault,
    }
    .render()
}

/// What a device is called: its name, or what else tells it from others.
pub(super) fn called(f: &Frame, device: &Device) -> String {
    let of = |field: &&str| device.values.get(*field).cloned();
    let found = ["name", "hostname", "model", "asset-tag", "ip"]
        .iter()
        .find_map(of);
    found.unwrap_or_else(|| numbered(f, &device.id).into_owned())
}

fn value<'a>(device: &'a Device, field: &str) -> &'a str {
    device.values.get(field).map_or("", String::as_str)
}

/// A conflict in words.
fn conflict(f: &Frame, one: &DeviceConflict) -> Cow<'static, str> {
    match (&one.attribute, &one.key) {
        (Some(attribute), _) => {
            let attribute = f.of("device-attribute", attribute);
            f.w("device-conflict-values", "attribute", &attribute)
        }
        (None, Some(key)) => {
            let numbers: Vec<String> = one.devices.iter().map(ToString::to_string).collect();
            let (key, devices) = (f.of("device-key", key), numbers.join(", "));
            let words = [("key", key.as_ref()), ("devices", &devices)];
            f.language.with("device-conflict-claim", &words)
        }
        (None, None) => f.t("device-conflict-seen"),
    }
}

/// Who said a value.
fn source(f: &Frame, one: &DeviceObservation) -> Cow<'static, str> {
    let origin = one.origin.as_deref().unwrap_or_default();
    if let Some(peer) = &one.peer {
        let words = [("peer", peer.as_str()), ("link", origin)];
        return f.language.with("device-source-link", &words);
    }
    if let Some(format) = &one.format {
        let format = f.of("device-format", format);
        let words = [("format", format.as_ref()), ("file", origin)];
        return f.language.with("device-source-file", &words);
    }
    match (&one.person_name, one.person) {
        (Some(name), _) => Cow::Owned(name.clone()),
        (None, Some(person)) => f.w("safeguards-person", "number", &person.to_string()),
        (None, None) => f.t("device-source-capture"),
    }
}

/// How old something is.
fn age(f: &Frame, seconds: &u64) -> Cow<'static, str> {
    f.w("safeguards-age", "span", &span(f, *seconds))
}

/// A device by its number.
pub(super) fn numbered(f: &Frame, id: &u64) -> Cow<'static, str> {
    f.w("device-numbered", "number", &id.to_string())
}

/// An entry by its number.
pub(super) fn entry_text(f: &Frame, entry: &u64) -> Cow<'static, str> {
    f.w("safeguards-entry", "number", &entry.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use labward_devices::{Attribute, Criticality, ImportFormat, KeyKind, LineFault};
    use labward_identity::{Language, Role, Theme};
    use std::collections::BTreeMap;

    fn frame(role: Role) -> Frame {
        Frame {
            language: Language::En,
            theme: Theme::Light,
            viewer: Some(crate::frame::Viewer {
                name: "Eva".to_owned(),
                roles: role.into(),
                engagement: None,
                mark: None,
                csrf: "token".to_owned(),
                lasts: crate::frame::Lasts::default(),
            }),
            nonce: "nonce".to_owned(),
            lab: "Lab".to_owned(),
            place: Place::Devices,
            done: None,
            alarm: None,
            glass: None,
        }
    }

    fn one() -> DeviceShown {
        let observed = |value: &str, peer: Option<&str>| DeviceObservation {
            value: value.to_owned(),
            current: true,
            peer: peer.map(str::to_owned),
            origin: Some("astm".to_owned()),
            format: peer.is_none().then(|| "csv".to_owned()),
            confidence: "high".to_owned(),
            first: "2026-11-27T09:00:00Z".to_owned(),
            last: "2026-11-27T09:00:00Z".to_owned(),
            age_seconds: 7_200,
            entry: 41,
            ..DeviceObservation::default()
        };
        let values = [("model", "<b>XN-550</b>"), ("version", "00-24")];
        let values = values.map(|(name, value)| (name.to_owned(), value.to_owned()));
        DeviceShown {
            device: Device {
                id: 7,
                revision: 3,
                values: BTreeMap::from(values),
                peers: vec!["xn550".to_owned()],
                conflicts: vec![DeviceConflict {
                    kind: "values".to_owned(),
                    attribute: Some("version".to_owned()),
                    ..DeviceConflict::default()
                }],
                merged: vec![9],
                last: "2026-11-27T09:00:00Z".to_owned(),
                ..Device::default()
            },
            attributes: vec![DeviceAttribute {
                attribute: "version".to_owned(),
                values: vec!["00-24".to_owned()],
                conflict: true,
                observed: vec![observed("00-24", Some("xn550")), observed("00-22", None)],
            }],
            ..DeviceShown::default()
        }
    }

    #[test]
    fn every_word_of_the_room_has_a_text_in_each_language() {
        for language in [Language::En, Language::Es] {
            let has = |family: &str, name: &str| {
                let key = format!("{family}-{name}");
                assert_ne!(language.text(&key), key, "{key}");
            };
            Attribute::ALL
                .iter()
                .for_each(|one| has("device-attribute", one.name()));
            ImportFormat::ALL
                .iter()
                .chain(&[ImportFormat::Mds2])
                .for_each(|one| has("device-format", one.name()));
            for key in [
                KeyKind::MakerSerial,
                KeyKind::ModelSerial,
                KeyKind::Udi,
                KeyKind::AssetTag,
                KeyKind::Mac,
            ] {
                has("device-key", key.name());
            }
            let faults = [
                LineFault::Ambiguous(Vec::new()),
                LineFault::BadValue(Attribute::Mac),
                LineFault::NoKey,
                LineFault::NotRead,
                LineFault::Removed(labward_base::id::DeviceId::new(1)),
                LineFault::Twice(labward_base::id::DeviceId::new(1)),
            ];
            faults
                .iter()
                .for_each(|one| has("device-fault", one.name()));
            ["added", "changed", "known"]
                .iter()
                .for_each(|one| has("device-line", one));
            STATES.iter().for_each(|one| has("device-state", one));
            ["low", "medium", "high"]
                .iter()
                .for_each(|one| has("device-confidence", one));
            CRITICALITIES
                .iter()
                .for_each(|one| has("device-criticality", one));
        }
        let own: Vec<&str> = [Criticality::Low, Criticality::Normal, Criticality::High]
            .map(Criticality::name)
            .into();
        assert_eq!(own, CRITICALITIES);
        let fields = Attribute::ALL.iter().filter(|one| one.is_set_by_people());
        assert_eq!(
            fields.map(|one| one.name()).collect::<Vec<_>>(),
            DEVICE_FIELDS
        );
    }

    #[test]
    fn a_device_shows_each_value_with_its_source_and_lets_a_person_say_which_is_right() {
        let peers = ["xn550".to_owned(), "cobas".to_owned()];
        let page = device(
            &frame(Role::It),
            &one(),
            &[],
            Some(&peers),
            (&Hits::default(), Usual::default()),
            None,
        )
        .unwrap();
        for part in [
            "&#60;b&#62;XN-550",
            "xn550 on link astm",
            "2 hours ago",
            "href=\"/ledger?from=41\"",
            "name=\"revision\" value=\"3\"",
            "action=\"/devices/9/split\"",
            "value=\"xn550\" checked",
            "action=\"/devices/7/settle\"",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert!(!page.contains("<b>XN"));
        let page = device(
            &frame(Role::Expert),
            &one(),
            &[],
            None,
            (&Hits::default(), Usual::default()),
            None,
        )
        .unwrap();
        assert!(
            !page.contains("<form method=\"post\" action=\"/devices"),
            "{page}"
        );
    }

    #[test]
    fn the_list_names_conflicts_first_and_offers_changes_to_who_may_change() {
        let page = Devices {
            devices: vec![one().device],
            total: 1,
            next: Some(7),
        };
        let filter = DeviceFilter {
            q: Some("xn&\"".to_owned()),
            ..DeviceFilter::default()
        };
        let conflicts = [one().device];
        let nothing = DeviceFields::new();
        let shown =
            |role| devices(&frame(role), &filter, &conflicts, &page, (&nothing, None)).unwrap();
        let html = shown(Role::LabManager);
        assert!(
            html.contains("href=\"/devices/7\"") && html.contains("Version: sources disagree"),
            "{html}"
        );
        assert!(
            html.contains("before=7")
                && html.contains("action=\"/devices\"")
                && html.contains("xn&#38;&#34;")
        );
        assert!(!shown(Role::Administrator).contains("href=\"/devices/import\""));
    }

    #[test]
    fn the_lines_of_a_list_that_need_a_person_come_first() {
        let line = |line, state: &str, fault: Option<&str>| ImportedDevice {
            line,
            name: format!("device {line}"),
            state: state.to_owned(),
            fault: fault.map(str::to_owned),
            attribute: fault.map(|_| "mac".to_owned()),
            devices: vec![],
        };
        let read = ImportedDevices {
            format: "csv".to_owned(),
            added: 1,
            refused: 1,
            lines: vec![
                line(2, "added", None),
                line(3, "refused", Some("bad-value")),
            ],
            ..ImportedDevices::default()
        };
        let page =
            devices_import(&frame(Role::It), "name\n</textarea>", Some(&read), None).unwrap();
        let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text}: {page}"));
        assert!(at("device 3") < at("device 2") && page.contains("MAC address"));
        assert!(page.contains("name=\"apply\"") && !page.contains("\n</textarea></textarea>"));
    }
}

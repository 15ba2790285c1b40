//! The plan: which devices there are, how each is treated, and its conduits. Versioned JSON that people may edit.
//!
//! It must never be half read: what is not understood is an error with its place, so that no edit gets lost.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use labward_base::id::DeviceId;
use serde::{Deserialize, Serialize};

use crate::conduit::Conduit;
use crate::network::is_local;

/// The version of the form of a plan that this program reads and writes.
pub const VERSION: u32 = 1;
/// A plan is no larger, in bytes.
pub const PLAN_BYTES_MAX: usize = 32 << 20;
/// So many devices at most.
pub const DEVICES_MAX: usize = 20_000;
/// So many addresses a device at most.
pub const ADDRESSES_MAX: usize = 32;
/// So many conduits a device at most.
pub const CONDUITS_MAX: usize = 2_000;
/// So many conduits of all devices at most.
pub const ALL_CONDUITS_MAX: usize = 100_000;
/// A text is no longer, in characters.
pub const TEXT_MAX: usize = 200;

/// How a device is treated.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// What is not approved is dropped, and counted.
    Enforce,
    /// Nothing is looked at.
    #[default]
    Off,
    /// What is not approved goes on, and is counted as what would be dropped.
    Test,
}

/// Devices and their conduits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    version: u32,
    devices: Vec<PlannedDevice>,
}

/// A device and what it may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedDevice {
    /// Its number.
    pub id: DeviceId,
    /// What the lab calls it.
    pub name: String,
    /// Where it stands on the network.
    pub addresses: BTreeSet<IpAddr>,
    /// Its network card; for people only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
    /// Its zone (IEC 62443) or place; for people only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// How it is treated.
    #[serde(default)]
    pub mode: Mode,
    /// Whether what is new is expected: then only public addresses that are not approved give an alert.
    #[serde(default = "yes")]
    pub learning: bool,
    /// A person wants the device cut off: without this one without an approved conduit is not enforced.
    #[serde(default, skip_serializing_if = "is_no")]
    pub isolate: bool,
    /// Its conduits, each peer and service once.
    pub conduits: Vec<Conduit>,
}

/// A device as a list of devices names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedDevice {
    /// Its number.
    pub id: DeviceId,
    /// What the lab calls it.
    pub name: String,
    /// Where it stands on the network.
    pub addresses: BTreeSet<IpAddr>,
    /// Its network card.
    pub mac: Option<String>,
    /// Its zone or place.
    pub zone: Option<String>,
}

/// Why something is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Two devices have one address.
    #[error("devices {one} and {other} both have the address {address}")]
    AddressTwice {
        /// The first device.
        one: DeviceId,
        /// The second.
        other: DeviceId,
        /// The address.
        address: IpAddr,
    },
    /// An address that is not one machine's, or that no router forwards.
    #[error("device {id}: {address} is no address of a device behind a router")]
    BadAddress {
        /// The device.
        id: DeviceId,
        /// The address.
        address: IpAddr,
    },
    /// A conduit stands twice.
    #[error("device {id}: the conduit {conduit} stands twice")]
    ConduitTwice {
        /// The device.
        id: DeviceId,
        /// The conduit.
        conduit: String,
    },
    /// Two devices have one number.
    #[error("device {0} stands twice")]
    DeviceTwice(DeviceId),
    /// It is no JSON of this form.
    #[error("line {line}, column {column}: {what}")]
    Form {
        /// Where, counted from 1; 0 if nowhere in particular.
        line: usize,
        /// Where in the line.
        column: usize,
        /// What is wrong.
        what: String,
    },
    /// A text is too long or has signs that a terminal or a file would obey.
    #[error("device {id}: {field} is longer than {TEXT_MAX} characters or has control characters")]
    Text {
        /// The device.
        id: DeviceId,
        /// Which text.
        field: &'static str,
    },
    /// It is larger than allowed.
    #[error("there are more than {limit} {what}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How much there may be.
        limit: usize,
    },
    /// Its form is another version's.
    #[error("the plan has version {0}; this program reads version {VERSION}")]
    Version(u32),
}

const fn yes() -> bool {
    true
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes what it may skip by reference"
)]
const fn is_no(value: &bool) -> bool {
    !*value
}

impl Mode {
    /// Its name, as in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Off => "off",
            Self::Test => "test",
        }
    }
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            version: VERSION,
            devices: Vec::new(),
        }
    }
}

impl Plan {
    /// The plan of these devices.
    ///
    /// # Errors
    /// [`PlanError`] if they contradict each other or are too many.
    pub fn of(devices: Vec<PlannedDevice>) -> Result<Self, PlanError> {
        let mut plan = Self {
            version: VERSION,
            devices,
        };
        plan.settle()?;
        Ok(plan)
    }

    /// Reads a plan.
    ///
    /// # Errors
    /// [`PlanError`] if it is too large, of another version or form, or contradicts itself.
    pub fn read(bytes: &[u8]) -> Result<Self, PlanError> {
        /// The version alone, so that another one is named as such and not by the first field it has more.
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        if bytes.len() > PLAN_BYTES_MAX {
            return Err(PlanError::TooMany {
                what: "bytes",
                limit: PLAN_BYTES_MAX,
            });
        }
        let Versioned { version } = serde_json::from_slice(bytes).map_err(form)?;
        if version != VERSION {
            return Err(PlanError::Version(version));
        }
        let mut plan: Self = serde_json::from_slice(bytes).map_err(form)?;
        plan.settle()?;
        Ok(plan)
    }

    /// The plan as text that [`Plan::read`] takes, with a line end.
    ///
    /// # Errors
    /// [`PlanError::Form`] if it cannot be written as JSON, which no plan is known to cause.
    pub fn write(&self) -> Result<String, PlanError> {
        let mut text = serde_json::to_string_pretty(self).map_err(form)?;
        text.push('\n');
        Ok(text)
    }

    /// Its devices, by number.
    pub fn devices(&self) -> &[PlannedDevice] {
        &self.devices
    }

    /// The device with this number.
    pub fn device(&self, id: DeviceId) -> Option<&PlannedDevice> {
        self.devices.iter().find(|device| device.id == id)
    }

    /// Changes devices, and keeps the change if the plan is still one.
    ///
    /// # Errors
    /// [`PlanError`] if it would not be; then nothing is changed.
    pub fn change(&mut self, act: impl FnOnce(&mut Vec<PlannedDevice>)) -> Result<(), PlanError> {
        let mut changed = self.clone();
        act(&mut changed.devices);
        changed.settle()?;
        *self = changed;
        Ok(())
    }

    /// Takes a list over: new devices come in `off` and learning, of known ones only name, addresses, card and
    /// zone change. A device that is not listed stays.
    ///
    /// # Errors
    /// [`PlanError`] if the devices contradict each other or are too many; then nothing is changed.
    pub fn enrol(&mut self, list: Vec<ListedDevice>) -> Result<(), PlanError> {
        let mut twice = BTreeSet::new();
        if let Some(device) = list.iter().find(|device| !twice.insert(device.id)) {
            return Err(PlanError::DeviceTwice(device.id));
        }
        self.change(|devices| {
            let mut known: BTreeMap<_, _> = devices
                .drain(..)
                .map(|device| (device.id, device))
                .collect();
            for listed in list {
                let (learning, conduits) = (true, Vec::new());
                let device = known.entry(listed.id).or_insert_with(|| PlannedDevice {
                    id: listed.id,
                    name: String::new(),
                    addresses: BTreeSet::new(),
                    mac: None,
                    zone: None,
                    mode: Mode::Off,
                    learning,
                    isolate: false,
                    conduits,
                });
                device.name = listed.name;
                device.addresses = listed.addresses;
                device.mac = listed.mac;
                device.zone = listed.zone;
            }
            devices.extend(known.into_values());
        })
    }

    /// Puts it in its order and checks it.
    fn settle(&mut self) -> Result<(), PlanError> {
        bounded("devices", self.devices.len(), DEVICES_MAX)?;
        let conduits = self.devices.iter().map(|device| device.conduits.len());
        bounded("conduits", conduits.sum(), ALL_CONDUITS_MAX)?;
        self.devices.sort_by_key(|device| device.id);
        let mut owners: BTreeMap<IpAddr, DeviceId> = BTreeMap::new();
        let mut before = None;
        for device in &mut self.devices {
            if before.replace(device.id) == Some(device.id) {
                return Err(PlanError::DeviceTwice(device.id));
            }
            device.settle()?;
            for address in &device.addresses {
                if let Some(one) = owners.insert(*address, device.id) {
                    return Err(PlanError::AddressTwice {
                        one,
                        other: device.id,
                        address: *address,
                    });
                }
            }
        }
        Ok(())
    }
}

impl PlannedDevice {
    fn settle(&mut self) -> Result<(), PlanError> {
        let id = self.id;
        bounded("addresses of a device", self.addresses.len(), ADDRESSES_MAX)?;
        bounded("conduits of a device", self.conduits.len(), CONDUITS_MAX)?;
        self.addresses = self.addresses.iter().map(IpAddr::to_canonical).collect();
        let is_bad = |ip: &&IpAddr| is_local(**ip) || ip.is_multicast();
        if let Some(&address) = self.addresses.iter().find(is_bad) {
            return Err(PlanError::BadAddress { id, address });
        }
        let device = [
            ("name", Some(&self.name)),
            ("mac", self.mac.as_ref()),
            ("zone", self.zone.as_ref()),
        ];
        let conduits = self.conduits.iter().flat_map(|conduit| {
            [
                ("known_as", conduit.known_as.as_ref()),
                ("note", conduit.note.as_ref()),
            ]
        });
        for (field, text) in device.into_iter().chain(conduits) {
            if text.is_some_and(|text| !is_sound(text)) {
                return Err(PlanError::Text { id, field });
            }
        }
        self.conduits.sort_by_key(Conduit::key);
        let mut pairs = self.conduits.iter().zip(self.conduits.iter().skip(1));
        match pairs.find(|(one, next)| one.key() == next.key()) {
            None => Ok(()),
            Some((one, _)) => Err(PlanError::ConduitTwice {
                id,
                conduit: format!("{} {} {}", one.direction.name(), one.peer, one.service),
            }),
        }
    }
}

fn is_sound(text: &str) -> bool {
    text.chars().count() <= TEXT_MAX && !text.chars().any(char::is_control)
}

const fn bounded(what: &'static str, count: usize, limit: usize) -> Result<(), PlanError> {
    match count <= limit {
        true => Ok(()),
        false => Err(PlanError::TooMany { what, limit }),
    }
}

fn form(error: serde_json::Error) -> PlanError {
    let place = format!(" at line {} column {}", error.line(), error.column());
    let text = error.to_string();
    PlanError::Form {
        line: error.line(),
        column: error.column(),
        what: text.strip_suffix(&place).unwrap_or(&text).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{listed, plan};

    #[test]
    fn a_plan_is_read_back_as_written() {
        let plan = plan();
        assert_eq!(Plan::read(plan.write().unwrap().as_bytes()), Ok(plan));
    }

    #[test]
    fn a_plan_that_contradicts_itself_is_refused_with_its_reason() {
        let text = plan().write().unwrap();
        for (from, to, expected) in [
            (
                "\"version\": 1",
                "\"version\": 2",
                "the plan has version 2; this program reads version 1",
            ),
            ("\"id\": 8", "\"id\": 7", "device 7 stands twice"),
            (
                "\"10.1.0.8\"",
                "\"10.1.0.7\"",
                "devices 7 and 8 both have the address 10.1.0.7",
            ),
            (
                "\"10.1.0.8\"",
                "\"224.0.0.1\"",
                "device 8: 224.0.0.1 is no address of a device behind a router",
            ),
            (
                "\"mode\"",
                "\"mood\"",
                "line 10, column 12: unknown field `mood`",
            ),
            (
                "tcp/2575",
                "tcp/0",
                "line 22, column 28: read a service: expected one such as tcp/2575",
            ),
            (
                "10.1.9.1",
                "10.1.9.1/24",
                "line 15, column 31: read an address: expected one such as",
            ),
            (
                "tcp/104",
                "tcp/2575",
                "device 7: the conduit outbound 10.1.9.1 tcp/2575 stands twice",
            ),
            (
                "Haematology 1",
                "Haema\\u001btology",
                "device 7: name is longer than 200 characters or has control",
            ),
        ] {
            assert!(text.contains(from), "{from}");
            let changed = text
                .replace(from, to)
                .replace("\"inbound\"", "\"outbound\"");
            let error = Plan::read(changed.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{from} → {to}: {error}");
        }
        assert!(matches!(Plan::read(b""), Err(PlanError::Form { .. })));
        assert!(matches!(
            Plan::read(&vec![b' '; PLAN_BYTES_MAX + 1]),
            Err(PlanError::TooMany { .. })
        ));
    }

    #[test]
    fn a_list_taken_again_keeps_what_people_decided() {
        let mut plan = plan();
        let before = plan.device(DeviceId::new(7)).unwrap().clone();
        plan.enrol(vec![
            listed(7, "Sysmex", "10.1.0.70"),
            listed(9, "New", "10.1.0.9"),
        ])
        .unwrap();
        let after = plan.device(DeviceId::new(7)).unwrap();
        assert_eq!(
            (&after.conduits, after.mode),
            (&before.conduits, before.mode)
        );
        assert_eq!(after.name, "Sysmex");
        let new = plan.device(DeviceId::new(9)).unwrap();
        assert_eq!((new.mode, new.learning), (Mode::Off, true));
        assert!(plan.device(DeviceId::new(8)).is_some());
        let same = plan.clone();
        assert!(plan.enrol(vec![listed(10, "Thief", "10.1.0.9")]).is_err());
        assert_eq!(plan, same);
    }
}

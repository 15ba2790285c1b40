//! By what a device is known again.
//!
//! It must never make a key of what many devices have.

use crate::attribute::{Attribute, is_placeholder, letters, maker};
use crate::device::Device;

/// The kinds of keys, the one that counts most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// Manufacturer and serial number.
    MakerSerial,
    /// Model and serial number, where the manufacturer is not said.
    ModelSerial,
    /// A UDI that names the unit.
    Udi,
    /// The lab's own number on it.
    AssetTag,
    /// The address of an interface.
    Mac,
    /// The host name.
    Hostname,
    /// The IP address, of what has no other key.
    Ip,
}

/// A key and its text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    pub(crate) kind: KeyKind,
    text: String,
}

impl KeyKind {
    /// The name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AssetTag => "asset-tag",
            Self::Hostname => "hostname",
            Self::Ip => "ip",
            Self::Mac => "mac",
            Self::MakerSerial => "maker-serial",
            Self::ModelSerial => "model-serial",
            Self::Udi => "udi",
        }
    }

    /// Whether two devices with one such key contradict each other: a host name may be given again.
    pub(crate) const fn is_claim(self) -> bool {
        !matches!(self, Self::Hostname | Self::Ip)
    }

    /// Whether it is what a device is, and not only where it is or what is plugged into it.
    pub(crate) const fn is_firm(self) -> bool {
        !matches!(self, Self::Hostname | Self::Ip | Self::Mac)
    }
}

/// The keys in what is said of a device, the strongest first.
pub(crate) fn keys_of<'a>(values: impl Iterator<Item = (Attribute, &'a str)>) -> Vec<Key> {
    let values: Vec<(Attribute, &str)> = values.collect();
    let all = |attribute| {
        let of = move |(one, value): &(Attribute, &'a str)| (*one == attribute).then_some(*value);
        values.iter().filter_map(of)
    };
    let mut keys = Vec::new();
    let mut add = |kind, text: String| keys.push(Key { kind, text });
    for serial in all(Attribute::Serial).filter(|serial| is_serial(serial)) {
        for name in all(Attribute::Manufacturer) {
            add(
                KeyKind::MakerSerial,
                format!("{}/{}", maker(name), letters(serial)),
            );
        }
        for model in all(Attribute::Model) {
            add(
                KeyKind::ModelSerial,
                format!("{}/{}", letters(model), letters(serial)),
            );
        }
    }
    all(Attribute::Udi)
        .filter(|udi| names_the_unit(udi))
        .for_each(|udi| add(KeyKind::Udi, letters(udi)));
    all(Attribute::AssetTag).for_each(|tag| add(KeyKind::AssetTag, letters(tag)));
    let one = all(Attribute::Mac).filter(|mac| is_of_one_interface(mac));
    one.for_each(|mac| add(KeyKind::Mac, (*mac).to_owned()));
    all(Attribute::Hostname).for_each(|host| add(KeyKind::Hostname, host_alone(host)));
    if keys.is_empty() {
        all(Attribute::Ip).for_each(|ip| {
            keys.push(Key {
                kind: KeyKind::Ip,
                text: (*ip).to_owned(),
            })
        });
    }
    keys.sort();
    keys.dedup();
    keys
}

/// The keys of a device: of everything that was ever said of it, so that an old file finds it, too.
pub(crate) fn keys_of_device(device: &Device) -> Vec<Key> {
    let said = device
        .observations
        .iter()
        .filter(|one| !one.value.is_empty());
    keys_of(said.map(|one| (one.attribute, one.value.as_str())))
}

/// The serial numbers in what is said of a device, as they are compared.
pub(crate) fn serials<'a>(values: impl Iterator<Item = (Attribute, &'a str)>) -> Vec<String> {
    let serials =
        values.filter(|(attribute, value)| *attribute == Attribute::Serial && is_serial(value));
    serials.map(|(_, value)| letters(value)).collect()
}

/// `0`, `1234`-like counters and one digit over and over are on many devices.
fn is_serial(text: &str) -> bool {
    let text = letters(text);
    let first = text.chars().next();
    text.len() >= 4 && !is_placeholder(&text) && !text.chars().all(|char| Some(char) == first)
}

/// Whether a UDI names the unit, and not only the model: by a serial number of GS1, or the second
/// part of a code of HIBC or ICCBBA.
fn names_the_unit(udi: &str) -> bool {
    udi.contains("(21)")
        || (udi.starts_with('+') && udi.contains("/$"))
        || (udi.starts_with("=/") && udi.contains("=,"))
        || (udi.starts_with("01") && udi.len() > 18 && udi.get(16..18) == Some("21"))
}

/// Neither nothing, nor everybody, nor a group.
fn is_of_one_interface(mac: &str) -> bool {
    let first = mac
        .get(..2)
        .and_then(|first| u8::from_str_radix(first, 16).ok());
    mac != "00:00:00:00:00:00" && first.is_some_and(|first| first & 1 == 0)
}

/// `XN550.lab.example` and `xn550` are one host.
fn host_alone(host: &str) -> String {
    let name = host.split_once('.').map_or(host, |(name, _)| name);
    letters(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: &[(Attribute, &str)], expect: &[KeyKind]) {
        let keys = keys_of(values.iter().copied());
        let kinds: Vec<KeyKind> = keys.iter().map(|key| key.kind).collect();
        assert_eq!(kinds, expect, "{values:?}");
    }

    #[test]
    fn keys_stand_in_their_order_and_an_address_is_one_only_without_another() {
        use Attribute::{AssetTag, Hostname, Ip, Mac, Manufacturer, Model, Serial, Udi};
        use KeyKind as K;
        check(
            &[
                (Hostname, "LAB-PC-7"),
                (Mac, "00:1b:2c:3d:4e:5f"),
                (AssetTag, "00417"),
                (Udi, "(01)00884838000001(21)S067337"),
                (Manufacturer, "Siemens"),
                (Model, "DCA Vantage"),
                (Serial, "S067337"),
                (Ip, "10.0.0.7"),
            ],
            &[
                K::MakerSerial,
                K::ModelSerial,
                K::Udi,
                K::AssetTag,
                K::Mac,
                K::Hostname,
            ],
        );
        check(&[(Ip, "10.0.0.7"), (Model, "RTU")], &[K::Ip]);
        check(&[(Serial, "S067337")], &[]);
    }

    #[test]
    fn what_many_devices_have_is_no_key() {
        use Attribute::{Mac, Manufacturer, Serial, Udi};
        for serial in ["0", "123", "0000000", "System Serial Number"] {
            check(&[(Manufacturer, "Dell"), (Serial, serial)], &[]);
        }
        for mac in [
            "00:00:00:00:00:00",
            "ff:ff:ff:ff:ff:ff",
            "01:00:5e:00:00:01",
        ] {
            check(&[(Mac, mac)], &[]);
        }
        check(&[(Udi, "(01)00884838000001")], &[]);
        check(&[(Udi, "+A99912345/$10X3")], &[KeyKind::Udi]);
        check(&[(Udi, "010088483800000121S067337")], &[KeyKind::Udi]);
    }

    #[test]
    fn the_same_device_written_otherwise_has_the_same_key() {
        use Attribute::{Hostname, Manufacturer, Serial};
        let one = [
            (Manufacturer, "Beckman Coulter, Inc."),
            (Serial, "AL-00123"),
        ];
        let other = [(Manufacturer, "BECKMAN COULTER"), (Serial, "al00123")];
        assert_eq!(keys_of(one.into_iter()), keys_of(other.into_iter()));
        let host = |name| keys_of([(Hostname, name)].into_iter());
        assert_eq!(host("LAB-PC-7.lab.example"), host("lab-pc-7"));
    }
}

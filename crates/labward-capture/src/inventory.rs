//! The sightings of each device, put together: which addresses are one device, and what is known of it.
//!
//! It must never join addresses that no protocol joined, nor choose between values that contradict each
//! other: all of them stand, the surest first.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use labward_base::Timestamp;

use crate::oui::Registry;
use crate::sighting::{Attribute, Confidence, Sighting, Source};
use crate::{Address, Mac};

/// A device, as far as traffic shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its network card, if a protocol names it.
    pub mac: Option<Mac>,
    /// Its addresses.
    pub ips: BTreeSet<IpAddr>,
    /// What is known of it: by attribute, the surest first.
    pub known: Vec<Known>,
}

/// One thing that is known of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// What the value says.
    pub attribute: Attribute,
    /// The value.
    pub value: String,
    /// Which protocol said it.
    pub source: Source,
    /// How sure it is.
    pub confidence: Confidence,
    /// When it was seen first.
    pub at: Timestamp,
}

impl Device {
    /// The surest value of an attribute.
    pub fn best(&self, attribute: Attribute) -> Option<&Known> {
        self.known.iter().find(|known| known.attribute == attribute)
    }
}

/// What these sightings say of each device, sorted by address.
pub fn devices(sightings: &[Sighting], registry: Option<&Registry>) -> Vec<Device> {
    let cards = cards(sightings);
    let mut devices: BTreeMap<Address, Device> = BTreeMap::new();
    for sighting in sightings {
        let address = sighting.device;
        let mac = address.mac.or_else(|| Some(cards.get(&address.ip?)?.0));
        let key = match mac {
            Some(mac) => Address::of_mac(mac),
            None => address,
        };
        let device = devices.entry(key).or_insert_with(|| Device {
            mac,
            ips: BTreeSet::new(),
            known: Vec::new(),
        });
        // Another card may claim the address with a better reason.
        let is_own = |ip: &IpAddr| cards.get(ip).is_none_or(|(card, _)| Some(*card) == mac);
        device.ips.extend(address.ip.filter(is_own));
        if sighting.attribute != Attribute::MacAddress {
            device.known.push(Known {
                attribute: sighting.attribute,
                value: sighting.value.clone(),
                source: sighting.source,
                confidence: sighting.confidence,
                at: sighting.at,
            });
        } else if let (Some(card), Some(registry)) = (mac, registry) {
            manufacturer(card, registry, sighting.at, device);
        }
    }
    for (address, device) in &mut devices {
        if let (Some(mac), Some(registry)) = (address.mac, registry) {
            let at = device
                .known
                .first()
                .map_or(Timestamp::default(), |known| known.at);
            manufacturer(mac, registry, at, device);
        }
        device.known.sort_by(|a, b| {
            let order = |known: &Known| (known.attribute, std::cmp::Reverse(known.confidence));
            order(a)
                .cmp(&order(b))
                .then_with(|| (&a.value, a.source, a.at).cmp(&(&b.value, b.source, b.at)))
        });
        device.known.dedup_by(|a, b| {
            (a.attribute, &a.value, a.source) == (b.attribute, &b.value, b.source)
        });
    }
    let mut devices: Vec<_> = devices.into_values().collect();
    devices.sort_by(|a, b| (a.ips.first(), a.mac).cmp(&(b.ips.first(), b.mac)));
    devices
}

/// The card of each address, and how sure it is: the surest one, of equal ones the first.
pub fn cards(sightings: &[Sighting]) -> BTreeMap<IpAddr, (Mac, Confidence)> {
    let mut cards: BTreeMap<IpAddr, (Mac, Confidence)> = BTreeMap::new();
    for sighting in sightings
        .iter()
        .filter(|one| one.attribute == Attribute::MacAddress)
    {
        if let (Some(ip), Ok(mac)) = (sighting.device.ip, sighting.value.parse()) {
            let best = cards.entry(ip).or_insert((mac, sighting.confidence));
            if sighting.confidence > best.1 {
                *best = (mac, sighting.confidence);
            }
        }
    }
    cards
}

fn manufacturer(mac: Mac, registry: &Registry, at: Timestamp, device: &mut Device) {
    if let Some(name) = registry.manufacturer(mac)
        && !device.known.iter().any(|known| known.source == Source::Oui)
    {
        // Who made the card, which in a converter or an embedded PC is not who made the instrument.
        device.known.push(Known {
            attribute: Attribute::Manufacturer,
            value: name.to_owned(),
            source: Source::Oui,
            confidence: Confidence::Hint,
            at,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sighting(
        ip: Option<&str>,
        mac: Option<u8>,
        attribute: Attribute,
        value: &str,
        confidence: Confidence,
    ) -> Sighting {
        Sighting {
            device: Address {
                ip: ip.map(|ip| ip.parse().unwrap()),
                mac: mac.map(card),
            },
            attribute,
            value: value.to_owned(),
            source: Source::Arp,
            confidence,
            at: Timestamp::from_seconds(1),
        }
    }

    fn card(n: u8) -> Mac {
        Mac::of_card(&[0, 0x10, 0x7f, 0, 0, n]).unwrap()
    }

    fn binding(ip: &str, n: u8, confidence: Confidence) -> Sighting {
        let value = card(n).to_string();
        sighting(Some(ip), Some(n), Attribute::MacAddress, &value, confidence)
    }

    #[test]
    fn what_is_said_of_card_and_address_is_one_device() {
        let registry = Registry::read(b"MA-L,00107F,Acme Converters,x\n").unwrap();
        let all = [
            sighting(
                Some("10.0.0.7"),
                None,
                Attribute::Model,
                "X900",
                Confidence::Likely,
            ),
            binding("10.0.0.7", 1, Confidence::Stated),
            // Said from two addresses of the device.
            binding("fe80::7", 1, Confidence::Stated),
            sighting(
                Some("fe80::7"),
                None,
                Attribute::Model,
                "X900",
                Confidence::Likely,
            ),
            sighting(
                None,
                Some(1),
                Attribute::Hostname,
                "xn550",
                Confidence::Stated,
            ),
            sighting(
                Some("10.0.0.8"),
                None,
                Attribute::Model,
                "Y1",
                Confidence::Stated,
            ),
        ];
        let found = devices(&all, Some(&registry));
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].mac, Some(card(1)));
        let models = found[0]
            .known
            .iter()
            .filter(|known| known.attribute == Attribute::Model);
        assert_eq!(
            models.map(|known| known.value.as_str()).collect::<Vec<_>>(),
            ["X900"]
        );
        assert_eq!(found[0].ips.len(), 2);
        assert_eq!(found[0].best(Attribute::Hostname).unwrap().value, "xn550");
        let maker = found[0].best(Attribute::Manufacturer).unwrap();
        assert_eq!(
            (maker.value.as_str(), maker.confidence),
            ("Acme Converters", Confidence::Hint)
        );
        assert_eq!(found[1].mac, None);
    }

    #[test]
    fn of_two_cards_for_one_address_the_surest_counts() {
        let all = [
            binding("10.0.0.7", 1, Confidence::Likely),
            binding("10.0.0.7", 2, Confidence::Stated),
        ];
        let found = devices(&all, None);
        let of = |n| found.iter().find(|one| one.mac == Some(card(n))).unwrap();
        assert!(of(1).ips.is_empty());
        assert_eq!(of(2).ips.len(), 1);
    }

    #[test]
    fn values_that_contradict_each_other_both_stand_the_surest_first() {
        let all = [
            sighting(
                Some("10.0.0.7"),
                None,
                Attribute::Model,
                "maybe",
                Confidence::Hint,
            ),
            sighting(
                Some("10.0.0.7"),
                None,
                Attribute::Model,
                "X900",
                Confidence::Stated,
            ),
        ];
        let found = devices(&all, None);
        let values: Vec<_> = found[0]
            .known
            .iter()
            .map(|known| known.value.as_str())
            .collect();
        assert_eq!(values, ["X900", "maybe"]);
    }
}

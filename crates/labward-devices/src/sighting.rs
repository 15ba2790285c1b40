//! What a peer says of itself in its messages, and which values follow from it.
//!
//! It must never read anything but what names the sender and the instrument: no patient stands here.

use labward_base::id::PeerId;

use crate::attribute::{Attribute, plain};
use crate::observation::Confidence;

/// What a peer says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// The sender of an ASTM header (H-5), its components in order; empty of HL7.
    pub astm_sender: Vec<String>,
    /// MSH-3, as sent.
    pub application: String,
    /// MSH-4, as sent.
    pub facility: String,
    /// SFT-1 (vendor), SFT-2 (version) and SFT-3 (product), first components.
    pub software: [String; 3],
    /// OBX-18 or PRT-10: the instrument.
    pub equipment: String,
    /// PRT-16: its UDI.
    pub udi: String,
    /// PRT-20: its serial number.
    pub serial: String,
    /// The device as the edge behind which it stands calls it; empty where the peer is no edge.
    pub behind_edge: String,
}

/// What a peer said, on which link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// The peer.
    pub peer: PeerId,
    /// What the lab calls it.
    pub peer_name: String,
    /// The link, by its name in the configuration.
    pub link: String,
    /// What it said.
    pub said: Said,
}

/// A value and how sure it is.
pub(crate) type Value = (Attribute, String, Confidence);

impl Sighting {
    /// What the messages call the instrument; empty if they do not.
    pub(crate) fn equipment(&self) -> String {
        plain(&self.said.equipment)
    }

    /// What is said of the instrument that the messages name.
    pub(crate) fn of_equipment(&self) -> Vec<Value> {
        let said = &self.said;
        let name = said.equipment.split('^').next().unwrap_or_default();
        tidy([
            (
                Attribute::Equipment,
                said.equipment.as_str(),
                Confidence::High,
            ),
            (Attribute::Model, name, Confidence::Low),
            (Attribute::Udi, &said.udi, Confidence::High),
            (Attribute::Serial, &said.serial, Confidence::High),
        ])
    }

    /// The device as its edge calls it; empty where the peer is no edge.
    pub(crate) fn behind_edge(&self) -> String {
        plain(&self.said.behind_edge)
    }

    /// What an edge says of a device behind it.
    pub(crate) fn of_device_behind(&self) -> Vec<Value> {
        let name = self.said.behind_edge.as_str();
        tidy([
            (Attribute::Equipment, name, Confidence::High),
            (Attribute::Name, name, Confidence::Low),
        ])
    }

    /// What is said of the peer itself.
    pub(crate) fn of_peer(&self) -> Vec<Value> {
        let said = &self.said;
        let mut all = tidy([(Attribute::Name, self.peer_name.as_str(), Confidence::Low)]);
        if !said.astm_sender.is_empty() {
            all.extend(of_astm(&said.astm_sender));
            return all;
        }
        let sender = [said.application.as_str(), &said.facility].join(" | ");
        let application = said.application.split('^').next().unwrap_or_default();
        let [vendor, version, product] = &said.software;
        all.extend(tidy([
            (
                Attribute::Sender,
                sender.trim_matches([' ', '|']),
                Confidence::High,
            ),
            (Attribute::Model, application, Confidence::Low),
            (Attribute::Manufacturer, vendor, Confidence::Medium),
            (Attribute::Version, version, Confidence::High),
            (Attribute::Product, product, Confidence::High),
        ]));
        all
    }
}

/// The sender of an ASTM header: name, version and serial number, but for those who write otherwise.
fn of_astm(sender: &[String]) -> Vec<Value> {
    let at = |place: usize| sender.get(place).map_or("", String::as_str);
    let whole = sender.join("^");
    let (maker, model, version, serial) = match at(0).trim() {
        // An instrument of any maker behind an interface of this name.
        "SENAITE" => (at(1), at(2), at(3), at(5)),
        // `hospital^GeneXpert^version`
        _ if at(1) == "GeneXpert" => ("Cepheid", at(1), at(2), ""),
        _ => ("", at(0), at(1), at(2)),
    };
    // Without a version behind it, a name may be that of a program or of a lab.
    let sure = match version.trim().is_empty() && serial.trim().is_empty() {
        true => Confidence::Low,
        false => Confidence::Medium,
    };
    tidy([
        (
            Attribute::Sender,
            whole.trim_matches([' ', '^']),
            Confidence::High,
        ),
        (Attribute::Manufacturer, maker, Confidence::Medium),
        (Attribute::Model, model, sure),
        (Attribute::Version, version, Confidence::High),
        (Attribute::Serial, serial, Confidence::Medium),
    ])
}

/// Those that say something that can be read.
fn tidy<const N: usize>(all: [(Attribute, &str, Confidence); N]) -> Vec<Value> {
    let read = all.into_iter().flat_map(|(attribute, text, confidence)| {
        let values = attribute.read(text).unwrap_or_default();
        values
            .into_iter()
            .map(move |value| (attribute, value, confidence))
    });
    read.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sighting(said: Said) -> Sighting {
        Sighting {
            peer: PeerId::new(3),
            peer_name: "xn550".to_owned(),
            link: "astm".to_owned(),
            said,
        }
    }

    fn astm(sender: &str, expect: &[(Attribute, &str)]) {
        let astm_sender = sender.split('^').map(str::to_owned).collect();
        let said = Said {
            astm_sender,
            ..Said::default()
        };
        let all = sighting(said).of_peer();
        let all = all
            .iter()
            .filter(|one| !matches!(one.0, Attribute::Sender | Attribute::Name));
        let all: Vec<(Attribute, &str)> = all.map(|one| (one.0, one.1.as_str())).collect();
        assert_eq!(all, expect, "{sender}");
    }

    #[test]
    fn the_senders_of_real_analyzers_are_read_as_their_makers_write_them() {
        use Attribute::{Manufacturer, Model, Serial, Version};
        astm(
            "DCA VANTAGE^04.04.00.00^S067337",
            &[
                (Model, "DCA VANTAGE"),
                (Version, "04.04.00.00"),
                (Serial, "S067337"),
            ],
        );
        astm(
            "Afinion 2 Analyzer^^AF20052397",
            &[(Model, "Afinion 2 Analyzer"), (Serial, "AF20052397")],
        );
        astm(
            "SENAITE^Roche^c111^4.2.2.1730^1^13147",
            &[
                (Manufacturer, "Roche"),
                (Model, "c111"),
                (Version, "4.2.2.1730"),
                (Serial, "13147"),
            ],
        );
        astm(
            ".806149 Happy Hospital^GeneXpert^4.8",
            &[
                (Manufacturer, "Cepheid"),
                (Model, "GeneXpert"),
                (Version, "4.8"),
            ],
        );
        astm(
            "    XN-550^00-24^22723^^^^BD634545",
            &[(Model, "XN-550"), (Version, "00-24"), (Serial, "22723")],
        );
        astm("ABX", &[(Model, "ABX")]);
    }

    #[test]
    fn hl7_says_its_software_in_sft_and_the_instrument_elsewhere() {
        let said = Said {
            application: "LIS^1.2.3^ISO".to_owned(),
            facility: "LAB".to_owned(),
            software: ["Acme", "8.1", "AcmeLink"].map(str::to_owned),
            equipment: "Plum A+^Hospira".to_owned(),
            serial: "P-77120".to_owned(),
            ..Said::default()
        };
        let sighting = sighting(said);
        let has = |all: &[Value], attribute, value: &str| {
            all.iter().any(|one| one.0 == attribute && one.1 == value)
        };
        let peer = sighting.of_peer();
        assert!(
            has(&peer, Attribute::Sender, "LIS^1.2.3^ISO | LAB"),
            "{peer:?}"
        );
        assert!(
            has(&peer, Attribute::Version, "8.1") && has(&peer, Attribute::Product, "AcmeLink")
        );
        assert!(!has(&peer, Attribute::Serial, "P-77120"));
        let equipment = sighting.of_equipment();
        assert!(
            has(&equipment, Attribute::Serial, "P-77120")
                && has(&equipment, Attribute::Model, "Plum A+")
        );
    }

    proptest! {
        #[test]
        fn whatever_a_peer_says_gives_values_that_can_be_shown(
            sender in proptest::collection::vec(".{0,300}", 0..9), text in ".{0,300}"
        ) {
            let said = Said {
                astm_sender: sender,
                application: text.clone(),
                equipment: text.clone(),
                udi: text,
                ..Said::default()
            };
            let sighting = sighting(said);
            for (attribute, value, _) in sighting.of_peer().into_iter().chain(sighting.of_equipment()) {
                prop_assert_eq!(attribute.read(&value).unwrap(), vec![value]);
            }
        }
    }
}

//! Of which devices something is said.
//!
//! It must never take one model for another because their names begin alike.

use labward_base::id::DeviceId;
use labward_product::name::normal_form;
use labward_product::vendor;

/// Characters of a name at most.
const NAME_MAX_CHARS: usize = 200;

/// Of which devices something is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Of one.
    Device(DeviceId),
    /// Of every device of a model.
    Model {
        /// Who makes it, as the lab writes it.
        manufacturer: String,
        /// The model, as the lab writes it.
        model: String,
        /// The only version of its software that is meant; every one if there is none.
        version: Option<String>,
    },
}

/// What a device is, as far as it decides what is said of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kin {
    /// Its number, and those of the devices that are merged into it.
    pub devices: Vec<DeviceId>,
    /// Who makes it; empty if not known.
    pub manufacturer: String,
    /// The model; empty if not known.
    pub model: String,
    /// The version of its software; empty if not known.
    pub version: String,
}

/// A device, or a maker and a model in one spelling.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ScopeName {
    Device(DeviceId),
    Model(String, String),
}

impl Kin {
    /// Under which names something may be said of it.
    pub(crate) fn names(&self) -> Vec<ScopeName> {
        let devices = self.devices.iter().copied().map(ScopeName::Device);
        let model = ScopeName::Model(
            vendor::normal_form(&self.manufacturer),
            normal_form(&self.model),
        );
        devices.chain([model]).collect()
    }
}

impl Scope {
    /// Every device of this model in this version, empty for every version; `None` if a name is missing or too long.
    pub fn model(manufacturer: &str, model: &str, version: &str) -> Option<Self> {
        let [manufacturer, model, version] = [manufacturer, model, version].map(str::trim);
        let names = [manufacturer, model, version];
        let is_too_long = names
            .iter()
            .any(|name| name.chars().count() > NAME_MAX_CHARS);
        let says_something =
            !vendor::normal_form(manufacturer).is_empty() && !normal_form(model).is_empty();
        (says_something && !is_too_long).then(|| Self::Model {
            manufacturer: manufacturer.to_owned(),
            model: model.to_owned(),
            version: (!version.is_empty()).then(|| version.to_owned()),
        })
    }

    /// Whether both are said of the same devices.
    pub fn is_same(&self, other: &Self) -> bool {
        self.key() == other.key()
    }

    /// How closely it is said of a device, the closest highest; `None` if it is not.
    pub fn closeness(&self, kin: &Kin) -> Option<u8> {
        match self {
            Self::Device(id) => kin.devices.contains(id).then_some(2),
            Self::Model {
                manufacturer,
                model,
                version,
            } => {
                let same_maker =
                    vendor::normal_form(manufacturer) == vendor::normal_form(&kin.manufacturer);
                let same = same_maker && normal_form(model) == normal_form(&kin.model);
                match version {
                    _ if !same => None,
                    None => Some(0),
                    Some(version) => spelled(version).eq(&spelled(&kin.version)).then_some(1),
                }
            }
        }
    }

    /// What it is looked up by, whatever the version.
    pub(crate) fn name(&self) -> ScopeName {
        match self {
            Self::Device(id) => ScopeName::Device(*id),
            Self::Model {
                manufacturer,
                model,
                ..
            } => ScopeName::Model(vendor::normal_form(manufacturer), normal_form(model)),
        }
    }

    fn key(&self) -> (Option<DeviceId>, String, String, Option<String>) {
        match self {
            Self::Device(id) => (Some(*id), String::new(), String::new(), None),
            Self::Model {
                manufacturer,
                model,
                version,
            } => (
                None,
                vendor::normal_form(manufacturer),
                normal_form(model),
                version.as_deref().map(spelled),
            ),
        }
    }
}

/// A version in one spelling; what stands between its parts counts.
fn spelled(version: &str) -> String {
    let version = version.trim().to_lowercase();
    match version.strip_prefix('v') {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit()) => rest.to_owned(),
        _ => version,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kin(model: &str, version: &str) -> Kin {
        Kin {
            devices: vec![DeviceId::new(3), DeviceId::new(8)],
            manufacturer: "Sysmex Corporation".to_owned(),
            model: model.to_owned(),
            version: version.to_owned(),
        }
    }

    #[test]
    fn a_model_is_known_by_its_names_and_a_version_counts_before_none() {
        let of = |version| Scope::model("SYSMEX", "XN-550", version).unwrap();
        assert_eq!(of("").closeness(&kin("XN 550", "00-24")), Some(0));
        assert_eq!(of("V00-24").closeness(&kin("xn-550", "00-24")), Some(1));
        assert_eq!(of("00-2").closeness(&kin("XN-550", "00-24")), None);
        assert_eq!(of("").closeness(&kin("XN-5500", "00-24")), None);
        let own = Scope::Device(DeviceId::new(8));
        assert_eq!(own.closeness(&kin("anything", "")), Some(2));
        assert!(of("").is_same(&Scope::model("Sysmex", "xn 550", "").unwrap()));
        assert!(!of("").is_same(&of("1")));
    }

    #[test]
    fn a_model_without_a_name_is_none() {
        assert_eq!(Scope::model("Sysmex", " ", ""), None);
        assert_eq!(Scope::model("", "XN-550", ""), None);
        assert_eq!(Scope::model("Sysmex", &"x".repeat(201), ""), None);
    }
}

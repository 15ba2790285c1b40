//! Whose record a FHIR R4 resource is, and the resources of a bundle, each with its own bytes.
//!
//! It must never follow a reference out of the bundle, change a byte of a resource, or take two
//! patients of one bundle for one.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::demographics::{Demographics, Identifier, PersonName, birth_date};
use crate::identify::{Identity, Who};
use crate::retention::RetentionClass;

/// Identifier type of a patient known only as `Patient/id` of a link's own server.
const LOGICAL_ID: &str = "FHIR";
/// More resources than this in one bundle are refused.
const RESOURCES_MAX: usize = 100_000;

/// A bundle taken apart; resources borrow their exact bytes.
pub(crate) struct Bundle<'a> {
    entries: Vec<RawEntry<'a>>,
    patients: Vec<BundlePatient>,
}

struct BundlePatient {
    names: Vec<String>,
    identity: Identity,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawBundle<'a> {
    resource_type: String,
    #[serde(borrow, default)]
    entry: Vec<RawEntry<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawEntry<'a> {
    full_url: Option<String>,
    #[serde(borrow)]
    resource: Option<&'a RawValue>,
}

impl<'a> Bundle<'a> {
    /// Takes a bundle apart; `None` if the bytes are not one, or one of more than 100,000
    /// resources.
    pub(crate) fn parse(bytes: &'a [u8], authority: Option<&str>) -> Option<Self> {
        let raw: RawBundle<'_> = serde_json::from_slice(bytes).ok()?;
        if raw.resource_type != "Bundle" || raw.entry.len() > RESOURCES_MAX {
            return None;
        }
        let mut patients = Vec::new();
        for entry in &raw.entry {
            let resource = entry.resource.map(parse);
            let Some(resource) = resource.filter(|r| resource_type(r) == Some("Patient")) else {
                continue;
            };
            let mut names: Vec<String> = entry.full_url.iter().cloned().collect();
            names.extend(logical_name(&resource));
            let identity = identify(&resource, authority);
            patients.push(BundlePatient { names, identity });
        }
        Some(Self {
            entries: raw.entry,
            patients,
        })
    }

    /// Every resource with its bytes and whose record it is.
    pub(crate) fn resources(
        &self,
        authority: Option<&str>,
    ) -> impl Iterator<Item = (&'a str, Identity)> {
        let resources = self.entries.iter().filter_map(|entry| entry.resource);
        resources.map(move |raw| (raw.get(), self.identity_of(raw, authority)))
    }

    fn identity_of(&self, raw: &RawValue, authority: Option<&str>) -> Identity {
        let resource = parse(raw);
        let own = identify(&resource, authority);
        if is_about_nobody(&resource) || resource_type(&resource) == Some("Patient") {
            return own;
        }
        let owner = match (reference(&resource), self.patients.as_slice()) {
            (Some(to), patients) => patients.iter().find(|p| p.names.iter().any(|n| n == to)),
            // What a patient's bundle holds without saying of whom is about that patient.
            (None, [only]) => Some(only),
            (None, _) => None,
        };
        match owner {
            Some(owner) => Identity {
                who: owner.identity.who.clone(),
                demographics: owner.identity.demographics.clone(),
                ..own
            },
            None => own,
        }
    }
}

/// Whose record one FHIR resource (or bundle) is, read from its bytes.
pub(crate) fn identify_bytes(bytes: &[u8], authority: Option<&str>) -> Identity {
    let Ok(resource) = serde_json::from_slice::<Value>(bytes) else {
        return Identity::of(Who::Unknown);
    };
    if resource_type(&resource) != Some("Bundle") {
        return identify(&resource, authority);
    }
    let entries = resource.get("entry").and_then(Value::as_array);
    let inner: Vec<_> = entries
        .into_iter()
        .flatten()
        .filter_map(|e| e.get("resource"))
        .collect();
    let patient = inner
        .iter()
        .find(|r| resource_type(r) == Some("Patient"))
        .or_else(|| inner.iter().find(|r| !is_about_nobody(r)));
    match patient {
        Some(resource) => identify(resource, authority),
        None if inner.is_empty() => Identity::of(Who::Unknown),
        None => Identity::of(Who::Nobody),
    }
}

/// Whose record one resource is, by itself.
fn identify(resource: &Value, authority: Option<&str>) -> Identity {
    if is_about_nobody(resource) {
        return Identity::of(Who::Nobody);
    }
    let mut demographics = Demographics::default();
    if resource_type(resource) == Some("Patient") {
        demographics = read_patient(resource);
        if let (Some(authority), Some(name)) = (authority, logical_name(resource)) {
            demographics.identifiers.push(logical(authority, name));
        }
    } else {
        let subject = subject(resource);
        let identifier = subject.and_then(|s| s.get("identifier"));
        demographics
            .identifiers
            .extend(identifier.and_then(read_identifier));
        if let (Some(authority), Some(to)) = (authority, reference(resource))
            && to.starts_with("Patient/")
        {
            demographics
                .identifiers
                .push(logical(authority, to.to_owned()));
        }
    }
    demographics.identifiers.retain(Identifier::is_meaningful);
    let accessions = accessions(resource);
    let who = match (demographics.identifiers.is_empty(), accessions.first()) {
        (false, _) => Who::Identified,
        (true, Some(accession)) => Who::Accession(accession.clone()),
        (true, None) => Who::Unknown,
    };
    Identity {
        demographics,
        accessions,
        class: class(resource),
        ..Identity::of(who)
    }
}

fn parse(raw: &RawValue) -> Value {
    serde_json::from_str(raw.get()).unwrap_or_default()
}

fn resource_type(resource: &Value) -> Option<&str> {
    resource.get("resourceType")?.as_str()
}

/// Resources that FHIR defines without a patient behind them.
fn is_about_nobody(resource: &Value) -> bool {
    matches!(
        resource_type(resource),
        Some(
            "CapabilityStatement"
                | "CodeSystem"
                | "Endpoint"
                | "HealthcareService"
                | "Location"
                | "Medication"
                | "Organization"
                | "Practitioner"
                | "PractitionerRole"
                | "StructureDefinition"
                | "ValueSet"
        )
    )
}

fn subject(resource: &Value) -> Option<&Value> {
    ["subject", "patient", "beneficiary", "for", "individual"]
        .iter()
        .find_map(|name| resource.get(name))
}

fn reference(resource: &Value) -> Option<&str> {
    subject(resource)?.get("reference")?.as_str()
}

fn logical_name(resource: &Value) -> Option<String> {
    let id = resource.get("id")?.as_str()?;
    Some(format!("Patient/{id}"))
}

fn logical(authority: &str, value: String) -> Identifier {
    Identifier {
        authority: authority.to_owned(),
        value,
        kind: LOGICAL_ID.to_owned(),
    }
}

fn read_patient(resource: &Value) -> Demographics {
    let names = list(resource, "name").filter_map(read_name).collect();
    let identifiers = list(resource, "identifier").filter_map(read_identifier);
    let born = resource.get("birthDate").and_then(Value::as_str);
    Demographics {
        names,
        birth_date: born.and_then(birth_date),
        identifiers: identifiers.collect(),
    }
}

fn read_name(name: &Value) -> Option<PersonName> {
    let family = text(name, "family");
    let given: Vec<_> = list(name, "given").filter_map(Value::as_str).collect();
    let (family, given) = match (family.is_empty() && given.is_empty(), text(name, "text")) {
        (true, whole) => (whole, String::new()),
        (false, _) => (family, given.join(" ")),
    };
    (!family.is_empty() || !given.is_empty()).then_some(PersonName { family, given })
}

fn read_identifier(identifier: &Value) -> Option<Identifier> {
    let value = identifier.get("value")?.as_str()?.trim();
    let system = text(identifier, "system");
    let coding = identifier.pointer("/type/coding/0/code");
    Some(Identifier {
        // HL7 v2 writes the same authority as a bare object identifier.
        authority: system
            .strip_prefix("urn:oid:")
            .unwrap_or(&system)
            .to_owned(),
        value: value.to_owned(),
        kind: coding
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
    })
}

fn accessions(resource: &Value) -> Vec<String> {
    let of_specimen = resource.get("accessionIdentifier");
    let own = match resource_type(resource) {
        Some("DiagnosticReport" | "ServiceRequest" | "Specimen") => Some("identifier"),
        _ => None,
    };
    let identifiers = own.into_iter().flat_map(|name| list(resource, name));
    of_specimen
        .into_iter()
        .chain(identifiers)
        .filter_map(|identifier| identifier.get("value")?.as_str())
        .map(|value| value.trim().to_owned())
        .filter(|value| !value.is_empty())
        .take(crate::identify::ACCESSIONS_MAX)
        .collect()
}

/// Pathology by table HL70074: surgical pathology, cytopathology, pathology.
fn class(resource: &Value) -> RetentionClass {
    let codes = list(resource, "category").flat_map(|category| list(category, "coding"));
    let mut codes = codes.filter_map(|coding| coding.get("code")?.as_str());
    if codes.any(|code| RetentionClass::is_pathology_section(code.as_bytes())) {
        RetentionClass::Pathology
    } else {
        RetentionClass::Results
    }
}

fn text(value: &Value, name: &str) -> String {
    let text = value.get(name).and_then(Value::as_str);
    text.unwrap_or_default().trim().to_owned()
}

fn list<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> + use<'v> {
    let found = value.get(name);
    found.and_then(Value::as_array).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BUNDLE: &str = r#"{"resourceType":"Bundle","type":"transaction","entry":[
      {"fullUrl":"urn:uuid:1","resource":{"resourceType":"Patient","id":"1",
        "identifier":[{"system":"urn:oid:1.2.3","value":"M1","type":{"coding":[{"code":"MR"}]}},
                      {"system":"http://hl7.org/fhir/sid/us-ssn","value":"999-99-9999"}],
        "name":[{"family":"Guzmán","given":["Ana","Eva"]},{"text":"Ana Old"}],"birthDate":"2015-09-05"}},
      {"fullUrl":"urn:uuid:2","resource":{ "resourceType":"Observation","subject":{"reference":"urn:uuid:1"}}},
      {"resource":{"resourceType":"Organization","name":"Lab"}},
      {"resource":{"resourceType":"Provenance"}},
      {"resource":{"resourceType":"DiagnosticReport","subject":{"reference":"urn:uuid:9"},
        "identifier":[{"value":"ACC-1"}],"category":[{"coding":[{"code":"SP"}]}]}}]}"#;

    fn identities(authority: Option<&str>) -> Vec<(String, Identity)> {
        let bundle = Bundle::parse(BUNDLE.as_bytes(), authority).unwrap();
        let resources = bundle.resources(authority);
        resources.map(|(raw, who)| (raw.to_owned(), who)).collect()
    }

    #[test]
    fn each_resource_keeps_its_bytes_and_goes_to_its_patient() {
        let all = identities(None);
        assert_eq!(all.len(), 5);
        let (raw, observation) = &all[1];
        assert!(raw.starts_with("{ \"resourceType\":\"Observation\""));
        let patient = &all[0].1;
        assert_eq!(
            patient.demographics.identifiers.len(),
            1,
            "a made-up number is none"
        );
        assert_eq!(patient.demographics.identifiers[0].authority, "1.2.3");
        assert_eq!(patient.demographics.names[0].given, "Ana Eva");
        assert_eq!(patient.demographics.names[1].family, "Ana Old");
        assert_eq!(observation.demographics, patient.demographics);
        assert_eq!(all[2].1.who, Who::Nobody);
        assert_eq!(
            all[3].1.demographics, patient.demographics,
            "the bundle's patient"
        );
    }

    #[test]
    fn a_reference_out_of_the_bundle_is_not_the_bundles_patient() {
        let (_, report) = &identities(None)[4];
        assert_eq!(report.who, Who::Accession("ACC-1".to_owned()));
        assert!(report.demographics.is_empty());
        assert_eq!(report.class, RetentionClass::Pathology);
    }

    #[test]
    fn a_servers_own_ids_count_only_under_its_authority() {
        let observation = br#"{"resourceType":"Observation","subject":{"reference":"Patient/7"}}"#;
        assert_eq!(identify_bytes(observation, None).who, Who::Unknown);
        let known = identify_bytes(observation, Some("EHR"));
        assert_eq!(known.who, Who::Identified);
        assert_eq!(
            known.demographics.identifiers,
            [logical("EHR", "Patient/7".to_owned())]
        );
        let patient = br#"{"resourceType":"Patient","id":"7"}"#;
        let patient = identify_bytes(patient, Some("EHR"));
        assert_eq!(
            patient.demographics.identifiers,
            known.demographics.identifiers
        );
    }

    #[test]
    fn what_is_no_bundle_is_refused() {
        for text in [
            "",
            "{",
            "[]",
            r#"{"resourceType":"Patient"}"#,
            r#"{"entry":[]}"#,
        ] {
            assert!(Bundle::parse(text.as_bytes(), None).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = identify_bytes(&bytes, Some("x"));
            let _ = Bundle::parse(&bytes, None);
        }
    }
}

//! Any bytes in a resource, in JSON and in XML, and in a CDA document: what a walk shows stays within its budget, and
//! what it could not look into is told.

use super::carrier_zip::walked;

pub fn run(data: &[u8]) {
    for head in [
        &b"{\"resourceType\":\"Bundle\",\"entry\":["[..],
        b"<Bundle xmlns=\"http://hl7.org/fhir\">",
        b"<ClinicalDocument xmlns=\"urn:hl7-org:v3\"><component>",
    ] {
        walked(&[head, data].concat());
    }
}

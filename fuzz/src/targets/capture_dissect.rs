//! Any bytes for each dissector, chosen by the first one: facts within bounds or none.

use labward_capture::{Facts, VALUE_BYTES_MAX, dissect};

const DISSECTORS: [fn(&[u8]) -> Option<Facts>; 14] = [
    dissect::stream,
    dissect::astm::stream,
    dissect::astm::message,
    dissect::dhcp::read,
    dissect::dicom::stream,
    dissect::hl7::stream,
    dissect::hl7::message,
    dissect::lldp::read,
    dissect::mdns::read,
    dissect::netbios::read,
    dissect::poct1::stream,
    dissect::smb::stream,
    dissect::ssdp::read,
    dissect::tls::stream,
];

pub fn run(data: &[u8]) {
    let (choice, bytes) = data.split_first().unwrap_or((&0, &[]));
    let read = DISSECTORS[usize::from(*choice) % DISSECTORS.len()];
    let Some(facts) = read(bytes) else { return };
    assert!(facts.facts().len() <= 128);
    for fact in facts.facts() {
        assert!(!fact.value.is_empty() && fact.value.len() <= VALUE_BYTES_MAX);
        assert!(!fact.value.chars().any(char::is_control));
    }
}

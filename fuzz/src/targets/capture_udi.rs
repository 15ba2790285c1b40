//! Any text as a unique device identifier: its parts stand in it, and a wrong check is never taken.

use labward_capture::udi::{Agency, Udi};

pub fn run(data: &[u8]) {
    let Some(text) = crate::read::<&str>(data) else { return };
    let Ok(udi) = Udi::parse(text) else { return };
    let parts = [udi.lot, udi.serial, udi.manufactured, udi.expires];
    for part in parts.iter().flatten().chain([&udi.device]) {
        assert!(!part.is_empty() && text.contains(part.as_str()));
    }
    if udi.agency == Agency::Gs1 {
        let digit = udi.device.as_bytes()[13];
        let other = b'0' + (digit - b'0' + 1) % 10;
        let wrong = format!("(01){}{}", &udi.device[..13], char::from(other));
        assert!(Udi::parse(&wrong).is_err());
    }
}

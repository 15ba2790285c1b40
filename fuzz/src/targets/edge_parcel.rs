//! Any bytes are what an edge sealed, or are refused: what is read is written the same, and whatever
//! an edge packs is read back.

use labward_base::Timestamp;
use labward_gateway::edge::parcel::Parcel;
use labward_gateway::keep::MessageKind;

/// The longest name or code that fits.
const TEXT_MAX: usize = 255;

fn text(data: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(data).into_owned();
    while text.len() > TEXT_MAX {
        text.pop();
    }
    text
}

pub fn run(data: &[u8]) {
    if let Ok(parcel) = Parcel::parse(data) {
        assert_eq!(parcel.to_bytes(), data, "a parcel is written as it was read");
    }
    let [kind, device, reason, rest @ ..] = data else { return };
    let device = rest.split_at(rest.len().min(usize::from(*device)));
    let reason = device.1.split_at(device.1.len().min(usize::from(*reason)));
    let packed = Parcel {
        kind: match kind % 3 {
            0 => MessageKind::Astm,
            1 => MessageKind::Hl7V2,
            _ => MessageKind::Other,
        },
        received: Timestamp::from_micros(i64::from(*kind) << 40),
        device: text(device.0),
        reason: text(reason.0),
        bytes: reason.1.to_vec(),
    };
    assert_eq!(Parcel::parse(&packed.to_bytes()), Ok(packed));
}

//! A parcel: what an edge seals, one message and what is known of its arrival.
//!
//! `layout 1 ‖ kind 1 ‖ received 8 ‖ device-length 1 ‖ device ‖ reason-length 1 ‖ reason ‖ message`,
//! numbers big-endian. The envelope around it is bound to the place `queue 16 ‖ number 8`, so that no
//! item can stand in for another. It must never be written anywhere unsealed.

use labward_base::Timestamp;

use crate::keep::MessageKind;

const LAYOUT: u8 = 1;

/// One message on its way from an edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// What its bytes are.
    pub kind: MessageKind,
    /// When the edge received it.
    pub received: Timestamp,
    /// The device that it came from, by its name at the edge.
    pub device: String,
    /// Why the edge did not accept it, as a code of the table of problems; empty if it did.
    pub reason: String,
    /// The message.
    pub bytes: Vec<u8>,
}

/// The bytes are no parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read a parcel: it does not fit its form")]
pub struct NotAParcel;

impl Parcel {
    /// The place that an envelope is sealed for.
    pub fn place(queue: &[u8; 16], number: u64) -> [u8; 24] {
        let mut place = [0; 24];
        let bytes = queue.iter().copied().chain(number.to_be_bytes());
        place
            .iter_mut()
            .zip(bytes)
            .for_each(|(to, from)| *to = from);
        place
    }

    /// The bytes to be sealed.
    pub fn to_bytes(&self) -> Vec<u8> {
        let size = 12 + self.device.len() + self.reason.len() + self.bytes.len();
        let mut out = Vec::with_capacity(size);
        let kind = match self.kind {
            MessageKind::Astm => 1,
            MessageKind::Hl7V2 => 2,
            MessageKind::Other => 3,
        };
        out.extend([LAYOUT, kind]);
        out.extend(self.received.as_micros().to_be_bytes());
        for text in [&self.device, &self.reason] {
            // Names and codes are short; what is not is no name of ours.
            let length = u8::try_from(text.len()).unwrap_or(0);
            out.push(length);
            out.extend(text.bytes().take(usize::from(length)));
        }
        out.extend_from_slice(&self.bytes);
        out
    }

    /// Reads what was sealed.
    ///
    /// # Errors
    /// [`NotAParcel`] for anything that [`Parcel::to_bytes`] does not give.
    pub fn parse(bytes: &[u8]) -> Result<Self, NotAParcel> {
        let ([layout, kind], rest) = bytes.split_first_chunk::<2>().ok_or(NotAParcel)?;
        let (received, rest) = rest.split_first_chunk::<8>().ok_or(NotAParcel)?;
        let kind = match (*layout, *kind) {
            (LAYOUT, 1) => MessageKind::Astm,
            (LAYOUT, 2) => MessageKind::Hl7V2,
            (LAYOUT, 3) => MessageKind::Other,
            _ => return Err(NotAParcel),
        };
        let (device, rest) = text(rest)?;
        let (reason, rest) = text(rest)?;
        Ok(Self {
            kind,
            received: Timestamp::from_micros(i64::from_be_bytes(*received)),
            device,
            reason,
            bytes: rest.to_vec(),
        })
    }
}

fn text(bytes: &[u8]) -> Result<(String, &[u8]), NotAParcel> {
    let (length, rest) = bytes.split_first().ok_or(NotAParcel)?;
    let (text, rest) = rest
        .split_at_checked(usize::from(*length))
        .ok_or(NotAParcel)?;
    let text = std::str::from_utf8(text).map_err(|_| NotAParcel)?;
    Ok((text.to_owned(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parcel(bytes: &[u8]) -> Parcel {
        Parcel {
            kind: MessageKind::Astm,
            received: Timestamp::from_micros(-7),
            device: "cobas-1".to_owned(),
            reason: "gateway.framing".to_owned(),
            bytes: bytes.to_vec(),
        }
    }

    #[test]
    fn a_parcel_is_read_back_as_packed() {
        for kind in [MessageKind::Astm, MessageKind::Hl7V2, MessageKind::Other] {
            for bytes in [&b""[..], b"H|\\^&\r"] {
                let packed = Parcel {
                    kind,
                    ..parcel(bytes)
                };
                assert_eq!(Parcel::parse(&packed.to_bytes()), Ok(packed));
            }
        }
    }

    #[test]
    fn another_queue_or_number_is_another_place() {
        let place = Parcel::place(&[1; 16], 2);
        assert_ne!(place, Parcel::place(&[2; 16], 2));
        assert_ne!(place, Parcel::place(&[1; 16], 3));
        assert_eq!((place[15], place[23]), (1, 2));
    }

    #[test]
    fn a_head_that_was_cut_is_no_parcel() {
        let whole = parcel(b"").to_bytes();
        for cut in 0..whole.len() {
            assert_eq!(Parcel::parse(&whole[..cut]), Err(NotAParcel), "{cut}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..100)
        ) {
            if let Ok(parcel) = Parcel::parse(&bytes) {
                prop_assert_eq!(parcel.to_bytes(), bytes);
            }
        }
    }
}

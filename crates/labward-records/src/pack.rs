//! Packing a record before it is sealed: zstd with a dictionary for each kind, padded.
//!
//! It must never change a shipped dictionary (what was packed with it could not be read again), be
//! fed by bytes that were not authenticated, or unpack more than was packed.
//!
//! | Bytes | Field |
//! |---|---|
//! | 1 | number of the dictionary, 0 for none |
//! | 4 | length of the frame, big-endian |
//! | n | zstd frame (RFC 8878), with its content size |
//! | to a multiple of 32 | zeros: lengths alone should say less of what was measured |

use std::sync::{LazyLock, Mutex, PoisonError};

use labward_base::Secret;
use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};

use crate::kind::RecordKind;

/// A packed record is as long as a multiple of so many bytes.
const PAD_BYTES: usize = 32;
/// Number and length.
const HEAD_BYTES: usize = 1 + 4;
/// Higher levels take twice the time for a tenth of the size.
const LEVEL: i32 = 1;
/// Contexts that are kept for the next record; each holds some hundred kilobytes.
const IDLE_MAX: usize = 4;

static HL7: LazyLock<Dictionary> =
    LazyLock::new(|| Dictionary::of(1, include_bytes!("../dictionaries/hl7.zdict")));
static FHIR: LazyLock<Dictionary> =
    LazyLock::new(|| Dictionary::of(2, include_bytes!("../dictionaries/fhir.zdict")));

/// A dictionary made ready, with contexts that use it.
struct Dictionary {
    number: u8,
    encoder: EncoderDictionary<'static>,
    decoder: DecoderDictionary<'static>,
    packing: Pool<Compressor<'static>>,
    unpacking: Pool<Decompressor<'static>>,
}

/// Contexts not in use: making one anew costs more than a record.
struct Pool<T>(Mutex<Vec<T>>);

/// `bytes` packed; `None` if that is no shorter.
pub(crate) fn pack(kind: RecordKind, bytes: &[u8]) -> Option<Secret<Vec<u8>>> {
    let frame = Secret::new(match dictionary_for(kind) {
        Some(dictionary) => dictionary.pack(bytes)?,
        None => zstd::bulk::compress(bytes, LEVEL).ok()?,
    });
    let frame = frame.expose();
    let used = HEAD_BYTES + frame.len();
    let padded = used.next_multiple_of(PAD_BYTES);
    if padded >= bytes.len() {
        return None;
    }
    let mut packed = Vec::with_capacity(padded);
    packed.push(dictionary_for(kind).map_or(0, |dictionary| dictionary.number));
    packed.extend_from_slice(&u32::try_from(frame.len()).ok()?.to_be_bytes());
    packed.extend_from_slice(frame);
    packed.resize(padded, 0);
    Some(Secret::new(packed))
}

/// What [`pack`] packed, if it is at most `max_bytes` long; `None` if it is not that.
pub(crate) fn unpack(packed: &[u8], max_bytes: usize) -> Option<Secret<Vec<u8>>> {
    let (number, rest) = packed.split_first()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let frame = rest.get(..usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    let size = zstd::zstd_safe::get_frame_content_size(frame).ok()??;
    let size = usize::try_from(size)
        .ok()
        .filter(|size| *size <= max_bytes)?;
    let bytes = match number {
        0 => zstd::bulk::decompress(frame, size).ok()?,
        1 => HL7.unpack(frame, size)?,
        2 => FHIR.unpack(frame, size)?,
        _ => return None,
    };
    Some(Secret::new(bytes))
}

fn dictionary_for(kind: RecordKind) -> Option<&'static Dictionary> {
    match kind {
        RecordKind::Hl7V2 => Some(&HL7),
        RecordKind::FhirResource => Some(&FHIR),
        RecordKind::Astm | RecordKind::Document => None,
    }
}

impl Dictionary {
    fn of(number: u8, bytes: &[u8]) -> Self {
        Self {
            number,
            encoder: EncoderDictionary::copy(bytes, LEVEL),
            decoder: DecoderDictionary::copy(bytes),
            packing: Pool(Mutex::default()),
            unpacking: Pool(Mutex::default()),
        }
    }

    fn pack(&'static self, bytes: &[u8]) -> Option<Vec<u8>> {
        let make = || Compressor::with_prepared_dictionary(&self.encoder).ok();
        self.packing
            .lend(make, |context| context.compress(bytes).ok())
    }

    fn unpack(&'static self, frame: &[u8], size: usize) -> Option<Vec<u8>> {
        let make = || Decompressor::with_prepared_dictionary(&self.decoder).ok();
        self.unpacking
            .lend(make, |context| context.decompress(frame, size).ok())
    }
}

impl<T> Pool<T> {
    fn lend<R>(
        &self,
        make: impl FnOnce() -> Option<T>,
        work: impl FnOnce(&mut T) -> Option<R>,
    ) -> Option<R> {
        let idle = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = idle().pop();
        let mut context = taken.or_else(make)?;
        let done = work(&mut context);
        let mut idle = idle();
        if idle.len() < IDLE_MAX {
            idle.push(context);
        }
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use labward_seal::sha256;
    use proptest::prelude::*;

    const MAX: usize = 1 << 20;
    const KINDS: [RecordKind; 4] = [
        RecordKind::Hl7V2,
        RecordKind::Astm,
        RecordKind::FhirResource,
        RecordKind::Document,
    ];

    fn check(kind: RecordKind, bytes: &[u8]) -> Option<usize> {
        let packed = pack(kind, bytes)?;
        let length = packed.expose().len();
        assert!(length < bytes.len() && length % PAD_BYTES == 0);
        let unpacked = unpack(packed.expose(), MAX).unwrap();
        assert!(unpacked.expose() == bytes, "{kind:?}");
        Some(length)
    }

    #[test]
    fn a_shipped_dictionary_is_never_changed() {
        let digest = |bytes: &[u8]| {
            let digest = sha256(bytes);
            digest[..4]
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
        };
        assert_eq!(
            digest(include_bytes!("../dictionaries/hl7.zdict")),
            "26d7435f"
        );
        assert_eq!(
            digest(include_bytes!("../dictionaries/fhir.zdict")),
            "ccbc0a97"
        );
    }

    #[test]
    fn a_blood_count_the_dictionary_never_saw_loses_two_fifths() {
        let mut message =
            b"MSH|^~\\&|XN550|HEMA|LIS|LAB|20260101120000||ORU^R01^ORU_R01|17|P|2.5.1\r\
            PID|1||000123^^^LAB^MR||DOE^J||19700101|F\rOBR|1||A1|CBC^^L|||20260101115500\r"
                .to_vec();
        for (number, (code, value)) in [
            ("6690-2^WBC^LN", "7|10*3/uL|4-11"),
            ("789-8^RBC^LN", "4.61|10*6/uL|4-5"),
            ("718-7^HGB^LN", "14|g/dL|12-16"),
            ("4544-3^HCT^LN", "41|%|36-46"),
            ("787-2^MCV^LN", "89|fL|80-96"),
            ("785-6^MCH^LN", "30|pg|27-33"),
            ("786-4^MCHC^LN", "34|g/dL|32-36"),
            ("777-3^PLT^LN", "250|10*3/uL|150-400"),
        ]
        .into_iter()
        .enumerate()
        {
            let result = format!("OBX|{}|NM|{code}||{value}|N|||F\r", number + 1);
            message.extend_from_slice(result.as_bytes());
        }
        let packed = check(RecordKind::Hl7V2, &message).unwrap();
        assert!(
            packed * 5 <= message.len() * 3,
            "{packed} of {}",
            message.len()
        );
    }

    /// The length of all of these, and of all of them packed.
    fn measure(kind: RecordKind, records: &[Vec<u8>]) -> (usize, usize) {
        let packed = |record: &Vec<u8>| check(kind, record).unwrap_or(record.len());
        let plain = records.iter().map(Vec::len).sum();
        (plain, records.iter().map(packed).sum())
    }

    #[test]
    fn real_files_that_no_dictionary_learned_from_shrink_to_a_third() {
        let Some(data) = labward_testkit::test_data("packing") else {
            return;
        };
        let mut files: Vec<_> = std::fs::read_dir(data.join("hl7"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        let untaught = files.iter().skip(1).step_by(2);
        let messages: Vec<_> = untaught
            .map(|file| {
                let text = std::fs::read(file).unwrap();
                let text = String::from_utf8_lossy(&text).replace("\r\n", "\r");
                text.replace('\n', "\r").into_bytes()
            })
            .collect();
        let (plain, packed) = measure(RecordKind::Hl7V2, &messages);
        assert!(packed * 3 <= plain, "HL7: {packed} of {plain}");
        let mut resources = Vec::new();
        for file in std::fs::read_dir(data.join("fhir")).unwrap() {
            let file = std::fs::File::open(file.unwrap().path()).unwrap();
            let mut text = Vec::new();
            std::io::copy(&mut bzip2::read::BzDecoder::new(file), &mut text).unwrap();
            let bundle = crate::fhir::Bundle::parse(&text, None).unwrap();
            let texts = bundle
                .resources(None)
                .map(|(text, _)| text.as_bytes().to_vec());
            resources.extend(texts);
        }
        let (plain, packed) = measure(RecordKind::FhirResource, &resources);
        assert!(packed * 3 <= plain, "FHIR: {packed} of {plain}");
    }

    #[test]
    fn what_does_not_shrink_is_not_packed() {
        for kind in KINDS {
            assert!(pack(kind, b"").is_none());
            assert!(pack(kind, b"MSH|^~\\&|A").is_none());
        }
        let noise: Vec<u8> = (0..64u8).flat_map(|i| sha256(&[i])).collect();
        assert!(pack(RecordKind::Document, &noise).is_none());
    }

    #[test]
    fn more_than_was_allowed_is_not_unpacked() {
        let packed = pack(RecordKind::Document, &[7; 4096]).unwrap();
        assert!(unpack(packed.expose(), 4096).is_some());
        assert!(unpack(packed.expose(), 4095).is_none());
    }

    #[test]
    fn an_unknown_dictionary_or_a_cut_frame_is_not_unpacked() {
        let packed = pack(RecordKind::Document, &[7; 4096]).unwrap();
        let packed = packed.expose();
        let mut other = packed.clone();
        other[0] = 9;
        assert!(unpack(&other, MAX).is_none());
        for end in 0..HEAD_BYTES + 4 {
            assert!(unpack(&packed[..end], MAX).is_none(), "{end}");
        }
    }

    proptest! {
        #[test]
        fn whatever_was_packed_comes_back(
            parts in proptest::collection::vec(
                prop_oneof!["[A-Z]{3}\\|", "PID\\|1\\|\\|", "\"code\":\"", "[0-9]{1,6}", "\\PC{0,4}"],
                0..200,
            ),
            kind in 0..4usize,
        ) {
            check(KINDS[kind], parts.concat().as_bytes());
        }

        #[test]
        fn any_bytes_are_unpacked_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = unpack(&bytes, MAX);
        }
    }
}

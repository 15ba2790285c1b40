//! Any bytes as one of the other archives, by the first byte: the walk ends within its budget.

use super::carrier_zip::walked;

const BEGINNINGS: &[&[u8]] = &[
    b"7z\xbc\xaf\x27\x1c\0\x04",
    b"MSCF\0\0\0\0",
    b"Rar!\x1a\x07\0",
    b"Rar!\x1a\x07\x01\0",
    b"\x60\xea\x2c\0",
    b"070701",
    b"070707",
    b"\xc7\x71",
    b"!<arch>\n",
    b"SZDD\x88\xf0\x27\x33A",
    b"ITSF\x03\0\0\0",
];

pub fn run(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    match BEGINNINGS.get(usize::from(*first)) {
        Some(beginning) => walked(&[beginning, rest].concat()),
        None if *first == 0xfe => walked(&tar(rest)),
        None => walked(&disc(rest)),
    }
}

/// With a sum that fits, which no fuzzer guesses.
fn tar(rest: &[u8]) -> Vec<u8> {
    let mut bytes = rest.to_vec();
    bytes.resize(bytes.len().max(1_024), 0);
    bytes[148..156].fill(b' ');
    let sum: u32 = bytes[..512].iter().map(|byte| u32::from(*byte)).sum();
    bytes[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    bytes
}

/// A disc, of which only the descriptors and what is behind them are guessed.
fn disc(rest: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 16 * 2_048];
    bytes.extend(b"\x01CD001");
    bytes.extend(rest);
    bytes.resize(bytes.len().next_multiple_of(2_048), 0);
    bytes
}

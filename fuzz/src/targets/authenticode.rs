//! Any bytes as a program of Windows, and as the signature of a sound one: nothing panics, and what is told of a signer is bounded.

use std::io::Cursor;

use labward_authenticode::{Fit, read};

/// Where the PE signature, the optional header and the certificate table begin.
const HEADER: usize = 0x40;
const OPTIONAL: usize = HEADER + 24;
const TABLE: usize = 0x200;

pub fn run(data: &[u8]) {
    looked_at(data);
    looked_at(&signed_with(data));
}

fn looked_at(bytes: &[u8]) {
    let told = read(&mut Cursor::new(bytes)).expect("a slice can be read");
    if let Some(told) = told {
        assert!(told.fit != Fit::Fits || told.signer.is_some());
        if let Some(signer) = told.signer {
            assert!(signer.name.chars().count() <= 200 && !signer.name.contains(char::is_control));
        }
    }
}

/// A program of one header whose certificate table holds this.
fn signed_with(pkcs7: &[u8]) -> Vec<u8> {
    let mut image = vec![0; TABLE];
    let mut put = |at: usize, bytes: &[u8]| image[at..at + bytes.len()].copy_from_slice(bytes);
    let length = u32::try_from(pkcs7.len() + 8)
        .unwrap_or(u32::MAX)
        .to_le_bytes();
    put(0, b"MZ");
    put(0x3c, &[0x40]);
    put(HEADER, b"PE\0\0\x64\x86\0\0");
    put(HEADER + 20, &[0xf0, 0]);
    put(OPTIONAL, &[0x0b, 0x02]);
    put(OPTIONAL + 61, &[0x02]);
    put(OPTIONAL + 108, &[16]);
    put(OPTIONAL + 112 + 33, &[0x02]);
    put(OPTIONAL + 112 + 36, &length);
    [&image, &length[..], b"\0\x02\x02\0", pkcs7].concat()
}

//! Any bytes as the rest of a mail, as a part of one, and as the files that mails carry: what a walk shows stays within its budget, and
//! what it could not look into is told.

use super::carrier_zip::walked;

pub fn run(data: &[u8]) {
    for head in [
        &b"From: a\r\nSubject: b\r\n"[..],
        b"From: a\r\nSubject: b\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n",
        b"\x78\x9f\x3e\x22\0\0",
        b"(This file must be converted with BinHex 4.0)\n:",
    ] {
        walked(&[head, data].concat());
    }
}

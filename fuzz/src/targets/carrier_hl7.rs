//! Any bytes behind the header of a message, bare and in a frame: what a walk shows stays within its budget, and
//! what it could not look into is told.

use super::carrier_zip::walked;

pub fn run(data: &[u8]) {
    for head in [&b"MSH|^~\\&|A\rOBX|1|ED|1||^AP^PDF^"[..], b"\x0bMSH|^~\\&|A\rNTE|1||"] {
        walked(&[head, data].concat());
    }
    walked(&[&b"H|\\^&|||A\rC|1|I|"[..], data].concat());
}

//! Any bytes as RTF, and as the digits of an object in it.

use super::carrier_zip::walked;

pub fn run(data: &[u8]) {
    walked(&[b"{\\rtf1", data].concat());
    let digits: String = data.iter().map(|byte| format!("{byte:02x}")).collect();
    walked(format!("{{\\rtf1{{\\*\\objdata {digits}}}}}").as_bytes());
}

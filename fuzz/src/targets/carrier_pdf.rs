//! Any bytes as a PDF, and as a stream under each chain of filters.

use super::carrier_zip::walked;

const FILTERS: &[&str] = &[
    "/FlateDecode",
    "/LZWDecode",
    "/ASCII85Decode",
    "/RunLengthDecode",
    "[/ASCIIHexDecode /FlateDecode]",
    "/FlateDecode /DecodeParms << /Predictor 12 /Columns 3 >>",
    "/FlateDecode /Type /ObjStm /N 2 /First 8",
];

pub fn run(data: &[u8]) {
    walked(&[b"%PDF-1.7\n", data].concat());
    if let Some((first, rest)) = data.split_first()
        && let Some(filter) = FILTERS.get(usize::from(*first))
    {
        let dict = format!("%PDF-1.7\n1 0 obj << /Filter {filter} >>\nstream\n");
        walked(&[dict.as_bytes(), rest, b"\nendstream endobj"].concat());
    }
}

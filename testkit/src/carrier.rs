//! What laboratories move, each around a payload: the carriers that a scanner must open.
//!
//! It must never hold a payload that is harmful: the test string of EICAR is put together when asked for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// One carrier around a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carrier {
    /// What it is, in words.
    pub name: &'static str,
    /// The bytes as they would travel.
    pub bytes: Vec<u8>,
    /// The path at which a walk shows the payload.
    pub path: String,
}

/// The test string of EICAR, 68 bytes, which every scanner calls a virus and which is none.
pub fn eicar() -> Vec<u8> {
    let parts = [
        "X5O!P%@AP[4\\PZX",
        "54(P^)7CC)7}$EICAR",
        "-STANDARD-ANTI",
        "VIRUS-TEST-FILE!$H+H*",
    ];
    parts.concat().into_bytes()
}

/// Every carrier, around this payload of 1 to 60,000 bytes; the first thirteen are those of which a scanner
/// that knows no laboratory opens two.
pub fn all(payload: &[u8]) -> Vec<Carrier> {
    let mut out = messages(payload);
    out.extend(fhir(payload));
    out.extend(documents(payload));
    out.extend(more_messages(payload));
    out.extend(more_mails(payload));
    out
}

const MSH: &str = "MSH|^~\\&|LAB|HOSP|EHR|HOSP|20260102030405||ORU^R01^ORU_R01|42|P|2.5.1\r\
    PID|1||1234^^^HOSP||DOE^JANE\rOBR|1|||24323-8^Panel^LN\r";
const MIME: &str = "From: lab@example.org\r\nTo: ward@example.org\r\nSubject: result\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=\"=_lab\"\r\n\r\n\
    --=_lab\r\nContent-Type: text/plain\r\n\r\nPlease see the attachment.\r\n--=_lab\r\n";
const MIME_END: &str = "\r\n--=_lab--\r\n";

fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

fn carrier(name: &'static str, bytes: impl Into<Vec<u8>>, path: impl Into<String>) -> Carrier {
    Carrier {
        name,
        bytes: bytes.into(),
        path: path.into(),
    }
}

fn ed(encoding: &str, data: &str) -> String {
    format!("{MSH}OBX|1|ED|11502-2^Report^LN||LAB^APPLICATION^PDF^{encoding}^{data}||||||F\r")
}

fn messages(payload: &[u8]) -> Vec<Carrier> {
    let message = ed("Base64", &base64(payload));
    let frame = [b"\x0b", message.as_bytes(), b"\x1c\r"].concat();
    vec![
        carrier("HL7 v2 ED, Base64", message, "OBX[1].5.5 / base64"),
        carrier("MLLP frame", frame, "mllp / OBX[1].5.5 / base64"),
        carrier(
            "HL7 v2 ED, hex",
            ed("Hex", &hex(payload)),
            "OBX[1].5.5 / hex",
        ),
        carrier(
            "zip in HL7 v2 ED",
            ed("Base64", &base64(&zip("r.exe", payload))),
            "OBX[1].5.5 / base64 / zip : r.exe",
        ),
        carrier("ASTM comment in frames", astm(payload), "C[1].4 / base64"),
    ]
}

fn astm(payload: &[u8]) -> Vec<u8> {
    let records = format!(
        "H|\\^&|||XN-550\rP|1\rO|1|42\rR|1|^^^WBC|8.1\rC|1|I|{}|G\rL|1|N\r",
        base64(payload)
    );
    let mut out = vec![0x05];
    let mut pieces = records
        .as_bytes()
        .chunks(240)
        .zip((1_u8..=7).chain(0..=0).cycle())
        .peekable();
    while let Some((text, number)) = pieces.next() {
        let end = if pieces.peek().is_some() { 0x17 } else { 0x03 };
        let body = [&[b'0' + number][..], text, &[end]].concat();
        let sum = body.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
        out.push(0x02);
        out.extend_from_slice(&body);
        out.extend_from_slice(format!("{sum:02X}\r\n").as_bytes());
    }
    out.push(0x04);
    out
}

fn fhir(payload: &[u8]) -> Vec<Carrier> {
    let data = base64(payload);
    let binary =
        format!(r#"{{"resourceType":"Binary","contentType":"application/pdf","data":"{data}"}}"#);
    let xml = format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><Binary xmlns="http://hl7.org/fhir"><contentType value="application/pdf"/><data value="{data}"/></Binary>"#
    );
    let reference = format!(
        r#"{{"resourceType":"DocumentReference","status":"current","content":[{{"attachment":{{"contentType":"application/pdf","data":"{data}"}}}}]}}"#
    );
    let cda = format!(
        r#"<?xml version="1.0"?><ClinicalDocument xmlns="urn:hl7-org:v3"><title>Report</title><component><nonXMLBody><text mediaType="application/pdf" representation="B64">{data}</text></nonXMLBody></component></ClinicalDocument>"#
    );
    vec![
        carrier("FHIR Binary, JSON", binary, "Binary.data / base64"),
        carrier("FHIR Binary, XML", xml, "Binary.data / base64"),
        carrier(
            "FHIR DocumentReference",
            reference,
            "DocumentReference.content[0].attachment.data / base64",
        ),
        carrier(
            "CDA, not structured",
            cda,
            "ClinicalDocument.component.nonXMLBody.text / base64",
        ),
    ]
}

fn documents(payload: &[u8]) -> Vec<Carrier> {
    let attachment = format!(
        "{MIME}Content-Type: application/octet-stream; name=\"r.bin\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{}{MIME_END}",
        lines(&base64(payload))
    );
    let message = format!(
        "{MIME}Content-Type: application/hl7-v2+er7\r\n\r\n{}{MIME_END}",
        ed("Base64", &base64(payload))
    );
    let document = dicom(
        &[],
        &[
            element(0x0042, 0x0011, *b"OB", payload),
            element(0x0042, 0x0012, *b"LO", b"application/pdf"),
            element(0x0042, 0x0015, *b"UL", &length(payload).to_le_bytes()),
        ],
    );
    let preamble = payload.get(..128).unwrap_or(payload);
    let preamble = dicom(preamble, &[element(0x0010, 0x0010, *b"PN", b"DOE^JANE")]);
    vec![
        carrier("MIME attachment", attachment, "mime : r.bin / base64"),
        carrier(
            "HL7 v2 in MIME",
            message,
            "mime / part 2 / OBX[1].5.5 / base64",
        ),
        carrier("DICOM encapsulated document", document, "(0042,0011)"),
        carrier("DICOM preamble", preamble, "preamble"),
    ]
}

fn more_messages(payload: &[u8]) -> Vec<Carrier> {
    let text = base64(payload);
    let escapes = format!("\\X{}\\", hex(payload));
    let pieces: Vec<&str> = text
        .as_bytes()
        .chunks(58)
        .filter_map(|piece| std::str::from_utf8(piece).ok())
        .collect();
    let notes: String = (1..)
        .zip(&pieces)
        .map(|(n, piece)| format!("NTE|{n}||{piece}\r"))
        .collect();
    let bundle = format!(
        r#"{{"resourceType":"Bundle","entry":[{{"resource":{{"resourceType":"DiagnosticReport","presentedForm":[{{"data":"{text}"}}]}}}}]}}"#
    );
    let page =
        format!("<html><a href=\"data:application/octet-stream;base64,{text}\">report</a></html>");
    let private = dicom(&[], &[element(0x0011, 0x1010, *b"OB", payload)]);
    vec![
        carrier("HL7 v2 ED, escapes", ed("A", &escapes), "OBX[1].5.5"),
        carrier(
            "HL7 v2 ED, wrong encoding",
            ed("A", &text),
            "OBX[1].5.5 / base64",
        ),
        carrier(
            "HL7 v2 ED, line breaks",
            ed("Base64", &pieces.join("\\.br\\")),
            "OBX[1].5.5 / base64",
        ),
        carrier(
            "HL7 v2 batch",
            format!(
                "FHS|^~\\&|LAB\rBHS|^~\\&|LAB\r{MSH}{}BTS|2\rFTS|1\r",
                ed("Base64", &text)
            ),
            "message 2 / OBX[1].5.5 / base64",
        ),
        carrier(
            "HL7 v2 notes",
            format!("{MSH}OBX|1|NM|1||5\r{notes}"),
            format!("NTE[1-{}].3 / base64", pieces.len()),
        ),
        carrier(
            "HL7 v2 Z segment",
            format!("{MSH}ZRP|1|a^{text}\r"),
            "ZRP[1].2.2 / base64",
        ),
        carrier(
            "FHIR bundle",
            bundle,
            "Bundle.entry[0] / DiagnosticReport.presentedForm[0].data / base64",
        ),
        carrier("web page, data URI", page, "line 1 / base64"),
        carrier("DICOM private element", private, "(0011,1010)"),
    ]
}

fn more_mails(payload: &[u8]) -> Vec<Carrier> {
    let printable: String = payload.iter().map(|byte| format!("={byte:02X}")).collect();
    let printable: Vec<&str> = printable
        .as_bytes()
        .chunks(72)
        .filter_map(|line| std::str::from_utf8(line).ok())
        .collect();
    let quoted = format!(
        "{MIME}Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{}{MIME_END}",
        printable.join("=\r\n")
    );
    let uu = format!(
        "{MIME}Content-Type: text/plain\r\n\r\nbegin 644 r.bin\r\n{}`\r\nend{MIME_END}",
        uuencoded(payload)
    );
    let inner = format!(
        "{MIME}Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n{}{MIME_END}",
        lines(&base64(payload))
    );
    let nested = format!(
        "{}Content-Type: message/rfc822\r\n\r\n{inner}\r\n--=_out--\r\n",
        MIME.replace("=_lab", "=_out")
    );
    vec![
        carrier(
            "MIME, quoted-printable",
            quoted,
            "mime / part 2 / quoted-printable",
        ),
        carrier("MIME, uuencode", uu, "mime / part 2 / uuencode : r.bin"),
        carrier(
            "mail in a mail",
            nested,
            "mime / part 2 / mime / part 2 / base64",
        ),
        carrier("TNEF", tnef(payload), "tnef : r.bin"),
    ]
}

fn lines(text: &str) -> String {
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(76)
        .filter_map(|line| std::str::from_utf8(line).ok())
        .collect();
    lines.join("\r\n")
}

fn uuencoded(bytes: &[u8]) -> String {
    let digit = |value: u32| match u8::try_from(value & 0x3f) {
        Ok(0) | Err(_) => '`',
        Ok(value) => char::from(value + 32),
    };
    let mut out = String::new();
    for line in bytes.chunks(45) {
        out.push(digit(length(line)));
        for group in line.chunks(3) {
            let byte = |n: usize| u32::from(group.get(n).copied().unwrap_or(0));
            let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
            out.extend([18, 12, 6, 0].map(|shift| digit(bits >> shift)));
        }
        out.push_str("\r\n");
    }
    out
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

/// A DICOM file in explicit little-endian with these elements.
fn dicom(preamble: &[u8], elements: &[Vec<u8>]) -> Vec<u8> {
    let mut out = preamble.to_vec();
    out.resize(128, 0);
    out.extend_from_slice(b"DICM");
    let syntax = element(0x0002, 0x0010, *b"UI", b"1.2.840.10008.1.2.1");
    out.extend_from_slice(&element(
        0x0002,
        0x0000,
        *b"UL",
        &length(&syntax).to_le_bytes(),
    ));
    out.extend_from_slice(&syntax);
    out.extend_from_slice(&element(0x0008, 0x0005, *b"CS", b"ISO_IR 100"));
    out.extend(elements.concat());
    out
}

fn element(group: u16, number: u16, vr: [u8; 2], value: &[u8]) -> Vec<u8> {
    let mut out = [group.to_le_bytes(), number.to_le_bytes(), vr].concat();
    let len = length(value).next_multiple_of(2);
    if vr == *b"OB" {
        out.extend_from_slice(&[0, 0]);
        out.extend_from_slice(&len.to_le_bytes());
    } else {
        out.extend(len.to_le_bytes().iter().take(2));
    }
    out.extend_from_slice(value);
    out.resize(out.len() + value.len() % 2, 0);
    out
}

fn tnef(payload: &[u8]) -> Vec<u8> {
    let mut out = b"\x78\x9f\x3e\x22\x01\0".to_vec();
    for (id, data) in [
        (0x0006_9002_u32, &[0; 14][..]),
        (0x0001_8010, b"r.bin\0"),
        (0x0006_800f, payload),
    ] {
        out.push(2);
        out.extend_from_slice(&id.to_le_bytes());
        out.extend_from_slice(&length(data).to_le_bytes());
        out.extend_from_slice(data);
        let sum = data
            .iter()
            .fold(0_u16, |sum, byte| sum.wrapping_add(u16::from(*byte)));
        out.extend_from_slice(&sum.to_le_bytes());
    }
    out
}

/// A zip of one member that is stored.
pub fn zip(name: &str, content: &[u8]) -> Vec<u8> {
    let crc = !content.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            crc >> 1 ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 }
        })
    });
    let mut facts = vec![20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0x5c];
    facts.extend_from_slice(&crc.to_le_bytes());
    facts.extend_from_slice(&length(content).to_le_bytes().repeat(2));
    facts.extend(length(name.as_bytes()).to_le_bytes());
    let mut out = [b"PK\x03\x04", &facts[..], name.as_bytes(), content].concat();
    let list_at = length(&out);
    let list = [&b"PK\x01\x02\x14\0"[..], &facts, &[0; 14], name.as_bytes()].concat();
    out.extend_from_slice(&list);
    out.extend_from_slice(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    out.extend_from_slice(&length(&list).to_le_bytes());
    out.extend_from_slice(&list_at.to_le_bytes());
    out.extend_from_slice(&[0, 0]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_string_is_whole() {
        let eicar = eicar();
        assert_eq!(eicar.len(), 68);
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &eicar);
        assert_eq!(
            hex(digest.as_ref()).to_lowercase(),
            "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"
        );
    }

    #[test]
    fn the_lengths_of_a_zip_fit() {
        let zip = zip("a.txt", b"abc");
        assert_eq!(zip.len(), 30 + 5 + 3 + 46 + 5 + 22);
    }
}

//! Messages written here: how a program is put into a field, and what does not hold one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use crate::testing::{parts, seen};

const HEADER: &str = "MSH|^~\\&|LAB|A|EHR|B|20260102||ORU^R01|1|P|2.5.1\rPID|1||42\r";

fn program() -> Vec<u8> {
    let mut bytes = b"MZ\x50\0\x02\0\0\0\x04\0".to_vec();
    bytes.resize(200, 0xa5);
    bytes
}

/// Where the program comes out of a message with these segments, whole.
fn places(segments: &str) -> Vec<String> {
    let message = format!("{HEADER}{segments}");
    parts(message.as_bytes())
        .into_iter()
        .filter(|(_, bytes)| *bytes == program())
        .map(|(path, _)| path)
        .collect()
}

#[test]
fn encapsulated_data_come_out_however_they_are_written() {
    let base64 = STANDARD.encode(program());
    let hex: String = program().iter().map(|byte| format!("{byte:02X}")).collect();
    let lines: Vec<&str> = base64
        .as_bytes()
        .chunks(76)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    let ed =
        |encoding: &str, data: &str| format!("OBX|1|ED|1^PDF||^AP^PDF^{encoding}^{data}||||||F\r");
    for data in [
        base64.clone(),
        lines.join("\\.br\\"),
        lines.join("\r"),
        lines.join("\r\n"),
        lines.join("\n"),
        lines.join("\\X0D0A\\"),
        base64.trim_end_matches('=').to_owned(),
        base64.replace('+', "-").replace('/', "_"),
        format!("{base64}!"),
        format!("{base64} and what follows"),
    ] {
        assert_eq!(
            places(&ed("Base64", &data)),
            ["OBX[1].5.5 / base64"],
            "{data}"
        );
    }
    assert_eq!(places(&ed("Hex", &hex)), ["OBX[1].5.5 / hex"]);
    assert_eq!(places(&ed("Base64", &hex)), ["OBX[1].5.5 / hex"]);
    assert_eq!(places(&ed("A", &base64)), ["OBX[1].5.5 / base64"]);
    assert_eq!(places(&ed("", &base64)), ["OBX[1].5.5 / base64"]);
    let escapes: String = program()
        .iter()
        .map(|byte| format!("\\X{byte:02x}\\"))
        .collect();
    assert_eq!(places(&ed("A", &escapes)), ["OBX[1].5.5"]);
}

#[test]
fn any_field_that_decodes_to_something_is_shown() {
    let base64 = STANDARD.encode(program());
    let hex: String = program().iter().map(|byte| format!("{byte:02x}")).collect();
    for (segment, place) in [
        (format!("NTE|1||{base64}"), "NTE[1].3 / base64"),
        (format!("OBX|1|TX|1||{hex}"), "OBX[1].5 / hex"),
        (format!("OBX|1|ST|1||a~{base64}"), "OBX[1].5(2) / base64"),
        (
            format!("OBX|1|ED|1||a^b^c^A^d~s^AP^PDF^Base64^{base64}"),
            "OBX[1].5(2).5 / base64",
        ),
        (format!("ZLB|a^b|c^{base64}"), "ZLB[1].2.2 / base64"),
        (
            format!("TXA|1|a^b&{base64}"),
            "TXA[1].2.2 / line 1 / base64",
        ),
        (
            format!("ZED|^AP^PDF^Base64^{base64}"),
            "ZED[1].1.5 / base64",
        ),
        (format!("PID|1||\\X{hex}\\"), "PID[2].3 / hex"),
        (
            format!("OBX|1|RP|1||data:application/pdf;base64,{base64}^x"),
            "OBX[1].5.1 / base64",
        ),
        (
            format!("OBX|1|ST|1||see data:a/b;base64,{base64} here"),
            "OBX[1].5 / line 1 / base64",
        ),
    ] {
        assert_eq!(places(&format!("{segment}\r")), [place], "{segment}");
    }
}

#[test]
fn what_is_split_is_joined_and_what_is_whole_is_not() {
    let base64 = STANDARD.encode(program());
    let split = |from: &str, to: &str| -> String {
        base64
            .as_bytes()
            .chunks(50)
            .enumerate()
            .map(|(n, piece)| {
                let piece = std::str::from_utf8(piece).unwrap();
                format!("{from}{piece}{to}").replace('#', &(n + 1).to_string())
            })
            .collect()
    };
    assert_eq!(places(&split("NTE|#||", "\r")), ["NTE[1-6].3 / base64"]);
    assert_eq!(
        places(&split("OBX|#|TX|1^R||", "||||||F\r")),
        ["OBX[1-6].5 / base64"]
    );
    assert_eq!(
        places(&split("OBX|#|TX|1^R|#|", "\r")),
        ["OBX[1-6].5 / base64"]
    );
    assert_eq!(
        places(&split("OBX|#|ED|1^R|#|^AP^PDF^Base64^", "\r")),
        ["OBX[1-6].5 / base64"]
    );
    let each: String = program()
        .chunks(40)
        .map(|piece| format!("OBX|1|ED|1||^AP^PDF^Base64^{}\r", STANDARD.encode(piece)))
        .collect();
    assert_eq!(places(&each), ["OBX[1-5].5 / base64"]);
    let two = format!("OBX|1|ED|1||^AP^PDF^Base64^{base64}\r").repeat(2);
    assert_eq!(places(&two), ["OBX[1].5.5 / base64", "OBX[2].5.5 / base64"]);
}

#[test]
fn documents_in_text_are_entered() {
    let message = format!(
        "{HEADER}OBX|1|FT|1||<html>\rOBX|2|FT|1||<body>it is a page and nothing else</body>\rOBX|3|TX|2||{{\\E\\rtf1 some text in rich text format}}\r"
    );
    assert_eq!(
        seen(message.as_bytes()),
        [" = hl7", "OBX[1-2].5 = html", "OBX[3].5 = rtf"]
    );
}

#[test]
fn batches_and_rows_of_messages_are_counted() {
    let base64 = STANDARD.encode(program());
    let message = format!("{HEADER}OBX|1|NM|1||5\rOBX|2|ED|1||^AP^PDF^Base64^{base64}\r");
    let batch = format!("FHS|^~\\&|A\rBHS|^~\\&|A\r{message}{message}BTS|2\rFTS|1\r");
    let found: Vec<_> = parts(batch.as_bytes())
        .into_iter()
        .map(|(path, _)| path)
        .collect();
    assert_eq!(
        found,
        ["", "OBX[2].5.5 / base64", "message 2 / OBX[2].5.5 / base64"]
    );
}

#[test]
fn what_cannot_be_read_is_told() {
    let ed = |encoding: &str, data: &str| {
        seen(format!("{HEADER}OBX|1|ED|1||^AP^^{encoding}^{data}\r").as_bytes())
    };
    assert_eq!(ed("Base64", "????").last().unwrap(), "OBX[1].5.5 ? damaged");
    assert_eq!(
        ed("Rot13", "abc").last().unwrap(),
        "OBX[1].5.5 ? unknown-packing"
    );
    assert_eq!(ed("Base64", ""), [" = hl7"]);
    assert_eq!(
        seen(format!("{HEADER}OBX|1|RP|1||https://lab.example/report.pdf^x^AP^PDF\r").as_bytes()),
        [" = hl7"]
    );
}

proptest! {
    #[test]
    fn any_message_ends(
        rest in proptest::collection::vec(any::<u8>(), 0..300),
        segments in "((OBX|NTE|ZZZ|MSH)[|^~&\\\\]?[|^~&A-Za-z0-9+/=\\\\\n]{0,80}\r){0,8}",
    ) {
        for rest in [&rest[..], segments.as_bytes()] {
            let message = [HEADER.as_bytes(), rest].concat();
            prop_assert!(!seen(&message).is_empty());
        }
    }
}

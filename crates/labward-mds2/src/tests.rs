//! Workbooks as manufacturers fill them, and as nobody should.

use proptest::prelude::*;
use rust_xlsxwriter::{Format, Workbook};

use super::*;
use crate::form::of_form;

/// The cells of one sheet, by row, column and text.
type Cells<'c> = &'c [(u32, u16, &'c str)];

fn workbook(sheets: &[(&str, Cells<'_>)], merges: &[(u32, u16, u32, u16, &str)]) -> Vec<u8> {
    let mut workbook = Workbook::new();
    for (name, cells) in sheets {
        let sheet = workbook.add_worksheet().set_name(*name).unwrap();
        for (row, column, text) in *cells {
            sheet.write_string(*row, *column, *text).unwrap();
        }
        for (row, column, last_row, last_column, text) in merges {
            sheet
                .merge_range(*row, *column, *last_row, *last_column, text, &Format::new())
                .unwrap();
        }
    }
    workbook.save_to_buffer().unwrap()
}

const HEAD: [(u32, u16, &str); 6] = [
    (0, 0, "Question ID"),
    (0, 1, "Question"),
    (0, 3, "See note"),
    (0, 4, "IEC TR 80001-2-2:2012"),
    (0, 5, "NIST SP 800-53 Rev. 4"),
    (0, 6, "ISO 27002:2013"),
];

const DOCUMENT: [(u32, u16, &str); 15] = [
    (1, 0, "DOC-1"),
    (1, 1, "Manufacturer Name"),
    (1, 2, " Analyzers & Sons "),
    (2, 0, "DOC-2"),
    (2, 1, "Device Description"),
    (2, 2, "Blood analyzer"),
    (3, 0, "DOC-3"),
    (3, 1, "Device Model"),
    (3, 2, "XN-550, XN-350"),
    (4, 0, "DOC-4"),
    (4, 1, "Document ID"),
    (4, 2, "MDS2-17"),
    (5, 0, "DOC-7"),
    (5, 1, "Document Release Date"),
    (5, 2, "2026-03-20"),
];

fn form(more: Cells<'_>) -> Vec<u8> {
    let cells: Vec<_> = HEAD.iter().chain(&DOCUMENT).chain(more).copied().collect();
    workbook(&[("MDS2", &cells)], &[])
}

fn id(text: &str) -> QuestionId {
    QuestionId::parse(text).unwrap()
}

fn disclosed(mds2: &Mds2, capability: Capability) -> (Disclosed, Option<String>) {
    let all = mds2.disclosures();
    let one = all.iter().find(|one| one.capability == capability).unwrap();
    (one.disclosed, one.note.as_deref().map(str::to_owned))
}

#[test]
fn a_filled_form_says_who_what_and_when() {
    let mds2 = Mds2::read(&form(&[
        (7, 0, "MLDP-2"),
        (7, 1, "Does the device support anti-malware?"),
        (7, 2, "Yes"),
        (7, 3, "Only what we approved"),
        (7, 4, "Section 5.12, MLDP"),
        (7, 5, "SI-3"),
    ]))
    .unwrap();
    let text = |one: &Option<Text>| one.as_deref().unwrap_or_default().to_owned();
    assert_eq!(text(&mds2.manufacturer), "Analyzers & Sons");
    assert_eq!(text(&mds2.description), "Blood analyzer");
    assert_eq!(text(&mds2.model), "XN-550, XN-350");
    assert_eq!(text(&mds2.document), "MDS2-17");
    assert_eq!(mds2.released_on.unwrap().to_string(), "2026-03-20");
    let one = &mds2.answers[&id("MLDP-2")];
    assert_eq!(
        (&one.answer, &*one.sheet, &*one.cell),
        (&Answer::Yes, "MDS2", "A8")
    );
    assert_eq!(&*one.question, "Does the device support anti-malware?");
    assert_eq!(
        disclosed(&mds2, Capability::AntiMalware),
        (Disclosed::Yes, Some("Only what we approved".to_owned()))
    );
    assert_eq!(
        disclosed(&mds2, Capability::Tls),
        (Disclosed::Unanswered, None)
    );
}

#[test]
fn the_form_has_its_questions_and_one_misprint() {
    let all: Vec<String> = of_form().map(|id| id.to_string()).collect();
    assert_eq!(all.len(), 240);
    for one in [
        "DOC-11.4",
        "MPII-3.10",
        "AUDT-2.8.2",
        "CSUP-11.2",
        "SAHD-16",
        "RMOT-1.3",
    ] {
        assert!(all.contains(&one.to_owned()), "{one}");
    }
    assert_eq!(id("SHAD-15").to_string(), "SAHD-15");
    assert_eq!(id(" sbom\u{2011}2.1 ").to_string(), "SBOM-2.1");
    assert_eq!(id("MLDP 2").to_string(), "MLDP-2");
    let words = [
        "",
        "MLDP",
        "MLDP-",
        "MLDP-0",
        "XXXX-1",
        "MLDP-2 of it",
        "MLDP-1.1.1.1.1",
    ];
    for none in words {
        assert_eq!(QuestionId::parse(none), None, "{none}");
    }
    assert!(id("MLDP-99").to_string() == "MLDP-99" && !id("MLDP-99").is_in_form());
    for capability in Mds2::read(&form(&[])).unwrap().disclosures() {
        assert!(
            id(capability.question).is_in_form(),
            "{}",
            capability.question
        );
    }
}

#[test]
fn answers_are_read_as_people_type_them() {
    let answers = [
        ("yes", Disclosed::Yes, None),
        ("YES.", Disclosed::Yes, None),
        ("Yes, optional", Disclosed::Yes, Some("optional")),
        ("No (see IFU)", Disclosed::No, Some("see IFU")),
        ("No - by service", Disclosed::No, Some("by service")),
        (
            "N/A: no default accounts",
            Disclosed::NotApplicable,
            Some("no default accounts"),
        ),
        ("S\u{ed}", Disclosed::Yes, None),
        ("See Note", Disclosed::Unclear, None),
        ("Note 12", Disclosed::Unclear, None),
        (
            "No default accounts",
            Disclosed::Unclear,
            Some("No default accounts"),
        ),
        ("Under review", Disclosed::Unclear, Some("Under review")),
        ("__", Disclosed::Unanswered, None),
    ];
    for (answer, expect, note) in answers {
        let mds2 = Mds2::read(&form(&[
            (7, 0, "STCF-1"),
            (7, 1, "Can the device encrypt data at rest?"),
            (7, 2, answer),
            (7, 4, "Section 5.20, STCF"),
        ]))
        .unwrap();
        let (disclosed, found) = disclosed(&mds2, Capability::EncryptionAtRest);
        assert_eq!((disclosed, found.as_deref()), (expect, note), "{answer}");
    }
}

#[test]
fn columns_that_were_moved_and_cells_that_were_merged_change_nothing() {
    let moved: Vec<(u32, u16, &str)> = HEAD
        .iter()
        .chain(&DOCUMENT)
        .map(|(row, column, text)| (row + 30, column + 3, *text))
        .collect();
    let merges = [
        (40, 3, 41, 3, "TXCF-2"),
        (40, 4, 41, 4, "Encrypted when sent?"),
        (40, 5, 41, 6, "No"),
    ];
    let mds2 = Mds2::read(&workbook(&[("Hoja1", &moved)], &merges)).unwrap();
    assert_eq!(mds2.model.as_deref(), Some("XN-550, XN-350"));
    assert_eq!(
        disclosed(&mds2, Capability::EncryptionInTransit),
        (Disclosed::No, None)
    );
    // Neither a head nor references in columns of their own.
    let bare = [
        (0, 0, "ALOF-1"),
        (0, 1, "Automatic logoff?"),
        (0, 2, "Yes"),
        (0, 3, "Section 5.1, ALOF"),
        (0, 4, "AC-12"),
        (1, 0, "EMRG-1"),
        (1, 1, "Break glass?"),
        (1, 3, "Section 5.9"),
        (2, 0, "SBOM-1"),
        (2, 1, "No"),
    ];
    let mds2 = Mds2::read(&workbook(&[("x", &bare)], &[])).unwrap();
    assert_eq!(
        disclosed(&mds2, Capability::AutomaticLogoff),
        (Disclosed::Yes, None)
    );
    assert_eq!(
        disclosed(&mds2, Capability::EmergencyAccess),
        (Disclosed::Unanswered, None)
    );
    assert_eq!(disclosed(&mds2, Capability::Sbom), (Disclosed::No, None));
}

#[test]
fn two_answers_are_told_and_an_empty_copy_is_not() {
    let first = [
        (0, 0, "SBOM-1"),
        (0, 1, "Is a list available?"),
        (0, 2, "Yes"),
        (1, 0, "AUTH-1"),
        (1, 1, "Sign in?"),
        (2, 0, "EMRG-1"),
        (2, 1, "x"),
        (2, 2, "No"),
    ];
    let second = [
        (9, 1, "SBOM-1"),
        (9, 2, "Is a list available?"),
        (9, 3, "No"),
        (10, 1, "AUTH-1"),
        (10, 2, "Sign in?"),
        (10, 3, "Yes"),
        (11, 1, "EMRG-1"),
        (11, 2, "x"),
    ];
    let mds2 = Mds2::read(&workbook(&[("a", &first), ("b", &second)], &[])).unwrap();
    assert_eq!(
        disclosed(&mds2, Capability::Sbom),
        (Disclosed::Unclear, None)
    );
    assert_eq!(
        disclosed(&mds2, Capability::Authentication),
        (Disclosed::Yes, None)
    );
    assert_eq!(
        disclosed(&mds2, Capability::EmergencyAccess),
        (Disclosed::No, None)
    );
    let told = |kind, question| {
        mds2.flaws.contains(&Flaw {
            kind,
            id: id(question),
        })
    };
    assert!(told(FlawKind::Contradiction, "SBOM-1"));
    assert!(told(FlawKind::Missing, "ALOF-1"));
    assert!(!told(FlawKind::Contradiction, "AUTH-1") && !told(FlawKind::Unanswered, "AUTH-1"));
}

#[test]
fn what_the_form_does_not_know_is_told() {
    let mds2 = Mds2::read(&form(&[
        (7, 0, "MLDP-77"),
        (7, 1, "Our own question"),
        (7, 2, "Yes"),
        (8, 0, "MLDP-4"),
        (8, 1, "Allow list?"),
        (8, 2, "Maybe"),
    ]))
    .unwrap();
    let told = |kind, question| {
        mds2.flaws.contains(&Flaw {
            kind,
            id: id(question),
        })
    };
    assert!(told(FlawKind::NotInForm, "MLDP-77") && told(FlawKind::NotAnAnswer, "MLDP-4"));
    assert!(!told(FlawKind::NotAnAnswer, "DOC-1"));
}

#[test]
fn days_as_excel_counts_them_are_dates() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    for (row, column, text) in DOCUMENT.iter().take(12) {
        sheet.write_string(*row, *column, *text).unwrap();
    }
    sheet.write_string(5, 0, "DOC-7").unwrap();
    sheet.write_string(5, 1, "Document Release Date").unwrap();
    sheet.write_number(5, 2, 45_000.0).unwrap();
    let mds2 = Mds2::read(&workbook.save_to_buffer().unwrap()).unwrap();
    assert_eq!(mds2.released_on.unwrap().to_string(), "2023-03-15");
    for (text, expect) in [
        ("12-MAR-2020", Some("2020-03-12")),
        ("03/04/2020", None),
        ("12", None),
    ] {
        let mut cells = DOCUMENT;
        cells[14].2 = text;
        let mds2 = Mds2::read(&workbook_of(&cells)).unwrap();
        assert_eq!(mds2.released_on.map(|it| it.to_string()).as_deref(), expect);
        assert_eq!(mds2.released.as_deref(), Some(text));
    }
}

fn workbook_of(cells: Cells<'_>) -> Vec<u8> {
    workbook(&[("MDS2", cells)], &[])
}

#[track_caller]
fn refused(bytes: &[u8], expect: Error) {
    assert_eq!(Mds2::read(bytes).err(), Some(expect));
}

#[test]
fn what_is_no_form_of_2019_is_named() {
    refused(b"", Error::NotAWorkbook);
    refused(b"DOC-1,Manufacturer", Error::NotAWorkbook);
    refused(b"%PDF-1.7", Error::Pdf);
    refused(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", Error::OldWorkbook);
    refused(&workbook_of(&[(0, 0, "Invoice")]), Error::NotMds2);
    let title = "Manufacturer Disclosure Statement, HN 1-2013";
    refused(&workbook_of(&[(0, 0, title)]), Error::OldForm(2013));
    let questions: Vec<String> = (1..12).map(|number| format!("5-{number}.1")).collect();
    let cells: Vec<_> = (0..)
        .zip(&questions)
        .map(|(row, text)| (row, 0, text.as_str()))
        .collect();
    refused(&workbook_of(&cells), Error::OldForm(2013));
    let mut bytes = form(&[]);
    bytes.truncate(bytes.len() / 2);
    refused(&bytes, Error::NotAWorkbook);
}

fn zip(parts: &[(&str, &str)]) -> Vec<u8> {
    use std::io::Write as _;
    let mut zip = ::zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in parts {
        zip.start_file(*name, ::zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A workbook of one sheet whose XML is given.
fn hand_made(strings: &str, sheet: &str) -> Vec<u8> {
    zip(&[
        (
            "xl/workbook.xml",
            r#"<workbook xmlns:r="r"><sheets><sheet name="A" r:id="1"/></sheets></workbook>"#,
        ),
        (
            "xl/_rels/workbook.xml.rels",
            r#"<Relationships><Relationship Id="1" Target="/xl/s.xml"/></Relationships>"#,
        ),
        ("xl/sharedStrings.xml", strings),
        ("xl/s.xml", sheet),
    ])
}

#[test]
fn xml_of_every_kind_of_cell_is_read() {
    let strings = "<sst uniqueCount=\"18446744073709551615\"><si><t>EMRG-1</t><rPh><t>x</t></rPh></si>\
        <si><r><t>Break &amp;_x000D__x000A_</t></r><r><t>gl&#97;ss?</t></r></si><si/></sst>";
    let sheet = "<worksheet><dimension ref=\"A1:XFD1048576\"/><sheetData>\
        <row><c t=\"s\"><v>0</v></c><c t=\"s\"><v>1</v></c><c t=\"b\"><v>1</v></c></row>\
        <row r=\"9\"><c r=\"C9\" t=\"inlineStr\"><is><t>ALOF-1</t></is></c><c t=\"str\"><v><![CDATA[N/A]]></v></c></row>\
        <row/><row><c t=\"inlineStr\"><is><t>SBOM-1</t></is></c><c t=\"e\"><v>#REF!</v></c><c t=\"s\"><v>99</v></c></row>\
        </sheetData></worksheet>";
    let mds2 = Mds2::read(&hand_made(strings, sheet)).unwrap();
    let emergency = &mds2.answers[&id("EMRG-1")];
    assert_eq!(
        (&*emergency.question, &emergency.answer),
        ("Break &\r\nglass?", &Answer::Yes)
    );
    assert_eq!(mds2.answers[&id("ALOF-1")].answer, Answer::NotApplicable);
    let list = &mds2.answers[&id("SBOM-1")];
    assert_eq!((&list.answer, &*list.cell), (&Answer::Unanswered, "A11"));
}

#[test]
fn workbooks_that_would_do_harm_are_stopped() {
    let nested = format!("<worksheet>{}", "<a>".repeat(100));
    refused(&hand_made("", &nested), Error::TooLarge("nesting"));
    refused(
        &hand_made("", "<worksheet></sheet>"),
        Error::Damaged("no well-formed XML"),
    );
    let spaces = " ".repeat(70 << 20);
    refused(&hand_made("", &spaces), Error::TooLarge("unpacked bytes"));
    let cells = "<c><v>1</v></c>".repeat(200_001);
    let sheet = format!("<worksheet><sheetData><row>{cells}</row></sheetData></worksheet>");
    refused(&hand_made("", &sheet), Error::TooLarge("cells"));
    let names: Vec<String> = (0..2_001).map(|number| number.to_string()).collect();
    let parts: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    refused(&zip(&parts), Error::TooLarge("parts"));
    let ids = "<c t=\"inlineStr\"><is><t>DOC-1</t></is></c>".repeat(10_000);
    let merges = "<mergeCell ref=\"A1:XFD1048576\"/>".repeat(10_000);
    let sheet = format!("<worksheet><sheetData><row>{ids}</row></sheetData>{merges}</worksheet>");
    refused(&hand_made("", &sheet), Error::NotMds2);
    let entity = "<!DOCTYPE a [<!ENTITY b \"DOC-1\">]><sst><si><t>&b;</t></si></sst>";
    let sheet = "<worksheet><sheetData><row><c t=\"s\"><v>0</v></c></row></sheetData></worksheet>";
    refused(&hand_made(entity, sheet), Error::NotMds2);
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..500)) {
        let _ = Mds2::read(&bytes);
    }

    #[test]
    fn no_changed_workbook_panics(at: prop::sample::Index, byte: u8) {
        let mut bytes = form(&[]);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = Mds2::read(&bytes);
    }

    #[test]
    fn no_xml_panics(sheet in "(<(c|v|t|row|is|mergeCell)( r=\"[A-Z]{0,9}[0-9]{0,9}\")?( t=\"(s|b|str)\")?/?>|[0-9]{0,20}|</(c|v|t|row)>|&[a-z#0-9]{0,6};){0,40}") {
        let _ = Mds2::read(&hand_made("<sst><si><t>DOC-1</t></si></sst>", &sheet));
        let _ = Mds2::read(&hand_made(&sheet, &sheet));
    }

    #[test]
    fn an_id_that_is_written_is_read_again(section in 0..24_usize, numbers in proptest::collection::vec(1..200_u16, 1..=4)) {
        let numbers: Vec<String> = numbers.iter().map(u16::to_string).collect();
        let text = format!("{}-{}", sections().nth(section).unwrap(), numbers.join("."));
        prop_assert_eq!(id(&text).to_string(), text);
    }
}

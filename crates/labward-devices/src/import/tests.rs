//! What lists of each kind are read as, and what is no list.

use super::*;
use proptest::prelude::*;

fn rows(format: ImportFormat, text: &str) -> Vec<Row> {
    let (found, rows) = read(None, text.as_bytes()).unwrap();
    assert_eq!(found, format);
    rows
}

fn says(row: &Row, attribute: Attribute) -> Vec<&str> {
    let all = row.values.iter().filter(|(one, _)| *one == attribute);
    all.map(|(_, value)| value.as_str()).collect()
}

#[test]
fn a_list_is_read_in_english_and_in_spanish_and_what_is_not_known_is_a_note() {
    let english = "Name,Manufacturer,Model,Serial Number,MAC address,Purchased\r\n\
                   Sequencer 1,Illumina,NextSeq 550,NB501234,00:1B:2C:3D:4E:5F,2019-03-01\r\n";
    let spanish = "\u{feff}nombre;fabricante;modelo;número de serie;dirección MAC;Comprado\n\
                   Sequencer 1;Illumina;NextSeq 550;NB501234;00-1b-2c-3d-4e-5f;2019-03-01\n";
    for text in [english, spanish] {
        let rows = rows(ImportFormat::Csv, text);
        let [row] = &rows[..] else { panic!("one row") };
        assert_eq!((row.line, &row.fault), (2, &None));
        assert_eq!(says(row, Attribute::Serial), ["NB501234"]);
        assert_eq!(says(row, Attribute::Mac), ["00:1b:2c:3d:4e:5f"]);
        let notes = says(row, Attribute::Notes);
        assert!(notes[0].ends_with(": 2019-03-01"), "{notes:?}");
    }
}

#[test]
fn a_line_that_cannot_be_taken_says_why_and_the_rest_goes_on() {
    let text = "name,serial,model,mac,ip\n\
                a,S10001,M1,,\n\
                b,,,not a mac,\n\
                \n\
                c,,Microscope,,\n\
                d,S10002,M1,,10.0.0.999\n\
                \"e\ne\",S10003,M1,,\n\
                f,S10004,M1,,10.0.0.4";
    let rows = rows(ImportFormat::Csv, text);
    let found: Vec<(u64, Option<LineFault>)> =
        rows.into_iter().map(|row| (row.line, row.fault)).collect();
    assert_eq!(
        found,
        [
            (2, None),
            (3, Some(LineFault::BadValue(Attribute::Mac))),
            (5, Some(LineFault::NoKey)),
            (6, Some(LineFault::BadValue(Attribute::Ip))),
            (7, None),
            (9, None),
        ]
    );
}

#[test]
fn the_exports_of_snipe_it_glpi_and_netbox_are_known_by_their_heads() {
    let snipe = "Asset Name,Asset Tag,Serial,Model,Model No.,Category,Manufacturer,Checked Out To,Location,Purchase Cost\n\
                 LAB-PC-7,00417,5CG9123ABC,EliteDesk 800,EL800,Desktop,HP Inc.,M. M.,Hematology,799.00\n";
    let row = &rows(ImportFormat::SnipeIt, snipe)[0];
    assert_eq!(says(row, Attribute::AssetTag), ["00417"]);
    assert_eq!(says(row, Attribute::Owner), ["M. M."]);
    assert_eq!(
        says(row, Attribute::Notes),
        ["Model No.: EL800; Purchase Cost: 799.00"]
    );

    let glpi = "\"Name\";\"Entity\";\"Status\";\"Manufacturers\";\"Serial number\";\"Types\";\"Models\";\"Operating System - Name\";\"Locations\"\n\
                \"LAB-PC-8\";\"Root entity\";\"In use\";\"Dell Inc.\";\"7XK2LM3\";\"Workstation\";\"OptiPlex 7090\";\"Windows 10 IoT Enterprise LTSC\";\"Chemistry\";\n";
    let row = &rows(ImportFormat::Glpi, glpi)[0];
    assert_eq!(says(row, Attribute::Os), ["Windows 10 IoT Enterprise LTSC"]);
    assert_eq!(says(row, Attribute::Manufacturer), ["Dell Inc."]);

    let netbox = "Name,Status,Tenant,Site,Location,Rack,Role,Manufacturer,Type,IP Address,Serial\n\
                  xn550-1,Active,,Main lab,Room 2,,Analyzer,Sysmex,XN-550,10.20.0.15/24,22723\n";
    let row = &rows(ImportFormat::NetBox, netbox)[0];
    assert_eq!(says(row, Attribute::Model), ["XN-550"]);
    assert_eq!(says(row, Attribute::Ip), ["10.20.0.15"]);
    assert_eq!(says(row, Attribute::Category), ["Analyzer"]);
}

#[test]
fn devices_of_netbox_as_json_are_read_in_a_page_or_alone() {
    let device = r#"{"name":"xn550-1","device_type":{"manufacturer":{"name":"Sysmex"},"model":"XN-550"},
        "role":{"name":"Analyzer"},"serial":"22723","asset_tag":null,"site":{"name":"Main lab"},
        "primary_ip4":{"address":"10.20.0.15/24"}}"#;
    for text in [
        format!("[{device}, 7]"),
        format!("{{\"count\":2,\"results\":[{device},7]}}"),
    ] {
        let rows = rows(ImportFormat::NetBox, &text);
        assert_eq!(says(&rows[0], Attribute::Manufacturer), ["Sysmex"]);
        assert_eq!(says(&rows[0], Attribute::Location), ["Main lab"]);
        assert_eq!(rows[1].fault, Some(LineFault::NotRead));
    }
}

#[test]
fn hosts_that_nmap_found_up_are_read() {
    let text = r#"<?xml version="1.0"?><!DOCTYPE nmaprun><!-- <host><address addr="10.9.9.9"/></host> -->
<nmaprun scanner="nmap" args="nmap -O a &gt; b">
<host starttime="1"><status state="up" reason="arp-response"/>
<address addr="10.20.0.15" addrtype="ipv4"/><address addr="00:1B:2C:3D:4E:5F" addrtype="mac" vendor="Moxa &amp; Co"/>
<hostnames><hostname name="xn550.lab.example" type="PTR"/></hostnames>
<os><osmatch name="Linux 3.2" accuracy="88"/><osmatch name='Microsoft Windows 10' accuracy="96"/></os></host>
<host><status state="down"/><address addr="10.20.0.16" addrtype="ipv4"/></host>
<host><status state="up"/><address addr="10.20.0.17" addrtype="ipv4"/></host></nmaprun>"#;
    let rows = rows(ImportFormat::Nmap, text);
    assert_eq!(rows.len(), 2);
    assert_eq!(says(&rows[0], Attribute::Mac), ["00:1b:2c:3d:4e:5f"]);
    assert_eq!(says(&rows[0], Attribute::Hostname), ["xn550.lab.example"]);
    assert_eq!(says(&rows[0], Attribute::Os), ["Microsoft Windows 10"]);
    assert_eq!(says(&rows[1], Attribute::Ip), ["10.20.0.17"]);
}

#[test]
fn what_is_no_list_is_refused_whole() {
    for (format, bytes) in [
        (None, &b"\xff\xfe"[..]),
        (None, b""),
        (None, b"colour,size\nred,3\n"),
        (None, b"{\"results\":7}"),
        (None, b"[1,"),
        (None, b"<html></html>"),
        (Some(ImportFormat::Nmap), b"name,serial\n"),
        (None, b"name,serial\n"),
    ] {
        let refused = read(format, bytes).unwrap_err();
        assert!(matches!(refused, DevicesError::BadList(_)), "{bytes:?}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_a_list_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        for format in ImportFormat::ALL.iter().copied().map(Some).chain([None]) {
            let _ = read(format, &bytes);
        }
    }

    #[test]
    fn any_text_like_a_file_is_read_without_end(
        text in "(name,serial|<nmaprun><host |<address addr=\"|\"/></host>|'|=|[\\{\\[]|\n|;|[a-z]{0,5}){0,40}"
    ) {
        for format in ImportFormat::ALL {
            if let Ok((_, rows)) = read(Some(*format), text.as_bytes()) {
                prop_assert!(!rows.is_empty());
            }
        }
    }
}

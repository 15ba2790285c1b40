//! The list of devices: CSV whose head names at least `id` and `ip`.
//!
//! It must never guess a number: decisions are kept by it.

use std::collections::BTreeSet;
use std::net::IpAddr;

use labward_base::id::DeviceId;
use labward_segmentation::ListedDevice;

/// The list is no longer, in bytes.
const LIST_BYTES_MAX: usize = 4 << 20;

/// What a column of the list may be called.
const COLUMNS: [(Column, &[&str]); 5] = [
    (Column::Id, &["id", "device", "number", "número"]),
    (Column::Name, &["name", "nombre"]),
    (
        Column::Ip,
        &[
            "ip",
            "addresses",
            "ip address",
            "ip addresses",
            "dirección ip",
        ],
    ),
    (Column::Mac, &["mac", "mac address", "dirección mac"]),
    (Column::Zone, &["zone", "location", "zona", "ubicación"]),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    Id,
    Ip,
    Mac,
    Name,
    Zone,
}

/// The devices of a list, and what of it was left out.
pub(super) fn read(bytes: &[u8]) -> Result<(Vec<ListedDevice>, Vec<String>), String> {
    if bytes.len() > LIST_BYTES_MAX {
        return Err(format!("it is longer than {LIST_BYTES_MAX} bytes"));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let first_line = bytes
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let delimiter = if first_line.contains(&b';') {
        b';'
    } else {
        b','
    };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .from_reader(bytes);
    let head = reader.headers().map_err(|error| error.to_string())?.clone();
    let column = |name: &str| {
        let name = name.trim().to_lowercase();
        let mut known = COLUMNS.iter();
        known.find_map(|(column, names)| names.contains(&name.as_str()).then_some(*column))
    };
    let columns: Vec<Option<Column>> = head.iter().map(column).collect();
    if !columns.contains(&Some(Column::Id)) || !columns.contains(&Some(Column::Ip)) {
        return Err("its head must name the columns id and ip".to_owned());
    }
    let (mut devices, mut remarks) = (Vec::new(), Vec::new());
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        let line = record.position().map_or(0, csv::Position::line);
        let text = |wanted: Column| {
            let mut cells = columns.iter().zip(record.iter());
            let cell = cells.find(|(column, _)| **column == Some(wanted));
            cell.map_or("", |(_, cell)| cell.trim())
        };
        match device(&text) {
            Ok(Some(device)) => devices.push(device),
            Ok(None) => remarks.push(format!(
                "line {line}: a device without an IP address is left out"
            )),
            Err(why) => return Err(format!("line {line}: {why}")),
        }
    }
    Ok((devices, remarks))
}

fn device<'a>(text: &impl Fn(Column) -> &'a str) -> Result<Option<ListedDevice>, String> {
    let id: DeviceId = text(Column::Id)
        .parse()
        .map_err(|_| "its id is no whole number".to_owned())?;
    let addresses = text(Column::Ip)
        .split([' ', ';', ','])
        .filter(|address| !address.is_empty())
        .map(|address| {
            let shown: String = address
                .chars()
                .filter(|sign| !sign.is_control())
                .take(50)
                .collect();
            address
                .parse()
                .map_err(|_| format!("{shown} is no IP address"))
        })
        .collect::<Result<BTreeSet<IpAddr>, String>>()?;
    if addresses.is_empty() {
        return Ok(None);
    }
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Ok(Some(ListedDevice {
        id,
        name: text(Column::Name).to_owned(),
        addresses,
        mac: some(text(Column::Mac)),
        zone: some(text(Column::Zone)),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_in_both_languages_and_names_what_it_leaves_out() {
        for list in [
            "id,name,ip,zone\n7,Sysmex,10.1.0.7 fd00:1::7,Haematology\n8,Old,,\n",
            "\u{feff}ubicación;dirección ip;nombre;número\nHaematology;10.1.0.7 fd00:1::7;Sysmex;7\n;;Old;8\n",
        ] {
            let (devices, remarks) = read(list.as_bytes()).unwrap();
            let [device] = &devices[..] else {
                panic!("{devices:?}")
            };
            assert_eq!(
                (device.id, device.name.as_str()),
                (DeviceId::new(7), "Sysmex")
            );
            assert_eq!(device.addresses.len(), 2);
            assert_eq!(device.zone.as_deref(), Some("Haematology"));
            assert_eq!(
                remarks,
                ["line 3: a device without an IP address is left out"]
            );
        }
    }

    #[test]
    fn a_list_without_numbers_or_with_a_bad_address_is_refused() {
        for (list, expected) in [
            (
                "name,ip\nx,10.1.0.7\n",
                "its head must name the columns id and ip",
            ),
            ("id,ip\nx,10.1.0.7\n", "line 2: its id is no whole number"),
            ("id,ip\n7,10.1.0\n", "line 2: 10.1.0 is no IP address"),
        ] {
            assert_eq!(read(list.as_bytes()).unwrap_err(), expected);
        }
    }
}

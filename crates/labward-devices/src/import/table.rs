//! Lists as CSV: which column says what, in English or Spanish, and in the exports of other programs.

use csv::{Position, ReaderBuilder, StringRecord, Trim};

use super::{ImportFormat, LINES_MAX, LineFault, Row, row};
use crate::DevicesError;
use crate::attribute::{Attribute, folded, plain};

/// What columns are called, folded: the same table for every kind, as no name means two things.
const COLUMNS: &[(Attribute, &[&str])] = &[
    (
        Attribute::Name,
        &[
            "name",
            "device",
            "device name",
            "asset name",
            "nombre",
            "equipo",
            "dispositivo",
            "nombre del activo",
        ],
    ),
    (
        Attribute::Category,
        &[
            "category",
            "type",
            "kind",
            "types",
            "role",
            "device role",
            "categoria",
            "tipo",
            "clase",
        ],
    ),
    (
        Attribute::Manufacturer,
        &[
            "manufacturer",
            "manufacturers",
            "maker",
            "vendor",
            "brand",
            "fabricante",
            "marca",
        ],
    ),
    (
        Attribute::Model,
        &[
            "model",
            "models",
            "model name",
            "device type",
            "modelo",
            "modelos",
        ],
    ),
    (
        Attribute::Product,
        &[
            "product",
            "software",
            "application",
            "producto",
            "programa",
            "aplicacion",
        ],
    ),
    (
        Attribute::Version,
        &[
            "version",
            "software version",
            "firmware",
            "firmware version",
            "version de software",
            "version del software",
        ],
    ),
    (
        Attribute::Serial,
        &[
            "serial",
            "serial number",
            "serial no",
            "s/n",
            "sn",
            "numero de serie",
            "no de serie",
            "serie",
            "n/s",
        ],
    ),
    (
        Attribute::Udi,
        &["udi", "unique device identifier", "identificador unico"],
    ),
    (
        Attribute::AssetTag,
        &[
            "asset tag",
            "asset",
            "asset number",
            "tag",
            "inventory number",
            "numero de inventario",
            "inventario",
            "etiqueta",
            "etiqueta de activo",
            "activo",
        ],
    ),
    (
        Attribute::Hostname,
        &[
            "hostname",
            "host name",
            "host",
            "computer name",
            "dns name",
            "nombre de host",
            "anfitrion",
        ],
    ),
    (
        Attribute::Mac,
        &[
            "mac",
            "mac address",
            "mac addresses",
            "network ports - mac address",
            "direccion mac",
        ],
    ),
    (
        Attribute::Ip,
        &[
            "ip",
            "ip address",
            "ip addresses",
            "ipv4",
            "ipv6",
            "primary ip",
            "primary ip address",
            "primary ipv4",
            "primary ipv6",
            "networking - ip",
            "network - ip",
            "direccion ip",
        ],
    ),
    (
        Attribute::Os,
        &[
            "os",
            "operating system",
            "operating system - name",
            "platform",
            "sistema operativo",
            "sistema operativo - nombre",
            "so",
        ],
    ),
    (
        Attribute::OsBuild,
        &[
            "os build",
            "os version",
            "build",
            "operating system - version",
            "sistema operativo - version",
            "compilacion",
        ],
    ),
    (Attribute::Criticality, &["criticality", "criticidad"]),
    (
        Attribute::Location,
        &[
            "location",
            "locations",
            "room",
            "default location",
            "site",
            "ubicacion",
            "lugar",
            "sala",
            "ubicaciones",
        ],
    ),
    (
        Attribute::Owner,
        &[
            "owner",
            "assigned to",
            "checked out to",
            "checked out",
            "responsible",
            "responsable",
            "asignado a",
        ],
    ),
    (
        Attribute::Contact,
        &[
            "vendor contact",
            "support contact",
            "contact",
            "contacto",
            "contacto del proveedor",
            "soporte",
        ],
    ),
    (
        Attribute::SupportUntil,
        &[
            "support until",
            "support contract until",
            "contract until",
            "warranty expires",
            "warranty until",
            "soporte hasta",
            "contrato hasta",
            "garantia hasta",
        ],
    ),
    (
        Attribute::Notes,
        &[
            "notes",
            "note",
            "comments",
            "comment",
            "description",
            "notas",
            "nota",
            "comentarios",
            "observaciones",
        ],
    ),
];

/// Where a column of this kind of list says something else than in [`COLUMNS`].
const ELSEWHERE: &[(ImportFormat, &str, Attribute)] = &[
    // A `type` of NetBox's device list is the model.
    (ImportFormat::NetBox, "type", Attribute::Model),
];

/// Columns that say nothing about a device.
const LEFT_OUT: &[&str] = &["id", "image", "device image", "url", "checkbox", ""];

/// What kind of table it is, by its head.
pub(super) fn format_of(text: &str) -> ImportFormat {
    let head = text
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    let separator = char::from(separator(text));
    let names: Vec<String> = head.split(separator).map(column_name).collect();
    let has = |name: &str| names.iter().any(|one| one == name);
    if has("asset tag")
        && (has("asset name") || has("model no") || has("checked out to") || has("checked out"))
    {
        ImportFormat::SnipeIt
    } else if has("entity")
        || has("entidad")
        || has("inventory number") && has("alternate username")
    {
        ImportFormat::Glpi
    } else if has("device type") || (has("tenant") && has("rack")) || (has("site") && has("role")) {
        ImportFormat::NetBox
    } else {
        ImportFormat::Csv
    }
}

/// The devices of a table.
pub(super) fn read(format: ImportFormat, text: &str) -> Result<Vec<Row>, DevicesError> {
    // The reader counts a line at its line feed, and begins the next one before it.
    let text = text.replace("\r\n", "\n");
    let mut reader = ReaderBuilder::new()
        .delimiter(separator(&text))
        .flexible(true)
        .trim(Trim::All)
        .from_reader(text.as_bytes());
    let head = reader
        .headers()
        .map_err(|_| DevicesError::BadList("its head cannot be read"))?;
    let columns: Vec<Column> = head.iter().map(|name| column(format, name)).collect();
    if !columns.iter().any(|column| matches!(column, Column::Of(_))) {
        return Err(DevicesError::BadList(
            "its head has no column that is known",
        ));
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        match record {
            Ok(record) if record.iter().all(str::is_empty) => {}
            Ok(record) => rows.push(read_record(&columns, &record, &text)),
            Err(error) => rows.push(Row {
                line: error.position().map_or(0, Position::line),
                values: Vec::new(),
                fault: Some(LineFault::NotRead),
            }),
        }
        if rows.len() > LINES_MAX {
            break;
        }
    }
    Ok(rows)
}

/// What a column says.
enum Column {
    /// This attribute.
    Of(Attribute),
    /// Something else, which is kept in the notes under this name.
    Note(String),
    /// Nothing.
    Nothing,
}

fn column(format: ImportFormat, name: &str) -> Column {
    let plain_name = column_name(name);
    if LEFT_OUT.contains(&plain_name.as_str()) {
        return Column::Nothing;
    }
    let special = ELSEWHERE
        .iter()
        .find(|(of, name, _)| *of == format && *name == plain_name);
    if let Some((_, _, attribute)) = special {
        return Column::Of(*attribute);
    }
    let is = |(_, names): &&(Attribute, &[&str])| names.contains(&plain_name.as_str());
    match COLUMNS.iter().find(is) {
        Some((attribute, _)) => Column::Of(*attribute),
        None => Column::Note(plain(name)),
    }
}

/// A column's name as it stands in the tables: `Asset_Tag.` is `asset tag`.
fn column_name(name: &str) -> String {
    let name = folded(&plain(name)).replace(['_', '.', '"', '\u{feff}'], " ");
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn read_record(columns: &[Column], record: &StringRecord, text: &str) -> Row {
    // A record begins for the reader behind the one before it: blank lines stand in front of its own.
    let begin = record.position().map_or(0, Position::byte);
    let begin = usize::try_from(begin).unwrap_or(usize::MAX);
    let rest = text.as_bytes().get(begin..).unwrap_or_default();
    let blank = rest.iter().take_while(|byte| **byte == b'\n').count();
    let line = record.position().map_or(0, Position::line);
    let line = line.saturating_add(u64::try_from(blank).unwrap_or(0));
    let mut texts = Vec::new();
    let mut notes = Vec::new();
    for (column, cell) in columns.iter().zip(record) {
        // A cell that our own export guarded against being computed.
        let cell = cell
            .strip_prefix('\'')
            .filter(|rest| rest.starts_with(['=', '+', '-', '@']))
            .unwrap_or(cell);
        match column {
            Column::Of(attribute) => texts.push((*attribute, cell)),
            Column::Note(name) if !cell.is_empty() => notes.push(format!("{name}: {cell}")),
            Column::Note(_) | Column::Nothing => {}
        }
    }
    row(line, &texts, &notes)
}

/// Of what may stand between two cells, that which the head holds most of.
fn separator(text: &str) -> u8 {
    let head = text.lines().find(|line| !line.trim().is_empty());
    let head = head.unwrap_or_default().as_bytes();
    let count = |mark: &u8| head.iter().filter(|byte| *byte == mark).count();
    // The last of those that are equal wins: a comma where there is none at all.
    *[b'\t', b';', b',']
        .iter()
        .max_by_key(|mark| count(mark))
        .unwrap_or(&b',')
}

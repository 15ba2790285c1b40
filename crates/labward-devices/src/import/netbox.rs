//! Devices as the API of NetBox gives them: a page of `/api/dcim/devices/`, or the list in it.

use serde_json::Value;

use super::{LineFault, Row, row};
use crate::DevicesError;
use crate::attribute::Attribute;

/// Where each attribute stands in a device.
const PLACES: &[(Attribute, &[&str])] = &[
    (Attribute::Name, &["name"]),
    (Attribute::Category, &["role", "device_role"]),
    (Attribute::Manufacturer, &["device_type.manufacturer"]),
    (Attribute::Model, &["device_type.model"]),
    (Attribute::Serial, &["serial"]),
    (Attribute::AssetTag, &["asset_tag"]),
    (Attribute::Os, &["platform"]),
    (Attribute::Ip, &["primary_ip4", "primary_ip", "primary_ip6"]),
    (Attribute::Location, &["location", "site"]),
    (Attribute::Notes, &["comments", "description"]),
];

pub(super) fn read(text: &str) -> Result<Vec<Row>, DevicesError> {
    let all: Value =
        serde_json::from_str(text).map_err(|_| DevicesError::BadList("it is no JSON"))?;
    let devices = all.get("results").unwrap_or(&all).as_array();
    let devices = devices.ok_or(DevicesError::BadList("it holds no list of devices"))?;
    Ok(devices
        .iter()
        .zip(1..)
        .map(|(device, place)| one(place, device))
        .collect())
}

fn one(place: u64, device: &Value) -> Row {
    if !device.is_object() {
        return Row {
            line: place,
            values: Vec::new(),
            fault: Some(LineFault::NotRead),
        };
    }
    let of = |(attribute, paths): &(Attribute, &[&str])| {
        let found = paths.iter().find_map(|path| text_at(device, path))?;
        Some((*attribute, found))
    };
    let texts: Vec<(Attribute, &str)> = PLACES.iter().filter_map(of).collect();
    row(place, &texts, &[])
}

/// The text at a path such as `device_type.model`: of an object its name, its address or its label.
fn text_at<'a>(device: &'a Value, path: &str) -> Option<&'a str> {
    let mut at = device;
    for name in path.split('.') {
        at = at.get(name)?;
    }
    let inside = || {
        ["name", "address", "display", "label"]
            .iter()
            .find_map(|name| at.get(name)?.as_str())
    };
    at.as_str().or_else(inside).filter(|text| !text.is_empty())
}

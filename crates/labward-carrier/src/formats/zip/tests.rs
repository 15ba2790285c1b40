//! Members of every packing, members that a list hides, and bombs.

use std::io::{Cursor, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::testing::{seen, seen_within};
use crate::{Budget, Limit, Obstacle};

const SCRIPT: &[u8] = b"#!/bin/sh\n";

fn packed(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, content) in members {
        zip.start_file(*name, options).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A header before, or in the list behind, a member that is stored or deflated as it says.
fn header(list: bool, name: &str, method: u16, packed: u32, unpacked: u32, offset: u32) -> Vec<u8> {
    let mut out = match list {
        true => b"PK\x01\x02\x14\0\x14\0\0\0".to_vec(),
        false => b"PK\x03\x04\x14\0\0\0".to_vec(),
    };
    out.extend(method.to_le_bytes());
    out.extend([0; 8]);
    out.extend(packed.to_le_bytes());
    out.extend(unpacked.to_le_bytes());
    out.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
    out.extend([0; 2]);
    if list {
        out.extend([0; 10]);
        out.extend(offset.to_le_bytes());
    }
    out.extend(name.as_bytes());
    out
}

fn end(count: u16, list: &[u8], at: usize) -> Vec<u8> {
    let mut out = list.to_vec();
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend(count.to_le_bytes());
    out.extend(count.to_le_bytes());
    out.extend(u32::try_from(list.len()).unwrap().to_le_bytes());
    out.extend(u32::try_from(at).unwrap().to_le_bytes());
    out.extend([0; 2]);
    out
}

#[test]
fn members_are_shown_behind_a_prefix_and_what_follows_is_told() {
    let zip = packed(&[("a/run.sh", SCRIPT), ("..\\up.txt", b"up")]);
    assert_eq!(
        seen(&zip),
        [
            " = zip",
            "zip : a/run.sh = script",
            "zip : ..\\up.txt = text",
            "zip : ..\\up.txt ! name-escapes"
        ]
    );
    let behind = [b"\0\x01 anything ".as_slice(), &zip].concat();
    assert_eq!(seen(&behind).get(1).unwrap(), "zip : a/run.sh = script");
    let before = [&zip, b"MZ something".as_slice()].concat();
    assert_eq!(
        seen(&before).get(4..).unwrap(),
        [" ! trailing-data", "behind the end = dos"]
    );
}

#[test]
fn a_member_that_no_list_names_is_shown() {
    let mut zip = header(false, "hidden.sh", 0, 10, 10, 0);
    zip.extend(SCRIPT);
    let hidden = zip.len();
    zip.extend(header(false, "shown.txt", 0, 2, 2, 0));
    zip.extend(b"ok");
    let list = header(true, "shown.txt", 0, 2, 2, u32::try_from(hidden).unwrap());
    let at = zip.len();
    zip.extend(end(1, &list, at));
    assert_eq!(
        seen(&zip),
        [
            " = zip",
            "zip : shown.txt = text",
            "zip : hidden.sh = script"
        ]
    );
    // Without any list, as a reader that goes from front to back sees it.
    zip.truncate(at);
    assert!(seen(&zip).contains(&"zip : hidden.sh = script".to_owned()));
}

#[test]
fn headers_that_disagree_are_both_believed() {
    let mut zip = header(false, "a", 0, 10, 10, 0);
    zip.extend(SCRIPT);
    let list = header(true, "a", 0, 0, 0, 0);
    let at = zip.len();
    zip.extend(end(1, &list, at));
    assert!(seen(&zip).contains(&"zip : a = script".to_owned()));
}

#[test]
fn encryption_damage_and_unknown_packing_are_told() {
    let mut zip = packed(&[("secret.txt", b"secret")]);
    let list = memchr::memmem::find(&zip, b"PK\x01\x02").unwrap();
    *zip.get_mut(list + 8).unwrap() |= 1;
    assert_eq!(seen(&zip), [" = zip", "zip : secret.txt ? encrypted"]);
    *zip.get_mut(list + 8).unwrap() &= !1;
    for at in [list + 10, 8] {
        *zip.get_mut(at).unwrap() = 98;
    }
    assert_eq!(seen(&zip), [" = zip", "zip : secret.txt ? unknown-packing"]);
    let zip = packed(&[("a.sh", &SCRIPT.repeat(500))]);
    let cut = zip.get(..zip.len() / 3).unwrap();
    assert!(seen(cut).iter().any(|line| line.ends_with("damaged")));
}

#[test]
fn ten_gigabytes_of_zeros_end_within_the_budget() {
    // 4 MiB of zeros, then ten members of 1,024 times as much each, packed twice.
    let zeros = packed(&[("0", &vec![0; 4 << 20])]);
    let members: Vec<_> = (0..2_500).map(|i| i.to_string()).collect();
    let members: Vec<_> = members
        .iter()
        .map(|name| (name.as_str(), &zeros[..]))
        .collect();
    let bomb = packed(&members);
    assert!(bomb.len() < 1 << 20, "{}", bomb.len());
    let budget = Budget {
        total_bytes: 64 << 20,
        ..Budget::default()
    };
    let (seen, summary) = seen_within(&bomb, &budget);
    assert!(!summary.complete);
    assert!(summary.bytes <= budget.total_bytes);
    assert!(
        seen.last().unwrap().ends_with("over-budget-total-bytes"),
        "{seen:?}"
    );
}

#[test]
fn a_member_of_four_gigabytes_is_cut_at_its_room() {
    let mut deflate = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    let zeros = vec![0; 1 << 20];
    for _ in 0..40 {
        deflate.write_all(&zeros).unwrap();
    }
    let content = deflate.finish().unwrap();
    let len = u32::try_from(content.len()).unwrap();
    let mut zip = header(false, "0", 8, len, u32::MAX - 1, 0);
    zip.extend(content);
    let list = header(true, "0", 8, len, u32::MAX - 1, 0);
    let at = zip.len();
    zip.extend(end(1, &list, at));
    let budget = Budget {
        ratio: 100,
        ..Budget::default()
    };
    let (seen, summary) = seen_within(&zip, &budget);
    let over = Obstacle::OverBudget(Limit::Ratio).code();
    assert_eq!(seen.last().unwrap(), &format!("zip : 0 ? {over}"));
    assert!(summary.bytes <= 17 << 20);
}

#[test]
fn overlapping_members_end_within_the_budget() {
    // Many members of one list share one kernel (the construction of D. Fifield, 2019).
    let mut deflate = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    deflate.write_all(&vec![0; 1 << 20]).unwrap();
    let kernel = deflate.finish().unwrap();
    let len = u32::try_from(kernel.len()).unwrap();
    let mut zip = header(false, "k", 8, len, 1 << 20, 0);
    zip.extend(kernel);
    let list = header(true, "k", 8, len, 1 << 20, 0).repeat(60_000);
    let at = zip.len();
    zip.extend(end(60_000, &list, at));
    let (seen, summary) = seen_within(&zip, &Budget::message());
    assert!(!summary.complete);
    assert!(summary.bytes <= Budget::message().total_bytes);
    assert!(seen.last().unwrap().ends_with("over-budget-total-bytes"));
    // As many that are encrypted: nothing unpacks, and the list of obstacles ends too.
    let list_at = at + 8;
    for i in 0..60_000 {
        *zip.get_mut(list_at + i * 47).unwrap() |= 1;
    }
    let (seen, _) = seen_within(&zip, &Budget::message());
    assert!(seen.len() <= Budget::message().parts + 2, "{}", seen.len());
}

#[test]
fn an_archive_in_itself_a_thousand_times_ends_at_the_depth() {
    let mut zip = packed(&[("last.sh", SCRIPT)]);
    for _ in 0..1_000 {
        let mut outer = header(false, "z", 0, u32::try_from(zip.len()).unwrap(), 0, 0);
        let len = u32::try_from(zip.len()).unwrap();
        outer.extend(&zip);
        let list = header(true, "z", 0, len, len, 0);
        let at = outer.len();
        outer.extend(end(1, &list, at));
        zip = outer;
    }
    let (seen, summary) = seen_within(&zip, &Budget::default());
    assert_eq!(summary.parts, 17);
    assert!(seen.last().unwrap().ends_with("over-budget-depth"));
}

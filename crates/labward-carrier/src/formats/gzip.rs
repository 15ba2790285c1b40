//! One file packed with gzip (RFC 1952), of any number of members.

use flate2::bufread::GzDecoder;

use crate::kind::Kind;
use crate::path::Step;
use crate::seen::{Declared, Part};
use crate::walk::Walker;

use super::members::Members;

pub(crate) fn open(walker: &mut Walker<'_>, part: &Part<'_>) {
    let mut reader = Members::new(
        part.bytes,
        b"\x1f\x8b\x08",
        GzDecoder::new,
        |decoder: &GzDecoder<_>| *decoder.get_ref(),
    );
    let name = reader
        .current()
        .header()
        .and_then(|header| header.filename())
        .map(|name| String::from_utf8_lossy(name).into_owned());
    let declared = name
        .as_deref()
        .map_or_else(Declared::nothing, Declared::named);
    let step = name.map(|name| Step::member(1, &name));
    let whole = walker.unpack(
        std::iter::once(Step::Packing(Kind::Gzip.code())).chain(step),
        &declared,
        Kind::Gzip,
        part.bytes.len() as u64,
        &mut reader,
    );
    let end = part.bytes.len().checked_sub(reader.left());
    super::trailing::tell(walker, part.bytes, end.filter(|_| whole));
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use crate::{Budget, Limit, Obstacle, Seen, walk};

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut out = flate2::GzBuilder::new()
            .filename("result")
            .write(Vec::new(), flate2::Compression::best());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    }

    fn seen(bytes: &[u8], budget: &Budget) -> Vec<String> {
        let mut out = Vec::new();
        walk(
            bytes,
            &crate::Declared::nothing(),
            budget,
            &|| true,
            &mut |path, seen| {
                out.push(match seen {
                    Seen::Part(part) => format!("{path} = {}", part.claims.main().code()),
                    Seen::Sign(sign) => format!("{path} ! {}", sign.code()),
                    Seen::Obstacle(obstacle) => format!("{path} ? {}", obstacle.code()),
                });
            },
        );
        out
    }

    #[test]
    fn what_is_packed_twice_is_shown() {
        let twice = packed(&packed(b"#!/bin/sh\n"));
        assert_eq!(
            seen(&twice, &Budget::default()),
            [
                " = gzip",
                "gzip : result = gzip",
                "gzip : result / gzip : result = script"
            ]
        );
    }

    #[test]
    fn members_are_one_file_and_what_follows_is_told() {
        let two = [packed(b"#!/bin"), packed(b"/sh\n")].concat();
        assert_eq!(
            crate::testing::part(&two, "result"),
            b"#!/bin/sh\n".as_slice()
        );
        let padded = [two.clone(), vec![0; 512]].concat();
        assert_eq!(seen(&padded, &Budget::default()).len(), 2);
        let behind = [two, b"MZ something".to_vec()].concat();
        assert_eq!(
            seen(&behind, &Budget::default()).get(2..).unwrap(),
            [" ! trailing-data", "behind the end = dos"]
        );
    }

    #[test]
    fn damage_and_bounds_are_told() {
        let whole = packed(&vec![b'a'; 1 << 20]);
        let cut = whole.get(..whole.len() / 2).unwrap();
        assert_eq!(
            seen(cut, &Budget::default()).last().unwrap(),
            "gzip : result ? damaged"
        );
        let small = Budget {
            part_bytes: 1000,
            ..Budget::default()
        };
        assert_eq!(
            seen(&whole, &small).last().unwrap(),
            &format!(
                "gzip : result ? {}",
                Obstacle::OverBudget(Limit::PartBytes).code()
            )
        );
        let flat = Budget {
            depth: 1,
            ..Budget::default()
        };
        assert_eq!(
            seen(&packed(&packed(b"x")), &flat).last().unwrap(),
            "gzip : result ? over-budget-depth"
        );
    }
}

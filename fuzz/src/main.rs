//! Every fuzz target in one program: `LABWARD_FUZZ_TARGET` names the one that runs.
//!
//! One program, because what is instrumented takes minutes to build and each program links all of it. It must
//! never run when no target is named: what looks at nothing finds nothing.
#![no_main]

use std::process::exit;
use std::sync::OnceLock;

use libfuzzer_sys::arbitrary::{Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;

type Target = fn(&[u8]);

mod targets {
    /// The modules of this folder and their names; `cargo xtask` compares them with the folder.
    macro_rules! targets {
        ($($name:ident)*) => {
            $(mod $name;)*
            pub const ALL: &[(&str, super::Target)] = &[$((stringify!($name), $name::run)),*];
        };
    }

    targets! {
        advisory_bundle
        advisory_csaf
        advisory_cyclonedx
        advisory_eol
        advisory_epss
        advisory_integrity
        advisory_kev
        advisory_openvex
        advisory_osv
        advisory_provider
        advisory_spdx
        astm_receiver
        astm_record
        authenticode
        backup
        capture_dissect
        capture_file
        capture_udi
        carrier_archive
        carrier_dicom
        carrier_fhir
        carrier_hl7
        carrier_html
        carrier_mail
        carrier_ole
        carrier_pdf
        carrier_rtf
        carrier_zip
        edge_parcel
        edge_wire
        hl7_ack
        hl7_batch
        hl7_message
        hl7_mllp
        ledger_bundle
        ledger_leaf
        ledger_note
        ledger_witness
        mds2
        milter
        product_name
        product_os
        product_range
        product_version
        report
        reserve
        rewriting
        scan_hashes
        scan_protocol
        segmentation_loaded
        segmentation_plan
    }
}

/// The target of this run.
static CHOSEN: OnceLock<Target> = OnceLock::new();

fuzz_target!(
    init: {
        CHOSEN.get_or_init(choose);
    },
    |data: &[u8]| {
        CHOSEN.get().expect("it was chosen before the first input")(data);
    }
);

/// The target that is named; without one the program ends.
fn choose() -> Target {
    let wanted = std::env::var("LABWARD_FUZZ_TARGET").unwrap_or_default();
    let found = targets::ALL.iter().find(|(name, _)| *name == wanted);
    found.map_or_else(
        || {
            eprintln!("LABWARD_FUZZ_TARGET is {wanted:?}, which is no target");
            exit(64)
        },
        |(_, run)| *run,
    )
}

/// The input of a target as something other than bytes; none where it is too short.
fn read<'a, T: Arbitrary<'a>>(data: &'a [u8]) -> Option<T> {
    if data.len() < T::size_hint(0).0 {
        return None;
    }
    T::arbitrary_take_rest(Unstructured::new(data)).ok()
}

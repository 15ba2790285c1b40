//! Spellings of vendors, and which are one.

use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(device: &str, product: &str, expect: VendorMatch) {
    let book = VendorBook::shipped().unwrap();
    assert_eq!(
        book.compare(device, product),
        expect,
        "{device:?} and {product:?}"
    );
}

#[test]
fn the_normal_form_leaves_out_what_says_nothing() {
    for (text, form) in [
        ("Illumina, Inc.", "illumina"),
        ("B. Braun Melsungen AG", "b braun melsungen"),
        ("Medtronic ", "medtronic"),
        ("Innokas YhtymÃ¤ Oy", "innokas yhtyma"),
        ("bioMérieux S.A.", "biomerieux"),
        ("Johnson & Johnson", "johnson and johnson"),
        ("PEPPERL+FUCHS", "pepperl fuchs"),
        ("Co", "co"),
        ("", ""),
    ] {
        assert_eq!(normal_form(text), form, "{text:?}");
    }
}

#[test]
fn spellings_of_one_vendor_are_the_same() {
    check(
        "BD",
        "Becton, Dickinson and Company (BD)",
        VendorMatch::Same(Evidence::Name),
    );
    check("Philips", "Phillips", VendorMatch::Same(Evidence::Name));
    check("Medtronic", "Medtronic ", VendorMatch::Same(Evidence::Name));
    check(
        "B. Braun",
        "B. Braun Melsungen AG",
        VendorMatch::Same(Evidence::Name),
    );
    check(
        "GE Healthcare",
        "General Electric (GE)",
        VendorMatch::Same(Evidence::Joint),
    );
    check(
        "GE Healthcare",
        "Silex Technology and GE Healthcare",
        VendorMatch::Same(Evidence::Joint),
    );
    check(
        "Siemens Healthineers",
        "Siemens",
        VendorMatch::Same(Evidence::Joint),
    );
    check(
        "Abbott",
        "St. Jude Medical",
        VendorMatch::Same(Evidence::Acquired),
    );
    check(
        "Baxter",
        "Hillrom and ELI, Baxter International Inc.",
        VendorMatch::Same(Evidence::Joint),
    );
    check("Ilumina", "Illumina", VendorMatch::Same(Evidence::Typo));
}

#[test]
fn vendors_that_look_alike_are_not_taken_for_one() {
    check("Sielco", "Sielco Sistemi", VendorMatch::No);
    check("Johnson & Johnson", "Johnson Controls", VendorMatch::No);
    check(
        "Contec",
        "Contec Health",
        VendorMatch::Same(Evidence::Joint),
    );
    check("Datalogic", "Datalogics", VendorMatch::No);
    check("Roche", "Philips", VendorMatch::No);
    check("Acme Medical", "Acme", VendorMatch::DeviceIsNarrower);
    check("Acme", "Acme Medical", VendorMatch::ProductIsNarrower);
    check("", "Philips", VendorMatch::No);
}

#[test]
fn no_name_of_the_book_belongs_to_two_vendors() {
    let book = VendorBook::shipped().unwrap();
    for (form, known) in &book.forms {
        let names = known
            .iter()
            .filter(|(_, evidence)| *evidence == Evidence::Name)
            .count();
        assert!(names <= 1, "{form:?} names {known:?}");
    }
    assert!(book.vendors.len() > 300);
}

#[test]
fn a_book_with_a_fault_names_its_line() {
    let fault = |text: &str| VendorBook::read(text).map(|_| ()).unwrap_err().line;
    assert_eq!(fault("vendor,spelling,kind\nA,A,name\nB,B,friend\n"), 3);
    assert_eq!(fault("vendor,spelling,kind\nA,...,name\n"), 2);
}

proptest! {
    #[test]
    fn any_text_has_a_normal_form_that_stays(text in any::<String>()) {
        let form = normal_form(&text);
        prop_assert_eq!(normal_form(&form), form);
    }
}

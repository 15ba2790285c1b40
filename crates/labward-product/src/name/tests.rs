//! Names of devices and of products, and whether they may be one.

use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(device: &str, product: &str, expect: &str) {
    let book = NameBook::shipped().unwrap();
    let vendor = [
        "bd",
        "becton dickinson",
        "philips",
        "ge healthcare",
        "ge",
        "siemens",
    ];
    let (a, b) = (
        parse::parse(device, &vendor, &book),
        parse::parse(product, &vendor, &book),
    );
    assert_eq!(
        names_match(&a, &b, &book).code(),
        expect,
        "{device:?} and {product:?}: {a:?} {b:?}"
    );
}

#[test]
fn the_same_product_is_found_however_it_is_written() {
    check("BD Viper LT", "BD Viper LT system", "same");
    check("Viper-LT", "BD Viper LT system", "same");
    check("XN-550", "XN550", "same");
    check("Discovery XR656 Plus", "Discovery XR656+", "same");
    check("Millennium MG", "Millenium MG", "same");
    check("Pyxis ES MedStation", "BD Pyxis MedStation ES", "same");
    check("GE Aisys", "Aisys", "same");
}

#[test]
fn two_models_of_one_family_are_two_products() {
    check("Optima CT660", "Optima CT670", "no");
    check("Discovery NM 630", "Discovery NM 750b", "no");
    check("Alaris PC Unit 8000", "Alaris 8015 PC unit", "no");
    check("LOGIQ 7", "LOGIQ 9", "no");
    check("550", "MX550", "no");
    check("CARESCAPE B650", "B650", "device-is-narrower");
    check("X2", "IntelliVue X2", "maybe-shared-words");
    check("Kestrel", "Merlin", "no");
}

#[test]
fn a_name_that_says_more_or_less_is_said_to() {
    check(
        "Alaris 8015 PC unit",
        "Alaris PC Unit",
        "device-is-narrower",
    );
    check(
        "Alaris PC unit",
        "Alaris 8015 PC unit",
        "product-is-narrower",
    );
    check(
        "LOGIQ 7",
        "LOGIQ, not including LOGIQ 100 Pro",
        "device-is-narrower",
    );
}

#[test]
fn packed_models_are_unfolded() {
    check("IntelliVue MX700", "IntelliVue MX800/700/600", "same");
    check("IntelliVue MX500", "IntelliVue MX800/700/600", "no");
    check(
        "865241",
        "IntelliVue MP monitors MX800/700/600 ((865240/41/42) WLAN",
        "same",
    );
    check(
        "M8002A",
        "IntelliVue MP monitors MP20-MP90 (M8001A/2A/3A/4A/5A/7A/8A/10A) WLAN",
        "same",
    );
    check(
        "M8010A",
        "IntelliVue MP monitors MP20-MP90 (M8001A/2A/3A/4A/5A/7A/8A/10A) WLAN",
        "same",
    );
    check(
        "PageWriter TC30",
        "PageWriter TC10 TC20 TC30 TC50 TC70",
        "same",
    );
    check(
        "PageWriter TC40",
        "PageWriter TC10 TC20 TC30 TC50 TC70",
        "no",
    );
    check(
        "IntelliVue patient monitor MX450",
        "IntelliVue patient monitor MX400-MX850",
        "device-is-narrower",
    );
    check("SIMATIC S7-200", "SIMATIC S7-300", "no");
    check("EPIQ", "EPIQ/Affiniti", "same");
}

#[test]
fn what_a_name_leaves_out_is_not_meant() {
    let venue = "Venue, not including Venue 40 R1-3 and Venue 50 R4-5";
    check("Venue Go", venue, "device-is-narrower");
    check("Venue", venue, "same");
    check("Venue 40", venue, "maybe-excluded");
    check("Venue 40 R2", venue, "no");
    check("Venue 40 R4", venue, "device-is-narrower");
    check("LOGIQ 100 Pro", "LOGIQ, not including LOGIQ 100 Pro", "no");
}

#[test]
fn software_is_linked_to_its_instrument() {
    check("MiSeqDx", "MiSeqDx Operating Software", "same");
    check("NextSeq 550", "NextSeq 500/550 Control Software", "same");
    check("NextSeq 500", "NextSeq 500/550 Control Software", "same");
    check(
        "NextSeq 550Dx",
        "NextSeq 500/550 Control Software",
        "maybe-software",
    );
    check(
        "FACSMelody",
        "BD FACSChorus (HP Z2 G5 workstation, shipped with FACSMelody Cell Sorter)",
        "maybe-software",
    );
    check(
        "Agilia Partner",
        "Agilia Partner maintenance software",
        "maybe-software",
    );
}

#[test]
fn an_abbreviation_alone_is_for_a_person() {
    check(
        "CIC",
        "Clinical Information Center (CIC)",
        "maybe-abbreviation",
    );
    check("PIC iX", "Patient Information Center iX (PIC iX)", "same");
}

#[test]
fn a_vendor_with_fewer_words_does_not_meet_a_product_with_more() {
    let (vendors, book) = (VendorBook::shipped().unwrap(), NameBook::shipped().unwrap());
    let matched = |device: (&str, &str), product: (&str, &str)| {
        let (a, b) = (Name::read(device.1, &book), Name::read(product.1, &book));
        products_match(&vendors, &book, (device.0, &a), (product.0, &b))
    };
    assert_eq!(
        matched(("Acme", "Monitor Five"), ("Acme Medical", "Monitor")),
        Match::No
    );
    assert_eq!(
        matched(("Acme Medical", "Monitor"), ("Acme", "Monitor Five")),
        Match::No
    );
    assert_eq!(
        matched(("Acme", "Monitor Five"), ("Acme Medical", "Monitor Five")),
        Match::Maybe(MaybeWhy::Vendor)
    );
    assert_eq!(
        matched(("Philips", "Xcelera"), ("Phillips", "Xcelera")),
        Match::Same
    );
    assert_eq!(
        matched(("Roche", "Xcelera"), ("Philips", "Xcelera")),
        Match::No
    );
    assert_eq!(
        matched(
            ("BD", "Alaris PC Unit"),
            ("GE Healthcare", "Alaris PC Unit")
        ),
        Match::Same
    );
}

#[test]
fn the_index_finds_what_the_comparison_finds() {
    let (vendors, book) = (VendorBook::shipped().unwrap(), NameBook::shipped().unwrap());
    let products = [
        ("Becton, Dickinson and Company (BD)", "BD Viper LT system"),
        ("GE Healthcare", "Alaris PC Unit"),
        ("Phillips", "IntelliSpace Cardiovascular"),
        ("Acme Medical", "Viper LT"),
        ("Philips", "IntelliSpace Cardiovascular"),
        ("Philips", "IntelliSpace Cardiovascular"),
    ];
    let index = NameIndex::new(&vendors, &book, products);
    assert_eq!(index.len(), 5, "one name of one vendor stands once");
    let found = |vendor: &str, name: &str| {
        index
            .find(vendor, name)
            .iter()
            .map(|f| (f.product, f.matched.code()))
            .collect::<Vec<_>>()
    };
    assert_eq!(found("BD", "Viper LT"), [(0, "same")]);
    assert_eq!(found("BD", "Alaris PC Unit"), [(1, "same")]);
    assert_eq!(found("GE Healthcare", "Alaris PC Unit"), [(1, "same")]);
    assert_eq!(
        found("Philips", "IntelliSpace Cardiovascular"),
        [(2, "same"), (4, "same"), (5, "same")]
    );
    assert_eq!(found("Acme", "Viper LT"), [(3, "maybe-vendor")]);
    assert_eq!(found("Acme", "Viper LT"), found("Acme", "viper-lt"));
    assert_eq!(found("Nobody", "Viper LT"), []);
}

#[test]
fn a_book_with_a_fault_names_its_line() {
    assert_eq!(
        NameBook::read("kind,name,other,vendor\nhope,a,b,c\n")
            .map(|_| ())
            .unwrap_err()
            .line,
        2
    );
}

#[test]
fn a_text_of_64_kilobytes_unfolds_into_few_words() {
    let book = NameBook::shipped().unwrap();
    for piece in ["a1/2/3 ", "(", "1/", "b2 ", "é-", "+", "mx1-9 "] {
        let name = Name::read(&piece.repeat(65_536 / piece.len()), &book);
        assert!(name.variants().len() <= MAX_VARIANTS);
        let _ = names_match(&name, &name, &book);
    }
}

proptest! {
    #[test]
    fn any_name_is_the_same_as_itself_or_nothing(text in any::<String>()) {
        let book = NameBook::shipped().unwrap();
        let name = Name::read(&text, &book);
        let matched = names_match(&name, &name, &book);
        let has_words = name.variants().iter().any(|words| !words.is_empty());
        prop_assert!(matched == Match::Same || !has_words || !name.excluded.is_empty());
    }
}

#[test]
fn one_name_written_in_several_ways_has_one_normal_form() {
    for (one, other) in [
        ("XN-550", "xn550"),
        ("  BACT/ALERT  VIRTUO", "BacT ALERT Virtuo"),
        ("Afinion\u{a0}2", "Afinion 2"),
    ] {
        assert_eq!(normal_form(one), normal_form(other), "{one}");
    }
    for (one, other) in [
        ("Plum A+", "Plum A"),
        ("NextSeq 500", "NextSeq 550"),
        ("Venue", "Venue, not including Venue 40"),
        ("4.1", "41"),
    ] {
        assert_ne!(normal_form(one), normal_form(other), "{one}");
    }
    assert_eq!(normal_form(" -/ "), "");
}

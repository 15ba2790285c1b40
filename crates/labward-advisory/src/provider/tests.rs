//! Lists as providers write them, as they should not, and as nobody would.

use proptest::prelude::*;

use super::*;

fn parse(name: &str, text: &str) -> Option<Listing> {
    Listing::parse(name, text.as_bytes(), &Limits::default())
}

const METADATA: &str = r#"{"canonical_url":"https://psirt.example/.well-known/csaf/provider-metadata.json",
    "metadata_version":"2.0","role":"csaf_trusted_provider","last_updated":"2026-01-01T00:00:00Z",
    "publisher":{"category":"vendor","name":"Example PSIRT","namespace":"https://psirt.example"},
    "distributions":[{"directory_url":"https://psirt.example/csaf/"},
      {"rolie":{"feeds":[{"summary":"all","tlp_label":"WHITE","url":"https://psirt.example/feed.json"},
        {"tlp_label":"AMBER","url":"https://psirt.example/amber.json"},{"tlp_label":"RED"}]}}],
    "public_openpgp_keys":[{"fingerprint":"144aed0a57be7d4ae835d9d8cac5ac4f74164b17","url":"https://psirt.example/k"},
      {"fingerprint":"nobody"}]}"#;

const FEED: &str = r#"{"feed":{"id":"f","title":"All","updated":"2026-01-02T00:00:00Z","entry":[
    {"id":"EX-1","title":"one","published":"2026-01-01T00:00:00Z","updated":"2026-01-02T00:00:00Z",
     "link":[{"rel":"self","href":"https://psirt.example/csaf/2026/ex-1.json"},
       {"rel":"hash","href":"https://psirt.example/csaf/2026/ex-1.json.sha512"},
       {"rel":"signature","href":"https://psirt.example/csaf/2026/ex-1.json.asc"}],
     "content":{"src":"https://psirt.example/csaf/2026/ex-1.json","type":"application/json"}},
    {"id":"EX-2","updated":"yesterday","link":[{"rel":"self","href":"2026/ex-2.json"}]},
    {"id":"EX-3","updated":"2026-01-02T00:00:00Z"}, 7]}}"#;

#[test]
fn a_provider_says_where_its_lists_are_and_which_keys_it_has() {
    let Some(Listing::Provider(read)) = parse("provider-metadata.json", METADATA) else {
        panic!("no provider");
    };
    assert_eq!(&*read.publisher, "Example PSIRT");
    assert_eq!(&*read.role, "csaf_trusted_provider");
    let feeds: Vec<(&str, bool)> = read
        .feeds
        .iter()
        .map(|one| (&*one.url, one.is_restricted()))
        .collect();
    assert_eq!(
        feeds,
        [
            ("https://psirt.example/feed.json", false),
            ("https://psirt.example/amber.json", true)
        ]
    );
    assert_eq!(&*read.directories[0], "https://psirt.example/csaf/");
    assert_eq!(read.keys, ["144AED0A57BE7D4AE835D9D8CAC5AC4F74164B17"]);
    assert_eq!(
        read.flaws.listed().len(),
        2,
        "a feed and a key: {:?}",
        read.flaws
    );
}

#[test]
fn a_feed_says_where_each_document_and_what_stands_beside_it_is() {
    let Some(Listing::Feed(read)) = parse("feed.json", FEED) else {
        panic!("no feed");
    };
    let [one, two] = &*read.entries else {
        panic!("{:?}", read.entries);
    };
    assert_eq!(&*one.address, "https://psirt.example/csaf/2026/ex-1.json");
    assert_eq!(
        one.changed,
        Timestamp::parse_rfc3339("2026-01-02T00:00:00Z")
    );
    assert!(one.hashes[0].ends_with(".sha512"));
    assert!(one.signature.as_ref().unwrap().ends_with(".asc"));
    assert_eq!((&*two.address, two.changed), ("2026/ex-2.json", None));
    assert_eq!(read.flaws.listed().len(), 3, "{:?}", read.flaws);
    let Some(Listing::Feed(empty)) = parse("x", r#"{"feed":{"id":"f"}}"#) else {
        panic!("no feed");
    };
    assert!(empty.entries.is_empty());
}

#[test]
fn a_directory_lists_paths_that_never_lead_out_of_it() {
    let text = "\"2026/a.json\",\"2026-01-02T00:00:00Z\"\r\n2026/b c.json,2026-01-01T00:00:00.000+02:00\n\
        c.json,soon\n../d.json,x\n/e.json,x\nhttps://evil.example/f.json,x\na//g.json,x\n\
        h.json?x,x\ni.txt,x\n..\\j.json,x\n%2e%2e/k.json,x\n";
    let Some(Listing::Directory(read)) = parse("csaf/changes.csv", text) else {
        panic!("no directory");
    };
    let paths: Vec<(&str, bool)> = read
        .entries
        .iter()
        .map(|one| (&*one.address, one.changed.is_some()))
        .collect();
    let expect = [
        ("2026/a.json", true),
        ("2026/b c.json", true),
        ("c.json", false),
    ];
    assert_eq!(paths, expect);
    assert_eq!(read.flaws.listed().len(), 8, "{:?}", read.flaws);
    let Some(Listing::Directory(read)) = parse("index.txt", "2026/a.json\n\n./b.json\n") else {
        panic!("no directory");
    };
    assert_eq!((read.entries.len(), read.flaws.listed().len()), (1, 1));
    let few = Limits {
        max_entries: 2,
        ..Limits::default()
    };
    let many = "a.json\nb.json\nc.json\nd.json\n";
    let Some(Listing::Directory(read)) = Listing::parse("index.txt", many.as_bytes(), &few) else {
        panic!("no directory");
    };
    assert_eq!((read.entries.len(), read.flaws.listed().len()), (2, 1));
}

#[test]
fn what_is_no_list_is_none() {
    for (name, text) in [
        ("a.json", r#"{"document":{"csaf_version":"2.0"}}"#),
        ("kev.json", r#"{"catalogVersion":"1","vulnerabilities":[]}"#),
        ("a.json", "{"),
        ("a.csv", "a,b"),
        ("a.json", ""),
        ("a.zip", "PK\u{3}\u{4}"),
    ] {
        assert!(parse(name, text).is_none(), "{name} {text}");
    }
}

#[test]
fn the_list_of_cisa_is_read() {
    let Some(data) = crate::real_data::folder("names of CISA's advisories as a list") else {
        return;
    };
    let files = crate::real_data::unpack(data.join("csaf/cisa-ot-2017-2023.tar.xz"));
    let names = files.keys().filter(|name| name.ends_with(".json"));
    let lines: String = names
        .map(|name| {
            format!(
                "\"{}\",\"2026-01-01T00:00:00Z\"\n",
                name.trim_start_matches("./")
            )
        })
        .collect();
    let Some(Listing::Directory(read)) = parse("changes.csv", &lines) else {
        panic!("no directory");
    };
    assert_eq!((read.entries.len(), read.flaws.listed().len()), (2_035, 0));
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes: Vec<u8>, which in 0..3_usize) {
        let name = ["changes.csv", "index.txt", "feed.json"][which];
        let _ = Listing::parse(name, &bytes, &Limits::default());
    }

    #[test]
    fn a_changed_feed_is_a_feed_or_none(at: prop::sample::Index, byte: u8, which: bool) {
        let text = if which { FEED } else { METADATA };
        let mut bytes = text.as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = Listing::parse("feed.json", &bytes, &Limits::default());
        let _ = Listing::parse("feed.json", &text.as_bytes()[..at], &Limits::default());
    }

    #[test]
    fn no_path_of_a_directory_leads_out_of_it(path in "[a./\\\\%:]{0,12}(\\.json)?") {
        let listing = Listing::parse("index.txt", path.as_bytes(), &Limits::default());
        if let Some(Listing::Directory(list)) = listing {
            for one in list.entries {
                prop_assert!(!one.address.starts_with('/'));
                prop_assert!(!one.address.split('/').any(|part| part == ".." || part.is_empty()));
            }
        }
    }
}

//! Tests of the configuration as a whole: what is refused, with which words, and that the one
//! definition says what the program does.

use proptest::prelude::*;

use super::schema::{Key, Kind, Omitted, Section};
use super::sections::FILE;
use super::*;

const LINK: &str = "[[link]]\nname = \"xn550\"\nlisten = \"127.0.0.1:4010\"\n";
const EHR: &str = "[[destination]]\nname = \"ehr\"\n\
                   target = { kind = \"mllp\", address = \"ehr.example:2575\" }\n";

const WITNESS: &str = "[[witness]]\nname = \"partner\"\naddress = \"127.0.0.1:8443\"\n\
    key = \"witness.example/w1+aaa5fcb8+BNkv2YTVOUnrpvjvoEFQc2+FvxIOVkjFWLyBfwz7u8IS\"\n";

fn parse(rest: &str) -> Result<Config, ConfigError> {
    Config::parse(&format!("version = 1\n{rest}"))
}

/// The problem's code and the detail with which `rest` is refused.
fn refused(rest: &str) -> (&'static str, String) {
    match parse(rest) {
        Err(error) => (error.problem().code, error.detail()),
        Ok(_) => panic!("accepted:\n{rest}"),
    }
}

fn check_unreadable(rest: &str, detail: &str) {
    assert_eq!(refused(rest), ("config.unreadable", detail.to_owned()));
}

/// The line is another test's matter.
fn check_unsafe(rest: &str, detail: &str) {
    let (code, found) = refused(rest);
    let (line, without) = found.split_once(", ").unwrap_or(("", &found));
    let found = if line.starts_with("line ") {
        without
    } else {
        &found
    };
    assert_eq!((code, found), ("config.unsafe", detail));
}

#[test]
fn what_is_refused_is_named_with_its_line() {
    for (rest, begin) in [
        (
            format!("{LINK}{LINK}"),
            "line 6, link xn550: the name stands twice",
        ),
        (
            format!("{LINK}[[route]]\ntypes = [\"*\"]\nto = []\n"),
            "line 6, route 1: it goes to no",
        ),
        (
            "[retention]\nresults_years = 1\n".to_owned(),
            "line 2, retention: ",
        ),
    ] {
        let (code, detail) = refused(&rest);
        assert_eq!(code, "config.unsafe");
        assert!(detail.starts_with(begin), "{detail}");
    }
}

#[test]
fn an_empty_file_of_version_1_is_every_default() {
    assert_eq!(parse("").unwrap(), Config::default());
}

#[test]
fn a_file_without_a_version_or_of_a_later_one_is_refused() {
    for (text, detail) in [
        ("", "line 1: the top of the file lacks \"version\""),
        (
            "version = 2",
            "line 1: \"version\" in the top of the file is 2, expected a whole number from 1 to 1",
        ),
    ] {
        let error = Config::parse(text).unwrap_err();
        assert_eq!(error.detail(), detail);
        assert_eq!(error.problem().code, "config.unreadable");
    }
}

#[test]
fn a_mistyped_key_is_refused_with_line_place_and_suggestion() {
    check_unreadable(
        "[[link]]\nname = \"xn550\"\nlisten = \"127.0.0.1:1\"\nlisen = \"127.0.0.1:4010\"\n",
        "line 5: unknown key \"lisen\" in [[link]] \"xn550\"; did you mean \"listen\"?",
    );
    check_unreadable(
        "[stor]\nreaders = 3\n",
        "line 2: unknown key \"stor\" in the top of the file; did you mean \"store\"?",
    );
    check_unreadable(
        &format!("{LINK}[link.limits]\nframe_secs = 3\n"),
        "line 6: unknown key \"frame_secs\" in [link.limits] \"xn550\"; \
         did you mean \"frame_seconds\"?",
    );
    check_unreadable(
        "[log]\ncolour = true\n",
        "line 3: unknown key \"colour\" in [log]",
    );
}

#[test]
fn a_witness_is_named_once_has_a_witnesss_key_and_no_plain_line_off_this_machine() {
    assert_eq!(parse(WITNESS).unwrap().witnesses[0].timeout_seconds, 10);
    let twice = format!("{WITNESS}{WITNESS}");
    check_unsafe(&twice, "witness partner: the name stands twice");
    let renamed = WITNESS.replace("partner", "other");
    check_unsafe(
        &format!("{WITNESS}{renamed}"),
        "witness other: its key stands twice: one witness counts once",
    );
    let path = format!("{WITNESS}path = \"w1/\"\n");
    check_unsafe(
        &path,
        "witness partner: its path begins with a slash and does not end with one, such as /w1",
    );
    let (code, detail) = refused(&WITNESS.replace("+aaa5fcb8+", "+aaa5fcb9+"));
    assert_eq!(code, "config.unreadable");
    assert!(
        detail.contains("the id does not fit name and key"),
        "{detail}"
    );
    let plain = format!("{WITNESS}transport = {{ mode = \"plain\" }}\n");
    assert!(parse(&plain).is_ok());
    check_unsafe(
        &plain.replace("127.0.0.1", "192.0.2.1"),
        "witness partner: a plain line off loopback needs a reason, an owner and a last day (expires)",
    );
}

#[test]
fn a_key_in_the_wrong_table_is_refused_with_the_right_one() {
    check_unreadable(
        "[log]\npublish_seconds = 3\n",
        "line 3: unknown key \"publish_seconds\" in [log]; it belongs in [ledger]",
    );
    check_unreadable(
        &format!("{LINK}max_message_bytes = 4096\n"),
        "line 5: unknown key \"max_message_bytes\" in [[link]] \"xn550\"; \
         it belongs in [[link.limits]]"
            .replace("[[link.limits]]", "[link.limits]")
            .as_str(),
    );
}

#[test]
fn a_wrong_type_or_a_value_out_of_range_is_refused_with_what_is_expected() {
    for (rest, detail) in [
        (
            "[store]\nreaders = \"two\"\n",
            "line 3: \"readers\" in [store] is \"two\", expected a whole number from 1 to 64",
        ),
        (
            "[store]\nreaders = 0\n",
            "line 3: \"readers\" in [store] is 0, expected a whole number from 1 to 64",
        ),
        (
            "[log]\nlevel = \"wran\"\n",
            "line 3: \"level\" in [log] is \"wran\", expected \"error\", \"warn\", \"info\", \
             \"debug\" or \"trace\"; did you mean \"warn\"?",
        ),
        (
            "[keys]\nfiles = [1]\n",
            "line 3: \"files\" in [keys] is a list, expected a list of texts",
        ),
        (
            "site = 3\n",
            "line 2: [site] is a whole number, not a table",
        ),
        (
            "[link]\nname = \"x\"\n",
            "line 2: link stands for each one by itself: write [[link]]",
        ),
        (
            "[[link]]\nlisten = \"127.0.0.1:1\"\n",
            "line 2: [[link]] 1 lacks \"name\"",
        ),
        (
            "[[link]]\nname = \"x\"\nlisten = \"2575\"\n",
            "line 4: invalid socket address syntax",
        ),
    ] {
        check_unreadable(rest, detail);
    }
}

#[test]
fn a_key_that_means_nothing_beside_another_is_refused() {
    check_unreadable(
        &format!("{LINK}transport = {{ mode = \"mutual-tls\", owner = \"x\" }}\n"),
        "line 5: \"owner\" in [link.transport] \"xn550\" means something only with \
         mode = \"plain\"",
    );
    check_unreadable(
        "[[destination]]\nname = \"d\"\ntarget = { kind = \"file-drop\", folder = \"/x\" }\n",
        "line 4: [destination.target] \"d\" lacks \"recipient\"",
    );
    check_unreadable(
        "[[destination]]\nname = \"d\"\n",
        "line 2: missing field `target`",
    );
}

#[test]
fn broken_toml_is_refused_with_its_line() {
    let (code, detail) = refused("[store\nreaders = 3\n");
    assert_eq!(code, "config.unreadable");
    assert!(detail.starts_with("line 2: "), "{detail}");
    let (_, detail) = refused("[log]\nlevel = \"info\"\nlevel = \"warn\"\n");
    assert!(detail.starts_with("line 4: "), "{detail}");
    let (_, detail) = refused(&"x".repeat(2 << 20));
    assert_eq!(detail, "it is longer than 1 MiB");
}

#[test]
fn a_plain_line_off_loopback_needs_reason_owner_and_end() {
    let plain = |more: &str| {
        format!(
            "[[link]]\nname = \"old\"\nlisten = \"192.0.2.1:4010\"\n\
             transport = {{ mode = \"plain\"{more} }}\n"
        )
    };
    let rule = "link old: a plain line off loopback needs a reason, an owner and a last day \
                (expires)";
    check_unsafe(&plain(""), rule);
    check_unsafe(&plain(", reason = \"r\", owner = \"o\""), rule);
    check_unsafe(
        &plain(", reason = \"r\", owner = \" \", expires = \"2027-06-30\""),
        rule,
    );
    let named = plain(
        ", reason = \"r\", owner = \"o\", expires = \"2027-06-30\", \
         from_addresses = [\"192.0.2.7\"]",
    );
    let config = parse(&named).unwrap();
    let at = |text: &str| Timestamp::parse_rfc3339(text).unwrap();
    let data = Path::new("/var/lib/labward");
    let plain = config.check(data, at("2027-06-30T23:59:59Z")).unwrap();
    assert_eq!(plain.len(), 1);
    let ended = config.check(data, at("2027-07-01T00:00:00Z")).unwrap_err();
    assert_eq!(ended.problem().code, "config.unsafe");
    assert_eq!(
        ended.detail(),
        "link old: the exception for this plain line has ended"
    );
}

#[test]
fn two_links_cannot_share_an_address() {
    let two = |a: &str, b: &str| {
        format!("[[link]]\nname=\"a\"\nlisten=\"{a}\"\n[[link]]\nname=\"b\"\nlisten=\"{b}\"\n")
    };
    check_unsafe(
        &two("127.0.0.1:2575", "127.0.0.1:2575"),
        "link b: it listens on 127.0.0.1:2575, as link a does",
    );
    check_unsafe(
        &two("127.0.0.1:2575", "0.0.0.0:2575"),
        "link b: it listens on 0.0.0.0:2575, as link a does",
    );
    for (a, b) in [
        ("127.0.0.1:2575", "127.0.0.1:2576"),
        ("127.0.0.1:2575", "127.0.0.2:2575"),
        ("127.0.0.1:0", "127.0.0.1:0"),
    ] {
        assert!(parse(&two(a, b)).is_ok(), "{a} {b}");
    }
}

#[test]
fn a_route_leads_from_known_links_to_known_destinations() {
    let route = |keys: &str| format!("{LINK}{EHR}[[route]]\ntypes = [\"ORU^*\"]\n{keys}");
    check_unsafe(
        &route("to = [\"elsewhere\"]\n"),
        "route 1: it goes to a destination that is not configured",
    );
    check_unsafe(&route("to = []\n"), "route 1: it goes to no destination");
    check_unsafe(
        &route("to = [\"ehr\"]\nlinks = [\"none\"]\n"),
        "route 1: it names link none, which is not configured",
    );
    assert!(parse(&route("to = [\"ehr\"]\nlinks = [\"xn550\"]\n")).is_ok());
}

#[test]
fn astm_messages_never_go_to_an_hl7_receiver() {
    let astm = "[[link]]\nname = \"cl\"\nlisten = \"127.0.0.1:4011\"\nframing = \"astm\"\n";
    let route = |types: &str, links: &str| {
        format!("{LINK}{astm}{EHR}[[route]]\ntypes = [\"{types}\"]\nto = [\"ehr\"]\n{links}")
    };
    let detail = "route 1: it would send ASTM messages of link cl to ehr, an HL7 receiver; name \
                  other links or types, or a file drop";
    for types in ["ASTM", "*", "A*"] {
        check_unsafe(&route(types, ""), detail);
        assert!(parse(&route(types, "links = [\"xn550\"]\n")).is_ok());
    }
    assert!(parse(&route("ORU^*", "")).is_ok());
    let drop = route("ASTM", "").replace(
        "kind = \"mllp\", address = \"ehr.example:2575\"",
        "kind = \"file-drop\", folder = \"/srv/drop\", recipient = \"age1xyz\"",
    );
    assert!(parse(&drop).is_ok());
}

#[test]
fn files_are_dropped_only_for_a_recipient_and_in_a_place_that_is_clear() {
    let drop = |folder: &str, recipient: &str| {
        format!(
            "[[destination]]\nname = \"d\"\ntarget = {{ kind = \"file-drop\", \
             folder = \"{folder}\", recipient = \"{recipient}\" }}\n"
        )
    };
    check_unsafe(
        &drop("drop", "age1xyz"),
        "destination d: its folder is not an absolute path",
    );
    check_unsafe(
        &drop("/drop", "none"),
        "destination d: its recipient is not an age public key; files are never written in clear",
    );
}

#[test]
fn retention_is_never_below_the_floor() {
    let (code, detail) = refused("[retention]\nresults_years = 6\n");
    assert_eq!(code, "config.unsafe");
    assert!(detail.contains("6 years for results"), "{detail}");
    let longer = parse("[retention]\nresults_years = 8\npathology_years = 20\n").unwrap();
    assert_eq!(longer.retention(), Retention::lengthened(8, 20).unwrap());
}

#[test]
fn a_key_file_in_the_data_folder_is_refused_also_behind_a_link() {
    let folder = labward_testkit::TempDir::new();
    let data = folder.join("data");
    std::fs::create_dir(&data).unwrap();
    std::os::unix::fs::symlink(&data, folder.join("elsewhere")).unwrap();
    let check = |file: PathBuf| {
        let config = Config {
            keys: KeysConfig { files: vec![file] },
            ..Config::default()
        };
        config.check(&data, Timestamp::from_seconds(0))
    };
    for inside in [
        data.join("root.key"),
        data.join("db/root.key"),
        folder.join("elsewhere/root.key"),
    ] {
        let refused = check(inside.clone()).unwrap_err();
        assert_eq!(refused.problem().code, "config.unsafe", "{inside:?}");
    }
    assert!(check(folder.join("usb/root.key")).is_ok());
}

#[test]
fn names_that_stand_in_certificates_and_checkpoints_are_checked() {
    for rest in [
        "[site]\nname = \"\"\n".to_owned(),
        format!("[site]\nname = \"{}\"\n", "x".repeat(65)),
        "[node]\nname = \" main\"\n".to_owned(),
        "[ledger]\norigin = \"two words\"\n".to_owned(),
        "[ledger]\norigin = \"a+b\"\n".to_owned(),
        "[http]\nsocket_group = \"\"\n".to_owned(),
        "[tls]\nnames = [\"lab example\"]\n".to_owned(),
        "[tls]\nnames = [\"lab..example\"]\n".to_owned(),
    ] {
        assert_eq!(refused(&rest).0, "config.unsafe", "{rest}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let folder = labward_testkit::TempDir::new();
    let path = folder.join("labward.toml");
    let error = Config::load(&path).unwrap_err();
    assert!(error.detail().starts_with(&path.display().to_string()));
    std::fs::write(&path, "version = 1\n").unwrap();
    assert_eq!(Config::load(&path).unwrap(), Config::default());
    std::fs::write(&path, [0xff, 0xfe]).unwrap();
    assert_eq!(
        Config::load(&path).unwrap_err().problem().code,
        "config.unreadable"
    );
}

#[test]
fn the_example_is_read_and_says_what_init_was_told() {
    let names = ["lab.example".to_owned(), "192.0.2.1".to_owned()];
    let config = Config::parse(&Config::example("Labor \"Nord\"", &names, None)).unwrap();
    let expected = Config {
        site: SiteConfig {
            name: "Labor \"Nord\"".to_owned(),
        },
        tls: TlsConfig {
            names: names.to_vec(),
            ..TlsConfig::default()
        },
        ..Config::default()
    };
    assert_eq!(config, expected);
}

/// The example as it is when every `#` before a key is taken away.
fn uncommented() -> String {
    let example = Config::example("Laboratory", &[], None);
    let lines = example.lines().filter(|line| !line.starts_with("##"));
    let lines = lines.map(|line| line.strip_prefix('#').unwrap_or(line).trim_start());
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn every_key_of_the_example_can_be_uncommented() {
    let config = Config::parse(&uncommented()).unwrap();
    assert_eq!(config.gateway.links.len(), 2);
    assert_eq!(config.gateway.routes.len(), 1);
    assert_eq!(config.gateway.destinations.len(), 1);
    assert_eq!(config.witnesses.len(), 1);
    assert_eq!(config.webhooks.len(), 1);
    assert!(config.mail.is_some());
    assert_eq!(config.mail_recipients.len(), 1);
    let defaults = Config {
        gateway: GatewayConfig::default(),
        enrolment: EnrolmentConfig::default(),
        ledger: LedgerConfig::default(),
        witnesses: Vec::new(),
        webhooks: Vec::new(),
        mail: None,
        mail_recipients: Vec::new(),
        advisory_sources: Vec::new(),
        malware: MalwareConfig {
            clamd: None,
            ..config.malware.clone()
        },
        console: ConsoleConfig::default(),
        http: HttpConfig::default(),
        ..config.clone()
    };
    assert_eq!(defaults, Config::default());
}

const OIDC: &str = "[console.oidc]\nname = \"x\"\nissuer = \"https://id.example\"\n\
    client_id = \"x\"\nclient_secret_file = \"/s\"\n";

/// The lines that a table needs before any key of it may stand in a file.
fn opening(path: &str, key: &Key) -> String {
    match (path, key.only) {
        ("", _) => String::new(),
        ("link", _) => LINK.to_owned(),
        ("link.transport", Some((_, mode))) => {
            format!("{LINK}[link.transport]\nmode = \"{mode}\"\n")
        }
        ("link.transport", None) => format!("{LINK}[link.transport]\n"),
        ("link.inspect", _) => format!("{LINK}[link.inspect]\n"),
        ("link.limits", _) => format!("{LINK}[link.limits]\n"),
        ("destination", _) => EHR.to_owned(),
        ("destination.target", Some(("kind", "file-drop"))) => {
            "[[destination]]\nname = \"d\"\n[destination.target]\nkind = \"file-drop\"\n\
             folder = \"/d\"\nrecipient = \"age1x\"\n"
                .to_owned()
        }
        ("destination.target", _) => "[[destination]]\nname = \"d\"\n[destination.target]\n\
             kind = \"mllp\"\naddress = \"h:1\"\n"
            .to_owned(),
        ("destination.target.transport", only) => {
            let mode = only.map_or("mutual-tls", |(_, mode)| mode);
            format!(
                "[[destination]]\nname = \"d\"\n[destination.target]\nkind = \"mllp\"\n\
                 address = \"127.0.0.1:1\"\n[destination.target.transport]\nmode = \"{mode}\"\n"
            )
        }
        ("destination.on", _) => format!("{EHR}[destination.on]\n"),
        ("destination.retry", _) => format!("{EHR}[destination.retry]\n"),
        ("route", _) => format!("{EHR}[[route]]\ntypes = [\"ORU^R01\"]\nto = [\"ehr\"]\n"),
        ("console.oidc", _) => format!("{OIDC}groups.it = [\"x\"]\n"),
        ("console.oidc.groups", _) => {
            let other = if key.name == "it" { "expert" } else { "it" };
            format!("{OIDC}[console.oidc.groups]\n{other} = [\"x\"]\n")
        }
        ("advisory_source", _) if matches!(key.name, "folder" | "url") => {
            "[[advisory_source]]\nname = \"a\"\n".to_owned()
        }
        ("advisory_source", _) => {
            "[[advisory_source]]\nname = \"a\"\nurl = \"https://a.example/x\"\n".to_owned()
        }
        ("mail", _) => {
            // One of the two means nothing without the other.
            let beside = match key.name {
                "user" => "password_file = \"/p\"\n",
                "password_file" => "user = \"u\"\n",
                _ => "",
            };
            format!("[mail]\nserver = \"smtp.example\"\nfrom = \"a@lab.example\"\n{beside}")
        }
        ("mail_recipient", _) => "[mail]\nserver = \"smtp.example\"\nfrom = \"a@lab.example\"\n\
             [[mail_recipient]]\nname = \"m\"\naddress = \"m@lab.example\"\n"
            .to_owned(),
        ("webhook", _) => {
            "[[webhook]]\nname = \"w\"\nurl = \"https://alarm.example/x\"\n".to_owned()
        }
        ("witness", _) => WITNESS.to_owned(),
        ("witness.transport", only) => {
            let mode = only.map_or("mutual-tls", |(_, mode)| mode);
            format!("{WITNESS}[witness.transport]\nmode = \"{mode}\"\n")
        }
        (other, _) => format!("[{other}]\n"),
    }
}

fn each_key(section: &'static Section, path: &str, then: &mut dyn FnMut(&str, &'static Key)) {
    for key in section.keys {
        then(path, key);
    }
    for below in section.sections {
        let dot = if path.is_empty() { "" } else { "." };
        each_key(below, &format!("{path}{dot}{}", below.name), then);
    }
}

#[test]
fn every_documented_default_is_the_programs_own() {
    let mut seen = 0;
    each_key(&FILE, "", &mut |path, key| {
        let Omitted::Value(value) = key.omitted else {
            return;
        };
        let without = opening(path, key);
        let with = format!("{without}{} = {value}\n", key.name);
        let parsed = |text: &str| parse(text).unwrap_or_else(|e| panic!("{}\n{text}", e.detail()));
        assert_eq!(parsed(&with), parsed(&without), "{path} {}", key.name);
        seen += 1;
    });
    assert!(seen > 35, "{seen}");
}

#[test]
fn every_documented_key_is_the_programs_own() {
    each_key(&FILE, "", &mut |path, key| {
        let opening = opening(path, key);
        let value = match (key.omitted, key.kind) {
            (Omitted::Value(value), _) => value.to_owned(),
            (Omitted::Unset(_, sample), _) => sample.to_owned(),
            // Stands in the opening lines already, or is the tag itself.
            (Omitted::Required, _) => return,
        };
        let text = format!("{opening}{} = {value}\n", key.name);
        if let Err(error) = parse(&text) {
            panic!("{path} {}: {}", key.name, error.detail());
        }
    });
}

#[test]
fn every_key_of_the_program_is_documented() {
    // The deserializer lists the fields it knows when it meets one that it does not.
    let mut checked = 0;
    let mut check = |path: &str, section: &Section, tag: Option<(&str, &str)>| {
        let key = Key {
            name: "zz",
            kind: Kind::Flag,
            omitted: Omitted::Required,
            unit: "",
            only: tag.map(|(_, value)| {
                if path.ends_with("target") {
                    ("kind", leak(value))
                } else {
                    ("mode", leak(value))
                }
            }),
            what: "",
        };
        let text = format!("version = 1\n{}zz = true\n", opening(path, &key));
        let error = toml::from_str::<ConfigFile>(&text).err();
        let message = error
            .map(|error| error.message().to_owned())
            .unwrap_or_default();
        let (_, known) = message
            .split_once("expected")
            .unwrap_or_else(|| panic!("{path} takes any key: {message}\n{text}"));
        for field in known.split('`').skip(1).step_by(2) {
            let documented = section.names().any(|name| name == field);
            assert!(documented, "{path} takes {field}, which is not documented");
            checked += 1;
        }
    };
    each_section(&FILE, "", &mut |path, section| {
        let tags: std::collections::BTreeSet<_> =
            section.keys.iter().filter_map(|key| key.only).collect();
        if tags.is_empty() {
            check(path, section, None);
        }
        for tag in tags {
            check(path, section, Some(tag));
        }
    });
    assert!(checked > 70, "{checked}");
}

fn leak(text: &str) -> &'static str {
    ["plain", "mutual-tls", "mllp", "file-drop"]
        .into_iter()
        .find(|known| *known == text)
        .unwrap()
}

fn each_section(section: &'static Section, path: &str, then: &mut dyn FnMut(&str, &Section)) {
    then(path, section);
    for below in section.sections {
        let dot = if path.is_empty() { "" } else { "." };
        each_section(below, &format!("{path}{dot}{}", below.name), then);
    }
}

#[test]
fn the_reference_lists_every_key_with_its_default() {
    let page = reference();
    let mut keys = 0;
    each_key(&FILE, "", &mut |_, key| {
        assert!(
            page.contains(&format!("| `{}` |", key.name)),
            "{}",
            key.name
        );
        if let Omitted::Value(value) = key.omitted {
            assert!(page.contains(&format!("| `{value}` |")), "{}", key.name);
        }
        assert!(key.what.ends_with('.'), "{}", key.name);
        keys += 1;
    });
    assert_eq!(
        page.lines().filter(|line| line.starts_with("| `")).count(),
        keys
    );
}

proptest! {
    #[test]
    fn no_text_makes_reading_panic(text in "\\PC{0,300}") {
        let _ = Config::parse(&text);
    }

    #[test]
    fn an_example_with_a_changed_line_is_read_or_refused(
        line in 0usize..300, cut in 0usize..60, put in "[a-z=\\[\\]\"{}0-9 .]{0,12}",
    ) {
        let mut lines: Vec<String> = uncommented().lines().map(str::to_owned).collect();
        let place = line % lines.len();
        let old: String = lines[place].chars().take(cut).collect();
        lines[place] = old + &put;
        let _ = Config::parse(&lines.join("\n"));
    }

    #[test]
    fn any_name_of_a_lab_is_read_back_from_the_example(name in "\\PC{1,64}") {
        let file = Config::example(&name, &[], None);
        match Config::parse(&file) {
            Ok(config) => prop_assert_eq!(config.site.name, name),
            Err(error) => prop_assert_eq!(error.problem().code, "config.unsafe"),
        }
    }
}

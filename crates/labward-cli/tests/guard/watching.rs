//! Who may open what, and what is found.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use labward_testkit::TempDir;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::server::{Mood, path_of};
use crate::{
    Guard, Lab, PATIENCE, Test, bad, cat, cat_as, until, until_within, was_denied, was_read,
};

pub(super) const TESTS: &[Test] = &[
    (
        "a_malicious_file_cannot_be_opened_and_ends_in_quarantine",
        a_malicious_file_cannot_be_opened_and_ends_in_quarantine,
    ),
    (
        "a_server_that_hangs_keeps_nobody_longer_than_the_deadline",
        a_server_that_hangs_keeps_nobody_longer_than_the_deadline,
    ),
    (
        "what_is_there_written_or_moved_in_is_found_and_a_folder_may_come_later",
        what_is_there_written_or_moved_in_is_found_and_a_folder_may_come_later,
    ),
    ("a_folder_has_its_own_rules", a_folder_has_its_own_rules),
    (
        "what_is_known_is_not_asked_again",
        what_is_known_is_not_asked_again,
    ),
    (
        "the_server_sees_its_own_account_at_the_socket",
        the_server_sees_its_own_account_at_the_socket,
    ),
    (
        "over_tls_a_token_says_who_asks_and_no_other_authority_is_trusted",
        over_tls_a_token_says_who_asks_and_no_other_authority_is_trusted,
    ),
    (
        "a_check_says_what_would_be_watched",
        a_check_says_what_would_be_watched,
    ),
    (
        "the_guard_has_only_the_rights_it_needs",
        the_guard_has_only_the_rights_it_needs,
    ),
    (
        "what_was_looked_at_is_not_sent_again_after_a_restart_unless_rules_changed",
        what_was_looked_at_is_not_sent_again_after_a_restart_unless_rules_changed,
    ),
];

fn a_malicious_file_cannot_be_opened_and_ends_in_quarantine() {
    let lab = Lab::new();
    let guard = lab.guard("block", "unwell = \"deny\"");
    fs::write(lab.file("clean.txt"), b"a result").unwrap();
    was_read(&cat(&lab.file("clean.txt")), b"a result");
    // While it is written it is not removed, and nobody else can open it all the same.
    let path = lab.file("bad.com");
    let mut writer = File::create(&path).unwrap();
    writer.write_all(&bad("bad.com")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    chown(&path, Some(1_234), Some(2_345)).unwrap();
    was_denied(&cat(&path));
    assert!(path.exists());
    let program = OpenOptions::new().write(true).open(&path);
    was_denied(&cat(&path));
    drop((writer, program));
    until(|| !path.exists(), "it is removed");
    assert!(lab.is_kept(&bad("bad.com")));
    let about = lab.server.about(0);
    assert_eq!(
        (&about["way"], &about["place"], &about["host"]),
        (&"folder".into(), &"intake".into(), &"bench".into())
    );
    assert_eq!(path_of(&about), path);
    let file = &about["file"];
    assert_eq!(
        (&file["mode"], &file["owner"], &file["group"]),
        (&0o640.into(), &1_234.into(), &2_345.into())
    );
    guard.says("guard.quarantined folder=intake inode=");
    let said = guard.said();
    assert!(
        !said.contains("bad.com"),
        "names may tell of patients: {said}"
    );
    assert_eq!(fs::read_dir(&lab.folder).unwrap().count(), 1);
}

fn a_server_that_hangs_keeps_nobody_longer_than_the_deadline() {
    let lab = Lab::new();
    let (allow, deny) = (lab.file("allow"), lab.file("deny"));
    let mut folders = String::new();
    for (name, path) in [("allow", &allow), ("deny", &deny)] {
        fs::create_dir(path).unwrap();
        fs::write(path.join("clean"), b"a result").unwrap();
        let path = path.display();
        folders.push_str(&format!(
            "[[folder]]\nname = \"{name}\"\npath = \"{path}\"\nmode = \"block\"\ndeadline_ms = 700\nunwell = \"{name}\"\n"
        ));
    }
    lab.server.set(Mood::Hangs);
    let socket = format!("socket = \"{}\"", lab.server.socket().display());
    let guard = Guard::start(&lab.config_of(&socket, &folders), &lab.own.join("out"));
    until(
        || guard.said().matches("guard.watching").count() == 2,
        "both",
    );
    let began = Instant::now();
    was_read(&cat(&allow.join("clean")), b"a result");
    was_denied(&cat(&deny.join("clean")));
    let first = began.elapsed();
    assert!(first < Duration::from_secs(5), "{first:?}");
    // Once it is known that nobody answers, nobody waits any more.
    guard.says("guard.server-unwell");
    let began = Instant::now();
    for _ in 0..20 {
        was_read(&cat(&allow.join("clean")), b"a result");
        was_denied(&cat(&deny.join("clean")));
    }
    let later = began.elapsed();
    assert!(later < Duration::from_secs(5), "{later:?}");
    println!("  a deadline of 700 ms in two folders: {first:?}; 40 openings after it: {later:?}");
    fs::write(allow.join("bad"), bad("unseen")).unwrap();
    was_read(&cat(&allow.join("bad")), &bad("unseen"));
    lab.server.set(Mood::IsWell);
    guard.says("guard.server-well");
    until(
        || !allow.join("bad").exists(),
        "what was let through unseen is looked at",
    );
    until(
        || cat(&deny.join("clean")).status.success(),
        "what was denied can be read",
    );
}

fn what_is_there_written_or_moved_in_is_found_and_a_folder_may_come_later() {
    let lab = Lab::new();
    fs::create_dir_all(lab.file("a/b")).unwrap();
    lab.write_bad("a/b/there");
    fs::write(lab.file("a/clean"), b"a result").unwrap();
    let later = lab.own.join("stick");
    let folders = [("intake", lab.folder.path()), ("stick", &later)].map(|(name, path)| {
        format!(
            "[[folder]]\nname = \"{name}\"\npath = \"{}\"\nmode = \"watch\"\n",
            path.display()
        )
    });
    let socket = format!("socket = \"{}\"", lab.server.socket().display());
    let guard = Guard::start(
        &lab.config_of(&socket, &folders.concat()),
        &lab.own.join("out"),
    );
    guard.says("guard.not-watching folder=stick");
    until(|| !lab.file("a/b/there").exists(), "what was there");
    lab.write_bad("written");
    let elsewhere = TempDir::new();
    fs::write(elsewhere.join("moved"), bad("moved")).unwrap();
    fs::rename(elsewhere.join("moved"), lab.file("a/moved")).unwrap();
    fs::create_dir_all(lab.file("new/deep")).unwrap();
    lab.write_bad("new/deep/in-new");
    for name in ["written", "a/moved", "new/deep/in-new"] {
        until(|| !lab.file(name).exists(), name);
    }
    fs::create_dir(&later).unwrap();
    fs::write(later.join("bad"), bad("stick")).unwrap();
    until(|| !later.join("bad").exists(), "a folder that came later");
    for name in ["a/b/there", "written", "moved", "new/deep/in-new", "stick"] {
        assert!(lab.is_kept(&bad(name)), "{name}");
    }
    assert_eq!(lab.server.items().len(), 5);
    assert_eq!(fs::read(lab.file("a/clean")).unwrap(), b"a result");
    // Another folder under the same path, as when a stick is exchanged.
    fs::rename(&later, lab.own.join("old-stick")).unwrap();
    fs::create_dir(&later).unwrap();
    fs::write(later.join("bad"), bad("second stick")).unwrap();
    until(
        || !later.join("bad").exists(),
        "a folder that was exchanged",
    );
}

fn a_folder_has_its_own_rules() {
    let lab = Lab::new();
    let _guard = lab.guard(
        "block",
        "unscannable = \"deny\"\nlarger = \"deny\"\nmax_bytes = 1000\nexempt = [\"4242\"]\nretries = 0",
    );
    fs::set_permissions(lab.folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    fs::write(lab.file("locked"), b"locked with a password").unwrap();
    was_denied(&cat(&lab.file("locked")));
    fs::write(lab.file("large"), vec![b'a'; 1_001]).unwrap();
    was_denied(&cat(&lab.file("large")));
    assert_eq!(lab.server.looks("large"), 0);
    // An account that is exempt is not asked about.
    was_read(
        &cat_as(4_242, &lab.file("locked")),
        b"locked with a password",
    );
    fs::write(lab.file("empty"), b"").unwrap();
    was_read(&cat(&lab.file("empty")), b"");
    assert!(lab.file("locked").exists() && lab.file("large").exists());
}

fn what_is_known_is_not_asked_again() {
    let lab = Lab::new();
    let _guard = lab.guard("block", "");
    fs::write(lab.file("clean"), b"a result").unwrap();
    until(
        || lab.server.looks("clean") > 0,
        "it is looked at once it was written",
    );
    // The answer may still be on its way.
    was_read(&cat(&lab.file("clean")), b"a result");
    let looks = lab.server.looks("clean");
    for _ in 0..20 {
        was_read(&cat(&lab.file("clean")), b"a result");
    }
    assert_eq!(lab.server.looks("clean"), looks);
    let opened = |path: &Path| {
        let began = Instant::now();
        for _ in 0..1_000 {
            drop(File::open(path).unwrap());
        }
        began.elapsed() / 1_000
    };
    let elsewhere = TempDir::new();
    fs::write(elsewhere.join("clean"), b"a result").unwrap();
    let (known, free) = (opened(&lab.file("clean")), opened(&elsewhere.join("clean")));
    println!("  opening a file that is known: {known:?}; unguarded: {free:?}");
    let began = Instant::now();
    for number in 0..100 {
        fs::write(lab.file("new"), format!("result {number}")).unwrap();
        drop(File::open(lab.file("new")).unwrap());
    }
    println!(
        "  writing and opening a new file: {:?}",
        began.elapsed() / 100
    );
    // The same size and, by a lie, the same time of writing: the kernel's time of change tells.
    let modified = fs::metadata(lab.file("clean")).unwrap().modified().unwrap();
    fs::write(lab.file("clean"), b"b result").unwrap();
    OpenOptions::new()
        .write(true)
        .open(lab.file("clean"))
        .unwrap()
        .set_modified(modified)
        .unwrap();
    was_read(&cat(&lab.file("clean")), b"b result");
    assert!(lab.server.looks("clean") > looks);
    assert_eq!(fs::metadata(lab.file("clean")).unwrap().size(), 8);
}

fn the_server_sees_its_own_account_at_the_socket() {
    let lab = Lab::new();
    chown(lab.server.socket(), Some(4_321), None).unwrap();
    fs::set_permissions(lab.server.socket(), fs::Permissions::from_mode(0o600)).unwrap();
    let _guard = lab.guard("watch", "");
    lab.write_bad("bad");
    until(|| !lab.file("bad").exists(), "it is removed, as root");
    let accounts = lab.server.accounts();
    assert!(!accounts.is_empty() && accounts.iter().all(|account| *account == 4_321));
}

fn over_tls_a_token_says_who_asks_and_no_other_authority_is_trusted() {
    let lab = Lab::new();
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signed.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![signed.cert.der().clone()], key)
        .unwrap();
    let (tls, state) = (Arc::new(tls), Arc::clone(&lab.server.state));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&tls)).unwrap();
            state.serve(StreamOwned::new(connection, stream.unwrap()));
        }
    });
    fs::write(lab.own.join("ca.pem"), other.cert.pem()).unwrap();
    let token = lab.own.join("token");
    fs::write(&token, "lbw_secret\n").unwrap();
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
    let own = lab.own.path().display();
    let server = format!(
        "url = \"https://localhost:{port}\"\nca_file = \"{own}/ca.pem\"\ntoken_file = \"{own}/token\""
    );
    let folder = format!(
        "[[folder]]\nname = \"intake\"\npath = \"{}\"\nmode = \"watch\"\n",
        lab.folder.path().display()
    );
    let config = lab.config_of(&server, &folder);
    let guard = Guard::start(&config, &lab.own.join("out"));
    let content = lab.write_bad("bad");
    guard.says("guard.server-unwell");
    assert!(lab.file("bad").exists() && lab.server.authorizations().is_empty());
    guard.kill();
    fs::write(lab.own.join("ca.pem"), signed.cert.pem()).unwrap();
    let guard = Guard::start(&config, &lab.own.join("out"));
    until(|| !lab.file("bad").exists(), "it is removed");
    assert!(lab.is_kept(&content));
    let asked = lab.server.authorizations();
    assert!(asked.iter().all(|line| line == "Bearer lbw_secret") && !asked.is_empty());
    assert!(!guard.said().contains("lbw_secret"));
}

fn a_check_says_what_would_be_watched() {
    let lab = Lab::new();
    fs::create_dir(lab.file("a")).unwrap();
    fs::write(lab.file("a/file"), b"x").unwrap();
    let config = lab.config("block", "unwell = \"deny\"");
    let check = |account: u32| {
        Command::new("/proc/self/exe")
            .args(["guard", "--check", "--config"])
            .arg(&config)
            .uid(account)
            .output()
            .unwrap()
    };
    let whole = check(0);
    let said = String::from_utf8(whole.stdout).unwrap();
    assert_eq!(whole.status.code(), Some(0), "{said}");
    for part in [
        "intake",
        "block",
        "deny",
        "told",
        "this machine, bench: can watch",
        "the server: answers",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    fs::set_permissions(&config, fs::Permissions::from_mode(0o666)).unwrap();
    let open = check(0);
    assert_eq!(open.status.code(), Some(65));
    assert!(
        String::from_utf8(open.stderr)
            .unwrap()
            .contains("[guard.config]")
    );
    assert_eq!(
        fs::read_dir(lab.own.path()).unwrap().count(),
        1,
        "it leaves nothing"
    );
}

fn the_guard_has_only_the_rights_it_needs() {
    let lab = Lab::new();
    let guard = lab.guard("watch", "");
    let status = fs::read_to_string(format!("/proc/{}/status", guard.child.id())).unwrap();
    let field = |name: &str| {
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap();
        line.trim().to_owned()
    };
    let held = u64::from_str_radix(&field("CapEff:"), 16).unwrap();
    // CHOWN, DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER, FSETID, SETUID, LINUX_IMMUTABLE, SYS_ADMIN, LEASE, SETFCAP.
    let needed = [0, 1, 2, 3, 4, 7, 9, 21, 28, 31]
        .iter()
        .map(|bit| 1_u64 << bit)
        .sum::<u64>();
    assert_eq!(held & !needed, 0, "{held:x}");
    assert_eq!(field("CapBnd:"), field("CapEff:"));
    assert_eq!(field("NoNewPrivs:"), "1");
}

/// Files of a share; more by `LABWARD_GUARD_FILES`.
fn files() -> usize {
    let asked = std::env::var("LABWARD_GUARD_FILES");
    asked.map_or(300, |number| number.parse().unwrap())
}

fn what_was_looked_at_is_not_sent_again_after_a_restart_unless_rules_changed() {
    let lab = Lab::new();
    let count = files();
    for number in 0..count {
        let folder = lab.file(&format!("{}", number % 10));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("{number}")), format!("result {number}")).unwrap();
    }
    // So long that each later change shows by the time of the file.
    thread::sleep(Duration::from_millis(200));
    let known = lab.own.join("state/known-intake");
    let began = Instant::now();
    let guard = lab.guard("block", "");
    let patience = PATIENCE.saturating_mul(u32::try_from(1 + count / 2_000).unwrap());
    until_within(patience, || lab.server.all_looks() == count, "all of it");
    until(|| known.exists(), "what was looked at is kept");
    let first = began.elapsed();
    assert_eq!(lab.server.all_looks(), count);
    let facts = fs::metadata(&known).unwrap();
    assert_eq!((facts.mode() & 0o777, facts.uid()), (0o600, 0));
    guard.kill();
    let written = facts.modified().unwrap();
    let began = Instant::now();
    let guard = lab.guard("block", "");
    was_read(&cat(&lab.file("7/7")), b"result 7");
    // What is written now is looked at, and comes after everything that is there.
    fs::write(lab.file("7/new"), b"new").unwrap();
    until(|| lab.server.looks("new") > 0, "what is new");
    let again = began.elapsed();
    assert_eq!(lab.server.all_looks(), count + lab.server.looks("new"));
    println!(
        "  {count} files: {first:.1?} at first, {again:.1?} after a restart; {} bytes are kept",
        facts.len()
    );
    let new = lab.server.looks("new");
    lab.server.bring_rules();
    guard.says("guard.new-rules");
    until_within(
        patience,
        || lab.server.all_looks() > 2 * count + new,
        "by other rules everything is looked at again",
    );
    until_within(
        patience,
        || fs::metadata(&known).unwrap().modified().unwrap() > written,
        "and kept",
    );
    guard.kill();
    let mut bytes = fs::read(&known).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&known, bytes).unwrap();
    let before = lab.server.all_looks();
    let _guard = lab.guard("block", "");
    until_within(
        patience,
        || lab.server.all_looks() > before + count,
        "what is damaged is not believed",
    );
}

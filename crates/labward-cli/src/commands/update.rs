//! `update check`: what is new since this program, by a signed list that a person fetched.
//!
//! It must never download or install anything, or show what a list names before its signature held.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use labward_advisory::integrity::MinisignKey;
use labward_base::{Clock as _, Timestamp, problem};
use labward_update::{Release, ReleaseList, Seen};
use semver::Version;
use serde::Serialize;

use super::{Context, read};
use crate::args::{UpdateCheckArgs, UpdateCommand};
use crate::failure::Failure;
use crate::output::{or_dash, show, table};

/// What is new.
#[derive(Debug, Serialize)]
struct News {
    /// The version of this program.
    own: String,
    list: u64,
    issued: String,
    expires: String,
    /// The id of the key that signed the list.
    key: String,
    /// Whether something that cannot wait is among what is new.
    has_security: bool,
    newer: Vec<Newer>,
}

#[derive(Debug, Serialize)]
struct Newer {
    is_security: bool,
    #[serde(flatten)]
    release: Release,
}

/// `labward update …`
pub(super) fn run(context: &Context, command: &UpdateCommand) -> Result<(), Failure> {
    let UpdateCommand::Check(arguments) = command;
    let news = check(
        arguments,
        env!("CARGO_PKG_VERSION"),
        labward_os::SystemClock.now(),
    )?;
    show(context.json, &news, |out| write(out, &news))
}

fn check(arguments: &UpdateCheckArgs, own: &str, now: Timestamp) -> Result<News, Failure> {
    let unfit = |path: &Path, why: &dyn std::fmt::Display| {
        Failure::new(&problem::CLI_FILE, format!("{}: {why}", path.display()))
    };
    let key = MinisignKey::parse(&read(&arguments.key)?);
    let key = key.map_err(|_| unfit(&arguments.key, &"no public key of minisign"))?;
    let list = ReleaseList::open(
        &read(&arguments.releases)?,
        &read(&arguments.signature)?,
        &[key],
    );
    let list = list.map_err(|fault| Failure::new(&problem::UPDATE_UNTRUSTED, fault.to_string()))?;
    let state = arguments.state.as_deref();
    let seen = state.map(read_seen).transpose()?.flatten();
    list.judge(now, seen.as_ref())
        .map_err(|refusal| Failure::new(&problem::UPDATE_REFUSED, refusal.to_string()))?;
    if let Some(path) = state.filter(|_| seen != Some(list.seen())) {
        let text = serde_json::to_vec(&list.seen()).map_err(|error| unfit(path, &error))?;
        labward_os::write_durably(path, &text, 0o600).map_err(|error| unfit(path, &error))?;
    }
    let version = Version::parse(own)
        .map_err(|error| Failure::new(&problem::SERVER_INTERNAL, error.to_string()))?;
    let newer: Vec<Newer> = list
        .newer_than(&version)
        .map(|release| Newer {
            is_security: release.is_security(),
            release: release.clone(),
        })
        .collect();
    Ok(News {
        own: own.to_owned(),
        list: list.number,
        issued: list.issued.to_string(),
        expires: list.expires.to_string(),
        key: list.key,
        has_security: newer.iter().any(|one| one.is_security),
        newer,
    })
}

/// What was seen before; none the first time.
fn read_seen(path: &Path) -> Result<Option<Seen>, Failure> {
    let failed =
        |why: String| Failure::new(&problem::CLI_FILE, format!("{}: {why}", path.display()));
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|_| failed("it does not hold which list was seen".to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(error.to_string())),
    }
}

/// Text without what a terminal would obey.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

fn write(out: &mut dyn Write, news: &News) -> io::Result<()> {
    writeln!(out, "this program: {}", news.own)?;
    writeln!(
        out,
        "list {} of {}, signed by {}, good until {}\n",
        news.list, news.issued, news.key, news.expires
    )?;
    if news.newer.is_empty() {
        return writeln!(out, "nothing is newer than this program");
    }
    let mut rows = Vec::new();
    for one in &news.newer {
        let word = if one.is_security { "security" } else { "" };
        let head = [
            one.release.version.to_string(),
            plain(&one.release.date),
            word.to_owned(),
        ];
        let mut fixes = one.release.fixes.iter().map(|fix| {
            let mark = if fix.security { "!" } else { " " };
            plain(&format!("{mark} {} {}", fix.id, fix.what))
        });
        let first = or_dash(fixes.next().as_deref());
        rows.push(head.into_iter().chain([first]).collect());
        let empty = || vec![String::new(); 3];
        rows.extend(fixes.map(|fix| [empty(), vec![fix]].concat()));
    }
    table(out, &["version", "date", "", "fixes"], &rows)?;
    writeln!(out)?;
    for one in &news.newer {
        for file in &one.release.targets {
            let line = format!(
                "{}  {} ({} bytes, {})",
                file.sha256, file.file, file.bytes, file.target
            );
            writeln!(out, "{}", plain(&line))?;
        }
    }
    match news.has_security {
        true => writeln!(
            out,
            "A fix of security is among them (!): it should not wait."
        ),
        false => writeln!(out, "No fix of security is among them."),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn arguments(list: &str, state: Option<PathBuf>) -> UpdateCheckArgs {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../labward-update/src/fixtures");
        UpdateCheckArgs {
            releases: fixtures.join(list),
            signature: fixtures.join(format!("{list}.minisig")),
            key: fixtures.join("releases.pub"),
            state,
        }
    }

    fn now() -> Timestamp {
        Timestamp::parse_rfc3339("2026-12-01T00:00:00Z").unwrap()
    }

    #[test]
    fn what_is_new_and_what_cannot_wait_is_shown() {
        let news = check(&arguments("releases-7.json", None), "0.1.0", now()).unwrap();
        let mut text = Vec::new();
        write(&mut text, &news).unwrap();
        let text = String::from_utf8(text).unwrap();
        for line in [
            "list 7 of 2026-11-01T00:00:00.000000Z",
            "0.3.0    2026-11-01              LABWARD-2026-0003 A table had no head\n",
            "0.2.0    2026-09-01  security  ! LABWARD-2026-0001 A peer could send for another\n",
            "  labward-0.3.0.tar.gz (3 bytes, x86_64-unknown-linux-gnu)\n",
            "should not wait.\n",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
        let json = serde_json::to_value(&news).unwrap();
        assert_eq!(json["newer"][1]["version"], "0.2.0");
        assert_eq!(json["newer"][1]["is_security"], true);
        let news = check(&arguments("releases-7.json", None), "0.3.0", now()).unwrap();
        assert!(news.newer.is_empty() && !news.has_security);
    }

    #[test]
    fn an_older_list_is_refused_once_a_newer_one_was_seen() {
        let state = std::env::temp_dir().join(format!("labward-update-{}", std::process::id()));
        let _ = fs::remove_file(&state);
        let look = |list: &str| {
            let outcome = check(&arguments(list, Some(state.clone())), "0.1.0", now());
            outcome.map_err(|failure| failure.to_string())
        };
        assert!(look("releases-6.json").is_ok());
        assert!(look("releases-7.json").is_ok());
        let refused = look("releases-6.json").unwrap_err();
        assert!(
            refused.contains("[update.refused]: list 6 is older than list 7"),
            "{refused}"
        );
        assert!(
            look("releases-7-other.json")
                .unwrap_err()
                .contains("another list")
        );
        assert!(
            look("releases-7.json").is_ok(),
            "the state is that of the newest list"
        );
        fs::write(&state, "{}").unwrap();
        assert!(
            look("releases-7.json").is_err(),
            "a state that cannot be read is not ignored"
        );
        fs::remove_file(&state).unwrap();
    }

    #[test]
    fn a_list_that_the_key_did_not_sign_shows_nothing() {
        let mut wrong = arguments("releases-7.json", None);
        wrong.signature = wrong.signature.with_file_name("releases-6.json.minisig");
        let failure = check(&wrong, "0.1.0", now()).unwrap_err().to_string();
        assert!(
            failure.contains("[update.untrusted]: the signature does not fit"),
            "{failure}"
        );
        let late = Timestamp::parse_rfc3339("2027-03-01T00:00:00Z").unwrap();
        let failure = check(&arguments("releases-7.json", None), "0.1.0", late);
        assert!(
            failure
                .unwrap_err()
                .to_string()
                .contains("may be believed until")
        );
    }
}

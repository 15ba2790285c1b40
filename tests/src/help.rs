//! Help, man pages and completions: made from one definition, and what they say changes only on
//! purpose.

use std::fs;
use std::path::Path;
use std::process::Command;

use clap::CommandFactory as _;
use labward_cli::Arguments;
use labward_testkit::TempDir;

use crate::support::{program, run};

fn labward(words: &[&str]) -> String {
    run(Command::new(program()).env_clear().args(words), b"").ok()
}

/// Every command, as the words that name it.
fn commands() -> Vec<Vec<String>> {
    fn walk(command: &clap::Command, words: &[String], all: &mut Vec<Vec<String>>) {
        all.push(words.to_vec());
        // What the program starts itself is no command of a person's.
        for below in command.get_subcommands().filter(|one| !one.is_hide_set()) {
            let words = [words, &[below.get_name().to_owned()]].concat();
            walk(below, &words, all);
        }
    }
    let mut all = Vec::new();
    walk(&Arguments::command(), &[], &mut all);
    all
}

#[test]
fn the_help_of_every_command_is_as_it_was_agreed() {
    let mut page = String::new();
    for words in commands() {
        let title = [&["labward".to_owned()], words.as_slice()]
            .concat()
            .join(" ");
        let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
        words.push("--help");
        page += &format!("=== {title}\n\n{}\n", labward(&words));
    }
    compare("help.txt", &page);
}

/// Compares with a golden file, or writes it anew with `UPDATE_GOLDEN=1`.
fn compare(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("golden")
        .join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, text).unwrap();
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    let first = text
        .lines()
        .zip(golden.lines())
        .find(|(new, old)| new != old);
    assert!(
        text == golden,
        "{name} differs, first at {first:?}; if that is meant, write it anew with UPDATE_GOLDEN=1"
    );
}

#[test]
fn every_command_has_a_man_page() {
    let folder = TempDir::new();
    labward(&["man", folder.path().to_str().unwrap()]);
    for words in commands() {
        let name = [&["labward".to_owned()], words.as_slice()]
            .concat()
            .join("-");
        let page = fs::read_to_string(folder.join(format!("{name}.1")));
        let page = page.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(page.contains(".TH ") && page.contains(".SH NAME"), "{name}");
    }
}

#[test]
fn the_shells_understand_their_completions() {
    let script = labward(&["completions", "bash"]);
    for words in commands() {
        let name = words.last().map_or("labward", String::as_str);
        assert!(script.contains(name), "{name} is not completed");
    }
    let folder = TempDir::new();
    let file = folder.join("labward.bash");
    fs::write(&file, &script).unwrap();
    run(Command::new("bash").arg("-n").arg(&file), b"").ok();
    for shell in ["zsh", "fish", "elvish"] {
        assert!(labward(&["completions", shell]).contains("labward"));
    }
}

//! What people read of the configuration: the reference and the file that `init` writes.
//!
//! Both are made from the definition of the keys, so that neither can say what is not so.

use std::net::SocketAddr;

use super::difference::is_read_at_start;
use super::schema::{Key, Omitted, Section};
use super::sections::FILE;

/// The width of a comment in the example.
const WIDTH: usize = 96;

/// `docs/ref/config.md`: every table and key.
pub fn reference() -> String {
    let mut page = String::from(
        "# Configuration\n\n\
         One TOML file, `labward.toml` in the data folder, read when the server starts and again at \
         each `labward reload`. Every key but `version` may be left out. An unknown key, a wrong \
         type or an impossible value is refused with its line, and nothing starts or changes. A key \
         that only a start reads says so. This page is generated from the program.\n",
    );
    describe(&FILE, "", &mut page);
    page
}

fn describe(section: &Section, path: &str, page: &mut String) {
    let title = match (path.is_empty(), section.many) {
        (true, _) => "Top of the file".to_owned(),
        (false, true) => format!("`[[{path}]]`"),
        (false, false) => format!("`[{path}]`"),
    };
    page.push_str(&format!("\n## {title}\n\n{}\n", section.what));
    page.push_str("\n| Key | Value | Default | Unit | Meaning |\n|---|---|---|---|---|\n");
    for key in section.keys {
        page.push_str(&row(key, path));
    }
    if !section.sample.is_empty() {
        page.push_str(&format!("\n```toml\n{}```\n", section.sample));
    }
    for below in section.sections {
        let dot = if path.is_empty() { "" } else { "." };
        describe(below, &format!("{path}{dot}{}", below.name), page);
    }
}

fn row(key: &Key, path: &str) -> String {
    let default = match key.omitted {
        Omitted::Required => "required".to_owned(),
        Omitted::Unset(words, _) => words.to_owned(),
        Omitted::Value(value) => format!("`{value}`"),
    };
    let only = key.only.map_or_else(String::new, |(beside, value)| {
        format!("Only with `{beside} = \"{value}\"`. ")
    });
    let at_start = match is_read_at_start(path, key.name) {
        true => " Read at start only.",
        false => "",
    };
    format!(
        "| `{}` | {} | {default} | {} | {only}{}{at_start} |\n",
        key.name,
        key.kind.words(),
        key.unit,
        key.what
    )
}

/// The commented file that `init` writes. A line that begins with `##` is a comment, one that
/// begins with `#` a key with its default, or a sample.
pub(super) fn example(site: &str, names: &[String], console: Option<SocketAddr>) -> String {
    let mut file = String::new();
    comment(
        &mut file,
        "Labward's configuration. Every key stands here with its default; take the # away to \
         change it. docs/ref/config.md explains all of them. Unknown keys are refused.",
    );
    file.push_str("version = 1\n");
    for section in FILE.sections {
        file.push('\n');
        comment(&mut file, section.what);
        // A table that is nothing by default is shown as a sample.
        let required = |key: &Key| matches!(key.omitted, Omitted::Required);
        if section.many || section.keys.iter().any(required) {
            let lines = section.sample.lines();
            for line in lines.map(|line| format!("# {line}")) {
                file.push_str(line.trim_end());
                file.push('\n');
            }
            continue;
        }
        file.push_str(&format!("[{}]\n", section.name));
        for key in section.keys {
            comment(&mut file, &described(key));
            let line = match (section.name, key.name, key.omitted) {
                ("site", "name", _) => format!("name = {}\n", quoted(site)),
                ("tls", "names", _) if !names.is_empty() => {
                    let names: Vec<String> = names.iter().map(|name| quoted(name)).collect();
                    format!("names = [{}]\n", names.join(", "))
                }
                ("console", "listen", _) if console.is_some() => {
                    let listen = console.map(|address| address.to_string());
                    format!("listen = {}\n", quoted(&listen.unwrap_or_default()))
                }
                (_, name, Omitted::Value(value)) => format!("# {name} = {value}\n"),
                (_, name, Omitted::Unset(_, sample)) => format!("# {name} = {sample}\n"),
                (_, _, Omitted::Required) => String::new(),
            };
            file.push_str(&line);
        }
        for line in section.sample.lines() {
            file.push_str(format!("# {line}").trim_end());
            file.push('\n');
        }
    }
    file
}

fn described(key: &Key) -> String {
    let unit = match key.unit {
        "" => String::new(),
        unit => format!(" ({unit})"),
    };
    let default = match key.omitted {
        Omitted::Unset(words, _) => format!(" Default: {words}."),
        _ => String::new(),
    };
    format!("{}{unit}.{default}", key.what.trim_end_matches('.'))
}

fn comment(file: &mut String, text: &str) {
    let mut line = String::from("##");
    for word in text.split_whitespace() {
        if line.len() > 2 && line.chars().count() + 1 + word.chars().count() > WIDTH {
            file.push_str(&line);
            file.push('\n');
            line.truncate(2);
        }
        line.push(' ');
        line.push_str(word);
    }
    file.push_str(&line);
    file.push('\n');
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

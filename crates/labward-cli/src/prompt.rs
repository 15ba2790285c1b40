//! What is asked for instead of standing in argv: reasons, passphrases, shares, search criteria.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;

use labward_api::record::Find;
use labward_api::status::Opener;
use labward_base::{Secret, problem};

use crate::failure::Failure;

/// More lines of criteria than this are not read.
const MAX_LINES: usize = 64;

/// The reason given, or asked for at the terminal.
pub(crate) fn why(given: Option<&str>) -> Result<String, Failure> {
    let why = match given {
        Some(why) => why.to_owned(),
        None => ask("Why (recorded): ")?,
    };
    if why.trim().is_empty() {
        return Err(bad(
            "a reason is needed; give it with --why or at the prompt",
        ));
    }
    Ok(why)
}

/// A passphrase, without echo at a terminal, otherwise the next line of standard input.
pub(crate) fn passphrase(question: &str) -> Result<Secret<String>, Failure> {
    if io::stdin().is_terminal() {
        return rpassword::prompt_password(question)
            .map(Secret::new)
            .map_err(|error| bad(&format!("read the passphrase: {error}")));
    }
    line().map(Secret::new)
}

/// What opens a slot: a key file that is named, or shares or a passphrase that are asked for.
///
/// # Errors
/// A [`Failure`] if nothing can be read.
pub fn opener(key_file: Option<&Path>, shares: bool) -> Result<Opener, Failure> {
    Ok(match key_file {
        Some(path) => Opener::KeyFile {
            path: crate::commands::absolute(path)?,
        },
        None if shares => Opener::Shares {
            shares: self::shares()?,
        },
        None => Opener::Passphrase {
            passphrase: passphrase("Passphrase: ")?.expose().clone(),
        },
    })
}

/// A passphrase asked for twice, so that a typing error does not lock anyone out.
pub(crate) fn new_passphrase() -> Result<Secret<String>, Failure> {
    let first = passphrase("New passphrase: ")?;
    if !io::stdin().is_terminal() {
        return Ok(first);
    }
    let second = passphrase("The same again: ")?;
    if first.expose() != second.expose() {
        return Err(bad("the two passphrases differ"));
    }
    Ok(first)
}

/// Recovery shares, one a line, ended by an empty line.
pub(crate) fn shares() -> Result<Vec<String>, Failure> {
    let mut shares = Vec::new();
    loop {
        let share = if io::stdin().is_terminal() {
            ask(&format!(
                "Share {} (empty line: that is all): ",
                shares.len() + 1
            ))?
        } else {
            line()?
        };
        if share.trim().is_empty() {
            return Ok(shares);
        }
        shares.push(share.trim().to_owned());
    }
}

/// Search criteria: asked for one by one at a terminal, otherwise `name: value` lines.
pub(crate) fn criteria() -> Result<Find, Failure> {
    if io::stdin().is_terminal() {
        return Ok(Find {
            mrn: optional(ask("MRN (or empty): ")?),
            authority: None,
            name: optional(ask("Name (or empty): ")?),
            birth_date: optional(ask("Birth date YYYY-MM-DD (or empty): ")?),
            accession: optional(ask("Accession (or empty): ")?),
            why: why(None)?,
            limit: None,
        });
    }
    let lines: Result<Vec<String>, io::Error> =
        io::stdin().lock().lines().take(MAX_LINES).collect();
    parse_criteria(&lines.map_err(|error| bad(&format!("read the criteria: {error}")))?)
}

fn parse_criteria(lines: &[String]) -> Result<Find, Failure> {
    let mut find = Find::default();
    for (number, line) in lines
        .iter()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        // The line itself may hold a patient's name, so the error names only its number.
        let place = format!("line {} of the criteria", number + 1);
        let Some((name, value)) = line.split_once(':') else {
            return Err(bad(&format!("{place} is not of the form `name: value`")));
        };
        let value = value.trim().to_owned();
        match name.trim() {
            "mrn" => find.mrn = Some(value),
            "authority" => find.authority = Some(value),
            "name" => find.name = Some(value),
            "birth-date" => find.birth_date = Some(value),
            "accession" => find.accession = Some(value),
            "why" => find.why = value,
            _ => {
                return Err(bad(&format!(
                    "{place} is none of mrn, authority, name, birth-date, accession, why"
                )));
            }
        }
    }
    Ok(find)
}

fn optional(text: String) -> Option<String> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Asks at the terminal; the question goes to standard error, so that output can be piped.
fn ask(question: &str) -> Result<String, Failure> {
    if !io::stdin().is_terminal() {
        return Err(bad(
            "standard input is no terminal, so nothing can be asked; give --why",
        ));
    }
    let mut err = io::stderr().lock();
    write!(err, "{question}")
        .and_then(|()| err.flush())
        .map_err(|e| bad(&e.to_string()))?;
    line()
}

fn line() -> Result<String, Failure> {
    let mut line = String::new();
    io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|error| bad(&error.to_string()))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn bad(detail: &str) -> Failure {
    Failure::new(&problem::SERVER_BAD_REQUEST, detail.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn criteria_are_read_from_lines() {
        let find = parse_criteria(&lines(
            "name: Doe, Jane\n\nbirth-date: 1980-01-02\nwhy: call",
        ))
        .unwrap();
        assert_eq!(find.name.as_deref(), Some("Doe, Jane"));
        assert_eq!(find.birth_date.as_deref(), Some("1980-01-02"));
        assert_eq!(find.why, "call");
    }

    #[test]
    fn an_error_in_the_criteria_does_not_repeat_them() {
        for text in ["Doe Jane", "surname: Doe Jane"] {
            let Err(failure) = parse_criteria(&lines(text)) else {
                panic!("accepted {text}")
            };
            assert!(!format!("{failure:?}").contains("Doe"), "{failure:?}");
        }
    }
}

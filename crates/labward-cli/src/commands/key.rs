//! `key`: slots of the root key.

use labward_api::Done;
use labward_api::key::{AddedSlot, NewSlot, Rotation, Slot, SlotPlace};
use labward_api::status::Opener;
use labward_base::problem;
use serde_json::json;

use super::Context;
use crate::args::{KeyAddArgs, KeyCommand};
use crate::failure::Failure;
use crate::output::{or_dash, show, table};
use crate::prompt;

/// `labward key …`
pub(super) fn run(context: &Context, command: &KeyCommand) -> Result<(), Failure> {
    match command {
        KeyCommand::Slots => slots(context),
        KeyCommand::Add(arguments) => add(context, arguments),
        KeyCommand::Remove { slot } => {
            let done: Done = context.client.delete(&format!("key/slots/{slot}"))?;
            show(context.json, &done, |out| {
                writeln!(out, "slot {slot} is removed")
            })
        }
        KeyCommand::Test { slot, key_file } => test(context, *slot, key_file.as_deref()),
        KeyCommand::Rotate => {
            let rotation: Rotation = context.client.post("key/rotate", &json!({}))?;
            show(context.json, &rotation, |out| {
                let Rotation {
                    generation,
                    rewrapped,
                    ..
                } = &rotation;
                writeln!(
                    out,
                    "root key is generation {generation}; {rewrapped} keys wrapped anew"
                )
            })
        }
        KeyCommand::Where => places(context),
        KeyCommand::Archive(command) => super::backup::archive(context, command),
        KeyCommand::Unseal { key_file, shares } => {
            let opener = prompt::opener(key_file.as_deref(), *shares)?;
            let done: Done = context.client.post("unseal", &opener)?;
            show(context.json, &done, |out| {
                writeln!(out, "the root key is open")
            })
        }
    }
}

fn slots(context: &Context) -> Result<(), Failure> {
    let slots: Vec<Slot> = context.client.get("key/slots", &[])?;
    show(context.json, &slots, |out| {
        let rows: Vec<Vec<String>> = slots
            .iter()
            .map(|slot| {
                vec![
                    slot.id.to_string(),
                    slot.kind.clone(),
                    slot.label.clone(),
                    slot.created.clone(),
                    slot.last_tested
                        .clone()
                        .unwrap_or_else(|| "never".to_owned()),
                ]
            })
            .collect();
        table(
            out,
            &["slot", "kind", "label", "made", "last tested"],
            &rows,
        )
    })
}

fn add(context: &Context, arguments: &KeyAddArgs) -> Result<(), Failure> {
    let label = arguments.label.clone();
    let slot = if let Some(path) = &arguments.key_file {
        NewSlot::KeyFile {
            label,
            path: path.display().to_string(),
        }
    } else if arguments.passphrase {
        NewSlot::Passphrase {
            label,
            passphrase: prompt::new_passphrase()?.expose().clone(),
        }
    } else if let Some(shares) = &arguments.shares {
        let (threshold, count) = k_of_n(shares)?;
        NewSlot::Shares {
            label,
            threshold,
            count,
        }
    } else {
        return Err(bad("give one of --key-file, --passphrase, --shares"));
    };
    let added: AddedSlot = context.client.post("key/slots", &slot)?;
    show(context.json, &added, |out| {
        writeln!(
            out,
            "slot {} is added; test it now with labward key test {0}",
            added.id
        )?;
        for (number, share) in added.shares.iter().enumerate() {
            writeln!(out, "share {}: {share}", number + 1)?;
        }
        if !added.shares.is_empty() {
            writeln!(
                out,
                "Write the shares down now: they are shown this once and kept nowhere."
            )?;
        }
        Ok(())
    })
}

fn test(context: &Context, slot: u32, key_file: Option<&std::path::Path>) -> Result<(), Failure> {
    let slots: Vec<Slot> = context.client.get("key/slots", &[])?;
    let Some(kind) = slots.iter().find(|s| s.id == slot).map(|s| s.kind.as_str()) else {
        return Err(Failure::new(&problem::KEYS_NO_SLOT, format!("slot {slot}")));
    };
    let opener = match kind {
        "passphrase" => prompt::opener(None, false)?,
        "shares" => prompt::opener(None, true)?,
        _ => Opener::KeyFile {
            path: match key_file {
                Some(path) => path.display().to_string(),
                None => recorded_path(context, slot)?,
            },
        },
    };
    let done: Done = context
        .client
        .post(&format!("key/slots/{slot}/test"), &opener)?;
    show(context.json, &done, |out| {
        writeln!(out, "slot {slot} opens the root key")
    })
}

fn recorded_path(context: &Context, slot: u32) -> Result<String, Failure> {
    let places: Vec<SlotPlace> = context.client.get("key/where", &[])?;
    places
        .into_iter()
        .find(|place| place.id == slot)
        .and_then(|place| place.path)
        .ok_or_else(|| bad("the slot has no recorded path; give --key-file"))
}

fn places(context: &Context) -> Result<(), Failure> {
    let places: Vec<SlotPlace> = context.client.get("key/where", &[])?;
    show(context.json, &places, |out| {
        let beside = |value: Option<bool>| match value {
            Some(true) => "YES",
            Some(false) => "no",
            None => "unknown",
        };
        let rows: Vec<Vec<String>> = places
            .iter()
            .map(|place| {
                vec![
                    place.id.to_string(),
                    place.kind.clone(),
                    or_dash(place.path.as_deref()),
                    beside(place.beside_data).to_owned(),
                    place.meaning.clone(),
                ]
            })
            .collect();
        table(
            out,
            &[
                "slot",
                "kind",
                "path",
                "shares a disk with the data",
                "meaning",
            ],
            &rows,
        )
    })
}

/// `3/5` → 3 of 5.
fn k_of_n(text: &str) -> Result<(u8, u8), Failure> {
    text.split_once('/')
        .and_then(|(k, n)| Some((k.parse().ok()?, n.parse().ok()?)))
        .filter(|&(k, n): &(u8, u8)| 2 <= k && k <= n && n <= 16)
        .ok_or_else(|| bad("--shares is K/N with 2 ≤ K ≤ N ≤ 16, such as 3/5"))
}

fn bad(detail: &str) -> Failure {
    Failure::new(&problem::SERVER_BAD_REQUEST, detail.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_given_as_k_of_n() {
        assert_eq!(k_of_n("3/5").unwrap(), (3, 5));
        for text in ["", "3", "1/5", "6/5", "3/17", "3/5/7", "a/b"] {
            assert!(k_of_n(text).is_err(), "{text}");
        }
    }
}

//! Checks of the ledger's witnesses.

use std::time::Duration;

use labward_api::status::WitnessStatus;
use labward_base::Timestamp;

use super::{CheckInput, Found};

const DAY: Duration = Duration::from_secs(86_400);

pub(super) fn none(input: &CheckInput) -> Found {
    Found::when(Some(input.config.witnesses.is_empty()))
}

pub(super) fn refused(input: &CheckInput) -> Found {
    at(input, |witness| witness.state == "refused")
}

/// Behind is who lacks entries that were published, and cosigned nothing for a day or never.
pub(super) fn behind(input: &CheckInput) -> Found {
    if input.config.witnesses.is_empty() {
        return Found::Fine;
    }
    Found::of(&input.published, |published| {
        at(input, |witness| {
            let time = witness
                .cosigned
                .as_deref()
                .and_then(Timestamp::parse_rfc3339);
            let lately = time.is_some_and(|time| input.now.since(time) <= DAY);
            !lately && witness.size.is_none_or(|size| size < *published)
        })
    })
}

fn at(input: &CheckInput, wrong: impl Fn(&WitnessStatus) -> bool) -> Found {
    if input.config.witnesses.is_empty() {
        return Found::Fine;
    }
    Found::of(&input.witnesses, |witnesses| {
        let wrong = witnesses.iter().filter(|witness| wrong(witness));
        Found::named(wrong.map(|witness| &witness.name))
    })
}

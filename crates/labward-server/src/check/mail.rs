//! Checks of reminders by e-mail.

use std::time::Duration;

use labward_base::Timestamp;

use super::{CheckInput, Found};

/// A server that is restarted is back by then.
const PATIENCE: Duration = Duration::from_secs(3_600);

pub(super) fn failing(input: &CheckInput) -> Found {
    Found::of(&input.mail, |mail| {
        let wrong = mail.iter().filter(|one| {
            let since = one.failing_since.as_deref();
            let since = since.and_then(Timestamp::parse_rfc3339);
            since.is_some_and(|since| input.now.since(since) >= PATIENCE)
        });
        Found::named(wrong.map(|one| &one.name))
    })
}

//! What a person sees while the lab works, and the summary at its end.

use std::fmt;
use std::sync::atomic::Ordering;

use labward_api::status::Status;

use crate::analyzer::Progress;

/// One picture of the lab.
pub(crate) struct Picture<'a> {
    /// What the server says.
    pub(crate) status: &'a Status,
    /// Each analyzer's name and what it has done.
    pub(crate) analyzers: [(&'a str, &'a Progress); 3],
    /// What the provider received, each message counted once.
    pub(crate) received: usize,
}

impl fmt::Display for Picture<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<12} {:>8} {:>8} {:>8}   link          accepted  held",
            "analyzer", "sent", "answered", "refused"
        )?;
        for (name, progress) in &self.analyzers {
            let link = self.status.links.iter().find(|link| link.name == *name);
            writeln!(
                f,
                "{name:<12} {:>8} {:>8} {:>8}   {:<12} {:>9} {:>5}",
                progress.sent.load(Ordering::Relaxed),
                progress.accepted.load(Ordering::Relaxed),
                progress.refused.load(Ordering::Relaxed),
                link.map_or("-", |link| link.transport.as_str()),
                link.map_or(0, |link| link.accepted),
                link.map_or(0, |link| link.held),
            )?;
        }
        writeln!(f)?;
        writeln!(
            f,
            "{:<12} {:<10} {:<8} {:>9} {:>8} {:>5}",
            "destination", "kind", "state", "delivered", "waiting", "dead"
        )?;
        for destination in &self.status.destinations {
            writeln!(
                f,
                "{:<12} {:<10} {:<8} {:>9} {:>8} {:>5}",
                destination.name,
                destination.kind,
                destination.state,
                destination.delivered,
                destination.waiting,
                destination.dead
            )?;
        }
        writeln!(f)?;
        writeln!(
            f,
            "ledger: {} entries    held for a person: {}    the provider has {} results",
            self.status.entries, self.status.held, self.received
        )
    }
}

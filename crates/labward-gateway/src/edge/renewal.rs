//! An edge asks for its next certificate, over the line that its present one opened.
//!
//! It must never answer for another peer than that of the line, end the line over a refusal, or let
//! an edge fill the ledger by asking: what is too much is counted as a stranger's.

use std::time::Duration;

use labward_base::id::PeerId;
use labward_base::{Problem, Timestamp, problem};
use labward_identity::RenewalRequest;
use labward_ledger::{Action, Facts, LedgerError, NewEntry, Outcome, append};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::spawn_blocking;

use super::Edges;
use super::session::{Fault, Session};
use super::wire::{FromServer, RENEWAL_VERSION};

/// An edge may ask so often within this time; one that is well asks once, and again after a lost
/// answer or a crash.
const MOST: u32 = 6;
const WITHIN: Duration = Duration::from_secs(600);

/// How often an edge has asked lately.
#[derive(Default)]
pub(super) struct Asked {
    since: Timestamp,
    times: u32,
}

impl Asked {
    /// Counts one more, and says whether it may be answered.
    fn admit(&mut self, now: Timestamp) -> bool {
        if now < self.since || now.since(self.since) >= WITHIN {
            (self.since, self.times) = (now, 0);
        }
        self.times = self.times.saturating_add(1);
        self.times <= MOST
    }
}

impl Edges {
    fn may_ask(&self, peer: PeerId, now: Timestamp) -> bool {
        self.live().entry(peer).or_default().asked.admit(now)
    }

    /// The next certificate, or why there is none, which is recorded with `refusal`.
    fn renew(
        &self,
        asked: &RenewalRequest,
        name: &str,
        refusal: NewEntry,
    ) -> Result<String, &'static Problem> {
        let problem = match self.0.renewer.renew(asked) {
            Ok(certificate) => {
                tracing::info!(peer = %name, "edge {name} is given its next certificate");
                return Ok(certificate);
            }
            Err(problem) => problem,
        };
        tracing::warn!(
            code = problem.code,
            peer = %name,
            "edge {name} is not given its next certificate: {}",
            problem.what
        );
        let refusal = refusal.outcome(Outcome::Refused(problem.code));
        let written = self.0.store.write(move |tx| append(tx, &refusal));
        written.map_err(|error: LedgerError| {
            tracing::error!(error = %error, "that an edge was refused could not be recorded");
            error.problem()
        })?;
        Err(problem)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<'_, S> {
    /// Answers with the next certificate or why there is none, which is recorded.
    pub(super) async fn take_renewal(&mut self, request: Vec<u8>) -> Result<(), Fault> {
        // On a plain line nobody showed a certificate, and version 1 knows no such question.
        let shown = self.caller.certificate.as_deref().cloned();
        let Some(shown) = shown.filter(|_| self.speaks >= RENEWAL_VERSION) else {
            return Err(Fault::Refused(&problem::EDGE_NOT_SPOKEN));
        };
        let (peer, now) = (self.caller.peer.id, self.shared.clock.now());
        if !self.edges.may_ask(peer, now) {
            let link = &self.caller.link;
            let strangers = &self.shared.strangers;
            let address = self.caller.address;
            strangers.note(address, &link.config.name, "renewal-too-often", now);
            return self.not_renewed(&problem::EDGE_RENEWAL_OFTEN).await;
        }
        let asked = RenewalRequest {
            peer,
            shown,
            request,
        };
        let edges = self.edges.clone();
        let name = self.caller.peer.name.clone();
        let facts = Facts::new().text("peer", name.as_str());
        let refusal = self.entry(Action::PeerRenewed).facts(facts);
        // It signs and waits for the disk while other connections live on this thread, and is
        // recorded also if this one is cut meanwhile.
        let renewed = spawn_blocking(move || edges.renew(&asked, &name, refusal)).await;
        match renewed.unwrap_or(Err(&problem::SERVER_INTERNAL)) {
            Ok(certificate) => self.answer(FromServer::Renewed { certificate }).await,
            Err(problem) => self.not_renewed(problem).await,
        }
    }

    async fn not_renewed(&mut self, problem: &'static Problem) -> Result<(), Fault> {
        let code = problem.code.to_owned();
        self.answer(FromServer::NotRenewed { code }).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_that_asks_without_end_is_answered_a_few_times_and_again_later() {
        let mut asked = Asked::default();
        let at = |seconds: i64| Timestamp::from_seconds(1_800_000_000 + seconds);
        let admitted = |asked: &mut Asked, from: i64| {
            let times = (from..from + 20).map(|second| asked.admit(at(second)));
            times.filter(|admitted| *admitted).count()
        };
        assert_eq!(admitted(&mut asked, 0), 6);
        assert_eq!(admitted(&mut asked, 570), 0);
        assert_eq!(admitted(&mut asked, 600), 6);
        // A clock that was set back locks nobody out for longer than it would otherwise.
        assert_eq!(admitted(&mut asked, -1_000), 6);
    }
}

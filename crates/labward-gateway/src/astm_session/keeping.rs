//! What the receiver hands out, on its way to the disk, and the answer that follows from it.
//!
//! **Invariant:** no acknowledgement before durability: [`Receiver::committed`] is called only for
//! what is kept. It must never drop what was acknowledged: that is tried again until it is kept.
//!
//! [`Receiver::committed`]: labward_astm::link::Receiver::committed

use std::time::Duration;

use labward_astm::Deviation;
use labward_astm::control::STX;
use labward_astm::link::{Damage, LinkMessage};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::time::{Instant, sleep};

use super::intake::{self, Draft};
use super::{Session, link_time};
use crate::reason::Reason;

/// How long a message that could not be kept waits before the next try: E1381 senders try six times
/// and wait 15 s for each answer.
const KEEP_REST: Duration = Duration::from_secs(1);

/// How long ENQ is NAKed after a message could not be kept (E1381: a sender then waits 10 s).
const ENQ_REST: Duration = Duration::from_secs(10);

impl<S: AsyncRead + AsyncWrite + Unpin> Session<'_, S> {
    pub(super) async fn take_message(&mut self, message: LinkMessage) {
        // Answers that are due already do not wait for this commit.
        self.write().await;
        let LinkMessage {
            bytes,
            deviations,
            awaits_commit,
        } = message;
        let deviations = self.take_noted(&deviations);
        if !awaits_commit {
            // The frames were answered: it is kept, whatever it takes.
            return self
                .keep_acknowledged(Draft::Message(bytes, deviations))
                .await;
        }
        let drafts = intake::messages_of(bytes)
            .into_iter()
            .map(|one| Draft::Message(one, deviations.clone()))
            .collect();
        if self.is_kept(drafts).await {
            self.rests_until = None;
            self.receiver.committed(self.now());
        } else {
            // The frame comes again, and what was noted before it still holds.
            self.noted = deviations;
            self.rest().await;
            self.receiver.refused(self.now());
        }
    }

    pub(super) async fn take_damaged(
        &mut self,
        mut bytes: Vec<u8>,
        damage: Damage,
        rest: Vec<u8>,
        deviations: &[Deviation],
    ) {
        self.write().await;
        if !rest.is_empty() {
            // The frame that was not accepted stands behind the others as it would on the wire.
            bytes.push(STX);
            bytes.extend(rest);
        }
        let mut deviations = self.take_noted(deviations);
        deviations.push(damage_name(damage));
        let reason = match damage {
            Damage::TooManyTries if self.is_too_large => Reason::TooLarge,
            _ => Reason::Damaged,
        };
        self.keep_acknowledged(Draft::Held(bytes, reason, deviations))
            .await;
    }

    /// Keeps what was acknowledged or must not be lost; reads nothing more until it is kept.
    async fn keep_acknowledged(&mut self, draft: Draft) {
        loop {
            if self.is_kept(vec![draft.clone()]).await {
                return;
            }
            if self.is_stopping {
                tracing::error!(link = %self.caller.link.config.name,
                    "the gateway stopped before an unfinished message could be kept");
                return;
            }
            self.rest().await;
        }
    }

    /// Sends these on their way in their order and waits for the commits, and meanwhile reads on: what comes shows
    /// whether the sender still waits.
    async fn is_kept(&mut self, drafts: Vec<Draft>) -> bool {
        let (shared, caller) = (self.shared, &self.caller);
        let settled = async {
            let mut pending = Vec::with_capacity(drafts.len());
            for draft in drafts {
                pending.push(draft.send(shared, caller).await);
            }
            let mut kept = true;
            for one in pending {
                kept &= shared.settle(caller, one).await.record.is_some();
            }
            kept
        };
        tokio::pin!(settled);
        loop {
            let may_read = self.unread.is_empty() && !self.is_ended;
            tokio::select! {
                biased;
                kept = &mut settled => return kept,
                read = self.stream.read(&mut self.buffer), if may_read => match read {
                    Ok(0) | Err(_) => self.is_ended = true,
                    Ok(count) => {
                        let bytes = self.buffer.get(..count).unwrap_or(&[]);
                        let now = link_time(self.begun);
                        let taken = self.receiver.receive(bytes, now);
                        self.unread.extend(bytes.get(taken..).unwrap_or(&[]));
                    }
                },
            }
        }
    }

    /// Lets the disk rest after it refused a message, and says no to the next ENQ.
    async fn rest(&mut self) {
        self.rests_until = Some(Instant::now() + ENQ_REST);
        if self.is_stopping {
            return;
        }
        tokio::select! {
            () = sleep(KEEP_REST) => {}
            _ = self.stop.wait_for(|stop| *stop) => self.is_stopping = true,
        }
    }

    /// Keeps what stands unfinished when the connection ends.
    pub(super) async fn finish(&mut self) {
        if let Some(greeting) = self.greeting.take() {
            let bytes = greeting.into_bytes();
            if !bytes.is_empty() {
                let draft = Draft::Held(bytes, Reason::Framing, vec!["unframed"]);
                self.keep_acknowledged(draft).await;
            }
        }
        self.receiver.close(self.now());
        self.act().await;
    }

    /// What was noted since the last message, then what was noted while this one came, each once.
    fn take_noted(&mut self, deviations: &[Deviation]) -> Vec<&'static str> {
        for deviation in deviations {
            self.note(deviation.name());
        }
        self.noise_bytes = 0;
        std::mem::take(&mut self.noted)
    }
}

const fn damage_name(damage: Damage) -> &'static str {
    match damage {
        Damage::Abandoned => "abandoned",
        Damage::Closed => "closed",
        Damage::NewMessage => "new-message",
        Damage::Timeout => "timeout",
        Damage::TooManyTries => "too-many-tries",
    }
}

//! One connection of an edge, from its hello to the ordinary path of each message.
//!
//! **Invariant:** no acknowledgement before durability: `Taken` names an item only when its message
//! and the row that says so are synced. It must never take an item out of turn, pass over one
//! without an entry, or take anything before the edge's ledger was found to continue what was seen.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use labward_base::{Problem, Timestamp, problem};
use labward_identity::PeerKind;
use labward_ledger::{
    Action, Actor, Checkpoint, ConsistencyProof, Facts, LedgerError, NewEntry, Outcome, Subject,
    VerifierKey, append,
};
use labward_seal::sha256;
use labward_store::{StoreError, Tx};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

use super::parcel::Parcel;
use super::store::{self, Known};
use super::wire::{
    Continued, FromEdge, FromServer, Hello, Item, Lost, OVERHEAD_BYTES, State, read_frame,
    write_frame,
};
use super::{Edges, intake};
use crate::path::{Caller, Shared, Via};

/// How long an edge may be silent: it says something every quarter of a minute.
const SILENCE: Duration = Duration::from_secs(120);

/// How long the edge's connection before may take to end.
const TURN: Duration = Duration::from_secs(30);

/// Serves a connection until it ends.
pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    shared: &Arc<Shared>,
    caller: Caller,
    stream: S,
    mut stop: watch::Receiver<bool>,
) {
    let Some(edges) = shared.edges.clone() else {
        tracing::error!(link = %caller.link.config.name, "a link for edges has nobody to open for it");
        return;
    };
    let (present, turn) = edges.enter(caller.peer.id);
    let Ok(_turn) = timeout(TURN, turn.lock()).await else {
        return;
    };
    let mut session = Session {
        shared,
        edges,
        caller,
        stream,
        known: None,
        speaks: 0,
        taken: 0,
        taken_sha256: None,
        is_checked: false,
    };
    let fault = tokio::select! {
        biased;
        ended = session.run() => ended.err(),
        _ = stop.wait_for(|stop| *stop) => None,
        () = present.replaced.notified() => None,
    };
    if let Some(fault) = fault {
        session.refuse(fault).await;
    }
    // Whether the edge still listens changes nothing any more.
    let _ = timeout(Duration::from_secs(1), session.stream.shutdown()).await;
}

pub(super) struct Session<'a, S> {
    pub(super) shared: &'a Shared,
    pub(super) edges: Edges,
    pub(super) caller: Caller,
    stream: S,
    /// What was known of the edge when it said hello, and what became known since.
    known: Option<Known>,
    /// The version of the protocol that the edge speaks.
    pub(super) speaks: u8,
    /// The last item that was kept, in the row of the edge or not yet.
    taken: u64,
    taken_sha256: Option<[u8; 32]>,
    /// Whether its ledger continues what was seen.
    is_checked: bool,
}

/// Why a connection ends.
pub(super) enum Fault {
    /// Its ledger is not what was seen of it: refused from now on, and an alarm.
    Alarm(&'static Problem, Facts),
    /// The connection broke, or our own disk refused.
    Lost,
    /// It is refused now, and may come again.
    Refused(&'static Problem),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::InvalidData => Self::Refused(&problem::EDGE_NOT_SPOKEN),
            _ => Self::Lost,
        }
    }
}

impl From<LedgerError> for Fault {
    fn from(error: LedgerError) -> Self {
        tracing::error!(error = %error, "what an edge brought could not be recorded");
        Self::Refused(&problem::GATEWAY_CANNOT_KEEP)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<'_, S> {
    async fn run(&mut self) -> Result<(), Fault> {
        let Some(FromEdge::Hello(hello)) = self
            .read(self.caller.link.config.limits.handshake())
            .await?
        else {
            return Err(Fault::Refused(&problem::EDGE_NOT_SPOKEN));
        };
        self.speaks = hello.speaks;
        let known = self.meet(hello).await?;
        let size = known.kept().map_or(0, |kept| kept.size);
        let cursor = known.taken;
        self.taken = cursor;
        self.taken_sha256 = known.taken_sha256;
        self.known = Some(known);
        self.answer(FromServer::Welcome { cursor, size }).await?;
        while let Some(frame) = self.read(SILENCE).await? {
            let may_go_on = self.caller.refresh(&self.shared.peers);
            match frame {
                // Revoked in this moment, it is refused by whoever issues, and that is recorded.
                FromEdge::Renew(request) if self.is_checked => self.take_renewal(request).await?,
                _ if !may_go_on => {}
                FromEdge::Checkpoint(continued) => self.take_checkpoint(continued).await?,
                FromEdge::Item(item) if self.is_checked => self.take_item(item).await?,
                FromEdge::Lost(lost) if self.is_checked => self.take_lost(lost).await?,
                FromEdge::State(state) if self.is_checked => self.take_state(state).await?,
                _ => return Err(Fault::Refused(&problem::EDGE_NOT_SPOKEN)),
            }
            if !may_go_on {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn read(&mut self, patience: Duration) -> Result<Option<FromEdge>, Fault> {
        let limit = self.caller.link.config.limits.max_message_bytes + OVERHEAD_BYTES;
        match timeout(patience, read_frame(&mut self.stream, limit)).await {
            Ok(read) => Ok(read?),
            Err(_) => Err(Fault::Lost),
        }
    }

    pub(super) async fn answer(&mut self, frame: FromServer) -> Result<(), Fault> {
        match timeout(SILENCE, write_frame(&mut self.stream, &frame)).await {
            Ok(written) => Ok(written?),
            Err(_) => Err(Fault::Lost),
        }
    }

    /// Whether this is the edge that enrolled, and may go on.
    async fn meet(&mut self, hello: Hello) -> Result<Known, Fault> {
        let peer = &self.caller.peer;
        if peer.kind != PeerKind::Edge {
            return Err(Fault::Refused(&problem::GATEWAY_NOT_ALLOWED));
        }
        if hello.key != self.edges.0.opener.key_id() {
            return Err(Fault::Refused(&problem::EDGE_OTHER_KEY));
        }
        let id = peer.id;
        let known = self
            .edges
            .0
            .store
            .read(|snapshot| store::known(snapshot, id));
        let known: Option<Known> = known.map_err(|error: StoreError| LedgerError::from(error))?;
        let Some(mut known) = known else {
            return Err(Fault::Refused(&problem::EDGE_NOT_ENROLLED));
        };
        self.edges.heard(id, None, self.shared.clock.now());
        if let Some(fault) = &known.fault {
            let fault = problem::ALL.iter().find(|one| one.code == fault);
            return Err(Fault::Refused(
                fault.copied().unwrap_or(&problem::EDGE_FORKED),
            ));
        }
        known.version = hello.version.chars().take(32).collect();
        self.known = Some(known.clone());
        if known.queue != hello.queue || known.ledger_key != hello.ledger {
            return Err(Fault::Alarm(&problem::EDGE_FORKED, Facts::new()));
        }
        if known.checkpoint.is_none() {
            // It has just enrolled: what it knows to be taken holds, and what it may send a second
            // time is for the duplicate window.
            known.taken = hello.sent;
        } else if hello.sent > known.taken {
            // We were set back, by a restore for example: the edge has let these items go.
            let facts = Facts::new()
                .number("after", known.taken)
                .number("to", hello.sent)
                .text("why", "server-set-back");
            known.taken = hello.sent;
            known.taken_sha256 = None;
            self.record_lost(facts, known.taken, None).await?;
        }
        Ok(known)
    }

    async fn take_checkpoint(&mut self, continued: Continued) -> Result<(), Fault> {
        let Some(known) = self.known.clone() else {
            return Err(Fault::Lost);
        };
        // Before the proof: a ledger set back and grown again would only look like another one.
        match self.taken_sha256 {
            Some(_) if continued.last == [0; 32] => {
                let facts = Facts::new().number("item", self.taken);
                return Err(Fault::Alarm(&problem::EDGE_REWOUND, facts));
            }
            Some(ours) if ours != continued.last => {
                let facts = Facts::new().number("item", self.taken);
                return Err(Fault::Alarm(&problem::EDGE_FORKED, facts));
            }
            _ => {}
        }
        let new = continues(&known, &continued)?;
        let before = known.kept();
        self.is_checked = true;
        if before.as_ref() != Some(&new) {
            let facts = Facts::new()
                .number("size", new.size)
                .hex("root", new.root.as_bytes())
                .number("before", before.map_or(0, |before| before.size))
                .number("item", self.taken);
            let entry = self.entry(Action::EdgeCheckpointKept).facts(facts);
            let mut next = known.clone();
            next.checkpoint = Some(continued.note);
            next.seen = self.shared.clock.now();
            let kept = next.clone();
            self.write(move |tx| {
                append(tx, &entry)?;
                store::change(tx, &kept, |row| {
                    row.checkpoint.clone_from(&kept.checkpoint);
                    row.taken = kept.taken;
                    row.taken_sha256 = kept.taken_sha256;
                    row.version.clone_from(&kept.version);
                    row.seen = kept.seen;
                })?;
                Ok(())
            })
            .await?;
            self.known = Some(next);
        }
        let (cursor, size) = (self.cursor(), new.size);
        self.answer(FromServer::Taken { cursor, size }).await
    }

    async fn take_item(&mut self, item: Item) -> Result<(), Fault> {
        if item.number <= self.taken {
            return Ok(());
        }
        self.follows(item.before, item.number)?;
        let Some(queue) = self.known.as_ref().map(|known| known.queue) else {
            return Err(Fault::Lost);
        };
        let digest = sha256(&item.envelope);
        let opened = self
            .edges
            .0
            .opener
            .open(&Parcel::place(&queue, item.number), &item.envelope);
        let parcel = opened.and_then(|opened| Parcel::parse(opened.expose()).ok());
        let Some(parcel) = parcel else {
            let facts = Facts::new()
                .number("item", item.number)
                .hex("sha256", &digest)
                .text("why", "does-not-open");
            return self.record_lost(facts, item.number, Some(digest)).await;
        };
        self.caller.via = Some(Via {
            device: parcel.device.clone(),
            item: item.number,
            received: parcel.received,
        });
        let own = self
            .shared
            .id_tag(&self.caller, [b"edge-item", &queue, &digest]);
        let incoming = intake::incoming(self.shared, &self.caller, own, parcel);
        let pending = self.shared.receive(&self.caller, incoming).await;
        let outcome = self.shared.settle(&self.caller, pending).await;
        if outcome.record.is_none() {
            return Err(Fault::Refused(&problem::GATEWAY_CANNOT_KEEP));
        }
        (self.taken, self.taken_sha256) = (item.number, Some(digest));
        Ok(())
    }

    async fn take_lost(&mut self, lost: Lost) -> Result<(), Fault> {
        if lost.number <= self.taken {
            return Ok(());
        }
        self.follows(lost.before, lost.number)?;
        let mut facts = Facts::new()
            .number("item", lost.number)
            .hex("sha256", &lost.sha256)
            .text("why", "damaged-at-the-edge");
        if lost.received_us != 0 {
            let received = Timestamp::from_micros(lost.received_us);
            facts = facts.text("received", received.to_rfc3339());
        }
        if !lost.device.is_empty() {
            facts = facts.text("device", lost.device.chars().take(64).collect::<String>());
        }
        self.record_lost(facts, lost.number, Some(lost.sha256))
            .await
    }

    /// Everything before is durable in its entries; how far it came is written before it is said.
    async fn take_state(&mut self, state: State) -> Result<(), Fault> {
        let now = self.shared.clock.now();
        self.edges.heard(self.caller.peer.id, Some(state), now);
        if self.taken != self.cursor() {
            self.advance().await?;
        }
        let known = self.known.as_ref();
        let size = known.and_then(Known::kept).map_or(0, |kept| kept.size);
        let cursor = self.cursor();
        self.answer(FromServer::Taken { cursor, size }).await
    }

    async fn advance(&mut self) -> Result<(), Fault> {
        let Some(mut known) = self.known.clone() else {
            return Err(Fault::Lost);
        };
        known.taken = self.taken;
        known.taken_sha256 = self.taken_sha256;
        known.seen = self.shared.clock.now();
        let row = known.clone();
        self.write(move |tx| {
            store::change(tx, &row, |now| {
                now.taken = row.taken;
                now.taken_sha256 = row.taken_sha256;
                now.version.clone_from(&row.version);
                now.seen = row.seen;
            })?;
            Ok(())
        })
        .await?;
        self.known = Some(known);
        Ok(())
    }

    fn cursor(&self) -> u64 {
        self.known.as_ref().map_or(0, |known| known.taken)
    }

    fn follows(&self, before: u64, number: u64) -> Result<(), Fault> {
        if before == self.taken && number > before {
            return Ok(());
        }
        Err(Fault::Refused(&problem::EDGE_NOT_SPOKEN))
    }

    /// Passes over what cannot be had any more, with its entry, in one unit with the row.
    async fn record_lost(
        &mut self,
        facts: Facts,
        number: u64,
        digest: Option<[u8; 32]>,
    ) -> Result<(), Fault> {
        let Some(mut known) = self.known.clone() else {
            return Err(Fault::Lost);
        };
        tracing::error!(
            code = problem::EDGE_DAMAGED_ITEM.code,
            peer = %self.caller.peer.name,
            item = number,
            "a message that an edge had acknowledged cannot be had any more"
        );
        let outcome = Outcome::Failed(problem::EDGE_DAMAGED_ITEM.code);
        let entry = self
            .entry(Action::EdgeItemLost)
            .facts(facts)
            .outcome(outcome);
        (known.taken, known.taken_sha256) = (number, digest);
        let row = known.clone();
        self.write(move |tx| {
            append(tx, &entry)?;
            store::change(tx, &row, |now| {
                now.taken = row.taken;
                now.taken_sha256 = row.taken_sha256;
            })?;
            Ok(())
        })
        .await?;
        (self.taken, self.taken_sha256) = (number, digest);
        self.known = Some(known);
        Ok(())
    }

    /// Says why, and records it: an alarm once, anything else as every stranger's refusal.
    async fn refuse(&mut self, fault: Fault) {
        let problem = match fault {
            Fault::Lost => return,
            Fault::Refused(problem) => {
                let now = self.shared.clock.now();
                let Caller { link, address, .. } = &self.caller;
                link.counters.count_refused();
                let strangers = &self.shared.strangers;
                strangers.note(*address, &link.config.name, "edge-refused", now);
                problem
            }
            Fault::Alarm(problem, facts) => {
                tracing::error!(
                    code = problem.code,
                    peer = %self.caller.peer.name,
                    "an edge is refused from now on: {}",
                    problem.what
                );
                let outcome = Outcome::Refused(problem.code);
                let entry = self
                    .entry(Action::EdgeRefused)
                    .facts(facts)
                    .outcome(outcome);
                let known = self.known.clone();
                let written = self.write(move |tx| {
                    append(tx, &entry)?;
                    if let Some(known) = &known {
                        store::change(tx, known, |row| row.fault = Some(problem.code.to_owned()))?;
                    }
                    Ok(())
                });
                // Not written, it is refused all the same, and found again when it comes back.
                let _ = written.await;
                problem
            }
        };
        let code = problem.code.to_owned();
        let _ = self.answer(FromServer::Refused { code }).await;
    }

    pub(super) fn entry(&self, action: Action) -> NewEntry {
        let peer = &self.caller.peer;
        NewEntry::new(
            self.shared.site,
            Actor::Peer(peer.id),
            action,
            Subject::Peer(peer.id),
        )
    }

    async fn write(
        &self,
        unit: impl FnMut(&mut Tx<'_>) -> Result<(), LedgerError> + Send + 'static,
    ) -> Result<(), Fault> {
        let (send, receive) = oneshot::channel();
        self.edges.0.store.submit(unit, move |written| {
            // Who waits may be gone.
            let _ = send.send(written);
        });
        let closed = |_| Err(StoreError::Closed.into());
        Ok(receive.await.unwrap_or_else(closed)?)
    }
}

/// The checkpoint, if it is the edge's own and continues the one that is kept.
fn continues(known: &Known, continued: &Continued) -> Result<Checkpoint, Fault> {
    let forked = || Fault::Alarm(&problem::EDGE_FORKED, Facts::new());
    let key: VerifierKey = known.ledger_key.parse().map_err(|_| forked())?;
    let new = Checkpoint::open(continued.note.as_bytes(), &key).map_err(|_| forked())?;
    let Some(old) = known.kept() else {
        return Ok(new);
    };
    let sizes = Facts::new()
        .number("seen", old.size)
        .number("shown", new.size);
    if new.size < old.size {
        return Err(Fault::Alarm(&problem::EDGE_REWOUND, sizes));
    }
    let proof = ConsistencyProof {
        old: old.size,
        new: new.size,
        path: continued.path.clone(),
    };
    if proof.verify(&old.root, &new.root) {
        Ok(new)
    } else {
        Err(Fault::Alarm(&problem::EDGE_FORKED, sizes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use labward_base::id::{PeerId, SiteId};
    use labward_ledger::Digest;
    use labward_ledger::tree::{leaf_digest, node_digest};
    use labward_seal::sign::SigningKey;

    const ORIGIN: &str = "labward.local/edge-1";

    fn key() -> SigningKey {
        SigningKey::from_seed(&labward_base::Secret::new([7; 32])).unwrap()
    }

    fn note(key: &SigningKey, size: u64, root: Digest) -> String {
        let checkpoint = Checkpoint {
            origin: ORIGIN.to_owned(),
            size,
            root,
        };
        checkpoint.sign(key).unwrap().to_string()
    }

    fn seen(size: u64, root: Digest) -> Known {
        Known {
            peer: PeerId::new(1),
            site: SiteId::new(1),
            queue: [1; 16],
            ledger_key: VerifierKey::new(ORIGIN, *key().public())
                .unwrap()
                .to_string(),
            taken: 0,
            taken_sha256: None,
            checkpoint: (size > 0).then(|| note(&key(), size, root)),
            fault: None,
            version: String::new(),
            seen: Timestamp::default(),
        }
    }

    fn check(known: &Known, note: String, path: Vec<Digest>, expect: Option<&str>) {
        let continued = Continued {
            note,
            path,
            last: [0; 32],
        };
        let code = match continues(known, &continued) {
            Ok(_) => None,
            Err(Fault::Alarm(problem, _) | Fault::Refused(problem)) => Some(problem.code),
            Err(Fault::Lost) => Some("lost"),
        };
        assert_eq!(code, expect);
    }

    #[test]
    fn a_ledger_that_is_shorter_or_another_is_named_as_what_it_is() {
        let (a, b, c) = (leaf_digest(b"a"), leaf_digest(b"b"), leaf_digest(b"c"));
        let (ab, cb) = (node_digest(&a, &b), node_digest(&c, &b));
        let first = seen(0, a);
        check(&first, note(&key(), 2, ab), Vec::new(), None);
        let one = seen(1, a);
        check(&one, note(&key(), 2, ab), vec![b], None);
        check(&one, note(&key(), 1, a), Vec::new(), None);
        check(&one, note(&key(), 2, cb), vec![b], Some("edge.forked"));
        check(&one, note(&key(), 2, ab), vec![c], Some("edge.forked"));
        check(&one, note(&key(), 2, ab), Vec::new(), Some("edge.forked"));
        check(&one, note(&key(), 1, c), Vec::new(), Some("edge.forked"));
        let two = seen(2, ab);
        check(&two, note(&key(), 1, a), Vec::new(), Some("edge.rewound"));
    }

    #[test]
    fn a_checkpoint_of_another_key_or_changed_afterwards_is_no_continuation() {
        let a = leaf_digest(b"a");
        let other = SigningKey::from_seed(&labward_base::Secret::new([8; 32])).unwrap();
        let known = seen(0, a);
        check(&known, note(&other, 1, a), Vec::new(), Some("edge.forked"));
        let changed = note(&key(), 1, a).replace("\n1\n", "\n2\n");
        check(&known, changed, Vec::new(), Some("edge.forked"));
        check(&known, String::new(), Vec::new(), Some("edge.forked"));
    }
}

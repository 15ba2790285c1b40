//! `Idempotency-Key`: a request that changes something is done once, however often it comes.
//!
//! It must never let an act be done twice under one key, keep an answer that holds a secret or what
//! is in records, or keep a key itself: only its hash, for [`KEPT`].
//!
//! That a key is used is durable before the act begins, and what was answered is durable before it is
//! sent. Between the two lies the act's own commit: whoever asks again after the server died there is
//! told that it is not known whether it was done, and it is not done again.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::HeaderMap;
use labward_base::id::PersonId;
use labward_base::{Clock as _, ErrorKind, Timestamp, problem};
use labward_seal::Sha256;
use labward_store::{Migration, Query as _, StoreError, Tx};

use super::call::{Answer, Call};
use super::endpoint::{Endpoint, Verb};
use super::failure::Failure;
use crate::app::Core;

/// The step of the table of keys.
pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    name: "idempotency-key",
    sql: include_str!("../idempotency.sql"),
}];

/// The table, which no backup takes along: what a restore has lost was not done.
pub(crate) const TABLE: &str = "idempotency_key";

/// How long a key is known.
const KEPT: Duration = Duration::from_secs(24 * 3_600);
/// Keys that one person may have at a time.
const KEYS_MAX: i64 = 10_000;
/// Characters of a key at most.
const KEY_CHARS: usize = 255;
/// Bytes of an answer that is kept at most.
const ANSWER_MAX_BYTES: usize = 64 * 1024;
const HEADER: &str = "idempotency-key";

/// Keys whose act runs now.
#[derive(Default)]
pub(crate) struct Running(Mutex<HashSet<[u8; 32]>>);

/// What becomes of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// It is kept, and given again.
    Answer,
    /// That it was done is kept; the answer holds a secret, or what is in records.
    Once,
    /// Nothing: the request reads, and reading again is another reading.
    Nothing,
}

/// A request under a key.
pub(super) struct Keyed {
    key_sha256: [u8; 32],
    asked_sha256: [u8; 32],
    person: PersonId,
    kept: Kept,
}

/// What is known of a key.
enum Known {
    /// It is new, and noted.
    New,
    Replay(Vec<u8>),
    Refused(&'static problem::Problem),
}

/// Frees a key that runs, however it ends.
struct Runs<'a>(&'a Running, [u8; 32]);

impl Drop for Runs<'_> {
    fn drop(&mut self) {
        self.0.lock().remove(&self.1);
    }
}

impl Running {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<[u8; 32]>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, key: [u8; 32]) -> Option<Runs<'_>> {
        // Made only if it is new: what frees it takes the lock.
        let is_new = self.lock().insert(key);
        is_new.then(|| Runs(self, key))
    }
}

/// What becomes of the answers of an endpoint, by their type; `None` is a type that nobody decided about.
pub(super) fn kept(endpoint: &Endpoint) -> Option<Kept> {
    if endpoint.verb == Verb::Get {
        return Some(Kept::Nothing);
    }
    Some(match endpoint.gives {
        "Done" | "Person" | "ImportedPeople" | "Peer" | "Reload" | "Rotation" | "KeyArchive"
        | "ExpiredArchives" | "Backup" | "Drilled" | "TestedMail" | "TestedWebhook"
        | "Imported" | "OpenedGlass" | "DeviceShown" | "ImportedDevices" | "ImportedAdvisories"
        | "AttachedDisclosure" | "PatchApproval" | "TrafficTaken" | "TreatedHits"
        | "HitStatement" | "IntegrityBaseline" | "ItemDelivered" | "MalwareRuleSet" => Kept::Answer,
        "AddedSlot" | "AddedPeer" | "AddedToken" | "AddedWebhookSecret" | "Code" | "Invitation"
        | "AddedDocument" | "Disposed" => Kept::Once,
        "Inspected"
        | "QuarantineParticulars"
        | "VerifiedBackup"
        | "Found"
        | "Shown"
        | "Results"
        | "Accesses"
        | "Verified"
        | "bytes"
        | "CSV"
        | "ConfigPreview" => Kept::Nothing,
        _ => return None,
    })
}

impl Keyed {
    /// The key of a request, if it has one that means something here.
    pub(super) fn of(
        endpoint: &Endpoint,
        headers: &HeaderMap,
        call: &Call,
    ) -> Result<Option<Self>, Failure> {
        let mut given = headers.get_all(HEADER).iter();
        let Some(key) = given.next() else {
            return Ok(None);
        };
        let kept = kept(endpoint).unwrap_or(Kept::Nothing);
        if kept == Kept::Nothing {
            return Ok(None);
        }
        if endpoint.takes.is_streamed() {
            let words = "a file that is read while it comes in has no Idempotency-Key";
            return Err(Failure::bad_request(words));
        }
        let fits = |text: &&str| {
            (1..=KEY_CHARS).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
        };
        let key = key
            .to_str()
            .ok()
            .filter(fits)
            .filter(|_| given.next().is_none());
        let wrong = "an Idempotency-Key is 1 to 255 visible characters, once";
        let key = key.ok_or_else(|| Failure::bad_request(wrong))?;
        let person = call.by();
        let mut places: Vec<&[u8]> =
            vec![endpoint.verb.name().as_bytes(), endpoint.path.as_bytes()];
        places.extend(call.params.iter().map(|(_, text)| text.as_bytes()));
        let number = person.get().to_be_bytes();
        let parts = [&number[..], key.as_bytes()];
        let query = call.uri.query().unwrap_or_default();
        Ok(Some(Self {
            key_sha256: digest(parts.into_iter().chain(places)),
            asked_sha256: digest([query.as_bytes(), &call.body].into_iter()),
            person,
            kept,
        }))
    }

    /// Has it done, unless it was; whether the answer is that of the first time.
    pub(super) fn run(
        &self,
        core: &Core,
        act: impl FnOnce() -> Result<Answer, Failure>,
    ) -> Result<(Answer, bool), Failure> {
        let running = core.idempotency.begin(self.key_sha256);
        let running = running.ok_or(Failure::new(&problem::SERVER_KEY_RUNNING))?;
        match self.look(core)? {
            Known::Replay(answer) => return Ok((Answer::Json(answer), true)),
            Known::Refused(why) => return Err(Failure::new(why)),
            Known::New => {}
        }
        let done = act();
        match &done {
            Ok(Answer::Json(answer)) => self.finish(core, answer),
            Ok(Answer::Stream(_) | Answer::File { .. }) => self.finish(core, &[]),
            // Whether a fault of ours came before or after the act is not known.
            Err(failure) => match failure.problem().kind {
                ErrorKind::Internal | ErrorKind::Damaged => {}
                _ => self.forget(core),
            },
        }
        drop(running);
        done.map(|answer| (answer, false))
    }

    /// What is known of the key; a new one is noted, durably.
    fn look(&self, core: &Core) -> Result<Known, Failure> {
        let (key, asked, person) = (self.key_sha256, self.asked_sha256, self.person);
        let now = core.clock.now();
        Ok(core.store.write(move |tx| {
            let over = now.minus(KEPT);
            tx.execute(
                "DELETE FROM idempotency_key WHERE began <= $1",
                &[over.as_micros().into()],
            )?;
            let row = tx.query_opt(
                "SELECT asked_sha256, is_done, answer FROM idempotency_key WHERE key_sha256 = $1",
                &[(&key).into()],
                |row| {
                    let answer = row.opt_bytes(2)?.map(<[u8]>::to_vec);
                    Ok((row.bytes(0)?.to_vec(), row.int(1)? == 1, answer))
                },
            )?;
            Ok::<_, StoreError>(match row {
                None => note(tx, &key, &asked, person, now)?,
                Some((first, ..)) if first != asked => Known::Refused(&problem::SERVER_KEY_REUSED),
                Some((_, true, Some(answer))) => Known::Replay(answer),
                Some((_, true, None)) => Known::Refused(&problem::SERVER_KEY_DONE),
                Some((_, false, _)) => Known::Refused(&problem::SERVER_KEY_UNKNOWN),
            })
        })?)
    }

    fn finish(&self, core: &Core, answer: &[u8]) {
        let keep = self.kept == Kept::Answer && answer.len() <= ANSWER_MAX_BYTES;
        let (key, answer) = (self.key_sha256, keep.then(|| answer.to_vec()));
        self.change(core, move |tx| {
            tx.execute(
                "UPDATE idempotency_key SET is_done = 1, answer = $1 WHERE key_sha256 = $2",
                &[answer.as_ref().into(), (&key).into()],
            )
        });
    }

    /// Nothing was done: the key is as if it had not been used.
    fn forget(&self, core: &Core) {
        let key = self.key_sha256;
        self.change(core, move |tx| {
            tx.execute(
                "DELETE FROM idempotency_key WHERE key_sha256 = $1",
                &[(&key).into()],
            )
        });
    }

    fn change(
        &self,
        core: &Core,
        change: impl FnMut(&mut Tx<'_>) -> Result<usize, StoreError> + Send + 'static,
    ) {
        if let Err(error) = core.store.write(change) {
            // The act stands, and so does what was noted: asked again, it is not known to be done.
            tracing::warn!(error = %error, "the end of a request under a key was not noted");
        }
    }
}

fn note(
    tx: &mut Tx<'_>,
    key: &[u8; 32],
    asked: &[u8; 32],
    person: PersonId,
    now: Timestamp,
) -> Result<Known, StoreError> {
    let count = tx.query_one(
        "SELECT count(*) FROM idempotency_key WHERE person = $1",
        &[person.as_sql().into()],
        |row| row.int(0),
    )?;
    if count >= KEYS_MAX {
        return Ok(Known::Refused(&problem::SERVER_KEYS_FULL));
    }
    tx.execute(
        "INSERT INTO idempotency_key (key_sha256, person, asked_sha256, began, is_done, answer) \
         VALUES ($1, $2, $3, $4, 0, NULL)",
        &[
            key.into(),
            person.as_sql().into(),
            asked.into(),
            now.as_micros().into(),
        ],
    )?;
    Ok(Known::New)
}

/// The SHA-256 of parts, each behind its length, so that no two lists of parts are the same bytes.
fn digest<'a>(parts: impl Iterator<Item = &'a [u8]>) -> [u8; 32] {
    let mut sha256 = Sha256::new();
    sha256.update(b"labward/idempotency1");
    for part in parts {
        sha256.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        sha256.update(part);
    }
    sha256.finish()
}

#[cfg(test)]
mod tests {
    use super::super::endpoint::ENDPOINTS;
    use super::*;

    #[test]
    fn of_every_endpoint_it_is_decided_what_becomes_of_its_answer() {
        for endpoint in ENDPOINTS {
            let (path, kept) = (endpoint.path, kept(endpoint));
            assert!(kept.is_some(), "{path}: {}", endpoint.gives);
            let reads = ["Found", "Shown", "Results", "CSV"].contains(&endpoint.gives);
            assert!(!reads || kept == Some(Kept::Nothing), "{path}");
        }
    }

    #[test]
    fn parts_that_run_together_are_not_the_same() {
        let one = digest([&b"ab"[..], b"c"].into_iter());
        assert_ne!(one, digest([&b"a"[..], b"bc"].into_iter()));
        assert_ne!(one, digest([&b"abc"[..]].into_iter()));
    }

    #[test]
    fn a_key_runs_once_at_a_time() {
        let running = Running::default();
        let first = running.begin([1; 32]);
        assert!(first.is_some() && running.begin([1; 32]).is_none());
        assert!(running.begin([2; 32]).is_some());
        drop(first);
        assert!(running.begin([1; 32]).is_some());
    }
}

//! Sign-ins that were begun and not finished: in memory alone, few, short-lived, for one use.
//!
//! It must never give one out twice, late, or to a browser that did not begin it: an answer that
//! somebody else obtained would sign a person in as somebody else (login CSRF).

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use labward_base::Timestamp;
use labward_seal::{constant_time_eq, sha256};
use openidconnect::{Nonce, PkceCodeVerifier};

/// How long a person may take at the provider.
pub(crate) const LASTS: Duration = Duration::from_secs(600);

/// Sign-ins under way at the same time, and those begun from one address.
const MAX: usize = 4_096;
const MAX_OF_AN_ADDRESS: usize = 64;

/// One sign-in that was begun.
pub(super) struct Pending {
    /// SHA-256 of what the browser's cookie holds.
    pub(super) browser_sha256: [u8; 32],
    /// What the token must repeat.
    pub(super) nonce: Nonce,
    /// What proves that whoever exchanges the code asked for it.
    pub(super) verifier: PkceCodeVerifier,
    /// Whom it was begun with; a reload may name another meanwhile.
    pub(super) issuer: String,
    /// Where the provider sends the browser back to.
    pub(super) redirect: String,
    /// Where from, and until when it holds.
    pub(super) source: IpAddr,
    pub(super) ends_at: Timestamp,
}

/// All of them, by the SHA-256 of their state.
#[derive(Default)]
pub(super) struct Pendings(Mutex<HashMap<[u8; 32], Pending>>);

impl Pendings {
    /// Keeps one; false if there are too many under way. The oldest of an address makes room for
    /// another of the same address, and for nobody else's.
    pub(super) fn put(&self, state: &str, pending: Pending, now: Timestamp) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, one| now < one.ends_at);
        let source = pending.source;
        let same = all.iter().filter(|(_, one)| one.source == source);
        if same.clone().count() >= MAX_OF_AN_ADDRESS {
            let oldest = same.min_by_key(|(_, one)| one.ends_at).map(|(key, _)| *key);
            oldest.map(|key| all.remove(&key));
        }
        if all.len() >= MAX {
            return false;
        }
        all.insert(sha256(state.as_bytes()), pending);
        true
    }

    /// Takes the one of this state, if this browser began it and its time is not over. Whoever knows
    /// the state has spent it, whatever comes of it.
    pub(super) fn take(&self, state: &str, browser: &str, now: Timestamp) -> Option<Pending> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pending = all.remove(&sha256(state.as_bytes()))?;
        let is_same = constant_time_eq(&sha256(browser.as_bytes()), &pending.browser_sha256);
        (is_same && now < pending.ends_at).then_some(pending)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> Timestamp {
        Timestamp::from_seconds(1_795_000_000)
    }

    fn pending(source: u32, browser: &str, now: Timestamp) -> Pending {
        Pending {
            browser_sha256: sha256(browser.as_bytes()),
            nonce: Nonce::new("n".to_owned()),
            verifier: PkceCodeVerifier::new("v".repeat(43)),
            issuer: "https://id.example".to_owned(),
            redirect: "https://lab.example/".to_owned(),
            source: IpAddr::V4(source.into()),
            ends_at: now.plus(LASTS),
        }
    }

    #[test]
    fn an_answer_is_taken_once_in_time_and_from_the_browser_that_asked() {
        let all = Pendings::default();
        let last = start().plus(LASTS - Duration::from_micros(1));
        assert!(all.put("a", pending(1, "mine", start()), start()));
        assert!(all.take("a", "mine", last).is_some());
        assert!(all.take("a", "mine", start()).is_none(), "twice");
        assert!(all.put("b", pending(1, "mine", start()), start()));
        assert!(all.take("b", "mine", start().plus(LASTS)).is_none(), "late");
        assert!(all.put("c", pending(1, "mine", start()), start()));
        assert!(all.take("c", "other", start()).is_none(), "another browser");
        assert!(all.take("c", "mine", start()).is_none(), "spent by it");
        assert!(all.take("", "", start()).is_none());
    }

    #[test]
    fn one_address_pushes_out_only_its_own_and_all_together_are_bounded() {
        let all = Pendings::default();
        assert!(all.put("victim", pending(7, "v", start()), start()));
        for number in 0..10_000_u32 {
            let source = number / 1_000 + 100;
            let now = start().plus(Duration::from_micros(number.into()));
            all.put(&number.to_string(), pending(source, "x", now), now);
        }
        assert!(all.0.lock().unwrap().len() <= 10 * MAX_OF_AN_ADDRESS + 1);
        let later = start().plus(Duration::from_secs(1));
        assert!(all.take("victim", "v", later).is_some());
        for number in 0..10_000_u32 {
            let put = all.put(&format!("m{number}"), pending(number, "x", later), later);
            assert_eq!(put, all.0.lock().unwrap().len() <= MAX && put);
        }
        assert_eq!(all.0.lock().unwrap().len(), MAX);
        let over = later.plus(LASTS);
        assert!(
            all.put("next", pending(1, "x", over), over),
            "time frees it"
        );
        assert_eq!(all.0.lock().unwrap().len(), 1);
    }
}

//! How fast passwords may be tried: for one login, and from one place.
//!
//! It must never shut anybody out for good, tell a login that exists from one that does not, or grow
//! without bound. A try counts before its password is looked at, so that many at once gain nothing;
//! one that is right takes its own count back. What is refused here does not count, so that waiting
//! always helps.
//!
//! It lives in memory: a restart forgives the delays. What a password has endured is in its row.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use labward_base::Timestamp;

/// Logins, and places, that are counted at the same time.
const MAX_COUNTED: usize = 4_096;

/// Of a login: five tries at once, then 1 s, 2 s, 4 s … 15 min.
const LOGIN: Pace = Pace {
    free: 5,
    longest: Duration::from_secs(15 * 60),
    halves: Duration::from_secs(12 * 3_600),
};

/// Of a place, behind which a whole draw site may sit: slower to stop, quicker to forgive.
const PLACE: Pace = Pace {
    free: 50,
    longest: Duration::from_secs(60),
    halves: Duration::from_secs(15 * 60),
};

/// How many failures are free, and what follows.
struct Pace {
    /// Failures before the first delay.
    free: u32,
    /// The longest delay; each is twice the one before.
    longest: Duration,
    /// After so long a count is half of what it was.
    halves: Duration,
}

/// Counts tries.
#[derive(Default)]
pub(crate) struct Throttle(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    logins: HashMap<[u8; 32], Count>,
    places: HashMap<IpAddr, Count>,
}

#[derive(Clone, Copy)]
struct Count {
    failures: u32,
    /// When it was last halved, or began.
    since: Timestamp,
    /// No try before.
    until: Timestamp,
}

/// A try that was let through and counts as failed until it is said to be right.
pub(crate) struct Try {
    login: [u8; 32],
    place: IpAddr,
}

impl Throttle {
    /// Lets a try through and counts it, or says how long to wait.
    pub(crate) fn begin(
        &self,
        login: [u8; 32],
        address: IpAddr,
        now: Timestamp,
    ) -> Result<Try, Duration> {
        let place = place_of(address);
        let mut counts = self.lock();
        let wait = [
            LOGIN.wait(counts.logins.get(&login), now),
            PLACE.wait(counts.places.get(&place), now),
        ];
        match wait.into_iter().max() {
            Some(wait) if wait > Duration::ZERO => return Err(wait),
            _ => {}
        }
        LOGIN.count(&mut counts.logins, login, now);
        PLACE.count(&mut counts.places, place, now);
        Ok(Try { login, place })
    }

    /// Forgives a login whose password was right. Its place gets back this try alone: an account of
    /// one's own must not buy tries at others'.
    pub(crate) fn was_right(&self, tried: &Try) {
        let mut counts = self.lock();
        counts.logins.remove(&tried.login);
        if let Some(count) = counts.places.get_mut(&tried.place) {
            count.failures = count.failures.saturating_sub(1);
            if count.failures < PLACE.free {
                count.until = Timestamp::default();
            }
        }
    }

    /// Takes a try back of which nothing was learned.
    pub(crate) fn was_none(&self, tried: &Try) {
        let mut counts = self.lock();
        let Counts { logins, places } = &mut *counts;
        let both = [logins.get_mut(&tried.login), places.get_mut(&tried.place)];
        for count in both.into_iter().flatten() {
            count.failures = count.failures.saturating_sub(1);
            count.until = Timestamp::default();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pace {
    fn wait(&self, count: Option<&Count>, now: Timestamp) -> Duration {
        // A clock that went back must not make the wait longer than the rule.
        count.map_or(Duration::ZERO, |count| {
            count.until.since(now).min(self.longest)
        })
    }

    fn count<K: Copy + Eq + Hash>(&self, counts: &mut HashMap<K, Count>, key: K, now: Timestamp) {
        if counts.len() >= MAX_COUNTED && !counts.contains_key(&key) {
            self.make_room(counts, now);
        }
        let fresh = Count {
            failures: 0,
            since: now,
            until: now,
        };
        let count = match counts.entry(key) {
            Entry::Occupied(count) => count.into_mut(),
            Entry::Vacant(place) => place.insert(fresh),
        };
        *count = self.faded(*count, now);
        count.failures = count.failures.saturating_add(1);
        if let Some(beyond) = count.failures.checked_sub(self.free) {
            let delay = Duration::from_secs(1_u64.checked_shl(beyond).unwrap_or(u64::MAX));
            count.until = now.plus(delay.min(self.longest));
        }
    }

    fn faded(&self, count: Count, now: Timestamp) -> Count {
        let halvings = now.since(count.since).as_secs() / self.halves.as_secs();
        let halvings = u32::try_from(halvings).unwrap_or(u32::MAX);
        Count {
            failures: count.failures.checked_shr(halvings).unwrap_or(0),
            since: count.since.plus(self.halves.saturating_mul(halvings)),
            until: count.until,
        }
    }

    /// Lets what has faded go, else the one with the fewest failures: a crowd of new keys must not
    /// wash away the one that is under attack.
    fn make_room<K: Copy + Eq + Hash>(&self, counts: &mut HashMap<K, Count>, now: Timestamp) {
        counts.retain(|_, count| self.faded(*count, now).failures > 0 || count.until > now);
        if counts.len() < MAX_COUNTED {
            return;
        }
        let least = counts
            .iter()
            .min_by_key(|(_, count)| (count.failures, count.since));
        if let Some(key) = least.map(|(key, _)| *key) {
            counts.remove(&key);
        }
    }
}

/// An IPv4 address, or the /64 that one customer of a provider is given.
pub(crate) fn place_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = address.to_bits() >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from_bits(network))
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGIN_A: [u8; 32] = [1; 32];

    fn start() -> Timestamp {
        Timestamp::from_seconds(1_795_000_000)
    }

    fn address(number: u32) -> IpAddr {
        IpAddr::V4(number.into())
    }

    fn login(number: u32) -> [u8; 32] {
        let mut login = [0; 32];
        login[..4].copy_from_slice(&number.to_be_bytes());
        login
    }

    #[test]
    fn five_tries_are_free_and_then_each_costs_twice_the_last_up_to_a_quarter_of_an_hour() {
        let throttle = Throttle::default();
        let mut now = start();
        for _ in 0..5 {
            assert!(throttle.begin(LOGIN_A, address(1), now).is_ok());
        }
        let mut waits = Vec::new();
        for _ in 0..12 {
            let wait = throttle.begin(LOGIN_A, address(1), now).err().unwrap();
            assert_eq!(throttle.begin(LOGIN_A, address(1), now).err(), Some(wait));
            waits.push(wait.as_secs());
            now = now.plus(wait);
            assert!(throttle.begin(LOGIN_A, address(1), now).is_ok());
        }
        assert_eq!(
            waits,
            [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900],
            "never for good"
        );
    }

    #[test]
    fn a_login_is_slowed_wherever_the_tries_come_from_and_no_other_is() {
        let throttle = Throttle::default();
        for number in 0..5 {
            assert!(throttle.begin(LOGIN_A, address(number), start()).is_ok());
        }
        assert!(throttle.begin(LOGIN_A, address(99), start()).is_err());
        assert!(throttle.begin(login(7), address(1), start()).is_ok());
    }

    #[test]
    fn a_place_is_slowed_whatever_login_it_tries_and_no_other_is() {
        let throttle = Throttle::default();
        for number in 0..50 {
            assert!(throttle.begin(login(number), address(1), start()).is_ok());
        }
        assert!(throttle.begin(login(99), address(1), start()).is_err());
        assert!(throttle.begin(login(99), address(2), start()).is_ok());
        let later = start().plus(Duration::from_secs(1_801));
        for number in 100..130 {
            assert!(throttle.begin(login(number), address(1), later).is_ok());
        }
    }

    #[test]
    fn one_customers_ipv6_addresses_are_one_place() {
        let of = |text: &str| place_of(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::5"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::5"), of("2001:db8:1:3::5"));
        assert_eq!(of("::ffff:10.0.0.7"), of("10.0.0.7"));
    }

    #[test]
    fn a_right_password_forgives_the_login_and_buys_its_place_nothing() {
        let throttle = Throttle::default();
        for _ in 0..4 {
            assert!(throttle.begin(LOGIN_A, address(1), start()).is_ok());
        }
        let right = throttle.begin(LOGIN_A, address(1), start()).ok().unwrap();
        throttle.was_right(&right);
        for _ in 0..5 {
            assert!(throttle.begin(LOGIN_A, address(2), start()).is_ok());
        }
        for number in 0..46 {
            let tried = throttle.begin(login(100 + number), address(1), start());
            assert!(tried.is_ok(), "{number}");
            if number % 2 == 0 {
                let own = throttle.begin(login(1), address(1), start()).ok();
                throttle.was_right(&own.unwrap());
            }
        }
        assert!(throttle.begin(login(999), address(1), start()).is_err());
    }

    #[test]
    fn a_try_that_could_not_be_looked_at_costs_nothing() {
        let throttle = Throttle::default();
        for _ in 0..100 {
            let tried = throttle.begin(LOGIN_A, address(1), start()).ok().unwrap();
            throttle.was_none(&tried);
        }
    }

    #[test]
    fn a_clock_that_goes_back_shuts_nobody_out() {
        let throttle = Throttle::default();
        for _ in 0..5 {
            assert!(throttle.begin(LOGIN_A, address(1), start()).is_ok());
        }
        let before = start().minus(Duration::from_secs(86_400 * 365));
        let wait = throttle.begin(LOGIN_A, address(1), before).err().unwrap();
        assert!(wait <= LOGIN.longest);
    }

    #[test]
    fn memory_is_bounded_and_a_crowd_does_not_wash_the_attacked_login_away() {
        let throttle = Throttle::default();
        for _ in 0..5 {
            assert!(throttle.begin(LOGIN_A, address(1), start()).is_ok());
        }
        for number in 0..10_000 {
            let from = address(1_000 + number);
            assert!(throttle.begin(login(number), from, start()).is_ok());
        }
        let counts = throttle.lock();
        assert_eq!(counts.logins.len(), MAX_COUNTED);
        assert_eq!(counts.places.len(), MAX_COUNTED);
        drop(counts);
        assert!(throttle.begin(LOGIN_A, address(5), start()).is_err());
    }
}

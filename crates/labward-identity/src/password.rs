//! Passwords after NIST SP 800-63B-4, 3.1.1: what they must be, and how they are kept.
//!
//! It must never keep, print or cut short a password, ask for kinds of characters, or let more than
//! [`AT_ONCE`] be hashed at the same time. What a password is compared with costs one hashing, also
//! where there is nothing to compare with: nobody learns from the work who exists.
//!
//! A password is the only factor here, so it has at least 15 characters, each Unicode code point
//! counting as one after NFKC; what others would guess is refused by [`Weakness`].

mod guess;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use labward_base::Secret;
use labward_seal::passphrase::{SALT_BYTES, Stretch, new_salt};
use labward_seal::{constant_time_eq, random_bytes};
use labward_store::StoreError;
use unicode_normalization::UnicodeNormalization as _;

pub use self::guess::Weakness;
use crate::{IdentityError, SignInError};

/// The fewest characters of a password (SP 800-63B-4, 3.1.1.2: single factor).
pub const MIN_PASSWORD_CHARS: usize = 15;
/// The most bytes of a password: 64 characters of any script always fit.
pub const MAX_PASSWORD_BYTES: usize = 256;

/// Passwords hashed at the same time: 2 × 32 MiB of memory, whatever comes in.
const AT_ONCE: usize = 2;
/// Who may wait for a turn; more are told to come back.
const MAX_WAITING: usize = 16;
/// Bytes that NFKC makes of one, at most (U+FDFA).
const GROWTH: usize = 11;
const HASH_BYTES: usize = 32;

/// Above OWASP's floor of 19 MiB and 2 passes, and short enough for somebody in gloves who waits.
const STRETCH: Stretch = Stretch {
    memory_kib: 32 * 1_024,
    passes: 2,
    lanes: 1,
};

/// Hashes and compares passwords; clones share the turns.
#[derive(Clone)]
pub struct Passwords(Arc<Shared>);

struct Shared {
    turns: Turns,
    /// Compared with where a person has no password: it fits none.
    nobody: Stored,
    hashed: AtomicU64,
}

/// A hash with what it was made with, in memory.
struct Stored {
    stretch: Stretch,
    salt: [u8; SALT_BYTES],
    hash: [u8; HASH_BYTES],
}

impl Passwords {
    /// Ready to hash.
    ///
    /// # Errors
    /// [`SignInError::NoRandom`].
    pub fn new() -> Result<Self, IdentityError> {
        let nobody = Stored {
            stretch: STRETCH,
            salt: new_salt().map_err(SignInError::from)?,
            hash: random_bytes().map_err(SignInError::from)?,
        };
        Ok(Self(Arc::new(Shared {
            turns: Turns::default(),
            nobody,
            hashed: AtomicU64::new(0),
        })))
    }

    /// The hash of a new password as a PHC string, if nobody would guess it; `words` are what is
    /// known of the person and the lab.
    ///
    /// # Errors
    /// [`SignInError::WeakPassword`], [`SignInError::Busy`], [`SignInError::Hash`].
    pub fn hash_new(
        &self,
        password: &Secret<String>,
        words: &[&str],
    ) -> Result<String, IdentityError> {
        let Some(normal) = normalized(password) else {
            return Err(SignInError::from(Weakness::TooLong).into());
        };
        guess::check(normal.expose(), words).map_err(SignInError::from)?;
        let salt = new_salt().map_err(SignInError::from)?;
        let hash = self.derive(&STRETCH, &salt, &normal)?;
        let stored = Stored {
            stretch: STRETCH,
            salt,
            hash,
        };
        Ok(stored.to_phc())
    }

    /// Whether the password is the one of this hash; one hashing in any case, and never if there is
    /// no hash.
    ///
    /// # Errors
    /// [`SignInError::Busy`], [`SignInError::Hash`], [`StoreError::Damaged`] for a hash that is none.
    pub fn fits(
        &self,
        password: &Secret<String>,
        phc: Option<&str>,
    ) -> Result<bool, IdentityError> {
        let damaged = || StoreError::Damaged {
            place: "a password's hash in table credential".to_owned(),
        };
        let stored = phc.map(|phc| Stored::from_phc(phc).ok_or_else(damaged));
        let stored = stored.transpose()?;
        let normal = normalized(password).filter(|normal| !normal.expose().is_empty());
        let is_real = stored.is_some() && normal.is_some();
        let compared = stored.as_ref().unwrap_or(&self.0.nobody);
        let normal = normal.unwrap_or_else(|| Secret::new("nobody".to_owned()));
        let hash = self.derive(&compared.stretch, &compared.salt, &normal)?;
        Ok(constant_time_eq(&hash, &compared.hash) && is_real)
    }

    fn derive(
        &self,
        stretch: &Stretch,
        salt: &[u8; SALT_BYTES],
        normal: &Secret<String>,
    ) -> Result<[u8; HASH_BYTES], IdentityError> {
        let _turn = self.0.turns.take().ok_or(SignInError::Busy)?;
        self.0.hashed.fetch_add(1, Ordering::Relaxed);
        let key = stretch
            .derive(salt, normal.expose().as_bytes())
            .map_err(SignInError::from)?;
        Ok(*key.expose())
    }

    /// How many passwords were hashed.
    #[cfg(test)]
    pub(crate) fn hashed(&self) -> u64 {
        self.0.hashed.load(Ordering::Relaxed)
    }
}

/// The password in NFKC (SP 800-63B-4: before hashing); `None` if it is too long.
fn normalized(password: &Secret<String>) -> Option<Secret<String>> {
    let typed = password.expose();
    if typed.len() > MAX_PASSWORD_BYTES {
        return None;
    }
    // Room for all of it at once: growing would leave copies of the password behind.
    let mut normal = String::with_capacity(typed.len() * GROWTH);
    normal.extend(typed.nfkc());
    let normal = Secret::new(normal);
    (normal.expose().len() <= MAX_PASSWORD_BYTES).then_some(normal)
}

impl Stored {
    fn to_phc(&self) -> String {
        let Stretch {
            memory_kib,
            passes,
            lanes,
        } = self.stretch;
        format!(
            "$argon2id$v=19$m={memory_kib},t={passes},p={lanes}${}${}",
            STANDARD_NO_PAD.encode(self.salt),
            STANDARD_NO_PAD.encode(self.hash)
        )
    }

    fn from_phc(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("$argon2id$v=19$m=")?;
        let (memory_kib, rest) = rest.split_once(",t=")?;
        let (passes, rest) = rest.split_once(",p=")?;
        let (lanes, rest) = rest.split_once('$')?;
        let (salt, hash) = rest.split_once('$')?;
        Some(Self {
            stretch: Stretch {
                memory_kib: memory_kib.parse().ok()?,
                passes: passes.parse().ok()?,
                lanes: lanes.parse().ok()?,
            },
            salt: STANDARD_NO_PAD.decode(salt).ok()?.try_into().ok()?,
            hash: STANDARD_NO_PAD.decode(hash).ok()?.try_into().ok()?,
        })
    }
}

/// Turns at hashing: [`AT_ONCE`] at a time, in no order.
#[derive(Default)]
struct Turns {
    taken: Mutex<Taken>,
    freed: Condvar,
}

#[derive(Default)]
struct Taken {
    hashing: usize,
    waiting: usize,
}

struct Turn<'a>(&'a Turns);

impl Turns {
    /// Waits for a turn; `None` if too many wait already.
    fn take(&self) -> Option<Turn<'_>> {
        let mut taken = self.lock();
        if taken.hashing >= AT_ONCE {
            if taken.waiting >= MAX_WAITING {
                return None;
            }
            taken.waiting += 1;
            while taken.hashing >= AT_ONCE {
                let woken = self.freed.wait(taken);
                taken = woken.unwrap_or_else(PoisonError::into_inner);
            }
            taken.waiting -= 1;
        }
        taken.hashing += 1;
        Some(Turn(self))
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.lock().hashing -= 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    /// As made by the Argon2id of pyca/cryptography 48, from the vector of `labward_seal::passphrase`.
    const FOREIGN: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$gYJZtjEAJqjg26xdLmknq8/bB7\
                           MiWPrE9hsYuA+SkIU";

    #[test]
    fn a_password_is_known_again_from_its_hash_and_no_other_is() {
        let passwords = Passwords::new().unwrap();
        let right = secret("violet tram eats harbour");
        let one = passwords.hash_new(&right, &[]).unwrap();
        let two = passwords.hash_new(&right, &[]).unwrap();
        assert_ne!(one, two, "a salt of its own");
        assert!(one.starts_with("$argon2id$v=19$m=32768,t=2,p=1$"), "{one}");
        assert!(!one.contains("violet"));
        assert!(passwords.fits(&right, Some(&one)).unwrap());
        for wrong in ["violet tram eats harbou", "Violet tram eats harbour", ""] {
            assert!(!passwords.fits(&secret(wrong), Some(&one)).unwrap());
        }
    }

    #[test]
    fn the_hash_that_another_implementation_made_is_understood() {
        let passwords = Passwords::new().unwrap();
        let right = secret("correct horse battery staple");
        assert!(passwords.fits(&right, Some(FOREIGN)).unwrap());
        let stored = Stored::from_phc(FOREIGN).unwrap();
        assert_eq!(stored.to_phc(), FOREIGN);
    }

    #[test]
    fn the_same_characters_are_the_same_password_however_they_were_typed() {
        let passwords = Passwords::new().unwrap();
        let composed = secret("caf\u{e9} na\u{ef}ve jalape\u{f1}o");
        let apart = secret("cafe\u{301} nai\u{308}ve jalapen\u{303}o");
        let phc = passwords.hash_new(&composed, &[]).unwrap();
        assert!(passwords.fits(&apart, Some(&phc)).unwrap());
    }

    #[test]
    fn comparing_costs_one_hashing_whether_there_is_a_password_or_not() {
        let passwords = Passwords::new().unwrap();
        let long = "x".repeat(MAX_PASSWORD_BYTES + 1);
        let tries = [
            ("correct horse battery staple", Some(FOREIGN)),
            ("something else altogether", Some(FOREIGN)),
            ("something else altogether", None),
            ("", Some(FOREIGN)),
            ("", None),
            (&long, Some(FOREIGN)),
            (&long, None),
        ];
        for (number, (password, phc)) in (1..).zip(tries) {
            let fits = passwords.fits(&secret(password), phc).unwrap();
            assert_eq!(fits, number == 1, "{password}");
            assert_eq!(passwords.hashed(), number);
        }
        let nobody = passwords.fits(&secret("nobody"), None).unwrap();
        assert!(!nobody, "what stands in for a password fits none");
    }

    #[test]
    fn sixty_four_characters_of_any_script_fit_and_nothing_is_cut_off() {
        let passwords = Passwords::new().unwrap();
        let long: String = ('\u{1F300}'..).take(64).collect();
        assert_eq!(long.len(), MAX_PASSWORD_BYTES);
        let shuffled: String = long.chars().rev().step_by(2).chain(long.chars()).collect();
        let refused = passwords.hash_new(&secret(&shuffled), &[]).unwrap_err();
        assert!(refused.to_string().contains("longer"), "{refused}");
        let mut mixed: Vec<char> = long.chars().collect();
        mixed.sort_by_key(|c| u32::from(*c).wrapping_mul(2_654_435_761));
        let mixed: String = mixed.into_iter().collect();
        let phc = passwords.hash_new(&secret(&mixed), &[]).unwrap();
        assert!(passwords.fits(&secret(&mixed), Some(&phc)).unwrap());
        let mut shorter = mixed;
        shorter.pop();
        assert!(!passwords.fits(&secret(&shorter), Some(&phc)).unwrap());
    }

    #[test]
    fn a_hash_that_was_damaged_is_said_to_be_and_fits_nothing() {
        let passwords = Passwords::new().unwrap();
        for text in ["", "plain", &FOREIGN[1..], &FOREIGN[..FOREIGN.len() - 1]] {
            assert!(passwords.fits(&secret("whatever"), Some(text)).is_err());
        }
        let weak = FOREIGN.replace("m=19456", "m=8");
        assert!(passwords.fits(&secret("whatever"), Some(&weak)).is_err());
    }

    #[test]
    fn no_more_than_two_hash_at_once_and_a_crowd_is_sent_away() {
        let turns = Turns::default();
        let (one, two) = (turns.take().unwrap(), turns.take().unwrap());
        std::thread::scope(|scope| {
            let waiting: Vec<_> = (0..MAX_WAITING)
                .map(|_| scope.spawn(|| turns.take().map(drop).is_some()))
                .collect();
            while turns.lock().waiting < MAX_WAITING {
                std::thread::yield_now();
            }
            assert_eq!(turns.lock().hashing, AT_ONCE);
            assert!(turns.take().is_none(), "one too many");
            drop((one, two));
            assert!(waiting.into_iter().all(|turn| turn.join().unwrap()));
        });
        assert_eq!(turns.lock().hashing, 0);
    }

    proptest! {
        #[test]
        fn no_text_makes_reading_a_hash_panic(text in "\\PC{0,120}", cut in 0..90usize) {
            let _ = Stored::from_phc(&text);
            let _ = Stored::from_phc(&FOREIGN[cut..]);
        }
    }
}

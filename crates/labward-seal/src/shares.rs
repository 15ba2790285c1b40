//! Recovery shares on paper: any `threshold` of them give a secret back, fewer say nothing of it.
//!
//! Shamir's scheme over GF(256) by `blahaj`, whose every coefficient, the highest too, is uniform
//! over all 256 values; the randomness comes from aws-lc-rs. Its field arithmetic reads tables, so
//! it must run only where shares are made and typed in, never in answer to a peer.
//!
//! A share is 45 bytes, written as 18 groups of 4 characters in Crockford's base 32:
//!
//! | Offset | Bytes | Holds |
//! |---|---|---|
//! | 0 | 1 | layout version, 1 |
//! | 1 | 3 | set: random, the same in all shares of one splitting |
//! | 4 | 1 | threshold |
//! | 5 | 1 | number of this share, counted from 1 |
//! | 6 | 35 | this share of `secret 32 ‖ first 3 bytes of SHA-256("labward/share-secret1" ‖ secret)` |
//! | 41 | 4 | first 4 bytes of SHA-256("labward/share1" ‖ bytes 0 to 40) |
//!
//! The last checksum finds a typing error in its own share; the inner one finds that shares were
//! forged or belong to different secrets although their set numbers agree.

use std::convert::Infallible;

use blahaj::Sharks;
use labward_base::{Problem, Secret, problem};
use rand_core::{TryCryptoRng, TryRng};
use zeroize::{Zeroize, Zeroizing};

use crate::base32::{decode, symbols};
use crate::error::CryptoFailed;
use crate::key::KEY_BYTES;
use crate::primitive::{Sha256, constant_time_eq, random_bytes};

/// The most shares one secret is split into.
pub const MAX_SHARES: u8 = 32;
/// Length of the text of a share with its hyphens, in characters.
pub const TEXT_CHARS: usize = 18 * 5 - 1;

const VERSION: u8 = 1;
const SET_BYTES: usize = 3;
const INNER_CHECK_BYTES: usize = 3;
const DATA_BYTES: usize = KEY_BYTES + INNER_CHECK_BYTES;
const CHECK_BYTES: usize = 4;
const BODY_BYTES: usize = 1 + SET_BYTES + 1 + 1 + DATA_BYTES;
const SHARE_BYTES: usize = BODY_BYTES + CHECK_BYTES;
const GROUP_CHARS: usize = 4;

/// One share of a secret.
///
/// ```compile_fail,E0277
/// let shares = labward_seal::shares::split(&labward_base::Secret::new([7; 32]), 2, 3).unwrap();
/// println!("{:?}", shares[0]); // no Debug
/// ```
#[derive(Clone)]
pub struct Share {
    set: [u8; SET_BYTES],
    threshold: u8,
    number: u8,
    data: Secret<[u8; DATA_BYTES]>,
}

/// Why shares could not be made, read or put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShareError {
    /// Threshold and count do not make a set.
    #[error("split a secret: needs a threshold of at least 2 and at most 32 shares")]
    BadNumbers,
    /// The library refused, or gave no random bytes.
    #[error("split a secret")]
    Crypto(#[from] CryptoFailed),
    /// The same share was given twice.
    #[error("combine shares: share {number} was given twice")]
    Duplicate {
        /// The number of the share.
        number: u8,
    },
    /// Two shares come from different splittings.
    #[error("combine shares: share {number} belongs to another set than the first one")]
    ForeignSet {
        /// The number of the share that does not belong to the first one's set.
        number: u8,
    },
    /// The text was mistyped.
    #[error("read share {position}: it was mistyped")]
    Mistyped {
        /// Which of the texts given, counted from 1.
        position: usize,
    },
    /// Fewer shares than the threshold.
    #[error("combine shares: {given} given, {needed} needed")]
    TooFew {
        /// How many were given.
        given: usize,
        /// How many are needed.
        needed: u8,
    },
    /// Enough shares of one set, and yet they do not give a secret.
    #[error("combine shares: they do not fit each other")]
    WrongSecret,
}

impl ShareError {
    /// The problem as a person sees it.
    pub fn problem(&self) -> &'static Problem {
        match self {
            Self::BadNumbers => &problem::CONFIG_UNSAFE,
            Self::Crypto(_) => &problem::SERVER_INTERNAL,
            _ => &problem::KEYS_BAD_SHARES,
        }
    }
}

impl Share {
    /// The set's number as it stands in the text: the same for all shares of one splitting.
    pub fn set(&self) -> u32 {
        let [a, b, c] = self.set;
        u32::from_be_bytes([0, a, b, c])
    }

    /// How many shares of the set are needed.
    pub const fn threshold(&self) -> u8 {
        self.threshold
    }

    /// The number of this share within the set, counted from 1.
    pub const fn number(&self) -> u8 {
        self.number
    }

    /// The share as it is written down: 18 groups of 4 characters.
    pub fn to_text(&self) -> Secret<String> {
        let bytes = self.to_bytes();
        let mut text = String::with_capacity(TEXT_CHARS);
        for (place, symbol) in symbols(bytes.as_slice()).enumerate() {
            if place > 0 && place % GROUP_CHARS == 0 {
                text.push('-');
            }
            text.push(symbol);
        }
        Secret::new(text)
    }

    /// Reads a share that a person typed: case, hyphens and blanks do not count, `O` is read as
    /// zero, `I` and `L` as one.
    ///
    /// # Errors
    /// [`ShareError::Mistyped`] with position 1 for everything that is not a whole share.
    pub fn parse(text: &str) -> Result<Self, ShareError> {
        decode(text)
            .and_then(|bytes| Self::from_bytes(&bytes))
            .ok_or(ShareError::Mistyped { position: 1 })
    }

    fn to_bytes(&self) -> Zeroizing<[u8; SHARE_BYTES]> {
        let mut bytes = Zeroizing::new([0; SHARE_BYTES]);
        let (body, check) = bytes.split_at_mut(BODY_BYTES);
        let head = [VERSION]
            .into_iter()
            .chain(self.set)
            .chain([self.threshold, self.number]);
        for (to, from) in body.iter_mut().zip(head.chain(*self.data.expose())) {
            *to = from;
        }
        check.copy_from_slice(&checksum::<CHECK_BYTES>(b"labward/share1", body));
        bytes
    }

    fn from_bytes(bytes: &[u8; SHARE_BYTES]) -> Option<Self> {
        let (body, check) = bytes.split_at(BODY_BYTES);
        let expected = checksum::<CHECK_BYTES>(b"labward/share1", body);
        constant_time_eq(&expected, check).then_some(())?;
        let (&[version], rest) = body.split_first_chunk()?;
        let (&set, rest) = rest.split_first_chunk()?;
        let (&[threshold, number], data) = rest.split_first_chunk()?;
        let known = version == VERSION && (2..=MAX_SHARES).contains(&threshold);
        (known && (1..=MAX_SHARES).contains(&number)).then_some(())?;
        Some(Self {
            set,
            threshold,
            number,
            data: Secret::new(data.try_into().ok()?),
        })
    }
}

/// Splits `secret` into `count` shares of which any `threshold` give it back.
///
/// # Errors
/// [`ShareError::BadNumbers`] unless 2 ≤ `threshold` ≤ `count` ≤ [`MAX_SHARES`];
/// [`ShareError::Crypto`] if the library gives no random bytes.
pub fn split(
    secret: &Secret<[u8; KEY_BYTES]>,
    threshold: u8,
    count: u8,
) -> Result<Vec<Share>, ShareError> {
    if threshold < 2 || threshold > count || count > MAX_SHARES {
        return Err(ShareError::BadNumbers);
    }
    let set = random_bytes()?;
    let mut payload = Zeroizing::new([0; DATA_BYTES]);
    let (first, check) = payload.split_at_mut(KEY_BYTES);
    first.copy_from_slice(secret.expose());
    check.copy_from_slice(&inner_check(secret.expose()));

    let mut random = LibraryRandom::default();
    let dealt: Vec<blahaj::Share> = Sharks(threshold)
        .dealer_rng(payload.as_slice(), &mut random)
        .take(usize::from(count))
        .collect();
    random.checked()?;
    (1..=count)
        .zip(&dealt)
        .map(|(number, share)| {
            let bytes = Zeroizing::new(Vec::from(share));
            let Some((&[x], data)) = bytes.split_first_chunk() else {
                return Err(ShareError::Crypto(CryptoFailed));
            };
            let data = data.try_into().map_err(|_| CryptoFailed)?;
            if x != number {
                return Err(ShareError::Crypto(CryptoFailed));
            }
            Ok(Share {
                set,
                threshold,
                number,
                data: Secret::new(data),
            })
        })
        .collect()
}

/// Reads shares that a person typed, and names the one that was mistyped.
///
/// # Errors
/// [`ShareError::Mistyped`] with the first such text's position, counted from 1.
pub fn parse_all<T: AsRef<str>>(texts: &[T]) -> Result<Vec<Share>, ShareError> {
    (1..)
        .zip(texts)
        .map(|(position, text)| {
            Share::parse(text.as_ref()).map_err(|_| ShareError::Mistyped { position })
        })
        .collect()
}

/// The secret of which `shares` are shares; more than the threshold may be given.
///
/// # Errors
/// [`ShareError::TooFew`], [`ShareError::ForeignSet`], [`ShareError::Duplicate`] or
/// [`ShareError::WrongSecret`].
pub fn combine(shares: &[Share]) -> Result<Secret<[u8; KEY_BYTES]>, ShareError> {
    let threshold = check_set(shares)?;
    let dealt = shares
        .iter()
        .map(|share| {
            let mut bytes = Zeroizing::new(vec![share.number]);
            bytes.reserve_exact(DATA_BYTES);
            bytes.extend_from_slice(share.data.expose());
            blahaj::Share::try_from(bytes.as_slice()).map_err(|_| ShareError::WrongSecret)
        })
        .collect::<Result<Vec<_>, _>>()?;
    let payload = Sharks(threshold)
        .recover(&dealt)
        .map(Zeroizing::new)
        .map_err(|_| ShareError::WrongSecret)?;
    let Some((secret, check)) = payload.split_first_chunk::<KEY_BYTES>() else {
        return Err(ShareError::WrongSecret);
    };
    if !constant_time_eq(&inner_check(secret), check) {
        return Err(ShareError::WrongSecret);
    }
    Ok(Secret::new(*secret))
}

/// The threshold of a set of distinct shares that is large enough.
fn check_set(shares: &[Share]) -> Result<u8, ShareError> {
    let Some(first) = shares.first() else {
        return Err(ShareError::TooFew {
            given: 0,
            needed: 2,
        });
    };
    let mut seen = [false; MAX_SHARES as usize + 1];
    for share in shares {
        if share.set != first.set || share.threshold != first.threshold {
            return Err(ShareError::ForeignSet {
                number: share.number,
            });
        }
        if let Some(seen) = seen.get_mut(usize::from(share.number))
            && std::mem::replace(seen, true)
        {
            return Err(ShareError::Duplicate {
                number: share.number,
            });
        }
    }
    if shares.len() < usize::from(first.threshold) {
        return Err(ShareError::TooFew {
            given: shares.len(),
            needed: first.threshold,
        });
    }
    Ok(first.threshold)
}

fn inner_check(secret: &[u8; KEY_BYTES]) -> [u8; INNER_CHECK_BYTES] {
    checksum(b"labward/share-secret1", secret)
}

fn checksum<const N: usize>(label: &[u8], bytes: &[u8]) -> [u8; N] {
    let mut digest = Sha256::new();
    digest.update(label);
    digest.update(bytes);
    let mut check = [0; N];
    for (to, from) in check.iter_mut().zip(digest.finish()) {
        *to = from;
    }
    check
}

/// The library's generator in the form `blahaj` takes, which has no way to fail: a failure is kept
/// and the shares made of it are thrown away.
#[derive(Default)]
struct LibraryRandom {
    failed: bool,
}

impl LibraryRandom {
    fn checked(&self) -> Result<(), CryptoFailed> {
        if self.failed {
            Err(CryptoFailed)
        } else {
            Ok(())
        }
    }

    fn draw<const N: usize>(&mut self) -> [u8; N] {
        random_bytes().unwrap_or_else(|_| {
            self.failed = true;
            [0; N]
        })
    }
}

impl TryRng for LibraryRandom {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_ne_bytes(self.draw()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_ne_bytes(self.draw()))
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        for chunk in dst.chunks_mut(32) {
            let mut drawn: [u8; 32] = self.draw();
            for (to, from) in chunk.iter_mut().zip(drawn) {
                *to = from;
            }
            drawn.zeroize();
        }
        Ok(())
    }
}

impl TryCryptoRng for LibraryRandom {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base32::ALPHABET;
    use proptest::prelude::*;

    fn secret(byte: u8) -> Secret<[u8; 32]> {
        Secret::new([byte; 32])
    }

    fn why<T>(answer: Result<T, ShareError>) -> ShareError {
        match answer {
            Ok(_) => panic!("no error"),
            Err(error) => error,
        }
    }

    #[test]
    fn any_threshold_of_the_shares_gives_the_secret_back() {
        let shares = split(&secret(7), 3, 5).unwrap();
        for a in 0..5 {
            for b in 0..5 {
                for c in 0..5 {
                    if a == b || b == c || a == c {
                        continue;
                    }
                    let some = [shares[a].clone(), shares[b].clone(), shares[c].clone()];
                    assert_eq!(combine(&some).unwrap().expose(), &[7; 32]);
                }
            }
        }
        assert_eq!(combine(&shares).unwrap().expose(), &[7; 32]);
    }

    /// Made by long multiplication in GF(256) modulo x^8 + x^4 + x^3 + x^2 + 1, after this file's
    /// first lines: paper written today must open in every later version.
    #[test]
    fn shares_on_old_paper_still_give_their_secret() {
        let paper = [
            "06NW-VVR3-07MD-65X5-FBVZ-6MPF-8KF6-6QTF-FF74-97HC-GHQ1-6DHM-9NYN-1BFP-WTMX-SVDE-YC2D-XC28",
            "06NW-VVR3-0G59-7C8R-G3A7-6B5P-GSD2-RS46-T3M8-XS3F-Y64T-SBAZ-BWP6-M1RD-E8P3-J96E-1PJR-W2MM",
            "06NW-VVR3-27WC-MDWP-1S9V-545N-Y34T-MNAC-96MV-FSKX-GFQ0-YXYN-NKKA-K1N7-TPG9-81PQ-XY8G-V58J",
        ];
        let shares = parse_all(&paper).unwrap();
        assert_eq!(shares[2].number(), 17);
        assert_eq!(shares[2].set(), 0xab_cdef);
        let secret: [u8; 32] = std::array::from_fn(|i| u8::try_from(i).unwrap());
        assert_eq!(combine(&shares).unwrap().expose(), &secret);
        assert_eq!(shares[0].to_text().expose(), paper[0]);
    }

    #[test]
    fn each_mistake_has_its_own_error() {
        let shares = split(&secret(7), 3, 5).unwrap();
        let others = split(&secret(7), 3, 5).unwrap();
        let two = &shares[..2];
        assert_eq!(
            why(combine(two)),
            ShareError::TooFew {
                given: 2,
                needed: 3
            }
        );
        assert_eq!(
            why(combine(&[])),
            ShareError::TooFew {
                given: 0,
                needed: 2
            }
        );
        let twice = [shares[0].clone(), shares[1].clone(), shares[1].clone()];
        assert_eq!(why(combine(&twice)), ShareError::Duplicate { number: 2 });
        let mixed = [shares[0].clone(), shares[1].clone(), others[4].clone()];
        assert_eq!(why(combine(&mixed)), ShareError::ForeignSet { number: 5 });
        let mut forged = [shares[0].clone(), shares[1].clone(), others[2].clone()];
        forged[2].set = shares[0].set;
        assert_eq!(why(combine(&forged)), ShareError::WrongSecret);
        for (threshold, count) in [(0, 0), (1, 3), (4, 3), (2, 33), (33, 33)] {
            let answer = split(&secret(7), threshold, count);
            assert_eq!(
                why(answer),
                ShareError::BadNumbers,
                "{threshold} of {count}"
            );
        }
    }

    #[test]
    fn a_share_is_read_back_as_people_type_it() {
        let shares = split(&secret(7), 2, 3).unwrap();
        for share in &shares {
            let text = share.to_text();
            let text = text.expose();
            assert_eq!(text.len(), TEXT_CHARS);
            assert!(text.split('-').all(|group| group.len() == 4), "{text}");
            let sloppy = text
                .to_lowercase()
                .replace('-', " ")
                .replace('0', "o")
                .replace('1', "l");
            for typed in [text.clone(), sloppy, text.replace('-', "\n")] {
                let read = Share::parse(&typed).unwrap();
                assert_eq!(read.number(), share.number());
                assert_eq!(read.set(), share.set());
                assert_eq!(read.threshold(), 2);
                assert_eq!(read.data.expose(), share.data.expose());
            }
        }
    }

    #[test]
    fn the_share_that_was_mistyped_is_named() {
        let texts: Vec<String> = split(&secret(7), 2, 3)
            .unwrap()
            .iter()
            .map(|share| share.to_text().expose().clone())
            .collect();
        for wrong in 0..3 {
            let place = 7;
            let mut typed = texts.clone();
            let other = if typed[wrong].as_bytes()[place] == b'X' {
                "Y"
            } else {
                "X"
            };
            typed[wrong].replace_range(place..=place, other);
            assert_eq!(
                why(parse_all(&typed)),
                ShareError::Mistyped {
                    position: wrong + 1
                }
            );
        }
    }

    #[test]
    fn every_single_mistyped_character_and_every_transposition_is_found() {
        let text = split(&secret(7), 2, 2).unwrap()[0]
            .to_text()
            .expose()
            .clone();
        let symbols: Vec<char> = text.chars().filter(|c| *c != '-').collect();
        for place in 0..symbols.len() {
            for other in ALPHABET.iter().map(|symbol| char::from(*symbol)) {
                let mut typed = symbols.clone();
                typed[place] = other;
                let typed: String = typed.into_iter().collect();
                assert_eq!(Share::parse(&typed).is_ok(), other == symbols[place]);
            }
            if place > 0 && symbols[place] != symbols[place - 1] {
                let mut typed = symbols.clone();
                typed.swap(place, place - 1);
                assert!(Share::parse(&typed.into_iter().collect::<String>()).is_err());
            }
            let cut: String = symbols[..place].iter().collect();
            assert!(Share::parse(&cut).is_err());
        }
        assert!(Share::parse(&(text + "0")).is_err());
    }

    #[test]
    fn the_highest_coefficient_takes_every_value_zero_included() {
        // With a threshold of 2 the second payload byte's share at x = 1 is secret ^ coefficient:
        // a generator that leaves zero out would never show the secret itself there.
        let mut seen = [false; 256];
        for _ in 0..400 {
            let share = &split(&secret(7), 2, 2).unwrap()[0];
            for byte in &share.data.expose()[..KEY_BYTES] {
                seen[usize::from(byte ^ 7)] = true;
            }
        }
        assert!(seen.iter().all(|seen| *seen), "12,800 draws miss a value");
    }

    proptest! {
        #[test]
        fn any_secret_comes_back_through_paper(
            bytes in any::<[u8; 32]>(),
            (threshold, count) in (2u8..=8).prop_flat_map(|k| (Just(k), k..=12)),
        ) {
            let shares = split(&Secret::new(bytes), threshold, count).unwrap();
            let texts: Vec<String> = shares
                .iter()
                .rev()
                .take(usize::from(threshold))
                .map(|share| share.to_text().expose().clone())
                .collect();
            let secret = combine(&parse_all(&texts).unwrap()).unwrap();
            prop_assert_eq!(secret.expose(), &bytes);
        }

        #[test]
        fn no_text_is_read_by_chance_or_panics(text in "\\PC{0,120}") {
            prop_assert!(Share::parse(&text).is_err());
        }
    }
}

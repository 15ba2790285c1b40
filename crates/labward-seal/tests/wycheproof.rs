//! The Wycheproof vectors through the crate's public interface.
//!
//! They lie outside the repository, where `LABWARD_TEST_DATA` points; without it each test says
//! that it was skipped.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "helpers of a test file: a malformed vector file must fail the test"
)]

use std::{env, fs, path::Path};

use labward_seal::primitive::{
    aes_256_gcm_open, aes_256_gcm_seal, aes_256_kwp_unwrap, aes_256_kwp_wrap, hkdf_sha256_expand,
};
use labward_seal::{constant_time_eq, hmac_sha256, sign};
use serde_json::Value;

/// Runs `check` on each vector with its group, and answers how many it took on.
fn each(name: &str, check: impl Fn(&Value, &Value) -> bool) -> Option<usize> {
    let Some(folder) = env::var_os("LABWARD_TEST_DATA") else {
        eprintln!("labward-skip: Wycheproof vectors: LABWARD_TEST_DATA is not set");
        return None;
    };
    let path = Path::new(&folder).join(format!("vectors/wycheproof_{name}.json"));
    let file: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let mut taken = 0;
    for group in file["testGroups"].as_array().unwrap() {
        for test in group["tests"].as_array().unwrap() {
            taken += usize::from(check(group, test));
        }
    }
    Some(taken)
}

fn bytes(value: &Value) -> Vec<u8> {
    let hex = value.as_str().unwrap();
    (0..hex.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap())
        .collect()
}

fn key_of(test: &Value) -> Option<[u8; 32]> {
    bytes(&test["key"]).try_into().ok()
}

fn is_valid(test: &Value) -> bool {
    test["result"] == "valid"
}

#[test]
fn aes_256_gcm_answers_as_wycheproof_says() {
    let taken = each("aes_gcm", |group, test| {
        let Some(key) = key_of(test) else {
            return false;
        };
        let Ok(nonce) = bytes(&test["iv"]).try_into() else {
            return false;
        };
        assert_eq!(group["tagSize"], 128);
        let (aad, plaintext) = (bytes(&test["aad"]), bytes(&test["msg"]));
        let (ciphertext, tag) = (bytes(&test["ct"]), bytes(&test["tag"]));

        let mut sealed = plaintext.clone();
        let own_tag = aes_256_gcm_seal(&key, &nonce, &aad, &mut sealed).unwrap();
        let same = sealed == ciphertext && own_tag.as_slice() == tag;
        assert_eq!(same, is_valid(test), "{test}");

        let mut opened = [ciphertext, tag].concat();
        let answer = aes_256_gcm_open(&key, &nonce, &aad, &mut opened);
        assert_eq!(answer.is_ok(), is_valid(test), "{test}");
        if is_valid(test) {
            assert_eq!(opened[..plaintext.len()], plaintext);
        }
        true
    });
    assert!(taken.is_none_or(|taken| taken == 66), "{taken:?}");
}

#[test]
fn aes_256_kwp_answers_as_wycheproof_says() {
    let taken = each("aes_kwp", |_, test| {
        let Some(kek) = key_of(test) else {
            return false;
        };
        let (secret, wrapped) = (bytes(&test["msg"]), bytes(&test["ct"]));
        let unwrapped = aes_256_kwp_unwrap(&kek, &wrapped);
        match test["result"].as_str().unwrap() {
            "invalid" => assert!(unwrapped.is_err(), "{test}"),
            "valid" => {
                assert_eq!(*unwrapped.unwrap(), secret, "{test}");
                assert_eq!(aes_256_kwp_wrap(&kek, &secret).unwrap(), wrapped, "{test}");
            }
            // "acceptable" marks secrets shorter than a block, which either answer fits.
            _ => assert!(
                unwrapped.is_err() || *unwrapped.unwrap() == secret,
                "{test}"
            ),
        }
        true
    });
    assert!(taken.is_none_or(|taken| taken > 50), "{taken:?}");
}

#[test]
fn hkdf_sha256_answers_as_wycheproof_says() {
    let taken = each("hkdf_sha256", |_, test| {
        let size = usize::try_from(test["size"].as_u64().unwrap()).unwrap();
        // Extract is one HMAC under the salt (RFC 5869, 2.2); we leave it out of our own use.
        let prk = hmac_sha256(&bytes(&test["salt"]), &bytes(&test["ikm"]));
        let mut okm = vec![0; size];
        let answer = hkdf_sha256_expand(&prk, &[&bytes(&test["info"])], &mut okm);
        assert_eq!(answer.is_ok(), is_valid(test), "{test}");
        if is_valid(test) {
            assert_eq!(okm, bytes(&test["okm"]), "{test}");
        }
        true
    });
    assert!(taken.is_none_or(|taken| taken == 86), "{taken:?}");
}

#[test]
fn hmac_sha256_answers_as_wycheproof_says() {
    let taken = each("hmac_sha256", |group, test| {
        let length = usize::try_from(group["tagSize"].as_u64().unwrap() / 8).unwrap();
        let own = hmac_sha256(&bytes(&test["key"]), &bytes(&test["msg"]));
        let same = constant_time_eq(&own[..length], &bytes(&test["tag"]));
        assert_eq!(same, is_valid(test), "{test}");
        true
    });
    assert!(taken.is_none_or(|taken| taken == 174), "{taken:?}");
}

#[test]
fn ed25519_answers_as_wycheproof_says() {
    let taken = each("ed25519", |group, test| {
        let public = bytes(&group["publicKey"]["pk"]);
        let answer = sign::verify(&public, &bytes(&test["msg"]), &bytes(&test["sig"]));
        assert_eq!(answer.is_ok(), is_valid(test), "{test}");
        true
    });
    assert!(taken.is_none_or(|taken| taken == 151), "{taken:?}");
}

//! A passkey device in software: what a browser and a security key would answer together.
//!
//! It must never be used to sign anybody in outside a test: its key lies in memory, and it verifies
//! nobody. Its members can be changed to answer as a stolen, copied or foreign device would.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

const USER_PRESENT: u8 = 0x01;
const USER_VERIFIED: u8 = 0x04;
const ATTESTED: u8 = 0x40;

/// One device with one passkey.
pub struct Authenticator {
    pair: EcdsaKeyPair,
    id: Vec<u8>,
    handle: String,
    /// Where the browser says that it is.
    pub origin: String,
    /// The name for which the device signs.
    pub relying_party: String,
    /// Whether the device says that it has verified its person.
    pub verified: bool,
    /// The signatures that it has made; the next one says one more.
    pub counter: u32,
}

impl Authenticator {
    /// A device that makes a passkey for these options of a creation in a browser at `origin`, and
    /// the browser's answer.
    ///
    /// # Panics
    /// If the options are none.
    pub fn create(options: &str, origin: &str) -> (Self, String) {
        let options = parsed(options);
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key");
        let id = digest(&SHA256, pair.public_key().as_ref())
            .as_ref()
            .to_vec();
        let device = Self {
            id,
            handle: text(at(&options, "/publicKey/user/id")),
            origin: origin.to_owned(),
            relying_party: text(at(&options, "/publicKey/rp/id")),
            verified: true,
            counter: 0,
            pair,
        };
        let answer = device.created(&text(at(&options, "/publicKey/challenge")));
        (device, answer)
    }

    /// The answer to a creation with this challenge.
    pub fn created(&self, challenge: &str) -> String {
        let mut data = self.data(ATTESTED);
        data.extend([0; 16]);
        data.extend([0, 32]);
        data.extend(&self.id);
        // A COSE key: EC2, ES256, P-256, x and y (RFC 9053).
        let point = self.pair.public_key().as_ref();
        let (x, y) = point.split_at(1).1.split_at(32);
        data.extend([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
        data.extend(x);
        data.extend([0x22, 0x58, 0x20]);
        data.extend(y);
        let mut object = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58".to_vec();
        object.push(u8::try_from(data.len()).expect("short data"));
        object.extend(data);
        let response = json!({
            "attestationObject": URL_SAFE_NO_PAD.encode(object),
            "clientDataJSON": URL_SAFE_NO_PAD.encode(self.client("webauthn.create", challenge)),
        });
        let extensions = json!({ "credProps": { "rk": true } });
        self.answer_with(&response, &extensions)
    }

    /// The answer to these options of a sign-in.
    ///
    /// # Panics
    /// If the options are none.
    pub fn answer(&mut self, options: &str) -> String {
        self.counter += 1;
        let options = parsed(options);
        let client = self.client("webauthn.get", &text(at(&options, "/publicKey/challenge")));
        let data = self.data(0);
        let hashed = digest(&SHA256, client.as_bytes());
        let signed = [&data, hashed.as_ref()].concat();
        let signature = self.pair.sign(&SystemRandom::new(), &signed);
        let response = json!({
            "authenticatorData": URL_SAFE_NO_PAD.encode(data),
            "clientDataJSON": URL_SAFE_NO_PAD.encode(client),
            "signature": URL_SAFE_NO_PAD.encode(signature.expect("a signature")),
            "userHandle": self.handle,
        });
        self.answer_with(&response, &json!({}))
    }

    fn answer_with(&self, response: &Value, extensions: &Value) -> String {
        let id = URL_SAFE_NO_PAD.encode(&self.id);
        let answer = json!({
            "id": id,
            "rawId": id,
            "type": "public-key",
            "response": response,
            "clientExtensionResults": extensions,
        });
        answer.to_string()
    }

    /// The authenticator data up to the counter.
    fn data(&self, flags: u8) -> Vec<u8> {
        let verified = if self.verified { USER_VERIFIED } else { 0 };
        let mut data = digest(&SHA256, self.relying_party.as_bytes())
            .as_ref()
            .to_vec();
        data.push(flags | USER_PRESENT | verified);
        data.extend(self.counter.to_be_bytes());
        data
    }

    fn client(&self, kind: &str, challenge: &str) -> String {
        let client = json!({
            "type": kind,
            "challenge": challenge,
            "origin": self.origin,
            "crossOrigin": false,
        });
        client.to_string()
    }
}

fn parsed(options: &str) -> Value {
    serde_json::from_str(options).expect("options are JSON")
}

fn at<'a>(options: &'a Value, pointer: &str) -> &'a Value {
    options.pointer(pointer).unwrap_or(&Value::Null)
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

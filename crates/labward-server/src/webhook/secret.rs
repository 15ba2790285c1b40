//! Signatures by the Standard Webhooks specification 1.0.0: HMAC-SHA256 over id, time and body.
//!
//! It must never put a secret into a log, or sign anything but what is sent with it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labward_base::{Secret, Timestamp};
use labward_seal::{CryptoFailed, hmac_sha256, random_bytes};

/// Bytes of a secret that is made here; the specification takes 24 to 64.
const SECRET_BYTES: usize = 32;
/// What stands before a secret as it is shown.
const PREFIX: &str = "whsec_";
/// The version of the signature: HMAC-SHA256.
const VERSION: &str = "v1";

/// What the events of one webhook are signed with.
pub(super) struct WebhookSecret(Secret<Vec<u8>>);

impl WebhookSecret {
    pub(super) fn generate() -> Result<Self, CryptoFailed> {
        let bytes = random_bytes::<SECRET_BYTES>()?;
        Ok(Self(Secret::new(bytes.to_vec())))
    }

    /// A secret that was kept.
    pub(super) const fn kept(bytes: Secret<Vec<u8>>) -> Self {
        Self(bytes)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.expose()
    }

    /// As a person gives it to the receiver.
    pub(super) fn text(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(self.bytes()))
    }

    fn sign(&self, id: &str, time: Timestamp, body: &str) -> String {
        // An id holds no full stop, so that what is signed is read in one way only.
        let signed = format!("{id}.{}.{body}", time.as_seconds());
        let mac = hmac_sha256(self.bytes(), signed.as_bytes());
        format!("{VERSION},{}", STANDARD.encode(mac))
    }
}

/// The header `webhook-signature`: one signature for each secret that holds.
pub(super) fn signatures(
    secrets: &[WebhookSecret],
    id: &str,
    time: Timestamp,
    body: &str,
) -> String {
    let signed = secrets.iter().map(|secret| secret.sign(id, time, body));
    signed.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const BODY: &str = "{\"test\": 2432232314}";

    fn published() -> WebhookSecret {
        let bytes = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        WebhookSecret::kept(Secret::new(bytes))
    }

    #[test]
    fn the_published_example_of_the_specification_comes_out_to_the_byte() {
        let time = Timestamp::from_seconds(1_614_265_330);
        assert_eq!(
            signatures(&[published()], ID, time, BODY),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
        assert_eq!(published().text(), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    }

    #[test]
    fn id_time_and_body_are_all_signed_and_two_secrets_sign_side_by_side() {
        let time = Timestamp::from_seconds(1_614_265_330);
        let one = signatures(&[published()], ID, time, BODY);
        let later = Timestamp::from_seconds(1_614_265_331);
        for other in [
            signatures(&[published()], "msg_other", time, BODY),
            signatures(&[published()], ID, later, BODY),
            signatures(&[published()], ID, time, "{}"),
            signatures(&[WebhookSecret::generate().unwrap()], ID, time, BODY),
        ] {
            assert_ne!(other, one);
        }
        let made = WebhookSecret::generate().unwrap();
        let both = signatures(&[made, published()], ID, time, BODY);
        let both: Vec<&str> = both.split(' ').collect();
        assert_eq!((both.len(), both[1]), (2, one.as_str()));
    }

    #[test]
    fn a_secret_has_256_bits_and_no_two_are_alike() {
        let (a, b) = (
            WebhookSecret::generate().unwrap(),
            WebhookSecret::generate().unwrap(),
        );
        assert_eq!(a.bytes().len(), 32);
        assert_ne!(a.text(), b.text());
    }
}

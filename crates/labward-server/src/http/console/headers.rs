//! What every answer tells the browser it must not do.
//!
//! It must never allow a script or a style that stands in a page, a frame around it, or a copy of it
//! in a cache.

use std::fmt;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use labward_console::frame::Lasts;

use crate::sign_on::LASTS;

/// The name of the cookie: the prefix ties it to this host, TLS and the whole site (RFC 6265bis).
const COOKIE: &str = "__Host-labward";

/// The name of the cookie of a sign-in with the identity provider.
const SIGN_ON: &str = "__Host-labward-sign-on";

/// What lets the scripts of one page run, and nobody else's.
#[derive(Clone, Debug)]
pub(crate) struct Nonce(String);

impl Nonce {
    /// A fresh one; without random bytes no script runs.
    pub(crate) fn new() -> Self {
        let bytes = labward_seal::random_bytes::<16>();
        Self(bytes.map_or_else(|_| String::new(), |bytes| URL_SAFE_NO_PAD.encode(bytes)))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The cookie of a session: for this host, over TLS, out of the reach of scripts, and not sent with
/// what another site makes the browser send.
pub(super) fn session_cookie(id: &str) -> String {
    format!("{COOKIE}={id}; Path=/; Secure; HttpOnly; SameSite=Lax")
}

/// Takes the cookie away.
pub(super) fn no_cookie() -> String {
    session_cookie("") + "; Max-Age=0"
}

/// The cookie by which a browser is known that was sent to the identity provider: as that of a session,
/// for as long as a sign-in may take.
pub(super) fn sign_on_cookie(value: &str) -> String {
    let seconds = LASTS.as_secs();
    format!("{SIGN_ON}={value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={seconds}")
}

/// The value of the cookie of a session.
pub(super) fn cookie_of(headers: &HeaderMap) -> Option<&str> {
    value_of(headers, COOKIE)
}

/// The value of the cookie of a sign-in with the identity provider.
pub(super) fn sign_on_of(headers: &HeaderMap) -> Option<&str> {
    value_of(headers, SIGN_ON)
}

fn value_of<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE);
    let pairs = all.iter().filter_map(|line| line.to_str().ok());
    pairs
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == wanted)
        .map(|(_, value)| value)
}

/// Says how long the session lasts, unused and in any case: two numbers of seconds, for the script that
/// warns before its end (45 CFR 164.312(a)(2)(iii)).
pub(super) fn lasts(headers: &mut HeaderMap, lasts: Lasts) {
    let name = HeaderName::from_static("labward-session");
    if let Ok(value) = HeaderValue::from_str(&format!("{} {}", lasts.idle, lasts.absolute)) {
        headers.insert(name, value);
    }
}

/// Adds what protects the answer; a page also has its nonce and stays out of every cache.
pub(in crate::http) fn protect(headers: &mut HeaderMap, nonce: Option<&Nonce>) {
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        ),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let policy = match nonce {
        Some(nonce) => {
            let never = HeaderValue::from_static("no-store");
            headers.insert(header::CACHE_CONTROL, never);
            format!(
                "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; \
                 img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; \
                 form-action 'self'; frame-ancestors 'none'; \
                 require-trusted-types-for 'script'; trusted-types htmx"
            )
        }
        None => "default-src 'none'; frame-ancestors 'none'".to_owned(),
    };
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_runs_no_script_but_ours_and_rests_in_no_cache() {
        let mut headers = HeaderMap::new();
        let nonce = Nonce::new();
        protect(&mut headers, Some(&nonce));
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none';"));
        assert!(policy.contains(&format!("'nonce-{nonce}'")) && !policy.contains("unsafe"));
        assert_eq!(headers[header::CACHE_CONTROL], "no-store");
        assert_ne!(Nonce::new().as_str(), nonce.as_str());
        assert_eq!(nonce.as_str().len(), 22);
    }

    #[test]
    fn the_cookie_is_out_of_reach() {
        let cookie = session_cookie("abc");
        for part in [
            "__Host-labward=abc;",
            "Secure",
            "HttpOnly",
            "SameSite=Lax",
            "Path=/",
        ] {
            assert!(cookie.contains(part), "{part}");
        }
        assert!(!cookie.contains("Domain"));
        assert!(no_cookie().starts_with("__Host-labward=;") && no_cookie().ends_with("Max-Age=0"));
    }

    #[test]
    fn our_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        for line in ["a=1; b=2", "x=y;__Host-labward=abc; z=1"] {
            headers.append(header::COOKIE, HeaderValue::from_static(line));
        }
        assert_eq!(cookie_of(&headers), Some("abc"));
        let strange = HeaderValue::from_static("labward=abc");
        headers.insert(header::COOKIE, strange);
        assert_eq!(cookie_of(&headers), None);
    }

    #[test]
    fn an_answer_says_how_long_the_session_lasts() {
        let mut headers = HeaderMap::new();
        let lasting = Lasts {
            idle: 900,
            absolute: 43_200,
        };
        lasts(&mut headers, lasting);
        assert_eq!(headers["labward-session"], "900 43200");
    }
}

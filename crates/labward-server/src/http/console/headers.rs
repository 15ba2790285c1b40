//! What every answer tells the browser it must not do.
//!
//! It must never allow a script or a style that stands in a page, a frame around it, or a copy of it
//! in a cache.

use std::fmt;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Takes the cookie away.
pub(super) const NO_COOKIE: &str =
    "__Host-labward=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0";

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
    format!(
        "{}={id}; Path=/; Secure; HttpOnly; SameSite=Lax",
        super::COOKIE
    )
}

/// Adds what protects the answer; a page also has its nonce and stays out of every cache.
pub(super) fn protect(headers: &mut HeaderMap, nonce: Option<&Nonce>) {
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
    }
}

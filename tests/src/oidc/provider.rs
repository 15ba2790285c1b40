//! A small identity provider that lies as it is told; it signs with a key that is made when it starts.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use labward_testkit::TempDir;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

/// What Labward shows the provider.
pub(crate) const SECRET: &str = "a-secret-of-the-client-at-the-provider";
const ACCESS_TOKEN: &str = "access-token-4711";

/// In which way the provider does not tell the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lie {
    AlgNone,
    AlgNoneUnsigned,
    Audience,
    /// The person's claims are at the userinfo endpoint only: no lie.
    ByUserInfo,
    Endless,
    Expired,
    Garbage,
    Groups(&'static [&'static str]),
    Hs256WithSecret,
    Issuer,
    MoreAudiences,
    NoIdToken,
    NoNonce,
    Nonce,
    None,
    OtherAccessToken,
    OtherKey,
    OtherUserInfo,
    Redirects,
    Refuses,
    Silent,
    Subject(&'static str),
    Tampered,
    UnverifiedByUserInfo,
    /// Only the ID token says so; the userinfo endpoint says the contrary.
    UnverifiedEmail,
}

/// A provider on loopback.
pub(crate) struct Provider {
    shared: Arc<Shared>,
    place: TempDir,
}

struct Shared {
    address: SocketAddr,
    tls: Arc<ServerConfig>,
    key: EcdsaKeyPair,
    other_key: EcdsaKeyPair,
    stopped: AtomicBool,
    asked: Mutex<Asked>,
    waits: Condvar,
}

/// The request that a browser brought last.
struct Asked {
    lie: Lie,
    nonce: String,
    challenge: String,
    exchanges: usize,
    proved: usize,
    /// Those who wait for an answer that never comes.
    waiting: usize,
    /// Those who followed a redirection.
    strays: usize,
}

fn key() -> EcdsaKeyPair {
    EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()
}

impl Provider {
    pub(crate) fn start() -> Self {
        let place = TempDir::new();
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(place.join("ca.pem"), certified.cert.pem()).unwrap();
        let secret = place.join("secret");
        std::fs::write(&secret, format!("{SECRET}\n")).unwrap();
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(secret, private).unwrap();
        let key_der = PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certified.cert.der().clone()], key_der.into())
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let shared = Arc::new(Shared {
            address: listener.local_addr().unwrap(),
            tls: Arc::new(tls),
            key: key(),
            other_key: key(),
            stopped: AtomicBool::new(false),
            asked: Mutex::new(Asked {
                lie: Lie::None,
                nonce: String::new(),
                challenge: String::new(),
                exchanges: 0,
                proved: 0,
                waiting: 0,
                strays: 0,
            }),
            waits: Condvar::new(),
        });
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if serving.stopped.load(Ordering::Acquire) {
                    return;
                }
                let serving = Arc::clone(&serving);
                std::thread::spawn(move || serving.serve(stream.unwrap()));
            }
        });
        Self { shared, place }
    }

    pub(crate) fn issuer(&self) -> String {
        self.shared.issuer()
    }

    pub(crate) fn ca_file(&self) -> PathBuf {
        self.place.join("ca.pem")
    }

    pub(crate) fn secret_file(&self) -> PathBuf {
        self.place.join("secret")
    }

    /// The table of the configuration that names it.
    pub(crate) fn table(&self, more: &str) -> String {
        format!(
            "oidc = {{ name = \"Clinic\", issuer = \"{}\", client_id = \"labward\", {more}\
             client_secret_file = \"{}\", ca_file = \"{}\", \
             groups = {{ clinical-staff = [\"lab-staff\"], it = [\"it-people\"], \
             expert = [\"auditors\"] }} }}\n",
            self.issuer(),
            self.secret_file().display(),
            self.ca_file().display()
        )
    }

    /// A browser comes with this address; gives the state to go back with.
    pub(crate) fn asked(&self, url: &str, lie: Lie) -> String {
        let (_, query) = url.split_once('?').unwrap();
        let value = |name: &str| {
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            let found = pairs.into_iter().find(|(known, _)| *known == name);
            found
                .unwrap_or_else(|| panic!("no {name} in {url}"))
                .1
                .to_owned()
        };
        assert_eq!(value("response_type"), "code");
        assert_eq!(value("code_challenge_method"), "S256");
        assert_eq!(value("client_id"), "labward");
        assert_eq!(value("scope"), "openid+profile+email");
        assert!(value("redirect_uri").ends_with("%2Fsign-in%2Fprovider%2Fcallback"));
        let mut asked = self.shared.asked.lock().unwrap();
        asked.lie = lie;
        asked.nonce = value("nonce");
        asked.challenge = value("code_challenge");
        value("state")
    }

    /// Whether each code was exchanged with the verifier of its challenge and the client's secret.
    pub(crate) fn every_exchange_was_proved(&self) -> bool {
        let asked = self.shared.asked.lock().unwrap();
        asked.exchanges > 0 && asked.exchanges == asked.proved
    }

    /// Returns when so many wait for an answer that never comes.
    pub(crate) fn until_waiting(&self, count: usize) {
        let asked = self.shared.asked.lock().unwrap();
        let wait = self
            .shared
            .waits
            .wait_while(asked, |asked| asked.waiting < count);
        drop(wait.unwrap());
    }

    /// How many followed a redirection.
    pub(crate) fn strays(&self) -> usize {
        self.shared.asked.lock().unwrap().strays
    }

    /// Listens no more.
    pub(crate) fn stop(&self) {
        self.shared.stopped.store(true, Ordering::Release);
        drop(TcpStream::connect(self.shared.address));
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn issuer(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    fn serve(&self, stream: TcpStream) {
        let connection = ServerConnection::new(Arc::clone(&self.tls)).unwrap();
        let mut stream = StreamOwned::new(connection, stream);
        let Some((head, body)) = request(&mut stream) else {
            return;
        };
        let path = head.split(' ').nth(1).unwrap_or_default();
        let lie = self.asked.lock().unwrap().lie;
        let answer = match path {
            "/.well-known/openid-configuration" => self.description(),
            "/jwks" => self.keys(),
            "/userinfo" => self.user_info(lie),
            "/token" => match lie {
                Lie::Endless => {
                    let _ = stream.write_all(
                        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{\"a\":\"",
                    );
                    while stream.write_all(&[b'x'; 16_384]).is_ok() {}
                    return;
                }
                Lie::Silent => {
                    self.asked.lock().unwrap().waiting += 1;
                    self.waits.notify_all();
                    // Until the other side has enough of it.
                    let _ = stream.read(&mut [0]);
                    return;
                }
                Lie::Redirects => {
                    let _ = write!(
                        stream,
                        "HTTP/1.1 307 Temporary Redirect\r\nlocation: {}/elsewhere\r\ncontent-length: 0\r\n\r\n",
                        self.issuer()
                    );
                    return;
                }
                Lie::Refuses => {
                    let body = "{\"error\":\"invalid_grant\"}";
                    let _ = write!(
                        stream,
                        "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                        body.len()
                    );
                    return;
                }
                _ => self.tokens(&head, &body, lie),
            },
            "/elsewhere" => {
                self.asked.lock().unwrap().strays += 1;
                Value::Null
            }
            _ => Value::Null,
        };
        let text = answer.to_string();
        let _ = write!(
            stream,
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{text}",
            text.len()
        );
        stream.conn.send_close_notify();
        let _ = stream.flush();
    }

    fn description(&self) -> Value {
        let issuer = self.issuer();
        json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": format!("{issuer}/token"),
            "userinfo_endpoint": format!("{issuer}/userinfo"),
            "jwks_uri": format!("{issuer}/jwks"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            // It offers what nobody should take.
            "id_token_signing_alg_values_supported": ["ES256", "HS256", "none"],
        })
    }

    fn keys(&self) -> Value {
        let public = self.key.public_key().as_ref();
        json!({"keys": [{
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": "1",
            "x": URL_SAFE_NO_PAD.encode(&public[1..33]),
            "y": URL_SAFE_NO_PAD.encode(&public[33..65]),
        }]})
    }

    fn user_info(&self, lie: Lie) -> Value {
        let subject = match lie {
            Lie::OtherUserInfo => "sub-mallory",
            _ => "sub-clara",
        };
        json!({
            "sub": subject, "name": "Clara Cole", "email": "clara@example.org",
            "email_verified": lie != Lie::UnverifiedByUserInfo, "groups": ["lab-staff"],
        })
    }

    fn tokens(&self, head: &str, body: &str, lie: Lie) -> Value {
        let mut asked = self.asked.lock().unwrap();
        let verifier = body
            .split('&')
            .find_map(|pair| pair.strip_prefix("code_verifier="));
        let verifier = digest::digest(&digest::SHA256, verifier.unwrap_or_default().as_bytes());
        let basic = base64::engine::general_purpose::STANDARD.encode(format!("labward:{SECRET}"));
        let is_client = head
            .to_ascii_lowercase()
            .contains(&format!("basic {basic}").to_ascii_lowercase());
        asked.exchanges += 1;
        if URL_SAFE_NO_PAD.encode(verifier.as_ref()) == asked.challenge && is_client {
            asked.proved += 1;
        }
        let claims = self.claims(lie, &asked.nonce);
        let mut answer = json!({
            "access_token": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 300,
        });
        match lie {
            Lie::NoIdToken => {}
            Lie::Garbage => answer["id_token"] = json!("eyJ.garbage"),
            _ => answer["id_token"] = json!(self.sign(lie, &claims)),
        }
        answer
    }

    fn claims(&self, lie: Lie, nonce: &str) -> Value {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let mut claims = json!({
            "iss": self.issuer(), "sub": "sub-clara", "aud": "labward", "nonce": nonce,
            "iat": now, "exp": now + 300, "name": "Clara Cole", "email": "Clara@example.org",
            "email_verified": true, "groups": ["lab-staff", "choir"],
        });
        let mut set = |name: &str, value: Value| claims[name] = value;
        match lie {
            Lie::Audience => set("aud", json!("another-client")),
            Lie::Expired => set("exp", json!(now - 1)),
            Lie::Groups(groups) => set("groups", json!(groups)),
            Lie::Issuer => set("iss", json!("https://localhost:1")),
            Lie::MoreAudiences => set("aud", json!(["labward", "another-client"])),
            Lie::Nonce => set("nonce", json!("of-another-sign-in")),
            Lie::OtherAccessToken => set("at_hash", json!("AAAAAAAAAAAAAAAAAAAAAA")),
            Lie::Subject(subject) => set("sub", json!(subject)),
            Lie::UnverifiedEmail => set("email_verified", json!(false)),
            _ => {}
        }
        let members = claims.as_object_mut().unwrap();
        match lie {
            Lie::NoNonce => drop(members.remove("nonce")),
            Lie::ByUserInfo | Lie::OtherUserInfo | Lie::UnverifiedByUserInfo => {
                members.retain(|name, _| {
                    !["name", "email", "email_verified", "groups"].contains(&name.as_str())
                });
            }
            _ => {}
        }
        claims
    }

    fn sign(&self, lie: Lie, claims: &Value) -> String {
        let alg = match lie {
            Lie::AlgNone | Lie::AlgNoneUnsigned => "none",
            Lie::Hs256WithSecret => "HS256",
            _ => "ES256",
        };
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = encode(&json!({"alg": alg, "kid": "1", "typ": "JWT"}));
        let signed = format!("{header}.{}", encode(claims));
        let by = |key: &EcdsaKeyPair| {
            let signature = key.sign(&SystemRandom::new(), signed.as_bytes());
            signature.unwrap().as_ref().to_vec()
        };
        let signature = match lie {
            Lie::AlgNoneUnsigned => Vec::new(),
            Lie::Hs256WithSecret => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
                hmac::sign(&key, signed.as_bytes()).as_ref().to_vec()
            }
            Lie::OtherKey => by(&self.other_key),
            _ => by(&self.key),
        };
        let signed = match lie {
            Lie::Tampered => {
                let mut claims = claims.clone();
                claims["groups"] = json!(["lab-staff", "it-people"]);
                format!("{header}.{}", encode(&claims))
            }
            _ => signed,
        };
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// One request: its head and its body.
fn request(stream: &mut StreamOwned<ServerConnection, TcpStream>) -> Option<(String, String)> {
    let mut text = String::new();
    let mut buffer = [0; 4_096];
    loop {
        let length = stream.read(&mut buffer).ok().filter(|length| *length > 0)?;
        text.push_str(std::str::from_utf8(buffer.get(..length)?).ok()?);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let wanted = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let is_length = name.eq_ignore_ascii_case("content-length");
            is_length.then(|| value.trim().parse::<usize>().ok())?
        });
        if body.len() >= wanted.unwrap_or(0) {
            return Some((head.to_owned(), body.to_owned()));
        }
    }
}

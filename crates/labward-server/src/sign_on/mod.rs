//! Signing in with the lab's identity provider: the authorization code flow of OpenID Connect with
//! PKCE, state and nonce.
//!
//! It must never hold the server up for a provider that is slow or gone (two conversations at a time,
//! each request within seconds), take an answer that this browser did not ask for, or keep a token.
//! Person or entity authentication is 45 CFR 164.312(d).
//!
//! | Module | Holds |
//! |---|---|
//! | `client` | HTTPS to the provider, bounded in time and size |
//! | `pending` | sign-ins under way: in memory, ten minutes, for one use |
//! | `provider` | the flow itself, and which claims count |

mod client;
mod pending;
mod provider;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use labward_base::{Clock, Remark, Timestamp, problem, remark};
use labward_identity::{AnswerFault, Attempt, Client, ProviderAccounts};
use labward_seal::{constant_time_eq, random_bytes, sha256};

pub(crate) use self::pending::LASTS;
use self::pending::{Pending, Pendings};
use self::provider::{Fault, Provider};
use crate::config::OidcConfig;
use crate::http::Failure;

/// Conversations with the provider at the same time; the other handlers stay free.
const CONVERSATIONS: usize = 2;
/// How long a description of the provider is good for.
const KEPT: Duration = Duration::from_secs(300);
/// How long a provider that did not answer is not asked again.
const REST: Duration = Duration::from_secs(5);

/// Where people come back to.
pub(crate) const CALLBACK: &str = "/sign-in/provider/callback";

/// Sign-ins with the identity provider.
pub(crate) struct SignOn {
    clock: Arc<dyn Clock>,
    accounts: ProviderAccounts,
    pendings: Pendings,
    known: Mutex<Known>,
    talking: AtomicUsize,
}

/// What is known of the provider.
#[derive(Default)]
struct Known {
    provider: Option<Arc<Provider>>,
    /// The configuration with which it last did not answer, and when.
    failed: Option<(OidcConfig, Timestamp)>,
    /// Since when it has not answered with this configuration.
    silent: Option<(OidcConfig, Timestamp)>,
}

/// A sign-in that was begun.
pub(crate) struct Begun {
    /// What the browser's cookie holds, by which it is known again.
    pub(crate) browser: String,
    /// Where the browser goes.
    pub(crate) url: String,
}

/// What the browser brought back.
pub(crate) struct Returned<'a> {
    /// What it was sent away with.
    pub(crate) state: &'a str,
    /// What is exchanged for tokens.
    pub(crate) code: &'a str,
    /// Why there is no code.
    pub(crate) error: &'a str,
    /// Who says so, where the provider names itself (RFC 9207).
    pub(crate) issuer: &'a str,
    /// What its cookie holds.
    pub(crate) browser: &'a str,
}

/// One conversation; dropped when it is over.
struct Turn<'a>(&'a AtomicUsize);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl SignOn {
    /// Over the accounts of the lab.
    pub(crate) fn new(clock: Arc<dyn Clock>, accounts: ProviderAccounts) -> Self {
        Self {
            clock,
            accounts,
            pendings: Pendings::default(),
            known: Mutex::default(),
            talking: AtomicUsize::new(0),
        }
    }

    /// The accounts of the lab at the provider.
    pub(crate) const fn accounts(&self) -> &ProviderAccounts {
        &self.accounts
    }

    /// Begins a sign-in of this client; `base` is where browsers find the console.
    pub(crate) fn begin(
        &self,
        config: &OidcConfig,
        base: &str,
        client: &Client,
    ) -> Result<Begun, Failure> {
        let _turn = self.turn()?;
        let provider = self.provider(config)?;
        let redirect = format!("{base}{CALLBACK}");
        let [state, nonce, browser] = [random()?, random()?, random()?];
        let asked = provider.ask(&redirect, &state, nonce);
        let asked = asked.map_err(|fault| self.failed(fault, client))?;
        let now = self.clock.now();
        let pending = Pending {
            browser_sha256: sha256(browser.as_bytes()),
            nonce: asked.nonce,
            verifier: asked.verifier,
            issuer: config.issuer.clone(),
            redirect,
            source: client.address,
            ends_at: now.plus(LASTS),
        };
        if !self.pendings.put(&state, pending, now) {
            return Err(Failure::new(&problem::SERVER_BUSY));
        }
        Ok(Begun {
            browser,
            url: asked.url,
        })
    }

    /// Ends a sign-in with what the browser brought back: a session, or a refusal that was recorded.
    pub(crate) fn finish(
        &self,
        config: &OidcConfig,
        returned: &Returned<'_>,
        client: &Client,
    ) -> Result<Attempt, Failure> {
        let now = self.clock.now();
        let refused = |fault, problem| {
            self.accounts.refused(fault, client, now);
            Failure::new(problem)
        };
        let foreign = || refused(AnswerFault::Foreign, &problem::SIGN_ON_NOT_BEGUN);
        let pending = self.pendings.take(returned.state, returned.browser, now);
        let pending = pending.ok_or_else(foreign)?;
        if pending.issuer != config.issuer {
            return Err(foreign());
        }
        let is_named = !returned.issuer.is_empty();
        if is_named && !constant_time_eq(returned.issuer.as_bytes(), config.issuer.as_bytes()) {
            tracing::warn!("an answer came back in the name of another issuer");
            let problem = &problem::SIGN_ON_NOT_VERIFIED;
            return Err(refused(AnswerFault::NotVerified, problem));
        }
        if returned.code.is_empty() {
            tracing::warn!(
                error = %plain(returned.error),
                "the identity provider did not let somebody in"
            );
            let problem = &problem::SIGN_ON_DECLINED;
            return Err(refused(AnswerFault::Declined, problem));
        }
        let _turn = self.turn()?;
        let provider = self.provider(config)?;
        let Pending {
            nonce,
            verifier,
            redirect,
            ..
        } = pending;
        let vouched = provider.vouch(&redirect, returned.code, &nonce, verifier);
        let vouched = vouched.map_err(|fault| {
            // Its keys may be others by now.
            self.forget();
            self.failed(fault, client)
        })?;
        let adds_people = config.adds_people;
        Ok(self.accounts.admit(&vouched, adds_people, client, now)?)
    }

    /// Asks the provider for its description, if none is known that is fresh; whether it answers is known
    /// afterwards.
    pub(crate) fn look(&self, config: &OidcConfig) {
        // What keeps it from being asked is no news of it.
        if let Ok(_turn) = self.turn() {
            let _ = self.provider(config);
        }
    }

    /// Since when the provider does not answer; `None` inside if it does.
    ///
    /// # Errors
    /// A remark if it was not asked yet (**Invariant:** a missing measurement is never a pass).
    pub(crate) fn silent_since(&self, config: &OidcConfig) -> Result<Option<Timestamp>, Remark> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, since)) = known.silent.as_ref().filter(|(one, _)| one == config) {
            return Ok(Some(*since));
        }
        let answered = known.provider.as_ref().is_some_and(|one| one.is_of(config));
        match answered {
            true => Ok(None),
            false => Err(remark::provider_not_asked()),
        }
    }

    fn turn(&self) -> Result<Turn<'_>, Failure> {
        let before = self.talking.fetch_add(1, Ordering::AcqRel);
        let turn = Turn(&self.talking);
        match before < CONVERSATIONS {
            true => Ok(turn),
            false => Err(Failure::new(&problem::SERVER_BUSY)),
        }
    }

    /// The provider as it describes itself, asked again after five minutes.
    fn provider(&self, config: &OidcConfig) -> Result<Arc<Provider>, Failure> {
        let now = self.clock.now();
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = known.provider.as_ref().filter(|provider| {
            provider.is_of(config) && now >= provider.since && now.since(provider.since) < KEPT
        });
        if let Some(provider) = fresh {
            return Ok(Arc::clone(provider));
        }
        let rests = known
            .failed
            .as_ref()
            .is_some_and(|(failed, at)| failed == config && now >= *at && now.since(*at) < REST);
        if rests {
            return Err(Failure::new(&problem::SIGN_ON_UNREACHABLE).with("it was asked just now"));
        }
        drop(known);
        let found = Provider::discover(config, &self.clock);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match found {
            Ok(provider) => {
                let provider = Arc::new(provider);
                known.provider = Some(Arc::clone(&provider));
                (known.failed, known.silent) = (None, None);
                Ok(provider)
            }
            Err(Fault::Unreachable(why) | Fault::NotVerified(why)) => {
                known.failed = Some((config.clone(), now));
                let was_silent = known.silent.as_ref().is_some_and(|(one, _)| one == config);
                if !was_silent {
                    known.silent = Some((config.clone(), now));
                }
                Err(Failure::new(&problem::SIGN_ON_UNREACHABLE).with(why))
            }
        }
    }

    fn forget(&self) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.provider = None;
    }

    /// What a person is told; why is for the log.
    fn failed(&self, fault: Fault, client: &Client) -> Failure {
        match fault {
            Fault::Unreachable(why) => Failure::new(&problem::SIGN_ON_UNREACHABLE).with(why),
            Fault::NotVerified(why) => {
                tracing::warn!(why = %plain(&why), "an answer of the identity provider was refused");
                let now = self.clock.now();
                self.accounts.refused(AnswerFault::NotVerified, client, now);
                Failure::new(&problem::SIGN_ON_NOT_VERIFIED)
            }
        }
    }
}

/// 256 random bits in base64url.
fn random() -> Result<String, Failure> {
    let bytes = random_bytes::<32>();
    let bytes = bytes.map_err(|_| Failure::new(&problem::SERVER_INTERNAL))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// What somebody else wrote, short and printable.
fn plain(text: &str) -> String {
    let printable = text.chars().filter(|c| !c.is_control());
    printable.take(200).collect()
}

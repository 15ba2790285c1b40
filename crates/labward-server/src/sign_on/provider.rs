//! What is asked of the identity provider, and what of its answers is believed.
//!
//! It must never believe a claim before signature, issuer, audience, nonce and time were verified, or
//! keep or log a token. All of OpenID Connect is the library's; what is decided here is which
//! algorithms count (none that anybody could forge who knows a shared secret) and which claims.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use labward_base::{Clock, Secret, Timestamp};
use labward_identity::Vouched;
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreProviderMetadata,
    CoreResponseType, CoreRevocableToken, CoreRevocationErrorResponse,
    CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AccessTokenHash, AdditionalClaims, AuthenticationFlow, AuthorizationCode, Client, ClientId,
    ClientSecret, CsrfToken, EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet,
    IdTokenFields, IssuerUrl, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, RequestTokenError, Scope, StandardErrorResponse, StandardTokenResponse,
    SubjectIdentifier, TokenResponse as _, UserInfoClaims,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::client::ProviderClient;
use crate::config::{AccountClaim, OidcConfig};

/// What subject and issuer may have, in bytes; OpenID Connect Core allows a subject 255 characters.
const SUBJECT_MAX_BYTES: usize = 255;

/// What counts as a signature: public keys only.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 8] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
];

/// Claims that the standard does not name, such as groups.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct Others(HashMap<String, Value>);

impl AdditionalClaims for Others {}

type Fields = IdTokenFields<
    Others,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
type Answer = StandardTokenResponse<Fields, CoreTokenType>;
type OidcClient = Client<
    Others,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Answer,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// Why nobody is vouched for; the words are for the log.
#[derive(Debug)]
pub(super) enum Fault {
    /// There is no answer, or none that OpenID Connect knows.
    Unreachable(String),
    /// What it answered does not hold.
    NotVerified(String),
}

/// The provider as it described itself, with its keys.
pub(super) struct Provider {
    config: OidcConfig,
    metadata: CoreProviderMetadata,
    client: ProviderClient,
    clock: Arc<dyn Clock>,
    pub(super) since: Timestamp,
}

/// Where a browser is sent, and what is kept of it.
pub(super) struct Asked {
    pub(super) url: String,
    pub(super) nonce: Nonce,
    pub(super) verifier: PkceCodeVerifier,
}

impl Provider {
    /// Asks the provider for its description and its keys.
    pub(super) fn discover(config: &OidcConfig, clock: &Arc<dyn Clock>) -> Result<Self, Fault> {
        let unreachable =
            |error: &dyn std::error::Error| Fault::Unreachable(crate::http::chain(error));
        let client = ProviderClient::new(config.ca_file.as_deref(), clock);
        let client = client.map_err(|error| unreachable(&error))?;
        let issuer = IssuerUrl::new(config.issuer.clone());
        let issuer = issuer.map_err(|error| Fault::Unreachable(error.to_string()))?;
        let metadata = CoreProviderMetadata::discover(&issuer, &|request| client.call(request));
        Ok(Self {
            metadata: metadata.map_err(|error| unreachable(&error))?,
            config: config.clone(),
            client,
            clock: Arc::clone(clock),
            since: clock.now(),
        })
    }

    /// Whether it was asked with this configuration.
    pub(super) fn is_of(&self, config: &OidcConfig) -> bool {
        self.config == *config
    }

    /// Where to send a browser that wants to sign in.
    pub(super) fn ask(&self, redirect: &str, state: &str, nonce: String) -> Result<Asked, Fault> {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let client = self.oidc(redirect, None)?;
        let flow = AuthenticationFlow::<CoreResponseType>::AuthorizationCode;
        let state = state.to_owned();
        let mut request = client
            .authorize_url(flow, || CsrfToken::new(state), || Nonce::new(nonce))
            .set_pkce_challenge(challenge);
        for scope in &self.config.scopes {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        let (url, _, nonce) = request.url();
        if url.scheme() != "https" {
            let words = "its authorization endpoint is no address of HTTPS";
            return Err(Fault::Unreachable(words.to_owned()));
        }
        Ok(Asked {
            url: url.into(),
            nonce,
            verifier,
        })
    }

    /// Exchanges the code and verifies what comes back.
    pub(super) fn vouch(
        &self,
        redirect: &str,
        code: &str,
        nonce: &Nonce,
        verifier: PkceCodeVerifier,
    ) -> Result<Vouched, Fault> {
        let http = |request| self.client.call(request);
        let secret = read_secret(&self.config.client_secret_file)?;
        let client = self.oidc(redirect, Some(&secret))?;
        let request = client.exchange_code(AuthorizationCode::new(code.to_owned()));
        let request = request.map_err(|error| Fault::Unreachable(error.to_string()))?;
        let answer: Answer =
            request
                .set_pkce_verifier(verifier)
                .request(&http)
                .map_err(|error| match error {
                    // What the provider says of itself, in one of the words of RFC 6749, 5.2.
                    RequestTokenError::ServerResponse(said) => Fault::NotVerified(format!(
                        "the code was not exchanged: {}",
                        said.error().as_ref()
                    )),
                    RequestTokenError::Request(error) => Fault::Unreachable(error.to_string()),
                    // Neither the answer's text nor where it is wrong: it may hold a token.
                    _ => Fault::Unreachable("its answer holds no tokens".to_owned()),
                })?;
        let token = answer.id_token();
        let token = token.ok_or_else(|| not_verified("there is no ID token"))?;
        let clock = Arc::clone(&self.clock);
        let checks = client
            .id_token_verifier()
            .set_allowed_algs(ALGORITHMS)
            .set_time_fn(move || utc(clock.now()));
        let claims = token.claims(&checks, nonce);
        let claims = claims.map_err(|error| not_verified(&crate::http::chain(&error)))?;
        if let Some(expected) = claims.access_token_hash() {
            let alg = token.signing_alg();
            let alg = alg.map_err(|error| not_verified(&error.to_string()))?;
            let key = token.signing_key(&checks);
            let key = key.map_err(|error| not_verified(&error.to_string()))?;
            let hash = AccessTokenHash::from_token(answer.access_token(), alg, key);
            let hash = hash.map_err(|error| not_verified(&error.to_string()))?;
            if hash != *expected {
                return Err(not_verified(
                    "the access token is not the one of the ID token",
                ));
            }
        }
        let standard = Standard {
            email: claims.email().map(|email| email.as_str()),
            is_verified: claims.email_verified(),
            username: claims.preferred_username().map(|name| name.as_str()),
            name: claims
                .name()
                .and_then(|name| name.get(None))
                .map(|name| name.as_str()),
        };
        let mut person = self.person(&standard, &claims.additional_claims().0);
        let is_missing = person.groups.is_none() || person.account.is_none();
        if is_missing && self.metadata.userinfo_endpoint().is_some() {
            person.fill(self.more(&client, &answer, claims.subject())?);
        }
        let groups = person.groups.unwrap_or_default();
        let subject = claims.subject().as_str();
        if subject.is_empty() || subject.len() > SUBJECT_MAX_BYTES {
            return Err(not_verified("the subject has not 1 to 255 bytes"));
        }
        Ok(Vouched {
            issuer: claims.issuer().as_str().to_owned(),
            subject: subject.to_owned(),
            account: person.account,
            name: person.name,
            roles: self.config.groups.roles(groups.iter().map(String::as_str)),
        })
    }

    /// What the provider says of the same subject at its endpoint for that.
    fn more(
        &self,
        client: &OidcClient,
        answer: &Answer,
        subject: &SubjectIdentifier,
    ) -> Result<Claimed, Fault> {
        let token = answer.access_token().clone();
        let request = client.user_info(token, Some(subject.clone()));
        let request = request.map_err(|error| Fault::Unreachable(error.to_string()))?;
        let claims: UserInfoClaims<Others, CoreGenderClaim> = request
            .request(&|request| self.client.call(request))
            .map_err(|_| not_verified("what it says of the person does not hold"))?;
        let standard = Standard {
            email: claims.email().map(|email| email.as_str()),
            is_verified: claims.email_verified(),
            username: claims.preferred_username().map(|name| name.as_str()),
            name: claims
                .name()
                .and_then(|name| name.get(None))
                .map(|name| name.as_str()),
        };
        Ok(self.person(&standard, &claims.additional_claims().0))
    }

    /// What of these claims counts here.
    fn person(&self, standard: &Standard<'_>, others: &HashMap<String, Value>) -> Claimed {
        let account = match self.config.account {
            AccountClaim::Email => standard
                .email
                .filter(|_| standard.is_verified == Some(true)),
            AccountClaim::Username => standard.username,
        };
        let counts_email = self.config.account == AccountClaim::Email;
        Claimed {
            is_unverified: counts_email && standard.is_verified == Some(false),
            account: account.map(str::to_owned),
            name: standard.name.map(str::to_owned),
            groups: others.get(&self.config.groups_claim).map(groups_of),
        }
    }

    fn oidc(&self, redirect: &str, secret: Option<&Secret<String>>) -> Result<OidcClient, Fault> {
        let id = ClientId::new(self.config.client_id.clone());
        let secret = secret.map(|secret| ClientSecret::new(secret.expose().clone()));
        let redirect = RedirectUrl::new(redirect.to_owned());
        let redirect = redirect.map_err(|error| Fault::Unreachable(error.to_string()))?;
        let client = Client::from_provider_metadata(self.metadata.clone(), id, secret);
        Ok(client.set_redirect_uri(redirect))
    }
}

/// Claims that the standard names.
struct Standard<'a> {
    email: Option<&'a str>,
    is_verified: Option<bool>,
    username: Option<&'a str>,
    name: Option<&'a str>,
}

/// What counts of the claims.
struct Claimed {
    /// The provider says that the account is not verified; nothing that it says elsewhere undoes that.
    is_unverified: bool,
    account: Option<String>,
    name: Option<String>,
    groups: Option<Vec<String>>,
}

impl Claimed {
    /// What was not there before.
    fn fill(&mut self, more: Self) {
        let account = more.account.filter(|_| !self.is_unverified);
        self.account = self.account.take().or(account);
        self.name = self.name.take().or(more.name);
        self.groups = self.groups.take().or(more.groups);
    }
}

/// A list of texts, or one text; whatever else it is names no group.
fn groups_of(value: &Value) -> Vec<String> {
    match value {
        Value::Array(all) => {
            let texts = all.iter().filter_map(Value::as_str);
            texts.map(str::to_owned).collect()
        }
        Value::String(one) => vec![one.clone()],
        _ => Vec::new(),
    }
}

/// The secret that the provider gave Labward; a file that others may read is refused.
fn read_secret(path: &Path) -> Result<Secret<String>, Fault> {
    let fault = |why| Fault::Unreachable(format!("client_secret_file: {why}"));
    labward_os::read_secret(path).map_err(fault)
}

fn not_verified(why: &str) -> Fault {
    Fault::NotVerified(why.to_owned())
}

fn utc(now: Timestamp) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(now.as_micros()).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

//! People, roles and machine peers: who may connect and what they may do.
//!
//! It must never keep a private key, trust what a peer says about itself, or grant by omission.
//! 45 CFR 164.312(a)(2)(i) (unique user identification), 164.312(d) (person or entity
//! authentication), 164.308(a)(4) (access by role).
//!
//! | Module | Holds |
//! |---|---|
//! | `role` | [`Role`] × [`Permission`]: one table |
//! | `engagement` | [`Engagement`]: what an outside expert sees, and until when |
//! | `people` | [`People`]: accounts of the operating system and logins bound to people |
//! | `invitation` | [`Invitations`]: a one-time code with which a person chooses login and password |
//! | `passkey` | [`Passkeys`]: what a person signs in with without a password, asked for by a challenge |
//! | `password` | [`Passwords`]: what a password must be, and how it is kept |
//! | `sign_in` | [`SignIn`]: a login and a password, or a passkey, become a session, or a recorded refusal |
//! | `throttle`, `refusals` | how fast passwords may be tried, and how refusals are recorded |
//! | `session` | [`Sessions`]: who is signed in, until when |
//! | `oidc` | [`ProviderAccounts`]: whom the lab's identity provider lets in, and as what |
//! | `token` | [`Tokens`]: how a program acts at the API in a person's name |
//! | `peer`, `peers` | [`Peer`], [`Peers`]: machines known by the SHA-256 of their public key |
//! | `rules` | [`PeerRules`]: what a peer may send, default deny |
//! | `authority` | [`Authority`]: the built-in certificate authority |
//! | `certificate` | [`Identification`]: the facts of a certificate that we go by |
//! | `verify` | [`client_verifier`], [`server_verifier`]: strangers are refused in the handshake |
//! | `enrolment` | [`EnrolmentCode`], [`KeyRequest`]: a machine makes its own key, trusts the right server |
//! | `renewal` | a peer asks for its next certificate itself, over its own line |
//! | `how_to` | [`how_to`]: the page beside a peer's bundle |

mod authority;
mod certificate;
mod engagement;
mod enrolment;
mod error;
mod how_to;
mod invitation;
mod oidc;
mod passkey;
mod password;
mod peer;
mod peers;
mod people;
mod refusals;
mod renewal;
mod role;
mod rules;
mod session;
mod sign_in;
mod store;
mod throttle;
mod token;
mod verify;

#[cfg(test)]
mod tests;

pub use authority::{
    Authority, Bundle, DEFAULT_PEER_DAYS, Issued, MAX_DAYS, NewAuthority, SelfSigned,
};
pub use certificate::{Identification, spki_sha256};
pub use engagement::{
    ENGAGEMENT_MAX_DAYS, Engagement, Topic, end_engagements, permits as permits_within,
};
pub use enrolment::{
    CodeDigest, Enrolled, EnrolmentCode, KeyRequest, enrolment_verifier, pinned_authority,
};
pub use error::{IdentityError, SignInError};
pub use how_to::{HowTo, how_to};
pub use invitation::{INVITATION_LASTS, Invitation, InvitationCode, Invitations};
pub use oidc::{AnswerFault, Bound, ProviderAccount, ProviderAccounts, Vouched};
pub use passkey::{Asked, Passkey, Passkeys, RelyingParty};
pub use password::{MAX_PASSWORD_BYTES, MIN_PASSWORD_CHARS, Passwords, Weakness};
pub use peer::{NewPeer, Origin, Peer, PeerChange, PeerKind, PeerState, PreviousKey, check_name};
pub use peers::Peers;
pub use people::{
    Language, NewPerson, People, Person, Preferences, Theme, check_login, check_person_name,
};
pub use renewal::{RENEWAL_OVERLAP, RenewalRequest};
pub use role::{Permission, Role, Roles};
pub use rules::{Decision, Header, Pattern, PeerRules, RuleField};
pub use session::{
    Client, Session, SessionEnd, SessionId, SessionLimits, Sessions, csrf_fits, csrf_token,
};
pub use sign_in::{Attempt, Refusal, SignIn};
pub use store::engagement::ENGAGEMENT_MIGRATIONS;
pub use store::oidc::PROVIDER_MIGRATIONS;
pub use store::passkey::PASSKEY_MIGRATIONS;
pub use store::sign_in::{SHORT_LIVED_TABLES, SIGN_IN_MIGRATIONS};
pub use store::token::TOKEN_MIGRATIONS;
pub use store::{MIGRATIONS, RENEWAL_MIGRATIONS};
pub use token::{
    NEVER_BY_TOKEN, NewToken, TOKEN_MAX_DAYS, TOKEN_PREFIX, Token, TokenSecret, Tokens,
};
pub use verify::{ExpectedServer, Stranger, TlsTime, client_verifier, server_verifier};

//! What can go wrong when people and peers are looked up or changed.
//!
//! A text must never hold certificate bytes, keys or anything a peer wrote.

use labward_base::id::{PasskeyNumber, PeerId, PersonId, SessionNumber, TokenNumber};
use labward_base::problem::{self, Problem};
use labward_base::{Remark, remark};
use labward_ledger::LedgerError;
use labward_store::StoreError;

/// Why an identity could not be looked up, issued or changed.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// Operator: a certificate or key cannot be read, or does not fit.
    #[error("read a certificate: {why}")]
    BadCertificate {
        /// What is wrong with it, in fixed words.
        why: &'static str,
    },
    /// Operator: the engagement is about nothing, of no time, or gives access for no time or too long.
    #[error("engage an expert: {what}")]
    BadEngagement {
        /// What does not fit, in fixed words.
        what: &'static str,
    },
    /// Ours or the disk's: the entry could not be written, so the change was not made.
    #[error("record a change of identities")]
    Ledger(#[from] LedgerError),
    /// Operator: without this person nobody could change people any more.
    #[error("remove person {0}: it is the last who may change people")]
    LastAdministrator(PersonId),
    /// Operator: no such peer.
    #[error("find peer {0}: there is none")]
    NoPeer(PeerId),
    /// Operator: no such person.
    #[error("find person {0}: there is none")]
    NoPerson(PersonId),
    /// Operator: the text is not a valid name, role, kind, pattern or list.
    #[error("read a {what}: the text does not fit its form")]
    NotAName {
        /// What it was to be.
        what: &'static str,
    },
    /// Operator: another peer is known by this address on plain links.
    #[error("give a peer the address {0}: another has it")]
    AddressTaken(std::net::IpAddr),
    /// Operator: a peer with this name or public key exists.
    #[error("add a peer: its name or certificate is known already")]
    PeerExists,
    /// Operator: the peer was revoked and stays so.
    #[error("renew peer {0}: it was revoked")]
    PeerRevoked(PeerId),
    /// Operator: the account of the operating system is bound to another person.
    #[error("add a person: the account is bound already")]
    PersonExists,
    /// Peer: it asked for its next certificate and does not get it.
    #[error("renew a peer that asked for it: {}", .0.what)]
    RenewalRefused(&'static Problem),
    /// Signing in, or what leads to it.
    #[error(transparent)]
    SignIn(#[from] SignInError),
    /// Ours: a key or certificate could not be made.
    #[error("issue a certificate")]
    Signing(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Ours or the disk's: the change or look-up did not reach the database.
    #[error("reach the table of identities")]
    Store(#[from] StoreError),
}

/// Why somebody could not sign in, be invited or have a session ended.
///
/// That a password was wrong is no error but a [`crate::Refusal`].
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Operator: the account at the identity provider is another's, or the person has one in use.
    #[error("link an account of the identity provider: it or the person is linked already")]
    AccountTaken,
    /// Staff: the passkey would have no name, is known already, or does not answer what was asked.
    #[error("add a passkey: {what}")]
    BadPasskey {
        /// What does not fit.
        what: Remark,
    },
    /// Operator: the token would have no name, no scope that it may have, or no time.
    #[error("make a token: {what}")]
    BadToken {
        /// What does not fit.
        what: &'static str,
    },
    /// The machine's: too many passwords wait to be hashed.
    #[error("hash a password: too many wait")]
    Busy,
    /// The machine's or ours: the password could not be hashed.
    #[error("hash a password")]
    Hash(#[from] labward_seal::passphrase::PassphraseError),
    /// Staff: the invitation's code is unknown, spent, replaced or too old.
    #[error("accept an invitation: its code does not hold")]
    InvitationEnded,
    /// Staff: somebody else signs in as this.
    #[error("choose a login: another person has it")]
    LoginTaken,
    /// Ours: the library gave no random bytes.
    #[error("make a random code")]
    NoRandom(#[from] labward_seal::CryptoFailed),
    /// Operator: the person has no account at the identity provider.
    #[error("unlink person {0}: no account is linked")]
    NoAccount(PersonId),
    /// Operator or staff: there is no such passkey, or it was removed.
    #[error("remove passkey {0}: there is none")]
    NoPasskey(PasskeyNumber),
    /// Operator: there is no such session, or it has ended.
    #[error("end session {0}: there is none")]
    NoSession(SessionNumber),
    /// Operator: there is no such token, or it has ended.
    #[error("end token {0}: there is none")]
    NoToken(TokenNumber),
    /// Staff: the password is one that others would guess.
    #[error("choose a password: {0}")]
    WeakPassword(#[from] crate::Weakness),
}

impl SignInError {
    /// What a person is told about it.
    pub fn problem(&self) -> &'static Problem {
        match self {
            Self::AccountTaken => &problem::SIGN_ON_ACCOUNT_TAKEN,
            Self::BadPasskey { .. } => &problem::IDENTITY_BAD_PASSKEY,
            Self::BadToken { .. } => &problem::IDENTITY_BAD_TOKEN,
            Self::Busy => &problem::SERVER_BUSY,
            Self::Hash(_) | Self::NoRandom(_) => &problem::SERVER_INTERNAL,
            Self::InvitationEnded => &problem::IDENTITY_INVITATION_ENDED,
            Self::LoginTaken => &problem::IDENTITY_LOGIN_TAKEN,
            Self::NoAccount(_) => &problem::SIGN_ON_NO_ACCOUNT,
            Self::NoPasskey(_) => &problem::IDENTITY_NO_PASSKEY,
            Self::NoSession(_) => &problem::IDENTITY_NO_SESSION,
            Self::NoToken(_) => &problem::IDENTITY_NO_TOKEN,
            Self::WeakPassword(_) => &problem::IDENTITY_WEAK_PASSWORD,
        }
    }
}

impl IdentityError {
    /// What a person is told about it.
    pub fn problem(&self) -> &'static Problem {
        match self {
            Self::AddressTaken(_) => &problem::IDENTITY_ADDRESS_TAKEN,
            Self::BadCertificate { .. } => &problem::IDENTITY_BAD_CERTIFICATE,
            Self::BadEngagement { .. } => &problem::IDENTITY_BAD_ENGAGEMENT,
            Self::LastAdministrator(_) => &problem::IDENTITY_LAST_ADMINISTRATOR,
            Self::Ledger(error) => error.problem(),
            Self::NoPeer(_) => &problem::IDENTITY_NO_PEER,
            Self::NoPerson(_) => &problem::IDENTITY_NO_PERSON,
            Self::NotAName { .. } => &problem::IDENTITY_BAD_NAME,
            Self::PeerExists => &problem::IDENTITY_PEER_EXISTS,
            Self::PeerRevoked(_) => &problem::IDENTITY_PEER_REVOKED,
            Self::PersonExists => &problem::IDENTITY_PERSON_EXISTS,
            Self::RenewalRefused(problem) => problem,
            Self::SignIn(error) => error.problem(),
            Self::Signing(_) => &problem::SERVER_INTERNAL,
            Self::Store(error) => error.problem(),
        }
    }
}

impl IdentityError {
    /// What varies, to be said beside [`Self::problem`] in the reader's language; nothing if that says
    /// all or the words are another program's.
    pub fn remark(&self) -> Option<Remark> {
        match self {
            Self::AddressTaken(address) => Some(remark::name(address.to_string())),
            Self::LastAdministrator(id) | Self::NoPerson(id) => Some(remark::person(id.get())),
            Self::NoPeer(id) | Self::PeerRevoked(id) => Some(remark::peer(id.get())),
            Self::SignIn(error) => error.remark(),
            _ => None,
        }
    }
}

impl SignInError {
    fn remark(&self) -> Option<Remark> {
        match self {
            Self::BadPasskey { what } => Some(what.clone()),
            Self::NoPasskey(number) => Some(remark::passkey(number.get())),
            Self::NoSession(number) => Some(remark::session(number.get())),
            Self::NoToken(number) => Some(remark::token(number.get())),
            Self::WeakPassword(weakness) => Some(weakness.remark()),
            _ => None,
        }
    }
}

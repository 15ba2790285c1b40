//! Machine peers and the people of the lab.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::edge::EdgeStatus;

/// What a peer may send; an empty list admits nothing, `*` admits all, a trailing `*` a prefix.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// Allowed sending applications (MSH-3, first component).
    pub applications: Vec<String>,
    /// Allowed sending facilities (MSH-4, first component).
    pub facilities: Vec<String>,
    /// Allowed message types (MSH-9), such as `ORU^R01`.
    pub types: Vec<String>,
    /// Allowed processing ids (MSH-11): `P`, `T`, `D`.
    pub processing: Vec<String>,
    /// Allowed ASTM senders (H-5, first component).
    pub astm_senders: Vec<String>,
}

/// `POST peers`: a peer to be added.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewPeer {
    /// Its name: letters, digits, `-`, `_` and `.`, at most 64.
    pub name: String,
    /// `analyzer`, `lis`, `ehr`, `draw-site`, `provider` or `public-health`; an `edge` enrols.
    pub kind: String,
    /// What it may send.
    #[serde(default)]
    pub rules: Rules,
    /// The assigning authority of its patient identifiers where a message names none.
    #[serde(default)]
    pub authority: Option<String>,
    /// A foreign certificate in PEM form to bind by its public key; none: our CA issues one.
    #[serde(default)]
    pub certificate: Option<String>,
    /// How long the certificate lasts, in days (1 to 825, default 397).
    #[serde(default)]
    pub days: Option<u32>,
}

/// `POST peers/{name}/set`: what is to be otherwise about a peer; what is left out stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PeerChange {
    /// Why; recorded, sealed under the site's audit key.
    #[schemars(length(min = 1, max = 1000), regex(pattern = r"\S"))]
    pub why: String,
    /// Allowed sending applications (MSH-3), in the place of the present ones.
    pub applications: Option<Vec<String>>,
    /// Allowed sending facilities (MSH-4).
    pub facilities: Option<Vec<String>>,
    /// Allowed message types (MSH-9).
    pub types: Option<Vec<String>>,
    /// Allowed processing ids (MSH-11).
    pub processing: Option<Vec<String>>,
    /// Allowed ASTM senders (H-5).
    pub astm_senders: Option<Vec<String>>,
    /// Addresses from which it may use a plain link.
    pub addresses: Option<Vec<String>>,
    /// The assigning authority of its patient identifiers; empty text takes it away.
    pub authority: Option<String>,
}

/// The answer to an added or renewed peer; the private key is in it once and kept nowhere.
#[derive(Clone, JsonSchema, Serialize, Deserialize)]
pub struct AddedPeer {
    /// The peer as it now stands.
    pub peer: Peer,
    /// Certificate, private key and CA in PEM form; none for a foreign certificate.
    pub bundle: Option<String>,
    /// The one-page how-to for this kind of peer.
    pub how_to: String,
}

/// `GET peers`: one peer.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Peer {
    /// Its number.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// SHA-256 of its public key (SPKI), in hex.
    pub spki_sha256: String,
    /// `own-ca` or `foreign`.
    pub origin: String,
    /// When its certificate ends, RFC 3339.
    pub not_after: String,
    /// `active` or `revoked`.
    pub state: String,
    /// What it may send.
    pub rules: Rules,
    /// Addresses from which it may use a plain link.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// The assigning authority of its patient identifiers where a message names none.
    #[serde(default)]
    pub authority: Option<String>,
    /// How it is, of an edge; none while the root key is sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edge: Option<EdgeStatus>,
}

/// A person of the lab, known by an account of the operating system, a login at the console or both.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Person {
    /// The person's number; 0 when adding.
    #[serde(default)]
    pub id: u64,
    /// The person's name.
    pub name: String,
    /// One or more, joined by commas: `administrator`, `security-officer`, `lab-manager`,
    /// `clinical-staff`, `it`, `expert`.
    pub role: String,
    /// The account of the operating system.
    pub uid: Option<u32>,
    /// What they sign in as at the console; none when adding: they choose it with an invitation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
    /// What an outside expert is engaged for; they need one when they are added, nobody else has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engagement: Option<Engagement>,
}

/// What an outside expert is engaged for: what they see, and until when they have access.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Engagement {
    /// Entries from this day on (UTC), or from this moment on, RFC 3339.
    pub from: String,
    /// Entries until this day, which is included, or before this moment. What shows the present is
    /// there for them only within the period.
    pub until: String,
    /// The last day of access, at most 366 days from now, or the moment at which it ends.
    pub expires: String,
    /// One or more of `backups`, `configuration`, `keys`, `ledger`, `links`, `people`, `records`,
    /// `safeguards`, `status`.
    pub topics: Vec<String>,
}

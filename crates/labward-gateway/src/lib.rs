//! The gateway: everything that comes in is framed, checked, kept durably and only then
//! acknowledged; what has a route is handed to delivery.
//!
//! It must never acknowledge what is not durable, open a listener before messages can be kept,
//! drop what it cannot take, or put patient data into a fact, a log, an error text or a name.
//!
//! | Module | Holds |
//! |---|---|
//! | [`config`] | links, routes, destinations, limits and their defaults |
//! | [`keep`] | what the gateway needs of whoever keeps records |
//! | [`notice`] | who is told what a peer says of itself |
//! | [`inspect`] | who looks at messages for malware before they are kept |
//! | [`give_back`] | what people give back from quarantine, kept and delivered |
//! | [`watch`] | who is told that a message was accepted |
//! | [`delivery`] | what is handed over after the commit, and its way to the destinations |
//! | [`events`] | counters for status |
//! | [`messages`] | held messages and what a person decides about them |
//! | [`policy`], [`reason`], [`routes`] | whether a message is accepted, why not, where it goes |
//! | [`tls`] | mutual TLS of the listeners |
//! | `gateway` | [`Gateway`]: start, status, reload, stop |
//! | `front`, `session` | threads and sockets; a connection until its peer is known |
//! | `mllp_session`, `ack` | HL7 v2 over MLLP: frames in, acknowledgements out |
//! | `astm_session` | ASTM E1381 / LIS01: frames in, ACK and NAK out |
//! | [`edge`] | the hop from an edge: sealed messages, once, in order |
//! | `path` | the path of one message: duplicate, keep, outcome |
//! | `duplicate`, `hints` | the duplicate window and what rebuilds it |
//! | `stranger` | one entry a source and minute for who is refused |
//! | `completions` | one wake per runtime per commit |
//!
//! # The path of one message
//!
//! accept (mutual TLS; the certificate picks the peer) → frame → parse → may this peer send this?
//! → did it come before? → does it carry malware? → keep: sealed, one row, one durable commit → acknowledge → deliver.
//! What is refused takes the same path: it is kept sealed for a person, and the peer is told why in
//! codes only.

mod ack;
mod astm_session;
mod bucket;
mod completions;
pub mod config;
pub mod delivery;
mod duplicate;
pub mod edge;
pub mod events;
mod front;
mod gateway;
pub mod give_back;
mod hints;
pub mod inspect;
pub mod keep;
mod link;
pub mod messages;
mod mllp_session;
pub mod notice;
mod outcome;
mod path;
pub mod policy;
pub mod reason;
pub mod routes;
mod session;
mod store;
mod stranger;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
pub mod tls;
pub mod watch;

use labward_store::Migration;

pub use config::GatewayConfig;
pub use gateway::{Gateway, GatewayParts, LinkStatus, PreparedGateway, StartError};
pub use messages::Messages;

/// The steps that lead to the gateway's schema.
pub const MIGRATIONS: &[Migration] = &[Migration {
    name: "held messages",
    sql: include_str!("schema.sql"),
}];

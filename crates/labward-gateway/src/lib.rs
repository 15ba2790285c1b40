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
//! | [`delivery`] | what is handed over after the commit, and its way to the destinations |
//! | [`events`] | counters for status |

pub mod config;
pub mod delivery;
pub mod events;
pub mod keep;

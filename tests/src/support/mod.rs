//! What the tests share.
//!
//! It must never hide that something did not happen: every wait has a deadline and panics behind it.

mod client;
mod disk;
mod installation;
mod messages;
mod program;
mod receiver;
mod stored;
mod wait;

pub(crate) use client::{Answered, Browser, Client, Identity, dial, pinning, trusting};
pub(crate) use disk::SmallDisk;
pub(crate) use installation::{Installation, Server};
pub(crate) use messages::Numbered;
pub(crate) use program::{Outcome, as_account, program, run};
pub(crate) use receiver::{Bound, Received, Receiver};
pub(crate) use stored::{Opened, open_rooms, open_store};
pub(crate) use wait::{PATIENCE, eventually, from_environment};

use labward_base::id::{NodeId, SiteId};

/// The site and the node of an installation.
pub(crate) const SITE: SiteId = labward_server::folder::SITE;
pub(crate) const NODE: NodeId = labward_server::folder::NODE;

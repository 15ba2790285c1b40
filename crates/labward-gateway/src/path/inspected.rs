//! The part of a message's path where somebody looks at it.
//!
//! It must never keep a message that nobody was asked about, or one whose original could not be sealed.

use std::sync::Arc;

use super::{Caller, Incoming, OwnPlace, Shared};
use crate::inspect::{Asked, Inspect, Treated, look, treat};
use crate::outcome::Outcome;

impl Shared {
    /// Has a message looked at, does with it what its link says, and keeps it; whether something was taken out of it.
    ///
    /// Its place is taken already: copies that come meanwhile wait for it, and are not looked at.
    pub(super) async fn inspect(
        &self,
        inspect: &dyn Inspect,
        caller: &Caller,
        mut message: Incoming,
        place: OwnPlace,
    ) -> bool {
        let config = &caller.link.config;
        let asked = Asked {
            link: config.name.to_string(),
            peer: caller.peer.id,
            peer_name: caller.peer.name.clone(),
            kind: message.kind,
            message_type: message.message_type.clone(),
            bytes: Arc::new(std::mem::take(&mut message.bytes)),
        };
        let inspected = look(inspect, asked.clone()).await;
        match treat(inspect, config.inspect, asked, &mut message, inspected).await {
            Ok(treatment) => {
                let is_replaced = treatment.treated == Some(Treated::Replaced);
                self.keep_message(caller, message, Some(treatment), place);
                is_replaced
            }
            Err(error) => {
                tracing::error!(error = %error, link = %config.name,
                    "a message was not kept: what was found in it could not be recorded");
                let OwnPlace {
                    reservation,
                    waiter,
                } = place;
                // Whoever sends it again at once must not find it still being kept.
                drop(reservation);
                if let Some(waiter) = waiter {
                    waiter.complete(Outcome::NOT_KEPT);
                }
                false
            }
        }
    }
}

//! Other destinations in the place of the present ones, all of it or nothing.
//!
//! It must never forget a message: a destination to which something is on its way cannot be taken
//! away, and one that leaves stays until nothing can come any more that was routed to it before.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::destination::{Destination, Settings};
use super::dial::{Way, WayParts};
use super::error::DeliveryError;
use super::{Delivery, DeliveryParts};
use crate::config::{DestinationConfig, DestinationName};
use crate::tls::ServerIdentity;

/// How long a destination that leaves stays: far longer than any message is between its route and
/// its commit.
const LEAVES_AFTER: Duration = Duration::from_secs(60);

/// Destinations that are ready to be put in place; dropped, nothing has happened.
pub struct PreparedDelivery {
    next: Vec<Prepared>,
    leaving: Vec<Arc<Destination>>,
}

enum Prepared {
    /// It is there, and gets these settings.
    Known(Arc<Destination>, Arc<Settings>),
    /// It is new.
    New(Arc<Destination>),
}

impl Delivery {
    /// Prepares these destinations, reached with `identity`; one reload at a time.
    ///
    /// # Errors
    /// [`DeliveryError::Waits`] if one is missing to which something is on its way; what would keep
    /// delivery from starting with them.
    pub fn prepare(
        &self,
        configs: &[DestinationConfig],
        identity: Option<ServerIdentity>,
    ) -> Result<PreparedDelivery, DeliveryError> {
        let names: Vec<&DestinationName> = configs.iter().map(|config| &config.name).collect();
        self.may_leave(&names)?;
        let present = self.shared.destinations();
        let leaving = present.iter().filter(|one| !names.contains(&one.name()));
        let leaving = leaving.cloned().collect();
        let mut next = Vec::with_capacity(configs.len());
        let mut fresh = Vec::new();
        for config in configs {
            match present.iter().find(|one| *one.name() == config.name) {
                Some(known) => {
                    let settings = self.settings(known, config, identity.as_ref())?;
                    next.push(Prepared::Known(Arc::clone(known), settings));
                }
                None => fresh.push(config.clone()),
            }
        }
        let shared = &self.shared;
        let parts = DeliveryParts {
            store: shared.store.clone(),
            keep: Arc::clone(&shared.keep),
            clock: Arc::clone(&shared.clock),
            identity,
            peers: shared.peers.clone(),
            events: shared.events.clone(),
            site: shared.site,
        };
        // Last, since a new destination gets its cursor here.
        for config in fresh {
            next.push(Prepared::New(Arc::new(Destination::load(config, &parts)?)));
        }
        let place = |one: &Prepared| names.iter().position(|name| *name == one.name());
        next.sort_by_key(place);
        Ok(PreparedDelivery { next, leaving })
    }

    /// Refuses if a destination that runs is not among `names` and something is on its way there.
    ///
    /// # Errors
    /// [`DeliveryError::Waits`] with the first of them.
    pub fn may_leave(&self, names: &[&DestinationName]) -> Result<(), DeliveryError> {
        let present = self.shared.destinations();
        let waits = present
            .iter()
            .filter(|one| !one.is_leaving() && !names.contains(&one.name()))
            .find(|one| !one.is_idle());
        waits.map_or(Ok(()), |one| Err(DeliveryError::Waits(one.name().clone())))
    }

    /// Puts what was prepared in place; nothing of it can fail.
    pub fn apply(&self, prepared: PreparedDelivery) {
        let PreparedDelivery { next, leaving } = prepared;
        let mut all = Vec::with_capacity(next.len() + leaving.len());
        let mut opened = Vec::new();
        for one in next {
            match one {
                Prepared::Known(known, settings) => {
                    known.set_leaving(None);
                    let lanes = known.reload(settings);
                    if lanes > 0 {
                        self.worker.open_lanes(Arc::clone(&known), lanes);
                    }
                    all.push(known);
                }
                Prepared::New(new) => {
                    opened.push(Arc::clone(&new));
                    all.push(new);
                }
            }
        }
        let now = self.shared.clock.now();
        for one in leaving {
            if !one.is_leaving() {
                one.set_leaving(Some(now));
            }
            all.push(one);
        }
        self.replace(all);
        // What is committed from now on is pushed to them; what was before, they read.
        for one in opened {
            self.worker.open(one);
        }
    }

    /// Shows another certificate to the receivers, from the next connection on.
    ///
    /// # Errors
    /// [`DeliveryError::Config`] if a destination cannot be reached with it; nothing changes then.
    pub fn show(&self, identity: &ServerIdentity) -> Result<(), DeliveryError> {
        let present = self.shared.destinations();
        let settings: Vec<_> = present
            .iter()
            .map(|one| self.settings(one, &one.config(), Some(identity)))
            .collect::<Result<_, _>>()?;
        for (one, settings) in present.iter().zip(settings) {
            one.reload(settings);
        }
        Ok(())
    }

    /// Lets go of destinations that left a while ago and have nothing more to deliver.
    pub fn sweep(&self) {
        let now = self.shared.clock.now();
        let present = self.shared.destinations();
        let is_gone = |one: &Arc<Destination>| {
            let since = one.leaving_since();
            since.is_some_and(|since| now.since(since) >= LEAVES_AFTER) && one.is_idle()
        };
        let (gone, stay): (Vec<_>, Vec<_>) = present.iter().cloned().partition(is_gone);
        if gone.is_empty() {
            return;
        }
        self.replace(stay);
        gone.iter().for_each(|one| one.close());
    }

    fn replace(&self, all: Vec<Arc<Destination>>) {
        let destinations = self.shared.destinations.write();
        *destinations.unwrap_or_else(PoisonError::into_inner) = Arc::new(all);
    }

    /// The settings of a destination that is there, under another configuration or identity.
    fn settings(
        &self,
        known: &Destination,
        config: &DestinationConfig,
        identity: Option<&ServerIdentity>,
    ) -> Result<Arc<Settings>, DeliveryError> {
        let present = known.config();
        Ok(Arc::new(Settings {
            way: Way::of(
                config,
                &WayParts {
                    identity,
                    peers: &self.shared.peers,
                    clock: &self.shared.clock,
                    certificate: &known.certificate,
                },
            )?,
            config: match *present == *config {
                true => present,
                false => Arc::new(config.clone()),
            },
        }))
    }
}

impl Prepared {
    fn name(&self) -> &DestinationName {
        match self {
            Self::Known(one, _) | Self::New(one) => one.name(),
        }
    }
}

//! What stands on the open root key: records, gateway, delivery, and what recurs while they are there.
//!
//! It must never open a listener before what comes in can be kept, looked at and recorded.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use labward_gateway::delivery::{Delivery, DeliveryParts};
use labward_gateway::edge::Edges;
use labward_gateway::events::Events;
use labward_gateway::keep::{Keep as _, KeepError};
use labward_gateway::{Gateway, GatewayParts, Messages};
use labward_ledger::{Outcome, RecordIds};
use labward_records::{Records, RecordsError};

use super::Core;
use super::ground::{edge_opener, publishing, server_identity};
use crate::adapters::{EdgeOpener, EdgeRenewer, RecordsKeep};
use crate::behaviour::{self, BehaviourLoop};
use crate::cosign::{WitnessParts, Witnesses};
use crate::error::ServerError;
use crate::folder::{NODE, SITE};
use crate::mail::MailLoop;
use crate::malware::{self, ScannerLoop};
use crate::publish::{PublishLoop, Publishing};
use crate::recurring::Recurring;
use crate::sightings::Sightings;
use crate::webhook::WebhookLoop;
use crate::{indexing, resume, threat, upkeep};

/// What is there only while the root key is open.
pub(crate) struct Opened {
    pub(crate) records: Records,
    pub(crate) messages: Messages,
    pub(crate) gateway: Gateway,
    pub(crate) delivery: Arc<Delivery>,
    pub(crate) publishing: Arc<Publishing>,
    pub(crate) witnesses: Arc<Witnesses>,
    /// The edges and the key that they seal to, if a link is for them.
    pub(crate) edges: Option<(Edges, Arc<EdgeOpener>)>,
    pub(super) publish_loop: Mutex<Option<PublishLoop>>,
    pub(super) resume_loop: Mutex<Option<Recurring>>,
    /// What ends before the listeners do.
    pub(super) recurring: Mutex<Vec<Recurring>>,
    pub(super) webhook_loop: Mutex<Option<WebhookLoop>>,
    pub(super) mail_loop: Mutex<Option<MailLoop>>,
    pub(super) behaviour_loop: Mutex<Option<BehaviourLoop>>,
    pub(super) scanner_loop: Mutex<Option<ScannerLoop>>,
    /// Seals who and why for the audit.
    keep: Arc<RecordsKeep>,
}

/// Wires everything that needs the open root key; the listeners open last.
pub(super) fn open(core: &Core) -> Result<Opened, ServerError> {
    let Core {
        store, keys, clock, ..
    } = core;
    // First: what was read on a bad day stands before anything that is done today.
    match core.reserve.merge(None) {
        Ok(_) => {}
        Err(RecordsError::ReserveUnusable) => {
            tracing::error!("the reserve cannot be read: see labward check");
        }
        Err(error) => return Err(error.into()),
    }
    let config = core.config();
    let publishing = Arc::new(publishing(core)?);
    let interval = config.ledger.publish_interval();
    let witnesses = Arc::new(witnesses(core, &publishing, interval)?);
    let records = Records::load(labward_records::Setup {
        store: store.clone(),
        keys: keys.clone(),
        ids: store.read(|snapshot| RecordIds::load(snapshot))?,
        clock: Arc::clone(clock),
        site: SITE,
        node: NODE,
        blobs: core.data.blobs(),
        retention: config.retention(),
    })?;
    let keep = Arc::new(RecordsKeep {
        records: records.clone(),
        store: store.clone(),
        keys: keys.clone(),
    });
    let events = Events::default();
    let delivery = Arc::new(Delivery::start(
        config.gateway.destinations.clone(),
        DeliveryParts {
            store: store.clone(),
            keep: keep.clone(),
            clock: Arc::clone(clock),
            identity: server_identity(core)?,
            peers: core.peers.clone(),
            events: events.clone(),
            site: SITE,
        },
    )?);
    let opener = edge_opener(core)?;
    let edges = opener.map(|opener| {
        let renewer = Arc::new(EdgeRenewer {
            data: core.data.clone(),
            keys: keys.clone(),
            peers: core.peers.clone(),
            clock: Arc::clone(clock),
        });
        let edges = Edges::new(store.clone(), opener.clone(), renewer);
        (edges, opener)
    });
    core.record_start()?;
    // Before anything comes in.
    let scanner_loop = core.scanner.start()?;
    let gateway = Gateway::start(
        config.gateway.clone(),
        GatewayParts {
            store: store.clone(),
            keep: keep.clone(),
            peers: core.peers.clone(),
            index_key: keys.index_key()?,
            clock: Arc::clone(clock),
            dispatch: delivery.clone(),
            identity: server_identity(core)?,
            events,
            edges: edges.as_ref().map(|(edges, _)| edges.clone()),
            notice: Some(Arc::new(Sightings::start(
                core.devices.clone(),
                Arc::clone(clock),
            )?)),
            watch: Some(behaviour::watch(core)),
            inspect: core.scanner.inspector(),
            site: SITE,
        },
    );
    let gateway = gateway.inspect_err(|error| {
        delivery.shutdown(Duration::ZERO);
        core.record_stop(Outcome::Failed(error.problem().code));
    })?;
    let woken = Arc::clone(&witnesses);
    let publish_loop = PublishLoop::start(Arc::clone(&publishing), interval, move || woken.wake())?;
    let resume_loop = resume::start(
        Arc::clone(&core.ledger),
        store.clone(),
        core.reserve.clone(),
        Arc::clone(clock),
    )?;
    let told = Arc::clone(&core.webhooks);
    let webhook_loop = WebhookLoop::start(told, core.me.clone())?;
    let mail_loop = MailLoop::start(Arc::clone(&core.mails), core.me.clone())?;
    Ok(Opened {
        messages: gateway.messages(),
        records,
        gateway,
        delivery,
        publishing,
        witnesses,
        edges,
        publish_loop: Mutex::new(Some(publish_loop)),
        recurring: Mutex::new(vec![
            upkeep::start(core.me.clone())?,
            indexing::start(core.me.clone())?,
            threat::start_matching(core.me.clone())?,
            malware::rescan::start(core.me.clone())?,
        ]),
        webhook_loop: Mutex::new(Some(webhook_loop)),
        mail_loop: Mutex::new(Some(mail_loop)),
        scanner_loop: Mutex::new(Some(scanner_loop)),
        behaviour_loop: Mutex::new(Some(BehaviourLoop::start(core.me.clone())?)),
        keep,
        resume_loop: Mutex::new(Some(resume_loop)),
    })
}

/// Starts to ask the witnesses, after a first checkpoint that they can be asked about.
fn witnesses(
    core: &Core,
    publishing: &Arc<Publishing>,
    interval: Duration,
) -> Result<Witnesses, ServerError> {
    let configs = &core.config().witnesses;
    if !configs.is_empty() {
        // What keeps it from publishing is said by the loop.
        let _ = publishing.publish();
    }
    let parts = Arc::new(WitnessParts {
        store: core.store.clone(),
        publishing: Arc::clone(publishing),
        peers: core.peers.clone(),
        clock: Arc::clone(&core.clock),
        evidence: core.data.evidence(),
    });
    Witnesses::start(configs, interval, server_identity(core)?.as_ref(), &parts)
}

impl Opened {
    /// Seals whose words an entry is to hold.
    pub(crate) fn seal_why(&self, why: &str) -> Result<Vec<u8>, KeepError> {
        self.keep.seal_detail(SITE, why.as_bytes())
    }
}

//! `peers` and `people`: who may connect, and who may use this.
//!
//! It must never keep a peer's private key: it is in the answer once.

use std::net::IpAddr;
use std::sync::Arc;

use labward_api::peer::{AddedPeer, Engagement, NewPeer, Peer, Person, Rules};
use labward_base::id::PersonId;
use labward_base::{Clock, hex, problem};
use labward_gateway::config::LinkConfig;
use labward_identity::{
    DEFAULT_PEER_DAYS, HowTo, Identification, IdentityError, Issued, NewPerson, Origin, Pattern,
    PeerChange, PeerKind, PeerRules, Topic, how_to,
};

use super::call::{Answer, Call, reason};
use super::edge::all_edges;
use super::failure::Failure;
use super::span::{since, until};
use crate::app::Core;
use crate::folder::SITE;

/// The port that is named if no link is configured: the one registered for HL7.
const HL7_PORT: u16 = 2575;

/// `GET peers`
pub(super) fn peers(call: &Call) -> Result<Answer, Failure> {
    let edges = match call.core.opened() {
        Some(opened) => all_edges(&call.core, &opened)?,
        None => Vec::new(),
    };
    let one = |peer: &Arc<labward_identity::Peer>| {
        let mut edges = edges.iter();
        Peer {
            edge: edges
                .find(|(edge, _)| edge.id == peer.id)
                .map(|(_, status)| status.clone()),
            ..shown(peer)
        }
    };
    let peers = call.core.peers.list();
    Answer::json(&peers.iter().map(one).collect::<Vec<_>>())
}

/// `POST peers`
pub(super) fn add_peer(call: &Call) -> Result<Answer, Failure> {
    let new: NewPeer = call.json()?;
    let kind = new.kind.parse()?;
    if kind == PeerKind::Edge {
        return Err(Failure::new(&problem::EDGE_BY_CODE));
    }
    let rules = rules(&new.rules)?;
    let (identification, issued) = match &new.certificate {
        Some(pem) => (Identification::from_pem(pem.as_bytes())?, None),
        None => {
            let days = new.days.unwrap_or(DEFAULT_PEER_DAYS);
            let now = call.core.clock.now();
            let issued = call
                .core
                .authority()?
                .issue_peer(&new.name, kind, now, days)?;
            (issued.identification.clone(), Some(issued))
        }
    };
    let peer = labward_identity::NewPeer {
        name: new.name,
        kind,
        site: SITE,
        rules,
        authority: new.authority,
        addresses: Vec::new(),
        identification,
    };
    let peer = call.core.peers.add(peer, call.actor())?;
    added(&call.core, &peer, issued.as_ref())
}

/// `POST peers/{name}/set`
pub(super) fn set(call: &Call) -> Result<Answer, Failure> {
    let wanted: labward_api::peer::PeerChange = call.json()?;
    let why = reason(&wanted.why)?;
    let peer = named(call)?;
    let lists = |texts: &Option<Vec<String>>| texts.as_deref().map(patterns).transpose();
    let addresses = wanted.addresses.as_ref().map(|all| {
        let parsed = all.iter().map(|one| one.parse());
        parsed.collect::<Result<Vec<IpAddr>, _>>()
    });
    let addresses = addresses.transpose();
    let change = PeerChange {
        sending_applications: lists(&wanted.applications)?,
        sending_facilities: lists(&wanted.facilities)?,
        message_types: lists(&wanted.types)?,
        processing_ids: lists(&wanted.processing)?,
        astm_senders: lists(&wanted.astm_senders)?,
        addresses: addresses.map_err(|_| IdentityError::NotAName { what: "address" })?,
        authority: wanted
            .authority
            .map(|text| Some(text).filter(|text| !text.is_empty())),
    };
    let why = call.opened()?.seal_why(why)?;
    let peer = call.core.peers.set(peer.id, change, call.actor(), why)?;
    Answer::json(&shown(&peer))
}

/// `POST peers/{name}/revoke`
pub(super) fn revoke(call: &Call) -> Result<Answer, Failure> {
    let peer = named(call)?;
    call.core.peers.revoke(peer.id, call.actor())?;
    Answer::done(None)
}

/// `POST peers/{name}/renew`
pub(super) fn renew(call: &Call) -> Result<Answer, Failure> {
    let peer = named(call)?;
    if peer.kind == PeerKind::Edge {
        return Err(Failure::new(&problem::EDGE_BY_CODE));
    }
    if peer.origin == Origin::Foreign {
        let what = "its own authority renews a foreign certificate";
        return Err(Failure::new(&problem::IDENTITY_BAD_CERTIFICATE).with(what));
    }
    if !peer.is_active() {
        return Err(IdentityError::PeerRevoked(peer.id).into());
    }
    let now = call.core.clock.now();
    let authority = call.core.authority()?;
    let issued = authority.issue_peer(&peer.name, peer.kind, now, DEFAULT_PEER_DAYS)?;
    let identification = issued.identification.clone();
    let peers = &call.core.peers;
    let peer = peers.renew(peer.id, identification, call.actor(), now)?;
    added(&call.core, &peer, Some(&issued))
}

/// `GET people`
pub(super) fn people(call: &Call) -> Result<Answer, Failure> {
    let people = call.core.people.list();
    Answer::json(&people.iter().map(person).collect::<Vec<_>>())
}

/// `POST people`
pub(super) fn add_person(call: &Call) -> Result<Answer, Failure> {
    let new: Person = call.json()?;
    let engagement = new.engagement.as_ref();
    let engagement = engagement.map(|one| engaged(call, one)).transpose()?;
    let added = NewPerson {
        name: new.name,
        roles: new.role.parse()?,
        uid: new.uid,
    };
    let people = &call.core.people;
    let added = people.add_engaged(added, engagement, call.actor())?;
    Answer::json(&person(&added))
}

/// `POST people/{id}/engage`
pub(super) fn engage(call: &Call) -> Result<Answer, Failure> {
    let id: PersonId = call.param("id")?;
    let wanted: Engagement = call.json()?;
    let engagement = engaged(call, &wanted)?;
    let engaged = call.core.people.engage(id, engagement, call.actor())?;
    Answer::json(&person(&engaged))
}

fn engaged(call: &Call, wanted: &Engagement) -> Result<labward_identity::Engagement, Failure> {
    let missing = || {
        let what = "an engagement needs a first and a last day, and one on which access ends";
        Failure::bad_request(what)
    };
    let from = since(Some(&wanted.from))?.ok_or_else(missing)?;
    let to = until(Some(&wanted.until))?.ok_or_else(missing)?;
    let ends = until(Some(&wanted.expires))?.ok_or_else(missing)?;
    let topics = wanted.topics.iter().map(|topic| topic.trim().parse());
    let topics = topics.collect::<Result<Vec<Topic>, _>>()?;
    let now = call.core.clock.now();
    Ok(labward_identity::Engagement::new(
        [from, to, ends],
        topics,
        now,
    )?)
}

/// `DELETE people/{id}`
pub(super) fn remove_person(call: &Call) -> Result<Answer, Failure> {
    let id: PersonId = call.param("id")?;
    call.core.people.remove(id, call.actor())?;
    Answer::done(None)
}

fn named(call: &Call) -> Result<Arc<labward_identity::Peer>, Failure> {
    let peer = call.core.peers.by_name(call.text("name"));
    peer.ok_or(Failure::new(&problem::IDENTITY_NO_PEER))
}

fn added(
    core: &Core,
    peer: &labward_identity::Peer,
    issued: Option<&Issued>,
) -> Result<Answer, Failure> {
    let config = core.config();
    let host = config
        .tls
        .names
        .first()
        .cloned()
        .unwrap_or_else(labward_os::hostname);
    let file = format!("{}.pem", peer.name);
    let not_after = peer.not_after.to_rfc3339();
    let page = HowTo {
        kind: peer.kind,
        peer: &peer.name,
        host: &host,
        port: port(core, &peer.name),
        bundle: issued.map(|_| file.as_str()),
        not_after: not_after.get(..10).unwrap_or(&not_after),
    };
    Answer::json(&AddedPeer {
        peer: shown(peer),
        bundle: issued.map(|issued| issued.bundle.to_pem().expose().clone()),
        how_to: how_to(&page),
    })
}

/// The port of the link that names the peer, else of the first one over TLS.
fn port(core: &Core, peer: &str) -> u16 {
    let config = core.config();
    let links = &config.gateway.links;
    let its_own = |link: &&LinkConfig| link.peer.as_deref() == Some(peer);
    let over_tls = |link: &&LinkConfig| !link.transport.is_plain();
    let link = links.iter().find(its_own).or(links.iter().find(over_tls));
    link.map_or(HL7_PORT, |link| link.listen.port())
}

fn shown(peer: &labward_identity::Peer) -> Peer {
    let rules = &peer.rules;
    Peer {
        id: peer.id.get(),
        name: peer.name.clone(),
        kind: peer.kind.to_string(),
        spki_sha256: hex::encode(&peer.spki_sha256),
        origin: peer.origin.to_string(),
        not_after: peer.not_after.to_rfc3339(),
        state: peer.state.to_string(),
        rules: Rules {
            applications: texts(&rules.sending_applications),
            facilities: texts(&rules.sending_facilities),
            types: texts(&rules.message_types),
            processing: texts(&rules.processing_ids),
            astm_senders: texts(&rules.astm_senders),
        },
        addresses: peer.addresses.iter().map(IpAddr::to_string).collect(),
        authority: peer.authority.clone(),
        edge: None,
    }
}

fn texts(patterns: &[Pattern]) -> Vec<String> {
    patterns.iter().map(ToString::to_string).collect()
}

pub(super) fn rules(rules: &Rules) -> Result<PeerRules, IdentityError> {
    Ok(PeerRules {
        sending_applications: patterns(&rules.applications)?,
        sending_facilities: patterns(&rules.facilities)?,
        message_types: patterns(&rules.types)?,
        processing_ids: patterns(&rules.processing)?,
        versions: None,
        astm_senders: patterns(&rules.astm_senders)?,
    })
}

fn patterns(texts: &[String]) -> Result<Vec<Pattern>, IdentityError> {
    texts.iter().map(|text| text.parse()).collect()
}

/// A person as they are shown.
pub(super) fn person(person: &labward_identity::Person) -> Person {
    Person {
        id: person.id.get(),
        name: person.name.clone(),
        role: person.roles.to_string(),
        uid: person.uid,
        login: person.login.clone(),
        engagement: person.engagement.as_ref().map(shown_engagement),
    }
}

fn shown_engagement(engagement: &labward_identity::Engagement) -> Engagement {
    let topics = engagement.topics.iter().map(|topic| topic.name());
    Engagement {
        from: engagement.from_text(),
        until: engagement.until_text(),
        expires: engagement.ends_text(),
        topics: topics.map(str::to_owned).collect(),
    }
}

//! The guided way of an analyzer: a link, a peer, its file, and the wait for its first message.
//!
//! It must never keep a private key, or hand one to anybody but who signed in: each download is a
//! renewal in the person's name.

use std::collections::BTreeMap;
use std::time::Duration;

use labward_api::ProblemBody;
use labward_api::config::{ChangeConfig, ConfigEdit, ConfigPart, Configuration, EditKind, Reload};
use labward_api::ledger::Entries;
use labward_api::message::Message;
use labward_api::peer::{AddedPeer, NewPeer, Peer, Rules};
use labward_api::status::{LinkStatus, Status};
use labward_base::{Clock as _, Problem, problem};
use labward_console::frame::Place;
use labward_console::pages as html;
use labward_identity::{IdentityError, check_name};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::pages::written;
use super::visit::{Page, Visit, shown_within};
use crate::http::failure::Failure;

/// How far back refused connections are shown.
const LATELY: Duration = Duration::from_secs(10 * 60);
/// Refusals shown at most.
const REFUSALS: u32 = 5;
/// What an entry about strangers holds beside the reasons.
const BESIDE: &[&str] = &["count", "links", "since"];

/// `GET /first-analyzer`
pub(super) fn form(visit: &Visit) -> Result<Page, Failure> {
    with_form(visit, &html::Connecting::default(), None)
}

/// `POST /first-analyzer`: the link, if none fits, and then the analyzer.
pub(super) fn open(visit: &Visit) -> Result<Page, Failure> {
    let form = &visit.form;
    let trimmed = |name: &str| form.text(name).trim().to_owned();
    let filled = html::Connecting {
        name: trimmed("name"),
        astm: form.text("speaks") == "astm",
        loopback: form.text("way") == "loopback",
        port: trimmed("port"),
        application: trimmed("application"),
        facility: trimmed("facility"),
        types: trimmed("types"),
        sender: trimmed("sender"),
        authority: trimmed("authority"),
    };
    match opened(visit, &filled) {
        Ok(link) => Ok(Page::To(address(&filled.name, &link))),
        Err(failure) => with_form(visit, &filled, Some(&shown_within(failure)?)),
    }
}

/// `GET /first-analyzer/{name}`
pub(super) fn wait(visit: &Visit) -> Result<Page, Failure> {
    let peer = known(visit)?;
    let status: Status = visit.get("status")?;
    let named = visit.query.text("link");
    let links = || status.links.iter().filter(|link| suits(link, &peer));
    let link = links().find(|link| link.name == named).or(links().next());
    // While nothing at all has come through the link, and the page shows nothing of before, there is
    // nothing to look for again.
    let asks_again = visit.is_live() && visit.query.text("held").is_empty();
    let is_still = asks_again && link.is_some_and(|link| link.last_message.is_none());
    let messages: Vec<Message> = match status.open && !is_still {
        true => visit.get(&format!("messages?limit=1&peer={}", peer.name))?,
        false => Vec::new(),
    };
    let message = messages.first();
    let held = message.filter(|message| message.state == "held");
    let field = match held {
        Some(message) => field_of(visit, message)?,
        None => None,
    };
    let reason = held.and_then(|message| Problem::by_code(message.reason.as_deref()?));
    let told = reason.map(|problem| Failure::new(problem).into_body().1);
    let refusals = match (message, link) {
        (None, Some(link)) => refusals(visit, &link.name)?,
        _ => Vec::new(),
    };
    let host = visit.core.config().tls.names.first().cloned();
    let host = host.unwrap_or_else(labward_os::hostname);
    written(html::first_message(
        &visit.frame(Place::Flow),
        &html::Awaited {
            peer: &peer,
            link,
            host: &host,
            message,
            field: field.as_deref(),
            problem: told.as_ref(),
            refusals: &refusals,
        },
    ))
}

/// `POST /first-analyzer/{name}/file`: a certificate of its own, with its key, once.
pub(super) fn file(visit: &Visit) -> Result<Page, Failure> {
    let peer = known(visit)?;
    let params = [("name", peer.name.as_str())];
    let added: AddedPeer = visit.post("peers/{name}/renew", &params, &())?;
    let missing =
        || Failure::new(&problem::SERVER_INTERNAL).with("a peer was renewed without a file");
    let bundle = Zeroizing::new(added.bundle.ok_or_else(missing)?);
    Ok(Page::File {
        writer: Box::new(move |out| {
            let broken = |_| Failure::new(&problem::SERVER_BUSY);
            out.write_all(bundle.as_bytes()).map_err(broken)
        }),
        name: format!("{}.pem", peer.name),
        kind: "application/x-pem-file",
    })
}

fn with_form(
    visit: &Visit,
    filled: &html::Connecting,
    fault: Option<&ProblemBody>,
) -> Result<Page, Failure> {
    let peers: Vec<Peer> = visit.get("peers")?;
    let analyzers: Vec<&Peer> = peers.iter().filter(|peer| is_analyzer(peer)).collect();
    let frame = visit.frame(Place::Flow);
    written(html::first_analyzer(&frame, filled, &analyzers, fault))
}

/// Opens the way; gives the name of the link. A second try goes on where the first one failed.
fn opened(visit: &Visit, filled: &html::Connecting) -> Result<String, Failure> {
    check_name(&filled.name)?;
    let peers: Vec<Peer> = visit.get("peers")?;
    if peers.iter().any(|peer| peer.name == filled.name) {
        return Err(IdentityError::PeerExists.into());
    }
    let new = new_peer(filled)?;
    let port = filled.port.parse::<u16>().ok().filter(|port| *port > 0);
    let port = port.ok_or_else(|| Failure::bad_request("a port is a number from 1 to 65535"))?;
    let configuration: Configuration = visit.get("config")?;
    let links = configuration.tables.iter().find(|one| one.table == "link");
    let links = links.map_or(&[][..], |table| table.parts.as_slice());
    let found = links.iter().find(|link| serves(link, filled, port));
    let link = match found.and_then(|link| link.name.clone()) {
        Some(name) => name,
        None => {
            let name = free_name(links, filled.astm, port);
            let frame = visit.frame(Place::Flow);
            let change = ChangeConfig {
                base: configuration.sha256,
                edits: vec![new_link(filled, port, &name)],
                why: html::analyzer_recorded(&frame, &filled.name),
            };
            visit.post::<Reload>("config/change", &[], &change)?;
            name
        }
    };
    // The key in the answer is wiped unseen: who downloads the file gets a fresh one.
    let mut added: AddedPeer = visit.post("peers", &[], &new)?;
    drop(added.bundle.take().map(Zeroizing::new));
    Ok(link)
}

fn new_peer(filled: &html::Connecting) -> Result<NewPeer, Failure> {
    let list = |text: &str| -> Vec<String> {
        let members = text.split(',').map(str::trim);
        members
            .filter(|one| !one.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let rules = match filled.astm {
        true => Rules {
            astm_senders: list(&filled.sender),
            ..Rules::default()
        },
        false => Rules {
            applications: list(&filled.application),
            facilities: list(&filled.facility),
            types: list(&filled.types),
            processing: vec!["P".to_owned()],
            ..Rules::default()
        },
    };
    // An empty list admits nothing: the analyzer would be there and never heard.
    let missing = match filled.astm {
        true => rules
            .astm_senders
            .is_empty()
            .then_some("its name in ASTM (H-5) is missing"),
        false => [
            (&rules.applications, "its application (MSH-3) is missing"),
            (&rules.facilities, "its facility (MSH-4) is missing"),
            (&rules.types, "what it sends (MSH-9) is missing"),
        ]
        .into_iter()
        .find_map(|(list, what)| list.is_empty().then_some(what)),
    };
    if let Some(what) = missing {
        return Err(Failure::bad_request(what));
    }
    Ok(NewPeer {
        name: filled.name.clone(),
        kind: "analyzer".to_owned(),
        rules,
        authority: Some(filled.authority.clone()).filter(|text| !text.is_empty()),
        ..NewPeer::default()
    })
}

const fn framing(astm: bool) -> &'static str {
    match astm {
        true => "astm",
        false => "mllp",
    }
}

/// Whether a link of the configuration serves this analyzer as it is.
fn serves(link: &ConfigPart, filled: &html::Connecting, port: u16) -> bool {
    let text = |key: &str| link.values.get(key).and_then(Value::as_str);
    let listens = text("listen").and_then(|address| address.rsplit(':').next()?.parse().ok());
    let framed = text("framing").unwrap_or("mllp") == framing(filled.astm);
    let is_plain = text("transport.mode") == Some("plain");
    let only = text("peer").is_none_or(|only| only == filled.name);
    let names = !is_plain || text("peer").is_some();
    listens == Some(port) && framed && is_plain == filled.loopback && only && names
}

/// `hl7` or `astm`, with the port behind it where that is taken.
fn free_name(links: &[ConfigPart], astm: bool, port: u16) -> String {
    let name = if astm { "astm" } else { "hl7" };
    let is_taken = links.iter().any(|link| link.name.as_deref() == Some(name));
    match is_taken {
        true => format!("{name}-{port}"),
        false => name.to_owned(),
    }
}

fn new_link(filled: &html::Connecting, port: u16, name: &str) -> ConfigEdit {
    let address = if filled.loopback {
        "127.0.0.1"
    } else {
        "0.0.0.0"
    };
    let mut set: BTreeMap<String, Value> = [
        ("name".to_owned(), json!(name)),
        ("listen".to_owned(), json!(format!("{address}:{port}"))),
    ]
    .into();
    if filled.astm {
        set.insert("framing".to_owned(), json!("astm"));
    }
    if filled.loopback {
        set.insert("peer".to_owned(), json!(filled.name));
        set.insert("transport.mode".to_owned(), json!("plain"));
    }
    ConfigEdit {
        does: EditKind::Add,
        table: "link".to_owned(),
        name: None,
        set,
    }
}

fn address(name: &str, link: &str) -> String {
    format!("/first-analyzer/{name}?link={link}")
}

fn is_analyzer(peer: &Peer) -> bool {
    peer.kind == "analyzer" && peer.state == "active"
}

fn known(visit: &Visit) -> Result<Peer, Failure> {
    let peers: Vec<Peer> = visit.get("peers")?;
    let name = visit.text("name");
    let mut peers = peers.into_iter();
    let found = peers.find(|peer| peer.name == name && is_analyzer(peer));
    found.ok_or(Failure::new(&problem::IDENTITY_NO_PEER))
}

/// Whether an analyzer of these rules can use the link.
fn suits(link: &LinkStatus, peer: &Peer) -> bool {
    match link.protocol.as_str() {
        "mllp" => !peer.rules.applications.is_empty(),
        "astm" => !peer.rules.astm_senders.is_empty(),
        _ => false,
    }
}

/// The field for which a message is held, as its entry says.
fn field_of(visit: &Visit, message: &Message) -> Result<Option<String>, Failure> {
    let path = format!("ledger/entries?limit=1&from={}", message.entry);
    let found: Entries = visit.get(&path)?;
    let facts = found.entries.first().and_then(|entry| entry.get("facts"));
    let field = facts.and_then(|facts| facts.get("field"));
    Ok(field.and_then(Value::as_str).map(str::to_owned))
}

/// Who was refused at this link lately, the newest first.
fn refusals(visit: &Visit, link: &str) -> Result<Vec<html::Refusal>, Failure> {
    let since = visit.core.clock.now().minus(LATELY).to_rfc3339();
    let before = u64::MAX;
    let path = format!(
        "ledger/entries?action=stranger.refused&before={before}&limit={REFUSALS}&since={since}"
    );
    let found: Entries = visit.get(&path)?;
    Ok(found
        .entries
        .iter()
        .filter_map(|entry| refusal(entry, link))
        .collect())
}

fn refusal(entry: &Value, link: &str) -> Option<html::Refusal> {
    let facts = entry.get("facts")?.as_object()?;
    let links = facts.get("links")?.as_array()?;
    if !links.iter().any(|one| one.as_str() == Some(link)) {
        return None;
    }
    let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
    let source = text("subject").split_once(':');
    let reasons = facts.keys().filter(|key| !BESIDE.contains(&key.as_str()));
    Some(html::Refusal {
        time: text("time").to_owned(),
        source: source.map_or("", |(_, address)| address).to_owned(),
        reasons: reasons.cloned().collect(),
    })
}

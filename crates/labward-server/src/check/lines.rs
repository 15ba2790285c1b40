//! Checks of links, destinations, peers and their certificates.

use std::net::SocketAddr;
use std::time::Duration;

use labward_base::Timestamp;
use labward_gateway::config::{Expiry, OutboundTransport, Target, Transport};
use labward_identity::{Pattern, Peer};

use super::{CheckInput, Found};

const WEEK: Duration = Duration::from_secs(7 * 86_400);
const MONTH: Duration = Duration::from_secs(30 * 86_400);

/// An unencrypted line.
struct Plain {
    name: String,
    inbound: bool,
    loopback: bool,
    expires: Option<Expiry>,
}

pub(super) fn exception_ended(input: &CheckInput) -> Found {
    let ended = |line: &Plain| line.expires.is_some_and(|day| day.end() <= input.now);
    names(input, ended)
}

pub(super) fn plain_links(input: &CheckInput) -> Found {
    names(input, |line| line.inbound && !line.loopback)
}

pub(super) fn plain_destinations(input: &CheckInput) -> Found {
    names(input, |line| !line.inbound && !line.loopback)
}

pub(super) fn plain_loopback(input: &CheckInput) -> Found {
    names(input, |line| line.loopback)
}

pub(super) fn open_address(input: &CheckInput) -> Found {
    let links = input.config.gateway.links.iter();
    let open = links.filter(|link| link.listen.ip().is_unspecified());
    Found::at(open.map(|link| format!("link {} ({})", link.name, link.listen)))
}

pub(super) fn certificate_ended(input: &CheckInput) -> Found {
    certificates(input, |until| until <= input.now)
}

pub(super) fn certificate_ends_this_week(input: &CheckInput) -> Found {
    certificates(input, |until| {
        until > input.now && until.since(input.now) < WEEK
    })
}

pub(super) fn certificate_ends_this_month(input: &CheckInput) -> Found {
    certificates(input, |until| {
        let left = until.since(input.now);
        (WEEK..MONTH).contains(&left)
    })
}

pub(super) fn no_peers(input: &CheckInput) -> Found {
    Found::when(Some(!input.peers.iter().any(|peer| peer.is_active())))
}

pub(super) fn admits_all(input: &CheckInput) -> Found {
    let any = |list: &[Pattern]| list.contains(&Pattern::any());
    let admits = |peer: &&Peer| {
        let rules = &peer.rules;
        // MSH-11 and MSH-12 tell no peer from another.
        [
            &rules.sending_applications,
            &rules.sending_facilities,
            &rules.message_types,
            &rules.astm_senders,
        ]
        .iter()
        .any(|list| any(list))
    };
    Found::at(active(input).filter(admits).map(|peer| &peer.name))
}

fn active(input: &CheckInput) -> impl Iterator<Item = &Peer> {
    let peers = input.peers.iter().map(AsRef::as_ref);
    peers.filter(|peer: &&Peer| peer.is_active())
}

fn names(input: &CheckInput, wrong: impl Fn(&Plain) -> bool) -> Found {
    let lines = plain_lines(input).into_iter();
    Found::at(lines.filter(|line| wrong(line)).map(|line| line.name))
}

fn plain_lines(input: &CheckInput) -> Vec<Plain> {
    let gateway = &input.config.gateway;
    let links = gateway.links.iter().filter_map(|link| {
        let Transport::Plain { expires, .. } = &link.transport else {
            return None;
        };
        Some(Plain {
            name: format!("link {}", link.name),
            inbound: true,
            loopback: link.listen.ip().is_loopback(),
            expires: *expires,
        })
    });
    let destinations = gateway.destinations.iter().filter_map(|destination| {
        let Target::Mllp {
            address,
            transport: OutboundTransport::Plain { expires, .. },
            ..
        } = &destination.target
        else {
            return None;
        };
        let address = address.parse::<SocketAddr>();
        Some(Plain {
            name: format!("destination {}", destination.name),
            inbound: false,
            // A name may lead anywhere tomorrow.
            loopback: address.is_ok_and(|address| address.ip().is_loopback()),
            expires: *expires,
        })
    });
    links.chain(destinations).collect()
}

/// Certificates of which `wrong` holds; unmeasured if one of our own is not known.
fn certificates(input: &CheckInput, wrong: impl Fn(Timestamp) -> bool) -> Found {
    let own = [
        ("the server's own", input.server_until),
        ("the authority's", input.authority_until),
    ];
    let peers = active(input).map(|peer| (peer.name.as_str(), Some(peer.not_after)));
    let known: Vec<(&str, Option<Timestamp>)> = own.into_iter().chain(peers).collect();
    let found = Found::at(known.iter().filter_map(|(name, until)| {
        let until = until.filter(|until| wrong(*until))?;
        let day = until.to_rfc3339();
        Some(format!("{name} ({})", day.get(..10).unwrap_or(&day)))
    }));
    match found {
        Found::Fine if known.iter().any(|(_, until)| until.is_none()) => Found::Unmeasured,
        found => found,
    }
}

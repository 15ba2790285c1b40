//! Checks of links, destinations, peers and their certificates.

use std::net::SocketAddr;
use std::time::Duration;

use labward_base::{Remark, Timestamp, remark};
use labward_gateway::config::{Expiry, OutboundTransport, Target, Transport};
use labward_identity::{Pattern, Peer, PeerKind};

use super::{CheckInput, Found, Measured};

const WEEK: Duration = Duration::from_secs(7 * 86_400);
const MONTH: Duration = Duration::from_secs(30 * 86_400);
const TWO_YEARS: Duration = Duration::from_secs(730 * 86_400);

/// An unencrypted line.
struct Plain {
    name: String,
    inbound: bool,
    loopback: bool,
    expires: Option<Expiry>,
}

impl Plain {
    fn place(&self) -> Remark {
        match self.inbound {
            true => remark::link(&self.name),
            false => remark::destination(&self.name),
        }
    }

    fn until(&self, day: String) -> Remark {
        match self.inbound {
            true => remark::link_until(&self.name, day),
            false => remark::destination_until(&self.name, day),
        }
    }
}

pub(super) fn exception_ended(input: &CheckInput) -> Found {
    let ended = |line: &Plain| line.expires.is_some_and(|day| day.end() <= input.now);
    names(input, ended)
}

pub(super) fn exception_ends_soon(input: &CheckInput) -> Found {
    let lines = plain_lines(input).into_iter().filter_map(|line| {
        let day = line.expires?;
        let left = day.end().since(input.now);
        let is_soon = day.end() > input.now && left <= MONTH;
        is_soon.then(|| line.until(day.to_string()))
    });
    Found::at(lines)
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
    Found::at(open.map(|link| remark::link_at(link.name.as_str(), link.listen.to_string())))
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

pub(super) fn authority_ends(input: &CheckInput) -> Found {
    Found::of(&input.authority_until, |until| {
        let left = until.since(input.now);
        Found::says((MONTH..TWO_YEARS).contains(&left), || {
            remark::day(day(*until))
        })
    })
}

pub(super) fn receiver_ends(input: &CheckInput) -> Found {
    Found::of(&input.destinations, |destinations| {
        let mut unknown = Vec::new();
        let mut wrong = Vec::new();
        for one in destinations.iter().filter(|one| one.kind == "mllp-tls") {
            let until = one.certificate_until.as_deref();
            match until.and_then(Timestamp::parse_rfc3339) {
                Some(until) if until <= input.now.plus(MONTH) => {
                    wrong.push(remark::until(&one.name, day(until)));
                }
                Some(_) => {}
                None => unknown.push(one.name.as_str()),
            }
        }
        match wrong.is_empty() && !unknown.is_empty() {
            true => {
                let names = unknown.join(", ");
                Found::Unmeasured(remark::no_handshake(names))
            }
            false => Found::at(wrong),
        }
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
    Found::named(active(input).filter(admits).map(|peer| &peer.name))
}

pub(super) fn active(input: &CheckInput) -> impl Iterator<Item = &Peer> {
    let peers = input.peers.iter().map(AsRef::as_ref);
    peers.filter(|peer: &&Peer| peer.is_active())
}

fn names(input: &CheckInput, wrong: impl Fn(&Plain) -> bool) -> Found {
    let lines = plain_lines(input).into_iter();
    Found::at(lines.filter(|line| wrong(line)).map(|line| line.place()))
}

fn plain_lines(input: &CheckInput) -> Vec<Plain> {
    let gateway = &input.config.gateway;
    let links = gateway.links.iter().filter_map(|link| {
        let Transport::Plain { expires, .. } = &link.transport else {
            return None;
        };
        Some(Plain {
            name: link.name.to_string(),
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
            name: destination.name.to_string(),
            inbound: false,
            // A name may lead anywhere tomorrow.
            loopback: address.is_ok_and(|address| address.ip().is_loopback()),
            expires: *expires,
        })
    });
    links.chain(destinations).collect()
}

/// Lines off this machine: how many there are, and how many of them are encrypted.
pub(super) fn off_machine(input: &CheckInput) -> (u64, u64) {
    let (links, destinations) = (links_off(input), destinations_off(input));
    let all = links.0 + destinations;
    let plain = plain_lines(input).into_iter();
    let plain = plain.filter(|line| !line.loopback).count();
    (
        all,
        all.saturating_sub(u64::try_from(plain).unwrap_or(u64::MAX)),
    )
}

/// Links off this machine: how many there are, and how many of them ask for a certificate.
pub(super) fn links_off(input: &CheckInput) -> (u64, u64) {
    let links = input.config.gateway.links.iter();
    let off = links.filter(|link| !link.listen.ip().is_loopback());
    off.fold((0, 0), |(all, with), link| {
        (all + 1, with + u64::from(!link.transport.is_plain()))
    })
}

/// Destinations off this machine; a name may lead anywhere tomorrow, and a file drop is carried on.
fn destinations_off(input: &CheckInput) -> u64 {
    let is_off = |target: &Target| match target {
        Target::FileDrop { .. } => true,
        Target::Mllp { address, .. } => {
            let address = address.parse::<SocketAddr>();
            !address.is_ok_and(|address| address.ip().is_loopback())
        }
    };
    let destinations = input.config.gateway.destinations.iter();
    let off = destinations.filter(|one| is_off(&one.target)).count();
    u64::try_from(off).unwrap_or(u64::MAX)
}

/// Certificates but those of edges, which renew by themselves, of which `wrong` holds; unmeasured if one of our own is not known.
fn certificates(input: &CheckInput, wrong: impl Fn(Timestamp) -> bool) -> Found {
    type Own = fn(String) -> Remark;
    let own: [(Own, _); 2] = [
        (remark::server_certificate, &input.server_until),
        (remark::authority_certificate, &input.authority_until),
    ];
    let mut places = Vec::new();
    let mut unknown: Option<&Measured<Timestamp>> = None;
    for (said, until) in own {
        match until {
            Ok(until) if wrong(*until) => places.push(said(day(*until))),
            Ok(_) => {}
            Err(_) => unknown = Some(until),
        }
    }
    let peers = active(input).filter(|peer| peer.kind != PeerKind::Edge && wrong(peer.not_after));
    places.extend(peers.map(|peer| remark::until(peer.name.as_str(), day(peer.not_after))));
    match (places.is_empty(), unknown) {
        (true, Some(Err(why))) => Found::Unmeasured(why.clone()),
        _ => Found::at(places),
    }
}

/// The day of a time, in UTC.
pub(super) fn day(time: Timestamp) -> String {
    let text = time.to_rfc3339();
    text.get(..10).unwrap_or(&text).to_owned()
}

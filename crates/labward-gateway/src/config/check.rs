//! Which configurations the gateway refuses, and which exceptions it reports.

use std::collections::HashSet;
use std::fmt;
use std::net::SocketAddr;

use labward_base::{Problem, Timestamp, problem};

use super::destination::{DestinationConfig, OutboundTransport, Target};
use super::link::{Framing, LinkConfig, Transport};
use super::plain::Expiry;
use super::{GatewayConfig, Limits};

/// A configuration that the gateway refuses, with the place and the rule it breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("check {place}: {rule}")]
pub struct ConfigError {
    place: String,
    rule: &'static str,
}

impl ConfigError {
    /// What a person sees.
    pub const fn problem(&self) -> &'static Problem {
        &problem::CONFIG_UNSAFE
    }
}

/// A plain line that the configuration allows; each is a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainException {
    /// The link or destination.
    pub place: String,
    /// Whether it stays on this machine.
    pub loopback: bool,
    /// Why it exists.
    pub reason: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Its last day.
    pub expires: Option<Expiry>,
}

impl GatewayConfig {
    /// Refuses what must not run at `now`; `Ok` lists the plain lines, each a finding.
    pub fn check(&self, now: Timestamp) -> Result<Vec<PlainException>, ConfigError> {
        refuse(
            !(1..=64).contains(&self.runtimes),
            "gateway",
            "runtimes must be 1 to 64",
        )?;
        let mut plain = Vec::new();
        let mut names = HashSet::new();
        for link in &self.links {
            let place = format!("link {}", link.name);
            refuse(
                !names.insert(link.name.as_str()),
                &place,
                "the name stands twice",
            )?;
            check_limits(&link.limits, &place)?;
            plain.extend(check_link(link, &place, now)?);
        }
        let mut names = HashSet::new();
        for destination in &self.destinations {
            let place = format!("destination {}", destination.name);
            refuse(
                !names.insert(destination.name.as_str()),
                &place,
                "the name stands twice",
            )?;
            plain.extend(check_destination(destination, &place, now)?);
        }
        for (number, route) in self.routes.iter().enumerate() {
            let place = format!("route {}", number + 1);
            let known = route.to.iter().all(|to| names.contains(to.as_str()));
            refuse(
                !known,
                &place,
                "it goes to a destination that is not configured",
            )?;
            refuse(route.types.is_empty(), &place, "it names no message type")?;
        }
        Ok(plain)
    }
}

fn refuse(wrong: bool, place: impl fmt::Display, rule: &'static str) -> Result<(), ConfigError> {
    if wrong {
        let place = place.to_string();
        return Err(ConfigError { place, rule });
    }
    Ok(())
}

fn check_limits(limits: &Limits, place: &str) -> Result<(), ConfigError> {
    let seconds = [
        limits.handshake_seconds,
        limits.frame_seconds,
        limits.noise_seconds,
    ];
    refuse(
        seconds.iter().any(|seconds| !(1..=3_600).contains(seconds)),
        place,
        "a time limit must be 1 to 3600 seconds",
    )?;
    refuse(
        !(1_024..=64 * 1024 * 1024).contains(&limits.max_message_bytes),
        place,
        "max_message_bytes must be 1024 to 67108864",
    )?;
    refuse(
        limits.max_connections == 0 || limits.max_connections_per_address == 0,
        place,
        "a link needs at least one connection",
    )?;
    refuse(
        limits.messages_per_second > 0 && limits.burst_messages == 0,
        place,
        "burst_messages must be at least 1",
    )
}

fn check_link(
    link: &LinkConfig,
    place: &str,
    now: Timestamp,
) -> Result<Option<PlainException>, ConfigError> {
    let Transport::Plain {
        reason,
        owner,
        expires,
        from_addresses,
    } = &link.transport
    else {
        return Ok(None);
    };
    refuse(
        link.framing == Framing::Edge,
        place,
        "a link for edges is over mutual TLS",
    )?;
    let exception = PlainException {
        place: place.into(),
        loopback: link.listen.ip().is_loopback(),
        reason: reason.clone(),
        owner: owner.clone(),
        expires: *expires,
    };
    check_exception(&exception, now)?;
    refuse(
        !exception.loopback && from_addresses.is_empty(),
        place,
        "a plain link off loopback names the source addresses it accepts (from_addresses)",
    )?;
    Ok(Some(exception))
}

fn check_destination(
    destination: &DestinationConfig,
    place: &str,
    now: Timestamp,
) -> Result<Option<PlainException>, ConfigError> {
    let connections = destination.connections;
    refuse(
        !(1..=64).contains(&connections),
        place,
        "connections must be 1 to 64",
    )?;
    let Target::Mllp {
        address,
        framing,
        transport,
    } = &destination.target
    else {
        return Ok(None);
    };
    refuse(
        matches!(framing, Framing::Astm | Framing::Edge),
        place,
        "messages are delivered over MLLP",
    )?;
    check_outbound(place, address, transport, now)
}

/// Refuses an outgoing line that must not run at `now`; the exception, if it is plain, is a finding.
///
/// # Errors
/// [`ConfigError`] names `place` and the rule that it breaks.
pub fn check_outbound(
    place: &str,
    address: &str,
    transport: &OutboundTransport,
    now: Timestamp,
) -> Result<Option<PlainException>, ConfigError> {
    let has_port = address
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    refuse(!has_port, place, "the address needs a host and a port")?;
    let OutboundTransport::Plain {
        reason,
        owner,
        expires,
    } = transport
    else {
        return Ok(None);
    };
    let exception = PlainException {
        place: place.into(),
        loopback: address
            .parse::<SocketAddr>()
            .is_ok_and(|to| to.ip().is_loopback()),
        reason: reason.clone(),
        owner: owner.clone(),
        expires: *expires,
    };
    check_exception(&exception, now)?;
    Ok(Some(exception))
}

fn check_exception(exception: &PlainException, now: Timestamp) -> Result<(), ConfigError> {
    let PlainException {
        place,
        loopback,
        reason,
        owner,
        expires,
    } = exception;
    let said = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.trim().is_empty());
    refuse(
        !(*loopback || said(reason) && said(owner) && expires.is_some()),
        place,
        "a plain line off loopback needs a reason, an owner and a last day (expires)",
    )?;
    refuse(
        expires.is_some_and(|expires| expires.end() <= now),
        place,
        "the exception for this plain line has ended",
    )
}

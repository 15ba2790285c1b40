//! What no key shows by itself: clashes between links, routes that lead nowhere, unsafe lines,
//! key files in the data folder.
//!
//! It must never let a configuration pass that the gateway would refuse later, when the lab has
//! stopped the old one already.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use labward_base::Timestamp;
use labward_gateway::config::{
    DestinationName, Framing, GatewayConfig, LinkConfig, LinkName, RouteConfig, Target,
};
use labward_records::Retention;

use super::{Config, ConfigError, RetentionConfig, WitnessConfig};

/// What an origin has at most, in bytes: it stands in every checkpoint.
const MAX_ORIGIN_BYTES: usize = 255;

/// Refuses what is wrong whatever the day and the data folder are.
pub(super) fn check(config: &Config) -> Result<(), ConfigError> {
    // Long before every exception's end: whether one has ended is for the day to say.
    config.plain_lines(Timestamp::from_micros(i64::MIN))?;
    check_addresses(&config.gateway.links)?;
    check_enrolment(config)?;
    check_routes(&config.gateway)?;
    check_file_drops(&config.gateway)?;
    check_retention(&config.retention)?;
    check_witnesses(&config.witnesses)?;
    if let Some(oidc) = &config.console.oidc {
        let refused = |rule| ConfigError::refuse("console.oidc", rule);
        oidc.check().map_err(refused)?;
    }
    super::webhook::check(&config.webhooks)?;
    super::mail::check(config.mail.as_ref(), &config.mail_recipients)?;
    super::advisories::check(&config.advisories, &config.advisory_sources)?;
    super::malware::check(&config.malware)?;
    check_names(config)
}

/// Refuses key files below the data folder. **Invariant:** root-key slots do not live with the
/// data.
pub(crate) fn check_key_files(files: &[PathBuf], data: &Path) -> Result<(), ConfigError> {
    match files.iter().find(|file| lies_in(file, data)) {
        Some(file) => Err(ConfigError::refuse(
            format!("key file {}", file.display()),
            "it lies in the data folder; whoever takes the disk must not get the key with it",
        )),
        None => Ok(()),
    }
}

/// Whether a file lies below the data folder, itself or by a link.
pub(super) fn lies_in(file: &Path, data: &Path) -> bool {
    // Links are followed as far as the path exists, so that none leads into the folder unseen.
    let resolved = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let data_resolved = resolved(data);
    let folder = file.parent().map(resolved).unwrap_or_default();
    let inside = |place: &Path| place.starts_with(&data_resolved) || place.starts_with(data);
    inside(file) || inside(&folder) || inside(&resolved(file))
}

fn check_addresses(links: &[LinkConfig]) -> Result<(), ConfigError> {
    for (place, link) in links.iter().enumerate() {
        let others = links.iter().skip(place + 1);
        if let Some(other) = others
            .clone()
            .find(|other| clash(link.listen, other.listen))
        {
            return Err(ConfigError::refuse(
                format!("link {}", other.name),
                format!("it listens on {}, as link {} does", other.listen, link.name),
            ));
        }
    }
    Ok(())
}

fn check_enrolment(config: &Config) -> Result<(), ConfigError> {
    let Some(listen) = config.enrolment.listen else {
        return Ok(());
    };
    let mut links = config.gateway.links.iter();
    match links.find(|link| clash(link.listen, listen)) {
        Some(link) => {
            let rule = format!("it listens on {listen}, as link {} does", link.name);
            Err(ConfigError::refuse("enrolment", rule))
        }
        None => Ok(()),
    }
}

/// Whether both cannot be listened on: the same port on the same address, or on all.
fn clash(a: SocketAddr, b: SocketAddr) -> bool {
    let all = |address: SocketAddr| address.ip().is_unspecified();
    a.port() != 0 && a.port() == b.port() && (a.ip() == b.ip() || all(a) || all(b))
}

fn check_routes(gateway: &GatewayConfig) -> Result<(), ConfigError> {
    for (number, route) in (1..).zip(&gateway.routes) {
        let place = format!("route {number}");
        if route.to.is_empty() {
            return Err(ConfigError::refuse(place, "it goes to no destination"));
        }
        let known = |name: &LinkName| gateway.links.iter().any(|link| link.name == *name);
        if let Some(unknown) = route.links.iter().find(|name| !known(name)) {
            let rule = format!("it names link {unknown}, which is not configured");
            return Err(ConfigError::refuse(place, rule));
        }
        let mllp = gateway.destinations.iter().find(|destination| {
            route.to.contains(&destination.name)
                && matches!(destination.target, Target::Mllp { .. })
        });
        if let (Some(link), Some(mllp)) = (astm_link(gateway, route), mllp) {
            let rule = format!(
                "it would send ASTM messages of link {} to {}, an HL7 receiver; name other links \
                 or types, or a file drop",
                link.name, mllp.name
            );
            return Err(ConfigError::refuse(place, rule));
        }
    }
    Ok(())
}

/// A link whose ASTM messages the route takes.
fn astm_link<'a>(gateway: &'a GatewayConfig, route: &RouteConfig) -> Option<&'a LinkConfig> {
    let fits = |pattern: &String| match pattern.strip_suffix('*') {
        Some(prefix) => "ASTM".starts_with(prefix),
        None => pattern == "ASTM",
    };
    let takes = |link: &&LinkConfig| {
        link.framing == Framing::Astm
            && (route.links.is_empty() || route.links.contains(&link.name))
    };
    route.types.iter().any(fits).then_some(())?;
    gateway.links.iter().find(takes)
}

fn check_file_drops(gateway: &GatewayConfig) -> Result<(), ConfigError> {
    for destination in &gateway.destinations {
        let Target::FileDrop { folder, recipient } = &destination.target else {
            continue;
        };
        let place = || format!("destination {}", destination.name);
        if !folder.is_absolute() {
            return Err(ConfigError::refuse(
                place(),
                "its folder is not an absolute path",
            ));
        }
        if !recipient.starts_with("age1") {
            let rule = "its recipient is not an age public key; files are never written in clear";
            return Err(ConfigError::refuse(place(), rule));
        }
    }
    Ok(())
}

fn check_retention(retention: &RetentionConfig) -> Result<(), ConfigError> {
    let RetentionConfig {
        results_years,
        pathology_years,
    } = *retention;
    match Retention::lengthened(results_years, pathology_years) {
        Ok(_) => Ok(()),
        Err(short) => Err(ConfigError::refuse("retention", short.to_string())),
    }
}

fn check_witnesses(witnesses: &[WitnessConfig]) -> Result<(), ConfigError> {
    for (number, witness) in witnesses.iter().enumerate() {
        let refuse = |rule: &str| {
            let place = format!("witness {}", witness.name);
            Err(ConfigError::refuse(place, rule))
        };
        if witness.name.parse::<DestinationName>().is_err() {
            return refuse("its name has not 1 to 64 letters, digits, -, _ or .");
        }
        let others = witnesses.iter().take(number);
        if others.clone().any(|other| other.name == witness.name) {
            return refuse("the name stands twice");
        }
        if others.clone().any(|other| other.key == witness.key) {
            return refuse("its key stands twice: one witness counts once");
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._~/".contains(c);
        let path = &witness.path;
        if !path.chars().all(plain)
            || !(path.is_empty() || path.starts_with('/'))
            || path.ends_with('/')
        {
            return refuse("its path begins with a slash and does not end with one, such as /w1");
        }
    }
    Ok(())
}

fn check_names(config: &Config) -> Result<(), ConfigError> {
    let names = [("site", &config.site.name), ("node", &config.node.name)];
    for (place, name) in names {
        let length = name.chars().count();
        if !(1..=64).contains(&length) || name.trim() != name || name.chars().any(char::is_control)
        {
            return Err(ConfigError::refuse(
                place,
                "the name has not 1 to 64 characters",
            ));
        }
    }
    if let Some(name) = config.tls.names.iter().find(|name| !is_host(name)) {
        let rule = format!("{name:?} is neither a host name nor an address");
        return Err(ConfigError::refuse("tls", rule));
    }
    if let Some(origin) = &config.ledger.origin {
        let allowed = |c: char| !c.is_whitespace() && c != '+' && !c.is_control();
        if origin.is_empty() || origin.len() > MAX_ORIGIN_BYTES || !origin.chars().all(allowed) {
            let rule = "the origin is empty, too long, or holds a space or a plus";
            return Err(ConfigError::refuse("ledger", rule));
        }
    }
    let group = config.http.socket_group.as_deref();
    if group.is_some_and(|group| group.is_empty() || group.contains(['\0', ':', '\n'])) {
        return Err(ConfigError::refuse(
            "http",
            "socket_group is not the name of a group",
        ));
    }
    Ok(())
}

/// Whether a certificate can be issued for this name or address.
pub(super) fn is_host(name: &str) -> bool {
    let label = |label: &str| {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
        (1..=63).contains(&label.len()) && label.chars().all(fits)
    };
    name.parse::<std::net::IpAddr>().is_ok() || (name.len() <= 253 && name.split('.').all(label))
}

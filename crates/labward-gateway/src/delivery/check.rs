//! Which destinations and routes delivery refuses to run.

use super::error::DeliveryError;
use crate::config::{
    DestinationConfig, Framing, GatewayConfig, LinkConfig, OutboundTransport, PlainException,
    RouteConfig, Target,
};

/// The type under which routes know ASTM messages.
const ASTM: &str = "ASTM";

/// Refuses routes that would send ASTM messages to an HL7 receiver: it cannot take them.
///
/// # Errors
///
/// [`DeliveryError::Config`] with the first such route.
pub fn check_routes(config: &GatewayConfig) -> Result<(), DeliveryError> {
    for (number, route) in config.routes.iter().enumerate() {
        let carries = config.links.iter().any(|link| carries_astm(route, link));
        let to_hl7 = |destination: &&DestinationConfig| {
            matches!(destination.target, Target::Mllp { .. })
                && route.to.contains(&destination.name)
        };
        if carries && config.destinations.iter().any(|to| to_hl7(&to)) {
            return Err(DeliveryError::Config {
                place: format!("route {}", number + 1),
                rule: "ASTM messages cannot go to an HL7 receiver; name the links or types that \
                       may, or use a file drop",
            });
        }
    }
    Ok(())
}

fn carries_astm(route: &RouteConfig, link: &LinkConfig) -> bool {
    let fits = |pattern: &String| match pattern.strip_suffix('*') {
        Some(prefix) => ASTM.starts_with(prefix),
        None => pattern == ASTM,
    };
    link.framing == Framing::Astm
        && (route.links.is_empty() || route.links.contains(&link.name))
        && route.types.iter().any(fits)
}

/// The exception under which a destination is reached unencrypted; each is a finding.
pub(super) fn plain_exception(config: &DestinationConfig) -> Option<PlainException> {
    let Target::Mllp {
        address,
        transport:
            OutboundTransport::Plain {
                reason,
                owner,
                expires,
            },
        ..
    } = &config.target
    else {
        return None;
    };
    Some(PlainException {
        place: format!("destination {}", config.name),
        loopback: address
            .parse::<std::net::SocketAddr>()
            .is_ok_and(|address| address.ip().is_loopback()),
        reason: reason.clone(),
        owner: owner.clone(),
        expires: *expires,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(route: &str) -> GatewayConfig {
        toml::from_str(&format!(
            "[[links]]\nname = \"hl7\"\nlisten = \"127.0.0.1:1\"\n\
             [[links]]\nname = \"astm\"\nlisten = \"127.0.0.1:2\"\nframing = \"astm\"\n\
             [[destinations]]\nname = \"ehr\"\n\
             target = {{ kind = \"mllp\", address = \"127.0.0.1:3\" }}\n\
             [[destinations]]\nname = \"drop\"\n\
             target = {{ kind = \"file-drop\", folder = \"/x\", recipient = \"age1\" }}\n\
             [[routes]]\n{route}\n"
        ))
        .unwrap()
    }

    #[test]
    fn astm_never_goes_to_an_hl7_receiver() {
        for refused in [
            "types = [\"*\"]\nto = [\"ehr\"]",
            "types = [\"ASTM\"]\nto = [\"drop\", \"ehr\"]",
            "types = [\"AS*\"]\nlinks = [\"astm\"]\nto = [\"ehr\"]",
        ] {
            let error = check_routes(&config(refused)).unwrap_err();
            assert!(
                error.to_string().starts_with("check route 1: ASTM"),
                "{refused}"
            );
        }
        for fine in [
            "types = [\"*\"]\nto = [\"drop\"]",
            "types = [\"*\"]\nlinks = [\"hl7\"]\nto = [\"ehr\"]",
            "types = [\"ORU^*\"]\nto = [\"ehr\"]",
        ] {
            assert!(check_routes(&config(fine)).is_ok(), "{fine}");
        }
    }
}

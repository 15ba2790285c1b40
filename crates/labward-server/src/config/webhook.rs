//! `[[webhook]]`: who is told about events over HTTPS, and about which.
//!
//! It must never take an address that would carry an event in clear over a network, or an event that
//! no entry of the ledger leads to.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use labward_gateway::config::DestinationName;
use serde::Deserialize;
use ureq::http::Uri;

use super::ConfigError;
use super::near::nearest;
use crate::webhook::event;

/// Webhooks at most: each has a thread of its own while something is sent to it.
const MAX: usize = 16;
/// Bytes of a URL at most.
const URL_MAX_BYTES: usize = 2_048;
/// Every event.
pub(crate) const ALL: &str = "*";

/// `[[webhook]]`: a receiver of events.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookConfig {
    /// What the lab calls it.
    pub name: String,
    /// Where it listens; what stands in it may be a secret of the receiver.
    pub url: String,
    /// The events that it is told about; `*` is all.
    #[serde(default = "all_events")]
    pub events: Vec<String>,
    /// Authorities that its certificate may be from, instead of the machine's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Seconds that one request may take.
    #[serde(default = "timeout_seconds")]
    pub timeout_seconds: u64,
    /// Days without a success after which it is given up.
    #[serde(default = "give_up_days")]
    pub give_up_days: u64,
}

/// Where a webhook listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The host's name or address, without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Whether the line is TLS; without it the host is this machine.
    pub(crate) is_tls: bool,
}

fn all_events() -> Vec<String> {
    vec![ALL.to_owned()]
}

const fn timeout_seconds() -> u64 {
    10
}

const fn give_up_days() -> u64 {
    5
}

impl WebhookConfig {
    /// Whether it is told about the event of this name.
    pub(crate) fn wants(&self, event: &str) -> bool {
        self.events.iter().any(|one| one == ALL || one == event)
    }

    /// How long one request may take.
    pub(crate) const fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds)
    }

    /// How long it may fail before it is given up.
    pub(crate) const fn patience(&self) -> Duration {
        Duration::from_secs(self.give_up_days.saturating_mul(86_400))
    }

    /// Where it listens, or the rule that its URL breaks.
    pub(crate) fn place(&self) -> Result<Place, &'static str> {
        if self.url.len() > URL_MAX_BYTES {
            return Err("its url is longer than 2,048 bytes");
        }
        let uri: Uri = self.url.parse().map_err(|_| "its url cannot be read")?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err("its url is not https://host/path");
        };
        if authority.as_str().contains('@') || self.url.contains('#') {
            return Err("its url holds a user or a fragment");
        }
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        if host.is_empty() {
            return Err("its url names no host");
        }
        let is_here = match host.parse::<IpAddr>() {
            Ok(address) => address.is_loopback(),
            Err(_) => host == "localhost",
        };
        let (is_tls, port) = match scheme {
            "https" => (true, 443),
            "http" if is_here => (false, 80),
            _ => return Err("its url is not https; http is for this machine alone"),
        };
        Ok(Place {
            host,
            port: authority.port_u16().unwrap_or(port),
            is_tls,
        })
    }
}

/// Refuses what could never be sent, and what would be sent in clear.
pub(super) fn check(webhooks: &[WebhookConfig]) -> Result<(), ConfigError> {
    if webhooks.len() > MAX {
        return Err(ConfigError::refuse(
            "webhook",
            "there are more than 16 of them",
        ));
    }
    for (number, webhook) in webhooks.iter().enumerate() {
        let refuse = |rule: String| {
            let place = format!("webhook {}", webhook.name);
            Err(ConfigError::refuse(place, rule))
        };
        if webhook.name.parse::<DestinationName>().is_err() {
            return refuse("its name has not 1 to 64 letters, digits, -, _ or .".to_owned());
        }
        let mut others = webhooks.iter().take(number);
        if others.any(|other| other.name == webhook.name) {
            return refuse("the name stands twice".to_owned());
        }
        if let Err(rule) = webhook.place() {
            return refuse(rule.to_owned());
        }
        if webhook.events.is_empty() {
            return refuse("it is told about no event".to_owned());
        }
        let known = |name: &str| name == ALL || event::by_name(name).is_some();
        if let Some(unknown) = webhook.events.iter().find(|name| !known(name)) {
            let shown: String = unknown.chars().take(64).collect();
            let near = nearest(unknown, event::names());
            let near = near.map_or_else(String::new, |near| format!("; did you mean \"{near}\"?"));
            return refuse(format!("there is no event {shown:?}{near}"));
        }
        let is_absolute = |path: &PathBuf| path.is_absolute();
        if !webhook.ca_file.as_ref().is_none_or(is_absolute) {
            return refuse("its ca_file is not an absolute path".to_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn parsed(keys: &str) -> Result<Config, ConfigError> {
        Config::parse(&format!(
            "version = 1\n[[webhook]]\nname = \"alarm\"\n{keys}\n"
        ))
    }

    fn refused(keys: &str) -> String {
        parsed(keys).unwrap_err().detail()
    }

    #[test]
    fn what_would_go_out_in_clear_or_to_nobody_is_refused() {
        for (url, rule) in [
            ("http://alarm.example/x", "http is for this machine alone"),
            ("http://10.0.0.7/x", "http is for this machine alone"),
            ("ftp://alarm.example/x", "not https"),
            ("alarm.example/x", "cannot be read"),
            ("/x", "not https://host/path"),
            ("https://a:b@alarm.example/x", "a user or a fragment"),
            ("https://alarm.example/x#y", "a user or a fragment"),
            ("https://alarm.example/a b", "cannot be read"),
            ("", "cannot be read"),
        ] {
            let said = refused(&format!("url = \"{url}\""));
            assert!(said.contains(rule), "{url}: {said}");
        }
    }

    #[test]
    fn tls_anywhere_and_plain_lines_on_this_machine_are_taken() {
        for (url, host, port, is_tls) in [
            ("https://alarm.example/x?y=z", "alarm.example", 443, true),
            ("https://alarm.example:8443", "alarm.example", 8443, true),
            ("https://[2001:db8::1]:1/x", "2001:db8::1", 1, true),
            ("http://127.0.0.1:9000/x", "127.0.0.1", 9000, false),
            ("http://[::1]/x", "::1", 80, false),
            ("http://localhost:9000", "localhost", 9000, false),
        ] {
            let config = parsed(&format!("url = \"{url}\"")).unwrap();
            let host = host.to_owned();
            let expect = Place { host, port, is_tls };
            assert_eq!(config.webhooks[0].place(), Ok(expect), "{url}");
        }
    }

    #[test]
    fn an_event_that_nothing_leads_to_is_refused_with_the_nearest_one() {
        let url = "url = \"https://alarm.example/x\"\n";
        let said = refused(&format!("{url}events = [\"finding.raise\"]"));
        assert!(said.contains("did you mean \"finding.raised\"?"), "{said}");
        assert!(refused(&format!("{url}events = []")).contains("no event"));
        // What the ledger records of patients is not told to anybody.
        assert!(refused(&format!("{url}events = [\"record.shown\"]")).contains("no event"));
        let config = parsed(&format!("{url}events = [\"message.held\"]")).unwrap();
        assert!(config.webhooks[0].wants("message.held"));
        assert!(!config.webhooks[0].wants("finding.raised"));
        assert!(parsed(url).unwrap().webhooks[0].wants("finding.raised"));
    }
}

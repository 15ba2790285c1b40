//! `edge.toml`: the server, the devices and their lines; `docs/ref/edge-config.md` lists every key.
//!
//! An unknown key is refused, and so is a plain line off loopback without a reason, an owner and a
//! last day, as on the server.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use labward_gateway::config::{
    AckMode, BatchPolicy, DuplicatePolicy, Expiry, Framing, GatewayConfig, Limits, LinkConfig,
    LinkName, Strictness, Transport,
};
use serde::Deserialize;

use crate::error::EdgeError;

/// The whole file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EdgeConfig {
    /// The version of this file's form: 1. Required.
    pub version: u32,
    /// The server's link for edges, `"host:port"`. Required.
    pub server: String,
    /// The name in the server's certificate. Default: the host of `server`.
    #[serde(default)]
    pub server_name: Option<String>,
    /// The devices; none by default.
    #[serde(default, rename = "device")]
    pub devices: Vec<DeviceConfig>,
    /// The way to the server.
    #[serde(default)]
    pub uplink: UplinkConfig,
    /// The queue.
    #[serde(default)]
    pub queue: QueueConfig,
}

/// `[[device]]`: one device and its line.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceConfig {
    /// The device's name in entries, here and on the server: 1 to 64 letters, digits, `-`, `_` or
    /// `.`. Required.
    pub name: LinkName,
    /// The address to listen on, `"127.0.0.1:2575"`. This or `serial` is required.
    #[serde(default)]
    pub listen: Option<SocketAddr>,
    /// The path of a serial line, `"/dev/ttyUSB0"`.
    #[serde(default)]
    pub serial: Option<PathBuf>,
    /// How a serial line is set; 9600 8N1 by default.
    #[serde(default)]
    pub line: LineConfig,
    /// `"mllp"`, `"mllp-release-2"` or `"astm"`. Default `"mllp"`.
    #[serde(default)]
    pub framing: Framing,
    /// How HL7 messages are acknowledged, as on the server's links. Default `"by-message"`.
    #[serde(default)]
    pub acknowledge: AckMode,
    /// What happens to a message with a known control id but another body. Default `"hold"`.
    #[serde(default)]
    pub same_id_other_content: DuplicatePolicy,
    /// How an FHS/BHS batch is answered. Default `"per-message"`.
    #[serde(default)]
    pub batch: BatchPolicy,
    /// How framing faults are taken. Default `"lenient"`.
    #[serde(default)]
    pub strictness: Strictness,
    /// Whether a new connection replaces the old. Default true: devices reboot without closing.
    #[serde(default = "yes")]
    pub one_connection: bool,
    /// Why the line cannot be encrypted. Required off loopback.
    #[serde(default)]
    pub reason: Option<String>,
    /// Who answers for the exception. Required off loopback.
    #[serde(default)]
    pub owner: Option<String>,
    /// The exception's last day, `"YYYY-MM-DD"`. Required off loopback.
    #[serde(default)]
    pub expires: Option<Expiry>,
    /// The source addresses that are accepted. Required off loopback.
    #[serde(default)]
    pub from_addresses: Vec<IpAddr>,
    /// The limits of the line, as on the server's links.
    #[serde(default)]
    pub limits: Limits,
}

/// `[device.line]`: how a serial line is set.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LineConfig {
    /// Bits a second. Default 9600.
    pub baud: u32,
    /// Data bits, 7 or 8. Default 8.
    pub data_bits: u8,
    /// `"none"`, `"even"` or `"odd"`. Default `"none"`.
    pub parity: Parity,
    /// Stop bits, 1 or 2. Default 1.
    pub stop_bits: u8,
    /// Whether the line is held back by RTS and CTS. Default false.
    pub rts_cts: bool,
}

/// The parity of a serial line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Parity {
    /// An even number of ones.
    Even,
    /// No parity bit.
    #[default]
    None,
    /// An odd number of ones.
    Odd,
}

/// `[uplink]`: the way to the server.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UplinkConfig {
    /// Seconds before the first new try, 1 to 3600; doubled each time, less up to a half by chance.
    /// Default 1.
    pub reconnect_seconds: u64,
    /// Seconds between tries at most, 1 to 3600. Default 60.
    pub reconnect_max_seconds: u64,
    /// Seconds of silence after which the edge says how it is, 1 to 60. Default 15.
    pub heartbeat_seconds: u64,
    /// Seconds between checkpoints of the ledger while there is something new, 1 to 3600.
    /// Default 60.
    pub checkpoint_seconds: u64,
}

/// `[queue]`: the queue.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QueueConfig {
    /// MiB that stay free on the disk: below it nothing more is taken, so that the device keeps its
    /// results. Default 256.
    pub min_free_mib: u64,
}

const fn yes() -> bool {
    true
}

impl Default for LineConfig {
    fn default() -> Self {
        Self {
            baud: 9_600,
            data_bits: 8,
            parity: Parity::None,
            stop_bits: 1,
            rts_cts: false,
        }
    }
}

impl Default for UplinkConfig {
    fn default() -> Self {
        Self {
            reconnect_seconds: 1,
            reconnect_max_seconds: 60,
            heartbeat_seconds: 15,
            checkpoint_seconds: 60,
        }
    }
}

impl Default for QueueConfig {
    fn default() -> Self {
        Self { min_free_mib: 256 }
    }
}

impl UplinkConfig {
    pub(crate) const fn heartbeat(&self) -> Duration {
        Duration::from_secs(self.heartbeat_seconds)
    }
}

/// Where a configuration leaves its form, in words.
type Wrong = String;

impl EdgeConfig {
    /// Reads and checks the configuration at `path`.
    ///
    /// # Errors
    /// [`EdgeError::Config`] with the line, [`EdgeError::File`].
    pub fn load(path: &Path) -> Result<Self, EdgeError> {
        let text = fs::read_to_string(path).map_err(EdgeError::file(path))?;
        Self::parse(&text).map_err(|what| EdgeError::Config {
            path: path.to_owned(),
            what,
        })
    }

    /// Reads and checks a configuration.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        let config: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        config.check()?;
        Ok(config)
    }

    /// The commented file that enrolment writes.
    pub fn example(server: &str) -> String {
        format!(
            "# The edge of Labward; docs/ref/edge-config.md lists every key.\n\
             version = 1\n\n\
             # The server's link for edges.\n\
             server = \"{server}\"\n\n\
             # One table a device. Over TCP:\n\
             # [[device]]\n\
             # name = \"chemistry\"\n\
             # listen = \"127.0.0.1:2575\"\n\
             # framing = \"mllp\"\n\n\
             # Over a serial line:\n\
             # [[device]]\n\
             # name = \"hematology\"\n\
             # serial = \"/dev/ttyUSB0\"\n\
             # framing = \"astm\"\n\
             # line = {{ baud = 9600 }}\n"
        )
    }

    fn check(&self) -> Result<(), Wrong> {
        let refuse = |wrong: bool, rule: &str| match wrong {
            true => Err(rule.to_owned()),
            false => Ok(()),
        };
        refuse(self.version != 1, "version must be 1")?;
        let port = self.server.rsplit_once(':').map(|(_, port)| port);
        let has_port = port.is_some_and(|port| port.parse::<u16>().is_ok());
        refuse(!has_port, "server needs a host and a port")?;
        let UplinkConfig {
            reconnect_seconds,
            reconnect_max_seconds,
            heartbeat_seconds,
            checkpoint_seconds,
        } = self.uplink;
        let hour = 1..=3_600;
        let seconds = [reconnect_seconds, reconnect_max_seconds, checkpoint_seconds];
        refuse(
            !seconds.iter().all(|seconds| hour.contains(seconds))
                || !(1..=60).contains(&heartbeat_seconds),
            "a time in [uplink] is out of its range",
        )?;
        for device in &self.devices {
            let place = |rule: &str| format!("device {}: {rule}", device.name);
            refuse(
                device.listen.is_some() == device.serial.is_some(),
                &place("it needs listen or serial, and not both"),
            )?;
            refuse(
                device.framing == Framing::Edge,
                &place("a device speaks mllp, mllp-release-2 or astm"),
            )?;
            let line = &device.line;
            refuse(
                !matches!(line.data_bits, 7 | 8) || !matches!(line.stop_bits, 1 | 2),
                &place("a line has 7 or 8 data bits and 1 or 2 stop bits"),
            )?;
        }
        Ok(())
    }

    /// What the gateway's sessions are told: one plain link a device, one thread for all of them.
    pub(crate) fn gateway(&self) -> GatewayConfig {
        GatewayConfig {
            // One thread keeps the numbers of the queue in the order of its entries.
            runtimes: 1,
            links: self.devices.iter().map(DeviceConfig::link).collect(),
            ..GatewayConfig::default()
        }
    }

    /// The host that is dialled, and the name that its certificate must hold.
    pub(crate) fn name(&self) -> &str {
        let host = self.server.rsplit_once(':').map_or("", |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']');
        self.server_name.as_deref().unwrap_or(host)
    }
}

impl DeviceConfig {
    /// The link of this device; a serial line has one of its own on loopback, at a free port.
    fn link(&self) -> LinkConfig {
        let own = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let transport = Transport::Plain {
            reason: self.reason.clone(),
            owner: self.owner.clone(),
            expires: self.expires,
            from_addresses: self.from_addresses.clone(),
        };
        LinkConfig {
            framing: self.framing,
            transport,
            peer: Some(self.name.to_string()),
            acknowledge: self.acknowledge,
            same_id_other_content: self.same_id_other_content,
            batch: self.batch,
            strictness: self.strictness,
            one_connection: self.one_connection || self.serial.is_some(),
            limits: self.limits.clone(),
            ..LinkConfig::new(self.name.clone(), self.listen.unwrap_or(own))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use labward_base::Timestamp;

    const WHOLE: &str = r#"
        version = 1
        server = "labward.example:2579"
        server_name = "lab"
        [[device]]
        name = "cobas-1"
        listen = "10.0.0.1:2575"
        framing = "astm"
        acknowledge = "always"
        same_id_other_content = "deliver"
        batch = "whole"
        strictness = "strict"
        one_connection = false
        reason = "knows no TLS"
        owner = "J. Doe"
        expires = "2027-06-30"
        from_addresses = ["10.0.0.7"]
        limits = { frame_seconds = 20 }
        [[device]]
        name = "xn550"
        serial = "/dev/ttyS0"
        framing = "astm"
        line = { baud = 19200, data_bits = 7, parity = "even", stop_bits = 2, rts_cts = true }
        [uplink]
        reconnect_seconds = 2
        reconnect_max_seconds = 30
        heartbeat_seconds = 5
        checkpoint_seconds = 10
        [queue]
        min_free_mib = 64
    "#;

    #[test]
    fn every_key_is_read_and_makes_the_gateways_links() {
        let config = EdgeConfig::parse(WHOLE).unwrap();
        assert_eq!(config.name(), "lab");
        let gateway = config.gateway();
        assert_eq!(gateway.runtimes, 1);
        let [tcp, serial] = gateway.links.as_slice() else {
            panic!("{gateway:?}")
        };
        assert_eq!(tcp.limits.frame_seconds, 20);
        assert_eq!(tcp.peer.as_deref(), Some("cobas-1"));
        assert!(!tcp.one_connection && serial.one_connection);
        assert!(serial.listen.ip().is_loopback());
        let early = Timestamp::from_seconds(0);
        assert_eq!(gateway.check(early).unwrap().len(), 2);
    }

    #[test]
    fn the_example_is_a_configuration_without_devices() {
        let text = EdgeConfig::example("lab.example:2579");
        let config = EdgeConfig::parse(&text).unwrap();
        assert_eq!((config.name(), config.devices.len()), ("lab.example", 0));
        let shown = text
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(key) if key.starts_with("[[") || key.contains(" = ") => key,
                _ => line,
            })
            .collect::<Vec<_>>()
            .join("\n");
        assert_eq!(EdgeConfig::parse(&shown).unwrap().devices.len(), 2);
    }

    #[test]
    fn every_key_stands_in_the_reference() {
        let page = include_str!("../../../docs/ref/edge-config.md");
        for line in WHOLE.lines().map(str::trim) {
            let keys = line
                .split(['{', ','])
                .filter_map(|part| part.split_once(" = "));
            for (key, _) in keys {
                let key = key.trim();
                assert!(page.contains(&format!("`{key}`")), "{key}");
            }
        }
    }

    #[test]
    fn what_must_not_run_is_refused() {
        let base = "version = 1\nserver = \"a:1\"\n";
        let device = format!("{base}[[device]]\nname = \"a\"\n");
        for text in [
            "server = \"a:1\"",
            "version = 2\nserver = \"a:1\"",
            "version = 1\nserver = \"a\"",
            &format!("{base}threads = 2"),
            &format!("{base}[uplink]\nheartbeat_seconds = 0"),
            &device,
            &format!("{device}listen = \"127.0.0.1:1\"\nserial = \"/dev/ttyS0\""),
            &format!("{device}listen = \"127.0.0.1:1\"\nframing = \"edge\""),
            &format!("{device}listen = \"127.0.0.1:1\"\ntls = true"),
            &format!("{device}serial = \"/dev/ttyS0\"\nline = {{ data_bits = 9 }}"),
        ] {
            assert!(EdgeConfig::parse(text).is_err(), "{text}");
        }
        let off_loopback = format!("{device}listen = \"10.0.0.1:1\"");
        let config = EdgeConfig::parse(&off_loopback).unwrap();
        assert!(config.gateway().check(Timestamp::from_seconds(0)).is_err());
    }
}

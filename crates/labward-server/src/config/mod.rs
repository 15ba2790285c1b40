//! The configuration: one TOML file with `version = 1`.
//!
//! It must never start with what it does not understand, or with what would send or keep a health
//! record in clear: an unknown key, a wrong type and an impossible value are refused with the line,
//! and nothing runs. `schema` is the one definition of every key, from which the check, the file
//! that `init` writes and `docs/ref/config.md` are made.
//!
//! | Module | Holds |
//! |---|---|
//! | `schema`, `sections` | every key with its kind, default, unit and meaning |
//! | `shape` | unknown keys with a suggestion, wrong types, values out of range |
//! | `near` | the nearest known key |
//! | `oidc` | the table of the identity provider |
//! | `rules` | what one key does not show: clashes, unsafe lines, places of key files |
//! | `editable` | what of the file can be changed over the API |
//! | `edit` | edits of the file that leave its comments and its order |
//! | `difference` | [`changes`]: what differs between two files, key by key |
//! | `place` | on which line a link, destination or table begins |
//! | `text` | [`reference()`] and the commented example |
//! | `advisories` | [`AdvisoriesConfig`], [`AdvisorySourceConfig`]: where advisories come from |
//! | `malware` | [`MalwareConfig`]: what is looked at for malware |
//! | `mail` | [`MailConfig`], [`MailRecipientConfig`]: who is reminded by e-mail |
//! | `webhook` | [`WebhookConfig`]: who is told about events |

mod advisories;
mod difference;
mod edit;
mod editable;
mod error;
mod mail;
mod malware;
mod near;
mod oidc;
mod place;
mod rules;
mod schema;
mod sections;
mod shape;
mod text;
mod webhook;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::Read as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use labward_base::Timestamp;
use labward_gateway::config::{
    DestinationConfig, GatewayConfig, LinkConfig, OutboundTransport, RouteConfig, check_outbound,
};
use labward_identity::SessionLimits;
use labward_ledger::{Checkpoint, WitnessKey};
use labward_records::Retention;
use serde::Deserialize;

pub use advisories::{AdvisoriesConfig, AdvisorySourceConfig};
pub use difference::{Change, changes};
pub(crate) use edit::{EditError, edited};
pub(crate) use editable::tables;
pub use error::ConfigError;
pub(crate) use error::line_of;
pub use labward_gateway::config::PlainException;
pub(crate) use mail::MailDay;
pub use mail::{MailConfig, MailRecipientConfig, MailTls, MailTopic};
pub use malware::{ImportsUnscanned, MalwareConfig};
pub use oidc::{AccountClaim, OidcConfig, RoleGroups};
pub(crate) use rules::check_key_files;
pub use text::reference;
pub(crate) use webhook::Place as WebhookPlace;
pub use webhook::WebhookConfig;

/// A configuration longer than this is refused unread.
pub(crate) const MAX_BYTES: u64 = 1024 * 1024;

/// Everything that an installation is told by its file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// The lab.
    pub site: SiteConfig,
    /// This machine's part of it.
    pub node: NodeConfig,
    /// The database.
    pub store: StoreConfig,
    /// Where else the root key may be opened from.
    pub keys: KeysConfig,
    /// The server's own certificate.
    pub tls: TlsConfig,
    /// Links, routes and destinations.
    pub gateway: GatewayConfig,
    /// Where edges enrol.
    pub enrolment: EnrolmentConfig,
    /// The ledger.
    pub ledger: LedgerConfig,
    /// The witnesses that cosign the ledger's checkpoints.
    pub witnesses: Vec<WitnessConfig>,
    /// Who is told about events.
    pub webhooks: Vec<WebhookConfig>,
    /// The server that takes mails.
    pub mail: Option<MailConfig>,
    /// Who is reminded by e-mail.
    pub mail_recipients: Vec<MailRecipientConfig>,
    /// What holds for all advisories.
    pub advisories: AdvisoriesConfig,
    /// Where advisories come from by themselves.
    pub advisory_sources: Vec<AdvisorySourceConfig>,
    /// What is looked at for malware.
    pub malware: MalwareConfig,
    /// How long records are retained.
    pub retention: RetentionConfig,
    /// Emergency access.
    pub break_glass: BreakGlassConfig,
    /// The web console.
    pub console: ConsoleConfig,
    /// The admin socket.
    pub http: HttpConfig,
    /// The log.
    pub log: LogConfig,
}

/// `[site]`: the lab.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SiteConfig {
    /// What the lab is called.
    pub name: String,
}

/// `[node]`: this machine's part of the lab.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NodeConfig {
    /// What the node is called; part of the ledger's origin.
    pub name: String,
}

/// `[store]`: the database.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreConfig {
    /// Snapshots that can be read at the same time.
    pub readers: usize,
    /// Units of work that may wait for the disk.
    pub queue_units: usize,
    /// Log after which a commit also moves it into the database, in MiB.
    pub autocheckpoint_mib: u64,
}

/// `[keys]`: where else the root key may be opened from at start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeysConfig {
    /// Key files tried besides the places that the slots record.
    pub files: Vec<PathBuf>,
}

/// `[tls]`: the server's own certificate, and when the end of any is near.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsConfig {
    /// Host names and addresses by which peers reach this node.
    pub names: Vec<String>,
    /// So many days before a certificate's end there is an alarm.
    pub alarm_days: Vec<u16>,
    /// So many days before the end of the built-in authority there is an alarm.
    pub authority_alarm_days: Vec<u16>,
}

/// `[enrolment]`: where edges enrol.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EnrolmentConfig {
    /// The address to listen on while a code holds.
    pub listen: Option<SocketAddr>,
}

/// `[ledger]`: the evidence.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LedgerConfig {
    /// The name of the ledger in its checkpoints; made from the node's name if not given.
    pub origin: Option<String>,
    /// Seconds between checkpoints while there is something new.
    pub publish_seconds: u64,
}

/// `[[witness]]`: somebody else who cosigns the ledger's checkpoints.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WitnessConfig {
    /// What the lab calls it.
    pub name: String,
    /// Its verifier key.
    pub key: WitnessKey,
    /// Its host and port.
    pub address: String,
    /// What stands before `/add-checkpoint` in its URL.
    #[serde(default)]
    pub path: String,
    /// Seconds that one request may take.
    #[serde(default = "witness_timeout_seconds")]
    pub timeout_seconds: u64,
    /// How the line is protected.
    #[serde(default)]
    pub transport: OutboundTransport,
}

const fn witness_timeout_seconds() -> u64 {
    10
}

/// `[retention]`: how long records are retained.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetentionConfig {
    /// Years for results.
    pub results_years: u16,
    /// Years for pathology.
    pub pathology_years: u16,
}

/// `[break_glass]`: emergency access.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BreakGlassConfig {
    /// Minutes that one lasts at most.
    pub minutes: u64,
    /// Days within which a second person reviews it.
    pub review_days: u64,
}

impl Default for BreakGlassConfig {
    fn default() -> Self {
        Self {
            minutes: 30,
            review_days: 3,
        }
    }
}

impl BreakGlassConfig {
    /// How long a review may take.
    pub(crate) const fn review_time(&self) -> Duration {
        Duration::from_secs(self.review_days.saturating_mul(86_400))
    }
}

/// `[console]`: the web console.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConsoleConfig {
    /// The address to listen on; none: there is no console.
    pub listen: Option<SocketAddr>,
    /// Minutes that a session lasts without a request.
    pub idle_minutes: u64,
    /// Hours that a session lasts altogether.
    pub session_hours: u64,
    /// The lab's identity provider, if people may sign in with it.
    pub oidc: Option<OidcConfig>,
}

impl Default for ConsoleConfig {
    fn default() -> Self {
        Self {
            listen: None,
            idle_minutes: 15,
            session_hours: 12,
            oidc: None,
        }
    }
}

impl ConsoleConfig {
    /// How long a session lasts.
    pub(crate) const fn session_limits(&self) -> SessionLimits {
        SessionLimits {
            idle: Duration::from_secs(self.idle_minutes.saturating_mul(60)),
            absolute: Duration::from_secs(self.session_hours.saturating_mul(3_600)),
        }
    }
}

/// `[http]`: the admin socket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpConfig {
    /// The group of the operating system that may reach the admin socket, besides its owner.
    pub socket_group: Option<String>,
}

/// `[log]`: what the server writes to standard error.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// How much is written.
    pub level: LogLevel,
    /// In which form.
    pub format: LogFormat,
}

/// How much is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Also steps that only a developer reads.
    Debug,
    /// Only what failed.
    Error,
    /// What happened.
    #[default]
    Info,
    /// Everything.
    Trace,
    /// What may go wrong.
    Warn,
}

/// The form of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// One line of text for a person.
    #[default]
    Text,
}

impl Config {
    /// Reads and checks the configuration at `path`.
    ///
    /// # Errors
    /// [`ConfigError`]; nothing of the file takes effect then.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let read = |source| ConfigError::Read {
            path: path.to_owned(),
            source,
        };
        let mut text = String::new();
        let file = File::open(path).map_err(read)?;
        file.take(MAX_BYTES + 1)
            .read_to_string(&mut text)
            .map_err(read)?;
        Self::parse(&text)
    }

    /// Reads and checks a configuration.
    ///
    /// What depends on the day or on the data folder is left to [`Config::check`].
    ///
    /// # Errors
    /// [`ConfigError`] names the line, or the place and the rule that it breaks.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        if text.len() > usize::try_from(MAX_BYTES).unwrap_or(usize::MAX) {
            return Err(ConfigError::unreadable(0, "it is longer than 1 MiB"));
        }
        shape::check(text)?;
        let file: ConfigFile =
            toml::from_str(text).map_err(|error| ConfigError::from_toml(text, &error))?;
        let config = file.into_config();
        rules::check(&config).map_err(|error| error.in_text(text))?;
        Ok(config)
    }

    /// The commented file that `init` writes, for a lab of this name that peers reach by `names`.
    pub fn example(site: &str, names: &[String], console: Option<SocketAddr>) -> String {
        text::example(site, names, console)
    }

    /// Refuses what must not run at `now` in the data folder `data`; `Ok` lists the plain lines,
    /// each of which is a finding.
    ///
    /// # Errors
    /// [`ConfigError::Unsafe`].
    pub fn check(&self, data: &Path, now: Timestamp) -> Result<Vec<PlainException>, ConfigError> {
        check_key_files(&self.keys.files, data)?;
        mail::check_password(self.mail.as_ref(), data)?;
        Ok(self.plain_lines(now)?)
    }

    /// The plain lines of links, destinations and witnesses, each a finding.
    ///
    /// # Errors
    /// [`labward_gateway::config::ConfigError`] if one must not run at `now`.
    pub(crate) fn plain_lines(
        &self,
        now: Timestamp,
    ) -> Result<Vec<PlainException>, labward_gateway::config::ConfigError> {
        let mut lines = self.gateway.check(now)?;
        for witness in &self.witnesses {
            let place = format!("witness {}", witness.name);
            let (address, transport) = (&witness.address, &witness.transport);
            lines.extend(check_outbound(&place, address, transport, now)?);
        }
        Ok(lines)
    }

    /// The name of the ledger in its first epoch.
    pub fn ledger_origin(&self) -> String {
        let made = || Checkpoint::origin_of(&self.node.name, 1);
        self.ledger.origin.clone().unwrap_or_else(made)
    }

    /// The retention times; never below the floor, or the configuration was not read.
    pub fn retention(&self) -> Retention {
        let RetentionConfig {
            results_years,
            pathology_years,
        } = self.retention;
        Retention::lengthened(results_years, pathology_years).unwrap_or_default()
    }
}

impl StoreConfig {
    /// Bytes of log after which a commit also moves it into the database.
    pub const fn autocheckpoint_bytes(&self) -> u64 {
        self.autocheckpoint_mib.saturating_mul(1024 * 1024)
    }
}

impl LedgerConfig {
    /// The time between checkpoints while there is something new.
    pub const fn publish_interval(&self) -> Duration {
        Duration::from_secs(self.publish_seconds)
    }
}

impl LogLevel {
    /// The name in the configuration and for the log's filter.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Error => "error",
            Self::Info => "info",
            Self::Trace => "trace",
            Self::Warn => "warn",
        }
    }
}

impl Default for SiteConfig {
    fn default() -> Self {
        Self {
            name: "Laboratory".to_owned(),
        }
    }
}

impl Default for NodeConfig {
    fn default() -> Self {
        Self {
            name: "main".to_owned(),
        }
    }
}

impl Default for TlsConfig {
    fn default() -> Self {
        Self {
            names: Vec::new(),
            alarm_days: vec![30, 14, 7, 1],
            authority_alarm_days: vec![730, 365, 180, 90, 30, 14, 7, 1],
        }
    }
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            readers: 4,
            queue_units: 65_536,
            autocheckpoint_mib: 8,
        }
    }
}

impl Default for LedgerConfig {
    fn default() -> Self {
        Self {
            origin: None,
            publish_seconds: 60,
        }
    }
}

impl Default for RetentionConfig {
    fn default() -> Self {
        Self {
            results_years: 7,
            pathology_years: 10,
        }
    }
}

/// The file as it is written: links, routes and destinations stand at its top.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigFile {
    #[serde(rename = "version")]
    _version: u32,
    #[serde(default)]
    site: SiteConfig,
    #[serde(default)]
    node: NodeConfig,
    #[serde(default)]
    store: StoreConfig,
    #[serde(default)]
    keys: KeysConfig,
    #[serde(default)]
    tls: TlsConfig,
    #[serde(default)]
    gateway: GatewaySection,
    #[serde(default, rename = "link")]
    links: Vec<LinkConfig>,
    #[serde(default, rename = "route")]
    routes: Vec<RouteConfig>,
    #[serde(default, rename = "destination")]
    destinations: Vec<DestinationConfig>,
    #[serde(default)]
    enrolment: EnrolmentConfig,
    #[serde(default)]
    ledger: LedgerConfig,
    #[serde(default, rename = "witness")]
    witnesses: Vec<WitnessConfig>,
    #[serde(default, rename = "webhook")]
    webhooks: Vec<WebhookConfig>,
    #[serde(default)]
    mail: Option<MailConfig>,
    #[serde(default, rename = "mail_recipient")]
    mail_recipients: Vec<MailRecipientConfig>,
    #[serde(default)]
    advisories: AdvisoriesConfig,
    #[serde(default, rename = "advisory_source")]
    advisory_sources: Vec<AdvisorySourceConfig>,
    #[serde(default)]
    malware: MalwareConfig,
    #[serde(default)]
    retention: RetentionConfig,
    #[serde(default)]
    break_glass: BreakGlassConfig,
    #[serde(default)]
    console: ConsoleConfig,
    #[serde(default)]
    http: HttpConfig,
    #[serde(default)]
    log: LogConfig,
}

/// `[gateway]`: what all links share.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct GatewaySection {
    runtimes: usize,
    drain_seconds: u64,
}

impl Default for GatewaySection {
    fn default() -> Self {
        let gateway = GatewayConfig::default();
        Self {
            runtimes: gateway.runtimes,
            drain_seconds: gateway.drain_seconds,
        }
    }
}

impl ConfigFile {
    fn into_config(self) -> Config {
        Config {
            site: self.site,
            node: self.node,
            store: self.store,
            keys: self.keys,
            tls: self.tls,
            gateway: GatewayConfig {
                runtimes: self.gateway.runtimes,
                drain_seconds: self.gateway.drain_seconds,
                links: self.links,
                routes: self.routes,
                destinations: self.destinations,
            },
            enrolment: self.enrolment,
            ledger: self.ledger,
            witnesses: self.witnesses,
            webhooks: self.webhooks,
            mail: self.mail,
            mail_recipients: self.mail_recipients,
            advisories: self.advisories,
            advisory_sources: self.advisory_sources,
            malware: self.malware,
            retention: self.retention,
            break_glass: self.break_glass,
            console: self.console,
            http: self.http,
            log: self.log,
        }
    }
}

//! `[advisories]` and `[[advisory_source]]`: where advisories come from, whose signatures count, and how
//! long each urgency may take.
//!
//! It must never fetch over a line that is not TLS.

use std::path::PathBuf;

use labward_priority::Clocks;
use labward_threats::Source;
use serde::Deserialize;
use ureq::http::Uri;

use super::ConfigError;

/// Sources at most.
const MAX: usize = 32;
/// Machines beside that of its url that a source may lead to.
const HOSTS_MAX: usize = 32;
/// Bytes of a URL at most.
const URL_MAX_BYTES: usize = 2_048;

/// `[advisories]`: what holds for all of them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdvisoriesConfig {
    /// Days that a critical hit may take.
    pub critical_days: u16,
    /// Days that a high one may take.
    pub high_days: u16,
    /// Days that a medium one may take.
    pub medium_days: u16,
    /// Days that a low one may take.
    pub low_days: u16,
    /// Days before its last day from which a hit is due soon.
    pub soon_days: u16,
    /// Whether the due days of CISA's catalog count where they are earlier.
    pub follow_kev: bool,
    /// Days after which a source that was not looked into is stale.
    pub max_age_days: u16,
    /// Files with OpenPGP keys of publishers.
    pub signing_keys: Vec<PathBuf>,
    /// Files with minisign keys of bundles.
    pub bundle_keys: Vec<PathBuf>,
}

impl Default for AdvisoriesConfig {
    fn default() -> Self {
        let clocks = Clocks::default();
        Self {
            critical_days: clocks.critical_days,
            high_days: clocks.high_days,
            medium_days: clocks.medium_days,
            low_days: clocks.low_days,
            soon_days: clocks.soon_days,
            follow_kev: clocks.follow_kev,
            max_age_days: 30,
            signing_keys: Vec::new(),
            bundle_keys: Vec::new(),
        }
    }
}

impl AdvisoriesConfig {
    /// How long each urgency may take.
    pub(crate) const fn clocks(&self) -> Clocks {
        Clocks {
            critical_days: self.critical_days,
            high_days: self.high_days,
            medium_days: self.medium_days,
            low_days: self.low_days,
            soon_days: self.soon_days,
            follow_kev: self.follow_kev,
        }
    }
}

/// `[[advisory_source]]`: where advisories come from by themselves.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdvisorySourceConfig {
    /// Its name.
    pub name: String,
    /// The folder that they are put into.
    #[serde(default)]
    pub folder: Option<PathBuf>,
    /// The file, the archive or the list of documents that is fetched.
    #[serde(default)]
    pub url: Option<String>,
    /// Machines beside that of the url that it may lead to.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Authorities that certificates may be from, too.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// How long one request may take, in seconds.
    #[serde(default = "timeout_seconds")]
    pub timeout_seconds: u64,
    /// How often it is looked into, in hours.
    #[serde(default = "every_hours")]
    pub every_hours: u64,
}

const fn every_hours() -> u64 {
    24
}

const fn timeout_seconds() -> u64 {
    300
}

/// Refuses what could never be read.
pub(super) fn check(
    config: &AdvisoriesConfig,
    sources: &[AdvisorySourceConfig],
) -> Result<(), ConfigError> {
    let refuse = |what: &str| Err(ConfigError::refuse("advisories", what));
    let mut files = config.signing_keys.iter().chain(&config.bundle_keys);
    if files.any(|file| !file.is_absolute()) {
        return refuse("a file of keys is no absolute path");
    }
    if sources.len() > MAX {
        return Err(ConfigError::refuse(
            "advisory_source",
            "there are more than 32 of them",
        ));
    }
    for (number, source) in sources.iter().enumerate() {
        let refuse = |rule: &str| {
            let place = format!("advisory_source {}", source.name);
            Err(ConfigError::refuse(place, rule))
        };
        if !Source::is_name(&source.name) {
            return refuse("its name has not 1 to 40 letters, digits, hyphens and dots");
        }
        let mut others = sources.iter().take(number);
        if others.any(|other| other.name == source.name) {
            return refuse("the name stands twice");
        }
        match (&source.folder, &source.url) {
            (Some(folder), None) if folder.is_absolute() => {}
            (Some(_), None) => return refuse("its folder is no absolute path"),
            (None, Some(url)) if is_https(url) => {}
            (None, Some(_)) => return refuse("its url is no https address"),
            _ => return refuse("it has not one of folder and url"),
        }
        if source.hosts.len() > HOSTS_MAX {
            return refuse("there are more than 32 hosts");
        }
        if !source.hosts.iter().all(|host| is_host(host)) {
            return refuse("one of its hosts is no name of a machine, or name:port");
        }
        let is_absolute = |file: &PathBuf| file.is_absolute();
        if !source.ca_file.as_ref().is_none_or(is_absolute) {
            return refuse("its ca_file is no absolute path");
        }
        if source.folder.is_some() && (source.ca_file.is_some() || !source.hosts.is_empty()) {
            return refuse("a folder has neither hosts nor a ca_file");
        }
    }
    Ok(())
}

/// A name or an address, with a port or not, and nothing else.
fn is_host(host: &str) -> bool {
    let uri: Option<Uri> = format!("https://{host}/").parse().ok();
    let is_plain = !host.contains(['@', '/', '?', '#', '*']);
    is_plain && uri.is_some_and(|uri| uri.host().is_some_and(|one| !one.is_empty()))
}

fn is_https(url: &str) -> bool {
    let uri: Option<Uri> = url.parse().ok();
    url.len() <= URL_MAX_BYTES
        && uri.is_some_and(|uri| {
            let authority = uri.authority().map(|one| one.as_str());
            uri.scheme_str() == Some("https") && authority.is_some_and(|one| !one.contains('@'))
        })
}

#[cfg(test)]
mod tests {
    use super::super::Config;

    fn parsed(text: &str) -> Result<Config, String> {
        let text = format!("version = 1\n{text}\n");
        Config::parse(&text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_source_is_a_folder_or_an_https_address() {
        let source = |keys: &str| parsed(&format!("[[advisory_source]]\nname = \"a\"\n{keys}"));
        for good in [
            "folder = \"/srv/a\"",
            "url = \"https://a.example/kev.json\"",
        ] {
            let config = source(good).unwrap();
            assert_eq!(config.advisory_sources[0].every_hours, 24, "{good}");
        }
        for (bad, says) in [
            ("", "one of folder and url"),
            ("folder = \"srv\"", "absolute"),
            ("url = \"http://a.example/\"", "https"),
            ("url = \"https://u:p@a.example/\"", "https"),
            ("folder = \"/a\"\nurl = \"https://a.example/\"", "one of"),
            ("folder = \"/a\"\nhosts = [\"a\"]", "neither hosts"),
            ("url = \"https://a/\"\nhosts = [\"https://b/\"]", "hosts"),
            ("url = \"https://a/\"\nhosts = [\"*.b\"]", "hosts"),
            ("url = \"https://a/\"\nhosts = [\"\"]", "hosts"),
            ("url = \"https://a/\"\nca_file = \"ca.pem\"", "ca_file"),
        ] {
            let error = source(bad).unwrap_err();
            assert!(error.contains(says), "{bad}: {error}");
        }
        let config =
            source("url = \"https://a/\"\nhosts = [\"b.example\", \"[::1]:8443\"]").unwrap();
        assert_eq!(config.advisory_sources[0].timeout_seconds, 300);
        let twice = "[[advisory_source]]\nname = \"a\"\nfolder = \"/a\"\n".repeat(2);
        assert!(parsed(&twice).unwrap_err().contains("twice"));
        let keys = parsed("[advisories]\nsigning_keys = [\"cisa.asc\"]");
        assert!(keys.unwrap_err().contains("absolute"));
    }
}

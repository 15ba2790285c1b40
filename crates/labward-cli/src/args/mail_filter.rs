//! The command that stands between the lab's mail server and its mailboxes.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};

/// What `mail-filter` takes.
#[derive(Args, Debug)]
pub struct MailFilterArgs {
    /// Where the mail server connects: unix:/PATH, or inet:ADDRESS:PORT with an address of this machine alone.
    #[arg(long, value_name = "PLACE")]
    pub listen: MailFilterPlace,
    /// The server on another machine, as https://NAME:PORT of its console; otherwise the one of the data folder is asked.
    #[arg(long, value_name = "URL", requires_all = ["ca_file", "token_file"])]
    pub server: Option<String>,
    /// The certificate of that server's authority (PEM): tls/authority.pem of its data folder. No other is trusted.
    #[arg(long, value_name = "FILE", requires = "server")]
    pub ca_file: Option<PathBuf>,
    /// The token by which this filter asks, of scope malware.inspect; no other account may read the file.
    #[arg(long, value_name = "FILE", requires = "server")]
    pub token_file: Option<PathBuf>,
    /// Only say whether the server looks at mails.
    #[arg(long)]
    pub check: bool,
    /// What this filter is called in detections.
    #[arg(long, value_name = "NAME", default_value = "mail")]
    pub name: String,
    /// What becomes of a mail that is malicious; the original is sealed into quarantine.
    #[arg(long, value_name = "WHAT", default_value = "notice")]
    pub malicious: MaliciousMail,
    /// What becomes of a mail that could not be looked at, because the server or its scanner is not well.
    #[arg(long, value_name = "WHAT", default_value = "tempfail")]
    pub unwell: UnseenMail,
    /// The largest mail that is looked at, in MiB; a larger one passes marked as unscannable.
    #[arg(long, value_name = "MIB", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub max_mib: u16,
    /// How much memory all mails together may take, in MiB; a mail for which none is left is to be sent again later.
    #[arg(long, value_name = "MIB", default_value_t = 512, value_parser = clap::value_parser!(u16).range(1..=16384))]
    pub memory_mib: u16,
    /// How many connections of the mail server are served at a time; more wait.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub connections: u16,
}

/// Where the mail filter listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailFilterPlace {
    /// A port of this machine, which no other machine reaches.
    Inet(SocketAddr),
    /// A socket in the file system.
    Unix(PathBuf),
}

impl FromStr for MailFilterPlace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            let path = PathBuf::from(path);
            return match path.is_absolute() {
                true => Ok(Self::Unix(path)),
                false => Err("the path of the socket must be a whole one".to_owned()),
            };
        }
        let address = text.strip_prefix("inet:").and_then(|it| it.parse().ok());
        let address: SocketAddr =
            address.ok_or_else(|| "write it as unix:/PATH or inet:127.0.0.1:PORT".to_owned())?;
        // What goes over the line are whole mails, in clear.
        if !address.ip().is_loopback() {
            return Err("mails would go in clear over the network: only an address of this machine is listened at".to_owned());
        }
        Ok(Self::Inet(address))
    }
}

/// What becomes of a malicious mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MaliciousMail {
    /// It is taken and goes nowhere.
    Discard,
    /// A notice with the number in quarantine goes to its recipients in its place.
    Notice,
    /// Whoever sends it is told that it is not taken.
    Reject,
}

/// What becomes of a mail that could not be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum UnseenMail {
    /// It passes, marked.
    Accept,
    /// Whoever sends it keeps it and sends it again later.
    Tempfail,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_listened_to() {
        let place = |text: &str| text.parse::<MailFilterPlace>();
        assert_eq!(
            place("unix:/run/labward/mail.sock"),
            Ok(MailFilterPlace::Unix("/run/labward/mail.sock".into()))
        );
        assert!(place("inet:127.0.0.1:8891").is_ok() && place("inet:[::1]:8891").is_ok());
        for bad in [
            "",
            "8891",
            "unix:mail.sock",
            "inet:0.0.0.0:8891",
            "inet:10.0.0.1:8891",
        ] {
            assert!(place(bad).is_err(), "{bad}");
        }
    }
}

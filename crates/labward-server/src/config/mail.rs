//! `[mail]` and `[[mail_recipient]]`: who is reminded by e-mail, of what, and through which server.
//!
//! It must never hold a password, or take a server to which a mail would go in clear over a network.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use labward_gateway::config::DestinationName;
use labward_identity::Language;
use lettre::Address;
use lettre::message::Mailbox;
use serde::Deserialize;

use super::ConfigError;

/// Recipients at most: they are served one after the other.
const MAX: usize = 32;
/// Bytes of an address at most (RFC 5321, 4.5.3.1.3).
const ADDRESS_MAX_BYTES: usize = 254;

/// `[mail]`: the server that takes the lab's mails.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailConfig {
    /// Its name or address.
    pub server: String,
    /// Its port; none: the usual one of `tls`.
    #[serde(default)]
    pub port: Option<u16>,
    /// How the line to it is protected.
    #[serde(default)]
    pub tls: MailTls,
    /// Authorities that its certificate may be from, instead of the machine's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// As whom Labward signs in there; none: it does not.
    #[serde(default)]
    pub user: Option<String>,
    /// Where the password for it lies.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// From whom the mails are.
    pub from: String,
    /// The language of recipients that name none.
    #[serde(default)]
    pub language: MailLanguage,
    /// Seconds that one attempt may take.
    #[serde(default = "timeout_seconds")]
    pub timeout_seconds: u64,
}

/// How the line to the server is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailTls {
    /// TLS from the first byte (RFC 8314).
    #[default]
    Implicit,
    /// A plain greeting, then TLS or nothing (RFC 3207).
    Starttls,
    /// Not at all: the server is on this machine.
    None,
}

/// A language of mails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailLanguage {
    /// English.
    #[default]
    En,
    /// Spanish.
    Es,
}

/// What a recipient is reminded of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailTopic {
    /// Conversations of devices that nobody expected.
    Alerts,
    /// Published vulnerabilities of devices, by the day on which they are due.
    Due,
    /// What `labward check` finds.
    Findings,
}

/// A day of the week, Monday first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailDay {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// `[[mail_recipient]]`: somebody who must act.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailRecipientConfig {
    /// What the lab calls them; stands in the ledger and the log in place of the address.
    pub name: String,
    /// Where the mails go.
    pub address: String,
    /// What they are reminded of.
    #[serde(default = "all_topics")]
    pub what: Vec<MailTopic>,
    /// Their language; none: that of `[mail]`.
    #[serde(default)]
    pub language: Option<MailLanguage>,
    /// From which hour of the day on, by this machine's time zone.
    #[serde(default = "hour")]
    pub hour: u32,
    /// On which days.
    #[serde(default = "weekdays")]
    pub days: Vec<MailDay>,
    /// So many days before its last day a vulnerability is mentioned.
    #[serde(default = "within_days")]
    pub within_days: u32,
    /// Whether a mail says so when nothing was due for a week.
    #[serde(default)]
    pub weekly: bool,
    /// Whether the mail names devices and vulnerabilities, or only counts them.
    #[serde(default = "details")]
    pub details: bool,
}

const fn timeout_seconds() -> u64 {
    30
}

fn all_topics() -> Vec<MailTopic> {
    vec![MailTopic::Due, MailTopic::Findings, MailTopic::Alerts]
}

const fn hour() -> u32 {
    7
}

fn weekdays() -> Vec<MailDay> {
    use MailDay::{Friday, Monday, Thursday, Tuesday, Wednesday};
    vec![Monday, Tuesday, Wednesday, Thursday, Friday]
}

const fn within_days() -> u32 {
    7
}

const fn details() -> bool {
    true
}

impl From<MailLanguage> for Language {
    fn from(language: MailLanguage) -> Self {
        match language {
            MailLanguage::En => Self::En,
            MailLanguage::Es => Self::Es,
        }
    }
}

impl MailDay {
    /// The day with this number, Monday being 0.
    pub(crate) const fn numbered(number: u32) -> Self {
        match number % 7 {
            0 => Self::Monday,
            1 => Self::Tuesday,
            2 => Self::Wednesday,
            3 => Self::Thursday,
            4 => Self::Friday,
            5 => Self::Saturday,
            _ => Self::Sunday,
        }
    }
}

impl MailConfig {
    /// Its port.
    pub(crate) fn port(&self) -> u16 {
        self.port.unwrap_or(match self.tls {
            MailTls::Implicit => 465,
            MailTls::Starttls => 587,
            MailTls::None => 25,
        })
    }

    /// How long one attempt may take.
    pub(crate) const fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds)
    }

    /// From whom the mails are.
    pub(crate) fn sender(&self) -> Result<Mailbox, &'static str> {
        let sender: Result<Mailbox, _> = self.from.parse();
        let sender = sender.map_err(|_| "its from is no address, such as labward@lab.example")?;
        fits(&sender.email)?;
        Ok(sender)
    }

    fn rule(&self) -> Result<(), &'static str> {
        let is_here = match self.server.parse::<IpAddr>() {
            Ok(address) => address.is_loopback(),
            Err(_) => self.server == "localhost",
        };
        if !super::rules::is_host(&self.server) {
            return Err("its server is neither a host name nor an address");
        }
        if self.tls == MailTls::None && !is_here {
            return Err("its tls is none; that is for a server on this machine alone");
        }
        if self.user.is_some() != self.password_file.is_some() {
            return Err("it has one of user and password_file and not the other");
        }
        let is_bad = |user: &String| user.is_empty() || user.chars().any(char::is_control);
        if self.user.as_ref().is_some_and(is_bad) {
            return Err("its user is empty or holds control characters");
        }
        let files = [&self.password_file, &self.ca_file];
        if files.into_iter().flatten().any(|file| !file.is_absolute()) {
            return Err("its password_file or ca_file is not an absolute path");
        }
        self.sender().map(drop)
    }
}

impl MailRecipientConfig {
    /// Whether they are reminded of this.
    pub(crate) fn wants(&self, topic: MailTopic) -> bool {
        self.what.contains(&topic)
    }

    /// Their language.
    pub(crate) fn language(&self, mail: &MailConfig) -> Language {
        self.language.unwrap_or(mail.language).into()
    }

    /// Where the mails go.
    pub(crate) fn mailbox(&self) -> Result<Mailbox, &'static str> {
        let address: Result<Address, _> = self.address.parse();
        let address = address.map_err(|_| "its address is none, such as manager@lab.example")?;
        fits(&address)?;
        Ok(Mailbox::new(None, address))
    }

    fn rule(&self) -> Result<(), &'static str> {
        if self.name.parse::<DestinationName>().is_err() {
            return Err("its name has not 1 to 64 letters, digits, -, _ or .");
        }
        if self.what.is_empty() {
            return Err("it is reminded of nothing");
        }
        if self.days.is_empty() {
            return Err("it is reminded on no day");
        }
        self.mailbox().map(drop)
    }
}

/// Addresses are ASCII: not every server on the way takes others (SMTPUTF8, RFC 6531).
fn fits(address: &Address) -> Result<(), &'static str> {
    let text: &str = address.as_ref();
    match text.is_ascii() && text.len() <= ADDRESS_MAX_BYTES {
        true => Ok(()),
        false => Err("an address is not ASCII or longer than 254 bytes"),
    }
}

/// Refuses what could never be sent, and what would be sent in clear.
pub(super) fn check(
    mail: Option<&MailConfig>,
    recipients: &[MailRecipientConfig],
) -> Result<(), ConfigError> {
    if let Some(mail) = mail {
        let refused = |rule| ConfigError::refuse("mail", rule);
        mail.rule().map_err(refused)?;
    } else if !recipients.is_empty() {
        let rule = "there are recipients and no [mail] with the server that takes their mails";
        return Err(ConfigError::refuse("mail_recipient", rule));
    }
    if recipients.len() > MAX {
        let rule = "there are more than 32 of them";
        return Err(ConfigError::refuse("mail_recipient", rule));
    }
    for (number, one) in recipients.iter().enumerate() {
        let refused = |rule| ConfigError::refuse(format!("mail_recipient {}", one.name), rule);
        one.rule().map_err(refused)?;
        let mut others = recipients.iter().take(number);
        if others.any(|other| other.name == one.name) {
            return Err(refused("the name stands twice"));
        }
    }
    Ok(())
}

/// Refuses a password that lies in the data folder: who takes the disk or a backup must not get it.
pub(super) fn check_password(mail: Option<&MailConfig>, data: &Path) -> Result<(), ConfigError> {
    match mail.and_then(|mail| mail.password_file.as_deref()) {
        Some(file) if super::rules::lies_in(file, data) => Err(ConfigError::refuse(
            "mail",
            "its password_file lies in the data folder; put it elsewhere, such as /etc/labward",
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    const MAIL: &str = "[mail]\nserver = \"smtp.lab.example\"\nfrom = \"labward@lab.example\"\n";
    const ONE: &str = "[[mail_recipient]]\nname = \"manager\"\naddress = \"m@lab.example\"\n";

    fn parsed(keys: &str) -> Result<Config, ConfigError> {
        Config::parse(&format!("version = 1\n{keys}"))
    }

    fn refused(keys: &str) -> String {
        parsed(keys).unwrap_err().detail()
    }

    #[test]
    fn a_line_in_clear_is_for_this_machine_alone() {
        let with = |server: &str, tls: &str| {
            let mail = MAIL.replace("smtp.lab.example", server);
            parsed(&format!("{mail}tls = \"{tls}\"\n"))
        };
        for here in ["127.0.0.1", "::1", "localhost"] {
            assert_eq!(with(here, "none").unwrap().mail.unwrap().port(), 25);
        }
        for away in ["smtp.lab.example", "10.0.0.7"] {
            let said = with(away, "none").unwrap_err().detail();
            assert!(said.contains("this machine alone"), "{said}");
            assert_eq!(with(away, "starttls").unwrap().mail.unwrap().port(), 587);
            assert_eq!(with(away, "implicit").unwrap().mail.unwrap().port(), 465);
        }
        assert_eq!(parsed(MAIL).unwrap().mail.unwrap().tls, MailTls::Implicit);
    }

    #[test]
    fn what_could_never_be_sent_is_refused_with_the_rule() {
        for (keys, rule) in [
            (ONE.to_owned(), "no [mail]"),
            (format!("{MAIL}user = \"labward\"\n"), "not the other"),
            (format!("{MAIL}ca_file = \"ca.pem\"\n"), "absolute path"),
            (MAIL.replace("smtp.lab.example", "a b"), "host name"),
            (MAIL.replace("labward@lab.example", "labward"), "no address"),
            (format!("{MAIL}{ONE}{ONE}"), "stands twice"),
            (format!("{MAIL}{ONE}what = []\n"), "of nothing"),
            (format!("{MAIL}{ONE}days = []\n"), "on no day"),
            (format!("{MAIL}{ONE}days = [\"mon\"]\n"), "mon"),
            (format!("{MAIL}{ONE}hour = 24\n"), "0 to 23"),
            (
                format!("{MAIL}{}", ONE.replace("m@lab.example", "m@a\\r\\nB: c")),
                "its address is none",
            ),
            (
                format!("{MAIL}{}", ONE.replace("m@lab.example", "ñ@lab.example")),
                "not ASCII",
            ),
            (
                format!("{MAIL}{}", ONE.replace("manager", "a b")),
                "letters",
            ),
        ] {
            let said = refused(&keys);
            assert!(said.contains(rule), "{keys}: {said}");
        }
    }

    #[test]
    fn a_password_in_the_data_folder_is_refused() {
        let folder = labward_testkit::TempDir::new();
        let data = folder.join("data");
        std::fs::create_dir(&data).unwrap();
        let checked = |file: &Path| {
            let file = file.display();
            let keys = format!("{MAIL}user = \"a\"\npassword_file = \"{file}\"\n");
            let now = labward_base::Timestamp::from_seconds(0);
            parsed(&keys).unwrap().check(&data, now).map(drop)
        };
        let said = checked(&data.join("password")).unwrap_err().detail();
        assert!(said.contains("lies in the data folder"), "{said}");
        checked(&folder.join("password")).unwrap();
    }
}

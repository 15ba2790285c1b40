//! What is the same on every page: who reads, in which language, and where they are.
//!
//! It must never hold anything of a patient: titles and addresses stay in the browser's history.

use std::borrow::{Borrow, Cow};

use labward_identity::{Engagement, Language, Permission, Roles, Theme, permits_within};

use crate::assets;
use crate::language::Texts as _;

/// Where a page stands in the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// What needs a person now.
    Home,
    /// Links, destinations, witnesses, webhooks.
    Flow,
    /// Messages.
    Messages,
    /// Records of patients.
    Records,
    /// The ledger.
    Ledger,
    /// What devices there are.
    Devices,
    /// Which published vulnerabilities concern them.
    Hits,
    /// What malware was found.
    Malware,
    /// The requirements of the law.
    Safeguards,
    /// The lab's people.
    People,
    /// The configuration.
    Settings,
    /// The reader's own account.
    Me,
    /// Outside the navigation.
    Elsewhere,
}

/// Who reads.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// What the lab calls them.
    pub name: String,
    /// What they are in the lab.
    pub roles: Roles,
    /// What they are engaged for, if they are an outside expert.
    pub engagement: Option<Engagement>,
    /// What every page bears when it is printed, if they are nothing else: who, when and for what.
    pub mark: Option<String>,
    /// What each of their forms carries, so that no other site can send one.
    pub csrf: String,
    /// How long they may stay.
    pub lasts: Lasts,
}

/// How long a session lasts from now, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lasts {
    /// Without another use.
    pub idle: u64,
    /// In any case.
    pub absolute: u64,
}

impl Lasts {
    /// When a page without scripts leaves: behind the end, so that asking does not prolong it.
    pub(crate) const fn leave_after(self) -> u64 {
        self.least().saturating_add(1)
    }

    /// Minutes until it ends unused, one that has begun counted.
    pub(crate) const fn minutes(self) -> u64 {
        self.least().div_ceil(60)
    }

    const fn least(self) -> u64 {
        match self.idle < self.absolute {
            true => self.idle,
            false => self.absolute,
        }
    }
}

/// What is the same on every page.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The language of the page.
    pub language: Language,
    /// How it looks.
    pub theme: Theme,
    /// Who reads; nobody before the sign-in.
    pub viewer: Option<Viewer>,
    /// What the policy of the answer lets scripts run by.
    pub nonce: String,
    /// What the lab is called.
    pub lab: String,
    /// Where the page stands.
    pub place: Place,
    /// The key of what was just done, such as `released`.
    pub done: Option<&'static str>,
    /// What the reader must know on every page.
    pub alarm: Option<Alarm>,
    /// The emergency access that the reader has open.
    pub glass: Option<Glass>,
}

/// How long an emergency access lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glass {
    /// When it ends by itself, RFC 3339.
    pub until: String,
    /// Minutes until then, one that has begun counted.
    pub minutes: u64,
}

/// What the reader must know on every page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alarm {
    /// The ledger cannot be written.
    LedgerFails,
    /// The root key is sealed.
    Sealed,
}

impl Alarm {
    /// The key of its text.
    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::LedgerFails => "failing-now",
            Self::Sealed => "sealed-now",
        }
    }
}

/// One link of the navigation.
pub struct NavItem {
    /// Its address.
    pub href: &'static str,
    /// The key of its text.
    pub text: &'static str,
    /// Whether the page is this one or below it.
    pub here: bool,
}

/// Every link of the navigation, in its order.
const NAVIGATION: &[(Place, &str, &str, Permission)] = &[
    (Place::Home, "/", "nav-home", Permission::StatusRead),
    (Place::Flow, "/flow", "nav-flow", Permission::StatusRead),
    (
        Place::Messages,
        "/messages",
        "nav-messages",
        Permission::MessageList,
    ),
    (
        Place::Records,
        "/records",
        "nav-records",
        Permission::RecordFind,
    ),
    (
        Place::Ledger,
        "/ledger",
        "nav-ledger",
        Permission::LedgerRead,
    ),
    (
        Place::Devices,
        "/devices",
        "nav-devices",
        Permission::DeviceRead,
    ),
    (Place::Hits, "/hits", "nav-hits", Permission::DeviceRead),
    (
        Place::Malware,
        "/malware",
        "nav-malware",
        Permission::MalwareRead,
    ),
    (
        Place::Safeguards,
        "/safeguards",
        "nav-safeguards",
        Permission::SafeguardRead,
    ),
    (
        Place::People,
        "/people",
        "nav-people",
        Permission::PersonRead,
    ),
    (
        Place::Settings,
        "/settings",
        "nav-settings",
        Permission::ConfigRead,
    ),
];

/// What may stand behind `?done=`: a page never shows words of its address.
const DONE: &[&str] = &[
    "added",
    "behaviour-answered",
    "changed",
    "conduit-decided",
    "decided",
    "device-added",
    "device-attached",
    "device-changed",
    "device-detached",
    "device-merged",
    "device-removed",
    "device-restored",
    "device-split",
    "ended",
    "engaged",
    "glass-ended",
    "glass-opened",
    "hit-stated",
    "hit-withdrawn",
    "hits-decided",
    "integrity-decided",
    "malware-closed",
    "passkey-added",
    "passkey-removed",
    "patch-stated",
    "patch-withdrawn",
    "quarantine-approved",
    "quarantine-asked",
    "quarantine-destroyed",
    "quarantine-refused",
    "rejected",
    "released",
    "reloaded",
    "removed",
    "resent",
    "resumed",
    "reviewed",
    "roles-set",
    "rules-decided",
    "rules-imported",
    "saved",
    "signed-out",
    "skipped",
    "token-ended",
    "webhook-not-taken",
    "webhook-resumed",
    "webhook-taken",
    "withdrawn",
];

impl Frame {
    /// The key of what was just done, if the address says one that there is.
    pub fn done_named(name: &str) -> Option<&'static str> {
        DONE.iter().find(|one| **one == name).copied()
    }

    /// The text of this key.
    pub fn t(&self, key: &str) -> Cow<'static, str> {
        self.language.text(key)
    }

    /// The text of a key in this family, such as `state-` and `held`.
    pub fn of(&self, family: &str, name: &str) -> Cow<'static, str> {
        self.language.text(&format!("{family}-{name}"))
    }

    /// The text of this key with a number in it.
    pub fn n(&self, key: &str, count: impl Borrow<u64>) -> Cow<'static, str> {
        self.language.counted(key, *count.borrow())
    }

    /// The text of this key with a word in it.
    pub fn w(&self, key: &str, name: &'static str, word: &str) -> Cow<'static, str> {
        self.language.with(key, &[(name, word)])
    }

    /// Whether the reader may do this.
    pub fn may(&self, permission: Permission) -> bool {
        let viewer = self.viewer.as_ref();
        viewer.is_some_and(|viewer| {
            permits_within(viewer.roles, viewer.engagement.as_ref(), permission)
        })
    }

    /// What the reader sees and until when, if they are an outside expert.
    pub(crate) fn engaged(&self) -> Option<String> {
        let engagement = self.viewer.as_ref()?.engagement.as_ref()?;
        let topics = engagement.topics.iter();
        let topics: Vec<Cow<'_, str>> = topics.map(|one| self.of("topic", one.name())).collect();
        let (from, until) = (engagement.from_text(), engagement.until_text());
        let (ends, topics) = (engagement.ends_text(), topics.join(", "));
        let words = [
            ("from", from.as_str()),
            ("until", until.as_str()),
            ("ends", ends.as_str()),
            ("topics", topics.as_str()),
        ];
        Some(self.language.with("engaged-now", &words).into_owned())
    }

    /// What the page bears when it is printed, if the reader is an outside expert.
    pub(crate) fn mark(&self) -> Option<&str> {
        self.viewer.as_ref()?.mark.as_deref()
    }

    /// What each form carries.
    pub fn csrf(&self) -> &str {
        self.viewer.as_ref().map_or("", |viewer| &viewer.csrf)
    }

    /// The links that the reader may follow.
    pub fn navigation(&self) -> Vec<NavItem> {
        let permitted = NAVIGATION
            .iter()
            .filter(|(.., permission)| self.may(*permission));
        permitted
            .map(|(place, href, text, _)| NavItem {
                href,
                text,
                here: *place == self.place,
            })
            .collect()
    }

    /// The appearance for a browser without scripts.
    pub(crate) const fn plain_theme(&self) -> &'static str {
        match self.theme {
            Theme::Auto | Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }

    pub(crate) fn revision(&self) -> &'static str {
        assets::revision()
    }
}

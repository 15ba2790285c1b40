//! `[console.oidc]`: the identity provider, and which of its groups have which role.
//!
//! It must never hold a secret, or give a role that no group is named for.

use std::path::PathBuf;

use labward_identity::{Role, Roles};
use serde::Deserialize;
use ureq::http::Uri;

/// What a group is called at most, in bytes.
const GROUP_MAX_BYTES: usize = 256;

/// The lab's identity provider.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OidcConfig {
    /// What the sign-in page calls it.
    pub name: String,
    /// Its issuer.
    pub issuer: String,
    /// What Labward is called there.
    pub client_id: String,
    /// Where the secret lies that it gave Labward.
    pub client_secret_file: PathBuf,
    /// The authorities of its certificate; none: the machine's own.
    pub ca_file: Option<PathBuf>,
    /// What is asked for beside `openid`.
    #[serde(default = "scopes")]
    pub scopes: Vec<String>,
    /// By what an account is recognized at its first sign-in.
    #[serde(default)]
    pub account: AccountClaim,
    /// The claim that lists the groups.
    #[serde(default = "groups_claim")]
    pub groups_claim: String,
    /// Whether the first sign-in adds a person.
    #[serde(default)]
    pub adds_people: bool,
    /// Which groups have which role.
    #[serde(default)]
    pub groups: RoleGroups,
}

/// By what an account is recognized at its first sign-in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccountClaim {
    /// The e-mail address that the provider says is verified.
    #[default]
    Email,
    /// The user name.
    Username,
}

/// The groups of each role.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct RoleGroups {
    /// Groups of administrators.
    pub administrator: Vec<String>,
    /// Groups of security officers.
    pub security_officer: Vec<String>,
    /// Groups of lab managers.
    pub lab_manager: Vec<String>,
    /// Groups of clinical staff.
    pub clinical_staff: Vec<String>,
    /// Groups of IT.
    pub it: Vec<String>,
    /// Groups of outside experts.
    pub expert: Vec<String>,
}

fn scopes() -> Vec<String> {
    vec!["profile".to_owned(), "email".to_owned()]
}

fn groups_claim() -> String {
    "groups".to_owned()
}

impl RoleGroups {
    fn of(&self, role: Role) -> &[String] {
        match role {
            Role::Administrator => &self.administrator,
            Role::SecurityOfficer => &self.security_officer,
            Role::LabManager => &self.lab_manager,
            Role::ClinicalStaff => &self.clinical_staff,
            Role::It => &self.it,
            Role::Expert => &self.expert,
        }
    }

    /// The roles of somebody in these groups; `None`: they have none.
    pub fn roles<'a>(&self, groups: impl Iterator<Item = &'a str> + Clone) -> Option<Roles> {
        let has = |role: &Role| {
            groups
                .clone()
                .any(|one| self.of(*role).iter().any(|g| g == one))
        };
        let mut roles = Role::ALL.iter().copied().filter(has);
        let first = Roles::from(roles.next()?);
        Some(roles.fold(first, Roles::and))
    }
}

impl OidcConfig {
    /// What is wrong with it whatever the provider says.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        let name_chars = self.name.chars().count();
        if !(1..=64).contains(&name_chars) || self.name.chars().any(char::is_control) {
            return Err("its name has not 1 to 64 characters");
        }
        let uri = self.issuer.parse::<Uri>().ok();
        let is_https = uri.as_ref().is_some_and(|uri| {
            uri.scheme_str() == Some("https") && uri.host().is_some() && uri.query().is_none()
        });
        if !is_https || self.issuer.contains('#') {
            return Err("issuer is not an address that begins with https://");
        }
        if self.client_id.is_empty() || self.client_id.chars().any(char::is_control) {
            return Err("client_id is empty");
        }
        let is_token = |c: char| c.is_ascii_graphic() && c != '"' && c != '\\';
        let bad = |scope: &String| scope.is_empty() || !scope.chars().all(is_token);
        if self.scopes.iter().any(bad) {
            return Err("a scope is empty or holds a space");
        }
        if self.groups_claim.is_empty() {
            return Err("groups_claim is empty");
        }
        let groups = || Role::ALL.iter().flat_map(|role| self.groups.of(*role));
        if groups().next().is_none() {
            return Err("no group has a role, so nobody could enter: see [console.oidc.groups]");
        }
        if groups().any(|group| group.is_empty() || group.len() > GROUP_MAX_BYTES) {
            return Err("a group has not 1 to 256 bytes");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;
    use labward_identity::{Role, Roles};

    const GOOD: &str = "version = 1\n[console.oidc]\nname = \"Clinic\"\n\
        issuer = \"https://id.example/tenant\"\nclient_id = \"labward\"\n\
        client_secret_file = \"/etc/secret\"\n\
        groups = { lab-manager = [\"leads\"], it = [\"it\", \"leads\"] }\n";

    #[test]
    fn a_group_has_the_roles_that_name_it_and_an_unknown_one_has_none() {
        let oidc = Config::parse(GOOD).unwrap().console.oidc.unwrap();
        let roles = |groups: &[&str]| oidc.groups.roles(groups.iter().copied());
        assert_eq!(roles(&["it", "x"]), Some(Roles::from(Role::It)));
        let both = Roles::from(Role::LabManager).and(Role::It);
        assert_eq!(roles(&["leads"]), Some(both));
        for none in [&[][..], &["Leads"], &["lead"], &["administrator"], &[""]] {
            assert_eq!(roles(none), None, "{none:?}");
        }
        assert_eq!(oidc.scopes, ["profile", "email"]);
        assert!(!oidc.adds_people, "nobody is added unless the lab says so");
    }

    #[test]
    fn what_could_not_work_or_would_be_unsafe_is_refused() {
        for (good, bad) in [
            ("https://id", "http://id"),
            ("https://id.example/tenant", "id.example"),
            ("/tenant", "/tenant?x=1"),
            ("\"labward\"", "\"\""),
            ("\"Clinic\"", "\"\""),
            ("lab-manager = [\"leads\"]", "manager = [\"leads\"]"),
            (
                "{ lab-manager = [\"leads\"], it = [\"it\", \"leads\"] }",
                "{}",
            ),
            ("\"leads\"]", "\"\"]"),
            ("client_id", "client_secret = \"x\"\nclient_id"),
            ("client_id", "scopes = [\"a b\"]\nclient_id"),
            ("client_id", "account = \"sub\"\nclient_id"),
            ("client_id = \"labward\"\n", ""),
        ] {
            let text = GOOD.replace(good, bad);
            assert_ne!(text, GOOD, "{good}");
            assert!(Config::parse(&text).is_err(), "{text}");
        }
    }
}

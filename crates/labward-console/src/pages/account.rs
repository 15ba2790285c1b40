//! The reader's own account, and the page on which a browser asks a device for a passkey.
//!
//! It must never hold more of a passkey than what the browser is to ask.

use std::borrow::Cow;

use askama::Template;
use labward_api::ProblemBody;
use labward_api::account::LinkedAccount;
use labward_api::session::{AddedToken, Passkey, Session, Token};
use labward_identity::{Language, NEVER_BY_TOKEN, Permission, Role, Roles, Theme};

use super::When;
use crate::RenderError;
use crate::frame::{Frame, Place};
use crate::language::Texts as _;

/// What the page of one's own account shows.
#[derive(Default)]
pub struct Account<'a> {
    /// The language that the reader chose, if any.
    pub language: Option<Language>,
    /// Their sessions.
    pub sessions: &'a [Session],
    /// The number of the present one.
    pub this: u64,
    /// Their passkeys.
    pub passkeys: &'a [Passkey],
    /// The name by which passkeys know the console; without one there can be none.
    pub relying_party: Option<&'a str>,
    /// What the identity provider is called, if there is one.
    pub provider: Option<&'a str>,
    /// Their account there.
    pub linked: Option<&'a LinkedAccount>,
    /// What was wrong with what was asked about a passkey.
    pub fault: Option<&'a ProblemBody>,
    /// Their tokens.
    pub tokens: &'a [Token],
    /// The token that was just made, with its secret.
    pub made: Option<&'a AddedToken>,
    /// What was wrong with what was asked about a token.
    pub token_fault: Option<&'a ProblemBody>,
}

#[derive(Template)]
#[template(path = "me.html")]
struct MePage<'a> {
    f: &'a Frame,
    roles: Vec<&'static str>,
    account: &'a Account<'a>,
}

impl MePage<'_> {
    fn speaks(&self, language: &Language) -> bool {
        self.account.language == Some(*language)
    }

    /// What the reader could let a token do.
    fn scopes(&self) -> Vec<&'static str> {
        let all = Permission::ALL.iter();
        let given = all.filter(|one| self.f.may(**one) && !NEVER_BY_TOKEN.contains(one));
        given.map(|one| one.name()).collect()
    }

    /// What a scope lets a token do, in words.
    fn scope(&self, scope: &str) -> Cow<'static, str> {
        self.f.of("permission", &scope.replace('.', "-"))
    }
}

/// The reader's own account: what they prefer, their passkeys and their sessions.
///
/// # Errors
///
/// [`RenderError`].
pub fn me(f: &Frame, account: &Account<'_>) -> Result<String, RenderError> {
    let roles = f.viewer.as_ref().map(|viewer| viewer.roles);
    let roles = roles.into_iter().flat_map(Roles::iter).map(Role::name);
    MePage {
        f,
        roles: roles.collect(),
        account,
    }
    .render()
}

/// What a browser is to ask a device, and where its answer goes.
pub struct Asking<'a> {
    /// Whether a passkey is made, and not used.
    pub is_new: bool,
    /// By which the answer finds its challenge.
    pub ticket: &'a str,
    /// The options, JSON.
    pub options: &'a str,
    /// The name by which passkeys know the console.
    pub relying_party: &'a str,
    /// What was wrong the last time.
    pub fault: Option<&'a ProblemBody>,
}

#[derive(Template)]
#[template(path = "passkey.html")]
struct AskingPage<'a> {
    f: &'a Frame,
    title: &'static str,
    lead: &'static str,
    action: &'static str,
    back: (&'static str, &'static str),
    asking: Option<&'a Asking<'a>>,
}

/// The page on which the browser asks a device at once.
///
/// # Errors
///
/// [`RenderError`].
pub fn asking(f: &Frame, asking: &Asking<'_>) -> Result<String, RenderError> {
    let page = match asking.is_new {
        true => AskingPage {
            f,
            title: "passkey-add",
            lead: "passkey-add-lead",
            action: "/me/passkeys/add",
            back: ("/me", "passkey-to-account"),
            asking: Some(asking),
        },
        false => AskingPage {
            f,
            title: "passkey-sign-in",
            lead: "passkey-sign-in-lead",
            action: "/sign-in/passkey",
            back: ("/sign-in", "passkey-to-password"),
            asking: Some(asking),
        },
    };
    page.render()
}

/// The page in its place where the console has no name.
///
/// # Errors
///
/// [`RenderError`].
pub fn need_name(f: &Frame) -> Result<String, RenderError> {
    let page = AskingPage {
        f,
        title: "passkey-sign-in",
        lead: "passkey-need-name",
        action: "",
        back: ("/sign-in", "passkey-to-password"),
        asking: None,
    };
    page.render()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame() -> Frame {
        Frame {
            language: Language::En,
            theme: Theme::Auto,
            viewer: None,
            nonce: "nonce".to_owned(),
            lab: "Lab".to_owned(),
            place: Place::Elsewhere,
            done: None,
            alarm: None,
            glass: None,
        }
    }

    #[test]
    fn what_the_browser_is_to_ask_cannot_leave_its_place_in_the_page() {
        let asked = Asking {
            is_new: false,
            ticket: "t",
            options: r#"{"a":"\"><script>"}"#,
            relying_party: "lab.example",
            fault: None,
        };
        let page = asking(&frame(), &asked).unwrap();
        assert!(!page.contains("<script>"), "{page}");
        assert!(page.contains("passkey.js") && page.contains("<noscript>"));
    }

    #[test]
    fn ones_account_at_the_provider_is_named_with_who_vouches_for_it() {
        let page = |provider, linked: Option<&LinkedAccount>| {
            let account = Account {
                provider,
                linked,
                ..Account::default()
            };
            me(&frame(), &account).unwrap()
        };
        let expected = LinkedAccount {
            account: "clara@example.org".to_owned(),
            ..LinkedAccount::default()
        };
        let bound = LinkedAccount {
            issuer: Some("https://id.example".to_owned()),
            subject: Some("subject-4711".to_owned()),
            last_used: Some("2026-01-01T12:00:00Z".to_owned()),
            ..expected.clone()
        };
        assert!(!page(None, Some(&bound)).contains("clara@example.org"));
        let none = page(Some("Clinic account"), None);
        assert!(none.contains("Clinic account") && none.contains("No account there is linked"));
        let waits = page(Some("Clinic account"), Some(&expected));
        assert!(waits.contains("clara@example.org") && waits.contains("not signed in yet"));
        let signed_in = page(Some("Clinic account"), Some(&bound));
        for part in ["clara@example.org", "https://id.example", "subject-4711"] {
            assert!(signed_in.contains(part), "{part}: {signed_in}");
        }
    }

    #[test]
    fn a_console_without_a_name_says_what_is_to_be_done_and_asks_nothing() {
        let page = need_name(&frame()).unwrap();
        assert!(
            page.contains("[tls]") && !page.contains("passkey.js"),
            "{page}"
        );
        let frame = frame();
        let account = Account::default();
        assert!(me(&frame, &account).unwrap().contains("[tls]"));
    }

    #[test]
    fn everything_that_a_token_may_do_has_words_in_every_language_and_nothing_else_is_offered() {
        for language in Language::ALL {
            let mut f = frame();
            f.language = *language;
            f.viewer = Some(crate::frame::Viewer {
                name: "Ada".to_owned(),
                roles: Role::ALL
                    .iter()
                    .fold(Role::It.into(), |all, role| Roles::and(all, *role)),
                engagement: None,
                mark: None,
                lasts: crate::frame::Lasts::default(),
                csrf: "token".to_owned(),
            });
            let account = Account::default();
            let page = MePage {
                f: &f,
                roles: Vec::new(),
                account: &account,
            };
            let offered = page.scopes();
            for permission in Permission::ALL {
                let name = permission.name();
                let never = NEVER_BY_TOKEN.contains(permission);
                assert_eq!(offered.contains(&name), !never, "{name}");
                let words = page.scope(name);
                assert!(
                    never || !words.starts_with("permission-"),
                    "{name} has no words"
                );
            }
            let html = page.render().unwrap();
            assert!(html.contains("value=\"ledger.read\""), "{html}");
            assert!(!html.contains("value=\"config.change\""), "{html}");
        }
    }
}

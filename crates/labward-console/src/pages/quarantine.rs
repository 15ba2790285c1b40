//! What lies in quarantine, and an item with what may be done about it.
//!
//! It must never offer a person to agree to what they asked for themselves, or show a name that was not asked for.

use std::borrow::Cow;

use askama::Template;
use labward_api::ProblemBody;
use labward_api::malware::{
    QuarantineFilter, QuarantineItem, QuarantinePage, QuarantineParticulars,
};
use labward_identity::Permission;

use super::When;
use super::devices::entry_text;
use super::malware::{origin, reason, removal};
use crate::RenderError;
use crate::frame::{Frame, Place};
use crate::language::Texts as _;

/// Items on a page.
pub const ITEMS_ON_PAGE: u32 = 50;

/// Which items the page may show, the first without a word in the address.
const STATES: &[&str] = &["held", "asked", "approved", "all"];

/// What is shown of an item beside itself.
#[derive(Clone, Copy, Default)]
pub struct Named<'a> {
    /// Its names, paths and people, if they were asked for.
    pub particulars: Option<&'a QuarantineParticulars>,
    /// What was refused.
    pub fault: Option<&'a ProblemBody>,
}

#[derive(Template)]
#[template(path = "quarantine.html")]
struct ItemsPage<'a> {
    f: &'a Frame,
    filter: &'a QuarantineFilter,
    page: &'a QuarantinePage,
}

impl ItemsPage<'_> {
    fn state(&self) -> &str {
        self.filter.state.as_deref().unwrap_or("held")
    }
}

/// What lies in quarantine.
///
/// # Errors
///
/// [`RenderError`].
pub fn quarantine(
    f: &Frame,
    filter: &QuarantineFilter,
    page: &QuarantinePage,
) -> Result<String, RenderError> {
    ItemsPage { f, filter, page }.render()
}

/// How far giving an item back is, in words.
fn restoring(f: &Frame, one: &QuarantineItem) -> Option<Cow<'static, str>> {
    let wish = one.restore.as_ref()?;
    let decided_by = wish.decided_by.as_deref().unwrap_or_default();
    let words = [("asked", wish.asked_by.as_str()), ("decided", decided_by)];
    let key = format!("quarantine-restore-{}", wish.state);
    Some(f.language.with(&key, &words))
}

/// Why an item could not be written back, in words.
fn not_back(f: &Frame, one: &QuarantineItem) -> Option<Cow<'static, str>> {
    let why = one.restore.as_ref()?.failed.as_deref()?;
    Some(f.w("quarantine-failed", "why", &reason(f, why)))
}

/// What may be done about an item now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Nothing, by this reader or at all.
    None,
    /// Ask for it.
    Ask,
    /// Wait: the reader asked, and another person decides.
    Wait,
    /// Agree or refuse.
    Decide,
    /// Take it.
    Take,
    /// Have a message delivered after all.
    Deliver,
}

#[derive(Template)]
#[template(path = "quarantine_item.html")]
struct ItemPage<'a> {
    f: &'a Frame,
    one: &'a QuarantineItem,
    named: Named<'a>,
}

impl ItemPage<'_> {
    fn is_held(&self) -> bool {
        self.one.state == "held"
    }

    fn may(&self) -> bool {
        self.is_held() && self.f.may(Permission::MalwareDecide)
    }

    /// Whether the reader may have outside what may be of a patient.
    fn may_take(&self) -> bool {
        let of_patient = matches!(self.one.way.as_str(), "message" | "import");
        !of_patient || self.f.may(Permission::RecordExport)
    }

    fn may_name(&self) -> bool {
        let of_patient = matches!(self.one.way.as_str(), "message" | "import");
        self.may() && (!of_patient || self.f.may(Permission::RecordShow))
    }

    fn step(&self) -> Step {
        if !self.may() {
            return Step::None;
        }
        let Some(wish) = &self.one.restore else {
            return Step::Ask;
        };
        match (wish.state.as_str(), wish.own) {
            ("asked", true) => Step::Wait,
            ("asked", false) => Step::Decide,
            ("approved", _) if wish.how == "delivery" => Step::Deliver,
            ("approved", _) => Step::Take,
            // It was given back, and the ledger holds it as it was delivered.
            _ if self.one.delivered.is_some() => Step::None,
            _ => Step::Ask,
        }
    }

    /// Whether it could be delivered to where it would have gone.
    fn is_message(&self) -> bool {
        self.one.way == "message" && self.one.record.is_some()
    }

    /// Whether a wish stands that it is delivered.
    fn is_delivery(&self) -> bool {
        let wish = self.one.restore.as_ref();
        wish.is_some_and(|wish| wish.how == "delivery")
    }

    fn allows(&self) -> bool {
        let wish = self.one.restore.as_ref();
        wish.is_some_and(|wish| wish.allow)
    }

    /// A file is written back by the machine that it lay on.
    fn is_file(&self) -> bool {
        matches!(self.one.way.as_str(), "folder" | "device")
    }
}

/// An item of the quarantine.
///
/// # Errors
///
/// [`RenderError`].
pub fn quarantine_item(
    f: &Frame,
    one: &QuarantineItem,
    named: Named<'_>,
) -> Result<String, RenderError> {
    ItemPage { f, one, named }.render()
}

#[cfg(test)]
mod tests {
    use labward_api::malware::QuarantineRestore;
    use labward_identity::{Language, Role};

    use super::super::hits::tests::frame;
    use super::*;

    fn item(restore: Option<(&str, bool)>) -> QuarantineItem {
        QuarantineItem {
            id: 12,
            at: "2026-11-28T06:00:00Z".to_owned(),
            way: "message".to_owned(),
            place: "hl7".to_owned(),
            from: "XN <i>".to_owned(),
            size_bytes: 400,
            sha256: "ab".to_owned(),
            state: "held".to_owned(),
            until: "2027-11-28T06:00:00Z".to_owned(),
            restore: restore.map(|(state, own)| QuarantineRestore {
                state: state.to_owned(),
                asked_by: "Eva".to_owned(),
                own,
                ..QuarantineRestore::default()
            }),
            ..QuarantineItem::default()
        }
    }

    fn shown(role: Role, one: &QuarantineItem, named: Named<'_>) -> String {
        quarantine_item(&frame(role, Language::En), one, named).unwrap()
    }

    #[test]
    fn whoever_asked_is_told_that_another_person_decides_and_gets_no_button() {
        let decide = "action=\"/malware/quarantine/12/decide\"";
        let own = shown(
            Role::LabManager,
            &item(Some(("asked", true))),
            Named::default(),
        );
        assert!(
            !own.contains(decide) && own.contains("another person"),
            "{own}"
        );
        let other = shown(
            Role::LabManager,
            &item(Some(("asked", false))),
            Named::default(),
        );
        assert!(other.contains(decide) && other.contains("Eva"));
        let expert = shown(
            Role::Expert,
            &item(Some(("asked", false))),
            Named::default(),
        );
        assert!(!expert.contains("<form class=\"narrow"));
    }

    #[test]
    fn only_what_two_people_want_is_taken_and_a_message_only_by_who_may_take_records_out() {
        let take = "action=\"/malware/quarantine/12/download\"";
        for (role, state, expect) in [
            (Role::LabManager, Some(("approved", true)), true),
            (Role::LabManager, Some(("asked", false)), false),
            (Role::LabManager, Some(("refused", false)), false),
            (Role::LabManager, None, false),
            (Role::It, Some(("approved", true)), false),
        ] {
            let it = shown(role, &item(state), Named::default());
            assert_eq!(it.contains(take), expect, "{role} {state:?}");
            assert!(!it.contains("XN <i>"));
        }
        let file = QuarantineItem {
            way: "folder".to_owned(),
            ..item(Some(("approved", false)))
        };
        assert!(shown(Role::It, &file, Named::default()).contains(take));
    }

    #[test]
    fn a_message_is_asked_to_be_delivered_and_one_that_two_people_want_delivered_is_not_downloaded()
    {
        let message = |restore: Option<&str>| {
            let mut one = item(restore.map(|state| (state, false)));
            one.record = Some("7".to_owned());
            if let Some(wish) = &mut one.restore {
                wish.how = "delivery".to_owned();
            }
            one
        };
        let page = |one: &QuarantineItem| shown(Role::LabManager, one, Named::default());
        let (how, allow) = ("name=\"how\" value=\"delivery\"", "name=\"allow\"");
        let asks = page(&message(None));
        assert!(asks.contains(how) && asks.contains(allow), "{asks}");
        let no_message = page(&QuarantineItem {
            way: "mail".to_owned(),
            ..message(None)
        });
        assert!(!no_message.contains(how) && !no_message.contains(allow));
        let decides = page(&message(Some("asked")));
        assert!(decides.contains(how) && decides.contains("goes to where it would have gone"));
        let waits = page(&message(Some("approved")));
        assert!(waits.contains("/quarantine/12/deliver") && !waits.contains("/12/download"));
        assert!(waits.contains("value=\"refuse\""), "{waits}");
        let done = page(&QuarantineItem {
            delivered: Some("8".to_owned()),
            ..message(Some("done"))
        });
        assert!(done.contains("/messages/8") && !done.contains(how) && !done.contains("/restore"));
    }

    #[test]
    fn a_destroyed_item_offers_nothing_and_names_stand_there_only_when_asked_for() {
        let gone = QuarantineItem {
            state: "wished".to_owned(),
            ..item(Some(("asked", false)))
        };
        assert!(
            !shown(Role::LabManager, &gone, Named::default())
                .contains("method=\"post\" action=\"/malware")
        );
        let particulars = QuarantineParticulars {
            id: 12,
            name: "rivera<.pdf".to_owned(),
            path: Some("/srv/rivera<.pdf".to_owned()),
            paths: vec!["zip : rivera<.exe".to_owned()],
            ..QuarantineParticulars::default()
        };
        let named = Named {
            particulars: Some(&particulars),
            fault: None,
        };
        let it = shown(Role::LabManager, &item(None), named);
        assert!(
            it.contains("rivera&#60;.pdf") && it.contains("rivera&#60;.exe"),
            "{it}"
        );
        assert!(!shown(Role::LabManager, &item(None), Named::default()).contains("rivera"));
    }

    #[test]
    fn what_a_machine_could_not_do_is_said_with_its_reason() {
        let mut failed = QuarantineItem {
            way: "folder".to_owned(),
            removal: Some("not-removed".to_owned()),
            removal_why: Some("read-only".to_owned()),
            removal_at: Some("2026-11-28T06:01:00Z".to_owned()),
            ..item(Some(("approved", false)))
        };
        failed.restore.as_mut().unwrap().failed = Some("folder-gone".to_owned());
        let it = shown(Role::It, &failed, Named::default());
        assert!(it.contains("the disk can only be read"), "{it}");
        assert!(
            it.contains("the folder that it lay in is not there"),
            "{it}"
        );
    }

    #[test]
    fn every_state_is_said_in_every_language() {
        for language in [Language::En, Language::Es] {
            let f = frame(Role::LabManager, language);
            for state in ["held", "expired", "wished", "disposed"] {
                assert!(!f.of("quarantine-state", state).contains("quarantine-"));
            }
            for state in ["asked", "approved", "refused", "done"] {
                let said = restoring(&f, &item(Some((state, false)))).unwrap();
                assert!(!said.contains("quarantine-"), "{said}");
            }
            for state in STATES {
                assert!(!f.of("quarantine-show", state).contains("quarantine-"));
            }
            let page = QuarantinePage {
                items: vec![item(Some(("asked", false))), item(None)],
                next: Some(3),
            };
            let filter = QuarantineFilter::default();
            let it = quarantine(&f, &filter, &page).unwrap();
            assert!(it.contains("/malware/quarantine/12") && !it.contains("XN <i>"));
        }
    }
}

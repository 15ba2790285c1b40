//! Emergency access: opening one, and the review by a second person.
//!
//! It must never show why one was opened, or what was read, to who may not review it.

use std::borrow::Cow;

use askama::Template;
use labward_api::ProblemBody;
use labward_api::glass::{OpenedGlass, Opening, OpeningReview, OpeningShown, ReviewOpening};
use labward_identity::Permission;

use super::When;
use crate::RenderError;
use crate::frame::{Frame, Place};
use crate::language::Texts as _;

#[derive(Template)]
#[template(path = "glass.html")]
struct GlassPage<'a> {
    f: &'a Frame,
    open: Option<&'a OpenedGlass>,
    minutes: u64,
    why: &'a str,
    fault: Option<&'a ProblemBody>,
}

/// The emergency access that the reader has open, or the form to open one for at most `minutes`.
///
/// # Errors
///
/// [`RenderError`].
pub fn glass(
    f: &Frame,
    open: Option<&OpenedGlass>,
    minutes: u64,
    why: &str,
    fault: Option<&ProblemBody>,
) -> Result<String, RenderError> {
    GlassPage {
        f,
        open,
        minutes,
        why,
        fault,
    }
    .render()
}

#[derive(Template)]
#[template(path = "openings.html")]
struct OpeningsPage<'a> {
    f: &'a Frame,
    openings: &'a [Opening],
}

impl OpeningsPage<'_> {
    fn who(&self, one: &Opening) -> String {
        named(self.f, one.name.as_deref(), one.person)
    }

    fn state(&self, one: &Opening) -> Cow<'static, str> {
        self.f.of("opening-state", state(one))
    }

    /// The number behind which the next page begins, if there may be one.
    fn older(&self) -> Option<u64> {
        let last = self.openings.last()?;
        (self.openings.len() >= 50).then_some(last.number)
    }
}

/// The emergency accesses, the newest first.
///
/// # Errors
///
/// [`RenderError`].
pub fn openings(f: &Frame, openings: &[Opening]) -> Result<String, RenderError> {
    OpeningsPage { f, openings }.render()
}

#[derive(Template)]
#[template(path = "opening.html")]
struct OpeningPage<'a> {
    f: &'a Frame,
    title: Cow<'static, str>,
    shown: &'a OpeningShown,
    /// Whether the reader is the one who opened it.
    is_own: bool,
    asked: &'a ReviewOpening,
    fault: Option<&'a ProblemBody>,
}

impl OpeningPage<'_> {
    fn who(&self) -> String {
        let opening = &self.shown.opening;
        named(self.f, opening.name.as_deref(), opening.person)
    }

    fn reviewer(&self, review: &OpeningReview) -> String {
        named(self.f, review.name.as_deref(), review.person)
    }

    fn state(&self) -> Cow<'static, str> {
        self.f.of("opening-state", state(&self.shown.opening))
    }

    fn verdict(&self, review: &OpeningReview) -> Cow<'static, str> {
        self.f.of("verdict", &review.verdict)
    }

    fn what(&self, action: &str) -> Cow<'static, str> {
        self.f.of("opening-did", &action.replace('.', "-"))
    }
}

/// One emergency access with what was read under it, and the form of the review where the reader may.
///
/// # Errors
///
/// [`RenderError`].
pub fn opening(
    f: &Frame,
    shown: &OpeningShown,
    is_own: bool,
    asked: &ReviewOpening,
    fault: Option<&ProblemBody>,
) -> Result<String, RenderError> {
    OpeningPage {
        f,
        title: f.w("opening-title", "number", &shown.opening.number.to_string()),
        shown,
        is_own,
        asked,
        fault,
    }
    .render()
}

/// The name of a person, or their number if they were removed since.
pub(super) fn named(f: &Frame, name: Option<&str>, person: u64) -> String {
    match name {
        Some(name) => name.to_owned(),
        None => f
            .w("person-gone", "number", &person.to_string())
            .into_owned(),
    }
}

/// The word of the state that an emergency access is in.
fn state(one: &Opening) -> &'static str {
    match (&one.review, one.is_over, one.is_overdue) {
        (Some(_), ..) => "reviewed",
        (None, false, _) => "open",
        (None, true, false) => "waiting",
        (None, true, true) => "overdue",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Glass;
    use labward_identity::{Language, Role, Theme};

    const HOSTILE: &str = "<script>alert('x')</script>\" onload=\"y";

    fn frame(role: Role) -> Frame {
        Frame {
            language: Language::En,
            theme: Theme::Auto,
            viewer: Some(crate::frame::Viewer {
                name: "Olga".to_owned(),
                roles: role.into(),
                engagement: None,
                mark: None,
                csrf: "token".to_owned(),
                lasts: crate::frame::Lasts::default(),
            }),
            nonce: "nonce".to_owned(),
            lab: "Lab".to_owned(),
            place: Place::Elsewhere,
            done: None,
            alarm: None,
            glass: Some(Glass {
                until: "2026-11-27T12:00:00Z".to_owned(),
                minutes: 1,
            }),
        }
    }

    fn shown(is_over: bool) -> OpeningShown {
        OpeningShown {
            opening: Opening {
                number: 17,
                name: Some(HOSTILE.to_owned()),
                is_over,
                ..Opening::default()
            },
            why: Some(HOSTILE.to_owned()),
            note: Some(HOSTILE.to_owned()),
            ..OpeningShown::default()
        }
    }

    fn page(shown: &OpeningShown, is_own: bool) -> String {
        let asked = ReviewOpening {
            note: HOSTILE.to_owned(),
            ..ReviewOpening::default()
        };
        let frame = frame(Role::SecurityOfficer);
        opening(&frame, shown, is_own, &asked, None).unwrap()
    }

    #[test]
    fn the_form_of_the_review_is_there_for_somebody_else_when_it_is_over_and_once() {
        let has_form = |page: &str| page.contains("name=\"verdict\"");
        assert!(has_form(&page(&shown(true), false)));
        assert!(!has_form(&page(&shown(true), true)), "their own");
        assert!(!has_form(&page(&shown(false), false)), "still open");
        let mut reviewed = shown(true);
        reviewed.opening.review = Some(OpeningReview {
            verdict: "not-appropriate".to_owned(),
            person: 9,
            ..OpeningReview::default()
        });
        let page = page(&reviewed, false);
        assert!(!has_form(&page) && page.contains("Not appropriate"));
        assert!(page.contains("person 9, removed since"), "{page}");
    }

    #[test]
    fn what_a_person_wrote_is_escaped_and_the_time_left_stands_on_each_page() {
        let clerk = frame(Role::ClinicalStaff);
        let open = OpenedGlass {
            why: HOSTILE.to_owned(),
            ..OpenedGlass::default()
        };
        let all = [shown(true).opening];
        for page in [
            page(&shown(true), false),
            glass(&clerk, Some(&open), 30, "", None).unwrap(),
            glass(&clerk, None, 30, HOSTILE, None).unwrap(),
            openings(&frame(Role::SecurityOfficer), &all).unwrap(),
        ] {
            assert!(!page.contains("<script>alert") && !page.contains("\" onload=\"y"));
            assert!(page.contains("1 minute left") && page.contains("/break-glass/end"));
        }
    }
}

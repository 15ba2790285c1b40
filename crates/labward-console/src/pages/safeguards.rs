//! The safeguards: each requirement of the rule with its state, its facts and what was decided.
//!
//! It must never show what is only proposed without saying so, or a state by colour alone.

use std::borrow::Cow;

use askama::Template;
use labward_api::ProblemBody;
use labward_api::safeguard::{
    DecideSafeguard, Figure, Safeguard, SafeguardCounts, SafeguardDecision, SafeguardFact,
    Safeguards,
};
use labward_identity::Permission;

use super::When;
use crate::RenderError;
use crate::frame::{Frame, Place};
use crate::language::Texts as _;

/// The sections of the rule, in its order.
const SECTIONS: &[&str] = &[
    "administrative",
    "physical",
    "technical",
    "organizational",
    "documentation",
];

#[derive(Template)]
#[template(path = "safeguards.html")]
struct SafeguardsPage<'a> {
    f: &'a Frame,
    all: &'a Safeguards,
}

impl SafeguardsPage<'_> {
    /// The states with how many requirements are in each, the one that needs a person first.
    fn counts(&self) -> [(&'static str, u64); 4] {
        let counts = &self.all.counts;
        [
            ("not-met", counts.not_met),
            ("not-measured", counts.not_measured),
            ("decided-otherwise", counts.decided_otherwise),
            ("met", counts.met),
        ]
    }

    /// The sections that have requirements, each with them.
    fn sections(&self) -> Vec<(&'static str, Vec<&Safeguard>)> {
        let of = |section: &&'static str| {
            let all = self.all.requirements.iter();
            let all: Vec<&Safeguard> = all.filter(|one| one.section == **section).collect();
            (!all.is_empty()).then_some((*section, all))
        };
        SECTIONS.iter().filter_map(of).collect()
    }

    fn may_decide(&self, one: &Safeguard) -> bool {
        !one.may_be.is_empty() && self.f.may(Permission::SafeguardDecide)
    }

    fn is_standard(&self, one: &Safeguard) -> bool {
        one.kind == "standard"
    }
}

/// The requirements of one text.
///
/// # Errors
///
/// [`RenderError`].
pub fn safeguards(f: &Frame, all: &Safeguards) -> Result<String, RenderError> {
    SafeguardsPage { f, all }.render()
}

/// A decision as far as it was filled in.
#[derive(Default)]
pub struct Deciding<'a> {
    /// What was filled in.
    pub asked: DecideSafeguard,
    /// What was wrong.
    pub fault: Option<&'a ProblemBody>,
}

#[derive(Template)]
#[template(path = "safeguard.html")]
struct DecidingPage<'a> {
    f: &'a Frame,
    one: &'a Safeguard,
    asked: &'a DecideSafeguard,
    fault: Option<&'a ProblemBody>,
}

/// The form to decide about one requirement, and to take a decision back.
///
/// # Errors
///
/// [`RenderError`].
pub fn deciding(
    f: &Frame,
    one: &Safeguard,
    deciding: &Deciding<'_>,
) -> Result<String, RenderError> {
    DecidingPage {
        f,
        one,
        asked: &deciding.asked,
        fault: deciding.fault,
    }
    .render()
}

/// The counts in one line.
pub(super) fn at_a_glance(f: &Frame, counts: &SafeguardCounts) -> Cow<'static, str> {
    let [not_met, open, decided, met] = [
        counts.not_met,
        counts.not_measured,
        counts.decided_otherwise,
        counts.met,
    ]
    .map(|number| number.to_string());
    let words = [
        ("not", not_met.as_str()),
        ("open", &open),
        ("decided", &decided),
        ("met", &met),
    ];
    f.language.with("home-safeguards-line", &words)
}

/// What of a fact is told beside its text: its figure where that is no time, and its age.
fn said(f: &Frame, fact: &SafeguardFact) -> String {
    let figure = match &fact.figure {
        Some(Figure::Count { count }) => Some(count.to_string().into()),
        Some(Figure::Never) => Some(f.t("safeguards-never")),
        Some(Figure::Seconds { seconds }) => Some(span(f, *seconds)),
        Some(Figure::Share { of, all }) => {
            let (of, all) = (of.to_string(), all.to_string());
            let words = [("of", of.as_str()), ("all", all.as_str())];
            Some(f.language.with("safeguards-share", &words))
        }
        Some(Figure::Time { .. }) | None => None,
    };
    let age =
        (fact.age_seconds > 0).then(|| f.w("safeguards-age", "span", &span(f, fact.age_seconds)));
    let parts: Vec<Cow<'static, str>> = figure.into_iter().chain(age).collect();
    parts.join(" · ")
}

/// A length of time in the unit that fits it.
pub(super) fn span(f: &Frame, seconds: u64) -> Cow<'static, str> {
    match seconds {
        0..120 => f.n("span-seconds", seconds),
        120..7_200 => f.n("span-minutes", seconds / 60),
        7_200..172_800 => f.n("span-hours", seconds / 3_600),
        _ => f.n("span-days", seconds / 86_400),
    }
}

/// Who decided: by name for who may see the people.
fn approver(f: &Frame, decision: &SafeguardDecision) -> Cow<'static, str> {
    match &decision.approver_name {
        Some(name) => Cow::Owned(name.clone()),
        None => f.w(
            "safeguards-person",
            "number",
            &decision.approver.to_string(),
        ),
    }
}

/// An entry by its number.
fn entry_text(f: &Frame, entry: impl std::fmt::Display) -> Cow<'static, str> {
    f.w("safeguards-entry", "number", &entry.to_string())
}

/// The last day of a decision.
fn until(f: &Frame, decision: &SafeguardDecision) -> Cow<'static, str> {
    let key = match decision.expired {
        true => "safeguards-expired",
        false => "safeguards-until",
    };
    f.w(key, "day", &decision.until)
}

#[cfg(test)]
mod tests {
    use super::*;
    use labward_assess::{DecisionKind, FactKind, Profile, Section, State};
    use labward_identity::{Language, Role, Theme};

    fn frame(role: Role) -> Frame {
        Frame {
            language: Language::En,
            theme: Theme::Light,
            viewer: Some(crate::frame::Viewer {
                name: "Eva".to_owned(),
                roles: role.into(),
                engagement: None,
                mark: None,
                csrf: "token".to_owned(),
                lasts: crate::frame::Lasts::default(),
            }),
            nonce: "nonce".to_owned(),
            lab: "Lab".to_owned(),
            place: Place::Safeguards,
            done: None,
            alarm: None,
            glass: None,
        }
    }

    fn requirement() -> Safeguard {
        Safeguard {
            citation: "164.312(a)(2)(iv)".to_owned(),
            key: "encryption-at-rest".to_owned(),
            section: "technical".to_owned(),
            kind: "addressable".to_owned(),
            state: "decided-otherwise".to_owned(),
            facts: vec![SafeguardFact {
                key: "records-sealed".to_owned(),
                value: "bad".to_owned(),
                figure: Some(Figure::Share { of: 9, all: 10 }),
                measured: "2026-11-27T09:00:00Z".to_owned(),
                age_seconds: 7_200,
                entry: Some(41),
                note: Some("<script>alert('x')</script>".to_owned()),
                ..SafeguardFact::default()
            }],
            decision: Some(SafeguardDecision {
                kind: "alternative".to_owned(),
                rationale: Some("<b>disk</b>".to_owned()),
                approver: 3,
                until: "2027-06-30".to_owned(),
                contradicted: true,
                entry: 52,
                ..SafeguardDecision::default()
            }),
            may_be: vec!["implemented".to_owned(), "alternative".to_owned()],
            ..Safeguard::default()
        }
    }

    fn all(is_law: bool) -> Safeguards {
        Safeguards {
            profile: "law".to_owned(),
            is_law,
            counts: SafeguardCounts {
                decided_otherwise: 1,
                ..SafeguardCounts::default()
            },
            requirements: vec![requirement()],
        }
    }

    #[test]
    fn every_requirement_fact_and_word_of_the_room_has_a_text_in_each_language() {
        for language in [Language::En, Language::Es] {
            let has = |family: &str, name: &str| {
                let key = format!("{family}-{name}");
                assert_ne!(language.text(&key), key, "{key}");
            };
            for one in Profile::ALL.iter().flat_map(|all| all.requirements()) {
                has("safeguard", one.key);
                has("kind", one.kind.name());
            }
            FactKind::ALL.iter().for_each(|one| has("fact", one.key()));
            State::ALL.iter().for_each(|one| has("state", one.name()));
            Section::ALL
                .iter()
                .for_each(|one| has("section", one.name()));
            let kinds = DecisionKind::ALL.iter();
            kinds.for_each(|one| has("decision", one.name()));
        }
        let sections: Vec<&str> = Section::ALL.iter().map(|one| one.name()).collect();
        assert_eq!(sections, SECTIONS);
        // In English the page says what the documents say.
        for one in Profile::ALL.iter().flat_map(|all| all.requirements()) {
            let key = format!("safeguard-{}", one.key);
            assert_eq!(Language::En.text(&key), one.title, "{key}");
        }
        for one in FactKind::ALL {
            let key = format!("fact-{}", one.key());
            assert_eq!(Language::En.text(&key), one.title(), "{key}");
        }
    }

    #[test]
    fn a_requirement_says_its_state_in_words_and_shows_facts_and_decision_beside_it() {
        let page = safeguards(&frame(Role::SecurityOfficer), &all(true)).unwrap();
        for part in [
            "decided otherwise",
            "9 of 10 · 2 hours ago",
            "href=\"/ledger?from=41\"",
            "href=\"/ledger?from=52\"",
            "until 2027-06-30",
            "&#60;b&#62;disk",
            "A measured fact stands against this decision",
            "href=\"/safeguards/decide?citation=164.312(a)(2)(iv)\"",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert!(!page.contains("<script>alert") && !page.contains("not law"));
        let page = safeguards(&frame(Role::Expert), &all(true)).unwrap();
        assert!(
            !page.contains("/safeguards/decide"),
            "who may not is not offered it"
        );
    }

    #[test]
    fn what_is_only_proposed_is_marked_on_the_page() {
        let page = safeguards(&frame(Role::Expert), &all(false)).unwrap();
        assert!(page.contains("not law"), "{page}");
    }

    #[test]
    fn the_form_offers_what_the_rule_lets_be_decided_and_keeps_what_was_typed() {
        let deciding_ = Deciding {
            asked: DecideSafeguard {
                kind: "alternative".to_owned(),
                until: "2031-01-01".to_owned(),
                why: "<i>why</i>".to_owned(),
                ..DecideSafeguard::default()
            },
            fault: None,
        };
        let page = deciding(&frame(Role::SecurityOfficer), &requirement(), &deciding_).unwrap();
        assert!(page.contains("value=\"alternative\" selected"), "{page}");
        assert!(page.contains("2031-01-01") && page.contains("&#60;i&#62;why"));
        assert!(!page.contains("value=\"not-reasonable\""));
        assert!(page.contains("/safeguards/withdraw"));
    }

    #[test]
    fn times_bend_their_units() {
        let f = frame(Role::Expert);
        let spans = [1, 119, 120, 7_200, 172_800].map(|seconds| span(&f, seconds));
        assert_eq!(
            spans,
            ["1 second", "119 seconds", "2 minutes", "2 hours", "2 days"]
        );
    }
}

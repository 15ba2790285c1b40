//! The languages of the console, and every text in each.
//!
//! It must never fall back to another language in silence: a text that is missing shows its key, and
//! a test compares the languages with each other and with the pages.

use std::borrow::Cow;
use std::sync::OnceLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use labward_identity::Language;
use unic_langid::LanguageIdentifier;

/// Every text of the console in one language.
pub trait Texts {
    /// The tag of BCP 47.
    fn tag(self) -> &'static str;

    /// What the language calls itself.
    fn own_name(self) -> &'static str;

    /// The text of this key.
    fn text(self, key: &str) -> Cow<'static, str>;

    /// The text of this key with a number in it, in the grammar of the number.
    fn counted(self, key: &str, count: u64) -> Cow<'static, str>;

    /// The text of this key with these words in it.
    fn with(self, key: &str, words: &[(&'static str, &str)]) -> Cow<'static, str>;
}

impl Texts for Language {
    fn tag(self) -> &'static str {
        self.name()
    }

    fn own_name(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::Es => "Español",
        }
    }

    fn text(self, key: &str) -> Cow<'static, str> {
        format(self, key, None)
    }

    fn counted(self, key: &str, count: u64) -> Cow<'static, str> {
        let mut args = FluentArgs::new();
        // Grammar and digits of a number this large are the same.
        let number = i64::try_from(count).unwrap_or(i64::MAX);
        args.set("count", FluentValue::from(number));
        format(self, key, Some(&args))
    }

    fn with(self, key: &str, words: &[(&'static str, &str)]) -> Cow<'static, str> {
        let mut args = FluentArgs::new();
        for (name, word) in words {
            args.set(*name, FluentValue::from((*word).to_owned()));
        }
        format(self, key, Some(&args))
    }
}

/// The first of our languages that the browser accepts (RFC 9110, 12.5.4), taken in the order in
/// which they are written; English if it accepts none.
pub fn accepted(header: &str) -> Language {
    header
        .split(',')
        .filter_map(|range| range.trim().get(..2)?.to_ascii_lowercase().parse().ok())
        .next()
        .unwrap_or(Language::En)
}

fn format(language: Language, key: &str, args: Option<&FluentArgs<'_>>) -> Cow<'static, str> {
    Cow::Owned(find(language, key, None, args).unwrap_or_else(|| key.to_owned()))
}

/// The text of this key, or of this attribute of it, if the language has one.
pub(crate) fn find(
    language: Language,
    key: &str,
    attribute: Option<&str>,
    args: Option<&FluentArgs<'_>>,
) -> Option<String> {
    let bundle = bundle(language);
    let message = bundle.get_message(key)?;
    let pattern = match attribute {
        None => message.value()?,
        Some(name) => message.get_attribute(name)?.value(),
    };
    let mut faults = Vec::new();
    let text = bundle.format_pattern(pattern, args, &mut faults);
    Some(text.into_owned())
}

fn bundle(language: Language) -> &'static FluentBundle<FluentResource> {
    static EN: OnceLock<FluentBundle<FluentResource>> = OnceLock::new();
    static ES: OnceLock<FluentBundle<FluentResource>> = OnceLock::new();
    let (place, texts): (_, &[&str]) = match language {
        // What the server says of itself stands in English in its own tables.
        Language::En => (&EN, &[include_str!("../locales/en.ftl")]),
        Language::Es => (
            &ES,
            &[
                include_str!("../locales/es.ftl"),
                include_str!("../locales/findings.es.ftl"),
                include_str!("../locales/problems.es.ftl"),
                include_str!("../locales/remarks.es.ftl"),
                include_str!("../locales/sayings.es.ftl"),
            ],
        ),
    };
    place.get_or_init(|| {
        let tags: Vec<LanguageIdentifier> = language.tag().parse().into_iter().collect();
        let mut bundle = FluentBundle::new_concurrent(tags);
        // Both languages run from left to right.
        bundle.set_use_isolating(false);
        for text in texts {
            // What does not parse is left out, and a test finds it.
            let resource = FluentResource::try_new((*text).to_owned());
            bundle.add_resource_overriding(resource.unwrap_or_else(|(part, _)| part));
        }
        bundle
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};
    use std::fs;
    use std::path::Path;

    /// The keys of a file, each with the names of its places.
    fn keys(language: Language) -> BTreeMap<String, BTreeSet<String>> {
        let path = format!("locales/{}.ftl", language.tag());
        let text = fs::read_to_string(path).unwrap();
        FluentResource::try_new(text.clone()).expect("every line parses");
        let mut keys = BTreeMap::<String, BTreeSet<String>>::new();
        let mut key = String::new();
        for line in text.lines() {
            if let Some((name, _)) = line.split_once(" = ")
                && !line.starts_with([' ', '#'])
            {
                key = name.to_owned();
                let twice = keys.insert(key.clone(), BTreeSet::new());
                assert!(twice.is_none(), "{key} stands twice");
            }
            for place in line.split("{ $").skip(1) {
                let name = place.split([' ', '}']).next().unwrap();
                keys.get_mut(&key).unwrap().insert(name.to_owned());
            }
        }
        keys
    }

    /// A text of Spanish alone, with its attribute `todo` and the names of its places.
    struct Own {
        has_todo: bool,
        places: BTreeSet<String>,
    }

    /// The texts of a file that only Spanish has, by their keys without the family.
    fn own(file: &str, family: &str) -> BTreeMap<String, Own> {
        let text = fs::read_to_string(format!("locales/{file}.es.ftl")).unwrap();
        FluentResource::try_new(text.clone()).expect("every line parses");
        let mut own = BTreeMap::<String, Own>::new();
        let mut key = String::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if let Some((name, _)) = line.split_once(" = ")
                && !line.starts_with(' ')
            {
                key = name.strip_prefix(family).unwrap().to_owned();
                let (has_todo, places) = (false, BTreeSet::new());
                let twice = own.insert(key.clone(), Own { has_todo, places });
                assert!(twice.is_none(), "{name} stands twice");
            }
            let Some(one) = own.get_mut(&key) else {
                continue;
            };
            one.has_todo |= line.starts_with("    .todo = ");
            for place in line.split("{ $").skip(1) {
                let name = place.split([' ', '}']).next().unwrap();
                one.places.insert(name.to_owned());
            }
        }
        own
    }

    #[test]
    fn every_problem_of_the_table_has_both_its_texts_in_spanish_and_none_is_left_over() {
        let mut own = own("problems", "problem-");
        for problem in labward_base::problem::ALL {
            let code = problem.code;
            let found = own.remove(&code.replace('.', "-"));
            let found = found.unwrap_or_else(|| panic!("{code} has no Spanish text"));
            assert!(found.has_todo, "{code} does not say in Spanish what to do");
            assert!(found.places.is_empty(), "{code}");
        }
        assert!(own.is_empty(), "no problem: {:?}", own.keys());
    }

    #[test]
    fn every_remark_of_the_table_has_a_spanish_text_with_its_places_and_none_is_left_over() {
        let mut own = own("remarks", "remark-");
        for kind in labward_base::remark::ALL {
            let found = own.remove(kind.code);
            let found = found.unwrap_or_else(|| panic!("{} has no Spanish text", kind.code));
            // What another program said stands behind the text.
            let places = kind.places.iter().copied();
            let places = places.filter(|place| *place != labward_base::remark::QUOTE);
            assert!(
                found
                    .places
                    .iter()
                    .map(String::as_str)
                    .eq(BTreeSet::from_iter(places)),
                "{}",
                kind.code
            );
        }
        assert!(own.is_empty(), "no remark: {:?}", own.keys());
    }

    #[test]
    fn everything_said_of_urgency_has_a_spanish_text_with_its_places_and_none_is_left_over() {
        let mut own = own("sayings", "saying-");
        let mut used = BTreeSet::new();
        for saying in crate::sayings::all() {
            let found = own.get(saying.code);
            let found = found.unwrap_or_else(|| panic!("{} has no Spanish text", saying.code));
            let places = saying.values.iter().map(|(place, _)| (*place).to_owned());
            assert_eq!(found.places, places.collect(), "{}", saying.code);
            used.insert(saying.code.to_owned());
            for (place, value) in &saying.values {
                let word = format!("{place}-{}", value.replace(' ', "-"));
                let known = own.contains_key(&word);
                // Numbers, days, metrics and vectors are the same in each language.
                let bare = value
                    .bytes()
                    .any(|byte| byte.is_ascii_digit() || byte == b':');
                assert!(known || bare, "{}: {place} {value}", saying.code);
                used.insert(word);
            }
        }
        own.retain(|key, _| !used.contains(key));
        assert!(own.is_empty(), "nothing says: {:?}", own.keys());
    }

    #[test]
    fn no_template_marks_a_text_as_english_but_the_reference_for_programs() {
        for entry in fs::read_dir("templates").unwrap() {
            let path = entry.unwrap().path();
            if path.ends_with("reference.html") {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            assert!(!text.contains("lang=\"en\""), "{}", path.display());
        }
    }

    /// The text of every page and of what fills them, this file left out.
    fn sources() -> Vec<String> {
        fn read(folder: &Path, found: &mut Vec<String>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    read(&path, found);
                } else if !path.ends_with("language.rs") {
                    found.push(fs::read_to_string(&path).unwrap());
                }
            }
        }
        let mut found = Vec::new();
        read(Path::new("src"), &mut found);
        read(Path::new("templates"), &mut found);
        found
    }

    #[test]
    fn every_text_stands_in_every_language_with_the_same_places() {
        assert_eq!(keys(Language::En), keys(Language::Es));
    }

    #[test]
    fn every_text_of_the_pages_exists_and_every_text_is_of_a_page() {
        let sources = sources();
        let known = keys(Language::En);
        let families = [
            "access-",
            "advisories-line-",
            "advisory-kind-",
            "approval-",
            "attach-",
            "configuration-",
            "decision-",
            "detach-why-",
            "device-attribute-",
            "device-confidence-",
            "device-criticality-",
            "device-fault-",
            "device-format-",
            "device-key-",
            "device-line-",
            "device-state-",
            "done-",
            "fact-",
            "field-",
            "harm-",
            "hit-band-",
            "hit-closed-",
            "hit-decide-",
            "hit-name-",
            "hit-read-",
            "hit-reason-",
            "hit-says-",
            "hit-state-",
            "hit-status-",
            "hit-treatment-",
            "hit-verdict-",
            "hits-filter-",
            "integrity-",
            "kind-",
            "list-",
            "mail-",
            "malware-",
            "mds2-capability-",
            "mds2-disclosed-",
            "mds2-section-",
            "message-",
            "network-decision-",
            "network-direction-",
            "network-mode-",
            "network-novelty-",
            "opening-did-",
            "opening-state-",
            "permission-",
            "quarantine-",
            "remedy-",
            "outcome-",
            "people-import-state-",
            "role-",
            "safeguard-",
            "section-",
            "state-",
            "step-",
            "stranger-",
            "theme-",
            "topic-",
            "unusual-kind-",
            "unusual-show-",
            "unusual-state-",
            "verdict-",
            "vex-status-",
            "vex-why-",
        ];
        for key in known.keys() {
            let quoted = format!("\"{key}\"");
            let is_used = sources.iter().any(|text| text.contains(&quoted));
            let of_family = families.iter().any(|family| key.starts_with(family));
            assert!(is_used || of_family, "{key} is used nowhere");
        }
        let mut asked = 0;
        for call in ["f.t(", "f.n(", "f.w(", "numbered(f, "] {
            let opening = format!("{call}\"");
            for behind in sources.iter().flat_map(|text| text.split(&opening).skip(1)) {
                let key = behind.split('"').next().unwrap();
                assert!(known.contains_key(key), "{key} has no text");
                asked += 1;
            }
        }
        assert!(asked > 200, "{asked}");
    }

    #[test]
    fn numbers_bend_their_nouns() {
        assert_eq!(Language::En.counted("records-hits", 1), "1 patient");
        assert_eq!(Language::Es.counted("records-hits", 2), "2 pacientes");
        assert_eq!(Language::En.text("no-such-text"), "no-such-text");
        let with = Language::Es.with("records-born", &[("year", "1970")]);
        assert_eq!(with, "nacimiento 1970");
    }

    #[test]
    fn the_browser_says_which_language_it_wants() {
        assert_eq!(accepted("es-US,es;q=0.9,en;q=0.8"), Language::Es);
        assert_eq!(accepted("fr-CH, en;q=0.8"), Language::En);
        for other in ["", "*", "fr", "é", "\u{1f600}"] {
            assert_eq!(accepted(other), Language::En, "{other}");
        }
    }
}

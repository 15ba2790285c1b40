//! What the lists of a source name, one document once.
//!
//! It must never leave out in silence what a list names and we may not ask for.

use std::collections::BTreeMap;

use labward_advisory::Flaws;
use labward_advisory::provider::{List, Listed};
use url::Url;

use super::follow::LISTED_MAX;
use super::reach::Reach;

/// Flaws of a list that are told one by one.
const FLAWS_MAX: usize = 50;

/// What is listed, by addresses, and what is wrong with the lists.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) listed: BTreeMap<String, (Url, Listed)>,
    pub(super) faults: BTreeMap<String, String>,
    /// Whether every list was read, so that what is in none is gone.
    pub(super) is_whole: bool,
}

/// To what the addresses of a list are relative.
#[derive(Clone, Copy)]
pub(super) enum Base {
    Directory,
    Feed,
}

impl Gathered {
    pub(super) fn add(&mut self, reach: &Reach, at: &Url, list: List, base: Base) {
        self.flaws(at, &list.flaws);
        for one in list.entries {
            if self.listed.len() >= LISTED_MAX {
                let why = format!("more than {LISTED_MAX} documents");
                self.faults.insert(at.to_string(), why);
                self.is_whole = false;
                return;
            }
            let resolved = match base {
                // The list stands in the directory.
                Base::Directory => at
                    .join(".")
                    .map_err(|_| "it leads to what is no address".to_owned())
                    .and_then(|directory| reach.below(&directory, &one.address)),
                Base::Feed => reach.resolve(at, &one.address),
            };
            match resolved {
                Ok(url) => self.put(url, one),
                Err(why) => drop(self.faults.insert(one.address.to_string(), why)),
            }
        }
    }

    /// Of a document that several lists name the latest counts.
    fn put(&mut self, url: Url, one: Listed) {
        let known = self.listed.get(url.as_str());
        if known.is_none_or(|(_, known)| known.changed < one.changed) {
            self.listed.insert(url.to_string(), (url, one));
        }
    }

    pub(super) fn flaws(&mut self, at: &Url, flaws: &Flaws) {
        for flaw in flaws.listed().iter().take(FLAWS_MAX) {
            let place = format!("{at} {}", flaw.place);
            self.faults.insert(place, flaw.what.clone());
        }
        let more = flaws.listed().len().saturating_sub(FLAWS_MAX);
        let more = u64::try_from(more)
            .unwrap_or(u64::MAX)
            .saturating_add(flaws.unlisted());
        if more > 0 {
            let why = format!("{more} more entries cannot be read");
            self.faults.insert(at.to_string(), why);
        }
    }
}

#[cfg(test)]
mod tests {
    use labward_advisory::Limits;
    use labward_advisory::provider::Listing;

    use super::*;

    fn list(text: &str) -> List {
        match Listing::parse("changes.csv", text.as_bytes(), &Limits::default()) {
            Some(Listing::Directory(list) | Listing::Feed(list)) => list,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn of_a_document_in_several_lists_the_latest_counts_and_what_may_not_be_asked_is_told() {
        let at = Url::parse("https://psirt.example/csaf/changes.csv").unwrap();
        let reach = Reach::named(&at);
        let mut all = Gathered::default();
        let lines = "2026/a.json,2026-01-01T00:00:00Z\n../b.json,2026-01-01T00:00:00Z\n";
        all.add(&reach, &at, list(lines), Base::Directory);
        let entry = |src: &str, day: &str| {
            format!(r#"{{"updated":"2026-01-{day}T00:00:00Z","content":{{"src":"{src}"}}}}"#)
        };
        let entries = [
            entry("2026/a.json", "02"),
            entry("https://evil.example/c.json", "02"),
            entry("2026/a.json", "01"),
        ];
        let feed = format!(r#"{{"feed":{{"entry":[{}]}}}}"#, entries.join(","));
        all.add(&reach, &at, list(&feed), Base::Feed);
        let listed: Vec<_> = all.listed.iter().collect();
        let [(address, (_, one))] = &*listed else {
            panic!("{listed:?}");
        };
        assert_eq!(*address, "https://psirt.example/csaf/2026/a.json");
        assert_eq!(
            one.changed.unwrap().to_rfc3339(),
            "2026-01-02T00:00:00.000000Z"
        );
        let faults: Vec<_> = all.faults.iter().collect();
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(faults[1].0.ends_with("changes.csv line 2"), "{faults:?}");
        assert!(faults[0].1.contains("evil.example"), "{faults:?}");
    }
}

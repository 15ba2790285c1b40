//! Names and birth dates, searchable in memory after unsealing.
//!
//! It must never be written anywhere: nothing of it rests. Typing errors are tolerated (up to two in
//! a word), accents and case do not matter, nor does the order of family and given names.
//!
//! A search costs 8 bytes looked at for each word that is about as long, a comparison letter by letter
//! for those that share almost all letters (a tenth of them, at worst), and a step for each bearer of a
//! word that fits. It never walks over the patients.

use std::collections::{BTreeMap, HashMap};
use std::ops::{Bound, RangeInclusive};

use labward_base::id::PatientId;

use crate::demographics::Demographics;

mod word;

use self::word::{are_near, letters_of, likeness, tolerated, words_of};

/// A beginning of a word is found from so many letters on.
const PREFIX_MIN: usize = 3;
/// Places of removed or replaced patients that are left before the index is made anew.
const DEAD_MAX: usize = 1024;
/// How many bearers of a word one search among them is worth.
const NARROW_FACTOR: usize = 16;
/// What a match by the beginning of a word is worth.
const PREFIX_SCORE: f32 = 0.9;

/// A patient that fits a search by name or birth date.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct NameHit {
    pub(crate) patient: PatientId,
    /// How well it fits, above 0 and up to 1.
    pub(crate) score: f32,
}

/// The index: words of names, who bears them, and when they were born.
#[derive(Default)]
pub(crate) struct NameIndex {
    words: Vec<Word>,
    by_text: BTreeMap<Box<str>, u32>,
    by_length: BTreeMap<usize, Lengthwise>,
    people: Vec<Option<Person>>,
    by_patient: HashMap<PatientId, u32>,
    /// Who was born on which day; also who was since removed.
    by_birth: BTreeMap<Birth, Vec<u32>>,
}

struct Word {
    text: Box<str>,
    /// In rising order.
    bearers: Vec<u32>,
}

/// The words of one length: their sets of letters, and in the same order which words they are.
#[derive(Default)]
struct Lengthwise {
    letters: Vec<u64>,
    words: Vec<u32>,
}

struct Person {
    patient: PatientId,
    birth: Birth,
    masked: String,
}

/// A word that fits what is wanted.
struct Like {
    word: u32,
    score: f32,
}

/// What a search looked at, to hold the promise of this file by.
#[derive(Clone, Copy, Debug, Default)]
struct Work {
    /// Sets of letters, 8 bytes each.
    sets: usize,
    /// Words compared letter by letter.
    words: usize,
    /// Bearers of words that fit.
    bearers: usize,
}

/// A date as `YYYYMMDD`, with zeros for what is not known.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Birth(u32);

impl NameIndex {
    /// Takes a patient up, or replaces what was known of it.
    pub(crate) fn put(&mut self, patient: PatientId, demographics: &Demographics) {
        self.remove(patient);
        if self.people.len() > 2 * self.by_patient.len() + DEAD_MAX {
            self.compact();
        }
        let Ok(place) = u32::try_from(self.people.len()) else {
            return;
        };
        let mut all = Vec::new();
        for name in &demographics.names {
            words_of(&name.family, &mut all);
            words_of(&name.given, &mut all);
        }
        all.sort();
        all.dedup();
        for text in all {
            self.add_bearer(text, place);
        }
        let birth = Birth::read(demographics.birth_date.as_deref());
        self.by_birth.entry(birth).or_default().push(place);
        self.people.push(Some(Person {
            patient,
            birth,
            masked: mask(demographics),
        }));
        self.by_patient.insert(patient, place);
    }

    /// Forgets a patient; its words go when the places are next given out anew.
    pub(crate) fn remove(&mut self, patient: PatientId) {
        if let Some(place) = self.by_patient.remove(&patient)
            && let Ok(place) = usize::try_from(place)
            && let Some(person) = self.people.get_mut(place)
        {
            *person = None;
        }
    }

    /// The patients that bear every word of `name` and were born on `birth_date`, in no order; a
    /// criterion that is `None` or holds no word does not count.
    pub(crate) fn search(&self, name: Option<&str>, birth_date: Option<&str>) -> Vec<NameHit> {
        self.search_counted(name, birth_date, &mut Work::default())
    }

    fn search_counted(
        &self,
        name: Option<&str>,
        birth_date: Option<&str>,
        work: &mut Work,
    ) -> Vec<NameHit> {
        let mut wanted = Vec::new();
        words_of(name.unwrap_or_default(), &mut wanted);
        let birth = Birth::read(birth_date);
        if birth_date.is_some() && birth == Birth::default() {
            return Vec::new();
        }
        match (wanted.is_empty(), birth_date) {
            (true, None) => Vec::new(),
            (true, Some(_)) => self.by_birth(birth),
            (false, _) => self.by_words(&wanted, birth, work),
        }
    }

    fn by_birth(&self, birth: Birth) -> Vec<NameHit> {
        let born = self.by_birth.range(birth.span());
        born.flat_map(|(_, places)| places)
            .filter_map(|place| self.person(*place))
            .map(|person| NameHit {
                patient: person.patient,
                score: 1.0,
            })
            .collect()
    }

    /// The masked name and the year of birth, if the patient is in the index.
    pub(crate) fn masked(&self, patient: PatientId) -> Option<(String, Option<String>)> {
        let place = self.by_patient.get(&patient)?;
        let person = self.person(*place)?;
        let year = person.birth.0 / 10_000;
        let year = (year > 0).then(|| format!("{year:04}"));
        Some((person.masked.clone(), year))
    }

    /// Gives out the places anew, without those of removed and replaced patients.
    fn compact(&mut self) {
        let mut moved = HashMap::with_capacity(self.by_patient.len());
        let mut people = Vec::with_capacity(self.by_patient.len());
        for (old, person) in (0u32..).zip(std::mem::take(&mut self.people)) {
            let (Some(person), Ok(new)) = (person, u32::try_from(people.len())) else {
                continue;
            };
            moved.insert(old, new);
            self.by_patient.insert(person.patient, new);
            people.push(Some(person));
        }
        self.people = people;
        let renew = |places: &mut Vec<u32>| {
            let new = places.iter().filter_map(|old| moved.get(old).copied());
            *places = new.collect();
            !places.is_empty()
        };
        self.by_birth.retain(|_, places| renew(places));
        self.words.retain_mut(|word| renew(&mut word.bearers));
        let texts = self.words.iter().map(|word| word.text.clone());
        self.by_text = texts.zip(0..).collect();
        self.by_length.clear();
        for (word, place) in self.words.iter().zip(0..) {
            let same = self.by_length.entry(word.text.chars().count());
            same.or_default().push(&word.text, place);
        }
    }

    fn person(&self, place: u32) -> Option<&Person> {
        self.people.get(usize::try_from(place).ok()?)?.as_ref()
    }

    fn add_bearer(&mut self, text: String, place: u32) {
        if let Some(word) = self.by_text.get(text.as_str()) {
            if let Ok(word) = usize::try_from(*word)
                && let Some(word) = self.words.get_mut(word)
            {
                word.bearers.push(place);
            }
            return;
        }
        let Ok(next) = u32::try_from(self.words.len()) else {
            return;
        };
        let same = self.by_length.entry(text.chars().count());
        same.or_default().push(&text, next);
        let text: Box<str> = text.into();
        self.words.push(Word {
            text: text.clone(),
            bearers: vec![place],
        });
        self.by_text.insert(text, next);
    }

    fn word(&self, word: u32) -> Option<&Word> {
        self.words.get(usize::try_from(word).ok()?)
    }

    fn bearers(&self, like: &[Like]) -> usize {
        let words = like.iter().filter_map(|like| self.word(like.word));
        words.map(|word| word.bearers.len()).sum()
    }

    fn by_words(&self, wanted: &[String], birth: Birth, work: &mut Work) -> Vec<NameHit> {
        let like = wanted.iter().map(|word| self.words_like(word, work));
        let mut like: Vec<Vec<Like>> = like.collect();
        // The rarest leads: only who bears it can bear them all.
        like.sort_by_key(|like| self.bearers(like));
        let mut fitting = Fitting::new(self.people.len());
        for (round, like) in like.iter().enumerate() {
            match round > 0 && fitting.places.len() < self.bearers(like) / NARROW_FACTOR {
                true => self.narrow(&mut fitting, like, work),
                false => self.take(&mut fitting, like, work),
            }
        }
        let count = u16::try_from(wanted.len()).unwrap_or(u16::MAX);
        let places = fitting.places.iter();
        let hits = places.filter_map(|place| {
            let person = self.person(*place)?;
            person.birth.within(birth).then(|| NameHit {
                patient: person.patient,
                score: fitting.sum(*place) / f32::from(count),
            })
        });
        hits.collect()
    }

    /// Keeps of who fits so far those that bear one of these words, by walking over the bearers.
    fn take(&self, fitting: &mut Fitting, like: &[Like], work: &mut Work) {
        fitting.begin();
        for like in like {
            let bearers = self.word(like.word).map(|word| &word.bearers);
            for place in bearers.into_iter().flatten() {
                work.bearers += 1;
                fitting.add(*place, like.score);
            }
        }
    }

    /// The same where few fit so far: each is looked for among the bearers.
    fn narrow(&self, fitting: &mut Fitting, like: &[Like], work: &mut Work) {
        let before = std::mem::take(&mut fitting.places);
        fitting.begin();
        for place in before {
            work.bearers += 1;
            let bears = |like: &&Like| {
                let word = self.word(like.word);
                word.is_some_and(|word| word.bearers.binary_search(&place).is_ok())
            };
            if let Some(best) = like.iter().find(bears) {
                fitting.add(place, best.score);
            }
        }
    }

    /// The words like `wanted`, the best first.
    fn words_like(&self, wanted: &str, work: &mut Work) -> Vec<Like> {
        let chars: Vec<char> = wanted.chars().collect();
        let (letters, most) = (letters_of(wanted), tolerated(chars.len()));
        let mut found = BTreeMap::new();
        let apart = usize::from(most);
        let lengths = chars.len().saturating_sub(apart)..=chars.len() + apart;
        for (_, same) in self.by_length.range(lengths) {
            work.sets += same.letters.len();
            let near = same.words.iter().zip(&same.letters);
            for (word, _) in near.filter(|(_, has)| are_near(letters, **has, most)) {
                work.words += 1;
                let text = self.word(*word).map_or("", |word| &word.text);
                if let Some(score) = likeness(&chars, text, most) {
                    found.insert(*word, score);
                }
            }
        }
        if chars.len() >= PREFIX_MIN {
            let from = (Bound::Included(wanted), Bound::Unbounded);
            let begin = self.by_text.range::<str, _>(from);
            for (_, word) in begin.take_while(|(text, _)| text.starts_with(wanted)) {
                work.words += 1;
                let best = found.entry(*word).or_insert(PREFIX_SCORE);
                *best = best.max(PREFIX_SCORE);
            }
        }
        let found = found.into_iter().map(|(word, score)| Like { word, score });
        let mut found: Vec<Like> = found.collect();
        found.sort_by(|a, b| b.score.total_cmp(&a.score));
        found
    }
}

impl Lengthwise {
    fn push(&mut self, text: &str, word: u32) {
        self.letters.push(letters_of(text));
        self.words.push(word);
    }
}

/// Who fits the words looked at so far, by place; memory is touched only where somebody fits.
struct Fitting {
    places: Vec<u32>,
    sums: Vec<f32>,
    /// How many words each place has fitted.
    rounds: Vec<u8>,
    round: u8,
}

impl Fitting {
    fn new(people: usize) -> Self {
        Self {
            places: Vec::new(),
            sums: vec![0.0; people],
            rounds: vec![0; people],
            round: 0,
        }
    }

    /// Begins the next word: who does not bear it fits no more.
    fn begin(&mut self) {
        self.places.clear();
        self.round = self.round.saturating_add(1);
    }

    /// Takes up a bearer; the first score of a word counts, so the best has to come first.
    fn add(&mut self, place: u32, score: f32) {
        let Ok(at) = usize::try_from(place) else {
            return;
        };
        let (Some(round), Some(sum)) = (self.rounds.get_mut(at), self.sums.get_mut(at)) else {
            return;
        };
        if round.checked_add(1) == Some(self.round) {
            *round = self.round;
            *sum += score;
            self.places.push(place);
        }
    }

    fn sum(&self, place: u32) -> f32 {
        let at = usize::try_from(place).ok();
        at.and_then(|at| self.sums.get(at)).copied().unwrap_or(0.0)
    }
}

impl Birth {
    fn read(text: Option<&str>) -> Self {
        let date = text.and_then(crate::demographics::birth_date);
        let mut parts = date.iter().flat_map(|date| date.split('-'));
        let mut next = || -> u32 { parts.next().and_then(|p| p.parse().ok()).unwrap_or(0) };
        let (year, month, day) = (next(), next(), next());
        Self(year * 10_000 + month * 100 + day)
    }

    /// All that [`within`](Self::within) this year, month or day.
    fn span(self) -> RangeInclusive<Self> {
        let rest = match self.0 {
            w if w % 10_000 == 0 => 9_999,
            w if w % 100 == 0 => 99,
            _ => 0,
        };
        self..=Self(self.0 + rest)
    }

    /// Whether this date lies in the year, the month or on the day that `wanted` names.
    fn within(self, wanted: Self) -> bool {
        match wanted.0 {
            0 => true,
            w if w % 10_000 == 0 => self.0 / 10_000 == w / 10_000,
            w if w % 100 == 0 => self.0 / 100 == w / 100,
            w => self.0 == w,
        }
    }
}

/// `J••• S•••`: the first letters of the newest given and family name.
fn mask(demographics: &Demographics) -> String {
    let Some(name) = demographics.names.first() else {
        return "•••".to_owned();
    };
    let parts = [&name.given, &name.family];
    let masked: Vec<String> = parts
        .iter()
        .filter_map(|part| part.chars().find(|c| c.is_alphabetic()))
        .map(|first| format!("{first}•••"))
        .collect();
    if masked.is_empty() {
        return "•••".to_owned();
    }
    masked.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demographics::PersonName;
    use proptest::prelude::*;

    fn person(given: &str, family: &str, born: &str) -> Demographics {
        Demographics {
            names: vec![PersonName {
                family: family.to_owned(),
                given: given.to_owned(),
            }],
            birth_date: (!born.is_empty()).then(|| born.to_owned()),
            identifiers: Vec::new(),
        }
    }

    fn index() -> NameIndex {
        let mut index = NameIndex::default();
        for (id, (given, family, born)) in [
            ("José Luis", "Muñoz-Ortega", "1980-02-23"),
            ("Zana914", "Gusikowski974", "1980-02-24"),
            ("Anna", "Li", "1975"),
            ("Ann", "Smith", "1980-03-01"),
        ]
        .into_iter()
        .enumerate()
        {
            let id = u64::try_from(id).unwrap() + 1;
            index.put(PatientId::new(id), &person(given, family, born));
        }
        index
    }

    fn found(name: &str, born: &str) -> Vec<u64> {
        let born = (!born.is_empty()).then_some(born);
        let name = (!name.is_empty()).then_some(name);
        let mut hits = index().search(name, born);
        hits.sort_by(|a, b| {
            let by_score = b.score.total_cmp(&a.score);
            by_score.then(a.patient.cmp(&b.patient))
        });
        hits.iter().map(|hit| hit.patient.get()).collect()
    }

    #[test]
    fn typing_errors_accents_and_order_do_not_hide_a_patient() {
        for name in [
            "munoz jose",
            "JOSE MUNOZ",
            "Muñoz Ortega",
            "Ortega, José",
            "Munzo",
            "Ortgea Luis",
            "Muno",
        ] {
            assert_eq!(found(name, ""), [1], "{name}");
        }
        assert_eq!(found("Gusikovsky", ""), [2], "two letters wrong");
        assert_eq!(found("Gusi", ""), [2], "a beginning");
        assert_eq!(found("Gasikofsky", ""), [0u64; 0], "three letters wrong");
    }

    #[test]
    fn a_short_word_must_be_exact() {
        assert_eq!(found("Li", ""), [3]);
        assert_eq!(found("Lo", ""), [0u64; 0]);
    }

    #[test]
    fn the_exact_name_comes_first() {
        assert_eq!(found("Ann", ""), [4, 3]);
        assert_eq!(found("Anna", ""), [3, 4]);
    }

    #[test]
    fn a_birth_date_narrows_by_day_month_or_year() {
        assert_eq!(found("", "1980-02-23"), [1]);
        assert_eq!(found("", "1980-02"), [1, 2]);
        assert_eq!(found("", "1980"), [1, 2, 4]);
        assert_eq!(found("Smith", "1980-02"), [0u64; 0]);
        assert_eq!(found("", "not a date"), [0u64; 0]);
        assert_eq!(found("", ""), [0u64; 0]);
    }

    #[test]
    fn a_hit_shows_first_letters_and_the_year_only() {
        let index = index();
        let masked = index.masked(PatientId::new(2)).unwrap();
        assert_eq!(masked, ("Z••• G•••".to_owned(), Some("1980".to_owned())));
        assert_eq!(index.masked(PatientId::new(9)), None);
    }

    #[test]
    fn a_removed_patient_is_silent_and_a_replaced_one_bears_the_new_name() {
        let mut index = index();
        index.remove(PatientId::new(1));
        assert!(index.search(Some("Munoz"), None).is_empty());
        assert!(index.search(None, Some("1980-02-23")).is_empty());
        index.put(PatientId::new(2), &person("Zana", "Beier", ""));
        assert!(index.search(Some("Gusikowski"), None).is_empty());
        assert_eq!(index.search(Some("Beier"), None).len(), 1);
    }

    #[test]
    fn many_replaced_names_leave_no_trace() {
        let mut index = index();
        for n in 0..2 * DEAD_MAX {
            let family = format!("Gusikowski{}", ["a", "b", "c"][n % 3]);
            index.put(PatientId::new(2), &person("Zana", &family, "1980"));
        }
        index.put(PatientId::new(2), &person("Zana", "Beier", "1980-02-24"));
        assert!(index.people.len() < 2 * DEAD_MAX, "{}", index.people.len());
        let found = |name: &str| index.search(Some(name), None);
        assert!(found("Gusikowski").is_empty());
        assert_eq!(
            (
                found("Beier").len(),
                found("Munoz").len(),
                found("Ann").len()
            ),
            (1, 1, 2)
        );
        assert_eq!(index.search(None, Some("1980")).len(), 3);
    }

    /// The `n`-th of a million names that sound like one, of six letters.
    fn sounding(n: usize) -> String {
        let syllable = |n: usize| {
            let (consonants, vowels) = (b"bcdfghjklmnprstvwxyz", b"aeiou");
            [consonants[n % 20], vowels[n / 20 % 5]].map(char::from)
        };
        let parts = [n, n / 100, n / 10_000].map(syllable);
        parts.into_iter().flatten().collect()
    }

    fn index_of(people: usize, name: impl Fn(usize) -> (String, String)) -> NameIndex {
        let mut index = NameIndex::default();
        for n in 0..people {
            let (given, family) = name(n);
            let born = format!("19{:02}-01-{:02}", n % 100, 1 + n % 28);
            let patient = PatientId::new(u64::try_from(n).unwrap() + 1);
            index.put(patient, &person(&given, &family, &born));
        }
        index
    }

    /// The work of a search, and how many patients it found.
    fn work(index: &NameIndex, name: &str) -> (Work, usize) {
        let mut work = Work::default();
        let hits = index.search_counted(Some(name), None, &mut work);
        (work, hits.len())
    }

    #[test]
    fn of_100_000_names_a_mistyped_one_is_compared_with_few() {
        let all = 100_000;
        let family = |n: usize| sounding(n * 7 % 1_000_000);
        let index = index_of(all, |n| (String::new(), family(n)));
        let mut compared = 0;
        for n in (0..all).step_by(5_003) {
            let mut typed: Vec<char> = family(n).chars().collect();
            typed.swap(2, 3);
            let (work, hits) = work(&index, &typed.iter().collect::<String>());
            assert!(hits >= 1 && work.sets <= all, "{work:?}");
            assert!(work.bearers <= hits, "one bearer a name: {work:?}");
            compared = compared.max(work.words);
        }
        assert!(compared < all / 8, "{compared} names compared");
    }

    #[test]
    fn many_who_share_few_names_are_not_walked_over() {
        let all = 50_000;
        let index = index_of(all, |n| match n {
            777 => ("Zyxora".to_owned(), sounding(3)),
            n => (sounding(900_000 + n % 20), sounding(n % 100)),
        });
        let (work, hits) = work(&index, "Zyxroa");
        assert!((work.sets, work.bearers, hits) <= (121, 1, 1), "{work:?}");
        // The rare name leads, whichever stands first.
        let both = format!("{} Zyxroa", sounding(3));
        let (work, hits) = self::work(&index, &both);
        assert_eq!(hits, 1);
        assert!(work.bearers <= 2, "{work:?}");
        let born = index.search(None, Some("1905-01-06"));
        assert_eq!(born.len(), index.by_birth[&Birth(19_050_106)].len());
    }

    proptest! {
        #[test]
        fn one_wrong_letter_in_a_long_word_is_tolerated(
            name in "[a-z]{5,12}", at in 0usize..5, letter in "[a-z]", other in "[a-z]{5,12}"
        ) {
            let mut index = NameIndex::default();
            index.put(PatientId::new(1), &person("", &name, ""));
            index.put(PatientId::new(2), &person("", &other, ""));
            let mut typed = name.clone();
            typed.replace_range(at..=at, &letter);
            let hits = index.search(Some(&typed), None);
            prop_assert!(hits.iter().any(|hit| hit.patient == PatientId::new(1)));
        }

        #[test]
        fn any_text_is_searched_without_panic(name in "\\PC{0,80}", query in "\\PC{0,80}") {
            let mut index = NameIndex::default();
            index.put(PatientId::new(1), &person(&name, &query, &name));
            let _ = index.search(Some(&query), Some(&name));
        }
    }
}

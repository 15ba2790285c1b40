//! Names and birth dates, searchable in memory after unsealing.
//!
//! It must never be written anywhere: nothing of it rests. Typing errors are tolerated (up to two in
//! a word), accents and case do not matter, nor does the order of family and given names.

use std::collections::HashMap;

use labward_base::id::PatientId;

use crate::demographics::Demographics;

/// Longer words are cut; no name of a person has a longer word.
const WORD_MAX: usize = 32;
/// A beginning of a word is found from so many letters on.
const PREFIX_MIN: usize = 3;
/// Places of removed or replaced patients that are left before the index is made anew.
const DEAD_MAX: usize = 1024;
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
    by_text: HashMap<Box<str>, u32>,
    people: Vec<Option<Person>>,
    by_patient: HashMap<PatientId, u32>,
}

struct Word {
    text: Box<str>,
    letters: u64,
    bearers: Vec<u32>,
}

struct Person {
    patient: PatientId,
    birth: Birth,
    masked: String,
}

/// A date as `YYYYMMDD`, with zeros for what is not known.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
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
        self.people.push(Some(Person {
            patient,
            birth: Birth::read(demographics.birth_date.as_deref()),
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

    /// The patients that bear every word of `name` and were born on `birth_date`, the best first;
    /// a criterion that is `None` or holds no word does not count.
    pub(crate) fn search(&self, name: Option<&str>, birth_date: Option<&str>) -> Vec<NameHit> {
        let mut wanted = Vec::new();
        words_of(name.unwrap_or_default(), &mut wanted);
        let birth = Birth::read(birth_date);
        if birth_date.is_some() && birth == Birth::default() {
            return Vec::new();
        }
        let mut hits: Vec<_> = if wanted.is_empty() {
            if birth_date.is_none() {
                return Vec::new();
            }
            let all = self.people.iter().flatten();
            all.filter(|person| person.birth.within(birth))
                .map(|person| NameHit {
                    patient: person.patient,
                    score: 1.0,
                })
                .collect()
        } else {
            self.by_words(&wanted, birth)
        };
        hits.sort_by(|a, b| {
            let by_score = b.score.total_cmp(&a.score);
            by_score.then(a.patient.cmp(&b.patient))
        });
        hits
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
        self.by_text.clear();
        self.words.retain_mut(|word| {
            let bearers = word.bearers.iter();
            word.bearers = bearers.filter_map(|old| moved.get(old).copied()).collect();
            !word.bearers.is_empty()
        });
        let texts = self.words.iter().map(|word| word.text.clone());
        self.by_text = texts.zip(0..).collect();
    }

    fn person(&self, place: u32) -> Option<&Person> {
        self.people.get(usize::try_from(place).ok()?)?.as_ref()
    }

    fn add_bearer(&mut self, text: String, place: u32) {
        let next = u32::try_from(self.words.len()).unwrap_or(u32::MAX);
        let word = *self.by_text.entry(text.clone().into()).or_insert(next);
        if word == next {
            self.words.push(Word {
                letters: letters_of(&text),
                text: text.into(),
                bearers: Vec::new(),
            });
        }
        if let Ok(word) = usize::try_from(word)
            && let Some(word) = self.words.get_mut(word)
        {
            word.bearers.push(place);
        }
    }

    fn by_words(&self, wanted: &[String], birth: Birth) -> Vec<NameHit> {
        let mut fitting: Option<HashMap<u32, f32>> = None;
        for word in wanted {
            let bearers = self.bearers_like(word);
            fitting = Some(match fitting {
                None => bearers,
                Some(before) => before
                    .into_iter()
                    .filter_map(|(place, sum)| Some((place, sum + bearers.get(&place)?)))
                    .collect(),
            });
        }
        let count = u16::try_from(wanted.len()).unwrap_or(u16::MAX);
        fitting
            .unwrap_or_default()
            .into_iter()
            .filter_map(|(place, sum)| {
                let person = self.person(place)?;
                person.birth.within(birth).then_some(NameHit {
                    patient: person.patient,
                    score: sum / f32::from(count),
                })
            })
            .collect()
    }

    /// Who bears a word like `wanted`, each with its best score.
    fn bearers_like(&self, wanted: &str) -> HashMap<u32, f32> {
        let wanted_chars: Vec<char> = wanted.chars().collect();
        let (letters, most) = (letters_of(wanted), tolerated(wanted_chars.len()));
        let mut bearers: HashMap<u32, f32> = HashMap::new();
        for word in &self.words {
            let Some(score) = likeness(wanted, &wanted_chars, letters, most, word) else {
                continue;
            };
            for place in &word.bearers {
                let best = bearers.entry(*place).or_default();
                *best = best.max(score);
            }
        }
        bearers
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

/// How many typing errors a word of this length may hold.
const fn tolerated(length: usize) -> usize {
    match length {
        0..=2 => 0,
        3..=4 => 1,
        _ => 2,
    }
}

/// How like `word` is to what is wanted, or `None` if it is another word.
fn likeness(
    wanted: &str,
    wanted_chars: &[char],
    letters: u64,
    most: usize,
    word: &Word,
) -> Option<f32> {
    if *word.text == *wanted {
        return Some(1.0);
    }
    if wanted_chars.len() >= PREFIX_MIN && word.text.starts_with(wanted) {
        return Some(PREFIX_SCORE);
    }
    // One typing error changes at most two letters of the set, so most words fall out here.
    let apart = usize::try_from((letters ^ word.letters).count_ones()).ok()?;
    if apart > 2 * most {
        return None;
    }
    let word_chars: Vec<char> = word.text.chars().collect();
    let distance = distance_up_to(wanted_chars, &word_chars, most)?;
    let length = u8::try_from(wanted_chars.len().max(word_chars.len())).ok()?;
    Some(1.0 - f32::from(u8::try_from(distance).ok()?) / f32::from(length))
}

/// Insertions, deletions, replacements and swaps of neighbours from `a` to `b`, if at most `most`.
fn distance_up_to(a: &[char], b: &[char], most: usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) > most {
        return None;
    }
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut a_before = None;
    for (i, &x) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(b.len() + 1);
        row.push(i + 1);
        let mut b_before = None;
        for (j, &y) in b.iter().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX / 2);
            let mut best = (at(&last, j) + usize::from(x != y))
                .min(at(&last, j + 1) + 1)
                .min(at(&row, j) + 1);
            if a_before == Some(y) && b_before == Some(x) && j > 0 {
                best = best.min(at(&before_last, j - 1) + 1);
            }
            row.push(best);
            b_before = Some(y);
        }
        if row.iter().min().is_none_or(|least| *least > most) {
            return None;
        }
        before_last = std::mem::replace(&mut last, row);
        a_before = Some(x);
    }
    last.last().copied().filter(|distance| *distance <= most)
}

/// The set of letters of a word; letters beyond a–z share places.
fn letters_of(word: &str) -> u64 {
    word.chars().fold(0, |set, c| {
        let place = match c {
            'a'..='z' => u32::from(c) - u32::from('a'),
            _ => 26 + u32::from(c) % 38,
        };
        set | 1u64 << place
    })
}

/// The words of a name, folded: small letters without accents, digits and marks.
fn words_of(name: &str, into: &mut Vec<String>) {
    let mut word = String::new();
    for c in name.chars().chain([' ']) {
        if c.is_whitespace() || matches!(c, '-' | ',' | '.' | '/' | '_') {
            if !word.is_empty() {
                into.push(word.chars().take(WORD_MAX).collect());
                word.clear();
            }
        } else if c.is_alphabetic() {
            fold_into(c, &mut word);
        }
    }
}

/// One letter without case and accent; Latin letters with marks become their base letters.
fn fold_into(c: char, word: &mut String) {
    for c in c.to_lowercase() {
        let base = match c {
            'à'..='å' | 'ā' | 'ă' | 'ą' | 'ǎ' => "a",
            'æ' => "ae",
            'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => "c",
            'ď' | 'đ' | 'ð' => "d",
            'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => "e",
            'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
            'ĥ' | 'ħ' => "h",
            'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => "i",
            'ĵ' => "j",
            'ķ' => "k",
            'ĺ' | 'ļ' | 'ľ' | 'ŀ' | 'ł' => "l",
            'ñ' | 'ń' | 'ņ' | 'ň' => "n",
            'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' => "o",
            'œ' => "oe",
            'ŕ' | 'ŗ' | 'ř' => "r",
            'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => "s",
            'ß' => "ss",
            'ţ' | 'ť' | 'ŧ' | 'ț' => "t",
            'þ' => "th",
            'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => "u",
            'ŵ' => "w",
            'ý' | 'ÿ' | 'ŷ' => "y",
            'ź' | 'ż' | 'ž' => "z",
            // Combining marks of decomposed letters.
            '\u{300}'..='\u{36f}' => "",
            other => {
                word.push(other);
                continue;
            }
        };
        word.push_str(base);
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
        let hits = index().search(name, born);
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

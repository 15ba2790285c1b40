//! Looks for marks in what messages carry, by the walk that the scanner uses; and everything that can go wrong.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labward_base::id::RecordId;
use labward_carrier::{Budget, Declared, Seen, Step, walk};

use crate::inspect::{
    Asked, Finding, Inspect, InspectDone, Inspected, Place, RecordFound, Treated,
};
use crate::keep::{Also, KeepError};

/// The verdict of a part that holds this.
const MARKS: [(&[u8], Finding); 3] = [
    (b"MARK-OF-MALWARE", Finding::Malicious),
    (b"MARK-OF-DOUBT", Finding::Suspicious),
    (b"MARK-OF-A-LOCK", Finding::Unscannable),
];

/// How it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// On the caller's thread, at once.
    AtOnce,
    /// On another thread, after a while.
    Slowly(Duration),
    /// Never, and drops what it should call.
    Drops,
    /// Its thread panics.
    Panics,
    /// It finds everything in the field before the one where it stands.
    Elsewhere,
}

/// What it sealed: the treatment and the original.
type Sealed = (Treated, Vec<u8>);

#[derive(Clone)]
pub(crate) struct Inspector(Arc<Inner>);

struct Inner {
    way: Mutex<Way>,
    /// Its quarantine cannot be written.
    broken: AtomicBool,
    asked: AtomicUsize,
    sealed: Mutex<Vec<Sealed>>,
    committed: Mutex<Vec<(RecordId, Sealed)>>,
}

impl Inspector {
    pub(crate) fn new() -> Arc<Self> {
        Self::that(Way::AtOnce)
    }

    pub(crate) fn that(way: Way) -> Arc<Self> {
        Arc::new(Self(Arc::new(Inner {
            way: Mutex::new(way),
            broken: AtomicBool::default(),
            asked: AtomicUsize::default(),
            sealed: Mutex::default(),
            committed: Mutex::default(),
        })))
    }

    pub(crate) fn goes(&self, way: Way) {
        *self.0.way.lock().unwrap() = way;
    }

    pub(crate) fn breaks(&self, is_broken: bool) {
        self.0.broken.store(is_broken, Ordering::Relaxed);
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.0.asked.load(Ordering::Relaxed)
    }

    /// What it sealed.
    pub(crate) fn sealed(&self) -> Vec<Sealed> {
        self.0.sealed.lock().unwrap().clone()
    }

    /// What committed with a message.
    pub(crate) fn committed(&self) -> Vec<(RecordId, Sealed)> {
        self.0.committed.lock().unwrap().clone()
    }
}

impl Inspect for Inspector {
    fn inspect(&self, asked: Asked, done: InspectDone) {
        self.0.asked.fetch_add(1, Ordering::Relaxed);
        let (way, this) = (*self.0.way.lock().unwrap(), Arc::clone(&self.0));
        match way {
            Way::AtOnce => done(this.look(asked, 0)),
            Way::Elsewhere => done(this.look(asked, 1)),
            Way::Slowly(wait) => drop(thread::spawn(move || {
                thread::park_timeout(wait);
                done(this.look(asked, 0));
            })),
            Way::Drops => drop(done),
            Way::Panics => drop(thread::spawn(move || {
                let _done = done;
                panic!("on purpose");
            })),
        }
    }
}

impl Inner {
    fn look(self: Arc<Self>, asked: Asked, off: u32) -> Inspected {
        let (verdict, places) = found(&asked.bytes, off);
        let record = (verdict != Finding::Clean).then(|| -> RecordFound {
            Box::new(move |treated| self.record(treated, &asked.bytes))
        });
        Inspected {
            verdict,
            rules: [0xab; 8],
            places,
            record,
        }
    }

    fn record(self: Arc<Self>, treated: Treated, original: &[u8]) -> Result<Also, KeepError> {
        if self.broken.load(Ordering::Relaxed) {
            return Err(KeepError::Unwritable);
        }
        let one = (treated, original.to_vec());
        self.sealed.lock().unwrap().push(one.clone());
        Ok(Box::new(move |_, record, _| {
            self.committed.lock().unwrap().push((record, one.clone()));
            Ok(())
        }))
    }
}

/// The worst mark, and where each of that kind stands; nowhere if one of them has no place in a field.
fn found(bytes: &[u8], off: u32) -> (Finding, Vec<Place>) {
    let mut all: Vec<(usize, Option<Vec<Place>>)> = Vec::new();
    walk(
        bytes,
        &Declared::nothing(),
        &Budget::default(),
        &|| true,
        &mut |path, seen| {
            let Seen::Part(part) = seen else { return };
            let has = |mark: &&[u8]| part.bytes.windows(mark.len()).any(|bytes| bytes == *mark);
            let marks = MARKS.iter().map(|(mark, _)| mark);
            let kind = marks.enumerate().find(|(_, mark)| has(mark));
            // Every part around a packed one holds other bytes than it.
            if let Some((kind, _)) = kind {
                let place = match path.steps() {
                    [Step::Place(place), ..] => places(place),
                    _ => None,
                };
                all.push((kind, place));
            }
        },
    );
    let Some(worst) = all.iter().map(|(kind, _)| *kind).min() else {
        return (Finding::Clean, Vec::new());
    };
    let of_worst = all.into_iter().filter(|(kind, _)| *kind == worst);
    let places: Option<Vec<Vec<Place>>> = of_worst.map(|(_, places)| places).collect();
    let mut places = places.unwrap_or_default().concat();
    places.iter_mut().for_each(|place| place.field -= off);
    places.sort();
    places.dedup();
    (MARKS[worst].1, places)
}

/// `OBX[3].5.5`, `OBX[1-3].5`.
fn places(text: &str) -> Option<Vec<Place>> {
    let (segment, rest) = text.split_once('[')?;
    let (numbers, field) = rest.split_once("].")?;
    let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
    let digits: String = field.chars().take_while(char::is_ascii_digit).collect();
    let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
    let field = digits.parse().ok()?;
    let place = |number| Place {
        segment: segment.to_owned(),
        number,
        field,
    };
    Some((first..=last).map(place).collect())
}

/// A place of one field.
pub(crate) fn field(segment: &str, number: u32, field: u32) -> Place {
    Place {
        segment: segment.to_owned(),
        number,
        field,
    }
}

/// A program with the mark of this verdict, in Base64.
pub(crate) fn planted(verdict: Finding) -> String {
    let mut bytes = b"MZ\x50\0\x02\0\0\0\x04\0".to_vec();
    let mark = MARKS.iter().find(|(_, one)| *one == verdict);
    bytes.extend_from_slice(mark.unwrap().0);
    bytes.resize(300, 0xa5);
    STANDARD.encode(bytes)
}

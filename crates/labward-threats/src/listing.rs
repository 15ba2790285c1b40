//! What was fetched of a source that is a list of documents.
//!
//! It must never hold a document for fetched that was not, or forget one that could not be read.

use std::collections::BTreeMap;

use labward_base::Timestamp;

/// Bytes of a fault that are kept.
const FAULT_MAX: usize = 300;

/// What was fetched of a source that is a list of documents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// `directory`, `feed` or `provider`.
    pub kind: String,
    /// Who publishes it, as the provider says of itself.
    pub publisher: String,
    /// The fingerprints of the keys that the provider says it has; none of them is trusted by this.
    pub keys: Vec<String>,
    /// Documents that are listed and were not fetched yet.
    pub waiting: u64,
    /// Each document that was fetched or could not be, by its address.
    pub fetched: BTreeMap<String, Fetched>,
}

/// One document of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// When it was changed last, as the list says.
    pub changed: Option<Timestamp>,
    /// When it was fetched.
    pub at: Timestamp,
    /// Why it could not be taken over, in English; `None` where it was.
    pub fault: Option<String>,
}

/// What a look into a list brought, beside the documents.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// As [`Listing::kind`].
    pub kind: String,
    /// As [`Listing::publisher`].
    pub publisher: String,
    /// As [`Listing::keys`].
    pub keys: Vec<String>,
    /// As [`Listing::waiting`].
    pub waiting: u64,
    /// What was fetched or could not be.
    pub fetched: BTreeMap<String, Fetched>,
    /// What is listed no more; its documents stay.
    pub gone: Vec<String>,
}

impl Listing {
    /// What could not be taken over, and why.
    pub fn faults(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.fetched.iter();
        all.filter_map(|(address, one)| Some((address.as_str(), one.fault.as_deref()?)))
    }
}

impl Progress {
    /// Leaves only what is other than before; whether anything is.
    pub(crate) fn reduce(&mut self, known: &Listing) -> bool {
        let is_new = |address: &String, one: &mut Fetched| {
            if let Some(fault) = &mut one.fault {
                fault.truncate(fault.floor_char_boundary(FAULT_MAX));
            }
            known
                .fetched
                .get(address)
                .is_none_or(|known| !same(known, one))
        };
        self.fetched.retain(is_new);
        let gone = &mut self.gone;
        gone.retain(|address| known.fetched.contains_key(address));
        let is_same = (&self.kind, &self.publisher, &self.keys, self.waiting)
            == (&known.kind, &known.publisher, &known.keys, known.waiting);
        !is_same || !self.fetched.is_empty() || !self.gone.is_empty()
    }

    /// The listing afterwards.
    pub(crate) fn applied(&self, known: &Listing) -> Listing {
        let mut fetched = known.fetched.clone();
        fetched.extend(self.fetched.clone());
        for address in &self.gone {
            fetched.remove(address);
        }
        Listing {
            kind: self.kind.clone(),
            publisher: self.publisher.clone(),
            keys: self.keys.clone(),
            waiting: self.waiting,
            fetched,
        }
    }
}

/// When a document without a date was fetched says when it is fetched again; of others it says nothing.
fn same(known: &Fetched, now: &Fetched) -> bool {
    let is_dated = now.changed.is_some() || now.fault.is_some();
    known.changed == now.changed && known.fault == now.fault && (is_dated || known.at == now.at)
}

//! Fetches what a url stands for: one file, or what is new or changed of a list of documents (CSAF 2.0, 7.1).
//!
//! It must never fetch again what did not change, hold more than one batch of documents, take what could not be
//! read for what is not there, or let one document keep the others from being fetched.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use labward_advisory::Limits;
use labward_advisory::provider::{List, Listed, Listing as Read, Provider};
use labward_base::{Clock, Timestamp};
use labward_threats::Listing;
use url::Url;

use super::client::{NoFile, SourceClient};
use super::gathered::{Base, Gathered};

/// The largest file or list that is fetched.
const FILE_MAX_BYTES: u64 = 256 << 20;
/// The largest document of a list, and the largest hash or signature.
const DOCUMENT_MAX_BYTES: u64 = 64 << 20;
const BESIDE_MAX_BYTES: u64 = 64 << 10;
/// Documents of a list.
pub(super) const LISTED_MAX: usize = 200_000;
/// Lists that a provider names.
const LISTS_MAX: usize = 64;
/// What one look fetches at most; the rest is for the next, which is soon.
const LOOK_DOCUMENTS: usize = 2_000;
const LOOK_BYTES: usize = 512 << 20;
const LOOK_TIME: Duration = Duration::from_secs(900);
/// What is handed over together.
const BATCH_DOCUMENTS: usize = 200;
const BATCH_BYTES: usize = 32 << 20;
/// A document whose list says no date is fetched again after so long.
const UNDATED_AFTER: Duration = Duration::from_secs(7 * 86_400);
/// So many documents one after the other without an answer: the machine has gone.
const UNANSWERED_MAX: usize = 5;

/// What comes of a look into a url.
pub(super) enum Fetched {
    /// It is one file.
    File { name: String, bytes: Vec<u8> },
    /// Documents of a list.
    Batch(Batch),
    /// The look has ended: whether documents wait, or why it could not go on.
    End(Result<bool, String>),
}

/// Documents of a list.
#[derive(Clone, Debug, Default)]
pub(super) struct Batch {
    pub(super) kind: &'static str,
    pub(super) publisher: String,
    pub(super) keys: Vec<String>,
    pub(super) waiting: u64,
    pub(super) documents: Vec<Document>,
    pub(super) gone: Vec<String>,
}

/// One document of a list.
#[derive(Clone, Debug)]
pub(super) struct Document {
    pub(super) address: String,
    pub(super) changed: Option<Timestamp>,
    /// The files, or why there are none.
    pub(super) got: Result<Files, String>,
}

/// A document and what stands beside it.
#[derive(Clone, Debug, Default)]
pub(super) struct Files {
    pub(super) bytes: Vec<u8>,
    pub(super) sha512: Option<Vec<u8>>,
    pub(super) sha256: Option<Vec<u8>>,
    pub(super) signature: Option<Vec<u8>>,
}

/// One look into the url of a source.
pub(super) struct Look {
    pub(super) client: SourceClient,
    pub(super) url: Url,
    pub(super) known: Arc<Listing>,
    /// Whether it goes on where the last one stopped: what could not be read then waits for the next.
    pub(super) goes_on: bool,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) to: SyncSender<Fetched>,
}

/// Nobody wants it any more.
struct Unwanted;

impl Look {
    /// Fetches, and hands over what came of it.
    pub(super) fn run(self) {
        let ended = match self.begin() {
            Ok(ended) => ended,
            Err(Unwanted) => return,
        };
        // Nobody may want it any more.
        let _ = self.to.send(Fetched::End(ended));
    }

    fn begin(&self) -> Result<Result<bool, String>, Unwanted> {
        let (url, bytes) = match self.first() {
            Ok(first) => first,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let name = name_of(&url);
        let Some(read) = Read::parse(&name, &bytes, &limits()) else {
            self.send(Fetched::File { name, bytes })?;
            return Ok(Ok(false));
        };
        drop(bytes);
        let mut gathered = Gathered {
            is_whole: true,
            ..Gathered::default()
        };
        let mut head = Batch::default();
        match read {
            Read::Directory(list) => {
                head.kind = "directory";
                gathered.add(&self.client.reach, &url, list, Base::Directory);
            }
            Read::Feed(list) => {
                head.kind = "feed";
                gathered.add(&self.client.reach, &url, list, Base::Feed);
            }
            Read::Provider(provider) => {
                head.kind = "provider";
                head.publisher = provider.publisher.to_string();
                head.keys.clone_from(&provider.keys);
                if let Err(why) = self.lists(&url, &provider, &mut gathered) {
                    return Ok(Err(why));
                }
            }
        }
        self.fetch(&head, &gathered)
    }

    /// What stands at the url itself; of a directory its list.
    fn first(&self) -> Result<(Url, Vec<u8>), NoFile> {
        match self.url.path().ends_with('/') {
            true => self.directory(&self.url),
            false => {
                let bytes = self.client.get(&self.url, FILE_MAX_BYTES)?;
                Ok((self.url.clone(), bytes))
            }
        }
    }

    /// The list of a directory: `changes.csv`, or `index.txt` where there is none.
    fn directory(&self, url: &Url) -> Result<(Url, Vec<u8>), NoFile> {
        let below = |name| self.client.reach.below(url, name).map_err(NoFile::Refused);
        let changes = below("changes.csv")?;
        match self.client.get(&changes, FILE_MAX_BYTES) {
            Err(NoFile::Absent(_)) => {
                let index = below("index.txt")?;
                let bytes = self.client.get(&index, FILE_MAX_BYTES)?;
                Ok((index, bytes))
            }
            got => got.map(|bytes| (changes, bytes)),
        }
    }

    /// Reads the lists that a provider names: its feeds, or its directories where it has none.
    fn lists(&self, at: &Url, provider: &Provider, to: &mut Gathered) -> Result<(), String> {
        to.flaws(at, &provider.flaws);
        let mut last = None;
        let mut read = 0;
        let feeds = provider.feeds.iter();
        let feeds = feeds.map(|one| (&*one.url, one.is_restricted(), Base::Feed));
        let directories = provider.directories.iter();
        let directories = directories.map(|url| (&**url, false, Base::Directory));
        let lists: Vec<_> = match provider.feeds.is_empty() {
            true => directories.take(LISTS_MAX).collect(),
            false => feeds.take(LISTS_MAX).collect(),
        };
        for (reference, is_restricted, base) in lists {
            match self.list(at, reference, base) {
                Ok((url, list)) => {
                    read += 1;
                    to.add(&self.client.reach, &url, list, base);
                }
                // What is for others only is not missing.
                Err(NoFile::Closed(_)) if is_restricted => to.is_whole = false,
                Err(error) => {
                    to.is_whole = false;
                    to.faults.insert(reference.to_owned(), error.to_string());
                    last = Some(format!("{reference}: {error}"));
                }
            }
        }
        match (read, last) {
            (0, Some(why)) => Err(why),
            (0, None) => Err("it names no list of documents that is for everybody".to_owned()),
            _ => Ok(()),
        }
    }

    fn list(&self, at: &Url, reference: &str, base: Base) -> Result<(Url, List), NoFile> {
        let resolved = self.client.reach.resolve(at, reference);
        let url = resolved.map_err(NoFile::Refused)?;
        let (url, bytes) = match base {
            Base::Feed => {
                let bytes = self.client.get(&url, FILE_MAX_BYTES)?;
                (url, bytes)
            }
            Base::Directory => self.directory(&url)?,
        };
        match Read::parse(&name_of(&url), &bytes, &limits()) {
            Some(Read::Directory(list) | Read::Feed(list)) => Ok((url, list)),
            _ => Err(NoFile::Refused("it is no list of documents".to_owned())),
        }
    }

    /// Fetches what is due, as much as one look may.
    fn fetch(&self, head: &Batch, all: &Gathered) -> Result<Result<bool, String>, Unwanted> {
        let due = self.due(all);
        let until = self.clock.now().plus(LOOK_TIME);
        let (mut bytes, mut held, mut unanswered) = (0, 0, 0);
        let waiting = |done: usize| u64::try_from(due.len() - done).unwrap_or(u64::MAX);
        let mut batch = Batch {
            documents: self.faults(all),
            gone: self.gone(all),
            ..head.clone()
        };
        let mut done = 0;
        for &(address, url, listed) in &due {
            let is_full = done >= LOOK_DOCUMENTS || bytes >= LOOK_BYTES;
            if is_full || self.clock.now() >= until {
                break;
            }
            let got = self.document(url, listed);
            if let Err(error @ NoFile::Unanswered(_)) = &got {
                unanswered += 1;
                if unanswered >= UNANSWERED_MAX {
                    batch.waiting = waiting(done);
                    self.send(Fetched::Batch(batch))?;
                    return Ok(Err(error.to_string()));
                }
            } else {
                unanswered = 0;
            }
            done += 1;
            let size = got.as_ref().map_or(0, |files| files.bytes.len());
            (bytes, held) = (bytes + size, held + size);
            batch.documents.push(Document {
                address: address.to_owned(),
                changed: listed.changed,
                got: got.map_err(|error| error.to_string()),
            });
            if batch.documents.len() >= BATCH_DOCUMENTS || held >= BATCH_BYTES {
                batch.waiting = waiting(done);
                let next = head.clone();
                self.send(Fetched::Batch(std::mem::replace(&mut batch, next)))?;
                held = 0;
            }
        }
        batch.waiting = waiting(done);
        self.send(Fetched::Batch(batch))?;
        Ok(Ok(done < due.len()))
    }

    /// What is new or changed, the latest first, and then what could not be read the last time.
    fn due<'g>(&self, all: &'g Gathered) -> Vec<(&'g str, &'g Url, &'g Listed)> {
        let now = self.clock.now();
        let (mut fresh, mut again) = (Vec::new(), Vec::new());
        for (address, (url, listed)) in &all.listed {
            let one = (address.as_str(), url, listed);
            match self.known.fetched.get(address) {
                Some(known) if known.changed != listed.changed => fresh.push(one),
                Some(known) if known.fault.is_some() => again.push(one),
                Some(known) if listed.changed.is_none() => {
                    if now.since(known.at) >= UNDATED_AFTER {
                        again.push(one);
                    }
                }
                Some(_) => {}
                None => fresh.push(one),
            }
        }
        fresh.sort_by_key(|(_, _, listed)| std::cmp::Reverse(listed.changed));
        if !self.goes_on {
            fresh.append(&mut again);
        }
        fresh
    }

    /// What is wrong with the lists themselves stands among the documents, so that it is counted with them.
    fn faults(&self, all: &Gathered) -> Vec<Document> {
        let faults = all.faults.iter().map(|(address, why)| Document {
            address: address.clone(),
            changed: None,
            got: Err(why.clone()),
        });
        faults.collect()
    }

    fn gone(&self, all: &Gathered) -> Vec<String> {
        if !all.is_whole {
            return Vec::new();
        }
        let known = self.known.fetched.keys();
        let is_gone = |address: &&String| {
            !all.listed.contains_key(*address) && !all.faults.contains_key(*address)
        };
        known.filter(is_gone).cloned().collect()
    }

    fn document(&self, url: &Url, listed: &Listed) -> Result<Files, NoFile> {
        let bytes = self.client.get(url, DOCUMENT_MAX_BYTES)?;
        let named = |reference: &str| self.client.reach.resolve(url, reference);
        let mut files = Files {
            bytes,
            ..Files::default()
        };
        for reference in &listed.hashes {
            let hash = self.beside(named(reference))?;
            match reference.ends_with(".sha256") {
                true => files.sha256 = hash,
                false => files.sha512 = hash,
            }
        }
        let ending = |ending: &str| {
            let mut url = url.clone();
            url.set_path(&format!("{}.{ending}", url.path()));
            Ok(url)
        };
        // A feed that names no hash has none; a directory has them beside the document (7.1.18).
        if listed.hashes.is_empty() {
            files.sha512 = self.beside(ending("sha512"))?;
            if files.sha512.is_none() {
                files.sha256 = self.beside(ending("sha256"))?;
            }
        }
        files.signature = match &listed.signature {
            Some(reference) => self.beside(named(reference))?,
            None => self.beside(ending("asc"))?,
        };
        Ok(files)
    }

    /// A hash or a signature; that it is not there is no fault of the document.
    fn beside(&self, url: Result<Url, String>) -> Result<Option<Vec<u8>>, NoFile> {
        let url = url.map_err(NoFile::Refused)?;
        match self.client.get(&url, BESIDE_MAX_BYTES) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(NoFile::Absent(_)) => Ok(None),
            Err(NoFile::Refused(why)) => {
                let why = format!("{}: {why}", name_of(&url));
                Err(NoFile::Refused(why))
            }
            Err(other) => Err(other),
        }
    }

    fn send(&self, fetched: Fetched) -> Result<(), Unwanted> {
        self.to.send(fetched).map_err(|_| Unwanted)
    }
}

fn limits() -> Limits {
    Limits {
        max_entries: LISTED_MAX,
        ..Limits::sbom()
    }
}

/// The last part of an address, so that it never looks like a path.
fn name_of(url: &Url) -> String {
    let last = url.path().rsplit('/').next().unwrap_or_default();
    last.to_owned()
}

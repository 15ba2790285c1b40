//! One more generation: everything as it is at one moment, written only where it changed.
//!
//! It must never write a byte that is not sealed, keep the whole of anything in memory, or let a
//! generation exist before all of its parts are durable.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::{mem, thread};

use labward_base::Timestamp;
use labward_base::id::NodeId;
use labward_ledger::tree::Frontier;
use labward_ledger::{Note, VerifierKey, tree_head};
use labward_seal::sign::SigningKey;
use labward_seal::{CryptoFailed, OVERHEAD_BYTES, sha256};
use labward_store::{Query, Snapshot, Store, StoreError};

use crate::error::BackupError;
use crate::folder::{Folder, Trust, entries};
use crate::index::{Blob, BlobOf, FileParts, Index, Run, is_blob_name};
use crate::key::BackupKey;
use crate::manifest::Manifest;
use crate::{DATABASE, RUN_BYTES};

/// Runs that were read and wait to be sealed: neither reading nor sealing then waits for a moment's
/// slowness of the other.
const WAITING_RUNS: usize = 8;

/// What a backup is taken of.
pub struct Source<'a> {
    /// The database.
    pub store: &'a Store,
    /// Its tables that are left out: those of wrapped keys and slots.
    pub left_out: &'a [&'a str],
    /// The node whose ledger it is.
    pub node: NodeId,
    /// Small files: their names in the backup, and where they are; one that is not there is left
    /// out.
    pub files: Vec<(&'a str, PathBuf)>,
    /// The folder of the sealed files of large records.
    pub blobs: PathBuf,
    /// The folder of the sealed files of the quarantine.
    pub quarantine: PathBuf,
    /// Room to set aside for patient care where it is restored, in bytes.
    pub reserve_bytes: u64,
}

/// How a backup is made.
pub struct Request<'a> {
    /// The folder of backups.
    pub folder: &'a Path,
    /// What seals it.
    pub key: &'a BackupKey,
    /// The ledger's origin and key, which sign the manifest.
    pub signer: (&'a str, &'a SigningKey),
    /// The moment.
    pub now: Timestamp,
    /// The version of the program.
    pub program: &'a str,
    /// How many generations are kept, at least 1.
    pub keep: usize,
    /// The number of the last generation that is known of.
    pub after: u64,
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Created {
    /// The number of the generation.
    pub generation: u64,
    /// Bytes of everything in it, before sealing.
    pub total_bytes: u64,
    /// Bytes that were written now.
    pub written_bytes: u64,
    /// Parts of it.
    pub parts: u64,
    /// Parts that were written now.
    pub written_parts: u64,
    /// Entries of the ledger in it.
    pub entries: u64,
    /// Generations that exist now.
    pub generations: u64,
    /// Whether what nobody needs any more was removed; not while a kept generation is damaged.
    pub swept: bool,
}

/// Makes one more generation.
///
/// # Errors
/// [`BackupError::NotEmpty`], [`BackupError::Busy`], [`BackupError::File`],
/// [`BackupError::Store`]; the generations before are untouched then.
pub fn create(source: &Source<'_>, request: &Request<'_>) -> Result<Created, BackupError> {
    let folder = Folder::make(request.folder, request.key)?;
    let _lock = folder.lock()?;
    let newest = folder.generations()?.last().copied().unwrap_or(0);
    let mut writer = Writer::new(&folder, request.key, newest);
    writer.created.generation = newest.max(request.after).saturating_add(1);
    let mut index = Index::default();
    // Before the database: what these files say of the ledger must not be ahead of it.
    for (name, path) in &source.files {
        index.files.extend(writer.small_file(name, path)?);
    }
    let database = source.store.read_apart(|snapshot| {
        let head = tree_head(snapshot, source.node)?;
        let schema =
            snapshot.query_one("SELECT user_version FROM pragma_user_version", &[], |row| {
                row.int(0)
            })?;
        let parts = writer.database(snapshot, source.left_out)?;
        Ok::<_, BackupError>((head, schema, parts))
    });
    let (head, schema, parts) = database?;
    index.files.push(parts);
    // After the database: every record and every item in it has its file by now.
    index.blobs = writer.blobs(BlobOf::Record, &source.blobs)?;
    let quarantined = writer.blobs(BlobOf::Quarantine, &source.quarantine)?;
    index.blobs.extend(quarantined);
    let (entries, root) = head.map_or_else(
        || (0, Frontier::new().root()),
        |head| (head.frontier.size(), head.root),
    );
    let (origin, signing) = request.signer;
    let ledger_key = VerifierKey::new(origin, *signing.public());
    let text = index.to_text();
    let manifest = Manifest {
        generation: writer.created.generation,
        site: request.key.site(),
        created: request.now,
        program: request.program.to_owned(),
        schema: u32::try_from(schema).unwrap_or(u32::MAX),
        entries,
        root,
        reserve_bytes: source.reserve_bytes,
        ledger_key: ledger_key.map_err(|_| BackupError::Crypto(CryptoFailed))?,
        identity: request.key.identity(),
        key_epoch: request.key.epoch(),
        index_sha256: sha256(text.as_bytes()),
        index_bytes: u64::try_from(text.len()).unwrap_or(u64::MAX),
    };
    let note = Note::sign(manifest.to_text(request.key), origin, signing);
    let note = note.map_err(|_| BackupError::Crypto(CryptoFailed))?;
    folder.finish(manifest.generation, &text, &note)?;
    let swept = folder.sweep(request.keep, request.key)?;
    let generations = u64::try_from(folder.generations()?.len()).unwrap_or(u64::MAX);
    Ok(Created {
        entries,
        generations,
        swept,
        ..writer.created
    })
}

/// Writes parts that the newest generation does not have.
struct Writer<'a> {
    folder: &'a Folder,
    key: &'a BackupKey,
    known_runs: HashMap<[u8; 32], Run>,
    known_blobs: HashMap<(BlobOf, String), Blob>,
    created: Created,
}

impl<'a> Writer<'a> {
    fn new(folder: &'a Folder, key: &'a BackupKey, newest: u64) -> Self {
        let known = folder
            .manifest(newest, &Trust::Key(key))
            .and_then(|manifest| folder.index(&manifest));
        // A damaged generation is no base; `verify` names it, and this one is written whole.
        let known = known.unwrap_or_else(|error| {
            if newest > 0 {
                tracing::warn!(error = %error, "the backup is written whole: the last one cannot be read");
            }
            Index::default()
        });
        let runs = known.files.iter().flat_map(|file| &file.runs);
        Self {
            folder,
            key,
            known_runs: runs.map(|run| (run.tag, *run)).collect(),
            known_blobs: known
                .blobs
                .into_iter()
                .map(|blob| ((blob.of, blob.name.clone()), blob))
                .collect(),
            created: Created::default(),
        }
    }

    /// The database without the tables left out: its pages are read while those before are sealed and
    /// written, on one thread more and no other, since the gateway needs the rest of the machine.
    fn database(
        &mut self,
        snapshot: &mut Snapshot<'_>,
        left_out: &[&str],
    ) -> Result<FileParts, BackupError> {
        let pages = snapshot.pages(left_out)?;
        let (send, receive) = mpsc::sync_channel(WAITING_RUNS);
        thread::scope(|scope| {
            let sealer = scope.spawn(move || -> Result<FileParts, BackupError> {
                let mut file = empty(DATABASE);
                receive
                    .into_iter()
                    .try_for_each(|plain: Vec<u8>| self.add_run(&mut file, &plain))?;
                Ok(file)
            });
            let mut cutter = Cutter::default();
            // Only a sealer that failed is gone before the end, and it says why.
            let gone = |_| BackupError::Store(StoreError::Closed);
            let mut hand_over = |run| send.send(run).map_err(gone);
            let read = pages.each(|page| cutter.push(page, &mut hand_over));
            let read = read.and_then(|()| cutter.finish(&mut hand_over));
            drop(send);
            let sealed = sealer.join().unwrap_or_else(|panic| resume_unwind(panic));
            let file = sealed?;
            read.map(|()| file)
        })
    }

    fn small_file(&mut self, name: &str, path: &Path) -> Result<Option<FileParts>, BackupError> {
        let mut from = match File::open(path) {
            Ok(from) => from,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(BackupError::file(path)(error)),
        };
        let mut file = empty(name);
        let mut add = |run: Vec<u8>| self.add_run(&mut file, &run);
        let mut cutter = Cutter::default();
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let read = from.read(&mut buffer).map_err(BackupError::file(path))?;
            match buffer.get(..read) {
                Some(bytes) if read > 0 => cutter.push(bytes, &mut add)?,
                _ => break,
            }
        }
        cutter.finish(&mut add)?;
        Ok(Some(file))
    }

    fn add_run(&mut self, file: &mut FileParts, plain: &[u8]) -> Result<(), BackupError> {
        let number = u64::try_from(file.runs.len()).unwrap_or(u64::MAX);
        let run = self.run(&file.name, number, plain)?;
        file.bytes += u64::try_from(run.bytes).unwrap_or(0);
        file.runs.push(run);
        Ok(())
    }

    fn run(&mut self, file: &str, number: u64, plain: &[u8]) -> Result<Run, BackupError> {
        let tag = self.key.tag(file, number, plain);
        let sealed_bytes = u64::try_from(plain.len() + OVERHEAD_BYTES).unwrap_or(u64::MAX);
        self.count(plain.len());
        if let Some(known) = self.known_runs.get(&tag)
            && self.folder.has_part(&known.sha256, sealed_bytes)
        {
            return Ok(*known);
        }
        let sealed = self.key.seal(file, number, plain)?;
        let sha256 = self.write(&sealed)?;
        Ok(Run {
            tag,
            sha256,
            bytes: plain.len(),
        })
    }

    fn blobs(&mut self, of: BlobOf, root: &Path) -> Result<Vec<Blob>, BackupError> {
        let mut blobs = Vec::new();
        for folder in entries(root)? {
            if !folder.is_dir() {
                continue;
            }
            for path in entries(&folder)? {
                let name = path.strip_prefix(root).ok().and_then(Path::to_str);
                // A name that is no number is a file half written.
                if let Some(name) = name.filter(|name| is_blob_name(name)) {
                    blobs.extend(self.blob((of, name), &path)?);
                }
            }
        }
        blobs.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(blobs)
    }

    fn blob(
        &mut self,
        (of, name): (BlobOf, &str),
        path: &Path,
    ) -> Result<Option<Blob>, BackupError> {
        let gone = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
        let facts = match fs::metadata(path) {
            Ok(facts) => facts,
            // Its record was never committed, or it was destroyed.
            Err(error) if gone(&error) => return Ok(None),
            Err(error) => return Err(BackupError::file(path)(error)),
        };
        let modified_us = facts.mtime() * 1_000_000 + facts.mtime_nsec() / 1_000;
        if let Some(known) = self.known_blobs.get(&(of, name.to_owned()))
            && (known.bytes, known.modified_us) == (facts.len(), modified_us)
            && self.folder.has_part(&known.sha256, known.bytes)
        {
            let known = known.clone();
            self.count(usize::try_from(known.bytes).unwrap_or(usize::MAX));
            return Ok(Some(known));
        }
        let Some((sha256, bytes)) = self.folder.copy_in(path)? else {
            return Ok(None);
        };
        self.count(usize::try_from(bytes).unwrap_or(usize::MAX));
        self.created.written_parts += 1;
        self.created.written_bytes += bytes;
        Ok(Some(Blob {
            of,
            name: name.to_owned(),
            bytes,
            modified_us,
            sha256,
        }))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<[u8; 32], BackupError> {
        self.created.written_parts += 1;
        self.created.written_bytes += u64::try_from(bytes.len()).unwrap_or(0);
        self.folder.write_part(bytes)
    }

    fn count(&mut self, bytes: usize) {
        self.created.parts += 1;
        self.created.total_bytes += u64::try_from(bytes).unwrap_or(0);
    }
}

/// A file of which no run was written yet.
fn empty(name: &str) -> FileParts {
    FileParts {
        name: name.to_owned(),
        bytes: 0,
        runs: Vec::new(),
    }
}

/// Cuts a file into runs.
#[derive(Default)]
struct Cutter {
    pending: Vec<u8>,
}

impl Cutter {
    /// Takes the next bytes and hands each full run to `each`.
    fn push(
        &mut self,
        mut bytes: &[u8],
        each: &mut impl FnMut(Vec<u8>) -> Result<(), BackupError>,
    ) -> Result<(), BackupError> {
        while !bytes.is_empty() {
            if self.pending.capacity() < RUN_BYTES {
                self.pending.reserve_exact(RUN_BYTES);
            }
            let room = RUN_BYTES.saturating_sub(self.pending.len());
            let (taken, rest) = bytes.split_at(room.min(bytes.len()));
            self.pending.extend_from_slice(taken);
            bytes = rest;
            if self.pending.len() == RUN_BYTES {
                each(mem::take(&mut self.pending))?;
            }
        }
        Ok(())
    }

    /// Hands on what is left.
    fn finish(
        self,
        each: &mut impl FnMut(Vec<u8>) -> Result<(), BackupError>,
    ) -> Result<(), BackupError> {
        match self.pending.is_empty() {
            true => Ok(()),
            false => each(self.pending),
        }
    }
}

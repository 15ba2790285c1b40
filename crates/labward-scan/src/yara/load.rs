//! Rules from files and folders: what loads is loaded, what does not is named with its reason.
//!
//! A file never reads another one: `include` is refused, so that a rule set is what its hash says. Each file has names of
//! its own, so that two sets may name a rule alike.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};
use boreal::Compiler;
use boreal::compiler::{AddRuleError, CompilerParams};
use serde::{Deserialize, Serialize};

use super::magic::{are_linked, demanded};
use super::split::{Piece, PieceKind, split};
use crate::{bounded, hex};

/// The largest rule file, in bytes.
const FILE_BYTES_MAX: u64 = 64 << 20;
/// The most files of one rule set.
const FILES_MAX: usize = 100_000;
/// How deep folders may stand in one another.
const DEPTH_MAX: usize = 16;
/// The most refusals that are kept of a rule set; those beyond are counted.
const REFUSED_MAX: usize = 500;

/// Words that a rule may ask for beside the bytes, as LOKI and THOR name them; `clinical` (true or false) is ours.
pub(super) const EXTERNALS: [&str; 5] = ["filename", "filepath", "extension", "filetype", "owner"];

/// Whether a part stands in a clinical carrier, for rules.
pub(super) const CLINICAL: &str = "clinical";

/// A rule or file that was not taken, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// The file, below the path that was named.
    pub file: String,
    /// The rule; none for the whole file.
    pub rule: Option<String>,
    /// The line, from 1; 0 for the whole file.
    pub line: usize,
    /// Why.
    pub why: String,
}

/// What a rule set is and where it came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSet {
    /// Its name.
    pub name: String,
    /// Where it came from: an address or a path; may be empty.
    pub source: String,
    /// Under which licence; may be empty.
    pub licence: String,
    /// When it was brought, in seconds since 1970; none where it is not known.
    pub imported: Option<i64>,
    /// The SHA-256 over names and bytes of its files, in hexadecimal digits.
    pub sha256: String,
    /// How many files were read.
    pub files: usize,
    /// How many rules are loaded.
    pub rules: usize,
    /// What was not taken.
    pub refused: Vec<Refused>,
    /// How many refusals the list leaves out.
    pub refused_more: usize,
}

impl RuleSet {
    fn refuse(&mut self, refused: Refused) {
        if self.refused.len() < REFUSED_MAX {
            self.refused.push(refused);
        } else {
            self.refused_more += 1;
        }
    }
}

/// Where a rule goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Group {
    /// It is asked about all bytes.
    Always,
    /// Only about those that begin like a program of Windows.
    Windows,
    /// Only about those that begin with one of some marks.
    Marked,
}

const GROUPS: [Group; 3] = [Group::Always, Group::Windows, Group::Marked];

/// Collects rules; [`Loader::finish`] makes the engine.
pub struct Loader {
    always: Compiler,
    windows: Compiler,
    marked: Compiler,
    marks: BTreeSet<Vec<u8>>,
    sets: Vec<RuleSet>,
    namespaces: usize,
}

impl Default for Loader {
    fn default() -> Self {
        Self {
            always: compiler(),
            windows: compiler(),
            marked: compiler(),
            marks: BTreeSet::new(),
            sets: Vec::new(),
            namespaces: 0,
        }
    }
}

fn compiler() -> Compiler {
    let mut compiler = Compiler::new();
    compiler.set_params(
        CompilerParams::default()
            .disable_includes(true)
            .disable_unknown_escape_warning(true),
    );
    for name in EXTERNALS {
        compiler.define_symbol(name, "");
    }
    compiler.define_symbol(CLINICAL, false);
    compiler
}

impl Loader {
    /// Labward's own rules for the carriers of a laboratory.
    pub fn add_own(&mut self) {
        let mut set = Opened::new("labward", "", "MIT OR Apache-2.0", None);
        for (name, text) in super::OWN {
            self.add_file(&mut set, name, text.as_bytes());
        }
        self.sets.push(set.finish());
    }

    /// Rules that stand in memory, as one file of one set.
    pub fn add_text(&mut self, name: &str, text: &str) {
        let mut set = Opened::new(name, "", "", None);
        self.add_file(&mut set, name, text.as_bytes());
        self.sets.push(set.finish());
    }

    /// The rules of a file, or of all `.yar` and `.yara` files of a folder and those below it, in the order of their
    /// names; links are not followed. `licence` may be empty, `imported` is in seconds since 1970.
    pub fn add_path(&mut self, path: &Path, licence: &str, imported: Option<i64>) {
        let name = path.file_name().map_or_else(
            || path.display().to_string(),
            |name| name.to_string_lossy().into_owned(),
        );
        let mut set = Opened::new(&name, &path.display().to_string(), licence, imported);
        let mut files = Vec::new();
        if let Err(why) = list(path, 0, &mut files) {
            set.refuse_file("", &why);
        }
        files.sort();
        for file in files {
            let below = file.strip_prefix(path).unwrap_or(&file);
            let shown = if below.as_os_str().is_empty() {
                &name
            } else {
                &*below.to_string_lossy()
            };
            match read(&file) {
                Ok(bytes) => self.add_file(&mut set, shown, &bytes),
                Err(why) => set.refuse_file(shown, &why),
            }
        }
        if set.set.files == 0 && set.set.refused.is_empty() {
            set.refuse_file("", "no .yar or .yara file is in it");
        }
        self.sets.push(set.finish());
    }

    /// What was loaded until now.
    #[must_use]
    pub fn sets(&self) -> &[RuleSet] {
        &self.sets
    }

    fn add_file(&mut self, set: &mut Opened, file: &str, bytes: &[u8]) {
        set.saw(file, bytes);
        let text = String::from_utf8_lossy(bytes);
        let namespace = format!("{}:{file}", self.namespaces);
        self.namespaces += 1;
        let Some(pieces) = split(&text) else {
            // The compiler says where the grammar is broken.
            let refused = match self.always.add_rules_str_in_namespace(&*text, &namespace) {
                Ok(_) => whole(file, "its rules cannot be told apart"),
                Err(error) => {
                    let (line, why) = told(&error, &text);
                    Refused {
                        line,
                        ..whole(file, &why)
                    }
                }
            };
            set.set.refuse(refused);
            return;
        };
        let linked = are_linked(&pieces);
        let mut names: HashMap<&str, Group> = HashMap::new();
        for piece in &pieces {
            match piece.kind {
                PieceKind::Rule => {
                    // A second rule of the same name is refused by the compiler that has the first.
                    let group = match names.get(piece.name) {
                        Some(group) => *group,
                        None if linked => Group::Always,
                        None => self.group(piece),
                    };
                    names.insert(piece.name, group);
                    self.add_piece(set, file, &namespace, piece, group);
                }
                PieceKind::Import => {
                    for group in GROUPS {
                        self.add_piece(set, file, &namespace, piece, group);
                    }
                }
                PieceKind::Include => self.add_piece(set, file, &namespace, piece, Group::Always),
            }
        }
    }

    fn group(&mut self, piece: &Piece<'_>) -> Group {
        match demanded(piece.text) {
            None => Group::Always,
            Some(marks) if marks == [super::MZ] => Group::Windows,
            Some(marks) => {
                self.marks.extend(marks);
                Group::Marked
            }
        }
    }

    fn add_piece(
        &mut self,
        set: &mut Opened,
        file: &str,
        namespace: &str,
        piece: &Piece<'_>,
        group: Group,
    ) {
        let compiler = match group {
            Group::Always => &mut self.always,
            Group::Windows => &mut self.windows,
            Group::Marked => &mut self.marked,
        };
        match compiler.add_rules_str_in_namespace(piece.text, namespace) {
            Ok(_) => set.set.rules += usize::from(piece.kind == PieceKind::Rule),
            // A module that is not there is told once.
            Err(_) if piece.kind == PieceKind::Import && group != Group::Always => {}
            Err(error) => {
                let (line, why) = told(&error, piece.text);
                set.set.refuse(Refused {
                    file: file.to_owned(),
                    rule: (piece.kind == PieceKind::Rule).then(|| bounded(piece.name)),
                    line: piece.line + line.saturating_sub(1),
                    why,
                });
            }
        }
    }

    /// The engine with everything that was loaded.
    #[must_use]
    pub fn finish(self) -> super::Rules {
        let groups = [self.always, self.windows, self.marked].map(Compiler::finalize);
        super::Rules::new(groups, self.marks.into_iter().collect(), self.sets)
    }
}

/// A set that is still read.
struct Opened {
    set: RuleSet,
    hash: Context,
}

impl Opened {
    fn new(name: &str, source: &str, licence: &str, imported: Option<i64>) -> Self {
        Self {
            set: RuleSet {
                name: bounded(name),
                source: bounded(source),
                licence: bounded(licence),
                imported,
                sha256: String::new(),
                files: 0,
                rules: 0,
                refused: Vec::new(),
                refused_more: 0,
            },
            hash: Context::new(&SHA256),
        }
    }

    fn saw(&mut self, file: &str, bytes: &[u8]) {
        self.set.files += 1;
        for part in [file.as_bytes(), bytes] {
            self.hash.update(&(part.len() as u64).to_le_bytes());
            self.hash.update(part);
        }
    }

    fn refuse_file(&mut self, file: &str, why: &str) {
        self.set.refuse(whole(file, why));
    }

    fn finish(self) -> RuleSet {
        RuleSet {
            sha256: hex(self.hash.finish().as_ref()),
            ..self.set
        }
    }
}

fn whole(file: &str, why: &str) -> Refused {
    Refused {
        file: bounded(file),
        rule: None,
        line: 0,
        why: bounded(why),
    }
}

/// The line in `text` (from 1) and the words of a compiler's error.
fn told(error: &AddRuleError, text: &str) -> (usize, String) {
    let told = error.to_diagnostic();
    let at = told.labels.first().map_or(0, |label| label.range.start);
    let before = text.as_bytes().get(..at).unwrap_or_default();
    (
        1 + memchr::memchr_iter(b'\n', before).count(),
        bounded(&told.message),
    )
}

fn list(path: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let facts = fs::symlink_metadata(path).map_err(|error| error.to_string())?;
    if facts.is_file() {
        let ending = path.extension().and_then(|ending| ending.to_str());
        // A file that a person named is read whatever its name.
        if depth == 0 || matches!(ending, Some("yar" | "yara")) {
            if files.len() >= FILES_MAX {
                return Err(format!("more than {FILES_MAX} files"));
            }
            files.push(path.to_owned());
        }
        return Ok(());
    }
    if !facts.is_dir() {
        return match depth {
            0 => Err("neither a file nor a folder".to_owned()),
            _ => Ok(()),
        };
    }
    if depth >= DEPTH_MAX {
        return Err(format!("folders stand more than {DEPTH_MAX} deep"));
    }
    for entry in fs::read_dir(path).map_err(|error| error.to_string())? {
        let entry = entry.map_err(|error| error.to_string())?;
        list(&entry.path(), depth + 1, files)?;
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let facts = fs::metadata(path).map_err(|error| error.to_string())?;
    if facts.len() > FILE_BYTES_MAX {
        return Err(format!("larger than {} MiB", FILE_BYTES_MAX >> 20));
    }
    fs::read(path).map_err(|error| error.to_string())
}

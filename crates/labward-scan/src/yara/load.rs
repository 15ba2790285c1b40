//! Rules from files and folders: what loads is loaded, what does not is named with its reason.
//!
//! A file never reads another one: `include` is refused, so that a rule set is what its hash says. Each file has names of
//! its own, so that two sets may name a rule alike.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use boreal::Compiler;
use boreal::compiler::{AddRuleError, CompilerParams};
use labward_carrier::{Budget, Claims, Declared, Kind, Seen, Step, walk};
use serde::{Deserialize, Serialize};

use super::finder::Finder;
use super::magic::{are_linked, condition, demanded};
use super::split::{Piece, PieceKind, split};
use super::words::needed;
use crate::engine::Deadline;
use crate::{bounded, hex};

/// The largest rule file, in bytes.
const FILE_BYTES_MAX: u64 = 64 << 20;
/// The most files of one rule set.
const FILES_MAX: usize = 100_000;
/// How deep folders may stand in one another.
const DEPTH_MAX: usize = 16;
/// How much an archive of rules may unpack to.
const ARCHIVE: Budget = Budget {
    depth: 4,
    parts: FILES_MAX,
    part_bytes: FILE_BYTES_MAX,
    total_bytes: 512 << 20,
    ratio: 500,
};
/// How long unpacking one may take.
const ARCHIVE_TIME: Duration = Duration::from_secs(120);
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
    /// Whether a person let what it finds be malicious.
    #[serde(default)]
    pub approved: bool,
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
    /// Only about those that hold one of some words.
    Worded,
    /// Only about those that begin like a program of Windows.
    Windows,
    /// Only about those that begin with one of some marks.
    Marked,
}

impl Group {
    /// The compilers that take its rules; the first of them tells what it refuses.
    const fn targets(self) -> &'static [Target] {
        match self {
            Self::Always => &[Target::General, Target::Bare],
            Self::Worded => &[Target::General],
            Self::Windows => &[Target::Windows],
            Self::Marked => &[Target::Marked],
        }
    }
}

/// Which compiler a piece goes to.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Target {
    Modules,
    General,
    Bare,
    Windows,
    Marked,
}

/// Collects rules; [`Loader::finish`] makes the engine.
pub struct Loader {
    general: Compiler,
    bare: Compiler,
    windows: Compiler,
    marked: Compiler,
    /// Its rules are never asked: it says which modules there are, and what is wrong with a file.
    modules: Compiler,
    words: HashSet<Vec<u8>>,
    marks: BTreeSet<Vec<u8>>,
    /// Whether every rule is asked about all bytes.
    is_plain: bool,
    sets: Vec<RuleSet>,
    namespaces: usize,
    /// The first namespace of the set that was added last.
    begin: usize,
    /// The namespaces of approved sets.
    approved: BTreeSet<usize>,
}

impl Default for Loader {
    fn default() -> Self {
        Self {
            general: compiler(),
            bare: compiler(),
            windows: compiler(),
            marked: compiler(),
            modules: compiler(),
            words: HashSet::new(),
            marks: BTreeSet::new(),
            is_plain: false,
            sets: Vec::new(),
            namespaces: 0,
            begin: 0,
            approved: BTreeSet::new(),
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
    /// One that asks every rule about all bytes, to hold the other against.
    #[cfg(test)]
    pub(crate) fn plain() -> Self {
        Self {
            is_plain: true,
            ..Self::default()
        }
    }

    /// Labward's own rules for the carriers of a laboratory.
    pub fn add_own(&mut self) {
        self.begin = self.namespaces;
        let mut set = Opened::new("labward", "", "MIT OR Apache-2.0", None);
        for (name, text) in super::OWN {
            self.add_file(&mut set, name, text.as_bytes());
        }
        self.sets.push(set.finish());
    }

    /// Rules that stand in memory, as one file of one set.
    pub fn add_text(&mut self, name: &str, text: &str) {
        self.begin = self.namespaces;
        let mut set = Opened::new(name, "", "", None);
        self.add_file(&mut set, name, text.as_bytes());
        self.sets.push(set.finish());
    }

    /// The rules of a file, of the `.yar` and `.yara` files in a zip or tar archive, or of all such files of a folder and
    /// those below it, in the order of their names; links are not followed. `licence` may be empty, `imported` is in seconds
    /// since 1970.
    pub fn add_path(&mut self, path: &Path, licence: &str, imported: Option<i64>) {
        let name = path.file_name().map_or_else(
            || path.display().to_string(),
            |name| name.to_string_lossy().into_owned(),
        );
        self.begin = self.namespaces;
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
                Ok(bytes) if is_archive(&bytes) => self.add_archive(&mut set, &bytes),
                Ok(bytes) => self.add_file(&mut set, shown, &bytes),
                Err(why) => set.refuse_file(shown, &why),
            }
        }
        if set.set.files == 0 && set.set.refused.is_empty() {
            set.refuse_file("", "no .yar or .yara file is in it");
        }
        self.sets.push(set.finish());
    }

    /// Lets what the set that was added last finds be malicious.
    pub fn approve_last(&mut self) {
        self.approved.extend(self.begin..self.namespaces);
        if let Some(set) = self.sets.last_mut() {
            set.approved = true;
        }
    }

    fn add_archive(&mut self, set: &mut Opened, bytes: &[u8]) {
        let deadline = Deadline::after(ARCHIVE_TIME);
        let in_time = || !deadline.is_over();
        walk(
            bytes,
            &Declared::nothing(),
            &ARCHIVE,
            &in_time,
            &mut |path, seen| match seen {
                Seen::Part(part) => {
                    if let Some(Step::Member { name, .. }) = path.steps().last()
                        && is_rule_file(Path::new(name))
                    {
                        self.add_file(set, name, part.bytes);
                    }
                }
                // What packs the rules, and not what is written into one of them.
                Seen::Obstacle(why) if path.steps().len() <= 1 => {
                    set.refuse_file(&path.to_string(), &why.code());
                }
                Seen::Obstacle(_) | Seen::Sign(_) => {}
            },
        );
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
            let refused = match self.modules.add_rules_str_in_namespace(&*text, &namespace) {
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
        let linked = self.is_plain || are_linked(&pieces);
        let mut names: HashMap<&str, Group> = HashMap::new();
        let mut imports: Vec<&Piece<'_>> = Vec::new();
        let mut imported: HashSet<(Target, &str)> = HashSet::new();
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
                    // A module costs each scan of a group something, whether a rule of it asks or not.
                    let words = condition(piece.text);
                    for target in group.targets() {
                        for import in &imports {
                            if words.contains(&import.name)
                                && imported.insert((*target, import.name))
                            {
                                self.add_piece(set, file, &namespace, import, *target);
                            }
                        }
                        self.add_piece(set, file, &namespace, piece, *target);
                    }
                }
                PieceKind::Import => {
                    self.add_piece(set, file, &namespace, piece, Target::Modules);
                    imports.push(piece);
                }
                PieceKind::Include => {
                    self.add_piece(set, file, &namespace, piece, Target::Modules);
                }
            }
        }
    }

    fn group(&mut self, piece: &Piece<'_>) -> Group {
        match demanded(piece.text) {
            None => match needed(piece.text) {
                None => Group::Always,
                Some(words) => {
                    self.words.extend(words);
                    Group::Worded
                }
            },
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
        target: Target,
    ) {
        let compiler = match target {
            Target::Modules => &mut self.modules,
            Target::General => &mut self.general,
            Target::Bare => &mut self.bare,
            Target::Windows => &mut self.windows,
            Target::Marked => &mut self.marked,
        };
        match compiler.add_rules_str_in_namespace(piece.text, namespace) {
            // The general one has taken it before, or has said why not.
            _ if target == Target::Bare => {}
            Ok(_) => set.set.rules += usize::from(piece.kind == PieceKind::Rule),
            // A module that is not there was told when the import was met.
            Err(_) if piece.kind == PieceKind::Import && target != Target::Modules => {}
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
        let groups = [self.general, self.bare, self.windows, self.marked];
        super::Rules::new(
            super::Groups {
                scanners: groups.map(Compiler::finalize),
                words: Finder::new(self.words),
                marks: self.marks.into_iter().collect(),
            },
            self.sets,
            self.approved,
        )
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
                approved: false,
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

fn is_rule_file(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    matches!(ending, Some("yar" | "yara"))
}

fn is_archive(bytes: &[u8]) -> bool {
    matches!(Claims::of(bytes).main(), Kind::Zip | Kind::Tar | Kind::Gzip)
}

fn list(path: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let facts = fs::symlink_metadata(path).map_err(|error| error.to_string())?;
    if facts.is_file() {
        // A file that a person named is read whatever its name.
        if depth == 0 || is_rule_file(path) {
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

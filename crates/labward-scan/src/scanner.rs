//! Every engine over every part: the one place where a scan is put together.
//!
//! A panic of an engine or of a library that unwraps is caught here, once, and is a scanner error. Parts that come again
//! byte for byte under the same name are looked at once. A part that lies unchanged inside its carrier is looked at all the
//! same: a rule may ask for the beginning or the size, so what the carrier did not match the part still may.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use aws_lc_rs::digest::{SHA256, digest};
use labward_carrier::{Budget, Declared, Kind, Part, Path, Seen, Sign, walk};
use serde::{Deserialize, Serialize};

use crate::engine::{Deadline, Engine, EngineError, Hit, Look};
use crate::hashes::Allowed;
use crate::policy::{Policy, Setting, Weight};
use crate::report::{EngineFault, Finding, FoundObstacle, FoundSign, KEPT_MAX, Report, keep};
use crate::structure::Structure;
use crate::verdict::Verdict;
use crate::{bounded, hex};

/// An engine and the state of its rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngineState {
    /// Its name.
    pub engine: String,
    /// What changes whenever its rules change.
    pub state: String,
}

/// Engines, a policy and a list of known good hashes.
pub struct Scanner {
    engines: Vec<Box<dyn Engine>>,
    allowed: Option<Allowed>,
    policy: Policy,
    rules: String,
    rules_since: Option<i64>,
}

impl Scanner {
    /// With the rules of the structure and `engines`. `rules_since` is when the oldest rule set was brought, in seconds
    /// since 1970.
    #[must_use]
    pub fn new(
        engines: Vec<Box<dyn Engine>>,
        policy: Policy,
        allowed: Option<Allowed>,
        rules_since: Option<i64>,
    ) -> Self {
        let mut all: Vec<Box<dyn Engine>> = vec![Box::new(Structure)];
        all.extend(engines);
        let mut states: Vec<String> = all
            .iter()
            .map(|one| format!("{}={}", one.name(), one.state()))
            .collect();
        let allow = allowed.iter().flat_map(Allowed::lists);
        states.extend(allow.map(|list| format!("allow={}", list.sha256)));
        Self {
            engines: all,
            allowed,
            policy,
            rules: hex(digest(&SHA256, states.join("\n").as_bytes()).as_ref()),
            rules_since,
        }
    }

    /// The engines and their states.
    #[must_use]
    pub fn engines(&self) -> Vec<EngineState> {
        self.engines
            .iter()
            .map(|engine| EngineState {
                engine: engine.name().to_owned(),
                state: engine.state(),
            })
            .collect()
    }

    /// What changes whenever a rule, a list or an engine changes.
    #[must_use]
    pub fn rules(&self) -> &str {
        &self.rules
    }

    /// Looks at everything that is packed in `bytes`, within the setting's budget and the deadline.
    #[must_use]
    pub fn scan(
        &self,
        setting: Setting,
        bytes: &[u8],
        declared: &Declared,
        deadline: &Deadline,
    ) -> Report {
        let budget = match setting {
            Setting::Message | Setting::Mail => Budget::message(),
            Setting::File => Budget::default(),
        };
        self.scan_within(setting, &budget, bytes, declared, deadline)
    }

    /// As [`Scanner::scan`], within a budget of the caller's.
    #[must_use]
    pub fn scan_within(
        &self,
        setting: Setting,
        budget: &Budget,
        bytes: &[u8],
        declared: &Declared,
        deadline: &Deadline,
    ) -> Report {
        let mut run = Run {
            scanner: self,
            setting,
            deadline,
            report: self.empty(),
            around: Vec::new(),
            seen: HashSet::new(),
            down: HashSet::new(),
        };
        let ended = catch_unwind(AssertUnwindSafe(|| {
            walk(
                bytes,
                declared,
                budget,
                &|| !deadline.is_over(),
                &mut |path, seen| run.see(path, seen),
            )
        }));
        match ended {
            Ok(summary) => {
                run.report.parts = summary.parts as u64;
                run.report.bytes = summary.bytes;
                if !summary.complete && run.report.obstacles.is_empty() {
                    // The walk says that something is missing and nothing says what.
                    run.fault("carrier", "incomplete", "not everything was looked into");
                }
            }
            Err(panic) => run.fault("carrier", "panic", said(&*panic)),
        }
        let mut report = run.report;
        report.verdict = report.judged();
        report
    }

    fn empty(&self) -> Report {
        Report {
            verdict: Verdict::ScannerError,
            findings: Vec::new(),
            obstacles: Vec::new(),
            signs: Vec::new(),
            faults: Vec::new(),
            left_out: 0,
            parts: 0,
            bytes: 0,
            sha256: String::new(),
            rules: self.rules.clone(),
            rules_since: self.rules_since,
        }
    }
}

/// The words of a panic; libraries give texts.
fn said(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&'static str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or_default()
}

/// A part that was looked at: hash, name, media type, whether clinical.
type Known = ([u8; 32], Option<String>, Option<String>, bool);

/// One scan.
struct Run<'s> {
    scanner: &'s Scanner,
    setting: Setting,
    deadline: &'s Deadline,
    report: Report,
    /// The current part and those around it.
    around: Vec<Around>,
    seen: HashSet<Known>,
    /// Engines that failed: they are not asked again.
    down: HashSet<&'static str>,
}

/// A part in which others lie.
struct Around {
    /// How many steps lead to it.
    steps: usize,
    /// Whether it or one around it is clinical.
    clinical: bool,
    sha256: [u8; 32],
    /// Whether it is known to be good.
    allowed: bool,
}

impl Run<'_> {
    fn see(&mut self, path: &Path, seen: Seen<'_>) {
        match seen {
            Seen::Part(part) => self.part(path, &part),
            Seen::Sign(sign) => self.sign(path, sign),
            Seen::Obstacle(obstacle) => keep(
                &mut self.report.obstacles,
                &mut self.report.left_out,
                FoundObstacle {
                    path: shown(&path.to_string()),
                    plain_path: shown(&path.plain()),
                    place: path.place().map_or_else(String::new, shown),
                    why: obstacle.code(),
                },
            ),
        }
    }

    fn part(&mut self, path: &Path, part: &Part<'_>) {
        let steps = path.steps().len();
        while self.around.last().is_some_and(|one| one.steps >= steps) {
            self.around.pop();
        }
        let clinical = self.around.last().is_some_and(|one| one.clinical)
            || part.claims.all().any(Kind::is_clinical);
        let sha256: [u8; 32] = first32(digest(&SHA256, part.bytes).as_ref());
        if steps == 0 {
            self.report.sha256 = hex(&sha256);
        }
        let allowed = self
            .scanner
            .allowed
            .as_ref()
            .is_some_and(|list| list.holds(&sha256));
        self.around.push(Around {
            steps,
            clinical,
            sha256,
            allowed,
        });
        let declared = part.declared;
        let known = (
            sha256,
            declared.name.clone(),
            declared.media_type.clone(),
            clinical,
        );
        if allowed || !self.seen.insert(known) {
            return;
        }
        let look = Look {
            bytes: part.bytes,
            claims: part.claims,
            declared,
            path,
            clinical,
            setting: self.setting,
            sha256: &sha256,
        };
        for engine in &self.scanner.engines {
            self.ask(engine.as_ref(), &look);
        }
    }

    fn ask(&mut self, engine: &dyn Engine, look: &Look<'_>) {
        let name = engine.name();
        if self.down.contains(name) {
            return;
        }
        match engine.look(look, self.deadline) {
            Ok(hits) => {
                for hit in hits {
                    self.found(look.path, name, hit, Some(look.sha256));
                }
            }
            Err(error) => {
                self.fault(name, error.code(), &error.to_string());
                if error != EngineError::TooLarge {
                    self.down.insert(name);
                }
            }
        }
    }

    fn sign(&mut self, path: &Path, sign: Sign) {
        let found = FoundSign {
            path: shown(&path.to_string()),
            plain_path: shown(&path.plain()),
            sign: sign.code().to_owned(),
        };
        keep(&mut self.report.signs, &mut self.report.left_out, found);
        let counts = self.scanner.policy.weight(sign, self.setting) == Weight::Suspicious;
        let steps = path.steps().len();
        let part = self.around.iter().rfind(|one| one.steps == steps);
        let (sha256, allowed) = part.map_or((None, false), |one| (Some(one.sha256), one.allowed));
        if counts && !allowed {
            self.found(
                path,
                Structure.name(),
                Structure::of_sign(sign),
                sha256.as_ref(),
            );
        }
    }

    fn found(&mut self, path: &Path, engine: &str, hit: Hit, sha256: Option<&[u8; 32]>) {
        let finding = Finding {
            path: shown(&path.to_string()),
            plain_path: shown(&path.plain()),
            place: path.place().map_or_else(String::new, shown),
            engine: engine.to_owned(),
            rule: hit.rule,
            description: hit.description,
            severity: hit.severity,
            kind: hit.kind,
            sha256: sha256.map_or_else(String::new, |hash| hex(hash)),
        };
        // A full list still learns that something is malicious.
        if self.report.findings.len() >= KEPT_MAX && finding.kind.verdict() == Verdict::Malicious {
            let weaker = self
                .report
                .findings
                .iter()
                .rposition(|one| one.kind.verdict() != Verdict::Malicious);
            if let Some(place) = weaker.and_then(|at| self.report.findings.get_mut(at)) {
                *place = finding;
                self.report.left_out += 1;
                return;
            }
        }
        keep(
            &mut self.report.findings,
            &mut self.report.left_out,
            finding,
        );
    }

    fn fault(&mut self, engine: &str, code: &str, detail: &str) {
        let fault = EngineFault {
            engine: engine.to_owned(),
            code: code.to_owned(),
            detail: bounded(detail),
        };
        keep(&mut self.report.faults, &mut self.report.left_out, fault);
    }
}

/// A path, bounded; what is cut off is its middle.
fn shown(path: &str) -> String {
    const HALF: usize = 400;
    let len = path.chars().count();
    if len <= 2 * HALF {
        return path.to_owned();
    }
    let head: String = path.chars().take(HALF).collect();
    let tail: String = path.chars().skip(len - HALF).collect();
    format!("{head} … {tail}")
}

fn first32(hash: &[u8]) -> [u8; 32] {
    hash.first_chunk().copied().unwrap_or([0; 32])
}

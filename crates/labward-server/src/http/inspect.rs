//! `malware/inspect` and `malware/status`: whoever watches folders or mails asks here, and learns how the scanner is.
//!
//! It must never write what it was given to disk unsealed, hold more of it in memory than a bound, or call something
//! quarantined that is not durable.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labward_api::malware::{
    InspectAbout, InspectFile, Inspected, MalwareEngine, MalwareRescan, MalwareStatus,
};
use labward_base::{Clock as _, problem};
use labward_malware::{
    Arrival, Detection, FileFacts, Held, MalwareError, NewDetection, Origin, Particulars,
    RuleSetKind, Treatment, Way,
};
use labward_scan::process::Bytes;
use labward_scan::process::protocol::Ask;
use labward_scan::{Declared, Report, Setting, Verdict};
use multer::{Field, Multipart};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::PATIENCE;
use super::call::{Answer, Call};
use super::failure::{Failure, unread};
use crate::app::Core;
use crate::check::{MalwareState, Measured};
use crate::malware::{ScannerState, outcome};

/// The longest part `about`, in bytes.
const ABOUT_MAX_BYTES: usize = 256 << 10;
/// The largest content that is looked at, in bytes.
const CONTENT_MAX_BYTES: usize = 64 << 20;
/// Content up to here needs no turn.
const SMALL_BYTES: usize = 1 << 20;
/// Larger ones that are in memory at the same time.
const LARGE_MAX: usize = 4;
/// How long looking may take if nobody says so, and at most, in milliseconds.
const LIMIT_MS: (u64, u64) = (30_000, 600_000);
/// Characters of what a place or machine is called.
const NAME_MAX_CHARS: usize = 200;
/// Characters of what a submission is called.
const KEY_MAX: usize = 128;
/// Detections that were closed longer ago say nothing of how fast people are now.
const REACTIONS: Duration = Duration::from_secs(90 * 86_400);
/// Detections and items that are counted.
const COUNTED: u32 = 1_000;

static LARGE: Semaphore = Semaphore::const_new(LARGE_MAX);

/// What was asked.
struct Asked {
    about: InspectAbout,
    way: Way,
    file: Option<FileFacts>,
    content: Arc<Vec<u8>>,
    /// Held as long as the content is in memory.
    _turn: Option<SemaphorePermit<'static>>,
}

/// `POST malware/inspect`
pub(super) fn inspect(call: &Call) -> Result<Answer, Failure> {
    // Nothing could be sealed before.
    call.opened()?;
    let upload = call.upload()?;
    let boundary = upload
        .content_type()
        .and_then(|kind| multer::parse_boundary(kind).ok());
    let form = || Failure::bad_request("the body is no form with the parts about and content");
    let boundary = boundary.ok_or_else(form)?;
    let asked = Handle::current().block_on(read(upload.into_body(), boundary))?;
    let scanner = &call.core.scanner;
    let (name, limit) = (
        &asked.about.name,
        asked.about.limit_ms.unwrap_or(LIMIT_MS.0),
    );
    let (setting, declared) = match (asked.way, name.as_str()) {
        (Way::Mail, _) => (Setting::Mail, Declared::typed("message/rfc822")),
        (_, "") => (Setting::File, Declared::nothing()),
        (_, name) => (Setting::File, Declared::named(name)),
    };
    let report = scanner.look(
        &Ask::of(setting, &declared),
        &Bytes::Memory(Arc::clone(&asked.content)),
        Duration::from_millis(limit),
    );
    let (detection, item) = record(call, &asked, &report)?;
    Answer::json(&Inspected {
        verdict: report.verdict.code().to_owned(),
        findings: outcome::shown(&report),
        sha256: outcome::sha256_of(&report, &asked.content),
        rules: report.rules,
        detection,
        item,
    })
}

/// Seals and records what was found; the numbers of the detection and of the item.
fn record(
    call: &Call,
    asked: &Asked,
    report: &Report,
) -> Result<(Option<u64>, Option<u64>), Failure> {
    if report.verdict == Verdict::Clean || is_of_scanner(report) {
        return Ok((None, None));
    }
    let (about, core) = (&asked.about, &call.core);
    let is_malicious = report.verdict == Verdict::Malicious;
    let is_sealed = is_malicious && about.quarantine;
    let treatment = match asked.way {
        Way::Mail if is_sealed && about.notice => Treatment::Replaced,
        Way::Mail if is_malicious => Treatment::Refused,
        Way::Folder | Way::Device if is_sealed => Treatment::Sealed,
        Way::Folder if is_malicious => Treatment::Blocked,
        _ => Treatment::Passed,
    };
    let origin = Origin {
        way: asked.way,
        place: about.place.clone(),
        from: about.host.clone(),
        peer: None,
        record: None,
    };
    let now = core.clock.now();
    let measured = outcome::measured(report, &asked.content);
    let detection = outcome::detection(report, origin, treatment, measured);
    let (detection, item) = match is_sealed {
        true => seal(call, asked, report, &detection)?,
        false => {
            let committed = core.malware.commit(None, &detection, call.actor(), now)?;
            (committed.0.id, None)
        }
    };
    Ok((Some(detection), item))
}

/// Seals and commits it, unless that was done when it was sent before and the answer was lost.
fn seal(
    call: &Call,
    asked: &Asked,
    report: &Report,
    detection: &NewDetection,
) -> Result<(u64, Option<u64>), Failure> {
    let (about, malware, now) = (&asked.about, &call.core.malware, call.core.clock.now());
    let particulars = Particulars {
        arrival: Arrival {
            name: about.name.clone(),
            file: asked.file.clone(),
            sender: about.sender.clone(),
            recipients: about.recipients.clone(),
            media_type: None,
        },
        findings: report.findings.clone(),
    };
    let origin = &detection.origin;
    let submission = match &about.key {
        Some(key) => Some(malware.submission(key, origin, &particulars, &detection.sha256)?),
        None => None,
    };
    if let Some(submission) = &submission
        && let Some((detection, item)) = malware.submitted(submission)?
    {
        return Ok((detection, Some(item)));
    }
    let bytes = &mut asked.content.as_slice();
    let sealed = malware.seal(origin.clone(), &particulars, bytes, now)?;
    let by = call.actor();
    let (detection, item) = match detection.treatment {
        Treatment::Sealed => {
            malware.commit_once(&sealed, submission.as_ref(), detection, by, now)?
        }
        _ => {
            let (detection, _) = malware.commit(Some(&sealed), detection, by, now)?;
            (detection.id, sealed.id())
        }
    };
    Ok((detection, Some(item)))
}

/// Whether nobody looked at all, which says nothing of these bytes: it is a finding about the scanner.
fn is_of_scanner(report: &Report) -> bool {
    const CODES: &[&str] = &["busy", "not-started", "off", "stopped"];
    let of_process = |code: &str| CODES.contains(&code);
    report.verdict == Verdict::ScannerError && report.faults.iter().any(|one| of_process(&one.code))
}

/// Reads the form: what is said of the bytes comes before them.
async fn read(body: Body, boundary: String) -> Result<Asked, Failure> {
    let mut form = Multipart::new(body.into_data_stream(), boundary);
    let about = next(&mut form, "about").await?;
    let (about, _) = bytes(about, ABOUT_MAX_BYTES).await?;
    let about: InspectAbout = serde_json::from_slice(&about)
        .map_err(|_| Failure::bad_request("the part about cannot be read"))?;
    let (way, file) = checked(&about)?;
    let content = next(&mut form, "content").await?;
    let (content, turn) = bytes(content, CONTENT_MAX_BYTES).await?;
    Ok(Asked {
        about,
        way,
        file,
        content: Arc::new(content),
        _turn: turn,
    })
}

async fn next<'a>(form: &mut Multipart<'a>, name: &str) -> Result<Field<'a>, Failure> {
    let field = match timeout(PATIENCE, form.next_field()).await {
        Ok(Ok(field)) => field,
        Ok(Err(_)) => None,
        Err(_) => return Err(Failure::new(&problem::SERVER_BUSY)),
    };
    let is_it = |field: &Field<'_>| field.name() == Some(name);
    field
        .filter(is_it)
        .ok_or_else(|| Failure::bad_request(format!("the part {name} of the form is missing")))
}

/// The bytes of a part, and the turn that a large one needs.
async fn bytes(
    mut field: Field<'_>,
    most: usize,
) -> Result<(Vec<u8>, Option<SemaphorePermit<'static>>), Failure> {
    let mut bytes = Vec::new();
    let mut turn = None;
    loop {
        let chunk = timeout(PATIENCE, field.chunk()).await;
        let chunk = chunk.map_err(|_| Failure::new(&problem::SERVER_BUSY))?;
        let broken = |_| Failure::bad_request("the form broke off");
        let Some(chunk) = chunk.map_err(broken)? else {
            return Ok((bytes, turn));
        };
        if bytes.len() + chunk.len() > most {
            let why = format!("at most {most} bytes are looked at; nothing was done with it");
            return Err(Failure::new(&problem::SERVER_TOO_LARGE).with(why));
        }
        if bytes.len() + chunk.len() > SMALL_BYTES && turn.is_none() {
            let acquired = timeout(PATIENCE, LARGE.acquire()).await;
            let busy = || Failure::new(&problem::SERVER_BUSY);
            turn = Some(acquired.ok().and_then(Result::ok).ok_or_else(busy)?);
        }
        bytes.extend_from_slice(&chunk);
    }
}

/// The way, and where a file lay.
fn checked(about: &InspectAbout) -> Result<(Way, Option<FileFacts>), Failure> {
    let way = Way::of_code(&about.way);
    let is_asked = |way: &Way| matches!(way, Way::Folder | Way::Mail | Way::Device);
    let way = way.filter(is_asked);
    let way = way.ok_or_else(|| Failure::bad_request("way is none of folder, mail and device"))?;
    for (name, text) in [("place", &about.place), ("host", &about.host)] {
        let fits = (1..=NAME_MAX_CHARS).contains(&text.chars().count())
            && !text.chars().any(char::is_control);
        if !fits {
            return Err(Failure::bad_request(format!(
                "{name} has not 1 to {NAME_MAX_CHARS} printable characters"
            )));
        }
    }
    let limit = about.limit_ms.unwrap_or(LIMIT_MS.0);
    if !(1..=LIMIT_MS.1).contains(&limit) {
        return Err(Failure::bad_request("limit_ms is not 1 to 600,000"));
    }
    if about.key.as_deref().is_some_and(|key| !is_key(key)) {
        return Err(Failure::bad_request(
            "key is not 1 to 128 visible characters",
        ));
    }
    let file = about.file.as_ref().map(|file| facts(file, &about.host));
    Ok((way, file.transpose()?))
}

fn is_key(key: &str) -> bool {
    (1..=KEY_MAX).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
}

fn facts(file: &InspectFile, host: &str) -> Result<FileFacts, Failure> {
    let decode = |text: &str| {
        let refused = |_| Failure::bad_request("a path or an attribute of the file is no base64");
        STANDARD.decode(text).map_err(refused)
    };
    let mut facts = FileFacts {
        host: host.to_owned(),
        path: decode(&file.path)?,
        mode: file.mode,
        owner: file.owner,
        group: file.group,
        accessed: file.accessed,
        modified: file.modified,
        flags: file.flags,
        ..FileFacts::default()
    };
    for (name, value) in &file.attributes {
        let name = String::from_utf8(decode(name)?)
            .map_err(|_| Failure::bad_request("the name of an attribute is no text"))?;
        facts.attributes.insert(name, decode(value)?);
    }
    Ok(facts)
}

/// What the checks look at.
pub(super) fn measure(core: &Core) -> Measured<MalwareState> {
    let scanner = &core.scanner;
    let state = scanner.state();
    let is_off = matches!(state, ScannerState::Disabled | ScannerState::NoProgram);
    let failing = match state {
        ScannerState::Failing(why) => Some(why),
        _ => None,
    };
    let read = || -> Result<MalwareState, MalwareError> {
        let sets = core.malware.rule_sets(false)?;
        let brought = sets
            .iter()
            .filter(|set| set.what.kind != RuleSetKind::Allow);
        let now = core.clock.now();
        let detections = core.malware.detections(None, None, COUNTED)?;
        let matters =
            |one: &&Detection| matches!(one.what.verdict, Verdict::Malicious | Verdict::Suspicious);
        let mut state = MalwareState {
            is_off,
            failing,
            newest_rules: brought.map(|set| set.imported.0).max(),
            unscanned: scanner.unscanned(),
            links: core.config().gateway.links.len() as u64,
            ..MalwareState::default()
        };
        let open = core.malware.detections(Some(true), None, COUNTED)?;
        let open = open.iter().filter(matters);
        state.open = open.map(|one| (one.id, one.at)).collect();
        state.open.sort_by_key(|(_, at)| *at);
        for one in detections.iter().filter(matters) {
            if let Some((closed, ..)) = one.closed
                && now.since(closed) < REACTIONS
            {
                state.closed_within.push(closed.since(one.at));
            }
        }
        Ok(state)
    };
    read().map_err(|error| unread(&error))
}

/// `GET malware/status`
pub(super) fn status(call: &Call) -> Result<Answer, Failure> {
    let core = &call.core;
    let scanner = &core.scanner;
    let (state, why) = match scanner.state() {
        ScannerState::Disabled => ("off", Some("the configuration says so".to_owned())),
        ScannerState::NoProgram => ("off", Some("there is no program that looks".to_owned())),
        ScannerState::Starting => ("failing", Some("the rules are being loaded".to_owned())),
        ScannerState::Ready => ("ready", None),
        ScannerState::Failing(why) => ("failing", Some(why)),
    };
    let hello = scanner.hello().unwrap_or_default();
    let links = u32::try_from(core.config().gateway.links.len()).unwrap_or(u32::MAX);
    let looked_at = if state == "off" { 0 } else { links };
    let items = core.malware.items(None, COUNTED)?;
    let engines = hello.engines.into_iter().map(|one| MalwareEngine {
        name: one.engine,
        state: one.state,
    });
    Answer::json(&MalwareStatus {
        state: state.to_owned(),
        why,
        engines: engines.collect(),
        rules: hello.rules,
        confined: hello.confined,
        links: (looked_at, links),
        verdicts: scanner.verdicts(),
        open: core.malware.detections(Some(true), None, COUNTED)?.len() as u64,
        held: items.iter().filter(|one| one.held == Held::Held).count() as u64,
        rescan: core.malware.rescan()?.map(|round| MalwareRescan {
            rules: round.rules,
            began: round.began.to_rfc3339(),
            ended: round.ended.map(|time| time.to_rfc3339()),
            scanned: round.progress.scanned,
            late: round.progress.late,
            failed: round.progress.failed,
        }),
    })
}

//! `backups/…` and `key/archives`: backups of the data, and archives of the keys that open them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use labward_api::Why;
use labward_api::backup::{
    Drill, ExpiredArchives, KeyArchive, NewBackup, NewKeyArchive, VerifyBackup,
};
use labward_base::{Clock, Timestamp, problem};
use labward_keys::ArchiveInfo;

use super::call::{Answer, Call, reason};
use super::failure::Failure;
use crate::backup;

const KEEP_MAX: u32 = 1_000;
const DAYS_MAX: u32 = 366;
const DAY: Duration = Duration::from_secs(86_400);

/// `POST backups/create`
pub(super) fn create(call: &Call) -> Result<Answer, Failure> {
    let request: NewBackup = call.json()?;
    reason(&request.why)?;
    absolute(&request.to)?;
    if !(1..=KEEP_MAX).contains(&request.keep) {
        return Err(Failure::bad_request("keep is 1 to 1000 generations"));
    }
    let opened = call.opened()?;
    Answer::json(&backup::create(
        &call.core,
        &opened,
        &request,
        call.actor(),
    )?)
}

/// `POST backups/verify`
pub(super) fn verify(call: &Call) -> Result<Answer, Failure> {
    let request: VerifyBackup = call.json()?;
    absolute(&request.from)?;
    Answer::json(&backup::verify(&call.core, &request, call.actor())?)
}

/// `POST backups/drill`
pub(super) fn drill(call: &Call) -> Result<Answer, Failure> {
    let request: Drill = call.json()?;
    reason(&request.why)?;
    absolute(&request.from)?;
    absolute(&request.keys)?;
    call.opened()?;
    Answer::json(&backup::drill(&call.core, request, call.actor())?)
}

/// `POST backups/confirm`
pub(super) fn confirm(call: &Call) -> Result<Answer, Failure> {
    let Why { why } = call.json()?;
    let why = reason(&why)?;
    let opened = call.opened()?;
    Answer::done(Some(backup::confirm(&call.core, &opened, call.by(), why)?))
}

/// `GET key/archives`
pub(super) fn archives(call: &Call) -> Result<Answer, Failure> {
    let now = call.core.clock.now();
    let archives = call.core.keys.archives()?;
    let archives = archives.iter().map(|info| shown(info, now));
    Answer::json(&archives.collect::<Vec<_>>())
}

/// `POST key/archives`
pub(super) fn archive(call: &Call) -> Result<Answer, Failure> {
    let request: NewKeyArchive = call.json()?;
    let why = reason(&request.why)?;
    let to = absolute(&request.to)?;
    if !(1..=DAYS_MAX).contains(&request.days) {
        return Err(Failure::bad_request("days are 1 to 366"));
    }
    // Whoever takes the backup would take the keys with it.
    if to
        .ancestors()
        .any(|above| labward_backup::Folder::open(above).is_ok())
    {
        return Err(Failure::new(&problem::BACKUP_NOT_EMPTY)
            .with("a key archive never lies in a backup folder"));
    }
    let detail = backup::sealed_why(&call.core, why)?;
    let life = DAY * request.days;
    let info = call.core.keys.archive(&to, life, call.actor(), detail)?;
    Answer::json(&shown(&info, call.core.clock.now()))
}

/// `POST key/archives/expire`
pub(super) fn expire(call: &Call) -> Result<Answer, Failure> {
    let expired = call.core.keys.expire_archives(call.actor())?;
    let numbers = |archives: Vec<ArchiveInfo>| archives.iter().map(|info| info.id).collect();
    Answer::json(&ExpiredArchives {
        deleted: numbers(expired.deleted),
        overdue: numbers(expired.overdue),
    })
}

fn shown(info: &ArchiveInfo, now: Timestamp) -> KeyArchive {
    let state = match info.may_exist {
        false => "deleted",
        true if info.expires <= now => "overdue",
        true => "kept",
    };
    KeyArchive {
        id: info.id,
        folder: info.folder.display().to_string(),
        created: info.created.to_rfc3339(),
        expires: info.expires.to_rfc3339(),
        state: state.to_owned(),
    }
}

/// A folder that means the same to the server and to whoever asks.
fn absolute(path: &str) -> Result<PathBuf, Failure> {
    let path = Path::new(path);
    match path.is_absolute() {
        true => Ok(path.to_owned()),
        false => Err(Failure::bad_request("a folder needs an absolute path")),
    }
}

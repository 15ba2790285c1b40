//! `labward guard --check`: what would be watched, and whether the server answers.
//!
//! It must never watch, look at or change anything.

use std::io::{Result as IoResult, Write};

use labward_api::malware::RestoreFilter;
use labward_base::problem;
use labward_os::FileSystem;
use labward_os::fanotify::{FOLDERS_MAX, Fanotify, Settings};
use labward_os::held::{HeldFolder, Kind};
use labward_os::walk::{Bounds, Walk};
use serde::Serialize;

use super::config::{FolderConfig, GuardConfig, Mode};
use super::server::Server;
use crate::failure::Failure;
use crate::output::{show, table};

/// So many names of a folder are counted.
const NAMES_MAX: u64 = 1_000_000;

#[derive(Serialize)]
struct Checked {
    host: String,
    folders: Vec<CheckedFolder>,
    /// Whether this account and this kernel can watch; why not.
    watching: Option<String>,
    /// Whether the server lets this guard ask; why not.
    server: Option<String>,
}

#[derive(Serialize)]
struct CheckedFolder {
    name: String,
    path: String,
    mode: &'static str,
    /// What happens while nothing can be looked at.
    unwell: &'static str,
    /// Folders in it that are watched, with itself.
    folders: u64,
    files: u64,
    /// The kind of file system it lies on.
    file_system: String,
    /// `told` by the kernel, or `polled`: looked for.
    changes: &'static str,
    /// Why it would not be watched whole.
    fault: Option<String>,
}

/// Shows it; a fault is the command's failure, too.
pub(super) fn run(json: bool, config: &GuardConfig) -> Result<(), Failure> {
    let watching = Fanotify::open(Settings::default()).err();
    let asked = config
        .folders
        .first()
        .map_or(Ok(()), |folder| ask(config, folder));
    let checked = Checked {
        host: config.host.clone(),
        folders: config.folders.iter().map(folder).collect(),
        watching: watching.map(|error| error.to_string()),
        server: asked.as_ref().err().map(ToString::to_string),
    };
    show(json, &checked, |out| write(out, &checked))?;
    asked?;
    if let Some(why) = checked.watching {
        return Err(Failure::new(&problem::GUARD_DENIED, why));
    }
    let mut faults = checked
        .folders
        .iter()
        .filter_map(|one| one.fault.as_ref().map(|why| (one, why)));
    match faults.next() {
        Some((one, why)) => Err(Failure::new(
            &problem::GUARD_CONFIG,
            format!("folder {}: {why}", one.name),
        )),
        None => Ok(()),
    }
}

fn ask(config: &GuardConfig, folder: &FolderConfig) -> Result<(), Failure> {
    let of = RestoreFilter {
        place: folder.name.clone(),
        host: config.host.clone(),
    };
    Server::new(&config.server)?.restores(&of).map(drop)
}

fn folder(config: &FolderConfig) -> CheckedFolder {
    let mut checked = CheckedFolder {
        name: config.name.clone(),
        path: config.path.display().to_string(),
        mode: config.mode.name(),
        unwell: match config.mode {
            Mode::Block => config.unwell.name(),
            Mode::Watch => "-",
        },
        folders: 1,
        files: 0,
        file_system: "-".to_owned(),
        changes: "-",
        fault: None,
    };
    let bounds = Bounds {
        depth_max: if config.recursive {
            Bounds::default().depth_max
        } else {
            0
        },
        names_max: NAMES_MAX,
    };
    let root = HeldFolder::open(&config.path);
    if let Some(kind) = root
        .as_ref()
        .ok()
        .and_then(|root| FileSystem::of(root).ok())
    {
        let is_polled = config.changes.are_polled(kind.is_told);
        checked.changes = if is_polled { "polled" } else { "told" };
        checked.file_system = kind.name;
    }
    let walk = root.and_then(|root| Walk::begin(&root, bounds));
    match walk {
        Ok(walk) => count(&mut checked, walk, config.recursive),
        Err(error) => checked.fault = Some(error.to_string()),
    }
    if usize::try_from(checked.folders).unwrap_or(usize::MAX) > FOLDERS_MAX {
        checked.fault = Some(format!("it has more than {FOLDERS_MAX} folders"));
    }
    checked
}

fn count(checked: &mut CheckedFolder, walk: Walk, recursive: bool) {
    for found in walk {
        match found {
            Ok(found) if found.identity().kind == Kind::Folder => checked.folders += 1,
            Ok(found) if found.identity().kind == Kind::Regular => checked.files += 1,
            Ok(_) => {}
            Err(omission) if !recursive && omission.reason.code() == "walk.too-deep" => {}
            Err(omission) => checked.fault = Some(omission.reason.code().to_owned()),
        }
    }
}

fn write(out: &mut dyn Write, checked: &Checked) -> IoResult<()> {
    let head = [
        "folder",
        "path",
        "mode",
        "unwell",
        "folders",
        "files",
        "file system",
        "changes",
        "fault",
    ];
    let rows: Vec<Vec<String>> = checked
        .folders
        .iter()
        .map(|one| {
            vec![
                one.name.clone(),
                one.path.clone(),
                one.mode.to_owned(),
                one.unwell.to_owned(),
                one.folders.to_string(),
                one.files.to_string(),
                one.file_system.clone(),
                one.changes.to_owned(),
                one.fault.clone().unwrap_or_else(|| "-".to_owned()),
            ]
        })
        .collect();
    table(out, &head, &rows)?;
    let or = |fault: &Option<String>, well: &str| fault.clone().unwrap_or_else(|| well.to_owned());
    writeln!(
        out,
        "this machine, {}: {}",
        checked.host,
        or(&checked.watching, "can watch")
    )?;
    writeln!(out, "the server: {}", or(&checked.server, "answers"))
}

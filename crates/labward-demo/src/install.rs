//! The demo's installation: the same set-up as `labward init`, with one key-file slot.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use labward_keys::NewSlot;
use labward_os::{SystemClock, current_uid};
use labward_server::setup::{Administrator, Answer, Setup, Site};

/// Room set aside, in MiB: a demo has no bad days.
const RESERVE_MIB: u32 = 1;

/// Makes an installation in `data` whose root key opens with the file `key`.
pub(crate) fn install(data: &Path, key: &Path) -> Result<()> {
    let mut setup = Setup::begin(data, Arc::new(SystemClock)).context("begin the set-up")?;
    setup.reserve(RESERVE_MIB)?;
    // Whoever runs the demo runs the lab and may look at its records.
    let roles = "administrator,lab-manager".parse()?;
    let answers = [
        Answer::Administrator(Administrator {
            name: "Whoever runs the demo".to_owned(),
            uid: current_uid(),
            roles,
        }),
        Answer::Site(Site {
            name: "Demo laboratory".to_owned(),
            names: vec!["localhost".to_owned()],
        }),
        Answer::Slot(NewSlot::KeyFile {
            label: "key volume".to_owned(),
            path: key.to_owned(),
        }),
        Answer::NoMoreSlots,
    ];
    for answer in answers {
        setup.answer(answer).context("set the demo up")?;
    }
    setup.finish().context("finish the set-up")?;
    Ok(())
}

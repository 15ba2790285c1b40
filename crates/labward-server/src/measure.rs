//! What `check` looks at: measured here.
//!
//! It must never call something good because it could not be measured (**Invariant:** a missing
//! measurement is never a pass).

use labward_api::status::{Check, CheckFinding};

use crate::app::Core;
use crate::findings::all_that_hold;
use crate::folder::SITE;
use crate::http::Failure;

/// What is wrong with the installation, the most harmful first.
pub(crate) fn check(core: &Core) -> Result<Check, Failure> {
    let recorded = core.store.read(|snapshot| all_that_hold(snapshot, SITE))?;
    let findings = recorded.into_iter().map(|finding| CheckFinding {
        code: "check.plain-line".to_owned(),
        harm: "medium".to_owned(),
        what: finding.detail,
        todo: "give the line mutual TLS, or let the exception end".to_owned(),
    });
    Ok(Check {
        findings: findings.collect(),
        looked_at: 1,
    })
}

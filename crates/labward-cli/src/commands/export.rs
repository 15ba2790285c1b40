//! `export`: a list as a CSV file.

use labward_api::export::ListExport;
use serde_json::json;

use super::{Context, create_private};
use crate::args::ListExportArgs;
use crate::failure::Failure;
use crate::output::show;
use crate::prompt;

/// `labward export`
pub(super) fn run(context: &Context, arguments: &ListExportArgs) -> Result<(), Failure> {
    let why = match arguments.patient {
        Some(_) => Some(prompt::why(arguments.why.as_deref())?),
        None => arguments.why.clone(),
    };
    let request = ListExport {
        filter: arguments.filters.iter().cloned().collect(),
        patient: arguments.patient,
        why,
    };
    let out = &arguments.out;
    let mut file = create_private(out)?;
    let path = format!("exports/{}", arguments.list);
    let outcome = context.client.download(&path, &request, &mut file);
    if outcome.is_err() {
        // Half a list is worse than none; if it cannot be removed the error still tells.
        let _ = std::fs::remove_file(out);
    }
    let bytes = outcome?;
    show(context.json, &json!({ "bytes": bytes }), |w| {
        writeln!(w, "{bytes} bytes in {}", out.display())
    })
}

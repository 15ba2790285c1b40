//! The documents that are generated from one table each, so that they cannot say something else.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, Result, ensure};
use labward_base::problem::ALL;

use crate::run::root;

/// A page and what writes it.
type Page = (&'static str, fn() -> Result<String>);

const PAGES: &[Page] = &[("docs/ref/errors.md", errors)];

/// Writes the generated documents, or with `check` compares them with what stands there.
pub(crate) fn docs(check: bool) -> Result<()> {
    for (path, text) in PAGES {
        let text = text()?;
        let file = root().join(path);
        if check {
            let stands = fs::read_to_string(&file).unwrap_or_default();
            ensure!(
                stands == text,
                "{path} is not what its table says; run cargo xtask docs"
            );
        } else {
            fs::write(&file, text).with_context(|| format!("write {path}"))?;
        }
    }
    Ok(())
}

/// `docs/ref/errors.md`: every problem a person can see.
fn errors() -> Result<String> {
    let mut text = String::from(
        "# Errors and refusals\n\n\
         Generated from the table in `labward-base` by `cargo xtask docs`. Each code is stable.\n\n\
         | Code | HTTP | Exit code | What happened | What to do |\n|---|---|---|---|---|\n",
    );
    for problem in ALL {
        writeln!(
            text,
            "| `{}` | {} | {} | {} | {} |",
            problem.code,
            problem.kind.http_status(),
            problem.kind.exit_code(),
            problem.what,
            problem.todo
        )?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_generated_documents_are_what_their_tables_say() {
        super::docs(true).unwrap();
    }
}

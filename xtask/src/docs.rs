//! The documents that are generated from one table each, so that they cannot say something else.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, Result, ensure};
use labward_base::problem::ALL;

use crate::bench::page;
use crate::run::{cargo, root, run};

/// A page and what writes it.
type Page = (&'static str, fn() -> Result<String>);

const PAGES: &[Page] = &[
    // What the benches found stays as it is; what is said about them is written anew.
    ("docs/ref/benchmarks.md", page::page),
    ("docs/ref/errors.md", errors),
    ("docs/ref/sbom.cdx.json", crate::sbom::sbom),
];

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
    let tests: [(&str, &[&str]); 2] = [
        (
            "documents of the server",
            &["--bin", "labward", "documents"],
        ),
        (
            "tables of matching",
            &["--test", "gold", "--test", "real_data"],
        ),
    ];
    for (what, which) in tests {
        let mut rest = cargo();
        rest.args(["test", "--quiet", "--workspace"]).args(which);
        if !check {
            rest.env("LABWARD_WRITE_DOCS", "1");
        }
        run(what, &mut rest)?;
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
    fn the_table_of_errors_is_what_its_definition_says() {
        let stands =
            std::fs::read_to_string(crate::run::root().join("docs/ref/errors.md")).unwrap();
        assert!(stands == super::errors().unwrap(), "run cargo xtask docs");
    }

    #[test]
    fn the_bill_of_materials_is_that_of_the_lock_file() {
        let stands =
            std::fs::read_to_string(crate::run::root().join("docs/ref/sbom.cdx.json")).unwrap();
        assert!(
            stands == crate::sbom::sbom().unwrap(),
            "run cargo xtask docs"
        );
    }
}

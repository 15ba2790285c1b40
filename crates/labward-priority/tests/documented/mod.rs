//! The tables of `docs/ref/priority.md`, which stand between two marks each.

use std::fs;
use std::path::Path;
use std::sync::Mutex;

/// Tests of one program run side by side, and the page is one file.
static PAGE: Mutex<()> = Mutex::new(());

/// Compares a table with what the page says, or writes it there where `LABWARD_WRITE_DOCS` is set.
pub(crate) fn documented(mark: &str, table: &str) {
    let _page = PAGE.lock().unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/ref/priority.md");
    let page = fs::read_to_string(&file).unwrap();
    let (before, rest) = page.split_once(&format!("<!-- {mark}: ")).unwrap();
    let (note, rest) = rest.split_once("-->\n").unwrap();
    let end = format!("<!-- /{mark} -->");
    let (stands, after) = rest.split_once(&end).unwrap();
    if std::env::var_os("LABWARD_WRITE_DOCS").is_some() {
        let page = format!("{before}<!-- {mark}: {note}-->\n{table}{end}{after}");
        fs::write(&file, page).unwrap();
    } else {
        assert_eq!(
            stands, table,
            "docs/ref/priority.md is not what the test found; run cargo xtask docs"
        );
    }
}

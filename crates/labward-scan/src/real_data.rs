//! Claims checked over real messages and documents of laboratories; skipped unless `LABWARD_TEST_DATA` names the folder.

use std::path::{Path, PathBuf};
use std::time::Duration;

use labward_carrier::Declared;

use crate::yara::Loader;
use crate::{Deadline, Policy, Scanner, Setting};

/// Files larger than this are left to the command: a debug build would take minutes.
const LARGEST: u64 = 4 << 20;

fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        let facts = std::fs::symlink_metadata(&path).unwrap();
        if facts.is_dir() {
            collect(&path, files);
        } else if facts.is_file() && facts.len() <= LARGEST {
            files.push(path);
        }
    }
}

#[test]
fn our_own_rules_and_the_structure_say_nothing_of_real_messages() {
    let Some(folder) = std::env::var_os("LABWARD_TEST_DATA") else {
        eprintln!("labward-skip: LABWARD_TEST_DATA is not set");
        return;
    };
    let mut files = Vec::new();
    for kind in ["hl7", "astm", "fhir", "csaf", "sbom"] {
        collect(&Path::new(&folder).join(kind), &mut files);
    }
    assert!(files.len() > 100, "{} files", files.len());
    let mut loader = Loader::default();
    loader.add_own();
    let scanner = Scanner::new(
        vec![Box::new(loader.finish())],
        Policy::default(),
        None,
        None,
    );
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        let name = Declared::named(&file.file_name().unwrap().to_string_lossy());
        let deadline = Deadline::after(Duration::from_secs(60));
        let report = scanner.scan(Setting::Message, &bytes, &name, &deadline);
        assert_eq!(
            (report.findings, report.faults),
            (vec![], vec![]),
            "{}",
            file.display()
        );
    }
}

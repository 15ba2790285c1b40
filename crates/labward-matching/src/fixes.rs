//! Which releases of Windows a vulnerability hits, and by which update or build it is fixed.
//!
//! It must never hold a line without its source: what nobody is sure of is not in the table, and cannot be told.

use std::collections::HashMap;

use labward_product::os::{Build, OperatingSystem};
use time::Date;

use crate::eol::{TableError, day};

/// What a vendor did about a vulnerability in one release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    product: String,
    release: String,
    update: Option<String>,
    /// What was done.
    pub state: FixState,
    /// The first build with the fix, where updates are cumulative.
    pub build: Option<Build>,
    /// What must run for the vulnerability to count, such as `domain controller`; empty for nothing.
    pub role: String,
    /// The update, or why the release is not affected.
    pub update_name: String,
    /// Who says so.
    pub source: String,
}

/// What a vendor did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FixState {
    /// The release is affected, and an update fixes it.
    Fixed,
    /// The release is affected, and no update for everybody was ever published.
    NoFix,
    /// The release is not affected.
    NotAffected,
}

/// The table of fixes.
#[derive(Clone, Debug, Default)]
pub struct FixTable {
    by_cve: HashMap<String, Vec<Fix>>,
    /// Builds with the day on which they came out.
    builds: Vec<(Build, Date)>,
}

impl FixTable {
    /// The tables that come with Labward, `data/windows-fixes.csv` and `data/windows-builds.csv`.
    ///
    /// # Errors
    /// None, as a test shows; the type is that of [`FixTable::read`].
    pub fn shipped() -> Result<Self, TableError> {
        Self::read(
            include_str!("../data/windows-fixes.csv"),
            include_str!("../data/windows-builds.csv"),
        )
    }

    /// Reads the fixes, CSV with the columns `cves` (with a space between them), `product`, `releases` (`10/1809`,
    /// with `|` between them), `state` (`fixed`, `no-fix`, `not-affected`), `build`, `role`, `fix`, `day`, `source`;
    /// and the builds, CSV with the columns `build`, `day`, `source`.
    ///
    /// # Errors
    /// The first line of either that is no entry.
    pub fn read(fixes: &str, builds: &str) -> Result<Self, TableError> {
        let mut table = Self::default();
        let mut reader = csv::Reader::from_reader(fixes.as_bytes());
        for (line, record) in (2_u64..).zip(reader.records()) {
            let record = record.map_err(|_| "it has not nine fields");
            let added = record.and_then(|record| table.add_fix(&record));
            added.map_err(|what| TableError { line, what })?;
        }
        let mut reader = csv::Reader::from_reader(builds.as_bytes());
        for (line, record) in (2_u64..).zip(reader.records()) {
            let record = record.map_err(|_| "it has not three fields");
            let build = record.and_then(|record| {
                let field = |at: usize| record.get(at).unwrap_or_default();
                table.add_build(field(0), field(1))
            });
            let build = build.and_then(|build| build.ok_or("it names no build"));
            build.map_err(|what| TableError { line, what })?;
        }
        Ok(table)
    }

    /// Notes what a line says, for each of its vulnerabilities and releases.
    fn add_fix(&mut self, record: &csv::StringRecord) -> Result<(), &'static str> {
        let field = |at: usize| record.get(at).unwrap_or_default();
        let state = match field(3) {
            "fixed" => FixState::Fixed,
            "no-fix" => FixState::NoFix,
            "not-affected" => FixState::NotAffected,
            _ => return Err("the state is not fixed, no-fix or not-affected"),
        };
        let build = self.add_build(field(4), field(7))?;
        if field(8).is_empty() {
            return Err("it names no source");
        }
        for release in field(2).split('|') {
            let (release, update) = match release.split_once('/') {
                Some((release, update)) => (release, Some(update.to_owned())),
                None => (release, None),
            };
            let fix = Fix {
                product: field(1).to_owned(),
                release: release.to_owned(),
                update,
                state,
                build,
                role: field(5).to_owned(),
                update_name: field(6).to_owned(),
                source: field(8).to_owned(),
            };
            for cve in field(0).split_whitespace() {
                let of_cve = self.by_cve.entry(cve.to_owned()).or_default();
                of_cve.push(fix.clone());
            }
        }
        Ok(())
    }

    /// Notes a build with its day.
    fn add_build(&mut self, build: &str, of: &str) -> Result<Option<Build>, &'static str> {
        if build.is_empty() {
            return Ok(None);
        }
        let build = Build::of(build).filter(|build| build.revision.is_some());
        let build = build.ok_or("a build is not known, or has no revision")?;
        let day = day(of).ok_or("a day is not written as 2029-01-09")?;
        self.builds.push((build, day));
        Ok(Some(build))
    }

    /// What was done about a vulnerability in this release; `None` where the table does not say.
    pub fn fix(&self, cve: &str, os: &OperatingSystem) -> Option<&Fix> {
        self.by_cve.get(cve)?.iter().find(|fix| {
            let is_update = fix.update.is_none() || fix.update == os.update;
            fix.product == os.product.code() && fix.release == os.release && is_update
        })
    }

    /// The day of the newest update that a build surely holds.
    pub fn updated_on(&self, build: Build) -> Option<Date> {
        let held = self
            .builds
            .iter()
            .filter(|(known, _)| known.number == build.number && known.revision <= build.revision);
        held.map(|(_, day)| *day).max()
    }

    /// The vulnerabilities that it speaks of.
    pub fn cves(&self) -> impl Iterator<Item = &str> {
        self.by_cve.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn the_shipped_tables_are_read_and_no_release_has_two_lines() {
        let table = FixTable::shipped().unwrap();
        assert!(table.cves().count() >= 18);
        for fixes in table.by_cve.values() {
            for fix in fixes {
                let same = |one: &&Fix| {
                    let overlap = one.update == fix.update || one.update.is_none();
                    one.product == fix.product && one.release == fix.release && overlap
                };
                assert_eq!(fixes.iter().filter(same).count(), 1, "{fix:?}");
                // A build tells something only of its own release.
                let build = fix.build.map(|build| build.number.to_string());
                let name = match fix.product.as_str() {
                    "windows" => format!("Windows {}", fix.release),
                    _ => format!("Windows Server {}", fix.release),
                };
                if let Some(build) = build {
                    let os = OperatingSystem::read(&name, &build).unwrap();
                    assert!(fix.update.is_none() || fix.update == os.update, "{fix:?}");
                }
            }
        }
    }

    #[test]
    fn a_build_holds_the_updates_before_it() {
        let table = FixTable::shipped().unwrap();
        let on = |text| table.updated_on(Build::of(text).unwrap());
        assert_eq!(on("17763.6414"), Some(date!(2024 - 10 - 08)));
        assert_eq!(on("17763.6413"), Some(date!(2021 - 07 - 06)));
        assert_eq!(on("17763.1"), None);
        assert_eq!(on("17763"), None);
    }

    #[test]
    fn a_line_that_is_no_entry_is_named() {
        let head = "cves,product,releases,state,build,role,fix,day,source\n";
        for (line, what) in [
            ("CVE-1,windows,7,fixed,,,KB,,", "it names no source"),
            (
                "CVE-1,windows,7,gone,,,KB,,x",
                "the state is not fixed, no-fix or not-affected",
            ),
            (
                "CVE-1,windows,7,fixed,17763,,KB,2020-01-01,x",
                "a build is not known, or has no revision",
            ),
            (
                "CVE-1,windows,7,fixed,17763.1,,KB,,x",
                "a day is not written as 2029-01-09",
            ),
        ] {
            let error = FixTable::read(&format!("{head}{line}\n"), "").unwrap_err();
            assert_eq!((error.line, error.what), (2, what));
        }
    }
}

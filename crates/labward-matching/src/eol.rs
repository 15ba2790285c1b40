//! Until when releases of operating systems, and of SQL Server, get security updates.
//!
//! It must never give one date where editions differ and the edition is not known.

use std::collections::HashMap;

use labward_advisory::eol::ReleaseData;
use labward_product::os::{Edition, OperatingSystem};
use time::Date;
use time::macros::format_description;

/// The ends of one release. With service packs they are those of the last one: before it they are earlier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndOfLife {
    /// The release, such as `2012 r2`, and its feature update, such as `1809`; empty if there is none.
    pub release: (String, String),
    /// The editions; empty for all that have no line of their own.
    pub editions: Vec<String>,
    /// The last day of mainstream support.
    pub mainstream: Option<Date>,
    /// The last day of security updates for everybody.
    pub extended: Date,
    /// The last day of security updates that are paid for.
    pub last: Option<Date>,
    /// Who says so.
    pub source: String,
}

/// Which updates a release gets on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Support {
    /// None.
    Ended,
    /// Only what is paid for.
    PaidOnly,
    /// Security updates.
    Security,
}

impl Support {
    /// Its stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Ended => "ended",
            Self::PaidOnly => "paid-only",
            Self::Security => "security",
        }
    }
}

impl EndOfLife {
    /// Which updates it gets on a day; the last day counts in.
    pub fn on(&self, day: Date) -> Support {
        match day {
            _ if day <= self.extended => Support::Security,
            _ if self.last.is_some_and(|last| day <= last) => Support::PaidOnly,
            _ => Support::Ended,
        }
    }

    /// The last day of any security update.
    pub fn end(&self) -> Date {
        self.last
            .map_or(self.extended, |last| last.max(self.extended))
    }
}

/// What is known of an operating system's support: two ends where its edition or update is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifecycle<'t> {
    /// The release that it may be and that ends first.
    pub earliest: &'t EndOfLife,
    /// The release that it may be and that ends last.
    pub latest: &'t EndOfLife,
}

impl Lifecycle<'_> {
    /// Which updates it gets on a day; `None` where that depends on what is not known of it.
    pub fn on(&self, day: Date) -> Option<Support> {
        let support = self.latest.on(day);
        (support == self.earliest.on(day)).then_some(support)
    }
}

/// A table that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read line {line} of a table: {what}")]
pub struct TableError {
    /// The line, counted from 1, the heading included.
    pub line: u64,
    /// What is wrong with it.
    pub what: &'static str,
}

/// The ends of life of products.
#[derive(Clone, Debug, Default)]
pub struct EndOfLifeTable {
    /// By [`Product::code`](labward_product::os::Product::code).
    products: HashMap<String, Vec<EndOfLife>>,
}

impl EndOfLifeTable {
    /// The table that comes with Labward, `data/end-of-life.csv`: Windows, Windows Server and SQL Server.
    ///
    /// # Errors
    /// None, as a test shows; the type is that of [`EndOfLifeTable::read`].
    pub fn shipped() -> Result<Self, TableError> {
        Self::read(include_str!("../data/end-of-life.csv"))
    }

    /// Reads a table: CSV with the columns `product`, `release`, `update`, `editions` (codes with a space between
    /// them), `mainstream`, `extended`, `last` (days as `2029-01-09`) and `source`.
    ///
    /// # Errors
    /// The first line that is no entry.
    pub fn read(text: &str) -> Result<Self, TableError> {
        let mut table = Self::default();
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        for (line, record) in (2_u64..).zip(reader.records()) {
            let fault = |what| TableError { line, what };
            let record = record.map_err(|_| fault("it has not eight fields"))?;
            let field = |at: usize| record.get(at).unwrap_or_default();
            let date = |at: usize| match field(at) {
                "" => Ok(None),
                text => match day(text) {
                    Some(day) => Ok(Some(day)),
                    None => Err(fault("a date is not written as 2029-01-09")),
                },
            };
            let entry = EndOfLife {
                release: (field(1).to_owned(), field(2).to_owned()),
                editions: field(3).split_whitespace().map(str::to_owned).collect(),
                mainstream: date(4)?,
                extended: date(5)?.ok_or(fault("it has no end"))?,
                last: date(6)?,
                source: field(7).to_owned(),
            };
            if field(0).is_empty() || entry.source.is_empty() {
                return Err(fault("it names no product or no source"));
            }
            table
                .products
                .entry(field(0).to_owned())
                .or_default()
                .push(entry);
        }
        Ok(table)
    }

    /// Takes in the releases of one more product; what the table holds of a product already is not changed.
    pub fn add(&mut self, product: &str, data: &ReleaseData) {
        if self.products.contains_key(product) {
            return;
        }
        let entries = data.releases.iter().filter_map(|release| {
            Some(EndOfLife {
                release: (release.name.to_string(), String::new()),
                editions: Vec::new(),
                mainstream: release.end_of_active,
                extended: release.end_of_life?,
                last: release.end_of_extended,
                source: format!("endoflife.date: {product}"),
            })
        });
        self.products.insert(product.to_owned(), entries.collect());
    }

    /// Until when an operating system is supported; `None` if the table does not hold it.
    pub fn end_of_life(&self, os: &OperatingSystem) -> Option<Lifecycle<'_>> {
        let entries = self.products.get(os.product.code())?;
        // `22.04.3` is of the line `22.04`.
        let lines = entries
            .iter()
            .filter(|one| is_line(&one.release.0, &os.release));
        let finest = lines.map(|one| one.release.0.len()).max()?;
        let mine = || {
            entries.iter().filter(move |one| {
                one.release.0.len() == finest
                    && is_line(&one.release.0, &os.release)
                    && one.may_be(os)
            })
        };
        Some(Lifecycle {
            earliest: mine().min_by_key(|one| one.end())?,
            latest: mine().max_by_key(|one| one.end())?,
        })
    }

    /// Every product and its releases, by the product's code.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &EndOfLife)> {
        let products = self.products.iter();
        products.flat_map(|(product, all)| all.iter().map(move |one| (product.as_str(), one)))
    }
}

impl EndOfLife {
    /// Whether an operating system of this release may be of this feature update and edition.
    fn may_be(&self, os: &OperatingSystem) -> bool {
        let update = &self.release.1;
        let same_update = update.is_empty() || os.update.as_ref().is_none_or(|of| of == update);
        let edition = os.edition.code();
        let same_edition = match os.edition {
            Edition::Unknown => true,
            Edition::Embedded
            | Edition::EmbeddedIndustry
            | Edition::EmbeddedPointOfService
            | Edition::EmbeddedPosReady
            | Edition::EmbeddedStandard
            | Edition::IotLtsc
            | Edition::Ltsc => self.editions.iter().any(|one| one == edition),
            Edition::Enterprise
            | Edition::Express
            | Edition::Home
            | Edition::IotEnterprise
            | Edition::Pro => {
                self.editions.is_empty() || self.editions.iter().any(|one| one == edition)
            }
        };
        same_update && same_edition
    }
}

/// Whether a release is the line, or of the line: `22.04.3` is of `22.04` and of `22`.
fn is_line(line: &str, release: &str) -> bool {
    let rest = release.strip_prefix(line);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// A day as `2029-01-09`.
pub(crate) fn day(text: &str) -> Option<Date> {
    Date::parse(text, format_description!("[year]-[month]-[day]")).ok()
}

#[cfg(test)]
mod tests {
    use labward_advisory::Limits;
    use time::macros::date;

    use super::*;

    fn of(name: &str, build: &str) -> (Option<Date>, Option<Date>) {
        let table = EndOfLifeTable::shipped().unwrap();
        let os = OperatingSystem::read(name, build).unwrap();
        let found = table.end_of_life(&os);
        (
            found.map(|one| one.earliest.extended),
            found.map(|one| one.latest.extended),
        )
    }

    #[track_caller]
    fn check(name: &str, build: &str, earliest: Date, latest: Date) {
        assert_eq!(of(name, build), (Some(earliest), Some(latest)), "{name}");
    }

    #[test]
    fn the_end_is_that_of_the_edition() {
        let one = |name, build, end| check(name, build, end, end);
        let long = "Windows 10 IoT Enterprise LTSC 2019";
        one(long, "17763.6414", date!(2029 - 01 - 09));
        one("Windows 10 Pro", "17763", date!(2020 - 11 - 10));
        one("Windows XP Embedded SP3", "", date!(2016 - 01 - 12));
        one("Windows XP Professional", "", date!(2014 - 04 - 08));
        one("Windows Embedded Standard 7", "7601", date!(2020 - 10 - 13));
        one("Windows Server 2012 R2", "", date!(2023 - 10 - 10));
        one("SQL Server 2008 R2 Express", "", date!(2019 - 07 - 09));
        one("Windows CE 6.0", "", date!(2018 - 04 - 10));
    }

    #[test]
    fn what_is_not_known_leaves_two_ends() {
        check(
            "Windows XP",
            "",
            date!(2014 - 04 - 08),
            date!(2019 - 04 - 09),
        );
        check(
            "Windows 10",
            "17763",
            date!(2020 - 11 - 10),
            date!(2029 - 01 - 09),
        );
        let table = EndOfLifeTable::shipped().unwrap();
        let os = OperatingSystem::read("Windows 10", "17763").unwrap();
        let found = table.end_of_life(&os).unwrap();
        assert_eq!(found.on(date!(2020 - 01 - 01)), Some(Support::Security));
        assert_eq!(found.on(date!(2025 - 01 - 01)), None);
        assert_eq!(found.on(date!(2029 - 01 - 10)), Some(Support::Ended));
        assert_eq!(of("Windows 95", ""), (None, None));
        // An embedded Windows that does not say which is none of the others.
        assert_eq!(of("Windows 7 Embedded", ""), (None, None));
    }

    #[test]
    fn the_last_day_is_a_day_of_support() {
        let table = EndOfLifeTable::shipped().unwrap();
        let os = OperatingSystem::read("Windows 7 Pro SP1", "").unwrap();
        let seven = table.end_of_life(&os).unwrap();
        for (day, support) in [
            (date!(2020 - 01 - 14), Support::Security),
            (date!(2020 - 01 - 15), Support::PaidOnly),
            (date!(2023 - 01 - 10), Support::PaidOnly),
            (date!(2023 - 01 - 11), Support::Ended),
        ] {
            assert_eq!(seven.on(day), Some(support), "{day}");
        }
    }

    #[test]
    fn every_line_of_the_table_is_in_order_and_can_be_reached() {
        let table = EndOfLifeTable::shipped().unwrap();
        for (product, one) in table.entries() {
            assert!(
                one.mainstream.is_none_or(|end| end <= one.extended),
                "{one:?}"
            );
            assert!(one.last.is_none_or(|end| end > one.extended), "{one:?}");
            let twins = table.entries().filter(|(of, other)| {
                let shares = one
                    .editions
                    .iter()
                    .any(|code| other.editions.contains(code));
                let same = one.editions.is_empty() && other.editions.is_empty();
                (*of, &other.release) == (product, &one.release) && (shares || same)
            });
            assert_eq!(twins.count(), 1, "{product} {one:?}");
        }
    }

    #[test]
    fn a_line_that_is_no_entry_is_named() {
        let head = "product,release,update,editions,mainstream,extended,last,source\n";
        for (line, what) in [
            ("windows,7,,,,,,x", "it has no end"),
            (
                "windows,7,,,,2020,,x",
                "a date is not written as 2029-01-09",
            ),
            (
                "windows,7,,,,2020-01-14,,",
                "it names no product or no source",
            ),
            ("windows,7", "it has not eight fields"),
        ] {
            let error = EndOfLifeTable::read(&format!("{head}{line}\n")).unwrap_err();
            assert_eq!((error.line, error.what), (2, what));
        }
    }

    #[test]
    fn releases_of_other_systems_are_found_by_their_line() {
        let text = br#"{"releases":{"22.04":{"eol":"2027-04-01"},"2":{"eol":"2001-01-01"}}}"#;
        let data = ReleaseData::parse(text, &Limits::default()).unwrap();
        let mut table = EndOfLifeTable::shipped().unwrap();
        table.add("ubuntu", &data);
        table.add("windows", &data);
        let end = |name| {
            let os = OperatingSystem::read(name, "").unwrap();
            table.end_of_life(&os).map(|one| one.latest.extended)
        };
        assert_eq!(end("Ubuntu 22.04.3 LTS"), Some(date!(2027 - 04 - 01)));
        assert_eq!(end("Ubuntu 22.10"), None);
        assert_eq!(end("Windows 7"), Some(date!(2021 - 10 - 12)));
    }
}

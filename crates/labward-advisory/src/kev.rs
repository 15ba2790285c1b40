//! The catalog of known exploited vulnerabilities of CISA (KEV, JSON or CSV).
//!
//! A due date binds United States federal agencies (BOD 22-01); what it means for a laboratory is not
//! decided here.

mod table;

use time::Date;

use crate::flaw::Flaws;
use crate::json::{self, Value};
use crate::lenient::{Ground, Lenient as _};
use crate::{Error, Limits, Text};

/// The catalog.
#[derive(Clone, Debug)]
pub struct Catalog {
    /// `catalogVersion`, for example `2025.08.25`; empty for CSV, which does not say it.
    pub version: Text,
    /// When it was released.
    pub released: Option<labward_base::Timestamp>,
    /// Its entries, in the order of the file.
    pub entries: Vec<KnownExploited>,
    /// What could not be read.
    pub flaws: Flaws,
}

/// One vulnerability that is known to be exploited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownExploited {
    /// The CVE id.
    pub cve: Text,
    /// `vendorProject`.
    pub vendor: Text,
    /// `product`.
    pub product: Text,
    /// `vulnerabilityName`.
    pub name: Text,
    /// When it came into the catalog.
    pub added: Option<Date>,
    /// By when federal agencies must have acted.
    pub due: Option<Date>,
    /// Whether ransomware is known to use it; `Unknown` in the file is false.
    pub known_ransomware: bool,
    /// What CISA asks to be done.
    pub required_action: Text,
    /// What it is.
    pub description: Text,
    /// Links, as the file writes them.
    pub notes: Option<Text>,
    /// Its weaknesses (`CWE-59`).
    pub cwes: Vec<Text>,
}

impl Catalog {
    /// Reads the bytes of the file.
    ///
    /// # Errors
    /// If it is no JSON, passes a limit, or has no list `vulnerabilities`; for CSV if its head does not
    /// name `cveID` and `dateAdded`.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, Error> {
        if table::is_table(bytes) {
            return table::read(bytes, limits);
        }
        json::read(bytes, limits, |root, ground| {
            let list = root.get("vulnerabilities");
            if root.get("catalogVersion").is_none() || list.is_none() {
                return Err(Error::NotA("KEV"));
            }
            let entries = ground.entries(root, "vulnerabilities");
            let entries: Vec<_> = entries.into_iter().map(|one| entry(ground, one)).collect();
            count(ground, root, entries.len());
            Ok(Self {
                version: ground.needed(root, "catalogVersion"),
                released: ground.time(root, "dateReleased"),
                entries,
                flaws: std::mem::take(&mut ground.flaws),
            })
        })
    }
}

/// A file that was cut says another count than it has.
#[expect(
    clippy::cast_precision_loss,
    reason = "the limit of entries is far below 53 bits"
)]
fn count(ground: &mut Ground<'_>, root: Value<'_>, entries: usize) {
    if let Some(at) = root.get("count")
        && at.number() != Some(entries as f64)
    {
        ground.flaw("read", at, format!("the file has {entries} entries"));
    }
}

fn entry<'t>(ground: &mut Ground<'t>, value: Value<'t>) -> KnownExploited {
    let use_ = value.get("knownRansomwareCampaignUse");
    let known_ransomware = match use_.map(|one| (one, one.text())) {
        None | Some((_, Some("Unknown"))) => false,
        Some((_, Some("Known"))) => true,
        Some((at, _)) => {
            ground.flaw("read", at, "neither `Known` nor `Unknown`; read as known");
            true
        }
    };
    KnownExploited {
        cve: ground.needed(value, "cveID"),
        vendor: ground.needed(value, "vendorProject"),
        product: ground.needed(value, "product"),
        name: ground.text(value, "vulnerabilityName").unwrap_or_default(),
        added: ground.date(value, "dateAdded"),
        due: ground.date(value, "dueDate"),
        known_ransomware,
        required_action: ground.text(value, "requiredAction").unwrap_or_default(),
        description: ground.text(value, "shortDescription").unwrap_or_default(),
        notes: ground.text(value, "notes"),
        cwes: ground.texts(value, "cwes"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SMALL: &str = r#"{"catalogVersion":"2025.01.01","dateReleased":"2025-01-01T10:00:00.0000Z","count":2,
        "vulnerabilities":[
          {"cveID":"CVE-2017-0144","vendorProject":"Microsoft","product":"SMBv1","vulnerabilityName":"RCE",
           "dateAdded":"2022-02-10","dueDate":"2022-08-10","knownRansomwareCampaignUse":"Known",
           "requiredAction":"Apply updates.","shortDescription":"…","notes":"","cwes":["CWE-20"]},
          {"cveID":"CVE-2019-0708","vendorProject":"Microsoft","product":"RDP","dateAdded":"today",
           "knownRansomwareCampaignUse":"Maybe","cwes":[7]}]}"#;

    #[test]
    fn an_entry_is_read_with_its_dates() {
        let catalog = Catalog::parse(SMALL.as_bytes(), &Limits::default()).unwrap();
        assert_eq!(
            (&*catalog.version, catalog.entries.len()),
            ("2025.01.01", 2)
        );
        let first = &catalog.entries[0];
        assert_eq!((&*first.cve, &*first.product), ("CVE-2017-0144", "SMBv1"));
        assert_eq!(first.due.unwrap().to_string(), "2022-08-10");
        assert!(first.known_ransomware);
        assert_eq!(&*first.cwes[0], "CWE-20");
    }

    #[test]
    fn what_cannot_be_read_is_told_and_unclear_ransomware_counts_as_known() {
        let catalog = Catalog::parse(SMALL.as_bytes(), &Limits::default()).unwrap();
        let second = &catalog.entries[1];
        assert_eq!(
            (second.added, second.due, second.known_ransomware),
            (None, None, true)
        );
        let told: Vec<String> = catalog
            .flaws
            .listed()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            told,
            [
                "read at /vulnerabilities/1/knownRansomwareCampaignUse: neither `Known` nor `Unknown`; read as known",
                "read at /vulnerabilities/1/dateAdded: no date (YYYY-MM-DD)",
                "read at /vulnerabilities/1/cwes/0: a number where text is expected",
            ]
        );
    }

    #[test]
    fn a_count_that_is_wrong_is_told() {
        let text = r#"{"catalogVersion":"1","count":3,"vulnerabilities":[]}"#;
        let catalog = Catalog::parse(text.as_bytes(), &Limits::default()).unwrap();
        assert_eq!(catalog.flaws.listed()[0].place, "/count");
        let other = Catalog::parse(br#"{"vulnerabilities":[]}"#, &Limits::default());
        assert_eq!(other.err(), Some(Error::NotA("KEV")));
    }

    #[test]
    fn the_same_catalog_as_csv_says_the_same() {
        let text = "\u{feff}\"cveID\",\"vendorProject\",\"product\",\"vulnerabilityName\",\"dateAdded\",\
            \"shortDescription\",\"requiredAction\",\"dueDate\",\"knownRansomwareCampaignUse\",\"notes\",\"cwes\"\r\n\
            CVE-2017-0144,Microsoft,SMBv1,RCE,2022-02-10,…,\"Apply, updates.\",2022-08-10,Known,,\"CWE-20, CWE-22\"\r\n\
            CVE-2019-0708,Microsoft,RDP,,today,,,,Maybe\r\n";
        let catalog = Catalog::parse(text.as_bytes(), &Limits::default()).unwrap();
        let first = &catalog.entries[0];
        assert_eq!(
            (&*first.cve, &*first.required_action),
            ("CVE-2017-0144", "Apply, updates.")
        );
        assert_eq!(first.due.unwrap().to_string(), "2022-08-10");
        assert_eq!((&*first.cwes[0], &*first.cwes[1]), ("CWE-20", "CWE-22"));
        let second = &catalog.entries[1];
        assert_eq!((second.added, second.known_ransomware), (None, true));
        let told: Vec<String> = catalog
            .flaws
            .listed()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            told,
            [
                "read at entry 2: dateAdded is no date (YYYY-MM-DD)",
                "read at entry 2: neither `Known` nor `Unknown`; read as known",
            ]
        );
        let other = Catalog::parse(b"cve,epss\n", &Limits::default());
        assert!(matches!(other, Err(Error::NotJson { .. })));
    }

    #[test]
    fn the_real_catalog_is_read_whole() {
        let Some(data) = crate::real_data::folder("KEV") else {
            return;
        };
        let path = data.join("kev/known_exploited_vulnerabilities.json");
        let catalog = Catalog::parse(&std::fs::read(path).unwrap(), &Limits::default()).unwrap();
        let ransomware = catalog
            .entries
            .iter()
            .filter(|one| one.known_ransomware)
            .count();
        assert_eq!((catalog.entries.len(), ransomware), (1_404, 293));
        assert!(
            catalog
                .entries
                .iter()
                .all(|one| one.due.is_some() && one.added.is_some())
        );
        assert!(catalog.flaws.is_empty());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(at in 0..SMALL.len(), byte: u8) {
            let mut bytes = SMALL.as_bytes().to_vec();
            bytes[at] = byte;
            let _ = Catalog::parse(&bytes, &Limits::default());
        }
    }
}

//! Release data of endoflife.date (JSON, one file a product): until when each release is supported.
//!
//! A date that is missing must never read as "supported for ever": then nothing is said.

use time::Date;

use crate::flaw::Flaws;
use crate::json::{self, Kind};
use crate::lenient::Lenient as _;
use crate::{Error, Limits, Text};

/// The releases of one product.
#[derive(Clone, Debug)]
pub struct ReleaseData {
    /// In the order of the file.
    pub releases: Vec<Release>,
    /// What could not be read.
    pub flaws: Flaws,
}

/// One release, or one line of releases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Its name, such as `22.04` or `9`.
    pub name: Text,
    /// When it came out.
    pub released: Option<Date>,
    /// The last day of active support.
    pub end_of_active: Option<Date>,
    /// The last day of security updates.
    pub end_of_life: Option<Date>,
    /// The last day of updates that are paid for, or made by others.
    pub end_of_extended: Option<Date>,
}

impl ReleaseData {
    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// If it is no JSON, passes a limit, or has no object `releases`.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, Error> {
        json::read(bytes, limits, |root, ground| {
            let list = root.get("releases");
            let Some(list) = list.filter(|list| matches!(list.kind(), Kind::Object | Kind::Array))
            else {
                return Err(Error::NotA("release data of endoflife.date"));
            };
            let mut releases = Vec::new();
            for (key, one) in list.members().take(limits.max_entries) {
                if one.kind() != Kind::Object {
                    ground.flaw("read", one, "a release that is no object was left out");
                    continue;
                }
                // Where nothing is known of an end the file says true or false.
                let mut date = |key: &str| {
                    let is_flag = one.get(key).is_some_and(|one| one.kind() == Kind::Bool);
                    (!is_flag).then(|| ground.date(one, key)).flatten()
                };
                releases.push(Release {
                    released: date("releaseDate"),
                    end_of_active: date("eoas"),
                    end_of_life: date("eol"),
                    end_of_extended: date("eoes"),
                    name: ground.keep(key),
                });
            }
            if let Some((_, at)) = list.members().nth(ground.limits.max_entries) {
                ground.flaw(
                    "read",
                    at,
                    "more releases than the limit; the rest was left out",
                );
            }
            Ok(Self {
                releases,
                flaws: std::mem::take(&mut ground.flaws),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::date;

    use super::*;

    const SMALL: &str = r#"{"releases":{"9":{"name":"9","releaseDate":"2022-05-18","eoas":"2027-05-31",
        "eol":"2032-05-31","eoes":"2036-05-31"},"x":{"eol":false},"y":{"eol":"soon"},"z":7},"versions":{}}"#;

    #[test]
    fn dates_are_read_and_what_is_no_date_says_nothing() {
        let data = ReleaseData::parse(SMALL.as_bytes(), &Limits::default()).unwrap();
        let [nine, x, y] = &data.releases[..] else {
            panic!("{:?}", data.releases)
        };
        assert_eq!(
            (&*nine.name, nine.end_of_life),
            ("9", Some(date!(2032 - 05 - 31)))
        );
        assert_eq!(nine.end_of_extended, Some(date!(2036 - 05 - 31)));
        assert_eq!((x.end_of_life, y.end_of_life), (None, None));
        let places: Vec<&str> = data
            .flaws
            .listed()
            .iter()
            .map(|one| one.place.as_str())
            .collect();
        assert_eq!(places, ["/releases/y/eol", "/releases/z"]);
        let few = Limits {
            max_entries: 1,
            ..Limits::default()
        };
        let data = ReleaseData::parse(SMALL.as_bytes(), &few).unwrap();
        assert_eq!((data.releases.len(), data.flaws.listed().len()), (1, 1));
        let other = ReleaseData::parse(b"{}", &Limits::default());
        assert!(matches!(other, Err(Error::NotA(_))));
    }

    #[test]
    fn the_real_data_is_read_whole() {
        let Some(data) = crate::real_data::folder("release data") else {
            return;
        };
        let files = crate::real_data::unpack(data.join("eol/endoflife-release-data.tar.xz"));
        let (mut products, mut releases, mut ending) = (0, 0, 0);
        for (name, bytes) in files.iter().filter(|(name, _)| name.ends_with(".json")) {
            let data = ReleaseData::parse(bytes, &Limits::default()).unwrap();
            assert!(data.flaws.is_empty(), "{name}: {:?}", data.flaws.listed());
            products += 1;
            releases += data.releases.len();
            let ends = data.releases.iter().filter(|one| one.end_of_life.is_some());
            ending += ends.count();
        }
        assert_eq!((products, releases, ending), (403, 2_615, 1_957));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(at in 0..SMALL.len(), byte: u8) {
            let mut bytes = SMALL.as_bytes().to_vec();
            bytes[at] = byte;
            let _ = ReleaseData::parse(&bytes, &Limits::default());
        }
    }
}

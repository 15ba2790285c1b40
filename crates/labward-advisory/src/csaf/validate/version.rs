//! Versions of CSAF documents: a number, or a semantic version; of any length.

use std::cmp::Ordering;

/// The version of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Version<'t> {
    /// Whether it is a mere number.
    pub(super) is_integer: bool,
    major: &'t str,
    minor: &'t str,
    patch: &'t str,
    /// What follows a `-`.
    pub(super) pre_release: Option<&'t str>,
    /// What follows a `+`.
    pub(super) build: Option<&'t str>,
}

fn is_number(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && (text.len() == 1 || !text.starts_with('0'))
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn compare_numbers(one: &str, two: &str) -> Ordering {
    one.len().cmp(&two.len()).then_with(|| one.cmp(two))
}

impl<'t> Version<'t> {
    /// Reads a version; `None` if it is none.
    pub(super) fn parse(text: &'t str) -> Option<Self> {
        if is_number(text) {
            return Some(Self {
                is_integer: true,
                major: text,
                minor: "0",
                patch: "0",
                pre_release: None,
                build: None,
            });
        }
        let (rest, build) = match text.split_once('+') {
            Some((rest, build)) => (rest, Some(build)),
            None => (text, None),
        };
        let (core, pre_release) = match rest.split_once('-') {
            Some((core, pre_release)) => (core, Some(pre_release)),
            None => (rest, None),
        };
        let mut numbers = core.split('.');
        let (major, minor, patch) = (numbers.next()?, numbers.next()?, numbers.next()?);
        let is_pre = |part: &str| {
            is_identifier(part) && (is_number(part) || part.bytes().any(|b| !b.is_ascii_digit()))
        };
        let is_version = numbers.next().is_none()
            && [major, minor, patch].into_iter().all(is_number)
            && pre_release.is_none_or(|text| text.split('.').all(is_pre))
            && build.is_none_or(|text| text.split('.').all(is_identifier));
        is_version.then_some(Self {
            is_integer: false,
            major,
            minor,
            patch,
            pre_release,
            build,
        })
    }

    /// The major version, if it is not beyond counting.
    pub(super) fn major(&self) -> Option<u64> {
        self.major.parse().ok()
    }

    /// Whether it is `0` or `0.y.z`.
    pub(super) fn is_zero(&self) -> bool {
        self.major == "0"
    }

    /// The order of semantic versions (semver.org, 11) without their pre-release parts.
    pub(super) fn compare_numbers(&self, other: &Self) -> Ordering {
        compare_numbers(self.major, other.major)
            .then_with(|| compare_numbers(self.minor, other.minor))
            .then_with(|| compare_numbers(self.patch, other.patch))
    }

    /// The order of semantic versions (semver.org, 11); build metadata does not count.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        self.compare_numbers(other)
            .then_with(|| match (self.pre_release, other.pre_release) {
                (None, None) => Ordering::Equal,
                (None, Some(_)) => Ordering::Greater,
                (Some(_), None) => Ordering::Less,
                (Some(one), Some(two)) => compare_pre_releases(one, two),
            })
    }
}

fn compare_pre_releases(one: &str, two: &str) -> Ordering {
    let (mut one, mut two) = (one.split('.'), two.split('.'));
    loop {
        let order = match (one.next(), two.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(one), Some(two)) => match (is_number(one), is_number(two)) {
                (true, true) => compare_numbers(one, two),
                (true, false) => Ordering::Less,
                (false, true) => Ordering::Greater,
                (false, false) => one.cmp(two),
            },
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_as_semver_says() {
        let ordered = [
            "0",
            "1",
            "1.0.1-alpha",
            "1.0.1-alpha.1",
            "1.0.1-alpha.beta",
            "1.0.1-beta",
            "1.0.1-beta.2",
            "1.0.1-beta.11",
            "1.0.1-rc.1",
            "1.0.1",
            "2.0.0",
            "10",
            "99999999999999999999999999",
        ];
        for pair in ordered.windows(2) {
            let (one, two) = (
                Version::parse(pair[0]).unwrap(),
                Version::parse(pair[1]).unwrap(),
            );
            assert_eq!(one.compare(&two), Ordering::Less, "{pair:?}");
            assert_eq!(two.compare(&one), Ordering::Greater, "{pair:?}");
        }
        let built = Version::parse("1.0.1+exp.sha").unwrap();
        assert_eq!(
            built.compare(&Version::parse("1.0.1").unwrap()),
            Ordering::Equal
        );
    }

    #[test]
    fn what_is_no_version_is_not_read() {
        for text in [
            "",
            "01",
            "1.0",
            "1.0.0.0",
            "1.0.0-",
            "1.0.0-01",
            "1.0.0+",
            "a",
            "1.0.0-a..b",
            "-1",
        ] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }
}

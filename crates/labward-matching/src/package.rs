//! Packages as bills of materials and vulnerability databases name them, and the order of their versions.
//!
//! It must never order two versions by a rule that is not that of their ecosystem: then they have none.

use std::cmp::Ordering;

use labward_advisory::Purl;
use semver::{BuildMetadata, Prerelease};

/// How an ecosystem orders versions, as far as it is read here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// As semantic versions.
    Semver,
    /// Numbers with dots between them, one by one, zeros at the end without weight; what stands behind them counts in
    /// ways of its own.
    Dotted,
    /// Not read here.
    Unread,
}

/// A version, prepared to be compared.
#[derive(Clone, Debug)]
pub(crate) enum Ordered {
    /// Before all others: `0` where a range begins.
    Least,
    Semver(semver::Version),
    /// The numbers at the beginning, and whether more stands behind them.
    Dotted(Vec<u64>, bool),
    Unread,
}

/// Package types, their ecosystem in OSV, and the order of its versions.
const ECOSYSTEMS: &[(&str, &str, Scheme)] = &[
    ("apk", "alpine", Scheme::Unread),
    ("bitnami", "bitnami", Scheme::Semver),
    ("cargo", "crates.io", Scheme::Semver),
    ("composer", "packagist", Scheme::Dotted),
    ("conan", "conancenter", Scheme::Unread),
    ("cran", "cran", Scheme::Unread),
    ("deb", "debian", Scheme::Unread),
    ("gem", "rubygems", Scheme::Dotted),
    ("githubactions", "github actions", Scheme::Semver),
    ("golang", "go", Scheme::Semver),
    ("hackage", "hackage", Scheme::Unread),
    ("hex", "hex", Scheme::Semver),
    ("maven", "maven", Scheme::Dotted),
    ("npm", "npm", Scheme::Semver),
    ("nuget", "nuget", Scheme::Dotted),
    ("pub", "pub", Scheme::Unread),
    ("pypi", "pypi", Scheme::Dotted),
    ("rpm", "red hat", Scheme::Unread),
    ("swift", "swifturl", Scheme::Semver),
];

/// The order of an ecosystem's versions; its release (`Debian:12`) does not matter.
pub(crate) fn scheme_of(ecosystem: &str) -> Scheme {
    let base = base_of(ecosystem);
    let found = ECOSYSTEMS.iter().find(|(_, name, _)| *name == base);
    found.map_or(Scheme::Unread, |(.., scheme)| *scheme)
}

/// `debian` of `Debian:12`.
fn base_of(ecosystem: &str) -> String {
    let base = ecosystem
        .split_once(':')
        .map_or(ecosystem, |(base, _)| base);
    base.to_ascii_lowercase()
}

/// The key under which a package of OSV stands.
pub(crate) fn key(ecosystem: &str, name: &str) -> String {
    let base = base_of(ecosystem);
    let name = normal_name(&base, name);
    format!("{base}\n{name}")
}

/// The key of a package URL; `None` if the ecosystem of its type is not known.
pub(crate) fn key_of(purl: &Purl) -> Option<String> {
    let found = ECOSYSTEMS.iter().find(|(kind, ..)| *kind == purl.kind);
    let ecosystem = match (found?.1, purl.namespace.as_deref()) {
        ("debian", Some("ubuntu")) => "ubuntu",
        ("red hat", Some("rocky")) => "rocky linux",
        ("red hat", Some("almalinux")) => "almalinux",
        ("red hat", Some("opensuse")) => "opensuse",
        ("red hat", Some("suse")) => "suse",
        (ecosystem, _) => ecosystem,
    };
    let name = match (purl.namespace.as_deref(), purl.kind.as_str()) {
        // A distribution's namespace is its own name; what is vulnerable there is the source package.
        (_, "apk" | "deb" | "rpm") => source_of(purl).to_owned(),
        (Some(group), "maven") => format!("{group}:{}", purl.name),
        (Some(group), _) => format!("{group}/{}", purl.name),
        (None, _) => purl.name.clone(),
    };
    Some(key(ecosystem, &name))
}

/// The source package of a distribution's package, where the package URL names it.
fn source_of(purl: &Purl) -> &str {
    let upstream = purl.qualifiers.iter().find(|(key, _)| key == "upstream");
    let named = upstream.map_or(purl.name.as_str(), |(_, of)| of);
    named.split_once('@').map_or(named, |(name, _)| name)
}

/// Names that an ecosystem takes for one.
fn normal_name(ecosystem: &str, name: &str) -> String {
    match ecosystem {
        // PEP 503.
        "pypi" => {
            let parts = name.split(['-', '_', '.']).filter(|part| !part.is_empty());
            let joined = parts.collect::<Vec<_>>().join("-");
            joined.to_ascii_lowercase()
        }
        "nuget" | "packagist" | "github actions" => name.to_ascii_lowercase(),
        _ => name.to_owned(),
    }
}

impl Ordered {
    pub(crate) fn read(scheme: Scheme, text: &str) -> Self {
        match scheme {
            Scheme::Semver => semantic(text).map_or(Self::Unread, Self::Semver),
            Scheme::Dotted => {
                dotted(text).map_or(Self::Unread, |(numbers, more)| Self::Dotted(numbers, more))
            }
            Scheme::Unread => Self::Unread,
        }
    }

    /// The order of two versions of one ecosystem, if it is certain.
    pub(crate) fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Least, Self::Least) => Some(Ordering::Equal),
            (Self::Least, _) => Some(Ordering::Less),
            (_, Self::Least) => Some(Ordering::Greater),
            (Self::Semver(a), Self::Semver(b)) => Some(a.cmp_precedence(b)),
            (Self::Dotted(a, more), Self::Dotted(b, other_more)) => {
                let differing = a.iter().zip(b).find(|(x, y)| x != y);
                if let Some((x, y)) = differing {
                    return Some(x.cmp(y));
                }
                if *more || *other_more {
                    return None;
                }
                let rest =
                    |numbers: &[u64], of: usize| numbers.iter().skip(of).any(|number| *number != 0);
                Some(match (rest(a, b.len()), rest(b, a.len())) {
                    (true, _) => Ordering::Greater,
                    (_, true) => Ordering::Less,
                    _ => Ordering::Equal,
                })
            }
            _ => None,
        }
    }
}

/// A semantic version; missing numbers are zero, and a `v` before it does not count.
fn semantic(text: &str) -> Option<semver::Version> {
    let text = text.strip_prefix('v').unwrap_or(text);
    if let Ok(version) = semver::Version::parse(text) {
        return Some(version);
    }
    let end = text.find(['-', '+']).unwrap_or(text.len());
    let (numbers, rest) = text.split_at_checked(end)?;
    let mut parts = numbers.split('.').map(|part| part.parse::<u64>().ok());
    let mut next = || parts.next().unwrap_or(Some(0));
    let (major, minor, patch) = (next()?, next()?, next()?);
    if parts.next().is_some() {
        return None;
    }
    let (pre, build) = rest.split_once('+').unwrap_or((rest, ""));
    Some(semver::Version {
        major,
        minor,
        patch,
        pre: Prerelease::new(pre.trim_start_matches('-')).ok()?,
        build: BuildMetadata::new(build).ok()?,
    })
}

/// The numbers at the beginning, and whether more stands behind them. An epoch (`1!2.0`) is not read.
fn dotted(text: &str) -> Option<(Vec<u64>, bool)> {
    let text = text.strip_prefix('v').unwrap_or(text);
    if text.contains('!') {
        return None;
    }
    let mut numbers = Vec::new();
    let mut rest = text;
    loop {
        let end = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (digits, behind) = rest.split_at_checked(end)?;
        let Ok(number) = digits.parse() else {
            return (!numbers.is_empty()).then_some((numbers, true));
        };
        numbers.push(number);
        match behind.strip_prefix('.') {
            Some(next) => rest = next,
            None => return Some((numbers, !behind.is_empty())),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(scheme: Scheme, a: &str, b: &str, expect: Option<Ordering>) {
        let (x, y) = (Ordered::read(scheme, a), Ordered::read(scheme, b));
        assert_eq!(x.compare(&y), expect, "{a} {b}");
        assert_eq!(y.compare(&x), expect.map(Ordering::reverse), "{b} {a}");
    }

    #[test]
    fn versions_have_the_order_of_their_ecosystem_or_none() {
        use Ordering::{Equal, Greater, Less};
        for (a, b, expect) in [
            ("1.2.3", "1.10.0", Some(Less)),
            ("1.0.0-rc.1", "1.0.0", Some(Less)),
            ("v1.2", "1.2.0", Some(Equal)),
            ("1.0.0+a", "1.0.0+b", Some(Equal)),
            ("1.0.0.1", "1.0.0", None),
            ("latest", "1.0.0", None),
        ] {
            check(Scheme::Semver, a, b, expect);
        }
        for (a, b, expect) in [
            ("2.9.10", "2.9.9", Some(Greater)),
            ("1.0", "1.0.0", Some(Equal)),
            ("1.0.0.1", "1.0", Some(Greater)),
            ("1.9", "2.0rc1", Some(Less)),
            ("2.0", "2.0rc1", None),
            ("2.0.1", "2.0.Final", None),
            ("2.9.10.4", "2.9.10.Final", None),
            ("1!2.0", "3.0", None),
            ("", "1", None),
        ] {
            check(Scheme::Dotted, a, b, expect);
        }
        check(Scheme::Unread, "1", "2", None);
    }

    #[test]
    fn a_package_has_one_key_in_both_worlds() {
        for (purl, ecosystem, name) in [
            ("pkg:npm/%40angular/core@1", "npm", "@angular/core"),
            (
                "pkg:maven/org.apache.logging.log4j/log4j-core@2",
                "Maven",
                "org.apache.logging.log4j:log4j-core",
            ),
            ("pkg:pypi/ruamel.yaml@1", "PyPI", "Ruamel-YAML"),
            (
                "pkg:golang/github.com/gorilla/websocket@v1",
                "Go",
                "github.com/gorilla/websocket",
            ),
            (
                "pkg:composer/laravel/framework@7",
                "Packagist",
                "laravel/framework",
            ),
            (
                "pkg:deb/debian/openssl@3?distro=debian-12",
                "Debian:12",
                "openssl",
            ),
            ("pkg:deb/ubuntu/openssl@3", "Ubuntu:22.04:LTS", "openssl"),
            (
                "pkg:deb/debian/libssl3@3?upstream=openssl%403.0.9",
                "Debian:12",
                "openssl",
            ),
        ] {
            let purl = Purl::parse(purl).unwrap();
            assert_eq!(key_of(&purl), Some(key(ecosystem, name)), "{name}");
        }
        assert_eq!(key_of(&Purl::parse("pkg:generic/a@1").unwrap()), None);
    }

    proptest! {
        #[test]
        fn the_order_is_one_from_both_sides(a in "[0-9a-z.!+-]{0,10}", b in "[0-9a-z.!+-]{0,10}", c in "[0-9.]{1,6}") {
            for scheme in [Scheme::Semver, Scheme::Dotted, Scheme::Unread] {
                let [x, y, z] = [&a, &b, &c].map(|text| Ordered::read(scheme, text));
                prop_assert_eq!(x.compare(&y), y.compare(&x).map(Ordering::reverse));
                if let (Some(Ordering::Less), Some(Ordering::Less)) = (x.compare(&z), z.compare(&y)) {
                    prop_assert!(matches!(x.compare(&y), Some(Ordering::Less) | None));
                }
            }
        }
    }
}

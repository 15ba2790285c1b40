//! Package URLs: `pkg:type/namespace/name@version?qualifiers#subpath` (ECMA-427).

/// A package URL, its parts decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purl {
    /// The kind of package, in small letters: `npm`, `maven`, …
    pub kind: String,
    /// The namespace, its parts joined by `/`.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
    /// The version.
    pub version: Option<String>,
    /// The qualifiers, sorted by key.
    pub qualifiers: Vec<(String, String)>,
    /// The path within the package.
    pub subpath: Option<String>,
}

/// Decodes `%xx`; `None` if it is no UTF-8 or an escape is broken.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit = |byte: u8| char::from(byte).to_digit(16);
            let (high, low) = (digit(rest.next()?)?, digit(rest.next()?)?);
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

impl Purl {
    /// Reads a package URL; `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.trim().strip_prefix("pkg:")?.trim_start_matches('/');
        let (rest, subpath) = match rest.split_once('#') {
            Some((rest, subpath)) => (rest, Some(decode(subpath.trim_matches('/'))?)),
            None => (rest, None),
        };
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, query),
            None => (rest, ""),
        };
        let (kind, path) = rest.split_once('/')?;
        let is_kind = kind.starts_with(|c: char| c.is_ascii_alphabetic())
            && kind
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+'));
        if !is_kind {
            return None;
        }
        // An `@` before the last `/` is a scope that somebody did not encode.
        let (path, version) = match path.rsplit_once('@') {
            Some((path, version)) if !version.contains('/') && !path.is_empty() => {
                (path, Some(decode(version)?))
            }
            _ => (path, None),
        };
        let path = path.trim_matches('/');
        let (namespace, name) = match path.rsplit_once('/') {
            Some((namespace, name)) => (Some(decode(namespace.trim_matches('/'))?), decode(name)?),
            None => (None, decode(path)?),
        };
        if name.is_empty() || name.starts_with('@') && version.is_none() && namespace.is_none() {
            return None;
        }
        let mut qualifiers = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=')?;
            qualifiers.push((key.to_ascii_lowercase(), decode(value)?));
        }
        qualifiers.sort();
        Some(Self {
            kind: kind.to_ascii_lowercase(),
            namespace,
            name,
            version: version.filter(|version| !version.is_empty()),
            qualifiers,
            subpath,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_parts_of_a_package_url_are_read() {
        let purl = Purl::parse("pkg:npm/%40angular/core@12.3.1?os=linux&arch=x86#src/a").unwrap();
        assert_eq!(purl.kind, "npm");
        assert_eq!(purl.namespace.as_deref(), Some("@angular"));
        assert_eq!(
            (purl.name.as_str(), purl.version.as_deref()),
            ("core", Some("12.3.1"))
        );
        assert_eq!(purl.qualifiers[0], ("arch".to_owned(), "x86".to_owned()));
        assert_eq!(purl.subpath.as_deref(), Some("src/a"));
        let purl = Purl::parse("pkg:maven/org.apache/commons").unwrap();
        assert_eq!(
            (purl.version, purl.namespace.as_deref()),
            (None, Some("org.apache"))
        );
        let purl = Purl::parse("pkg:npm/@angular/core@1").unwrap();
        assert_eq!(
            (purl.namespace.as_deref(), purl.name.as_str()),
            (Some("@angular"), "core")
        );
    }

    #[test]
    fn a_package_url_without_a_name_is_none() {
        for text in [
            "",
            "pkg:",
            "pkg:npm",
            "pkg:npm/",
            "pkg:maven/@1.3.4",
            "pkg:1x/a",
            "npm/a",
            "pkg:npm/a%zz",
            "pkg:npm/a?b",
        ] {
            assert_eq!(Purl::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(pkg:)?[a-z@/%?#&=é0-9]{0,30}") {
            let _ = Purl::parse(&text);
        }
    }
}

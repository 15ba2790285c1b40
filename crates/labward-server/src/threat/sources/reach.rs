//! Which machines a source may lead to.
//!
//! It must never let a list, a redirection or a provider's metadata send us to a machine that the configuration
//! does not name: a lab's network has machines that answer whoever stands inside it. Addresses are not looked at,
//! names are: a mirror inside the lab may be named, and what is not named is not asked, wherever it stands.

use url::Url;

use crate::config::AdvisorySourceConfig;

/// The machines that a source may lead to.
#[derive(Clone, Debug)]
pub(super) struct Reach {
    places: Vec<(String, u16)>,
}

impl Reach {
    /// The machine of the source's own address, and those that are named beside it.
    pub(super) fn of(config: &AdvisorySourceConfig, url: &Url) -> Self {
        let named = config.hosts.iter();
        let named = named.filter_map(|host| Url::parse(&format!("https://{host}/")).ok());
        let places = std::iter::once(url.clone())
            .chain(named)
            .filter_map(|url| place(&url));
        Self {
            places: places.collect(),
        }
    }

    /// The machine of an address and no other.
    #[cfg(test)]
    pub(super) fn named(url: &Url) -> Self {
        Self {
            places: place(url).into_iter().collect(),
        }
    }

    /// The address that `reference`, read at `base`, stands for.
    ///
    /// # Errors
    /// Why it may not be asked.
    pub(super) fn resolve(&self, base: &Url, reference: &str) -> Result<Url, String> {
        let mut url = base
            .join(reference.trim())
            .map_err(|_| "it leads to what is no address".to_owned())?;
        url.set_fragment(None);
        self.admit(&url).map(|()| url)
    }

    /// The address of a path below a directory.
    ///
    /// # Errors
    /// Why it may not be asked.
    pub(super) fn below(&self, directory: &Url, path: &str) -> Result<Url, String> {
        let mut url = directory.clone();
        url.set_query(None);
        url.path_segments_mut()
            .map_err(|()| "it leads to what is no address".to_owned())?
            .pop_if_empty()
            .extend(path.split('/'));
        self.admit(&url).map(|()| url)
    }

    fn admit(&self, url: &Url) -> Result<(), String> {
        if url.scheme() != "https" {
            return Err("it leads to an address that is not https".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("it leads to an address with a name and a password".to_owned());
        }
        let place = place(url).ok_or("it leads to what is no address")?;
        match self.places.contains(&place) {
            true => Ok(()),
            false => Err(format!(
                "it leads to {}:{}, which hosts does not name",
                place.0, place.1
            )),
        }
    }
}

fn place(url: &Url) -> Option<(String, u16)> {
    let host = url.host_str()?.trim_end_matches('.').to_ascii_lowercase();
    Some((host, url.port_or_known_default()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(hosts: &[&str]) -> (Reach, Url) {
        let config = AdvisorySourceConfig {
            name: "a".to_owned(),
            folder: None,
            url: None,
            hosts: hosts.iter().map(|&host| host.to_owned()).collect(),
            ca_file: None,
            timeout_seconds: 1,
            every_hours: 1,
        };
        let url = Url::parse("https://psirt.example/csaf/feed.json").unwrap();
        (Reach::of(&config, &url), url)
    }

    #[test]
    fn a_source_leads_to_its_own_machine_and_to_those_that_are_named() {
        let (reach, base) = reach(&["files.example", "mirror.lab:8443"]);
        for (reference, expect) in [
            ("2026/a.json", Ok("https://psirt.example/csaf/2026/a.json")),
            ("../b.json#x", Ok("https://psirt.example/b.json")),
            ("//files.example/a", Ok("https://files.example/a")),
            ("https://PSIRT.example:443/a", Ok("https://psirt.example/a")),
            ("https://mirror.lab:8443/a", Ok("https://mirror.lab:8443/a")),
            ("https://mirror.lab/a", Err("mirror.lab:443, which hosts")),
            ("https://psirt.example:8443/a", Err("psirt.example:8443")),
            ("https://psirt.example.evil/a", Err("psirt.example.evil")),
            ("https://10.0.0.1/a", Err("10.0.0.1:443")),
            ("https://[::1]/a", Err("[::1]:443")),
            (
                "https://psirt.example@evil.example/a",
                Err("name and a password"),
            ),
            ("http://psirt.example/a", Err("not https")),
            ("file:///etc/shadow", Err("not https")),
            ("https://", Err("no address")),
        ] {
            let found = reach.resolve(&base, reference);
            match (found, expect) {
                (Ok(url), Ok(expect)) => assert_eq!(url.as_str(), expect, "{reference}"),
                (Err(why), Err(expect)) => assert!(why.contains(expect), "{reference}: {why}"),
                (found, _) => panic!("{reference}: {found:?}"),
            }
        }
    }

    #[test]
    fn a_path_stays_below_its_directory() {
        let (reach, _) = reach(&[]);
        let directory = Url::parse("https://psirt.example/csaf/?x").unwrap();
        for (path, expect) in [
            ("2026/a.json", "/csaf/2026/a.json"),
            ("a b?#%.json", "/csaf/a%20b%3F%23%25.json"),
            ("../../a.json", "/csaf/a.json"),
        ] {
            let url = reach.below(&directory, path).unwrap();
            assert_eq!((url.path(), url.query()), (expect, None));
        }
    }
}

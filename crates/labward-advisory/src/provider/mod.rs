//! Where publishers list their documents: `provider-metadata.json`, ROLIE feeds, `changes.csv`, `index.txt`
//! (CSAF 2.0, clause 7.1).
//!
//! It must never fetch anything, take an address for one that may be asked, or trust a key because the
//! provider names it: what stands here is what the provider says of itself.

mod directory;

use labward_base::Timestamp;

use crate::flaw::Flaws;
use crate::json::{self, Value};
use crate::lenient::{Ground, Lenient as _};
use crate::{Limits, Text};

/// What a list of documents is.
#[derive(Clone, Debug)]
pub enum Listing {
    /// `changes.csv` or `index.txt` of a directory; names are relative to it (7.1.12, 7.1.13).
    Directory(List),
    /// A ROLIE feed (7.1.15).
    Feed(List),
    /// The metadata of a provider, which names the lists (7.1.7).
    Provider(Provider),
}

/// Documents, as a list names them.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// The documents, in the order of the list.
    pub entries: Vec<Listed>,
    /// What could not be read.
    pub flaws: Flaws,
}

/// One document of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Where it is: of a feed an address as the feed writes it, of a directory a path below it.
    pub address: Text,
    /// When it was changed last, as the list says.
    pub changed: Option<Timestamp>,
    /// Where its hashes are, if the list says so; a directory has them beside the document.
    pub hashes: Vec<Text>,
    /// Where its signature is, if the list says so.
    pub signature: Option<Text>,
}

/// What a provider says of itself.
#[derive(Clone, Debug, Default)]
pub struct Provider {
    /// `publisher.name`.
    pub publisher: Text,
    /// `role`, such as `csaf_provider`.
    pub role: Text,
    /// Its ROLIE feeds.
    pub feeds: Vec<FeedAt>,
    /// The addresses of its directories.
    pub directories: Vec<Text>,
    /// The fingerprints of its OpenPGP keys in capital letters; none of them is trusted by this.
    pub keys: Vec<String>,
    /// What could not be read.
    pub flaws: Flaws,
}

/// A feed that a provider names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedAt {
    /// Its address.
    pub url: Text,
    /// `tlp_label`: `WHITE`, `GREEN`, `AMBER`, `RED` or `UNLABELED`; empty if it says none.
    pub tlp: Text,
}

impl FeedAt {
    /// Whether it is for those only who were given access.
    pub fn is_restricted(&self) -> bool {
        self.tlp.starts_with("AMBER") || &*self.tlp == "RED"
    }
}

impl Listing {
    /// Reads the bytes of a file called `name` if they are a list of documents; `None` if they are not.
    pub fn parse(name: &str, bytes: &[u8], limits: &Limits) -> Option<Self> {
        if bytes.len() > limits.max_bytes {
            return None;
        }
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        if text.trim_ascii_start().first() != Some(&b'{') {
            return directory::read(name, bytes, limits).map(Self::Directory);
        }
        let read = json::read(bytes, limits, |root, ground| {
            if let Some(feed) = root.get("feed") {
                return Ok(Some(Self::Feed(list(ground, feed))));
            }
            let is_provider =
                root.get("distributions").is_some() && root.get("metadata_version").is_some();
            Ok(is_provider.then(|| Self::Provider(provider(ground, root))))
        });
        read.ok().flatten()
    }
}

fn provider<'t>(ground: &mut Ground<'t>, root: Value<'t>) -> Provider {
    let mut read = Provider {
        role: ground.text(root, "role").unwrap_or_default(),
        ..Provider::default()
    };
    if let Some(publisher) = ground.object(root, "publisher") {
        read.publisher = ground.needed(publisher, "name");
    }
    for one in ground.entries(root, "distributions") {
        read.directories.extend(ground.text(one, "directory_url"));
        let Some(rolie) = ground.object(one, "rolie") else {
            continue;
        };
        for feed in ground.entries(rolie, "feeds") {
            let url = ground.needed(feed, "url");
            let tlp = ground.text(feed, "tlp_label").unwrap_or_default();
            if !url.is_empty() {
                read.feeds.push(FeedAt { url, tlp });
            }
        }
    }
    for key in ground.entries(root, "public_openpgp_keys") {
        let said = ground.text(key, "fingerprint").unwrap_or_default();
        let is_one = (32..=64).contains(&said.len()) && said.bytes().all(|c| c.is_ascii_hexdigit());
        match is_one {
            true => read.keys.push(said.to_ascii_uppercase()),
            false => ground.flaw("read", key, "no fingerprint of a key"),
        }
    }
    read.flaws = std::mem::take(&mut ground.flaws);
    read
}

fn list<'t>(ground: &mut Ground<'t>, feed: Value<'t>) -> List {
    let mut entries = Vec::new();
    for entry in ground.entries(feed, "entry") {
        let content = ground.object(entry, "content");
        let mut address = content.and_then(|content| ground.text(content, "src"));
        let (mut hashes, mut signature) = (Vec::new(), None);
        for link in ground.entries(entry, "link") {
            let href = ground.text(link, "href");
            match link.text_of("rel") {
                Some("self") if address.is_none() => address = href,
                Some("hash") => hashes.extend(href),
                Some("signature") => signature = href,
                _ => {}
            }
        }
        let Some(address) = address.filter(|address| !address.is_empty()) else {
            ground.flaw("read", entry, "it does not say where its document is");
            continue;
        };
        // A document has two hashes at most (7.1.18).
        hashes.truncate(2);
        entries.push(Listed {
            address,
            changed: ground.time(entry, "updated"),
            hashes,
            signature,
        });
    }
    List {
        entries,
        flaws: std::mem::take(&mut ground.flaws),
    }
}

#[cfg(test)]
mod tests;

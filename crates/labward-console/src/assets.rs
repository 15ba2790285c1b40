//! Style sheets and scripts, in the program itself.
//!
//! It must never load anything from elsewhere. Bootstrap 5.3.9 is MIT, htmx 4.0.1 with hx-csp is
//! 0BSD; `assets/NOTICE.md` holds their notices.

use std::sync::OnceLock;

use labward_base::hex;
use labward_seal::sha256;

/// One file of the console.
pub struct Asset {
    /// Its name.
    pub name: &'static str,
    /// The type for its answer.
    pub content_type: &'static str,
    /// What is in it.
    pub bytes: &'static [u8],
}

const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";

const SVG: &str = "image/svg+xml";

const fn asset(name: &'static str, content_type: &'static str, bytes: &'static [u8]) -> Asset {
    Asset {
        name,
        content_type,
        bytes,
    }
}

/// Every file.
pub const ASSETS: &[Asset] = &[
    asset(
        "bootstrap.css",
        CSS,
        include_bytes!("../assets/bootstrap.css"),
    ),
    asset("console.css", CSS, include_bytes!("../assets/console.css")),
    asset("theme.js", JS, include_bytes!("../assets/theme.js")),
    asset("htmx.js", JS, include_bytes!("../assets/htmx.js")),
    asset("hx-csp.js", JS, include_bytes!("../assets/hx-csp.js")),
    asset("console.js", JS, include_bytes!("../assets/console.js")),
    asset("search.js", JS, include_bytes!("../assets/search.js")),
    asset("session.js", JS, include_bytes!("../assets/session.js")),
    asset("passkey.js", JS, include_bytes!("../assets/passkey.js")),
    asset("icon.svg", SVG, include_bytes!("../assets/icon.svg")),
];

/// The part of the path that changes when any file does, so that browsers may keep what they have
/// for good.
pub fn revision() -> &'static str {
    static REVISION: OnceLock<String> = OnceLock::new();
    REVISION.get_or_init(|| {
        let all: Vec<u8> = ASSETS
            .iter()
            .flat_map(|asset| asset.bytes)
            .copied()
            .collect();
        let mut revision = hex::encode(&sha256(&all));
        revision.truncate(16);
        revision
    })
}

/// The file of this name.
pub fn find(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_loads_anything_from_elsewhere() {
        for asset in ASSETS {
            let text = std::str::from_utf8(asset.bytes).unwrap();
            for loads in ["@import", "sourceMappingURL", "url(http", "url(//"] {
                assert!(!text.contains(loads), "{}: {loads}", asset.name);
            }
        }
        assert_eq!(revision().len(), 16);
        assert!(find("htmx.js").is_some() && find("../Cargo.toml").is_none());
    }
}

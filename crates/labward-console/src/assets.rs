//! Style sheets and scripts, in the program itself.
//!
//! It must never load anything from elsewhere. Bootstrap 5.3.9 is MIT, htmx 4.0.1 with hx-csp is
//! 0BSD; `assets/NOTICE.md` holds their notices.

use std::fmt::Write as _;
use std::sync::OnceLock;

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

/// Every file.
pub const ASSETS: &[Asset] = &[
    Asset {
        name: "bootstrap.css",
        content_type: CSS,
        bytes: include_bytes!("../assets/bootstrap.css"),
    },
    Asset {
        name: "console.css",
        content_type: CSS,
        bytes: include_bytes!("../assets/console.css"),
    },
    Asset {
        name: "theme.js",
        content_type: JS,
        bytes: include_bytes!("../assets/theme.js"),
    },
    Asset {
        name: "htmx.js",
        content_type: JS,
        bytes: include_bytes!("../assets/htmx.js"),
    },
    Asset {
        name: "hx-csp.js",
        content_type: JS,
        bytes: include_bytes!("../assets/hx-csp.js"),
    },
    Asset {
        name: "console.js",
        content_type: JS,
        bytes: include_bytes!("../assets/console.js"),
    },
    Asset {
        name: "icon.svg",
        content_type: "image/svg+xml",
        bytes: include_bytes!("../assets/icon.svg"),
    },
];

/// The part of the path that changes when any file does, so that browsers may keep what they have
/// for good.
pub fn revision() -> &'static str {
    static REVISION: OnceLock<String> = OnceLock::new();
    REVISION.get_or_init(|| {
        // FNV-1a: it tells versions apart and guards nothing.
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in ASSETS.iter().flat_map(|asset| asset.bytes) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = write!(text, "{hash:016x}");
        text
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

//! The one-time link with which a browser begins the set-up.
//!
//! The token stands behind the `#` of the address, which browsers send to nobody, and in a file beside
//! the data folder for the server's account alone. It must never reach a log, or be taken twice.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use labward_base::Secret;
use labward_os::{OsError, create_durably};
use labward_seal::{CryptoFailed, constant_time_eq, random_bytes};
use zeroize::Zeroizing;

/// Random bytes of the token.
const TOKEN_BYTES: usize = 32;

/// The link; its file goes with it.
pub(super) struct SetupLink {
    token: Secret<String>,
    file: Option<PathBuf>,
}

impl SetupLink {
    pub(super) fn new() -> Result<Self, CryptoFailed> {
        Ok(Self {
            token: random_text()?,
            file: None,
        })
    }

    /// The whole address.
    pub(super) fn url(&self, host: &str, address: SocketAddr) -> Zeroizing<String> {
        let port = address.port();
        Zeroizing::new(format!("https://{host}:{port}/#{}", self.token.expose()))
    }

    /// Writes it beside the data folder, in the place of one that an earlier start left.
    pub(super) fn write(&mut self, data: &Path, url: &str) -> Result<&Path, OsError> {
        let path = place(data);
        // It opens nothing any more; what is no file of ours keeps the new one from being made.
        let _ = fs::remove_file(&path);
        let line = Zeroizing::new(format!("{url}\n"));
        create_durably(&path, line.as_bytes(), 0o600)?;
        Ok(self.file.insert(path))
    }

    /// Whether this is its token, without telling how much of it fits.
    pub(super) fn fits(&self, typed: &str) -> bool {
        constant_time_eq(self.token.expose().as_bytes(), typed.trim().as_bytes())
    }
}

impl Drop for SetupLink {
    fn drop(&mut self) {
        if let Some(path) = self.file.take() {
            // It is worth nothing now.
            let _ = fs::remove_file(path);
        }
    }
}

/// 256 random bits as 43 characters of base64url.
pub(super) fn random_text() -> Result<Secret<String>, CryptoFailed> {
    let bytes = Zeroizing::new(random_bytes::<TOKEN_BYTES>()?);
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(bytes.as_slice())))
}

/// `FOLDER.setup-link`, beside the folder: within it, it would no longer be empty.
fn place(data: &Path) -> PathBuf {
    let mut name = data.file_name().unwrap_or_default().to_owned();
    name.push(".setup-link");
    data.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use labward_testkit::TempDir;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn the_file_of_the_link_is_its_owners_alone_new_at_each_start_and_gone_with_it() {
        let folder = TempDir::new();
        let data = folder.join("data");
        let path = folder.join("data.setup-link");
        fs::write(&path, "of an earlier start").unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], 8443));
        let mut link = SetupLink::new().unwrap();
        let url = link.url("localhost", address);
        assert_eq!(link.write(&data, &url).unwrap(), path);
        assert_eq!(fs::read_to_string(&path).unwrap().trim(), *url);
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let token = url.strip_prefix("https://localhost:8443/#").unwrap();
        assert_eq!(token.len(), 43);
        assert!(link.fits(token) && link.fits(&format!(" {token}\n")));
        assert!(!link.fits("") && !link.fits(&token[1..]));
        assert!(!SetupLink::new().unwrap().fits(token));
        drop(link);
        assert!(!path.exists());
    }
}

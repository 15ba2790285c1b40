//! Certificates for the peer of a measurement: the same kind as Labward issues (ECDSA P-256), from
//! an authority that lives as long as the measurement.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

use crate::guard::Workplace;

/// The bundles (certificate, private key, CA in one PEM file) of both ends.
pub(crate) struct Bundles {
    /// Of the end that listens, good for `localhost`.
    pub(crate) server: PathBuf,
    /// Of the end that connects.
    pub(crate) client: PathBuf,
}

/// Makes an authority and a bundle for each end in `place`.
pub(crate) fn make(place: &Workplace) -> Result<Bundles> {
    let mut authority = CertificateParams::default();
    authority
        .distinguished_name
        .push(DnType::CommonName, "measurement");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let key = KeyPair::generate()?;
    let ca = authority.self_signed(&key)?.pem();
    let issuer = Issuer::new(authority, key);
    let write = |name: &str, usage| -> Result<PathBuf> {
        let mut params = CertificateParams::new(["localhost".to_owned()])?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![usage];
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &issuer)?.pem();
        let path = place.join(&format!("{name}.pem"));
        write_private(
            &path,
            &[certificate, key.serialize_pem(), ca.clone()].concat(),
        )?;
        Ok(path)
    };
    Ok(Bundles {
        server: write("measured-server", ExtendedKeyUsagePurpose::ServerAuth)?,
        client: write("measuring-client", ExtendedKeyUsagePurpose::ClientAuth)?,
    })
}

fn write_private(path: &Path, text: &str) -> Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("write {}", path.display()))
}

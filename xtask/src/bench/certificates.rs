//! Certificates for the peer of a measurement: the same kind as Labward issues (ECDSA P-256), from
//! an authority that lives as long as the measurement.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::guard::Workplace;

/// The bundles (certificate, private key, CA in one PEM file) of both ends.
pub(crate) struct Bundles {
    /// Of the end that listens, good for `localhost`.
    pub(crate) server: PathBuf,
    /// Of the end that connects.
    pub(crate) client: PathBuf,
    /// The authority's certificate alone.
    pub(crate) authority: PathBuf,
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
    let alone = place.join("measurement-ca.pem");
    write_private(&alone, &ca)?;
    Ok(Bundles {
        authority: alone,
        server: write("measured-server", ExtendedKeyUsagePurpose::ServerAuth)?,
        client: write("measuring-client", ExtendedKeyUsagePurpose::ClientAuth)?,
    })
}

/// Certificates, authority and private key of a bundle.
pub(crate) struct Opened {
    /// The own certificate.
    pub(crate) own: Vec<CertificateDer<'static>>,
    /// The authority that issued it.
    pub(crate) authority: CertificateDer<'static>,
    /// The private key.
    pub(crate) key: PrivateKeyDer<'static>,
}

/// Reads a bundle, ours or one that `labward peer add` wrote.
pub(crate) fn open(bundle: &Path) -> Result<Opened> {
    let pem = fs::read(bundle).with_context(|| format!("read {}", bundle.display()))?;
    let certificates = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>()?;
    let [own @ .., authority] = certificates.as_slice() else {
        bail!("{} holds no certificate", bundle.display());
    };
    Ok(Opened {
        own: own.to_vec(),
        authority: authority.clone(),
        key: PrivateKeyDer::from_pem_slice(&pem)?,
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

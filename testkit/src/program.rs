//! Programs of Windows that do nothing, and publishers that sign them as Windows' own tools do.
//!
//! It must never sign anything with a key that outlives the test.

use aws_lc_rs::digest::{Context, SHA256, digest};
use rcgen::{
    CertificateParams, CertifiedIssuer, DistinguishedName, DnType, KeyPair, SerialNumber,
    SigningKey as _,
};

const SIGNED_DATA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
const CONTENT_TYPE: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03";
const MESSAGE_DIGEST: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04";
const INDIRECT_DATA: &[u8] = b"\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x02\x01\x04";
const IMAGE_DATA: &[u8] = b"\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x02\x01\x0f";
const SHA256_ID: &[u8] = b"\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01";
const ECDSA_SHA256: &[u8] = b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";
const HEADER: usize = 0x80;
const OPTIONAL: usize = HEADER + 24;
/// Where the place of the certificate table stands.
const ENTRY: usize = OPTIONAL + 112 + 32;
const FIRST: usize = 0x200;

/// A program of Windows (64 bits, one section) with this content, version and no signature.
#[must_use]
pub fn windows_program(content: &[u8], version: [u8; 4]) -> Vec<u8> {
    let [major, minor, build, revision] = version;
    let fixed = [
        0xbd, 0x04, 0xef, 0xfe, 0, 0, 1, 0, minor, 0, major, 0, revision, 0, build, 0,
    ];
    let mut section = [content, &fixed].concat();
    section.resize(section.len().next_multiple_of(16), 0);
    let mut image = vec![0; FIRST];
    put(&mut image, 0, b"MZ");
    put(&mut image, 0x3c, &length(HEADER));
    put(&mut image, HEADER, b"PE\0\0\x64\x86\x01\0");
    put(&mut image, HEADER + 20, &[0xf0, 0]);
    put(&mut image, OPTIONAL, &[0x0b, 0x02]);
    put(&mut image, OPTIONAL + 60, &length(FIRST));
    put(&mut image, OPTIONAL + 108, &[16]);
    let header = OPTIONAL + 0xf0;
    put(&mut image, header, b".text");
    put(&mut image, header + 16, &length(section.len()));
    put(&mut image, header + 20, &length(FIRST));
    image.append(&mut section);
    image
}

/// Somebody who signs programs, with a certificate of an issuer.
pub struct Publisher {
    issuer: CertifiedIssuer<'static, KeyPair>,
    key: KeyPair,
    certificate: Vec<u8>,
    serial: u8,
    subject: (String, String),
}

impl Publisher {
    /// A publisher of this name and organisation, with a new issuer.
    #[must_use]
    pub fn new(name: &str, organisation: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name = subject("Example Code Signing CA", "Example Trust");
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, key()).expect("a certificate is made");
        Self::of(issuer, (name.to_owned(), organisation.to_owned()), 1)
    }

    /// The same publisher with another key and a new certificate of the same issuer.
    #[must_use]
    pub fn renewed(self) -> Self {
        Self::of(self.issuer, self.subject, self.serial + 1)
    }

    /// Another publisher with a certificate of the same issuer.
    #[must_use]
    pub fn succeeded_by(self, name: &str, organisation: &str) -> Self {
        let subject = (name.to_owned(), organisation.to_owned());
        Self::of(self.issuer, subject, self.serial + 1)
    }

    fn of(issuer: CertifiedIssuer<'static, KeyPair>, names: (String, String), serial: u8) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name = subject(&names.0, &names.1);
        params.serial_number = Some(SerialNumber::from_slice(&[serial]));
        let key = key();
        let certificate = params.signed_by(&key, &issuer).expect("it is signed");
        Self {
            certificate: certificate.der().to_vec(),
            issuer,
            key,
            serial,
            subject: names,
        }
    }

    /// The program with a signature over it.
    #[must_use]
    pub fn sign(&self, program: &[u8]) -> Vec<u8> {
        let mut signed = program.to_vec();
        signed.resize(signed.len().next_multiple_of(8), 0);
        let place = signed.len();
        let pkcs7 = self.pkcs7(&hash(&signed));
        let mut table = [&length(pkcs7.len() + 8)[..], b"\0\x02\x02\0", &pkcs7].concat();
        table.resize(table.len().next_multiple_of(8), 0);
        put(&mut signed, ENTRY, &length(place));
        put(&mut signed, ENTRY + 4, &length(table.len()));
        signed.append(&mut table);
        signed
    }

    /// The signature over a file of this hash.
    #[must_use]
    pub fn pkcs7(&self, file: &[u8]) -> Vec<u8> {
        let image = der(0x30, &[IMAGE_DATA, &der(0x30, &[b"\x03\x01\0"])]);
        let hashed = der(0x30, &[SHA256_ID, &der(0x04, &[file])]);
        let content = [image, hashed].concat();
        let attributes = self.attributes(&content);
        let signature = self.key.sign(&der(0x31, &[&attributes]));
        let signature = signature.expect("the key signs");
        let name = der(0x30, &[&self.issuer_name(), &der(0x02, &[&[self.serial]])]);
        let signer = der(
            0x30,
            &[
                b"\x02\x01\x01",
                &name,
                SHA256_ID,
                &der(0xa0, &[&attributes]),
                ECDSA_SHA256,
                &der(0x04, &[&signature]),
            ],
        );
        let content = der(0x30, &[&content]);
        let signed = der(
            0x30,
            &[
                b"\x02\x01\x01",
                &der(0x31, &[SHA256_ID]),
                &der(0x30, &[INDIRECT_DATA, &der(0xa0, &[&content])]),
                &der(0xa0, &[&self.certificate, self.issuer.der()]),
                &der(0x31, &[&signer]),
            ],
        );
        der(0x30, &[SIGNED_DATA, &der(0xa0, &[&signed])])
    }

    fn attributes(&self, content: &[u8]) -> Vec<u8> {
        let kind = der(0x30, &[CONTENT_TYPE, &der(0x31, &[INDIRECT_DATA])]);
        let hash = digest(&SHA256, content);
        let hash = der(0x31, &[&der(0x04, &[hash.as_ref()])]);
        [kind, der(0x30, &[MESSAGE_DIGEST, &hash])].concat()
    }

    fn issuer_name(&self) -> Vec<u8> {
        // The issuer in the order in which `subject` puts the names, organisation last.
        let name = |oid: &[u8], text: &str| {
            let value = der(0x30, &[oid, &der(0x0c, &[text.as_bytes()])]);
            der(0x31, &[&value])
        };
        let (common, organisation) = (b"\x06\x03\x55\x04\x03", b"\x06\x03\x55\x04\x0a");
        der(
            0x30,
            &[
                &name(common, "Example Code Signing CA"),
                &name(organisation, "Example Trust"),
            ],
        )
    }
}

fn subject(name: &str, organisation: &str) -> DistinguishedName {
    let mut names = DistinguishedName::new();
    names.push(DnType::CommonName, name);
    names.push(DnType::OrganizationName, organisation);
    names
}

fn key() -> KeyPair {
    KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key is made")
}

/// The hash that a signature covers: all but the checksum and the place of the table.
fn hash(program: &[u8]) -> Vec<u8> {
    let mut hash = Context::new(&SHA256);
    for part in [
        0..OPTIONAL + 64,
        OPTIONAL + 68..ENTRY,
        ENTRY + 8..program.len(),
    ] {
        hash.update(program.get(part).unwrap_or_default());
    }
    hash.finish().as_ref().to_vec()
}

fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u16::try_from(content.len()).expect("nothing here is that long");
    let [high, low] = length.to_be_bytes();
    let head = match (high, low) {
        (0, 0..0x80) => vec![tag, low],
        (0, _) => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [head, content].concat()
}

fn length(of: usize) -> [u8; 4] {
    u32::try_from(of).unwrap_or(u32::MAX).to_le_bytes()
}

fn put(image: &mut [u8], at: usize, bytes: &[u8]) {
    let place = image.get_mut(at..at + bytes.len());
    place
        .expect("the image is that long")
        .copy_from_slice(bytes);
}

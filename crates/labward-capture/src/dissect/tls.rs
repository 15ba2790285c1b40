//! TLS: the version that a server chose, its certificate where it is still readable (up to TLS 1.2), and
//! the name that a client asked for.
//!
//! It must never read a client's certificate: it may name a person.

use x509_parser::prelude::{FromDer, X509Certificate};

use crate::bytes::Cursor;
use crate::sighting::{About, Attribute, Facts, Source};

const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const CERTIFICATE: u8 = 11;
/// A record is never longer (RFC 8446, 5.2).
const RECORD_BYTES_MAX: usize = (16 << 10) + 256;
/// As many messages of a handshake are looked at.
const MESSAGES_MAX: usize = 8;

/// What a stream says, if it begins with a handshake.
pub fn stream(bytes: &[u8]) -> Option<Facts> {
    let text = handshake(bytes)?;
    let mut messages = Cursor::new(&text);
    let mut facts = Facts::new(Source::Tls);
    let mut is_server = false;
    for n in 0..MESSAGES_MAX {
        let (Some(kind), Some(length)) = (messages.u8(), messages.u24()) else {
            break;
        };
        let body = messages.take(length);
        match (n, kind) {
            (0, CLIENT_HELLO) => client(body.unwrap_or_default(), &mut facts).unwrap_or_default(),
            (0, SERVER_HELLO) => {
                is_server = true;
                server(body.unwrap_or_default(), &mut facts).unwrap_or_default();
            }
            (0, _) => return None,
            (_, CERTIFICATE) if is_server => {
                certificate(body.unwrap_or_default(), &mut facts).unwrap_or_default();
            }
            _ => {}
        }
        if body.is_none() {
            break;
        }
    }
    Some(facts)
}

/// The messages of the handshake, taken out of their records.
fn handshake(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut records = Cursor::new(bytes);
    let mut text = Vec::new();
    while let (Some(kind), Some(version), Some(length)) =
        (records.u8(), records.u16(), records.u16())
    {
        let length = usize::from(length);
        if kind != HANDSHAKE || version >> 8 != 3 || length == 0 || length > RECORD_BYTES_MAX {
            break;
        }
        text.extend_from_slice(records.take_up_to(length));
    }
    (!text.is_empty()).then_some(text)
}

fn server(body: &[u8], facts: &mut Facts) -> Option<()> {
    let mut hello = Cursor::new(body);
    let mut version = hello.u16()?;
    hello.skip(32)?;
    let session = hello.u8()?;
    hello.skip(usize::from(session) + 3)?;
    for (kind, data) in extensions(&mut hello) {
        if let (43, [high, low]) = (kind, data) {
            version = u16::from_be_bytes([*high, *low]);
        }
    }
    let name = match version {
        0x0300 => "SSL 3.0",
        0x0301 => "TLS 1.0",
        0x0302 => "TLS 1.1",
        0x0303 => "TLS 1.2",
        0x0304 => "TLS 1.3",
        _ => return None,
    };
    facts.stated(Attribute::Protocol, name);
    Some(())
}

fn client(body: &[u8], facts: &mut Facts) -> Option<()> {
    let mut hello = Cursor::new(body);
    hello.skip(34)?;
    let session = hello.u8()?;
    hello.skip(session.into())?;
    let ciphers = hello.u16()?;
    hello.skip(ciphers.into())?;
    let compression = hello.u8()?;
    hello.skip(compression.into())?;
    for (kind, data) in extensions(&mut hello) {
        if kind != 0 {
            continue;
        }
        // server_name: a list of a kind (0 is a host's name), a length and the name (RFC 6066).
        let mut names = Cursor::new(data);
        names.skip(2)?;
        if names.u8()? == 0 {
            let length = names.u16()?;
            let name = std::str::from_utf8(names.take(length.into())?).ok()?;
            facts.about(About::Listener);
            facts.likely(Attribute::Hostname, name);
            facts.about(About::Speaker);
        }
    }
    Some(())
}

fn extensions<'a>(hello: &mut Cursor<'a>) -> Vec<(u16, &'a [u8])> {
    let mut found = Vec::new();
    let Some(length) = hello.u16() else {
        return found;
    };
    let mut list = Cursor::new(hello.take_up_to(length.into()));
    while let (Some(kind), Some(length)) = (list.u16(), list.u16()) {
        let Some(data) = list.take(length.into()) else {
            break;
        };
        found.push((kind, data));
    }
    found
}

/// The first certificate of the list is the server's own (RFC 5246, 7.4.2).
fn certificate(body: &[u8], facts: &mut Facts) -> Option<()> {
    let mut list = Cursor::new(body);
    list.u24()?;
    let length = list.u24()?;
    let (_, certificate) = X509Certificate::from_der(list.take(length)?).ok()?;
    facts.stated(
        Attribute::CertificateSubject,
        &certificate.subject().to_string(),
    );
    facts.stated(
        Attribute::CertificateIssuer,
        &certificate.issuer().to_string(),
    );
    let expiry = certificate.validity().not_after.timestamp();
    let expiry = labward_base::Timestamp::from_seconds(expiry).to_string();
    // X.509 counts whole seconds.
    facts.stated(Attribute::CertificateExpiry, &expiry.replace(".000000", ""));
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::{CERTIFICATE_DER, tls_client_hello, tls_record, tls_server_hello};
    use crate::dissect::check::{of, said};

    fn certificate_message(der: &[u8]) -> Vec<u8> {
        let u24 = |n: usize| u32::try_from(n).unwrap().to_be_bytes()[1..].to_vec();
        let list = [u24(der.len()), der.to_vec()].concat();
        let body = [u24(list.len()), list].concat();
        [vec![CERTIFICATE], u24(body.len()), body].concat()
    }

    #[test]
    fn a_server_says_version_and_certificate_however_it_is_cut_into_records() {
        let text = [
            tls_server_hello(0x0303, &[]),
            certificate_message(CERTIFICATE_DER),
        ]
        .concat();
        for step in [40, 1000] {
            let bytes: Vec<u8> = text.chunks(step).flat_map(tls_record).collect();
            assert_eq!(
                said(&stream(&bytes).unwrap()),
                [
                    (Attribute::Protocol, "TLS 1.2"),
                    (Attribute::CertificateSubject, "CN=lis.lab.example, O=Lab"),
                    (Attribute::CertificateIssuer, "CN=lis.lab.example, O=Lab"),
                    (Attribute::CertificateExpiry, "2036-11-24T00:00:00Z"),
                ]
            );
        }
    }

    #[test]
    fn the_extension_says_tls_1_3() {
        let hello = tls_server_hello(0x0303, &[0, 43, 0, 2, 3, 4]);
        let facts = stream(&tls_record(&hello)).unwrap();
        assert_eq!(said(&facts), [(Attribute::Protocol, "TLS 1.3")]);
    }

    #[test]
    fn a_client_names_the_server_and_its_own_certificate_is_not_read() {
        let text = [
            tls_client_hello("lis.lab.example"),
            certificate_message(CERTIFICATE_DER),
        ]
        .concat();
        let facts = stream(&tls_record(&text)).unwrap();
        assert_eq!(
            of(&facts, About::Listener),
            [(Attribute::Hostname, "lis.lab.example")]
        );
        assert!(said(&facts).is_empty());
        let alone = tls_record(&certificate_message(CERTIFICATE_DER));
        assert!(stream(&alone).is_none());
    }
}

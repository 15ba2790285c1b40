//! SMB (MS-SMB, MS-SMB2): the dialect, and in NTLMSSP (MS-NLMP) the machine's name and the build of its system.
//!
//! It must never read the user, the domain's members or an answer to a challenge.

use crate::bytes::{Cursor, find, from, utf16_le};
use crate::sighting::{Attribute, Facts, Source};

const SIGNATURE: &[u8] = b"NTLMSSP\0";
const NEGOTIATE_UNICODE: u32 = 1;
const NEGOTIATE_VERSION: u32 = 1 << 25;
const NEGOTIATE: u16 = 0;
const RESPONSE: u32 = 1;
/// As many messages of a stream are looked at.
const MESSAGES_MAX: usize = 16;
const SMB2_HEADER_BYTES: usize = 64;

/// What a stream says, if it begins with an SMB message.
pub fn stream(bytes: &[u8]) -> Option<Facts> {
    let mut stream = Cursor::new(bytes);
    let mut facts = Facts::new(Source::Smb);
    for n in 0..MESSAGES_MAX {
        let Some(message) = next(&mut stream) else {
            break;
        };
        match message {
            [0xfe, b'S', b'M', b'B', ..] => second(message, &mut facts),
            [0xff, b'S', b'M', b'B', ..] => first(message, &mut facts),
            // Encrypted from here on.
            _ if n > 0 => break,
            _ => return None,
        }
    }
    let is_smb = matches!(bytes.get(4..8), Some([0xfe | 0xff, b'S', b'M', b'B']));
    is_smb.then_some(facts)
}

/// The next message behind its NetBIOS session header, or what is there of it.
fn next<'a>(stream: &mut Cursor<'a>) -> Option<&'a [u8]> {
    if stream.u8()? != 0 {
        return None;
    }
    let length = stream.u24()?;
    Some(stream.take_up_to(length)).filter(|message| message.len() >= 4)
}

/// SMB 1: a client offers it beside newer ones, a server speaks it only if it answers in it.
fn first(message: &[u8], facts: &mut Facts) {
    let is_response = message.get(9).is_some_and(|flags| flags & 0x80 != 0);
    if is_response {
        facts.stated(Attribute::Protocol, "SMB 1");
    }
    ntlm(message, facts);
}

fn second(message: &[u8], facts: &mut Facts) {
    let mut header = Cursor::new(from(message, 12));
    let (Some(command), Some(_), Some(flags)) = (header.u16_le(), header.u16(), header.u32_le())
    else {
        return;
    };
    if command == NEGOTIATE && flags & RESPONSE != 0 {
        let mut body = Cursor::new(from(message, SMB2_HEADER_BYTES + 4));
        let dialect = match body.u16_le() {
            Some(0x0202) => "SMB 2.0.2",
            Some(0x0210) => "SMB 2.1",
            Some(0x0300) => "SMB 3.0",
            Some(0x0302) => "SMB 3.0.2",
            Some(0x0311) => "SMB 3.1.1",
            // Still open: the client will ask again.
            _ => "",
        };
        facts.stated(Attribute::Protocol, dialect);
    }
    ntlm(message, facts);
}

/// The NTLMSSP token of a session's set-up, wherever it stands in its wrapping.
fn ntlm(message: &[u8], facts: &mut Facts) {
    let Some(token) = find(message, SIGNATURE).map(|at| from(message, at)) else {
        return;
    };
    facts.from(Source::Ntlm);
    let _ = match token.get(8) {
        Some(1) => version(token, 12, 32, facts),
        Some(2) => challenge(token, facts),
        Some(3) => authenticate(token, facts),
        _ => None,
    };
    facts.from(Source::Smb);
}

fn challenge(token: &[u8], facts: &mut Facts) -> Option<()> {
    version(token, 20, 48, facts);
    let mut pairs = Cursor::new(field(token, 40)?);
    while let (Some(id), Some(length)) = (pairs.u16_le(), pairs.u16_le()) {
        let value = pairs.take(length.into())?;
        // MsvAvNbComputerName and MsvAvDnsComputerName.
        if matches!(id, 1 | 3) {
            facts.stated(Attribute::Hostname, &utf16_le(value));
        }
    }
    Some(())
}

fn authenticate(token: &[u8], facts: &mut Facts) -> Option<()> {
    version(token, 60, 64, facts);
    let flags = Cursor::new(from(token, 60)).u32_le()?;
    let workstation = field(token, 44)?;
    if flags & NEGOTIATE_UNICODE != 0 {
        facts.stated(Attribute::Hostname, &utf16_le(workstation));
    }
    Some(())
}

/// The bytes that a field of length, room and offset points to.
fn field(token: &[u8], at: usize) -> Option<&[u8]> {
    let mut field = Cursor::new(from(token, at));
    let length = usize::from(field.u16_le()?);
    field.skip(2)?;
    let offset = usize::try_from(field.u32_le()?).ok()?;
    token.get(offset..offset.checked_add(length)?)
}

fn version(token: &[u8], flags: usize, at: usize, facts: &mut Facts) -> Option<()> {
    let flags = Cursor::new(from(token, flags)).u32_le()?;
    if flags & NEGOTIATE_VERSION == 0 {
        return None;
    }
    let mut version = Cursor::new(from(token, at));
    let (major, minor, build) = (version.u8()?, version.u8()?, version.u16_le()?);
    version.skip(3)?;
    // The revision of NTLMSSP itself; without it the bytes are no version.
    if version.u8()? != 15 || major == 0 {
        return None;
    }
    if build == 0 {
        // Samba and its kin send the version of a Windows that they are not.
        facts.hint(
            Attribute::Product,
            "Samba or another SMB software that is not Windows",
        );
        return Some(());
    }
    facts.stated(Attribute::OsBuild, &format!("{major}.{minor}.{build}"));
    facts.likely(Attribute::OperatingSystem, windows(major, minor, build));
    Some(())
}

/// The Windows with this version; client and server share builds.
fn windows(major: u8, minor: u8, build: u16) -> &'static str {
    match (major, minor, build) {
        (5, 0, _) => "Windows 2000",
        (5, 1, _) => "Windows XP",
        (5, 2, _) => "Windows Server 2003 or XP x64",
        (6, 0, _) => "Windows Vista or Server 2008",
        (6, 1, _) => "Windows 7 or Server 2008 R2",
        (6, 2, _) => "Windows 8 or Server 2012",
        (6, 3, _) => "Windows 8.1 or Server 2012 R2",
        (10, 0, 14_393) => "Windows 10 1607 or Server 2016",
        (10, 0, 17_763) => "Windows 10 1809 or Server 2019",
        (10, 0, 20_348) => "Windows Server 2022",
        (10, 0, 26_100) => "Windows 11 24H2 or Server 2025",
        (10, 0, 22_000..) => "Windows 11",
        (10, 0, _) => "Windows 10",
        _ => "Windows",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::{ntlm_authenticate, ntlm_challenge, smb2};
    use crate::dissect::check::said;

    #[test]
    fn a_server_says_dialect_name_and_build() {
        let mut bytes = smb2(0, true, &[65, 0, 1, 0, 0x11, 0x03, 0, 0]);
        bytes.extend(smb2(
            1,
            true,
            &ntlm_challenge("LIS-SRV", "LIS-SRV.lab.local", [10, 0], 17_763),
        ));
        let facts = stream(&bytes).unwrap();
        assert_eq!(
            said(&facts),
            [
                (Attribute::Protocol, "SMB 3.1.1"),
                (Attribute::OsBuild, "10.0.17763"),
                (Attribute::OperatingSystem, "Windows 10 1809 or Server 2019"),
                (Attribute::Hostname, "LIS-SRV"),
                (Attribute::Hostname, "LIS-SRV.lab.local"),
            ]
        );
    }

    #[test]
    fn a_client_says_its_machine_and_nobodys_name() {
        let token = ntlm_authenticate("jane.doe", "XN550-PC", [6, 1], 7601);
        let facts = stream(&smb2(1, false, &token)).unwrap();
        assert_eq!(
            said(&facts),
            [
                (Attribute::OsBuild, "6.1.7601"),
                (Attribute::OperatingSystem, "Windows 7 or Server 2008 R2"),
                (Attribute::Hostname, "XN550-PC"),
            ]
        );
        assert!(!format!("{facts:?}").contains("jane"));
    }

    #[test]
    fn a_version_without_a_build_is_no_windows() {
        let bytes = smb2(1, true, &ntlm_challenge("NAS", "nas", [6, 1], 0));
        let facts = stream(&bytes).unwrap();
        assert!(!format!("{facts:?}").contains("Windows 7"));
    }

    #[test]
    fn smb_1_counts_only_where_a_server_answers_in_it() {
        let message = |flags: u8| {
            let mut bytes = vec![0, 0, 0, 32, 0xff, b'S', b'M', b'B', 0x72, 0, 0, 0, 0, flags];
            bytes.resize(36, 0);
            bytes
        };
        assert!(stream(&message(0x18)).unwrap().facts().is_empty());
        let facts = stream(&message(0x98)).unwrap();
        assert_eq!(said(&facts), [(Attribute::Protocol, "SMB 1")]);
    }
}

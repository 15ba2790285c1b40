//! Frames and files for the tests, built byte by byte from their standards.

/// A file of pcap; times in microseconds.
pub(crate) fn pcap(is_big: bool, is_nano: bool, link: u32, frames: &[(i64, &[u8])]) -> Vec<u8> {
    let word = |n: u32| {
        if is_big {
            n.to_be_bytes()
        } else {
            n.to_le_bytes()
        }
    };
    let half = |n: u16| {
        if is_big {
            n.to_be_bytes()
        } else {
            n.to_le_bytes()
        }
    };
    let magic = if is_nano { 0xa1b2_3c4d } else { 0xa1b2_c3d4 };
    let mut file = word(magic).to_vec();
    file.extend([half(2), half(4)].concat());
    file.extend([word(0), word(0), word(262_144), word(link)].concat());
    for (at, bytes) in frames {
        let fraction = u32::try_from(at % 1_000_000).unwrap();
        let fraction = if is_nano { fraction * 1000 } else { fraction };
        let length = u32::try_from(bytes.len()).unwrap();
        let seconds = u32::try_from(at / 1_000_000).unwrap();
        file.extend([word(seconds), word(fraction), word(length), word(length)].concat());
        file.extend_from_slice(bytes);
    }
    file
}

/// A file of pcapng with one interface; times in microseconds.
pub(crate) fn pcap_ng(is_big: bool, resolution: u8, link: u16, frames: &[(i64, &[u8])]) -> Vec<u8> {
    let word = |n: u32| {
        if is_big {
            n.to_be_bytes()
        } else {
            n.to_le_bytes()
        }
    };
    let half = |n: u16| {
        if is_big {
            n.to_be_bytes()
        } else {
            n.to_le_bytes()
        }
    };
    let mut file = Vec::new();
    let mut block = |kind: u32, body: &[u8]| {
        let length = word(u32::try_from(body.len() + 12).unwrap());
        file.extend([&word(kind), &length, body, &length].concat());
    };
    let section = [&word(0x1a2b_3c4d)[..], &half(1), &half(0), &[0xff; 8]].concat();
    block(0x0a0d_0d0a, &section);
    let mut interface = [&half(link)[..], &half(0), &word(65_535)].concat();
    interface.extend([&half(9)[..], &half(1), &[resolution, 0, 0, 0], &word(0)].concat());
    block(1, &interface);
    let ticks = match resolution & 0x80 {
        0 => 10u128.pow(resolution.into()),
        _ => 1 << (resolution & 0x7f),
    };
    for (at, bytes) in frames {
        let count = u128::try_from(*at).unwrap() * ticks / 1_000_000;
        let length = word(u32::try_from(bytes.len()).unwrap());
        let (high, low) = (
            u32::try_from(count >> 32).unwrap(),
            u32::try_from(count % (1 << 32)).unwrap(),
        );
        let mut body = [word(0), word(high), word(low), length, length].concat();
        body.extend_from_slice(bytes);
        body.resize(body.len().next_multiple_of(4), 0);
        block(6, &body);
    }
    file
}

/// An association of DICOM: 1 asks, 2 accepts.
pub(crate) fn associate(
    kind: u8,
    called: &str,
    calling: &str,
    class: &str,
    version: &str,
) -> Vec<u8> {
    let item = |kind: u8, content: &[u8]| {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[kind, 0][..], &length, content].concat()
    };
    let user = [
        item(0x51, &[0, 0, 0x40, 0]),
        item(0x52, class.as_bytes()),
        item(0x55, version.as_bytes()),
    ]
    .concat();
    let body = [
        vec![0, 1, 0, 0],
        format!("{called:16}{calling:16}").into_bytes(),
        vec![0; 32],
        item(0x10, b"1.2.840.10008.3.1.1.1"),
        item(0x20, &[1, 0, 0, 0]),
        item(0x50, &user),
    ]
    .concat();
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[kind, 0][..], &length, &body].concat()
}

/// A hello message of POCT1-A.
pub(crate) const HELLO: &str = r#"<?xml version="1.0"?>
<HEL.R01>
  <HDR><HDR.message_type V="HEL.R01"/><HDR.control_id V="1"/><HDR.version_id V="POCT1"/></HDR>
  <DEV>
    <DEV.device_id V="00-60-55-FF-FE-12-34-56"/>
    <DEV.vendor_id V="Acme &amp; Sons"/>
    <DEV.model_id V="POC 100"/>
    <DEV.serial_id V='12345678'/>
    <DEV.sw_version V = "3.2.1"/>
    <DCP><DCP.application_timeout V="60"/></DCP>
  </DEV>
</HEL.R01>"#;

/// A DHCP message.
pub(crate) fn dhcp(
    operation: u8,
    mac: [u8; 6],
    own: [u8; 4],
    given: [u8; 4],
    options: &[(u8, &[u8])],
) -> Vec<u8> {
    let mut bytes = vec![operation, 1, 6, 0, 1, 2, 3, 4, 0, 0, 0, 0];
    bytes.extend([own, given, [0; 4], [0; 4]].concat());
    bytes.extend(mac);
    bytes.resize(236, 0);
    bytes.extend([0x63, 0x82, 0x53, 0x63]);
    for (code, value) in options {
        bytes.extend([*code, u8::try_from(value.len()).unwrap()]);
        bytes.extend_from_slice(value);
    }
    bytes.push(255);
    bytes
}

/// A name as labels.
pub(crate) fn dns_name(name: &str) -> Vec<u8> {
    // The instance of a service is one label, whatever stands in it.
    let mut bytes = Vec::new();
    for label in name.split('.') {
        bytes.push(u8::try_from(label.len()).unwrap());
        bytes.extend_from_slice(label.as_bytes());
    }
    bytes.push(0);
    bytes
}

/// An answer of DNS with these records: name, type, data.
pub(crate) fn dns(records: &[(Vec<u8>, u16, Vec<u8>)]) -> Vec<u8> {
    let count = u16::try_from(records.len()).unwrap().to_be_bytes();
    let mut bytes = [&[0, 0, 0x84, 0, 0, 0][..], &count, &[0; 4]].concat();
    for (name, kind, data) in records {
        bytes.extend_from_slice(name);
        bytes.extend(kind.to_be_bytes());
        bytes.extend([0x80, 1, 0, 0, 0, 120]);
        bytes.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        bytes.extend_from_slice(data);
    }
    bytes
}

/// A frame of LLDP without its Ethernet header.
pub(crate) fn lldp(elements: &[(u8, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (kind, value) in elements {
        let head = u16::from(*kind) << 9 | u16::try_from(value.len()).unwrap();
        bytes.extend(head.to_be_bytes());
        bytes.extend_from_slice(value);
    }
    bytes.extend([0, 0]);
    bytes
}

/// A name of NetBIOS in its first-level encoding.
pub(crate) fn netbios_name(name: &str, suffix: u8) -> Vec<u8> {
    let mut bytes = format!("{name:15}").into_bytes();
    bytes.push(suffix);
    let letters = bytes
        .iter()
        .flat_map(|byte| [b'A' + (byte >> 4), b'A' + (byte & 15)]);
    let mut encoded = vec![32];
    encoded.extend(letters);
    encoded.push(0);
    encoded
}

/// A message of SMB 2 behind its session header.
pub(crate) fn smb2(command: u16, is_response: bool, body: &[u8]) -> Vec<u8> {
    let mut message = b"\xfeSMB\x40\0\0\0\0\0\0\0".to_vec();
    message.extend(command.to_le_bytes());
    message.extend([1, 0]);
    message.extend(u32::from(is_response).to_le_bytes());
    message.resize(64, 0);
    message.extend_from_slice(body);
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&length[..], &message].concat()
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn ntlm_version([major, minor]: [u8; 2], build: u16) -> Vec<u8> {
    let [low, high] = build.to_le_bytes();
    vec![major, minor, low, high, 0, 0, 0, 15]
}

/// Length, room and offset of a field.
fn ntlm_field(length: usize, offset: usize) -> Vec<u8> {
    let length = u16::try_from(length).unwrap().to_le_bytes();
    let offset = u32::try_from(offset).unwrap().to_le_bytes();
    [&length[..], &length, &offset].concat()
}

/// The challenge of NTLMSSP, inside of something.
pub(crate) fn ntlm_challenge(name: &str, dns: &str, version: [u8; 2], build: u16) -> Vec<u8> {
    let mut pairs = Vec::new();
    for (id, value) in [(2u16, "LAB"), (1, name), (3, dns)] {
        let value = utf16(value);
        pairs.extend(id.to_le_bytes());
        pairs.extend(u16::try_from(value.len()).unwrap().to_le_bytes());
        pairs.extend(value);
    }
    pairs.extend([0; 4]);
    let flags = (1u32 | 1 << 23 | 1 << 25).to_le_bytes();
    let token = [
        b"NTLMSSP\0\x02\0\0\0".to_vec(),
        ntlm_field(0, 56),
        flags.to_vec(),
        vec![7; 8],
        vec![0; 8],
        ntlm_field(pairs.len(), 56),
        ntlm_version(version, build),
        pairs,
    ]
    .concat();
    [&[9, 0, 0, 0, 0x60, 0x48][..], &token].concat()
}

/// The authentication of NTLMSSP, inside of something.
pub(crate) fn ntlm_authenticate(
    user: &str,
    workstation: &str,
    version: [u8; 2],
    build: u16,
) -> Vec<u8> {
    let [user, workstation] = [user, workstation].map(utf16);
    let flags = (1u32 | 1 << 25).to_le_bytes();
    let token = [
        b"NTLMSSP\0\x03\0\0\0".to_vec(),
        ntlm_field(0, 72),
        ntlm_field(0, 72),
        ntlm_field(0, 72),
        ntlm_field(user.len(), 72),
        ntlm_field(workstation.len(), 72 + user.len()),
        ntlm_field(0, 72),
        flags.to_vec(),
        ntlm_version(version, build),
        user,
        workstation,
    ]
    .concat();
    [&[9, 0, 0, 0, 0x60, 0x48][..], &token].concat()
}

fn handshake(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[kind], &length[1..], body].concat()
}

/// The hello of a TLS server, with these bytes as its extensions.
pub(crate) fn tls_server_hello(version: u16, extensions: &[u8]) -> Vec<u8> {
    let length = u16::try_from(extensions.len()).unwrap().to_be_bytes();
    let body = [
        &version.to_be_bytes()[..],
        &[9; 32],
        &[0, 0x13, 1, 0],
        &length,
        extensions,
    ];
    handshake(2, &body.concat())
}

/// The hello of a TLS client that asks for this name.
pub(crate) fn tls_client_hello(name: &str) -> Vec<u8> {
    let long = |bytes: &[u8]| {
        let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
        [&length[..], bytes].concat()
    };
    let entry = [&[0][..], &long(name.as_bytes())].concat();
    let extension = [&[0, 0][..], &long(&long(&entry))].concat();
    let body = [
        &[3, 3][..],
        &[9; 32],
        &[2, 8, 8],
        &[0, 2, 0x13, 1],
        &[1, 0],
        &long(&extension),
    ];
    handshake(1, &body.concat())
}

/// One record with a piece of a handshake.
pub(crate) fn tls_record(piece: &[u8]) -> Vec<u8> {
    let length = u16::try_from(piece.len()).unwrap().to_be_bytes();
    [&[22, 3, 3][..], &length, piece].concat()
}

/// One stream of each protocol that is recognised by its bytes.
pub(crate) fn every_stream() -> Vec<Vec<u8>> {
    let hl7 =
        "MSH|^~\\&|LIS|LAB|EHR|CLINIC|1||ORU^R01|1|P|2.5\rPID|1\rOBX|1|||||||||||||||||X900\r";
    let astm = b"\x05\x021H|\\^&|||Acme 900^2.1.7^SN-77\rP|1\rR|1|^^^G|5\rL|1|N\r\x03CC\r\n\x04";
    let mut smb = smb2(0, true, &[65, 0, 1, 0, 0x11, 0x03, 0, 0]);
    smb.extend(smb2(
        1,
        true,
        &ntlm_challenge("LIS", "lis.lab", [10, 0], 17_763),
    ));
    vec![
        labward_hl7::mllp::encode(hl7.as_bytes()),
        astm.to_vec(),
        associate(1, "PACS", "XRAY_1", "1.2.3.4", "ACME_2_1"),
        HELLO.as_bytes().to_vec(),
        smb,
        b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n".to_vec(),
        tls_record(&tls_server_hello(0x0303, &[0, 43, 0, 2, 3, 4])),
        tls_record(&tls_client_hello("lis.lab.example")),
    ]
}

/// A certificate of `CN=lis.lab.example, O=Lab`, valid to 2036-11-24, made for these tests.
#[rustfmt::skip]
pub(crate) const CERTIFICATE_DER: &[u8] = &[
    0x30, 0x81, 0xf7, 0x30, 0x81, 0xaa, 0x02, 0x01, 0x01, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70,
    0x30, 0x28, 0x31, 0x18, 0x30, 0x16, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x0f, 0x6c, 0x69, 0x73,
    0x2e, 0x6c, 0x61, 0x62, 0x2e, 0x65, 0x78, 0x61, 0x6d, 0x70, 0x6c, 0x65, 0x31, 0x0c, 0x30, 0x0a,
    0x06, 0x03, 0x55, 0x04, 0x0a, 0x0c, 0x03, 0x4c, 0x61, 0x62, 0x30, 0x1e, 0x17, 0x0d, 0x32, 0x36,
    0x31, 0x31, 0x32, 0x37, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x5a, 0x17, 0x0d, 0x33, 0x36, 0x31,
    0x31, 0x32, 0x34, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x5a, 0x30, 0x28, 0x31, 0x18, 0x30, 0x16,
    0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x0f, 0x6c, 0x69, 0x73, 0x2e, 0x6c, 0x61, 0x62, 0x2e, 0x65,
    0x78, 0x61, 0x6d, 0x70, 0x6c, 0x65, 0x31, 0x0c, 0x30, 0x0a, 0x06, 0x03, 0x55, 0x04, 0x0a, 0x0c,
    0x03, 0x4c, 0x61, 0x62, 0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
    0x03, 0x43, 0xff, 0xd2, 0xdc, 0xf1, 0xa2, 0xe8, 0xfb, 0xc8, 0x5c, 0x46, 0xc2, 0xcf, 0x7e, 0xfc,
    0x6d, 0xd0, 0xf7, 0xb3, 0x2c, 0xf9, 0x04, 0xa2, 0x38, 0x89, 0x23, 0x12, 0x35, 0x26, 0xcd, 0x5a,
    0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x41, 0x00, 0xf1, 0x31, 0x10, 0xaa, 0x9a, 0xe0,
    0x09, 0x7a, 0x61, 0x67, 0x2f, 0xcc, 0x1b, 0x57, 0x2a, 0xbb, 0x06, 0x9b, 0x2f, 0x6f, 0x6d, 0x28,
    0x6e, 0xb9, 0xc4, 0xb6, 0xab, 0x15, 0x21, 0x27, 0x9e, 0x68, 0xe6, 0xbc, 0x9e, 0x0e, 0xf5, 0x29,
    0xca, 0xc1, 0x4f, 0xf5, 0x41, 0xc5, 0x66, 0x2a, 0x91, 0x68, 0x5b, 0x35, 0xc2, 0x9b, 0x16, 0x19,
    0xa9, 0x95, 0x0d, 0x6e, 0xaa, 0x55, 0x6c, 0xc5, 0x12, 0x0a,
];

/// A segment of TCP; flags: 0x02 SYN, 0x10 ACK, 0x01 FIN.
pub(crate) fn tcp(source: u16, target: u16, sequence: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = [source.to_be_bytes(), target.to_be_bytes()].concat();
    bytes.extend(sequence.to_be_bytes());
    bytes.extend([0, 0, 0, 1, 0x50, flags, 0x20, 0, 0, 0, 0, 0]);
    bytes.extend_from_slice(payload);
    bytes
}

/// A datagram of UDP.
pub(crate) fn datagram(source: u16, target: u16, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 8).unwrap();
    let mut bytes = [source, target, length, 0].map(u16::to_be_bytes).concat();
    bytes.extend_from_slice(payload);
    bytes
}

/// A packet of IPv4.
pub(crate) fn ipv4(source: [u8; 4], target: [u8; 4], protocol: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 20).unwrap().to_be_bytes();
    let mut bytes = vec![
        0x45, 0, length[0], length[1], 0, 1, 0x40, 0, 64, protocol, 0, 0,
    ];
    bytes.extend([source, target].concat());
    bytes.extend_from_slice(payload);
    bytes
}

/// A frame of Ethernet from one card, which carries IPv4.
pub(crate) fn ethernet(packet: &[u8]) -> Vec<u8> {
    let mut bytes = vec![
        0x00, 0x1b, 0x21, 9, 9, 9, 0x00, 0x10, 0x7f, 9, 9, 9, 0x08, 0x00,
    ];
    bytes.extend_from_slice(packet);
    bytes
}

/// An ARP request of this card and address.
pub(crate) fn arp(mac: [u8; 6], ip: [u8; 4]) -> Vec<u8> {
    let mut frame = [&[0xff; 6][..], &mac, &[0x08, 0x06]].concat();
    frame.extend([0, 1, 0x08, 0, 6, 4, 0, 1]);
    frame.extend([&mac[..], &ip, &[0; 6], &[10, 0, 0, 1]].concat());
    frame
}

/// A TCP stream between two addresses, as frames.
pub(crate) struct Stream {
    ends: [([u8; 4], u16, u32); 2],
}

impl Stream {
    pub(crate) fn new(client: [u8; 4], port: u16, server: [u8; 4], service: u16) -> Self {
        Self {
            ends: [(client, port, 1_000), (server, service, u32::MAX - 5)],
        }
    }

    fn frame(&self, from: usize, flags: u8, payload: &[u8]) -> Vec<u8> {
        let ((source, port, sequence), (target, service, _)) =
            (self.ends[from], self.ends[1 - from]);
        let segment = tcp(port, service, sequence, flags, payload);
        ethernet(&ipv4(source, target, 6, &segment))
    }

    fn step(&mut self, from: usize, flags: u8, payload: &[u8]) -> Vec<u8> {
        let frame = self.frame(from, flags, payload);
        let count = u32::try_from(payload.len()).unwrap() + u32::from(flags & 3 != 0);
        self.ends[from].2 = self.ends[from].2.wrapping_add(count);
        frame
    }

    pub(crate) fn open(&mut self) -> Vec<Vec<u8>> {
        vec![
            self.step(0, 0x02, b""),
            self.step(1, 0x12, b""),
            self.step(0, 0x10, b""),
        ]
    }

    pub(crate) fn send(&mut self, is_client: bool, payload: &[u8]) -> Vec<u8> {
        self.step(usize::from(!is_client), 0x18, payload)
    }

    pub(crate) fn close(&mut self) -> Vec<Vec<u8>> {
        vec![
            self.step(0, 0x11, b""),
            self.step(1, 0x11, b""),
            self.step(0, 0x10, b""),
        ]
    }
}

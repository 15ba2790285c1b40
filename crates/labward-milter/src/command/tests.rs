//! Commands as a mail server sends them, written and read again, and what is none.

use super::*;
use crate::{Actions, Decoder, Steps};
use proptest::collection::vec;
use proptest::prelude::*;

fn decode(kind: u8, data: &[u8]) -> Result<Command, MilterError> {
    let data = data.to_vec();
    Command::decode(Packet { kind, data })
}

/// A connection of Postfix 3.7 with SMFIP_HDR_LEADSPC, byte for byte.
#[test]
fn what_a_mail_server_sends_is_understood() {
    let check = |kind, data: &[u8], expect| assert_eq!(decode(kind, data), Ok(expect));
    let options = Options {
        version: 6,
        actions: Actions(0x1ff),
        steps: Steps(0x1f_ffff),
    };
    check(
        b'O',
        b"\0\0\0\x06\0\0\x01\xff\0\x1f\xff\xff",
        Command::Negotiate(options),
    );
    check(
        b'C',
        b"lab.example\x004\xb1\x6e127.0.0.1\0",
        Command::Connect(Origin {
            host: b"lab.example".to_vec(),
            family: Family::Inet,
            port: 45_422,
            address: b"127.0.0.1".to_vec(),
        }),
    );
    check(
        b'C',
        b"localhost\0U",
        Command::Connect(Origin {
            host: b"localhost".to_vec(),
            family: Family::Unknown,
            port: 0,
            address: Vec::new(),
        }),
    );
    check(
        b'M',
        b"<a@lab.example>\0SIZE=12\0",
        Command::Mail(vec![b"<a@lab.example>".to_vec(), b"SIZE=12".to_vec()]),
    );
    check(
        b'L',
        b"Subject\0 one\n two\0",
        Command::Header(b"Subject".to_vec(), b" one\n two".to_vec()),
    );
    check(b'E', b"", Command::EndOfMessage(Vec::new()));
    let macros = decode(b'D', b"Ei\x004XyZ\0j\0mail\0").unwrap();
    assert_eq!(macros.value_of(b"i"), Some(&b"4XyZ"[..]));
    assert_eq!(macros.value_of(b"4XyZ"), None, "a value is no name");
}

#[test]
fn what_is_cut_or_unknown_is_refused() {
    for (kind, data) in [
        (b'C', &b"host"[..]),
        (b'C', b"host\x004\0"),
        (b'C', b"host\0X\0\0a\0"),
        (b'D', b""),
        (b'L', b"Subject"),
        (b'M', b""),
        (b'O', b"\0\0\0\x06\0\0"),
        (b'R', b""),
    ] {
        assert_eq!(decode(kind, data), Err(MilterError::Malformed(kind)));
    }
    assert_eq!(decode(b'Z', b""), Err(MilterError::Kind(b'Z')));
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    vec(1_u8.., 0..40)
}

fn any_command() -> impl Strategy<Value = Command> {
    let words = || vec(text(), 1..5);
    let family = prop_oneof![Just(Family::Inet), Just(Family::Inet6), Just(Family::Local)];
    prop_oneof![
        Just(Command::Abort),
        Just(Command::Data),
        Just(Command::EndOfHeaders),
        Just(Command::Quit),
        Just(Command::QuitForNext),
        vec(any::<u8>(), 0..200).prop_map(Command::Body),
        vec(any::<u8>(), 0..200).prop_map(Command::EndOfMessage),
        text().prop_map(Command::Helo),
        text().prop_map(Command::Unknown),
        (text(), text()).prop_map(|(name, value)| Command::Header(name, value)),
        words().prop_map(Command::Mail),
        words().prop_map(Command::Rcpt),
        (any::<u8>(), words()).prop_map(|(of, words)| Command::Macros(of, words)),
        any::<[u32; 3]>().prop_map(|[version, actions, steps]| Command::Negotiate(Options {
            version,
            actions: Actions(actions),
            steps: Steps(steps),
        })),
        (text(), family, any::<u16>(), text()).prop_map(|(host, family, port, address)| {
            Command::Connect(Origin {
                host,
                family,
                port,
                address,
            })
        }),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(commands in vec(any_command(), 1..10), piece in 1_usize..50) {
        let mut line = Vec::new();
        commands.iter().for_each(|command| command.encode(&mut line));
        let mut decoder = Decoder::default();
        let mut read = Vec::new();
        for piece in line.chunks(piece) {
            decoder.feed(piece);
            while let Some(packet) = decoder.next_packet().unwrap() {
                read.push(Command::decode(packet).unwrap());
            }
        }
        prop_assert!(!decoder.is_within());
        prop_assert_eq!(read, commands);
    }

    #[test]
    fn a_changed_packet_is_read_or_refused(command in any_command(), at in any::<prop::sample::Index>(), to in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let mut line = Vec::new();
        command.encode(&mut line);
        let at = at.index(line.len());
        line[at] = to;
        line.truncate(cut.index(line.len()) + 1);
        let mut decoder = Decoder::default();
        decoder.feed(&line);
        while let Ok(Some(packet)) = decoder.next_packet() {
            if let Ok(read) = Command::decode(packet) {
                let mut again = Vec::new();
                read.encode(&mut again);
                let mut decoder = Decoder::default();
                decoder.feed(&again);
                let packet = decoder.next_packet().unwrap().unwrap();
                prop_assert_eq!(Command::decode(packet), Ok(read));
            }
        }
    }
}

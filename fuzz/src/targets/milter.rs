//! Any bytes between a mail server and a filter: packets do not depend on how the line was cut, stay within the limit, and what is
//! read is written and read again.

use labward_milter::{Command, Decoder, MilterError, Packet, Reply, packet};

pub fn run(data: &[u8]) {
    let Some((piece, bytes)) = data.split_first() else {
        return;
    };
    let whole = packets(bytes, bytes.len());
    assert_eq!(packets(bytes, 1), whole);
    assert_eq!(packets(bytes, usize::from(*piece)), whole);
    for packet in whole.0 {
        if let Ok(command) = Command::decode(packet.clone()) {
            let mut line = Vec::new();
            command.encode(&mut line);
            assert_eq!(Command::decode(only(&line)), Ok(command));
        }
        if let Ok(reply) = Reply::decode(packet) {
            let mut line = Vec::new();
            reply.encode(&mut line);
            assert_eq!(Reply::decode(only(&line)), Ok(reply));
        }
    }
}

fn only(line: &[u8]) -> Packet {
    let (mut packets, fault) = packets(line, line.len());
    assert_eq!((packets.len(), fault), (1, None));
    packets.remove(0)
}

fn packets(bytes: &[u8], piece: usize) -> (Vec<Packet>, Option<MilterError>) {
    let mut decoder = Decoder::default();
    let mut packets = Vec::new();
    for piece in bytes.chunks(piece.max(1)) {
        decoder.feed(piece);
        loop {
            match decoder.next_packet() {
                Ok(Some(packet)) => packets.push(packet),
                Ok(None) => break,
                Err(fault) => return (packets, Some(fault)),
            }
        }
        assert!(decoder.held_bytes() <= packet::MAX_BYTES + 4);
    }
    (packets, None)
}

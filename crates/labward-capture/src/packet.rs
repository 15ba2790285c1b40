//! One frame: who sent it to whom on the link, between which addresses, and what it carries.
//!
//! It must never put fragments together, nor take a cut frame for a whole one's length.

use std::fmt;
use std::net::IpAddr;

use etherparse::{EtherType, LaxNetSlice, LaxSlicedPacket, TransportSlice, ether_type};

use crate::Mac;
use crate::address::Address;
use crate::bytes::Cursor;

const LLDP: u16 = 0x88cc;

/// What the first byte of a frame begins (the link types of tcpdump.org).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Ethernet (1).
    Ethernet,
    /// Linux cooked capture (113).
    LinuxSll,
    /// Linux cooked capture, version 2 (276).
    LinuxSll2,
    /// BSD loopback (0, 108).
    Loopback,
    /// No link layer: IPv4 or IPv6 (12, 14, 101, 228, 229).
    Raw,
    /// Another link, which is not read.
    Unread(i32),
}

/// What was read of a frame.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// The card that sent the frame: the device's own, or a router's.
    pub sender: Option<Mac>,
    /// What it carries.
    pub body: Body<'a>,
}

/// What a frame carries.
#[derive(Clone, Copy, Debug)]
pub enum Body<'a> {
    /// An ARP packet's sender.
    Arp(Address),
    /// An IP packet.
    Ip(IpPacket<'a>),
    /// An LLDP frame.
    Lldp(Payload<'a>),
    /// Something that is not read here.
    Other,
}

/// An IP packet.
#[derive(Clone, Copy, Debug)]
pub struct IpPacket<'a> {
    /// From where.
    pub source: IpAddr,
    /// To where.
    pub target: IpAddr,
    /// What it carries.
    pub transport: Transport<'a>,
}

/// What an IP packet carries.
#[derive(Clone, Copy, Debug)]
pub enum Transport<'a> {
    /// A part of a packet, which is not put together.
    Fragment,
    /// Another protocol, by its IP number.
    Other(u8),
    /// A TCP segment.
    Tcp(Segment<'a>),
    /// A UDP datagram.
    Udp(Datagram<'a>),
}

/// A TCP segment.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    /// From which port.
    pub source: u16,
    /// To which port.
    pub target: u16,
    /// The number of its first byte.
    pub sequence: u32,
    /// It opens a direction.
    pub syn: bool,
    /// It answers.
    pub ack: bool,
    /// It ends its direction.
    pub ends: bool,
    /// It breaks the connection off.
    pub resets: bool,
    /// Its bytes.
    pub payload: Payload<'a>,
}

/// A UDP datagram.
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    /// From which port.
    pub source: u16,
    /// To which port.
    pub target: u16,
    /// Its bytes.
    pub payload: Payload<'a>,
}

/// Bytes that may hold anything, and are therefore never shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Payload<'a>(pub &'a [u8]);

impl fmt::Debug for Payload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl Link {
    /// The link with this number.
    pub const fn of(number: i32) -> Self {
        match number {
            0 | 108 => Self::Loopback,
            1 => Self::Ethernet,
            12 | 14 | 101 | 228 | 229 => Self::Raw,
            113 => Self::LinuxSll,
            276 => Self::LinuxSll2,
            other => Self::Unread(other),
        }
    }
}

impl<'a> Packet<'a> {
    /// Reads a frame; what cannot be read is [`Body::Other`].
    pub fn read(link: Link, frame: &'a [u8]) -> Self {
        let (sender, body) = read(link, frame).unwrap_or((None, Body::Other));
        Self { sender, body }
    }
}

fn read(link: Link, frame: &[u8]) -> Option<(Option<Mac>, Body<'_>)> {
    let mut bytes = Cursor::new(frame);
    match link {
        Link::Ethernet => {
            bytes.skip(6)?;
            let sender = Mac::of_card(bytes.take(6)?);
            Some((sender, by_type(bytes.u16()?, bytes.rest())))
        }
        Link::LinuxSll => {
            bytes.skip(4)?;
            let length = usize::from(bytes.u16()?);
            let sender = Mac::of_card(bytes.take(8)?.get(..length)?);
            Some((sender, by_type(bytes.u16()?, bytes.rest())))
        }
        Link::LinuxSll2 => {
            let kind = bytes.u16()?;
            bytes.skip(9)?;
            let length = usize::from(bytes.u8()?);
            let sender = Mac::of_card(bytes.take(8)?.get(..length)?);
            Some((sender, by_type(kind, bytes.rest())))
        }
        Link::Loopback => {
            // The family stands in the byte order of the machine; the packet's first bits say it, too.
            bytes.skip(4)?;
            Some((None, raw(bytes.rest())))
        }
        Link::Raw => Some((None, raw(frame))),
        Link::Unread(_) => None,
    }
}

fn raw(bytes: &[u8]) -> Body<'_> {
    match bytes.first().map(|byte| byte >> 4) {
        Some(4) => by_type(ether_type::IPV4.0, bytes),
        Some(6) => by_type(ether_type::IPV6.0, bytes),
        _ => Body::Other,
    }
}

fn by_type(kind: u16, bytes: &[u8]) -> Body<'_> {
    if kind == LLDP {
        return Body::Lldp(Payload(bytes));
    }
    let sliced = LaxSlicedPacket::from_ether_type(EtherType(kind), bytes);
    let (source, target, payload) = match &sliced.net {
        Some(LaxNetSlice::Ipv4(ip)) => {
            let header = ip.header();
            let ends = (
                header.source_addr().into(),
                header.destination_addr().into(),
            );
            (ends.0, ends.1, ip.payload())
        }
        Some(LaxNetSlice::Ipv6(ip)) => {
            let header = ip.header();
            let ends = (
                header.source_addr().into(),
                header.destination_addr().into(),
            );
            (ends.0, ends.1, ip.payload())
        }
        Some(LaxNetSlice::Arp(arp)) => {
            let ip = <[u8; 4]>::try_from(arp.sender_protocol_addr()).ok();
            return Body::Arp(Address {
                ip: ip
                    .map(IpAddr::from)
                    .filter(|ip| crate::address::is_machine(*ip)),
                mac: Mac::of_card(arp.sender_hw_addr()),
            });
        }
        None => return Body::Other,
    };
    let transport = match &sliced.transport {
        _ if payload.fragmented => Transport::Fragment,
        Some(TransportSlice::Tcp(tcp)) => Transport::Tcp(Segment {
            source: tcp.source_port(),
            target: tcp.destination_port(),
            sequence: tcp.sequence_number(),
            syn: tcp.syn(),
            ack: tcp.ack(),
            ends: tcp.fin(),
            resets: tcp.rst(),
            payload: Payload(tcp.payload()),
        }),
        Some(TransportSlice::Udp(udp)) => Transport::Udp(Datagram {
            source: udp.source_port(),
            target: udp.destination_port(),
            payload: Payload(udp.payload()),
        }),
        _ => Transport::Other(payload.ip_number.0),
    };
    Body::Ip(IpPacket {
        source,
        target,
        transport,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::{datagram, ipv4};

    const MAC: [u8; 6] = [0x00, 0x10, 0x7f, 9, 9, 9];

    /// Sender, source port and payload, if it is a datagram.
    fn read(link: Link, frame: &[u8]) -> Option<(Option<Mac>, u16, &[u8])> {
        let packet = Packet::read(link, frame);
        let Body::Ip(IpPacket {
            transport: Transport::Udp(udp),
            ..
        }) = packet.body
        else {
            return None;
        };
        Some((packet.sender, udp.source, udp.payload.0))
    }

    #[test]
    fn every_link_leads_to_the_same_packet() {
        let packet = ipv4(
            [10, 0, 0, 7],
            [10, 0, 0, 9],
            17,
            &datagram(50_000, 9, b"abc"),
        );
        let ethernet = |tags: &[u8]| [&[0xff; 6], &MAC[..], tags, &[8, 0], &packet].concat();
        let cooked = [&[0, 0, 0, 1, 0, 6][..], &MAC, &[0, 0, 8, 0], &packet].concat();
        let cooked_2 = [
            &[8, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0, 6][..],
            &MAC,
            &[0, 0],
            &packet,
        ]
        .concat();
        let card = Mac::of_card(&MAC);
        for (number, frame, sender) in [
            (1, ethernet(&[]), card),
            (1, ethernet(&[0x81, 0, 0, 7]), card),
            (1, ethernet(&[0x88, 0xa8, 0, 7, 0x81, 0, 0, 8]), card),
            (113, cooked, card),
            (276, cooked_2, card),
            (0, [&[2, 0, 0, 0], &packet[..]].concat(), None),
            (108, [&[0, 0, 0, 2], &packet[..]].concat(), None),
            (101, packet.clone(), None),
            (228, packet.clone(), None),
        ] {
            let expected = Some((sender, 50_000, &b"abc"[..]));
            assert_eq!(read(Link::of(number), &frame), expected, "link {number}");
        }
        assert_eq!(read(Link::of(105), &packet), None);
    }

    #[test]
    fn a_packet_of_ipv6_is_read() {
        let payload = datagram(5353, 5353, b"abc");
        let mut packet = vec![0x60, 0, 0, 0, 0, 11, 17, 255];
        packet.extend([0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]);
        packet.extend([0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xfb]);
        packet.extend(payload);
        assert_eq!(read(Link::Raw, &packet), Some((None, 5353, &b"abc"[..])));
    }

    #[test]
    fn what_fills_a_short_frame_up_is_not_payload() {
        let packet = ipv4([10, 0, 0, 7], [10, 0, 0, 9], 17, &datagram(1, 2, b"abc"));
        let frame = [&[0xff; 6], &MAC[..], &[8, 0], &packet, &[0; 15]].concat();
        assert_eq!(read(Link::Ethernet, &frame).unwrap().2, b"abc");
    }

    #[test]
    fn a_frame_that_was_cut_gives_what_is_there() {
        let packet = ipv4([10, 0, 0, 7], [10, 0, 0, 9], 17, &datagram(1, 2, b"abcdef"));
        let cut = &packet[..packet.len() - 3];
        assert_eq!(read(Link::Raw, cut).unwrap().2, b"abc");
        for length in 0..packet.len() {
            let _ = Packet::read(Link::Raw, &packet[..length]);
        }
    }
}

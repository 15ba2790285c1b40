//! The observer: frames go in one by one, sightings and conversations come out.
//!
//! It must never keep more than its limits allow, nor anything of what was said but sightings.

use std::collections::HashMap;
use std::net::IpAddr;

use labward_base::Timestamp;

use crate::Mac;
use crate::address::{Address, is_machine};
use crate::conversation::{Carrier, Conversation, Conversations, Parties};
use crate::dissect;
use crate::flow::{End, Flow, FlowKey, FlowLimits, FlowTable};
use crate::packet::{Body, IpPacket, Link, Packet, Transport};
use crate::sighting::{About, Attribute, Confidence, Fact, Facts, Sighting, Source};

/// So many addresses of one card are told apart; a card with more is a router's.
const ADDRESSES_MAX: usize = 4;

/// What an observer may keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Network cards.
    pub cards: usize,
    /// Conversations.
    pub conversations: usize,
    /// Streams that are followed at the same time.
    pub flows: usize,
    /// Bytes of each direction of a stream.
    pub head_bytes: usize,
    /// Sightings.
    pub sightings: usize,
    /// Bytes of all streams together.
    pub stream_bytes: usize,
}

/// What was counted beside conversations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Frames.
    pub frames: u64,
    /// Bytes of the frames, as far as they were captured.
    pub bytes: u64,
    /// Fragments of IP packets, which are not put together.
    pub fragments: u64,
    /// Frames of links or protocols that are not read.
    pub unread: u64,
    /// Directions of streams with bytes missing between those that were seen.
    pub gaps: u64,
    /// Streams that had to go before they ended.
    pub evicted: u64,
    /// Packets of conversations for which there was no room.
    pub uncounted: u64,
    /// Conversations that were silent and were let go for others.
    pub let_go: u64,
    /// Sightings for which there was no room.
    pub unkept: u64,
}

/// What an observer saw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// Each thing that was seen of a device, once, in the order in which it was seen.
    pub sightings: Vec<Sighting>,
    /// Who talks to whom.
    pub conversations: Vec<Conversation>,
    /// What was counted.
    pub counts: Counts,
}

/// Watches traffic.
#[derive(Debug)]
pub struct Observer {
    limits: Limits,
    flows: FlowTable,
    conversations: Conversations,
    sightings: Sightings,
    cards: HashMap<Mac, Card>,
    counts: Counts,
}

#[derive(Debug)]
struct Sightings {
    limit: usize,
    known: HashMap<(Address, Attribute, Source, String), usize>,
    list: Vec<Sighting>,
    unkept: u64,
}

/// The addresses that sent through one card.
#[derive(Debug)]
struct Card {
    first: Timestamp,
    addresses: Vec<IpAddr>,
    is_router: bool,
}

/// What one direction of a stream said.
struct Reading {
    at: Timestamp,
    key: FlowKey,
    end: usize,
    client: Option<usize>,
    facts: Option<Facts>,
    has_gap: bool,
}

impl Default for Limits {
    /// About 100 MB at most.
    fn default() -> Self {
        Self {
            cards: 65_536,
            conversations: 65_536,
            flows: 65_536,
            head_bytes: 16 << 10,
            sightings: 65_536,
            stream_bytes: 64 << 20,
        }
    }
}

impl Default for Observer {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl Observer {
    /// An observer that has seen nothing.
    pub fn new(limits: Limits) -> Self {
        let flows = FlowLimits {
            flows: limits.flows,
            head_bytes: limits.head_bytes,
            bytes: limits.stream_bytes,
        };
        Self {
            limits,
            flows: FlowTable::new(flows),
            conversations: Conversations::new(limits.conversations),
            sightings: Sightings {
                limit: limits.sightings,
                known: HashMap::new(),
                list: Vec::new(),
                unkept: 0,
            },
            cards: HashMap::new(),
            counts: Counts::default(),
        }
    }

    /// Takes one frame that was captured at `at`.
    pub fn observe(&mut self, at: Timestamp, link: Link, frame: &[u8]) {
        self.counts.frames = self.counts.frames.saturating_add(1);
        let bytes = u64::try_from(frame.len()).unwrap_or(u64::MAX);
        self.counts.bytes = self.counts.bytes.saturating_add(bytes);
        let packet = Packet::read(link, frame);
        match packet.body {
            Body::Arp(sender) => self.arp(at, sender),
            Body::Ip(ip) => {
                if let Some(mac) = packet.sender {
                    self.card(at, mac, ip.source);
                }
                self.ip(at, &ip, frame.len());
            }
            Body::Lldp(payload) => {
                let facts = dissect::lldp::read(payload.0);
                self.sightings.take(at, facts, None, None);
            }
            Body::Other => self.counts.unread = self.counts.unread.saturating_add(1),
        }
    }

    /// Reads and forgets the streams that have been silent since `before`, and if room is short such
    /// conversations, too: for listening that goes on.
    pub fn settle(&mut self, before: Timestamp) {
        let mut readings = Vec::new();
        self.flows
            .settle(before, &mut |key, flow| read_flow(key, flow, &mut readings));
        self.say(readings);
        self.conversations.make_room(before);
    }

    /// What was seen so far of the streams that ended; nothing is forgotten.
    pub fn observed(&self) -> Observed {
        let mut counts = self.counts;
        counts.evicted = self.flows.evicted();
        counts.let_go = self.conversations.let_go();
        counts.uncounted = self.conversations.uncounted();
        counts.unkept = self.sightings.unkept;
        Observed {
            sightings: self.sightings.list.clone(),
            conversations: self.conversations.to_vec(),
            counts,
        }
    }

    /// Reads what is left of the streams; everything that was seen.
    pub fn finish(mut self) -> Observed {
        let mut readings = Vec::new();
        self.flows
            .finish(&mut |key, flow| read_flow(key, flow, &mut readings));
        self.say(readings);
        self.bind_cards();
        self.observed()
    }

    fn arp(&mut self, at: Timestamp, sender: Address) {
        if let (Some(mac), Some(_)) = (sender.mac, sender.ip) {
            let mut facts = Facts::new(Source::Arp);
            facts.bind(mac, sender, Confidence::Stated);
            self.sightings.take(at, Some(facts), None, None);
        }
    }

    fn card(&mut self, at: Timestamp, mac: Mac, ip: IpAddr) {
        if !is_machine(ip)
            || (self.cards.len() >= self.limits.cards && !self.cards.contains_key(&mac))
        {
            return;
        }
        let card = self.cards.entry(mac).or_insert_with(|| Card {
            first: at,
            addresses: Vec::new(),
            is_router: false,
        });
        if card.is_router || card.addresses.contains(&ip) {
            return;
        }
        card.addresses.push(ip);
        let old = card.addresses.iter().filter(|ip| ip.is_ipv4()).count();
        card.is_router = old > 1 || card.addresses.len() > ADDRESSES_MAX;
    }

    fn ip(&mut self, at: Timestamp, ip: &IpPacket<'_>, bytes: usize) {
        let end = |ip, port| End { ip, port };
        match ip.transport {
            Transport::Fragment => {
                self.counts.fragments = self.counts.fragments.saturating_add(1);
            }
            Transport::Other(number) => {
                let (source, target) = (end(ip.source, 0), end(ip.target, 0));
                let parties = self
                    .conversations
                    .parties(Carrier::Other(number), source, target);
                self.conversations.count(parties, at, bytes);
            }
            Transport::Udp(datagram) => {
                let source = end(ip.source, datagram.source);
                let target = end(ip.target, datagram.target);
                let parties = self.conversations.parties(Carrier::Udp, source, target);
                self.conversations.count(parties, at, bytes);
                let facts = dissect::datagram(datagram.source, datagram.target, datagram.payload.0);
                self.recognised(&parties.0, facts.as_ref());
                self.sightings
                    .take(at, facts, Some(ip.source), Some(ip.target));
            }
            Transport::Tcp(segment) => {
                let source = end(ip.source, segment.source);
                let target = end(ip.target, segment.target);
                let (key, index) = FlowKey::new(source, target);
                let mut readings = Vec::new();
                let client = self.flows.take(at, key, index, &segment, &mut |key, flow| {
                    read_flow(key, flow, &mut readings);
                });
                let parties = self.tcp_parties(key, client, index);
                self.conversations.count(parties, at, bytes);
                self.say(readings);
            }
        }
    }

    /// Who asks is who opened the stream; where that was not seen, ports decide.
    fn tcp_parties(
        &self,
        key: FlowKey,
        client: Option<usize>,
        speaker: usize,
    ) -> (Parties, Confidence) {
        let [low, high] = key.ends();
        let first = client.unwrap_or(speaker);
        let (one, other) = if first == 0 { (low, high) } else { (high, low) };
        let opened = Parties {
            client: one.ip,
            server: other.ip,
            carrier: Carrier::Tcp,
            port: other.port,
        };
        match client {
            Some(_) => (opened, Confidence::Stated),
            None => self.conversations.parties(Carrier::Tcp, one, other),
        }
    }

    fn say(&mut self, readings: Vec<Reading>) {
        for reading in readings {
            self.counts.gaps = self.counts.gaps.saturating_add(reading.has_gap.into());
            let (parties, _) = self.tcp_parties(reading.key, reading.client, reading.end);
            self.recognised(&parties, reading.facts.as_ref());
            let [low, high] = reading.key.ends();
            let (speaker, listener) = if reading.end == 0 {
                (low, high)
            } else {
                (high, low)
            };
            let ends = (Some(speaker.ip), Some(listener.ip));
            self.sightings
                .take(reading.at, reading.facts, ends.0, ends.1);
        }
    }

    fn recognised(&mut self, parties: &Parties, facts: Option<&Facts>) {
        if let Some(name) = facts.and_then(|facts| dissect::protocol(facts.source())) {
            self.conversations.recognised(parties, name);
        }
    }

    /// A card that sent for one address of the local network alone is that address's.
    fn bind_cards(&mut self) {
        let mut cards: Vec<_> = self.cards.drain().collect();
        cards.sort_by_key(|(mac, _)| *mac);
        for (mac, card) in cards {
            let mut facts = Facts::new(Source::Ethernet);
            if card.is_router {
                facts.about(About::Address(Address::of_mac(mac)));
                facts.hint(Attribute::Role, "router");
            }
            for ip in card
                .addresses
                .into_iter()
                .filter(|ip| !card.is_router && is_local(*ip))
            {
                let address = Address {
                    ip: Some(ip),
                    mac: Some(mac),
                };
                facts.bind(mac, address, Confidence::Likely);
            }
            self.sightings.take(card.first, Some(facts), None, None);
        }
    }
}

/// Hands over what both directions of a stream say.
fn read_flow(key: FlowKey, flow: &Flow, readings: &mut Vec<Reading>) {
    for end in [0, 1] {
        let Some(head) = flow.head(end) else { continue };
        readings.push(Reading {
            at: flow.last(),
            key,
            end,
            client: flow.client(),
            facts: dissect::stream(head.in_order()),
            has_gap: head.has_gap(),
        });
    }
}

/// Whether it is an address of a network that is not routed: RFC 1918, RFC 3927, RFC 4193, fe80::/10.
fn is_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local() || ip.is_unique_local(),
    }
}

impl Sightings {
    fn take(
        &mut self,
        at: Timestamp,
        facts: Option<Facts>,
        speaker: Option<IpAddr>,
        listener: Option<IpAddr>,
    ) {
        let address = |ip: Option<IpAddr>| Address {
            ip: ip.filter(|ip| is_machine(*ip)),
            mac: None,
        };
        for fact in facts.map(Facts::into_facts).unwrap_or_default() {
            let device = match fact.about {
                About::Address(address) => address,
                About::Listener => address(listener),
                About::Speaker => address(speaker),
            };
            if device != Address::default() {
                self.keep(at, device, fact);
            }
        }
    }

    fn keep(&mut self, at: Timestamp, device: Address, fact: Fact) {
        let key = (device, fact.attribute, fact.source, fact.value.clone());
        if let Some(&at) = self.known.get(&key) {
            if let Some(sighting) = self.list.get_mut(at) {
                sighting.confidence = sighting.confidence.max(fact.confidence);
            }
            return;
        }
        if self.list.len() >= self.limit {
            self.unkept = self.unkept.saturating_add(1);
            return;
        }
        self.known.insert(key, self.list.len());
        self.list.push(Sighting {
            device,
            attribute: fact.attribute,
            value: fact.value,
            source: fact.source,
            confidence: fact.confidence,
            at,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::{Stream, arp, datagram, dhcp, ethernet, every_stream, ipv4, lldp, tcp};
    use crate::conversation::Basis;
    use proptest::prelude::*;

    const ANALYZER: [u8; 4] = [10, 0, 0, 7];
    const HOST: [u8; 4] = [10, 0, 0, 9];

    /// What an observer sees of these frames, one a second.
    fn observe<'a>(frames: impl IntoIterator<Item = &'a Vec<u8>>) -> Observed {
        let mut observer = Observer::default();
        for (at, frame) in (1..).zip(frames) {
            observer.observe(Timestamp::from_seconds(at), Link::Ethernet, frame);
        }
        observer.finish()
    }

    fn seen(observed: &Observed, ip: [u8; 4]) -> Vec<(Attribute, &str)> {
        let about = |one: &&Sighting| one.device.ip == Some(ip.into());
        let list = observed.sightings.iter().filter(about);
        list.map(|one| (one.attribute, one.value.as_str()))
            .collect()
    }

    #[test]
    fn both_sides_of_a_stream_are_seen_and_counted_as_one_conversation() {
        let hl7 = &every_stream()[0];
        let mut stream = Stream::new(ANALYZER, 50_001, HOST, 6661);
        let (ask, answer) = hl7.split_at(20);
        let ack = b"\x0bMSH|^~\\&|EHR|CLINIC|LIS|LAB|1||ACK|1|P|2.5\rMSA|AA|1\r\x1c\r";
        let frames = [
            stream.open(),
            vec![
                stream.send(true, ask),
                stream.send(true, answer),
                stream.send(false, ack),
            ],
            stream.close(),
        ]
        .concat();
        let observed = observe(&frames);
        assert!(seen(&observed, ANALYZER).contains(&(Attribute::Application, "LIS")));
        assert!(seen(&observed, ANALYZER).contains(&(Attribute::Model, "X900")));
        assert!(seen(&observed, HOST).contains(&(Attribute::Application, "EHR")));
        let [one] = &observed.conversations[..] else {
            panic!("{observed:?}")
        };
        assert_eq!(one.protocol, Some(("HL7 v2", Basis::Content)));
        assert_eq!(
            (one.parties.client, one.parties.port),
            (ANALYZER.into(), 6661)
        );
        assert_eq!(one.packets, frames.len() as u64);
        assert_eq!(one.last, Timestamp::from_seconds(frames.len() as i64));
        // What both say of each other's application is one sighting, with the better confidence.
        let stated = observed.sightings.iter().filter(|one| one.value == "EHR");
        assert_eq!(
            stated.map(|one| one.confidence).collect::<Vec<_>>(),
            [Confidence::Stated]
        );
    }

    #[test]
    fn a_server_on_a_high_port_is_known_by_who_opened_the_stream() {
        let mut stream = Stream::new(ANALYZER, 1_025, HOST, 50_000);
        let observed = observe(&stream.open());
        assert_eq!(observed.conversations[0].parties.port, 50_000);
    }

    #[test]
    fn an_instrument_behind_a_converter_is_recognised_on_any_port() {
        for (stream, name) in every_stream().iter().zip([
            "HL7 v2", "ASTM", "DICOM", "POCT1-A", "SMB", "SSH", "TLS", "TLS",
        ]) {
            let mut tcp = Stream::new(ANALYZER, 40_000, HOST, 4001);
            // In the middle of a capture, out of order, and never closed.
            let (first, second) = stream.split_at(9);
            let a = tcp.send(true, first);
            let b = tcp.send(true, second);
            let observed = observe([&a, &b]);
            let protocol = observed.conversations[0].protocol;
            assert_eq!(protocol, Some((name, Basis::Content)));
        }
    }

    #[test]
    fn bytes_behind_a_gap_say_nothing_and_the_gap_is_counted() {
        let hl7 = &every_stream()[0];
        let mut stream = Stream::new(ANALYZER, 50_001, HOST, 6661);
        let mut frames = stream.open();
        frames.push(stream.send(true, &hl7[..10]));
        let _lost = stream.send(true, &hl7[10..20]);
        frames.push(stream.send(true, &hl7[20..]));
        let observed = observe(&frames);
        assert!(!format!("{observed:?}").contains("X900"));
        assert_eq!(observed.counts.gaps, 1);
    }

    #[test]
    fn card_and_address_are_joined_by_arp_dhcp_and_the_frames_of_one_host() {
        let mac = [0x00, 0x10, 0x7f, 1, 2, 3];
        let dhcp = dhcp(2, mac, [0; 4], ANALYZER, &[(53, &[5])]);
        let given = ethernet(&ipv4(HOST, ANALYZER, 17, &datagram(67, 68, &dhcp)));
        for (frame, source) in [(arp(mac, ANALYZER), Source::Arp), (given, Source::Dhcp)] {
            let observed = observe([&frame]);
            let expected = Address {
                ip: Some(ANALYZER.into()),
                mac: Mac::of_card(&mac),
            };
            let joined = |one: &Sighting| one.device == expected && one.source == source;
            assert!(observed.sightings.iter().any(joined), "{observed:?}");
        }
        let frame = ethernet(&ipv4(ANALYZER, HOST, 17, &datagram(9, 10, b"")));
        let observed = observe([&frame]);
        assert_eq!(observed.sightings[0].source, Source::Ethernet);
        assert_eq!(observed.sightings[0].confidence, Confidence::Likely);
    }

    #[test]
    fn a_card_that_sends_for_many_is_a_routers_and_joined_to_none() {
        let frames: Vec<_> = (1..4)
            .map(|n| ethernet(&ipv4([10, 0, 0, n], HOST, 17, &datagram(9, 10, b""))))
            .collect();
        let observed = observe(&frames);
        let [one] = &observed.sightings[..] else {
            panic!("{observed:?}")
        };
        assert_eq!(
            (one.attribute, one.value.as_str()),
            (Attribute::Role, "router")
        );
        assert_eq!(one.device.ip, None);
    }

    #[test]
    fn fragments_and_unknown_frames_are_counted_and_not_read() {
        let hl7 = &every_stream()[0];
        let mut fragment = ipv4(ANALYZER, HOST, 6, &tcp(1, 2, 7, 0x18, hl7));
        fragment[6] = 0x20;
        let mut other = ethernet(&[]);
        other[12..].copy_from_slice(&[0x88, 0x92]);
        let observed = observe([&ethernet(&fragment), &other]);
        assert_eq!((observed.counts.fragments, observed.counts.unread), (1, 1));
        assert!(observed.conversations.is_empty());
    }

    #[test]
    fn a_switch_is_seen_by_its_announcement() {
        let payload = lldp(&[(1, b"\x04\x00\x1b\x21\x01\x02\x03"), (5, b"sw-lab-1")]);
        let mut frame = ethernet(&[]);
        frame[12..].copy_from_slice(&[0x88, 0xcc]);
        frame.extend(payload);
        let observed = observe([&frame]);
        assert_eq!(observed.sightings[0].value, "sw-lab-1");
    }

    #[test]
    fn listening_goes_on_after_silent_streams_were_settled() {
        let mut stream = Stream::new(ANALYZER, 50_001, HOST, 6661);
        let mut observer = Observer::default();
        let frame = stream.send(true, &every_stream()[0]);
        observer.observe(Timestamp::from_seconds(1), Link::Ethernet, &frame);
        assert!(observer.observed().sightings.is_empty());
        observer.settle(Timestamp::from_seconds(61));
        assert!(!observer.observed().sightings.is_empty());
        assert_eq!(
            observer.observed().sightings[0].at,
            Timestamp::from_seconds(1)
        );
    }

    #[test]
    fn nothing_of_what_was_said_is_shown_while_it_is_kept() {
        let secret = b"\x0bMSH|^~\\&|A|B|||1||ORU^R01|1|P|2.5\rPID|1|||135769||MOUSE^MICKEY\r";
        let mut stream = Stream::new(ANALYZER, 50_001, HOST, 6661);
        let frame = stream.send(true, secret);
        let mut observer = Observer::default();
        observer.observe(Timestamp::from_seconds(1), Link::Ethernet, &frame);
        let packet = Packet::read(Link::Ethernet, &frame);
        for shown in [
            format!("{observer:?}"),
            format!("{packet:?}"),
            format!("{:?}", observer.finish()),
        ] {
            assert!(!shown.contains("MOUSE") && !shown.contains("135769"));
            // Nor as numbers: M, O, U.
            assert!(!shown.contains("77, 79, 85"));
        }
    }

    proptest! {
        #[test]
        fn any_frames_are_observed_within_limits(
            frames in prop::collection::vec((0..7usize, 0..9usize, prop::collection::vec(any::<u8>(), 0..120)), 0..40),
        ) {
            let limits = Limits {
                cards: 3, conversations: 4, flows: 3, head_bytes: 64, sightings: 5, stream_bytes: 200,
            };
            let mut observer = Observer::new(limits);
            let links = [Link::Ethernet, Link::LinuxSll, Link::LinuxSll2, Link::Loopback, Link::Raw, Link::Unread(7), Link::Ethernet];
            for (at, (link, head, bytes)) in (0..).zip(frames) {
                let mut frame = bytes.clone();
                if let Some(stream) = every_stream().get(head) {
                    frame = ethernet(&ipv4([10, 0, 0, u8::try_from(head).unwrap()], HOST, 6, &tcp(u16::try_from(bytes.len()).unwrap(), 9, 7, 0x18, stream)));
                }
                observer.observe(Timestamp::from_seconds(at), links[link], &frame);
            }
            let observed = observer.finish();
            prop_assert!(observed.sightings.len() <= limits.sightings);
            prop_assert!(observed.conversations.len() <= limits.conversations);
        }
    }
}

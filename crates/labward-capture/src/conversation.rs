//! Who talks to whom: addresses, port, protocol, packets, bytes, first and last time.
//!
//! It must never hold anything of what was said.

use std::collections::BTreeMap;
use std::net::IpAddr;

use labward_base::Timestamp;

use crate::flow::End;
use crate::sighting::Confidence;

/// What carries a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Carrier {
    /// Another protocol of IP, by its number.
    Other(u8),
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// How the protocol of a conversation is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// Its bytes were recognised.
    Content,
    /// Its port is registered for it or usual.
    Port,
}

/// The parties of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Parties {
    /// Who asks.
    pub client: IpAddr,
    /// Who is asked; a group's address if many are.
    pub server: IpAddr,
    /// What carries it.
    pub carrier: Carrier,
    /// The server's port; 0 without ports.
    pub port: u16,
}

/// What was counted of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// Who takes part.
    pub parties: Parties,
    /// How sure it is who of them asks: `Stated` if its opening was seen, `Likely` if one port alone is
    /// registered or usual, or many are asked at once; `Hint` if only the lower port, or who spoke first, says so.
    pub roles: Confidence,
    /// The name of the protocol and how it is known.
    pub protocol: Option<(&'static str, Basis)>,
    /// Packets in both directions.
    pub packets: u64,
    /// Bytes of the frames in both directions, as far as they were captured.
    pub bytes: u64,
    /// The first packet.
    pub first: Timestamp,
    /// The last packet.
    pub last: Timestamp,
}

/// The conversations so far, bounded.
#[derive(Debug)]
pub(crate) struct Conversations {
    limit: usize,
    all: BTreeMap<Parties, Conversation>,
    uncounted: u64,
    let_go: u64,
}

impl Carrier {
    /// Its name in lower case; `ip-` and a number for what is neither TCP nor UDP.
    pub fn name(self) -> String {
        match self {
            Self::Other(1) => "icmp".to_owned(),
            Self::Other(2) => "igmp".to_owned(),
            Self::Other(58) => "icmpv6".to_owned(),
            Self::Other(number) => format!("ip-{number}"),
            Self::Tcp => "tcp".to_owned(),
            Self::Udp => "udp".to_owned(),
        }
    }
}

impl Conversations {
    pub(crate) const fn new(limit: usize) -> Self {
        Self {
            limit,
            all: BTreeMap::new(),
            uncounted: 0,
            let_go: 0,
        }
    }

    /// Who asks and who is asked, if a packet goes from `source` to `target`, and how sure that is.
    pub(crate) fn parties(
        &self,
        carrier: Carrier,
        source: End,
        target: End,
    ) -> (Parties, Confidence) {
        let between = |client: End, server: End| Parties {
            client: client.ip,
            server: server.ip,
            carrier,
            port: server.port,
        };
        let (onward, back) = (between(source, target), between(target, source));
        if !crate::address::is_machine(target.ip) {
            return (onward, Confidence::Likely);
        }
        // Another stream of the same conversation was seen to open.
        let opened = |one: &&Parties| self.roles(one) == Some(Confidence::Stated);
        if let Some(known) = [&onward, &back].into_iter().find(opened) {
            return (*known, Confidence::Stated);
        }
        let known = |end: End| port_name(carrier, end.port).is_some();
        match (known(source), known(target)) {
            (true, false) => (back, Confidence::Likely),
            (false, true) => (onward, Confidence::Likely),
            _ if source.port < target.port => (back, Confidence::Hint),
            _ if source.port > target.port => (onward, Confidence::Hint),
            _ if self.all.contains_key(&back) => (back, Confidence::Hint),
            _ => (onward, Confidence::Hint),
        }
    }

    fn roles(&self, parties: &Parties) -> Option<Confidence> {
        self.all.get(parties).map(|one| one.roles)
    }

    /// Counts one packet.
    pub(crate) fn count(
        &mut self,
        (parties, roles): (Parties, Confidence),
        at: Timestamp,
        bytes: usize,
    ) {
        let is_full = self.all.len() >= self.limit;
        if is_full && !self.all.contains_key(&parties) {
            self.uncounted = self.uncounted.saturating_add(1);
            return;
        }
        let one = self.all.entry(parties).or_insert_with(|| Conversation {
            parties,
            roles,
            protocol: port_name(parties.carrier, parties.port).map(|name| (name, Basis::Port)),
            packets: 0,
            bytes: 0,
            first: at,
            last: at,
        });
        one.roles = one.roles.max(roles);
        one.packets = one.packets.saturating_add(1);
        one.bytes = one
            .bytes
            .saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        one.first = one.first.min(at);
        one.last = one.last.max(at);
    }

    /// Its bytes were recognised.
    pub(crate) fn recognised(&mut self, parties: &Parties, name: &'static str) {
        if let Some(one) = self.all.get_mut(parties) {
            one.protocol = Some((name, Basis::Content));
        }
    }

    /// Lets those go that have been silent since `before`, if more than half of the room is taken.
    pub(crate) fn make_room(&mut self, before: Timestamp) {
        let count = self.all.len();
        if count > self.limit / 2 {
            self.all.retain(|_, one| one.last >= before);
            let gone = count.saturating_sub(self.all.len());
            self.let_go = self
                .let_go
                .saturating_add(u64::try_from(gone).unwrap_or(u64::MAX));
        }
    }

    /// Conversations that were let go while others were counted.
    pub(crate) const fn let_go(&self) -> u64 {
        self.let_go
    }

    /// Packets of conversations for which there was no room.
    pub(crate) const fn uncounted(&self) -> u64 {
        self.uncounted
    }

    pub(crate) fn to_vec(&self) -> Vec<Conversation> {
        self.all.values().cloned().collect()
    }
}

/// The protocol that is registered for a port, or usual in a laboratory.
pub fn port_name(carrier: Carrier, port: u16) -> Option<&'static str> {
    let name = match (carrier, port) {
        (Carrier::Tcp, 20 | 21) => "FTP",
        (Carrier::Tcp, 22) => "SSH",
        (Carrier::Tcp, 23) => "Telnet",
        (Carrier::Tcp, 25 | 587) => "SMTP",
        (Carrier::Tcp | Carrier::Udp, 53) => "DNS",
        (Carrier::Udp, 67) => "DHCP",
        (Carrier::Udp, 69) => "TFTP",
        (Carrier::Tcp, 80 | 8080) => "HTTP",
        (Carrier::Tcp | Carrier::Udp, 88) => "Kerberos",
        (Carrier::Tcp, 104 | 2761 | 2762 | 11112) => "DICOM",
        (Carrier::Udp, 123) => "NTP",
        (Carrier::Tcp, 135) => "Microsoft RPC",
        (Carrier::Udp, 137 | 138) | (Carrier::Tcp, 139) => "NetBIOS",
        (Carrier::Udp, 161 | 162) => "SNMP",
        (Carrier::Tcp | Carrier::Udp, 389) | (Carrier::Tcp, 636) => "LDAP",
        (Carrier::Tcp | Carrier::Udp, 443) | (Carrier::Tcp, 8443) => "HTTPS",
        (Carrier::Tcp, 445) => "SMB",
        (Carrier::Udp, 514) | (Carrier::Tcp, 6514) => "syslog",
        (Carrier::Udp, 546 | 547) => "DHCPv6",
        (Carrier::Tcp, 631) => "IPP",
        (Carrier::Tcp, 1433) | (Carrier::Udp, 1434) => "Microsoft SQL Server",
        (Carrier::Tcp, 1521) => "Oracle",
        (Carrier::Udp, 1900) => "SSDP",
        (Carrier::Tcp, 2575) => "HL7 v2",
        (Carrier::Tcp, 3306) => "MySQL",
        (Carrier::Tcp | Carrier::Udp, 3389) => "RDP",
        (Carrier::Udp, 5353) => "mDNS",
        (Carrier::Udp, 5355) => "LLMNR",
        (Carrier::Tcp, 5432) => "PostgreSQL",
        (Carrier::Tcp, 5900) => "VNC",
        (Carrier::Tcp, 5985 | 5986) => "WinRM",
        (Carrier::Tcp, 9100) => "raw printing",
        _ => return None,
    };
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(ip: &str, port: u16) -> End {
        let ip = ip.parse().unwrap();
        End { ip, port }
    }

    #[test]
    fn both_directions_are_one_conversation_whoever_speaks_first() {
        for (client, server, roles) in [
            (50_000, 2575, Confidence::Likely),
            (2575, 104, Confidence::Hint),
            (40_000, 6661, Confidence::Hint),
        ] {
            let (a, b) = (end("10.0.0.2", client), end("10.0.0.1", server));
            let mut all = Conversations::new(10);
            for (source, target) in [(b, a), (a, b)] {
                let parties = all.parties(Carrier::Tcp, source, target);
                all.count(parties, Timestamp::from_seconds(1), 60);
            }
            let [one] = &all.to_vec()[..] else {
                panic!("{client} {server}")
            };
            assert_eq!((one.packets, one.bytes), (2, 120));
            assert_eq!((one.parties.client, one.parties.port), (a.ip, server));
            assert_eq!(one.roles, roles);
        }
    }

    #[test]
    fn equal_ports_take_the_first_speaker_for_the_client() {
        let (a, b) = (end("10.0.0.2", 137), end("10.0.0.1", 137));
        let mut all = Conversations::new(10);
        for (source, target) in [(a, b), (b, a)] {
            let parties = all.parties(Carrier::Udp, source, target);
            assert_eq!(parties.0.client, a.ip);
            all.count(parties, Timestamp::from_seconds(1), 60);
        }
    }

    #[test]
    fn a_group_is_the_server_of_what_is_sent_to_it() {
        let all = Conversations::new(10);
        let (parties, _) = all.parties(
            Carrier::Udp,
            end("10.0.0.2", 5353),
            end("224.0.0.251", 5353),
        );
        assert_eq!(parties.server, end("224.0.0.251", 0).ip);
        let (parties, _) = all.parties(
            Carrier::Udp,
            end("10.0.0.2", 80),
            end("255.255.255.255", 9999),
        );
        assert_eq!(parties.port, 9999);
    }

    #[test]
    fn what_has_no_room_is_counted_as_such() {
        let mut all = Conversations::new(2);
        for port in 1..=5 {
            let parties = all.parties(Carrier::Tcp, end("10.0.0.2", 50_000), end("10.0.0.1", port));
            all.count(parties, Timestamp::from_seconds(i64::from(port)), 60);
        }
        assert_eq!((all.to_vec().len(), all.uncounted()), (2, 3));
    }

    #[test]
    fn a_stream_whose_opening_was_missed_goes_with_the_one_that_was_seen_to_open() {
        let (a, b) = (end("10.0.0.2", 40_000), end("10.0.0.1", 50_000));
        let mut all = Conversations::new(10);
        // By its port alone the lower one would be the server's.
        assert_eq!(all.parties(Carrier::Tcp, a, b).0.port, 40_000);
        let opened = Parties {
            client: a.ip,
            server: b.ip,
            carrier: Carrier::Tcp,
            port: 50_000,
        };
        all.count((opened, Confidence::Stated), Timestamp::default(), 60);
        for (source, target) in [(a, b), (b, a)] {
            let known = all.parties(Carrier::Tcp, source, target);
            assert_eq!(known, (opened, Confidence::Stated));
        }
    }

    #[test]
    fn only_where_room_is_short_what_is_silent_is_let_go() {
        let mut all = Conversations::new(4);
        for (port, let_go) in [(1, 0), (2, 0), (3, 2)] {
            let parties = all.parties(Carrier::Tcp, end("10.0.0.2", 50_000), end("10.0.0.1", port));
            let at = Timestamp::from_seconds(port.into());
            all.count(parties, at, 60);
            all.make_room(at);
            assert_eq!(all.let_go(), let_go);
        }
        assert_eq!(all.to_vec()[0].parties.port, 3);
    }

    #[test]
    fn what_is_recognised_is_more_than_a_port() {
        let mut all = Conversations::new(2);
        let parties = all.parties(Carrier::Tcp, end("10.0.0.2", 50_000), end("10.0.0.1", 80));
        all.count(parties, Timestamp::from_seconds(1), 60);
        assert_eq!(all.to_vec()[0].protocol, Some(("HTTP", Basis::Port)));
        all.recognised(&parties.0, "HL7 v2");
        assert_eq!(all.to_vec()[0].protocol, Some(("HL7 v2", Basis::Content)));
        assert_eq!(Carrier::Other(47).name(), "ip-47");
    }
}

//! What listening learnt, told to the server in pieces: what is new since the last one that was taken.
//!
//! It must never count anything twice, nor let go of what was not taken.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use labward_api::traffic::{
    CONVERSATIONS_MAX, SIGHTINGS_MAX, TrafficAlert, TrafficConversation, TrafficReport,
    TrafficSighting, TrafficTaken,
};
use labward_base::Timestamp;
use labward_capture::conversation::{Basis, Conversation, Parties};
use labward_capture::inventory::cards;
use labward_capture::{Mac, Observed, Sighting};

use crate::client::Client;
use crate::failure::Failure;

/// Tells the server what one listening learns.
pub(super) struct Reporter<'a> {
    client: &'a Client,
    source: String,
    started: Timestamp,
    taken: Taken,
    alerts: Vec<TrafficAlert>,
}

/// What the server has taken so far.
#[derive(Default)]
struct Taken {
    conversations: HashMap<Parties, Counted>,
    /// How many of the sightings, which are only ever added to.
    sightings: usize,
    packets: u64,
    dropped: u64,
}

/// What was counted of a conversation. One that was let go and came again begins at another time.
#[derive(Clone, Copy, Default)]
struct Counted {
    first: Timestamp,
    packets: u64,
    bytes: u64,
}

impl<'a> Reporter<'a> {
    pub(super) fn new(client: &'a Client, source: &str, started: Timestamp) -> Self {
        Self {
            client,
            source: source.to_owned(),
            started,
            taken: Taken::default(),
            alerts: Vec::new(),
        }
    }

    /// Sends what is new, in at least one report: that nothing is new is also said. The alerts that
    /// the server answers with.
    pub(super) fn report(
        &mut self,
        observed: &Observed,
        dropped: u64,
        now: Timestamp,
    ) -> Result<&[TrafficAlert], Failure> {
        let known = self.alerts.len();
        let cards = cards(&observed.sightings);
        let conversations: Vec<_> = observed
            .conversations
            .iter()
            .filter_map(|one| self.taken.rest(one).map(|rest| (one, rest)))
            .collect();
        let sightings = observed.sightings.get(self.taken.sightings..);
        let mut conversations = conversations.chunks(CONVERSATIONS_MAX);
        let mut sightings = sightings.unwrap_or_default().chunks(SIGHTINGS_MAX);
        let mut is_first = true;
        loop {
            let (talk, seen) = (conversations.next(), sightings.next());
            if !is_first && talk.is_none() && seen.is_none() {
                break;
            }
            is_first = false;
            let (talk, seen) = (talk.unwrap_or_default(), seen.unwrap_or_default());
            let frames = observed.counts.frames;
            let report = TrafficReport {
                source: self.source.clone(),
                started: self.started.to_rfc3339(),
                ended: now.to_rfc3339(),
                packets: frames.saturating_sub(self.taken.packets),
                dropped_packets: dropped.saturating_sub(self.taken.dropped),
                conversations: talk
                    .iter()
                    .map(|(one, rest)| conversation(one, *rest, &cards))
                    .collect(),
                sightings: seen.iter().map(sighting).collect(),
            };
            let taken: TrafficTaken = self.client.post("traffic", &report)?;
            self.taken.take(talk, seen.len(), frames, dropped);
            self.alerts.extend(taken.alerts);
        }
        self.taken.forget(&observed.conversations);
        Ok(self.alerts.get(known..).unwrap_or_default())
    }

    /// All alerts so far.
    pub(super) fn into_alerts(self) -> Vec<TrafficAlert> {
        self.alerts
    }
}

impl Taken {
    /// What of a conversation was not taken yet.
    fn rest(&self, one: &Conversation) -> Option<Counted> {
        let taken = self.conversations.get(&one.parties).copied();
        let taken = taken
            .filter(|taken| taken.first == one.first)
            .unwrap_or_default();
        let rest = Counted {
            first: one.first,
            packets: one.packets.saturating_sub(taken.packets),
            bytes: one.bytes.saturating_sub(taken.bytes),
        };
        (rest.packets > 0).then_some(rest)
    }

    fn take(
        &mut self,
        talk: &[(&Conversation, Counted)],
        sightings: usize,
        packets: u64,
        dropped: u64,
    ) {
        for (one, _) in talk {
            let counted = Counted {
                first: one.first,
                packets: one.packets,
                bytes: one.bytes,
            };
            self.conversations.insert(one.parties, counted);
        }
        self.sightings = self.sightings.saturating_add(sightings);
        self.packets = packets;
        self.dropped = dropped;
    }

    /// Forgets the conversations that the observer let go.
    fn forget(&mut self, all: &[Conversation]) {
        if self.conversations.len() > all.len() {
            let kept = all.iter().filter_map(|one| {
                let counted = self.conversations.get(&one.parties)?;
                Some((one.parties, *counted))
            });
            self.conversations = kept.collect();
        }
    }
}

fn conversation(
    one: &Conversation,
    rest: Counted,
    cards: &BTreeMap<IpAddr, (Mac, labward_capture::Confidence)>,
) -> TrafficConversation {
    let mac = |ip: &IpAddr| cards.get(ip).map(|(mac, _)| mac.to_string());
    let Parties {
        client,
        server,
        carrier,
        port,
    } = one.parties;
    TrafficConversation {
        client: client.to_string(),
        server: server.to_string(),
        client_mac: mac(&client),
        server_mac: mac(&server),
        protocol: carrier.name(),
        port,
        roles: one.roles.name().to_owned(),
        application: one.protocol.map(|(name, _)| name.to_owned()),
        recognised: matches!(one.protocol, Some((_, Basis::Content))),
        packets: rest.packets,
        bytes: rest.bytes,
        first: one.first.to_rfc3339(),
        last: one.last.to_rfc3339(),
    }
}

fn sighting(one: &Sighting) -> TrafficSighting {
    TrafficSighting {
        mac: one.device.mac.map(|mac| mac.to_string()),
        ip: one.device.ip.map(|ip| ip.to_string()),
        attribute: one.attribute.name().to_owned(),
        value: one.value.clone(),
        confidence: one.confidence.name().to_owned(),
        by: one.source.name().to_owned(),
        at: one.at.to_rfc3339(),
    }
}

/// An alert in a sentence.
pub(super) fn in_words(alert: &TrafficAlert) -> String {
    let name = alert.name.as_ref().map(|name| format!(" ({name})"));
    let port = match alert.port {
        0 => alert.protocol.clone(),
        port => format!("{port}/{}", alert.protocol),
    };
    let place = match alert.public {
        true => "on the internet",
        false => "on a private network",
    };
    let entry = alert.entry.map(|entry| format!(" (entry {entry})"));
    format!(
        "alert: device {}{} talks to {}, {port}, {place}, for the first time{}",
        alert.device,
        name.unwrap_or_default(),
        alert.destination,
        entry.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use labward_capture::conversation::Carrier;
    use labward_capture::observer::Counts;
    use labward_capture::{Address, Attribute, Confidence, Source};
    use serde_json::Value;
    use std::fs;
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    use std::os::unix::net::UnixListener;
    use std::path::PathBuf;
    use std::thread::JoinHandle;

    /// A server that takes or refuses one report after the other, and gives back what each held.
    struct Server {
        data: PathBuf,
        thread: JoinHandle<Vec<Value>>,
    }

    impl Server {
        fn start(name: &str, takes: &'static [bool]) -> Self {
            let data = std::env::temp_dir().join(format!("labward-{name}-{}", std::process::id()));
            fs::create_dir_all(data.join("run")).unwrap();
            let listener = UnixListener::bind(data.join("run/admin.sock")).unwrap();
            let thread = std::thread::spawn(move || {
                let each = takes.iter().map(|takes| serve(&listener, *takes));
                each.collect()
            });
            Self { data, thread }
        }

        fn end(self) -> Vec<Value> {
            let all = self.thread.join().unwrap();
            fs::remove_dir_all(&self.data).unwrap();
            all
        }
    }

    fn serve(listener: &UnixListener, takes: bool) -> Value {
        let mut stream = BufReader::new(listener.accept().unwrap().0);
        let mut length = 0;
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).unwrap();
            let line = line.trim().to_lowercase();
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse().unwrap();
            }
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).unwrap();
        let (status, answer) = match takes {
            true => (
                "200 OK",
                r#"{"known":0,"new":1,"alerts":[{"device":7,"name":"XN-550","destination":
                "203.0.113.9","port":443,"protocol":"tcp","public":true,"entry":12}]}"#,
            ),
            false => (
                "403 Forbidden",
                r#"{"code":"identity.denied","what":"w","todo":"t"}"#,
            ),
        };
        let length = answer.len();
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n");
        let stream = stream.get_mut();
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(answer.as_bytes()).unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn talk(port: u16, first: i64, packets: u64) -> Conversation {
        Conversation {
            parties: Parties {
                client: "10.0.0.7".parse().unwrap(),
                server: "10.0.0.9".parse().unwrap(),
                carrier: Carrier::Tcp,
                port,
            },
            roles: Confidence::Stated,
            protocol: Some(("HL7 v2", Basis::Content)),
            packets,
            bytes: packets * 60,
            first: at(first),
            last: at(first + 9),
        }
    }

    fn seen(attribute: Attribute, value: &str) -> Sighting {
        Sighting {
            device: Address::of_ip("10.0.0.7".parse().unwrap()),
            attribute,
            value: value.to_owned(),
            source: Source::Arp,
            confidence: Confidence::Stated,
            at: at(1),
        }
    }

    fn observed(frames: u64, conversations: Vec<Conversation>, seen: Vec<Sighting>) -> Observed {
        Observed {
            sightings: seen,
            conversations,
            counts: Counts {
                frames,
                ..Counts::default()
            },
        }
    }

    #[test]
    fn a_report_holds_what_is_new_since_the_last_one_that_was_taken() {
        let server = Server::start("reports", &[true, false, true, true]);
        let client = Client::new(&server.data);
        let mut reporter = Reporter::new(&client, "eth0", at(0));
        let card = seen(Attribute::MacAddress, "00:10:7f:01:02:03");
        let model = seen(Attribute::Model, "XN-550");
        let first = observed(3, vec![talk(2575, 1, 3)], vec![card.clone()]);
        let alerts = reporter.report(&first, 0, at(60)).unwrap();
        assert_eq!(
            in_words(&alerts[0]),
            "alert: device 7 (XN-550) talks to 203.0.113.9, 443/tcp, on the internet, for the \
             first time (entry 12)"
        );
        let second = observed(8, vec![talk(2575, 1, 8)], vec![card, model]);
        assert!(reporter.report(&second, 4, at(120)).is_err());
        reporter.report(&second, 4, at(180)).unwrap();
        // The observer let it go, and it began anew.
        let third = observed(9, vec![talk(2575, 200, 1)], second.sightings.clone());
        reporter.report(&third, 4, at(240)).unwrap();
        assert_eq!(reporter.into_alerts().len(), 3);
        let all = server.end();
        let numbers = |report: &Value| {
            let talk = &report["conversations"][0]["packets"];
            let counted = (&report["packets"], &report["dropped_packets"], talk);
            let seen = report["sightings"].as_array().unwrap().len();
            format!("{} {} {} {seen}", counted.0, counted.1, counted.2)
        };
        let all_numbers: Vec<_> = all.iter().map(numbers).collect();
        assert_eq!(all_numbers, ["3 0 3 1", "5 4 5 1", "5 4 5 1", "1 0 1 0"]);
        let one = &all[0]["conversations"][0];
        assert_eq!(one["client_mac"], "00:10:7f:01:02:03");
        assert_eq!(one["server_mac"], Value::Null);
        assert_eq!(
            (&one["roles"], &one["recognised"]),
            (&"stated".into(), &true.into())
        );
        assert_eq!(all[1]["sightings"][0]["value"], "XN-550");
    }

    #[test]
    fn more_than_fits_into_one_report_goes_into_several_and_nothing_is_a_report_too() {
        let server = Server::start("many-reports", &[true, true, true, true]);
        let client = Client::new(&server.data);
        let mut reporter = Reporter::new(&client, "eth0", at(0));
        let many: Vec<_> = (1..=2_500).map(|port| talk(port, 1, 2)).collect();
        let many = observed(5_000, many, Vec::new());
        reporter.report(&many, 0, at(60)).unwrap();
        reporter.report(&many, 0, at(120)).unwrap();
        let all = server.end();
        let lengths = all
            .iter()
            .map(|one| one["conversations"].as_array().unwrap().len());
        assert_eq!(lengths.collect::<Vec<_>>(), [1_000, 1_000, 500, 0]);
        let packets = all.iter().map(|one| one["packets"].as_u64().unwrap());
        assert_eq!(packets.collect::<Vec<_>>(), [5_000, 0, 0, 0]);
        // What the server takes as one body.
        assert!(all.iter().all(|one| one.to_string().len() < 1 << 20));
    }
}

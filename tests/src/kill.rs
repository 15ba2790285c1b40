//! `kill -9` under load, again and again: what was acknowledged is stored and delivered, in order.
//!
//! `LABWARD_KILL_ROUNDS=200` makes it a long run. Real peers over mutual TLS, a real server that is given no time to finish anything, two real
//! receivers. Senders do what HL7 asks of them: what was not acknowledged is sent again with the
//! same control id.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use labward_testkit::Random;
use rustls::ClientConfig;

use crate::support::{
    Bound, Client, Installation, Numbered, Received, Receiver, eventually, from_environment,
};

/// How often the server is killed; `LABWARD_KILL_ROUNDS` sets another number.
const ROUNDS: usize = 20;
const CLIENTS: u32 = 8;
const PATIENTS: u32 = 3;
/// The connections of the two destinations; so many messages may be in flight at a crash.
const LANES: [usize; 2] = [1, 4];

/// One sender, which outlives every crash of the server.
struct Sender {
    client: u32,
    /// The last number sent about each patient.
    sent: [u32; PATIENTS as usize],
    random: Random,
    /// What was sent and is not acknowledged.
    open: Option<Numbered>,
    acknowledged: Vec<Numbered>,
}

impl Sender {
    fn new(client: u32) -> Self {
        Self {
            client,
            sent: [0; PATIENTS as usize],
            random: Random::new(u64::from(client)),
            open: None,
            acknowledged: Vec::new(),
        }
    }

    fn next(&mut self) -> Numbered {
        let patient = self.random.below(u64::from(PATIENTS));
        let number = &mut self.sent[usize::try_from(patient).unwrap()];
        *number += 1;
        Numbered {
            client: self.client,
            patient: u32::try_from(patient).unwrap(),
            number: *number,
        }
    }

    /// Sends until the connection breaks.
    fn send_on(&mut self, address: SocketAddr, config: &Arc<ClientConfig>, count: &AtomicUsize) {
        let Ok(mut connection) = Client::connect(address, config) else {
            return;
        };
        loop {
            let message = self.open.take().unwrap_or_else(|| self.next());
            self.open = Some(message);
            if !self.exchange(&mut connection, message) {
                return;
            }
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Sends what is open again, and nothing else.
    fn finish(&mut self, address: SocketAddr, config: &Arc<ClientConfig>) {
        let Some(message) = self.open else {
            return;
        };
        let mut connection = Client::connect(address, config).unwrap();
        assert!(self.exchange(&mut connection, message));
    }

    /// Whether the message was acknowledged.
    fn exchange(&mut self, connection: &mut Client, message: Numbered) -> bool {
        match connection.exchange(&message.message(), &message.control_id()) {
            Ok(code) => {
                assert_eq!(code, "AA", "{message:?}");
                self.open = None;
                self.acknowledged.push(message);
                true
            }
            Err(_) => false,
        }
    }
}

#[test]
fn what_was_acknowledged_outlives_twenty_kills_stored_and_delivered_in_order() {
    let bound = [Bound::new(), Bound::new()];
    let lab = Installation::create(&config([bound[0].address(), bound[1].address()]));
    let server = lab.serve();
    let sender = lab.peer("xn550", "analyzer").client_config(true);
    let [ehr, registry] = bound;
    let receivers = [
        ehr.receive(&lab.peer("ehr", "ehr")),
        registry.receive(&lab.peer("registry", "public-health")),
    ];
    let mut senders: Vec<Sender> = (0..CLIENTS).map(Sender::new).collect();
    let mut random = Random::new(9);
    let mut running = Some(server);
    let rounds = from_environment("LABWARD_KILL_ROUNDS", ROUNDS);
    for _ in 0..rounds {
        let server = running.take().unwrap_or_else(|| lab.serve());
        let address = lab.address("hl7");
        let acknowledged = AtomicUsize::new(0);
        let moment = 1 + usize::try_from(random.below(120)).unwrap();
        thread::scope(|scope| {
            for one in &mut senders {
                scope.spawn(|| one.send_on(address, &sender, &acknowledged));
            }
            eventually("the moment of the kill", || {
                (acknowledged.load(Ordering::Relaxed) >= moment).then_some(())
            });
            server.kill();
        });
        receivers.iter().for_each(Receiver::next_phase);
        if random.below(3) == 0 {
            kill_while_it_starts(&lab);
            receivers.iter().for_each(Receiver::next_phase);
        }
    }
    let server = lab.serve();
    let address = lab.address("hl7");
    for one in &mut senders {
        one.finish(address, &sender);
    }
    let acknowledged: BTreeSet<Numbered> = senders
        .iter()
        .flat_map(|one| one.acknowledged.iter().copied())
        .collect();
    for (receiver, lanes) in receivers.iter().zip(LANES) {
        wait_for_all(receiver, &acknowledged);
        check_delivered(&receiver.received(), &acknowledged, lanes);
    }
    let verified = lab.run(&["ledger", "verify"]).ok();
    assert!(verified.contains("the ledger is whole"), "{verified}");
    server.stop();
    check_stored(&lab, &acknowledged);
}

/// What recovers from a crash is itself killed, as soon as it says anything.
pub(crate) fn kill_while_it_starts(lab: &Installation) {
    let said = lab.log().len();
    let server = lab.start();
    eventually("the first words of the server", || {
        (lab.log().len() > said).then_some(())
    });
    server.kill();
}

fn config(destinations: [SocketAddr; 2]) -> String {
    let [ehr, registry] = destinations;
    let destination = |name: &str, address: SocketAddr, lanes: usize| {
        format!(
            "[[destination]]\nname = \"{name}\"\nconnections = {lanes}\n\
             retry = {{ first_ms = 50, max_ms = 200 }}\n\
             target = {{ kind = \"mllp\", address = \"{address}\", \
             transport = {{ mode = \"mutual-tls\", server_name = \"{name}\" }} }}\n"
        )
    };
    let link = "[[link]]\nname = \"hl7\"\nlisten = \"127.0.0.1:0\"\n";
    let route = "[[route]]\ntypes = [\"*\"]\nto = [\"ehr\", \"registry\"]\n";
    let ehr = destination("ehr", ehr, LANES[0]);
    let registry = destination("registry", registry, LANES[1]);
    format!("{link}{ehr}{registry}{route}")
}

fn wait_for_all(receiver: &Receiver, acknowledged: &BTreeSet<Numbered>) {
    eventually("every acknowledged message at the receiver", || {
        if receiver.count() < acknowledged.len() {
            return None;
        }
        let got: BTreeSet<Numbered> = receiver.received().iter().map(numbered).collect();
        got.is_superset(acknowledged).then_some(())
    });
}

/// Each patient's messages came in order without a gap, byte for byte, and no more of them twice
/// than could be in flight at each crash.
fn check_delivered(received: &[Received], acknowledged: &BTreeSet<Numbered>, lanes: usize) {
    let mut last: HashMap<(u32, u32), u32> = HashMap::new();
    let mut doubled: BTreeMap<usize, usize> = BTreeMap::new();
    for one in received {
        let message = numbered(one);
        assert_eq!(one.bytes, message.message());
        assert!(
            acknowledged.contains(&message),
            "{message:?} was never acknowledged"
        );
        let last = last.entry((message.client, message.patient)).or_default();
        if message.number == *last {
            *doubled.entry(one.phase).or_default() += 1;
        } else {
            assert_eq!(message.number, *last + 1, "out of order: {message:?}");
            *last = message.number;
        }
    }
    // Each crash doubles what was in flight, and no more; a phase begins behind a crash.
    let mut sum = 0;
    for (phase, count) in &doubled {
        sum += count;
        let most = lanes * phase;
        assert!(sum <= most, "{sum} doubled by {phase} crashes: {doubled:?}");
    }
}

/// Every acknowledged message is stored once, byte for byte, and nothing else.
fn check_stored(lab: &Installation, acknowledged: &BTreeSet<Numbered>) {
    let rooms = lab.open();
    let mut stored = rooms.messages().unwrap();
    rooms.store.close().unwrap();
    stored.sort_unstable();
    let mut expected: Vec<Vec<u8>> = acknowledged.iter().map(|one| one.message()).collect();
    expected.sort_unstable();
    assert!(
        expected.len() > ROUNDS * 20,
        "too little load: {}",
        expected.len()
    );
    assert_eq!(stored.len(), expected.len());
    assert!(
        stored == expected,
        "what is stored is not what was acknowledged"
    );
}

fn numbered(received: &Received) -> Numbered {
    Numbered::from_control_id(&received.control_id).unwrap()
}

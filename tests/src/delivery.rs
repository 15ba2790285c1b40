//! A receiver that refuses, is down and comes back, and what a person decides meanwhile.

use std::net::SocketAddr;

use labward_hl7::AckCode;
use serde_json::Value;

use crate::support::{Bound, Client, Installation, Numbered, Receiver, Server, eventually};

const WHY: [&str; 2] = ["--why", "agreed with the ward"];

/// A lab that passes everything on to one receiver.
struct Lab {
    lab: Installation,
    server: Server,
    client: Client,
}

impl Lab {
    fn start(receiver: SocketAddr, policy: &str) -> Self {
        let lab = Installation::create(&format!(
            "[[link]]\nname = \"hl7\"\nlisten = \"127.0.0.1:0\"\n\
             [[destination]]\nname = \"ehr\"\nconnect_seconds = 2\n{policy}\n\
             retry = {{ first_ms = 50, max_ms = 100, max_attempts = 2 }}\n\
             target = {{ kind = \"mllp\", address = \"{receiver}\", \
             transport = {{ mode = \"mutual-tls\", server_name = \"ehr\" }} }}\n\
             [[route]]\ntypes = [\"*\"]\nto = [\"ehr\"]\n"
        ));
        let server = lab.serve();
        let config = lab.peer("xn550", "analyzer").client_config(true);
        let client = Client::connect(lab.address("hl7"), &config).unwrap();
        Self {
            lab,
            server,
            client,
        }
    }

    fn send(&mut self, patient: u32, number: u32) {
        let message = Numbered {
            client: 1,
            patient,
            number,
        };
        let code = self
            .client
            .exchange(&message.message(), &message.control_id());
        assert_eq!(code.unwrap(), "AA");
    }

    /// The messages in this state, the newest first, once there are so many.
    fn messages(&self, state: &str, count: usize) -> Vec<Value> {
        eventually(&format!("{count} messages {state}"), || {
            let found = self.lab.json(&["message", "list", "--state", state]);
            let found = found.as_array().unwrap().clone();
            (found.len() == count).then_some(found)
        })
    }

    fn destination(&self) -> Value {
        self.lab.json(&["destination", "list"])[0].take()
    }

    fn until_state(&self, state: &str) {
        eventually(&format!("the destination to be {state}"), || {
            (self.destination()["state"] == state).then_some(())
        });
    }
}

/// Waits until so many messages came, and gives them as patient and number.
fn came(receiver: &Receiver, count: usize) -> Vec<(u32, u32)> {
    eventually(&format!("{count} messages at the receiver"), || {
        (receiver.count() >= count).then_some(())
    });
    let all = receiver.received();
    let all = all
        .iter()
        .map(|one| Numbered::from_control_id(&one.control_id).unwrap());
    all.map(|one| (one.patient, one.number)).collect()
}

#[test]
fn a_refused_message_holds_its_patient_alone_until_a_person_sends_it_again() {
    let bound = Bound::new();
    let mut lab = Lab::start(bound.address(), "");
    let receiver = bound.receive(&lab.lab.peer("ehr", "ehr"));
    receiver.answer(AckCode::Ar);
    lab.send(1, 1);
    let held = lab.messages("waiting", 1).remove(0);
    assert_eq!(held["deliveries"][0]["state"], "held", "{held}");
    receiver.answer(AckCode::Aa);
    lab.send(1, 2);
    lab.send(2, 1);
    assert_eq!(came(&receiver, 2), [(1, 1), (2, 1)]);
    lab.messages("waiting", 2);
    let record = held["record"].to_string();
    lab.lab
        .run(&["message", "resend", &record, WHY[0], WHY[1]])
        .ok();
    assert_eq!(came(&receiver, 4), [(1, 1), (2, 1), (1, 1), (1, 2)]);
    lab.messages("waiting", 0);
    let shown = lab.lab.json(&["message", "show", &record]);
    assert_eq!(shown["deliveries"][0]["state"], "delivered", "{shown}");
    lab.server.stop();
}

#[test]
fn a_message_that_a_person_skips_is_kept_as_a_dead_letter_and_the_next_one_goes() {
    let bound = Bound::new();
    let mut lab = Lab::start(bound.address(), "");
    let receiver = bound.receive(&lab.lab.peer("ehr", "ehr"));
    receiver.answer(AckCode::Ar);
    lab.send(1, 1);
    let record = lab.messages("waiting", 1)[0]["record"].to_string();
    receiver.answer(AckCode::Aa);
    lab.send(1, 2);
    let words = [
        "message",
        "skip",
        &record,
        WHY[0],
        WHY[1],
        "--destination",
        "ehr",
    ];
    lab.lab.run(&words).ok();
    assert_eq!(came(&receiver, 2), [(1, 1), (1, 2)]);
    let dead = lab.messages("dead", 1);
    assert_eq!(dead[0]["record"].to_string(), record);
    lab.server.stop();
}

#[test]
fn what_is_tried_in_vain_becomes_a_dead_letter_that_is_kept_and_can_be_sent_again() {
    let bound = Bound::new();
    let mut lab = Lab::start(bound.address(), "");
    let receiver = bound.receive(&lab.lab.peer("ehr", "ehr"));
    receiver.answer(AckCode::Ae);
    lab.send(1, 1);
    let dead = lab.messages("dead", 1).remove(0);
    assert_eq!(came(&receiver, 2), [(1, 1), (1, 1)]);
    receiver.answer(AckCode::Aa);
    // It stands in nobody's way.
    lab.send(1, 2);
    assert_eq!(came(&receiver, 3).last(), Some(&(1, 2)));
    let record = dead["record"].to_string();
    lab.lab
        .run(&["message", "resend", &record, WHY[0], WHY[1]])
        .ok();
    assert_eq!(came(&receiver, 4).last(), Some(&(1, 1)));
    lab.messages("dead", 0);
    lab.server.stop();
}

#[test]
fn a_stopped_destination_waits_for_a_person_over_a_restart_and_then_goes_on_in_order() {
    let bound = Bound::new();
    let mut lab = Lab::start(bound.address(), "on = { reject = \"stop\" }");
    let receiver = bound.receive(&lab.lab.peer("ehr", "ehr"));
    receiver.answer(AckCode::Ar);
    lab.send(1, 1);
    lab.until_state("stopped");
    receiver.answer(AckCode::Aa);
    for number in 2..=5 {
        lab.send(1, number);
    }
    lab.server.stop();
    lab.server = lab.lab.serve();
    lab.until_state("stopped");
    assert_eq!(receiver.count(), 1);
    lab.lab
        .run(&["destination", "resume", "ehr", WHY[0], WHY[1]])
        .ok();
    let expected: Vec<(u32, u32)> = [1, 1, 2, 3, 4, 5].map(|number| (1, number)).to_vec();
    assert_eq!(came(&receiver, 6), expected);
    lab.lab
        .run(&["destination", "resume", "ehr", WHY[0], WHY[1]])
        .fails(73, "gateway.not-stopped");
    lab.server.stop();
}

#[test]
fn a_receiver_that_was_down_gets_everything_in_order_and_an_impostor_gets_nothing() {
    let bound = Bound::new();
    let address = bound.address();
    let mut lab = Lab::start(address, "");
    let (ehr, other) = (lab.lab.peer("ehr", "ehr"), lab.lab.peer("other", "ehr"));
    // A peer of the same lab at the receiver's address is still not the receiver.
    let impostor = bound.receive(&other);
    for number in 1..=5 {
        lab.send(1, number);
    }
    lab.until_state("down");
    assert_eq!(impostor.count(), 0);
    drop(impostor);
    let receiver = Bound::at(address).receive(&ehr);
    let expected: Vec<(u32, u32)> = (1..=5).map(|number| (1, number)).collect();
    assert_eq!(came(&receiver, 5), expected);
    lab.until_state("up");
    lab.server.stop();
}

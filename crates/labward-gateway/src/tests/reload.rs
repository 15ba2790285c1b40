//! Another configuration while peers are connected.

use labward_ledger::Fact;

use super::oru;
use crate::config::{DuplicatePolicy, LinkConfig};
use crate::gateway::StartError;
use crate::testing::{Client, Lab, PEER};

/// Where the last message that was received goes, as its entry says.
fn went_to(lab: &Lab) -> Vec<String> {
    let leaves = lab.leaves();
    let last = leaves
        .iter()
        .rev()
        .find(|leaf| leaf.facts.get("to").is_some());
    match last.and_then(|leaf| leaf.facts.get("to")) {
        Some(Fact::List(to)) => to.iter().map(|one| format!("{one:?}")).collect(),
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn an_open_connection_goes_on_and_its_next_message_takes_the_new_route() {
    let lab = Lab::start();
    let mut client = lab.connect().await;
    assert_eq!(client.exchange(&oru("1", "90")).await, "AA 1");
    let other = "[[destinations]]\nname = \"lis\"\n[destinations.target]\nkind = \"mllp\"\n\
                 address = \"127.0.0.1:2\"\n";
    lab.reload(|config| {
        let more: crate::GatewayConfig = toml::from_str(other).unwrap();
        config.destinations.extend(more.destinations);
        config.routes[0].to = vec!["lis".parse().unwrap()];
    })
    .unwrap();
    assert_eq!(client.exchange(&oru("2", "90")).await, "AA 2");
    assert_eq!(went_to(&lab), ["Text(\"lis\")"]);
    lab.reload(|config| config.routes.clear()).unwrap();
    assert_eq!(client.exchange(&oru("3", "90")).await, "AA 3");
    assert_eq!(lab.sent.all().len(), 2, "the third goes nowhere");
    // What came before the reload is still known after it.
    assert_eq!(client.exchange(&oru("1", "90")).await, "AA 1");
    assert_eq!(lab.actions().last(), Some(&"message.duplicate"));
}

#[tokio::test]
async fn what_a_link_is_told_holds_for_connections_that_are_open() {
    let lab = Lab::start();
    let mut client = lab.connect().await;
    assert_eq!(client.exchange(&oru("1", "90")).await, "AA 1");
    assert_eq!(client.exchange(&oru("1", "91")).await, "AE 1", "held");
    let deliver = |config: &mut crate::GatewayConfig| {
        config.links[0].same_id_other_content = DuplicatePolicy::Deliver;
    };
    lab.reload(deliver).unwrap();
    assert_eq!(client.exchange(&oru("1", "92")).await, "AA 1");
    // Another peer than this one is told to use the link: the connection ends, unanswered.
    lab.reload(|config| config.links[0].peer = Some("somebody-else".to_owned()))
        .unwrap();
    client.send(&oru("2", "90")).await;
    assert_eq!(client.ack().await, None);
}

#[tokio::test]
async fn a_link_that_vanished_stops_accepting_and_its_connections_end_in_order() {
    let lab = Lab::start();
    let (_, address) = lab.gateway().local_addresses().remove(0);
    let mut idle = lab.connect().await;
    let mut busy = lab.connect().await;
    assert_eq!(busy.exchange(&oru("1", "90")).await, "AA 1");
    let frame = labward_hl7::mllp::encode(&oru("2", "90"));
    let (begin, rest) = frame.split_at(40);
    busy.write(begin).await;
    lab.wait(|lab| lab.gateway().status()[0].counts.connections == 2)
        .await;
    lab.reload(|config| config.links.clear()).unwrap();
    assert!(lab.gateway().status().is_empty());
    let late = Client::tls(address, lab.authority.certificate(), Some(lab.bundle())).await;
    assert!(late.is_err(), "nobody listens any more");
    assert_eq!(idle.ack().await, None, "ended");
    // What had begun is kept and answered first.
    busy.try_write(rest).await;
    assert_eq!(busy.ack().await, Some("AA 2".to_owned()));
    assert_eq!(busy.ack().await, None);
    assert_eq!(lab.sent.all().len(), 2);
}

#[tokio::test]
async fn a_link_that_comes_back_still_knows_what_came_through_it() {
    let lab = Lab::start();
    let mut client = lab.connect().await;
    assert_eq!(client.exchange(&oru("1", "90")).await, "AA 1");
    drop(client);
    lab.reload(|config| config.links.clear()).unwrap();
    lab.reload(|_| {}).unwrap();
    let mut client = lab.connect().await;
    assert_eq!(client.exchange(&oru("1", "90")).await, "AA 1");
    assert_eq!(lab.actions(), ["message.received", "message.duplicate"]);
}

#[tokio::test]
async fn links_may_swap_their_addresses_without_closing_either() {
    let lab = Lab::start();
    let free = || {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let (one, two) = (free(), free());
    let two_links = |a, b| {
        move |config: &mut crate::GatewayConfig| {
            config.links = vec![
                LinkConfig::new("a".parse().unwrap(), a),
                LinkConfig::new("b".parse().unwrap(), b),
            ];
        }
    };
    lab.reload(two_links(one, two)).unwrap();
    let mut client = lab.connect().await;
    assert_eq!(client.exchange(&oru("1", "90")).await, "AA 1");
    lab.reload(two_links(two, one)).unwrap();
    assert_eq!(
        client.exchange(&oru("2", "90")).await,
        "AA 2",
        "still link a"
    );
    let through = |name: &str| {
        let status = lab.gateway().status();
        status
            .into_iter()
            .find(|one| one.name.as_str() == name)
            .unwrap()
    };
    assert_eq!((through("a").address, through("b").address), (two, one));
    let mut moved = Client::tls(one, lab.authority.certificate(), Some(lab.bundle()))
        .await
        .unwrap();
    assert_eq!(moved.exchange(&oru("3", "90")).await, "AA 3");
    assert_eq!(through("a").counts.accepted, 2);
    assert_eq!(through("b").counts.accepted, 1);
}

#[tokio::test]
async fn a_configuration_that_cannot_run_changes_nothing() {
    let lab = Lab::start();
    let mut client = lab.connect().await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let refused = lab.reload(|config| {
        config.routes.clear();
        let more = LinkConfig::new("more".parse().unwrap(), address);
        config.links.push(more);
    });
    assert!(matches!(refused, Err(StartError::Listen { address: at, .. }) if at == address));
    assert_eq!(client.exchange(&oru("1", "90")).await, "AA 1");
    assert_eq!(lab.sent.all().len(), 1, "the route stands");
    assert_eq!(lab.gateway().status().len(), 1);
}

#[tokio::test]
async fn another_certificate_is_shown_to_the_next_handshake_and_closes_nothing() {
    let lab = Lab::start();
    let mut before = lab.connect().await;
    let shown = lab.parts().identity.unwrap();
    assert_ne!(before.server.as_ref(), shown.chain.first());
    lab.gateway().show(&shown).unwrap();
    let mut after = lab.connect().await;
    assert_eq!(after.server.as_ref(), shown.chain.first());
    assert_eq!(before.exchange(&oru("1", "90")).await, "AA 1");
    assert_eq!(after.exchange(&oru("2", "90")).await, "AA 2");
}

#[tokio::test]
async fn a_peers_changed_rules_hold_for_its_next_message() {
    let lab = Lab::start();
    let mut client = lab.connect().await;
    assert_eq!(client.exchange(&oru("1", "90")).await, "AA 1");
    let peer = lab.peers.by_name(PEER).unwrap();
    let change = labward_identity::PeerChange {
        message_types: Some(vec!["ADT^*".parse().unwrap()]),
        ..Default::default()
    };
    let by = labward_ledger::Actor::System;
    lab.peers.set(peer.id, change, by, vec![1]).unwrap();
    assert_eq!(client.exchange(&oru("2", "90")).await, "AR 2");
    assert_eq!(lab.held()[0].reason, "gateway.not-allowed");
}

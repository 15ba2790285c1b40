//! Limits slow down, refuse or end; they never lose a message silently.

use std::sync::atomic::Ordering;
use std::time::Duration;

use labward_hl7::mllp::encode;
use labward_identity::PeerRules;

use super::oru;
use crate::config::LinkConfig;
use crate::gateway::StartError;
use crate::keep::KeepError;
use crate::testing::{Lab, LabOptions};

fn plain_with(link: impl Fn(&mut LinkConfig) + 'static) -> Lab {
    let rules = PeerRules::admit_all();
    Lab::with(LabOptions {
        rules,
        plain: true,
        link: Box::new(link),
        ..LabOptions::default()
    })
}

#[tokio::test]
async fn a_message_over_the_limit_is_refused_and_the_next_one_taken() {
    let lab = plain_with(|link| link.limits.max_message_bytes = 2_048);
    let mut client = lab.connect().await;
    let large = [&oru("1", "90")[..], &[b'x'; 100_000]].concat();
    assert_eq!(client.exchange(&large).await, "AR 1");
    assert_eq!(client.exchange(&oru("2", "90")).await, "AA 2");
    assert_eq!(lab.actions(), ["message.refused", "message.received"]);
    let fits = [&oru("3", "90")[..], &[b'x'; 1_500]].concat();
    assert_eq!(client.exchange(&fits).await, "AA 3");
}

#[tokio::test]
async fn one_mebibyte_in_one_field_is_no_reason_to_refuse() {
    let lab = Lab::start();
    let mut client = lab.connect().await;
    let large = oru("1", &"9".repeat(1 << 20));
    assert_eq!(client.exchange(&large).await, "AA 1");
    assert_eq!(lab.sent.all()[0].bytes, large);
}

#[tokio::test]
async fn past_the_rate_the_gateway_reads_more_slowly_and_loses_nothing() {
    let lab = plain_with(|link| {
        link.limits.messages_per_second = 200;
        link.limits.burst_messages = 5;
    });
    let mut client = lab.connect().await;
    let frames: Vec<u8> = (0..20)
        .flat_map(|number| encode(&oru(&number.to_string(), "90")))
        .collect();
    client.write(&frames).await;
    let mut after = encode(&oru("after", "90"));
    for number in 0..20 {
        assert_eq!(client.ack().await, Some(format!("AA {number}")));
    }
    // The lab's clock stands still: 15 messages over the burst are 75 ms of debt.
    client.write(&std::mem::take(&mut after)).await;
    assert_eq!(client.ack().await.as_deref(), Some("AA after"));
    assert_eq!(lab.sent.all().len(), 21);
}

#[tokio::test]
async fn connections_over_the_limit_are_closed_at_once_and_counted() {
    let lab = plain_with(|link| link.limits.max_connections = 2);
    let mut first = lab.connect().await;
    let mut second = lab.connect().await;
    assert_eq!(first.exchange(&oru("1", "90")).await, "AA 1");
    assert_eq!(second.exchange(&oru("2", "90")).await, "AA 2");
    let mut third = lab.connect().await;
    assert_eq!(third.ack().await, None);
    lab.wait(|lab| lab.gateway().status()[0].counts.refused == 1)
        .await;
    first.end().await;
    drop(first);
    lab.wait(|lab| lab.gateway().status()[0].counts.connections == 1)
        .await;
    assert_eq!(lab.connect().await.exchange(&oru("3", "90")).await, "AA 3");
}

#[tokio::test]
async fn a_device_that_rebooted_replaces_its_old_connection() {
    let lab = Lab::with_link(|link| {
        link.one_connection = true;
        link.limits.max_connections = 2;
    });
    let mut old = lab.connect().await;
    assert_eq!(old.exchange(&oru("1", "90")).await, "AA 1");
    let mut new = lab.connect().await;
    assert_eq!(new.exchange(&oru("2", "90")).await, "AA 2");
    assert_eq!(old.ack().await, None);
    lab.wait(|lab| lab.gateway().status()[0].counts.connections == 1)
        .await;
}

#[tokio::test]
async fn a_peer_that_never_finishes_its_handshake_is_let_go() {
    let lab = Lab::with_link(|link| link.limits.handshake_seconds = 1);
    let (_, address) = lab.gateway().local_addresses().remove(0);
    let mut silent = crate::testing::Client::plain(address).await;
    assert_eq!(silent.ack().await, None);
    // The line is closed before it is counted.
    lab.wait(|lab| lab.gateway().status()[0].counts.refused == 1)
        .await;
}

#[tokio::test]
async fn many_connections_at_once_are_all_answered() {
    let lab = Lab::start();
    let mut clients = Vec::new();
    for _ in 0..32 {
        clients.push(lab.connect().await);
    }
    let mut running = tokio::task::JoinSet::new();
    for (number, mut client) in clients.into_iter().enumerate() {
        running.spawn(async move {
            for message in 0..20 {
                let id = format!("{number}-{message}");
                assert_eq!(client.exchange(&oru(&id, "90")).await, format!("AA {id}"));
            }
        });
    }
    while let Some(ended) = running.join_next().await {
        ended.unwrap();
    }
    let sent = lab.sent.all();
    assert_eq!(sent.len(), 640);
    assert!(
        sent.is_sorted_by_key(|sent| sent.entry),
        "delivery sees the ledger's order"
    );
    let stats = lab.store.stats();
    assert!(stats.batches < stats.units, "commits are shared: {stats:?}");
}

#[tokio::test]
async fn a_sealed_or_unsafe_gateway_never_opens_a_listener() {
    let mut lab = Lab::start();
    lab.gateway = None;
    lab.keep.sealed.store(true, Ordering::Relaxed);
    assert!(matches!(
        lab.try_open(),
        Err(StartError::Keep(KeepError::Sealed))
    ));
}

#[tokio::test]
async fn a_stopping_gateway_finishes_the_frame_that_has_begun_and_closes_the_rest() {
    let mut lab = Lab::start();
    let mut idle = lab.connect().await;
    let mut busy = lab.connect().await;
    assert_eq!(idle.exchange(&oru("1", "90")).await, "AA 1");
    assert_eq!(busy.exchange(&oru("2", "90")).await, "AA 2");
    let frame = encode(&oru("3", "90"));
    let (first, second) = frame.split_at(40);
    busy.write(first).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let gateway = lab.gateway.take().unwrap();
    let stopping = tokio::task::spawn_blocking(move || gateway.shutdown());
    assert_eq!(idle.ack().await, None);
    busy.write(second).await;
    assert_eq!(busy.ack().await.as_deref(), Some("AA 3"));
    assert_eq!(busy.ack().await, None);
    stopping.await.unwrap();
    assert_eq!(lab.sent.all().len(), 3);
}

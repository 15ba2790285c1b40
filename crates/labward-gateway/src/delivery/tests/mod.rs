//! Delivery against real receivers that behave and misbehave.

mod bench;
mod crash;
mod order;
mod outcome;
mod receiver;
mod reload;
mod ways;

use std::net::SocketAddr;

use bench::Bench;
use receiver::Receiver;

/// A destination `ehr` over plain MLLP on loopback with short waits, and these further keys.
fn plain(address: SocketAddr, keys: &str) -> String {
    format!(
        "[[destinations]]\nname = \"ehr\"\nack_seconds = 1\nconnect_seconds = 2\n{keys}\n\
         [destinations.target]\nkind = \"mllp\"\naddress = \"{address}\"\n\
         transport = {{ mode = \"plain\" }}\n\
         [destinations.retry]\nfirst_ms = 10\nmax_ms = 40\nmax_attempts = 3\n"
    )
}

/// A bench that delivers to this receiver.
fn bench_for(receiver: &Receiver, keys: &str) -> Bench {
    let mut bench = Bench::new(plain(receiver.address, keys));
    bench.start();
    bench
}

fn delivered(bench: &Bench) -> usize {
    let actions = bench.actions();
    let delivered = actions.iter().filter(|name| **name == "message.delivered");
    delivered.count()
}

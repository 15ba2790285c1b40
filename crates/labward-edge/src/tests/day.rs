//! A whole day without the server: the devices' results wait, and the edge keeps trying.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use labward_base::{Clock, problem};
use labward_testkit::{FakeClock, TempDir};
use tokio::sync::Notify;
use tokio::time::{Instant, advance, resume, sleep, timeout};

use super::server::Server;
use super::{PATIENCE, id, keep_of, result};
use crate::run::tests::{keep_message, open_store};
use crate::uplink::Standing;

const MINUTE: Duration = Duration::from_secs(60);
/// A result a minute.
const DAY: u32 = 24 * 60;

/// What the edge said of itself, and when.
type Said = Arc<Mutex<Vec<(Instant, Standing)>>>;

#[tokio::test(start_paused = true)]
async fn after_a_day_without_the_server_every_result_arrives_once_and_in_order() {
    let fake = FakeClock::default();
    let clock = Arc::new(fake.clone()) as Arc<dyn Clock>;
    let server = Server::start(&clock);
    let (folder, ledger) = (TempDir::new(), TempDir::new());
    let store = open_store(&folder, &Arc::new(fake.clone()));
    let wake = Arc::new(Notify::new());
    let keep = keep_of(&server, &store, &clock, &wake);
    let said = Said::default();
    let report = {
        let said = Arc::clone(&said);
        move |standing: &Standing| {
            said.lock()
                .unwrap()
                .push((Instant::now(), standing.clone()));
        }
    };
    let morning = fake.now();
    let (uplink, stop) = server.uplink(&store, &ledger, &clock, &wake, report);
    let uplink = tokio::spawn(uplink.run());

    for number in 1..=DAY {
        keep_message(&keep, &result(1, number)).unwrap();
        sleep(MINUTE).await;
        fake.advance(MINUTE);
    }
    let tries = std::mem::take(&mut *said.lock().unwrap());
    // From a half to the whole of a minute between tries, but for the first few.
    assert!((1_440..=2_900).contains(&tries.len()), "{}", tries.len());
    let waits = tries.windows(2).map(|two| two[1].0 - two[0].0);
    assert!(waits.max().unwrap() <= MINUTE + Duration::from_millis(1));
    let (_, last) = tries.last().unwrap();
    assert!(!last.connected && last.answered.is_none());
    assert_eq!(last.fault, Some(&problem::EDGE_UNREACHABLE));
    assert!(last.state.waiting >= u64::from(DAY) - 1);
    assert_eq!(last.state.oldest_us, morning.as_micros());

    server.line.open();
    advance(MINUTE).await;
    resume();
    let all_taken = async {
        let is_done = |said: &Said| {
            let said = said.lock().unwrap();
            said.last()
                .is_some_and(|(_, now)| now.connected && now.state.waiting == 0)
        };
        while !is_done(&said) {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, all_taken)
        .await
        .expect("everything to be taken");
    stop.send_replace(true);
    uplink.await.unwrap();
    let sent: Vec<String> = (1..=DAY).map(|number| id(1, number)).collect();
    assert_eq!(server.received(), sent);
    let (_, last) = said.lock().unwrap().last().unwrap().clone();
    assert_eq!((last.sent, last.state.damaged), (u64::from(DAY), 0));
    assert_eq!(server.fault(), None);
    store.close().unwrap();
}

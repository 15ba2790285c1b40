//! What is told of accepted messages, and of which it is told.

use super::oru;
use crate::testing::Lab;

#[tokio::test]
async fn each_accepted_message_is_told_once_and_only_when_it_is_durable() {
    let lab = Lab::start();
    let mut client = lab.connect().await;
    assert_eq!(client.exchange(&oru("1", "90")).await, "AA 1");
    // A copy, what is no message, and the same number over other content.
    assert_eq!(client.exchange(&oru("1", "90")).await, "AA 1");
    client.exchange(b"no message at all").await;
    assert_eq!(client.exchange(&oru("2", "91")).await, "AA 2");
    let told = lab.told.all();
    let of = |index: usize| {
        let one = told.get(index).unwrap();
        let tests: Vec<&str> = one.tests().collect();
        (
            one.message_type.clone(),
            tests.join(","),
            one.sender_clock.to_string(),
        )
    };
    assert_eq!(told.len(), 2, "{told:?}");
    for index in 0..2 {
        let expect = ("ORU^R01", "GLU", "20270115080000");
        let (kind, tests, clock) = of(index);
        assert_eq!((kind.as_str(), tests.as_str(), clock.as_str()), expect);
    }
    let kept = lab.leaves();
    assert_eq!(told.first().unwrap().received, kept.first().unwrap().time);
}

#[tokio::test]
async fn what_is_held_is_not_told() {
    let lab = Lab::start();
    let mut client = lab.connect().await;
    client.exchange(b"no message at all").await;
    assert!(
        lab.actions().contains(&"message.held"),
        "{:?}",
        lab.actions()
    );
    assert!(lab.told.all().is_empty());
}

//! Any bytes are frames between an edge and its server, or are refused: what is read is written the
//! same, what was cut is never read, and no length makes the reader go on.

use std::fmt::Debug;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use labward_gateway::edge::wire::{FromEdge, FromServer, Spoken, read_frame, write_frame};

/// Below what the input may be long, so that frames past the limit come too.
const LIMIT: usize = 4_096;
const HEAD: usize = 5;

/// Bytes in memory never let anybody wait.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits for bytes that are there"),
    }
}

fn written<F: Spoken>(frame: &F) -> Vec<u8> {
    let mut bytes = Vec::new();
    at_once(write_frame(&mut bytes, frame)).expect("what was read can be written");
    bytes
}

fn read_all<F: Spoken + PartialEq + Debug>(data: &[u8]) {
    let mut rest = data;
    loop {
        let from = rest;
        match at_once(read_frame::<F>(&mut rest, LIMIT)) {
            Ok(Some(frame)) => {
                let bytes = written(&frame);
                assert!(bytes.len() <= HEAD + LIMIT);
                assert_eq!(bytes, from[..from.len() - rest.len()]);
            }
            Ok(None) => {
                assert!(from.len() < HEAD, "a frame that was cut is no end");
                return;
            }
            Err(_) => return,
        }
    }
}

fn decode<F: Spoken>(kind: u8, body: &[u8]) {
    if let Ok(frame) = F::decode(kind, body.to_vec()) {
        assert_eq!(frame.encode(), (kind, body.to_vec()));
    }
}

pub fn run(data: &[u8]) {
    read_all::<FromEdge>(data);
    read_all::<FromServer>(data);
    if let Some((kind, body)) = data.split_first() {
        decode::<FromEdge>(*kind, body);
        decode::<FromServer>(*kind, body);
    }
}

//! Tests of the witness: the statuses of the specification, and that no sequence of calls makes it
//! cosign two histories.

use std::collections::BTreeMap;

use labward_seal::sign::SigningKey;
use proptest::prelude::*;

use super::*;
use crate::cosignature::tests::{PUBLIC, cosigner};
use crate::proof::tests::Leaves;
use crate::tree::leaf_digest;
use crate::tree::tests::reference_root;

const ORIGIN: &str = "labward.local/test";

/// State in memory that can refuse to save.
#[derive(Default)]
struct Memory {
    logs: BTreeMap<String, WitnessedLog>,
    full: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Failed {
    Note(NoteError),
    Disk,
}

impl From<NoteError> for Failed {
    fn from(error: NoteError) -> Self {
        Self::Note(error)
    }
}

impl WitnessState for Memory {
    type Error = Failed;

    fn log(&self, origin: &str) -> Result<Option<WitnessedLog>, Failed> {
        Ok(self.logs.get(origin).cloned())
    }

    fn save(&mut self, cosigned: &Cosigned) -> Result<(), Failed> {
        if self.full {
            return Err(Failed::Disk);
        }
        let log = self.logs.get_mut(&cosigned.checkpoint.origin).unwrap();
        log.latest = Some(cosigned.clone());
        Ok(())
    }
}

/// A log that may tell two histories, and the witness that it asks.
struct Bench {
    log: SigningKey,
    witness: Witness<Memory>,
}

impl Bench {
    fn new() -> Self {
        let log = SigningKey::generate().unwrap();
        let key = VerifierKey::new(ORIGIN, *log.public()).unwrap();
        let mut state = Memory::default();
        let known = WitnessedLog {
            keys: vec![key],
            latest: None,
        };
        state.logs.insert(ORIGIN.to_owned(), known);
        Self {
            log,
            witness: Witness::new(cosigner("witness.example/w1"), state),
        }
    }

    fn note(&self, leaves: &[Digest]) -> Note {
        let checkpoint = Checkpoint {
            origin: ORIGIN.to_owned(),
            size: leaves.len() as u64,
            root: reference_root(leaves),
        };
        checkpoint.sign(&self.log).unwrap()
    }

    /// The call with which an honest client asks for the whole of `leaves`.
    fn call(&self, old: usize, leaves: &[Digest]) -> AddCheckpoint {
        let mut tree = Leaves(leaves.to_vec());
        let proof = ConsistencyProof::compute(old as u64, leaves.len() as u64, &mut tree);
        AddCheckpoint::new(self.note(leaves), proof.unwrap().unwrap()).unwrap()
    }

    fn ask(&mut self, body: &str) -> Answer {
        let now = Timestamp::from_seconds(1_800_000_000);
        self.witness.add_checkpoint(body.as_bytes(), now).unwrap()
    }

    fn ask_for(&mut self, old: usize, leaves: &[Digest]) -> Answer {
        let call = self.call(old, leaves).to_string();
        self.ask(&call)
    }

    fn latest(&self) -> Option<Cosigned> {
        self.witness.state().logs[ORIGIN].latest.clone()
    }
}

/// Leaves of the history with this name; two histories share the leaves before `fork`.
fn leaves(history: u8, fork: usize, count: usize) -> Vec<Digest> {
    let leaf = |at: usize| {
        let of = if at < fork { 0 } else { history };
        leaf_digest(format!("{of} {at}").as_bytes())
    };
    (0..count).map(leaf).collect()
}

#[test]
fn a_log_that_only_grows_is_cosigned_again_and_again() {
    let mut bench = Bench::new();
    let all = leaves(0, 0, 40);
    let mut old = 0;
    for size in [0, 0, 1, 1, 2, 7, 8, 9, 33, 40, 40] {
        let call = bench.call(old, &all[..size]);
        let answer = bench.ask(&call.to_string());
        let cosigned = Cosigned::from_answer(
            call.note.clone(),
            answer.body().as_bytes(),
            &bench.witness.verifier(),
        );
        let cosigned = cosigned.unwrap();
        assert_eq!(
            (answer.status(), cosigned.checkpoint.size),
            (200, size as u64)
        );
        assert_eq!(bench.latest().unwrap(), cosigned);
        old = size;
    }
}

#[test]
fn each_refusal_has_the_status_and_the_body_of_the_specification() {
    let mut bench = Bench::new();
    let all = leaves(0, 0, 20);
    assert_eq!(bench.ask_for(0, &all[..10]).status(), 200);
    let good = bench.call(10, &all).to_string();

    let other = bench.ask_for(4, &all);
    assert_eq!((other.status(), other.body()), (409, "10\n".to_owned()));
    assert_eq!(other.content_type(), "text/x.tlog.size");

    let body = good.replace(ORIGIN, "labward.local/other");
    assert_eq!(bench.ask(&body).status(), 404);

    let signature = good.lines().last().unwrap();
    let damaged = Signature {
        bytes: vec![7; 64],
        ..Signature::parse(signature).unwrap()
    };
    assert_eq!(
        bench
            .ask(&good.replace(signature, &damaged.to_string()))
            .status(),
        403
    );
    let stranger = Signature {
        key_id: 7,
        ..damaged.clone()
    };
    assert_eq!(
        bench
            .ask(&good.replace(signature, &stranger.to_string()))
            .status(),
        403
    );
    let both = format!("{good}{damaged}\n");
    assert_eq!(
        bench.ask(&both).status(),
        403,
        "a trusted key's must all verify"
    );

    for body in [
        good.replace("old 10", "old 21"),
        good.replace("old 10", "old 010"),
        good.replace("old 10", "size 10"),
        good.replace("old 10\n", "old 10\nAAAA\n"),
        good.replacen("\n\n", "\n", 1),
        good.replace('\u{2014}', "-"),
        good.trim_end().to_owned(),
        String::new(),
    ] {
        assert_eq!(bench.ask(&body).status(), 400, "{body}");
    }

    let without_proof = AddCheckpoint {
        path: Vec::new(),
        ..bench.call(10, &all)
    };
    assert_eq!(bench.ask(&without_proof.to_string()).status(), 422);
    assert_eq!(
        bench.latest().unwrap().checkpoint.size,
        10,
        "nothing was taken over"
    );
    assert_eq!(bench.ask(&good).status(), 200);
}

#[test]
fn an_empty_tree_has_the_one_root_and_no_proof_goes_with_it() {
    let mut bench = Bench::new();
    let call = bench.call(0, &leaves(0, 0, 3));
    let proof = AddCheckpoint {
        path: leaves(0, 0, 1),
        ..call
    };
    assert_eq!(bench.ask(&proof.to_string()).status(), 422);
    let wrong = Checkpoint {
        origin: ORIGIN.to_owned(),
        size: 0,
        root: leaf_digest(b"not nothing"),
    };
    let note = wrong.sign(&bench.log).unwrap();
    assert_eq!(bench.ask(&format!("old 0\n\n{note}")).status(), 422);
    assert_eq!(bench.latest(), None);
}

#[test]
fn a_second_tree_of_one_size_is_refused_with_both_checkpoints_as_evidence() {
    let mut bench = Bench::new();
    assert_eq!(bench.ask_for(0, &leaves(0, 9, 12)).status(), 200);
    let fork = leaves(1, 9, 12);
    let Answer::Inconsistent(evidence) = bench.ask_for(12, &fork) else {
        panic!("a fork was not refused");
    };
    assert_eq!(
        evidence.what,
        "the checkpoints are of one size and have different roots"
    );
    let key = bench.witness.state().logs[ORIGIN].keys[0].clone();
    let seen = evidence.seen.as_ref().unwrap();
    assert!(seen.verify(&key).is_ok() && evidence.shown.verify(&key).is_ok());
    let shown = evidence.to_string();
    assert!(shown.contains(&seen.to_string()), "{shown}");
    assert!(shown.contains(&evidence.shown.to_string()), "{shown}");
}

#[test]
fn what_could_not_be_saved_is_not_cosigned() {
    let mut bench = Bench::new();
    let all = leaves(0, 0, 5);
    let call = bench.call(0, &all).to_string();
    bench.witness.state.full = true;
    let now = Timestamp::from_seconds(1_800_000_000);
    let failed = bench.witness.add_checkpoint(call.as_bytes(), now);
    assert_eq!(failed, Err(Failed::Disk));
    bench.witness.state.full = false;
    assert_eq!(bench.latest(), None);
    assert_eq!(bench.ask(&call).status(), 200);
}

#[test]
fn a_clock_that_goes_back_does_not_put_the_larger_tree_before_the_smaller() {
    let mut bench = Bench::new();
    let all = leaves(0, 0, 8);
    bench.ask_for(0, &all[..5]);
    let call = bench.call(5, &all).to_string();
    let earlier = Timestamp::from_seconds(1_700_000_000);
    bench
        .witness
        .add_checkpoint(call.as_bytes(), earlier)
        .unwrap();
    let latest = bench.latest().unwrap();
    assert_eq!(latest.checkpoint.size, 8);
    assert_eq!(
        latest.cosignature.time,
        Timestamp::from_seconds(1_800_000_000)
    );
}

#[test]
fn what_is_kept_holds_the_logs_signature_and_the_cosignature_alone() {
    let mut bench = Bench::new();
    let mut call = bench.call(0, &leaves(0, 0, 5));
    call.note.add_signature(Signature {
        name: "stranger.example".into(),
        key_id: 1,
        bytes: vec![1; 64],
    });
    assert_eq!(bench.ask(&call.to_string()).status(), 200);
    let kept = bench.latest().unwrap().note;
    let names: Vec<&str> = kept
        .signatures()
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(names, [ORIGIN, "witness.example/w1"]);
}

#[test]
fn a_log_with_extension_lines_is_cosigned_with_them() {
    let mut bench = Bench::new();
    let text = format!(
        "{ORIGIN}\n2\n{}\nextra\n",
        reference_root(&leaves(0, 0, 2)).to_base64()
    );
    let note = Note::sign(text.clone(), ORIGIN, &bench.log).unwrap();
    assert_eq!(bench.ask(&format!("old 0\n\n{note}")).status(), 200);
    assert_eq!(bench.latest().unwrap().note.unverified_text(), text);
    let empty = format!(
        "old 0\n\n{}",
        note.to_string().replace("extra\n", "\nextra\n")
    );
    assert_eq!(bench.ask(&empty).status(), 400);
}

#[test]
fn an_answer_counts_only_with_a_cosignature_of_the_witness_that_was_asked() {
    let mut bench = Bench::new();
    let call = bench.call(0, &leaves(0, 0, 5));
    let body = bench.ask(&call.to_string()).body();
    let key = bench.witness.verifier();
    let read = |body: &str, key| Cosigned::from_answer(call.note.clone(), body.as_bytes(), key);
    let stranger = Signature {
        name: "other.example".into(),
        key_id: 1,
        bytes: vec![1; 72],
    };
    let among_others = format!("{stranger}\n{body}");
    assert_eq!(read(&among_others, &key), read(&body, &key));
    assert!(read(&body, &key).is_ok());
    for bad in ["", "\n", body.trim_end(), "200\n", &format!("{stranger}\n")] {
        assert!(read(bad, &key).is_err(), "{bad:?}");
    }
    let other = cosigner("witness.example/w1").verifier();
    assert_eq!(read(&body, &other), Err(NoteError::NotSigned));
    let smaller = bench.note(&leaves(0, 0, 4));
    let moved = Cosigned::from_answer(smaller, body.as_bytes(), &key);
    assert_eq!(
        moved,
        Err(NoteError::BadSignature),
        "it is of another checkpoint"
    );
}

/// The example of C2SP tlog-witness; its keys are not given there.
#[test]
fn the_request_of_the_specification_is_read_and_written_the_same() {
    let body = "old 20852014\n\
        PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n\
        jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n\
        5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n\
        /6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n\n\
        example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
        \u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN\
        7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
        \u{2014} example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2\
        Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=\n";
    let call = AddCheckpoint::parse(body.as_bytes()).unwrap();
    assert_eq!((call.old, call.path.len()), (20_852_014, 4));
    assert_eq!(call.checkpoint.size, 20_852_163);
    assert_eq!(call.to_string(), body);
}

#[test]
fn sixty_three_lines_of_proof_are_read_and_no_more() {
    let line = format!("{}\n", leaf_digest(b"").to_base64());
    let body = |lines| format!("old 1\n{}\n{PUBLIC}", line.repeat(lines));
    assert!(AddCheckpoint::parse(body(63).as_bytes()).is_ok());
    assert!(AddCheckpoint::parse(body(64).as_bytes()).is_err());
    let long = vec![b'a'; REQUEST_MAX_BYTES + 1];
    assert!(AddCheckpoint::parse(&long).is_err());
}

/// One call of a log that may lie: from which size, of which history, up to which size.
fn calls() -> impl Strategy<Value = Vec<(usize, bool, usize)>> {
    proptest::collection::vec((0usize..40, any::<bool>(), 0usize..40), 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_fork_is_refused_wherever_it_began_and_whatever_size_it_claims_to_go_on_from(
        fork in 0usize..30, more in 1usize..30, seen in 1usize..40, claimed in 0usize..70
    ) {
        let (fork, seen) = (fork.min(seen - 1), seen);
        let mut bench = Bench::new();
        prop_assert_eq!(bench.ask_for(0, &leaves(0, fork, seen)).status(), 200);
        let before = bench.latest();
        let forked = leaves(1, fork, fork + more);
        // With the best proof that the forked log can compute itself.
        for old in [claimed.min(forked.len()), seen.min(forked.len()), fork, 0] {
            let answer = bench.ask_for(old, &forked);
            let expected = if old == seen { 422 } else { 409 };
            prop_assert_eq!(answer.status(), expected, "old {}", old);
        }
        prop_assert_eq!(bench.latest(), before);
    }

    #[test]
    fn a_rewound_log_is_told_the_size_that_was_cosigned(
        seen in 2usize..60, rewound in 0usize..59, claimed in 0usize..59
    ) {
        let rewound = rewound.min(seen - 1);
        let mut bench = Bench::new();
        bench.ask_for(0, &leaves(0, 0, seen));
        let answer = bench.ask_for(claimed.min(rewound), &leaves(0, 0, rewound));
        prop_assert_eq!(answer, Answer::OtherSize(seen as u64));
    }

    /// Whatever is asked in whatever order, all that was ever cosigned is one history.
    #[test]
    fn no_sequence_of_calls_yields_two_cosigned_trees_of_one_size(
        fork in 0usize..40, calls in calls()
    ) {
        let mut bench = Bench::new();
        let histories = [leaves(0, fork, 40), leaves(1, fork, 40)];
        let mut roots: BTreeMap<u64, Digest> = BTreeMap::new();
        let mut largest = 0;
        for (old, second, size) in calls {
            let tree = &histories[usize::from(second)][..size];
            // Half of the calls go on from the right size, as an attacker's would.
            let old = if old % 2 == 0 { largest } else { old };
            if bench.ask_for(old.min(size), tree).status() == 200 {
                let root = reference_root(tree);
                prop_assert_eq!(*roots.entry(size as u64).or_insert(root), root);
                prop_assert!(size >= largest, "the witness went back");
                largest = size;
            }
        }
        // Every root that was cosigned is one of the history that the largest belongs to.
        let of_one = |leaves: &Vec<Digest>| {
            roots.iter().all(|(size, root)| reference_root(&leaves[..usize::try_from(*size).unwrap()]) == *root)
        };
        prop_assert!(histories.iter().any(of_one), "{:?}", roots.keys());
    }

    #[test]
    fn a_call_that_was_read_is_written_the_same(
        head in "old [0-9]{1,3}", lines in 0usize..4, note in Just(PUBLIC), cut in 0usize..400
    ) {
        let line = format!("{}\n", leaf_digest(b"x").to_base64());
        let whole = format!("{head}\n{}\n{note}", line.repeat(lines));
        let cut = (0..=cut.min(whole.len())).rev().find(|at| whole.is_char_boundary(*at));
        for body in [&whole, &whole[cut.unwrap()..]] {
            if let Ok(call) = AddCheckpoint::parse(body.as_bytes()) {
                prop_assert_eq!(&call.to_string(), body);
            }
        }
    }

    #[test]
    fn any_bytes_are_answered_and_none_are_cosigned(body in "\\PC{0,60}(\n\\PC{0,60}){0,8}") {
        let mut bench = Bench::new();
        prop_assert!(matches!(bench.ask(&body).status(), 400 | 404));
        prop_assert_eq!(bench.latest(), None);
    }
}

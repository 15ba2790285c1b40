//! Lists that minisign signed, and what must not be believed of them.

use proptest::prelude::*;

use super::*;

macro_rules! signed {
    ($name:literal) => {
        (
            include_bytes!(concat!("fixtures/", $name)).as_slice(),
            include_bytes!(concat!("fixtures/", $name, ".minisig")).as_slice(),
        )
    };
}

const KEY: &[u8] = include_bytes!("fixtures/releases.pub");
const OTHER: &[u8] = include_bytes!("../../labward-advisory/src/bundle/fixtures/bundle.pub");

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

fn open((bytes, signature): (&[u8], &[u8])) -> Result<ReleaseList, ListFault> {
    ReleaseList::open(bytes, signature, &[MinisignKey::parse(KEY).unwrap()])
}

#[test]
fn what_is_new_comes_newest_first_and_says_what_cannot_wait() {
    let list = open(signed!("releases-7.json")).unwrap();
    assert_eq!((list.number, list.issued), (7, at("2026-11-01T00:00:00Z")));
    let newer = |own: &str| {
        let own = Version::parse(own).unwrap();
        let newer = list.newer_than(&own);
        newer
            .map(|one| (one.version.to_string(), one.is_security()))
            .collect::<Vec<_>>()
    };
    let two = [("0.3.0".to_owned(), false), ("0.2.0".to_owned(), true)];
    assert_eq!(newer("0.1.0"), two);
    assert_eq!(newer("0.2.0-rc.1"), two);
    assert_eq!(newer("0.3.0"), []);
    assert_eq!(list.releases[0].targets[0].bytes, 3);
}

#[test]
fn a_list_that_ran_out_is_not_believed() {
    let list = open(signed!("releases-7.json")).unwrap();
    assert_eq!(list.judge(at("2027-01-31T23:59:59Z"), None), Ok(()));
    let end = at("2027-02-01T00:00:00Z");
    assert_eq!(
        list.judge(end, None),
        Err(Refusal::Expired { expires: end })
    );
}

#[test]
fn an_older_list_and_another_one_of_the_same_number_are_refused() {
    let now = at("2026-12-01T00:00:00Z");
    let seven = open(signed!("releases-7.json")).unwrap();
    let six = open(signed!("releases-6.json")).unwrap();
    let other = open(signed!("releases-7-other.json")).unwrap();
    assert_eq!(seven.judge(now, Some(&six.seen())), Ok(()));
    assert_eq!(seven.judge(now, Some(&seven.seen())), Ok(()));
    let back = Refusal::RolledBack { number: 6, seen: 7 };
    assert_eq!(six.judge(now, Some(&seven.seen())), Err(back));
    let changed = Refusal::Changed { number: 7 };
    assert_eq!(other.judge(now, Some(&seven.seen())), Err(changed));
}

#[test]
fn what_another_key_signed_or_nobody_is_not_read() {
    let (bytes, signature) = signed!("releases-7.json");
    let other = [MinisignKey::parse(OTHER).unwrap()];
    let id = MinisignKey::parse(KEY).unwrap().id().to_owned();
    let fault = ReleaseList::open(bytes, signature, &other).err();
    assert_eq!(
        fault,
        Some(ListFault::Signature(SignatureFault::OtherKey(id)))
    );
    let (_, of_other) = signed!("releases-6.json");
    let forged = Some(ListFault::Signature(SignatureFault::Forged));
    assert_eq!(open((bytes, of_other)).err(), forged);
    let none = Some(ListFault::Signature(SignatureFault::NotASignature));
    assert_eq!(open((bytes, b"")).err(), none);
}

#[test]
fn a_signed_list_of_another_form_is_told() {
    let newer = open(signed!("newer-form.json")).err();
    assert_eq!(newer, Some(ListFault::NotAList("its version")));
    let twice = open(signed!("twice.json")).err();
    assert_eq!(
        twice,
        Some(ListFault::NotAList("a version stands in it twice"))
    );
}

proptest! {
    #[test]
    fn no_changed_byte_is_believed(at in 0..signed!("releases-7.json").0.len(), bit in 0..8_u8) {
        let (bytes, signature) = signed!("releases-7.json");
        let mut bytes = bytes.to_vec();
        bytes[at] ^= 1 << bit;
        prop_assert!(open((&bytes, signature)).is_err());
    }
}

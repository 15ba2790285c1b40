//! The claims about tokens, on a real store and ledger.

use labward_base::Clock;
use labward_base::id::{PersonId, TokenNumber};
use labward_store::Query;

use super::{BY, DAY, Lab, SITE, person};
use crate::{IdentityError, NewToken, People, Permission, Role, SignInError, Tokens};

fn tokens(lab: &Lab) -> Tokens {
    Tokens::load(lab.store.clone(), SITE, lab.people.clone()).unwrap()
}

fn monitor(person: PersonId) -> NewToken {
    NewToken {
        person,
        name: "monitor".to_owned(),
        scopes: vec![Permission::MessageList, Permission::StatusRead],
        days: 30,
    }
}

fn lab_with_ian() -> (Lab, PersonId) {
    let lab = Lab::new();
    let ada = person("Ada Archer", Role::Administrator, Some(1000));
    lab.people.add(ada, BY).unwrap();
    let ian = person("Ian Ito", Role::It, None);
    let ian = lab.people.add(ian, BY).unwrap().id;
    (lab, ian)
}

#[test]
fn a_token_does_what_it_was_made_for_and_its_person_may_until_it_ends() {
    let (lab, ian) = lab_with_ian();
    let tokens = tokens(&lab);
    let now = lab.clock.now();
    let (made, secret) = tokens.create(monitor(ian), BY, now).unwrap();
    let found = tokens.find(&secret, now).unwrap();
    assert!(found.permits(Permission::StatusRead));
    assert!(!found.permits(Permission::LedgerRead), "it is no scope");
    assert_eq!((found.last_used, made.last_used), (Some(now), None));
    let last = now.plus(DAY * 30);
    assert!(tokens.find(&secret, last).is_none() && tokens.list(last).is_empty());
    assert!(tokens.find(&secret, now).is_some());
    tokens.end(made.number, BY).unwrap();
    assert!(tokens.find(&secret, now).is_none());
    let again = tokens.end(made.number, BY).unwrap_err();
    let none = |error: &IdentityError| matches!(error, IdentityError::SignIn(SignInError::NoToken(number)) if *number == made.number);
    assert!(none(&again), "{again}");
}

#[test]
fn a_token_is_known_after_a_restart_and_ends_with_its_person() {
    let (mut lab, ian) = lab_with_ian();
    let now = lab.clock.now();
    let (made, secret) = tokens(&lab).create(monitor(ian), BY, now).unwrap();
    lab.people = People::load(lab.store.clone(), SITE).unwrap();
    let again = tokens(&lab);
    assert_eq!(again.find(&secret, now).unwrap().number, made.number);
    lab.people.remove(ian, BY).unwrap();
    assert!(again.find(&secret, now).is_none() && again.list(now).is_empty());
    let rows = lab.store.read(|snapshot| {
        let sql = "SELECT number FROM token";
        snapshot.query_all(sql, &[], |row| row.int(0))
    });
    assert_eq!(rows.map_err(|error| error.to_string()), Ok(vec![]));
}

#[test]
fn no_row_and_no_entry_holds_a_token_and_both_say_who_made_it() {
    let (lab, ian) = lab_with_ian();
    let now = lab.clock.now();
    let tokens = tokens(&lab);
    let (made, secret) = tokens.create(monitor(ian), BY, now).unwrap();
    let secret = secret.to_text();
    let tail = &secret.expose()[4..];
    let leaves = lab.store.read(|snapshot| {
        let sql = "SELECT leaf FROM entry ORDER BY idx";
        snapshot.query_all(sql, &[], |row| row.bytes(0).map(<[u8]>::to_vec))
    });
    let leaves: Vec<String> = leaves
        .map_err(|error: labward_store::StoreError| error.to_string())
        .unwrap()
        .iter()
        .map(|leaf| String::from_utf8_lossy(leaf).into_owned())
        .collect();
    let last = leaves.last().unwrap();
    assert!(
        last.contains("token.created") && last.contains("status.read"),
        "{last}"
    );
    assert!(leaves.iter().all(|leaf| !leaf.contains(tail)));
    let number = u64::try_from(leaves.len()).unwrap() - 1;
    assert_eq!(made.number, TokenNumber::new(number));
}

#[test]
fn a_scope_that_the_person_has_not_is_refused_and_so_is_one_token_too_many() {
    let (lab, ian) = lab_with_ian();
    let now = lab.clock.now();
    let tokens = tokens(&lab);
    let greedy = NewToken {
        scopes: vec![Permission::RecordShow],
        ..monitor(ian)
    };
    assert!(tokens.create(greedy, BY, now).is_err());
    for _ in 0..50 {
        tokens.create(monitor(ian), BY, now).unwrap();
    }
    assert!(tokens.create(monitor(ian), BY, now).is_err());
    let nobody = monitor(PersonId::new(999));
    assert!(matches!(
        tokens.create(nobody, BY, now),
        Err(IdentityError::NoPerson(_))
    ));
}

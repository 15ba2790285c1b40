//! The claims about engagements, on a real store and ledger.

use labward_base::Clock;
use labward_base::id::EntryIndex;
use labward_ledger::{StoredEntry, entries};
use labward_store::StoreError;

use super::{BY, DAY, Lab, SITE, person};
use crate::{
    Engagement, NewToken, People, Permission, Role, SessionLimits, Sessions, Tokens, Topic,
    end_engagements,
};

#[test]
fn an_engagement_that_is_over_ends_what_hangs_on_it_once_and_for_good() {
    let lab = Lab::new();
    let now = lab.clock.now();
    let ends = now.plus(DAY);
    let times = [now, ends, ends];
    let engagement = Engagement::new(times, vec![Topic::Ledger], now).unwrap();
    let eve = || person("Eve Expert", Role::Expert, None);
    assert!(lab.people.add(eve(), BY).is_err(), "without an engagement");
    let eve = lab.people.add_engaged(eve(), Some(engagement), BY).unwrap();
    let (store, people) = (lab.store.clone(), lab.people.clone());
    let tokens = Tokens::load(store.clone(), SITE, people.clone()).unwrap();
    let limits = SessionLimits::default();
    let sessions = Sessions::load(store.clone(), SITE, people.clone(), limits).unwrap();
    let new = NewToken {
        person: eve.id,
        name: "reader".to_owned(),
        scopes: vec![Permission::LedgerRead],
        days: 30,
    };
    let (_, secret) = tokens.create(new.clone(), BY, now).unwrap();
    assert!(tokens.find(&secret, now).is_some());
    assert!(tokens.find(&secret, ends).is_none(), "before anybody looks");
    let end = |people: &People, at| end_engagements(people, &sessions, &tokens, at).unwrap();
    assert_eq!((end(&people, now), end(&people, ends)), (0, 1));
    assert_eq!(end(&people, ends), 0);
    assert!(tokens.find(&secret, now).is_none(), "for good");
    assert!(tokens.create(new, BY, ends).is_err());
    let again = People::load(store.clone(), SITE).unwrap();
    assert_eq!(end(&again, ends), 0, "known after a restart");
    let all: Result<Vec<StoredEntry>, StoreError> =
        store.read(|snapshot| entries(snapshot, EntryIndex::new(0), 100));
    let names = all.unwrap().into_iter().map(|entry| entry.action);
    let names: Vec<String> = names
        .filter(|name| name.starts_with("engagement."))
        .collect();
    assert_eq!(names, ["engagement.set", "engagement.ended"]);
}

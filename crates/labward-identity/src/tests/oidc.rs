//! The claims about accounts at the identity provider, on a real store and ledger.

use labward_base::Clock;
use labward_base::id::PersonId;
use labward_store::Query;

use super::{BY, Lab, SITE, person};
use crate::{
    AnswerFault, Attempt, Client, IdentityError, Passwords, People, ProviderAccounts, Refusal,
    Role, Roles, Session, SessionLimits, Sessions, SignIn, SignInError, Vouched,
};

/// A lab with an identity provider.
struct Door {
    lab: Lab,
    sessions: Sessions,
    sign_in: SignIn,
    accounts: ProviderAccounts,
    clara: PersonId,
}

impl Door {
    fn new() -> Self {
        let lab = Lab::new();
        let ada = person("Ada Archer", Role::Administrator, Some(1000));
        lab.people.add(ada, BY).unwrap();
        let clara = person("Clara Cole", Role::ClinicalStaff, None);
        let clara = lab.people.add(clara, BY).unwrap().id;
        Self::over(lab, clara)
    }

    /// As after a restart, on what the store holds.
    fn over(mut lab: Lab, clara: PersonId) -> Self {
        lab.people = People::load(lab.store.clone(), SITE).unwrap();
        let (store, people) = (lab.store.clone(), lab.people.clone());
        let limits = SessionLimits::default();
        let sessions = Sessions::load(store.clone(), SITE, people.clone(), limits).unwrap();
        let passwords = Passwords::new().unwrap();
        let sign_in = SignIn::new(
            store.clone(),
            SITE,
            sessions.clone(),
            people.clone(),
            passwords,
        );
        let accounts =
            ProviderAccounts::new(store, SITE, people, sessions.clone(), sign_in.clone());
        Self {
            lab,
            sessions,
            sign_in,
            accounts,
            clara,
        }
    }

    fn attempt(&self, vouched: &Vouched, adds_people: bool) -> Attempt {
        let now = self.lab.clock.now();
        let attempt = self.accounts.admit(vouched, adds_people, &client(), now);
        attempt.unwrap()
    }

    fn enter(&self, vouched: &Vouched) -> Session {
        match self.attempt(vouched, false) {
            Attempt::Admitted { session, .. } => session,
            Attempt::Refused(refusal) => panic!("{refusal:?}"),
        }
    }

    fn refusal(&self, vouched: &Vouched) -> Refusal {
        match self.attempt(vouched, false) {
            Attempt::Admitted { .. } => panic!("admitted"),
            Attempt::Refused(refusal) => refusal,
        }
    }

    /// What the entries of this action hold, the newest last.
    fn entries(&self, action: &str) -> Vec<String> {
        self.sign_in.settle(self.lab.clock.now(), true);
        // Behind everything that was handed to the store before.
        let done: Result<(), IdentityError> = self.lab.store.write(|_| Ok(()));
        done.unwrap();
        let sql = "SELECT leaf FROM entry WHERE action = $1 ORDER BY idx";
        let read = |query: &mut labward_store::Snapshot<'_>| {
            query.query_all(sql, &[action.into()], |row| {
                Ok(String::from_utf8_lossy(row.bytes(0)?).into_owned())
            })
        };
        self.lab.store.read(read).unwrap()
    }
}

fn client() -> Client {
    Client::new([192, 0, 2, 7].into(), "Firefox on the second bench")
}

fn clara(roles: Option<Role>) -> Vouched {
    Vouched {
        issuer: "https://id.example".to_owned(),
        subject: "248289761001".to_owned(),
        account: Some("Clara.Cole@Example.org".to_owned()),
        name: Some("Clara Cole".to_owned()),
        roles: roles.map(Roles::from),
    }
}

#[test]
fn only_an_account_that_was_noted_lets_in_and_then_by_its_subject() {
    let door = Door::new();
    let vouched = clara(Some(Role::ClinicalStaff));
    assert_eq!(door.refusal(&vouched), Refusal::NotLinked);
    door.accounts
        .expect(door.clara, " clara.cole@example.org ", BY)
        .unwrap();
    let session = door.enter(&vouched);
    assert_eq!(session.person.id, door.clara);
    // From then on the subject counts, whatever the account is called by now.
    let renamed = Vouched {
        account: Some("clara.married@example.org".to_owned()),
        ..vouched.clone()
    };
    let door = Door::over(door.lab, door.clara);
    assert_eq!(door.enter(&renamed).person.id, door.clara);
    let [linked] = &door.accounts.list().unwrap()[..] else {
        panic!()
    };
    assert_eq!(linked.account, "clara.cole@example.org");
    assert_eq!(linked.bound.as_ref().unwrap().subject, vouched.subject);
    assert!(linked.last_used.is_some());
}

#[test]
fn another_subject_with_the_same_name_is_refused_and_the_ledger_says_so() {
    let door = Door::new();
    let vouched = clara(Some(Role::ClinicalStaff));
    door.accounts
        .expect(door.clara, "clara.cole@example.org", BY)
        .unwrap();
    door.enter(&vouched);
    for other in [
        Vouched {
            subject: "another".to_owned(),
            ..vouched.clone()
        },
        Vouched {
            issuer: "https://other.example".to_owned(),
            ..vouched.clone()
        },
    ] {
        assert_eq!(door.refusal(&other), Refusal::OtherSubject);
    }
    assert!(door.refusal_names("other-subject"));
    door.enter(&vouched);
}

impl Door {
    fn refusal_names(&self, reason: &str) -> bool {
        let entries = self.entries("session.refused");
        entries.iter().any(|facts| facts.contains(reason))
    }
}

#[test]
fn without_a_group_that_has_a_role_nobody_enters_however_well_known() {
    let door = Door::new();
    door.accounts
        .expect(door.clara, "clara.cole@example.org", BY)
        .unwrap();
    assert_eq!(door.refusal(&clara(None)), Refusal::NoGroup);
    // Nothing was bound by it.
    assert!(door.accounts.list().unwrap()[0].bound.is_none());
    door.enter(&clara(Some(Role::ClinicalStaff)));
    assert_eq!(door.refusal(&clara(None)), Refusal::NoGroup);
    assert!(door.refusal_names("no-group"));
    let unknown = Vouched {
        subject: "nobody".to_owned(),
        account: None,
        ..clara(None)
    };
    assert!(matches!(
        door.attempt(&unknown, true),
        Attempt::Refused(Refusal::NoGroup)
    ));
}

#[test]
fn the_role_follows_the_groups_and_each_change_has_an_entry() {
    let door = Door::new();
    door.accounts
        .expect(door.clara, "clara.cole@example.org", BY)
        .unwrap();
    let first = door.enter(&clara(Some(Role::ClinicalStaff)));
    assert_eq!(door.entries("person.changed").len(), 0);
    let second = door.enter(&clara(Some(Role::LabManager)));
    assert_eq!(second.person.roles, Roles::from(Role::LabManager));
    // The session of before has them too: roles are those of the moment.
    let all = door.sessions.list(door.clara, door.lab.clock.now());
    assert_eq!(all.len(), 2);
    assert!(
        all.iter()
            .all(|one| one.person.roles == second.person.roles)
    );
    assert!(first.number < second.number);
    let [changed] = &door.entries("person.changed")[..] else {
        panic!()
    };
    assert!(changed.contains("lab-manager") && changed.contains("clinical-staff"));
    let door = Door::over(door.lab, door.clara);
    let known = door.lab.people.by_id(door.clara).unwrap();
    assert_eq!(
        known.roles,
        Roles::from(Role::LabManager),
        "after a restart"
    );
    assert!(door.entries("session.began")[0].contains("oidc"));
}

#[test]
fn groups_do_not_take_the_last_administrator_away() {
    let door = Door::new();
    let ada = door.lab.people.by_uid(1000).unwrap();
    door.accounts.expect(ada.id, "ada@example.org", BY).unwrap();
    let vouched = Vouched {
        subject: "ada".to_owned(),
        account: Some("ada@example.org".to_owned()),
        ..clara(Some(Role::Expert))
    };
    assert_eq!(door.refusal(&vouched), Refusal::LastAdministrator);
    assert_eq!(door.lab.people.by_uid(1000).unwrap().roles, ada.roles);
}

#[test]
fn who_was_removed_stays_out_also_where_the_first_sign_in_adds_people() {
    let door = Door::new();
    let vouched = clara(Some(Role::ClinicalStaff));
    door.accounts
        .expect(door.clara, "clara.cole@example.org", BY)
        .unwrap();
    door.enter(&vouched);
    door.lab.people.remove(door.clara, BY).unwrap();
    for adds_people in [false, true] {
        let attempt = door.attempt(&vouched, adds_people);
        assert!(matches!(attempt, Attempt::Refused(Refusal::NotLinked)));
        // Nor by a new account of the same name.
        let again = Vouched {
            subject: "made anew".to_owned(),
            ..vouched.clone()
        };
        let attempt = door.attempt(&again, adds_people);
        assert!(matches!(attempt, Attempt::Refused(Refusal::NotLinked)));
    }
    assert!(door.refusal_names("removed"));
    assert!(door.accounts.list().unwrap().is_empty());
    // Until an administrator takes them back.
    let back = person("Clara Cole", Role::ClinicalStaff, None);
    let back = door.lab.people.add(back, BY).unwrap().id;
    door.accounts
        .expect(back, "clara.cole@example.org", BY)
        .unwrap();
    assert_eq!(door.enter(&vouched).person.id, back);
}

#[test]
fn where_it_is_configured_the_first_sign_in_adds_a_person_once() {
    let door = Door::new();
    let dan = Vouched {
        subject: "dan".to_owned(),
        account: Some("dan@example.org".to_owned()),
        name: Some("Dan\u{7} Dole ".to_owned()),
        ..clara(Some(Role::It))
    };
    assert_eq!(door.refusal(&dan), Refusal::NotLinked);
    for _ in 0..2 {
        let Attempt::Admitted { session, .. } = door.attempt(&dan, true) else {
            panic!()
        };
        assert_eq!(session.person.name, "Dan Dole");
        assert_eq!(session.person.roles, Roles::from(Role::It));
    }
    assert_eq!(door.lab.people.list().len(), 3);
    assert_eq!(door.entries("person.added").len(), 3);
    // A subject that looks like somebody's account is not that account.
    let clara_account = "clara.cole@example.org";
    door.accounts.expect(door.clara, clara_account, BY).unwrap();
    let eve = Vouched {
        subject: clara_account.to_owned(),
        account: None,
        name: None,
        ..dan
    };
    let Attempt::Admitted { session, .. } = door.attempt(&eve, true) else {
        panic!()
    };
    assert_ne!(session.person.id, door.clara);
    assert_eq!(door.lab.people.list().len(), 4);
}

#[test]
fn unlinking_ends_every_session_and_the_subject_is_unknown_then() {
    let door = Door::new();
    let vouched = clara(Some(Role::ClinicalStaff));
    door.accounts
        .expect(door.clara, "clara.cole@example.org", BY)
        .unwrap();
    let taken =
        |error: &IdentityError| matches!(error, IdentityError::SignIn(SignInError::AccountTaken));
    let ada = door.lab.people.by_uid(1000).unwrap().id;
    let other = door.accounts.expect(ada, "CLARA.COLE@example.org", BY);
    assert!(taken(&other.unwrap_err()));
    door.enter(&vouched);
    let again = door.accounts.expect(door.clara, "c@example.org", BY);
    assert!(taken(&again.unwrap_err()), "it was used");
    door.accounts.unlink(door.clara, BY).unwrap();
    assert!(door.sessions.all(door.lab.clock.now()).is_empty());
    assert_eq!(door.refusal(&vouched), Refusal::NotLinked);
    let none = door.accounts.unlink(door.clara, BY).unwrap_err();
    assert!(matches!(
        none,
        IdentityError::SignIn(SignInError::NoAccount(_))
    ));
    let entries = door.entries("credential.changed");
    assert_eq!(entries.len(), 3, "{entries:?}");
}

#[test]
fn what_is_no_account_is_not_noted_and_no_answer_goes_unrecorded() {
    let door = Door::new();
    for text in ["", "  ", "a b", "a\0b", &"x".repeat(255)] {
        let noted = door.accounts.expect(door.clara, text, BY);
        assert!(
            matches!(noted, Err(IdentityError::NotAName { .. })),
            "{text:?}"
        );
    }
    let now = door.lab.clock.now();
    for fault in [
        AnswerFault::Declined,
        AnswerFault::Foreign,
        AnswerFault::NotVerified,
    ] {
        door.accounts.refused(fault, &client(), now);
    }
    for reason in [
        "declined-by-provider",
        "foreign-answer",
        "answer-not-verified",
    ] {
        assert!(door.refusal_names(reason), "{reason}");
    }
}

//! Checks of people, their accounts and who may do what.

use labward_identity::Permission;

use super::{CheckInput, Found};

/// What stands still if nobody may do it.
const NEEDED: &[(Permission, &str)] = &[
    (Permission::MessageDecide, "release or reject held messages"),
    (Permission::RecordShow, "read a record"),
    (Permission::PeerChange, "add and revoke peers"),
    (Permission::KeyChange, "change and test slots"),
    (Permission::ConfigChange, "reload the configuration"),
];

pub(super) fn one_administrator(input: &CheckInput) -> Found {
    let may = |person: &&labward_identity::Person| person.permits(Permission::PersonChange);
    Found::when(Some(input.people.iter().filter(may).count() < 2))
}

pub(super) fn nobody_may(input: &CheckInput) -> Found {
    let nobody = |(permission, _): &&(Permission, &str)| {
        // Without an account nobody gets in, whatever the role is.
        let may = |one: &labward_identity::Person| one.uid.is_some() && one.permits(*permission);
        !input.people.iter().any(may)
    };
    Found::at(NEEDED.iter().filter(nobody).map(|(_, what)| what))
}

pub(super) fn account_gone(input: &CheckInput) -> Found {
    Found::of(&input.lost_accounts, |all| Found::at(all))
}

pub(super) fn socket_group(input: &CheckInput) -> Found {
    Found::of(&input.group_strangers, |all| Found::at(all))
}

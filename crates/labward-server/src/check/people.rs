//! Checks of people, their accounts and who may do what.

use std::time::Duration;

use labward_base::{Remark, Timestamp, remark};
use labward_identity::{Permission, Role};

use super::lines::day;
use super::{CheckInput, Found};

/// How long an identity provider may be silent.
const PROVIDER_SILENT: Duration = Duration::from_secs(600);
/// A token that ends sooner is to be replaced.
const TOKEN_ENDS: Duration = Duration::from_secs(14 * 86_400);
/// A token that was used since is in use.
const TOKEN_IN_USE: Duration = Duration::from_secs(30 * 86_400);

/// What somebody must be permitted, and how it is said.
type Needed = (Permission, fn() -> Remark);

/// What stands still if nobody may do it.
const NEEDED: &[Needed] = &[
    (Permission::MessageDecide, remark::may_decide),
    (Permission::RecordShow, remark::may_show),
    (Permission::PeerChange, remark::may_change_peers),
    (Permission::KeyChange, remark::may_change_keys),
    (Permission::ConfigChange, remark::may_change_config),
];

/// A provider that was only started anew is no finding.
pub(super) fn provider_silent(input: &CheckInput) -> Found {
    Found::of(&input.sign_on, |silent| {
        let is_long = |since: &Timestamp| input.now.since(*since) >= PROVIDER_SILENT;
        Found::when(Some(silent.as_ref().is_some_and(is_long)))
    })
}

pub(super) fn one_administrator(input: &CheckInput) -> Found {
    let may = |person: &&labward_identity::Person| person.permits(Permission::PersonChange);
    Found::when(Some(input.people.iter().filter(may).count() < 2))
}

pub(super) fn nobody_may(input: &CheckInput) -> Found {
    let nobody = |(permission, _): &&Needed| {
        // Without an account nobody gets in, whatever the role is.
        let may = |one: &labward_identity::Person| one.uid.is_some() && one.permits(*permission);
        !input.people.iter().any(may)
    };
    Found::at(NEEDED.iter().filter(nobody).map(|(_, what)| what()))
}

/// Who does not use it any more is not missed.
pub(super) fn token_ends(input: &CheckInput) -> Found {
    let is_used = |used: Timestamp| input.now.since(used) <= TOKEN_IN_USE;
    let soon = input.tokens.iter().filter(|token| {
        token.last_used.is_some_and(is_used) && token.ends_at <= input.now.plus(TOKEN_ENDS)
    });
    Found::at(soon.map(|token| {
        let name = format!("{}, {}", token.person.name, token.name);
        remark::until(name, day(token.ends_at))
    }))
}

pub(super) fn account_gone(input: &CheckInput) -> Found {
    Found::of(&input.lost_accounts, |all| Found::at(all.iter().cloned()))
}

pub(super) fn socket_group(input: &CheckInput) -> Found {
    Found::of(&input.group_strangers, |all| Found::named(all))
}

pub(super) fn without_engagement(input: &CheckInput) -> Found {
    let without = input.people.iter().filter(|person| {
        let engagement = person.engagement.as_ref();
        let holds = engagement.is_some_and(|one| one.holds(input.now));
        person.roles.contains(Role::Expert) && !holds
    });
    Found::named(without.map(|person| &person.name))
}

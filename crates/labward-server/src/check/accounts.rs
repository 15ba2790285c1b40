//! Accounts of the operating system: which people have lost theirs, and who else may reach the
//! admin socket.
//!
//! It must never call an account gone that may come from elsewhere than the files it reads.

use std::fs;

use labward_base::{Remark, remark};
use labward_identity::Person;

use super::{Measured, listed};

/// Sources of accounts that the file `passwd` holds whole, or that only make system accounts.
const LOCAL_SOURCES: &[&str] = &["files", "compat", "systemd"];

/// The people whose account is there no more.
pub(crate) fn lost_accounts(people: &[Person]) -> Measured<Vec<Remark>> {
    let switch = fs::read_to_string("/etc/nsswitch.conf").unwrap_or_default();
    lost(people, &read("/etc/passwd")?, &switch)
}

/// Members of the socket's group who are nobody of the lab.
pub(crate) fn group_strangers(people: &[Person], group: Option<&str>) -> Measured<Vec<String>> {
    let Some(group) = group else {
        return Ok(Vec::new());
    };
    strangers(people, group, &read("/etc/group")?, &read("/etc/passwd")?)
}

fn read(path: &str) -> Measured<String> {
    fs::read_to_string(path).map_err(|error| remark::file(path, error.to_string()))
}

/// Name, uid and gid of each account.
fn accounts(passwd: &str) -> impl Iterator<Item = (&str, u32, u32)> {
    passwd.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        Some((
            name,
            fields.nth(1)?.parse().ok()?,
            fields.next()?.parse().ok()?,
        ))
    })
}

fn lost(people: &[Person], passwd: &str, switch: &str) -> Measured<Vec<Remark>> {
    let is_there = |uid: u32| accounts(passwd).any(|(_, known, _)| known == uid);
    let lost: Vec<Remark> = people
        .iter()
        .filter_map(|person| Some((person, person.uid?)))
        .filter(|(_, uid)| !is_there(*uid))
        .map(|(person, uid)| remark::account(&person.name, uid))
        .collect();
    let sources = switch.lines().find_map(|line| line.strip_prefix("passwd:"));
    let elsewhere = sources.unwrap_or_default().split_whitespace();
    let mut elsewhere =
        elsewhere.filter(|source| !source.starts_with('[') && !LOCAL_SOURCES.contains(source));
    match (lost.is_empty(), elsewhere.next()) {
        (false, Some(source)) => Err(remark::accounts_elsewhere(source, listed(&lost))),
        _ => Ok(lost),
    }
}

fn strangers(people: &[Person], group: &str, groups: &str, passwd: &str) -> Measured<Vec<String>> {
    let is_it = |fields: &Vec<&str>| match fields.as_slice() {
        [name, _, gid, ..] => *name == group || *gid == group,
        _ => false,
    };
    let lines = groups.lines().map(|line| line.split(':').collect());
    let Some(found) = lines.into_iter().find(is_it) else {
        return Err(remark::no_group(group));
    };
    let gid: Option<u32> = found.get(2).and_then(|gid| gid.parse().ok());
    let members: Vec<&str> = found
        .get(3)
        .map_or_else(Vec::new, |all| all.split(',').collect());
    let is_known = |uid: u32| people.iter().any(|person| person.uid == Some(uid));
    let strangers = accounts(passwd)
        .filter(|(name, _, own)| members.contains(name) || Some(*own) == gid)
        .filter(|(_, uid, _)| !is_known(*uid) && *uid != labward_os::current_uid());
    Ok(strangers.map(|(name, ..)| name.to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use labward_base::id::PersonId;
    use labward_identity::{Role, Theme};

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nada:x:901:901::/:/bin/sh\n\
                          bob:x:902:950::/:/bin/sh\neve:x:903:903::/:/bin/sh\n";

    fn person(uid: Option<u32>) -> Person {
        Person {
            id: PersonId::new(1),
            name: "Ada".to_owned(),
            roles: Role::It.into(),
            uid,
            login: None,
            language: None,
            theme: Theme::Auto,
            engagement: None,
        }
    }

    #[test]
    fn an_account_is_gone_only_where_the_file_holds_all_of_them() {
        let people = [person(Some(901)), person(Some(4_242)), person(None)];
        let lost = |switch| lost(&people, PASSWD, switch);
        for local in [
            "",
            "passwd: files systemd\n",
            "passwd:\tcompat [NOTFOUND=return]\n",
        ] {
            assert_eq!(
                lost(local),
                Ok(vec![remark::account("Ada", 4_242_u32)]),
                "{local}"
            );
        }
        assert!(
            lost("passwd: files sss\n")
                .unwrap_err()
                .to_string()
                .contains("sss")
        );
        let present = [person(Some(901))];
        assert_eq!(
            super::lost(&present, PASSWD, "passwd: files sss\n"),
            Ok(vec![])
        );
        // This machine's own files can be read.
        assert_eq!(lost_accounts(&[person(Some(0))]), Ok(vec![]));
    }

    #[test]
    fn members_of_the_group_who_are_nobody_of_the_lab_are_named() {
        let groups = "root:x:0:\nlab:x:950:ada,eve\n";
        let people = [person(Some(901))];
        for group in ["lab", "950"] {
            let found = strangers(&people, group, groups, PASSWD).unwrap();
            assert_eq!(
                found,
                ["bob", "eve"],
                "{group}: by its line, or as their own group"
            );
        }
        assert!(strangers(&people, "none", groups, PASSWD).is_err());
        assert_eq!(group_strangers(&people, None), Ok(vec![]));
    }
}

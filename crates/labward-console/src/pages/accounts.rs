//! Accounts at the identity provider, as the page of the people shows them.

use labward_api::account::LinkedAccount;
use labward_api::peer::Person;

/// Which account at the provider is whose.
pub struct Accounts {
    /// What the lab calls the provider.
    pub provider: String,
    /// All of them, in the order of the people.
    pub all: Vec<LinkedAccount>,
}

impl Accounts {
    /// Who has none yet.
    pub(super) fn without<'a>(&self, people: &'a [Person]) -> Vec<&'a Person> {
        let has = |person: &Person| self.all.iter().any(|one| one.person == person.id);
        people.iter().filter(|person| !has(person)).collect()
    }
}

//! The people of the lab who may use Labward, known by their account of the operating system or by
//! the login with which they sign in.
//!
//! It must never guess: an account that is bound to nobody is nobody. Unique user identification
//! is 45 CFR 164.312(a)(2)(i).

use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use labward_base::Timestamp;
use labward_base::id::{PersonId, SiteId};
use labward_ledger::Actor;
use labward_store::Store;

use crate::engagement::{self, Engagement};
use crate::role::names;
use crate::{IdentityError, Permission, Role, Roles, store};

const MAX_NAME_CHARS: usize = 100;
const LOGIN_CHARS: RangeInclusive<usize> = 3..=64;

names! {
    /// A language of the console.
    Language {
        /// English.
        En = "en",
        /// Spanish.
        Es = "es",
    }
}

names! {
    /// How the console looks.
    Theme {
        /// As the person's device asks.
        Auto = "auto",
        /// Dark on light.
        Light = "light",
        /// Light on dark.
        Dark = "dark",
    }
}

/// What a person prefers at the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preferences {
    /// The language; `None` is as their browser asks.
    pub language: Option<Language>,
    /// The theme.
    pub theme: Theme,
}

/// A person of the lab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Their number.
    pub id: PersonId,
    /// What the lab calls them.
    pub name: String,
    /// What they are in the lab.
    pub roles: Roles,
    /// Their account of the operating system.
    pub uid: Option<u32>,
    /// What they sign in as at the console, once they have accepted an invitation.
    pub login: Option<String>,
    /// The language of their pages; `None` is as their browser asks.
    pub language: Option<Language>,
    /// How their pages look.
    pub theme: Theme,
    /// What they were engaged for, if they are an outside expert; without one that role permits
    /// nothing.
    pub engagement: Option<Engagement>,
}

/// A person to be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPerson {
    /// What the lab calls them, 1 to 100 characters.
    pub name: String,
    /// What they are in the lab.
    pub roles: Roles,
    /// Their account of the operating system.
    pub uid: Option<u32>,
}

/// All people; clones share them.
#[derive(Clone)]
pub struct People(Arc<Shared>);

struct Shared {
    store: Store,
    site: SiteId,
    all: RwLock<Vec<(Person, bool)>>,
    /// Whose engagement's end was recorded.
    over: Mutex<Vec<PersonId>>,
    changing: Mutex<()>,
}

impl Person {
    /// Whether any of their roles permits it, the expert's within their engagement at the moment of
    /// [`Person::at`].
    pub fn permits(&self, permission: Permission) -> bool {
        engagement::permits(self.roles, self.engagement.as_ref(), permission)
    }
}

impl People {
    /// Reads all people.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Store`].
    pub fn load(store: Store, site: SiteId) -> Result<Self, IdentityError> {
        let mut all = store.read(|snapshot| store::read_people(snapshot))?;
        let engagements = store.read(|snapshot| store::engagement::read(snapshot))?;
        let over = engagements.iter().filter(|(.., ended)| *ended);
        let over = over.map(|(person, ..)| *person).collect();
        for (id, engagement, _) in engagements {
            let theirs = |(person, _): &&mut (Person, bool)| person.id == id;
            if let Some((person, _)) = all.iter_mut().find(theirs) {
                person.engagement = Some(engagement);
            }
        }
        Ok(Self(Arc::new(Shared {
            store,
            site,
            all: RwLock::new(all),
            over: Mutex::new(over),
            changing: Mutex::new(()),
        })))
    }

    /// The person that this account of the operating system is bound to.
    pub fn by_uid(&self, uid: u32) -> Option<Person> {
        self.find(|person, removed| !removed && person.uid == Some(uid))
    }

    /// The person with this number, unless removed.
    pub fn by_id(&self, id: PersonId) -> Option<Person> {
        let all = self.0.all.read().unwrap_or_else(PoisonError::into_inner);
        // Asked at every request of a session; rows stand in the order of their numbers.
        let place = all.binary_search_by_key(&id, |(person, _)| person.id);
        let (person, removed) = all.get(place.ok()?)?;
        (!removed).then(|| person.clone())
    }

    /// The person who signs in as this, unless removed.
    pub fn by_login(&self, login: &str) -> Option<Person> {
        self.find(|person, removed| !removed && person.login.as_deref() == Some(login))
    }

    /// The name of whoever has or had this number, to show beside an old entry.
    pub fn name_of(&self, id: PersonId) -> Option<String> {
        self.find(|person, _| person.id == id)
            .map(|person| person.name)
    }

    /// All people who were not removed, in the order of their numbers.
    pub fn list(&self) -> Vec<Person> {
        let all = self.0.all.read().unwrap_or_else(PoisonError::into_inner);
        let present = all.iter().filter(|(_, removed)| !removed);
        present.map(|(person, _)| person.clone()).collect()
    }

    /// Adds a person who is no outside expert, with its entry.
    ///
    /// # Errors
    ///
    /// As [`Self::add_engaged`].
    pub fn add(&self, new: NewPerson, actor: Actor) -> Result<Person, IdentityError> {
        self.add_engaged(new, None, actor)
    }

    /// Adds a person, an outside expert with what they are engaged for, with its entries.
    ///
    /// # Errors
    ///
    /// [`IdentityError::NotAName`], [`IdentityError::PersonExists`] if the account is bound,
    /// [`IdentityError::BadEngagement`] if an expert has none or somebody else has one,
    /// [`IdentityError::Store`].
    pub fn add_engaged(
        &self,
        new: NewPerson,
        engagement: Option<Engagement>,
        actor: Actor,
    ) -> Result<Person, IdentityError> {
        check_person_name(&new.name)?;
        check_engagement(new.roles, engagement.is_some())?;
        let site = self.0.site;
        let _order = self
            .0
            .changing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let person = self.0.store.write(move |tx| {
            let mut person = Person {
                id: PersonId::new(0),
                name: new.name.clone(),
                roles: new.roles,
                uid: new.uid,
                login: None,
                language: None,
                theme: Theme::Auto,
                engagement: engagement.clone(),
            };
            store::add_person(tx, site, &mut person, actor)?;
            if let Some(engagement) = &engagement {
                store::engagement::set(tx, site, person.id, engagement, actor)?;
            }
            Ok::<_, IdentityError>(person)
        })?;
        let mut all = self.0.all.write().unwrap_or_else(PoisonError::into_inner);
        all.push((person.clone(), false));
        Ok(person)
    }

    /// Sets what a person prefers, with its entry; nothing if it is so already.
    ///
    /// # Errors
    ///
    /// [`IdentityError::NoPerson`], [`IdentityError::Store`].
    pub fn set_preferences(
        &self,
        id: PersonId,
        preferences: Preferences,
        actor: Actor,
    ) -> Result<Person, IdentityError> {
        let site = self.0.site;
        let _order = self
            .0
            .changing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut person = self.by_id(id).ok_or(IdentityError::NoPerson(id))?;
        let Preferences { language, theme } = preferences;
        if (person.language, person.theme) == (language, theme) {
            return Ok(person);
        }
        self.0
            .store
            .write(move |tx| store::set_preferences(tx, site, id, preferences, actor))?;
        (person.language, person.theme) = (language, theme);
        self.put(&person);
        Ok(person)
    }

    /// Gives a person these roles in place of those they had, with its entry; nothing if they have them.
    /// What their sessions and tokens may do changes with it. Who becomes an outside expert by the groups
    /// of the identity provider sees nothing before they are engaged.
    ///
    /// # Errors
    ///
    /// [`IdentityError::NoPerson`], [`IdentityError::LastAdministrator`] if nobody could change people
    /// any more, [`IdentityError::BadEngagement`] if somebody makes an expert of who has no engagement;
    /// [`IdentityError::Store`].
    pub fn set_roles(
        &self,
        id: PersonId,
        roles: Roles,
        actor: Actor,
    ) -> Result<Person, IdentityError> {
        let site = self.0.site;
        let _order = self
            .0
            .changing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut person = self.by_id(id).ok_or(IdentityError::NoPerson(id))?;
        let before = person.roles;
        if before == roles {
            return Ok(person);
        }
        if actor != Actor::System && roles.contains(Role::Expert) {
            check_engagement(roles, person.engagement.is_some())?;
        }
        let loses =
            before.permits(Permission::PersonChange) && !roles.permits(Permission::PersonChange);
        if loses && !self.others_may_change_people(id) {
            return Err(IdentityError::LastAdministrator(id));
        }
        self.0
            .store
            .write(move |tx| store::set_roles(tx, site, id, [before, roles], actor))?;
        person.roles = roles;
        self.put(&person);
        Ok(person)
    }

    fn others_may_change_people(&self, id: PersonId) -> bool {
        let others = self.list().into_iter().filter(|other| other.id != id);
        others
            .into_iter()
            .any(|other| other.permits(Permission::PersonChange))
    }

    /// Changes what an expert is engaged for, with its entry; it holds for their next request.
    ///
    /// # Errors
    ///
    /// [`IdentityError::NoPerson`], [`IdentityError::BadEngagement`] also for who is no expert,
    /// [`IdentityError::Store`].
    pub fn engage(
        &self,
        id: PersonId,
        engagement: Engagement,
        actor: Actor,
    ) -> Result<Person, IdentityError> {
        let site = self.0.site;
        let _order = self
            .0
            .changing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut person = self.by_id(id).ok_or(IdentityError::NoPerson(id))?;
        check_engagement(person.roles, true)?;
        let set = engagement.clone();
        self.0
            .store
            .write(move |tx| store::engagement::set(tx, site, id, &set, actor))?;
        person.engagement = Some(engagement);
        self.put(&person);
        self.over().retain(|one| *one != id);
        Ok(person)
    }

    /// Records each engagement that is over at `now` and whose end was not recorded yet, one change
    /// of people at a time; how many. `end_as` is given the person, whether they are nothing else
    /// here, and what writes it.
    pub(crate) fn end_over(
        &self,
        now: Timestamp,
        end_as: impl Fn(
            PersonId,
            bool,
            &dyn Fn() -> Result<(), IdentityError>,
        ) -> Result<(), IdentityError>,
    ) -> Result<usize, IdentityError> {
        let _order = self
            .0
            .changing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let known = self.over().clone();
        let over = |person: &Person| {
            let engagement = person.engagement.as_ref();
            engagement.is_some_and(|one| !one.holds(now)) && !known.contains(&person.id)
        };
        let over: Vec<Person> = self.list().into_iter().filter(over).collect();
        let count = over.len();
        for person in over {
            let (site, id) = (self.0.site, person.id);
            let is_all = person.at(now).is_none();
            end_as(id, is_all, &|| {
                self.0
                    .store
                    .write(move |tx| store::engagement::end(tx, site, id, is_all))
            })?;
            self.over().push(id);
        }
        Ok(count)
    }

    fn over(&self) -> MutexGuard<'_, Vec<PersonId>> {
        self.0.over.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a unit that gives a person this login, one change of people at a time, and knows it then.
    pub(crate) fn write_login<T>(
        &self,
        id: PersonId,
        login: &str,
        unit: impl FnOnce() -> Result<T, IdentityError>,
    ) -> Result<(T, Person), IdentityError> {
        let _order = self
            .0
            .changing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut person = self.by_id(id).ok_or(IdentityError::NoPerson(id))?;
        let done = unit()?;
        person.login = Some(login.to_owned());
        self.put(&person);
        Ok((done, person))
    }

    /// Removes a person, with its entry, and everything they could sign in with; their sessions end
    /// with it. The number is never given to another.
    ///
    /// # Errors
    ///
    /// [`IdentityError::NoPerson`], [`IdentityError::LastAdministrator`] if nobody else could
    /// change people, [`IdentityError::Store`].
    pub fn remove(&self, id: PersonId, actor: Actor) -> Result<(), IdentityError> {
        let site = self.0.site;
        let _order = self
            .0
            .changing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let person = self.by_id(id).ok_or(IdentityError::NoPerson(id))?;
        if person.permits(Permission::PersonChange) && !self.others_may_change_people(id) {
            return Err(IdentityError::LastAdministrator(id));
        }
        self.0
            .store
            .write(move |tx| store::remove_person(tx, site, &person, actor))?;
        let mut all = self.0.all.write().unwrap_or_else(PoisonError::into_inner);
        for (person, removed) in all.iter_mut().filter(|(person, _)| person.id == id) {
            person.uid = None;
            person.login = None;
            *removed = true;
        }
        Ok(())
    }

    fn put(&self, person: &Person) {
        let mut all = self.0.all.write().unwrap_or_else(PoisonError::into_inner);
        for (known, _) in all.iter_mut().filter(|(known, _)| known.id == person.id) {
            known.clone_from(person);
        }
    }

    fn find(&self, fits: impl Fn(&Person, bool) -> bool) -> Option<Person> {
        let all = self.0.all.read().unwrap_or_else(PoisonError::into_inner);
        let found = all.iter().find(|(person, removed)| fits(person, *removed));
        found.map(|(person, _)| person.clone())
    }
}

/// Whether `name` may be what a person is called: 1 to 100 characters, none before or behind it a space.
///
/// # Errors
///
/// [`IdentityError::NotAName`].
pub fn check_person_name(name: &str) -> Result<(), IdentityError> {
    let fits = name.trim() == name
        && (1..=MAX_NAME_CHARS).contains(&name.chars().count())
        && !name.chars().any(char::is_control);
    if fits {
        return Ok(());
    }
    Err(IdentityError::NotAName { what: "name" })
}

/// Refuses an expert without an engagement, and anybody else with one.
fn check_engagement(roles: Roles, is_engaged: bool) -> Result<(), IdentityError> {
    let what = match (roles.contains(Role::Expert), is_engaged) {
        (true, true) | (false, false) => return Ok(()),
        (true, false) => "an outside expert needs one: a period, topics and an end",
        (false, true) => "only an outside expert has one",
    };
    Err(IdentityError::BadEngagement { what })
}

/// Whether `login` may be one: 3 to 64 of lower-case letters, digits, `.`, `_`, `-` and `@`.
///
/// # Errors
///
/// [`IdentityError::NotAName`].
pub fn check_login(login: &str) -> Result<(), IdentityError> {
    let fits = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || b"._-@".contains(&c);
    if LOGIN_CHARS.contains(&login.len()) && login.bytes().all(fits) {
        return Ok(());
    }
    Err(IdentityError::NotAName { what: "login" })
}

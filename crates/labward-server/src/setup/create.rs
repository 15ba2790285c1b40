//! Makes everything that an installation consists of, in an order in which nothing is half made
//! and believed whole.
//!
//! It must never write a private key in clear: the authority's, the server's and the ledger's are
//! sealed under the root key in the unit that records the installation.

use std::sync::Arc;

use labward_base::id::SlotId;
use labward_base::{Clock, Secret, hex, remark};
use labward_identity::{Authority, Identification, NewPerson, Origin, People};
use labward_keys::{AddedSlot, Keys, KeysError, NewSlot, SlotOpener, SlotTest};
use labward_ledger::{Action, Actor, Facts, LedgerJournal, NewEntry, Publisher, Subject, append};
use labward_os::{create_durably, hostname, set_aside};
use labward_seal::sign::SigningKey;
use labward_store::{Options, Store};

use super::place::Place;
use super::{Report, SetupError, ShareSheet, Wanted};
use crate::app::SERVER_DAYS;
use crate::config::Config;
use crate::folder::{AUTHORITY_KEY, LEDGER_KEY, NODE, SERVER_KEY, SITE};
use crate::migrations::migrations;

/// An installation that lacks only its name.
pub(super) struct Created {
    store: Store,
    keys: Keys,
    added: Vec<AddedSlot>,
    ledger: SigningKey,
    config: Config,
    ledger_key: String,
    authority_sha256: String,
}

/// What peers and auditors check us by.
struct Identity {
    authority_sha256: [u8; 32],
    authority_key: Secret<Vec<u8>>,
    server_key: Secret<String>,
}

/// Makes folder, reserve, database, keys, first person, authority and ledger key.
pub(super) fn create(
    place: &Place,
    wanted: &Wanted,
    clock: &Arc<dyn Clock>,
) -> Result<Created, SetupError> {
    let text = Config::example(&wanted.site.name, &wanted.site.names, wanted.console);
    let config =
        Config::parse(&text).map_err(|error| SetupError::bad(remark::technical(error.detail())))?;
    place.begin(&text)?;
    // Before anything else: a disk without this room is refused while nothing is there yet.
    let reserve_bytes = u64::from(wanted.reserve_mib) * 1024 * 1024;
    set_aside(&place.data.reserve(), reserve_bytes)?;
    let journal = LedgerJournal::new(NODE, Arc::clone(clock));
    let options = Options::new(place.data.database());
    let store = Store::open(options, &migrations(), Box::new(journal))?;
    let keys = Keys::load(store.clone(), SITE, place.data.root(), Arc::clone(clock))?;
    let added = keys.create(&wanted.slots, Actor::System)?;
    add_administrator(&store, wanted, &config, clock)?;
    let identity = make_identity(place, wanted, clock)?;
    let ledger = SigningKey::generate()?;
    let publisher = Publisher::new(place.data.ledger(), NODE, config.ledger_origin());
    let ledger_key = publisher.verifier(&ledger)?.to_string();
    let public = format!("{ledger_key}\n");
    create_durably(&place.data.ledger_public_key(), public.as_bytes(), 0o600)?;
    let facts = Facts::new()
        .text("version", env!("CARGO_PKG_VERSION"))
        .text("ledger_key", ledger_key.as_str())
        .hex("authority_sha256", &identity.authority_sha256)
        .number("reserve_bytes", reserve_bytes)
        .texts("slots", keys.slots().iter().map(|slot| slot.kind.name()));
    keep_secrets(&store, &keys, &identity, &ledger, facts)?;
    prove_key_files(&keys, &added, &wanted.slots)?;
    Ok(Created {
        store,
        keys,
        added,
        ledger,
        config,
        ledger_key,
        authority_sha256: hex::encode(&identity.authority_sha256),
    })
}

impl Created {
    /// The recovery shares of each slot that has some.
    pub(super) fn sheets(&mut self, wanted: &[NewSlot]) -> Vec<ShareSheet> {
        let mut sheets = Vec::new();
        for (added, new) in self.added.iter_mut().zip(wanted) {
            if let NewSlot::Shares {
                label, threshold, ..
            } = new
            {
                sheets.push(ShareSheet {
                    slot: added.id,
                    label: label.clone(),
                    threshold: *threshold,
                    shares: std::mem::take(&mut added.shares),
                });
            }
        }
        sheets
    }

    /// Shows that these shares open their slot, with an entry.
    pub(super) fn prove_shares(
        &self,
        slot: SlotId,
        shares: Vec<Secret<String>>,
    ) -> Result<(), SetupError> {
        prove(&self.keys, slot, &SlotOpener::Shares(shares))
    }

    /// Closes what is to be cleared.
    pub(super) fn abandon(self) -> Result<(), SetupError> {
        Ok(self.store.close()?)
    }

    /// Signs the first checkpoint, closes the database and makes the installation exist.
    pub(super) fn finish(self, place: &Place) -> Result<Report, SetupError> {
        let publisher = Publisher::new(place.data.ledger(), NODE, self.config.ledger_origin());
        publisher.publish(&self.store, &self.ledger)?;
        let places = self.keys.whereabouts();
        let beside = places
            .iter()
            .filter(|place| place.same_device == Some(true));
        let report = Report {
            config: place.data.config(),
            ledger_key: self.ledger_key,
            authority_sha256: self.authority_sha256,
            slots: self
                .keys
                .slots()
                .into_iter()
                .map(|slot| (slot.id, slot.kind, slot.label))
                .collect(),
            beside_data: beside.map(|place| place.slot).collect(),
        };
        self.store.close()?;
        place.finish()?;
        Ok(report)
    }
}

fn add_administrator(
    store: &Store,
    wanted: &Wanted,
    config: &Config,
    clock: &Arc<dyn Clock>,
) -> Result<(), SetupError> {
    let Some(person) = &wanted.administrator else {
        return Err(SetupError::bad(remark::answer_no_administrator()));
    };
    let new = NewPerson {
        name: person.name.clone(),
        roles: person.roles,
        uid: Some(person.uid),
    };
    let people = People::load(store.clone(), SITE)?;
    let person = people.add(new, Actor::System)?;
    if let Some(sign_in) = &wanted.sign_in {
        sign_in.keep(store, &people, &person, config, clock.now())?;
    }
    Ok(())
}

/// Makes the authority and the server's certificate; the certificates go to `tls`, the keys to the
/// caller.
fn make_identity(
    place: &Place,
    wanted: &Wanted,
    clock: &Arc<dyn Clock>,
) -> Result<Identity, SetupError> {
    let now = clock.now();
    let made = Authority::create(&wanted.site.name, now)?;
    let authority = made.authority;
    let names = server_names(&wanted.site.names);
    let server = authority.issue_server(&names, now, SERVER_DAYS)?;
    let certificates = [
        (
            place.data.authority_certificate(),
            authority.certificate_pem(),
        ),
        (
            place.data.server_certificate(),
            server.bundle.cert_pem.as_str(),
        ),
    ];
    for (path, pem) in certificates {
        create_durably(&path, pem.as_bytes(), 0o600)?;
    }
    let facts = Identification::from_der(authority.certificate(), Origin::OwnCa)?;
    Ok(Identity {
        authority_sha256: facts.spki_sha256,
        authority_key: made.key,
        server_key: server.bundle.key_pem,
    })
}

/// The names of the server's certificate: those that are configured, else this machine's name and
/// the names of loopback.
pub(crate) fn server_names(configured: &[String]) -> Vec<String> {
    if !configured.is_empty() {
        return configured.to_vec();
    }
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let host = hostname();
    let fits = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
    if !host.is_empty() && host.len() <= 63 && host.chars().all(fits) && host != "localhost" {
        names.insert(0, host);
    }
    names
}

/// Seals the private keys, and records the installation in the same unit.
fn keep_secrets(
    store: &Store,
    keys: &Keys,
    identity: &Identity,
    ledger: &SigningKey,
    facts: Facts,
) -> Result<(), SetupError> {
    let keys = keys.clone();
    let authority_key = identity.authority_key.clone();
    let server_key = identity.server_key.clone();
    let seed = ledger.seed().clone();
    store.write(move |tx| {
        keys.put_secret(tx, AUTHORITY_KEY, authority_key.expose())?;
        keys.put_secret(tx, SERVER_KEY, server_key.expose().as_bytes())?;
        keys.put_secret(tx, LEDGER_KEY, seed.expose())?;
        let action = Action::InstallationInitialized;
        let entry = NewEntry::new(SITE, Actor::System, action, Subject::Installation);
        append(tx, &entry.facts(facts.clone()))?;
        Ok::<_, KeysError>(())
    })?;
    Ok(())
}

/// Reads every key file back from where it was written, with an entry.
fn prove_key_files(keys: &Keys, added: &[AddedSlot], new: &[NewSlot]) -> Result<(), SetupError> {
    for (added, new) in added.iter().zip(new) {
        if let NewSlot::KeyFile { path, .. } = new {
            prove(keys, added.id, &SlotOpener::KeyFile(path.clone()))?;
        }
    }
    Ok(())
}

fn prove(keys: &Keys, slot: SlotId, opener: &SlotOpener) -> Result<(), SetupError> {
    match keys.test_slot(slot, opener, Actor::System)? {
        SlotTest::Opens => Ok(()),
        SlotTest::Refused(error) => Err(error.into()),
    }
}

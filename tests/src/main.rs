//! The real program in a lab's hands, use case by use case.
//!
//! | Module | Holds |
//! |---|---|
//! | `api` | the API over TLS: every endpoint as nobody and in the name of each role |
//! | `backup` | backups, key archives, a lab that comes back |
//! | `bundle` | the outside expert: offline, under another account, any changed byte |
//! | `checks` | an installation that was made wrong for real |
//! | `configuration` | links, routes, destinations and values changed while the lab works, two at once, killed |
//! | `console` | the web console: invited, signed in, at work; and everything that is refused |
//! | `crowd` | thousands that say nothing, one that never stops talking |
//! | `delivery` | a receiver that refuses, is down, comes back; what a person decides |
//! | `devices` | what devices there are: from lists, from traffic, by hand; merged, split, in conflict |
//! | `disk` | a disk that is full or read-only under the real program; break-glass |
//! | `documents` | large documents: in bounded memory, in part, or not at all |
//! | `edge` | an edge cut off, killed, damaged, set back; enrolment; a serial line |
//! | `errors` | what goes wrong: codes, exit codes, what to do |
//! | `expert` | an outside expert: within topics and days, marked, and over |
//! | `filters` | the ledger by who, what, about what, patient, outcome and time |
//! | `first_analyzer` | connected in the console: the form, the file, the wait for its first message |
//! | `flips` | one bit changed in every page, tile, checkpoint and sealed file |
//! | `glass` | emergency access: opened, over, reviewed by somebody else |
//! | `help` | help, man pages, completions |
//! | `imports` | real bundles: found again, and nowhere in clear |
//! | `keys` | slots, sealed start, rotation |
//! | `kill` | `kill -9` under load: stored, delivered, in order |
//! | `listen` | listening on an interface: the same as a capture says, with no right left |
//! | `mail_filter` | mails between a real Postfix and the server: over the socket, over TLS by a token |
//! | `malware` | malware in messages and files: what arrives, what is refused, kills, new rules |
//! | `oidc` | single sign-on: a provider that tells the truth, and one that lies |
//! | `passkey` | passkeys at the console: added, used, switched, removed, refused |
//! | `patients` | all results of a patient, and who looked at them |
//! | `people` | accounts, persons, roles |
//! | `power` | a disk that loses what was not synced, under the rooms assembled by hand |
//! | `reload` | another configuration and other rules while peers are connected |
//! | `safeguards` | the requirements of the law: states that follow what is done, decisions |
//! | `scan` | malware in files: what is found where, what is not looked into, a process that is killed |
//! | `setup` | the first run: from an empty folder to the first sign-in, in a browser or by a file |
//! | `sources` | advisories from other machines over TLS, and files chosen in the browser |
//! | `spanish` | every word of the console in Spanish; what is quoted in English says so |
//! | `strangers` | who is no peer, and what is no message |
//! | `support` | what the tests share: the program, its server, clients and receivers |
//! | `walk` | a lab's day at the command line |
//! | `webhook` | signed events over TLS: in order over a restart, verified by the guide's own example |
//! | `witness` | witnesses: a forked copy is caught, an export verifies with cosignatures |

#![expect(
    clippy::disallowed_methods,
    reason = "these tests start programs, connect to them and wait for them"
)]

#[cfg(test)]
mod api;
#[cfg(test)]
mod backup;
#[cfg(test)]
mod bundle;
#[cfg(test)]
mod checks;
#[cfg(test)]
mod conduits;
#[cfg(test)]
mod configuration;
#[cfg(test)]
mod console;
#[cfg(test)]
mod crowd;
#[cfg(test)]
mod csv;
#[cfg(test)]
mod delivery;
#[cfg(test)]
mod devices;
#[cfg(test)]
mod disclosures;
#[cfg(test)]
mod disk;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod edge;
#[cfg(test)]
mod errors;
#[cfg(test)]
mod expert;
#[cfg(test)]
mod filters;
#[cfg(test)]
mod first_analyzer;
#[cfg(test)]
mod flips;
#[cfg(test)]
mod glass;
#[cfg(test)]
mod help;
#[cfg(test)]
mod idempotency;
#[cfg(test)]
mod imports;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod listen;
#[cfg(test)]
mod mail_filter;
#[cfg(test)]
mod malware;
#[cfg(test)]
mod oidc;
#[cfg(test)]
mod passkey;
#[cfg(test)]
mod patients;
#[cfg(test)]
mod people;
#[cfg(test)]
mod power;
#[cfg(test)]
mod reload;
#[cfg(test)]
mod roles;
#[cfg(test)]
mod safeguards;
#[cfg(test)]
mod scan;
#[cfg(test)]
mod setup;
#[cfg(test)]
mod sources;
#[cfg(test)]
mod spanish;
#[cfg(test)]
mod strangers;
#[cfg(test)]
mod support;
#[cfg(test)]
mod threats;
#[cfg(test)]
mod walk;
#[cfg(test)]
mod webhook;
#[cfg(test)]
mod witness;

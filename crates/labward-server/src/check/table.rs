//! The table of checks: one line each, with the function that finds it.
//!
//! A code once published keeps its meaning.

use super::{CheckInput, Found, Harm, edges, keys, lines, machine, work};

/// One check.
pub(super) struct Item {
    pub(super) code: &'static str,
    pub(super) harm: Harm,
    /// What is wrong, in a sentence without a full stop; places follow it.
    pub(super) what: &'static str,
    /// What to do about it, in a sentence without a full stop.
    pub(super) todo: &'static str,
    pub(super) find: fn(&CheckInput) -> Found,
}

macro_rules! checks {
    ($($code:literal, $harm:ident, $find:path, $what:literal, $todo:literal;)+) => {
        /// Every check, in the order of the reference.
        pub(super) const CHECKS: &[Item] = &[$(Item {
            code: $code,
            harm: Harm::$harm,
            what: $what,
            todo: $todo,
            find: $find,
        }),+];
    };
}

checks! {
    // Keys.
    "check.one-slot", High, keys::one_slot,
        "there is only one slot, and without it nothing could ever be read again",
        "add another one with labward key add, best recovery shares on paper";
    "check.key-beside-data", High, keys::beside_data,
        "a key file lies on the data's own file system, so who takes the disk has both",
        "add a key file on another volume, then remove this slot";
    "check.key-file-readable", High, keys::readable,
        "a key file can be read by other accounts",
        "chmod 600 it, then rotate the root key with labward key rotate";
    "check.key-file-missing", Medium, keys::missing,
        "a key file cannot be seen where its slot says",
        "mount its volume; a restart finds the server sealed otherwise";
    "check.slot-never-tested", Medium, keys::never_tested,
        "nobody knows whether a slot opens, since it was never tested",
        "test it with labward key test";
    "check.slot-not-tested-lately", Low, keys::not_tested_lately,
        "a slot was not tested for 90 days",
        "test it with labward key test";
    "check.no-recovery-shares", Medium, keys::no_shares,
        "there are no recovery shares for the day when the other slots are gone",
        "add them with labward key add --shares 2/3 and give each to another person";
    "check.no-key-file", Low, keys::no_key_file,
        "no slot lets the server start without a person, so a restart leaves it sealed",
        "add a key file on another volume, or make sure that somebody is always at hand";
    "check.root-key-not-locked", Medium, keys::not_locked,
        "the open root key lies in memory that may be swapped to disk",
        "give the server's account more locked memory (LimitMEMLOCK in systemd, ulimit -l)";
    // Lines.
    "check.plain-exception-ended", High, lines::exception_ended,
        "an exception for an unencrypted line has ended",
        "encrypt the line, or record a new decision with an owner and an end";
    "check.plain-link", Medium, lines::plain_links,
        "a link off this machine is unencrypted",
        "use mutual TLS, or put an edge beside the device and listen on loopback";
    "check.plain-destination", Medium, lines::plain_destinations,
        "messages leave this machine unencrypted",
        "use mutual TLS; ask the receiver for it";
    "check.plain-loopback", Low, lines::plain_loopback,
        "a line within this machine is unencrypted, so every account of it can listen in",
        "let nobody else log in to this machine, or use mutual TLS here too";
    "check.open-address", Low, lines::open_address,
        "a link listens on every address of this machine",
        "name the address of the lab's network in listen";
    "check.certificate-ended", High, lines::certificate_ended,
        "a certificate has ended, so its holder cannot connect",
        "renew a peer's with labward peer renew, and bring the bundle to its holder";
    "check.certificate-ends-this-week", High, lines::certificate_ends_this_week,
        "a certificate ends within 7 days",
        "renew a peer's now with labward peer renew, and bring the bundle to its holder";
    "check.certificate-ends-this-month", Medium, lines::certificate_ends_this_month,
        "a certificate ends within 30 days",
        "renew a peer's with labward peer renew, and bring the bundle to its holder";
    "check.no-peers", Low, lines::no_peers,
        "no peer is known, so nothing can be received over mutual TLS",
        "add the first one with labward peer add";
    "check.peer-admits-all", Medium, lines::admits_all,
        "a peer may send under any name or of any type",
        "list what it really sends: labward peer list shows the rules";
    // Edges.
    "check.edge-refused", High, edges::refused,
        "an edge is refused, since its ledger does not continue what was seen of it",
        "keep its folder, call the outside expert, then enrol it again with labward peer enroll";
    "check.edge-damaged-items", High, edges::damaged,
        "results were damaged in the queue of an edge and are lost",
        "have the device send them again; labward ledger list shows edge.item-lost with device and time";
    "check.edge-away", Medium, edges::away,
        "an edge was not heard of for 10 minutes, so its results wait there",
        "look at its network and power; labward edge status on it says why";
    "check.edge-waiting", Medium, edges::waiting,
        "results wait at an edge for more than 10 minutes although it is connected",
        "see its log and the disk of this server";
    // Messages and evidence.
    "check.held-too-long", High, work::held_too_long,
        "messages wait for a person for more than 90 days",
        "decide about them with labward message list --state held";
    "check.held-a-week", Medium, work::held_a_week,
        "messages wait for a person for more than 7 days",
        "decide about them with labward message list --state held";
    "check.dead-letters", High, work::dead_letters,
        "messages could not be delivered and were given up",
        "find the cause, then send them again with labward message resend";
    "check.destination-stopped", High, work::stopped,
        "delivery to a destination is stopped",
        "see why in labward destination list, then labward destination resume";
    "check.destination-down", Medium, work::down,
        "a destination does not answer, so its messages wait",
        "see why in labward destination list; nothing is lost meanwhile";
    "check.ledger-not-verified", Medium, work::not_verified,
        "the ledger was not verified for 30 days",
        "run labward ledger verify";
    "check.ledger-not-exported", Medium, work::not_exported,
        "the ledger was not exported for 30 days, so nobody outside could show a change",
        "run labward ledger export and give the bundle to somebody else";
    "check.clock-jumped", Medium, work::clock_jumped,
        "the clock of this machine jumped within the last 7 days",
        "set up time synchronization (chrony, systemd-timesyncd)";
    "check.no-witness", Low, work::no_witness,
        "no witness cosigns the checkpoints, so a second history could be hidden from outsiders",
        "keep checkpoints with somebody else: each export holds one";
    "check.one-administrator", Low, work::one_administrator,
        "only one person may change people, peers and keys",
        "add a second one with labward person add";
    "check.retention-below-floor", High, work::retention,
        "records are retained for less time than the law asks for",
        "lengthen [retention] in labward.toml";
    // The machine.
    "check.data-in-memory", High, machine::in_memory,
        "the data folder lies in memory and is gone after a restart",
        "put it on a disk";
    "check.data-readable", High, machine::open_to_others,
        "files of the installation can be reached by other accounts",
        "chmod go-rwx them; the data folder is its owner's alone";
    "check.disk-full", High, machine::disk_full,
        "the data's disk is nearly full: less than 5 % or 1 GiB is free",
        "make room now; without it nothing more is accepted";
    "check.disk-low", Medium, machine::disk_low,
        "less than 15 % of the data's disk is free",
        "plan for more room";
    "check.core-dumps", Medium, machine::core_dumps,
        "a crash may write keys and records to disk",
        "start the server with labward serve, or set LimitCORE=0";
    "check.swap", Medium, machine::swap,
        "swap is in use, so records in memory may reach a disk in clear",
        "turn swap off, or encrypt it with a key that is lost at shutdown";
    "check.runs-as-root", Medium, machine::root,
        "the server runs as root",
        "run it under an account of its own";
}

/// `docs/ref/checks.md`: every check.
pub fn reference() -> String {
    let mut page = String::from(
        "# Checks\n\nWhat `labward check` looks at, and what to do. What could not be measured is \
         never taken for good: it is listed under `check.unmeasured`. This page is generated from \
         the program.\n\n| Code | Harm | What is wrong | What to do |\n|---|---|---|---|\n",
    );
    for item in CHECKS {
        page.push_str(&format!(
            "| `{}` | {} | {} | {} |\n",
            item.code,
            item.harm.name(),
            item.what,
            item.todo
        ));
    }
    page
}

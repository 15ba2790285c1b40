//! The table of checks: one line each, with the function that finds it.
//!
//! A code once published keeps its meaning.

use labward_api::status::CheckFinding;

use super::{
    CheckInput, Found, Harm, backups, edges, keys, lines, machine, mail, malware, people, threats,
    webhook, witness, work,
};

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
    "check.shares-never-tested", High, keys::shares_never_tested,
        "nobody knows whether the recovery shares open their slot, since they were never tested",
        "collect enough of them and test them with labward key test";
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
    "check.secret-damaged", High, keys::damaged_secrets,
        "one of Labward's own secrets in the database has changed and no longer opens",
        "restore the newest sound backup before the secret is needed, and find out what damaged the disk";
    "check.memory-lock-limit", Medium, machine::memory_lock,
        "the server may lock so little memory that keys could be swapped to disk",
        "give the server's account more locked memory (LimitMEMLOCK in systemd, ulimit -l)";
    // Lines.
    "check.plain-exception-ended", High, lines::exception_ended,
        "an exception for an unencrypted line has ended",
        "encrypt the line, or record a new decision with an owner and an end";
    "check.plain-exception-ends-soon", Medium, lines::exception_ends_soon,
        "an exception for an unencrypted line ends within 30 days, and the line with it",
        "encrypt the line until then, or record a new decision with an owner and an end";
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
    "check.authority-ends", Medium, lines::authority_ends,
        "the built-in authority ends within two years, and with it every certificate that it issued",
        "plan new certificates for every peer before that day";
    "check.receiver-certificate-ends", High, lines::receiver_ends,
        "the certificate of a receiver ends within 30 days or has ended, and then nothing goes there",
        "ask whoever runs the receiver for a new one";
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
    "check.edge-certificate-ended", High, edges::certificate_ended,
        "the certificate of an edge has ended, so it is not let in and its results wait there",
        "make a code with labward peer enroll under the same name, and enrol the edge again in the same folder";
    "check.edge-certificate-not-renewed", High, edges::not_renewed,
        "an edge has not renewed its certificate, of whose life less than a quarter is left",
        "connect it: labward edge status on it says what is in the way; once it has ended it enrols again with labward peer enroll";
    // Messages and evidence.
    "check.ledger-unwritable", High, work::ledger_unwritable,
        "the ledger cannot be written, so nothing is accepted and no act is done",
        "make room on the disk or put it right; for a patient who cannot wait use labward record show --break-glass";
    "check.reserve-unusable", High, work::reserve_unusable,
        "the reserve is missing, full or only promised by the disk, so nobody could read a result while the ledger cannot be written",
        "with room on the disk and the server stopped: move the file reserve of the data folder aside, fallocate -l 64M reserve, chmod 600 it, give it the server's owner";
    "check.break-glass", Medium, work::broken_glass,
        "an emergency access waits for a second person's review",
        "have somebody else than the one who opened it review it: labward break-glass show NUMBER, then labward break-glass review NUMBER";
    "check.break-glass-overdue", High, work::review_overdue,
        "an emergency access was not reviewed in time, so nobody knows whether it was right to read",
        "have somebody else than the one who opened it review it today: labward break-glass list --waiting";
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
    "check.messages-without-destination", High, work::stranded,
        "messages wait for a destination that is not configured",
        "configure it again and reload, or give each of them up with labward message skip";
    "check.backlog-growing", Medium, work::backlog_grows,
        "more messages wait for a destination each time one looks",
        "compare its connections with how fast the receiver answers";
    "check.peer-silent", Medium, work::peer_silent,
        "a peer that sends regularly is silent for far longer than ever before",
        "see whether the device is on and connected: labward status shows its link";
    "check.revoked-peer-connects", Medium, work::revoked_connects,
        "a revoked peer still tries to connect",
        "find the device at this address and take it off the network, or give it a new certificate";
    "check.ledger-not-verified", Medium, work::not_verified,
        "the ledger was not verified for 30 days",
        "run labward ledger verify";
    "check.ledger-not-exported", Medium, work::not_exported,
        "the ledger was not exported for 30 days, so nobody outside could show a change",
        "run labward ledger export and give the bundle to somebody else";
    "check.clock-jumped", Medium, work::clock_jumped,
        "the clock of this machine jumped within the last 7 days",
        "set up time synchronization (chrony, systemd-timesyncd)";
    "check.no-witness", Low, witness::none,
        "no witness cosigns the checkpoints, so a second history could be hidden from outsiders",
        "ask a partner or the outside expert to run labward ledger witness (docs/guide/witness.md)";
    "check.witness-refuses", High, witness::refused,
        "a witness holds another history of this ledger: it was rewound, or somebody runs a copy",
        "keep ledger/evidence of the data folder, run labward ledger verify, and find out which copy is the true one";
    "check.witness-behind", Medium, witness::behind,
        "a witness lacks entries and has cosigned nothing for a day, or never",
        "see why in labward status";
    "check.webhook-stopped", Medium, webhook::stopped,
        "a receiver of events was given up, so it is told nothing any more",
        "see why in labward webhook list, then let it go on with labward webhook resume";
    "check.webhook-failing", Medium, webhook::failing,
        "a receiver of events has taken nothing for a day",
        "see why in labward webhook list; what waits is sent once it answers";
    "check.webhook-no-secret", Low, webhook::no_secret,
        "a receiver of events has no secret yet, so nothing is sent to it",
        "make one with labward webhook secret and give it to the receiver";
    "check.reminders-failing", Medium, mail::failing,
        "reminders by e-mail could not be sent for an hour, so nobody is told what is due",
        "see what failed with labward mail list, put it right, and try it with labward mail test";
    "check.new-destination", High, threats::unexpected,
        "a device talks to somebody, or in a way, that nobody expected",
        "find out why; then approve or refuse it with labward conduit approve or refuse";
    "check.device-unusual", Medium, threats::unusual,
        "a device does on its line what it does not usually do",
        "see it with labward device unusual, find out why, then say whether it is expected";
    "check.integrity-changed", High, threats::integrity,
        "files of a machine are otherwise than in its baseline, and nobody said whether that is as it should be",
        "see what with labward integrity compare, find out why, then say so with labward integrity decide (docs/guide/device-disk.md)";
    "check.malware-open", High, malware::open,
        "malware, or what may be malware, was found and nobody has closed it",
        "see what it is with labward malware show, do what is to be done, then labward malware close";
    "check.malware-off", High, malware::off,
        "nothing that comes in is looked at for malware",
        "set enabled in [malware] of labward.toml, then restart the server";
    "check.malware-failing", High, malware::failing,
        "nothing can be looked at for malware, so everything passes or waits as its link says",
        "see why with labward malware status; what passed is looked at once it works again";
    "check.malware-unscanned-link", Medium, malware::unscanned,
        "messages of a link went on that nobody had looked at, and nobody has since",
        "see with labward malware status what keeps the scanner; they are looked at again by themselves";
    "check.malware-rules-old", Medium, malware::rules_old,
        "malware is looked for by Labward's own rules alone, or by others that are older than 30 days",
        "bring newer ones with labward malware rules import";
    "check.hits-overdue", High, threats::overdue,
        "published vulnerabilities of devices are not treated, and their last day is over",
        "see which with labward hit list --state overdue: patch, hold off, accept until a day or replace";
    "check.hits-due-soon", Low, threats::due_soon,
        "published vulnerabilities of devices must be treated within days",
        "see which with labward hit list --state due";
    "check.system-unsupported", Medium, threats::unsupported,
        "the operating system of a device gets no security updates any more",
        "replace the device or its system, or keep it apart from everything that it need not reach (docs/guide/segmentation.md)";
    "check.no-advisories", Medium, threats::none,
        "there are devices and no advisories, so nobody knows which published vulnerabilities concern them",
        "take advisories over with labward advisory import, or name a source (docs/guide/advisories.md)";
    "check.advisories-stale", Medium, threats::stale,
        "a source of advisories was not looked into for longer than max_age_days",
        "import what is new from it, or see with labward advisory list why it could not be read";
    "check.advisories-refused", Low, threats::refused,
        "a source of advisories, or documents of it, could not be read when it was looked into last",
        "see which and why with labward advisory list; ask the source for good ones";
    "check.ledger-files", High, work::ledger_files,
        "the published tiles do not lead to the signed checkpoint",
        "run labward ledger verify; the tiles are written again from the rows with the next entry";
    "check.checkpoint-behind", Medium, work::checkpoint_behind,
        "no signed checkpoint covers the newest entries",
        "see in the server's log why the ledger could not be published";
    "check.config-not-loaded", Medium, work::config_not_loaded,
        "labward.toml is not the configuration in force",
        "see what a reload would change with labward reload --preview, then reload or put it back";
    "check.provider-silent", Medium, people::provider_silent,
        "the identity provider has not answered for ten minutes, so nobody can sign in with it",
        "see in the log why, and whether it runs; who has a passkey or a password signs in with that";
    "check.nobody-may", High, people::nobody_may,
        "nobody of the lab may do what somebody must be able to",
        "give somebody the role with labward person add";
    "check.expert-without-engagement", Low, people::without_engagement,
        "an outside expert has no engagement, or one that is over, and sees nothing",
        "give them one with labward person engage, or remove them with labward person remove";
    "check.token-ends", Medium, people::token_ends,
        "a token that a program uses ends within 14 days, and then the program is refused",
        "make another one with labward token create, give it to the program, and end this one";
    "check.account-gone", Medium, people::account_gone,
        "the account of a person is there no more, and whoever gets its number next gets its rights",
        "remove the person with labward person remove";
    "check.socket-group-wide", Medium, people::socket_group,
        "accounts that are nobody of the lab may reach the admin socket",
        "take them out of the group that socket_group names";
    "check.one-administrator", Low, people::one_administrator,
        "only one person may change people, peers and keys",
        "add a second one with labward person add";
    "check.retention-below-floor", High, work::retention,
        "records are retained for less time than the law asks for",
        "lengthen [retention] in labward.toml";
    // Backups.
    "check.no-backup", High, backups::none,
        "no backup was ever made, so a broken disk loses everything",
        "make one with labward backup create, on another volume, and then daily";
    "check.backup-old", High, backups::old,
        "the last backup is more than 2 days old",
        "find out why the daily labward backup create did not run";
    "check.backup-beside-data", High, backups::beside_data,
        "the last backup lies on the data's own file system, so one broken disk takes both",
        "back up to another volume, and keep a copy in another building";
    "check.no-key-archive", High, backups::no_archive,
        "there is no key archive, so no backup could ever be read",
        "make one with labward key archive create, apart from the backup, and then daily";
    "check.key-archive-old", Medium, backups::archive_old,
        "the newest key archive is more than 2 days old, so a restore loses newer patients",
        "make one with each backup: labward key archive create";
    "check.key-archive-overdue", High, backups::archive_overdue,
        "a key archive's time is over and nothing says that it is deleted, so disposal is not complete",
        "mount its volume and run labward key archive expire";
    "check.no-drill", Medium, backups::never_drilled,
        "no restore was ever tried, so nobody knows whether or how fast one works",
        "try one with labward backup verify --drill";
    "check.drill-old", Medium, backups::drill_old,
        "no restore was tried for 90 days",
        "try one with labward backup verify --drill";
    "check.restore-not-confirmed", High, backups::unconfirmed,
        "this installation was restored, and delivery waits for a person's confirmation",
        "tell the receivers that what they got since the backup comes again under the same control ids, then labward backup confirm";
    // The machine.
    "check.data-in-memory", High, machine::in_memory,
        "the data folder lies in memory and is gone after a restart",
        "put it on a disk";
    "check.data-on-overlay", High, machine::on_overlay,
        "the data folder lies in a container's own layer and is gone with it",
        "mount a volume for it";
    "check.data-on-network", High, machine::on_network,
        "the data folder lies on a file system over the network, which may lose what it called synced",
        "put it on a disk of this machine";
    "check.sync-too-fast", High, machine::sync_too_fast,
        "the disk says that data is safe sooner than it can be, so a power cut may lose results",
        "turn off the write cache of disk or host that heeds no flush, or use another disk";
    "check.data-readable", High, machine::open_to_others,
        "files of the installation can be reached by other accounts",
        "chmod go-rwx them; the data folder is its owner's alone";
    "check.foreign-owner", High, machine::foreign_owner,
        "another account owns files of the installation",
        "chown them to the server's account";
    "check.disk-full", High, machine::disk_full,
        "the data's disk is nearly full: less than 5 % or 1 GiB is free",
        "make room now; without it nothing more is accepted";
    "check.disk-fills-soon", High, machine::fills_soon,
        "the data's disk will be full within two weeks",
        "make room, or find out what grows";
    "check.inodes-low", High, machine::inodes,
        "the data's file system can hold few more files",
        "remove small files from it, or make a file system with more inodes";
    "check.reserve-missing", Medium, machine::reserve,
        "the room set aside for patient care on a full disk is missing or short",
        "stop the server and make it again: fallocate -l 64M reserve in the data folder";
    "check.disk-low", Medium, machine::disk_low,
        "less than 15 % of the data's disk is free",
        "plan for more room";
    "check.core-dumps", Medium, machine::core_dumps,
        "a crash may write keys and records to disk",
        "start the server with labward serve, or set LimitCORE=0";
    "check.swap", Medium, machine::swap,
        "swap is in use that is not known to be encrypted, so records in memory may reach a disk in clear",
        "turn swap off, or encrypt it with a key that is lost at shutdown";
    "check.clock-not-kept", Medium, machine::clock_not_kept,
        "no time source keeps the clock of this machine, so times in the evidence drift",
        "set up time synchronization (chrony, systemd-timesyncd)";
    "check.sync-slow", Low, machine::sync_slow,
        "the disk takes long to make data safe, so senders wait for their acknowledgement",
        "put the data folder on a faster disk";
    "check.runs-as-root", Medium, machine::root,
        "the server runs as root",
        "run it under an account of its own";
}

/// What a check finds, without places: what is told of a finding that is there no more.
pub(crate) fn standing_text(code: &str) -> Option<CheckFinding> {
    let item = CHECKS.iter().find(|item| item.code == code)?;
    Some(CheckFinding {
        code: item.code.to_owned(),
        harm: item.harm.name().to_owned(),
        what: item.what.to_owned(),
        todo: item.todo.to_owned(),
        places: Vec::new(),
    })
}

/// `docs/ref/checks.md`: every check.
pub fn reference() -> String {
    let mut page = String::from(
        "# Checks\n\nWhat `labward check` looks at, and what to do. What could not be measured is \
         never taken for good: it is listed as not measured, with the reason, and is the finding `check.unmeasured`. This page is generated from \
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

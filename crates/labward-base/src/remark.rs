//! The one table of remarks: short texts with places, such as where a finding is or why something was
//! not measured.
//!
//! A remark travels as its stable code and the values of its places, so that whoever shows it says it
//! in the reader's language; its English text stands here and nowhere else. It must never hold patient
//! data. What another program said (an error of the operating system, of a parser) is never a text of
//! ours: it stands in the place `quote`, which every language shows as it is.

use std::fmt;

/// What stands in a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlaceValue {
    /// A number, by which a noun bends.
    Number(u64),
    /// A name, an address, a path, a day or a time.
    Text(String),
}

/// A kind of remark: a line of the table.
#[derive(Debug, PartialEq, Eq)]
pub struct RemarkKind {
    /// The stable code, in lower case with hyphens.
    pub code: &'static str,
    /// The English text; a place stands in it as `{name}`.
    pub text: &'static str,
    /// The names of its places.
    pub places: &'static [&'static str],
}

/// A text of the table with the values of its places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    kind: &'static RemarkKind,
    values: Vec<PlaceValue>,
    because: Option<Box<Self>>,
}

/// The place that quotes what another program said.
pub const QUOTE: &str = "quote";

macro_rules! remarks {
    ($($(#[$doc:meta])+ $name:ident($($place:ident),*) = $code:literal, $text:literal;)+) => {
        $($(#[$doc])+
        pub fn $name($($place: impl Into<PlaceValue>),*) -> Remark {
            const KIND: &RemarkKind = &RemarkKind {
                code: $code,
                text: $text,
                places: &[$(stringify!($place)),*],
            };
            Remark { kind: KIND, values: vec![$($place.into()),*], because: None }
        })+

        /// Every kind of remark, in the order of the table.
        pub const ALL: &[RemarkKind] = &[$(RemarkKind {
            code: $code,
            text: $text,
            places: &[$(stringify!($place)),*],
        }),+];
    };
}

remarks! {
    // Where something is.
    /// A name, an address or a path alone.
    name(name) = "name", "{name}";
    /// A number alone.
    count(count) = "count", "{count}";
    /// A day alone.
    day(day) = "day", "{day}";
    /// A time alone.
    time(time) = "time", "{time}";
    /// What was left out of a list.
    and_more(count) = "and-more", "and {count} more";
    /// How long the longest of several was open.
    longest_open(hours) = "longest-open", "the longest was open for {hours} h";
    /// How many there are of what has a name.
    counted(name, count) = "counted", "{name} ({count})";
    /// What has an end.
    until(name, day) = "until", "{name} ({day})";
    /// A slot of the root key.
    slot(slot) = "slot", "slot {slot}";
    /// A slot of the root key with its label or its path.
    slot_named(slot, name) = "slot-named", "slot {slot} ({name})";
    /// One of Labward's own secrets.
    secret(name) = "secret", "secret {name}";
    /// A key archive.
    archive(name) = "archive", "archive {name}";
    /// A link.
    link(name) = "link", "link {name}";
    /// A link and its address.
    link_at(name, address) = "link-at", "link {name} ({address})";
    /// A link whose exception ends.
    link_until(name, day) = "link-until", "link {name} ({day})";
    /// A destination.
    destination(name) = "destination", "destination {name}";
    /// A destination whose exception ends.
    destination_until(name, day) = "destination-until", "destination {name} ({day})";
    /// The server's own certificate.
    server_certificate(day) = "server-certificate", "the server's own ({day})";
    /// The authority's certificate.
    authority_certificate(day) = "authority-certificate", "the authority's ({day})";
    /// Messages that wait for a destination.
    waiting(name, count) = "waiting", "{name} ({count} wait)";
    /// A peer that is silent.
    silent(name, time, hours) = "silent", "{name} since {time}, never longer than {hours} h before";
    /// From where a revoked peer connects.
    connects_from(address, time) = "connects-from", "from {address}, last {time}";
    /// When something was done last.
    last(time) = "last", "last {time}";
    /// Entries that no checkpoint covers.
    entries_since(count, time) = "entries-since", "{count} entries since {time}";
    /// Entries that no checkpoint ever covered.
    entries_ever(count) = "entries-ever", "{count} entries since the beginning";
    /// How long results are kept.
    results_kept(years, least) = "results-kept", "results {years} years instead of {least}";
    /// How long pathology is kept.
    pathology_kept(years, least) = "pathology-kept", "pathology {years} years instead of {least}";
    /// An emergency access.
    opening(number, time) = "opening", "{number} of {time}";
    /// Room on a disk.
    mebibytes_free(free, total) = "mebibytes-free", "{free} of {total} MiB are free";
    /// Inodes of a file system.
    inodes_free(free, total) = "inodes-free", "{free} of {total} are free";
    /// The reserve.
    kibibytes_there(there, total) = "kibibytes-there", "{there} of {total} KiB are set aside";
    /// When a disk is full.
    full_in(days) = "full-in", "in {days} days at the present rate";
    /// How much memory may be locked.
    bytes(count) = "bytes", "{count} bytes";
    /// How long a small write takes to be synced.
    sync_time(micros) = "sync-time", "4 KiB in {micros} µs";
    /// A program that takes core dumps.
    core_pattern(pattern) = "core-pattern", "core_pattern is {pattern}";
    /// A file that takes core dumps.
    core_file(pattern) = "core-file", "a file {pattern}";
    /// An account of the operating system that is gone.
    account(name, number) = "account", "{name} (account {number})";
    /// What nobody may do.
    may_decide() = "may-decide", "release or reject held messages";
    /// What nobody may do.
    may_show() = "may-show", "read a record";
    /// What nobody may do.
    may_change_peers() = "may-change-peers", "add and revoke peers";
    /// What nobody may do.
    may_change_keys() = "may-change-keys", "change and test slots";
    /// What nobody may do.
    may_change_config() = "may-change-config", "reload the configuration";
    // Why something was not measured.
    /// Another program's words alone.
    technical(quote) = "technical", "{quote}";
    /// What the operating system said about a file.
    file(path, quote) = "file", "{path}: {quote}";
    /// Nothing is known about it.
    not_known() = "not-known", "it is not known";
    /// The root key is not open.
    sealed() = "sealed", "the root key is sealed";
    /// The file system was not found.
    no_mount() = "no-mount", "no mount holds the data folder";
    /// Accounts may be elsewhere.
    accounts_elsewhere(source, names) = "accounts-elsewhere", "accounts of this machine also come from {source}: {names} not in /etc/passwd";
    /// The group of the socket is not known.
    no_group(name) = "no-group", "there is no group {name} in /etc/group";
    /// A receiver's certificate was not seen.
    no_handshake(names) = "no-handshake", "no handshake yet since the start with {names}";
    /// Acts before this are not known.
    read_back_to(time) = "read-back-to", "the ledger was only read back to {time}";
    /// No trend yet.
    disk_not_measured() = "disk-not-measured", "the disk was not measured yet";
    /// No trend yet.
    disk_watched_briefly() = "disk-watched-briefly", "the server watches the disk for less than an hour";
    /// The state of backups is not known.
    backups_unread() = "backups-unread", "what was done with backups could not be read";
    /// The identity provider was not looked at yet.
    provider_not_asked() = "provider-not-asked", "the identity provider was not asked yet";
    /// The configuration is not from a file.
    not_from_file() = "not-from-file", "the server was not started from a file";
    /// The file of the configuration is not readable.
    config_unread() = "config-unread", "the configuration file cannot be read";
    /// A check of this code is missing.
    no_check(name) = "no-check", "there is no {name}";
    // What stands beside a fact.
    /// No line to judge.
    no_line() = "no-line", "no such line leaves this machine";
    /// No device to judge.
    no_device() = "no-device", "no device is known";
    /// Nobody to judge.
    nobody_signs_in() = "nobody-signs-in", "nobody signs in at the console; how accounts of the operating system do is not seen";
    /// No console to judge.
    console_off() = "console-off", "the console is off; sessions of the operating system are not seen";
    /// No record to judge.
    no_record() = "no-record", "no record is kept yet";
    /// No restore to judge.
    no_restore() = "no-restore", "no restore was tried";
    /// A verification that failed.
    found_faults() = "found-faults", "the last verification found faults";
    /// Nothing is being recorded.
    ledger_unwritable() = "ledger-unwritable", "the ledger cannot be written";
    /// No act to judge.
    no_act() = "no-act", "no such act was met in the ledger lately";
    // Witnesses and the ledger's files.
    /// The tiles lead elsewhere.
    other_root(count) = "other-root", "the checkpoint of {count} entries has another root";
    /// What a witness cosigned.
    witness_cosigned(name, count, time) = "witness-cosigned", "{name}: cosigned {count} entries at {time}";
    /// What a witness cosigned.
    witness_nothing(name) = "witness-nothing", "{name}: has cosigned nothing yet";
    /// A witness could not be asked.
    witness_not_compared(name) = "witness-not-compared", "{name}: not compared";
    /// The status of an answer.
    witness_status(number) = "witness-status", "it answers with status {number}";
    /// A checkpoint of others.
    witness_not_signed() = "witness-not-signed", "its checkpoint is not signed by this ledger and by it";
    /// A witness saw more than there is.
    witness_saw_more(seen, size) = "witness-saw-more", "it has cosigned {seen} entries and this ledger holds {size}: the ledger was rewound, or this is a copy";
    /// A witness saw something else.
    witness_saw_other(size, old) = "witness-saw-other", "this ledger of {size} entries does not go on from the {old} that it has cosigned: there is a second history";
    /// A witness was not told of this ledger.
    witness_knows_no_ledger() = "witness-knows-no-ledger", "it does not know this ledger: labward ledger witness add-log there";
    /// A witness was told another key.
    witness_trusts_no_key() = "witness-trusts-no-key", "it does not trust this ledger's key";
    /// A witness contradicts itself.
    witness_other_size() = "witness-other-size", "it names another size each time";
    /// A witness signs with another key.
    witness_no_cosignature() = "witness-no-cosignature", "its answer holds no cosignature by its key";
    /// A witness is silent.
    witness_silent(quote) = "witness-silent", "it does not answer: {quote}";
    /// A witness's answer is not whole.
    witness_broke_off(quote) = "witness-broke-off", "its answer broke off: {quote}";
    /// A line may be plain no longer.
    exception_ended() = "exception-ended", "the exception for this plain line has ended";
    /// What stands in a finding that was raised before.
    raised_before(quote) = "raised-before", "{quote}";
    // What is wrong with a part of the ledger.
    /// A fault.
    unreadable() = "unreadable", "it cannot be read";
    /// A fault.
    head_size() = "head-size", "its size is not the number of entries";
    /// A fault.
    head_root() = "head-root", "its root is not that of the entries";
    /// A fault.
    head_time() = "head-time", "its time is not that of the last entry";
    /// A fault.
    row_unreadable() = "row-unreadable", "its row cannot be read";
    /// A fault.
    leaf_not_canonical() = "leaf-not-canonical", "its leaf is not canonical";
    /// A fault.
    time_before() = "time-before", "its time lies before that of the entry in front";
    /// A fault.
    missing() = "missing", "missing";
    /// A fault.
    leaf_of_other_place() = "leaf-of-other-place", "its leaf belongs to another place";
    /// A fault.
    leaf_of_other_node() = "leaf-of-other-node", "its leaf is of another node";
    /// A fault.
    site_differs() = "site-differs", "its site differs from its leaf";
    /// A fault.
    record_differs() = "record-differs", "its record differs from its leaf";
    /// A fault.
    patient_differs() = "patient-differs", "its patient differs from its leaf";
    /// A fault.
    kind_differs() = "kind-differs", "its kind differs from its leaf";
    /// A fault.
    action_differs() = "action-differs", "its action differs from its leaf";
    /// A fault.
    payload_never_was() = "payload-never-was", "a payload is said to be dropped that never was";
    /// A fault.
    payload_added() = "payload-added", "it has a payload that its leaf does not";
    /// A fault.
    payload_missing() = "payload-missing", "its payload is missing, and no entry says why";
    /// A fault.
    payload_differs() = "payload-differs", "its payload differs from its digest";
    /// A fault.
    payload_still_there() = "payload-still-there", "its payload is said to be dropped but is there";
    /// A fault.
    payload_dropped_otherwise() = "payload-dropped-otherwise", "its payload was dropped, but not by the entry it names";
    /// A fault.
    not_signed_checkpoint() = "not-signed-checkpoint", "it is not a checkpoint signed by this key";
    /// A fault.
    checkpoint_not_larger() = "checkpoint-not-larger", "its checkpoint is not larger than the one before";
    /// A fault.
    root_not_reached() = "root-not-reached", "the entries do not lead to the root signed there";
    /// A fault.
    tile_differs() = "tile-differs", "it differs from the entries";
    /// A fault.
    tile_unreadable() = "tile-unreadable", "it is missing or cannot be read";
    /// A fault.
    leaf_differs() = "leaf-differs", "its leaf differs from the tile written for it";
    /// A fault.
    root_not_compared() = "root-not-compared", "its root could not be compared: entries are missing";
    /// A fault.
    signed_for_more() = "signed-for-more", "it was signed for more entries than there are";
    /// A fault.
    history_not_newest() = "history-not-newest", "its last line is not the newest checkpoint";
    /// A fault.
    cosigned_other_tree() = "cosigned-other-tree", "a witness has cosigned another tree of this size: there is a second history";
    /// A fault.
    cosigned_more() = "cosigned-more", "a witness has cosigned more entries than there are: the ledger was rewound, or this is a copy";
    /// A fault.
    database_unsound() = "database-unsound", "the file is not sound there";
    /// A fault.
    secret_unsound() = "secret-unsound", "it has changed and does not open";
    // Where in the ledger.
    /// An entry of the ledger.
    entry(index) = "entry", "entry {index}";
    /// Entries of the ledger.
    entries(first, last) = "entries", "entries {first} to {last}";
    /// The row that holds size and root.
    tree_head() = "tree-head", "tree head";
    /// A line of the file of checkpoints.
    line(name, number) = "line", "{name} line {number}";
    /// What a witness holds.
    held_by(name, count) = "held-by", "{name}, {count} entries";
    /// A place in the database.
    in_database(name) = "in-database", "database: {name}";
    /// A secret in the database.
    secret_in_database(name) = "secret-in-database", "database: secret {name}";
    /// Something in quarantine.
    in_quarantine(count) = "in-quarantine", "quarantine: item {count}";
    // What stands beside a problem.
    /// The problem again, in the words of the part that met it.
    restated(quote) = "restated", "{quote}";
    /// How long to wait.
    wait(seconds) = "wait", "{seconds} s";
    /// What a role lacks.
    permission(name) = "permission", "{name}";
    /// A person by number.
    person(number) = "person", "person {number}";
    /// A peer by number.
    peer(number) = "peer", "peer {number}";
    /// A session by number.
    session(number) = "session", "session {number}";
    /// A passkey by number.
    passkey(number) = "passkey", "passkey {number}";
    /// A token by number.
    token(number) = "token", "token {number}";
    /// A message by number.
    message(number) = "message", "message {number}";
    /// A requirement.
    requirement(citation) = "requirement", "requirement {citation}";
    /// A weak password.
    password_common() = "password-common", "many people choose this one";
    /// A weak password.
    password_known_words() = "password-known-words", "it is little more than names and words that everybody knows";
    /// A weak password.
    password_repeated() = "password-repeated", "it is one short piece again and again";
    /// A weak password.
    password_sequence() = "password-sequence", "it is a walk along the alphabet or the keyboard";
    /// A weak password.
    password_too_long(count) = "password-too-long", "it is longer than {count} bytes";
    /// A weak password.
    password_too_short(count) = "password-too-short", "it is shorter than {count} characters";
    /// A passkey that is not added.
    passkey_name() = "passkey-name", "its name has 1 to 64 characters";
    /// A passkey that is not added.
    passkey_over() = "passkey-over", "the time to answer is over, or it was answered already";
    /// A passkey that is not added.
    passkey_answer_malformed() = "passkey-answer-malformed", "the browser's answer does not fit its form";
    /// A passkey that is not added.
    passkey_answer_wrong() = "passkey-answer-wrong", "the device's answer does not fit what was asked";
    /// A passkey that is not added.
    passkey_not_kept() = "passkey-not-kept", "it cannot be kept";
    /// A passkey that is not added.
    passkey_not_kept_there() = "passkey-not-kept-there", "this device keeps no passkey that is found without a name";
    /// A passkey that is not added.
    passkey_not_asked() = "passkey-not-asked", "the library could not ask for one";
    /// A passkey that is not added.
    passkey_too_many() = "passkey-too-many", "this person has 20 of them: remove one first";
    /// A passkey that is not added.
    passkey_known() = "passkey-known", "it is known already";
    /// The length of a record.
    record_length(count) = "record-length", "it has {count} bytes";
    /// Until when a record is kept.
    retained_until(time) = "retained-until", "a record is retained until {time}";
    /// A set-up's answer.
    answer_no_administrator() = "answer-no-administrator", "there is no administrator yet";
    /// A set-up's answer.
    answer_reserve() = "answer-reserve", "the reserve is 1 to 65536 MiB";
    /// A set-up's answer.
    answer_misplaced() = "answer-misplaced", "this is not what is asked for now";
    /// A set-up's answer.
    answer_missing() = "answer-missing", "something is still asked for";
    /// A set-up's answer.
    answer_enough_slots() = "answer-enough-slots", "these are enough slots; add more later";
    /// A set-up's answer.
    answer_key_file_twice() = "answer-key-file-twice", "another slot has this key file already";
    /// A set-up's answer.
    answer_passphrase() = "answer-passphrase", "a passphrase has at least 15 characters";
    /// A set-up's answer.
    answer_shares() = "answer-shares", "of 2 to 16 shares at least 2 must be needed";
    /// A set-up's answer.
    answer_label() = "answer-label", "a label has 1 to 64 characters";
    /// A set-up's answer.
    answer_no_slot() = "answer-no-slot", "without a slot nothing could ever be read again: give at least one";
    /// A set-up's answer.
    answer_person_name() = "answer-person-name", "a person's name has 1 to 100 characters";
    /// A set-up's answer.
    answer_first_person() = "answer-first-person", "the first person must be an administrator";
    /// A set-up's answer.
    answer_key_file_path() = "answer-key-file-path", "a key file needs an absolute path";
    /// A set-up's answer.
    answer_key_file_exists(path) = "answer-key-file-exists", "{path} exists already; if an interrupted init left it, it opens nothing and may be deleted";
    /// A set-up's answer.
    answer_key_file_folder(path) = "answer-key-file-folder", "the folder of {path} is not there; mount its volume first";
    /// A set-up's answer.
    answer_nothing_typed() = "answer-nothing-typed", "nothing is to be typed back";
    /// A set-up's answer.
    answer_wrong_groups() = "answer-wrong-groups", "these are not the groups of that share; look at your paper again";
    /// A set-up's answer.
    answer_shares_out() = "answer-shares-out", "the shares of this slot were handed out";
    /// A set-up's answer.
    answer_failed() = "answer-failed", "the set-up failed; begin again";
    /// A set-up's answer.
    answer_no_passphrase() = "answer-no-passphrase", "no passphrase was given";
    /// A set-up's answer.
    answer_version() = "answer-version", "the answers are not of version 1";
    /// A request.
    no_such_state() = "no-such-state", "there is no such state";
    /// A request.
    no_such_decision() = "no-such-decision", "there is no such decision";
    /// A request.
    no_such_person() = "no-such-person", "there is no such person";
    /// A request.
    no_such_session() = "no-such-session", "there is no such session";
    /// A request.
    no_such_passkey() = "no-such-passkey", "there is no such passkey";
    /// A request.
    no_such_list() = "no-such-list", "there is no such list";
    /// A request.
    time_form() = "time-form", "a time is YYYY-MM-DD or RFC 3339, such as 2026-11-22T20:33:00Z";
    /// A request.
    query_form() = "query-form", "the query string does not fit this endpoint";
    /// A request.
    address_form() = "address-form", "the address does not fit its form";
    /// A request.
    path_form(name) = "path-form", "{name} in the path does not fit its form";
    /// A request.
    edits_form() = "edits-form", "the edits do not fit their form";
    /// A request.
    no_edit() = "no-edit", "there is no edit";
    /// A request.
    glass_minutes(most) = "glass-minutes", "an emergency access lasts 1 to {most} minutes";
    /// A request.
    several_destinations() = "several-destinations", "the message waits at several destinations: name one";
    /// A request.
    message_states() = "message-states", "the state is received, held, waiting or dead";
}

impl Remark {
    /// The kind.
    pub const fn kind(&self) -> &'static RemarkKind {
        self.kind
    }

    /// The places with their values.
    pub fn places(&self) -> impl Iterator<Item = (&'static str, &PlaceValue)> {
        self.kind.places.iter().copied().zip(&self.values)
    }

    /// The remark that says why.
    pub fn reason(&self) -> Option<&Self> {
        self.because.as_deref()
    }

    /// With another remark that says why.
    #[must_use]
    pub fn because(mut self, reason: Self) -> Self {
        self.because = Some(Box::new(reason));
        self
    }
}

impl fmt::Display for Remark {
    /// The English text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.kind.text;
        while let Some((before, behind)) = rest.split_once('{') {
            f.write_str(before)?;
            let (name, behind) = behind.split_once('}').unwrap_or((behind, ""));
            if let Some((_, value)) = self.places().find(|(place, _)| *place == name) {
                value.fmt(f)?;
            }
            rest = behind;
        }
        f.write_str(rest)?;
        match &self.because {
            Some(reason) => write!(f, ": {reason}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for PlaceValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

macro_rules! values {
    ($($type:ty: $value:ident => $made:expr;)+) => {$(
        impl From<$type> for PlaceValue {
            fn from($value: $type) -> Self {
                $made
            }
        }
    )+};
}

values! {
    u16: value => Self::Number(u64::from(value));
    u32: value => Self::Number(u64::from(value));
    u64: value => Self::Number(value);
    usize: value => Self::Number(u64::try_from(value).unwrap_or(u64::MAX));
    &str: value => Self::Text(value.to_owned());
    &String: value => Self::Text(value.clone());
    String: value => Self::Text(value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_are_unique_and_every_place_stands_in_its_text() {
        let mut seen = HashSet::new();
        for kind in ALL {
            assert!(seen.insert(kind.code), "{} stands twice", kind.code);
            assert!(!kind.text.ends_with('.'), "{}", kind.code);
            let in_text: Vec<&str> = kind
                .text
                .split('{')
                .skip(1)
                .map(|behind| behind.split_once('}').unwrap().0)
                .collect();
            assert_eq!(in_text, kind.places, "{}", kind.code);
        }
    }

    #[test]
    fn a_remark_says_its_places_in_english_and_why() {
        let said = slot_named(3_u64, "{name} safe").because(technical("EIO"));
        assert_eq!(said.to_string(), "slot 3 ({name} safe): EIO");
        assert_eq!(said.kind().code, "slot-named");
        let places: Vec<_> = said.places().map(|(name, _)| name).collect();
        assert_eq!(places, ["slot", "name"]);
        assert_eq!(said.reason().unwrap().to_string(), "EIO");
    }
}

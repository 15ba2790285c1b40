//! The one table of problems a person can see.
//!
//! Each has a stable code, what happened and what to do. The table generates `docs/ref/errors.md`;
//! [`ErrorKind`] alone fixes the HTTP status and the exit code. A text holds no patient data: what
//! varies (a file, a port, a peer's name) is added by the caller as a detail beside it.

/// Whose fault it is and how it is answered; fixes the HTTP status and the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// It clashes with the present state, or was done already.
    Conflict,
    /// Stored or exported bytes are not what they were when they were written.
    Damaged,
    /// The caller may not do this.
    Denied,
    /// Our own fault.
    Internal,
    /// The input is malformed or says something impossible.
    Invalid,
    /// Too large, too many or too fast.
    Limit,
    /// What was asked for does not exist, or the caller may not know that it does.
    NotFound,
    /// It exists, and this cannot be done with it.
    NotThis,
    /// It is another request than the one that came first under the same key.
    Reused,
    /// The root key is not open.
    Sealed,
    /// Too often in too short a time; waiting helps.
    TooOften,
    /// Something needed is not reachable now; trying later may help.
    Unavailable,
    /// Who asks is not known.
    Unknown,
}

impl ErrorKind {
    /// The HTTP status of an answer of this kind.
    pub const fn http_status(self) -> u16 {
        match self {
            Self::Invalid => 400,
            Self::Denied => 403,
            Self::NotFound => 404,
            Self::NotThis => 405,
            Self::Conflict => 409,
            Self::Limit => 413,
            Self::Reused => 422,
            Self::TooOften => 429,
            Self::Unknown => 401,
            Self::Damaged | Self::Internal => 500,
            Self::Sealed | Self::Unavailable => 503,
        }
    }

    /// The exit code of a command that ends in this kind; after BSD `sysexits`.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Conflict => 73,
            Self::Damaged => 76,
            Self::Denied | Self::Unknown => 77,
            Self::Internal => 70,
            Self::Invalid | Self::Reused => 65,
            Self::Limit | Self::TooOften => 71,
            Self::NotFound | Self::NotThis => 66,
            Self::Sealed => 78,
            Self::Unavailable => 69,
        }
    }

    /// The name of this kind in JSON and documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Conflict => "conflict",
            Self::Damaged => "damaged",
            Self::Denied => "denied",
            Self::Internal => "internal",
            Self::Invalid => "invalid",
            Self::Limit => "limit",
            Self::NotFound => "not-found",
            Self::NotThis => "not-this",
            Self::Reused => "reused",
            Self::Sealed => "sealed",
            Self::TooOften => "too-often",
            Self::Unavailable => "unavailable",
            Self::Unknown => "unknown",
        }
    }
}

/// A problem a person can see: stable code, what happened, what to do.
#[derive(Debug, PartialEq, Eq)]
pub struct Problem {
    /// The stable code, `room.cause` in lower case with hyphens.
    pub code: &'static str,
    /// Whose fault it is and how it is answered.
    pub kind: ErrorKind,
    /// What happened, in a sentence without a full stop.
    pub what: &'static str,
    /// What to do about it, in a sentence without a full stop.
    pub todo: &'static str,
}

macro_rules! problems {
    ($($name:ident = $code:literal, $kind:ident, $what:literal, $todo:literal;)+) => {
        $(#[doc = concat!("`", $code, "`: ", $what, ".")]
        pub const $name: Problem = Problem {
            code: $code,
            kind: ErrorKind::$kind,
            what: $what,
            todo: $todo,
        };)+

        /// Every problem, in the order of the table.
        pub const ALL: &[&Problem] = &[$(&$name),+];
    };
}

problems! {
    // store
    STORE_BUSY = "store.busy", Conflict,
        "another Labward already uses this data folder",
        "stop the other one, or give this one a folder of its own";
    STORE_NEWER = "store.newer-schema", Conflict,
        "the database was written by a newer Labward",
        "start the newer program again; an older one never touches a newer database";
    STORE_DAMAGED = "store.damaged", Damaged,
        "the database failed its integrity check",
        "do not delete anything; copy the data folder aside and restore the newest verified backup";
    STORE_UNWRITABLE = "store.unwritable", Unavailable,
        "the database could not be written",
        "make room on the disk and check that the folder is writable; nothing was acknowledged";
    STORE_OVERLOADED = "store.overloaded", Unavailable,
        "more changes wait than the disk can write",
        "send again later; look at the disk's speed with labward check";
    STORE_FOREIGN = "store.foreign", Conflict,
        "the file is a database of another program",
        "give Labward a data folder of its own; the file was not touched";
    STORE_CLOSED = "store.closed", Unavailable,
        "the database is closed or closing",
        "send again once Labward has started again; nothing was acknowledged";
    // ledger
    LEDGER_TAMPERED = "ledger.tampered", Damaged,
        "the ledger does not match its own hashes",
        "keep the data folder as it is and call the outside expert; the place is named beside this text";
    LEDGER_BAD_SIGNATURE = "ledger.bad-signature", Damaged,
        "a checkpoint's signature does not verify",
        "check that the public key belongs to this ledger; if it does, the checkpoint was changed";
    LEDGER_BAD_BUNDLE = "ledger.bad-bundle", Invalid,
        "the file is not a ledger bundle, or not a whole one",
        "export it again with labward ledger export";
    LEDGER_NO_ENTRY = "ledger.no-entry", NotFound,
        "the ledger has no entry with this index",
        "list the entries with labward ledger list";
    LEDGER_FILES = "ledger.files", Unavailable,
        "a file of the ledger's folder could not be read or written",
        "see the path beside this text; tiles and checkpoint are written again from the rows by the server";
    LEDGER_OTHER_ORIGIN = "ledger.other-origin", Conflict,
        "the ledger's folder holds the checkpoints of another ledger or of an earlier epoch",
        "move that folder aside and keep it: it proves what was recorded before";
    LEDGER_SECOND_HISTORY = "ledger.second-history", Damaged,
        "two checkpoints of this ledger contradict each other: it was rewound, or somebody runs a copy of it",
        "keep both checkpoints, they are the evidence; find out which copy of the data folder is the true one before anything goes on";
    LEDGER_NOT_WITNESSED = "ledger.not-witnessed", Damaged,
        "fewer of the named witnesses have cosigned than were asked for",
        "check the witnesses' keys; then see in labward status what each witness says, and export again";
    LEDGER_WITNESS = "ledger.witness", Invalid,
        "the witness cannot be set up or started like this",
        "see the detail beside this text, and docs/guide/witness.md";
    LEDGER_WITNESS_DAMAGED = "ledger.witness-damaged", Damaged,
        "the witness's folder does not hold what the witness saved there",
        "never put an older copy back: make a new witness with a new key, and give the key to the labs";
    // keys
    KEYS_SEALED = "keys.sealed", Sealed,
        "the root key is not open, so no record can be read or kept",
        "open it with labward key unseal, or start the server where its key file is";
    KEYS_WRONG = "keys.wrong-slot", Denied,
        "the slot did not open with what was given",
        "try again, or use another slot: any one opens";
    KEYS_LAST_SLOT = "keys.last-slot", Conflict,
        "this is the last slot, and without it nothing could ever be read again",
        "add another slot and test it before removing this one";
    KEYS_BESIDE_DATA = "keys.beside-data", Conflict,
        "the key file would lie in the data folder",
        "give it a place on another volume; whoever takes the disk must not get the key with it";
    KEYS_NO_SLOT = "keys.no-slot", NotFound,
        "there is no such slot",
        "list the slots with labward key slots";
    KEYS_BAD_SHARES = "keys.bad-shares", Denied,
        "these recovery shares do not open the slot",
        "check each share for typing errors and that enough of them belong to the same set";
    KEYS_DISPOSED = "keys.disposed", NotFound,
        "the key of this patient was destroyed, so the record can never be read again",
        "see the disposal proof in the ledger";
    KEYS_UNREADABLE_FILE = "keys.unreadable-file", Unavailable,
        "the key file could not be read or written",
        "check that its volume is mounted and that the server's account may use it";
    KEYS_BAD_SLOT = "keys.bad-slot", Invalid,
        "the slot cannot be made like this",
        "a label has 1 to 64 characters, a passphrase at least 15, shares are 2 to 16 of which at least 2 are needed";
    KEYS_EXISTS = "keys.exists", Conflict,
        "this installation has a root key already",
        "add a slot to it with labward key add";
    KEYS_DAMAGED = "keys.damaged", Damaged,
        "a stored key does not open under the root key",
        "do not change anything; restore the key archive that belongs to this database";
    KEYS_NO_KEY = "keys.no-key", NotFound,
        "there is no key of this patient",
        "compare the database with the key archive it belongs to";
    KEYS_ARCHIVE_DAMAGED = "keys.archive-damaged", Damaged,
        "the key archive is not what was written: it was changed, cut, or put together from two",
        "use an older archive of the same folder, or another copy of it";
    KEYS_ARCHIVE_FILE = "keys.archive-file", Unavailable,
        "a key archive could not be read, written or deleted",
        "check that its volume is mounted, has space and may be used by the server's account";
    KEYS_ARCHIVE_MISSING = "keys.archive-missing", NotFound,
        "there is no key archive in this folder",
        "name the folder that was given to labward key archive create --to";
    KEYS_ARCHIVE_NEWER = "keys.archive-newer", Conflict,
        "the key archive was written by a newer Labward",
        "use the newer program; an older one never guesses at a newer format";
    // backup
    BACKUP_BAD_SIGNATURE = "backup.bad-signature", Denied,
        "the backup is not signed by the ledger key it was compared with",
        "compare the key with what labward ledger key printed; if it is right, do not trust this backup";
    BACKUP_BUSY = "backup.busy", Conflict,
        "another run is writing to this backup folder",
        "wait until it has ended";
    BACKUP_DAMAGED = "backup.damaged", Damaged,
        "a part of the backup is not what was written: it was changed, cut or swapped",
        "move the named file away and make a new backup, which writes it again; restore from another generation or copy";
    BACKUP_FILE = "backup.file", Unavailable,
        "a file of the backup could not be read or written",
        "check that the volume is mounted, has space and may be used by this account";
    BACKUP_INSIDE_DATA = "backup.inside-data", Invalid,
        "the backup folder lies in the data folder",
        "give it a place on another volume: what takes the data must not take the backup too";
    BACKUP_KEYS_OLDER = "backup.keys-older", Conflict,
        "the key archive is older than the backup, so records of newer patients could not be read",
        "use the newest key archive, restore an older generation with --generation, or lose them with --without-missing-keys";
    BACKUP_MISSING_PART = "backup.missing-part", Damaged,
        "a part of the backup is missing",
        "make a new backup, which writes it again; restore from another generation or copy";
    BACKUP_NEWER = "backup.newer", Conflict,
        "the backup was written by a newer Labward",
        "use the newer program; an older one never guesses at a newer format";
    BACKUP_NONE = "backup.none", NotFound,
        "there is no such backup in this folder",
        "list what is there with labward backup list, or name the folder that was given to labward backup create --to";
    BACKUP_NOT_EMPTY = "backup.not-empty", Conflict,
        "the folder holds something else than backups of this installation",
        "give an empty folder, or one that does not exist yet; nothing was changed";
    BACKUP_NOT_RESTORED = "backup.not-restored", Conflict,
        "no restore waits for a person's confirmation",
        "nothing to do: a stopped destination goes on with labward destination resume";
    BACKUP_RESTORED = "backup.restored", Conflict,
        "this installation was restored from a backup, and nobody has confirmed yet that delivery may go on",
        "tell the receivers that what they got since the backup comes again under the same control ids, then labward backup confirm";
    BACKUP_TARGET_EXISTS = "backup.target-exists", Conflict,
        "the folder to restore to holds something already",
        "give a folder that does not exist yet; a restore never overwrites anything";
    BACKUP_UNSOUND = "backup.unsound", Damaged,
        "what was restored is not what the backup says it is",
        "do not use it; restore another generation, and keep this backup for whoever finds out why";
    BACKUP_WRONG_KEYS = "backup.wrong-keys", Denied,
        "the key archive belongs to another installation than the backup",
        "give the key archive of the installation that the backup was made of";
    // records
    RECORDS_NOT_FOUND = "records.not-found", NotFound,
        "there is no such record",
        "search with labward record find";
    RECORDS_NO_PATIENT = "records.no-patient", NotFound,
        "there is no such patient",
        "search with labward record find";
    RECORDS_DAMAGED = "records.damaged", Damaged,
        "a sealed record does not open: it was changed, moved or cut",
        "run labward ledger verify and restore the record from a backup";
    RECORDS_LEGAL_HOLD = "records.legal-hold", Conflict,
        "a legal hold forbids disposal of this patient's records",
        "ask whoever ordered the hold; it must be lifted first";
    RECORDS_RETENTION = "records.retention", Conflict,
        "the retention time of this patient's records has not ended",
        "wait until the date beside this text, or record a decision to override it where the law allows";
    RECORDS_UNREADABLE = "records.unreadable-import", Invalid,
        "the file is neither HL7 v2 nor a FHIR bundle",
        "check that the right file was named; nothing of it was stored";
    RECORDS_BEYOND = "records.beyond-end", Invalid,
        "the part that was asked for does not lie within the record",
        "count bytes from 0 and stay below the record's length, which stands beside this text";
    RECORDS_NO_CRITERIA = "records.no-criteria", Invalid,
        "no criterion was given to search by",
        "give at least one of MRN, name, birth date or accession on standard input";
    RECORDS_BAD_CRITERION = "records.bad-criterion", Invalid,
        "what was given to search by cannot be read",
        "give a birth date as YYYY-MM-DD, YYYY-MM or YYYY";
    RECORDS_NOT_RECORDED = "records.not-recorded", Unavailable,
        "the ledger cannot be written, so the reading was not recorded and nothing is shown",
        "make room on the disk; for a patient who cannot wait, read with --break-glass, which is recorded in the reserve and reviewed";
    RECORDS_RESERVE_FULL = "records.reserve-full", Unavailable,
        "neither the ledger nor the reserve can take one more reading, so nothing is shown",
        "make room on the disk; the reserve is emptied into the ledger as soon as that can be written";
    RECORDS_RESERVE_UNUSABLE = "records.reserve-unusable", Unavailable,
        "the ledger cannot be written, and the reserve is missing or cannot be written either, so nothing is shown",
        "put the disk right; labward check says what is wrong with the reserve";
    // emergency access
    BREAK_GLASS_NONE = "break-glass.none", NotFound,
        "there is no such emergency access, or you have none open",
        "list them with labward break-glass list; open one with labward break-glass open";
    BREAK_GLASS_OPEN = "break-glass.open", Conflict,
        "you have an emergency access open already",
        "go on reading, or end it with labward break-glass end";
    BREAK_GLASS_OWN = "break-glass.own", Denied,
        "an emergency access is reviewed by somebody else than the one who opened it",
        "ask a second person whose role permits the review";
    BREAK_GLASS_REVIEWED = "break-glass.reviewed", Conflict,
        "this emergency access was reviewed already",
        "see who reviewed it and what was found with labward break-glass show";
    BREAK_GLASS_STILL_OPEN = "break-glass.still-open", Conflict,
        "this emergency access is still open, so more may be read under it",
        "review it when its time is over, or have its person end it";
    BREAK_GLASS_VERDICT = "break-glass.verdict", Invalid,
        "there is no such verdict",
        "find it appropriate or not-appropriate";
    BREAK_GLASS_WAITING = "break-glass.waiting", Unavailable,
        "readings wait in the reserve to be merged into the ledger, so not all of them are known yet",
        "try again in a minute; while the ledger cannot be written, make room on the disk";
    // identity
    IDENTITY_UNKNOWN = "identity.unknown-person", Denied,
        "this account of the operating system is not bound to a person of the lab",
        "an administrator binds it with labward person add --uid";
    IDENTITY_DENIED = "identity.denied", Denied,
        "your role does not permit this",
        "ask the security officer, or someone whose role permits it";
    IDENTITY_NO_PEER = "identity.no-peer", NotFound,
        "there is no such peer",
        "list the peers with labward peer list";
    IDENTITY_PEER_EXISTS = "identity.peer-exists", Conflict,
        "a peer with this name or certificate is known already",
        "choose another name, or renew the existing one with labward peer renew";
    IDENTITY_BAD_CERTIFICATE = "identity.bad-certificate", Invalid,
        "the certificate cannot be read or does not fit",
        "give the peer's own certificate in PEM form";
    IDENTITY_PEER_REVOKED = "identity.peer-revoked", Conflict,
        "the peer was revoked, and a revoked peer never comes back",
        "add it again under another name";
    IDENTITY_NO_PERSON = "identity.no-person", NotFound,
        "there is no such person",
        "list the people with labward person list";
    IDENTITY_BAD_LIST = "identity.bad-list", Invalid,
        "the list of people cannot be read",
        "see beside this text what is wrong with it; it takes a head with the columns name and role, then a line for each person, saved as CSV UTF-8 or pasted from a spreadsheet";
    IDENTITY_PERSON_EXISTS = "identity.person-exists", Conflict,
        "this account of the operating system is bound to a person already",
        "remove that person first, or bind another account";
    IDENTITY_LAST_ADMINISTRATOR = "identity.last-administrator", Conflict,
        "without this person nobody could change people any more",
        "add another administrator or security officer first";
    IDENTITY_ADDRESS_TAKEN = "identity.address-taken", Conflict,
        "another peer is known by this address on plain links",
        "take the address from the other peer first with labward peer set";
    IDENTITY_BAD_NAME = "identity.bad-name", Invalid,
        "a name, role, kind, pattern or address does not fit its form",
        "names have 1 to 64 letters, digits, hyphens, underscores or dots; a login 3 to 64 of lower-case letters, digits and . _ - @; a star stands only at a pattern's end";
    IDENTITY_SIGN_IN_REFUSED = "identity.sign-in-refused", Denied,
        "login and password do not fit together",
        "try again; if the password is lost, whoever manages the people makes an invitation for a new one";
    IDENTITY_TOO_MANY_ATTEMPTS = "identity.too-many-attempts", TooOften,
        "passwords were tried too often for this login or from this place",
        "wait as long as is said beside this text, then try again";
    IDENTITY_WEAK_PASSWORD = "identity.weak-password", Invalid,
        "the password is one that others would guess",
        "see why beside this text; best are four or more words that do not belong together, at least 15 characters";
    IDENTITY_LOGIN_TAKEN = "identity.login-taken", Conflict,
        "somebody else signs in as this",
        "choose another login";
    IDENTITY_INVITATION_ENDED = "identity.invitation-ended", Denied,
        "the invitation was used already, replaced by a newer one, or is older than 72 hours",
        "ask for a new one: labward person invite";
    IDENTITY_BAD_ENGAGEMENT = "identity.bad-engagement", Invalid,
        "this is no engagement that an outside expert can have",
        "give a period, topics and a day of at most 366 days from now on which access ends";
    IDENTITY_BEYOND_ENGAGEMENT = "identity.beyond-engagement", Denied,
        "your engagement does not cover the whole ledger, and a bundle holds all of it",
        "take what you see as a list or as FHIR AuditEvents, or ask the lab for the bundle";
    IDENTITY_NO_SESSION = "identity.no-session", NotFound,
        "there is no such session, or it has ended",
        "list the sessions with labward session list";
    IDENTITY_BAD_TOKEN = "identity.bad-token", Invalid,
        "a token cannot be made like this",
        "see why beside this text; docs/ref/api.md names the permission that each request needs";
    IDENTITY_NO_TOKEN = "identity.no-token", NotFound,
        "there is no such token, or it has ended",
        "list the tokens with labward token list";
    IDENTITY_TOKEN_REFUSED = "identity.token-refused", Unknown,
        "there is no token with the request, or it does not hold",
        "send Authorization: Bearer with a token of labward token create that has not ended";
    IDENTITY_BAD_PASSKEY = "identity.bad-passkey", Invalid,
        "a passkey cannot be added like this",
        "see why beside this text, then begin again on the page of your own account";
    IDENTITY_NO_PASSKEY = "identity.no-passkey", NotFound,
        "there is no such passkey, or it was removed",
        "list the passkeys with labward passkey list";
    IDENTITY_PASSKEY_REFUSED = "identity.passkey-refused", Denied,
        "the passkey does not open the console",
        "try again, or sign in with login and password; a passkey that was removed can be deleted on its device, too";
    IDENTITY_PASSKEYS_NEED_NAME = "identity.passkeys-need-name", Invalid,
        "the console has no DNS name, without which no browser makes or uses a passkey",
        "put the name by which the console is reached first in names of [tls] in labward.toml; until then people sign in with login and password";
    // single sign-on
    SIGN_ON_OFF = "sign-on.off", NotFound,
        "this lab has no identity provider",
        "sign in with login and password; an administrator adds [console.oidc] to labward.toml";
    SIGN_ON_UNREACHABLE = "sign-on.unreachable", Unavailable,
        "the identity provider does not answer, or not in the way that OpenID Connect demands",
        "sign in with login and password, or try again in a minute; IT finds the reason in the log";
    SIGN_ON_DECLINED = "sign-on.declined", Denied,
        "the identity provider did not let you in, or the sign-in there was broken off",
        "try again; if it stays so, ask who manages the accounts there";
    SIGN_ON_NOT_BEGUN = "sign-on.not-begun", Denied,
        "this answer belongs to no sign-in that was begun in this browser within ten minutes",
        "begin again at the sign-in page, and finish in the same browser";
    SIGN_ON_NOT_VERIFIED = "sign-on.not-verified", Denied,
        "what the identity provider answered is not signed by it, not meant for this lab, or too old",
        "try again; if it stays so, IT compares issuer, client and clocks: the reason stands in the log";
    SIGN_ON_NO_GROUP = "sign-on.no-group", Denied,
        "none of your groups at the identity provider has a role in this lab",
        "ask an administrator: a group of yours has to stand in [console.oidc.groups] of labward.toml";
    SIGN_ON_NOT_LINKED = "sign-on.not-linked", Denied,
        "your account at the identity provider is linked to nobody in this lab",
        "ask an administrator to link it: labward person link";
    SIGN_ON_OTHER_SUBJECT = "sign-on.other-subject", Denied,
        "the person of this name is linked to another account of the identity provider",
        "ask an administrator: if the account was made anew, it is unlinked and linked again";
    SIGN_ON_ACCOUNT_TAKEN = "sign-on.account-taken", Conflict,
        "the account is another person's, or the person has one already that was used",
        "unlink it first: labward person unlink";
    SIGN_ON_NO_ACCOUNT = "sign-on.no-account", NotFound,
        "no account of the identity provider is linked to this person",
        "list them: labward person accounts";
    // gateway: refusals that a peer may see in an acknowledgement
    GATEWAY_NOT_HL7 = "gateway.not-hl7", Invalid,
        "the frame does not hold an HL7 v2 message",
        "a person looks at it with labward message list --state held; check what the device sends";
    GATEWAY_MALWARE = "gateway.malware", Denied,
        "malware was found in the message, and this link holds such messages",
        "the message was taken; the sender need not repeat it; see what was found with labward malware list";
    GATEWAY_NOT_INSPECTED = "gateway.not-inspected", Denied,
        "the message could not be looked into for malware, and this link holds such messages",
        "the message was taken; the sender need not repeat it; a person looks at it with labward message list --state held";
    GATEWAY_TOO_LARGE = "gateway.too-large", Limit,
        "the message is larger than this link allows",
        "raise max_message_bytes of the link if the device rightly sends so much";
    GATEWAY_NOT_ALLOWED = "gateway.not-allowed", Denied,
        "this peer may not send this message",
        "compare the message's sender and type with labward peer list, and release it if it is right";
    GATEWAY_ID_REUSED = "gateway.control-id-reused", Conflict,
        "a message with this control id but other content came before",
        "a person compares the two and releases or rejects this one; set the device to count its messages";
    GATEWAY_BAD_BATCH = "gateway.bad-batch", Invalid,
        "the batch does not hold as many messages as it says",
        "a person looks at it; ask the sender to send the batch again whole";
    GATEWAY_CANNOT_KEEP = "gateway.cannot-keep", Unavailable,
        "the message could not be kept durably, so it was not accepted",
        "the sender sends it again; see labward check for the cause";
    GATEWAY_NO_MESSAGE = "gateway.no-message", NotFound,
        "there is no such message",
        "list messages with labward message list";
    GATEWAY_NOT_WAITING = "gateway.not-waiting", Conflict,
        "the message does not wait for a person",
        "only held messages are released or rejected, only delivered or dead ones resent";
    GATEWAY_NO_DESTINATION = "gateway.no-destination", NotFound,
        "there is no such destination",
        "see the destinations in labward.toml and labward status";
    GATEWAY_NOT_STOPPED = "gateway.not-stopped", Conflict,
        "the destination is not stopped",
        "nothing to do: messages go out, or are tried again by themselves";
    GATEWAY_FOREIGN_ACK = "gateway.foreign-ack", Unavailable,
        "the receiver acknowledged another message than the one that was sent",
        "the message is sent again; tell the receiver's maker if it goes on";
    GATEWAY_UNTRUSTED_RECEIVER = "gateway.untrusted-receiver", Denied,
        "the receiver did not show the certificate that this destination expects",
        "compare server_name, peer or ca of the destination with the receiver's certificate";
    GATEWAY_DROP_FAILED = "gateway.drop-failed", Unavailable,
        "the file could not be written to the destination's folder",
        "check that the folder exists, has space and may be written by labward";
    GATEWAY_EXCEPTION_ENDED = "gateway.exception-ended", Denied,
        "the exception for this unencrypted line has ended",
        "set up mutual TLS for the destination, or decide on a new exception";
    GATEWAY_NOT_FOR_HL7 = "gateway.not-for-hl7", Invalid,
        "the message is not HL7 v2, so this destination cannot take it",
        "route it to a file drop instead";
    GATEWAY_GIVEN_UP = "gateway.given-up", Conflict,
        "a person gave the delivery of this message up",
        "send it again with labward message resend if it is needed after all";
    GATEWAY_FRAMING = "gateway.framing", Invalid,
        "what came was not a frame of this link's protocol",
        "check that the device speaks the protocol and uses TLS as the link expects";
    GATEWAY_DAMAGED_MESSAGE = "gateway.damaged-message", Invalid,
        "the frame was cut or holds another message's beginning",
        "a person looks at it; the sender sends the message again";
    // astm
    ASTM_NOT_E1394 = "astm.not-e1394", Invalid,
        "the text is not an ASTM E1394 message",
        "a person looks at it; if the device never sends E1394 records, its link takes text as it is";
    ASTM_TOO_MANY_RECORDS = "astm.too-many-records", Limit,
        "the message has more records than Labward reads",
        "a person looks at it; check what the device sends";
    // edge
    EDGE_BAD_CODE = "edge.bad-code", Denied,
        "the enrolment code is mistyped, unknown, used or expired",
        "ask for a new one: labward peer enroll on the server";
    EDGE_WRONG_AUTHORITY = "edge.wrong-authority", Denied,
        "whoever answered is not the server that the enrolment code names",
        "check --server; if it is right, somebody stands between: nothing was sent, ask for a new code";
    EDGE_WRONG_NAME = "edge.wrong-name", Denied,
        "the server's certificate is not for the host that was dialled",
        "dial it by a name in [tls] names of labward.toml, as labward peer enroll prints it";
    EDGE_UNREACHABLE = "edge.unreachable", Unavailable,
        "the server could not be reached, or ended the connection",
        "check host, port and network, and that the code has not expired: its door closes with it";
    EDGE_NO_DOOR = "edge.no-door", Conflict,
        "the server has no link for edges or no address to enrol at",
        "add a link with framing = \"edge\" and [enrolment] listen to labward.toml";
    EDGE_BY_CODE = "edge.by-code", Invalid,
        "an edge makes its own key and is not given one",
        "make it a one-time code with labward peer enroll";
    EDGE_NOT_ENROLLED = "edge.not-enrolled", NotFound,
        "this folder holds no edge",
        "enrol one with labward edge enroll, or name the right folder with --data";
    EDGE_BUSY = "edge.busy", Conflict,
        "another edge already uses this folder",
        "stop the other one, or give this one a folder of its own";
    EDGE_OTHER_KEY = "edge.other-key", Conflict,
        "the edge seals to another key than this server opens",
        "enrol the edge again with labward peer enroll; nothing was taken and nothing is lost";
    EDGE_REWOUND = "edge.rewound", Damaged,
        "the edge's ledger is shorter than what this server saw of it before",
        "keep the edge's folder and call the outside expert; then enrol it again with labward peer enroll";
    EDGE_FORKED = "edge.forked", Damaged,
        "the edge's ledger does not continue what this server saw of it before",
        "keep the edge's folder and call the outside expert; then enrol it again with labward peer enroll";
    EDGE_DAMAGED_ITEM = "edge.damaged-item", Damaged,
        "a queued message was changed on its way or in the edge's folder, and cannot be opened",
        "have the device send the result again; the entry names the device and the time";
    EDGE_NOT_SPOKEN = "edge.not-spoken", Invalid,
        "what came is not what an edge of this version sends",
        "run the same version of Labward on both sides";
    EDGE_CERTIFICATE_ENDED = "edge.certificate-ended", Denied,
        "the edge's certificate has ended, so the server does not let it in",
        "enrol it again in the same folder with a code of labward peer enroll; what waits in its queue is kept and goes then";
    EDGE_RENEWAL_EARLY = "edge.renewal-early", Denied,
        "an edge asked for its next certificate while more than a third of its present one's life is left",
        "check the clocks of edge and server; it asks again by itself";
    EDGE_RENEWAL_KEY = "edge.renewal-key", Denied,
        "an edge asked for a certificate for another key than its next one: a copy of its folder was renewed before it, or the key that it asked for first is gone",
        "find out whether somebody has a copy of its folder; then enrol it again with a code of labward peer enroll";
    EDGE_RENEWAL_OFTEN = "edge.renewal-often", Denied,
        "an edge asked for certificates more often than any edge needs to",
        "see the edge's log; it asks again by itself";
    EDGE_DISK_LOW = "edge.disk-low", Unavailable,
        "the edge's disk is nearly full, so it takes nothing more",
        "make room; the devices keep their results and send them again";
    EDGE_SERIAL = "edge.serial", Unavailable,
        "the serial line could not be opened or set",
        "check the path, the cable and that the edge's account may use it (group dialout)";
    // safeguard
    SAFEGUARD_NO_REQUIREMENT = "safeguard.no-requirement", NotFound,
        "the rule in force has no requirement at this place",
        "name it as labward safeguard list does, such as 164.312(a)(2)(iv)";
    SAFEGUARD_NOT_FOR_THIS = "safeguard.not-for-this", Conflict,
        "the rule does not let this be decided about this requirement",
        "do what is required; only an addressable specification may have an alternative or be not reasonable (45 CFR 164.306(d)(3))";
    SAFEGUARD_BAD_END = "safeguard.bad-end", Invalid,
        "a decision ends on a day between today and 24 months ahead",
        "give its last day as YYYY-MM-DD, and decide again when it has come";
    SAFEGUARD_NO_DECISION = "safeguard.no-decision", NotFound,
        "there is no decision about this requirement",
        "see the decisions with labward safeguard list";
    SAFEGUARD_KIND = "safeguard.kind", Invalid,
        "there is no such kind of decision",
        "decide implemented, alternative, not-reasonable or does-not-apply";
    SAFEGUARD_PROFILE = "safeguard.profile", Invalid,
        "there is no such profile",
        "ask for law or proposed-2025";
    // device
    DEVICE_UNKNOWN = "device.unknown", NotFound,
        "there is no device with this number",
        "see the numbers with labward device list";
    DEVICE_BAD_LIST = "device.bad-list", Invalid,
        "the list of devices cannot be read",
        "see beside this text what is wrong with it; it takes CSV in UTF-8 with a head, or an export of Snipe-IT, GLPI, NetBox or nmap";
    DEVICE_BAD_VALUE = "device.bad-value", Invalid,
        "a value does not fit what it is to say",
        "see beside this text which one: a MAC or IP address, a day as YYYY-MM-DD, low, normal or high, at most 200 characters";
    DEVICE_CHANGED_MEANWHILE = "device.changed-meanwhile", Conflict,
        "the device was changed since you looked at it",
        "look at it again and change what is still to be changed";
    DEVICE_EXISTS = "device.exists", Conflict,
        "a device with this serial number, UDI, asset tag, MAC address or name of a host is there already",
        "change that device; its number stands beside this text";
    DEVICE_NO_ATTRIBUTE = "device.no-attribute", Invalid,
        "there is no such attribute of a device",
        "see the names in docs/guide/devices.md";
    DEVICE_NOTHING_SAID = "device.nothing-said", Invalid,
        "nothing is said of the device",
        "say at least what it is called";
    DEVICE_NOT_MERGEABLE = "device.not-mergeable", Conflict,
        "these devices cannot be merged or removed: they are one already, or one of them is removed or merged into another",
        "look at both, and act on the device that stands for the others";
    DEVICE_NOT_MERGED = "device.not-merged", Conflict,
        "the device is not merged into another, so there is nothing to split",
        "see what is merged into what with labward device show";
    DEVICE_REMOVED = "device.removed", Conflict,
        "the device was removed, or is there already",
        "look at it with labward device show; restore it if it is there again";
    DEVICE_TOO_MANY = "device.too-many", Conflict,
        "there would be more than 20,000 devices",
        "remove what is no device from the list, and import the rest";
    // behaviour
    BEHAVIOUR_UNKNOWN = "behaviour.unknown", NotFound,
        "there is no such alert of what a device does",
        "see them with labward device unusual";
    BEHAVIOUR_CLOSED = "behaviour.closed", Conflict,
        "the alert was answered already, or is over",
        "see all with labward device unusual --state all";
    DEVICE_BAD_SBOM = "device.bad-sbom", Invalid,
        "the bill of materials cannot be read",
        "see beside this text what is wrong with it; it takes CycloneDX or SPDX 2 as JSON, at most 64 MiB";
    DEVICE_BAD_MDS2 = "device.bad-mds2", Invalid,
        "the disclosure cannot be read",
        "see beside this text what is wrong with it; it takes the workbook (.xlsx) of the form MDS2 of 2019, as the manufacturer filled it in";
    DEVICE_NO_MODEL = "device.no-model", Conflict,
        "this cannot be said of a model: what the device's manufacturer and model are is not known",
        "say with labward device set what they are, or attach it to the device alone";
    DEVICE_NO_DISCLOSURE = "device.no-disclosure", NotFound,
        "there is no bill of materials or disclosure with this number",
        "see what is attached with labward device show";
    DEVICE_BAD_APPROVAL = "device.bad-approval", Invalid,
        "this approval of a patch cannot be taken down",
        "see beside this text what is missing: the vendor, the model, the patch, and approved, rejected or pending";
    DEVICE_NO_APPROVAL = "device.no-approval", NotFound,
        "there is no approval of a patch with this number, or it was withdrawn",
        "see the numbers with labward device approvals";
    // conduit
    CONDUIT_UNKNOWN = "conduit.unknown", NotFound,
        "the device has no such conduit",
        "see its conduits with labward conduit list";
    CONDUIT_NO_DEVICE = "conduit.no-device", NotFound,
        "no traffic of this device was heard",
        "listen where its traffic passes with labward device listen --report; give the device its IP address";
    CONDUIT_BAD_PLAN = "conduit.bad-plan", Conflict,
        "the devices contradict each other, so their conduits cannot be kept",
        "see beside this text which; two devices that have one IP address are merged, or one of them gets another";
    CONDUIT_BAD_REPORT = "conduit.bad-report", Invalid,
        "the report of traffic cannot be read",
        "see beside this text which part; use a labward of the same version to listen";
    // advisory
    ADVISORY_BAD_FILE = "advisory.bad-file", Invalid,
        "nothing in this file can be read as an advisory, a list of exploited vulnerabilities or an archive of them",
        "see beside this text what is wrong with it; docs/guide/advisories.md says what is read";
    ADVISORY_UNKNOWN = "advisory.unknown", NotFound,
        "there is no advisory with this number",
        "see the numbers with labward advisory list";
    ADVISORY_BAD_SOURCE = "advisory.bad-source", Invalid,
        "this is no name for a source of advisories",
        "use 1 to 40 letters, digits, hyphens and dots";
    // hit
    HIT_UNKNOWN = "hit.unknown", NotFound,
        "there is no hit with this number",
        "see the numbers with labward hit list";
    HIT_CLOSED = "hit.closed", Conflict,
        "the hit is closed, so there is nothing to treat",
        "look at it again with labward hit show; it opens by itself if the device is affected again";
    HIT_BAD_TREATMENT = "hit.bad-treatment", Invalid,
        "this treatment cannot be taken down",
        "see beside this text why: an acceptance or a replacement needs a last day, from today to two years from now; the other treatments take none";
    HIT_NO_STATEMENT = "hit.no-statement", NotFound,
        "there is no such statement, or it was withdrawn",
        "see the numbers with labward hit statements";
    HIT_BAD_STATEMENT = "hit.bad-statement", Invalid,
        "this statement cannot be taken down",
        "see beside this text what is missing: of products the names on both sides, of a vulnerability the hit and what is so";
    // webhook
    WEBHOOK_UNKNOWN = "webhook.unknown", NotFound,
        "there is no webhook of this name",
        "see the names with labward webhook list; they stand in labward.toml";
    WEBHOOK_NO_SECRET = "webhook.no-secret", Conflict,
        "the webhook has no secret, so nothing can be signed for it",
        "make one with labward webhook secret and give it to the receiver";
    WEBHOOK_NOT_TAKEN = "webhook.not-taken", Unavailable,
        "the receiver did not take the test event",
        "see what it answered beside this text; check its URL, its certificate and the secret that it verifies with";
    WEBHOOK_GONE = "webhook.gone", Unavailable,
        "a receiver of events answered that it is gone, so it is told nothing any more",
        "ask who runs it; then let it go on with labward webhook resume, or remove it from labward.toml";
    WEBHOOK_GIVEN_UP = "webhook.given-up", Unavailable,
        "a receiver of events took nothing for days, so it is told nothing any more",
        "see why with labward webhook list; then let it go on with labward webhook resume, which loses nothing";
    // mail
    MAIL_UNKNOWN = "mail.unknown", NotFound,
        "there is no recipient of reminders with this name",
        "see the names with labward mail list; they stand in labward.toml";
    MAIL_NOT_SENT = "mail.not-sent", Unavailable,
        "the mail server did not take a mail",
        "see beside this text, or in labward mail list, what failed; labward mail test tries again";
    MAIL_UNCERTAIN = "mail.uncertain", Unavailable,
        "it is not known whether the mail server took a mail, so it is not sent a second time",
        "look whether it arrived; the next reminder names all that is still due";
    // configuration and operation
    CONFIG_UNREADABLE = "config.unreadable", Invalid,
        "the configuration cannot be read",
        "see the line and the suggestion beside this text; docs/ref/config.md lists every key";
    CONFIG_UNSAFE = "config.unsafe", Invalid,
        "the configuration asks for something Labward refuses to do",
        "see beside this text which rule it breaks";
    CONFIG_NEEDS_RESTART = "config.needs-restart", Conflict,
        "the configuration changes something that is only read when the server starts",
        "see the keys with labward reload --preview, then restart the server, or put them back";
    CONFIG_DESTINATION_WAITS = "config.destination-waits", Conflict,
        "a destination that the new configuration lacks still has messages to deliver",
        "leave it in labward.toml and take its routes away; remove it once nothing waits, after labward message skip or release if need be";
    CONFIG_NO_FILE = "config.no-file", Conflict,
        "this server was not started from a configuration file",
        "start it with labward serve, then reload";
    CONFIG_BAD_VALUE = "config.bad-value", Invalid,
        "a value does not fit its key",
        "see beside this text which key, and what it takes; docs/ref/config.md lists every key";
    CONFIG_MISSING = "config.missing", Invalid,
        "a key is missing that must be there",
        "give it a value; see beside this text which one";
    CONFIG_NO_PART = "config.no-part", NotFound,
        "the configuration has no table of this name",
        "look at the configuration again: somebody may have removed it meanwhile";
    CONFIG_NAME_TAKEN = "config.name-taken", Conflict,
        "the configuration has a table of this name already",
        "give it another name, or change the one that there is";
    CONFIG_NOT_EDITABLE = "config.not-editable", Denied,
        "this key is changed in the file on the server only",
        "edit labward.toml there, then reload it, or restart the server where a key needs it";
    CONFIG_CHANGED = "config.changed", Conflict,
        "somebody else changed the configuration meanwhile",
        "look at the preview again: it says who, when and which keys, and offers both changes together if they do not touch";
    CONFIG_FILE_DIFFERS = "config.file-differs", Conflict,
        "labward.toml on the server is not what is in force: it was edited there and not reloaded",
        "reload it, or put it back, and make this change again";
    CONFIG_NOT_WRITTEN = "config.not-written", Unavailable,
        "labward.toml cannot be written by the server; nothing was changed",
        "see the log; check the disk and that the server's account owns the file and its folder, or edit the file on the server and reload it";
    CONFIG_SAME = "config.same", Conflict,
        "the edits change nothing",
        "what they ask for is in force already";
    SERVER_NOT_RUNNING = "server.not-running", Unavailable,
        "no Labward server answers on the admin socket",
        "start it with labward serve, or name its folder with --data";
    SERVER_BAD_REQUEST = "server.bad-request", Invalid,
        "the request could not be understood",
        "see docs/ref/api.md for what this endpoint takes";
    SERVER_NO_ENDPOINT = "server.no-endpoint", NotFound,
        "there is no such endpoint",
        "see docs/ref/api.md";
    SERVER_NO_VERB = "server.no-verb", NotThis,
        "this endpoint does not take this verb",
        "the Allow header names those that it takes; docs/ref/api.md lists the endpoints";
    SERVER_NO_REASON = "server.no-reason", Invalid,
        "no reason was given",
        "say why: it is recorded, sealed, beside who did it";
    SERVER_TOO_LARGE = "server.too-large", Limit,
        "the request is larger than this endpoint takes",
        "split the file; docs/ref/api.md says how much each endpoint takes";
    SERVER_BUSY = "server.busy", Unavailable,
        "too many requests wait, or this one came too slowly",
        "try again in a moment";
    SERVER_NOT_INITIALIZED = "server.not-initialized", NotFound,
        "this folder holds no installation",
        "make one with labward init, or name the right folder with --data";
    SERVER_FILE = "server.file", Unavailable,
        "a file of the data folder could not be read or written",
        "see the path beside this text; check the disk and that the server's account owns the folder";
    SERVER_KEY_RUNNING = "server.key-running", Conflict,
        "a request under this Idempotency-Key is being done now",
        "wait, and send the same again: the answer is that of the first";
    SERVER_KEY_REUSED = "server.key-reused", Reused,
        "another request was made under this Idempotency-Key",
        "take a new key for each request, and the same key only to send the same again";
    SERVER_KEY_DONE = "server.key-done", Conflict,
        "this was done already under this Idempotency-Key, and its answer is not kept",
        "the answer held something that is shown once; make another if it was lost";
    SERVER_KEY_UNKNOWN = "server.key-unknown", Conflict,
        "a request under this Idempotency-Key began, and it is not known whether it was done",
        "look at the list or the ledger whether it was; if not, send it under a new key";
    SERVER_KEYS_FULL = "server.keys-full", TooOften,
        "this person has used 10,000 Idempotency-Keys within 24 hours",
        "wait, or send without a key what may be done twice";
    SERVER_INTERNAL = "server.internal", Internal,
        "something went wrong inside Labward",
        "look for the reference id in the log and report it";
    INIT_EXISTS = "init.exists", Conflict,
        "this folder already holds an installation",
        "use it with labward serve, or give init an empty folder";
    INIT_SHARES_NOT_CONFIRMED = "init.shares-not-confirmed", Invalid,
        "the recovery shares were not typed back correctly",
        "run init again and write the shares down as they are shown";
    INIT_NOT_EMPTY = "init.not-empty", Conflict,
        "this folder holds something else",
        "give init an empty folder, or one that does not exist yet; nothing was changed";
    INIT_BAD_ANSWER = "init.bad-answer", Invalid,
        "an answer that init needs is missing or does not fit",
        "see beside this text which one; docs/ref/init.md explains all, and nothing is in use yet";
    INIT_FILE = "init.file", Unavailable,
        "a file or folder of the new installation could not be made",
        "see beside this text which one and why, then run init again: it clears what is half made";
    CHECK_HARMFUL = "check.harmful", Conflict,
        "something of high harm is wrong with this installation",
        "do what stands beside each finding, the first one first";
    CLI_FILE = "cli.file", Invalid,
        "a file could not be read or written",
        "see beside this text which one and why";
    LISTEN_DENIED = "listen.denied", Denied,
        "this account may not listen on a network interface",
        "run it as root, or give the program the right with setcap cap_net_raw=ep FILE; it gives all rights up once the interface is open";
    LISTEN_INTERFACE = "listen.interface", NotFound,
        "there is nothing to listen to on this network interface",
        "see beside this text why; ip link shows the interfaces, and which of them are up";
    DEMO_OFF = "demo.off", Internal,
        "the demo did not end as it must",
        "see the line above; if it happens again, report it";
    ADVISORY_UNSOUND = "advisory.unsound", Invalid,
        "not every document is a sound advisory: see each one's flaws above",
        "what could be read stands above; ask the publisher for a document without errors, or fetch it again";
    SCAN_RULES = "scan.rules", Invalid,
        "rules or hashes that were named could not be loaded",
        "see beside this text which and why; nothing was scanned, so that nobody takes less than was asked for";
    SCAN_PROCESS = "scan.process", Unavailable,
        "the process that scans does not start",
        "see beside this text why; nothing was scanned";
    SCAN_NOT_MOUNTED = "scan.not-mounted", NotFound,
        "no disk is mounted at this folder",
        "mount the disk read-only and name the folder where it is mounted; findmnt lists what is mounted where";
    SCAN_WRITABLE = "scan.writable", Conflict,
        "the disk is not mounted read-only, so what runs on this machine may change it",
        "mount it with -o ro (ext4: -o ro,noload), best behind a write blocker, or say --allow-writable; nothing was scanned";
    SCAN_REPORT = "scan.report", Conflict,
        "the report cannot be written there",
        "see beside this text why; name a new file in a folder that may be written and is not on the disk that is looked at";
    INTEGRITY_BAD_BASELINE = "integrity.bad-baseline", Damaged,
        "this is no baseline, or it was changed since it was written",
        "see beside this text where; take the copy that was kept apart, and do not believe the machine until you have";
    INTEGRITY_UNKNOWN = "integrity.unknown", NotFound,
        "the server was told of no baseline with this name",
        "see them with labward integrity list";
    INTEGRITY_DECIDED = "integrity.decided", Conflict,
        "there are no changes of this baseline to decide about",
        "see them with labward integrity list";
    // malware
    MALWARE_FOUND = "malware.found", Denied,
        "malware was found in it; it was put into quarantine and nothing else was done with it",
        "see beside this text what was found, and where; labward malware show says more";
    MALWARE_UNSCANNED = "malware.unscanned", Unavailable,
        "it could not be looked at for malware, so nothing was done with it",
        "see labward malware status for what is wrong with the scanner, then try again";
    MALWARE_NO_DETECTION = "malware.no-detection", NotFound,
        "there is no detection of malware with this number",
        "see them with labward malware list";
    MALWARE_CLOSED = "malware.closed", Conflict,
        "the detection was closed already",
        "see all with labward malware list --state all";
    GUARD_BUSY = "guard.busy", Conflict,
        "another guard uses this folder of state",
        "stop the other one; one guard watches all folders of a machine";
    GUARD_CONFIG = "guard.config", Invalid,
        "the configuration of the guard cannot be used",
        "see beside this text what is wrong, and docs/guide/guard.md; nothing is watched until it is put right";
    GUARD_DENIED = "guard.denied", Denied,
        "this account may not watch files, or this kernel cannot",
        "run it as root, on Linux with CONFIG_FANOTIFY_ACCESS_PERMISSIONS; nothing is watched";
    QUARANTINE_UNKNOWN = "quarantine.unknown", NotFound,
        "there is nothing in quarantine with this number",
        "see what lies there with labward malware quarantine list";
    QUARANTINE_DESTROYED = "quarantine.destroyed", Conflict,
        "this was destroyed, with the key that it was sealed under",
        "labward malware quarantine show says when and why";
    QUARANTINE_DAMAGED = "quarantine.damaged", Damaged,
        "what lies in quarantine is not what was put there",
        "restore the data folder from a backup; nothing of it is given out meanwhile";
    QUARANTINE_UNWRITABLE = "quarantine.unwritable", Unavailable,
        "it could not be put into quarantine: the disk refused it; where it came from nothing was removed",
        "see beside this text what the disk said; make room, then try again";
    QUARANTINE_SAME_PERSON = "quarantine.same-person", Denied,
        "whoever asked for something to be given back may not agree to it",
        "another person who may decide about malware agrees";
    QUARANTINE_ASKED = "quarantine.asked", Conflict,
        "somebody asked for this to be given back already",
        "have another person agree or refuse; labward malware quarantine show says who asked";
    QUARANTINE_NOT_ASKED = "quarantine.not-asked", Conflict,
        "nobody asked for this to be given back, or it was decided already",
        "ask with labward malware quarantine restore";
    QUARANTINE_NOT_APPROVED = "quarantine.not-approved", Denied,
        "no second person agreed that this is given back",
        "have another person agree with labward malware quarantine approve";
    QUARANTINE_NOT_A_MESSAGE = "quarantine.not-a-message", Conflict,
        "only a message that came through a link can be delivered",
        "ask for it as a file with labward malware quarantine restore";
    QUARANTINE_NO_LINK = "quarantine.no-link", Conflict,
        "the link that the message came through is not configured any more; it was not delivered and lies in quarantine as before",
        "add the link again under its name, then labward malware quarantine deliver; or refuse it, and ask for it as a file";
    QUARANTINE_NO_ROUTE = "quarantine.no-route", Conflict,
        "no route leads this message to a destination any more; it was not delivered and lies in quarantine as before",
        "add the route again, then labward malware quarantine deliver; or refuse it, and ask for it as a file";
    QUARANTINE_DELIVERED = "quarantine.delivered", Conflict,
        "the message was delivered already",
        "see beside this text under which record; labward message resend sends that one again";
    QUARANTINE_NO_HASH = "quarantine.no-hash", Conflict,
        "nothing of it can be allowed from now on: what was found has no hash of its own",
        "have it delivered without allowing it";
    QUARANTINE_TOO_LARGE = "quarantine.too-large", Limit,
        "it is larger than what is put into quarantine",
        "remove it by hand from where it lies; nothing was changed";
    QUARANTINE_BAD_RECIPIENT = "quarantine.bad-recipient", Invalid,
        "this is no recipient that anything can be encrypted to",
        "give a public key of age, which begins with age1";
    RULE_SET_UNKNOWN = "rule-set.unknown", NotFound,
        "there is no set of rules or hashes with this number, or it was retired",
        "see them with labward malware rules list";
    RULE_SET_BAD = "rule-set.bad", Invalid,
        "nothing of it can be used as rules or hashes",
        "see beside this text what is wrong with it";
    RULE_SET_PRESENT = "rule-set.present", Conflict,
        "the very same set is there already",
        "see it with labward malware rules list";
    SEGMENTATION_BAD_PLAN = "segmentation.bad-plan", Invalid,
        "the plan of the devices' conduits, or the list of devices, cannot be used",
        "see beside this text where and why; nothing was loaded";
    SEGMENTATION_CUTS_OFF = "segmentation.cuts-off", Conflict,
        "a device of the plan cannot be guarded like this",
        "see beside this text which one and why; nothing was loaded, and nothing is dropped that was not before";
    SEGMENTATION_NFT = "segmentation.nft", Unavailable,
        "nft could not be started, or refused",
        "see beside this text what it said; it is in the package nftables";
    SEGMENTATION_NOT_LIVE = "segmentation.not-live", Conflict,
        "what is loaded is not what is to be in force",
        "see what differs in labward segment status; put the plan in force again with labward segment apply";
    SEGMENTATION_NOT_ROOT = "segmentation.not-root", Denied,
        "only root reads and changes the rules of the kernel",
        "run it as root, on the machine that forwards between the devices and the rest";
    SEGMENTATION_NO_TRIAL = "segmentation.no-trial", NotFound,
        "no ruleset is on trial",
        "see what is in force with labward segment status; begin a trial with labward segment apply";
    SEGMENTATION_ON_TRIAL = "segmentation.on-trial", Conflict,
        "another ruleset is on trial already",
        "keep it with labward segment confirm, or put the former one back with labward segment rollback";
    SEND_NO_ACK = "send.no-ack", Unavailable,
        "no acknowledgement came for a message",
        "it may or may not have been kept: send it again with the same control id";
    SEND_REFUSED = "send.refused", Conflict,
        "the receiver answered with a refusal",
        "see the acknowledgement beside this text";
    SEND_UNREACHABLE = "send.unreachable", Unavailable,
        "the receiver could not be reached",
        "check host, port and that it listens";
    UPDATE_UNTRUSTED = "update.untrusted", Damaged,
        "the list of releases is not signed by the given key, or is no list",
        "use nothing that it names; fetch the list and its signature again from where releases are announced";
    UPDATE_REFUSED = "update.refused", Conflict,
        "the list of releases is signed, and must not be believed: it has run out, or is older than one seen before",
        "see beside this text which; fetch the newest list, and ask who runs the place it came from if it stays so";
}

impl Problem {
    /// The problem with this code, if the table has one.
    pub fn by_code(code: &str) -> Option<&'static Self> {
        ALL.iter().copied().find(|problem| problem.code == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_are_unique_and_texts_are_sentences_without_full_stop() {
        let mut seen = HashSet::new();
        for problem in ALL {
            assert!(seen.insert(problem.code), "{} stands twice", problem.code);
            assert!(problem.code.contains('.'), "{}", problem.code);
            for text in [problem.what, problem.todo] {
                assert!(
                    !text.is_empty() && !text.ends_with('.'),
                    "{}: {text}",
                    problem.code
                );
            }
        }
    }
}

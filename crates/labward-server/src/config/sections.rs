//! Every key of the configuration: its kind, default, unit and meaning, once.
//!
//! A default stands here for people and beside its type for the program; a test holds the two
//! together. A key is never given another meaning: the next version of the file is for that.

mod advisories;
mod lines;
mod mail;
mod malware;
mod oidc;
mod webhook;

use super::schema::{Key, Kind, Omitted, Section};
use advisories::{ADVISORIES, ADVISORY_SOURCE};
use lines::{DESTINATION, GATEWAY, LINK, ROUTE, TARGET_TRANSPORT};
use mail::{MAIL, MAIL_RECIPIENT};
use malware::MALWARE;
use oidc::{OIDC, OIDC_SAMPLE};
use webhook::WEBHOOK;

/// A key that stands by itself.
const fn key(
    name: &'static str,
    kind: Kind,
    omitted: Omitted,
    unit: &'static str,
    what: &'static str,
) -> Key {
    Key {
        name,
        kind,
        omitted,
        unit,
        only: None,
        what,
    }
}

/// A table that stands once.
const fn table(name: &'static str, what: &'static str, keys: &'static [Key]) -> Section {
    Section {
        name,
        many: false,
        what,
        keys,
        sections: &[],
        sample: "",
    }
}

/// The whole file.
pub(super) const FILE: Section = Section {
    name: "",
    many: false,
    what: "At the top of the file.",
    keys: &[key(
        "version",
        Kind::Number(1, 1),
        Omitted::Required,
        "",
        "The version of this file's form.",
    )],
    sections: &[
        SITE,
        NODE,
        STORE,
        KEYS,
        TLS_SECTION,
        GATEWAY,
        LINK,
        DESTINATION,
        ROUTE,
        ENROLMENT,
        LEDGER,
        WITNESS,
        WEBHOOK,
        MAIL,
        MAIL_RECIPIENT,
        ADVISORIES,
        ADVISORY_SOURCE,
        MALWARE,
        RETENTION,
        BREAK_GLASS,
        CONSOLE,
        HTTP,
        LOG,
    ],
    sample: "",
};

const SITE: Section = table(
    "site",
    "The lab.",
    &[key(
        "name",
        Kind::Text,
        Omitted::Value("\"Laboratory\""),
        "",
        "What the lab is called; shown in certificates, 1 to 64 characters.",
    )],
);

const NODE: Section = table(
    "node",
    "This machine's part of the lab.",
    &[key(
        "name",
        Kind::Text,
        Omitted::Value("\"main\""),
        "",
        "What the node is called; the ledger's origin is made from it, so leave it as it is once \
         the ledger has begun.",
    )],
);

const STORE: Section = table(
    "store",
    "The embedded database.",
    &[
        key(
            "readers",
            Kind::Number(1, 64),
            Omitted::Value("4"),
            "connections",
            "Snapshots that can be read at the same time.",
        ),
        key(
            "queue_units",
            Kind::Number(256, 1_048_576),
            Omitted::Value("65536"),
            "units of work",
            "Changes that may wait for the disk; one more is refused, and its sender sends again.",
        ),
        key(
            "autocheckpoint_mib",
            Kind::Number(1, 1_024),
            Omitted::Value("8"),
            "MiB",
            "Length of the database's log after which a commit also moves it into the database.",
        ),
    ],
);

const KEYS: Section = table(
    "keys",
    "Where the root key may be opened from when the server starts. The place of each key file is \
     known from its slot; this is for files that were moved.",
    &[key(
        "files",
        Kind::Texts,
        Omitted::Value("[]"),
        "paths",
        "Key files that are tried besides. They never lie in the data folder.",
    )],
);

const TLS_SECTION: Section = table(
    "tls",
    "The server's own certificate, issued by the built-in authority and renewed by the server itself \
     when a third of its life is left, and when the end of any certificate is near.",
    &[
        key(
            "names",
            Kind::Texts,
            Omitted::Value("[]"),
            "host names, addresses",
            "By what name or address peers reach this node. Used whenever the certificate is issued; \
             empty means this machine's name and localhost. A change of it has another one issued.",
        ),
        key(
            "alarm_days",
            Kind::Numbers(1, 3_650),
            Omitted::Value("[30, 14, 7, 1]"),
            "days",
            "So long before the end of a peer's, a receiver's or the server's certificate there is a \
             finding, once for each of them.",
        ),
        key(
            "authority_alarm_days",
            Kind::Numbers(1, 3_650),
            Omitted::Value("[730, 365, 180, 90, 30, 14, 7, 1]"),
            "days",
            "The same for the built-in authority, whose end is the end of every certificate that it \
             issued.",
        ),
    ],
);

const LEDGER: Section = table(
    "ledger",
    "The tamper-evident ledger.",
    &[
        key(
            "origin",
            Kind::Text,
            Omitted::Unset(
                "`labward.local/` and the node's name",
                "\"labward.local/main\"",
            ),
            "",
            "The ledger's name in its checkpoints and of its key; never changed once it has begun.",
        ),
        key(
            "publish_seconds",
            Kind::Number(1, 86_400),
            Omitted::Value("60"),
            "seconds",
            "Between signed checkpoints while there is something new.",
        ),
    ],
);

const WITNESS: Section = Section {
    name: "witness",
    many: true,
    what: "A witness: somebody else who cosigns the ledger's checkpoints, so that nobody can be shown \
           a second history. It gets sizes and digests, never an entry.",
    keys: &[
        key(
            "name",
            Kind::Text,
            Omitted::Required,
            "",
            "What the lab calls it: 1 to 64 letters, digits, `-`, `_` or `.`.",
        ),
        key(
            "key",
            Kind::Text,
            Omitted::Required,
            "",
            "Its public key, as `labward ledger witness init` prints it: `name+id+base64`.",
        ),
        key(
            "address",
            Kind::Text,
            Omitted::Required,
            "host:port",
            "Where it listens, such as `\"witness.example:8443\"`.",
        ),
        key(
            "path",
            Kind::Text,
            Omitted::Value("\"\""),
            "",
            "What stands before `/add-checkpoint` in its URL, such as `\"/w1\"`.",
        ),
        key(
            "timeout_seconds",
            Kind::Number(1, 120),
            Omitted::Value("10"),
            "seconds",
            "How long one request may take; nothing else waits for it.",
        ),
    ],
    sections: &[WITNESS_TRANSPORT],
    sample: "[[witness]]\nname = \"partner\"\n\
             key = \"witness.example/w1+aaa5fcb8+BNkv2YTVOUnrpvjvoEFQc2+FvxIOVkjFWLyBfwz7u8IS\"\n\
             address = \"witness.example:8443\"\ntransport = { mode = \"mutual-tls\", peer = \"partner\" }\n",
};

const WITNESS_TRANSPORT: Section = Section {
    what: "How the line to the witness is protected. Without this table: mutual TLS.",
    ..TARGET_TRANSPORT
};

const RETENTION: Section = table(
    "retention",
    "How long records are retained. The times are only ever lengthened; the ledger is retained for \
     ever.",
    &[
        key(
            "results_years",
            Kind::Number(0, 1_000),
            Omitted::Value("7"),
            "years",
            "Results and everything that is not pathology; at least 7.",
        ),
        key(
            "pathology_years",
            Kind::Number(0, 1_000),
            Omitted::Value("10"),
            "years",
            "Surgical pathology, cytopathology and autopsy; at least 10.",
        ),
    ],
);

const BREAK_GLASS: Section = table(
    "break_glass",
    "Emergency access (45 CFR 164.312(a)(2)(ii)): reading for a patient who cannot wait, also while the \
     ledger cannot be written.",
    &[
        key(
            "minutes",
            Kind::Number(1, 480),
            Omitted::Value("30"),
            "minutes",
            "How long one emergency access lasts at most.",
        ),
        key(
            "review_days",
            Kind::Number(1, 30),
            Omitted::Value("3"),
            "days",
            "Within how many days a second person reviews it; later is a finding.",
        ),
    ],
);

const ENROLMENT: Section = table(
    "enrolment",
    "Where an edge shows its one-time code, over TLS with the server's certificate. The door is \
     open only while a code holds.",
    &[key(
        "listen",
        Kind::Text,
        Omitted::Unset("none: no edge can enrol", "\"0.0.0.0:2580\""),
        "address:port",
        "Where it listens meanwhile.",
    )],
);

const CONSOLE: Section = Section {
    name: "console",
    many: false,
    what: "The web console for the people of the lab, over TLS with the server's certificate; they sign in \
     after an invitation (labward person invite).",
    keys: &[
        key(
            "listen",
            Kind::Text,
            Omitted::Unset("none: there is no console", "\"127.0.0.1:8443\""),
            "address:port",
            "Where it listens.",
        ),
        key(
            "idle_minutes",
            Kind::Number(1, 240),
            Omitted::Value("15"),
            "minutes",
            "How long a session lasts without a request (45 CFR 164.312(a)(2)(iii)).",
        ),
        key(
            "session_hours",
            Kind::Number(1, 24),
            Omitted::Value("12"),
            "hours",
            "How long a session lasts altogether.",
        ),
    ],
    sections: &[OIDC],
    sample: OIDC_SAMPLE,
};

const HTTP: Section = table(
    "http",
    "The admin socket `run/admin.sock` in the data folder: the door of the command line.",
    &[key(
        "socket_group",
        Kind::Text,
        Omitted::Unset("none: the server's own account only", "\"labward\""),
        "",
        "The group of the operating system whose members may connect; who they are is known by \
         their account.",
    )],
);

const LOG: Section = table(
    "log",
    "What the server writes to standard error; never a patient's data.",
    &[
        key(
            "level",
            Kind::Choice(&["error", "warn", "info", "debug", "trace"]),
            Omitted::Value("\"info\""),
            "",
            "How much is written.",
        ),
        key(
            "format",
            Kind::Choice(&["text", "json"]),
            Omitted::Value("\"text\""),
            "",
            "One line of text for a person, or one JSON object a line for a machine.",
        ),
    ],
);

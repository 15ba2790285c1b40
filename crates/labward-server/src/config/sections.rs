//! Every key of the configuration: its kind, default, unit and meaning, once.
//!
//! A default stands here for people and beside its type for the program; a test holds the two
//! together. A key is never given another meaning: the next version of the file is for that.

use super::schema::{Key, Kind, Omitted, Section};

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

/// A key that means something only beside another key with this value.
const fn only(beside: (&'static str, &'static str), key: Key) -> Key {
    Key {
        only: Some(beside),
        ..key
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

const PLAIN: (&str, &str) = ("mode", "plain");
const MLLP: (&str, &str) = ("kind", "mllp");
const FILE_DROP: (&str, &str) = ("kind", "file-drop");
const TLS: (&str, &str) = ("mode", "mutual-tls");

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
        RETENTION,
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

const GATEWAY: Section = table(
    "gateway",
    "What all links share.",
    &[
        key(
            "runtimes",
            Kind::Number(1, 64),
            Omitted::Value("2"),
            "threads",
            "Threads for sockets, TLS, parsing and sealing.",
        ),
        key(
            "drain_seconds",
            Kind::Number(0, 3_600),
            Omitted::Value("10"),
            "seconds",
            "How long messages in flight may take when the gateway stops.",
        ),
    ],
);

const LINK: Section = Section {
    name: "link",
    many: true,
    what: "A link: one listener, and the rules for what comes in through it.",
    keys: &[
        key(
            "name",
            Kind::Text,
            Omitted::Required,
            "",
            "The link's name in facts and status: 1 to 64 letters, digits, `-`, `_` or `.`.",
        ),
        key(
            "listen",
            Kind::Text,
            Omitted::Required,
            "address:port",
            "Where it listens, such as `\"192.0.2.10:2575\"`; port 0 takes any free one.",
        ),
        key(
            "framing",
            Kind::Choice(&["mllp", "mllp-release-2", "astm", "edge"]),
            Omitted::Value("\"mllp\""),
            "",
            "How messages are framed; `edge` is for Labward beside devices without TLS.",
        ),
        key(
            "peer",
            Kind::Text,
            Omitted::Unset("none", "\"xn550\""),
            "",
            "The peer on a plain link, by name; without it the address says it. Over mutual TLS \
             the certificate says it, and a name here admits that peer only.",
        ),
        key(
            "acknowledge",
            Kind::Choice(&["by-message", "enhanced", "aa-only", "always"]),
            Omitted::Value("\"by-message\""),
            "",
            "How HL7 messages are acknowledged. `by-message`: original mode, or enhanced mode \
             where MSH-15 or MSH-16 is valued. `enhanced`: where they are empty they count as AL. \
             `aa-only`: one AA, AE or AR a message, if MSH-16 wants it. `always`: one AA, AE or AR \
             a message, whatever they say.",
        ),
        key(
            "same_id_other_content",
            Kind::Choice(&["hold", "deliver"]),
            Omitted::Value("\"hold\""),
            "",
            "What happens to a message with a known control id and another body.",
        ),
        key(
            "batch",
            Kind::Choice(&["per-message", "whole"]),
            Omitted::Value("\"per-message\""),
            "",
            "Whether the messages of an FHS/BHS batch are answered one by one or as one.",
        ),
        key(
            "strictness",
            Kind::Choice(&["lenient", "strict"]),
            Omitted::Value("\"lenient\""),
            "",
            "Whether small framing faults are passed over and recorded, or end the connection.",
        ),
        key(
            "one_connection",
            Kind::Flag,
            Omitted::Value("false"),
            "",
            "Whether a peer has one connection, so that a new one replaces the old: devices reboot \
             without closing.",
        ),
        key(
            "authority",
            Kind::Text,
            Omitted::Unset("the peer's, else none", "\"LAB\""),
            "",
            "The assigning authority of patient identifiers that name none.",
        ),
    ],
    sections: &[LINK_TRANSPORT, LIMITS],
    sample: "[[link]]\nname = \"chemistry\"\nlisten = \"0.0.0.0:2575\"\nframing = \"mllp\"\n\n\
             [[link]]\nname = \"hematology\"\nlisten = \"127.0.0.1:4010\"\nframing = \"astm\"\n\
             peer = \"xn550\"\ntransport = { mode = \"plain\" }\n",
};

const LINK_TRANSPORT: Section = table(
    "transport",
    "How the link is protected. Without this table: mutual TLS.",
    &[
        key(
            "mode",
            Kind::Choice(&["mutual-tls", "plain"]),
            Omitted::Required,
            "",
            "`plain` is for loopback, or a named exception with a reason, an owner and an end; \
             each is a finding.",
        ),
        only(
            PLAIN,
            key(
                "reason",
                Kind::Text,
                Omitted::Unset(
                    "none; required off loopback",
                    "\"the analyzer knows no TLS\"",
                ),
                "",
                "Why this link cannot be encrypted.",
            ),
        ),
        only(
            PLAIN,
            key(
                "owner",
                Kind::Text,
                Omitted::Unset(
                    "none; required off loopback",
                    "\"J. Doe, laboratory manager\"",
                ),
                "",
                "Who answers for the exception.",
            ),
        ),
        only(
            PLAIN,
            key(
                "expires",
                Kind::Text,
                Omitted::Unset("none; required off loopback", "\"2027-06-30\""),
                "YYYY-MM-DD",
                "The exception's last day, in UTC.",
            ),
        ),
        only(
            PLAIN,
            key(
                "from_addresses",
                Kind::Texts,
                Omitted::Value("[]"),
                "addresses",
                "The source addresses that are accepted; required off loopback.",
            ),
        ),
    ],
);

const LIMITS: Section = table(
    "limits",
    "What one link takes at most. A limit never loses a message.",
    &[
        key(
            "max_connections",
            Kind::Number(1, 1_000_000),
            Omitted::Value("1024"),
            "connections",
            "Connections open at the same time on this link.",
        ),
        key(
            "max_connections_per_address",
            Kind::Number(1, 1_000_000),
            Omitted::Value("256"),
            "connections",
            "Connections open at the same time from one source address.",
        ),
        key(
            "handshake_seconds",
            Kind::Number(1, 3_600),
            Omitted::Value("10"),
            "seconds",
            "From a connection's begin to the end of its TLS handshake.",
        ),
        key(
            "frame_seconds",
            Kind::Number(1, 3_600),
            Omitted::Value("30"),
            "seconds",
            "From the first byte of a frame to its last.",
        ),
        key(
            "max_message_bytes",
            Kind::Number(1_024, 67_108_864),
            Omitted::Value("16777216"),
            "bytes",
            "The longest message.",
        ),
        key(
            "messages_per_second",
            Kind::Number(0, 1_000_000),
            Omitted::Value("0"),
            "messages/s",
            "Past this rate the gateway reads more slowly and loses nothing; 0 means no limit.",
        ),
        key(
            "burst_messages",
            Kind::Number(1, 1_000_000),
            Omitted::Value("100"),
            "messages",
            "How many may come at once before `messages_per_second` slows them.",
        ),
        key(
            "noise_seconds",
            Kind::Number(1, 3_600),
            Omitted::Value("10"),
            "seconds",
            "How long unframed bytes, silence or a half-open exchange on a plain link may last.",
        ),
        key(
            "window_messages",
            Kind::Number(0, 100_000_000),
            Omitted::Value("1000000"),
            "messages",
            "Messages of the duplicate window in memory.",
        ),
        key(
            "window_days",
            Kind::Number(0, 3_650),
            Omitted::Value("7"),
            "days",
            "How far the duplicate window reaches back.",
        ),
    ],
);

const DESTINATION: Section = Section {
    name: "destination",
    many: true,
    what: "A destination: where messages are delivered to, and what follows when it does not take \
           them.",
    keys: &[
        key(
            "name",
            Kind::Text,
            Omitted::Required,
            "",
            "The destination's name in routes, facts and status: 1 to 64 letters, digits, `-`, `_` \
             or `.`.",
        ),
        key(
            "connections",
            Kind::Number(1, 64),
            Omitted::Value("1"),
            "connections",
            "Connections used at the same time; each has one message in flight, and at a crash \
             each may send one message twice. Messages of one patient never overtake each other.",
        ),
        key(
            "ack_seconds",
            Kind::Number(1, 3_600),
            Omitted::Value("30"),
            "seconds",
            "How long an acknowledgement is waited for.",
        ),
        key(
            "connect_seconds",
            Kind::Number(1, 3_600),
            Omitted::Value("10"),
            "seconds",
            "How long a connection with its handshake is waited for.",
        ),
        key(
            "wait_for_application_ack",
            Kind::Flag,
            Omitted::Value("false"),
            "",
            "Whether a commit acknowledgement (CA) only begins the wait for the application's (AA, \
             AE, AR) where the message asks for one; otherwise CA means delivered.",
        ),
    ],
    sections: &[TARGET, ON, RETRY],
    sample: "[[destination]]\nname = \"ehr\"\n\
             target = { kind = \"mllp\", address = \"ehr.example:2575\" }\n",
};

const TARGET: Section = Section {
    name: "target",
    many: false,
    what: "Where the destination is. Required.",
    keys: &[
        key(
            "kind",
            Kind::Choice(&["mllp", "file-drop"]),
            Omitted::Required,
            "",
            "`mllp`: an HL7 receiver. `file-drop`: files encrypted to a recipient, one a message.",
        ),
        only(
            MLLP,
            key(
                "address",
                Kind::Text,
                Omitted::Required,
                "host:port",
                "The receiver, such as `\"ehr.example:2575\"`.",
            ),
        ),
        only(
            MLLP,
            key(
                "framing",
                Kind::Choice(&["mllp", "mllp-release-2"]),
                Omitted::Value("\"mllp\""),
                "",
                "How messages are framed.",
            ),
        ),
        only(
            FILE_DROP,
            key(
                "folder",
                Kind::Text,
                Omitted::Required,
                "path",
                "The folder that the files are written to.",
            ),
        ),
        only(
            FILE_DROP,
            key(
                "recipient",
                Kind::Text,
                Omitted::Required,
                "",
                "The recipient's age public key, `\"age1…\"`.",
            ),
        ),
    ],
    sections: &[TARGET_TRANSPORT],
    sample: "",
};

const TARGET_TRANSPORT: Section = table(
    "transport",
    "How the line to an HL7 receiver is protected. Without this table: mutual TLS.",
    &[
        key(
            "mode",
            Kind::Choice(&["mutual-tls", "plain"]),
            Omitted::Required,
            "",
            "`plain` is for loopback, or a named exception with a reason, an owner and an end; \
             each is a finding.",
        ),
        only(
            TLS,
            key(
                "server_name",
                Kind::Text,
                Omitted::Unset("the host of the address", "\"ehr.example\""),
                "",
                "The name in the receiver's certificate.",
            ),
        ),
        only(
            TLS,
            key(
                "spki_sha256",
                Kind::Text,
                Omitted::Unset(
                    "none",
                    "\"0000000000000000000000000000000000000000000000000000000000000000\"",
                ),
                "64 hex digits",
                "The SHA-256 of the receiver's public key (SubjectPublicKeyInfo), which must be a \
                 known peer's; its name then does not matter.",
            ),
        ),
        only(
            TLS,
            key(
                "peer",
                Kind::Text,
                Omitted::Unset("none", "\"ehr\""),
                "",
                "The peer that the receiver is, by its name in `labward peer list`: the same pin \
                 without its digits.",
            ),
        ),
        only(
            TLS,
            key(
                "ca",
                Kind::Text,
                Omitted::Unset(
                    "none: only Labward's own authority may",
                    "\"/etc/ssl/ehr.pem\"",
                ),
                "path",
                "A PEM file with the authorities that may have issued the receiver's certificate.",
            ),
        ),
        only(
            PLAIN,
            key(
                "reason",
                Kind::Text,
                Omitted::Unset(
                    "none; required off loopback",
                    "\"the analyzer knows no TLS\"",
                ),
                "",
                "Why this line cannot be encrypted.",
            ),
        ),
        only(
            PLAIN,
            key(
                "owner",
                Kind::Text,
                Omitted::Unset(
                    "none; required off loopback",
                    "\"J. Doe, laboratory manager\"",
                ),
                "",
                "Who answers for the exception.",
            ),
        ),
        only(
            PLAIN,
            key(
                "expires",
                Kind::Text,
                Omitted::Unset("none; required off loopback", "\"2027-06-30\""),
                "YYYY-MM-DD",
                "The exception's last day, in UTC.",
            ),
        ),
    ],
);

const POLICY: Kind = Kind::Choice(&["retry", "hold", "stop"]);

const ON: Section = table(
    "on",
    "What follows each kind of failure. `retry`: the message is sent again until the limit. \
     `hold`: it waits for a person, as do later ones of its patient; all others go on. `stop`: nothing more goes there until \
     a person says so.",
    &[
        key(
            "error",
            POLICY,
            Omitted::Value("\"retry\""),
            "",
            "After AE or CE: the receiver could not process the message.",
        ),
        key(
            "reject",
            POLICY,
            Omitted::Value("\"hold\""),
            "",
            "After AR or CR: the receiver refuses the message.",
        ),
        key(
            "timeout",
            POLICY,
            Omitted::Value("\"retry\""),
            "",
            "After no, a late or a foreign acknowledgement, or a lost connection.",
        ),
    ],
);

const RETRY: Section = table(
    "retry",
    "How retries are spaced, and when they end.",
    &[
        key(
            "first_ms",
            Kind::Number(1, 86_400_000),
            Omitted::Value("1000"),
            "milliseconds",
            "Before the first retry; each wait is twice the one before.",
        ),
        key(
            "max_ms",
            Kind::Number(1, 86_400_000),
            Omitted::Value("300000"),
            "milliseconds",
            "Between retries at most.",
        ),
        key(
            "max_attempts",
            Kind::Number(0, 1_000_000),
            Omitted::Value("20"),
            "attempts",
            "Attempts answered with AE or CE after which the message becomes a dead letter; 0 \
             means never.",
        ),
        key(
            "max_hours",
            Kind::Number(0, 87_600),
            Omitted::Value("0"),
            "hours",
            "Hours without a connection or an answer after which a message becomes a dead letter; \
             0 means never: a receiver may be down for as long as it likes.",
        ),
    ],
);

const ROUTE: Section = Section {
    name: "route",
    many: true,
    what: "A route: which messages go to which destinations. A message goes to the destinations of \
           every route that fits; one that no route fits is kept and goes nowhere.",
    keys: &[
        key(
            "types",
            Kind::Texts,
            Omitted::Required,
            "",
            "Message types such as `\"ORU^R01\"`, `\"ADT^*\"` or `\"*\"`; `\"ASTM\"` for ASTM \
             messages, which only a file drop takes.",
        ),
        key(
            "from",
            Kind::Texts,
            Omitted::Value("[\"*\"]"),
            "",
            "Names of the sending peers, exact or ending in `*`.",
        ),
        key(
            "links",
            Kind::Texts,
            Omitted::Value("[]"),
            "",
            "The links that it holds for; empty means every link.",
        ),
        key(
            "to",
            Kind::Texts,
            Omitted::Required,
            "",
            "The destinations, by name.",
        ),
    ],
    sections: &[],
    sample: "[[route]]\ntypes = [\"ORU^*\"]\nto = [\"ehr\"]\n",
};

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

const CONSOLE: Section = table(
    "console",
    "The web console for the people of the lab, over TLS with the server's certificate; they sign in \
     after an invitation (labward person invite).",
    &[
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
);

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

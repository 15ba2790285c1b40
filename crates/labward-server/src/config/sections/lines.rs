//! The keys of what comes in and goes out: gateway, links, destinations, routes.

use super::{Key, Kind, Omitted, Section, key, table};

/// A key that means something only beside another key with this value.
const fn only(beside: (&'static str, &'static str), key: Key) -> Key {
    Key {
        only: Some(beside),
        ..key
    }
}

const PLAIN: (&str, &str) = ("mode", "plain");
const MLLP: (&str, &str) = ("kind", "mllp");
const FILE_DROP: (&str, &str) = ("kind", "file-drop");
const TLS: (&str, &str) = ("mode", "mutual-tls");

pub(super) const GATEWAY: Section = table(
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

pub(super) const LINK: Section = Section {
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
    sections: &[LINK_TRANSPORT, LINK_INSPECT, LIMITS],
    sample: "[[link]]\nname = \"chemistry\"\nlisten = \"0.0.0.0:2575\"\nframing = \"mllp\"\n\n\
             [[link]]\nname = \"hematology\"\nlisten = \"127.0.0.1:4010\"\nframing = \"astm\"\n\
             peer = \"xn550\"\ntransport = { mode = \"plain\" }\n",
};

const FOUND: Kind = Kind::Choice(&["pass", "replace", "hold"]);

const LINK_INSPECT: Section = table(
    "inspect",
    "What is done with a message in which something was found. `replace`: it is taken out and the rest is delivered, with \
     a notice and a comment in its place; where it cannot be taken out the message is held. `hold`: the message waits for \
     a person, without what was found. The whole original lies sealed in quarantine either way. `pass`: it is delivered \
     and recorded.",
    &[
        key(
            "malicious",
            Kind::Choice(&["replace", "hold"]),
            Omitted::Value("\"replace\""),
            "",
            "With malware.",
        ),
        key(
            "suspicious",
            FOUND,
            Omitted::Value("\"pass\""),
            "",
            "With what may be malware.",
        ),
        key(
            "unscannable",
            FOUND,
            Omitted::Value("\"pass\""),
            "",
            "With what could not be looked into, such as an encrypted document.",
        ),
        key(
            "failed",
            Kind::Choice(&["pass", "hold"]),
            Omitted::Value("\"pass\""),
            "",
            "While nobody can look: `pass` delivers it, and it is looked at later; `hold` keeps it as it is for a person.",
        ),
    ],
);

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

pub(super) const DESTINATION: Section = Section {
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

pub(super) const TARGET_TRANSPORT: Section = table(
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

pub(super) const ROUTE: Section = Section {
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

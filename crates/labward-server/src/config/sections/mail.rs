//! The keys of `[mail]` and `[[mail_recipient]]`.

use super::{Key, Kind, Omitted, Section, key};

/// The server that takes the lab's mails.
pub(super) const MAIL: Section = Section {
    name: "mail",
    many: false,
    what: "The server that takes the reminders by e-mail. Without this table no mail is sent.",
    keys: &[
        key(
            "server",
            Kind::Text,
            Omitted::Required,
            "",
            "The submission server's host name or address, such as `\"smtp.lab.example\"`.",
        ),
        key(
            "port",
            Kind::Number(1, 65_535),
            Omitted::Unset("465 with implicit TLS, 587 with STARTTLS, else 25", "587"),
            "",
            "Its port.",
        ),
        key(
            "tls",
            Kind::Choice(&["implicit", "starttls", "none"]),
            Omitted::Value("\"implicit\""),
            "",
            "How the line to it is protected: TLS from the first byte, or a plain greeting and then \
             STARTTLS, without which nothing is sent. `none` is for a server on this machine alone.",
        ),
        key(
            "ca_file",
            Kind::Text,
            Omitted::Unset(
                "the authorities that this machine trusts",
                "\"/etc/labward/mail-ca.pem\"",
            ),
            "path",
            "Authorities that its certificate may be from instead, in PEM; read before each attempt.",
        ),
        key(
            "user",
            Kind::Text,
            Omitted::Unset("Labward does not sign in there", "\"labward\""),
            "",
            "As whom Labward signs in there (AUTH PLAIN or LOGIN).",
        ),
        key(
            "password_file",
            Kind::Text,
            Omitted::Unset("none", "\"/etc/labward/mail-password\""),
            "path",
            "A file with the password, for the server's account alone (mode 0600) and never in the data \
             folder. Read before each attempt, so that it can be replaced at any time.",
        ),
        key(
            "from",
            Kind::Text,
            Omitted::Required,
            "",
            "From whom the mails are, such as `\"Labward <labward@lab.example>\"`.",
        ),
        key(
            "language",
            Kind::Choice(&["en", "es"]),
            Omitted::Value("\"en\""),
            "",
            "The language of recipients that name none.",
        ),
        key(
            "timeout_seconds",
            Kind::Number(1, 120),
            Omitted::Value("30"),
            "seconds",
            "How long one attempt may take, from the name to the last answer; nothing else waits for it.",
        ),
    ],
    sections: &[],
    sample: "[mail]\nserver = \"smtp.lab.example\"\nuser = \"labward\"\n\
             password_file = \"/etc/labward/mail-password\"\nfrom = \"Labward <labward@lab.example>\"\n",
};

const KEYS: &[Key] = &[
    key(
        "name",
        Kind::Text,
        Omitted::Required,
        "",
        "What the lab calls them: 1 to 64 letters, digits, `-`, `_` or `.`. It stands in the ledger and \
         the log in place of the address.",
    ),
    key(
        "address",
        Kind::Text,
        Omitted::Required,
        "",
        "Where the mails go, such as `\"manager@lab.example\"`.",
    ),
    key(
        "what",
        Kind::Texts,
        Omitted::Value("[\"due\", \"findings\", \"alerts\"]"),
        "",
        "What they are reminded of: `due` vulnerabilities of devices, `findings` of labward check, \
         `alerts` of devices that talk to somebody whom nobody expected.",
    ),
    key(
        "language",
        Kind::Choice(&["en", "es"]),
        Omitted::Unset("that of [mail]", "\"es\""),
        "",
        "Their language.",
    ),
    key(
        "hour",
        Kind::Number(0, 23),
        Omitted::Value("7"),
        "hours",
        "From which hour of the day on, by this machine's time zone. A server that was off then sends \
         later on the same day.",
    ),
    key(
        "days",
        Kind::Texts,
        Omitted::Value("[\"monday\", \"tuesday\", \"wednesday\", \"thursday\", \"friday\"]"),
        "",
        "On which days.",
    ),
    key(
        "within_days",
        Kind::Number(0, 90),
        Omitted::Value("7"),
        "days",
        "So many days before its last day a vulnerability is mentioned.",
    ),
    key(
        "weekly",
        Kind::Flag,
        Omitted::Value("false"),
        "",
        "Whether, after seven days without a mail, one says that nothing is due, so that silence can be \
         told from failure.",
    ),
    key(
        "details",
        Kind::Flag,
        Omitted::Value("true"),
        "",
        "Whether the mail names devices, vulnerabilities and findings. Without it, it only counts them: \
         mails are read on machines that are not yours.",
    ),
];

/// Somebody who must act.
pub(super) const MAIL_RECIPIENT: Section = Section {
    name: "mail_recipient",
    many: true,
    what: "Somebody who must act, and is reminded by e-mail once a day at most, and only if there is \
           something to do; never about a patient.",
    keys: KEYS,
    sections: &[],
    sample: "[[mail_recipient]]\nname = \"manager\"\naddress = \"manager@lab.example\"\nweekly = true\n",
};

//! The keys of `[[webhook]]`.

use super::{Key, Kind, Omitted, Section, key};

const KEYS: &[Key] = &[
    key(
        "name",
        Kind::Text,
        Omitted::Required,
        "",
        "What the lab calls it: 1 to 64 letters, digits, `-`, `_` or `.`. A webhook with another name \
         is another one, with a secret of its own.",
    ),
    key(
        "url",
        Kind::Text,
        Omitted::Required,
        "",
        "Where events are posted to, such as `\"https://alarm.example/labward\"`. `http` is taken for \
         this machine alone. Redirections are not followed.",
    ),
    key(
        "events",
        Kind::Texts,
        Omitted::Value("[\"*\"]"),
        "",
        "The events that it is told about, as docs/guide/webhooks.md lists them; `\"*\"` is all.",
    ),
    key(
        "ca_file",
        Kind::Text,
        Omitted::Unset(
            "the authorities that this machine trusts",
            "\"/etc/labward/alarm-ca.pem\"",
        ),
        "path",
        "Authorities that its certificate may be from instead, in PEM; read before each attempt.",
    ),
    key(
        "timeout_seconds",
        Kind::Number(1, 120),
        Omitted::Value("10"),
        "seconds",
        "How long one request may take; nothing else waits for it.",
    ),
    key(
        "give_up_days",
        Kind::Number(1, 30),
        Omitted::Value("5"),
        "days",
        "After so long without a success it is given up, with a finding, until a person lets it go on \
         (labward webhook resume).",
    ),
];

/// A receiver of events.
pub(super) const WEBHOOK: Section = Section {
    name: "webhook",
    many: true,
    what: "A receiver of signed events about this installation, never about a patient: a finding, a \
           message that is held, an emergency access. It is told of what happens from now on, once it \
           has a secret (labward webhook secret).",
    keys: KEYS,
    sections: &[],
    sample: "[[webhook]]\nname = \"alarm\"\nurl = \"https://alarm.example/labward\"\n\
             events = [\"finding.raised\", \"finding.cleared\", \"break-glass.opened\"]\n",
};

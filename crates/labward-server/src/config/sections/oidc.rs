//! The keys of the identity provider.

use super::{Key, Kind, Omitted, Section, key, table};

/// `[console.oidc]`.
pub(super) const OIDC: Section = Section {
    name: "oidc",
    many: false,
    what: "The lab's identity provider: people sign in there (OpenID Connect) instead of with a \
           password of Labward. Without this table nobody does. Passwords go on working beside it. \
           Register Labward there as a web application with the redirect address \
           `https://NAME:PORT/sign-in/provider/callback`, where NAME is the first of `tls.names`.",
    keys: &[
        key(
            "name",
            Kind::Text,
            Omitted::Required,
            "",
            "What the sign-in page calls it, 1 to 64 characters.",
        ),
        key(
            "issuer",
            Kind::Text,
            Omitted::Required,
            "URL",
            "Its issuer, exactly as it names itself; begins with `https://`.",
        ),
        key(
            "client_id",
            Kind::Text,
            Omitted::Required,
            "",
            "What Labward is called there.",
        ),
        key(
            "client_secret_file",
            Kind::Text,
            Omitted::Required,
            "path",
            "A file with the secret that the provider gave for it; for the server's account alone \
             (mode 0600). Read at each sign-in, so that it can be replaced at any time.",
        ),
        key(
            "ca_file",
            Kind::Text,
            Omitted::Unset("the machine's own authorities", "\"/etc/ssl/lab-ca.pem\""),
            "path",
            "Certificates, in PEM form, of the authorities that the provider's certificate may be \
             from; then no other is trusted.",
        ),
        key(
            "scopes",
            Kind::Texts,
            Omitted::Value("[\"profile\", \"email\"]"),
            "",
            "What is asked for beside `openid`; some providers want `groups` here.",
        ),
        key(
            "account",
            Kind::Choice(&["email", "username"]),
            Omitted::Value("\"email\""),
            "",
            "By what an account is recognized at its first sign-in: the verified e-mail address, or \
             the user name (`preferred_username`). Afterwards only the provider's own number for it \
             counts.",
        ),
        key(
            "groups_claim",
            Kind::Text,
            Omitted::Value("\"groups\""),
            "",
            "The claim that lists a person's groups.",
        ),
        key(
            "adds_people",
            Kind::Flag,
            Omitted::Value("false"),
            "",
            "Whether somebody with a mapped group who is not known here is added at the first \
             sign-in. Otherwise an administrator links people first (labward person link).",
        ),
    ],
    sections: &[GROUPS],
    sample: "",
};

const fn role(name: &'static str, what: &'static str) -> Key {
    key(name, Kind::Texts, Omitted::Value("[]"), "groups", what)
}

const GROUPS: Section = table(
    "groups",
    "Which groups of the provider have which role here. Who is in none of them cannot enter; who is in \
     several has several roles. The roles follow the groups at each sign-in. A role without a group is \
     never given by the provider.",
    &[
        role("administrator", "Groups whose members are administrators."),
        role(
            "security-officer",
            "Groups whose members are security officers.",
        ),
        role("lab-manager", "Groups whose members are lab managers."),
        role("clinical-staff", "Groups whose members are clinical staff."),
        role("it", "Groups whose members are IT."),
        role("expert", "Groups whose members are outside experts."),
    ],
);

/// How the two tables are used.
pub(super) const OIDC_SAMPLE: &str = "[console.oidc]\nname = \"Clinic account\"\n\
     issuer = \"https://id.example\"\nclient_id = \"labward\"\n\
     client_secret_file = \"/etc/labward/oidc-secret\"\n\
     groups = { lab-manager = [\"lab-leads\"], clinical-staff = [\"lab-staff\"] }\n";

//! The keys of `[advisories]` and `[[advisory_source]]`.

use super::{Key, Kind, Omitted, Section, key, table};

const fn days(name: &'static str, omitted: &'static str, what: &'static str) -> Key {
    key(
        name,
        Kind::Number(1, 730),
        Omitted::Value(omitted),
        "days",
        what,
    )
}

/// What holds for all advisories.
pub(super) const ADVISORIES: Section = table(
    "advisories",
    "Whose signatures count, how old a source may be, and how long a hit may take by its urgency.",
    &[
        days(
            "critical_days",
            "15",
            "Days that a critical hit may take; 15 is what the rule proposed on 2025-01-06 says.",
        ),
        days(
            "high_days",
            "30",
            "Days that a high one may take; 30 is what the rule proposed on 2025-01-06 says.",
        ),
        days("medium_days", "90", "Days that a medium one may take."),
        days("low_days", "180", "Days that a low one may take."),
        days(
            "soon_days",
            "7",
            "So many days before its last day a hit is due soon.",
        ),
        key(
            "follow_kev",
            Kind::Flag,
            Omitted::Value("true"),
            "",
            "Whether the due days of CISA's catalog of known exploited vulnerabilities count where they \
             are earlier; they bind federal agencies.",
        ),
        days(
            "max_age_days",
            "30",
            "A source that was not looked into for longer is stale, which is a finding.",
        ),
        key(
            "signing_keys",
            Kind::Texts,
            Omitted::Value("[]"),
            "paths",
            "Files with OpenPGP keys of publishers whose fingerprints you compared; read before each \
             import. What is signed by another key is taken over as unsigned.",
        ),
        key(
            "bundle_keys",
            Kind::Texts,
            Omitted::Value("[]"),
            "paths",
            "Files with minisign keys by which bundles of documents are signed; read before each import.",
        ),
    ],
);

/// Where advisories come from by themselves.
pub(super) const ADVISORY_SOURCE: Section = Section {
    name: "advisory_source",
    many: true,
    what: "Where advisories come from by themselves: a folder that is read, or a file, an archive or a list \
           of documents that is fetched. Either folder or url.",
    keys: &[
        key(
            "name",
            Kind::Text,
            Omitted::Required,
            "",
            "What the lab calls it: 1 to 40 letters, digits, hyphens and dots.",
        ),
        key(
            "folder",
            Kind::Text,
            Omitted::Unset("no folder", "\"/srv/advisories\""),
            "path",
            "The folder that documents and archives are put into, with their .sha512 and .asc beside them; \
             the folders in it are read, too.",
        ),
        key(
            "url",
            Kind::Text,
            Omitted::Unset(
                "nothing is fetched",
                "\"https://advisories.example/kev.json\"",
            ),
            "",
            "The file or archive that is fetched over HTTPS; or a CSAF provider's provider-metadata.json, a \
             ROLIE feed, or changes.csv or index.txt of a directory (also the directory itself, with a / at \
             its end), of which only documents that are new or changed are fetched, with the hashes and \
             signatures beside them.",
        ),
        key(
            "hosts",
            Kind::Texts,
            Omitted::Value("[]"),
            "",
            "Machines beside that of the url that lists and redirections may lead to, as name or name:port. \
             No other machine is asked.",
        ),
        key(
            "ca_file",
            Kind::Text,
            Omitted::Unset("no other authority", "\"/etc/labward/mirror-ca.pem\""),
            "path",
            "Authorities that certificates may be from beside those that this machine trusts, in PEM; read \
             before each look.",
        ),
        key(
            "timeout_seconds",
            Kind::Number(1, 3600),
            Omitted::Value("300"),
            "seconds",
            "How long one request may take altogether, from the first byte to the last.",
        ),
        key(
            "every_hours",
            Kind::Number(1, 720),
            Omitted::Value("24"),
            "hours",
            "How often it is looked into.",
        ),
    ],
    sections: &[],
    sample: "[[advisory_source]]\nname = \"cisa\"\nfolder = \"/srv/advisories\"\n",
};

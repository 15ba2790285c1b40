//! The one table of lists that can be taken out: what makes a page of each, and its columns.
//!
//! It must never name a list whose pages are not those of an endpoint of the API: the permission is
//! that endpoint's, and so is the answer. Columns are the members of the answer, in an order that
//! stays; one that is new is added at the end.

use labward_identity::Permission;
use serde_json::{Map, Value};

use super::super::call::{Answer, Call};
use super::super::failure::Failure;
use super::super::{
    account, advisory, approval, behaviour, check, device, disclosure, entries, glass, hit,
    integrity, malware, message, patient, peer, safeguard, session, status, webhook,
};
use super::columns;

/// One list.
pub(super) struct List {
    /// What it is called in the path.
    pub(super) name: &'static str,
    /// The endpoint whose pages it is made of.
    pub(super) endpoint: &'static str,
    /// What is needed to see it.
    pub(super) permission: Permission,
    /// What is needed besides, where it holds what is in records.
    pub(super) also: Option<Permission>,
    /// Answers one page.
    pub(super) page: fn(&Call) -> Result<Answer, Failure>,
    /// The rows of an answer.
    pub(super) rows: fn(&Value) -> Vec<Value>,
    /// Rows of one page, where it has pages.
    pub(super) page_rows: Option<u64>,
    /// Where the first page begins, where that has to be said.
    pub(super) first: Option<u64>,
    /// Where the next page begins.
    pub(super) next: Next,
    /// The members of the endpoint's filter that choose rows.
    pub(super) filter: &'static [&'static str],
    /// Values of the filter that may stand in the name of a file.
    pub(super) shown_values: &'static [&'static str],
    /// The columns, as dotted paths into a row.
    pub(super) columns: &'static [&'static str],
}

/// How the next page is asked for.
#[derive(Clone, Copy)]
pub(super) enum Next {
    /// There is one page.
    None,
    /// `before` is this member of the last row; a page without a row is the last.
    Row(&'static str),
    /// `before` is `next` of the answer; without it the page is the last.
    Said,
    /// `skip` is `next` of the answer; without it the page is the last.
    Skipped,
}

impl List {
    /// Whether it is of one patient.
    pub(super) const fn is_of_patient(&self) -> bool {
        matches!(
            self.endpoint.as_bytes(),
            [b'p', b'a', b't', b'i', b'e', b'n', b't', b's', ..]
        )
    }
}

impl Next {
    /// The member of the request that says where a page begins.
    pub(super) const fn member(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Row(_) | Self::Said => Some("before"),
            Self::Skipped => Some("skip"),
        }
    }

    /// Where the page behind this answer begins.
    pub(super) fn after(self, answer: &Value, rows: &[Value]) -> Option<u64> {
        match self {
            Self::None => None,
            Self::Row(member) => rows.last()?.get(member)?.as_u64(),
            Self::Said | Self::Skipped => answer.get("next")?.as_u64(),
        }
    }
}

/// The list of this name.
pub(super) fn list_named(name: &str) -> Option<&'static List> {
    LISTS.iter().find(|list| list.name == name)
}

/// The names of all lists.
pub(in super::super) fn names() -> impl Iterator<Item = &'static str> {
    LISTS.iter().map(|list| list.name)
}

fn all(answer: &Value) -> Vec<Value> {
    answer.as_array().cloned().unwrap_or_default()
}

fn member(answer: &Value, name: &str) -> Vec<Value> {
    answer.get(name).map(all).unwrap_or_default()
}

/// Each value of each test, with its test and whose it is.
fn results(answer: &Value) -> Vec<Value> {
    const PATIENT: &[&str] = &["patient", "names", "birth_date", "sex", "identifiers"];
    const TEST: &[&str] = &["test", "unit", "sender"];
    let take = |from: &Value, names: &[&str]| -> Map<String, Value> {
        let members = names.iter().map(|name| {
            let value = from.get(*name).cloned().unwrap_or_default();
            ((*name).to_owned(), value)
        });
        members.collect()
    };
    let patient = take(answer, PATIENT);
    let mut rows = Vec::new();
    for line in member(answer, "tests") {
        for value in member(&line, "values") {
            let mut row = patient.clone();
            row.extend(take(&line, TEST));
            row.extend(value.as_object().cloned().unwrap_or_default());
            rows.push(Value::Object(row));
        }
    }
    rows
}

/// A list of one page without a filter.
const fn plain(
    name: &'static str,
    endpoint: &'static str,
    permission: Permission,
    page: fn(&Call) -> Result<Answer, Failure>,
    rows: fn(&Value) -> Vec<Value>,
    columns: &'static [&'static str],
) -> List {
    List {
        name,
        endpoint,
        permission,
        also: None,
        page,
        rows,
        page_rows: None,
        first: None,
        next: Next::None,
        filter: &[],
        shown_values: &[],
        columns,
    }
}

/// Every list, in the order of the console's pages.
pub(super) const LISTS: &[List] = &[
    plain(
        "findings",
        "check",
        Permission::StatusRead,
        check::check,
        |answer| member(answer, "findings"),
        &["code", "harm", "what", "todo"],
    ),
    plain(
        "not-measured",
        "check",
        Permission::StatusRead,
        check::check,
        |answer| member(answer, "unmeasured"),
        &["code", "what", "why"],
    ),
    plain(
        "links",
        "status",
        Permission::StatusRead,
        status::status,
        |answer| member(answer, "links"),
        &[
            "name",
            "protocol",
            "transport",
            "address",
            "connections",
            "accepted",
            "held",
            "duplicates",
            "refused",
            "last_message",
        ],
    ),
    plain(
        "destinations",
        "destinations",
        Permission::StatusRead,
        status::destinations,
        all,
        &[
            "name",
            "kind",
            "state",
            "delivered",
            "waiting",
            "held",
            "dead",
            "last_error",
            "oldest_waiting",
            "certificate_until",
        ],
    ),
    plain(
        "witnesses",
        "status",
        Permission::StatusRead,
        status::status,
        |answer| member(answer, "witnesses"),
        &["name", "key", "state", "size", "cosigned", "last_error"],
    ),
    plain(
        "webhooks",
        "webhooks",
        Permission::StatusRead,
        webhook::list,
        all,
        &[
            "name",
            "host",
            "events",
            "state",
            "waiting",
            "delivered",
            "failing_since",
            "next_attempt",
            "stopped",
            "last_error",
            "secret_made",
            "former_until",
        ],
    ),
    List {
        page_rows: Some(1_000),
        next: Next::Row("record"),
        filter: &["state", "link", "peer", "destination"],
        shown_values: &["received", "held", "waiting", "dead"],
        ..plain(
            "messages",
            "messages",
            Permission::MessageList,
            message::list_whole,
            all,
            &[
                "record",
                "entry",
                "time",
                "state",
                "link",
                "peer",
                "kind",
                "size_bytes",
                "reason",
                "deliveries",
            ],
        )
    },
    List {
        page_rows: Some(1_000),
        next: Next::Row("number"),
        filter: &["state"],
        shown_values: &["waiting"],
        ..plain(
            "openings",
            "break-glass",
            Permission::BreakGlassReview,
            glass::list,
            all,
            &[
                "number",
                "person",
                "name",
                "opened",
                "until",
                "is_over",
                "is_overdue",
                "review",
            ],
        )
    },
    List {
        also: Some(Permission::RecordExport),
        ..plain(
            "results",
            "patients/{patient}/results",
            Permission::RecordShow,
            patient::results,
            results,
            &[
                "patient",
                "names",
                "birth_date",
                "sex",
                "identifiers",
                "test.name",
                "test.code",
                "test.system",
                "value",
                "unit",
                "flag",
                "range",
                "status",
                "time",
                "is_kept_time",
                "seconds",
                "sender",
                "record",
                "replaced",
            ],
        )
    },
    List {
        page_rows: Some(1_000),
        next: Next::Said,
        filter: &["since", "until"],
        ..plain(
            "accesses",
            "patients/{patient}/accesses",
            Permission::AuditOpen,
            patient::accesses,
            |answer| member(answer, "accesses"),
            &[
                "entry",
                "time",
                "actor",
                "name",
                "action",
                "outcome",
                "records",
                "from",
                "to",
                "break_glass",
                "why",
            ],
        )
    },
    List {
        page_rows: Some(1_000),
        // The newest first, as the page shows them.
        first: Some(u64::MAX),
        next: Next::Said,
        filter: &[
            "actor", "action", "subject", "outcome", "patient", "since", "until",
        ],
        shown_values: &["success", "refused", "failed"],
        ..plain(
            "entries",
            "ledger/entries",
            Permission::LedgerRead,
            entries::list,
            |answer| member(answer, "entries"),
            &[
                "n", "time", "actor", "action", "subject", "outcome", "facts", "record", "patient",
                "kind", "payload", "node", "site",
            ],
        )
    },
    List {
        filter: &["profile"],
        shown_values: &["proposed-2025"],
        ..plain(
            "safeguards",
            "safeguards",
            Permission::SafeguardRead,
            safeguard::list,
            |answer| member(answer, "requirements"),
            &[
                "citation", "key", "title", "section", "kind", "state", "in_part", "facts",
                "decision", "may_be",
            ],
        )
    },
    List {
        page_rows: Some(1_000),
        next: Next::Said,
        filter: &["q", "state"],
        shown_values: &["conflict", "removed", "all"],
        ..plain(
            "devices",
            "devices",
            Permission::DeviceRead,
            device::list,
            |answer| member(answer, "devices"),
            &[
                "id",
                "values.name",
                "values.category",
                "values.manufacturer",
                "values.model",
                "values.product",
                "values.version",
                "values.serial",
                "values.udi",
                "values.asset-tag",
                "values.hostname",
                "values.mac",
                "values.ip",
                "values.os",
                "values.os-build",
                "values.criticality",
                "values.location",
                "values.owner",
                "values.contact",
                "values.support-until",
                "values.notes",
                "values.anti-malware",
                "values.patching",
                "values.sender",
                "values.equipment",
                "peers",
                "links",
                "merged",
                "conflicts",
                "revision",
                "added",
                "removed",
                "last",
                "entry",
            ],
        )
    },
    List {
        page_rows: Some(1_000),
        next: Next::Said,
        filter: &["device", "state"],
        shown_values: &["open", "closed", "all"],
        ..plain(
            "unusual",
            "behaviour/unusual",
            Permission::DeviceRead,
            behaviour::unusual,
            |answer| member(answer, "alerts"),
            &[
                "id", "device", "name", "kind", "state", "text", "count", "raised", "last",
                "closed", "entry",
            ],
        )
    },
    List {
        page_rows: Some(1_000),
        next: Next::Skipped,
        filter: &["q", "device", "advisory", "state", "verdict"],
        shown_values: &[
            "open",
            "due",
            "overdue",
            "untreated",
            "treated",
            "closed",
            "all",
            "affected",
            "cannot-tell",
        ],
        ..plain(
            "hits",
            "hits",
            Permission::DeviceRead,
            hit::list,
            |answer| member(answer, "hits"),
            &[
                "id",
                "device.id",
                "device.name",
                "device.version",
                "document",
                "advisory",
                "title",
                "vulnerability",
                "verdict",
                "reasons",
                "band",
                "decision",
                "cvss",
                "exploited",
                "ransomware",
                "epss",
                "state",
                "due",
                "days_left",
                "treatment.kind",
                "treatment.until",
                "treatment.approved",
                "treatment.counts",
                "treatment.person",
                "treatment.person_name",
                "treatment.decided",
                "treatment.why",
                "treatment.entry",
                "found",
                "opened",
                "closed",
                "closed_by",
                "entry",
            ],
        )
    },
    List {
        page_rows: Some(1_000),
        next: Next::Skipped,
        filter: &["q", "device"],
        ..plain(
            "components",
            "components",
            Permission::DeviceRead,
            disclosure::components,
            |answer| member(answer, "components"),
            &[
                "device.id",
                "device.name",
                "device.version",
                "name",
                "version",
                "supplier",
                "purl",
                "matchable",
                "vulnerabilities",
            ],
        )
    },
    List {
        filter: &["q", "state"],
        shown_values: &["holding", "all"],
        ..plain(
            "patch-approvals",
            "patch-approvals",
            Permission::DeviceRead,
            approval::list,
            |answer| member(answer, "approvals"),
            &[
                "id",
                "manufacturer",
                "model",
                "version",
                "patch",
                "approved",
                "document",
                "person",
                "person_name",
                "stated",
                "why",
                "withdrawn",
                "entry",
            ],
        )
    },
    plain(
        "hit-statements",
        "hits/statements",
        Permission::DeviceRead,
        hit::statements,
        |answer| member(answer, "statements"),
        &[
            "id",
            "says",
            "manufacturer",
            "model",
            "vendor",
            "product",
            "device.id",
            "device.name",
            "device.version",
            "vulnerability",
            "version",
            "person",
            "person_name",
            "said",
            "why",
            "withdrawn",
            "entry",
        ],
    ),
    List {
        page_rows: Some(1_000),
        next: Next::Skipped,
        filter: &["q", "source", "state"],
        shown_values: &["hit", "all"],
        ..plain(
            "advisories",
            "advisories",
            Permission::DeviceRead,
            advisory::list,
            |answer| member(answer, "advisories"),
            &[
                "id",
                "kind",
                "name",
                "title",
                "publisher",
                "version",
                "released",
                "imported",
                "source",
                "file",
                "sha256",
                "hash_checked",
                "signer",
                "vulnerabilities",
                "exploited",
                "cvss",
                "affected",
                "cannot_tell",
                "entry",
            ],
        )
    },
    plain(
        "advisory-sources",
        "advisories",
        Permission::DeviceRead,
        advisory::list,
        |answer| member(answer, "sources"),
        &[
            "name",
            "documents",
            "checked",
            "changed",
            "newest",
            "age_seconds",
            "stale",
            "refused",
            "failure",
            "list",
            "publisher",
            "waiting",
            "entry",
        ],
    ),
    List {
        page_rows: Some(1_000),
        next: Next::Said,
        filter: &["state"],
        shown_values: &["open", "closed", "all"],
        ..plain(
            "detections",
            "malware/detections",
            Permission::MalwareRead,
            malware::detections::list,
            |answer| member(answer, "detections"),
            columns::DETECTIONS,
        )
    },
    List {
        page_rows: Some(1_000),
        next: Next::Said,
        filter: &["state"],
        shown_values: &["held", "asked", "approved", "all"],
        ..plain(
            "quarantine",
            "malware/quarantine",
            Permission::MalwareRead,
            malware::quarantine::list,
            |answer| member(answer, "items"),
            columns::QUARANTINE,
        )
    },
    plain(
        "malware-rules",
        "malware/rules",
        Permission::MalwareRead,
        malware::rules::list,
        |answer| member(answer, "sets"),
        columns::MALWARE_RULES,
    ),
    plain(
        "integrity",
        "integrity",
        Permission::MalwareRead,
        integrity::list,
        all,
        columns::INTEGRITY,
    ),
    plain(
        "people",
        "people",
        Permission::PersonRead,
        peer::people,
        all,
        &[
            "id",
            "name",
            "role",
            "uid",
            "login",
            "engagement.from",
            "engagement.until",
            "engagement.expires",
            "engagement.topics",
        ],
    ),
    plain(
        "sessions",
        "sessions",
        Permission::PersonRead,
        session::sessions,
        all,
        &[
            "number",
            "person",
            "name",
            "created",
            "last_seen",
            "idle_ends_at",
            "ends_at",
            "source",
            "agent",
        ],
    ),
    plain(
        "accounts",
        "accounts",
        Permission::PersonRead,
        account::accounts,
        all,
        &[
            "person",
            "name",
            "account",
            "issuer",
            "subject",
            "last_used",
        ],
    ),
    plain(
        "tokens",
        "tokens",
        Permission::PersonRead,
        session::tokens,
        all,
        &[
            "number",
            "person",
            "person_name",
            "name",
            "scopes",
            "created",
            "ends_at",
            "last_used",
        ],
    ),
    plain(
        "peers",
        "peers",
        Permission::PeerRead,
        peer::peers,
        all,
        &[
            "id",
            "name",
            "kind",
            "spki_sha256",
            "origin",
            "not_after",
            "state",
            "rules.applications",
            "rules.facilities",
            "rules.types",
            "rules.processing",
            "rules.astm_senders",
            "addresses",
            "authority",
            "edge",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::super::super::endpoint::ENDPOINTS;
    use super::*;
    use labward_api::schema::schemas;
    use std::collections::BTreeSet;

    /// The types whose members are the columns of a list, each with what stands in front of them.
    fn types(list: &str) -> &'static [(&'static str, &'static str)] {
        match list {
            "findings" => &[("CheckFinding", "")],
            "not-measured" => &[("NotMeasured", "")],
            "links" => &[("LinkStatus", "")],
            "destinations" => &[("DestinationStatus", "")],
            "witnesses" => &[("WitnessStatus", "")],
            "webhooks" => &[("WebhookStatus", "")],
            "messages" => &[("Message", "")],
            "results" => &[
                ("Results", ""),
                ("TestLine", ""),
                ("Test", "test."),
                ("Measured", ""),
            ],
            "accesses" => &[("Access", "")],
            "safeguards" => &[("Safeguard", "")],
            "devices" => &[("Device", "")],
            "unusual" => &[("Unusual", "")],
            "hits" => &[
                ("Hit", ""),
                ("HitDevice", "device."),
                ("HitTreatment", "treatment."),
            ],
            "components" => &[("DeviceComponent", ""), ("HitDevice", "device.")],
            "patch-approvals" => &[("PatchApproval", "")],
            "hit-statements" => &[("HitStatement", ""), ("HitDevice", "device.")],
            "advisories" => &[("Advisory", "")],
            "advisory-sources" => &[("AdvisorySource", "")],
            "detections" => &[("Detection", "")],
            "quarantine" => &[("QuarantineItem", ""), ("QuarantineRestore", "restore.")],
            "malware-rules" => &[("MalwareRuleSet", "")],
            "integrity" => &[("IntegrityBaseline", ""), ("IntegrityCounts", "counts.")],
            "people" => &[("Person", ""), ("Engagement", "engagement.")],
            "sessions" => &[("Session", "")],
            "openings" => &[("Opening", "")],
            "accounts" => &[("LinkedAccount", "")],
            "tokens" => &[("Token", "")],
            "peers" => &[("Peer", ""), ("Rules", "rules.")],
            _ => &[],
        }
    }

    /// Members that are no cell: they are rows of their own, or columns of their own, or of the request.
    const ELSEWHERE: &[(&str, &[&str])] = &[
        // The same in codes and places; a column says it in English.
        ("CheckFinding", &["places"]),
        ("NotMeasured", &["remark"]),
        ("WitnessStatus", &["remark"]),
        // Rows of their own, which the page shows.
        ("AdvisorySource", &["faults", "keys"]),
        // Each value is a column.
        ("Device", &["values"]),
        ("DeviceComponent", &["device"]),
        ("Hit", &["device", "treatment"]),
        ("IntegrityBaseline", &["counts"]),
        ("HitStatement", &["device"]),
        // The first is a column, in English.
        ("Unusual", &["seen"]),
        ("QuarantineItem", &["restore"]),
        // Of who asks.
        ("QuarantineRestore", &["own"]),
        ("Peer", &["rules"]),
        ("Person", &["engagement"]),
        ("TestLine", &["test", "values"]),
        (
            "Results",
            &[
                "tests",
                "read",
                "record_count",
                "unopened",
                "entry",
                "reserve",
            ],
        ),
    ];

    #[test]
    fn every_member_of_a_list_is_a_column_of_its_file() {
        let schemas = schemas();
        for list in LISTS {
            let mut members = BTreeSet::new();
            for (name, prefix) in types(list.name) {
                let properties = schemas[*name]["properties"].as_object().unwrap();
                let left = ELSEWHERE.iter().find(|(one, _)| one == name);
                let left = left.map_or(&[][..], |(_, members)| members);
                let own = properties
                    .keys()
                    .filter(|key| !left.contains(&key.as_str()));
                members.extend(own.map(|key| format!("{prefix}{key}")));
            }
            // Entries have no schema; a test with real ones compares them.
            if list.name == "entries" {
                continue;
            }
            if list.name == "devices" {
                let values = labward_devices::Attribute::ALL.iter();
                members.extend(values.map(|attribute| format!("values.{attribute}")));
            }
            let columns: BTreeSet<String> = list.columns.iter().map(ToString::to_string).collect();
            assert_eq!(columns, members, "{}", list.name);
            assert_eq!(columns.len(), list.columns.len(), "{}", list.name);
        }
    }

    #[test]
    fn a_file_needs_what_its_list_needs_and_is_filtered_as_its_list_is() {
        let schemas = schemas();
        for list in LISTS {
            let endpoint = ENDPOINTS.iter().find(|one| one.path == list.endpoint);
            let mut same = ENDPOINTS.iter().filter(|one| one.path == list.endpoint);
            let endpoint = endpoint.unwrap();
            assert!(
                same.any(|one| one.permission == list.permission),
                "{}",
                list.name
            );
            let takes = match endpoint.takes {
                crate::http::endpoint::Takes::Json(name)
                | crate::http::endpoint::Takes::Query(name) => name,
                _ => "Why",
            };
            let known = schemas[takes]["properties"].as_object().unwrap();
            for name in list.filter.iter().chain(list.next.member().as_ref()) {
                assert!(known.contains_key(*name), "{} {name}", list.name);
            }
        }
    }

    #[test]
    fn every_page_with_a_list_has_a_button_for_its_file() {
        let templates = concat!(env!("CARGO_MANIFEST_DIR"), "/../labward-console/templates");
        // What shows one thing, or what nobody lists.
        let no_list = [
            "advisories_import.html",
            "advisory.html",
            "changes.html",
            "device.html",
            "devices_import.html",
            "entry.html",
            "first_message.html",
            "hit.html",
            "hits_matrix.html",
            "integrity_baseline.html",
            "me.html",
            "mds2.html",
            "message.html",
            "opening.html",
            "people_import.html",
            "record.html",
            "records_hits.html",
            "reference.html",
            "settings.html",
        ];
        let mut offered = BTreeSet::new();
        for file in std::fs::read_dir(templates).unwrap() {
            let path = file.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let name = path.file_name().unwrap().to_str().unwrap();
            let buttons: Vec<&str> = text
                .split("export::button(f, \"")
                .skip(1)
                .filter_map(|rest| rest.split('"').next())
                .collect();
            let lists = text.contains("<table") && !no_list.contains(&name);
            assert!(!lists || !buttons.is_empty(), "{name}");
            offered.extend(buttons.into_iter().map(str::to_owned));
        }
        // Peers and tokens have no page yet: they are taken out by the API and the command.
        let with_page = names().filter(|name| !["peers", "tokens"].contains(name));
        let with_page: BTreeSet<String> = with_page.map(str::to_owned).collect();
        assert_eq!(offered, with_page);
    }

    #[test]
    fn only_lists_of_a_patient_need_more_than_the_list() {
        for list in LISTS {
            let of_patient = ["results", "accesses"].contains(&list.name);
            assert_eq!(list.is_of_patient(), of_patient, "{}", list.name);
        }
    }
}

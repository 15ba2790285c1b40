//! The columns of the lists of malware and of baselines of files.
//!
//! It must never name a member that may name somebody: those are sealed.

/// Of what was found.
pub(super) const DETECTIONS: &[&str] = &[
    "id",
    "at",
    "way",
    "place",
    "from",
    "verdict",
    "treatment",
    "removal",
    "removal_why",
    "late",
    "findings",
    "rules",
    "sha256",
    "size_bytes",
    "record",
    "item",
    "closed",
    "closed_by",
    "closing",
    "entry",
];

/// Of what lies in quarantine.
pub(super) const QUARANTINE: &[&str] = &[
    "id",
    "at",
    "way",
    "place",
    "from",
    "size_bytes",
    "sha256",
    "record",
    "state",
    "until",
    "removal",
    "removal_why",
    "removal_at",
    "restore.state",
    "restore.asked_by",
    "restore.asked",
    "restore.decided_by",
    "restore.decided",
    "restore.how",
    "restore.allow",
    "delivered",
    "restore.failed",
    "restore.failed_at",
    "entry",
];

/// Of the sets of rules and hashes.
pub(super) const MALWARE_RULES: &[&str] = &[
    "id",
    "kind",
    "name",
    "source",
    "licence",
    "author",
    "published",
    "sha256",
    "loaded",
    "refused",
    "refused_more",
    "imported",
    "imported_by",
    "approved",
    "retired",
];

/// Of the baselines of files.
pub(super) const INTEGRITY: &[&str] = &[
    "name",
    "state",
    "baseline",
    "since",
    "compared",
    "counts.files",
    "counts.added",
    "counts.changed",
    "counts.moved",
    "counts.removed",
    "counts.rights",
    "counts.unread",
    "counts.updates",
    "alarms",
    "signers",
    "entry",
];

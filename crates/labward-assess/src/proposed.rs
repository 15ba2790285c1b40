//! What the proposed rule of 6 January 2025 (90 FR 898, RIN 0945-AA22) would ask for beyond the
//! rule in force, as far as a machine could measure it.
//!
//! It must never be taken for law: nothing is decided about it, and it is shown only on demand.
//! Citations are those of the proposal, which numbers its paragraphs anew. It would know no
//! addressable specification.

use crate::requirement::{Requirement, requirements};

/// The proposal's rows.
pub(crate) const PROPOSED: &[Requirement] = requirements! {
    "164.308(a)(1)(ii)(A)" Required "proposed-inventory", "Inventory of technology assets, renewed every 12 months", Part [];
    "164.308(a)(1)(ii)(B)" Required "proposed-network-map", "Network map, renewed every 12 months", Part [];
    "164.308(a)(4)" Standard "proposed-patches", "Critical updates within 15 days, high ones within 30", Part [HitsInTime AdvisoriesFresh];
    "164.308(a)(9)(ii)(C)" Required "proposed-access-end", "Access ended within one hour", Part [AccessEnded];
    "164.308(a)(9)(ii)(D)" Required "proposed-access-notice", "Notice of ended access to others within 24 hours", Part [];
    "164.308(a)(13)" Standard "proposed-restore", "Systems and data restored within 72 hours", Whole [RestoreDrilled RestoreTime];
    "164.308(a)(14)" Standard "proposed-audit", "Compliance audit every 12 months", Part [];
    "164.308(b)(1)" Standard "proposed-associates", "Safeguards of business associates verified every 12 months", Part [];
    "164.312(a)(2)(i)" Required "proposed-unique", "Unique identification of users and technology assets", Part [PeopleUnique AccountsKnown LinksAuthenticated];
    "164.312(a)(2)(iv)" Required "proposed-logoff", "Automatic logoff", Whole [SessionIdle];
    "164.312(a)(2)(v)" Required "proposed-sign-ins", "Sign-in attempts limited", Part [SignInsRefused];
    "164.312(a)(2)(vi)" Required "proposed-segmentation", "Network segmentation", Part [];
    "164.312(b)(2)" Required "proposed-encryption", "Encryption at rest and in transit", Whole [RecordsSealed KeysApart FilesPrivate MemoryGuarded LinesEncrypted];
    "164.312(c)" Standard "proposed-configuration", "Configuration, software and ports kept in order; anti-malware", Part [];
    "164.312(d)" Standard "proposed-audit-trail", "Audit trail in real time", Whole [LedgerWritten LedgerPublished ClockKept];
    "164.312(f)(2)(ii)" Required "proposed-mfa", "Multi-factor authentication", Whole [SecondFactor];
    "164.312(g)" Standard "proposed-transmission", "Transmission security", Whole [LinesEncrypted LinksAuthenticated];
    "164.312(h)(2)(i)" Required "proposed-scans", "Vulnerability scan every 6 months", Part [];
    "164.312(h)(2)(iii)" Required "proposed-penetration", "Penetration test every 12 months", Part [];
    "164.312(i)" Standard "proposed-backup", "Backups at most 48 hours old", Whole [BackupRecent BackupApart KeyArchiveRecent];
    "164.314(a)(2)(i)(D)" Required "proposed-contingency-notice", "Notice within 24 hours that a contingency plan runs", Part [];
};

//! What of a disclosure matters for safeguards: one question each, and what its answer means.
//!
//! It must never turn silence, "N/A", a reference to a note or two answers into a yes or a no.

use crate::Text;
use crate::form::QuestionId;
use crate::read::{Answer, Mds2};

/// What a device can do, or needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capability {
    /// Only approved software runs on it (45 CFR 164.308(a)(5)(ii)(B)).
    AllowedSoftwareOnly,
    /// Software against malware is supported (45 CFR 164.308(a)(5)(ii)(B)).
    AntiMalware,
    /// The owner may install or update that software.
    AntiMalwareByOwner,
    /// Events are recorded in an audit log (45 CFR 164.312(b)).
    AuditLog,
    /// The audit log can be exported.
    AuditLogExport,
    /// People must sign in (45 CFR 164.312(a)(1)).
    Authentication,
    /// It signs out or locks when nobody works (45 CFR 164.312(a)(2)(iii)).
    AutomaticLogoff,
    /// There is a way in for emergencies (45 CFR 164.312(a)(2)(ii)).
    EmergencyAccess,
    /// Data at rest can be encrypted (45 CFR 164.312(a)(2)(iv)).
    EncryptionAtRest,
    /// Data are encrypted before they are sent (45 CFR 164.312(e)(2)(ii)).
    EncryptionInTransit,
    /// More than a password can be asked for.
    MultiFactor,
    /// It knows the systems that it talks to (45 CFR 164.312(d)).
    NodeAuthentication,
    /// Updates of the operating system may be installed without the manufacturer's approval.
    OsUpdatesWithoutApproval,
    /// There are instructions for the owner to install updates of the operating system.
    OsUpdatesByOwner,
    /// Updates of the operating system need the manufacturer's service.
    OsUpdatesByVendorOnly,
    /// It shows, keeps or sends data that identify patients.
    PatientData,
    /// It keeps them on media of its own.
    PatientDataKept,
    /// It takes connections for remote service.
    RemoteService,
    /// A list of its software is available.
    Sbom,
    /// TLS is supported.
    Tls,
    /// Every person has an account of their own (45 CFR 164.312(a)(2)(i)).
    UniqueAccounts,
    /// Customers are told of updates that are approved.
    UpdateNotices,
    /// The manufacturer has a programme for reports of vulnerabilities.
    VulnerabilityReports,
    /// It has wireless connections.
    Wireless,
}

/// The questions, in the order in which they are shown.
const TABLE: [(Capability, &str, &str); 24] = [
    (Capability::PatientData, "patient-data", "MPII-1"),
    (Capability::PatientDataKept, "patient-data-kept", "MPII-2.2"),
    (Capability::EncryptionAtRest, "encryption-at-rest", "STCF-1"),
    (
        Capability::EncryptionInTransit,
        "encryption-in-transit",
        "TXCF-2",
    ),
    (Capability::Tls, "tls", "CONN-7"),
    (
        Capability::NodeAuthentication,
        "node-authentication",
        "NAUT-1",
    ),
    (Capability::Wireless, "wireless", "CONN-1.1"),
    (Capability::RemoteService, "remote-service", "RMOT-1"),
    (Capability::AntiMalware, "anti-malware", "MLDP-2"),
    (
        Capability::AntiMalwareByOwner,
        "anti-malware-by-owner",
        "MLDP-2.3",
    ),
    (
        Capability::AllowedSoftwareOnly,
        "allowed-software-only",
        "MLDP-4",
    ),
    (
        Capability::OsUpdatesByOwner,
        "os-updates-by-owner",
        "CSUP-2.1",
    ),
    (
        Capability::OsUpdatesByVendorOnly,
        "os-updates-by-vendor-only",
        "CSUP-2.2",
    ),
    (
        Capability::OsUpdatesWithoutApproval,
        "os-updates-without-approval",
        "CSUP-2.4",
    ),
    (Capability::UpdateNotices, "update-notices", "CSUP-7"),
    (
        Capability::VulnerabilityReports,
        "vulnerability-reports",
        "DOC-8",
    ),
    (Capability::Sbom, "sbom", "SBOM-1"),
    (Capability::Authentication, "authentication", "AUTH-1"),
    (Capability::UniqueAccounts, "unique-accounts", "PAUT-1"),
    (Capability::MultiFactor, "multi-factor", "PAUT-8"),
    (Capability::AutomaticLogoff, "automatic-logoff", "ALOF-1"),
    (Capability::AuditLog, "audit-log", "AUDT-2"),
    (Capability::AuditLogExport, "audit-log-export", "AUDT-5"),
    (Capability::EmergencyAccess, "emergency-access", "EMRG-1"),
];

impl Capability {
    /// All of them, in the order in which they are shown.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|(one, ..)| *one)
    }

    /// Its name in JSON and tables.
    pub fn name(self) -> &'static str {
        let mut rows = TABLE.iter();
        rows.find_map(|(one, name, _)| (*one == self).then_some(*name))
            .unwrap_or_default()
    }
}

/// What the manufacturer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Disclosed {
    /// No.
    No,
    /// The question does not apply to the device.
    NotApplicable,
    /// A person must read it: a note, words, or two answers.
    Unclear,
    /// Nothing: not asked or not answered.
    Unanswered,
    /// Yes.
    Yes,
}

impl Disclosed {
    /// Its name in JSON and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::NotApplicable => "not-applicable",
            Self::Unanswered => "unanswered",
            Self::Unclear => "unclear",
            Self::Yes => "yes",
        }
    }
}

/// One of them, with the question that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disclosure {
    /// What it is about.
    pub capability: Capability,
    /// What is said of it.
    pub disclosed: Disclosed,
    /// The id of the question.
    pub question: &'static str,
    /// What is said besides.
    pub note: Option<Text>,
}

impl Mds2 {
    /// What matters for safeguards, always all of it and in one order.
    pub fn disclosures(&self) -> Vec<Disclosure> {
        TABLE
            .iter()
            .map(|(capability, _, question)| {
                let id = QuestionId::parse(question);
                let answered = id.and_then(|id| self.answers.get(&id));
                let words = answered.and_then(|one| match &one.answer {
                    Answer::Text(words) => Some(words.clone()),
                    _ => None,
                });
                Disclosure {
                    capability: *capability,
                    disclosed: match answered {
                        None => Disclosed::Unanswered,
                        Some(one) if one.contradicted => Disclosed::Unclear,
                        Some(one) => match &one.answer {
                            Answer::No => Disclosed::No,
                            Answer::NotApplicable => Disclosed::NotApplicable,
                            Answer::SeeNote | Answer::Text(_) => Disclosed::Unclear,
                            Answer::Unanswered => Disclosed::Unanswered,
                            Answer::Yes => Disclosed::Yes,
                        },
                    },
                    question,
                    note: words.or_else(|| answered.and_then(|one| one.note.clone())),
                }
            })
            .collect()
    }
}

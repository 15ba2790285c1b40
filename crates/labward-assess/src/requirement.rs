//! The requirements of 45 CFR 164.308, 310, 312, 314 and 316 (last amended by 78 FR 34266), each at
//! its place in the text.
//!
//! It must never call something addressable that the text calls required, or repeat its sentences.

use std::str::FromStr;

use crate::AssessError;
use crate::fact::FactKind;

/// Which text is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// The rule in force.
    Law,
    /// The proposed rule of 6 January 2025 (90 FR 898): never law.
    Proposed2025,
}

/// A section of the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// 45 CFR 164.308.
    Administrative,
    /// 45 CFR 164.310.
    Physical,
    /// 45 CFR 164.312.
    Technical,
    /// 45 CFR 164.314.
    Organizational,
    /// 45 CFR 164.316.
    Documentation,
}

/// Whether a specification must be implemented (45 CFR 164.306(d)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obligation {
    /// It must be assessed: implemented, or not, with a documented reason and an alternative.
    Addressable,
    /// It must be implemented.
    Required,
}

/// What a requirement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequirementKind {
    /// An implementation specification of the standard before it.
    ImplementationSpec(Obligation),
    /// A standard.
    Standard,
}

/// How much of a requirement its facts show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// A part: good facts do not make it met, a bad one makes it not met.
    Part,
    /// All of it, for what Labward guards.
    Whole,
}

/// One requirement.
#[derive(Debug, PartialEq, Eq)]
pub struct Requirement {
    /// Its place in title 45, such as `164.312(a)(2)(iv)`.
    pub citation: &'static str,
    /// The stable key of its text.
    pub key: &'static str,
    /// What it is about, in a few English words of our own.
    pub title: &'static str,
    /// What it is.
    pub kind: RequirementKind,
    /// How much of it the facts show.
    pub reach: Reach,
    /// The facts that decide it.
    pub facts: &'static [FactKind],
    /// Whether the text itself asks for it only under a condition that not every lab meets.
    pub conditional: bool,
}

/// The rows of a table: citation, kind, key, title, reach and facts.
macro_rules! requirements {
    ($($citation:literal $kind:ident $key:literal, $title:literal, $reach:ident [$($fact:ident)*];)+) => {
        &[$($crate::requirement::Requirement {
            citation: $citation,
            key: $key,
            title: $title,
            kind: requirements!(@kind $kind),
            reach: $crate::requirement::Reach::$reach,
            facts: &[$($crate::fact::FactKind::$fact),*],
            conditional: requirements!(@conditional $kind),
        }),+]
    };
    (@kind Standard) => { $crate::requirement::RequirementKind::Standard };
    (@kind StandardIf) => { $crate::requirement::RequirementKind::Standard };
    (@kind Required) => { $crate::requirement::RequirementKind::ImplementationSpec($crate::requirement::Obligation::Required) };
    (@kind RequiredIf) => { $crate::requirement::RequirementKind::ImplementationSpec($crate::requirement::Obligation::Required) };
    (@kind Addressable) => { $crate::requirement::RequirementKind::ImplementationSpec($crate::requirement::Obligation::Addressable) };
    (@conditional StandardIf) => { true };
    (@conditional RequiredIf) => { true };
    (@conditional $other:ident) => { false };
}
pub(crate) use requirements;

/// The rule in force: each standard, then its specifications.
const LAW: &[Requirement] = requirements! {
    "164.308(a)(1)(i)" Standard "security-management", "Security management process", Part [];
    "164.308(a)(1)(ii)(A)" Required "risk-analysis", "Risk analysis", Part [];
    "164.308(a)(1)(ii)(B)" Required "risk-management", "Risk management: what is harmful gets done", Part [HighFindings];
    "164.308(a)(1)(ii)(C)" Required "sanctions", "Sanctions for staff who break the rules", Part [];
    "164.308(a)(1)(ii)(D)" Required "activity-review", "Review of what the systems recorded", Part [LedgerVerified ReadsRecorded SignInsRefused];
    "164.308(a)(2)" Standard "security-official", "A security official", Whole [SecurityOfficer];
    "164.308(a)(3)(i)" Standard "workforce-security", "Workforce security", Part [];
    "164.308(a)(3)(ii)(A)" Addressable "supervision", "Authorization and supervision of staff", Part [];
    "164.308(a)(3)(ii)(B)" Addressable "clearance", "Clearance before access is given", Part [];
    "164.308(a)(3)(ii)(C)" Addressable "termination", "End of access when somebody leaves", Part [AccessEnded];
    "164.308(a)(4)(i)" Standard "access-management", "Information access management", Part [];
    "164.308(a)(4)(ii)(A)" RequiredIf "clearinghouse", "A clearinghouse kept apart from its larger organization", Part [];
    "164.308(a)(4)(ii)(B)" Addressable "access-authorization", "Who is granted access", Part [PeersLimited RightsRecorded];
    "164.308(a)(4)(ii)(C)" Addressable "access-changes", "Access set up, reviewed and changed", Part [RightsRecorded];
    "164.308(a)(5)(i)" Standard "awareness", "Security awareness and training", Part [];
    "164.308(a)(5)(ii)(A)" Addressable "reminders", "Security reminders", Part [];
    "164.308(a)(5)(ii)(B)" Addressable "malware", "Protection from malicious software", Part [MalwareScanned MalwareRules MalwareReacted];
    "164.308(a)(5)(ii)(C)" Addressable "sign-in-monitoring", "Watching sign-ins", Part [SignInsRefused];
    "164.308(a)(5)(ii)(D)" Addressable "passwords", "Password management", Part [PasswordRule];
    "164.308(a)(6)(i)" Standard "incidents", "Security incidents", Part [];
    "164.308(a)(6)(ii)" Required "incident-response", "Response to incidents, and reports of them", Part [];
    "164.308(a)(7)(i)" Standard "contingency", "Contingency plan", Part [];
    "164.308(a)(7)(ii)(A)" Required "backup-plan", "Data backup", Whole [BackupRecent BackupApart KeyArchiveRecent];
    "164.308(a)(7)(ii)(B)" Required "disaster-recovery", "Recovery of lost data", Whole [RestoreDrilled KeyArchiveRecent SlotsTested];
    "164.308(a)(7)(ii)(C)" Required "emergency-mode", "Work goes on in an emergency", Whole [ReserveReady BreakGlassRoles];
    "164.308(a)(7)(ii)(D)" Addressable "plan-testing", "The plan is tested and revised", Part [RestoreDrilled];
    "164.308(a)(7)(ii)(E)" Addressable "criticality", "Which applications and data matter most", Part [];
    "164.308(a)(8)" Standard "evaluation", "Evaluation, technical and other", Part [ChecksMeasured];
    "164.308(b)(1)" Standard "associates", "Business associates", Part [];
    "164.308(b)(3)" Required "written-contract", "A written contract with each business associate", Part [];
    "164.310(a)(1)" Standard "facility-access", "Access to the facility", Part [];
    "164.310(a)(2)(i)" Addressable "contingency-access", "Access to the facility in an emergency", Part [];
    "164.310(a)(2)(ii)" Addressable "facility-plan", "Facility security plan", Part [];
    "164.310(a)(2)(iii)" Addressable "visitor-control", "Who may enter by role, and visitors", Part [];
    "164.310(a)(2)(iv)" Addressable "maintenance-records", "Records of repairs to doors, locks and walls", Part [];
    "164.310(b)" Standard "workstation-use", "What a workstation is used for, and where", Part [];
    "164.310(c)" Standard "workstation-security", "Workstations guarded from others", Part [];
    "164.310(d)(1)" Standard "devices-and-media", "Devices and media that come and go", Part [];
    "164.310(d)(2)(i)" Required "disposal", "Disposal of data and media", Part [DisposalComplete];
    "164.310(d)(2)(ii)" Required "media-reuse", "Media wiped before they are used again", Part [];
    "164.310(d)(2)(iii)" Addressable "media-accountability", "Who moved which hardware and media", Part [];
    "164.310(d)(2)(iv)" Addressable "copy-before-move", "A copy before equipment is moved", Part [BackupRecent];
    "164.312(a)(1)" Standard "access-control", "Access control", Part [];
    "164.312(a)(2)(i)" Required "unique-users", "Unique user identification", Whole [PeopleUnique AccountsKnown];
    "164.312(a)(2)(ii)" Required "emergency-access", "Access in an emergency", Whole [BreakGlassRoles ReserveReady BreakGlassReviewed];
    "164.312(a)(2)(iii)" Addressable "automatic-logoff", "Automatic logoff", Whole [SessionIdle];
    "164.312(a)(2)(iv)" Addressable "encryption-at-rest", "Encryption of what is kept", Whole [RecordsSealed KeysApart FilesPrivate MemoryGuarded];
    "164.312(b)" Standard "audit-controls", "Audit controls", Whole [LedgerWritten LedgerPublished LedgerVerified ClockKept];
    "164.312(c)(1)" Standard "integrity", "Integrity", Part [];
    "164.312(c)(2)" Addressable "integrity-mechanism", "Proof that records were not altered", Whole [LedgerVerified RecordsSealed];
    "164.312(d)" Standard "authentication", "Persons and machines are who they claim to be", Whole [LinksAuthenticated CertificatesValid AccountsKnown];
    "164.312(e)(1)" Standard "transmission", "Transmission security", Part [];
    "164.312(e)(2)(i)" Addressable "transmission-integrity", "Nothing is altered on its way", Whole [LinesEncrypted];
    "164.312(e)(2)(ii)" Addressable "transmission-encryption", "Encryption of what is sent", Whole [LinesEncrypted LinksAuthenticated];
    "164.314(a)(1)" Standard "associate-contracts", "What contracts with business associates must say", Part [];
    "164.314(a)(2)(i)" Required "contract-content", "What a business associate promises", Part [];
    "164.314(a)(2)(ii)" RequiredIf "other-arrangements", "Other arrangements in place of a contract", Part [];
    "164.314(a)(2)(iii)" RequiredIf "subcontractors", "Contracts with subcontractors", Part [];
    "164.314(b)(1)" StandardIf "health-plans", "Group health plans", Part [];
    "164.314(b)(2)" RequiredIf "plan-documents", "What plan documents must say", Part [];
    "164.316(a)" Standard "policies", "Policies and procedures", Part [];
    "164.316(b)(1)" Standard "documentation", "Documentation in writing", Part [];
    "164.316(b)(2)(i)" Required "kept-six-years", "Documentation kept for six years", Part [RetentionFloor];
    "164.316(b)(2)(ii)" Required "documentation-available", "Documentation at hand for who needs it", Part [];
    "164.316(b)(2)(iii)" Required "documentation-updated", "Documentation reviewed and updated", Part [];
};

impl Profile {
    /// Every profile.
    pub const ALL: &[Self] = &[Self::Law, Self::Proposed2025];

    /// The name in commands and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Law => "law",
            Self::Proposed2025 => "proposed-2025",
        }
    }

    /// Its requirements, each standard before its specifications.
    pub const fn requirements(self) -> &'static [Requirement] {
        match self {
            Self::Law => LAW,
            Self::Proposed2025 => crate::proposed::PROPOSED,
        }
    }
}

impl FromStr for Profile {
    type Err = AssessError;

    fn from_str(text: &str) -> Result<Self, AssessError> {
        let found = Self::ALL.iter().find(|profile| profile.name() == text);
        found.copied().ok_or(AssessError::NotAProfile)
    }
}

impl Section {
    /// Every section, in the order of the rule.
    pub const ALL: &[Self] = &[
        Self::Administrative,
        Self::Physical,
        Self::Technical,
        Self::Organizational,
        Self::Documentation,
    ];

    /// The name in JSON and texts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Administrative => "administrative",
            Self::Documentation => "documentation",
            Self::Organizational => "organizational",
            Self::Physical => "physical",
            Self::Technical => "technical",
        }
    }
}

impl RequirementKind {
    /// The name in JSON and texts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ImplementationSpec(Obligation::Addressable) => "addressable",
            Self::ImplementationSpec(Obligation::Required) => "required",
            Self::Standard => "standard",
        }
    }
}

impl Requirement {
    /// The requirement of the rule in force at this place.
    ///
    /// # Errors
    /// [`AssessError::NoRequirement`].
    pub fn of_law(citation: &str) -> Result<&'static Self, AssessError> {
        let found = LAW.iter().find(|one| one.citation == citation);
        found.ok_or(AssessError::NoRequirement)
    }

    /// The section that it stands in.
    pub fn section(&self) -> Section {
        match self.citation.get(..7) {
            Some("164.310") => Section::Physical,
            Some("164.312") => Section::Technical,
            Some("164.314") => Section::Organizational,
            Some("164.316") => Section::Documentation,
            _ => Section::Administrative,
        }
    }

    /// The paragraph in which a standard and its specifications stand: `164.312(a)`, but
    /// `164.308(a)(1)`, since 164.308(a) holds a standard in each of its own.
    pub(crate) fn paragraph(&self) -> &'static str {
        let depth = usize::from(self.citation.starts_with("164.308(a)"));
        let mut ends = self.citation.match_indices(')');
        let end = ends.nth(depth).map(|(at, _)| at + 1);
        end.and_then(|end| self.citation.get(..end))
            .unwrap_or(self.citation)
    }

    /// Whether it is a standard.
    pub fn is_standard(&self) -> bool {
        self.kind == RequirementKind::Standard
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn count(sections: &[&str], kind: &str) -> usize {
        let of = |one: &&Requirement| sections.iter().any(|s| one.citation.starts_with(s));
        let all = LAW.iter().filter(of);
        all.filter(|one| one.kind.name() == kind).count()
    }

    /// The counts of the text, section by section, and of Appendix A to subpart C.
    #[test]
    fn the_table_has_as_many_standards_and_specifications_as_the_rule() {
        for (section, standards, required, addressable) in [
            ("164.308", 9, 10, 11),
            ("164.310", 4, 2, 6),
            ("164.312", 5, 2, 5),
            ("164.314", 2, 4, 0),
            ("164.316", 2, 3, 0),
        ] {
            let found = ["standard", "required", "addressable"].map(|kind| count(&[section], kind));
            assert_eq!(found, [standards, required, addressable], "{section}");
        }
        let appendix = ["164.308", "164.310", "164.312"];
        assert_eq!(count(&appendix, "standard"), 18);
        assert_eq!(count(&appendix, "required"), 14);
        assert_eq!(count(&appendix, "addressable"), 22);
        assert_eq!(count(&["164."], "standard"), 22);
    }

    #[test]
    fn the_citations_are_those_of_the_golden_list() {
        let mut list = String::new();
        for profile in Profile::ALL {
            for one in profile.requirements() {
                let (profile, kind) = (profile.name(), one.kind.name());
                list.push_str(&format!("{profile} {} {kind} {}\n", one.citation, one.key));
            }
        }
        let golden = include_str!("citations.golden");
        assert_eq!(list, golden, "a change of the rule is deliberate");
    }

    #[test]
    fn every_key_and_citation_stands_once_and_every_fact_decides_something() {
        let mut keys = BTreeSet::new();
        let mut facts = BTreeSet::<FactKind>::new();
        for profile in Profile::ALL {
            let mut citations = BTreeSet::new();
            for one in profile.requirements() {
                assert!(keys.insert(one.key), "{}", one.key);
                assert!(citations.insert(one.citation), "{}", one.citation);
                facts.extend(one.facts);
                let whole_and_blind = one.reach == Reach::Whole && one.facts.is_empty();
                assert!(!whole_and_blind, "{}: what shows it?", one.citation);
            }
            assert_eq!(profile.name().parse::<Profile>().unwrap(), *profile);
        }
        assert!(facts.iter().eq(FactKind::ALL));
        assert!("proposed".parse::<Profile>().is_err());
    }

    #[test]
    fn a_specification_stands_behind_its_own_standard() {
        let mut standard = "";
        let mut paragraphs = BTreeSet::new();
        for one in LAW {
            if one.is_standard() {
                standard = one.paragraph();
                assert!(paragraphs.insert(standard), "{}", one.citation);
            }
            assert_eq!(one.paragraph(), standard, "{}", one.citation);
        }
        assert!(paragraphs.contains("164.308(a)(1)") && paragraphs.contains("164.312(a)"));
    }

    #[test]
    fn the_proposed_rule_knows_nothing_addressable() {
        for one in Profile::Proposed2025.requirements() {
            assert_ne!(one.kind.name(), "addressable", "{}", one.citation);
        }
    }
}

//! Roles of the lab's people and what each may do: one table.
//!
//! It must never grant by omission: what the table does not name is not permitted.
//! Least privilege by role is 45 CFR 164.308(a)(4) and 164.312(a)(1); keeping the duties of running
//! the system, guarding it and working with results apart is why nobody but the clinical roles
//! reads records.

use std::fmt;
use std::str::FromStr;

use crate::IdentityError;

macro_rules! names {
    ($(#[$doc:meta])* $type:ident { $($(#[$vdoc:meta])* $variant:ident = $name:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $type { $($(#[$vdoc])* $variant,)+ }

        impl $type {
            /// Every variant, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name in commands, JSON and the database.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::IdentityError;

            fn from_str(text: &str) -> Result<Self, $crate::IdentityError> {
                Self::ALL
                    .iter()
                    .copied()
                    .find(|one| one.name() == text)
                    .ok_or($crate::IdentityError::NotAName { what: stringify!($type) })
            }
        }
    };
}
pub(crate) use names;

names! {
    /// What a person is in the lab.
    Role {
        /// Sets Labward up and runs it: keys, peers, people, configuration.
        Administrator = "administrator",
        /// Guards it: keys, peers, people, the ledger, who looked at what, disposal and holds.
        SecurityOfficer = "security-officer",
        /// Answers for the results: reads, imports, exports, decides and disposes.
        LabManager = "lab-manager",
        /// Works with results: reads them and decides about held messages.
        ClinicalStaff = "clinical-staff",
        /// Keeps machines and links running, without seeing a result.
        It = "it",
        /// Examines from outside: ledger and findings, never a record.
        Expert = "expert",
    }
}

names! {
    /// One thing a person may be permitted to do; every handler names its own.
    Permission {
        /// See the state of the server, its links and its findings.
        StatusRead = "status.read",
        /// See what a reload of the configuration would change.
        ConfigRead = "config.read",
        /// Put another configuration in force without a restart.
        ConfigChange = "config.change",
        /// See the root key's slots and where they live.
        KeyRead = "key.read",
        /// Open the root key with a slot.
        KeyUnseal = "key.unseal",
        /// Add, remove and test slots, and rotate the root key.
        KeyChange = "key.change",
        /// See the machine peers.
        PeerRead = "peer.read",
        /// Add, renew and revoke machine peers.
        PeerChange = "peer.change",
        /// See the people and their roles.
        PersonRead = "person.read",
        /// Add and remove people.
        PersonChange = "person.change",
        /// List messages by link, state and type, without their content.
        MessageList = "message.list",
        /// See the content of a message.
        MessageShow = "message.show",
        /// Release or reject a held message.
        MessageDecide = "message.decide",
        /// Send a delivered or dead message again.
        MessageResend = "message.resend",
        /// Search for records.
        RecordFind = "record.find",
        /// See a record.
        RecordShow = "record.show",
        /// Read a record while the ledger cannot be written: recorded in the reserve, and reviewed.
        RecordBreakGlass = "record.break-glass",
        /// Review emergency accesses: who opened them, why, and what was read; never one's own.
        BreakGlassReview = "break-glass.review",
        /// Take a record or a patient's records out; seeing does not include it.
        RecordExport = "record.export",
        /// Bring records in from files.
        RecordImport = "record.import",
        /// Destroy a patient's keys.
        PatientDispose = "patient.dispose",
        /// Place and lift legal holds.
        HoldChange = "hold.change",
        /// Read and verify the ledger.
        LedgerRead = "ledger.read",
        /// Take the ledger out as a bundle.
        LedgerExport = "ledger.export",
        /// See who received, saw and was given a patient's records, and why: the sealed part of entries.
        AuditOpen = "audit.open",
        /// Make, verify and try backups of the data, which hold no key.
        BackupRun = "backup.run",
        /// Confirm after a restore that delivery may go on.
        BackupConfirm = "backup.confirm",
        /// See the state of each safeguard, and what was decided about it.
        SafeguardRead = "safeguard.read",
        /// Decide about a requirement of the rule, for a time.
        SafeguardDecide = "safeguard.decide",
        /// See what devices there are, and what is known of each.
        DeviceRead = "device.read",
        /// Add, change, merge, split, remove and import devices.
        DeviceChange = "device.change",
        /// See what malware was found, what lies in quarantine, and by which rules.
        MalwareRead = "malware.read",
        /// Have something looked at for malware, and put into quarantine if it is some.
        MalwareInspect = "malware.inspect",
        /// Tell what became of files of which copies lie in quarantine, and fetch what two people gave back, to write it back.
        MalwareWriteBack = "malware.write-back",
        /// Tell what a comparison of files with their baseline came to.
        IntegrityReport = "integrity.report",
        /// Close detections; ask for something to be given back from quarantine, agree to it, hand it to an expert, destroy it.
        MalwareDecide = "malware.decide",
        /// Bring rules and hashes, approve and retire them.
        MalwareRules = "malware.rules",
        /// Accept the risk of a hit until a day, or say that a device is not affected.
        RiskAccept = "risk.accept",
        /// Take a list out as a file that one may see as a list; seeing does not include it.
        ListExport = "list.export",
    }
}

impl Role {
    /// Whether the table grants `permission` to this role.
    pub fn permits(self, permission: Permission) -> bool {
        self.granted().contains(&permission)
    }

    /// Everything the table grants to this role.
    pub const fn granted(self) -> &'static [Permission] {
        use Permission as P;
        match self {
            Self::Administrator => &[
                P::StatusRead,
                P::ConfigRead,
                P::ConfigChange,
                P::KeyRead,
                P::KeyUnseal,
                P::KeyChange,
                P::PeerRead,
                P::PeerChange,
                P::PersonRead,
                P::PersonChange,
                P::MessageList,
                P::MessageResend,
                P::RecordImport,
                P::LedgerRead,
                P::LedgerExport,
                P::BackupRun,
                P::BackupConfirm,
                P::SafeguardRead,
                P::SafeguardDecide,
                P::DeviceRead,
                P::MalwareRead,
                P::ListExport,
            ],
            Self::SecurityOfficer => &[
                P::StatusRead,
                P::ConfigRead,
                P::KeyRead,
                P::KeyUnseal,
                P::KeyChange,
                P::PeerRead,
                P::PeerChange,
                P::PersonRead,
                P::PersonChange,
                P::MessageList,
                P::PatientDispose,
                P::HoldChange,
                P::LedgerRead,
                P::LedgerExport,
                P::BreakGlassReview,
                P::AuditOpen,
                P::BackupRun,
                P::SafeguardRead,
                P::SafeguardDecide,
                P::DeviceRead,
                P::DeviceChange,
                P::MalwareRead,
                P::MalwareInspect,
                P::MalwareWriteBack,
                P::IntegrityReport,
                P::MalwareDecide,
                P::MalwareRules,
                P::RiskAccept,
                P::ListExport,
            ],
            Self::LabManager => &[
                P::StatusRead,
                P::PeerRead,
                P::PersonRead,
                P::MessageList,
                P::MessageShow,
                P::MessageDecide,
                P::MessageResend,
                P::RecordFind,
                P::RecordShow,
                P::RecordBreakGlass,
                P::BreakGlassReview,
                P::RecordExport,
                P::RecordImport,
                P::PatientDispose,
                P::HoldChange,
                P::LedgerRead,
                P::LedgerExport,
                P::AuditOpen,
                P::BackupConfirm,
                P::SafeguardRead,
                P::DeviceRead,
                P::DeviceChange,
                P::MalwareRead,
                P::MalwareDecide,
                P::RiskAccept,
                P::ListExport,
            ],
            Self::ClinicalStaff => &[
                P::StatusRead,
                P::MessageList,
                P::MessageShow,
                P::MessageDecide,
                P::MessageResend,
                P::RecordFind,
                P::RecordShow,
                P::RecordBreakGlass,
            ],
            Self::It => &[
                P::StatusRead,
                P::ConfigRead,
                P::ConfigChange,
                P::KeyRead,
                P::KeyUnseal,
                P::PeerRead,
                P::PeerChange,
                P::MessageList,
                P::MessageResend,
                P::LedgerRead,
                P::BackupRun,
                P::SafeguardRead,
                P::DeviceRead,
                P::DeviceChange,
                P::MalwareRead,
                P::MalwareInspect,
                P::MalwareWriteBack,
                P::IntegrityReport,
                P::MalwareDecide,
                P::MalwareRules,
            ],
            Self::Expert => &[
                P::StatusRead,
                P::KeyRead,
                P::PeerRead,
                P::PersonRead,
                P::LedgerRead,
                P::LedgerExport,
                P::SafeguardRead,
                P::DeviceRead,
                P::MalwareRead,
                P::ListExport,
            ],
        }
    }
}

/// The roles of one person: at least one; in a small lab one person holds several.
///
/// Written as names joined by commas, in the order of [`Role::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Roles(u8);

impl Roles {
    /// These roles and `role`.
    #[must_use]
    pub const fn and(self, role: Role) -> Self {
        Self(self.0 | Self::bit(role))
    }

    /// Whether `role` is one of them.
    pub const fn contains(self, role: Role) -> bool {
        self.0 & Self::bit(role) != 0
    }

    /// These roles but `role`; `None` if none is left.
    #[must_use]
    pub const fn without(self, role: Role) -> Option<Self> {
        match self.0 & !Self::bit(role) {
            0 => None,
            left => Some(Self(left)),
        }
    }

    /// Whether any of them permits it.
    pub fn permits(self, permission: Permission) -> bool {
        self.iter().any(|role| role.permits(permission))
    }

    /// Each of them, in the order of [`Role::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL
            .iter()
            .copied()
            .filter(move |role| self.contains(*role))
    }

    const fn bit(role: Role) -> u8 {
        match role {
            Role::Administrator => 1,
            Role::SecurityOfficer => 2,
            Role::LabManager => 4,
            Role::ClinicalStaff => 8,
            Role::It => 16,
            Role::Expert => 32,
        }
    }
}

impl From<Role> for Roles {
    fn from(role: Role) -> Self {
        Self(Self::bit(role))
    }
}

impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, role) in self.iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            f.write_str(role.name())?;
        }
        Ok(())
    }
}

impl FromStr for Roles {
    type Err = IdentityError;

    fn from_str(text: &str) -> Result<Self, IdentityError> {
        let mut roles = Self(0);
        for name in text.split(',') {
            roles = roles.and(name.trim().parse()?);
        }
        Ok(roles)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    /// Columns: administrator, security officer, lab manager, clinical staff, IT, expert.
    const GOLDEN: &str = "\
status.read      A S M C I E
config.read      A S . . I .
config.change    A . . . I .
key.read         A S . . I E
key.unseal       A S . . I .
key.change       A S . . . .
peer.read        A S M . I E
peer.change      A S . . I .
person.read      A S M . . E
person.change    A S . . . .
message.list     A S M C I .
message.show     . . M C . .
message.decide   . . M C . .
message.resend   A . M C I .
record.find      . . M C . .
record.show      . . M C . .
record.break-glass . . M C . .
break-glass.review . S M . . .
record.export    . . M . . .
record.import    A . M . . .
patient.dispose  . S M . . .
hold.change      . S M . . .
ledger.read      A S M . I E
ledger.export    A S M . . E
audit.open       . S M . . .
backup.run       A S . . I .
backup.confirm   A . M . . .
safeguard.read   A S M . I E
safeguard.decide A S . . . .
device.read      A S M . I E
device.change    . S M . I .
malware.read     A S M . I E
malware.inspect  . S . . I .
malware.write-back . S . . I .
integrity.report . S . . I .
malware.decide   . S M . I .
malware.rules    . S . . I .
risk.accept      . S M . . .
list.export      A S M . . E
";

    #[test]
    fn the_table_grants_what_the_golden_table_says_and_nothing_else() {
        let mut table = String::new();
        for permission in Permission::ALL {
            write!(table, "{:<16}", permission.name()).unwrap();
            for (role, letter) in Role::ALL.iter().zip("ASMCIE".chars()) {
                let mark = if role.permits(*permission) {
                    letter
                } else {
                    '.'
                };
                write!(table, " {mark}").unwrap();
            }
            table.push('\n');
        }
        assert_eq!(table, GOLDEN);
    }

    #[test]
    fn running_the_system_does_not_include_reading_a_record() {
        for role in [
            Role::Administrator,
            Role::SecurityOfficer,
            Role::It,
            Role::Expert,
        ] {
            for permission in [
                Permission::MessageShow,
                Permission::RecordFind,
                Permission::RecordShow,
                Permission::RecordBreakGlass,
                Permission::RecordExport,
            ] {
                assert!(!role.permits(permission), "{role} {permission}");
            }
        }
    }

    #[test]
    fn an_expert_changes_nothing() {
        for permission in Permission::ALL {
            if Role::Expert.permits(*permission) {
                let name = permission.name();
                assert!(
                    name.ends_with(".read") || name.ends_with(".export"),
                    "{name}"
                );
            }
        }
    }

    #[test]
    fn several_roles_permit_what_any_of_them_permits() {
        let both: Roles = "lab-manager, administrator".parse().unwrap();
        assert_eq!(both.to_string(), "administrator,lab-manager");
        assert!(both.permits(Permission::RecordShow) && both.permits(Permission::KeyChange));
        let neither: Roles = "clinical-staff,it".parse().unwrap();
        assert!(!neither.permits(Permission::AuditOpen));
        assert_eq!(both.to_string().parse::<Roles>().unwrap(), both);
    }

    #[test]
    fn what_is_not_a_role_is_not_read_as_one() {
        for text in ["", ",", "root", "it,", "IT", "it it"] {
            assert!(text.parse::<Roles>().is_err(), "{text:?}");
        }
        for role in Role::ALL {
            assert_eq!(role.name().parse::<Role>().unwrap(), *role);
        }
    }
}

//! The layers of a confinement, each with a stable code for the ledger and the check page.
//!
//! It must never give one code to two layers, nor change one.

use rustix::io::Errno;

/// One thing that holds a confined process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// It is not root.
    Account,
    /// No descriptor is open but standard input, output and error.
    Descriptors,
    /// Its root folder is an empty file system that cannot be written.
    EmptyRoot,
    /// Its own name of the machine.
    HostnameNamespace,
    /// Its own shared memory, semaphores and message queues.
    IpcNamespace,
    /// Landlock refuses every file and folder.
    LandlockFiles,
    /// Landlock refuses to bind and connect (TCP; kernel 6.7).
    LandlockNetwork,
    /// Landlock refuses signals and abstract sockets of others (kernel 6.12).
    LandlockScope,
    /// Resource limits: memory, time, and no written file, no descriptor, no process more.
    Limits,
    /// Its own mounts.
    MountNamespace,
    /// Its own network, in which there is nothing.
    NetworkNamespace,
    /// It is killed when the thread that started it ends.
    ParentDeath,
    /// No capability, and no way to one (`no_new_privs`).
    Rights,
    /// Any system call that computing does not need kills it.
    Seccomp,
    /// No core dump, and nobody but root may trace it.
    Untraceable,
    /// Its own accounts.
    UserNamespace,
}

/// What became of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// The kernel took it.
    InForce,
    /// It was not attempted: the caller left it out, or another layer that it stands on is missing.
    LeftOut,
    /// The kernel does not have it, or it is switched off.
    NotThere,
    /// The kernel has it and refused it, with this error number.
    Refused(i32),
}

impl Layer {
    /// Every layer, in the order in which they are told.
    pub const ALL: &'static [Self] = &[
        Self::Seccomp,
        Self::Rights,
        Self::Account,
        Self::Limits,
        Self::Descriptors,
        Self::ParentDeath,
        Self::Untraceable,
        Self::LandlockFiles,
        Self::LandlockNetwork,
        Self::LandlockScope,
        Self::UserNamespace,
        Self::MountNamespace,
        Self::EmptyRoot,
        Self::NetworkNamespace,
        Self::IpcNamespace,
        Self::HostnameNamespace,
    ];

    /// Its stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Account => "confine.account",
            Self::Descriptors => "confine.descriptors",
            Self::EmptyRoot => "confine.empty-root",
            Self::HostnameNamespace => "confine.hostname-namespace",
            Self::IpcNamespace => "confine.ipc-namespace",
            Self::LandlockFiles => "confine.landlock-files",
            Self::LandlockNetwork => "confine.landlock-network",
            Self::LandlockScope => "confine.landlock-scope",
            Self::Limits => "confine.limits",
            Self::MountNamespace => "confine.mount-namespace",
            Self::NetworkNamespace => "confine.network-namespace",
            Self::ParentDeath => "confine.parent-death",
            Self::Rights => "confine.rights",
            Self::Seccomp => "confine.seccomp",
            Self::Untraceable => "confine.untraceable",
            Self::UserNamespace => "confine.user-namespace",
        }
    }

    /// The layer of this code, as a parent reads it from its child.
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|layer| layer.code() == code)
    }
}

impl State {
    /// Its stable code; the error number of a refusal is not part of it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::InForce => "in-force",
            Self::LeftOut => "left-out",
            Self::NotThere => "not-there",
            Self::Refused(_) => "refused",
        }
    }

    /// The state of this code, as a parent reads it from its child; the error number of a refusal
    /// is then 0.
    pub fn of_code(code: &str) -> Option<Self> {
        let all = [
            Self::InForce,
            Self::LeftOut,
            Self::NotThere,
            Self::Refused(0),
        ];
        all.into_iter().find(|state| state.code() == code)
    }

    pub(super) fn of(error: Errno) -> Self {
        match error {
            Errno::NOSYS | Errno::OPNOTSUPP | Errno::INVAL => Self::NotThere,
            other => Self::Refused(other.raw_os_error()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_layer_has_a_code_of_its_own_and_is_found_by_it() {
        let codes: BTreeSet<&str> = Layer::ALL.iter().map(|layer| layer.code()).collect();
        assert_eq!(codes.len(), Layer::ALL.len());
        for layer in Layer::ALL {
            assert_eq!(Layer::of_code(layer.code()), Some(*layer));
        }
        assert_eq!(Layer::of_code("confine.nothing"), None);
        assert_eq!(State::of_code("in-force"), Some(State::InForce));
        assert_eq!(State::of_code("refused"), Some(State::Refused(0)));
        assert_eq!(State::of_code("In-Force"), None);
    }

    #[test]
    fn what_the_kernel_lacks_is_told_apart_from_what_it_refuses() {
        assert_eq!(State::of(Errno::NOSYS), State::NotThere);
        assert_eq!(State::of(Errno::OPNOTSUPP), State::NotThere);
        assert_eq!(State::of(Errno::PERM), State::Refused(libc::EPERM));
        assert_eq!(State::of(Errno::NOSPC), State::Refused(libc::ENOSPC));
    }
}

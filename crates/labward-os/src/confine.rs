//! A process that reads foreign bytes, confined before it reads the first one.
//!
//! The parent starts it with [`spawn`], it calls [`enter`] itself, and both speak over two pipes.
//! It must never say that a layer is in force unless the kernel took it, and never go on without a
//! layer that was required (**Invariant:** a missing measurement is never a pass).
//!
//! ```no_run
//! use labward_os::confine::{Limits, enter};
//!
//! // In the child, first of all, while it has one thread:
//! let confinement = enter(&Limits::of(512 << 20))?;
//! for (layer, state) in confinement.layers() {
//!     println!("{} {}", layer.code(), state.code());
//! }
//! # Ok::<(), labward_os::confine::ConfineError>(())
//! ```
//!
//! # What a confined process may still do
//! Compute, allocate up to its limit, read and write the descriptors 0, 1 and 2, ask for the time
//! and random bytes, and end. A panic works, a backtrace does not: it would open files. What asks
//! for the number of processors (`available_parallelism`) is killed, too.

use std::fs;
use std::io;

use labward_base::{Problem, problem};
use rustix::io::Errno;
use rustix::process::{Pid, Resource, Rlimit, Signal, getppid, getrlimit, setrlimit};
use rustix::process::{geteuid, getpid, set_parent_process_death_signal};
use rustix::thread::{CapabilitySet, capabilities};

use crate::privilege::{NOBODY, denies_groups, give_up};
use crate::process::forbid_core_dumps;

mod filter;
mod isolate;
mod landlock;
mod layer;
mod spawn;
pub mod trial;

pub use layer::{Layer, State};
pub use spawn::{ConfinedChild, Ending, spawn, start};

/// What a confined process may use, and which layers are meant to hold it.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Memory, in bytes of address space: the program itself, stacks and everything that is
    /// allocated. With threads, count 128 MiB more for each, which the C library sets aside.
    pub address_space_bytes: u64,
    /// Seconds of processor time, after which the process is killed; none means without a limit.
    pub cpu_seconds: Option<u64>,
    /// Whether it may make threads of its own. The number of processes is then not limited by a
    /// resource limit, which counts threads too, but by `seccomp` alone.
    pub threads: bool,
    /// Without these [`enter`] is an error; at first [`Layer::Seccomp`] alone.
    pub required: Vec<Layer>,
    /// These are not attempted: for a test of the others.
    pub left_out: Vec<Layer>,
}

/// What holds this process, layer by layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confinement {
    layers: Vec<(Layer, State)>,
}

/// Why a process could not be confined; it must end without reading anything.
#[derive(Debug, thiserror::Error)]
pub enum ConfineError {
    /// A layer that is required, or that every kernel has, is not in force.
    #[error("confine this process: {} is {}", .layer.code(), .state.code())]
    Missing {
        /// The layer.
        layer: Layer,
        /// What became of it.
        state: State,
    },
    /// The parent ended while the process was being confined.
    #[error("confine this process: its parent is gone")]
    ParentGone,
    /// It has several threads, and most layers bind only the one that takes them on.
    #[error("confine this process: it has several threads, or cannot tell")]
    Threads,
}

impl Limits {
    /// So many bytes of address space, no limit of time, one thread, `seccomp` required.
    pub fn of(address_space_bytes: u64) -> Self {
        Self {
            address_space_bytes,
            cpu_seconds: None,
            threads: false,
            required: vec![Layer::Seccomp],
            left_out: Vec::new(),
        }
    }

    /// Limits that the process cannot raise again; may be called between fork and exec.
    fn apply(&self) -> Result<(), Errno> {
        // The signal of the soft limit tells the parent why, the hard limit cannot be caught.
        let cpu = self.cpu_seconds.map(|soft| (soft, soft.saturating_add(1)));
        for (resource, limit) in [
            (Resource::Core, Some((0, 0))),
            (
                Resource::As,
                Some((self.address_space_bytes, self.address_space_bytes)),
            ),
            (Resource::Fsize, Some((0, 0))),
            (Resource::Cpu, cpu),
        ] {
            if let Some((soft, hard)) = limit {
                lower(resource, soft, hard)?;
            }
        }
        Ok(())
    }

    /// Those that would be in the way of the other layers: no process and no descriptor more.
    fn apply_last(&self) -> Result<(), Errno> {
        if !self.threads {
            lower(Resource::Nproc, 0, 0)?;
        }
        lower(Resource::Nofile, KEPT.into(), KEPT.into())
    }
}

/// The descriptors that stay open: standard input, output and error.
const KEPT: u32 = 3;

fn lower(resource: Resource, soft: u64, hard: u64) -> Result<(), Errno> {
    let most = getrlimit(resource).maximum.unwrap_or(u64::MAX);
    let limit = Rlimit {
        current: Some(soft.min(most)),
        maximum: Some(hard.min(most)),
    };
    setrlimit(resource, limit)
}

impl Confinement {
    /// Every layer that Labward knows, in a fixed order, and what became of it.
    pub fn layers(&self) -> &[(Layer, State)] {
        &self.layers
    }

    /// What became of one layer.
    pub fn state(&self, layer: Layer) -> State {
        let mut states = self.layers.iter();
        states
            .find(|(one, _)| *one == layer)
            .map_or(State::LeftOut, |(_, state)| *state)
    }

    /// Whether every layer is in force.
    pub fn is_complete(&self) -> bool {
        self.layers
            .iter()
            .all(|(_, state)| *state == State::InForce)
    }
}

impl ConfineError {
    /// The problem as a person sees it.
    pub fn problem(&self) -> &'static Problem {
        &problem::SERVER_INTERNAL
    }
}

/// Confines this process for good: to be called once, in its only thread, before a foreign byte is
/// read and before anything that must be closed in an orderly way is opened.
///
/// Every descriptor but 0, 1 and 2 is closed, whoever holds it. Root becomes nobody. What the kernel
/// or the account does not permit is left out and told in the answer.
///
/// # Errors
/// [`ConfineError`]: then the process is confined in part and must end.
pub fn enter(limits: &Limits) -> Result<Confinement, ConfineError> {
    let threads = fs::read_dir("/proc/self/task").map(Iterator::count);
    if !matches!(threads, Ok(1)) {
        return Err(ConfineError::Threads);
    }
    let parent = getppid();
    // Asked while `/proc` can be seen.
    let denies_groups = denies_groups();
    let mut tally = Tally {
        limits,
        layers: Vec::new(),
    };
    tally.must(Layer::Descriptors, isolate::close_descriptors)?;
    let is_admin =
        capabilities(None).is_ok_and(|sets| sets.effective.contains(CapabilitySet::SYS_ADMIN));
    let rights = || give_up(NOBODY, denies_groups);
    if is_admin {
        isolate::namespaces(&mut tally);
    }
    // Before the namespace of accounts, in which root looks like anybody.
    tally.must(Layer::Rights, rights)?;
    tally.may(Layer::Account, is_no_longer_root);
    tally.may(Layer::UserNamespace, isolate::user_namespace);
    if !is_admin {
        isolate::namespaces(&mut tally);
    }
    // What the new namespace gave is given up, too.
    tally.must(Layer::Rights, rights)?;
    // Another account or namespace makes the process traceable again, hence only now.
    tally.must(Layer::Untraceable, || {
        forbid_core_dumps().map_err(|_| Errno::PERM)
    })?;
    landlock::restrict(&mut tally);
    tally.must(Layer::ParentDeath, die_with_parent)?;
    if getppid() != parent {
        return Err(ConfineError::ParentGone);
    }
    tally.must(Layer::Limits, || {
        limits.apply().and_then(|()| limits.apply_last())
    })?;
    tally.may(Layer::Seccomp, || filter::install(limits.threads));
    tally.finish()
}

/// A namespace that does not know nobody's account leaves root as it is.
fn is_no_longer_root() -> Result<(), Errno> {
    if geteuid().is_root() {
        Err(Errno::PERM)
    } else {
        Ok(())
    }
}

/// As [`spawn`] does, because a change of account takes it away.
fn die_with_parent() -> Result<(), Errno> {
    set_parent_process_death_signal(Some(Signal::KILL))
}

/// Ends a child between fork and exec whose parent is gone already.
fn is_child_of(parent: Pid) -> Result<(), io::Error> {
    match getppid() {
        Some(now) if now == parent => Ok(()),
        _ => Err(io::Error::from_raw_os_error(libc::ESRCH)),
    }
}

fn own_pid() -> Pid {
    getpid()
}

/// The layers that were attempted so far.
struct Tally<'a> {
    limits: &'a Limits,
    layers: Vec<(Layer, State)>,
}

impl Tally<'_> {
    fn is_left_out(&self, layer: Layer) -> bool {
        self.limits.left_out.contains(&layer)
    }

    fn note(&mut self, layer: Layer, state: State) {
        self.layers.retain(|(one, _)| *one != layer);
        self.layers.push((layer, state));
    }

    /// Attempts a layer; answers what became of it.
    fn may(&mut self, layer: Layer, attempt: impl FnOnce() -> Result<(), Errno>) -> State {
        let state = if self.is_left_out(layer) {
            State::LeftOut
        } else {
            attempt().map_or_else(State::of, |()| State::InForce)
        };
        self.note(layer, state);
        state
    }

    /// Attempts a layer that every kernel and account has.
    fn must(
        &mut self,
        layer: Layer,
        attempt: impl FnOnce() -> Result<(), Errno>,
    ) -> Result<(), ConfineError> {
        match self.may(layer, attempt) {
            State::InForce | State::LeftOut => Ok(()),
            state => Err(ConfineError::Missing { layer, state }),
        }
    }

    fn finish(self) -> Result<Confinement, ConfineError> {
        let layers = Layer::ALL.iter().map(|layer| {
            let found = self.layers.iter().find(|(one, _)| one == layer);
            (*layer, found.map_or(State::LeftOut, |(_, state)| *state))
        });
        let confinement = Confinement {
            layers: layers.collect(),
        };
        for layer in &self.limits.required {
            let state = confinement.state(*layer);
            if state != State::InForce {
                return Err(ConfineError::Missing {
                    layer: *layer,
                    state,
                });
            }
        }
        Ok(confinement)
    }
}

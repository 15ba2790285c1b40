//! The system calls that computing needs; any other one kills the process.
//!
//! It must never allow one that names a path, another process or an address outside, or that makes
//! memory executable.

use std::collections::BTreeMap;
use std::env::consts::ARCH;

use rustix::io::Errno;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch, apply_filter,
};

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Allowed with any arguments: the descriptors that are open, memory, time, waiting, ending.
const ALWAYS: &[libc::c_long] = &[
    libc::SYS_brk,
    libc::SYS_clock_getres,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_close,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_fstat,
    libc::SYS_futex,
    libc::SYS_getpid,
    libc::SYS_getrandom,
    libc::SYS_gettid,
    libc::SYS_gettimeofday,
    libc::SYS_lseek,
    libc::SYS_madvise,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_nanosleep,
    libc::SYS_ppoll,
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_restart_syscall,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_yield,
    libc::SYS_sigaltstack,
    libc::SYS_write,
    libc::SYS_writev,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_time,
];

/// Allowed where threads are, with any arguments.
const THREADS: &[libc::c_long] = &[
    libc::SYS_membarrier,
    libc::SYS_rseq,
    libc::SYS_sched_getaffinity,
    libc::SYS_set_robust_list,
];

/// Every new namespace that `clone` could make.
const NEW_NAMESPACES: libc::c_int = libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWUTS;

/// Puts the filter in force, for good.
pub(super) fn install(threads: bool) -> Result<(), Errno> {
    let filters = programs(threads).map_err(|error| match error {
        // The one thing that depends on the machine.
        BackendError::InvalidTargetArch(_) => Errno::NOSYS,
        _ => Errno::BADMSG,
    })?;
    for filter in &filters {
        apply_filter(filter).map_err(|error| match error {
            seccompiler::Error::Prctl(source) | seccompiler::Error::Seccomp(source) => {
                Errno::from_io_error(&source).unwrap_or(Errno::IO)
            }
            _ => Errno::BADMSG,
        })?;
    }
    Ok(())
}

/// In the order in which they are installed.
fn programs(threads: bool) -> Result<Vec<BpfProgram>, BackendError> {
    let architecture = TargetArch::try_from(ARCH)?;
    let program = |rules, otherwise, matched| {
        SeccompFilter::new(rules, otherwise, matched, architecture).and_then(BpfProgram::try_from)
    };
    let mut programs = Vec::new();
    if threads {
        // Its flags stand in memory, where no filter sees them. Told that there is none, the C
        // library takes `clone`. Of two answers the kernel takes the stricter one.
        let absent = SeccompAction::Errno(libc::ENOSYS.cast_unsigned());
        let rules = Rules::from([(libc::SYS_clone3, Vec::new())]);
        programs.push(program(rules, SeccompAction::Allow, absent)?);
    }
    programs.push(program(
        rules(threads)?,
        SeccompAction::KillProcess,
        SeccompAction::Allow,
    )?);
    Ok(programs)
}

fn rules(threads: bool) -> Result<Rules, BackendError> {
    let mut rules: Rules = ALWAYS.iter().map(|call| (*call, Vec::new())).collect();
    // Memory that can be written and run is what an attack needs next.
    let not_executable = |argument| without(argument, libc::PROT_EXEC);
    rules.insert(libc::SYS_mmap, vec![rule(vec![not_executable(2)?])?]);
    rules.insert(libc::SYS_mprotect, vec![rule(vec![not_executable(2)?])?]);
    let queries = [libc::F_GETFD, libc::F_GETFL]
        .map(|query| equals(1, query).and_then(|one| rule(vec![one])));
    rules.insert(
        libc::SYS_fcntl,
        queries.into_iter().collect::<Result<_, _>>()?,
    );
    // How a process ends itself after a panic that cannot be caught.
    let own = super::own_pid().as_raw_nonzero().get();
    rules.insert(libc::SYS_tgkill, vec![rule(vec![equals(0, own)?])?]);
    if threads {
        rules.extend(THREADS.iter().map(|call| (*call, Vec::new())));
        let thread = with(0, libc::CLONE_THREAD)?;
        let here = without(0, NEW_NAMESPACES)?;
        rules.insert(libc::SYS_clone, vec![rule(vec![thread, here])?]);
        rules.insert(libc::SYS_clone3, Vec::new());
        let name = equals(0, libc::PR_SET_NAME)?;
        rules.insert(libc::SYS_prctl, vec![rule(vec![name])?]);
    }
    Ok(rules)
}

fn rule(conditions: Vec<SeccompCondition>) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(conditions)
}

fn equals(argument: u8, value: libc::c_int) -> Result<SeccompCondition, BackendError> {
    condition(argument, SeccompCmpOp::Eq, value)
}

/// Every one of the bits is set.
fn with(argument: u8, bits: libc::c_int) -> Result<SeccompCondition, BackendError> {
    condition(argument, SeccompCmpOp::MaskedEq(unsigned(bits)), bits)
}

/// None of the bits is set.
fn without(argument: u8, bits: libc::c_int) -> Result<SeccompCondition, BackendError> {
    condition(argument, SeccompCmpOp::MaskedEq(unsigned(bits)), 0)
}

/// All arguments that are looked at are 32 bits wide to the kernel.
fn condition(
    argument: u8,
    operator: SeccompCmpOp,
    value: libc::c_int,
) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, unsigned(value))
}

fn unsigned(value: libc::c_int) -> u64 {
    u64::from(value.cast_unsigned())
}

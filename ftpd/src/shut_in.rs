//! Shuts the process in before it serves: no socket but Unix ones, no program, no file but the volume's, those beside
//! the socket, and the configuration.
//!
//! All containers of a pod share its network, so that a file server which was taken over could dial whatever the pod
//! can. Two fences stand against it: a seccomp filter, without which the server does not start, and Landlock, as far as
//! the node's kernel has it.

mod trials;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, PathBeneath, PathFd, PathFdError, Ruleset, RulesetAttr as _,
    RulesetCreated, RulesetCreatedAttr as _, RulesetError, RulesetStatus, Scope, make_bitflags,
};
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

pub use trials::{Trial, trials};

/// What the process may still reach.
#[derive(Clone, Debug)]
pub struct Reach {
    /// Read and written: the volume.
    pub data: PathBuf,
    /// The socket's directory.
    pub run: PathBuf,
    /// Read only.
    pub config: PathBuf,
}

/// What is in force. Both hold for every thread that is made from now on, and cannot be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fences {
    /// How far the kernel has Landlock.
    pub landlock: Landlock,
}

/// How far file access is fenced in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Landlock {
    /// All that this program knows of.
    Full,
    /// What the node's older kernel has of it.
    Partial,
    /// The node's kernel has none: the container's own mounts are the only fence.
    Missing,
}

/// Why the process could not be shut in.
#[derive(Debug, thiserror::Error)]
pub enum ShutInError {
    /// A directory to be left reachable is not there.
    #[error("failed to open a directory for Landlock: {0}")]
    Path(#[from] PathFdError),
    /// The rules were refused.
    #[error("failed to apply Landlock: {0}")]
    Landlock(#[from] RulesetError),
    /// The filter cannot be built.
    #[error("failed to build the seccomp filter: {0}")]
    Filter(#[from] BackendError),
    /// The kernel refused the filter.
    #[error("failed to apply the seccomp filter: {0}")]
    Seccomp(#[from] seccompiler::Error),
}

/// The newest rights that this program knows; an older kernel takes those that it has.
const NEWEST: ABI = ABI::V6;

const ON_DATA: BitFlags<AccessFs> = make_bitflags!(AccessFs::{
    ReadFile | ReadDir | WriteFile | Truncate | MakeReg | MakeDir | RemoveFile | RemoveDir | Refer
});
const ON_RUN: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ReadDir | MakeSock | RemoveFile});
const ON_CONFIG: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ReadFile | ReadDir});

/// Shuts the calling thread in, so it comes before any other is made.
pub fn shut_in(reach: &Reach) -> Result<Fences, ShutInError> {
    // Landlock first: the filter need not let its system calls through.
    let landlock = fence_files(reach)?;
    seccompiler::apply_filter(&filter()?)?;
    Ok(Fences { landlock })
}

fn fence_files(reach: &Reach) -> Result<Landlock, ShutInError> {
    let rules = Ruleset::default()
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?;
    let rules = allow(rules, &reach.data, ON_DATA)?;
    let rules = allow(rules, &reach.run, ON_RUN)?;
    let rules = allow(rules, &reach.config, ON_CONFIG)?;
    Ok(match rules.restrict_self()?.ruleset {
        RulesetStatus::FullyEnforced => Landlock::Full,
        RulesetStatus::PartiallyEnforced => Landlock::Partial,
        RulesetStatus::NotEnforced => Landlock::Missing,
    })
}

fn allow(rules: RulesetCreated, path: &Path, access: BitFlags<AccessFs>) -> Result<RulesetCreated, ShutInError> {
    Ok(rules.add_rule(PathBeneath::new(PathFd::new(path)?, access))?)
}

/// System calls that lead around the fences, or that no file server needs: a second interface to sockets (`io_uring`),
/// other processes' descriptors and memory, other programs, other namespaces.
const NEVER: &[i64] = &[
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_pidfd_getfd,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
];

/// System calls that make sockets: their first argument is the domain.
const SOCKETS: &[i64] = &[libc::SYS_socket, libc::SYS_socketpair];

fn filter() -> Result<BpfProgram, BackendError> {
    let mut refused: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    for call in NEVER.iter().flat_map(|call| numbers(*call)) {
        refused.insert(call, Vec::new());
    }
    for call in SOCKETS.iter().flat_map(|call| numbers(*call)) {
        refused.insert(call, vec![SeccompRule::new(vec![not_unix()?])?]);
    }
    let refuse = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    SeccompFilter::new(refused, SeccompAction::Allow, refuse, std::env::consts::ARCH.try_into()?)?.try_into()
}

fn not_unix() -> Result<SeccompCondition, BackendError> {
    let unix = u64::from(libc::AF_UNIX.unsigned_abs());
    SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, unix)
}

/// A call's number, and on x86-64 its other one: the x32 numbers pass for the same architecture.
fn numbers(call: i64) -> impl Iterator<Item = i64> {
    const X32: i64 = 0x4000_0000;
    std::iter::once(call).chain(cfg!(target_arch = "x86_64").then_some(call | X32))
}

//! The seccomp filters: an allow list of system calls, and the uses of those on it that are refused.
//!
//! They are two because a filter gives one answer. The first knows names only: what is not on its list is `ENOSYS`, as
//! on a kernel that does not have the call yet, so that a newer C library falls back to the older call instead of
//! failing. The second looks at arguments and answers `EPERM`, which is what a person who reads a log expects. Of two
//! errors the kernel returns that of the filter that came last. Nearly every call is allowed by both whatever its
//! arguments are, which the kernel keeps in a table: these cost no more than without filters.

mod lists;

use std::collections::BTreeMap;

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

use crate::error::ShutInError;

/// The system calls that a program can make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calls {
    /// Those of a file server on a Unix socket: no other sockets, but every change of files.
    Files,
    /// Those of a relay: Unix and IP sockets; files can be opened for reading only.
    Relay,
}

impl Calls {
    fn domains(self) -> &'static [i32] {
        match self {
            Self::Files => &[libc::AF_UNIX],
            Self::Relay => &[libc::AF_UNIX, libc::AF_INET, libc::AF_INET6],
        }
    }

    fn allowed(self) -> impl Iterator<Item = i64> {
        let own = match self {
            Self::Files => lists::FILES,
            Self::Relay => lists::RELAY,
        };
        lists::BOTH.iter().chain(own).copied()
    }
}

pub(crate) fn apply(calls: Calls) -> Result<(), ShutInError> {
    seccompiler::apply_filter(&allow(calls)?)?;
    seccompiler::apply_filter(&refuse(calls)?)?;
    Ok(())
}

fn allow(calls: Calls) -> Result<BpfProgram, BackendError> {
    let rules = calls.allowed().map(|call| (call, Vec::new())).collect();
    build(rules, errno(libc::ENOSYS), SeccompAction::Allow)
}

fn refuse(calls: Calls) -> Result<BpfProgram, BackendError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = lists::NEVER.iter().map(|call| (*call, Vec::new())).collect();
    for call in [libc::SYS_socket, libc::SYS_socketpair] {
        rules.insert(call, other_domains(calls)?);
    }
    rules.insert(libc::SYS_clone, processes_and_namespaces()?);
    if calls == Calls::Relay {
        for (call, argument) in lists::OPEN {
            rules.insert(*call, opening_for_more_than_reading(*argument)?);
        }
    }
    build(rules, SeccompAction::Allow, errno(libc::EPERM))
}

fn build(
    rules: BTreeMap<i64, Vec<SeccompRule>>,
    otherwise: SeccompAction,
    listed: SeccompAction,
) -> Result<BpfProgram, BackendError> {
    SeccompFilter::new(rules, otherwise, listed, std::env::consts::ARCH.try_into()?)?.try_into()
}

fn errno(number: i32) -> SeccompAction {
    SeccompAction::Errno(number.unsigned_abs())
}

/// Rules against other domains, the first argument of `socket` and `socketpair`.
fn other_domains(calls: Calls) -> Result<Vec<SeccompRule>, BackendError> {
    let other = |domain: &i32| {
        SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, u64::from(domain.unsigned_abs()))
    };
    Ok(vec![SeccompRule::new(calls.domains().iter().map(other).collect::<Result<_, _>>()?)?])
}

/// Rules against all that `clone` can create but threads. `clone3` hides its flags from filters, so it is not on the
/// list: the C library falls back to `clone`.
fn processes_and_namespaces() -> Result<Vec<SeccompRule>, BackendError> {
    let thread = u64::from(libc::CLONE_THREAD.unsigned_abs());
    let process = SeccompCondition::new(0, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(thread), 0)?;
    Ok(vec![SeccompRule::new(vec![process])?])
}

/// Rules against opening for writing. Without them a program with a descriptor that was opened for reading could open
/// the file once more for writing, as `/proc/self/fd/N`, wherever the file's mode allows it.
fn opening_for_more_than_reading(argument: u8) -> Result<Vec<SeccompRule>, BackendError> {
    let flag = |mask: i32, value: i32| {
        let (mask, value) = (u64::from(mask.unsigned_abs()), u64::from(value.unsigned_abs()));
        let set = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(mask), value)?;
        SeccompRule::new(vec![set])
    };
    // O_TRUNC empties a file even where it comes with O_RDONLY, and the access mode 3 is neither of the three.
    [
        (libc::O_ACCMODE, libc::O_WRONLY),
        (libc::O_ACCMODE, libc::O_RDWR),
        (libc::O_ACCMODE, libc::O_ACCMODE),
        (libc::O_CREAT, libc::O_CREAT),
        (libc::O_TRUNC, libc::O_TRUNC),
    ]
    .into_iter()
    .map(|(mask, value)| flag(mask, value))
    .collect()
}

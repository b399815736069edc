//! System calls by name: those that the programs make in all their tests, and the siblings that another C library or
//! another architecture makes instead; those that only x86-64 has stand apart.

use libc::{
    SYS_accept4, SYS_bind, SYS_bpf, SYS_brk, SYS_clock_getres, SYS_clock_gettime, SYS_clock_nanosleep, SYS_clone,
    SYS_close, SYS_close_range, SYS_connect, SYS_copy_file_range, SYS_dup, SYS_dup3, SYS_epoll_create1, SYS_epoll_ctl,
    SYS_epoll_pwait, SYS_epoll_pwait2, SYS_eventfd2, SYS_execve, SYS_execveat, SYS_exit, SYS_exit_group, SYS_faccessat,
    SYS_faccessat2, SYS_fadvise64, SYS_fallocate, SYS_fchmod, SYS_fchmodat, SYS_fcntl, SYS_fdatasync, SYS_flock,
    SYS_fstat, SYS_fstatfs, SYS_fsync, SYS_ftruncate, SYS_futex, SYS_getcpu, SYS_getcwd, SYS_getdents64, SYS_getegid,
    SYS_geteuid, SYS_getgid, SYS_getpeername, SYS_getpid, SYS_getrandom, SYS_getrusage, SYS_getsockname,
    SYS_getsockopt, SYS_gettid, SYS_gettimeofday, SYS_getuid, SYS_inotify_add_watch, SYS_inotify_init1,
    SYS_inotify_rm_watch, SYS_io_uring_enter, SYS_io_uring_register, SYS_io_uring_setup, SYS_ioctl, SYS_keyctl,
    SYS_linkat, SYS_listen, SYS_lseek, SYS_madvise, SYS_membarrier, SYS_mkdirat, SYS_mmap, SYS_mount, SYS_mprotect,
    SYS_mremap, SYS_munmap, SYS_nanosleep, SYS_newfstatat, SYS_openat, SYS_openat2, SYS_perf_event_open,
    SYS_pidfd_getfd, SYS_pipe2, SYS_ppoll, SYS_prctl, SYS_pread64, SYS_preadv, SYS_preadv2, SYS_prlimit64,
    SYS_process_vm_readv, SYS_process_vm_writev, SYS_ptrace, SYS_pwrite64, SYS_pwritev, SYS_pwritev2, SYS_read,
    SYS_readlinkat, SYS_readv, SYS_recvfrom, SYS_recvmmsg, SYS_recvmsg, SYS_renameat, SYS_renameat2, SYS_request_key,
    SYS_restart_syscall, SYS_rseq, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_sched_getaffinity,
    SYS_sched_yield, SYS_seccomp, SYS_sendfile, SYS_sendmmsg, SYS_sendmsg, SYS_sendto, SYS_set_robust_list, SYS_setns,
    SYS_setsockopt, SYS_shutdown, SYS_sigaltstack, SYS_socket, SYS_socketpair, SYS_statfs, SYS_statx, SYS_sysinfo,
    SYS_tgkill, SYS_umount2, SYS_uname, SYS_unlinkat, SYS_unshare, SYS_userfaultfd, SYS_utimensat, SYS_write,
    SYS_writev,
};

/// Calls that every program needs: memory, threads, time, waiting, open descriptors, reading files, sockets that exist.
#[rustfmt::skip]
pub(super) const BOTH: &[i64] = &[
    // Memory.
    SYS_brk, SYS_madvise, SYS_mmap, SYS_mprotect, SYS_mremap, SYS_munmap,
    // Threads and their end. `clone` is looked at more closely.
    SYS_clone, SYS_exit, SYS_exit_group, SYS_futex, SYS_getcpu, SYS_gettid, SYS_membarrier, SYS_prctl, SYS_rseq,
    SYS_sched_getaffinity, SYS_sched_yield, SYS_set_robust_list,
    // Signals, those of an abort among them.
    SYS_restart_syscall, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_sigaltstack, SYS_tgkill,
    // Time and chance.
    SYS_clock_getres, SYS_clock_gettime, SYS_clock_nanosleep, SYS_getrandom, SYS_gettimeofday, SYS_nanosleep,
    // The process itself.
    SYS_getegid, SYS_geteuid, SYS_getgid, SYS_getpid, SYS_getrusage, SYS_getuid, SYS_prlimit64, SYS_sysinfo, SYS_uname,
    // Waiting.
    SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_pwait, SYS_epoll_pwait2, SYS_eventfd2, SYS_inotify_add_watch,
    SYS_inotify_init1, SYS_inotify_rm_watch, SYS_ppoll,
    // Open descriptors.
    SYS_close, SYS_close_range, SYS_dup, SYS_dup3, SYS_fadvise64, SYS_fcntl, SYS_fstat, SYS_getdents64, SYS_ioctl,
    SYS_lseek, SYS_pipe2, SYS_pread64, SYS_preadv, SYS_preadv2, SYS_pwrite64, SYS_pwritev, SYS_pwritev2, SYS_read,
    SYS_readv, SYS_write, SYS_writev,
    // Paths.
    SYS_faccessat, SYS_faccessat2, SYS_getcwd, SYS_newfstatat, SYS_openat, SYS_readlinkat, SYS_statx,
    // Sockets. `socket` and `socketpair` are looked at more closely.
    SYS_accept4, SYS_bind, SYS_getpeername, SYS_getsockname, SYS_getsockopt, SYS_listen, SYS_recvfrom, SYS_recvmsg,
    SYS_sendmsg, SYS_sendto, SYS_setsockopt, SYS_shutdown, SYS_socket, SYS_socketpair,
    // For the second filter, which then refuses it.
    SYS_seccomp,
    #[cfg(target_arch = "x86_64")] libc::SYS_access,
    #[cfg(target_arch = "x86_64")] libc::SYS_dup2,
    #[cfg(target_arch = "x86_64")] libc::SYS_epoll_wait,
    #[cfg(target_arch = "x86_64")] libc::SYS_lstat,
    #[cfg(target_arch = "x86_64")] libc::SYS_open,
    #[cfg(target_arch = "x86_64")] libc::SYS_pipe,
    #[cfg(target_arch = "x86_64")] libc::SYS_poll,
    #[cfg(target_arch = "x86_64")] libc::SYS_readlink,
    #[cfg(target_arch = "x86_64")] libc::SYS_stat,
    #[cfg(target_arch = "x86_64")] libc::SYS_time,
];

/// Changing files.
#[rustfmt::skip]
pub(super) const FILES: &[i64] = &[
    SYS_copy_file_range, SYS_fallocate, SYS_fchmod, SYS_fchmodat, SYS_fdatasync, SYS_flock, SYS_fstatfs, SYS_fsync,
    SYS_ftruncate, SYS_linkat, SYS_mkdirat, SYS_openat2, SYS_renameat, SYS_renameat2, SYS_sendfile, SYS_statfs,
    SYS_unlinkat, SYS_utimensat,
    #[cfg(target_arch = "x86_64")] libc::SYS_chmod,
    #[cfg(target_arch = "x86_64")] libc::SYS_mkdir,
    #[cfg(target_arch = "x86_64")] libc::SYS_rename,
    #[cfg(target_arch = "x86_64")] libc::SYS_rmdir,
    #[cfg(target_arch = "x86_64")] libc::SYS_unlink,
];

/// Dialling, and datagrams for DNS. `openat2` is not here: a filter cannot see what it opens for.
pub(super) const RELAY: &[i64] = &[SYS_connect, SYS_recvmmsg, SYS_sendmmsg];

/// Calls that open files, each with the place of its flags.
pub(super) const OPEN: &[(i64, u8)] = &[
    (SYS_openat, 2),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_open, 1),
];

/// Calls that an intruder would try, which fail as forbidden and not as unknown: other programs, other processes'
/// descriptors and memory, other namespaces, a second interface to sockets (`io_uring`), another filter.
#[rustfmt::skip]
pub(super) const NEVER: &[i64] = &[
    SYS_bpf, SYS_execve, SYS_execveat, SYS_io_uring_enter, SYS_io_uring_register, SYS_io_uring_setup, SYS_keyctl,
    SYS_mount, SYS_perf_event_open, SYS_pidfd_getfd, SYS_process_vm_readv, SYS_process_vm_writev, SYS_ptrace,
    SYS_request_key, SYS_seccomp, SYS_setns, SYS_umount2, SYS_unshare, SYS_userfaultfd, libc::SYS_add_key,
];

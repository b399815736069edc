//! Division of the open files that the process may have. Each part has what it may need at most, so that no transfer
//! runs out of them halfway, and the admin port always answers.

/// Descriptors for the admin port, the log, DNS, the Kubernetes API and files of the configuration.
const KEPT_BACK: u64 = 64;
/// Descriptors of a user: its control connection, that to the ftpd, a data connection and the file.
const OF_A_USER: u64 = 4;
/// Descriptors of a stranger: its control connection, and that to the ftpd.
const OF_A_STRANGER: u64 = 2;
/// Strangers at once, where descriptors are plenty: each may hold some tens of KiB, and a login takes well under a
/// second.
const MOST_STRANGERS: u64 = 2048;
/// Refused clients that are told why at the same time; the others are dropped.
const MOST_REFUSALS: u64 = 256;
/// Data connections whose handshake has yet to tell whose they are. A client speaks only after its 150, so as many are
/// idle as there are transfers about to begin.
const MOST_UNPROVEN: u64 = 4096;
/// Neither strangers nor refusals get more than this part of the descriptors.
const PART_OF_GUESTS: u64 = 16;
/// Connections that have yet to prove whose they are get no more than this part. Half of them may come from one
/// address, from which all clients of a company may begin a transfer at once: 1,250 where a process may open 20,000
/// files.
const PART_OF_UNPROVEN: u64 = 8;

/// Numbers of connections by their kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Allowance {
    /// Sessions that have logged in.
    pub(crate) users: u32,
    /// Sessions that have not.
    pub(crate) strangers: usize,
    /// Refused clients that are being told why.
    pub(crate) refusals: usize,
    /// Data connections that have yet to prove whose they are.
    pub(crate) unproven: usize,
    open_files: u64,
}

impl Allowance {
    /// Divides the descriptors that the process is allowed now.
    pub(crate) fn of_this_process(data_ports: usize) -> Self {
        let open_files = rlimit::Resource::NOFILE.get_soft().unwrap_or_else(|error| {
            tracing::warn!(%error, "failed to read the limit of open files");
            u64::MAX
        });
        Self::divide(open_files, data_ports)
    }

    fn divide(open_files: u64, data_ports: usize) -> Self {
        let guests_at_most = |most: u64| most.min(open_files / PART_OF_GUESTS);
        let (strangers, refusals) = (guests_at_most(MOST_STRANGERS), guests_at_most(MOST_REFUSALS));
        let unproven = MOST_UNPROVEN.min(open_files / PART_OF_UNPROVEN);
        let guests = OF_A_STRANGER * strangers + refusals + unproven;
        let users = open_files.saturating_sub(KEPT_BACK + data_ports as u64 + guests) / OF_A_USER;
        Self {
            users: u32::try_from(users).unwrap_or(u32::MAX),
            strangers: usize::try_from(strangers).unwrap_or(usize::MAX),
            refusals: usize::try_from(refusals).unwrap_or(usize::MAX),
            unproven: usize::try_from(unproven).unwrap_or(usize::MAX),
            open_files,
        }
    }

    /// Sentence for a configuration that allows more sessions than there are descriptors for.
    pub(crate) fn problem(&self, sessions: u32) -> Option<String> {
        let Self { users, open_files, .. } = self;
        (sessions > *users).then(|| {
            format!(
                "limits.sessions is {sessions}, but {open_files} open files allow only {users} sessions: raise the \
                 container runtime's limit of open files, or lower limits.sessions"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_of_a_usual_node_is_enough_for_ten_thousand_sessions() {
        for open_files in [65_536, 1_048_576, u64::MAX] {
            let allowance = Allowance::divide(open_files, 20);
            assert_eq!(allowance.problem(10_000), None, "{open_files}");
            assert_eq!((allowance.strangers, allowance.refusals), (2048, 256));
        }
    }

    #[test]
    fn fewer_descriptors_allow_fewer_sessions_and_the_problem_says_so() {
        let allowance = Allowance::divide(4096, 20);
        let sentence = allowance.problem(10_000).unwrap();
        assert!(sentence.contains("10000") && sentence.contains("4096") && sentence.contains("683"), "{sentence}");
        assert_eq!(allowance.problem(allowance.users), None);
    }

    #[test]
    fn all_parts_together_never_exceed_the_limit_and_leave_some_for_the_admin_port() {
        for open_files in [256, 400, 1024, 4096, 20_000, 65_536, 1_048_576] {
            let Allowance { users, strangers, refusals, unproven, .. } = Allowance::divide(open_files, 20);
            let guests = OF_A_STRANGER * strangers as u64 + (refusals + unproven) as u64;
            let taken = OF_A_USER * u64::from(users) + guests;
            assert!(taken + 20 + KEPT_BACK <= open_files, "{open_files}");
            assert!(users > 0 && strangers > 0);
        }
    }
}

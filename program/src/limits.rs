//! Limits that the kernel sets on the process.

use std::io;

/// Raises the soft limit of open descriptors to the hard limit, and returns it.
///
/// Each session holds a handful of descriptors, and the soft limit is often 1024 for the sake of programs that use
/// `select(2)`. Children inherit it.
pub fn raise_descriptor_limit() -> io::Result<u64> {
    rlimit::increase_nofile_limit(u64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "in a test an error is a failure")]

    use rlimit::Resource;

    use super::*;

    #[test]
    fn the_soft_limit_becomes_the_hard_limit() {
        let (soft, hard) = Resource::NOFILE.get().unwrap();
        Resource::NOFILE.set(soft.min(256), hard).unwrap();
        assert_eq!(raise_descriptor_limit().unwrap(), hard);
        assert_eq!(Resource::NOFILE.get().unwrap(), (hard, hard));
    }
}

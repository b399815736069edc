//! Memory of all transfers together: the more there are, the less each of them moves at once.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// For the buffers of all transfers. An upload has two.
const BUDGET: usize = 64 * 1024 * 1024;
/// Large enough that system calls and thread changes do not count.
const MOST: usize = 256 * 1024;
/// A TLS record's worth: below, each record would cost a system call of its own.
const LEAST: usize = 16 * 1024;

/// How many transfers are under way.
#[derive(Clone, Debug, Default)]
pub(in crate::gateway) struct Budget(Arc<AtomicUsize>);

/// One transfer's part of the budget, given back when dropped.
#[derive(Debug)]
pub(in crate::gateway) struct Share {
    transfers: Arc<AtomicUsize>,
    chunk: usize,
}

impl Budget {
    pub(in crate::gateway) fn share(&self) -> Share {
        let transfers = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        Share { transfers: Arc::clone(&self.0), chunk: chunk(transfers) }
    }
}

impl Share {
    /// Octets to move at once.
    pub(super) fn chunk(&self) -> usize {
        self.chunk
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.transfers.fetch_sub(1, Ordering::Relaxed);
    }
}

fn chunk(transfers: usize) -> usize {
    (BUDGET / 2 / transfers.max(1)).clamp(LEAST, MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_transfers_move_a_lot_at_once_and_a_thousand_move_little() {
        assert_eq!([1, 128, 256, 1000, 100_000].map(chunk), [MOST, MOST, MOST / 2, 33554, LEAST]);
    }

    #[test]
    fn a_share_is_given_back() {
        let budget = Budget::default();
        drop((0..1000).map(|_| budget.share()).collect::<Vec<_>>());
        assert_eq!(budget.share().chunk(), MOST);
    }
}

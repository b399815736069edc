//! Memory of all transfers together: the more of them run, the less each of them moves at once.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// Octets for the buffers of all transfers. An upload has two buffers.
const BUDGET: usize = 64 * 1024 * 1024;
/// Largest piece: enough that the cost of system calls and thread changes does not show.
const MOST: usize = 256 * 1024;
/// Smallest piece, a TLS record: with less, each record would cost a system call of its own.
const LEAST: usize = 16 * 1024;

/// Number of transfers under way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Budget(Arc<AtomicUsize>);

/// One transfer's share of the budget, given back when dropped.
#[derive(Debug)]
pub(crate) struct Share {
    transfers: Arc<AtomicUsize>,
    chunk: usize,
}

impl Budget {
    pub(crate) fn share(&self) -> Share {
        let transfers = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        Share { transfers: Arc::clone(&self.0), chunk: chunk(transfers) }
    }
}

impl Share {
    /// Octets to move at once.
    pub(crate) fn chunk(&self) -> usize {
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
    fn pieces_get_smaller_as_transfers_get_more() {
        assert_eq!([1, 128, 256, 1000, 100_000].map(chunk), [MOST, MOST, MOST / 2, 33554, LEAST]);
    }

    #[test]
    fn a_share_is_given_back() {
        let budget = Budget::default();
        drop((0..1000).map(|_| budget.share()).collect::<Vec<_>>());
        assert_eq!(budget.share().chunk(), MOST);
    }
}

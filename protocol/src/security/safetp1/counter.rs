//! Numbers of messages and blocks, none of which is used twice.

/// Every number of this direction has been used, or the transfer has had its end: nothing more can be protected here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no number is left for another protected message: begin a new session or transfer")]
pub struct Exhausted;

/// Counts from 0 to the last u32 and stops there.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counter {
    next: u64,
}

impl Counter {
    /// The number that [`Counter::take`] gives next.
    pub(super) fn peek(self) -> Result<u32, Exhausted> {
        u32::try_from(self.next).map_err(|_| Exhausted)
    }

    pub(super) fn take(&mut self) -> Result<u32, Exhausted> {
        let number = self.peek()?;
        self.next += 1;
        Ok(number)
    }

    /// No further number comes.
    pub(super) fn stop(&mut self) {
        self.next = u64::MAX;
    }

    #[cfg(test)]
    pub(super) fn starting_at(next: u32) -> Self {
        Self { next: next.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_number_is_used_and_none_follows() {
        let mut counter = Counter::starting_at(u32::MAX - 1);
        assert_eq!(counter.take(), Ok(u32::MAX - 1));
        assert_eq!(counter.take(), Ok(u32::MAX));
        assert_eq!(counter.take(), Err(Exhausted));
        assert_eq!(counter.take(), Err(Exhausted));
    }

    #[test]
    fn a_stopped_counter_stays_stopped() {
        let mut counter = Counter::default();
        assert_eq!(counter.take(), Ok(0));
        counter.stop();
        assert_eq!(counter.take(), Err(Exhausted));
    }
}

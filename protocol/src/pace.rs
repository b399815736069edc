//! A minimum rate over a window, by which a stalled connection is told from a slow one. One octet now and then does not
//! keep a connection, and a slow line that keeps moving is never cut.

use std::time::Duration;

/// Octets a second that a connection must move on average. The slowest lines in use carry more: a satellite telephone
/// has 2,400 bit/s.
pub const LEAST_RATE: u64 = 256;

/// Fewer octets have moved in a window than [`LEAST_RATE`] wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooSlow;

/// Time that one transfer is given, window by window. Only waiting for the connection counts: what a disk takes is not
/// the client's fault.
#[derive(Debug)]
pub struct Pace {
    window: Duration,
    left: Duration,
    counted: u64,
}

impl Pace {
    /// The first window begins now, with no octet moved.
    pub fn new(window: Duration) -> Self {
        Self { window, left: window, counted: 0 }
    }

    /// Time that the connection may be waited for before the next [`Pace::note_wait`].
    pub fn left(&self) -> Duration {
        self.left
    }

    /// The connection was waited for, successfully or not. At the end of a window `total` must return how many octets
    /// have moved since the connection began; then the next window begins.
    pub fn note_wait(&mut self, waited: Duration, total: impl FnOnce() -> u64) -> Result<(), TooSlow> {
        self.left = self.left.saturating_sub(waited);
        if !self.left.is_zero() {
            return Ok(());
        }
        let total = total();
        if total.saturating_sub(self.counted) < LEAST_RATE * self.window.as_secs().max(1) {
            return Err(TooSlow);
        }
        self.left = self.window;
        self.counted = total;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(120);
    const HOUR: Duration = Duration::from_secs(3600);

    /// Lifetime of a connection on which so many octets move after each pause; an hour stands for ever.
    fn lasts(octets: u64, pause: Duration) -> Duration {
        let (mut pace, mut total, mut passed) = (Pace::new(WINDOW), 0, Duration::ZERO);
        let mut until_next = pause;
        while passed < HOUR {
            let wait = pace.left().min(until_next);
            passed += wait;
            until_next -= wait;
            if until_next.is_zero() {
                total += octets;
                until_next = pause;
            }
            if pace.note_wait(wait, || total).is_err() {
                break;
            }
        }
        passed
    }

    #[test]
    fn one_octet_every_119_seconds_does_not_hold_a_connection() {
        assert_eq!(lasts(1, Duration::from_secs(119)), WINDOW);
    }

    #[test]
    fn a_line_that_needs_half_an_hour_for_256_kib_is_not_cut() {
        assert_eq!(lasts(300, Duration::from_secs(2)), WINDOW, "below the least rate");
        assert!(lasts(300, Duration::from_secs(1)) >= HOUR);
        assert!(lasts(16 * 1024, Duration::from_secs(60)) >= HOUR, "in whole records");
    }

    #[test]
    fn a_fast_beginning_counts_for_its_window_alone() {
        let mut pace = Pace::new(WINDOW);
        assert_eq!(pace.note_wait(WINDOW, || 1 << 40), Ok(()));
        assert_eq!(pace.note_wait(WINDOW, || 1 << 40), Err(TooSlow));
    }

    #[test]
    fn octets_are_counted_at_the_end_of_a_window_alone() {
        let mut pace = Pace::new(WINDOW);
        let never = || panic!("a count is a system call");
        assert_eq!(pace.note_wait(WINDOW / 2, never), Ok(()));
        assert_eq!(pace.left(), WINDOW / 2);
        assert_eq!(pace.note_wait(WINDOW, || LEAST_RATE * 120), Ok(()));
        assert_eq!(pace.left(), WINDOW);
    }
}

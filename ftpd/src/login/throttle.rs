//! The limits on logins, and their defaults.

use std::time::Duration;

use super::bucket::Rate;

/// Limits on logins. Only failures count: whoever knows the password can log in as often as they like.
#[derive(Clone, Copy, Debug)]
pub struct Throttle {
    /// Failures after which a session ends.
    pub tries: u32,
    /// Failures of one address; an IPv6 /64 is one.
    pub address: Rate,
    /// Failures with one name, from all addresses together.
    pub name: Rate,
    /// Failures with one name at one address where that name has logged in lately, apart from the two above: others can
    /// use those up, at the same address or with the same name.
    pub known: Rate,
    /// The longest wait for a turn. Who waits that long is told to come again.
    pub wait: Duration,
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            tries: 5,
            // Many people, and devices with an old password, can share an address.
            address: Rate { burst: 30, interval: Duration::from_secs(1) },
            // Some 17,000 guesses a day at one password, wherever they come from.
            name: Rate { burst: 30, interval: Duration::from_secs(5) },
            // So often that an owner whose device has an old password still finds a token.
            known: Rate { burst: 20, interval: Duration::from_millis(500) },
            wait: Duration::from_secs(10),
        }
    }
}

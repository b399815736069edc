//! Logins: whose password is checked, and when.
//!
//! A check takes 19 MiB and tens of milliseconds, so strangers must not decide how many run, how long a user waits for
//! one, or how many passwords they can try. [`budget`] decides how many, [`turns`] who is next; both are pure. The desk
//! puts them before the threads that check.

use std::{net::IpAddr, sync::Arc, time::Duration};

use safetp_config::ftpd::User;

mod bucket;
mod budget;
mod desk;
mod lines;
mod origin;
mod recent;
mod turns;
mod verifier;

pub use bucket::Rate;
use desk::Desk;
pub(crate) use desk::Refused;

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

/// The place where passwords are checked.
#[derive(Debug)]
pub(crate) struct Logins(Arc<Desk>);

impl Logins {
    pub(crate) fn new(throttle: Throttle) -> std::io::Result<Self> {
        Ok(Self(Arc::new(Desk::new(throttle, verifier::start()?))))
    }

    /// Whether `password` opens this account; without one it never does, after the same work. Dropped, the login loses
    /// its place and costs nothing.
    pub(crate) async fn admits(
        &self,
        address: Option<IpAddr>,
        name: &str,
        account: Option<&User>,
        password: &[u8],
    ) -> Result<bool, Refused> {
        self.0.check(address, name, verifier::Question::new(account, password)).await
    }

    /// Wakes those who wait for a failure to be forgiven. Runs for ever.
    pub(crate) async fn keep_time(&self) {
        self.0.keep_time().await;
    }
}

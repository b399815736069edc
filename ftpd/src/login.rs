//! Logins: whose password is checked, and when.
//!
//! A check takes 19 MiB and tens of milliseconds, so strangers must not decide how many run, how long a user waits for
//! one, or how many passwords they can try. [`budget`] decides how many, [`turns`] who is next; both are pure. The desk
//! puts them before the threads that check.

use std::{net::IpAddr, sync::Arc};

use safetp_config::ftpd::User;

mod bucket;
mod budget;
mod desk;
mod lines;
mod origin;
mod recent;
mod throttle;
mod turns;
mod verifier;

pub use bucket::Rate;
use desk::Desk;
pub(crate) use desk::Refused;
pub use throttle::Throttle;

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

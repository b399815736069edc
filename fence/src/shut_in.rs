//! Both fences in their order.

use safetp_config::status::Landlock;

use crate::{
    calls::{self, Calls},
    error::ShutInError,
    files,
    reach::Reach,
};

/// Shuts the calling thread in, and every thread that it creates from now on: so it comes before any other is created.
/// Returns how much of Landlock is in force.
pub fn shut_in(reach: &Reach, calls: Calls) -> Result<Landlock, ShutInError> {
    // Landlock first: the filter does not let its system calls through.
    let landlock = files::apply(reach)?;
    calls::apply(calls)?;
    Ok(landlock)
}

//! Both fences in their order.

use safetp_config::status::Landlock;

use crate::{
    calls::{self, Calls},
    error::ShutInError,
    files,
    reach::Reach,
};

/// Shuts in the calling thread and every thread that it creates from now on, so it must be called before others are
/// created. Returns how much of Landlock is in force.
pub fn shut_in(reach: &Reach, calls: Calls) -> Result<Landlock, ShutInError> {
    // Landlock first: the filter does not let its system calls through.
    let landlock = files::apply(reach)?;
    calls::apply(calls)?;
    Ok(landlock)
}

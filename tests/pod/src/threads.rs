//! Threads that are confined as those of a program are, so that every test shows that the confinement blocks nothing
//! that is needed. The test's own thread is not confined.

use safetp_fence::{Calls, Landlock, Reach, shut_in};
use tokio::runtime::Runtime;

/// A runtime whose threads inherit the confinement of the one that creates them, and how much of Landlock is in force.
pub(crate) fn shut_in_runtime(reach: &Reach, calls: Calls) -> (Runtime, Landlock) {
    let found = || {
        let landlock = shut_in(reach, calls).unwrap();
        (Runtime::new().unwrap(), landlock)
    };
    std::thread::scope(|scope| scope.spawn(found).join().unwrap())
}

//! Shuts a program of the pod in before it serves.
//!
//! All containers of a pod share its network, and both programs read what strangers send. So each of them gives up what
//! it does not need: [`shut_in()`] applies Landlock as far as the node's kernel has it ([`Reach`]: files and TCP
//! ports), and a seccomp filter without which the program does not start ([`Calls`]: system calls). Neither can be
//! taken back. [`try_out`] tries from inside to do what must not be possible.

mod calls;
mod error;
mod files;
mod reach;
mod shut_in;
mod trials;

pub use calls::Calls;
pub use error::ShutInError;
pub use reach::{Dial, Reach, Use};
pub use safetp_config::status::Landlock;
pub use shut_in::shut_in;
pub use trials::{Bait, Expected, Trial, TrialError, try_out};

//! The pod that all tests here are about.

pub(crate) use safetp_pod::{ADDRESS, Client, Pod, SafeClient, announced, new_identity, wait_until};

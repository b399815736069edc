//! The pod that all these tests use.

pub(crate) use safetp_pod::{
    ADDRESS, Client, OTHER_USER, PASSWORD, Pod, SafeClient, USER, announced, new_identity, wait_until,
};

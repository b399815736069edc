//! The client `safetp`.

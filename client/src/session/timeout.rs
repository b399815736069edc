//! The time limit on each step of a session.

use std::{future::Future, time::Duration};

use crate::failure::ConnectionError;

/// Runs one step within its limit.
pub(super) async fn within<T>(limit: Duration, step: impl Future<Output = T>) -> Result<T, ConnectionError> {
    tokio::time::timeout(limit, step).await.map_err(|_| ConnectionError::Silent(limit))
}

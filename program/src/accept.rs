//! The loop that accepts connections.

use std::{fmt::Display, io, time::Duration};

/// The wait after a failed accept. The process is out of descriptors or memory then (`EMFILE`, `ENFILE`, `ENOBUFS`,
/// `ENOMEM`): trying again at once would take the processor from the sessions that could give some back.
const PAUSE: Duration = Duration::from_millis(100);

/// Accepts connections for ever and passes each to `handle`, which must not block. `listener` names the listener in the
/// log.
pub async fn accept_each<T, F>(listener: impl Display, mut accept: impl FnMut() -> F, mut handle: impl FnMut(T))
where
    F: Future<Output = io::Result<T>>,
{
    loop {
        match accept().await {
            Ok(connection) => handle(connection),
            Err(error) => {
                tracing::warn!(%listener, %error, "failed to accept a connection");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

//! One listener of one data port: every connection goes to the session that waits for it, or nowhere.

use std::{sync::Arc, time::Duration};

use tokio::net::TcpListener;

use super::ports::PortDesk;
use crate::gateway::listen;

/// After a failed accept: out of descriptors or memory, which does not get better by asking at once again.
const PAUSE: Duration = Duration::from_millis(100);

pub(in crate::gateway) async fn run(port: u16, listener: TcpListener, desk: Arc<PortDesk>) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                if listen::prepare(&stream).is_ok() {
                    desk.handle_connection(port, stream, peer.ip().to_canonical());
                }
            }
            Err(error) => {
                tracing::warn!(port, %error, "failed to accept a data connection");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

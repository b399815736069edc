//! The proxy.

use crate::{args::Connection, failure::Result, url::Target};
use std::net::SocketAddr;

/// x
pub async fn run(_listen: SocketAddr, _url: &Target, _connection: &Connection) -> Result<()> {
    Ok(())
}

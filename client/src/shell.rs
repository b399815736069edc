//! The prompt.

use crate::{args::Connection, failure::Result, url::Target};

pub(crate) async fn run(_url: &Target, _connection: &Connection) -> Result<()> {
    Ok(())
}

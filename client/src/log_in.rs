//! From a URL to a session whose user is logged in.

use crate::{args::Connection, credentials::Credentials, failure::Result, session::Session, url::Target};

/// A session in which somebody is logged in.
pub(crate) async fn log_in(target: &Target, connection: &Connection) -> Result<Session> {
    // Before anything is sent: what is missing here will be missing then.
    let credentials = Credentials::find(target, connection.netrc.as_deref())?;
    let mut session = Session::connect(&target.server, connection.options(target.scheme)?).await?;
    let user = credentials.user.clone();
    session.login(&user, || credentials.password()).await?;
    Ok(session)
}

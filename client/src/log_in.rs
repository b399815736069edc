//! From a URL to a session whose user is logged in.

use crate::{args::ConnectionArgs, credentials::Credentials, failure::Result, session::Session, url::Target};

/// Connects to the server of a URL and logs its user in.
pub(crate) async fn log_in(target: &Target, connection: &ConnectionArgs) -> Result<Session> {
    // Looked up before anything is sent, so that a missing name fails at once.
    let credentials = Credentials::find(target, connection.netrc.as_deref())?;
    let mut session = Session::connect(&target.server, connection.options(target.scheme)?).await?;
    let user = credentials.user.clone();
    session.login(&user, || credentials.password()).await?;
    Ok(session)
}

//! The dialogue of one session: reads requests, and answers them until one side ends it.

use std::{future, sync::Arc};

use safetp_protocol::reply::Reply;
use tokio::{net::UnixStream, sync::watch};

use crate::{
    commands::{self, Answer},
    connection::{Connection, Lost},
    request::{BadRequest, Request},
    session::{Account, Session},
    settings::ActiveSettings,
};

/// Serves until one side ends it. `Lost` means that the gateway has closed the connection, since the client has left.
pub(crate) async fn serve(mut session: Session, stream: UnixStream) -> Result<(), Lost> {
    let mut connection = Connection::new(stream);
    let mut settings = session.shared.settings.subscribe();
    connection.send(&Reply::new(220, "SafeTP embedded FTP server ready.")).await?;
    loop {
        let request = tokio::select! {
            biased;
            () = revoked(&mut settings, session.account().ok()) => return farewell(&mut connection).await,
            request = connection.request() => request?,
        };
        // What is being done for a client ends with it. The answer first: one that is ready is never lost.
        let answer = tokio::select! {
            biased;
            answer = answer_request(&mut session, request) => answer,
            lost = connection.lost() => return Err(lost),
        };
        connection.set_names(session.names());
        match answer {
            Answer::Reply(reply) => connection.send(&reply).await?,
            Answer::Goodbye(reply) => return connection.send(&reply).await,
            Answer::Transfer(transfer) => {
                let reply = tokio::select! {
                    biased;
                    () = revoked(&mut settings, session.account().ok()) => return farewell(&mut connection).await,
                    reply = transfer.run(&mut connection) => reply?,
                };
                connection.send(&reply).await?;
            }
        }
    }
}

async fn answer_request(session: &mut Session, request: Result<Request, BadRequest>) -> Answer {
    match request {
        Ok(request) => commands::answer(session, &request).await.unwrap_or_else(Answer::from),
        Err(bad) => Answer::Reply(Reply::new(bad.code(), bad.to_string())),
    }
}

/// Resolves when the account is no longer the one that logged in: removed, or with another home. A new password ends
/// nobody's session: the operator hashes again whenever the Secret changes in any way.
async fn revoked(settings: &mut watch::Receiver<Arc<ActiveSettings>>, account: Option<&Account>) {
    if let Some(account) = account
        && settings.wait_for(|settings| !account.is_in(settings)).await.is_ok()
    {
        tracing::info!(user = account.name, "the account is gone, its session ends");
        return;
    }
    future::pending::<()>().await;
}

async fn farewell(connection: &mut Connection) -> Result<(), Lost> {
    connection.send(&Reply::new(421, "This account was removed or moved; goodbye.")).await
}

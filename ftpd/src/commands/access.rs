//! USER, PASS, ACCT, QUIT (RFC 959 §4.1.1).

use std::sync::Arc;

use safetp_protocol::{command::Password, reply::Reply};

use super::answer::Answer;
use crate::{
    files::{Home, Refusal, VirtualPath, Work, parts},
    session::{Account, Session, Stage},
    settings::ActiveSettings,
};

/// Always asks for a password: whether the name exists is nobody's business yet.
pub(super) fn user(session: &mut Session, name: &str) -> Answer {
    session.stage = Stage::Named(name.to_owned());
    Answer::reply(331, "Password required.")
}

pub(super) async fn pass(session: &mut Session, password: &Password) -> Result<Answer, Refusal> {
    let Stage::Named(name) = std::mem::replace(&mut session.stage, Stage::Stranger) else {
        return Err(Refusal::Order("Send USER first."));
    };
    let settings = session.shared.settings.current();
    let address = session.peer.map(|peer| peer.address);
    match session.shared.logins.admits(address, &name, settings.user(&name), password.expose()).await {
        Ok(true) => enter(session, name, settings).await,
        Ok(false) => Ok(refuse(session, &name)),
        Err(refused) => {
            // At another level than failures: whoever is over a limit must not fill the log either.
            tracing::debug!(peer = session.peer(), user = name, %refused, "login not checked");
            Ok(Answer::Goodbye(Reply::new(421, refused.to_string())))
        }
    }
}

pub(super) fn acct() -> Answer {
    Answer::reply(202, "No account is needed.")
}

pub(super) fn quit() -> Answer {
    Answer::Goodbye(Reply::new(221, "Goodbye."))
}

fn refuse(session: &mut Session, name: &str) -> Answer {
    session.failed_logins += 1;
    tracing::warn!(peer = session.peer(), user = name, failures = session.failed_logins, "login refused");
    if session.failed_logins >= session.shared.tries {
        return Answer::Goodbye(Reply::new(421, "Too many failed logins; goodbye."));
    }
    Answer::reply(530, "Login incorrect.")
}

async fn enter(session: &mut Session, name: String, settings: Arc<ActiveSettings>) -> Result<Answer, Refusal> {
    let home_path = settings.user(&name).map(|user| user.home.clone()).unwrap_or_default();
    let work = session.shared.shares.work_of(&name);
    let home = open_home(session, &work, &name, &home_path).await?;
    let Some(home) = home else {
        return Ok(Answer::reply(530, "The password is right, but the home directory cannot be used; see the log."));
    };
    tracing::info!(peer = session.peer(), user = name, "logged in");
    session.encoding = settings.name_encoding(settings.user(&name));
    session.stage = Stage::LoggedIn(Account { name, home, home_path, directory: VirtualPath::root(), work });
    Ok(Answer::reply(230, "Logged in."))
}

async fn open_home(session: &mut Session, work: &Work, name: &str, path: &str) -> Result<Option<Home>, Refusal> {
    let sweep = session.due_sweep();
    let shared = Arc::clone(&session.shared);
    let (name, path) = (name.to_owned(), path.to_owned());
    work.run(move || match shared.volume.home(&path, &name) {
        Ok(home) => {
            parts::sweep_if_due(&home, sweep);
            Ok(Some(home))
        }
        Err(error) => {
            tracing::error!(user = name, home = path, %error, "the home directory cannot be used");
            Ok(None)
        }
    })
    .await
}

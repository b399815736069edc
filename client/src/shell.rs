//! The prompt: commands as in ftp, sftp and lftp, in one session that stays open.

mod line;
mod prompt;

use std::{env, ops::ControlFlow, os::unix::ffi::OsStrExt as _, path::Path};

use crate::{
    args::ConnectionArgs,
    commands::{change, get, ls, put},
    failure::{ConnectionError, Failure, Incomplete, LocalError, Result},
    log_in::log_in,
    progress::Meter,
    session::Session,
    terminal,
    text::printable,
    url::{RemotePath, Target},
};
use line::ShellCommand;
use prompt::Prompt;

/// Executes commands until quit or the end of the input. Without a terminal, the first failure ends the run.
pub(crate) async fn run(url: &Target, connection: &ConnectionArgs) -> Result<()> {
    let mut session = log_in(url, connection).await?;
    if url.path.argument().is_some() {
        change::change_directory(&mut session, &url.path).await?;
    }
    let meter = Meter::new(connection.quiet, connection.verbose);
    let mut prompt = Prompt::open(session.server())?;
    while let Some(line) = tokio::task::block_in_place(|| prompt.next_line())? {
        match handle_line(&mut session, &line, meter).await {
            Ok(ControlFlow::Continue(())) => {}
            Ok(ControlFlow::Break(())) => break,
            Err(failure) if prompt.is_attended() && !ends_session(&failure) => terminal::tell_failure(&failure),
            Err(failure) => return Err(failure),
        }
    }
    session.quit().await;
    Ok(())
}

async fn handle_line(session: &mut Session, line: &str, meter: Meter) -> Result<ControlFlow<()>> {
    let Some(command) = ShellCommand::parse(line)? else { return Ok(ControlFlow::Continue(())) };
    match command {
        ShellCommand::Ls { long, path } => ls::ls(session, &remote(path.as_deref())?, long).await?,
        ShellCommand::Cd { path } => change::change_directory(session, &remote(Some(&path))?).await?,
        ShellCommand::Pwd => prompt::print(&change::working_directory(session).await?.to_string())?,
        ShellCommand::Lcd { path } => env::set_current_dir(&path).map_err(LocalError::file("change to", &path))?,
        ShellCommand::Lpwd => prompt::print(&working_directory()?)?,
        ShellCommand::Get { path, local, resume } => {
            get::get(session, &remote(Some(&path))?, local.as_deref(), resume, meter).await?;
        }
        ShellCommand::Put { local, path, resume } => {
            put::put(session, &local, &remote(path.as_deref())?, resume, meter).await?;
        }
        ShellCommand::Rm { path } => change::remove(session, &remote(Some(&path))?).await?,
        ShellCommand::Rmdir { path } => change::remove_directory(session, &remote(Some(&path))?).await?,
        ShellCommand::Mkdir { path } => change::make_directory(session, &remote(Some(&path))?).await?,
        ShellCommand::Mv { from, to } => change::rename(session, &remote(Some(&from))?, &remote(Some(&to))?).await?,
        ShellCommand::Quit => return Ok(ControlFlow::Break(())),
    }
    Ok(ControlFlow::Continue(()))
}

/// A path as it was entered: nothing in it is decoded.
fn remote(path: Option<&Path>) -> Result<RemotePath> {
    Ok(RemotePath::new(path.map(|path| path.as_os_str().as_bytes().to_vec()).unwrap_or_default())?)
}

fn working_directory() -> Result<String> {
    let path = env::current_dir().map_err(LocalError::file("find", Path::new(".")))?;
    Ok(printable(path.as_os_str().as_bytes()))
}

/// Returns whether the session cannot be used any more after this failure.
fn ends_session(failure: &Failure) -> bool {
    match failure {
        Failure::Connection(ConnectionError::DialData { .. } | ConnectionError::NotDialled { .. }) => false,
        Failure::Connection(_) | Failure::Security(_) | Failure::Incomplete(Incomplete::Unconfirmed(_)) => true,
        Failure::Refused(_) | Failure::Usage(_) | Failure::Login(_) | Failure::Incomplete(_) | Failure::Local(_) => {
            false
        }
    }
}

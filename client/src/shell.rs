//! The prompt: a session that stays, and commands as people know them from ftp, sftp and lftp.

mod line;
mod prompt;

use std::{env, os::unix::ffi::OsStrExt as _, path::Path};

use crate::{
    args::Connection,
    commands::{change, get, log_in, ls, put},
    failure::{ConnectionError, Failure, Incomplete, LocalError, Result},
    progress::Meter,
    session::Session,
    terminal,
    text::printable,
    url::{RemotePath, Target},
};
use line::Command;
use prompt::Prompt;

/// Whether there is another command to come.
#[derive(PartialEq, Eq)]
enum Next {
    GoOn,
    Quit,
}

/// Takes commands until QUIT or the end of the input. Where nobody types them, the first that fails ends the run.
pub(crate) async fn run(url: &Target, connection: &Connection) -> Result<()> {
    let mut session = log_in(url, connection).await?;
    if url.path.argument().is_some() {
        change::change_directory(&mut session, &url.path).await?;
    }
    let meter = Meter::new(connection.quiet, connection.verbose);
    let mut prompt = Prompt::open(session.server())?;
    while let Some(line) = tokio::task::block_in_place(|| prompt.next_line())? {
        match handle_line(&mut session, &line, meter).await {
            Ok(Next::GoOn) => {}
            Ok(Next::Quit) => break,
            Err(failure) if prompt.is_attended() && !ends_session(&failure) => terminal::tell_failure(&failure),
            Err(failure) => return Err(failure),
        }
    }
    session.quit().await;
    Ok(())
}

async fn handle_line(session: &mut Session, line: &str, meter: Meter) -> Result<Next> {
    let Some(command) = Command::parse(line)? else { return Ok(Next::GoOn) };
    match command {
        Command::Ls { long, path } => ls::ls(session, &remote(path.as_deref())?, long).await?,
        Command::Cd { path } => change::change_directory(session, &remote(Some(&path))?).await?,
        Command::Pwd => prompt::print(&change::working_directory(session).await?.to_string())?,
        Command::Lcd { path } => env::set_current_dir(&path).map_err(LocalError::file("go to", &path))?,
        Command::Lpwd => prompt::print(&working_directory()?)?,
        Command::Get { path, local, resume } => {
            get::get(session, &remote(Some(&path))?, local.as_deref(), resume, meter).await?;
        }
        Command::Put { local, path, resume } => {
            put::put(session, &local, &remote(path.as_deref())?, resume, meter).await?;
        }
        Command::Rm { path } => change::remove(session, &remote(Some(&path))?).await?,
        Command::Rmdir { path } => change::remove_directory(session, &remote(Some(&path))?).await?,
        Command::Mkdir { path } => change::make_directory(session, &remote(Some(&path))?).await?,
        Command::Mv { from, to } => change::rename(session, &remote(Some(&from))?, &remote(Some(&to))?).await?,
        Command::Quit => return Ok(Next::Quit),
    }
    Ok(Next::GoOn)
}

/// A path as it is typed: nothing in it is decoded.
fn remote(path: Option<&Path>) -> Result<RemotePath> {
    Ok(RemotePath::new(path.map(|path| path.as_os_str().as_bytes().to_vec()).unwrap_or_default())?)
}

fn working_directory() -> Result<String> {
    let path = env::current_dir().map_err(LocalError::file("find", Path::new(".")))?;
    Ok(printable(path.as_os_str().as_bytes()))
}

/// After these the server is gone, or is not to be spoken to any more.
fn ends_session(failure: &Failure) -> bool {
    match failure {
        Failure::Connection(ConnectionError::DialData { .. } | ConnectionError::NotDialled { .. }) => false,
        Failure::Connection(_) | Failure::Security(_) | Failure::Incomplete(Incomplete::Unconfirmed(_)) => true,
        _ => false,
    }
}

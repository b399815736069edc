//! Dispatch of the command line: to one command in a session of its own, to the prompt, or to the proxy.

use crate::{
    args::{Args, Command, ConnectionArgs, RemoteCommand},
    commands::{change, get, ls, put},
    failure::{Failure, Result},
    log_in::log_in,
    progress::Meter,
    proxy,
    session::Session,
    shell,
    url::{RemotePath, Target},
};

/// Runs what the command line asks for.
pub(crate) async fn run(args: Args) -> Result<()> {
    let connection = args.connection;
    match (args.command, args.url) {
        (Some(_), Some(url)) => Err(Failure::Usage(format!("{} must not stand before the command", url.server))),
        (Some(Command::Proxy { listen, url }), _) => proxy::run(listen, &url, &connection).await,
        (Some(Command::Shell { url }), _) | (None, Some(url)) => shell::run(&url, &connection).await,
        (Some(Command::Remote(command)), _) => run_once(command, &connection).await,
        (None, None) => Err(Failure::Usage("no command and no URL given".into())),
    }
}

/// Connects, logs in, runs one command, and quits.
async fn run_once(command: RemoteCommand, connection: &ConnectionArgs) -> Result<()> {
    let target = command.target().clone();
    command.check()?;
    let mut session = log_in(&target, connection).await?;
    let meter = Meter::new(connection.quiet, connection.verbose);
    let done = perform(command, &mut session, meter).await;
    // On a broken connection QUIT would only wait for its timeout.
    if done.as_ref().err().is_none_or(|failure| matches!(failure, Failure::Refused(_))) {
        session.quit().await;
    }
    done
}

async fn perform(command: RemoteCommand, session: &mut Session, meter: Meter) -> Result<()> {
    match command {
        RemoteCommand::Ls { url, long } => ls::ls(session, &url.path, long).await,
        RemoteCommand::Get { url, local, resume } => {
            get::get(session, &url.path, local.as_deref(), resume, meter).await
        }
        RemoteCommand::Put { local, url, resume } => put::put(session, &local, &url.path, resume, meter).await,
        RemoteCommand::Rm { url } => change::remove(session, &url.path).await,
        RemoteCommand::Mv { url, to } => change::rename(session, &url.path, &new_name(&url, &to)?).await,
        RemoteCommand::Mkdir { url } => change::make_directory(session, &url.path).await,
    }
}

impl RemoteCommand {
    fn target(&self) -> &Target {
        match self {
            Self::Ls { url, .. }
            | Self::Get { url, .. }
            | Self::Put { url, .. }
            | Self::Rm { url }
            | Self::Mv { url, .. }
            | Self::Mkdir { url } => url,
        }
    }

    /// Reports mistakes that can be seen without a connection.
    fn check(&self) -> Result<()> {
        match self {
            Self::Put { local, .. } => put::check(local),
            Self::Mv { url, to } => new_name(url, to).map(drop),
            Self::Ls { .. } | Self::Get { .. } | Self::Rm { .. } | Self::Mkdir { .. } => Ok(()),
        }
    }
}

/// The new name in `mv`: a path, or a URL of the same server and user.
fn new_name(from: &Target, to: &str) -> Result<RemotePath> {
    if !to.contains("://") {
        return Ok(to.parse()?);
    }
    let to: Target = to.parse()?;
    let is_here = to.server == from.server && (to.user.is_none() || to.user == from.user);
    if is_here { Ok(to.path) } else { Err(Failure::Usage("mv cannot move to another server or user".into())) }
}

//! The listener on the Unix socket, and the end of it all.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use safetp_config::status::Landlock;
use safetp_program::accept::accept_each;
use tokio::{
    net::{UnixListener, UnixStream},
    task::JoinSet,
    time::MissedTickBehavior,
};

use crate::{
    connection::Lost,
    dialogue,
    files::{Volume, parts, work::Shares},
    login::Logins,
    session::{Session, Shared},
    settings::{SettingsError, SettingsWatcher},
};

pub use crate::login::{Rate, Throttle};

/// The gateway runs as another user of the same group, others under none of this pod.
const SOCKET_MODE: u32 = 0o660;

/// Where everything lies.
#[derive(Clone, Debug)]
pub struct Options {
    /// The Unix socket that the gateway connects to.
    pub socket: PathBuf,
    /// The directory of the operator's files.
    pub config: PathBuf,
    /// The volume.
    pub data: PathBuf,
    /// Limits on logins.
    pub throttle: Throttle,
    /// How often every home is looked through for uploads that nobody continued in time.
    pub sweep_every: Duration,
    /// How far the process is shut in, for whoever asks for the digest.
    pub landlock: Landlock,
}

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The operator's files are not usable.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The volume is not there.
    #[error("failed to open the volume {path}: {source}")]
    Volume {
        /// Where it should be.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// The threads that check passwords cannot be started.
    #[error("failed to start the threads that check passwords: {0}")]
    Threads(io::Error),
    /// The socket cannot be made.
    #[error("failed to listen on {path}: {source}")]
    Listen {
        /// The socket.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
}

/// A server that listens already.
#[derive(Debug)]
pub struct Server {
    listener: UnixListener,
    socket: PathBuf,
    shared: Arc<Shared>,
    sweep_every: Duration,
}

impl Server {
    /// Opens everything. Connections are taken from now on, and served from [`Server::run`] on.
    pub fn start(options: Options) -> Result<Self, StartError> {
        let settings = Arc::new(SettingsWatcher::start(options.config)?);
        let volume = Volume::open(&options.data).map_err(|source| StartError::Volume { path: options.data, source })?;
        let listener =
            listen(&options.socket).map_err(|source| StartError::Listen { path: options.socket.clone(), source })?;
        let shared = Shared {
            settings,
            volume,
            shares: Shares::default(),
            logins: Logins::new(options.throttle).map_err(StartError::Threads)?,
            tries: options.throttle.tries,
            landlock: options.landlock,
        };
        let Options { socket, sweep_every, .. } = options;
        Ok(Self { listener, socket, shared: Arc::new(shared), sweep_every })
    }

    /// Serves until `stop`, then until the last session has ended. The kubelet's patience is the only bound to that.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let Self { listener, socket, shared, sweep_every } = self;
        let following = tokio::spawn(Arc::clone(&shared.settings).run());
        let timing = tokio::spawn({
            let shared = Arc::clone(&shared);
            async move { shared.logins.keep_time().await }
        });
        let sweeping = tokio::spawn(sweep_regularly(Arc::clone(&shared), sweep_every));
        let mut sessions = JoinSet::new();
        tokio::select! {
            () = accept(&listener, &shared, &mut sessions) => {}
            () = stop => {}
        }
        drop(listener);
        if let Err(error) = fs::remove_file(&socket) {
            tracing::debug!(%error, "the socket was gone already");
        }
        tracing::info!(sessions = sessions.len(), "no new sessions; the running ones go on");
        while sessions.join_next().await.is_some() {}
        following.abort();
        timing.abort();
        sweeping.abort();
    }
}

fn listen(path: &Path) -> io::Result<UnixListener> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(SOCKET_MODE))?;
    Ok(listener)
}

async fn accept(listener: &UnixListener, shared: &Arc<Shared>, sessions: &mut JoinSet<()>) {
    let handle = |(stream, _)| {
        // Ended sessions are taken out as new ones come, so that the set does not grow for ever.
        while sessions.try_join_next().is_some() {}
        sessions.spawn(session(Arc::clone(shared), stream));
    };
    accept_each("control", || listener.accept(), handle).await;
}

async fn session(shared: Arc<Shared>, stream: UnixStream) {
    match dialogue::serve(Session::new(shared), stream).await {
        Ok(()) | Err(Lost::Closed) => {}
        Err(error) => tracing::debug!(%error, "a session ended"),
    }
}

/// By the clock, since a session can last for days, and some homes are never entered again.
async fn sweep_regularly(shared: Arc<Shared>, every: Duration) {
    let mut clock = tokio::time::interval(every);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        clock.tick().await;
        let shared = Arc::clone(&shared);
        if tokio::task::spawn_blocking(move || sweep_all(&shared)).await.is_err() {
            tracing::error!("looking through unfinished uploads ended abnormally");
        }
    }
}

fn sweep_all(shared: &Shared) {
    let settings = shared.settings.current();
    let keep = settings.keep_parts();
    for (name, user) in settings.users() {
        if let Ok(home) = shared.volume.existing_home(&user.home, name) {
            parts::sweep_if_due(&home, Some(keep));
        }
    }
}

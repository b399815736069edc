//! One session: the state that commands change, and the loop that answers them.

use std::{
    future,
    sync::Arc,
    time::{Duration, Instant},
};

use safetp_config::{ftpd::User, status::Landlock};
use safetp_protocol::{command::Type, dialect::Peer, reply::Reply};
use tokio::{net::UnixStream, sync::watch};

use crate::{
    commands::{self, Answer},
    connection::{Connection, Lost},
    files::{
        Home, Refusal, VirtualPath, Volume, Work,
        facts::{Facts, Rights},
        hash::Range,
        work::Shares,
    },
    login::Logins,
    name_encoding::NameEncoding,
    request::{BadRequest, Request},
    settings::{InForce, Settings},
};

/// A session of days looks for old parts again, along with its uploads.
const SWEEP_INTERVAL: Duration = Duration::from_hours(1);

/// What all sessions share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) settings: Arc<Settings>,
    pub(crate) volume: Volume,
    pub(crate) shares: Shares,
    pub(crate) logins: Logins,
    /// Failed logins after which a session ends.
    pub(crate) tries: u32,
    pub(crate) landlock: Landlock,
}

/// The state of one session.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) shared: Arc<Shared>,
    /// Who is behind it, as the gateway told.
    pub(crate) peer: Option<Peer>,
    pub(crate) stage: Stage,
    pub(crate) failed_logins: u32,
    pub(crate) representation: Type,
    /// Where the next transfer begins (REST); 0 is its beginning.
    pub(crate) restart: u64,
    /// What the next HASH is of (RANG); the whole file without it.
    pub(crate) range: Option<Range>,
    pub(crate) rename_from: Option<VirtualPath>,
    pub(crate) facts: Facts,
    /// How the client writes names unless it says that it speaks UTF-8.
    pub(crate) encoding: NameEncoding,
    /// OPTS UTF8 ON was said.
    pub(crate) utf8: bool,
    /// When this session last looked for parts that nobody continued.
    swept: Option<Instant>,
}

/// How far the login has come.
#[derive(Debug)]
pub(crate) enum Stage {
    Stranger,
    /// USER has named this account; whether it exists is not said.
    Named(String),
    LoggedIn(Account),
}

/// Who is logged in, and where.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) home: Home,
    /// The home as the operator wrote it.
    pub(crate) home_path: String,
    pub(crate) directory: VirtualPath,
    pub(crate) work: Work,
}

impl Account {
    /// `argument` as seen from the current directory; without one, that directory.
    pub(crate) fn path(&self, argument: &[u8]) -> Result<VirtualPath, Refusal> {
        Ok(self.directory.join(argument)?)
    }

    /// A path that must be given.
    pub(crate) fn named_path(&self, argument: &[u8]) -> Result<VirtualPath, Refusal> {
        if argument.is_empty() {
            return Err(Refusal::Arguments("A name is missing."));
        }
        self.path(argument)
    }

    fn is_in(&self, settings: &InForce) -> bool {
        settings.user(&self.name).is_some_and(|user| user.home == self.home_path)
    }
}

impl Session {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let encoding = shared.settings.current().name_encoding(None);
        Self {
            shared,
            peer: None,
            stage: Stage::Stranger,
            failed_logins: 0,
            representation: Type::Ascii,
            restart: 0,
            range: None,
            rename_from: None,
            facts: Facts::default(),
            encoding,
            utf8: false,
            swept: None,
        }
    }

    /// The account, or the refusal of those who are not logged in.
    pub(crate) fn account(&self) -> Result<&Account, Refusal> {
        match &self.stage {
            Stage::LoggedIn(account) => Ok(account),
            Stage::Stranger | Stage::Named(_) => Err(Refusal::NotLoggedIn),
        }
    }

    /// Runs file work that ends soon (see [`Work::run`]).
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.account()?.work.run(work).await
    }

    /// What the account may do by the configuration of this moment.
    pub(crate) fn rights(&self) -> Result<Rights, Refusal> {
        let name = &self.account()?.name;
        let may_write = |user: &User| !user.read_only;
        let settings = self.shared.settings.current();
        Ok(if settings.user(name).is_some_and(may_write) { Rights::Write } else { Rights::Read })
    }

    /// How long parts are kept, if it is time to look for older ones.
    pub(crate) fn due_sweep(&mut self) -> Option<Duration> {
        let due = self.swept.is_none_or(|swept| swept.elapsed() > SWEEP_INTERVAL);
        due.then(|| {
            self.swept = Some(Instant::now());
            self.shared.settings.current().keep_parts()
        })
    }

    /// How the client writes names at this moment.
    pub(crate) fn names(&self) -> NameEncoding {
        if self.utf8 { NameEncoding::default() } else { self.encoding }
    }

    /// For logs.
    pub(crate) fn peer(&self) -> String {
        self.peer.map_or_else(|| "unknown".to_owned(), |peer| peer.to_string())
    }

    /// Serves until one side ends it. `Lost` is the gateway's way of saying that the client went.
    pub(crate) async fn serve(mut self, stream: UnixStream) -> Result<(), Lost> {
        let mut connection = Connection::new(stream);
        let mut settings = self.shared.settings.subscribe();
        connection.send(&Reply::new(220, "SafeTP embedded FTP server ready.")).await?;
        loop {
            let request = tokio::select! {
                biased;
                () = revoked(&mut settings, self.account().ok()) => return farewell(&mut connection).await,
                request = connection.request() => request?,
            };
            // What is being done for a client ends with it. The answer first: one that is ready is never lost.
            let answer = tokio::select! {
                biased;
                answer = self.answer(request) => answer,
                lost = connection.lost() => return Err(lost),
            };
            connection.set_names(self.names());
            match answer {
                Answer::Reply(reply) => connection.send(&reply).await?,
                Answer::Goodbye(reply) => return connection.send(&reply).await,
                Answer::Transfer(transfer) => {
                    let reply = tokio::select! {
                        biased;
                        () = revoked(&mut settings, self.account().ok()) => return farewell(&mut connection).await,
                        reply = transfer.run(&mut connection) => reply?,
                    };
                    connection.send(&reply).await?;
                }
            }
        }
    }

    async fn answer(&mut self, request: Result<Request, BadRequest>) -> Answer {
        match request {
            Ok(request) => commands::answer(self, &request).await.unwrap_or_else(Answer::from),
            Err(bad) => Answer::Reply(Reply::new(bad.code(), bad.to_string())),
        }
    }
}

/// Resolves when the account is no longer the one that logged in: removed, or with another home. A new password ends
/// nobody's session: the operator hashes again whenever the Secret changes in any way.
async fn revoked(settings: &mut watch::Receiver<Arc<InForce>>, account: Option<&Account>) {
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

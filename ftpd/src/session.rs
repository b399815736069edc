//! The state of one session, which commands change.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use safetp_config::{ftpd::User, status::Landlock};
use safetp_protocol::{command::Type, dialect::Peer};

use crate::{
    files::{
        Home, Refusal, VirtualPath, Volume, Work,
        facts::{Facts, Rights},
        hash::Range,
        work::Shares,
    },
    login::Logins,
    name_encoding::NameEncoding,
    settings::{ActiveSettings, SettingsWatcher},
};

/// A session of days looks for old parts again, along with its uploads.
const SWEEP_INTERVAL: Duration = Duration::from_hours(1);

/// What all sessions share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) settings: Arc<SettingsWatcher>,
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

    /// Whether `settings` still have this account, with the same home.
    pub(crate) fn is_in(&self, settings: &ActiveSettings) -> bool {
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

    /// Refuses an account that may only read.
    pub(crate) fn require_write(&self) -> Result<(), Refusal> {
        match self.rights()? {
            Rights::Write => Ok(()),
            Rights::Read | Rights::Resume => Err(Refusal::ReadOnly),
        }
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
}

//! The settings: configuration and users, read from the operator's files and replaced while the server runs.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use safetp_config::{
    ConfigError, Digest,
    ftpd::{FtpdConfig, User, Users},
    paths::{FTPD_FILE, USERS_FILE},
};
use safetp_program::{
    reload::{Reload, Reloadable},
    volume::read_at_once,
    watch::VolumeWatch,
};
use tokio::sync::watch;

use crate::name_encoding::NameEncoding;

/// Why the files of the configuration directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A file cannot be read.
    #[error("failed to read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// A file cannot be understood.
    #[error(transparent)]
    Parse(#[from] ConfigError),
    /// An encoding that is not known, or in which ASCII is something else.
    #[error("{0:?} is not an encoding that names can have")]
    NameEncoding(String),
}

/// One state of the files, understood.
#[derive(Debug)]
pub struct ActiveSettings {
    config: FtpdConfig,
    users: Users,
    digest: Digest,
}

impl ActiveSettings {
    fn parse(files: &Files) -> Result<Self, SettingsError> {
        let settings = Self {
            config: FtpdConfig::parse(&files.config)?,
            users: Users::parse(&files.users)?,
            digest: files.digest(),
        };
        settings.check_name_encodings()?;
        Ok(settings)
    }

    fn check_name_encodings(&self) -> Result<(), SettingsError> {
        let of_users = self.users.users.values().map(|user| &user.name_encoding);
        let mut labels = of_users.chain([&self.config.name_encoding]).flatten();
        let unknown = labels.find(|label| NameEncoding::of_label(label).is_none()).cloned();
        unknown.map_or(Ok(()), |label| Err(SettingsError::NameEncoding(label)))
    }

    /// How long the part of an upload that broke off is kept.
    pub fn keep_parts(&self) -> Duration {
        Duration::from_hours(u64::from(self.config.keep_parts_hours))
    }

    /// How clients of `user`, or clients before USER, write names unless they say that they speak UTF-8.
    pub(crate) fn name_encoding(&self, user: Option<&User>) -> NameEncoding {
        let of_user = user.and_then(|user| user.name_encoding.as_deref());
        let label = of_user.or(self.config.name_encoding.as_deref());
        // The labels were looked at when the files were read.
        label.and_then(NameEncoding::of_label).unwrap_or_default()
    }

    /// The account of that name.
    pub fn user(&self, name: &str) -> Option<&User> {
        self.users.users.get(name)
    }

    /// Every account.
    pub fn users(&self) -> impl Iterator<Item = (&String, &User)> {
        self.users.users.iter()
    }

    /// The digest of the files' bytes.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }
}

/// The active settings, kept up to date with their directory.
#[derive(Debug)]
pub struct SettingsWatcher {
    directory: PathBuf,
    active: Reloadable<ActiveSettings>,
}

impl SettingsWatcher {
    /// Reads the files for the first time: without them there is nothing to serve.
    pub fn start(directory: PathBuf) -> Result<Self, SettingsError> {
        let first = ActiveSettings::parse(&Files::read(&directory)?)?;
        Ok(Self { directory, active: Reloadable::new(first) })
    }

    /// The settings that are active now.
    pub fn current(&self) -> Arc<ActiveSettings> {
        self.active.current()
    }

    /// The active settings, now and after every change.
    pub fn subscribe(&self) -> watch::Receiver<Arc<ActiveSettings>> {
        self.active.subscribe()
    }

    /// Reloads whenever the files change. Runs for ever.
    pub async fn run(self: Arc<Self>) {
        let watch = VolumeWatch::new(&self.directory);
        // What changed before the watch began is seen by the first reload.
        loop {
            let settings = Arc::clone(&self);
            if tokio::task::spawn_blocking(move || settings.reload()).await.is_err() {
                tracing::error!("reading the configuration ended abnormally");
            }
            watch.changed().await;
        }
    }

    /// Reads the files, and activates them if they changed. Files that cannot be used leave the former settings active.
    pub fn reload(&self) {
        if let Reload::Replaced(now) = self.active.reload(|now| self.load(now)) {
            tracing::info!(digest = %now.digest, users = now.users.users.len(), "new settings are active");
        }
    }

    fn load(&self, now: &ActiveSettings) -> Result<Option<ActiveSettings>, SettingsError> {
        let files = Files::read(&self.directory)?;
        if files.digest() == now.digest { Ok(None) } else { ActiveSettings::parse(&files).map(Some) }
    }
}

/// The bytes of both files at one moment.
struct Files {
    config: Vec<u8>,
    users: Vec<u8>,
}

impl Files {
    fn read(directory: &Path) -> Result<Self, SettingsError> {
        let read = |name| {
            let path = directory.join(name);
            fs::read(&path).map_err(|source| SettingsError::Read { path, source })
        };
        read_at_once(directory, || Ok(Self { config: read(FTPD_FILE)?, users: read(USERS_FILE)? }))
    }

    fn digest(&self) -> Digest {
        Digest::of([(FTPD_FILE, self.config.as_slice()), (USERS_FILE, self.users.as_slice())])
    }
}

//! Configuration and users in force, read from the operator's files and replaced while running.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use safetp_config::{
    ConfigError, Digest,
    ftpd::{FtpdConfig, User, Users},
    paths::{FTPD_FILE, USERS_FILE},
};
use safetp_program::volume::read_at_once;
use tokio::sync::watch;

use crate::name_encoding::NameEncoding;

/// Why the files of the configuration directory are not in force.
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
pub struct InForce {
    config: FtpdConfig,
    users: Users,
    digest: Digest,
}

impl InForce {
    fn read(directory: &Path) -> Result<Self, SettingsError> {
        read_at_once(directory, || Self::read_files(directory))
    }

    fn read_files(directory: &Path) -> Result<Self, SettingsError> {
        let config = read_file(directory, FTPD_FILE)?;
        let users = read_file(directory, USERS_FILE)?;
        let settings = Self {
            config: FtpdConfig::parse(&config)?,
            digest: Digest::of([(FTPD_FILE, config.as_slice()), (USERS_FILE, users.as_slice())]),
            users: Users::parse(&users)?,
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

    /// How the clients of `user`, or those who are nobody yet, write names as long as they say nothing else.
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

/// What is in force, and its replacement by what the files say now.
#[derive(Debug)]
pub struct Settings {
    directory: PathBuf,
    current: watch::Sender<Arc<InForce>>,
    /// Two reloads at once could put the older files in force last.
    reloading: Mutex<()>,
}

impl Settings {
    /// Reads the files for the first time: without them there is nothing to serve.
    pub fn open(directory: PathBuf) -> Result<Self, SettingsError> {
        let first = InForce::read(&directory)?;
        Ok(Self { directory, current: watch::Sender::new(Arc::new(first)), reloading: Mutex::new(()) })
    }

    /// Where the files lie.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// What is in force now.
    pub fn current(&self) -> Arc<InForce> {
        Arc::clone(&self.current.borrow())
    }

    /// A view that tells of every change.
    pub fn subscribe(&self) -> watch::Receiver<Arc<InForce>> {
        self.current.subscribe()
    }

    /// Puts the files in force if they changed. Unreadable files keep the old ones in force.
    pub fn reload(&self) -> Result<(), SettingsError> {
        let _alone = self.reloading.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = InForce::read(&self.directory)?;
        self.current.send_if_modified(|current| {
            let changed = current.digest != fresh.digest;
            if changed {
                tracing::info!(digest = %fresh.digest, users = fresh.users.users.len(), "new configuration in force");
                *current = Arc::new(fresh);
            }
            changed
        });
        Ok(())
    }

    /// [`Settings::reload`], with the failure logged: for callers that go on with what is in force.
    pub fn reload_or_keep(&self) {
        if let Err(error) = self.reload() {
            tracing::warn!(%error, "the new configuration cannot be used, the one before stays in force");
        }
    }
}

fn read_file(directory: &Path, name: &str) -> Result<Vec<u8>, SettingsError> {
    let path = directory.join(name);
    fs::read(&path).map_err(|source| SettingsError::Read { path, source })
}

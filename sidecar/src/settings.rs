//! The settings that the operator writes: read as a whole, checked, and only then in force.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use safetp_config::{
    ConfigError, Digest,
    gateway::{GatewayConfig, Mechanism},
    paths,
    status::gateway_digest,
};
use safetp_program::{
    reload::{Reload, Reloadable},
    volume::read_at_once,
    watch::VolumeWatch,
};
use safetp_protocol::security::safetp1::{KeyError, SigningKey};
use tokio::sync::watch;
use zeroize::Zeroizing;

use crate::{
    metrics::Metrics,
    tls::{Identity, IdentityError, Tickets},
};

/// The settings in force.
#[derive(Clone, Debug)]
pub struct ActiveSettings {
    /// `gateway.json`.
    pub config: GatewayConfig,
    /// Certificate and key; none only until the first usable ones have been read.
    pub identity: Option<Arc<Identity>>,
    /// The key of X-SafeTP1, where the mechanism is listed.
    pub signing_key: Option<Arc<SigningKey>>,
    /// Digest of the files these settings were loaded from.
    pub digest: Option<Digest>,
    /// Reason why newer files are not in force.
    pub problem: Option<String>,
}

/// Reason why files cannot come into force.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A file is missing or cannot be read.
    #[error("failed to read {file}: {source}")]
    Read {
        /// The file's name in the directory.
        file: &'static str,
        /// The system's error.
        source: io::Error,
    },
    /// The configuration is not of this version.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Certificate or key cannot be used.
    #[error("the certificate is not in force: {0}")]
    Identity(#[from] IdentityError),
    /// The key of X-SafeTP1 cannot be used.
    #[error("dsa.key is not in force: {0}")]
    SigningKey(#[from] KeyError),
    /// The change needs a new pod: ports are bound once, and what may be dialled is fixed once.
    #[error("a change takes a new pod: {0}")]
    NewPod(&'static str),
}

/// Reads `gateway.json` alone: the ports, before anything else begins.
pub fn read_config(directory: &Path) -> Result<GatewayConfig, SettingsError> {
    Ok(GatewayConfig::parse(&read(directory, paths::GATEWAY_FILE)?)?)
}

/// Keeps [`ActiveSettings`] up to date with one directory.
#[derive(Debug)]
pub struct SettingsWatcher {
    directory: PathBuf,
    tickets: Tickets,
    metrics: Arc<Metrics>,
    active: Reloadable<ActiveSettings>,
}

/// The files' contents at one moment.
struct Files {
    config: Vec<u8>,
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl SettingsWatcher {
    /// Reads the directory for the first time. Without a readable `gateway.json` this fails; without a usable
    /// certificate everything but AUTH works.
    pub fn start(directory: &Path, tickets: Tickets, metrics: Arc<Metrics>) -> Result<Self, SettingsError> {
        let config = read_config(directory)?;
        let first = ActiveSettings { config, identity: None, signing_key: None, digest: None, problem: None };
        let watcher = Self { directory: directory.into(), tickets, metrics, active: Reloadable::new(first) };
        watcher.reload();
        Ok(watcher)
    }

    /// The settings in force, now and after every change.
    pub fn subscribe(&self) -> watch::Receiver<Arc<ActiveSettings>> {
        self.active.subscribe()
    }

    /// Reloads whenever the files change.
    pub async fn run(self) {
        let watch = VolumeWatch::new(&self.directory);
        // The first reload sees changes from before the watch began.
        loop {
            self.reload();
            watch.changed().await;
        }
    }

    /// Reads the directory. Files that cannot be used leave the former settings active, and the reason is kept.
    pub fn reload(&self) {
        let load = |now: &ActiveSettings| -> Result<Option<ActiveSettings>, SettingsError> {
            let next = read_at_once(&self.directory, || self.load(now))?;
            Ok(Some(next).filter(|next| next.digest != now.digest || now.problem.is_some()))
        };
        match self.active.reload(load) {
            Reload::Unchanged => {}
            Reload::Replaced(now) => {
                if let Some(identity) = &now.identity {
                    self.metrics.certificate_expiry.set(identity.not_after());
                }
                tracing::info!(digest = now.digest.as_ref().map(Digest::as_str), "settings in force");
            }
            Reload::Kept(problem) => {
                let former = ActiveSettings::clone(&self.active.current());
                self.active.replace(ActiveSettings { problem: Some(problem), ..former });
            }
        }
    }

    fn load(&self, now: &ActiveSettings) -> Result<ActiveSettings, SettingsError> {
        let files = Files::read(&self.directory)?;
        let config = GatewayConfig::parse(&files.config)?;
        same_pod(&now.config, &config)?;
        let identity = Identity::parse(&files.certificate, &files.key, self.tickets.clone())?;
        let signing_key = self.signing_key(&config)?;
        let fingerprint = signing_key.as_ref().map(|key| key.public_key().fingerprint().to_string());
        let digest = gateway_digest(&files.config, &files.certificate, fingerprint.as_deref());
        Ok(ActiveSettings { config, identity: Some(identity.into()), signing_key, digest: Some(digest), problem: None })
    }

    fn signing_key(&self, config: &GatewayConfig) -> Result<Option<Arc<SigningKey>>, SettingsError> {
        if !config.security.mechanisms.contains(&Mechanism::SafeTp1) {
            return Ok(None);
        }
        let pem = Zeroizing::new(read(&self.directory, paths::DSA_KEY_FILE)?);
        Ok(Some(Arc::new(SigningKey::from_pkcs8_pem(&String::from_utf8_lossy(&pem))?)))
    }
}

impl Files {
    fn read(directory: &Path) -> Result<Self, SettingsError> {
        Ok(Self {
            config: read(directory, paths::GATEWAY_FILE)?,
            certificate: read(directory, paths::CERTIFICATE_FILE)?,
            key: read(directory, paths::PRIVATE_KEY_FILE)?,
        })
    }
}

fn read(directory: &Path, file: &'static str) -> Result<Vec<u8>, SettingsError> {
    std::fs::read(directory.join(file)).map_err(|source| SettingsError::Read { file, source })
}

fn same_pod(now: &GatewayConfig, next: &GatewayConfig) -> Result<(), SettingsError> {
    let changed = [
        ("the control port", now.listen_port != next.listen_port),
        ("the admin port", now.admin_port != next.admin_port),
        ("the data ports", now.data_ports != next.data_ports),
        // Shut in without it, the gateway could dial no client.
        ("active mode", now.active_mode.is_none() && next.active_mode.is_some()),
    ];
    match changed.into_iter().find(|(_, changed)| *changed) {
        Some((which, _)) => Err(SettingsError::NewPod(which)),
        None => Ok(()),
    }
}

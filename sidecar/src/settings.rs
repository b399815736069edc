//! What the operator wrote, read as a whole, checked, and only then in force.

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

/// The settings that count at this moment.
#[derive(Clone, Debug)]
pub struct InForce {
    /// `gateway.json`.
    pub config: GatewayConfig,
    /// Certificate and key; none only until the first usable ones are there.
    pub identity: Option<Arc<Identity>>,
    /// X-SafeTP1's key, where that is listed.
    pub signing_key: Option<Arc<SigningKey>>,
    /// Of the files that all of this came from.
    pub digest: Option<Digest>,
    /// Why newer files are not in force.
    pub problem: Option<String>,
}

/// Why files cannot come into force.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Missing, or not for us.
    #[error("failed to read {file}: {source}")]
    Read {
        /// Its name in the directory.
        file: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// Not of this version.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Certificate or key are of no use.
    #[error("the certificate is not in force: {0}")]
    Identity(#[from] IdentityError),
    /// The key of X-SafeTP1 is of no use.
    #[error("dsa.key is not in force: {0}")]
    SigningKey(#[from] KeyError),
    /// Ports are bound once, and what may be dialled is fixed once.
    #[error("a change takes a new pod: {0}")]
    NewPod(&'static str),
}

/// `gateway.json` alone: what the ports are, before anything else begins.
pub fn read_config(directory: &Path) -> Result<GatewayConfig, SettingsError> {
    Ok(GatewayConfig::parse(&read(directory, paths::GATEWAY_FILE)?)?)
}

/// Keeps [`InForce`] up to date from one directory.
#[derive(Debug)]
pub struct Keeper {
    directory: PathBuf,
    tickets: Tickets,
    metrics: Arc<Metrics>,
    in_force: Reloadable<InForce>,
}

/// The bytes of one moment.
struct Files {
    config: Vec<u8>,
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Keeper {
    /// Reads the directory for the first time. Without a readable `gateway.json` nothing can begin; without a usable
    /// certificate all but AUTH can.
    pub fn start(directory: &Path, tickets: Tickets, metrics: Arc<Metrics>) -> Result<Self, SettingsError> {
        let config = read_config(directory)?;
        let first = InForce { config, identity: None, signing_key: None, digest: None, problem: None };
        let keeper = Self { directory: directory.into(), tickets, metrics, in_force: Reloadable::new(first) };
        keeper.reload();
        Ok(keeper)
    }

    /// What counts, now and later.
    pub fn subscribe(&self) -> watch::Receiver<Arc<InForce>> {
        self.in_force.subscribe()
    }

    /// Reloads whenever the files change.
    pub async fn run(self) {
        let watch = VolumeWatch::new(&self.directory);
        // What changed before the watch stood is seen now.
        loop {
            self.reload();
            watch.changed().await;
        }
    }

    /// Reads the directory. Files that cannot be used leave the former settings active, and the reason is kept.
    pub fn reload(&self) {
        let load = |now: &InForce| -> Result<Option<InForce>, SettingsError> {
            let next = read_at_once(&self.directory, || self.load(now))?;
            Ok(Some(next).filter(|next| next.digest != now.digest || now.problem.is_some()))
        };
        match self.in_force.reload(load) {
            Reload::Unchanged => {}
            Reload::Replaced(now) => {
                if let Some(identity) = &now.identity {
                    self.metrics.certificate_expiry.set(identity.not_after());
                }
                tracing::info!(digest = now.digest.as_ref().map(Digest::as_str), "settings in force");
            }
            Reload::Kept(problem) => {
                let former = InForce::clone(&self.in_force.current());
                self.in_force.replace(InForce { problem: Some(problem), ..former });
            }
        }
    }

    fn load(&self, now: &InForce) -> Result<InForce, SettingsError> {
        let files = Files::read(&self.directory)?;
        let config = GatewayConfig::parse(&files.config)?;
        same_pod(&now.config, &config)?;
        let identity = Identity::parse(&files.certificate, &files.key, self.tickets.clone())?;
        let signing_key = self.signing_key(&config)?;
        let fingerprint = signing_key.as_ref().map(|key| key.public_key().fingerprint().to_string());
        let digest = gateway_digest(&files.config, &files.certificate, fingerprint.as_deref());
        Ok(InForce { config, identity: Some(identity.into()), signing_key, digest: Some(digest), problem: None })
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

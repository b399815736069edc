//! The gateway and the ftpd in one process, and their interfaces beside FTP.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    sync::Arc,
};

use rcgen::{CertifiedKey, KeyPair};
use safetp_config::{gateway::GatewayConfig, status::Landlock};
use safetp_ftps::Trust;
use safetp_protocol::session::Announced;
use safetp_sidecar::{
    admin::Admin,
    drain::Phase,
    gateway::{Bound, Gateway},
    metrics::Metrics,
    settings::{ActiveSettings, SettingsWatcher},
    shut_in,
    tls::Tickets,
};
use tempfile::TempDir;
use tokio::{runtime::Runtime, sync::watch, task::JoinHandle};

use crate::{
    Client, PATIENCE, USER, config, ftpd,
    threads::shut_in_runtime,
    volume::{Volume, config_file, dsa_file, identity_files, new_identity},
};

/// One pod. Its parts end with it.
#[derive(Debug)]
pub struct Pod {
    /// The gateway's threads.
    pub runtime: Runtime,
    _ftpd: Runtime,
    /// The configuration that the gateway was started with.
    pub config: GatewayConfig,
    /// The control port, on loopback.
    pub control_port: u16,
    /// The gateway itself.
    pub gateway: Arc<Gateway>,
    /// The settings in force, from the volume.
    pub settings: watch::Receiver<Arc<ActiveSettings>>,
    /// The external address: a value sent here is announced from then on.
    pub address: watch::Sender<Option<Announced>>,
    /// The phase of the shutdown: a value sent here has the effect of SIGTERM and the grace period.
    pub drain: watch::Sender<Phase>,
    /// Trust in the certificate.
    pub trust: Trust,
    admin_port: u16,
    metrics: Arc<Metrics>,
    serving: Option<JoinHandle<()>>,
    volume: Volume,
    directory: TempDir,
}

/// The inputs of a running gateway.
#[derive(Clone)]
struct Inputs {
    address: watch::Receiver<Option<Announced>>,
    drain: watch::Receiver<Phase>,
    metrics: Arc<Metrics>,
    landlock: Landlock,
}

impl Pod {
    /// A pod with the example configuration: TLS and nothing else, everything protected.
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// A pod whose configuration differs from the example.
    pub fn with(change: impl Fn(&mut GatewayConfig)) -> Self {
        Self::of(change, Some(&new_identity()))
    }

    /// A pod without a certificate.
    pub fn without_certificate() -> Self {
        Self::of(|_| {}, None)
    }

    fn of(change: impl Fn(&mut GatewayConfig), identity: Option<&CertifiedKey<KeyPair>>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for name in ["ftpd", "data", "data/alice", "data/bob", "run"] {
            fs::create_dir(directory.path().join(name)).unwrap();
        }
        let volume = Volume::new(directory.path().join("gateway"));
        volume.replace(&[dsa_file()]);
        if let Some(identity) = identity {
            write_identity(directory.path(), &volume, identity);
        }
        let ftpd = ftpd::start(directory.path());
        let usual = || {
            let mut config = config::usual(&ftpd::socket(directory.path()));
            change(&mut config);
            config
        };
        let (gateway_dir, pod_info_dir) = (directory.path().join("gateway"), directory.path().join("pod"));
        let reach = shut_in::reach(&gateway_dir, &pod_info_dir, &usual());
        let (runtime, landlock) = shut_in_runtime(&reach, shut_in::CALLS);
        let inside = runtime.enter();
        let (address, announced) = watch::channel(None);
        let (drain, phase) = watch::channel(Phase::Serving);
        let inputs = Inputs { address: announced, drain: phase, metrics: Arc::default(), landlock };
        let (config, bound, settings) = bind(usual, &volume, &inputs);
        address.send_replace(config::first_announced(&config));
        let (gateway, control_port) = (bound.gateway(), bound.control_port());
        let serving = Some(tokio::spawn(bound.serve()));
        let admin_port = start_admin(&runtime, &inputs, &settings, &gateway);
        drop(inside);
        let trust = identity.map_or_else(Trust::none, trust_in);
        let metrics = inputs.metrics;
        Self {
            runtime,
            _ftpd: ftpd,
            config,
            control_port,
            gateway,
            settings,
            address,
            drain,
            trust,
            admin_port,
            metrics,
            serving,
            volume,
            directory,
        }
    }

    /// A path in the pod's directory, which holds `gateway`, `ftpd`, `data` and `run`.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A path in alice's home.
    pub fn alice(&self, name: &str) -> PathBuf {
        self.path("data").join(USER).join(name)
    }

    /// The CA file, for programs.
    pub fn ca_file(&self) -> PathBuf {
        self.path("ca.pem")
    }

    /// The CA, as PEM.
    pub fn ca_pem(&self) -> String {
        fs::read_to_string(self.ca_file()).unwrap()
    }

    /// A client that has been greeted.
    pub fn connect(&self) -> Client {
        let mut client = Client::connect(self.control_port, self.trust.clone());
        client.expect(220);
        client
    }

    /// A client that never logs in, and protects the data connections that it opens.
    pub fn connect_as_stranger(&self) -> Client {
        let mut client = self.connect();
        client.protect_data(true);
        client
    }

    /// A client after AUTH TLS, with PROT P.
    pub fn protected(&self) -> Client {
        let mut client = self.connect();
        client.secure();
        client
    }

    /// A client that is logged in, protected, with TYPE I.
    pub fn login(&self) -> Client {
        let mut client = self.protected();
        client.login(USER);
        client
    }

    /// Asks the admin port; returns the code and the body.
    pub fn http(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.admin_port)).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: pod\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    /// The value of a metric, by the whole beginning of its line; 0 where there is none yet.
    pub fn metric(&self, name: &str) -> u64 {
        let text = self.metrics.encode();
        let line = text.lines().find(|line| line.rsplit_once(' ').is_some_and(|(key, _)| key == name));
        line.and_then(|line| line.rsplit_once(' ')).map_or(0, |(_, value)| value.parse().unwrap())
    }

    /// Waits until the gateway has served its last session.
    pub fn wait_for_end(&mut self) {
        let serving = self.serving.take().unwrap();
        self.runtime.block_on(async { tokio::time::timeout(PATIENCE, serving).await.unwrap().unwrap() });
    }

    /// Replaces files of the gateway's volume, and waits until the settings in force are as expected: the new ones, or
    /// the old ones with the reason why the new ones are not.
    pub fn replace(&self, files: &[(&str, Vec<u8>)], expected: impl Fn(&ActiveSettings) -> bool) {
        let mut settings = self.settings.clone();
        settings.borrow_and_update();
        self.volume.replace(files);
        self.wait_for_settings(settings, expected);
    }

    /// Replaces the certificate and its key. From here on, clients trust the new one alone.
    pub fn replace_identity(&mut self, identity: &CertifiedKey<KeyPair>) {
        fs::write(self.ca_file(), identity.cert.pem()).unwrap();
        self.trust = trust_in(identity);
        self.replace(&identity_files(identity), |in_force| in_force.problem.is_none());
    }

    /// Replaces the configuration, as [`Pod::replace`] does.
    pub fn replace_config(&self, config: &GatewayConfig, expected: impl Fn(&ActiveSettings) -> bool) {
        self.replace(&[config_file(config)], expected);
    }

    /// Writes the configuration without waiting, for another gateway over the same files.
    pub fn write_config(&self, config: &GatewayConfig) {
        self.volume.replace_config(config);
    }

    fn wait_for_settings(
        &self,
        mut settings: watch::Receiver<Arc<ActiveSettings>>,
        condition: impl Fn(&ActiveSettings) -> bool,
    ) {
        self.runtime.block_on(async {
            let come = async {
                loop {
                    settings.changed().await.unwrap();
                    if condition(&settings.borrow_and_update()) {
                        return;
                    }
                }
            };
            tokio::time::timeout(PATIENCE, come).await.unwrap();
        });
    }
}

impl Default for Pod {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Pod {
    fn drop(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.abort();
        }
    }
}

fn trust_in(identity: &CertifiedKey<KeyPair>) -> Trust {
    Trust::certificate(identity.cert.der()).unwrap()
}

fn write_identity(directory: &Path, volume: &Volume, identity: &CertifiedKey<KeyPair>) {
    fs::write(directory.join("ca.pem"), identity.cert.pem()).unwrap();
    volume.replace(&identity_files(identity));
}

/// Ports that are free on this machine: whoever binds first has them, so trying is the only way to know.
fn bind(
    usual: impl Fn() -> GatewayConfig,
    volume: &Volume,
    inputs: &Inputs,
) -> (GatewayConfig, Bound, watch::Receiver<Arc<ActiveSettings>>) {
    std::iter::repeat_with(|| {
        let config = usual();
        volume.replace_config(&config);
        let watcher =
            SettingsWatcher::start(volume.path(), Tickets::new().unwrap(), Arc::clone(&inputs.metrics)).unwrap();
        let settings = watcher.subscribe();
        let Inputs { address, drain, metrics, .. } = inputs.clone();
        let bound = Bound::new(&config, settings.clone(), address, drain, metrics).ok()?;
        tokio::spawn(watcher.run());
        Some((config, bound, settings))
    })
    .find_map(|attempt| attempt)
    .unwrap()
}

fn start_admin(
    runtime: &Runtime,
    inputs: &Inputs,
    settings: &watch::Receiver<Arc<ActiveSettings>>,
    gateway: &Arc<Gateway>,
) -> u16 {
    let listener = runtime.block_on(tokio::net::TcpListener::bind(("127.0.0.1", 0))).unwrap();
    let port = listener.local_addr().unwrap().port();
    let admin = Admin {
        settings: settings.clone(),
        address: inputs.address.clone(),
        gateway: Arc::clone(gateway),
        metrics: Arc::clone(&inputs.metrics),
        landlock: inputs.landlock,
    };
    tokio::spawn(safetp_sidecar::admin::serve(listener, admin));
    port
}

//! A pod in one process: the ftpd over temporary directories, the gateway before it, and a client.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use argon2::{Algorithm, Argon2, Params, Version, password_hash::PasswordHasher as _};
use getrandom::SysRng;
use rand::Rng as _;
use rand_core::UnwrapErr;
use rcgen::CertifiedKey;
use safetp_config::{
    ftpd::{FtpdConfig, PasswordHash, User, Users},
    gateway::{AddressSource, Backend, DataBinding, GatewayConfig, Limits, Mechanism, Requirement, Security, Uploads},
    paths::{CERTIFICATE_FILE, DSA_KEY_FILE, FTPD_FILE, GATEWAY_FILE, PRIVATE_KEY_FILE, USERS_FILE},
    ports::PortRange,
};
use safetp_ftpd::server::{Options, Server, Throttle};
use safetp_protocol::{
    security::safetp1::{KeySize, SigningKey},
    session::Announced,
};
use safetp_sidecar::{
    admin::Admin,
    drain::Phase,
    gateway::{Bound, Gateway, Tickets},
    metrics::Metrics,
    settings::{InForce, Keeper},
};
use tempfile::TempDir;
use tokio::{runtime::Runtime, sync::watch, task::JoinHandle};

mod client;
mod safetp1;

pub(crate) use client::{Client, Trust};
pub(crate) use safetp1::SafeClient;

pub(crate) const PASSWORD: &str = "correct horse battery staple";
/// What the load balancer would publish. Clients here dial loopback whatever they are told.
pub(crate) const ADDRESS: &str = "203.0.113.7";
/// Longer than anything takes, so that a hang is a failure and not a hang.
const PATIENCE: Duration = Duration::from_secs(20);

/// One pod. Its parts end with it.
pub(crate) struct Pod {
    directory: TempDir,
    pub(crate) runtime: Runtime,
    pub(crate) config: GatewayConfig,
    pub(crate) control_port: u16,
    admin_port: u16,
    pub(crate) gateway: Arc<Gateway>,
    metrics: Arc<Metrics>,
    pub(crate) settings: watch::Receiver<Arc<InForce>>,
    pub(crate) address: watch::Sender<Option<Announced>>,
    pub(crate) drain: watch::Sender<Phase>,
    serving: Option<JoinHandle<()>>,
    pub(crate) trust: Trust,
}

impl Pod {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// A pod whose configuration differs from the usual one.
    pub(crate) fn with(change: impl Fn(&mut GatewayConfig)) -> Self {
        Self::of(change, Some(&new_identity()))
    }

    pub(crate) fn without_certificate() -> Self {
        Self::of(|_| {}, None)
    }

    fn of(change: impl Fn(&mut GatewayConfig), identity: Option<&CertifiedKey<rcgen::KeyPair>>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for name in ["gateway", "ftpd", "data", "run"] {
            fs::create_dir(directory.path().join(name)).unwrap();
        }
        let runtime = Runtime::new().unwrap();
        start_ftpd(&directory, &runtime);
        let trust = identity.map_or_else(Trust::nobody, Trust::of);
        replace_files(&directory, &[(DSA_KEY_FILE, dsa_key().to_pkcs8_pem().as_bytes().to_vec())]);
        if let Some(identity) = identity {
            replace_files(&directory, &identity_files(identity));
        }
        let (address, announced) = watch::channel(Some(announced(ADDRESS)));
        let (drain, phase) = watch::channel(Phase::Serving);
        let metrics = Arc::new(Metrics::default());
        // Ports that are free on this machine: whoever binds first has them, so trying is the only way to know.
        let (config, bound, settings) = std::iter::repeat_with(|| {
            let config = usual_config(&directory, &change);
            replace_files(&directory, &[(GATEWAY_FILE, serde_json::to_vec(&config).unwrap())]);
            let _inside = runtime.enter();
            let keeper = keeper(&directory, &metrics);
            let settings = keeper.subscribe();
            let args = (settings.clone(), announced.clone(), phase.clone(), Arc::clone(&metrics));
            let bound: Bound = Gateway::bind(&config, args.0, args.1, args.2, args.3).ok()?;
            runtime.spawn(keeper.run());
            Some((config, bound, settings))
        })
        .find_map(|attempt| attempt)
        .unwrap();
        let (gateway, control_port) = (bound.gateway(), bound.control_port());
        let serving = Some(runtime.spawn(bound.serve()));
        let admin = Admin {
            settings: settings.clone(),
            address: announced,
            gateway: Arc::clone(&gateway),
            metrics: Arc::clone(&metrics),
        };
        let admin_port = start_admin(admin, &runtime);
        Self {
            directory,
            runtime,
            config,
            control_port,
            admin_port,
            gateway,
            metrics,
            settings,
            address,
            drain,
            serving,
            trust,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A path in alice's home.
    pub(crate) fn alice(&self, name: &str) -> PathBuf {
        self.path("data").join("alice").join(name)
    }

    pub(crate) fn connect(&self) -> Client {
        let mut client = Client::connect(self.control_port, self.trust.clone());
        client.expect(220);
        client
    }

    /// Behind AUTH TLS, with PROT P.
    pub(crate) fn protected(&self) -> Client {
        let mut client = self.connect();
        client.auth_tls();
        client.ask("PBSZ 0", 200);
        client.ask("PROT P", 200);
        client
    }

    /// Logged in, protected, TYPE I.
    pub(crate) fn login(&self) -> Client {
        let mut client = self.protected();
        client.login("alice");
        client
    }

    /// Code and body of an answer of the admin port.
    pub(crate) fn http(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.admin_port)).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: pod\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    /// Waits until the gateway has served its last session.
    pub(crate) fn wait_for_end(&mut self) {
        let serving = self.serving.take().unwrap();
        self.runtime.block_on(async { tokio::time::timeout(PATIENCE, serving).await.unwrap().unwrap() });
    }

    /// The value of a metric, by the whole beginning of its line.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        let text = self.metrics.encode();
        let line = text.lines().find(|line| line.rsplit_once(' ').is_some_and(|(key, _)| key == name));
        line.and_then(|line| line.rsplit_once(' ')).map_or(0, |(_, value)| value.parse().unwrap())
    }

    /// Replaces files of the gateway's volume, and waits until they are in force, or refused with a sentence.
    pub(crate) fn replace(&self, files: &[(&str, Vec<u8>)], expected: impl Fn(&InForce) -> bool) {
        let mut settings = self.settings.clone();
        settings.borrow_and_update();
        replace_files(&self.directory, files);
        self.wait_for_settings(settings, expected);
    }

    pub(crate) fn replace_identity(&mut self, identity: &CertifiedKey<rcgen::KeyPair>) {
        self.trust = Trust::of(identity);
        self.replace(&identity_files(identity), |in_force| in_force.problem.is_none());
    }

    pub(crate) fn replace_config(&self, config: &GatewayConfig, expected: impl Fn(&InForce) -> bool) {
        self.replace(&[(GATEWAY_FILE, serde_json::to_vec(config).unwrap())], expected);
    }

    /// For another gateway over the same files: nothing is waited for.
    pub(crate) fn write_config(&self, config: &GatewayConfig) {
        replace_files(&self.directory, &[(GATEWAY_FILE, serde_json::to_vec(config).unwrap())]);
    }

    fn wait_for_settings(&self, mut settings: watch::Receiver<Arc<InForce>>, condition: impl Fn(&InForce) -> bool) {
        self.runtime.block_on(async {
            tokio::time::timeout(PATIENCE, async {
                loop {
                    settings.changed().await.unwrap();
                    if condition(&settings.borrow_and_update()) {
                        return;
                    }
                }
            })
            .await
            .unwrap();
        });
    }
}

impl Drop for Pod {
    fn drop(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.abort();
        }
    }
}

/// Asks again and again: for what happens soon after its cause and tells nobody.
pub(crate) fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let limit = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < limit, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub(crate) fn announced(address: &str) -> Announced {
    Announced { text: address.into(), v4: address.parse().ok(), v6: address.parse().ok() }
}

pub(crate) fn new_identity() -> CertifiedKey<rcgen::KeyPair> {
    rcgen::generate_simple_self_signed(vec!["files.example.org".into()]).unwrap()
}

fn identity_files(identity: &CertifiedKey<rcgen::KeyPair>) -> [(&'static str, Vec<u8>); 2] {
    let key = identity.signing_key.serialize_pem();
    [(CERTIFICATE_FILE, identity.cert.pem().into_bytes()), (PRIVATE_KEY_FILE, key.into_bytes())]
}

/// One for all tests: making one takes a while.
pub(crate) fn dsa_key() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| SigningKey::generate(KeySize::Legacy1024, &mut UnwrapErr(SysRng)))
}

/// As the kubelet does: a new directory with all files, and a link that is swapped.
fn replace_files(directory: &TempDir, files: &[(&str, Vec<u8>)]) {
    let volume = directory.path().join("gateway");
    let generation = volume.join(format!("..{}", fs::read_dir(&volume).unwrap().count()));
    fs::create_dir(&generation).unwrap();
    for name in [GATEWAY_FILE, CERTIFICATE_FILE, PRIVATE_KEY_FILE, DSA_KEY_FILE] {
        let new = files.iter().find(|(other, _)| *other == name).map(|(_, content)| content.clone());
        if let Some(content) = new.or_else(|| fs::read(volume.join(name)).ok()) {
            fs::write(generation.join(name), content).unwrap();
        }
        let _ = symlink(Path::new("..data").join(name), volume.join(name));
    }
    symlink(&generation, volume.join("..data_tmp")).unwrap();
    fs::rename(volume.join("..data_tmp"), volume.join("..data")).unwrap();
}

fn keeper(directory: &TempDir, metrics: &Arc<Metrics>) -> Keeper {
    Keeper::start(&directory.path().join("gateway"), Tickets::new().unwrap(), Arc::clone(metrics)).unwrap()
}

fn usual_config(directory: &TempDir, change: &impl Fn(&mut GatewayConfig)) -> GatewayConfig {
    let first = rand::rng().random_range(10_000..30_000);
    let mut config = GatewayConfig {
        server: "ftp/files".into(),
        listen_port: 0,
        admin_port: 0,
        data_ports: PortRange::new(first, first + 3).unwrap(),
        address: AddressSource::Pinned { address: ADDRESS.into() },
        security: Security {
            mechanisms: vec![Mechanism::Tls],
            control: Requirement::Required,
            data: Requirement::Required,
            data_binding: DataBinding::WhenOffered,
            clear_command_channel: false,
        },
        backend: Backend::Embedded { socket: directory.path().join("run/ftpd.sock").to_str().unwrap().into() },
        limits: Limits { sessions: 1000, sessions_per_peer: 0, idle_seconds: 60, login_seconds: 60, data_seconds: 30 },
        uploads: Uploads { require_close_notify: true },
        active_mode: None,
        drain_seconds: 30,
    };
    change(&mut config);
    config
}

fn start_admin(admin: Admin, runtime: &Runtime) -> u16 {
    let listener = runtime.block_on(tokio::net::TcpListener::bind(("127.0.0.1", 0))).unwrap();
    let port = listener.local_addr().unwrap().port();
    runtime.spawn(safetp_sidecar::admin::serve(listener, admin));
    port
}

fn start_ftpd(directory: &TempDir, runtime: &Runtime) {
    let config = directory.path().join("ftpd");
    let alice = User { password: hash(), home: "alice".into(), read_only: false };
    let users = Users { users: [("alice".to_owned(), alice)].into() };
    fs::write(config.join(FTPD_FILE), serde_json::to_vec(&FtpdConfig { keep_parts_hours: 24 }).unwrap()).unwrap();
    fs::write(config.join(USERS_FILE), serde_json::to_vec(&users).unwrap()).unwrap();
    let options = Options {
        socket: directory.path().join("run/ftpd.sock"),
        config,
        data: directory.path().join("data"),
        throttle: Throttle { first_delay: Duration::from_millis(1), tries: 5 },
    };
    let _inside = runtime.enter();
    let server = Server::start(options).unwrap();
    runtime.spawn(server.run(std::future::pending()));
}

/// Cheap parameters: the suites log in hundreds of times.
fn hash() -> PasswordHash {
    static HASH: OnceLock<String> = OnceLock::new();
    let hash = HASH.get_or_init(|| {
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(64, 1, 1, None).unwrap());
        argon2.hash_password(PASSWORD.as_bytes()).unwrap().to_string()
    });
    PasswordHash(hash.clone())
}

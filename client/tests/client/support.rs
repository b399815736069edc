//! A server in this process, and the client's program beside it.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};

use argon2::{Algorithm, Argon2, Params, Version, password_hash::PasswordHasher as _};
use rand::{Rng as _, RngCore as _};
use safetp_config::{
    gateway::GatewayConfig,
    paths::{CERTIFICATE_FILE, FTPD_FILE, GATEWAY_FILE, PRIVATE_KEY_FILE, USERS_FILE},
};
use safetp_ftpd::server::{Options, Server, Throttle};
use safetp_protocol::session::Announced;
use safetp_sidecar::{
    drain::Phase,
    gateway::{Bound, Gateway, Tickets},
    metrics::Metrics,
    settings::Keeper,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{runtime::Runtime, sync::watch};

mod program;

pub(crate) use program::Program;

pub(crate) const PASSWORD: &str = "correct horse battery staple";
/// What the server is reached by, and what its certificate is for.
const ADDRESS: &str = "127.0.0.1";

/// The gateway and the ftpd, and a directory for the client's files. All of it ends with this.
pub(crate) struct Pod {
    directory: TempDir,
    pub(crate) port: u16,
    _address: watch::Sender<Option<Announced>>,
    _drain: watch::Sender<Phase>,
    // The last: everything above is used by what runs in it.
    _runtime: Runtime,
}

impl Pod {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// A server whose configuration differs from the usual one.
    pub(crate) fn with(change: impl Fn(&mut Value)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for name in ["gateway", "ftpd", "data", "data/alice", "run", "here"] {
            fs::create_dir(directory.path().join(name)).unwrap();
        }
        let runtime = Runtime::new().unwrap();
        start_ftpd(directory.path(), &runtime);
        write_identity(directory.path());
        let (address, announced) = watch::channel(Some(announced()));
        let (drain, phase) = watch::channel(Phase::Serving);
        // Ports that are free on this machine: whoever binds first has them, so trying is the only way to know.
        let bound = std::iter::repeat_with(|| {
            let config = write_config(directory.path(), &change);
            let _inside = runtime.enter();
            let metrics = Arc::new(Metrics::default());
            let tickets = Tickets::new().unwrap();
            let keeper = Keeper::start(&directory.path().join("gateway"), tickets, Arc::clone(&metrics)).unwrap();
            let settings = keeper.subscribe();
            let bound: Bound = Gateway::bind(&config, settings, announced.clone(), phase.clone(), metrics).ok()?;
            runtime.spawn(keeper.run());
            Some(bound)
        });
        let bound = bound.into_iter().find_map(|attempt| attempt).unwrap();
        let port = bound.control_port();
        runtime.spawn(bound.serve());
        Self { directory, port, _address: address, _drain: drain, _runtime: runtime }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A path in alice's home on the server.
    pub(crate) fn there(&self, name: &str) -> PathBuf {
        self.path("data/alice").join(name)
    }

    /// A path in the directory that the client runs in.
    pub(crate) fn here(&self, name: &str) -> PathBuf {
        self.path("here").join(name)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::new(ADDRESS.parse().unwrap(), self.port)
    }

    /// A URL with alice in it.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("safetp://alice@{}/{path}", self.address())
    }

    /// The client, ready to run as alice, who trusts this server.
    pub(crate) fn safetp(&self, args: &[&str]) -> Program {
        let mut program = Program::new(&self.path("here"), args);
        program.arg("--ca").arg(self.path("ca.pem")).env("SAFETP_PASSWORD", PASSWORD);
        program
    }
}

/// Octets that no compression and no repetition makes look right by chance.
pub(crate) fn octets(count: usize) -> Vec<u8> {
    let mut octets = vec![0; count];
    rand::rng().fill_bytes(&mut octets);
    octets
}

fn announced() -> Announced {
    Announced { text: ADDRESS.into(), v4: ADDRESS.parse().ok(), v6: None }
}

fn write_identity(directory: &Path) {
    let identity = rcgen::generate_simple_self_signed(vec![ADDRESS.into(), "localhost".into()]).unwrap();
    fs::write(directory.join("ca.pem"), identity.cert.pem()).unwrap();
    fs::write(directory.join("gateway").join(CERTIFICATE_FILE), identity.cert.pem()).unwrap();
    fs::write(directory.join("gateway").join(PRIVATE_KEY_FILE), identity.signing_key.serialize_pem()).unwrap();
}

fn write_config(directory: &Path, change: &impl Fn(&mut Value)) -> GatewayConfig {
    let first = rand::rng().random_range(10_000..30_000);
    let mut config = json!({
        "server": "ftp/files",
        "listenPort": 0,
        "adminPort": 0,
        "dataPorts": { "first": first, "last": first + 3 },
        "address": { "from": "pinned", "address": ADDRESS },
        "security": {
            "mechanisms": ["TLS"],
            "control": "Required",
            "data": "Required",
            "dataBinding": "WhenOffered",
        },
        "backend": { "type": "embedded", "socket": directory.join("run/ftpd.sock") },
        "limits": {
            "sessions": 1000, "sessionsPerPeer": 0, "idleSeconds": 60, "loginSeconds": 60, "dataSeconds": 30,
        },
        "uploads": { "requireCloseNotify": true },
        "drainSeconds": 30,
    });
    change(&mut config);
    let json = serde_json::to_vec(&config).unwrap();
    fs::write(directory.join("gateway").join(GATEWAY_FILE), &json).unwrap();
    GatewayConfig::parse(&json).unwrap()
}

fn start_ftpd(directory: &Path, runtime: &Runtime) {
    let config = directory.join("ftpd");
    let users = json!({ "users": { "alice": { "password": hash(), "home": "alice", "readOnly": false } } });
    fs::write(config.join(FTPD_FILE), json!({ "keepPartsHours": 24 }).to_string()).unwrap();
    fs::write(config.join(USERS_FILE), users.to_string()).unwrap();
    let options = Options {
        socket: directory.join("run/ftpd.sock"),
        config,
        data: directory.join("data"),
        throttle: Throttle { first_delay: Duration::from_millis(1), tries: 5 },
    };
    let _inside = runtime.enter();
    let server = Server::start(options).unwrap();
    runtime.spawn(server.run(std::future::pending()));
}

/// Cheap parameters: the suite logs in again and again.
fn hash() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| {
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(64, 1, 1, None).unwrap());
        argon2.hash_password(PASSWORD.as_bytes()).unwrap().to_string()
    })
}

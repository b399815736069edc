//! A server in this process, a person's home, and the client's program in it.

use std::{
    cell::Cell,
    fs,
    net::{Ipv4Addr, SocketAddr},
    ops::Deref,
    path::PathBuf,
};

use rand::RngCore as _;
use safetp_config::gateway::{GatewayConfig, Mechanism};
use safetp_pod::{PASSWORD, Program, USER, pinned};

pub(crate) mod liar;
pub(crate) mod program;

pub(crate) use program::Proxy;

/// The gateway and the ftpd, and a directory for the client's files. All of it ends with this.
pub(crate) struct Stage {
    pod: safetp_pod::Pod,
    /// The `--mechanism` that its client needs, since nothing weaker than TLS is used without it.
    mechanism: Option<&'static str>,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// A server whose configuration differs from the usual one. It announces the address that the client dials.
    pub(crate) fn with(change: impl Fn(&mut GatewayConfig)) -> Self {
        let mechanism = Cell::new(None);
        let pod = safetp_pod::Pod::with(|config| {
            config.address = pinned(&Ipv4Addr::LOCALHOST.to_string());
            change(config);
            mechanism.set((config.security.mechanisms == [Mechanism::SafeTp1]).then_some("x-safetp1"));
        });
        fs::create_dir(pod.path("here")).unwrap();
        Self { pod, mechanism: mechanism.get() }
    }

    /// A server that offers X-SafeTP1 and nothing else.
    pub(crate) fn safetp1() -> Self {
        Self::with(|config| config.security.mechanisms = vec![Mechanism::SafeTp1])
    }

    /// A server that offers both mechanisms.
    pub(crate) fn both() -> Self {
        Self::with(|config| config.security.mechanisms = vec![Mechanism::Tls, Mechanism::SafeTp1])
    }

    /// A path in the user's home on the server.
    pub(crate) fn there(&self, name: &str) -> PathBuf {
        self.alice(name)
    }

    /// A path in the directory that the client runs in, which is also its home.
    pub(crate) fn here(&self, name: &str) -> PathBuf {
        self.path("here").join(name)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.control_port).into()
    }

    /// A URL with the user in it.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("safetp://{USER}@{}/{path}", self.address())
    }

    /// The client, ready to run, which trusts this server's certificate and knows the password.
    pub(crate) fn safetp(&self, args: &[&str]) -> Program {
        let mut program = self.unasked(args);
        if let Some(mechanism) = self.mechanism {
            program.args(["--mechanism", mechanism]);
        }
        program
    }

    /// As [`Stage::safetp`], without `--mechanism`.
    pub(crate) fn unasked(&self, args: &[&str]) -> Program {
        let mut program = program::safetp(&self.path("here"), args);
        program.arg("--ca").arg(self.ca_file()).env("SAFETP_PASSWORD", PASSWORD);
        program
    }

    /// As [`Stage::safetp`], where a new key is taken without a question.
    pub(crate) fn trusting(&self, args: &[&str]) -> Program {
        let mut program = self.safetp(args);
        program.arg("--accept-new-key");
        program
    }

    /// Leaves what a get of `file` leaves that was cut off after these octets.
    pub(crate) fn leave_part(&self, local: &str, octets: &[u8]) {
        let outcome = self.trusting(&["get", "-v", &self.url("file"), local]).run();
        let replies: Vec<_> = outcome.is_done().err.lines().filter_map(|line| line.strip_prefix("< 213 ")).collect();
        let [size, time] = replies[..] else { panic!("{}", outcome.err) };
        let time = jiff::civil::DateTime::strptime("%Y%m%d%H%M%S%.f", time).unwrap();
        fs::remove_file(self.here(local)).unwrap();
        fs::write(self.here(&format!("{local}.part")), octets).unwrap();
        fs::write(self.here(&format!("{local}.part.source")), format!("{size} {time}Z\n")).unwrap();
    }

    /// Another program, in the same directory.
    pub(crate) fn other(&self, name: &str, args: &[&str]) -> Program {
        program::other(name, &self.path("here"), args)
    }

    /// The contents of the file of known servers.
    pub(crate) fn known_servers(&self) -> String {
        fs::read_to_string(self.here(".config/safetp/known_servers")).unwrap_or_default()
    }
}

impl Deref for Stage {
    type Target = safetp_pod::Pod;

    fn deref(&self) -> &Self::Target {
        &self.pod
    }
}

/// Octets that no compression and no repetition makes look right by chance.
pub(crate) fn octets(count: usize) -> Vec<u8> {
    let mut octets = vec![0; count];
    rand::rng().fill_bytes(&mut octets);
    octets
}

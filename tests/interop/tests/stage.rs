//! A pod, and a directory with the files that a client is to transfer.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rand::RngCore as _;
use safetp_config::gateway::{DataBinding, GatewayConfig, Mechanism};
use safetp_pod::{Completed, Pod, pinned};
use safetp_protocol::endpoint::{read_epsv_reply, read_pasv_reply};

use crate::case::{Case, End, Outcome, Passive, Proof};

/// The only address: clients dial it, and the gateway announces it.
pub(crate) const HOST: &str = "127.0.0.1";
/// The files of every session: it stores these, lists, fetches each as `got-NAME`, and lists again.
pub(crate) const FILES: [(&str, usize); 4] =
    [("empty.bin", 0), ("one.bin", 1), ("small.bin", 70_001), ("large.bin", 1_000_003)];
/// Data connections of one session.
pub(crate) const TRANSFERS: u64 = 10;

pub(crate) struct Stage {
    pub(crate) pod: Pod,
}

impl Stage {
    pub(crate) fn new(mechanism: Mechanism, binding: DataBinding) -> Self {
        Self::with(|config| {
            config.security.mechanisms = vec![mechanism];
            config.security.data_binding = binding;
        })
    }

    pub(crate) fn with(change: impl Fn(&mut GatewayConfig)) -> Self {
        let pod = Pod::with(|config| {
            config.address = pinned(HOST);
            change(config);
        });
        let stage = Self { pod };
        fs::create_dir(stage.here()).unwrap();
        for (name, size) in FILES {
            fs::write(stage.here().join(name), octets(size)).unwrap();
        }
        stage
    }

    /// The directory that the client runs in.
    pub(crate) fn here(&self) -> PathBuf {
        self.pod.path("here")
    }

    pub(crate) fn port(&self) -> String {
        self.pod.control_port.to_string()
    }

    /// The gateway's view of a run, with the first refusal after the login.
    pub(crate) fn outcome(&self, run: &Completed) -> Outcome {
        let ok = |verb| format!("safetp_gateway_transfers_total{{verb=\"{verb}\",result=\"ok\"}}");
        let transfers = ["STOR", "RETR", "LIST", "NLST", "MLSD"].map(|verb| self.pod.metric(&ok(verb))).iter().sum();
        // Refusals before it are about protection.
        let mut after_login = replies(run).skip_while(|reply| !reply.starts_with("230"));
        let refusal = after_login.find(|reply| reply.starts_with(['4', '5']));
        let end = match refusal {
            Some(reply) => End::Refused(reply[..3].parse().unwrap()),
            None if run.is_success() => End::Done,
            None => End::GivenUp,
        };
        Outcome { transfers, proof: self.proof(transfers), end }
    }

    fn proof(&self, transfers: u64) -> Proof {
        let by = |proof| self.pod.metric(&format!("safetp_gateway_data_bindings_total{{binding=\"{proof}\"}}"));
        match (by("keys"), by("resumed")) {
            (1.., _) => Proof::Keys,
            (0, 0) => Proof::Address,
            (0, resumed) if resumed < transfers => Proof::PartlyResumed,
            (0, _) => Proof::Resumed,
        }
    }

    /// However the run ended: a stored file of this name is the whole file.
    pub(crate) fn assert_nothing_cut(&self, run: &Completed) {
        for (name, _) in FILES {
            let stored = fs::read(self.pod.alice(name));
            let sent = fs::read(self.here().join(name)).unwrap();
            assert!(stored.is_err() || stored.unwrap() == sent, "{name} was stored otherwise\n{}", run.err);
        }
    }

    /// Everything was transferred in one session, octet by octet, and announced as it should be.
    pub(crate) fn assert_whole(&self, case: Case, run: &Completed) {
        assert!(run.is_success(), "{case:?}\n{}\n{}", run.text(), run.err);
        assert_eq!(self.logins(), 1, "{case:?}\n{}", run.err);
        for (name, _) in FILES {
            let sent = fs::read(self.here().join(name)).unwrap();
            assert!(fs::read(self.pod.alice(name)).unwrap() == sent, "{name} was stored otherwise: {case:?}");
            assert!(read(&self.here().join(format!("got-{name}"))) == sent, "{name} was fetched otherwise: {case:?}");
            assert!(run.text().matches(name).count() >= 2, "{name} is not in both listings: {case:?}\n{}", run.text());
        }
        let announced: Vec<_> = replies(run).filter(|reply| reply.starts_with(case.passive.code())).collect();
        assert_eq!(announced.len() as u64, TRANSFERS, "{case:?}\n{}", run.err);
        for reply in announced {
            let port = announced_port(case.passive, reply);
            assert!(self.pod.config.data_ports.contains(port), "{reply}");
        }
    }

    pub(crate) fn logins(&self) -> u64 {
        self.pod.metric("safetp_gateway_logins_total{result=\"ok\"}")
    }
}

/// The replies in a program's log. Programs mark them in their own ways, all of which end with a space or a quote.
fn replies(run: &Completed) -> impl Iterator<Item = &str> {
    run.err.lines().filter_map(|line| {
        let reply = ["<--- ", "< "].iter().find_map(|mark| line.strip_prefix(mark))?;
        let code = reply.get(..3)?;
        code.bytes().all(|octet| octet.is_ascii_digit()).then_some(reply)
    })
}

/// Fails unless the address is [`HOST`].
fn announced_port(passive: Passive, reply: &str) -> u16 {
    match passive {
        Passive::Epsv => read_epsv_reply(reply.as_bytes()).unwrap(),
        Passive::Pasv => {
            let endpoint = read_pasv_reply(reply.as_bytes()).unwrap();
            assert_eq!(endpoint.ip().to_string(), HOST, "{reply}");
            endpoint.port()
        }
    }
}

/// Some clients create no file for an empty one.
fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_default()
}

fn octets(count: usize) -> Vec<u8> {
    let mut octets = vec![0; count];
    rand::rng().fill_bytes(&mut octets);
    octets
}

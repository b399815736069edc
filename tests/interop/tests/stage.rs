//! A pod, and a directory with what a client is to transfer.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rand::RngCore as _;
use safetp_config::gateway::{DataBinding, GatewayConfig, Mechanism};
use safetp_pod::{Pod, pinned};

use crate::{
    case::{Case, End, Outcome, Passive, Proof},
    program::Run,
};

/// The only address: clients dial it, and the gateway announces it.
pub(crate) const HOST: &str = "127.0.0.1";
/// What every session does: it stores these, lists, fetches each as `got-NAME`, and lists again.
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

    /// The gateway's view of a run, with the first reply behind the login that said no.
    pub(crate) fn outcome(&self, run: &Run) -> Outcome {
        let ok = |verb| format!("safetp_gateway_transfers_total{{verb=\"{verb}\",result=\"ok\"}}");
        let transfers = ["STOR", "RETR", "LIST", "NLST", "MLSD"].map(|verb| self.pod.metric(&ok(verb))).iter().sum();
        // What was said before it is about protection.
        let mut behind_login = replies(run).skip_while(|reply| !reply.starts_with("230"));
        let refusal = behind_login.find(|reply| reply.starts_with(['4', '5']));
        let end = match refusal {
            Some(reply) => End::Refused(reply[..3].parse().unwrap()),
            None if run.success => End::Done,
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

    /// However it ended: what has a file's name is that file.
    pub(crate) fn assert_nothing_cut(&self, run: &Run) {
        for (name, _) in FILES {
            let stored = fs::read(self.pod.alice(name));
            let sent = fs::read(self.here().join(name)).unwrap();
            assert!(stored.is_err() || stored.unwrap() == sent, "{name} was stored otherwise\n{}", run.err);
        }
    }

    /// Everything was transferred in one session, octet by octet, and announced as it should be.
    pub(crate) fn assert_whole(&self, case: Case, run: &Run) {
        assert!(run.success, "{case:?}\n{}\n{}", run.out, run.err);
        assert_eq!(self.logins(), 1, "{case:?}\n{}", run.err);
        for (name, _) in FILES {
            let sent = fs::read(self.here().join(name)).unwrap();
            assert!(fs::read(self.pod.alice(name)).unwrap() == sent, "{name} was stored otherwise: {case:?}");
            assert!(read(&self.here().join(format!("got-{name}"))) == sent, "{name} was fetched otherwise: {case:?}");
            assert!(run.out.matches(name).count() >= 2, "{name} is not in both listings: {case:?}\n{}", run.out);
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
fn replies(run: &Run) -> impl Iterator<Item = &str> {
    run.err.lines().filter_map(|line| {
        let reply = ["<--- ", "< "].iter().find_map(|mark| line.strip_prefix(mark))?;
        let code = reply.get(..3)?;
        code.bytes().all(|octet| octet.is_ascii_digit()).then_some(reply)
    })
}

/// Fails unless the address is [`HOST`].
fn announced_port(passive: Passive, reply: &str) -> u16 {
    let inside = reply.split(['(', ')']).nth(1).unwrap();
    match passive {
        Passive::Epsv => inside.trim_matches('|').parse().unwrap(),
        Passive::Pasv => {
            let numbers: Vec<u8> = inside.split(',').map(|number| number.parse().unwrap()).collect();
            let [127, 0, 0, 1, high, low] = numbers[..] else { panic!("not this address: {reply}") };
            u16::from_be_bytes([high, low])
        }
    }
}

/// Some clients make no file of nothing.
fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_default()
}

fn octets(count: usize) -> Vec<u8> {
    let mut octets = vec![0; count];
    rand::rng().fill_bytes(&mut octets);
    octets
}

//! A pod of its own, a client, and the man in the middle between them: where cases run one after the other.

use std::{
    collections::HashMap,
    fs,
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use rand::{RngCore as _, SeedableRng as _, rngs::StdRng};
use safetp_config::gateway::{GatewayConfig, Mechanism, Requirement};
use safetp_pod::{PASSWORD, Pod, USER, pinned};
use tempfile::TempDir;
use tokio::process::Command;

use crate::{
    case::{Case, Profile, Protection, Scenario, Task},
    network::Network,
    operation::Tampering,
    proxy::Proxy,
    tape::Tape,
    verdict::{Evidence, Found, Judgement},
};

/// The address that the client dials. The gateway, in its own network, has the same address.
const ADDRESS: &str = "127.0.0.1";
/// The limit of each step of the client in a session that is tampered with, in seconds.
const SHORT_PATIENCE: &str = "2";
/// The same where the session must succeed.
const LONG_PATIENCE: &str = "30";
/// The limit of a whole run of the client: several steps that each run into their limit, one after the other.
const CLIENT_DEADLINE: Duration = Duration::from_secs(30);
/// The limit within which the gateway must end a session whose client is gone: the 30 s of a TLS handshake, which is
/// the longest of its limits here, and some seconds.
const GATEWAY_DEADLINE: Duration = Duration::from_secs(40);
/// The gateway's own limits, in seconds.
const SESSION_LIMIT: u32 = 5;
const DATA_LIMIT: u32 = 3;
/// Twenty blocks and more of a file.
const BLOCK_SIZE: &str = "16384";
const OLD_SIZE: usize = 200_001;

/// The profile of each scenario, recorded once for all lanes.
pub type Profiles = Mutex<HashMap<Scenario, Profile>>;

/// One lane.
#[derive(Debug)]
pub struct Lane<'a> {
    program: &'a Path,
    profiles: &'a Profiles,
    pod: Pod,
    proxy: Proxy,
    client: Network,
    here: TempDir,
    old: Vec<u8>,
    runs: usize,
}

/// A file that exists on both sides, to be stored or fetched.
struct Source {
    name: &'static str,
    size: usize,
}

const NEW: Source = Source { name: "new", size: 300_000 };
/// For the session after a case, which shows that the gateway serves as before.
const SMALL: Source = Source { name: "small", size: 20_000 };

/// How a client ended.
struct Run {
    code: Option<i32>,
    words: String,
    found: Found,
}

impl<'a> Lane<'a> {
    /// `program` is the client.
    pub fn new(program: &'a Path, profiles: &'a Profiles) -> Self {
        let (client, server) = (Network::new().unwrap(), Network::new().unwrap());
        let pod = server.inside(|| Pod::with(configure));
        let proxy = Proxy::start(&client, &server, pod.control_port, pod.config.data_ports.ports());
        let here = tempfile::tempdir().unwrap();
        for source in [NEW, SMALL] {
            let content = source.content();
            fs::write(here.path().join(source.name), &content).unwrap();
            fs::write(pod.alice(source.name), &content).unwrap();
        }
        let mut lane = Self { program, profiles, pod, proxy, client, here, old: random(OLD_SIZE), runs: 0 };
        lane.learn_key();
        lane
    }

    /// Runs one case and, after it, a session without interference. An error says what went wrong.
    pub fn run(&mut self, case: &Case) -> Result<Judgement, String> {
        let profile = self.profile(case.scenario)?;
        let judgement = self.run_tampering(case.scenario, &case.tampering(&profile))?;
        self.transfer_untouched(Scenario { is_second: false, ..case.scenario }, &SMALL)?;
        Ok(judgement)
    }

    /// Runs one session that is tampered with, and judges it.
    pub fn run_tampering(&mut self, scenario: Scenario, tampering: &Tampering) -> Result<Judgement, String> {
        let profile = self.profile(scenario)?;
        // A machine with too much to do may take the short patience for silence, before it comes to the tampering.
        for patience in [SHORT_PATIENCE, LONG_PATIENCE] {
            let judgement = self.try_tampering(scenario, tampering, &profile, patience);
            let judgement = judgement.map_err(|error| format!("{tampering:?}: {error}"))?;
            if judgement != Judgement::Missed {
                return Ok(judgement);
            }
        }
        Err(format!("{tampering:?}: the session failed before anything was done to it"))
    }

    fn try_tampering(
        &mut self,
        scenario: Scenario,
        tampering: &Tampering,
        profile: &Profile,
        patience: &str,
    ) -> Result<Judgement, String> {
        let tape = Arc::new(Tape::new(scenario.protection.data_framing(), Some(tampering.clone())));
        let Run { code, words, found } = self.transfer(scenario, &NEW, &tape, &["--timeout", patience])?;
        let effect = tape.effect();
        let evidence = Evidence { scenario, tampering, effect, profile, code, found };
        evidence.judge().map_err(|error| format!("{error}; {effect:?}, exit code {code:?}, {found:?}\n{words}"))
    }

    /// The profile of a scenario; recorded once.
    fn profile(&mut self, scenario: Scenario) -> Result<Profile, String> {
        let mut profiles = self.profiles.lock().unwrap();
        if let Some(profile) = profiles.get(&scenario) {
            return Ok(profile.clone());
        }
        let profile = self.transfer_untouched(scenario, &NEW)?;
        profiles.insert(scenario, profile.clone());
        Ok(profile)
    }

    fn transfer_untouched(&mut self, scenario: Scenario, source: &Source) -> Result<Profile, String> {
        let tape = Arc::new(Tape::new(scenario.protection.data_framing(), None));
        let run = self.transfer(scenario, source, &tape, &["--timeout", LONG_PATIENCE])?;
        match (run.code, run.found) {
            (Some(0), Found::New) => Ok(Profile::new(tape.events())),
            (code, found) => Err(format!("without interference: exit code {code:?}, {found:?}\n{}", run.words)),
        }
    }

    /// Runs one session of the client to its end, and waits for the gateway's.
    fn transfer(
        &mut self,
        scenario: Scenario,
        source: &Source,
        tape: &Arc<Tape>,
        args: &[&str],
    ) -> Result<Run, String> {
        self.proxy.put(tape);
        self.runs += 1;
        let name = format!("file{}", self.runs);
        let destination = match scenario.task {
            Task::Put => self.pod.alice(&name),
            Task::Get => self.here.path().join(&name),
        };
        fs::write(&destination, &self.old).unwrap();
        let output =
            self.run_client(self.command(scenario, source, &name).args(args), &input(scenario, source, &name))?;
        self.wait_for_gateway()?;
        let content = fs::read(&destination).map_err(|error| format!("the old file is gone: {error}"))?;
        let found = match content {
            content if content == source.content() => Found::New,
            content if content == self.old => Found::Old,
            _ => Found::Other,
        };
        fs::remove_file(&destination).unwrap();
        Ok(Run { code: output.status.code(), words: String::from_utf8_lossy(&output.stderr).into_owned(), found })
    }

    fn command(&self, scenario: Scenario, source: &Source, name: &str) -> Command {
        let mut command = Command::new(self.program);
        let url = |path: &str| format!("safetp://{USER}@{ADDRESS}:{}/{path}", self.pod.control_port);
        match scenario {
            Scenario { is_second: true, .. } => command.args(["shell", &url("")]),
            Scenario { task: Task::Put, .. } => command.args(["put", source.name, &url(name)]),
            Scenario { task: Task::Get, .. } => command.args(["get", &url(source.name), name]),
        };
        command.args(["--verbose", "--pbsz", BLOCK_SIZE, "--known-servers", "known", "--ca"]).arg(self.pod.ca_file());
        command.args(match scenario.protection {
            Protection::Tls13 => ["--mechanism", "tls", "--tls-version", "1.3"],
            Protection::Tls12 => ["--mechanism", "tls", "--tls-version", "1.2"],
            Protection::Private => ["--mechanism", "x-safetp1", "--protection", "p"],
            Protection::Safe => ["--mechanism", "x-safetp1", "--protection", "s"],
            Protection::Clear => ["--mechanism", "tls", "--protection", "c"],
        });
        command.env_clear().env("HOME", self.here.path()).env("SAFETP_PASSWORD", PASSWORD);
        command.current_dir(self.here.path());
        command
    }

    fn run_client(&self, command: &mut Command, input: &str) -> Result<std::process::Output, String> {
        fs::write(self.here.path().join("input"), input).unwrap();
        command.stdin(fs::File::open(self.here.path().join("input")).unwrap()).kill_on_drop(true);
        let output = self.client.inside(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async { tokio::time::timeout(CLIENT_DEADLINE, command.output()).await })
        });
        Ok(output.map_err(|_| format!("the client hangs: {CLIENT_DEADLINE:?} were not enough"))?.unwrap())
    }

    fn wait_for_gateway(&self) -> Result<(), String> {
        let limit = Instant::now() + GATEWAY_DEADLINE;
        while self.pod.gateway.sessions() > 0 {
            if Instant::now() > limit {
                return Err(format!("the gateway hangs: its session lives {GATEWAY_DEADLINE:?} after the client"));
            }
            // The gateway does not say when a session ends: between two looks at a condition that has a deadline.
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Accepts the server's key for the client, once, without interference.
    fn learn_key(&mut self) {
        let scenario = Scenario { protection: Protection::Private, task: Task::Get, is_second: false };
        let tape = Arc::new(Tape::new(scenario.protection.data_framing(), None));
        let run = self.transfer(scenario, &SMALL, &tape, &["--accept-new-key", "--timeout", LONG_PATIENCE]).unwrap();
        assert_eq!((run.code, run.found), (Some(0), Found::New), "{}", run.words);
    }
}

impl Source {
    fn content(&self) -> Vec<u8> {
        random(self.size)
    }
}

/// Random octets, the same ones for the same size.
fn random(size: usize) -> Vec<u8> {
    let mut content = vec![0; size];
    StdRng::seed_from_u64(size as u64).fill_bytes(&mut content);
    content
}

fn configure(config: &mut GatewayConfig) {
    config.address = pinned(ADDRESS);
    config.security.mechanisms = vec![Mechanism::Tls, Mechanism::SafeTp1];
    // PROT S would be refused otherwise.
    config.security.data = Requirement::Optional;
    config.limits.idle_seconds = SESSION_LIMIT;
    config.limits.login_seconds = SESSION_LIMIT;
    config.limits.data_seconds = DATA_LIMIT;
}

/// The input of the shell that transfers two files in one session.
fn input(scenario: Scenario, source: &Source, name: &str) -> String {
    let verb = match scenario.task {
        Task::Put => "put",
        Task::Get => "get",
    };
    if scenario.is_second { format!("{verb} {0} first\n{verb} {0} {name}\n", source.name) } else { String::new() }
}

//! A pod of its own, a client, and the man in the middle between them: where cases run one after the other.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use rand::{RngCore as _, SeedableRng as _, rngs::StdRng};
use safetp_config::gateway::{GatewayConfig, Mechanism};
use safetp_pod::{PASSWORD, Pod, USER, pinned};
use tempfile::TempDir;
use tokio::process::Command;

use crate::{
    case::{Case, Profile, Protection, Scenario, Task},
    network::Network,
    proxy::Proxy,
    tape::Tape,
    verdict::{Evidence, Found, Judgement},
};

/// Where the client believes that the gateway is. The gateway, in its own network, has the same address.
const ADDRESS: &str = "127.0.0.1";
/// What the client may take for one step where something is done to it, in seconds.
const SHORT_PATIENCE: &str = "2";
/// The same where it must succeed.
const LONG_PATIENCE: &str = "30";
/// What a client may take for all: several steps that each run into their limit, one behind the other.
const CLIENT_DEADLINE: Duration = Duration::from_secs(30);
/// What the gateway may take to be rid of a session whose client is gone: its own limits, and some seconds.
const GATEWAY_DEADLINE: Duration = Duration::from_secs(15);
/// The gateway's own limits, in seconds.
const SESSION_LIMIT: u32 = 5;
const DATA_LIMIT: u32 = 3;
/// Twenty blocks and more of a file.
const BLOCK_SIZE: &str = "16384";
const NEW_SIZE: usize = 300_000;
const OLD_SIZE: usize = 200_001;

/// One lane.
#[derive(Debug)]
pub struct Lane {
    program: PathBuf,
    pod: Pod,
    proxy: Proxy,
    client: Network,
    here: TempDir,
    old: Vec<u8>,
    new: Vec<u8>,
    profiles: HashMap<Scenario, Profile>,
    runs: usize,
}

/// How a client ended.
struct Run {
    code: Option<i32>,
    words: String,
    found: Found,
}

impl Lane {
    /// `program` is the client.
    pub fn new(program: &Path) -> Self {
        let (client, server) = (Network::new().unwrap(), Network::new().unwrap());
        let pod = server.inside(|| Pod::with(configure));
        let data_ports = pod.config.data_ports.ports();
        let proxy = Proxy::start(&client, &server, pod.control_port, data_ports);
        let mut octets = StdRng::seed_from_u64(0);
        let mut random = |size| {
            let mut content = vec![0; size];
            octets.fill_bytes(&mut content);
            content
        };
        let (old, new) = (random(OLD_SIZE), random(NEW_SIZE));
        let here = tempfile::tempdir().unwrap();
        fs::write(here.path().join("new"), &new).unwrap();
        fs::write(pod.alice("new"), &new).unwrap();
        let program = program.to_owned();
        let mut lane = Self { program, pod, proxy, client, here, old, new, profiles: HashMap::new(), runs: 0 };
        lane.learn_key();
        lane
    }

    /// Runs one case and, behind it, a session in which nobody interferes. An error says what went wrong.
    pub fn run(&mut self, case: &Case) -> Result<Judgement, String> {
        let profile = self.profile(case.scenario)?;
        let tampering = case.tampering(&profile);
        let tape = Arc::new(Tape::new(case.scenario.protection.data_framing(), Some(tampering.clone())));
        let run = self.transfer(case.scenario, &tape, &["--timeout", SHORT_PATIENCE])?;
        let evidence = Evidence {
            scenario: case.scenario,
            tampering: &tampering,
            effect: tape.effect(),
            profile: &profile,
            code: run.code,
            found: run.found,
        };
        let judgement = evidence.judge().map_err(|error| {
            format!("{error}: {tampering:?}, {:?}, exit code {:?}, {:?}\n{}", tape.effect(), run.code, run.found, run.words)
        })?;
        self.transfer_untouched(Scenario { is_second: false, ..case.scenario })?;
        Ok(judgement)
    }

    /// What goes over the wires when nobody interferes; found out once.
    fn profile(&mut self, scenario: Scenario) -> Result<Profile, String> {
        if let Some(profile) = self.profiles.get(&scenario) {
            return Ok(profile.clone());
        }
        let profile = self.transfer_untouched(scenario)?;
        self.profiles.insert(scenario, profile.clone());
        Ok(profile)
    }

    fn transfer_untouched(&mut self, scenario: Scenario) -> Result<Profile, String> {
        let tape = Arc::new(Tape::new(scenario.protection.data_framing(), None));
        let run = self.transfer(scenario, &tape, &["--timeout", LONG_PATIENCE])?;
        match (run.code, run.found) {
            (Some(0), Found::New) => Ok(Profile::new(tape.events())),
            (code, found) => Err(format!("without interference: exit code {code:?}, {found:?}\n{}", run.words)),
        }
    }

    /// One session of the client's, to its end and to that of the gateway's.
    fn transfer(&mut self, scenario: Scenario, tape: &Arc<Tape>, args: &[&str]) -> Result<Run, String> {
        self.proxy.put(tape);
        self.runs += 1;
        let name = format!("file{}", self.runs);
        let destination = match scenario.task {
            Task::Put => self.pod.alice(&name),
            Task::Get => self.here.path().join(&name),
        };
        fs::write(&destination, &self.old).unwrap();
        let output = self.run_client(self.command(scenario, &name).args(args), &input(scenario, &name))?;
        self.wait_for_gateway()?;
        let content = fs::read(&destination).map_err(|error| format!("the old file is gone: {error}"))?;
        let found = match content {
            content if content == self.new => Found::New,
            content if content == self.old => Found::Old,
            _ => Found::Other,
        };
        fs::remove_file(&destination).unwrap();
        Ok(Run { code: output.status.code(), words: String::from_utf8_lossy(&output.stderr).into_owned(), found })
    }

    fn command(&self, scenario: Scenario, name: &str) -> Command {
        let mut command = Command::new(&self.program);
        let url = |path: &str| format!("safetp://{USER}@{ADDRESS}:{}/{path}", self.pod.control_port);
        match scenario {
            Scenario { is_second: true, .. } => command.args(["shell", &url("")]),
            Scenario { task: Task::Put, .. } => command.args(["put", "new", &url(name)]),
            Scenario { task: Task::Get, .. } => command.args(["get", &url("new"), name]),
        };
        command.args(["--verbose", "--pbsz", BLOCK_SIZE, "--known-servers", "known", "--ca"]).arg(self.pod.ca_file());
        command.args(match scenario.protection {
            Protection::Tls13 => ["--mechanism", "tls", "--tls-version", "1.3"],
            Protection::Tls12 => ["--mechanism", "tls", "--tls-version", "1.2"],
            Protection::Private => ["--mechanism", "x-safetp1", "--protection", "p"],
            Protection::Safe => ["--mechanism", "x-safetp1", "--protection", "s"],
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
            // The gateway tells nobody when a session ends.
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// The person's word on the server's key, once, while nobody interferes.
    fn learn_key(&mut self) {
        let scenario = Scenario { protection: Protection::Private, task: Task::Get, is_second: false };
        let tape = Arc::new(Tape::new(scenario.protection.data_framing(), None));
        let run = self.transfer(scenario, &tape, &["--accept-new-key", "--timeout", LONG_PATIENCE]).unwrap();
        assert_eq!((run.code, run.found), (Some(0), Found::New), "{}", run.words);
    }
}

fn configure(config: &mut GatewayConfig) {
    config.address = pinned(ADDRESS);
    config.security.mechanisms = vec![Mechanism::Tls, Mechanism::SafeTp1];
    config.limits.idle_seconds = SESSION_LIMIT;
    config.limits.login_seconds = SESSION_LIMIT;
    config.limits.data_seconds = DATA_LIMIT;
}

/// What is typed where two files go in one session.
fn input(scenario: Scenario, name: &str) -> String {
    match (scenario.is_second, scenario.task) {
        (false, _) => String::new(),
        (true, Task::Put) => format!("put new first\nput new {name}\n"),
        (true, Task::Get) => format!("get new first\nget new {name}\n"),
    }
}

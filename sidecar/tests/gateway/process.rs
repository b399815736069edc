//! The program itself: its start, its fences, its limits and its end.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::Duration,
};

use rand::Rng as _;
use rustix::process::{Pid, Signal, kill_process};
use safetp_config::{
    gateway::{ActiveMode, GatewayConfig},
    ports::PortRange,
};

use crate::support::{Client, Pod};

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_safetp-sidecar"))
}

/// The program with at most this many open files.
fn program_of(open_files: u32) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("ulimit -n {open_files} && exec \"$0\" \"$@\"")]);
    shell.arg(env!("CARGO_BIN_EXE_safetp-sidecar"));
    shell
}

fn start(pod: &Pod, program: Command) -> Child {
    of(pod, program).spawn().unwrap()
}

/// The program with the files of the pod.
fn of(pod: &Pod, mut program: Command) -> Command {
    program
        .arg("--gateway-dir")
        .arg(pod.path("gateway"))
        .arg("--log-json")
        .env_remove("RUST_LOG")
        .stderr(Stdio::piped());
    program
}

/// A gateway in a process of its own, in front of the pod's ftpd.
struct Serving {
    gateway: Child,
    config: GatewayConfig,
    control_port: u16,
}

impl Serving {
    fn start(pod: &Pod, program: impl Fn() -> Command) -> Self {
        std::iter::repeat_with(|| Self::try_start(pod, program())).find_map(|attempt| attempt).unwrap()
    }

    /// Returns `None` if one of its ports was taken.
    fn try_start(pod: &Pod, program: Command) -> Option<Self> {
        let mut config = pod.config.clone();
        let port = rand::rng().random_range(10_000..30_000);
        config.data_ports = PortRange::new(port, port).unwrap();
        config.admin_port = port + 1;
        pod.write_config(&config);
        let mut gateway = start(pod, program);
        let mut log = BufReader::new(gateway.stderr.take().unwrap()).lines().map(Result::unwrap);
        let Some(serving) = log.find(|line| line.contains("\"serving\"")) else {
            gateway.wait().unwrap();
            return None;
        };
        // Read to its end: else the gateway would block when the pipe is full.
        std::thread::spawn(move || log.count());
        let serving: serde_json::Value = serde_json::from_str(&serving).unwrap();
        let control_port = serving["fields"]["control"].as_u64().unwrap().try_into().unwrap();
        Some(Self { gateway, config, control_port })
    }

    fn login(&self, pod: &Pod) -> Client {
        let mut client = Client::connect(self.control_port, pod.trust.clone());
        client.expect(220);
        client.auth_tls();
        client.ask("PBSZ 0", 200);
        client.ask("PROT P", 200);
        client.login("alice");
        client
    }

    fn status(&self) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.config.admin_port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        stream.write_all(b"GET /status HTTP/1.1\r\nHost: pod\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

#[test]
fn sigterm_drains_and_ends_with_0() {
    let pod = Pod::new();
    let mut serving = Serving::start(&pod, program);
    let mut client = serving.login(&pod);
    client.store("STOR file", b"by the program");
    for thread in threads(&serving.gateway) {
        assert!(thread.contains("Seccomp:\t2") && thread.contains("NoNewPrivs:\t1"), "{thread}");
    }
    kill_process(Pid::from_child(&serving.gateway), Signal::TERM).unwrap();
    assert!(client.expect(421).contains("shutting down"));
    client.expect_end();
    drop(client);
    assert!(serving.gateway.wait().unwrap().success());
}

#[test]
fn strangers_cannot_use_up_the_open_files_that_transfers_and_the_admin_port_need() {
    let pod = Pod::new();
    let mut serving = Serving::start(&pod, || program_of(256));
    assert!(serving.status().contains("256 open files allow only"), "{}", serving.status());
    let mut client = serving.login(&pod);
    let mut data = client.open("STOR file");
    data.write_all(b"half").unwrap();
    let strangers: Vec<_> =
        (0..400).map(|_| TcpStream::connect(("127.0.0.1", serving.control_port)).unwrap()).collect();
    assert!(serving.status().starts_with("HTTP/1.1 200"));
    data.write_all(b" and half").unwrap();
    data.finish();
    client.expect(226);
    // A new transfer needs a descriptor for each of its ends, too.
    client.store("STOR other", b"x");
    drop(strangers);
    serving.gateway.kill().unwrap();
    serving.gateway.wait().unwrap();
}

fn threads(gateway: &Child) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{}/task", gateway.id())).unwrap();
    let threads: Vec<_> = tasks.map(|task| fs::read_to_string(task.unwrap().path().join("status")).unwrap()).collect();
    assert!(threads.len() > 1);
    threads
}

#[test]
fn the_running_gateway_can_change_no_file_and_reach_no_other_port() {
    let pod = Pod::new();
    let output = of(&pod, program()).args(["check", "--shut-in"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    for what in
        ["another program", "another process", "a new file", "a descriptor for reading opened again for writing"]
    {
        assert!(text.contains(&format!("{what}: refused")), "{what}: {text}");
    }
    if text.contains("landlock: Full") {
        for what in ["a file outside", "listening on another port", "dialling another port"] {
            assert!(text.contains(&format!("{what}: refused")), "{what}: {text}");
        }
    }
}

#[test]
fn switching_active_mode_on_needs_a_new_pod_and_off_does_not() {
    let off = Pod::new();
    let mut config = off.config.clone();
    config.active_mode = Some(ActiveMode::default());
    off.replace_config(&config, |in_force| in_force.problem.is_some());
    let in_force = off.settings.borrow().clone();
    let problem = in_force.problem.as_deref().unwrap();
    assert!(problem.contains("a new pod: active mode"), "{problem}");
    assert_eq!(in_force.config.active_mode, None);

    let on = Pod::with(|config| config.active_mode = Some(ActiveMode::default()));
    let mut config = on.config.clone();
    config.active_mode = None;
    on.replace_config(&config, |in_force| in_force.config.active_mode.is_none());
    assert_eq!(on.settings.borrow().problem, None);
}

#[test]
fn without_a_readable_configuration_the_program_exits_with_the_reason() {
    let pod = Pod::new();
    pod.replace(&[("gateway.json", b"{}".to_vec())], |in_force| in_force.problem.is_some());
    let mut gateway = start(&pod, program());
    assert!(!gateway.wait().unwrap().success());
    let mut text = String::new();
    gateway.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(text.contains("gateway.json") && text.contains("missing field"), "{text}");
}

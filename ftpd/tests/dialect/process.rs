//! The program `safetp-ftpd`: its start, its fences and its check.

use std::{
    fs,
    io::{BufRead as _, BufReader, ErrorKind},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{World, eventually};

const BINARY: &str = env!("CARGO_BIN_EXE_safetp-ftpd");

fn command(world: &World, arguments: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command.args(arguments).arg("--socket").arg(second_socket(world));
    command.arg("--config").arg(world.config()).arg("--data").arg(world.data()).env_remove("RUST_LOG");
    command
}

/// Beside the one of the world's own server.
fn second_socket(world: &World) -> PathBuf {
    world.socket().with_file_name("second.sock")
}

/// The real program over a world's directories, killed when dropped.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Program {
    fn start(world: &World) -> Self {
        let mut child = command(world, &["serve"]).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("serving")));
        // Read on, or the program would meet a closed pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self(child)
    }

    fn terminate(&self) {
        kill_process(Pid::from_child(&self.0), Signal::TERM).unwrap();
    }
}

#[test]
fn no_network_socket_can_be_made_from_inside() {
    let world = World::new();
    let output = command(&world, &["check", "--shut-in"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    let all = ["a TCP socket", "a UDP socket", "a TCP socket (IPv6)", "a netlink socket", "another program"];
    for what in all.into_iter().chain(["another process"]) {
        assert!(text.contains(&format!("{what}: refused")), "{text}");
    }
}

#[test]
fn every_thread_of_the_server_is_shut_in() {
    let world = World::new();
    let program = Program::start(&world);
    drop(World::login_at(&second_socket(&world), "alice"));
    let tasks = fs::read_dir(format!("/proc/{}/task", program.0.id())).unwrap();
    let statuses: Vec<String> =
        tasks.map(|task| fs::read_to_string(task.unwrap().path().join("status")).unwrap()).collect();
    assert!(statuses.len() > 1);
    for status in statuses {
        assert!(status.contains("Seccomp:\t2") && status.contains("NoNewPrivs:\t1"), "{status}");
    }
}

#[test]
fn the_server_of_every_other_test_is_shut_in_as_well_and_says_so() {
    let world = World::new();
    let told = world.connect().ask("XDIGEST", 200);
    let (network, file) = world.inside(|| (std::net::UdpSocket::bind("127.0.0.1:0"), fs::read("/proc/self/status")));
    assert_eq!(network.unwrap_err().kind(), ErrorKind::PermissionDenied);
    assert_eq!(file.is_ok(), told.contains("Missing"), "{told}: {file:?}");
}

#[test]
fn shut_in_it_does_all_its_work() {
    let world = World::new();
    let _program = Program::start(&world);
    let mut alice = World::login_at(&second_socket(&world), "alice");
    alice.ask("MKD d", 257);
    alice.store("STOR d/a", "content");
    alice.store("APPE d/a", ", more");
    alice.ask("RNFR d/a", 350);
    alice.ask("RNTO b", 250);
    assert_eq!(alice.fetch("RETR b"), "content, more");
    assert_eq!(alice.fetch("NLST"), "b\r\nd\r\n");
    alice.ask("MFMT 20200101000000 b", 213);
    alice.ask("DELE b", 250);
    alice.ask("RMD d", 250);
    let before = alice.ask("XDIGEST", 200);
    let mut fewer = crate::support::users();
    fewer.users.remove("bob");
    world.configure(&fewer);
    assert_ne!(alice.ask("XDIGEST", 200), before);
    fewer.users.remove("alice");
    world.configure(&fewer);
    alice.expect(421);
}

#[test]
fn the_check_tells_whether_the_server_greets() {
    let world = World::new();
    assert!(!command(&world, &["check"]).stderr(Stdio::null()).status().unwrap().success());
    let _program = Program::start(&world);
    assert!(command(&world, &["check"]).status().unwrap().success());
}

#[test]
fn after_sigterm_the_running_session_goes_on_and_the_last_one_ends_it() {
    let world = World::new();
    let mut program = Program::start(&world);
    let socket = second_socket(&world);
    let mut alice = World::login_at(&socket, "alice");
    let file = alice.begin_upload("STOR a", "content");
    program.terminate();
    eventually("the socket is gone", || !socket.exists());
    drop(file);
    alice.ask("XCOMPLETE", 226);
    assert_eq!(alice.fetch("RETR a"), "content");
    assert!(program.0.try_wait().unwrap().is_none());
    drop(alice);
    assert!(program.0.wait().unwrap().success());
}

#[test]
fn a_socket_left_by_a_killed_server_is_replaced() {
    let world = World::new();
    drop(Program::start(&world));
    assert!(second_socket(&world).exists());
    let _program = Program::start(&world);
    drop(World::login_at(&second_socket(&world), "alice"));
}

#[test]
fn without_its_files_the_server_says_what_is_missing_and_ends() {
    let world = World::new();
    fs::remove_file(world.config().join("users.json")).unwrap();
    let output = command(&world, &["serve"]).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("users.json"));
}

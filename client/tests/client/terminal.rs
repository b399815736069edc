//! A person at a terminal: what is asked, what is shown, and what is remembered. Python's pty is the terminal.

use std::fs;

use safetp_pod::{Completed, PASSWORD, Program, new_identity};

use crate::support::Stage;

/// Runs a program at a terminal and types each answer once its question has come.
const TYPIST: &str = r"
import os, pty, sys, termios, time
dialogue, command = sys.argv[1].split('|'), sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(command[0], command)
shown = b''
def read():
    global shown
    try:
        octets = os.read(terminal, 4096)
    except OSError:
        octets = b''
    os.write(1, octets)
    shown += octets
    return octets
for question, answer in zip(dialogue[::2], dialogue[1::2]):
    while question.encode() not in shown and read():
        pass
    shown = shown.partition(question.encode())[2]
    # A program asks first and then switches the echo off; only a test types faster than that.
    while question.startswith('Password') and termios.tcgetattr(terminal)[3] & termios.ECHO:
        time.sleep(0.001)
    if answer:
        os.write(terminal, answer.encode() + b'\n')
while read():
    pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
";

/// `dialogue`: question, answer, question, answer... An empty answer only waits. Each answer waits for its prompt,
/// since what is typed while none is shown may be lost.
fn at_terminal(stage: &Stage, dialogue: &[&str], args: &[&str]) -> Completed {
    typist(stage, dialogue, args).arg("--ca").arg(stage.ca_file()).run()
}

/// The program at a terminal that trusts another server's certificate, in place of whatever this machine trusts.
fn typist(stage: &Stage, dialogue: &[&str], args: &[&str]) -> Program {
    let mut typist = stage.other("python3", &["-c", TYPIST, &dialogue.join("|"), env!("CARGO_BIN_EXE_safetp")]);
    for arg in args {
        typist.arg(arg);
    }
    let another = stage.here("another.pem");
    fs::write(&another, new_identity().cert.pem()).unwrap();
    typist.env("TERM", "xterm").env("SSL_CERT_FILE", another).env("SSL_CERT_DIR", stage.here(""));
    typist
}

#[test]
fn a_certificate_of_an_unknown_issuer_is_accepted_once() {
    let stage = Stage::new();
    let url = stage.url("");
    let mut first = typist(&stage, &["(yes/no)", "no"], &["ls", &url]);
    let outcome = first.run();
    assert_eq!(outcome.code, Some(4), "{}", outcome.text());
    assert_eq!(stage.known_servers(), "");
    let dialogue = ["localhost, 127.0.0.1, files.example.org", "", "(yes/no)", "yes", "Password for alice", PASSWORD];
    typist(&stage, &dialogue, &["ls", &url]).run().is_done();
    let known = stage.known_servers();
    let fingerprint = known.strip_prefix(&format!("{} tls ", stage.address())).unwrap().trim();
    assert_eq!(fingerprint.split(':').count(), 32, "{known}");
    let again = typist(&stage, &["Password for alice", PASSWORD], &["ls", &url]).run();
    assert!(!again.is_done().text().contains("yes/no"), "{}", again.text());
    assert_eq!(stage.known_servers(), known);
    let known = known.replace(fingerprint, &["AB"; 32].join(":"));
    fs::write(stage.here(".config/safetp/known_servers"), known).unwrap();
    let changed = typist(&stage, &["HAS CHANGED", ""], &["ls", &url]).run();
    assert_eq!(changed.code, Some(4), "{}", changed.text());
    assert!(!changed.text().contains("yes/no"), "{}", changed.text());
}

#[test]
fn a_new_key_is_confirmed_and_the_password_is_not_echoed() {
    let stage = Stage::safetp1();
    let dialogue = ["(yes/no)", "what?", "(yes/no)", "yes", "Password for alice", PASSWORD];
    let outcome = at_terminal(&stage, &dialogue, &["ls", &stage.url(""), "--mechanism", "x-safetp1"]);
    assert!(outcome.is_done().text().contains("SHA256:"), "{}", outcome.text());
    assert!(!outcome.text().contains(PASSWORD), "{}", outcome.text());
    assert!(stage.known_servers().contains("x-safetp1"));
}

#[test]
fn a_new_key_that_the_person_rejects_is_not_stored() {
    let stage = Stage::safetp1();
    let outcome = at_terminal(&stage, &["(yes/no)", "no"], &["ls", &stage.url(""), "--mechanism", "x-safetp1"]);
    assert_eq!(outcome.code, Some(4), "{}", outcome.text());
    assert_eq!(stage.known_servers(), "");
}

#[test]
fn at_the_prompt_the_session_continues_after_a_failure() {
    let stage = Stage::new();
    let dialogue = [
        "Password for alice",
        PASSWORD,
        "> ",
        "get nothing",
        "550",
        "",
        "> ",
        "mkdir folder",
        "> ",
        "pwd",
        "> ",
        "quit",
    ];
    let outcome = at_terminal(&stage, &dialogue, &[&stage.url("")]);
    assert!(outcome.is_done().text().contains("refused RETR nothing"), "{}", outcome.text());
    assert!(stage.there("folder").exists(), "{}", outcome.text());
    let history = fs::read_to_string(stage.here(".local/state/safetp/history")).unwrap();
    assert!(history.contains("mkdir folder") && !history.contains(PASSWORD), "{history}");
}

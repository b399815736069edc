//! X-SafeTP1 with the second implementation, written from docs/x-safetp1.md alone, in both roles.

use std::{fs, path::PathBuf};

use safetp_config::{
    gateway::{Mechanism, Requirement},
    paths::DSA_KEY_FILE,
};
use safetp_pod::{Completed, PASSWORD, Program, Running, USER, announced};

use crate::{
    case::{Case, Passive, Protection},
    clients::safetp1::{fingerprint, session},
    program::{python, python_server, safetp, sources},
    stage::{FILES, HOST, Stage},
};

fn gateway() -> Stage {
    Stage::with(|config| {
        config.security.mechanisms = vec![Mechanism::SafeTp1];
        config.security.data = Requirement::Optional;
    })
}

/// `put one.bin` by the command of the second implementation.
fn put(stage: &Stage, options: &[&str]) -> Completed {
    let mut python = python(&stage.here());
    python.args(["-m", "x_safetp1", "client", "put", HOST, &stage.port(), USER, "one.bin", "one.bin"]);
    python.args(options).env("SAFETP_PASSWORD", PASSWORD).run()
}

/// Must be a failure of either implementation, with this word on its standard error.
#[track_caller]
fn fails(run: &Completed, word: &str) {
    assert!(!run.is_success() && run.err.contains(word), "{word} is missing:\n{}\n{}", run.text(), run.err);
}

/// The server of the second implementation, over a directory of its own.
struct Python {
    _running: Running,
    port: u64,
    root: PathBuf,
}

impl Python {
    fn start(stage: &Stage, address: &str) -> Self {
        let root = stage.pod.path("python");
        fs::create_dir(&root).unwrap();
        let mut python = python_server(&root);
        python.args(["-m", "x_safetp1", "server", "--root", ".", "--user", USER, "--announce", address]);
        python.args(["--key".into(), stage.pod.path("gateway").join(DSA_KEY_FILE)]).env("SAFETP_PASSWORD", PASSWORD);
        let mut running = python.start();
        let line = running.lines().next().unwrap().unwrap();
        let told: serde_json::Value = serde_json::from_str(&line).unwrap();
        Self { _running: running, port: told["port"].as_u64().unwrap(), root }
    }

    fn url(&self, path: &str) -> String {
        format!("safetp://{USER}@{HOST}:{}/{path}", self.port)
    }
}

fn our_client(stage: &Stage, args: &[&str]) -> Program {
    let mut safetp = safetp(&stage.here());
    safetp.args(args).args(["--mechanism=x-safetp1", "--accept-new-key"]).env("SAFETP_PASSWORD", PASSWORD);
    safetp
}

#[test]
fn its_client_and_the_gateway_agree_at_every_level_and_about_every_size_of_blocks() {
    for level in ["C", "S", "P"] {
        for pbsz in ["64", "65536"] {
            let stage = gateway();
            let run = session(&stage, level, pbsz, Passive::Epsv).run();
            let case = Case { protection: Protection::SafeTp1, reuse: false, passive: Passive::Epsv };
            stage.assert_whole(case, &run);
            assert!(run.err.contains(&format!("PBSZ={pbsz}")), "{}", run.err);
        }
    }
}

#[test]
fn its_client_refuses_a_gateway_that_signs_another_address() {
    let stage = gateway();
    fails(&put(&stage, &["--expect-ip", "192.0.2.1"]), "redirection check");
    put(&stage, &[]).is_done();
    stage.pod.address.send_replace(Some(announced("203.0.113.7")));
    fails(&put(&stage, &[]), "redirection check");
    put(&stage, &["--expect-ip", "203.0.113.7"]).is_done();
}

#[test]
fn its_client_knows_the_gateway_by_the_fingerprint_that_the_operator_shows() {
    let stage = gateway();
    put(&stage, &["--ca-fingerprint", &fingerprint()]).is_done();
    fails(&put(&stage, &["--ca-fingerprint", "SHA256:AAAA"]), "expected was SHA256:AAAA");
}

#[test]
fn our_client_and_its_server_agree_at_every_level_and_about_every_size_of_blocks() {
    let stage = gateway();
    let server = Python::start(&stage, HOST);
    for (level, pbsz) in [("c", "65536"), ("s", "64"), ("s", "65536"), ("p", "64"), ("p", "65536")] {
        let options = ["--protection", level, "--pbsz", pbsz];
        for (name, _) in FILES {
            let url = server.url(name);
            our_client(&stage, &["put", name, &url]).args(options).run().is_done();
            our_client(&stage, &["get", &url, "back"]).args(options).run().is_done();
            let sent = fs::read(stage.here().join(name)).unwrap();
            assert!(fs::read(server.root.join(name)).unwrap() == sent, "stored otherwise: {name} {options:?}");
            assert!(fs::read(stage.here().join("back")).unwrap() == sent, "fetched otherwise: {name} {options:?}");
        }
    }
}

#[test]
fn our_client_refuses_its_server_where_it_signs_another_address() {
    let stage = gateway();
    let server = Python::start(&stage, "192.0.2.1");
    let run = our_client(&stage, &["put", "one.bin", &server.url("")]).run();
    fails(&run, "redirection check");
    assert_eq!(fs::read_dir(&server.root).unwrap().count(), 0);
}

#[test]
fn its_own_tests_pass() {
    let mut python = python(&sources(""));
    python.args(["-m", "unittest", "discover", "-t", ".", "-s", "x_safetp1/tests"]).run().is_done();
}

#[test]
fn it_computes_the_known_answers() {
    let mut python = python(&sources(""));
    let vectors = sources("../../protocol/testdata/x-safetp1/vectors.json");
    python.args(["-m", "x_safetp1", "check-vectors"]).args([vectors]).run().is_done();
}

//! Active mode: the server dials the client.

use std::fs;

use safetp_config::gateway::{ActiveMode, Mechanism};

use crate::support::{Stage, octets};

#[test]
fn files_go_both_ways_over_connections_that_the_server_opens() {
    let stage = Stage::with(|config| {
        config.security.mechanisms = vec![Mechanism::Tls, Mechanism::SafeTp1];
        config.active_mode = Some(ActiveMode::default());
    });
    let content = octets(100_000);
    fs::write(stage.here("file"), &content).unwrap();
    for mechanism in ["tls", "x-safetp1"] {
        let with = |args: &[&str]| stage.trusting(args).args(["--mechanism", mechanism, "--active", "-v"]).run();
        assert!(with(&["put", "file", &stage.url(mechanism)]).is_done().err.contains("> PORT 127,0,0,1,"));
        with(&["get", &stage.url(mechanism), "back"]).is_done();
        assert_eq!(fs::read(stage.here("back")).unwrap(), content, "{mechanism}");
    }
}

#[test]
fn a_server_without_active_mode_says_so() {
    let stage = Stage::new();
    fs::write(stage.there("file"), b"x").unwrap();
    stage.safetp(&["get", &stage.url("file"), "--active"]).run().is_failure(1, &["refused PORT"]);
}

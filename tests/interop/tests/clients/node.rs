//! basic-ftp, on Node.js's own TLS.

use std::{fs, path::PathBuf, sync::OnceLock};

use safetp_pod::{PASSWORD, Program};

use super::{BOTH_PASSIVES, Client, TLS, ftplib::arguments};
use crate::{
    case::{Case, Protection},
    program::{builds, sources},
    stage::Stage,
};

pub(super) const CLIENT: Client = Client {
    name: "basic-ftp",
    protections: TLS,
    reuses: &[true],
    passives: BOTH_PASSIVES,
    closes_uploads: false,
    program,
    remark,
};

fn remark(_: Protection, _: bool) -> &'static str {
    "ends some empty uploads without `close_notify`: `uploads.requireCloseNotify: false`"
}

fn program(stage: &Stage, case: Case) -> Program {
    let mut node = Program::new("node", &stage.here());
    node.args([sources("node/session.js")]).args(arguments(stage, case));
    node.env("SAFETP_PASSWORD", PASSWORD).env("SAFETP_BUILDS", installed());
    node
}

/// The packages of the lock file, fetched once.
fn installed() -> &'static PathBuf {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let path = builds("node");
        fs::create_dir_all(&path).unwrap();
        let lock = fs::read(sources("node/package-lock.json")).unwrap();
        let is_there = path.join("node_modules/basic-ftp").exists()
            && fs::read(path.join("package-lock.json")).is_ok_and(|installed| installed == lock);
        if !is_there {
            for name in ["package.json", "package-lock.json"] {
                fs::copy(sources("node").join(name), path.join(name)).unwrap();
            }
            let mut npm = Program::new("npm", &path);
            // npm keeps its cache there.
            npm.env("HOME", std::env::var_os("HOME").unwrap_or_default());
            npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).run().is_done();
        }
        path
    })
}

//! github.com/jlaffaye/ftp, on Go's crypto/tls.

use std::{path::PathBuf, sync::OnceLock};

use safetp_pod::{PASSWORD, Program};

use super::{BOTH_PASSIVES, Client, TLS, ftplib::arguments};
use crate::{
    case::{Case, Protection},
    program::{builds, sources},
    stage::Stage,
};

pub(crate) const CLIENT: Client = Client {
    name: "jlaffaye/ftp",
    protections: TLS,
    reuses: &[true, false],
    passives: BOTH_PASSIVES,
    closes_uploads: true,
    program,
    remark,
};

fn remark(_: Protection, reuse: bool) -> &'static str {
    if reuse { "`ClientSessionCache` set" } else { "as it comes" }
}

fn program(stage: &Stage, case: Case) -> Program {
    let mut program = Program::new(built(), &stage.here());
    program.args(arguments(stage, case)).env("SAFETP_PASSWORD", PASSWORD);
    program
}

fn built() -> &'static PathBuf {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let path = builds("jlaffaye-ftp");
        let mut go = Program::new("go", &sources("go"));
        // Go keeps its modules and its cache there.
        go.env("HOME", std::env::var_os("HOME").unwrap_or_default());
        go.args(["build", "-o", path.to_str().unwrap(), "."]).run().is_done();
        path
    })
}

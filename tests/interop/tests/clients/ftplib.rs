//! Python's ftplib, on OpenSSL. By itself it resumes nothing; a few lines that are widely copied make it do so.

use safetp_pod::{PASSWORD, Program, USER};

use super::{Client, TLS};
use crate::{
    case::{Case, Passive, Protection},
    program::{python, sources},
    stage::{FILES, HOST, Stage},
};

pub(super) const CLIENT: Client = Client {
    name: "Python ftplib",
    protections: TLS,
    reuses: &[true, false],
    // EPSV is for IPv6 alone.
    passives: &[Passive::Pasv],
    closes_uploads: true,
    program,
    remark,
};

fn remark(_: Protection, reuse: bool) -> &'static str {
    if reuse { "`ntransfercmd` overridden, as `tests/interop/python/ftplib_session.py` does" } else { "as it comes" }
}

fn program(stage: &Stage, case: Case) -> Program {
    let mut python = python(&stage.here());
    python.args([sources("python/ftplib_session.py")]).args(arguments(stage, case)).env("SAFETP_PASSWORD", PASSWORD);
    python
}

/// The arguments of all programs of our own: the server, the trusted certificate, the case, and the files.
pub(super) fn arguments(stage: &Stage, case: Case) -> Vec<String> {
    let reuse = if case.reuse { "reuse" } else { "anew" };
    let mut arguments = vec![HOST.to_owned(), stage.port(), USER.into(), stage.pod.ca_file().display().to_string()];
    arguments.extend([case.protection.version().to_owned(), reuse.into(), case.passive.to_string()]);
    arguments.extend(FILES.map(|(name, _)| name.to_owned()));
    arguments
}

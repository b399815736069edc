//! The second implementation of X-SafeTP1, by its own client.

use safetp_pod::{PASSWORD, Program, USER, dsa_key};

use super::{BOTH_PASSIVES, Client, no_remark};
use crate::{
    case::{Case, Passive, Protection},
    program::{python, sources},
    stage::{FILES, HOST, Stage},
};

pub(super) const CLIENT: Client = Client {
    name: "X-SafeTP1 in Python",
    protections: &[Protection::SafeTp1],
    reuses: &[true],
    passives: BOTH_PASSIVES,
    closes_uploads: true,
    program,
    remark: no_remark,
};

fn program(stage: &Stage, case: Case) -> Program {
    session(stage, "P", "65536", case.passive)
}

/// A session at another level, or with another PBSZ.
pub(crate) fn session(stage: &Stage, level: &str, pbsz: &str, passive: Passive) -> Program {
    let mut python = python(&stage.here());
    python.args([sources("python/safetp1_session.py")]);
    python.args([HOST, &stage.port(), USER, &fingerprint(), level, pbsz, &passive.to_string()]);
    python.args(FILES.map(|(name, _)| name)).env("SAFETP_PASSWORD", PASSWORD);
    python
}

/// The fingerprint of the gateway's key.
pub(crate) fn fingerprint() -> String {
    dsa_key().public_key().fingerprint().to_string()
}

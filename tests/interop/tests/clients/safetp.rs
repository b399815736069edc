//! `safetp`, the client of this repository, at its prompt.

use safetp_pod::{PASSWORD, Program, USER};

use super::Client;
use crate::{
    case::{Case, Passive, Protection},
    program::safetp,
    stage::{FILES, HOST, Stage},
};

pub(crate) const CLIENT: Client = Client {
    name: "safetp",
    protections: &[Protection::Tls12, Protection::Tls13, Protection::SafeTp1],
    reuses: &[true],
    passives: &[Passive::Epsv],
    closes_uploads: true,
    program,
    remark: |protection, _| match protection {
        Protection::Tls13 => "uses each ticket once; the control connection brings four, each data connection two",
        _ => "",
    },
};

fn program(stage: &Stage, case: Case) -> Program {
    let mut safetp = safetp(&stage.here());
    safetp.args(["shell", &format!("safetp://{USER}@{HOST}:{}/", stage.port()), "--verbose", "--accept-new-key"]);
    safetp.args([format!("--ca={}", stage.pod.ca_file().display())]).env("SAFETP_PASSWORD", PASSWORD);
    if case.protection == Protection::SafeTp1 {
        safetp.args(["--mechanism=x-safetp1"]);
    } else {
        safetp.args([format!("--tls-version={}", case.protection.version())]);
    }
    let mut script = FILES.map(|(name, _)| format!("put {name}\n")).concat();
    script.push_str("ls\n");
    script.push_str(&FILES.map(|(name, _)| format!("get {name} got-{name}\n")).concat());
    script.push_str("ls\n");
    safetp.input(&script);
    safetp
}

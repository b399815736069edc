//! lftp, on `GnuTLS` in Debian.

use safetp_pod::{PASSWORD, Program, USER};

use super::{BOTH_PASSIVES, Client, TLS, no_remark};
use crate::{
    case::{Case, Passive, Protection},
    stage::{FILES, HOST, Stage},
};

pub(super) const CLIENT: Client = Client {
    name: "lftp",
    protections: TLS,
    reuses: &[true, false],
    passives: BOTH_PASSIVES,
    closes_uploads: true,
    program,
    remark: no_remark,
};

fn program(stage: &Stage, case: Case) -> Program {
    let version = match case.protection {
        Protection::Tls12 => "VERS-TLS1.2",
        _ => "VERS-TLS1.3",
    };
    let yes = |what: bool| if what { "yes" } else { "no" };
    let mut script = vec![
        "set cmd:fail-exit yes".to_owned(),
        "set net:max-retries 1".into(),
        "set net:timeout 20".into(),
        format!("set ssl:ca-file {}", stage.pod.ca_file().display()),
        "set ssl:verify-certificate yes".into(),
        "set ssl:check-hostname yes".into(),
        format!("set ssl:priority NORMAL:-VERS-ALL:+{version}"),
        "set ftp:ssl-force yes".into(),
        "set ftp:ssl-protect-data yes".into(),
        "set ftp:ssl-protect-list yes".into(),
        format!("set ftp:ssl-copy-sid {}", yes(case.reuse)),
        format!("set ftp:prefer-epsv {}", yes(case.passive == Passive::Epsv)),
        format!("open -u {USER},'{PASSWORD}' -p {} {HOST}", stage.port()),
    ];
    script.extend(FILES.map(|(name, _)| format!("put {name}")));
    script.push("rels".into());
    script.extend(FILES.map(|(name, _)| format!("get {name} -o got-{name}")));
    script.push("rels".into());
    script.push("bye".into());
    let mut lftp = Program::new("lftp", &stage.here());
    lftp.args(["--norc", "-d", "-c", &script.join("; ")]);
    lftp
}

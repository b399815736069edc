//! curl: one process, whose connection cache uses one session for all its URLs.

use safetp_pod::{PASSWORD, Program, USER};

use super::{BOTH_PASSIVES, Client, TLS};
use crate::{
    case::{Case, Passive, Protection},
    stage::{FILES, HOST, Stage},
};

pub(super) const CLIENT: Client = Client {
    name: "curl",
    protections: TLS,
    reuses: &[true, false],
    passives: BOTH_PASSIVES,
    closes_uploads: true,
    program,
    remark,
};

fn remark(protection: Protection, reuse: bool) -> &'static str {
    match protection {
        _ if !reuse => "",
        Protection::Tls12 => "takes no tickets under TLS 1.2, and the gateway knows sessions by nothing else",
        _ => "keeps one ticket and uses it once; a download brings the next",
    }
}

fn program(stage: &Stage, case: Case) -> Program {
    let mut options = vec!["--verbose".to_owned(), "--ssl-reqd".into(), format!("--user={USER}:{PASSWORD}")];
    options.push(format!("--cacert={}", stage.pod.ca_file().display()));
    options.push(format!("--tlsv{}", case.protection.version()));
    if case.protection == Protection::Tls12 {
        options.push("--tls-max=1.2".into());
    }
    if !case.reuse {
        options.push("--no-sessionid".into());
    }
    if case.passive == Passive::Pasv {
        options.push("--disable-epsv".into());
    }
    let names = format!("{{{}}}", FILES.map(|(name, _)| name).join(","));
    let root = format!("ftp://{HOST}:{}/", stage.port());
    let upload = vec![format!("--upload-file={names}"), root.clone()];
    let download = vec![format!("{root}{names}"), "--output=got-#1".into()];
    let list = vec![root];
    let mut curl = Program::new("curl", &stage.here());
    curl.args(["-q", "--silent", "--show-error", "--fail-early"]);
    for (index, step) in [&upload, &list, &download, &list].into_iter().enumerate() {
        // It forgets the options of the step before.
        curl.args((index > 0).then_some("--next"));
        curl.args(options.iter().chain(step).flat_map(|option| option.splitn(2, '=')));
    }
    curl
}

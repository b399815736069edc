//! Ruby's net/ftp, on OpenSSL.

use safetp_pod::{PASSWORD, Program};

use super::{Client, TLS, ftplib::arguments, no_remark};
use crate::{
    case::{Case, Passive},
    program::sources,
    stage::Stage,
};

pub(super) const CLIENT: Client = Client {
    name: "Ruby net/ftp",
    protections: TLS,
    reuses: &[true],
    // EPSV is for IPv6 alone.
    passives: &[Passive::Pasv],
    closes_uploads: true,
    program,
    remark: no_remark,
};

fn program(stage: &Stage, case: Case) -> Program {
    let mut ruby = Program::new("ruby", &stage.here());
    ruby.args([sources("ruby/session.rb")]).args(arguments(stage, case)).env("SAFETP_PASSWORD", PASSWORD);
    ruby
}

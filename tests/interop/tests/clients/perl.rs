//! Perl's `Net::FTP`, on OpenSSL by `IO::Socket::SSL`.

use safetp_pod::{PASSWORD, Program};

use super::{Client, TLS, ftplib::arguments, no_remark};
use crate::{
    case::{Case, Passive},
    program::sources,
    stage::Stage,
};

pub(super) const CLIENT: Client = Client {
    name: "Perl Net::FTP",
    protections: TLS,
    reuses: &[true],
    // EPSV is for IPv6 alone.
    passives: &[Passive::Pasv],
    closes_uploads: true,
    program,
    remark: no_remark,
};

fn program(stage: &Stage, case: Case) -> Program {
    let mut perl = Program::new("perl", &stage.here());
    perl.args([sources("perl/session.pl")]).args(arguments(stage, case)).env("SAFETP_PASSWORD", PASSWORD);
    perl
}

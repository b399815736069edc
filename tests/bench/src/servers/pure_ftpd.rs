//! Debian's pure-ftpd: TLS required, one virtual user.

use std::{path::Path, process::Command};

use anyhow::{Result, ensure};

use super::spawn::{DAEMON, spawn, text};
use crate::{
    client::USER,
    place::{Place, free_port},
    processes::Processes,
};

/// crypt(3) of the password with DES: the cheapest that it takes, as no password hashing is to be measured.
const PASSWORD_HASH: &str = "stmYCLMdXePiM";

pub(super) fn start(place: &Place, root: &Path, processes: &mut Processes) -> Result<u16> {
    let port = free_port()?;
    let (user, group) = DAEMON;
    place.give_home_to(user, group)?;
    let home = place.home();
    let account = format!("{USER}:{PASSWORD_HASH}:{user}:{group}::{}/./::::::::::::\n", text(&home)?);
    let accounts = place.write("passwd", account)?;
    let database = place.path("users.pdb");
    let mut pure_pw = Command::new(root.join("usr/bin/pure-pw"));
    let created = pure_pw.arg("mkdb").arg(&database).arg("-f").arg(accounts).output()?;
    ensure!(created.status.success(), "pure-pw failed: {}", String::from_utf8_lossy(&created.stderr));
    let certificate = place.write("both.pem", place.key() + &place.certificate())?;
    let mut command = Command::new(root.join("usr/sbin/pure-ftpd"));
    command.args(["--bind", &format!("127.0.0.1,{port}"), "--ipv4only", "--dontresolve", "--noanonymous"]);
    command.args(["--tls", "2", "--certfile", text(&certificate)?]);
    command.args(["--login", &format!("puredb:{}", text(&database)?), "--chrooteveryone"]);
    command.args(["--maxclientsnumber", "5000", "--maxclientsperip", "5000"]);
    command.args(["--pidfile", text(&place.path("pure-ftpd.pid"))?]);
    spawn(&mut command, place, "pure-ftpd.log", processes)?;
    Ok(port)
}

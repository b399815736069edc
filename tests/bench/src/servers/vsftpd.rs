//! Debian's vsftpd: TLS required, data connections must resume the session, one guest user.

use std::{path::Path, process::Command};

use anyhow::Result;

use super::spawn::{DAEMON, spawn, text};
use crate::{
    place::{Place, free_port},
    processes::Processes,
};

/// Its service for PAM lets everyone in, as no password hashing is to be measured.
const PAM_SERVICE: &str =
    "auth required pam_permit.so\naccount required pam_permit.so\nsession required pam_permit.so\n";

/// PAM looks for services in one directory only, so vsftpd sees another one there: this machine's stays as it is.
const WITH_OWN_PAM: &str = "mount --bind \"$1\" /etc/pam.d && exec \"$2\" \"$3\"";

pub(super) fn start(place: &Place, root: &Path, processes: &mut Processes) -> Result<u16> {
    let port = free_port()?;
    let (user, group) = DAEMON;
    place.give_home_to(user, group)?;
    let services = place.directory("pam.d")?;
    place.write("pam.d/safetp-bench", PAM_SERVICE)?;
    let configuration = place.write("vsftpd.conf", configuration(place, port)?)?;
    let mut command = Command::new("unshare");
    command.args(["--mount", "--", "sh", "-c", WITH_OWN_PAM, "sh"]);
    command.arg(services).arg(root.join("usr/sbin/vsftpd")).arg(configuration);
    spawn(&mut command, place, "vsftpd.log", processes)?;
    Ok(port)
}

fn configuration(place: &Place, port: u16) -> Result<String> {
    let empty = place.directory("empty")?;
    let certificate = place.write("certificate.pem", place.certificate())?;
    let key = place.write("key.pem", place.key())?;
    let own = [
        format!("listen_port={port}"),
        format!("local_root={}", text(&place.home())?),
        format!("secure_chroot_dir={}", text(&empty)?),
        format!("rsa_cert_file={}", text(&certificate)?),
        format!("rsa_private_key_file={}", text(&key)?),
    ];
    Ok(format!("{}{}\n", include_str!("vsftpd.conf"), own.join("\n")))
}

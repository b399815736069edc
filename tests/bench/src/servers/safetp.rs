//! Our gateway and ftpd, as they run in a pod.

use std::{fs, path::Path, process::Command};

use anyhow::{Context as _, Result};
use argon2::{Algorithm, Argon2, Params, Version, password_hash::PasswordHasher as _};
use safetp_config::{
    ftpd::{FtpdConfig, PasswordHash, User, Users},
    gateway::{AddressSource, Backend, GatewayConfig},
    paths::{CERTIFICATE_FILE, FTPD_FILE, GATEWAY_FILE, PRIVATE_KEY_FILE, USERS_FILE},
    ports::PortRange,
};

use super::spawn::{spawn, text};
use crate::{
    client::{PASSWORD, USER},
    place::{DATA_PORTS, Place, free_port, free_range},
    processes::{Processes, wait_until},
};

pub(super) fn prepare(binaries: &Path) -> Result<String> {
    for program in ["safetp-sidecar", "safetp-ftpd"] {
        let path = binaries.join(program);
        fs::metadata(&path).with_context(|| format!("{} is missing: cargo build --release first", path.display()))?;
    }
    Ok(env!("CARGO_PKG_VERSION").to_owned())
}

pub(super) fn start(place: &Place, binaries: &Path, processes: &mut Processes) -> Result<u16> {
    let port = free_port()?;
    let ftpd = place.directory("ftpd")?;
    let gateway = place.directory("gateway")?;
    let socket = place.directory("run")?.join("ftpd.sock");
    place.write(
        &format!("ftpd/{FTPD_FILE}"),
        serde_json::to_vec(&FtpdConfig { keep_parts_hours: 1, name_encoding: None })?,
    )?;
    place.write(&format!("ftpd/{USERS_FILE}"), serde_json::to_vec(&users()?)?)?;
    place.write(&format!("gateway/{GATEWAY_FILE}"), serde_json::to_vec(&config(port, text(&socket)?)?)?)?;
    place.write(&format!("gateway/{CERTIFICATE_FILE}"), place.certificate())?;
    place.write(&format!("gateway/{PRIVATE_KEY_FILE}"), place.key())?;
    let mut command = Command::new(binaries.join("safetp-ftpd"));
    command.arg("--socket").arg(&socket).arg("--config").arg(ftpd).arg("--data").arg(place.files());
    spawn(&mut command, place, "ftpd.log", processes)?;
    wait_until("the ftpd's socket", || Ok(socket.exists()))?;
    let mut command = Command::new(binaries.join("safetp-sidecar"));
    command.arg("--gateway-dir").arg(gateway).arg("--pod-info-dir").arg(place.directory("pod")?);
    spawn(&mut command, place, "gateway.log", processes)?;
    Ok(port)
}

/// The cheapest hash that argon2 has: what a password costs is the operator's choice, and not measured here.
fn users() -> Result<Users> {
    let parameters = Params::new(8, 1, 1, None).ok().context("argon2 refused its parameters")?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters);
    let hash = argon2.hash_password(PASSWORD.as_bytes()).ok().context("failed to hash a password")?;
    let user =
        User { password: PasswordHash(hash.to_string()), home: USER.to_owned(), read_only: false, name_encoding: None };
    Ok(Users { users: [(USER.to_owned(), user)].into() })
}

fn config(port: u16, socket: &str) -> Result<GatewayConfig> {
    let first = free_range()?;
    let data_ports = PortRange::new(first, first + DATA_PORTS - 1).ok().context("no such range of ports")?;
    Ok(GatewayConfig {
        listen_port: port,
        admin_port: 0,
        data_ports,
        address: AddressSource::Pinned { address: "127.0.0.1".to_owned() },
        real_client_addresses: true,
        backend: Backend::Embedded { socket: socket.to_owned() },
        drain_seconds: 1,
        ..GatewayConfig::example()
    })
}

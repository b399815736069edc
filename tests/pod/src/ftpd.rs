//! The pod's ftpd.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
    time::Duration,
};

use argon2::{Algorithm, Argon2, Params, Version, password_hash::PasswordHasher as _};
use safetp_config::{
    ftpd::{FtpdConfig, PasswordHash, User, Users},
    paths::{FTPD_FILE, USERS_FILE},
};
use safetp_ftpd::{
    server::{Options, Server, Throttle},
    shut_in,
};
use tokio::runtime::Runtime;

use crate::{OTHER_USER, PASSWORD, USER, threads::shut_in_runtime};

pub(crate) fn socket(directory: &Path) -> PathBuf {
    directory.join("run/ftpd.sock")
}

/// Starts it over `ftpd` and `data` of this directory, in threads of its own, which are confined as the program is.
pub(crate) fn start(directory: &Path) -> Runtime {
    let config = directory.join("ftpd");
    let user = |name: &str| {
        (name.to_owned(), User { password: hash(), home: name.into(), read_only: false, name_encoding: None })
    };
    let users = Users { users: [USER, OTHER_USER].map(user).into() };
    let ftpd = FtpdConfig { keep_parts_hours: 24, name_encoding: None };
    fs::write(config.join(FTPD_FILE), serde_json::to_vec(&ftpd).unwrap()).unwrap();
    fs::write(config.join(USERS_FILE), serde_json::to_vec(&users).unwrap()).unwrap();
    let reach = shut_in::reach(&directory.join("data"), &socket(directory), &config);
    let (runtime, landlock) = shut_in_runtime(&reach, shut_in::CALLS);
    let options = Options {
        socket: socket(directory),
        config,
        data: directory.join("data"),
        throttle: Throttle::default(),
        sweep_every: Duration::from_hours(1),
        landlock,
    };
    // From inside, since the server creates threads of its own.
    let start =
        runtime.spawn(async { drop(tokio::spawn(Server::start(options).unwrap().run(std::future::pending()))) });
    runtime.block_on(start).unwrap();
    runtime
}

/// Cheap parameters: the suites log in hundreds of times.
fn hash() -> PasswordHash {
    static HASH: OnceLock<String> = OnceLock::new();
    let hash = HASH.get_or_init(|| {
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(64, 1, 1, None).unwrap());
        argon2.hash_password(PASSWORD.as_bytes()).unwrap().to_string()
    });
    PasswordHash(hash.clone())
}

//! The gateway's volume: its configuration, certificate and keys, replaced as the kubelet replaces them.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use getrandom::SysRng;
use rand_core::UnwrapErr;
use rcgen::{CertifiedKey, KeyPair};
use safetp_config::{
    gateway::GatewayConfig,
    paths::{CERTIFICATE_FILE, DSA_KEY_FILE, GATEWAY_FILE, PRIVATE_KEY_FILE},
};
use safetp_protocol::security::safetp1::{KeySize, SigningKey};

use crate::NAMES;

/// A new self-signed certificate for [`NAMES`], with its key.
pub fn new_identity() -> CertifiedKey<KeyPair> {
    rcgen::generate_simple_self_signed(NAMES.map(str::to_owned)).unwrap()
}

/// The key for X-SafeTP1 of all pods of this process: generating one takes a while.
pub fn dsa_key() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| SigningKey::generate(KeySize::Legacy1024, &mut UnwrapErr(SysRng)))
}

/// A directory of files that change all at once.
#[derive(Debug)]
pub(crate) struct Volume {
    path: PathBuf,
}

impl Volume {
    pub(crate) fn new(path: PathBuf) -> Self {
        fs::create_dir(&path).unwrap();
        Self { path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// As the kubelet does: a new directory with all files, and a link that is swapped.
    pub(crate) fn replace(&self, files: &[(&str, Vec<u8>)]) {
        let generation = self.path.join(format!("..{}", fs::read_dir(&self.path).unwrap().count()));
        fs::create_dir(&generation).unwrap();
        for name in [GATEWAY_FILE, CERTIFICATE_FILE, PRIVATE_KEY_FILE, DSA_KEY_FILE] {
            let new = files.iter().find(|(other, _)| *other == name).map(|(_, content)| content.clone());
            if let Some(content) = new.or_else(|| fs::read(self.path.join(name)).ok()) {
                fs::write(generation.join(name), content).unwrap();
            }
            // It exists from the second time on.
            let _ = symlink(Path::new("..data").join(name), self.path.join(name));
        }
        symlink(&generation, self.path.join("..data_tmp")).unwrap();
        fs::rename(self.path.join("..data_tmp"), self.path.join("..data")).unwrap();
    }

    pub(crate) fn replace_config(&self, config: &GatewayConfig) {
        self.replace(&[config_file(config)]);
    }
}

pub(crate) fn config_file(config: &GatewayConfig) -> (&'static str, Vec<u8>) {
    (GATEWAY_FILE, serde_json::to_vec(config).unwrap())
}

pub(crate) fn identity_files(identity: &CertifiedKey<KeyPair>) -> [(&'static str, Vec<u8>); 2] {
    let key = identity.signing_key.serialize_pem();
    [(CERTIFICATE_FILE, identity.cert.pem().into_bytes()), (PRIVATE_KEY_FILE, key.into_bytes())]
}

pub(crate) fn dsa_file() -> (&'static str, Vec<u8>) {
    (DSA_KEY_FILE, dsa_key().to_pkcs8_pem().as_bytes().to_vec())
}

//! One server's directory: a certificate, and the files that it serves.

use std::{
    fs::{self, File},
    io::Write as _,
    net::TcpListener,
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use rcgen::{CertifiedKey, KeyPair};
use tempfile::TempDir;

use crate::client::{HOST, Target, USER, Version};

/// The file that is downloaded.
pub(crate) const LARGE: &str = "large";
/// A range of ports for data connections.
pub(crate) const DATA_PORTS: u16 = 20;
/// The data ports to try: below those that the kernel gives to clients.
const FIRST_PORTS: std::ops::Range<u16> = 20_000..32_000;

/// The directory that every server gets; removed on drop.
pub(crate) struct Place {
    directory: TempDir,
    identity: CertifiedKey<KeyPair>,
}

impl Place {
    pub(crate) fn new(under: &Path) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("safetp-bench-").tempdir_in(under)?;
        // The servers' own users look for their files here.
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755))?;
        let identity = rcgen::generate_simple_self_signed(vec![HOST.to_owned()])?;
        fs::create_dir_all(directory.path().join("files").join(USER))?;
        Ok(Self { directory, identity })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The directory that holds the home.
    pub(crate) fn files(&self) -> PathBuf {
        self.path("files")
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.files().join(USER)
    }

    pub(crate) fn certificate(&self) -> String {
        self.identity.cert.pem()
    }

    pub(crate) fn key(&self) -> String {
        self.identity.signing_key.serialize_pem()
    }

    /// A server with this certificate, for clients.
    pub(crate) fn target(&self, port: u16, version: Version, resumes: bool) -> Result<Target> {
        Target::new(port, self.identity.cert.der(), version, resumes)
    }

    pub(crate) fn directory(&self, name: &str) -> Result<PathBuf> {
        let path = self.path(name);
        fs::create_dir_all(&path)?;
        Ok(path)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> Result<PathBuf> {
        let path = self.path(name);
        fs::write(&path, content).with_context(|| format!("failed to write {}", path.display()))?;
        Ok(path)
    }

    /// Creates the file that is downloaded. Its octets cannot be stored as a hole.
    pub(crate) fn write_large(&self, mebibytes: u64) -> Result<()> {
        let mut file = File::create(self.home().join(LARGE))?;
        let octets: Vec<u8> = (0..=u8::MAX).cycle().take(1024 * 1024).collect();
        for _ in 0..mebibytes {
            file.write_all(&octets)?;
        }
        Ok(())
    }

    /// Gives the home to the user that a server serves it as.
    pub(crate) fn give_home_to(&self, user: u32, group: u32) -> Result<()> {
        chown(self.home(), Some(user), Some(group)).context("failed to give the home away: run this as root")
    }

    /// A log of the server, opened for its output.
    pub(crate) fn log(&self, name: &str) -> Result<File> {
        Ok(File::create(self.path(name))?)
    }
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// The first of [`DATA_PORTS`] ports in a row that were free a moment ago.
pub(crate) fn free_range() -> Result<u16> {
    let free = |port: u16| TcpListener::bind(("0.0.0.0", port)).is_ok();
    let mut firsts = FIRST_PORTS.step_by(usize::from(DATA_PORTS));
    firsts.find(|first| (*first..first + DATA_PORTS).all(free)).context("no range of ports is free")
}

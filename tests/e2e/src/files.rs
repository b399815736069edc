//! Files to transfer, and their comparison.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use rand::{RngCore as _, SeedableRng as _, rngs::StdRng};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

/// A folder for the files of one transfer.
pub struct Workplace {
    folder: TempDir,
}

impl Workplace {
    /// Creates an empty one; removed on drop.
    pub fn new() -> Result<Self> {
        Ok(Self { folder: tempfile::tempdir()? })
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file.
    pub fn write(&self, name: &str, content: &[u8]) -> Result<PathBuf> {
        let path = self.path(name);
        std::fs::write(&path, content)?;
        Ok(path)
    }

    /// Writes a file of `size` random octets.
    pub fn random(&self, name: &str, size: u64) -> Result<PathBuf> {
        let path = self.path(name);
        let mut source = RandomOctets(StdRng::seed_from_u64(size)).take(size);
        io::copy(&mut source, &mut File::create(&path)?)?;
        Ok(path)
    }
}

struct RandomOctets(StdRng);

impl io::Read for RandomOctets {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.fill_bytes(buffer);
        Ok(buffer.len())
    }
}

/// `size` random octets.
pub fn octets(size: usize) -> Vec<u8> {
    let mut octets = vec![0; size];
    StdRng::seed_from_u64(size as u64).fill_bytes(&mut octets);
    octets
}

/// SHA-256 of a file, in hexadecimal.
pub fn digest(path: &Path) -> Result<String> {
    let mut hash = Sha256::new();
    let mut file = File::open(path).with_context(|| format!("failed to open {}", path.display()))?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok(hex::encode(hash.finalize()));
        }
        hash.update(buffer.get(..count).unwrap_or_default());
    }
}

/// Fails unless two files are the same, octet for octet.
pub fn same(sent: &Path, received: &Path) -> Result<()> {
    let (sent, received) = (digest(sent)?, digest(received)?);
    ensure!(sent == received, "sent SHA-256 {sent}, received {received}");
    Ok(())
}

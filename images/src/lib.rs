//! Container images from static binaries: one uncompressed layer, no base image, no container engine.
//!
//! The archive carries both an OCI index (podman, ctr, kind, skopeo) and a `manifest.json` (docker), and the same
//! files give the same archive octet for octet, so that "nothing changed" can be seen by comparing.

use std::{
    fs::File as OsFile,
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// What goes into one image.
#[derive(Clone, Copy, Debug)]
pub struct Image<'a> {
    /// Fully qualified name and tag, such as `ghcr.io/safetp/safetp-operator:0.1.0`.
    pub reference: &'a str,
    /// The files of its only layer.
    pub files: &'a [File<'a>],
    /// The entrypoint.
    pub entrypoint: &'a [&'a str],
    /// `uid:gid` that the entrypoint runs as.
    pub user: &'a str,
    /// Labels, such as `org.opencontainers.image.source`.
    pub labels: &'a [(&'a str, &'a str)],
}

/// One file of an image.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    /// Absolute path inside the image.
    pub path: &'a str,
    /// Where the content comes from.
    pub source: &'a Path,
    /// Permission bits, such as `0o755`.
    pub mode: u32,
}

/// Why an image was not packed.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// A file of the image cannot be read.
    #[error("failed to read {path}: {source}; build it first")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The archive cannot be written.
    #[error("failed to write {path}: {source}")]
    Write {
        /// The archive.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

/// Packs `image` into the archive at `archive`, which appears there only when it is whole.
pub fn pack(image: &Image<'_>, archive: &Path) -> Result<(), PackError> {
    let layer = layer(image)?;
    write_archive(image, &layer, archive).map_err(|source| PackError::Write { path: archive.to_owned(), source })
}

/// One content-addressed blob of the archive.
struct Blob {
    digest: String,
    bytes: Vec<u8>,
}

impl Blob {
    fn new(bytes: Vec<u8>) -> Self {
        Self { digest: hex::encode(Sha256::digest(&bytes)), bytes }
    }

    fn json(value: &Value) -> Self {
        Self::new(value.to_string().into_bytes())
    }

    fn path(&self) -> String {
        format!("blobs/sha256/{}", self.digest)
    }

    fn descriptor(&self, media_type: &str) -> Value {
        json!({ "mediaType": media_type, "digest": format!("sha256:{}", self.digest), "size": self.bytes.len() })
    }
}

fn layer(image: &Image<'_>) -> Result<Blob, PackError> {
    let mut tar = tar::Builder::new(Vec::new());
    for file in image.files {
        let failed = |source| PackError::Read { path: file.source.to_owned(), source };
        let content = std::fs::read(file.source).map_err(failed)?;
        append(&mut tar, file.path.trim_start_matches('/'), file.mode, &content).map_err(failed)?;
    }
    let bytes = tar.into_inner().map_err(|source| PackError::Read { path: image.reference.into(), source })?;
    Ok(Blob::new(bytes))
}

fn write_archive(image: &Image<'_>, layer: &Blob, archive: &Path) -> io::Result<()> {
    let config = Blob::json(&config(image, layer));
    let manifest = Blob::json(&json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": config.descriptor("application/vnd.oci.image.config.v1+json"),
        "layers": [layer.descriptor("application/vnd.oci.image.layer.v1.tar")],
    }));
    let index = index(image, &manifest);
    let docker = json!([{ "Config": config.path(), "RepoTags": [image.reference], "Layers": [layer.path()] }]);

    let partial = archive.with_extension("partial");
    let mut tar = tar::Builder::new(OsFile::create(&partial)?);
    append(&mut tar, "oci-layout", 0o644, br#"{"imageLayoutVersion":"1.0.0"}"#)?;
    append(&mut tar, "index.json", 0o644, index.to_string().as_bytes())?;
    append(&mut tar, "manifest.json", 0o644, docker.to_string().as_bytes())?;
    for blob in [&manifest, &config, layer] {
        append(&mut tar, &blob.path(), 0o644, &blob.bytes)?;
    }
    tar.into_inner()?.flush()?;
    std::fs::rename(partial, archive)
}

fn config(image: &Image<'_>, layer: &Blob) -> Value {
    let labels: serde_json::Map<_, _> = image.labels.iter().map(|(k, v)| ((*k).to_owned(), json!(v))).collect();
    json!({
        "architecture": architecture(),
        "os": "linux",
        "config": { "Entrypoint": image.entrypoint, "User": image.user, "WorkingDir": "/", "Labels": labels },
        "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{}", layer.digest)] },
        "history": [{ "created": "1970-01-01T00:00:00Z", "created_by": "safetp-images" }],
        "created": "1970-01-01T00:00:00Z",
    })
}

fn index(image: &Image<'_>, manifest: &Blob) -> Value {
    let mut descriptor = manifest.descriptor("application/vnd.oci.image.manifest.v1+json");
    let tag = image.reference.rsplit_once(':').map_or("latest", |(_, tag)| tag);
    if let Some(fields) = descriptor.as_object_mut() {
        fields.insert("platform".into(), json!({ "architecture": architecture(), "os": "linux" }));
        fields.insert(
            "annotations".into(),
            json!({ "io.containerd.image.name": image.reference, "org.opencontainers.image.ref.name": tag }),
        );
    }
    json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [descriptor],
    })
}

/// The Go name of the architecture that this program, and so the binaries beside it, was built for.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// Appends one file with nothing in its header that differs from run to run.
fn append(tar: &mut tar::Builder<impl Write>, path: &str, mode: u32, content: &[u8]) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(mode);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    tar.append_data(&mut header, path, content)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn packed(dir: &Path, content: &[u8]) -> Vec<u8> {
        let (binary, archive) = (dir.join("binary"), dir.join("image.tar"));
        std::fs::write(&binary, content).unwrap();
        let files = [File { path: "/safetp-operator", source: &binary, mode: 0o755 }];
        let image = Image {
            reference: "ghcr.io/safetp/safetp-operator:1.2.3",
            files: &files,
            entrypoint: &["/safetp-operator"],
            user: "65532:65532",
            labels: &[],
        };
        pack(&image, &archive).unwrap();
        std::fs::read(archive).unwrap()
    }

    fn members(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
        let mut tar = tar::Archive::new(archive);
        let read = |entry: io::Result<tar::Entry<'_, &[u8]>>| {
            let mut entry = entry.unwrap();
            let mut bytes = Vec::new();
            io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
            (entry.path().unwrap().to_string_lossy().into_owned(), bytes)
        };
        tar.entries().unwrap().map(read).collect()
    }

    #[test]
    fn the_same_binary_gives_the_same_archive_and_another_gives_another() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(packed(dir.path(), b"one"), packed(dir.path(), b"one"));
        assert_ne!(packed(dir.path(), b"one"), packed(dir.path(), b"two"));
    }

    #[test]
    fn every_blob_is_named_by_its_digest_and_both_indexes_lead_to_the_layer() {
        let dir = tempfile::tempdir().unwrap();
        let members = members(&packed(dir.path(), b"binary"));
        for (name, bytes) in members.iter().filter(|(name, _)| name.starts_with("blobs/")) {
            assert_eq!(name, &format!("blobs/sha256/{}", hex::encode(Sha256::digest(bytes))));
        }
        let docker: Value = serde_json::from_slice(&members["manifest.json"]).unwrap();
        assert!(members.contains_key(docker[0]["Layers"][0].as_str().unwrap()));
        let index: Value = serde_json::from_slice(&members["index.json"]).unwrap();
        let digest = index["manifests"][0]["digest"].as_str().unwrap().replace("sha256:", "blobs/sha256/");
        assert!(members.contains_key(&digest));
    }
}

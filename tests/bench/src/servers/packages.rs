//! Debian's servers, fetched by apt and unpacked, not installed: the two conflict with each other, and an installed
//! server would be started by the system.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};

/// The folder of an unpacked package.
pub(super) fn root(package: &str, peers: &Path) -> PathBuf {
    let root = peers.join(package).join("root");
    root.canonicalize().unwrap_or(root)
}

/// Fetches and unpacks a package with what it needs, unless it is there; returns its version.
pub(super) fn prepare(package: &str, peers: &Path) -> Result<String> {
    let root = root(package, peers);
    let note = peers.join(package).join("version");
    if let Ok(version) = fs::read_to_string(&note) {
        return Ok(version);
    }
    let fetched = fetch(package, &peers.join(package))?;
    for archive in &fetched {
        run(Command::new("dpkg-deb").arg("--extract").arg(archive).arg(&root))?;
    }
    let own = fetched.iter().find(|path| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(&format!("{package}_")))
    });
    let own = own.with_context(|| format!("apt fetched no {package}: is it installed? Then remove it first"))?;
    let version = run(Command::new("dpkg-deb").arg("--field").arg(own).arg("Version"))?.trim().to_owned();
    fs::write(note, &version)?;
    Ok(version)
}

fn fetch(package: &str, directory: &Path) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(directory.join("archives/partial"))?;
    let archives = directory.join("archives").canonicalize()?;
    let mut cache = std::ffi::OsString::from("Dir::Cache::archives=");
    cache.push(&archives);
    let mut download = Command::new("apt-get");
    download.args(["install", "--download-only", "--no-install-recommends", "--reinstall", "-y", "-o"]);
    download.arg(cache).arg(package);
    if run(&mut download).is_err() {
        // A machine without package lists, or with old ones.
        run(Command::new("apt-get").arg("update"))?;
        run(&mut download)?;
    }
    let entries = fs::read_dir(&archives)?.map(|entry| Ok(entry?.path()));
    let paths: Vec<PathBuf> = entries.collect::<Result<_>>()?;
    Ok(paths.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "deb")).collect())
}

fn run(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("failed to run {name}"))?;
    ensure!(output.status.success(), "{name} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

//! Writes the resource definitions (CRDs) to `crds/` and into the chart, and their reference pages to
//! `docs/reference/`; with `--check` it lists those that are stale.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, bail};
use clap::Parser;

/// Generates the resource definitions (CRDs) of SafeTPServer and SafeTPUser, and their reference pages.
#[derive(Parser)]
struct Args {
    /// Write nothing; fail if a committed file differs from what would be written.
    #[arg(long)]
    check: bool,
    /// Root directory of the repository.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/.."))]
    root: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let mut stale = Vec::new();
    let definitions = safetp_crds::yaml::files().context("failed to write a definition as YAML")?;
    let pages = safetp_crds::reference::pages().context("failed to write a page of a resource")?;
    let places = [("crds", &definitions), ("charts/safetp-crds/templates", &definitions), ("docs/reference", &pages)];
    for (directory, files) in places {
        for (name, content) in files {
            let path = args.root.join(directory).join(name);
            if fs::read_to_string(&path).is_ok_and(|present| present == *content) {
                continue;
            }
            if args.check {
                stale.push(path.display().to_string());
                continue;
            }
            fs::write(&path, content).with_context(|| format!("failed to write {}", path.display()))?;
        }
    }
    if !stale.is_empty() {
        bail!("not up to date: {}; run `cargo run -p safetp-crds --bin crdgen`", stale.join(", "));
    }
    Ok(())
}

//! `safetp-images`: packs the three programs that run in a cluster, one archive each.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Parser;
use safetp_images::{File, Image, pack};

/// Each with its user and group. The gateway's user is not the ftpd's, to whom the files belong; the group is one, for
/// the socket between them.
const PROGRAMS: [(&str, &str); 3] =
    [("safetp-operator", "65532:65532"), ("safetp-sidecar", "65533:65532"), ("safetp-ftpd", "65532:65532")];

/// Packs target/images/NAME.tar from static binaries.
#[derive(Parser)]
struct Arguments {
    /// The folder that holds the static binaries.
    #[arg(long)]
    binaries: PathBuf,
    /// The folder to write the archives to.
    #[arg(long, default_value = "target/images")]
    out: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    std::fs::create_dir_all(&arguments.out).with_context(|| format!("failed to make {}", arguments.out.display()))?;
    PROGRAMS.iter().try_for_each(|(name, user)| pack_program(name, user, &arguments))
}

#[expect(clippy::print_stdout, reason = "a command-line tool tells what it made")]
fn pack_program(name: &str, user: &str, arguments: &Arguments) -> anyhow::Result<()> {
    let binary = arguments.binaries.join(name);
    refuse_dynamic(&binary)?;
    let inside = format!("/{name}");
    let reference = format!("ghcr.io/safetp/{name}:{}", env!("CARGO_PKG_VERSION"));
    let image = Image {
        reference: &reference,
        files: &[File { path: &inside, source: &binary, mode: 0o755 }],
        entrypoint: &[&inside],
        user,
        labels: &[
            ("org.opencontainers.image.source", env!("CARGO_PKG_REPOSITORY")),
            ("org.opencontainers.image.version", env!("CARGO_PKG_VERSION")),
            ("org.opencontainers.image.licenses", env!("CARGO_PKG_LICENSE")),
        ],
    };
    let archive = arguments.out.join(format!("{name}.tar"));
    pack(&image, &archive)?;
    println!("{} holds {reference}", archive.display());
    Ok(())
}

/// An image from scratch has no dynamic loader: such a binary would only fail later, in the cluster, with a message
/// that names a file that is there ("no such file or directory").
fn refuse_dynamic(binary: &Path) -> anyhow::Result<()> {
    let content =
        std::fs::read(binary).with_context(|| format!("failed to read {}: run `make images`", binary.display()))?;
    let interpreter = b"/lib64/ld-linux";
    let dynamic = content.windows(interpreter.len()).take(4096).any(|window| window == interpreter);
    anyhow::ensure!(!dynamic, "{} is dynamically linked; run `make images`, which links statically", binary.display());
    Ok(())
}

//! The client's program, built with this crate: cargo does not tell a test where another crate's program is.

use std::process::ExitCode;

use clap::Parser as _;
use safetp_client::Args;

#[tokio::main]
async fn main() -> ExitCode {
    safetp_client::run(Args::parse()).await.into()
}

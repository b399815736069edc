//! The client's program.

use std::process::ExitCode;

use clap::Parser as _;
use safetp_client::Args;

#[tokio::main]
async fn main() -> ExitCode {
    safetp_client::run(Args::parse()).await.into()
}

//! `make demo`: the whole product at work, reported line by line.
//!
//! Without arguments it uses the project's own cluster. With `DEMO_CLUSTER=current` it uses the cluster of the user's
//! kubeconfig instead, after printing which one that is and what it needs there. `--check` only checks that it is
//! there.

mod place;
mod story;

use std::process::ExitCode;

use anyhow::{Result, bail};
use safetp_testbed::complain;

use crate::place::Place;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("the demo failed: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let place = place()?;
    match std::env::args().nth(1).as_deref() {
        None => story::run_demo(&place),
        Some("--check") => Ok(()),
        Some(other) => bail!("{other}: the demo takes no argument but --check"),
    }
}

fn place() -> Result<Place> {
    match std::env::var("DEMO_CLUSTER").as_deref() {
        Err(_) | Ok("") => Place::own(),
        Ok("current") => Place::current(),
        Ok(other) => {
            bail!("DEMO_CLUSTER={other}: unset it for the project's own cluster, or set it to `current` for yours")
        }
    }
}

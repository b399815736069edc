//! `make bench`: SafeTP (gateway and ftpd together) beside other FTP servers, in one run on one machine.
//!
//! Server and client each have a core of their own; the order of the servers changes from round to round; the table
//! shows medians. docs/performance.md says how, and what was found.

mod args;
mod cipher;
mod client;
mod kind;
mod load;
mod machine;
mod metric;
mod page;
mod place;
mod processes;
mod screen;
mod servers;
mod table;
mod turn;

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser as _;
use safetp_program::limits::raise_descriptor_limit;

use crate::{
    args::Args,
    kind::Kind,
    load::Part,
    screen::{complain, say},
    servers::Server,
    table::Column,
};

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("the benchmark failed: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<()> {
    // A thousand sessions are more open files than most shells allow; servers inherit the limit.
    raise_descriptor_limit().context("failed to raise the limit of open files")?;
    let kinds = args.kinds();
    let mut columns = kinds.iter().map(|kind| column(*kind, args)).collect::<Result<Vec<_>>>()?;
    let others = machine::Others::from_now()?;
    let load = args.load();
    let rounds = load.rounds;
    let mut ciphers = cipher::Rates::default();
    for round in 0..rounds {
        // The first of a round meets a machine that has just rested, so each server comes first in turn.
        for turn in 0..kinds.len() {
            let index = (round + turn) % kinds.len();
            let (Some(kind), Some(column)) = (kinds.get(index), columns.get_mut(index)) else { continue };
            say(&format!("round {} of {rounds}: {}", round + 1, kind.name()));
            column.samples.push(take_turn(*kind, args)?);
        }
        if args.parts().contains(&Part::Cipher) {
            ciphers.measure(load.cipher).context("failed to measure 3DES")?;
        }
    }
    let measured = format!(
        "{};\n{}.\n\n{}\n{}",
        machine::describe(rounds)?,
        others.share()?,
        table::render(&columns),
        ciphers.render()
    );
    say(&format!("\n{measured}"));
    args.page.as_deref().map_or(Ok(()), |page| page::write(page, &measured))
}

fn column(kind: Kind, args: &Args) -> Result<Column> {
    let version = servers::prepare(kind, args).with_context(|| format!("failed to get {}", kind.name()))?;
    Ok(Column { title: format!("{} {version}", kind.name()), ours: kind == Kind::Safetp, samples: Vec::new() })
}

fn take_turn(kind: Kind, args: &Args) -> Result<metric::Sample> {
    let server = Server::start(kind, args)?;
    let sample = turn::run(&args.load(), &server, args.parts())
        .with_context(|| format!("{} did not do its work", kind.name()))?;
    say(&format!("  {}", sample.in_one_line()));
    Ok(sample)
}

//! Every command of the README is run as it stands there, in its order.

use std::{os::unix::fs::PermissionsExt as _, process::Command};

use anyhow::{Result, ensure};
use safetp_e2e::{
    Host,
    clients::run,
    cluster::{Cluster, checkout},
    files::Workplace,
    scenario::README_MANIFEST,
};

const README: &str = include_str!("../../../../README.md");

/// The fenced blocks of a language.
fn blocks(language: &str) -> Vec<&'static str> {
    let fenced = README.split("```").skip(1).step_by(2);
    fenced.filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n')).collect()
}

#[test]
fn the_manifest_in_the_readme_is_the_example_word_for_word() -> Result<()> {
    ensure!(blocks("yaml") == [README_MANIFEST], "README.md and docs/examples/server.yaml differ");
    Ok(())
}

#[test]
fn the_commands_of_the_readme_work_as_they_stand() -> Result<()> {
    let cluster = Cluster::ready()?;
    let (whole_runs, steps): (Vec<_>, Vec<_>) = blocks("sh")
        .into_iter()
        .partition(|block| block.lines().all(|line| ["make demo", "make test"].contains(&line)));
    // These two run everything, this test among it: here it is only seen that `make` knows them.
    for command in whole_runs.iter().flat_map(|block| block.lines()) {
        run(Command::new("make").current_dir(checkout()).args(["-n", command.trim_start_matches("make ")]))?;
    }

    // The reader's own machine is outside of the cluster's network; here a host of the test bed stands for it.
    let workplace = Workplace::new()?;
    let namespace = Host::Far.namespace();
    let curl = format!("#!/bin/sh\nexec nsenter --net=/run/netns/{namespace} -- /usr/bin/curl \"$@\"\n");
    let curl = workplace.write("curl", curl.as_bytes())?;
    std::fs::set_permissions(&curl, std::fs::Permissions::from_mode(0o755))?;
    let programs = [workplace.path(""), checkout().join("target/testbed/bin")];
    let path = std::env::join_paths(programs.into_iter().chain(std::env::split_paths(&std::env::var("PATH")?)))?;

    let script = steps
        .join("\n")
        .replace("> ca.crt", "> \"$SCRATCH/ca.crt\"")
        .replace("--cacert ca.crt", "--cacert \"$SCRATCH/ca.crt\"");
    ensure!(steps.len() >= 2, "the README's blocks were not found");
    let mut bash = Command::new("bash");
    bash.args(["-euxc", &script]).current_dir(checkout()).env("PATH", path).env("SCRATCH", workplace.path(""));
    println!("{}", run(bash.env("KUBECONFIG", cluster.testbed().kubeconfig()))?);
    cluster.kubectl(&["delete", "namespace", "ftp", "--wait=false"])?;
    Ok(())
}

//! The steps of the demo: install, apply, learn the address, store and fetch.

use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use safetp_e2e::{
    clients::{Transcript, run, stdout},
    cluster::{OPERATOR_NAMESPACE, checkout},
    files::{Workplace, digest},
    scenario::PASSWORD,
};
use safetp_testbed::{say, seconds};

use crate::place::Place;

const MEBIBYTES: u64 = 64;

/// Runs them; each line is printed after its step.
pub(crate) fn run_demo(place: &Place) -> Result<()> {
    let begun = Instant::now();
    timed("images loaded", || place.bring_images())?;
    timed("operator installed by Helm", || install(place))?;
    let ready = timed("server and user Ready", || apply(place))?;
    say(&format!("  address learned from the load balancer: {} ({})", ready.address, ready.reason));
    say(&format!("  {}", ready.firewall));

    let workplace = Workplace::new()?;
    let (sent, received) = (workplace.random("sent", MEBIBYTES << 20)?, workplace.path("received"));
    let ca = workplace.write("ca.crt", ready.ca.as_bytes())?;
    let curl = Curl { place, ready: &ready, ca: &ca };
    let stored = timed(&format!("{MEBIBYTES} MiB stored by curl {}", place.client_is()), || curl.store(&sent))?;
    let fetched = timed(&format!("{MEBIBYTES} MiB fetched back"), || curl.fetch(&received))?;
    report(&ready, &Transcript(stored + &fetched), &sent, &received)?;
    say(&format!("done in {}", seconds(begun.elapsed())));
    Ok(())
}

/// The status of a Ready server.
struct Ready {
    address: String,
    control: String,
    reason: String,
    firewall: String,
    ca: String,
}

fn install(place: &Place) -> Result<()> {
    for (release, chart) in [("safetp-crds", "safetp-crds"), ("safetp", "safetp-operator")] {
        let mut helm = place.helm();
        helm.args(["upgrade", "--install", release]).arg(checkout().join("charts").join(chart));
        // An earlier demo may have set the values of a registry.
        helm.args(["--namespace", OPERATOR_NAMESPACE, "--create-namespace", "--wait", "--reset-values"]);
        if chart == "safetp-operator" {
            helm.args(place.image_values().iter().flat_map(|value| ["--set", value]));
        }
        run(&mut helm)?;
    }
    // The images keep their tag from build to build: pods of an earlier demo are restarted with this one's.
    for action in [&["rollout", "restart"][..], &["rollout", "status", "--timeout=180s"]] {
        let mut kubectl = place.kubectl();
        run(kubectl.args(action).args(["--namespace", OPERATOR_NAMESPACE, "deployment/safetp-operator"]))?;
    }
    Ok(())
}

fn apply(place: &Place) -> Result<Ready> {
    let manifest = checkout().join("docs/examples/server.yaml");
    run(place.kubectl().args(["apply", "-f", text(&checkout().join("docs/examples/namespace.yaml"))?]))?;
    run(place.kubectl().args(["apply", "-f", text(&manifest)?]))?;
    let mut wait = place.kubectl();
    wait.args(["wait", "--for=condition=Ready", "safetpserver/files", "safetpuser/alice", "-n", "ftp"]);
    run(wait.arg("--timeout=180s"))?;
    let field = |path: &str| {
        let path = format!("jsonpath={{{path}}}");
        stdout(place.kubectl().args(["get", "safetpserver", "files", "-n", "ftp", "-o", &path]))
    };
    let template = "go-template={{index .data \"ca.crt\" | base64decode}}";
    Ok(Ready {
        address: field(".status.address")?,
        control: field(".status.ports.control")?,
        reason: field(".status.addressReason")?,
        firewall: field(".status.firewall")?,
        ca: stdout(place.kubectl().args(["get", "secret", "files-ca", "-n", "ftp", "-o", template]))?,
    })
}

struct Curl<'a> {
    place: &'a Place,
    ready: &'a Ready,
    ca: &'a Path,
}

impl Curl<'_> {
    fn store(&self, sent: &Path) -> Result<String> {
        run(self.command()?.arg("--upload-file").arg(sent).arg(self.url()))
    }

    fn fetch(&self, received: &Path) -> Result<String> {
        run(self.command()?.arg("--output").arg(received).arg(self.url()))
    }

    /// PASV, and the announced address dialled as it is: a wrong one would fail here.
    fn command(&self) -> Result<Command> {
        let mut curl = self.place.client("curl");
        curl.args(["--verbose", "--silent", "--show-error", "--ssl-reqd", "--max-time", "300"]);
        curl.args(["--disable-epsv", "--no-ftp-skip-pasv-ip", "--cacert", text(self.ca)?]);
        curl.args(["--user", &format!("alice:{PASSWORD}")]);
        Ok(curl)
    }

    fn url(&self) -> String {
        format!("ftp://{}:{}/demo.bin", self.ready.address, self.ready.control)
    }
}

fn report(ready: &Ready, transcript: &Transcript, sent: &Path, received: &Path) -> Result<()> {
    let announced = transcript.announced();
    let right = !announced.is_empty() && announced.iter().all(|to| to.ip().to_string() == ready.address);
    ensure!(right, "PASV announced {announced:?}, not {}", ready.address);
    let dialled: Vec<_> = announced.iter().map(ToString::to_string).collect();
    say(&format!("  announced by PASV and dialled: {}", dialled.join(", ")));
    let (before, after) = (digest(sent)?, digest(received)?);
    ensure!(before == after, "SHA-256 sent {before}, received {after}");
    say(&format!("  SHA-256 sent and received: {after}"));
    let cipher = transcript.0.lines().find_map(|line| line.split_once("SSL connection using "));
    let (_, cipher) = cipher.context("curl reported no TLS connection")?;
    say(&format!("  certificate verified against the published CA; cipher {cipher}"));
    Ok(())
}

fn timed<T>(title: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let begun = Instant::now();
    let result = work().with_context(|| format!("this step failed: {title}"))?;
    let took: Duration = begun.elapsed();
    say(&format!("{title}: {}", seconds(took)));
    Ok(result)
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().with_context(|| format!("{} is not UTF-8", path.display()))
}

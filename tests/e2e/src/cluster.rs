//! The cluster with the product installed as users install it: by Helm, from the charts, with the images of this build.

use std::{
    io::Write as _,
    path::PathBuf,
    process::{Command, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow, ensure};
use safetp_testbed::Testbed;
use serde_json::Value;

use crate::clients::{run, stdout};

/// The operator's namespace.
pub const OPERATOR_NAMESPACE: &str = "safetp-system";
/// The images of one build.
pub const IMAGES: [&str; 3] = ["safetp-operator", "safetp-sidecar", "safetp-ftpd"];

/// A cluster in which the operator runs.
pub struct Cluster {
    testbed: Testbed,
}

impl Cluster {
    /// The cluster of this test run, with this build installed; installed at first use.
    pub fn ready() -> Result<&'static Self> {
        static CLUSTER: OnceLock<Result<Cluster, String>> = OnceLock::new();
        let installed = CLUSTER.get_or_init(|| Self::install().map_err(|error| format!("{error:#}")));
        installed.as_ref().map_err(|error| anyhow!("{error}"))
    }

    fn install() -> Result<Self> {
        let cluster = Self { testbed: Testbed::attach()? };
        // Before the first test: a later one could have just bound the volume.
        cluster.testbed.recycle_volumes()?;
        cluster.load_images()?;
        cluster.install_charts()?;
        Ok(cluster)
    }

    fn load_images(&self) -> Result<()> {
        for image in IMAGES {
            let archive = checkout().join(format!("target/images/{image}.tar"));
            ensure!(archive.exists(), "{} is missing: run `make images`", archive.display());
            self.testbed.load_image(&archive)?;
        }
        Ok(())
    }

    /// Installs both charts, as the README says, and waits for the operator. The images keep their tag from build to
    /// build, so running pods are restarted.
    fn install_charts(&self) -> Result<()> {
        let charts = checkout().join("charts");
        for (release, chart) in [("safetp-crds", "safetp-crds"), ("safetp", "safetp-operator")] {
            let mut helm = self.testbed.helm();
            helm.args(["upgrade", "--install", release]).arg(charts.join(chart));
            run(helm.args([
                "--namespace",
                OPERATOR_NAMESPACE,
                "--create-namespace",
                "--wait",
                "--timeout",
                "3m",
                "--reset-values",
            ]))?;
        }
        let strict = "pod-security.kubernetes.io/enforce=restricted";
        self.kubectl(&["label", "namespace", OPERATOR_NAMESPACE, strict, "--overwrite"])?;
        let deployment = "deployment/safetp-operator";
        self.kubectl(&["-n", OPERATOR_NAMESPACE, "rollout", "restart", deployment])?;
        self.kubectl(&["-n", OPERATOR_NAMESPACE, "rollout", "status", deployment, "--timeout=180s"])?;
        Ok(())
    }

    /// The test bed beneath.
    pub fn testbed(&self) -> &Testbed {
        &self.testbed
    }

    /// Runs `kubectl`; returns its output.
    pub fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        stdout(self.testbed.kubectl().args(arguments))
    }

    /// Runs a `kubectl` that must fail; returns its error output.
    pub fn kubectl_refused(&self, arguments: &[&str], input: &str) -> Result<String> {
        let output = fed(self.testbed.kubectl().args(arguments), input)?;
        ensure!(!output.status.success(), "kubectl {arguments:?} was accepted");
        Ok(String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// `kubectl apply` of a manifest.
    pub fn apply(&self, namespace: &str, manifest: &str) -> Result<()> {
        let output = fed(self.testbed.kubectl().args(["apply", "-n", namespace, "-f", "-"]), manifest)?;
        ensure!(output.status.success(), "kubectl apply failed: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    /// One object, or a list.
    pub fn get(&self, namespace: &str, what: &str) -> Result<Value> {
        let mut arguments = vec!["get", "-n", namespace, "-o", "json"];
        arguments.extend(what.split(' '));
        Ok(serde_json::from_str(&self.kubectl(&arguments)?)?)
    }

    /// Waits until `holds` returns something for an object; the error shows the object's last status.
    pub fn wait_for<T>(
        &self,
        namespace: &str,
        what: &str,
        wanted: &str,
        mut holds: impl FnMut(&Value) -> Option<T>,
    ) -> Result<T> {
        wait_until(|| {
            let object = self.get(namespace, what).unwrap_or_default();
            let status = || object.pointer("/status").unwrap_or(&object);
            holds(&object).with_context(|| {
                format!("timed out waiting for {wanted} in {what} of {namespace}; its status is {:#}", status())
            })
        })
    }
}

/// Looks again and again until it succeeds; returns its last error after [`PATIENCE`].
pub(crate) fn wait_until<T>(mut look: impl FnMut() -> Result<T>) -> Result<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match look() {
            Err(_) if Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(100)); // between two looks at a condition that has a deadline
            }
            ended => return ended,
        }
    }
}

/// The time that a test waits for a state of the cluster.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// The root of the checkout.
pub fn checkout() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn fed(command: &mut Command, input: &str) -> Result<std::process::Output> {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().context("failed to start kubectl")?;
    if let Some(mut pipe) = child.stdin.take() {
        pipe.write_all(input.as_bytes())?;
    }
    Ok(child.wait_with_output()?)
}

/// The condition of an object, as (status, reason, message).
pub fn condition<'a>(object: &'a Value, kind: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let conditions = object.pointer("/status/conditions")?.as_array()?;
    let found = conditions.iter().find(|condition| condition.get("type").is_some_and(|of| of == kind))?;
    let field = |name| found.get(name).and_then(Value::as_str).unwrap_or_default();
    Some((field("status"), field("reason"), field("message")))
}

/// Whether an object is Ready in its newest generation.
pub fn is_ready(object: &Value) -> bool {
    let current = object.pointer("/status/observedGeneration") == object.pointer("/metadata/generation");
    current && condition(object, "Ready").is_some_and(|(status, ..)| status == "True")
}

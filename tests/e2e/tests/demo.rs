//! `make demo DEMO_CLUSTER=current`, for people who have a cluster. The project's own cluster stands for theirs: the
//! demo knows it by a kubeconfig alone, from another host, and brings its images through a registry.

use anyhow::{Result, ensure};
use safetp_e2e::{
    Host,
    clients::{run, stdout},
    cluster::{IMAGES, OPERATOR_NAMESPACE, checkout},
};
use safetp_testbed::Testbed;

#[test]
fn the_demo_works_on_an_existing_cluster_with_images_from_a_registry() -> Result<()> {
    let testbed = Testbed::attach()?;
    let repository = format!("{}/strangers", testbed.registry()?);
    run(testbed.kubectl().args(["delete", "namespace", "ftp", "--ignore-not-found"]))?;
    testbed.recycle_volumes()?;

    let output = demo(&testbed, &repository)?;
    println!("{output}");
    ensure!(output.contains("SHA-256 sent and received"), "the demo did not finish");
    for (namespace, wanted) in [(OPERATOR_NAMESPACE, &IMAGES[..1]), ("ftp", &IMAGES[1..])] {
        let fields = "jsonpath={.items[*].spec['initContainers','containers'][*].image}";
        let used = stdout(testbed.kubectl().args(["get", "pods", "-n", namespace, "-o", fields]))?;
        for image in wanted {
            ensure!(
                used.contains(&format!("{repository}/{image}:")),
                "{namespace} runs {used}, not {image} of the registry"
            );
        }
    }

    // The next tests install their own images.
    run(testbed.kubectl().args(["delete", "namespace", "ftp"]))?;
    run(testbed.helm().args(["uninstall", "safetp", "--namespace", OPERATOR_NAMESPACE, "--wait"]))?;
    Ok(())
}

/// Runs the command as its user would: behind a firewall, with kubectl, helm and a kubeconfig of the administrator's.
fn demo(testbed: &Testbed, repository: &str) -> Result<String> {
    let programs = [checkout().join("target/testbed/bin")];
    let path = std::env::join_paths(programs.into_iter().chain(std::env::split_paths(&std::env::var("PATH")?)))?;
    let mut make = Host::Far.command("make");
    make.current_dir(checkout()).args(["demo", "DEMO_CLUSTER=current", &format!("IMAGE_REGISTRY={repository}")]);
    make.env("PATH", path).env("KUBECONFIG", testbed.remote_kubeconfig());
    run(make.env("SSL_CERT_FILE", testbed.registry_authority()))
}

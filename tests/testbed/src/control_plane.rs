//! etcd, the API server, the controller manager and the scheduler, all on the host `stp-cp`.

use std::{process::Command, time::Duration};

use crate::{
    credentials::API_PORT,
    error::Result,
    hosts::Host,
    kubectl::kubectl,
    layout::{Layout, state},
    network::{POD_RANGE, SERVICE_RANGE},
    processes,
};

/// Starts it and waits until the API server is ready.
pub(crate) fn start(layout: &Layout) -> Result<()> {
    processes::start(layout, "etcd", &mut etcd(layout))?;
    processes::start(layout, "kube-apiserver", &mut api_server(layout))?;
    processes::wait_ready(layout, "kube-apiserver", Duration::from_secs(60), || {
        kubectl(layout).args(["get", "--raw", "/readyz"]).output().is_ok_and(|output| output.status.success())
    })?;
    processes::start(layout, "kube-controller-manager", &mut controller_manager(layout))?;
    processes::start(layout, "kube-scheduler", &mut scheduler(layout))
}

fn program(layout: &Layout, name: &str, flags: &[String]) -> Command {
    let mut command = Host::ControlPlane.command(layout.program(name));
    command.args(flags);
    command
}

/// Without fsync: the cluster is made anew each time, so nothing has to survive a power cut.
fn etcd(layout: &Layout) -> Command {
    let flags = [
        format!("--data-dir={}", state("etcd").display()),
        "--unsafe-no-fsync".to_owned(),
        "--listen-client-urls=http://127.0.0.1:2379".to_owned(),
        "--advertise-client-urls=http://127.0.0.1:2379".to_owned(),
        "--listen-peer-urls=http://127.0.0.1:2380".to_owned(),
    ];
    program(layout, "etcd", &flags)
}

fn api_server(layout: &Layout) -> Command {
    let pki = |file: &str| state("pki").join(file).display().to_string();
    let flags = [
        "--etcd-servers=http://127.0.0.1:2379".to_owned(),
        format!("--advertise-address={}", Host::ControlPlane.address()),
        format!("--secure-port={API_PORT}"),
        format!("--tls-cert-file={}", pki("server.crt")),
        format!("--tls-private-key-file={}", pki("server.key")),
        format!("--client-ca-file={}", pki("ca.crt")),
        format!("--kubelet-client-certificate={}", pki("kubelet-client.crt")),
        format!("--kubelet-client-key={}", pki("kubelet-client.key")),
        format!("--token-auth-file={}", pki("tokens.csv")),
        "--authorization-mode=Node,RBAC".to_owned(),
        "--allow-privileged".to_owned(),
        format!("--service-cluster-ip-range={SERVICE_RANGE}"),
        format!("--service-account-key-file={}", pki("accounts.pub")),
        format!("--service-account-signing-key-file={}", pki("accounts.key")),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        // Else the API server looks a node's name up, which nothing here answers, and `kubectl logs` hangs.
        "--kubelet-preferred-address-types=InternalIP".to_owned(),
    ];
    program(layout, "kube-apiserver", &flags)
}

fn controller_manager(layout: &Layout) -> Command {
    let flags = [
        format!("--kubeconfig={}", state("pki/controller-manager.kubeconfig").display()),
        format!("--root-ca-file={}", state("pki/ca.crt").display()),
        format!("--service-account-private-key-file={}", state("pki/accounts.key").display()),
        "--use-service-account-credentials".to_owned(),
        format!("--cluster-cidr={POD_RANGE}"),
        "--allocate-node-cidrs=false".to_owned(), // each node's range is fixed: see network.rs
        "--leader-elect=false".to_owned(),
    ];
    program(layout, "kube-controller-manager", &flags)
}

fn scheduler(layout: &Layout) -> Command {
    let flags =
        [format!("--kubeconfig={}", state("pki/scheduler.kubeconfig").display()), "--leader-elect=false".to_owned()];
    program(layout, "kube-scheduler", &flags)
}

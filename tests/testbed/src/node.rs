//! A node: containerd, kubelet and kube-proxy in one host, with folders, sockets and cgroups of its own.

use std::{path::PathBuf, process::Command, time::Duration};

use serde_json::json;

use crate::{
    cgroups,
    error::{Error, Result},
    hosts::Host,
    layout::{Layout, create_folder, run, state, write},
    network::{POD_RANGE, pod_range},
    processes, registry,
};

/// The sandbox image of both nodes.
pub(crate) const PAUSE: &str = "localhost/safetp-testbed/pause:1";

/// The nodes of the cluster.
pub(crate) const NODES: [Host; 2] = [Host::Node1, Host::Node2];

/// The name by which Kubernetes knows a node.
pub(crate) fn name(node: Host) -> &'static str {
    if node == Host::Node1 { "node1" } else { "node2" }
}

/// The socket of the node's containerd.
pub(crate) fn socket(node: Host) -> PathBuf {
    run(name(node)).join("containerd.sock")
}

/// Starts the node's containerd and waits until it answers.
pub(crate) fn start_containerd(layout: &Layout, node: Host) -> Result<()> {
    cgroups::create(node)?;
    create_folder(&run(name(node)))?;
    let folder = state(name(node));
    write(&folder.join("cni/10-pods.conflist"), network_config(node))?;
    write(&folder.join("containerd.toml"), containerd_config(layout, node))?;
    write(&folder.join("registries").join(registry::address()).join("hosts.toml"), registry::hosts_config())?;
    let mut containerd = node.command(layout.program("containerd"));
    // It finds its shim and runc by the search path.
    containerd.env("PATH", search_path(layout)).arg("--config").arg(folder.join("containerd.toml"));
    let log = format!("containerd-{}", name(node));
    processes::start(layout, &log, &mut containerd)?;
    processes::wait_ready(layout, &log, Duration::from_secs(30), || {
        ctr(layout, node).arg("version").output().is_ok_and(|output| output.status.success())
    })
}

/// Starts the node's kubelet and kube-proxy.
pub(crate) fn start_kubelet(layout: &Layout, node: Host) -> Result<()> {
    let folder = state(name(node));
    write(&folder.join("kubelet.yaml"), yaml(&kubelet_config(node))?)?;
    write(&folder.join("kube-proxy.yaml"), yaml(&proxy_config(node))?)?;

    let mut kubelet = node.command(layout.program("kubelet"));
    kubelet.env("PATH", search_path(layout));
    kubelet.args([
        format!("--config={}", folder.join("kubelet.yaml").display()),
        format!("--kubeconfig={}", kubeconfig(name(node))),
        format!("--hostname-override={}", name(node)),
        format!("--node-ip={}", node.address()),
        format!("--root-dir={}", folder.join("kubelet").display()),
        format!("--cert-dir={}", folder.join("kubelet-pki").display()),
    ]);
    processes::start(layout, &format!("kubelet-{}", name(node)), &mut kubelet)?;

    let mut proxy = node.command(layout.program("kube-proxy"));
    proxy.arg(format!("--config={}", folder.join("kube-proxy.yaml").display()));
    processes::start(layout, &format!("kube-proxy-{}", name(node)), &mut proxy)
}

/// A `ctr` that talks to the node's containerd, where the kubelet's images are.
pub(crate) fn ctr(layout: &Layout, node: Host) -> Command {
    let mut ctr = Command::new(layout.program("ctr"));
    ctr.arg("--address").arg(socket(node)).args(["--namespace", "k8s.io"]);
    ctr
}

fn kubeconfig(user: &str) -> String {
    state("pki").join(format!("{user}.kubeconfig")).display().to_string()
}

fn search_path(layout: &Layout) -> String {
    format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", layout.bin().display())
}

/// `restrict_oom_score_adj`: without `CAP_SYS_RESOURCE` a lower score is refused, and every sandbox dies with "can't
/// get final child's PID from pipe". Namespaces are mounted below the state, so that clearing that clears them.
fn containerd_config(layout: &Layout, node: Host) -> String {
    let (run, state) = (run(name(node)), state(name(node)));
    let (run, state) = (run.display(), state.display());
    let runc = layout.program("runc");
    let runc = runc.display();
    format!(
        r#"version = 3
root = "{state}/containerd"
state = "{run}/containerd"
[grpc]
address = "{run}/containerd.sock"
[ttrpc]
address = "{run}/containerd.sock.ttrpc"
[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = "{PAUSE}"
[plugins.'io.containerd.cri.v1.images'.registry]
config_path = "{state}/registries"
[plugins.'io.containerd.cri.v1.runtime']
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true
[plugins.'io.containerd.cri.v1.runtime'.cni]
bin_dirs = ["/usr/lib/cni"]
conf_dir = "{state}/cni"
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
SystemdCgroup = false
BinaryName = "{runc}"
"#
    )
}

fn network_config(node: Host) -> String {
    let data = state(name(node)).join("cni-addresses");
    json!({
        "cniVersion": "1.0.0",
        "name": "pods",
        "plugins": [
            {
                "type": "ptp",
                "ipam": {
                    "type": "host-local",
                    "ranges": [[{ "subnet": pod_range(node) }]],
                    "routes": [{ "dst": "0.0.0.0/0" }],
                    "dataDir": data,
                },
            },
            { "type": "portmap", "capabilities": { "portMappings": true } },
        ],
    })
    .to_string()
}

fn kubelet_config(node: Host) -> serde_json::Value {
    json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": { "enabled": false },
            "webhook": { "enabled": true },
            "x509": { "clientCAFile": state("pki/ca.crt") },
        },
        "authorization": { "mode": "Webhook" },
        "cgroupDriver": "cgroupfs",
        "clusterDNS": ["10.96.0.10"], // nothing listens there: nothing here looks names up
        "cgroupRoot": format!("/{}", node.namespace()),
        "containerRuntimeEndpoint": format!("unix://{}", socket(node).display()),
        "enforceNodeAllocatable": [],
        "failCgroupV1": false,
        "failSwapOn": false,
        "podLogsDir": state(name(node)).join("pod-logs"),
        "evictionHard": { "nodefs.available": "1%", "imagefs.available": "1%", "memory.available": "100Mi" },
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        // An image that was pulled once, from the test bed's registry, no longer counts as brought to the node: the
        // kubelet would pull it again under its other name, from a registry that does not exist.
        "imagePullCredentialsVerificationPolicy": "NeverVerify",
        "localStorageCapacityIsolation": false,
        "maxPods": 200,
    })
}

fn proxy_config(node: Host) -> serde_json::Value {
    json!({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": { "kubeconfig": kubeconfig("kube-proxy") },
        "clusterCIDR": POD_RANGE,
        "conntrack": { "maxPerCore": 0, "min": 0 }, // that sysctl is read-only in a namespace
        "hostnameOverride": name(node),
        "mode": "nftables",
    })
}

/// Block YAML: the kubelet and kube-proxy take a file that begins with a brace for JSON of a stricter kind.
fn yaml(config: &serde_json::Value) -> Result<String> {
    serde_yaml::to_string(config)
        .map_err(|error| Error::Failed { doing: "write a node's configuration".to_owned(), detail: error.to_string() })
}

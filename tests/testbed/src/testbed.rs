//! The cluster of one machine: started, found and taken down.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Command,
};

use rustix::fs::{FlockOperation, flock};

use crate::{
    cleanup, control_plane, credentials,
    error::{Doing as _, Error, Result},
    forward, images,
    kubectl::{kubectl, wait},
    layout::{Layout, run, state, write},
    metallb, network,
    node::{self, NODES},
    packages, processes, programs,
    progress::{say, step},
    registry, storage,
};

/// The programs of a whole cluster. Where one was not started, or has ended, the cluster is started anew.
const PROCESSES: [&str; 11] = [
    "forward",
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "containerd-node1",
    "containerd-node2",
    "kubelet-node1",
    "kubelet-node2",
    "kube-proxy-node1",
    "kube-proxy-node2",
];

/// The cluster of this machine.
#[derive(Clone, Debug)]
pub struct Testbed {
    layout: Layout,
}

impl Testbed {
    /// Makes sure that the cluster runs: builds its programs where they are missing and starts it where it does not
    /// run.
    ///
    /// `testbed` is the path of the program `testbed`, which serves as the cluster's forwarder (see [`forward`]) and
    /// outlives the caller. The library cannot find it by itself: `current_exe` is whatever program uses the library.
    pub fn up(testbed: &Path) -> Result<Self> {
        let forwarder = testbed;
        let testbed = Self { layout: Layout::of_checkout() };
        packages::require_root()?;
        let _lock = lock()?;
        testbed.layout.create_folders()?;
        packages::install(&testbed.layout, &packages::CLUSTER)?;
        programs::build(&testbed.layout, &programs::CLUSTER)?;
        if testbed.is_up() {
            say("the cluster is running already");
            storage::recycle(&testbed.layout)?;
            return Ok(testbed);
        }
        testbed.start(forwarder)?;
        Ok(testbed)
    }

    /// The cluster that `up` started from this checkout.
    pub fn attach() -> Result<Self> {
        let testbed = Self { layout: Layout::of_checkout() };
        if testbed.is_up() {
            return Ok(testbed);
        }
        Err(Error::Missing("no cluster of this checkout is running: start it with `make cluster`".to_owned()))
    }

    /// Takes down the cluster of this machine, complete or not.
    pub fn down() -> Result<()> {
        packages::require_root()?;
        let _lock = lock()?;
        step("taking the cluster down", cleanup::all)
    }

    /// Whether the cluster runs, whole, and belongs to this checkout.
    pub fn is_up(&self) -> bool {
        std::fs::read(owner()).is_ok_and(|path| path == self.owned_by())
            && PROCESSES.into_iter().all(processes::running)
            && kubectl(&self.layout)
                .args(["get", "--raw", "/readyz"])
                .output()
                .is_ok_and(|output| output.status.success())
    }

    /// Its paths.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The administrator's kubeconfig, usable from the machine itself.
    pub fn kubeconfig(&self) -> PathBuf {
        self.layout.kubeconfig()
    }

    /// `kubectl` as the administrator.
    pub fn kubectl(&self) -> Command {
        kubectl(&self.layout)
    }

    /// `helm` as the administrator.
    pub fn helm(&self) -> Command {
        let mut helm = Command::new(self.layout.program("helm"));
        helm.env("KUBECONFIG", self.kubeconfig());
        helm
    }

    /// Loads an image archive into both nodes, in place of an image of the same name.
    pub fn load_image(&self, archive: &Path) -> Result<()> {
        images::load(&self.layout, archive)
    }

    /// Offers the volumes again whose claims are gone, emptied.
    pub fn recycle_volumes(&self) -> Result<()> {
        storage::recycle(&self.layout)
    }

    /// Starts a registry of images that both nodes pull from; returns its `host:port`, reachable from every host of the
    /// test bed. Built and started at first use; it ends with the cluster.
    pub fn registry(&self) -> Result<String> {
        let _lock = lock()?;
        packages::install(&self.layout, &["skopeo"])?;
        programs::build(&self.layout, &[programs::REGISTRY])?;
        registry::start(&self.layout)?;
        Ok(registry::address())
    }

    /// The CA of the registry's certificate, PEM.
    pub fn registry_authority(&self) -> PathBuf {
        registry::authority()
    }

    /// The administrator's kubeconfig for other hosts: with the API server's own address.
    pub fn remote_kubeconfig(&self) -> PathBuf {
        state("pki/admin.kubeconfig")
    }

    fn start(&self, forwarder: &Path) -> Result<()> {
        let layout = &self.layout;
        step("removing the remains of an earlier run", cleanup::all)?;
        layout.create_folders()?;
        let port = forward::free_port()?;
        step("network and credentials", || {
            network::create()?;
            credentials::create(layout, port)?;
            self.start_forward(forwarder, port)
        })?;
        step("control plane", || control_plane::start(layout))?;
        step("nodes", || {
            NODES.into_iter().try_for_each(|node| node::start_containerd(layout, node))?;
            images::load_own(layout)?;
            NODES.into_iter().try_for_each(|node| node::start_kubelet(layout, node))?;
            self.wait_for_nodes()
        })?;
        step("load balancer and volumes", || {
            metallb::install(layout)?;
            storage::install(layout)?;
            metallb::wait_ready(layout)
        })?;
        write(&owner(), self.owned_by())?;
        say(&format!("the cluster is running; KUBECONFIG={}", self.kubeconfig().display()));
        Ok(())
    }

    fn start_forward(&self, forwarder: &Path, port: u16) -> Result<()> {
        let mut forward = Command::new(forwarder);
        processes::start(&self.layout, "forward", forward.args(["forward", "--port", &port.to_string()]))
    }

    /// `kubectl wait` fails for a node that has not registered yet, so the first wait is for its object.
    fn wait_for_nodes(&self) -> Result<()> {
        for node in NODES.map(|node| format!("node/{}", node::name(node))) {
            wait(&self.layout, &["--for=create", &node])?;
            wait(&self.layout, &["--for=condition=Ready", &node])?;
        }
        Ok(())
    }

    fn owned_by(&self) -> Vec<u8> {
        self.layout.kubeconfig().into_os_string().into_encoded_bytes()
    }
}

/// Names the checkout whose cluster runs; written last, so that a start that was cut short does not count.
fn owner() -> PathBuf {
    run("owner")
}

/// Held while a cluster is started or ended: beside the folder that cleaning removes.
fn lock() -> Result<File> {
    let file = File::create("/run/safetp-testbed.lock").doing("open the test bed's lock")?;
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        say("waiting for another run of the test bed ...");
        flock(&file, FlockOperation::LockExclusive).doing("lock the test bed")?;
    }
    Ok(file)
}

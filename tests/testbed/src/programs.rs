//! The programs of the cluster, built from the pinned Go modules in `go/`.
//!
//! A program is keyed by everything that decides its content (module files with their checksums, flags, Go's version),
//! and kept under that key in the user's cache, so that another checkout builds nothing again.

use std::{
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use sha2::{Digest as _, Sha256};

use crate::{
    command::{capture, logged},
    error::{Doing as _, Error, Result},
    layout::{Layout, create_folder},
    progress::{say, seconds, step},
};

/// One program, and about how long it takes to build on two cores with nothing cached.
pub(crate) struct Program {
    name: &'static str,
    family: &'static Family,
    package: &'static str,
    seconds: u64,
}

/// Programs of one Go module share its flags.
struct Family {
    module: &'static str,
    cgo: &'static str,
    tags: &'static str,
    linker: &'static str,
}

/// Without its version stamped in, the API server calls itself v0.0.0-master and clients refuse features.
const KUBERNETES: Family = Family {
    module: "kubernetes",
    cgo: "0",
    tags: "",
    linker: "-s -w -X k8s.io/component-base/version.gitVersion=v1.36.3 \
             -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=36",
};
const ETCD: Family = Family { module: "etcd", ..PLAIN };
const CONTAINERD: Family = Family { module: "containerd", ..PLAIN };
const METALLB: Family = Family { module: "metallb", ..PLAIN };
const DISTRIBUTION: Family = Family { module: "registry", ..PLAIN };
const HELM: Family = Family { module: "helm", ..PLAIN };
const PLAIN: Family = Family { module: "", cgo: "0", tags: "", linker: "-s -w" };
/// runc enters namespaces in C before Go starts, and filters system calls by libseccomp.
const RUNC: Family =
    Family { module: "runc", cgo: "1", tags: "seccomp netgo osusergo", linker: "-s -w -extldflags -static" };

/// The programs of every cluster.
pub(crate) const CLUSTER: [Program; 14] = [
    Program {
        name: "kube-apiserver",
        family: &KUBERNETES,
        package: "k8s.io/kubernetes/cmd/kube-apiserver",
        seconds: 250,
    },
    Program {
        name: "kube-controller-manager",
        family: &KUBERNETES,
        package: "k8s.io/kubernetes/cmd/kube-controller-manager",
        seconds: 60,
    },
    Program {
        name: "kube-scheduler",
        family: &KUBERNETES,
        package: "k8s.io/kubernetes/cmd/kube-scheduler",
        seconds: 6,
    },
    Program { name: "kubelet", family: &KUBERNETES, package: "k8s.io/kubernetes/cmd/kubelet", seconds: 17 },
    Program { name: "kube-proxy", family: &KUBERNETES, package: "k8s.io/kubernetes/cmd/kube-proxy", seconds: 7 },
    Program { name: "kubectl", family: &KUBERNETES, package: "k8s.io/kubernetes/cmd/kubectl", seconds: 22 },
    Program { name: "etcd", family: &ETCD, package: "go.etcd.io/etcd/server/v3", seconds: 40 },
    Program {
        name: "containerd",
        family: &CONTAINERD,
        package: "github.com/containerd/containerd/v2/cmd/containerd",
        seconds: 60,
    },
    Program {
        name: "containerd-shim-runc-v2",
        family: &CONTAINERD,
        package: "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
        seconds: 2,
    },
    Program { name: "ctr", family: &CONTAINERD, package: "github.com/containerd/containerd/v2/cmd/ctr", seconds: 4 },
    Program { name: "runc", family: &RUNC, package: "github.com/opencontainers/runc", seconds: 16 },
    Program { name: "metallb-controller", family: &METALLB, package: "go.universe.tf/metallb/controller", seconds: 85 },
    Program { name: "metallb-speaker", family: &METALLB, package: "go.universe.tf/metallb/speaker", seconds: 8 },
    Program { name: "helm", family: &HELM, package: "helm.sh/helm/v4/cmd/helm", seconds: 105 },
];

/// The registry: only the tests that bring images through one need it.
pub(crate) const REGISTRY: Program = Program {
    name: "registry",
    family: &DISTRIBUTION,
    package: "github.com/distribution/distribution/v3/cmd/registry",
    seconds: 60,
};

/// Builds those of `programs` that are not in the cache, and links all of them into the checkout's
/// `target/testbed/bin`.
pub(crate) fn build(layout: &Layout, programs: &[Program]) -> Result<()> {
    let go = go_version()?;
    let mut missing = Vec::new();
    for program in programs {
        let cached = program.cached(layout, &go)?;
        if cached.exists() {
            link(&cached, &layout.program(program.name))?;
        } else {
            missing.push((program, cached));
        }
    }
    let mut left: u64 = missing.iter().map(|(program, _)| program.seconds).sum();
    for (number, (program, cached)) in missing.iter().enumerate() {
        let of = missing.len();
        let rest = seconds(Duration::from_secs(left));
        step(&format!("[{}/{of}] building {} (at most {rest} left)", number + 1, program.name), || {
            program.build(layout, cached)
        })?;
        link(cached, &layout.program(program.name))?;
        left -= program.seconds;
    }
    if missing.is_empty() && programs.len() > 1 {
        say("the cluster's programs are already built");
    }
    Ok(())
}

/// The folder of a Go module's source, for the files that programs bring along.
pub(crate) fn module_source(layout: &Layout, family: &str, module: &str) -> Result<PathBuf> {
    let mut go = go(&layout.module(family));
    let found = capture(&format!("find the source of {module}"), go.args(["list", "-m", "-f", "{{.Dir}}", module]))?;
    Ok(found.trim().into())
}

impl Program {
    fn cached(&self, layout: &Layout, go: &str) -> Result<PathBuf> {
        let mut key = Sha256::new();
        for file in ["go.mod", "go.sum"] {
            let path = layout.module(self.family.module).join(file);
            key.update(std::fs::read(&path).doing(format_args!("read {}", path.display()))?);
        }
        for part in [go, self.package, self.family.cgo, self.family.tags, self.family.linker] {
            key.update(part);
        }
        let key = hex::encode(key.finalize());
        Ok(cache()?.join(format!("{}-{}", self.name, key.get(..16).unwrap_or(&key))))
    }

    fn build(&self, layout: &Layout, cached: &Path) -> Result<()> {
        let partial = cached.with_extension("partial");
        let mut go = go(&layout.module(self.family.module));
        go.env("CGO_ENABLED", self.family.cgo).args(["build", "-mod=readonly", "-trimpath", "-buildvcs=false"]);
        go.args(["-tags", self.family.tags, "-ldflags", self.family.linker, "-o"]).arg(&partial).arg(self.package);
        logged(&format!("build {}", self.name), &mut go, &layout.log(&format!("build-{}", self.name)))?;
        std::fs::rename(&partial, cached).doing(format_args!("keep {}", cached.display()))
    }
}

fn go(module: &Path) -> Command {
    let mut go = Command::new("go");
    go.current_dir(module).env("GOTOOLCHAIN", "local").env("GOFLAGS", "");
    go
}

fn go_version() -> Result<String> {
    let asked = Command::new("go").arg("version").output();
    let missing = "Go is missing: the cluster is built from source and needs Go 1.26 or newer (https://go.dev/dl)";
    asked.map_or_else(
        |_| Err(Error::Missing(missing.to_owned())),
        |output| Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
    )
}

fn cache() -> Result<PathBuf> {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home);
    let folder = base.unwrap_or_else(std::env::temp_dir).join("safetp-testbed");
    create_folder(&folder)?;
    Ok(folder)
}

fn link(cached: &Path, program: &Path) -> Result<()> {
    if std::fs::read_link(program).is_ok_and(|old| old == cached) {
        return Ok(());
    }
    let fresh = program.with_extension("new");
    std::fs::remove_file(&fresh).or_else(ignore_absent).doing("replace a link")?;
    symlink(cached, &fresh)
        .and_then(|()| std::fs::rename(&fresh, program))
        .doing(format_args!("link {}", program.display()))
}

fn ignore_absent(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

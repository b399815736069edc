//! The demo's cluster: the project's own, or the one that the user's kubeconfig names.

use std::{path::Path, process::Command};

use anyhow::{Context as _, Result, ensure};
use safetp_e2e::{
    clients::stdout,
    cluster::{IMAGES, checkout},
};
use safetp_testbed::{Host, Testbed, say};

/// A cluster, and a host to be a client on.
pub(crate) enum Place {
    /// The project's own, with a client behind a NAT firewall.
    Own(Testbed),
    /// The user's; the client is this machine.
    Current {
        /// The registry that the images are pushed to, if there is one.
        registry: Option<String>,
        /// The kubeconfig's context, whose name shows how images are loaded.
        context: String,
    },
}

impl Place {
    /// The project's own cluster, which `make demo` has started.
    pub(crate) fn own() -> Result<Self> {
        Ok(Self::Own(Testbed::attach()?))
    }

    /// Checks the user's cluster, and prints its name and what it must have.
    pub(crate) fn current() -> Result<Self> {
        let context = stdout(Command::new("kubectl").args(["config", "current-context"]))
            .context("DEMO_CLUSTER=current needs kubectl, helm and a kubeconfig with a current context")?;
        let context = context.trim().to_owned();
        say(&format!("using the cluster of context {context}; it needs a load balancer and a default StorageClass"));
        let classes = stdout(Command::new("kubectl").args(["get", "storageclass", "-o", "yaml"]))?;
        ensure!(
            classes.contains("is-default-class: \"true\""),
            "context {context} has no default StorageClass: mark one with the annotation \
             storageclass.kubernetes.io/is-default-class=true"
        );
        let registry = std::env::var("IMAGE_REGISTRY").ok();
        stdout(Command::new("helm").arg("version")).context("DEMO_CLUSTER=current needs helm")?;
        let loader_program = if registry.is_some() { "skopeo" } else { loader(&context)?.0 };
        stdout(Command::new(loader_program).arg(version_of(loader_program)))
            .with_context(|| format!("{loader_program} loads the images into context {context}: install it"))?;
        Ok(Self::Current { registry, context })
    }

    /// `kubectl` for this cluster.
    pub(crate) fn kubectl(&self) -> Command {
        match self {
            Self::Own(testbed) => testbed.kubectl(),
            Self::Current { .. } => Command::new("kubectl"),
        }
    }

    /// `helm` for this cluster.
    pub(crate) fn helm(&self) -> Command {
        match self {
            Self::Own(testbed) => testbed.helm(),
            Self::Current { .. } => Command::new("helm"),
        }
    }

    /// The client's location, in words.
    pub(crate) fn client_is(&self) -> &'static str {
        match self {
            Self::Own(_) => "behind a NAT firewall",
            Self::Current { .. } => "on this machine",
        }
    }

    /// A command on the client's host.
    pub(crate) fn client(&self, program: &str) -> Command {
        match self {
            Self::Own(_) => Host::Far.command(program),
            Self::Current { .. } => Command::new(program),
        }
    }

    /// Brings the images of this build to the cluster or its registry.
    pub(crate) fn bring_images(&self) -> Result<()> {
        for image in IMAGES {
            let archive = checkout().join(format!("target/images/{image}.tar"));
            match self {
                Self::Own(testbed) => testbed.load_image(&archive)?,
                Self::Current { registry, context } => bring(image, &archive, registry.as_deref(), context)?,
            }
        }
        Ok(())
    }

    /// Chart values for images in a registry. Their tag stays the same from build to build, so nodes that have an older
    /// image must pull again.
    pub(crate) fn image_values(&self) -> Vec<String> {
        let Self::Current { registry: Some(registry), .. } = self else { return Vec::new() };
        let value = |(key, image): (&str, &str)| format!("{key}.repository={registry}/{image}");
        let images = [("image", IMAGES[0]), ("gateway.image", IMAGES[1]), ("ftpd.image", IMAGES[2])];
        images.map(value).into_iter().chain(["imagePullPolicy=Always".to_owned()]).collect()
    }
}

fn bring(image: &str, archive: &Path, registry: Option<&str>, context: &str) -> Result<()> {
    let mut command = if let Some(registry) = registry {
        let mut skopeo = Command::new("skopeo");
        skopeo.arg("copy").arg(format!("oci-archive:{}", archive.display()));
        skopeo.arg(format!("docker://{registry}/{image}:{}", env!("CARGO_PKG_VERSION")));
        skopeo
    } else {
        let (program, arguments) = loader(context)?;
        let mut command = Command::new(program);
        command.args(arguments).arg(archive);
        command
    };
    stdout(&mut command).map(drop)
}

/// The program that loads an archive into a cluster on this machine, and its arguments before the archive.
fn loader(context: &str) -> Result<(&'static str, Vec<&str>)> {
    if let Some(name) = context.strip_prefix("kind-") {
        return Ok(("kind", vec!["load", "image-archive", "--name", name]));
    }
    if let Some(name) = context.strip_prefix("k3d-") {
        return Ok(("k3d", vec!["image", "import", "--cluster", name]));
    }
    ensure!(
        context == "minikube",
        "context {context} is not one of kind, k3d or minikube: set IMAGE_REGISTRY to a registry that you can push to \
         (with skopeo) and the cluster can pull from"
    );
    Ok(("minikube", vec!["image", "load"]))
}

fn version_of(program: &str) -> &'static str {
    if program == "skopeo" { "--version" } else { "version" }
}

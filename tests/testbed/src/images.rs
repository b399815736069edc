//! Images of the test bed's own, packed from programs at hand, and archives that are loaded into the nodes.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use safetp_images::{File, Image, pack};

use crate::{
    command::{capture, logged},
    error::{Error, Result},
    layout::Layout,
    node::{NODES, PAUSE, ctr},
    programs::module_source,
};

/// A shell for tests that look at things from inside a pod.
pub const BUSYBOX: &str = "localhost/safetp-testbed/busybox:1";
/// The load balancer's controller.
pub(crate) const METALLB_CONTROLLER: &str = "localhost/safetp-testbed/metallb-controller:1";
/// The load balancer's speaker.
pub(crate) const METALLB_SPEAKER: &str = "localhost/safetp-testbed/metallb-speaker:1";

/// Packs the test bed's images and loads them into both nodes.
pub(crate) fn load_own(layout: &Layout) -> Result<()> {
    let pause = layout.images().join("pause");
    if !pause.exists() {
        compile_pause(layout, &pause)?;
    }
    let own = [
        (PAUSE, "/pause", pause, "65535:65535"),
        (BUSYBOX, "/bin/sh", PathBuf::from("/bin/busybox"), "65532:65532"),
        (METALLB_CONTROLLER, "/controller", layout.program("metallb-controller"), "65534:65534"),
        (METALLB_SPEAKER, "/speaker", layout.program("metallb-speaker"), "0:0"),
    ];
    for (reference, inside, source, user) in own {
        let archive = layout.images().join(format!("{}.tar", inside.trim_start_matches('/').replace('/', "-")));
        let files = [File { path: inside, source: &source, mode: 0o755 }];
        let image = Image { reference, files: &files, entrypoint: &[inside], user, labels: &[] };
        pack(&image, &archive)
            .map_err(|error| Error::Failed { doing: format!("pack {reference}"), detail: error.to_string() })?;
        load(layout, &archive)?;
    }
    Ok(())
}

/// Loads an archive into both nodes, in place of an image of the same name.
pub(crate) fn load(layout: &Layout, archive: &Path) -> Result<()> {
    for node in NODES {
        let mut import = ctr(layout, node);
        import.args(["images", "import", "--digests=false"]).arg(archive);
        capture(&format!("load {} into {}", archive.display(), node.namespace()), &mut import)?;
    }
    Ok(())
}

fn compile_pause(layout: &Layout, pause: &Path) -> Result<()> {
    let source = module_source(layout, "kubernetes", "k8s.io/kubernetes")?.join("build/pause/linux/pause.c");
    let mut gcc = Command::new("gcc");
    gcc.args(["-Os", "-Wall", "-static", "-DVERSION=testbed", "-o"]).arg(pause).arg(source);
    logged("compile the sandbox's program", &mut gcc, &layout.log("build-pause"))
}

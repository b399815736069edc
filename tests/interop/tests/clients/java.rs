//! Apache Commons Net, on Java's own TLS (JSSE).

use std::{fs, path::Path, sync::OnceLock, time::SystemTime};

use safetp_pod::{PASSWORD, Program};

use super::{BOTH_PASSIVES, Client, TLS, ftplib::arguments};
use crate::{
    case::{Case, Protection},
    program::{builds, sources},
    stage::Stage,
};

pub(super) const CLIENT: Client = Client {
    name: "Apache Commons Net",
    protections: TLS,
    reuses: &[true, false],
    passives: BOTH_PASSIVES,
    closes_uploads: true,
    program,
    remark,
};

fn remark(protection: Protection, reuse: bool) -> &'static str {
    match (protection, reuse) {
        (Protection::Tls13, true) => "by reflection; keeps one ticket and uses it once; a download brings the next",
        (_, true) => "by reflection, as `ResumingClient.java` in `tests/interop` does",
        (_, false) => "as it comes: it resumes by host and port, so where a data port comes again",
    }
}

fn program(stage: &Stage, case: Case) -> Program {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(build);
    let class_path = format!("{}:{}/*", builds("java/classes").display(), builds("java/lib").display());
    let mut java = Program::new("java", &stage.here());
    // Runs are short: compile little, and share the two cores with other tests.
    java.args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto"]);
    if case.reuse {
        java.args(["--add-opens", "java.base/sun.security.ssl=ALL-UNNAMED"]);
        java.args(["--add-opens", "java.base/sun.security.util=ALL-UNNAMED"]);
    }
    java.args(["-cp", &class_path, "io.safetp.interop.Session"]);
    java.args(arguments(stage, case)).env("SAFETP_PASSWORD", PASSWORD);
    java
}

/// Maven takes seconds to find that there is nothing to do, so it is not asked.
fn build() {
    let built = modified(&builds("java/classes/io/safetp/interop/Session.class"));
    let package = fs::read_dir(sources("java/src/main/java/io/safetp/interop")).unwrap();
    let newest = package.map(|file| modified(&file.unwrap().path())).max().unwrap();
    if built > newest.max(modified(&sources("java/pom.xml"))) {
        return;
    }
    let mut maven = Program::new("mvn", &sources("java"));
    maven.env("HOME", std::env::var_os("HOME").unwrap_or_default());
    maven.args(["--quiet", "--batch-mode", "package"]);
    maven.args([format!("-Dinterop.builds={}", builds("java").display())]).run().is_done();
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

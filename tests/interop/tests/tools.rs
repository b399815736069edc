//! Programs that connect as often as they like, or do not show their dialogue: what they store, fetch and list.

use std::fs;

use safetp_config::gateway::{DataBinding, Mechanism};
use safetp_pod::{Completed, PASSWORD, Program, USER};

use crate::{
    page,
    program::sources,
    stage::{FILES, HOST, Stage},
};

/// A tool, and how it is used.
struct Tool {
    /// As in the page.
    name: &'static str,
    /// Stores [`FILES`], if it can.
    store: Option<fn(&Stage) -> Completed>,
    /// Fetches them as `got-NAME`, and writes a listing to standard output.
    fetch: fn(&Stage) -> Completed,
    /// Whether it refuses a certificate of another authority.
    verifies: bool,
    remark: &'static str,
}

const RCLONE: Tool = Tool {
    name: "rclone",
    store: Some(|stage| rclone(stage, &["copy", ".", ":ftp:"])),
    fetch: |stage| {
        rclone(stage, &["copy", ":ftp:", "got"]).is_done();
        for (name, _) in FILES {
            fs::rename(stage.here().join("got").join(name), stage.here().join(format!("got-{name}"))).unwrap();
        }
        rclone(stage, &["lsf", ":ftp:"])
    },
    verifies: true,
    remark: "`explicit_tls`; the authority by `SSL_CERT_FILE`",
};

const PHP: Tool = Tool {
    name: "PHP",
    store: Some(php),
    fetch: php,
    verifies: false,
    remark: "`ftp_ssl_connect`, which verifies no certificate: a man in the middle can read the password",
};

const WGET: Tool = Tool {
    name: "wget",
    store: None,
    fetch: |stage| {
        for (name, _) in FILES {
            wget(stage, &format!("--output-document=got-{name}"), name).is_done();
        }
        wget(stage, "--output-document=-", "")
    },
    verifies: true,
    remark: "fetches only",
};

#[test]
fn rclone_does_what_the_page_says() {
    RCLONE.check();
}

#[test]
fn php_does_what_the_page_says() {
    PHP.check();
}

#[test]
fn wget_does_what_the_page_says() {
    WGET.check();
}

impl Tool {
    fn check(&self) {
        self.refuses_another_authority();
        let offered = self.run(DataBinding::WhenOffered);
        assert_eq!(offered, Ok(()), "{}: WhenOffered must work for every client", self.name);
        let required = if self.run(DataBinding::Required).is_ok() { "works" } else { "refused" };
        let (stores, authority) = (self.store.map_or("no", |_| "yes"), if self.verifies { "refused" } else { "taken" });
        let row = format!("| {} | {stores} | yes | yes | {authority} | {required} | {} |", self.name, self.remark);
        page::TOOLS.check(self.name, &[row.replace("  |", " |")]);
    }

    fn run(&self, binding: DataBinding) -> Result<(), String> {
        let stage = Stage::new(Mechanism::Tls, binding);
        let result = |run: Completed| if run.is_success() { Ok(run) } else { Err(run.err) };
        match self.store {
            Some(store) => drop(result(store(&stage))?),
            None => put_there(&stage),
        }
        let listed = result((self.fetch)(&stage))?;
        for (name, _) in FILES {
            let sent = fs::read(stage.here().join(name)).unwrap();
            assert!(fs::read(stage.pod.alice(name)).unwrap() == sent, "{} stored {name} otherwise", self.name);
            let got = fs::read(stage.here().join(format!("got-{name}"))).unwrap();
            assert!(got == sent, "{} fetched {name} otherwise", self.name);
            assert!(listed.text().contains(name), "{name} is not listed\n{}", listed.text());
        }
        Ok(())
    }

    fn refuses_another_authority(&self) {
        let stage = Stage::new(Mechanism::Tls, DataBinding::WhenOffered);
        let other = Stage::new(Mechanism::Tls, DataBinding::WhenOffered);
        fs::copy(other.pod.ca_file(), stage.pod.ca_file()).unwrap();
        put_there(&stage);
        let run = self.store.unwrap_or(|stage| wget(stage, "--output-document=got", FILES[1].0))(&stage);
        assert_eq!(stage.logins() == 0 && !run.is_success(), self.verifies, "{}\n{}", self.name, run.err);
    }
}

/// For a client that cannot store them.
fn put_there(stage: &Stage) {
    fs::create_dir_all(stage.pod.alice("")).unwrap();
    for (name, _) in FILES {
        fs::copy(stage.here().join(name), stage.pod.alice(name)).unwrap();
    }
}

fn rclone(stage: &Stage, arguments: &[&str]) -> Completed {
    let mut obscure = Program::new("rclone", &stage.here());
    let password = obscure.args(["obscure", PASSWORD]).run();
    let mut rclone = Program::new("rclone", &stage.here());
    rclone.env("SSL_CERT_FILE", stage.pod.ca_file()).env("RCLONE_FTP_PASS", password.text().trim());
    rclone.env("RCLONE_FTP_HOST", HOST).env("RCLONE_FTP_PORT", stage.port()).env("RCLONE_FTP_USER", USER);
    rclone.env("RCLONE_FTP_EXPLICIT_TLS", "true").args(["--config=", "--retries=1"]).args(arguments).run()
}

/// Stores, fetches and lists in one.
fn php(stage: &Stage) -> Completed {
    let mut php = Program::new("php", &stage.here());
    php.args([sources("php/session.php")]).args([HOST, &stage.port(), USER]).args(FILES.map(|(name, _)| name));
    php.env("SAFETP_PASSWORD", PASSWORD).run()
}

fn wget(stage: &Stage, output: &str, name: &str) -> Completed {
    let mut wget = Program::new("wget", &stage.here());
    wget.args(["--no-config", "--no-verbose", "--tries=1", "--timeout=20", output]);
    wget.args([format!("--ca-certificate={}", stage.pod.ca_file().display()), format!("--user={USER}")]);
    wget.args([format!("--password={PASSWORD}"), format!("ftps://{HOST}:{}/{name}", stage.port())]).run()
}

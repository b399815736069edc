//! The clients that people use, each storing one file and fetching it back, with the dialogue that they print.

use std::{net::SocketAddr, path::Path, process::Command};

use anyhow::{Context as _, Result, ensure};
use safetp_ftps::Passive;
use safetp_protocol::endpoint::{read_epsv_reply, read_pasv_reply};
use safetp_testbed::Host;

/// A client program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// curl.
    Curl,
    /// lftp.
    Lftp,
    /// Python's ftplib.
    Ftplib,
}

/// The server of a client, and the login.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The client's host.
    pub host: Host,
    /// The address and control port from the server's status.
    pub server: SocketAddr,
    /// The published CA, a PEM file; none for plain FTP.
    pub ca: Option<&'a Path>,
    /// The login name.
    pub user: &'a str,
    /// The password.
    pub password: &'a str,
}

/// The dialogue that a client printed.
#[derive(Clone, Debug)]
pub struct Transcript(pub String);

impl Transcript {
    /// Every address that a 227 reply announced.
    pub fn announced(&self) -> Vec<SocketAddr> {
        self.replies("227 ").filter_map(read_pasv_reply).map(SocketAddr::V4).collect()
    }

    /// Every port that a 229 reply announced.
    pub fn extended(&self) -> Vec<u16> {
        self.replies("229 ").filter_map(read_epsv_reply).collect()
    }

    fn replies<'a>(&'a self, code: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.0.lines().filter(move |line| line.contains(code)).map(str::as_bytes)
    }
}

impl Client {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Curl, Self::Lftp, Self::Ftplib];

    /// Stores `local` under `remote` and fetches it into `fetched`.
    pub fn store_and_fetch(
        self,
        target: Target<'_>,
        passive: Passive,
        local: &Path,
        remote: &str,
        fetched: &Path,
    ) -> Result<Transcript> {
        let job = Job { target, passive, local, remote, fetched };
        match self {
            Self::Curl => job.curl(),
            Self::Lftp => job.lftp(),
            Self::Ftplib => job.ftplib(),
        }
    }
}

struct Job<'a> {
    target: Target<'a>,
    passive: Passive,
    local: &'a Path,
    remote: &'a str,
    fetched: &'a Path,
}

impl Job<'_> {
    fn curl(&self) -> Result<Transcript> {
        let stored = self.curl_once(&["--upload-file", path(self.local)?])?;
        let fetched = self.curl_once(&["--output", path(self.fetched)?])?;
        Ok(Transcript(stored + &fetched))
    }

    fn curl_once(&self, direction: &[&str]) -> Result<String> {
        let Target { host, server, ca, user, password } = self.target;
        let mut curl = host.command("curl");
        curl.args(["--verbose", "--silent", "--show-error", "--max-time", "120"]);
        curl.args(["--user", &format!("{user}:{password}")]);
        if let Some(ca) = ca {
            curl.args(["--ssl-reqd", "--cacert", path(ca)?]);
        }
        curl.args(match self.passive {
            Passive::Epsv => ["--ftp-pasv"].as_slice(),
            Passive::Pasv => &["--disable-epsv", "--no-ftp-skip-pasv-ip"],
        });
        curl.args(direction).arg(format!("ftp://{server}/{}", self.remote));
        run(&mut curl)
    }

    fn lftp(&self) -> Result<Transcript> {
        let Target { host, server, ca, user, password } = self.target;
        let script = [
            "debug -o /dev/stdout 9".to_owned(),
            "set cmd:fail-exit yes; set net:max-retries 1; set net:timeout 60".to_owned(),
            "set ftp:fix-pasv-address no".to_owned(),
            match ca {
                None => "set ftp:ssl-allow no".to_owned(),
                Some(ca) => format!(
                    "set ftp:ssl-force yes; set ftp:ssl-protect-data yes; set ssl:verify-certificate yes; \
                     set ssl:ca-file {}",
                    path(ca)?
                ),
            },
            format!("set ftp:prefer-epsv {}", if self.passive == Passive::Epsv { "yes" } else { "no" }),
            format!("open -u {user},\"{password}\" ftp://{server}"),
            format!("put {} -o {}", path(self.local)?, self.remote),
            format!("get {} -o {}", self.remote, path(self.fetched)?),
        ];
        run(host.command("lftp").args(["-c", &script.join("; ")])).map(Transcript)
    }

    fn ftplib(&self) -> Result<Transcript> {
        let Target { host, server, ca, user, password } = self.target;
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/clients/transfer.py");
        let mode = if self.passive == Passive::Epsv { "epsv" } else { "pasv" };
        let mut python = host.command("python3");
        python.env("SAFETP_PASSWORD", password).args([script, &server.ip().to_string(), &server.port().to_string()]);
        python.args([ca.map_or(Ok("-"), path)?, user, mode, path(self.local)?, self.remote, path(self.fetched)?]);
        run(&mut python).map(Transcript)
    }
}

fn path(path: &Path) -> Result<&str> {
    path.to_str().with_context(|| format!("{} is not UTF-8", path.display()))
}

/// Runs a command to its end; returns both of its outputs as one text. A failure shows them.
pub fn run(command: &mut Command) -> Result<String> {
    let [stdout, stderr] = outputs(command)?;
    Ok(stdout + &stderr)
}

/// Runs a command to its end; returns its standard output alone.
pub fn stdout(command: &mut Command) -> Result<String> {
    outputs(command).map(|[stdout, _]| stdout)
}

fn outputs(command: &mut Command) -> Result<[String; 2]> {
    let output = command.output().with_context(|| format!("failed to start {command:?}"))?;
    let texts = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let program = command.get_program().to_string_lossy().into_owned();
    ensure!(output.status.success(), "{program} failed ({}):\n{}", output.status, texts.concat());
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn announcements_are_found_in_the_dialogue_of_each_client() {
        let curl =
            "< 227 Entering Passive Mode (203,0,113,200,109,96).\n< 229 Entering Extended Passive Mode (|||28001|)\n";
        let lftp = "<--- 227 Entering Passive Mode (203,0,113,200,109,96).\n<--- 226 Done.\n";
        let ftplib =
            "*resp* '229 Entering Extended Passive Mode (|||28001|)'\n*resp* '227 Entering (203,0,113,200,109)'\n";
        let address = SocketAddr::from(([203, 0, 113, 200], 28000));
        let found = [curl, lftp, ftplib].map(|text| {
            let transcript = Transcript(text.to_owned());
            (transcript.announced(), transcript.extended())
        });
        assert_eq!(found, [(vec![address], vec![28001]), (vec![address], vec![]), (vec![], vec![28001])]);
    }
}

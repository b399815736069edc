//! A lean FTP client over TLS, the same for every server: passive by EPSV, PROT P, certificates verified, and the
//! control connection's session resumed on each data connection.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, ensure};
use rustls::crypto::aws_lc_rs::cipher_suite;
use rustls_pki_types::CertificateDer;
use safetp_ftps::{Data, Session, Tls, Trust};

/// The login that every server knows.
pub(crate) const USER: &str = "alice";
/// Its password.
pub(crate) const PASSWORD: &str = "correct horse";
/// The name in the certificate.
pub(crate) const HOST: &str = "files.example.org";
/// Octets given to TLS, or taken from it, at once.
const CHUNK: usize = 256 * 1024;
/// Octets read from the socket at once.
const READ_AHEAD: usize = 128 * 1024;

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Version {
    /// TLS 1.2 (RFC 5246).
    #[value(name = "1.2")]
    Tls12,
    /// TLS 1.3 (RFC 8446).
    #[value(name = "1.3")]
    Tls13,
}

/// The address of one server, and what to expect of it.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    address: SocketAddr,
    tls: Tls,
    /// Whether the server lets data connections resume the control connection's session.
    resumes: bool,
}

/// A session that is logged in, with PROT P and TYPE I.
pub(crate) struct Client {
    session: Session,
    resumes: bool,
}

impl Target {
    /// A server on loopback. Offers one cipher suite only, which all servers choose if they may: AES-256-GCM.
    pub(crate) fn new(port: u16, certificate: &CertificateDer<'_>, version: Version, resumes: bool) -> Result<Self> {
        let mut tls = Tls::new(Trust::certificate(certificate)?, HOST)?;
        match version {
            Version::Tls12 => {
                tls.only_suite(&rustls::version::TLS12, cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384)?;
            }
            Version::Tls13 => tls.only_suite(&rustls::version::TLS13, cipher_suite::TLS13_AES_256_GCM_SHA384)?,
        }
        Ok(Self { address: SocketAddr::from(([127, 0, 0, 1], port)), tls, resumes })
    }

    /// Whether the server greets.
    pub(crate) fn greets(&self) -> bool {
        self.connect().is_ok()
    }

    /// Connects, does the handshake, and logs in.
    pub(crate) fn log_in(&self) -> Result<Client> {
        let mut session = self.connect()?;
        session.secure()?;
        session.log_in(USER, PASSWORD)?;
        Ok(Client { session, resumes: self.resumes })
    }

    /// A session that has been greeted. It resumes no other session's TLS: each client is new to the server.
    fn connect(&self) -> Result<Session> {
        let mut session = Session::connect(self.address, self.tls.forgetful_copy())?;
        session.read_ahead = READ_AHEAD;
        session.expect(220)?;
        Ok(session)
    }
}

impl Client {
    /// Fetches a file and drops its octets; returns how many they were.
    pub(crate) fn download(&mut self, name: &str) -> Result<u64> {
        let mut data = self.open(&format!("RETR {name}"))?;
        let mut buffer = vec![0; CHUNK];
        let mut total = 0;
        loop {
            match data.read(&mut buffer).context("the download broke off")? {
                0 => break,
                count => total += count as u64,
            }
        }
        data.finish();
        self.session.expect(226)?;
        Ok(total)
    }

    /// Stores `length` octets.
    pub(crate) fn upload(&mut self, name: &str, length: u64) -> Result<()> {
        let mut data = self.open(&format!("STOR {name}"))?;
        let octets: Vec<u8> = (0..=u8::MAX).cycle().take(CHUNK).collect();
        let mut left = length;
        while left > 0 {
            let count = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
            data.write_all(octets.get(..count).unwrap_or_default()).context("the upload broke off")?;
            left -= count as u64;
        }
        data.finish();
        self.session.expect(226)?;
        Ok(())
    }

    /// Ends the session in order.
    pub(crate) fn quit(self) -> Result<()> {
        self.session.quit()
    }

    fn open(&mut self, command: &str) -> Result<Data> {
        let data = self.session.open(command)?;
        let (resumed, expected) = (data.resumed(), self.resumes);
        ensure!(resumed == expected, "a data connection resumed the session: {resumed}, expected {expected}");
        Ok(data)
    }
}

//! A lean FTP client over TLS, the same for every server: passive by EPSV, PROT P, certificates verified, and the control
//! connection's session resumed on each data connection.

use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use rustls::{ClientConfig, HandshakeKind, RootCertStore, client::Resumption, crypto::aws_lc_rs::cipher_suite};
use rustls_pki_types::CertificateDer;
use safetp_protocol::reply::{Reply, ReplyDecoder};

use self::tls::{TlsStream, handshake};

mod tls;

/// The login that every server knows.
pub(crate) const USER: &str = "alice";
/// Its password.
pub(crate) const PASSWORD: &str = "correct horse";
/// The name in the certificate.
pub(crate) const HOST: &str = "files.example.org";
/// Longer than anything takes, so that a server that hangs ends the run.
const PATIENCE: Duration = Duration::from_secs(30);
/// How much is given to TLS, or taken from it, at once.
const CHUNK: usize = 256 * 1024;

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

/// Whom the client believes, and how it speaks TLS.
#[derive(Clone, Debug)]
pub(crate) struct Trust {
    config: ClientConfig,
    /// Whether the server lets data connections resume the control connection's session.
    resumes: bool,
}

/// A session that is logged in, with PROT P and TYPE I.
pub(crate) struct Client {
    address: SocketAddr,
    control: TlsStream,
    replies: ReplyDecoder,
    tls: Arc<ClientConfig>,
    resumes: bool,
}

impl Trust {
    /// Offers one cipher suite only, which all servers choose if they may: AES-256-GCM.
    pub(crate) fn of(certificate: CertificateDer<'static>, version: Version, resumes: bool) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(certificate)?;
        let (version, suite) = match version {
            Version::Tls12 => (&rustls::version::TLS12, cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384),
            Version::Tls13 => (&rustls::version::TLS13, cipher_suite::TLS13_AES_256_GCM_SHA384),
        };
        let mut provider = rustls::crypto::aws_lc_rs::default_provider();
        provider.cipher_suites = vec![suite];
        let builder = ClientConfig::builder_with_provider(Arc::new(provider)).with_protocol_versions(&[version])?;
        Ok(Self { config: builder.with_root_certificates(roots).with_no_client_auth(), resumes })
    }

    /// A memory of tickets for one session alone: a new client is a stranger.
    fn for_one_session(&self) -> Arc<ClientConfig> {
        let mut config = self.config.clone();
        config.resumption = Resumption::in_memory_sessions(8);
        Arc::new(config)
    }
}

impl Client {
    /// Connects, does the handshake, and logs in.
    pub(crate) fn login(port: u16, trust: &Trust) -> Result<Self> {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let mut stream = dial(address)?;
        let mut replies = ReplyDecoder::default();
        expect(&mut stream, &mut replies, 220)?;
        stream.write_all(b"AUTH TLS\r\n")?;
        expect(&mut stream, &mut replies, 234)?;
        let tls = trust.for_one_session();
        let control = handshake(stream, &tls).context("failed to protect the control connection")?;
        let mut client = Self { address, control, replies, tls, resumes: trust.resumes };
        client.ask("PBSZ 0", 200)?;
        client.ask("PROT P", 200)?;
        client.ask(&format!("USER {USER}"), 331)?;
        client.ask(&format!("PASS {PASSWORD}"), 230)?;
        client.ask("TYPE I", 200)?;
        Ok(client)
    }

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
        self.expect(226)?;
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
        self.expect(226)?;
        Ok(())
    }

    /// Ends the session in order.
    pub(crate) fn quit(mut self) -> Result<()> {
        self.ask("QUIT", 221)?;
        self.control.finish();
        Ok(())
    }

    /// EPSV, the connection, the command, its 150, the handshake.
    fn open(&mut self, command: &str) -> Result<TlsStream> {
        let reply = self.ask("EPSV", 229)?;
        let text = String::from_utf8_lossy(reply.text()).into_owned();
        let port = text.split('|').nth(3).and_then(|port| port.parse().ok());
        let port = port.with_context(|| format!("no port in `{text}`"))?;
        let stream = dial(SocketAddr::new(self.address.ip(), port))?;
        self.ask(command, 150)?;
        let stream = handshake(stream, &self.tls).context("failed to protect a data connection")?;
        let resumed = stream.kind() == Some(HandshakeKind::Resumed);
        ensure!(resumed == self.resumes, "whether a data connection resumed the session: {resumed}");
        Ok(stream)
    }

    fn ask(&mut self, command: &str, code: u16) -> Result<Reply> {
        self.control.write_all(format!("{command}\r\n").as_bytes())?;
        self.expect(code).with_context(|| format!("after {}", command.split(' ').next().unwrap_or_default()))
    }

    fn expect(&mut self, code: u16) -> Result<Reply> {
        expect(&mut self.control, &mut self.replies, code)
    }
}

/// Whether something greets on this port.
pub(crate) fn greets(port: u16) -> bool {
    let greeting = || -> Result<Reply> {
        let mut stream = dial(SocketAddr::from(([127, 0, 0, 1], port)))?;
        expect(&mut stream, &mut ReplyDecoder::default(), 220)
    };
    greeting().is_ok()
}

fn dial(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn expect(stream: &mut impl io::Read, replies: &mut ReplyDecoder, code: u16) -> Result<Reply> {
    let mut buffer = [0; 1024];
    loop {
        if let Some(reply) = replies.next_reply().map_err(|error| anyhow!("no reply came: {error}"))? {
            let text = String::from_utf8_lossy(reply.text()).into_owned();
            ensure!(reply.code().number() == code, "got `{} {text}` instead of {code}", reply.code());
            return Ok(reply);
        }
        match stream.read(&mut buffer)? {
            0 => bail!("the connection ended instead of a {code}"),
            count => replies.push(buffer.get(..count).unwrap_or_default()),
        }
    }
}

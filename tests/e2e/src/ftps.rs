//! A small FTPS client that shows every reply: what the tests need to see, where real clients look away.
//!
//! Most clients ignore the address in a 227 reply and connect to the control connection's peer, so a transfer that
//! works says nothing about it. This one hands the announced address out, and dials exactly that.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject as _};

use safetp_testbed::Host;

/// How long a test waits for any single reply before it fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// A reply: its code, and its text without the code, lines joined by `\n`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// RFC 959's three digits.
    pub code: u16,
    /// What follows them.
    pub text: String,
}

enum Channel {
    Clear(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Channel {
    fn stream(&mut self) -> &mut dyn ReadWrite {
        match self {
            Self::Clear(tcp) => tcp,
            Self::Tls(tls) => tls.as_mut(),
        }
    }

    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Clear(tcp) => tcp,
            Self::Tls(tls) => &tls.sock,
        }
    }
}

trait ReadWrite: Read + Write {}
impl<T: Read + Write> ReadWrite for T {}

/// One session.
pub struct Session {
    host: Host,
    name: ServerName<'static>,
    channel: Channel,
    tls: Arc<ClientConfig>,
    buffer: Vec<u8>,
}

/// A data connection.
pub type Data = StreamOwned<ClientConnection, TcpStream>;

impl Session {
    /// Connects from `host` in the clear and reads the greeting; `ca` is PEM.
    pub fn connect(host: Host, server: SocketAddr, ca: &[u8]) -> Result<(Self, Reply)> {
        let tcp = host.connect(server)?;
        tcp.set_read_timeout(Some(PATIENCE))?;
        let channel = Channel::Clear(tcp);
        let name = ServerName::IpAddress(server.ip().into());
        let mut session = Self { host, name, channel, tls: client_config(ca)?, buffer: Vec::new() };
        let greeting = session.reply()?;
        Ok((session, greeting))
    }

    /// Connects, secures the control channel and logs in, PROT P included.
    pub fn login(host: Host, server: SocketAddr, ca: &[u8], user: &str, password: &str) -> Result<Self> {
        let (mut session, greeting) = Self::connect(host, server, ca)?;
        ensure!(greeting.code == 220, "greeted by {greeting:?}");
        session.secure_and_log_in(user, password)?;
        Ok(session)
    }

    /// The rest of a login: AUTH TLS to TYPE I.
    pub fn secure_and_log_in(&mut self, user: &str, password: &str) -> Result<()> {
        self.secure()?;
        self.expect("PBSZ 0", 200)?;
        self.expect("PROT P", 200)?;
        self.expect(&format!("USER {user}"), 331)?;
        self.expect(&format!("PASS {password}"), 230)?;
        self.expect("TYPE I", 200)?;
        Ok(())
    }

    /// Expects the certificate to name `name` instead of the address that was dialled.
    pub fn expect_name(&mut self, name: &str) -> Result<()> {
        self.name = ServerName::try_from(name.to_owned())?;
        Ok(())
    }

    /// AUTH TLS and the handshake, verifying the certificate for the name that is expected.
    pub fn secure(&mut self) -> Result<()> {
        self.expect("AUTH TLS", 234)?;
        let Channel::Clear(tcp) = &self.channel else { bail!("the channel is protected already") };
        let tls = self.handshake(tcp.try_clone()?)?;
        self.channel = Channel::Tls(Box::new(tls));
        Ok(())
    }

    /// The client's side of a handshake on a data connection.
    pub fn handshake(&self, tcp: TcpStream) -> Result<Data> {
        let mut tls = StreamOwned::new(ClientConnection::new(Arc::clone(&self.tls), self.name.clone())?, tcp);
        while tls.conn.is_handshaking() {
            tls.conn.complete_io(&mut tls.sock).context("TLS handshake failed")?;
        }
        Ok(tls)
    }

    /// Sends a command and reads its reply.
    pub fn command(&mut self, line: &str) -> Result<Reply> {
        self.send(line)?;
        self.reply()
    }

    /// Sends a command whose reply must have `code`.
    pub fn expect(&mut self, line: &str, code: u16) -> Result<Reply> {
        let reply = self.command(line)?;
        let shown = if line.starts_with("PASS") { "PASS ..." } else { line };
        ensure!(reply.code == code, "{shown} was answered by {reply:?}, not by {code}");
        Ok(reply)
    }

    /// Sends octets as they are, without waiting.
    pub fn send_raw(&mut self, octets: &[u8]) -> Result<()> {
        self.channel.stream().write_all(octets)?;
        Ok(self.channel.stream().flush()?)
    }

    /// Sends a command without waiting for its reply.
    pub fn send(&mut self, line: &str) -> Result<()> {
        self.send_raw(format!("{line}\r\n").as_bytes())
    }

    /// Reads the next reply.
    pub fn reply(&mut self) -> Result<Reply> {
        let first = self.line()?;
        let code =
            first.get(..3).and_then(|digits| digits.parse().ok()).with_context(|| format!("no reply: {first}"))?;
        let mut lines = vec![first.get(4..).unwrap_or_default().to_owned()];
        if first.as_bytes().get(3) == Some(&b'-') {
            let end = format!("{code} ");
            loop {
                let line = self.line()?;
                let last = line.starts_with(&end);
                lines.push(if last { line.get(4..).unwrap_or_default().to_owned() } else { line });
                if last {
                    break;
                }
            }
        }
        Ok(Reply { code, text: lines.join("\n") })
    }

    fn line(&mut self) -> Result<String> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|window| window == b"\r\n") {
                let line = self.buffer.drain(..end + 2).take(end).collect();
                return Ok(String::from_utf8(line)?);
            }
            let mut chunk = [0; 4096];
            let count = self.channel.stream().read(&mut chunk).context("no reply came")?;
            ensure!(count > 0, "the server closed the control connection");
            self.buffer.extend(chunk.iter().take(count));
        }
    }

    /// PASV: the announced address and port.
    pub fn passive(&mut self) -> Result<SocketAddr> {
        let reply = self.expect("PASV", 227)?;
        announced(&reply.text).with_context(|| format!("no address in {reply:?}"))
    }

    /// EPSV: the announced port.
    pub fn extended_passive(&mut self) -> Result<u16> {
        let reply = self.expect("EPSV", 229)?;
        extended(&reply.text).with_context(|| format!("no port in {reply:?}"))
    }

    /// Dials `address` as a data connection, in the clear.
    pub fn dial(&self, address: SocketAddr) -> Result<TcpStream> {
        let tcp = self.host.connect(address)?;
        tcp.set_read_timeout(Some(PATIENCE))?;
        tcp.set_write_timeout(Some(PATIENCE))?;
        Ok(tcp)
    }

    /// PASV, a transfer command, and the protected data connection that belongs to it.
    pub fn transfer(&mut self, command: &str) -> Result<Data> {
        let address = self.passive()?;
        let tcp = self.dial(address)?;
        self.expect(command, 150)?;
        self.handshake(tcp)
    }

    /// Fetches a file whole.
    pub fn fetch(&mut self, path: &str) -> Result<Vec<u8>> {
        let mut data = self.transfer(&format!("RETR {path}"))?;
        let mut content = Vec::new();
        data.read_to_end(&mut content)?;
        drop(data);
        self.ends_with(226)?;
        Ok(content)
    }

    /// Stores a file whole.
    pub fn store(&mut self, path: &str, content: &[u8]) -> Result<()> {
        let mut data = self.transfer(&format!("STOR {path}"))?;
        data.write_all(content)?;
        finish(data)?;
        self.ends_with(226)
    }

    /// Reads the final reply of a transfer, which must be `code`.
    pub fn ends_with(&mut self, code: u16) -> Result<()> {
        let reply = self.reply()?;
        ensure!(reply.code == code, "the transfer ended with {reply:?}, not with {code}");
        Ok(())
    }

    /// The address that the control connection comes from.
    pub fn local(&self) -> Result<SocketAddr> {
        Ok(self.channel.tcp().local_addr()?)
    }
}

/// Ends an upload as TLS asks for it: `close_notify`, the end of the stream, and then reading to the server's own end. A
/// socket that is closed with something unread in it (a session ticket, say) is reset, and what was still on its way to
/// the server is lost with it.
pub fn finish(mut data: Data) -> Result<()> {
    data.conn.send_close_notify();
    data.conn.complete_io(&mut data.sock)?;
    data.sock.shutdown(std::net::Shutdown::Write)?;
    std::io::copy(&mut data.sock, &mut std::io::sink())?;
    Ok(())
}

fn client_config(ca: &[u8]) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca) {
        roots.add(certificate.context("the published CA is no PEM certificate")?)?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// The address in the text of a 227 reply (RFC 959 §4.1.2).
pub fn announced(text: &str) -> Option<SocketAddr> {
    let inside = text.split_once('(')?.1.split_once(')')?.0;
    let octets: Vec<u8> = inside.split(',').map(|number| number.trim().parse().ok()).collect::<Option<_>>()?;
    let [a, b, c, d, high, low] = octets.try_into().ok()?;
    Some(SocketAddr::from(([a, b, c, d], u16::from_be_bytes([high, low]))))
}

/// The port in the text of a 229 reply (RFC 2428 §3).
pub fn extended(text: &str) -> Option<u16> {
    text.split_once("(|||")?.1.split_once("|)")?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announced_address_is_read_as_clients_read_it() {
        let reply = "Entering Passive Mode (203,0,113,200,109,96).";
        assert_eq!(announced(reply), Some(SocketAddr::from(([203, 0, 113, 200], 28000))));
        assert_eq!(announced("Entering Passive Mode (203,0,113,200,109)"), None);
        assert_eq!(extended("Entering Extended Passive Mode (|||28001|)"), Some(28001));
    }
}

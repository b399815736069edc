//! The control connection: commands, their replies, and the data connections that they ask for.

use std::{
    fmt,
    io::{self, Write as _},
    net::{SocketAddr, TcpStream},
};

use anyhow::{Context as _, Result, ensure};
use safetp_protocol::{
    endpoint::{read_epsv_reply, read_pasv_reply},
    reply::ReplyDecoder,
};

use crate::{
    Data, NoReply, Reply, Tls, replies,
    stream::{PATIENCE, Stream},
};

/// Opens the client's connections: from another network than the test's own, for example.
pub type Dialer = Box<dyn Fn(SocketAddr) -> io::Result<TcpStream> + Send + Sync>;

/// The command by which a client asks for data connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passive {
    /// PASV (RFC 959), and a connection to exactly the address that is announced. Most clients ignore it and connect to
    /// the control connection's peer, so that a transfer of theirs says nothing about it.
    Pasv,
    /// EPSV (RFC 2428).
    Epsv,
}

/// One session.
pub struct Session {
    server: SocketAddr,
    dialer: Dialer,
    stream: Stream,
    replies: ReplyDecoder,
    /// The settings of the handshakes to come.
    pub tls: Tls,
    /// Whether data connections begin with a handshake: after that of the control connection, unless a test sets it.
    pub protect_data: bool,
    /// How [`Session::open`] asks for a port: by EPSV, unless a test sets it.
    pub passive: Passive,
    /// Octets that data connections read from their socket at once. 0, so that a slow reader is as slow as the test
    /// says, unless the benchmark sets it, whose client must not be what slows a server down.
    pub read_ahead: usize,
}

impl Session {
    /// Connects. Nothing has been said or read yet, the greeting neither.
    pub fn connect(server: SocketAddr, tls: Tls) -> io::Result<Self> {
        Self::connect_by(Box::new(|to| TcpStream::connect_timeout(&to, PATIENCE)), server, tls)
    }

    /// As [`Session::connect`], with all connections opened by `dialer`.
    pub fn connect_by(dialer: Dialer, server: SocketAddr, tls: Tls) -> io::Result<Self> {
        let stream = Stream::new(dial(&dialer, server)?, 0);
        let replies = ReplyDecoder::default();
        let (passive, read_ahead) = (Passive::Epsv, 0);
        Ok(Self { server, dialer, stream, replies, tls, protect_data: false, passive, read_ahead })
    }

    /// Sends octets as they are.
    pub fn send_raw(&mut self, octets: &[u8]) -> io::Result<()> {
        self.stream.write_all(octets)?;
        self.stream.flush()
    }

    /// Sends one line.
    pub fn send(&mut self, line: &str) -> io::Result<()> {
        self.send_raw(format!("{line}\r\n").as_bytes())
    }

    /// Reads the next reply.
    pub fn reply(&mut self) -> Result<Reply, NoReply> {
        replies::read(&mut self.stream, &mut self.replies)
    }

    /// Reads the next reply, which must have this code.
    pub fn expect(&mut self, code: u16) -> Result<Reply> {
        let reply = self.reply().with_context(|| format!("expected a reply with {code}"))?;
        ensure!(reply.code == code, "got {reply:?} instead of {code}");
        Ok(reply)
    }

    /// Sends a command and reads its reply, whatever its code.
    pub fn command(&mut self, line: &str) -> Result<Reply> {
        self.send(line)?;
        Ok(self.reply()?)
    }

    /// Sends a command and reads its reply, which must have this code.
    pub fn ask(&mut self, line: &str, code: u16) -> Result<Reply> {
        self.send(line)?;
        self.expect(code).with_context(|| format!("after {}", line.split(' ').next().unwrap_or_default()))
    }

    /// AUTH TLS and the handshake.
    pub fn auth_tls(&mut self) -> Result<()> {
        self.ask("AUTH TLS", 234)?;
        self.handshake().context("failed to protect the control connection")
    }

    /// The handshake alone; data connections are protected from now on.
    pub fn handshake(&mut self) -> io::Result<()> {
        if self.stream.is_protected() {
            return Err(io::Error::other("the control connection is protected already"));
        }
        self.stream.handshake(&self.tls)?;
        self.protect_data = true;
        Ok(())
    }

    /// AUTH TLS, the handshake, PBSZ 0 and PROT P.
    pub fn secure(&mut self) -> Result<()> {
        self.auth_tls()?;
        self.ask("PBSZ 0", 200)?;
        self.ask("PROT P", 200).map(drop)
    }

    /// USER, PASS and TYPE I.
    pub fn log_in(&mut self, user: &str, password: &str) -> Result<()> {
        self.ask(&format!("USER {user}"), 331)?;
        self.ask(&format!("PASS {password}"), 230)?;
        self.ask("TYPE I", 200).map(drop)
    }

    /// QUIT, and the end of the connection in order.
    pub fn quit(mut self) -> Result<()> {
        self.ask("QUIT", 221)?;
        self.stream.finish();
        Ok(())
    }

    /// After CCC (RFC 4217 §8): sends TLS's end and these octets in one go, then continues in the clear.
    pub fn leave_tls_with(&mut self, octets: &[u8]) -> io::Result<()> {
        let mut farewell = self.stream.leave_tls()?;
        farewell.extend_from_slice(octets);
        self.send_raw(&farewell)
    }

    /// After CCC: continues in the clear without TLS's end.
    pub fn drop_tls(&mut self) -> io::Result<()> {
        self.stream.leave_tls().map(drop)
    }

    /// PASV: the announced address and port.
    pub fn pasv(&mut self) -> Result<SocketAddr> {
        let reply = self.ask("PASV", 227)?;
        read_pasv_reply(reply.text().as_bytes()).map(SocketAddr::V4).with_context(|| format!("no address in {reply:?}"))
    }

    /// EPSV: the announced port.
    pub fn epsv(&mut self) -> Result<u16> {
        let reply = self.ask("EPSV", 229)?;
        read_epsv_reply(reply.text().as_bytes()).with_context(|| format!("no port in {reply:?}"))
    }

    /// A connection to a data port of the server's, over which nothing has gone yet.
    pub fn dial(&self, port: u16) -> io::Result<TcpStream> {
        self.dial_to(SocketAddr::new(self.server.ip(), port))
    }

    /// A connection to any address, over which nothing has gone yet.
    pub fn dial_to(&self, address: SocketAddr) -> io::Result<TcpStream> {
        dial(&self.dialer, address)
    }

    /// Begins a data connection: with the handshake, if data is to be protected.
    pub fn data(&self, tcp: TcpStream) -> io::Result<Data> {
        Data::start(tcp, self.read_ahead, self.protect_data.then_some(&self.tls))
    }

    /// PASV or EPSV, the connection, the command, its 150, the handshake.
    pub fn open(&mut self, command: &str) -> Result<Data> {
        let address = match self.passive {
            Passive::Pasv => self.pasv()?,
            Passive::Epsv => SocketAddr::new(self.server.ip(), self.epsv()?),
        };
        let tcp = self.dial_to(address).context("failed to open a data connection")?;
        self.ask(command, 150)?;
        self.data(tcp).context("failed to protect a data connection")
    }

    /// Fetches all that a command sends.
    pub fn fetch(&mut self, command: &str) -> Result<Vec<u8>> {
        let octets = self.open(command)?.read_to_end().context("the download broke off")?;
        self.expect(226)?;
        Ok(octets)
    }

    /// Sends all octets that a command stores.
    pub fn store(&mut self, command: &str, octets: &[u8]) -> Result<()> {
        let mut data = self.open(command)?;
        data.write_all(octets).context("the upload broke off")?;
        data.finish();
        self.expect(226).map(drop)
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("tcp", self.stream.tcp()).finish_non_exhaustive()
    }
}

fn dial(dialer: &Dialer, address: SocketAddr) -> io::Result<TcpStream> {
    let tcp = dialer(address)?;
    tcp.set_read_timeout(Some(PATIENCE))?;
    tcp.set_write_timeout(Some(PATIENCE))?;
    tcp.set_nodelay(true)?;
    Ok(tcp)
}

//! A client most of whose methods fail the test where the server does not do what they expect.

use std::{
    io,
    net::{SocketAddr, TcpStream},
};

use rustls::SupportedProtocolVersion;
use safetp_ftps::{Data, NoReply, Reply, Session, Tls, Trust};

use crate::{HOST, PASSWORD};

/// A session of [`safetp_ftps`] with a pod, for tests.
#[derive(Debug)]
pub struct Client {
    session: Session,
}

impl Client {
    /// Connects over loopback. Nothing has been said or read yet, the greeting neither.
    pub fn connect(port: u16, trust: Trust) -> Self {
        let server = SocketAddr::from(([127, 0, 0, 1], port));
        Self { session: Session::connect(server, Tls::new(trust, HOST).unwrap()).unwrap() }
    }

    /// Resumes no session from now on.
    pub fn forget_tickets(&mut self) {
        self.session.tls.resume_nothing();
    }

    /// Speaks one version of TLS only. To be called before AUTH.
    pub fn only(&mut self, version: &'static SupportedProtocolVersion) {
        self.session.tls.only(version).unwrap();
    }

    /// Takes the tickets of another client.
    pub fn share_tickets(&mut self, other: &Self) {
        self.session.tls = other.session.tls.clone();
    }

    /// Offers these protocols by ALPN from now on.
    pub fn offer(&mut self, protocols: &[&str]) {
        self.session.tls.offer(protocols);
    }

    /// Sets whether data connections begin with a handshake.
    pub fn protect_data(&mut self, protect: bool) {
        self.session.protect_data = protect;
    }

    /// Sends octets as they are.
    pub fn send_raw(&mut self, octets: &[u8]) {
        self.session.send_raw(octets).unwrap();
    }

    /// Sends one line.
    pub fn send(&mut self, line: &str) {
        self.session.send(line).unwrap();
    }

    /// The next reply; `None` for an orderly or disorderly end.
    pub fn reply(&mut self) -> Option<Reply> {
        match self.session.reply() {
            Ok(reply) => Some(reply),
            Err(NoReply::Closed | NoReply::Failed(_)) => None,
            Err(error) => panic!("{error}"),
        }
    }

    /// The next reply, which must have this code; returns it as it came.
    #[track_caller]
    pub fn expect(&mut self, code: u16) -> String {
        let reply = self.reply().unwrap_or_else(|| panic!("the connection ended instead of a {code}"));
        assert_eq!(reply.code, code, "{reply:?}");
        reply.wire
    }

    /// Sends a line, whose reply must have this code; returns it as it came.
    #[track_caller]
    pub fn ask(&mut self, line: &str, code: u16) -> String {
        self.send(line);
        self.expect(code)
    }

    /// Sends a line; returns its reply as it came, whatever its code.
    pub fn ask_any(&mut self, line: &str) -> String {
        self.session.command(line).unwrap().wire
    }

    /// The connection must end.
    #[track_caller]
    pub fn expect_end(&mut self) {
        assert_eq!(self.reply(), None);
    }

    /// AUTH TLS and the handshake.
    pub fn auth_tls(&mut self) {
        self.session.auth_tls().unwrap();
    }

    /// The handshake alone; data connections are protected from now on.
    pub fn handshake(&mut self) -> io::Result<()> {
        self.session.handshake()
    }

    /// After CCC: sends TLS's end and these octets in one go, then continues in the clear.
    pub fn leave_tls_with(&mut self, octets: &[u8]) {
        self.session.leave_tls_with(octets).unwrap();
    }

    /// After CCC: continues in the clear without TLS's end.
    pub fn drop_tls(&mut self) {
        self.session.drop_tls().unwrap();
    }

    /// AUTH TLS, the handshake, PBSZ 0 and PROT P.
    pub fn secure(&mut self) {
        self.session.secure().unwrap();
    }

    /// USER, PASS and TYPE I.
    pub fn login(&mut self, user: &str) {
        self.session.log_in(user, PASSWORD).unwrap();
    }

    /// The port that EPSV announces.
    pub fn epsv(&mut self) -> u16 {
        self.session.epsv().unwrap()
    }

    /// The address and the port that PASV announces.
    pub fn pasv(&mut self) -> SocketAddr {
        self.session.pasv().unwrap()
    }

    /// A connection to a data port, over which nothing has gone yet.
    pub fn dial(&self, port: u16) -> TcpStream {
        self.session.dial(port).unwrap()
    }

    /// Begins a data connection: with the handshake, if data is to be protected.
    pub fn data(&self, tcp: TcpStream) -> io::Result<Data> {
        self.session.data(tcp)
    }

    /// EPSV, the connection, the command, its 150, the handshake.
    #[track_caller]
    pub fn open(&mut self, command: &str) -> Data {
        self.session.open(command).unwrap()
    }

    /// Fetches all that a command sends, by EPSV.
    #[track_caller]
    pub fn fetch(&mut self, command: &str) -> Vec<u8> {
        self.session.fetch(command).unwrap()
    }

    /// Sends all octets that a command stores, by EPSV.
    #[track_caller]
    pub fn store(&mut self, command: &str, octets: &[u8]) {
        self.session.store(command, octets).unwrap();
    }
}

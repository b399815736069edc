//! An FTP client in miniature that does exactly what a test says, wrong things too.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, Shutdown, SocketAddr, TcpStream},
    sync::Arc,
    time::Duration,
};

use rcgen::CertifiedKey;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion, client::Resumption,
};
use rustls_pki_types::ServerName;
use safetp_protocol::reply::{Reply, ReplyDecoder};

use crate::{PASSWORD, PATIENCE};

/// Whom the client believes.
#[derive(Clone, Debug)]
pub struct Trust {
    roots: Arc<RootCertStore>,
}

impl Trust {
    /// Nobody but the owner of this certificate.
    pub fn of(identity: &CertifiedKey<rcgen::KeyPair>) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(identity.cert.der().clone()).unwrap();
        Self { roots: roots.into() }
    }

    /// For a server that has no certificate yet.
    pub fn nobody() -> Self {
        Self { roots: RootCertStore::empty().into() }
    }

    fn config(&self, versions: &[&'static SupportedProtocolVersion]) -> ClientConfig {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
        builder.with_root_certificates(Arc::clone(&self.roots)).with_no_client_auth()
    }
}

type TlsStream = StreamOwned<ClientConnection, TcpStream>;

#[derive(Debug)]
enum Stream {
    Clear(TcpStream),
    Protected(Box<TlsStream>),
    Gone,
}

/// A client, most of whose methods fail the test when the server does not do what they expect.
#[derive(Debug)]
pub struct Client {
    address: SocketAddr,
    stream: Stream,
    replies: ReplyDecoder,
    tls: Arc<ClientConfig>,
    trust: Trust,
    /// Whether data connections begin with a handshake.
    pub protect_data: bool,
}

/// A data connection.
#[derive(Debug)]
pub struct Data {
    stream: Stream,
}

impl Client {
    /// A client that has said and heard nothing yet.
    pub fn connect(port: u16, trust: Trust) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let stream = Stream::Clear(dial(address));
        let tls = Arc::new(trust.config(rustls::ALL_VERSIONS));
        Self { address, stream, replies: ReplyDecoder::default(), tls, trust, protect_data: false }
    }

    /// From here on handshakes do not resume each other.
    pub fn forget_tickets(&mut self) {
        let mut config = ClientConfig::clone(&self.tls);
        config.resumption = Resumption::disabled();
        self.tls = config.into();
    }

    /// To be called before AUTH.
    pub fn only(&mut self, version: &'static SupportedProtocolVersion) {
        self.tls = Arc::new(self.trust.config(&[version]));
    }

    /// The tickets of another client.
    pub fn share_tickets(&mut self, other: &Self) {
        self.tls = Arc::clone(&other.tls);
    }

    /// Offers these protocols by ALPN. To be called before AUTH.
    pub fn offer(&mut self, protocols: &[&str]) {
        let mut config = ClientConfig::clone(&self.tls);
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        self.tls = config.into();
    }

    /// Octets as they are.
    pub fn send_raw(&mut self, octets: &[u8]) {
        self.stream.write_all(octets).unwrap();
        self.stream.flush().unwrap();
    }

    /// One line.
    pub fn send(&mut self, line: &str) {
        self.send_raw(format!("{line}\r\n").as_bytes());
    }

    /// The next reply; `None` for an orderly or disorderly end.
    pub fn reply(&mut self) -> Option<Reply> {
        let mut buffer = [0; 1024];
        loop {
            if let Some(reply) = self.replies.next_reply().unwrap() {
                return Some(reply);
            }
            match self.stream.read(&mut buffer) {
                Ok(0) => return None,
                Ok(count) => self.replies.push(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => panic!("no reply came"),
                Err(_) => return None,
            }
        }
    }

    /// The next reply, which must have this code. Tells its text.
    pub fn expect(&mut self, code: u16) -> String {
        let reply = self.reply().unwrap_or_else(|| panic!("the connection ended instead of a {code}"));
        let text = String::from_utf8_lossy(&reply.encode()).into_owned();
        assert_eq!(reply.code().number(), code, "{text}");
        text
    }

    /// A line and its reply, which must have this code.
    pub fn ask(&mut self, line: &str, code: u16) -> String {
        self.send(line);
        self.expect(code)
    }

    /// The reply's text, whatever its code.
    pub fn ask_any(&mut self, line: &str) -> String {
        self.send(line);
        String::from_utf8(self.reply().unwrap().encode()).unwrap()
    }

    /// The connection must end.
    pub fn expect_end(&mut self) {
        assert_eq!(self.reply(), None);
    }

    /// AUTH TLS and the handshake.
    pub fn auth_tls(&mut self) {
        self.ask("AUTH TLS", 234);
        self.handshake().unwrap();
    }

    /// The handshake alone; data connections are protected from here on.
    pub fn handshake(&mut self) -> io::Result<()> {
        let Stream::Clear(stream) = std::mem::replace(&mut self.stream, Stream::Gone) else {
            panic!("protected twice")
        };
        self.stream = Stream::Protected(Box::new(handshake(stream, &self.tls)?));
        self.protect_data = true;
        Ok(())
    }

    /// Sends TLS's end and this behind it in one go, then goes on in the clear.
    pub fn leave_tls_with(&mut self, octets: &[u8]) {
        let Stream::Protected(stream) = std::mem::replace(&mut self.stream, Stream::Gone) else { panic!("no TLS") };
        let StreamOwned { mut conn, mut sock } = *stream;
        await_end_of_tls(&mut conn, &mut sock);
        conn.send_close_notify();
        let mut wire = Vec::new();
        while conn.wants_write() {
            conn.write_tls(&mut wire).unwrap();
        }
        wire.extend_from_slice(octets);
        sock.write_all(&wire).unwrap();
        self.stream = Stream::Clear(sock);
    }

    /// Goes on in the clear without a word.
    pub fn drop_tls(&mut self) {
        let Stream::Protected(stream) = std::mem::replace(&mut self.stream, Stream::Gone) else { panic!("no TLS") };
        let StreamOwned { mut conn, mut sock } = *stream;
        await_end_of_tls(&mut conn, &mut sock);
        self.stream = Stream::Clear(sock);
    }

    /// USER, PASS and TYPE I.
    pub fn login(&mut self, user: &str) {
        self.ask(&format!("USER {user}"), 331);
        self.ask(&format!("PASS {PASSWORD}"), 230);
        self.ask("TYPE I", 200);
    }

    /// The port that EPSV tells.
    pub fn epsv(&mut self) -> u16 {
        let text = self.ask("EPSV", 229);
        text.split('|').nth(3).unwrap().parse().unwrap()
    }

    /// The address and the port that PASV tells.
    pub fn pasv(&mut self) -> (IpAddr, u16) {
        parse_pasv(&self.ask("PASV", 227))
    }

    /// A connection to a data port, over which nothing has gone yet.
    pub fn dial(&self, port: u16) -> TcpStream {
        dial(SocketAddr::new(self.address.ip(), port))
    }

    /// The handshake, if the data is to be protected.
    pub fn data(&self, stream: TcpStream) -> io::Result<Data> {
        let stream = if self.protect_data {
            Stream::Protected(Box::new(handshake(stream, &self.tls)?))
        } else {
            Stream::Clear(stream)
        };
        Ok(Data { stream })
    }

    /// EPSV, the connection, the command, its 150, the handshake.
    pub fn open(&mut self, command: &str) -> Data {
        let port = self.epsv();
        let stream = self.dial(port);
        self.ask(command, 150);
        self.data(stream).unwrap()
    }

    /// All of a transfer to the client, behind EPSV.
    pub fn fetch(&mut self, command: &str) -> Vec<u8> {
        let octets = self.open(command).read_to_end().unwrap();
        self.expect(226);
        octets
    }

    /// All of a transfer to the server, behind EPSV.
    pub fn store(&mut self, command: &str, octets: &[u8]) {
        let mut data = self.open(command);
        data.write_all(octets).unwrap();
        data.finish();
        self.expect(226);
    }
}

impl Data {
    /// Sends all of these octets.
    pub fn write_all(&mut self, octets: &[u8]) -> io::Result<()> {
        self.stream.write_all(octets)?;
        self.stream.flush()
    }

    /// Reads as many octets as fit.
    pub fn read_exact(&mut self, octets: &mut [u8]) -> io::Result<()> {
        self.stream.read_exact(octets)
    }

    /// All up to the authentic end; without one this is an error.
    pub fn read_to_end(mut self) -> io::Result<Vec<u8>> {
        let mut octets = Vec::new();
        self.stream.read_to_end(&mut octets)?;
        self.finish();
        Ok(octets)
    }

    /// Ends as it should: over TLS with `close_notify`.
    pub fn finish(mut self) {
        if let Stream::Protected(stream) = &mut self.stream {
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
        self.cut();
    }

    /// Says the end and closes at once, whatever lies here unread, as clients do that never read while they write.
    pub fn hang_up(mut self) {
        if let Stream::Protected(stream) = &mut self.stream {
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    }

    /// Ends the TCP connection alone, as a cut cable or an attacker would.
    pub fn cut(self) {
        let _ = self.stream.tcp().shutdown(Shutdown::Write);
        // What the gateway still sends is read, or this close would be a reset.
        let _ = io::copy(&mut self.stream.tcp(), &mut io::sink());
    }

    /// Closes the connection by a reset, as a system does for a program that leaves something unread.
    pub fn reset(self) {
        rustix::net::sockopt::set_socket_linger(self.stream.tcp(), Some(Duration::ZERO)).unwrap();
    }

    /// Whether the handshake has resumed an earlier session.
    pub fn resumed(&self) -> bool {
        match &self.stream {
            Stream::Protected(stream) => stream.conn.handshake_kind() == Some(rustls::HandshakeKind::Resumed),
            _ => false,
        }
    }
}

impl Stream {
    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Clear(stream) => stream,
            Self::Protected(stream) => &stream.sock,
            Self::Gone => panic!("no stream"),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Clear(stream) => stream.read(buffer),
            Self::Protected(stream) => stream.read(buffer),
            Self::Gone => Ok(0),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match self {
            Self::Clear(stream) => stream.write(octets),
            Self::Protected(stream) => stream.write(octets),
            Self::Gone => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Clear(stream) => stream.flush(),
            Self::Protected(stream) => stream.flush(),
            Self::Gone => Ok(()),
        }
    }
}

fn parse_pasv(text: &str) -> (IpAddr, u16) {
    let numbers = text.split(['(', ')']).nth(1).unwrap();
    let numbers: Vec<u8> = numbers.split(',').map(|number| number.parse().unwrap()).collect();
    let [a, b, c, d, high, low] = numbers[..] else { panic!("no 227: {text}") };
    ([a, b, c, d].into(), u16::from_be_bytes([high, low]))
}

fn dial(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&address, PATIENCE).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

fn await_end_of_tls(connection: &mut ClientConnection, socket: &mut TcpStream) {
    while !connection.process_new_packets().unwrap().peer_has_closed() {
        assert!(connection.read_tls(socket).unwrap() > 0, "the connection ended instead of TLS");
    }
}

fn handshake(mut stream: TcpStream, config: &Arc<ClientConfig>) -> io::Result<TlsStream> {
    let name = ServerName::try_from("files.example.org").unwrap();
    let mut connection = ClientConnection::new(Arc::clone(config), name).unwrap();
    while connection.is_handshaking() {
        connection.complete_io(&mut stream)?;
    }
    Ok(StreamOwned::new(connection, stream))
}

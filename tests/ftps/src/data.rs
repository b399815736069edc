//! Data connections, and the ways in which they end.

use std::{
    fmt,
    io::{self, Read as _, Write as _},
    net::{Shutdown, TcpStream},
    time::Duration,
};

use rustls::HandshakeKind;

use crate::{Tls, stream::Stream};

/// A data connection.
pub struct Data {
    stream: Stream,
}

impl Data {
    /// Begins with a handshake where there is `tls`, and is in the clear without.
    pub(crate) fn start(tcp: TcpStream, read_ahead: usize, tls: Option<&Tls>) -> io::Result<Self> {
        let mut stream = Stream::new(tcp, read_ahead);
        tls.map_or(Ok(()), |tls| stream.handshake(tls))?;
        Ok(Self { stream })
    }

    /// Sends all of these octets.
    pub fn write_all(&mut self, octets: &[u8]) -> io::Result<()> {
        self.stream.write_all(octets)?;
        // rustls says only here what went wrong with the last of them.
        self.stream.flush()
    }

    /// Reads what is there, or waits for it; 0 at the authentic end.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer)
    }

    /// Reads as many octets as fit.
    pub fn read_exact(&mut self, octets: &mut [u8]) -> io::Result<()> {
        self.stream.read_exact(octets)
    }

    /// Reads everything up to the authentic end, without which this is an error, and ends the connection in order.
    pub fn read_to_end(mut self) -> io::Result<Vec<u8>> {
        let mut octets = Vec::new();
        self.stream.read_to_end(&mut octets)?;
        self.finish();
        Ok(octets)
    }

    /// Whether the handshake has resumed an earlier session.
    pub fn resumed(&self) -> bool {
        self.stream.handshake_kind() == Some(HandshakeKind::Resumed)
    }

    /// Ends in order, and reads to the server's own end. Its reply says whether all has arrived.
    pub fn finish(self) {
        self.stream.finish();
    }

    /// Ends in order, and closes at once with whatever is here unread, as clients do that never read while they write.
    pub fn hang_up(mut self) {
        self.stream.close_notify();
    }

    /// Ends the TCP connection alone, as a cut cable or an attacker would.
    pub fn cut(self) {
        let _ = self.cut_and_read();
    }

    /// As [`Data::cut`]; returns how the server ended its side. What the server still sends is read, or this close
    /// would be a reset.
    pub fn cut_and_read(self) -> io::Result<()> {
        self.stream.tcp().shutdown(Shutdown::Write)?;
        io::copy(&mut self.stream.tcp(), &mut io::sink()).map(drop)
    }

    /// Closes the connection by a reset, as a system does for a program that leaves something unread.
    pub fn reset(self) -> io::Result<()> {
        Ok(rustix::net::sockopt::set_socket_linger(self.stream.tcp(), Some(Duration::ZERO))?)
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Data").field("tcp", self.stream.tcp()).finish_non_exhaustive()
    }
}

//! One TCP connection, in the clear or under TLS.

use std::{
    io::{self, BufReader, Read, Write},
    net::{Shutdown, TcpStream},
    time::Duration,
};

use rustls::{ClientConnection, HandshakeKind};

use crate::Tls;

/// Longer than any step takes, so that a hang is a failure and not a hang.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A connection that may enter and leave TLS.
pub(crate) struct Stream {
    wire: Wire,
    tls: Option<ClientConnection>,
}

/// The socket: reads are gathered, writes are not.
struct Wire(BufReader<TcpStream>);

impl Stream {
    /// `read_ahead` octets are read from the socket at once, if they are there, instead of the 4 KiB that rustls asks
    /// for.
    pub(crate) fn new(tcp: TcpStream, read_ahead: usize) -> Self {
        Self { wire: Wire(BufReader::with_capacity(read_ahead, tcp)), tls: None }
    }

    /// Does the client's side of a handshake. The connection is over where it fails.
    pub(crate) fn handshake(&mut self, tls: &Tls) -> io::Result<()> {
        let mut connection = tls.connection().map_err(io::Error::other)?;
        while connection.is_handshaking() {
            if let Err(error) = connection.complete_io(&mut self.wire) {
                // The peer may have ended it already.
                let _ = self.tcp().shutdown(Shutdown::Both);
                return Err(error);
            }
        }
        self.tls = Some(connection);
        Ok(())
    }

    pub(crate) fn tcp(&self) -> &TcpStream {
        self.wire.0.get_ref()
    }

    /// How the handshake went; none in the clear.
    pub(crate) fn handshake_kind(&self) -> Option<HandshakeKind> {
        self.tls.as_ref()?.handshake_kind()
    }

    pub(crate) fn is_protected(&self) -> bool {
        self.tls.is_some()
    }

    /// Sends TLS's `close_notify`, if there is TLS. A peer that is done with the connection may have closed it already,
    /// which is as good an end.
    pub(crate) fn close_notify(&mut self) {
        if let Some(connection) = &mut self.tls {
            connection.send_close_notify();
            let _ = self.flush();
        }
    }

    /// Ends in order: `close_notify` under TLS, the end of the stream, and then reading to the server's own end, since
    /// it may still send a session ticket. A socket that is closed with something unread in it is reset, and octets
    /// that are still on their way to the server are lost with it.
    pub(crate) fn finish(mut self) {
        self.close_notify();
        // The server may be the first to end the connection.
        let _ = self.tcp().shutdown(Shutdown::Write);
        let _ = io::copy(&mut self, &mut io::sink());
    }

    /// Waits for the server's `close_notify`, and continues in the clear; returns the client's `close_notify`, which
    /// has not been sent.
    pub(crate) fn leave_tls(&mut self) -> io::Result<Vec<u8>> {
        let mut connection = self.tls.take().ok_or_else(|| io::Error::other("there is no TLS to leave"))?;
        while !connection.process_new_packets().map_err(io::Error::other)?.peer_has_closed() {
            if connection.read_tls(&mut self.wire)? == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the connection ended instead of TLS"));
            }
        }
        connection.send_close_notify();
        let mut farewell = Vec::new();
        while connection.wants_write() {
            connection.write_tls(&mut farewell)?;
        }
        Ok(farewell)
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.tls {
            None => self.wire.read(buffer),
            Some(connection) => rustls::Stream::new(connection, &mut self.wire).read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match &mut self.tls {
            None => self.wire.write(octets),
            Some(connection) => rustls::Stream::new(connection, &mut self.wire).write(octets),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.tls {
            None => self.wire.flush(),
            Some(connection) => rustls::Stream::new(connection, &mut self.wire).flush(),
        }
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Wire {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.get_mut().write(octets)
    }

    fn write_vectored(&mut self, octets: &[io::IoSlice<'_>]) -> io::Result<usize> {
        self.0.get_mut().write_vectored(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.get_mut().flush()
    }
}

//! TLS over one TCP connection, with large reads: the client must not be what slows a server down.

use std::{
    io::{self, BufReader, Read, Write},
    net::{Shutdown, TcpStream},
    sync::Arc,
};

use anyhow::Result;
use rustls::{ClientConfig, ClientConnection, HandshakeKind, Stream};
use rustls_pki_types::ServerName;

use super::HOST;

/// Read from the socket at once, on a data connection that carries much.
const READ: usize = 128 * 1024;

/// A connection whose handshake is done.
pub(crate) struct TlsStream {
    tls: ClientConnection,
    wire: Wire,
}

/// Reads are gathered, writes are not.
struct Wire(BufReader<TcpStream>);

pub(super) fn handshake(stream: TcpStream, config: &Arc<ClientConfig>) -> Result<TlsStream> {
    let mut tls = ClientConnection::new(Arc::clone(config), ServerName::try_from(HOST)?)?;
    let mut wire = Wire(BufReader::with_capacity(READ, stream));
    while tls.is_handshaking() {
        tls.complete_io(&mut wire)?;
    }
    Ok(TlsStream { tls, wire })
}

impl TlsStream {
    pub(super) fn kind(&self) -> Option<HandshakeKind> {
        self.tls.handshake_kind()
    }

    /// Ends our side, and waits for the server's end: it may still send the next ticket.
    pub(super) fn finish(mut self) {
        self.tls.send_close_notify();
        // A server that is done with the connection may have closed it first, which is as good an end.
        let _ = self.tls.complete_io(&mut self.wire);
        let _ = self.wire.0.get_ref().shutdown(Shutdown::Write);
        let _ = io::copy(&mut self, &mut io::sink());
    }
}

impl Read for TlsStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Stream::new(&mut self.tls, &mut self.wire).read(buffer)
    }
}

impl Write for TlsStream {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        Stream::new(&mut self.tls, &mut self.wire).write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        Stream::new(&mut self.tls, &mut self.wire).flush()
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

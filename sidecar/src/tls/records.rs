//! Reading of single TLS records, for a connection that may leave TLS again.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// Type, version, length (RFC 8446 §5.1).
const HEADER: usize = 5;
/// Octets read at once.
const PIECE: usize = 4096;

/// A connection that, if asked to, never reads beyond the record that it is in: what the peer sends in the clear
/// after its last record must not end up in TLS's buffer (CCC, RFC 4217 §12.3).
#[derive(Debug)]
pub(crate) struct Records {
    stream: TcpStream,
    one_at_a_time: bool,
    position: Position,
}

#[derive(Clone, Copy, Debug)]
enum Position {
    /// Header octets received so far.
    Header([u8; HEADER], usize),
    /// Body octets still to come.
    Body(usize),
}

const START: Position = Position::Header([0; HEADER], 0);

impl Position {
    /// Octets that may be read now without touching the next record.
    fn missing(self) -> usize {
        match self {
            Self::Header(_, have) => HEADER - have,
            Self::Body(left) => left,
        }
    }

    fn advance(self, octets: &[u8]) -> Self {
        match self {
            Self::Header(mut header, have) => {
                for (place, octet) in header.iter_mut().skip(have).zip(octets) {
                    *place = *octet;
                }
                Self::Header(header, have + octets.len()).settle()
            }
            Self::Body(left) => Self::Body(left - octets.len()).settle(),
        }
    }

    fn settle(self) -> Self {
        match self {
            Self::Header([_, _, _, high, low], HEADER) => Self::Body(u16::from_be_bytes([high, low]).into()).settle(),
            Self::Body(0) => START,
            other => other,
        }
    }
}

impl Records {
    pub(crate) fn new(stream: TcpStream, one_at_a_time: bool) -> Self {
        Self { stream, one_at_a_time, position: START }
    }

    /// Waits for what comes next and returns true if it is another record, not octets in the clear or the end. To be
    /// called between records.
    pub(crate) async fn continues(&self) -> io::Result<bool> {
        let mut first = [0];
        let count = self.stream.peek(&mut first).await?;
        // RFC 8446 §5.1: change_cipher_spec, alert, handshake, application_data. No command begins with these octets.
        Ok(count > 0 && matches!(first, [20..=23]))
    }

    pub(crate) fn into_inner(self) -> TcpStream {
        self.stream
    }
}

impl AsyncRead for Records {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.one_at_a_time {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let most = self.position.missing().min(buffer.remaining()).min(PIECE);
        let mut piece = [0; PIECE];
        let mut piece = ReadBuf::new(piece.get_mut(..most).unwrap_or_default());
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut piece))?;
        self.position = self.position.advance(piece.filled());
        buffer.put_slice(piece.filled());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Records {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_octets_never_reach_into_the_next_record() {
        let records = [&[23, 3, 3, 0, 3][..], b"abc", &[21, 3, 3, 0, 0], &[22, 3, 3, 1, 0], &[7; 256]].concat();
        for step in 1..=records.len() {
            let (mut position, mut at) = (START, 0);
            let mut ends = Vec::new();
            while at < records.len() {
                let count = position.missing().min(step);
                position = position.advance(&records[at..at + count]);
                at += count;
                if matches!(position, Position::Header(_, 0)) {
                    ends.push(at);
                }
            }
            assert_eq!(ends, [8, 13, 274], "in steps of {step}");
        }
    }
}

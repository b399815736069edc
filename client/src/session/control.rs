//! The control connection, which sends commands and receives replies: in the clear, by TLS, or by X-SafeTP1.

use std::{io, time::Duration};

use safetp_protocol::{
    line::{Line, LineDecoder},
    reply::{Reply, ReplyDecoder, ReplyError},
    security::safetp1,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::client::TlsStream;

use super::{CommandLine, Dialogue, lines, security::tls, timeout::within};
use crate::{
    failure::{ConnectionError, Failure, Result, SecurityError},
    url::Server,
};

/// The longest line of a reply, in octets, protected and in base64.
const MAX_LINE: usize = 32 * 1024;
/// The time limit on closing.
const CLOSING_TIME: Duration = Duration::from_secs(2);

/// A control connection.
#[derive(Debug)]
pub(super) struct Control {
    server: Server,
    channel: ControlChannel,
    lines: LineDecoder,
    replies: ReplyDecoder,
    timeout: Duration,
    dialogue: Dialogue,
}

#[derive(Debug)]
enum ControlChannel {
    Clear(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    SafeTp1(TcpStream, Box<safetp1::Control>),
    /// During an upgrade to TLS, and after one that failed.
    Gone,
}

impl Control {
    /// A control connection in the clear.
    pub(super) fn new(server: Server, stream: TcpStream, timeout: Duration, dialogue: Dialogue) -> Self {
        let lines = LineDecoder::for_replies(MAX_LINE);
        Self {
            server,
            channel: ControlChannel::Clear(stream),
            lines,
            replies: ReplyDecoder::default(),
            timeout,
            dialogue,
        }
    }

    /// Sends one command.
    pub(super) async fn send(&mut self, command: &CommandLine) -> Result<()> {
        self.dialogue.command(command);
        let line = [command.as_bytes(), b"\r\n"].concat();
        let line = zeroize::Zeroizing::new(line);
        let written = match &mut self.channel {
            ControlChannel::Clear(stream) => within(self.timeout, stream.write_all(&line)).await?,
            ControlChannel::Tls(stream) => within(self.timeout, write_tls(stream, &line)).await?,
            ControlChannel::SafeTp1(stream, control) => {
                let line = lines::seal(control, &line)?;
                within(self.timeout, stream.write_all(&line)).await?
            }
            ControlChannel::Gone => return Err(ConnectionError::Closed.into()),
        };
        match written {
            Ok(()) => Ok(()),
            // A reply sent before the server closed explains more than the broken pipe does.
            Err(error) => match self.reply().await {
                Ok(reply) => Err(ConnectionError::Ended(super::shown(&reply)).into()),
                Err(_) => Err(self.broken(error)),
            },
        }
    }

    /// Sets the time limit on each step from now on.
    pub(super) fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// Receives the next reply.
    pub(super) async fn reply(&mut self) -> Result<Reply> {
        loop {
            while let Some(line) = self.lines.next_line() {
                if let Some(reply) = self.handle_line(line)? {
                    self.dialogue.reply(&reply);
                    return Ok(reply);
                }
            }
            self.read().await?;
        }
    }

    /// Starts TLS after a 234.
    pub(super) async fn start_tls(&mut self, connector: &tls::Connector) -> Result<()> {
        let stream = self.take_clear("AUTH TLS")?;
        let stream = within(self.timeout, connector.connect(stream)).await?;
        let stream = stream.map_err(|error| self.broken(error))?;
        self.channel = ControlChannel::Tls(Box::new(stream));
        Ok(())
    }

    /// Starts protected lines after a 235.
    pub(super) fn start_safetp1(&mut self, control: safetp1::Control) -> Result<()> {
        let stream = self.take_clear("ADAT")?;
        self.channel = ControlChannel::SafeTp1(stream, Box::new(control));
        Ok(())
    }

    /// The sequence number of the next command under X-SafeTP1.
    pub(super) fn next_number(&self) -> Option<safetp1::TransferNumber> {
        match &self.channel {
            ControlChannel::SafeTp1(_, control) => Some(safetp1::TransferNumber(control.next_sealed())),
            _ => None,
        }
    }

    /// Closes the connection in order. A server that is gone already does not matter.
    pub(super) async fn close(self) {
        let closing = async {
            match self.channel {
                ControlChannel::Clear(mut stream) | ControlChannel::SafeTp1(mut stream, _) => stream.shutdown().await,
                ControlChannel::Tls(mut stream) => stream.shutdown().await,
                ControlChannel::Gone => Ok(()),
            }
        };
        let _ = tokio::time::timeout(CLOSING_TIME, closing).await;
    }

    /// Takes the stream for an upgrade. Octets that came in the clear after the reply would be read as protected ones,
    /// so there must be none.
    fn take_clear(&mut self, command: &'static str) -> Result<TcpStream> {
        if self.lines.holds_octets() {
            return Err(SecurityError::Injected(command).into());
        }
        match std::mem::replace(&mut self.channel, ControlChannel::Gone) {
            ControlChannel::Clear(stream) => Ok(stream),
            _ => Err(ConnectionError::Closed.into()),
        }
    }

    fn handle_line(&mut self, line: Line) -> Result<Option<Reply>> {
        let Line::Whole(line) = line else { return Err(ConnectionError::NoReply(ReplyError::TooLong).into()) };
        let line = match &mut self.channel {
            ControlChannel::SafeTp1(_, control) => lines::open(control, &line)?,
            _ => line,
        };
        self.replies.push(&line);
        self.replies.push(b"\r\n");
        Ok(self.replies.next_reply().map_err(ConnectionError::NoReply)?)
    }

    async fn read(&mut self) -> Result<()> {
        let mut buffer = [0; 4096];
        let read = match &mut self.channel {
            ControlChannel::Clear(stream) | ControlChannel::SafeTp1(stream, _) => {
                within(self.timeout, stream.read(&mut buffer)).await?
            }
            ControlChannel::Tls(stream) => within(self.timeout, stream.read(&mut buffer)).await?,
            ControlChannel::Gone => Ok(0),
        };
        match read {
            Ok(0) => Err(ConnectionError::Closed.into()),
            Ok(count) => {
                self.lines.push(buffer.get(..count).unwrap_or_default());
                Ok(())
            }
            Err(error) => Err(self.broken(error)),
        }
    }

    fn broken(&self, error: io::Error) -> Failure {
        tls::failure(&self.server, error)
    }
}

async fn write_tls(stream: &mut TlsStream<TcpStream>, line: &[u8]) -> io::Result<()> {
    stream.write_all(line).await?;
    stream.flush().await
}

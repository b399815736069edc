//! One transfer, from the wait for its data connection to its end, in a task beside the session that started it.

use std::{net::SocketAddr, os::fd::OwnedFd, sync::Arc, time::Duration};

use safetp_protocol::{
    security::safetp1::DataKeys,
    session::{DataSecurity, Failure, Transfer},
};
use tokio::{net::TcpStream, sync::oneshot};
use tokio_util::sync::CancellationToken;

use super::{
    blocks::BlockStream,
    budget::Share,
    connection::DataConnection,
    copy::{self, Rules},
    descriptor::{Sink, Source},
    handshake::Terms,
    stream::DataStream,
};
use crate::{gateway::listen, metrics::Metrics, tls::TicketId, wire::Wire};

/// Everything that a transfer needs.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) transfer: Transfer,
    pub(crate) descriptor: OwnedFd,
    pub(crate) opening: Opening,
    /// Set where the control connection is under TLS.
    pub(crate) terms: Option<Terms>,
    /// Set where the session is under X-SafeTP1.
    pub(crate) keys: Option<DataKeys>,
    pub(crate) share: Share,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) stall: Duration,
    pub(crate) require_close_notify: bool,
    pub(crate) cancel: CancellationToken,
}

/// Way in which the data connection is opened.
#[derive(Debug)]
pub(crate) enum Opening {
    /// By the client: the connection, or why it does not come.
    Awaited(oneshot::Receiver<Result<DataConnection, Failure>>),
    /// By the gateway, to this address of the client.
    Dialled(SocketAddr),
}

/// Time for a client to answer when it is dialled.
const DIAL_TIME: Duration = Duration::from_secs(30);

/// Counts a transfer whose data connection is open.
struct Counted(Arc<Metrics>);

impl Counted {
    fn new(metrics: Arc<Metrics>) -> Self {
        metrics.transfers_running.inc();
        Self(metrics)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.transfers_running.dec();
    }
}

/// Result of a transfer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    pub(crate) result: Result<(), Failure>,
    pub(crate) moved: u64,
    /// The TLS ticket by which the data connection proved its session.
    pub(crate) ticket: Option<TicketId>,
}

pub(crate) async fn run(job: Job) -> Outcome {
    let mut outcome = Outcome { result: Ok(()), moved: 0, ticket: None };
    let Job { transfer, descriptor, opening, terms, keys, share, stall, metrics, .. } = job;
    let (require_close_notify, cancel) = (job.require_close_notify, job.cancel);
    let open = async {
        let connection = opening.connection(stall).await?;
        match (transfer.security, connection) {
            (DataSecurity::Clear, DataConnection::Plain(stream)) => Ok((DataStream::Clear(stream), None)),
            (DataSecurity::Tls, DataConnection::Proven(stream, ticket)) => {
                Ok((DataStream::Protected(stream), Some(ticket)))
            }
            (DataSecurity::Tls, DataConnection::Handshaking(handshake)) => handshake.finish(stall).await,
            (DataSecurity::Tls, DataConnection::Plain(stream)) => {
                terms.ok_or(Failure::Internal)?.shake_hands(stream, stall).await
            }
            (DataSecurity::Blocks { level, number, size }, DataConnection::Plain(stream)) => {
                let keys = keys.ok_or(Failure::Internal)?;
                let blocks = BlockStream::new(stream, &keys, level, number, size);
                Ok((DataStream::Blocks(Box::new(blocks)), None))
            }
            // A change of the level gives the port up.
            (
                DataSecurity::Clear | DataSecurity::Blocks { .. },
                DataConnection::Handshaking(..) | DataConnection::Proven(..),
            ) => Err(Failure::Internal),
        }
    };
    let opened = tokio::select! {
        opened = open => opened,
        () = cancel.cancelled() => Err(Failure::Aborted),
    };
    // Old clients omit the authentic end of TLS. That of X-SafeTP1 is a part of its protocol, and none may omit it.
    let authentic_end = require_close_notify || matches!(transfer.security, DataSecurity::Blocks { .. });
    let rules = Rules { convert: transfer.convert, stall, chunk: share.chunk(), require_close_notify: authentic_end };
    outcome.result = match opened {
        Err(failure) => Err(failure),
        Ok((stream, ticket)) => {
            outcome.ticket = ticket;
            let _counted = Counted::new(metrics);
            move_octets(transfer, descriptor, stream, rules, &cancel, &mut outcome.moved).await
        }
    };
    outcome
}

impl Opening {
    async fn connection(self, stall: Duration) -> Result<DataConnection, Failure> {
        match self {
            Self::Awaited(connection) => {
                let connection = tokio::time::timeout(stall, connection).await.map_err(|_| Failure::NoConnection)?;
                connection.map_err(|_| Failure::Internal)?
            }
            Self::Dialled(address) => dial(address, stall.min(DIAL_TIME)).await,
        }
    }
}

async fn dial(address: SocketAddr, time: Duration) -> Result<DataConnection, Failure> {
    let dialled = tokio::time::timeout(time, TcpStream::connect(address)).await.map_err(std::io::Error::from);
    let stream = dialled.flatten().and_then(|stream| listen::prepare(&stream).map(|()| stream));
    let stream = stream.map_err(|error| {
        tracing::debug!(%address, %error, "failed to dial the client");
        Failure::Unreachable
    })?;
    Ok(DataConnection::Plain(Wire::dialled(stream)))
}

async fn move_octets(
    transfer: Transfer,
    descriptor: OwnedFd,
    mut stream: DataStream,
    rules: Rules,
    cancel: &CancellationToken,
    moved: &mut u64,
) -> Result<(), Failure> {
    let result = if transfer.verb.is_upload() {
        upload(descriptor, &mut stream, rules, cancel, moved).await
    } else {
        download(descriptor, &mut stream, rules, cancel, moved).await
    };
    if result.is_err() {
        stream.break_off();
    }
    result
}

async fn download(
    descriptor: OwnedFd,
    stream: &mut DataStream,
    rules: Rules,
    cancel: &CancellationToken,
    moved: &mut u64,
) -> Result<(), Failure> {
    let mut source = Source::new(descriptor).map_err(|error| copy::file_failure(&error, Failure::FileRead))?;
    tokio::select! {
        result = copy::download(&mut source, stream, rules, moved) => result,
        () = cancel.cancelled() => Err(Failure::Aborted),
    }
}

async fn upload(
    descriptor: OwnedFd,
    stream: &mut DataStream,
    rules: Rules,
    cancel: &CancellationToken,
    moved: &mut u64,
) -> Result<(), Failure> {
    let mut sink = Sink::new(descriptor).map_err(|error| copy::file_failure(&error, Failure::FileWrite))?;
    let received = tokio::select! {
        result = copy::upload(stream, &mut sink, rules, moved) => result,
        () = cancel.cancelled() => Err(Failure::Aborted),
    };
    let written = sink.settle().await.map_err(|error| copy::file_failure(&error, Failure::FileWrite));
    received.and(written)
}

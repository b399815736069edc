//! One transfer, from the wait for its data connection to its end, beside the session that started it.

use std::{net::SocketAddr, os::fd::OwnedFd, sync::Arc, time::Duration};

use safetp_protocol::{
    security::safetp1::DataKeys,
    session::{DataSecurity, Failure, Transfer},
};
use tokio::{net::TcpStream, sync::oneshot};
use tokio_util::sync::CancellationToken;

use super::{
    Connection, Terms,
    blocks::BlockStream,
    budget::Share,
    copy::{self, Rules},
    descriptor::{Sink, Source},
    stream::DataStream,
    wire::Wire,
};
use crate::{
    gateway::{listen, tls::TicketId},
    metrics::Metrics,
};

/// All that a transfer needs.
#[derive(Debug)]
pub(in crate::gateway) struct Job {
    pub(in crate::gateway) transfer: Transfer,
    pub(in crate::gateway) descriptor: OwnedFd,
    pub(in crate::gateway) opening: Opening,
    /// For TLS.
    pub(in crate::gateway) terms: Option<Terms>,
    /// For X-SafeTP1.
    pub(in crate::gateway) keys: Option<DataKeys>,
    pub(in crate::gateway) share: Share,
    pub(in crate::gateway) metrics: Arc<Metrics>,
    pub(in crate::gateway) stall: Duration,
    pub(in crate::gateway) require_close_notify: bool,
    pub(in crate::gateway) cancel: CancellationToken,
}

/// How the data connection comes about.
#[derive(Debug)]
pub(in crate::gateway) enum Opening {
    /// It comes, or why it does not.
    Awaited(oneshot::Receiver<Result<Connection, Failure>>),
    /// By dialling the client.
    Dialled(SocketAddr),
}

/// How long a client may take to answer when it is dialled.
const DIAL_TIME: Duration = Duration::from_secs(30);

/// Counts a transfer whose data connection is open.
struct Running(Arc<Metrics>);

impl Running {
    fn new(metrics: Arc<Metrics>) -> Self {
        metrics.transfers_running.inc();
        Self(metrics)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.transfers_running.dec();
    }
}

/// How it went.
#[derive(Clone, Copy, Debug)]
pub(in crate::gateway) struct Outcome {
    pub(in crate::gateway) result: Result<(), Failure>,
    pub(in crate::gateway) moved: u64,
    /// The TLS ticket by which the data connection proved its session.
    pub(in crate::gateway) ticket: Option<TicketId>,
}

pub(in crate::gateway) async fn run(job: Job) -> Outcome {
    let mut outcome = Outcome { result: Ok(()), moved: 0, ticket: None };
    let Job { transfer, descriptor, opening, terms, keys, share, stall, metrics, .. } = job;
    let (require_close_notify, cancel) = (job.require_close_notify, job.cancel);
    let open = async {
        let connection = opening.connection(stall).await?;
        match (transfer.security, connection) {
            (DataSecurity::Clear, Connection::Plain(stream)) => Ok((DataStream::Clear(stream), None)),
            (DataSecurity::Tls, Connection::Proven(stream, ticket)) => {
                Ok((DataStream::Protected(stream), Some(ticket)))
            }
            (DataSecurity::Tls, Connection::Shaking(handshake)) => handshake.finish(stall).await,
            (DataSecurity::Tls, Connection::Plain(stream)) => {
                terms.ok_or(Failure::Internal)?.shake_hands(stream, stall).await
            }
            (DataSecurity::Blocks { level, number, size }, Connection::Plain(stream)) => {
                let keys = keys.ok_or(Failure::Internal)?;
                let blocks = BlockStream::new(stream, &keys, level, number, size);
                Ok((DataStream::Blocks(Box::new(blocks)), None))
            }
            // A change of the level gives the port up.
            (DataSecurity::Clear | DataSecurity::Blocks { .. }, Connection::Shaking(..) | Connection::Proven(..)) => {
                Err(Failure::Internal)
            }
        }
    };
    let opened = tokio::select! {
        opened = open => opened,
        () = cancel.cancelled() => Err(Failure::Aborted),
    };
    // The end of X-SafeTP1's blocks is no habit of old clients but a part of the protocol.
    let authentic_end = require_close_notify || matches!(transfer.security, DataSecurity::Blocks { .. });
    let rules = Rules { convert: transfer.convert, stall, chunk: share.chunk(), require_close_notify: authentic_end };
    outcome.result = match opened {
        Err(failure) => Err(failure),
        Ok((stream, ticket)) => {
            outcome.ticket = ticket;
            let _running = Running::new(metrics);
            move_octets(transfer, descriptor, stream, rules, &cancel, &mut outcome.moved).await
        }
    };
    outcome
}

impl Opening {
    async fn connection(self, stall: Duration) -> Result<Connection, Failure> {
        match self {
            Self::Awaited(connection) => {
                let connection = tokio::time::timeout(stall, connection).await.map_err(|_| Failure::NoConnection)?;
                connection.map_err(|_| Failure::Internal)?
            }
            Self::Dialled(address) => dial(address, stall.min(DIAL_TIME)).await,
        }
    }
}

async fn dial(address: SocketAddr, time: Duration) -> Result<Connection, Failure> {
    let dialled = tokio::time::timeout(time, TcpStream::connect(address)).await.map_err(std::io::Error::from);
    let stream = dialled.flatten().and_then(|stream| listen::prepare(&stream).map(|()| stream));
    let stream = stream.map_err(|error| {
        tracing::debug!(%address, %error, "the client could not be dialled");
        Failure::Unreachable
    })?;
    Ok(Connection::Plain(Wire::dialled(stream)))
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

//! One transfer, from the wait for its data connection to its end, beside the session that started it.

use std::{os::fd::OwnedFd, sync::Arc, time::Duration};

use safetp_config::gateway::DataBinding;
use safetp_protocol::{
    data_ports::SessionId,
    security::DataProtection,
    session::{Failure, Transfer},
};
use tokio::{net::TcpStream, sync::oneshot};
use tokio_util::sync::CancellationToken;

use super::{
    Connection,
    copy::{self, Rules},
    descriptor::{Sink, Source},
    stream::DataStream,
};
use crate::gateway::tls::Identity;

/// All that a transfer needs.
#[derive(Debug)]
pub(in crate::gateway) struct Job {
    pub(in crate::gateway) session: SessionId,
    pub(in crate::gateway) transfer: Transfer,
    pub(in crate::gateway) descriptor: OwnedFd,
    /// The data connection, or why there is none.
    pub(in crate::gateway) connection: oneshot::Receiver<Result<Connection, Failure>>,
    /// For PROT P: what the control connection was protected with.
    pub(in crate::gateway) identity: Option<Arc<Identity>>,
    pub(in crate::gateway) binding: DataBinding,
    pub(in crate::gateway) stall: Duration,
    pub(in crate::gateway) require_close_notify: bool,
    pub(in crate::gateway) cancel: CancellationToken,
}

/// How it went.
#[derive(Clone, Copy, Debug)]
pub(in crate::gateway) struct Outcome {
    pub(in crate::gateway) result: Result<(), Failure>,
    pub(in crate::gateway) moved: u64,
    /// Whether the data connection proved its session by TLS resumption.
    pub(in crate::gateway) bound: bool,
}

pub(in crate::gateway) async fn run(job: Job) -> Outcome {
    let mut outcome = Outcome { result: Ok(()), moved: 0, bound: false };
    let Job { session, transfer, descriptor, connection, identity, binding, stall, require_close_notify, cancel } = job;
    let open = async {
        let stream = tokio::time::timeout(stall, connection).await.map_err(|_| Failure::NoConnection)?;
        let connection = stream.map_err(|_| Failure::Internal)??;
        match (transfer.protection, connection) {
            (DataProtection::Private, Connection::Proven(stream)) => Ok((DataStream::Protected(stream), true)),
            (DataProtection::Private, Connection::Plain(stream)) => {
                protect(stream, identity.as_deref(), session, binding).await
            }
            (DataProtection::Clear, Connection::Plain(stream)) => Ok((DataStream::Clear(stream), false)),
            // A change of the level gives the port up.
            (DataProtection::Clear, Connection::Proven(_)) => Err(Failure::Internal),
        }
    };
    let opened = tokio::select! {
        opened = open => opened,
        () = cancel.cancelled() => Err(Failure::Aborted),
    };
    let rules = Rules { convert: transfer.convert, stall, require_close_notify };
    outcome.result = match opened {
        Err(failure) => Err(failure),
        Ok((stream, bound)) => {
            outcome.bound = bound;
            move_octets(transfer, descriptor, stream, rules, &cancel, &mut outcome.moved).await
        }
    };
    outcome
}

async fn protect(
    stream: TcpStream,
    identity: Option<&Identity>,
    session: SessionId,
    binding: DataBinding,
) -> Result<(DataStream, bool), Failure> {
    let identity = identity.ok_or(Failure::Internal)?;
    let accepted = identity.accept(stream, session).await.map_err(|error| {
        tracing::debug!(%error, "the TLS handshake on a data connection failed");
        Failure::Handshake
    })?;
    let bound = accepted.resumed == Some(session);
    let stream = DataStream::Protected(Box::new(accepted.stream));
    // Where resumption is not demanded, the ticket of another session of the same client is as good as none: clients
    // with several sessions keep their tickets in one place. The peer's address was compared on accept.
    if binding == DataBinding::Required && !bound {
        stream.break_off();
        return Err(Failure::NotBound);
    }
    Ok((stream, bound))
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

//! Octets from a file to a data connection and back.

use std::{future::Future, io, time::Duration};

use safetp_protocol::{
    ascii::{FromWire, ToWire},
    session::Failure,
};

use super::{
    descriptor::{Sink, Source},
    stream::DataStream,
};

/// What holds for one transfer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// Whether lines are converted (TYPE A).
    pub(super) convert: bool,
    /// How long nothing may move.
    pub(super) stall: Duration,
    /// Octets moved at once.
    pub(super) chunk: usize,
    /// Whether an upload's end must be authentic.
    pub(super) require_close_notify: bool,
}

/// Sends all of `source`, its end included. `moved` counts on failure, too.
pub(super) async fn download(
    source: &mut Source,
    stream: &mut DataStream,
    rules: Rules,
    moved: &mut u64,
) -> Result<(), Failure> {
    let mut converter = rules.convert.then(ToWire::default);
    let mut lines = Vec::new();
    let mut buffer = vec![0; source.chunk(rules.chunk)];
    loop {
        let (returned, count) = source.read(buffer).await.map_err(|error| file_failure(&error, Failure::FileRead))?;
        buffer = returned;
        let octets = buffer.get(..count).unwrap_or_default();
        if octets.is_empty() {
            break;
        }
        let octets = match &mut converter {
            None => octets,
            Some(converter) => {
                lines.clear();
                converter.convert(octets, &mut lines);
                &lines
            }
        };
        in_time(rules.stall, stream.write(octets)).await?;
        *moved += octets.len() as u64;
    }
    let mark = in_time(rules.stall, stream.shutdown()).await?;
    in_time(rules.stall, stream.wait_for_arrival(mark)).await
}

/// Receives until the client's end and writes all of it, also what came before a failure: the part can be resumed.
pub(super) async fn upload(
    stream: &mut DataStream,
    sink: &mut Sink,
    rules: Rules,
    moved: &mut u64,
) -> Result<(), Failure> {
    let mut converter = rules.convert.then(FromWire::default);
    let mut spare = None;
    loop {
        let mut buffer = spare.take().unwrap_or_else(|| vec![0; rules.chunk]);
        let (count, end) = fill(stream, &mut buffer, rules).await;
        *moved += count as u64;
        let last = end.is_some();
        let (buffer, count) = match &mut converter {
            None => (buffer, count),
            Some(converter) => stored_form(converter, buffer.get(..count).unwrap_or_default(), last),
        };
        if count > 0 {
            let returned = sink.write(buffer, count).await.map_err(|error| file_failure(&error, Failure::FileWrite))?;
            spare = returned.filter(|buffer| buffer.len() == rules.chunk);
        }
        if let Some(end) = end {
            end?;
            // Answered at once: some clients wait for our end before they read the control connection again.
            let _ = in_time(rules.stall, stream.shutdown()).await;
            return Ok(());
        }
    }
}

fn stored_form(converter: &mut FromWire, octets: &[u8], last: bool) -> (Vec<u8>, usize) {
    let mut target = Vec::with_capacity(octets.len() + 1);
    converter.convert(octets, &mut target);
    if last {
        converter.finish(&mut target);
    }
    let count = target.len();
    (target, count)
}

/// Reads until the buffer is full or the connection has ended, and how.
async fn fill(stream: &mut DataStream, buffer: &mut [u8], rules: Rules) -> (usize, Option<Result<(), Failure>>) {
    let mut count = 0;
    while let Some(space) = buffer.get_mut(count..).filter(|space| !space.is_empty()) {
        match tokio::time::timeout(rules.stall, stream.read(space)).await {
            Ok(Ok(0)) => return (count, Some(Ok(()))),
            Ok(Ok(more)) => count += more,
            Ok(Err(error)) => return (count, Some(ended(&error, rules))),
            Err(_) => return (count, Some(Err(Failure::Stalled))),
        }
    }
    (count, None)
}

fn ended(error: &io::Error, rules: Rules) -> Result<(), Failure> {
    match error.kind() {
        io::ErrorKind::UnexpectedEof if rules.require_close_notify => Err(Failure::Truncated),
        io::ErrorKind::InvalidData => Err(Failure::Tampered),
        io::ErrorKind::UnexpectedEof => {
            tracing::info!("took an upload without close_notify for whole, as the configuration says");
            Ok(())
        }
        _ => Err(Failure::ConnectionLost),
    }
}

async fn in_time<T>(stall: Duration, step: impl Future<Output = io::Result<T>>) -> Result<T, Failure> {
    match tokio::time::timeout(stall, step).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(_)) => Err(Failure::ConnectionLost),
        Err(_) => Err(Failure::Stalled),
    }
}

/// What an error of the file means; `otherwise` where it says nothing special.
pub(super) fn file_failure(error: &io::Error, otherwise: Failure) -> Failure {
    tracing::warn!(%error, "failed to access the file that the ftpd handed over");
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => Failure::StorageFull,
        _ => otherwise,
    }
}

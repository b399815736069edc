//! Octets from a file to a data connection and back.

use std::{
    io,
    time::{Duration, Instant},
};

use safetp_protocol::{
    ascii::{FromWire, ToWire},
    pace::{Pace, TooSlow},
    session::Failure,
};

use super::{
    descriptor::{Sink, Source},
    stream::DataStream,
};

/// Rules of one transfer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// True to convert line ends (TYPE A).
    pub(crate) convert: bool,
    /// The time over which enough octets must move (see [`Pace`]).
    pub(crate) stall: Duration,
    /// Octets moved at once.
    pub(crate) chunk: usize,
    /// True if an upload's end must be authentic.
    pub(crate) require_close_notify: bool,
}

/// Sends all of `source` and the end. `moved` counts on failure, too.
pub(crate) async fn download(
    source: &mut Source,
    stream: &mut DataStream,
    rules: Rules,
    moved: &mut u64,
) -> Result<(), Failure> {
    let mut converter = rules.convert.then(ToWire::default);
    let mut lines = Vec::new();
    let mut pace = Pace::new(rules.stall);
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
        let mut rest = octets;
        while !rest.is_empty() {
            let count = in_pace(stream, &mut pace, rules, Step::Write(rest)).await?;
            *moved += count;
            rest = usize::try_from(count).ok().and_then(|count| rest.get(count..)).unwrap_or_default();
        }
    }
    let mark = in_pace(stream, &mut pace, rules, Step::Shutdown).await?;
    in_pace(stream, &mut pace, rules, Step::Arrival(mark)).await.map(drop)
}

/// A step that a download waits for. Each can be dropped and taken again, and nothing is lost by that.
#[derive(Clone, Copy)]
enum Step<'a> {
    /// Some of these octets are taken; returns how many.
    Write(&'a [u8]),
    /// All octets and the end are sent; returns the mark of [`DataStream::shutdown`].
    Shutdown,
    /// All octets up to the mark have arrived.
    Arrival(u64),
}

impl Step<'_> {
    async fn take(self, stream: &mut DataStream) -> io::Result<u64> {
        match self {
            Self::Write(octets) => stream.write(octets).await.map(|count| count as u64),
            Self::Shutdown => stream.shutdown().await,
            Self::Arrival(mark) => stream.wait_for_arrival(mark).await.map(|()| mark),
        }
    }
}

/// Waits for a step for as long as enough octets arrive at the client. Octets that the kernel has taken prove nothing:
/// it takes megabytes at once, and then none for a long time.
async fn in_pace(stream: &mut DataStream, pace: &mut Pace, rules: Rules, step: Step<'_>) -> Result<u64, Failure> {
    loop {
        let began = Instant::now();
        let taken = tokio::time::timeout(pace.left(), step.take(stream)).await;
        let checked = pace.note_wait(began.elapsed(), || stream.arrived());
        match taken {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(_)) => return Err(Failure::ConnectionLost),
            Err(_) => checked.map_err(|TooSlow| stalled(rules))?,
        }
    }
}

/// Receives until the client's end and writes all of it, also the octets before a failure: the part can be resumed.
pub(crate) async fn upload(
    stream: &mut DataStream,
    sink: &mut Sink,
    rules: Rules,
    moved: &mut u64,
) -> Result<(), Failure> {
    let mut converter = rules.convert.then(FromWire::default);
    let mut spare = None;
    let mut pace = Pace::new(rules.stall);
    loop {
        let mut buffer = spare.take().unwrap_or_else(|| vec![0; rules.chunk]);
        let (count, end) = fill(stream, &mut buffer, &mut pace, rules).await;
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
            let _ = tokio::time::timeout(rules.stall, stream.shutdown()).await;
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

/// Reads until the buffer is full or the connection has ended. Returns the number of octets, and how it ended if it
/// has.
async fn fill(
    stream: &mut DataStream,
    buffer: &mut [u8],
    pace: &mut Pace,
    rules: Rules,
) -> (usize, Option<Result<(), Failure>>) {
    let mut count = 0;
    while let Some(space) = buffer.get_mut(count..).filter(|space| !space.is_empty()) {
        let began = Instant::now();
        let read = tokio::time::timeout(pace.left(), stream.read(space)).await;
        let checked = pace.note_wait(began.elapsed(), || stream.received());
        match read {
            Ok(Ok(0)) => return (count, Some(Ok(()))),
            Ok(Ok(more)) => count += more,
            Ok(Err(error)) => return (count, Some(ended(&error, rules))),
            Err(_) => {}
        }
        if checked == Err(TooSlow) {
            return (count, Some(Err(stalled(rules))));
        }
    }
    (count, None)
}

fn ended(error: &io::Error, rules: Rules) -> Result<(), Failure> {
    match error.kind() {
        io::ErrorKind::UnexpectedEof if rules.require_close_notify => Err(Failure::Truncated),
        io::ErrorKind::InvalidData => Err(Failure::Tampered),
        io::ErrorKind::UnexpectedEof => {
            tracing::info!("accepted an upload without close_notify, as uploads.requireCloseNotify: false allows");
            Ok(())
        }
        _ => Err(Failure::ConnectionLost),
    }
}

fn stalled(rules: Rules) -> Failure {
    Failure::Stalled { seconds: u32::try_from(rules.stall.as_secs()).unwrap_or(u32::MAX) }
}

/// The failure that an error of the file means; `otherwise` where the error is not specific.
pub(crate) fn file_failure(error: &io::Error, otherwise: Failure) -> Failure {
    tracing::warn!(%error, "failed to access the file that the ftpd handed over");
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => Failure::StorageFull,
        _ => otherwise,
    }
}

//! get: from the server to a file, which has its name only when it is whole.

use std::{
    ffi::OsStr,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Seek as _, SeekFrom, Write},
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use indicatif::ProgressBar;

use crate::{
    failure::{DataError, Failure, Incomplete, LocalError, Refusal, Result},
    progress::Meter,
    session::{CommandLine, DataStream, Direction, Session, modified, size},
    url::RemotePath,
};

/// Fetches a file. `resume`: goes on behind what an earlier get has left.
pub(crate) async fn get(
    session: &mut Session,
    path: &RemotePath,
    local: Option<&Path>,
    resume: bool,
    meter: Meter,
) -> Result<()> {
    if path.is_directory() {
        return Err(Failure::Usage("get fetches a file, and a directory is named".into()));
    }
    let source = Source { path, size: ask_size(session, path).await? };
    if local == Some(Path::new("-")) {
        let mut out = io::stdout().lock();
        return fetch(session, &source, 0, &mut Sink { out: &mut out, name: Path::new("-") }, meter).await;
    }
    let mut part = Part::open(destination(local, path)?, resume)?;
    check_unchanged(session, &source, &part).await?;
    let (start, name) = (part.start, part.path.clone());
    fetch(session, &source, start, &mut Sink { out: &mut part.file, name: &name }, meter).await?;
    Ok(part.complete()?)
}

/// What is fetched.
struct Source<'a> {
    path: &'a RemotePath,
    /// If the server says.
    size: Option<u64>,
}

/// Where octets go.
struct Sink<'a, W> {
    out: &'a mut W,
    name: &'a Path,
}

async fn fetch<W: Write>(
    session: &mut Session,
    source: &Source<'_>,
    start: u64,
    sink: &mut Sink<'_, W>,
    meter: Meter,
) -> Result<()> {
    let prepared = session.prepare().await?;
    if start > 0 {
        session.restart_at(start).await?;
    }
    let command = CommandLine::with("RETR", source.path.argument().as_ref());
    let mut data = session.open(prepared, &command, Direction::FromServer).await?;
    let bar = meter.bar(source.path.to_string(), start, source.size);
    let outcome = receive(&mut data, sink, &bar).await;
    bar.finish_and_clear();
    let (received, outcome) = match outcome {
        Ok(received) => (received, Ok(())),
        Err(error) => (0, Err(error)),
    };
    session.conclude(data, outcome).await?;
    // In the clear nothing else tells a cut connection from the end.
    match source.size {
        Some(size) if start + received < size => Err(Incomplete::Short { received: start + received, size }.into()),
        _ => Ok(()),
    }
}

/// A page cache takes octets faster than a line brings them, so writing is done right here.
async fn receive<W: Write>(data: &mut DataStream, sink: &mut Sink<'_, W>, bar: &ProgressBar) -> Result<u64, DataError> {
    let mut received = 0;
    loop {
        let octets = data.receive().await?;
        if octets.is_empty() {
            sink.out.flush().map_err(LocalError::file("write", sink.name))?;
            return Ok(received);
        }
        sink.out.write_all(octets).map_err(LocalError::file("write", sink.name))?;
        let count = octets.len() as u64;
        received += count;
        bar.inc(count);
    }
}

async fn ask_size(session: &mut Session, path: &RemotePath) -> Result<Option<u64>> {
    Ok(size(&session.ask(&CommandLine::with("SIZE", path.argument().as_ref())).await?))
}

/// The beginning of one version and the end of another are no file: what the part has must be of the file that the
/// server has now.
async fn check_unchanged(session: &mut Session, source: &Source<'_>, part: &Part) -> Result<()> {
    if part.start == 0 {
        return Ok(());
    }
    let mismatch = |what: &str| {
        let path = part.path.display();
        Refusal::Mismatch(format!(
            "{path} does not belong to what the server has now: {what}. Run it without --continue."
        ))
    };
    if source.size.is_some_and(|size| size < part.start) {
        return Err(mismatch("that is shorter").into());
    }
    let reply = session.ask(&CommandLine::with("MDTM", source.path.argument().as_ref())).await?;
    let part_time = part.file.metadata().and_then(|metadata| metadata.modified()).ok();
    let part_time = part_time.and_then(|time| jiff::Timestamp::try_from(time).ok());
    match (modified(&reply), part_time) {
        (Some(there), Some(here)) if there > here => Err(mismatch("that has changed since").into()),
        _ => Ok(()),
    }
}

/// Where the file will be: under its own name if a directory is meant.
fn destination(local: Option<&Path>, path: &RemotePath) -> Result<PathBuf> {
    let name = OsStr::from_bytes(path.file_name());
    match local {
        None => Ok(name.into()),
        Some(local) if local.is_dir() => Ok(local.join(name)),
        Some(local) if local.as_os_str().as_bytes().ends_with(b"/") => {
            Err(LocalError::file("find", local)(io::ErrorKind::NotFound.into()).into())
        }
        Some(local) => Ok(local.into()),
    }
}

/// A file that is not whole yet.
struct Part {
    file: File,
    path: PathBuf,
    destination: PathBuf,
    /// How many octets it had.
    start: u64,
}

impl Part {
    fn open(destination: PathBuf, resume: bool) -> Result<Self, LocalError> {
        let mut path = destination.clone().into_os_string();
        path.push(".part");
        let path = PathBuf::from(path);
        let failed = |action| LocalError::file(action, &path);
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).clone();
        let mut file = options.open(&path).map_err(failed("open"))?;
        lock(&file, &path)?;
        if !resume {
            file.set_len(0).map_err(failed("empty"))?;
        }
        let start = file.seek(SeekFrom::End(0)).map_err(failed("read"))?;
        Ok(Self { file, path, destination, start })
    }

    /// It is whole: it gets its name.
    fn complete(self) -> Result<(), LocalError> {
        self.file.sync_data().map_err(LocalError::file("write", &self.path))?;
        fs::rename(&self.path, &self.destination).map_err(LocalError::file("rename", &self.path))
    }
}

/// Two that write one part would make a file of neither.
fn lock(file: &File, path: &Path) -> Result<(), LocalError> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(LocalError::Unfit {
            path: path.to_owned(),
            reason: "another safetp is fetching into it".into(),
            advice: "Wait for it, or choose another name.",
        }),
        Err(TryLockError::Error(error)) => Err(LocalError::file("lock", path)(error)),
    }
}

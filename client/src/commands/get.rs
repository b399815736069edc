//! get: from the server to a file, which has its name only when it is whole.

use std::{
    ffi::OsStr,
    io::{self, Seek as _, SeekFrom, Write},
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use indicatif::ProgressBar;

use super::{
    part::Part,
    version::{Version, have_same_beginning},
};
use crate::{
    failure::{DataError, Failure, Incomplete, LocalError, Refusal, Result},
    progress::Meter,
    session::{CommandLine, DataStream, Direction, Session},
    terminal,
    url::RemotePath,
};

/// Fetches a file. `resume`: goes on after what an earlier get has left.
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
    let version = Version::ask(session, path).await?;
    let source = Source { path, size: version.size };
    if local == Some(Path::new("-")) {
        let mut out = io::stdout().lock();
        return fetch(session, &source, 0, &mut Sink { out: &mut out, name: Path::new("-") }, meter).await;
    }
    let mut part = Part::open(destination(local, path)?, resume)?;
    if part.start > 0 {
        check_unchanged(session, path, &version, &mut part).await?;
    }
    part.remember(&version)?;
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
    let ended = receive(&mut data, sink, &bar).await;
    bar.finish_and_clear();
    let (received, ended) = match ended {
        Ok(received) => (received, Ok(())),
        Err(error) => (0, Err(error)),
    };
    session.close_and_confirm(data, ended).await?;
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

/// The beginning of one version and the end of another are no file: what the part has must be of the version that the
/// server has now, by the note beside it or by the octets themselves.
async fn check_unchanged(session: &mut Session, path: &RemotePath, now: &Version, part: &mut Part) -> Result<()> {
    let name = part.path.display().to_string();
    let mismatch = |what: &str| {
        let text = format!("{name} does not belong to what the server has now: {what}. Run it without --continue.");
        Err(Refusal::Mismatch(text).into())
    };
    if now.size.is_some_and(|size| size < part.start) {
        return mismatch("that is shorter");
    }
    let noted = part.source();
    match &noted {
        Some(then) if then != now => return mismatch("that has changed since"),
        Some(_) if now.size.is_some() && now.time.is_some() => return Ok(()),
        _ => {}
    }
    let same = have_same_beginning(session, path, (&mut part.file, &part.path), part.start).await?;
    part.file.seek(SeekFrom::Start(part.start)).map_err(LocalError::file("read", &part.path))?;
    match same {
        Some(true) => Ok(()),
        Some(false) => mismatch("that begins with other octets"),
        None if noted.is_some() => {
            let unsaid = if now.time.is_none() { "time" } else { "size" };
            terminal::tell(&format!(
                "that {name} is of this version is not proven: the server tells no {unsaid} of it"
            ));
            Ok(())
        }
        None => {
            let text = format!("nothing says of which version {name} is the beginning. Run it without --continue.");
            Err(Refusal::Mismatch(text).into())
        }
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

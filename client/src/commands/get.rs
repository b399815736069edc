//! get: a download to a file, which gets its name only when it is complete.

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

/// Fetches a file. `resume`: continues what an earlier get has left.
pub(crate) async fn get(
    session: &mut Session,
    path: &RemotePath,
    local: Option<&Path>,
    resume: bool,
    meter: Meter,
) -> Result<()> {
    if path.is_directory() {
        return Err(Failure::Usage("get needs a file, but the URL names a directory".into()));
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

/// The file to fetch.
struct Source<'a> {
    path: &'a RemotePath,
    /// In octets, if the server reports it.
    size: Option<u64>,
}

/// The destination of the octets.
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
    // In the clear a connection that was cut looks like the end of the file.
    match source.size {
        Some(size) if start + received < size => Err(Incomplete::Short { received: start + received, size }.into()),
        _ => Ok(()),
    }
}

/// Writes from the same task: the page cache takes octets faster than the network delivers them.
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

/// Checks that the part is the beginning of the version that the server has now, by the note beside it or by the digest
/// of its octets: the beginning of one version and the end of another are not a file.
async fn check_unchanged(session: &mut Session, path: &RemotePath, now: &Version, part: &mut Part) -> Result<()> {
    let name = part.path.display().to_string();
    let mismatch = |what: &str| {
        let text = format!("{name} does not match the server's file, which {what}. Run again without --continue.");
        Err(Refusal::Mismatch(text).into())
    };
    if now.size.is_some_and(|size| size < part.start) {
        return mismatch("is shorter");
    }
    let noted = part.source();
    match &noted {
        Some(then) if then != now => return mismatch("has changed since"),
        Some(_) if now.size.is_some() && now.time.is_some() => return Ok(()),
        _ => {}
    }
    let same = have_same_beginning(session, path, (&mut part.file, &part.path), part.start).await?;
    part.file.seek(SeekFrom::Start(part.start)).map_err(LocalError::file("read", &part.path))?;
    match same {
        Some(true) => Ok(()),
        Some(false) => mismatch("begins with other octets"),
        None if noted.is_some() => {
            let missing = if now.time.is_none() { "time" } else { "size" };
            terminal::tell(&format!(
                "cannot verify that {name} is of this version: the server does not report its {missing}"
            ));
            Ok(())
        }
        None => {
            let text = format!("cannot tell of which version {name} is the beginning. Run again without --continue.");
            Err(Refusal::Mismatch(text).into())
        }
    }
}

/// The path of the local file: under its remote name if `local` is a directory.
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

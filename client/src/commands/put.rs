//! put: an upload from a file or from the standard input.

use std::{
    fs::File,
    io::{self, Read, Seek as _, SeekFrom},
    os::unix::ffi::OsStrExt as _,
    path::Path,
};

use indicatif::ProgressBar;

use super::version::{Version, have_same_beginning};
use crate::{
    failure::{DataError, Failure, LocalError, Refusal, Result},
    progress::Meter,
    session::{CHUNK, CommandLine, DataStream, Direction, Session},
    terminal,
    url::RemotePath,
};

/// Checks before a connection is opened that the local file can be read.
pub(crate) fn check(local: &Path) -> Result<()> {
    if is_stdin(local) { Ok(()) } else { open(local).map(drop) }
}

/// Stores a file. `resume`: continues after what the server has, if it can.
pub(crate) async fn put(
    session: &mut Session,
    local: &Path,
    path: &RemotePath,
    resume: bool,
    meter: Meter,
) -> Result<()> {
    let path = destination(local, path)?;
    if is_stdin(local) {
        let mut upload = Upload { input: Box::new(io::stdin().lock()), local, path: &path, size: None };
        return upload.send_all(session, meter).await;
    }
    let (mut file, size) = open(local)?;
    let mut start = 0;
    if resume {
        start = resumable(session, (&mut file, local), size, &path).await?;
    }
    file.seek(SeekFrom::Start(0)).map_err(LocalError::file("read", local))?;
    if start > 0 {
        file.seek(SeekFrom::Start(start)).map_err(LocalError::file("read", local))?;
        let input = file.try_clone().map_err(LocalError::file("read", local))?;
        let mut upload = Upload { input: Box::new(input), local, path: &path, size: Some(size) };
        if upload.send_rest(session, start, meter).await? {
            return Ok(());
        }
        file.seek(SeekFrom::Start(0)).map_err(LocalError::file("read", local))?;
    }
    Upload { input: Box::new(file), local, path: &path, size: Some(size) }.send_all(session, meter).await
}

/// One upload, or the rest of one.
struct Upload<'a> {
    input: Box<dyn Read + 'a>,
    local: &'a Path,
    path: &'a RemotePath,
    /// The size of the whole file in octets; `None` for the standard input.
    size: Option<u64>,
}

impl Upload<'_> {
    async fn send_all(&mut self, session: &mut Session, meter: Meter) -> Result<()> {
        let prepared = session.prepare().await?;
        let data = session.open(prepared, &self.command(), Direction::ToServer).await?;
        self.transfer(session, data, 0, meter).await
    }

    /// Returns `false` if the server does not resume there; nothing has been sent then.
    async fn send_rest(&mut self, session: &mut Session, start: u64, meter: Meter) -> Result<bool> {
        let prepared = session.prepare().await?;
        let opened = match session.restart_at(start).await {
            Ok(()) => session.open(prepared, &self.command(), Direction::ToServer).await,
            Err(error) => Err(error),
        };
        match opened {
            Ok(data) => self.transfer(session, data, start, meter).await.map(|()| true),
            Err(Failure::Refused(refusal)) => {
                terminal::tell(&format!("cannot resume at octet {start}, so the whole file is sent: {refusal}"));
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    fn command(&self) -> CommandLine {
        CommandLine::with("STOR", self.path.argument().as_ref())
    }

    async fn transfer(&mut self, session: &mut Session, mut data: DataStream, start: u64, meter: Meter) -> Result<()> {
        let bar = meter.bar(self.path.to_string(), start, self.size);
        let sent = self.send(&mut data, &bar).await;
        bar.finish_and_clear();
        match sent {
            Ok(()) => {
                let ended = data.finish().await;
                session.confirm_complete(ended).await
            }
            Err(error) => session.close_and_confirm(data, Err(error)).await,
        }
    }

    async fn send(&mut self, data: &mut DataStream, bar: &ProgressBar) -> Result<(), DataError> {
        let mut buffer = vec![0; CHUNK];
        loop {
            let count = self.input.read(&mut buffer).map_err(LocalError::file("read", self.local))?;
            if count == 0 {
                return Ok(());
            }
            data.send(buffer.get(..count).unwrap_or_default()).await?;
            bar.inc(count as u64);
        }
    }
}

/// Returns how many octets of this file the server has already: by their digest or, without HASH, by size and time,
/// where a remote file that is older than the local one is another version.
async fn resumable(
    session: &mut Session,
    (file, local): (&mut File, &Path),
    length: u64,
    path: &RemotePath,
) -> Result<u64> {
    let version = Version::ask(session, path).await?;
    let there = version.size.unwrap_or(0);
    if there > length {
        let text = format!("the server has {there} octets of {path}, more than the {length} of the local file");
        return Err(Refusal::Mismatch(text).into());
    }
    if there == 0 {
        return Ok(0);
    }
    match have_same_beginning(session, path, (file, local), there).await? {
        Some(true) => return Ok(there),
        Some(false) => {
            terminal::tell("the local file begins with other octets than the server's, so the whole file is sent");
            return Ok(0);
        }
        None => {}
    }
    let local_time = file.metadata().and_then(|metadata| metadata.modified()).ok();
    let local_time = local_time.and_then(|time| jiff::Timestamp::try_from(time).ok());
    let known = match (local_time, version.time) {
        // MDTM of many servers has whole seconds only.
        (Some(here), Some(there)) if here.as_second() > there.as_second() => {
            terminal::tell("the local file is newer than the server's, so the whole file is sent");
            return Ok(0);
        }
        (Some(_), Some(_)) => "only size and time were compared",
        _ => "only the size was compared",
    };
    terminal::tell(&format!("cannot verify that the server has the beginning of this file: it has no HASH, {known}"));
    Ok(there)
}

fn is_stdin(local: &Path) -> bool {
    local == Path::new("-")
}

fn open(local: &Path) -> Result<(File, u64)> {
    let file = File::open(local).map_err(LocalError::file("open", local))?;
    let metadata = file.metadata().map_err(LocalError::file("read", local))?;
    if metadata.is_dir() {
        return Err(LocalError::file("read", local)(io::ErrorKind::IsADirectory.into()).into());
    }
    Ok((file, metadata.len()))
}

/// The path of the remote file: under its local name if `path` is a directory.
fn destination(local: &Path, path: &RemotePath) -> Result<RemotePath> {
    if !path.is_directory() {
        return Ok(path.clone());
    }
    match local.file_name() {
        Some(name) if !is_stdin(local) => Ok(path.join(name.as_bytes())?),
        _ => Err(Failure::Usage("the URL must end in the name of the new file".into())),
    }
}

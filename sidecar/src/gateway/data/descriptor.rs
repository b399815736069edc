//! The descriptor that the ftpd hands over: an opened file, or one end of a stream.

use std::{
    fs::File,
    io::{self, IoSliceMut, Write as _},
    os::{fd::OwnedFd, unix::fs::FileExt as _},
    sync::Arc,
};

use rustix::{
    fs::FileType,
    io::{Errno, ReadWriteFlags},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{UnixStream, unix::pipe},
    task::{JoinHandle, spawn_blocking},
};

/// The reading side of a download.
#[derive(Debug)]
pub(crate) enum Source {
    File(FileSource),
    Socket(UnixStream),
    Pipe(pipe::Receiver),
}

#[derive(Debug)]
pub(crate) struct FileSource {
    file: Arc<File>,
    offset: u64,
    /// True while the file system can say whether octets are in the page cache, which are read without a thread.
    try_cache: bool,
}

/// The writing side of an upload. One write may be under way while the next octets are received.
#[derive(Debug)]
pub(crate) enum Sink {
    File { file: Arc<File>, writing: Option<JoinHandle<(Vec<u8>, io::Result<()>)>> },
    Socket(UnixStream),
    Pipe(pipe::Sender),
}

impl Source {
    pub(crate) fn new(descriptor: OwnedFd) -> io::Result<Self> {
        Ok(match kind(&descriptor)? {
            FileType::Socket => Self::Socket(socket(descriptor)?),
            FileType::Fifo => Self::Pipe(pipe::Receiver::from_owned_fd(descriptor)?),
            _ => Self::File(FileSource::new(descriptor)?),
        })
    }

    /// Octets to read at once: the rest of a small file, else `most`.
    pub(crate) fn chunk(&self, most: usize) -> usize {
        let Self::File(source) = self else { return most.min(32 * 1024) };
        let left = source.file.metadata().map_or(u64::MAX, |data| data.len().saturating_sub(source.offset));
        // One more than is left, so that a small file's end is seen by the same read.
        usize::try_from(left.saturating_add(1)).map_or(most, |left| left.min(most))
    }

    /// Reads some octets into the buffer, which comes back; 0 is the end.
    pub(crate) async fn read(&mut self, mut buffer: Vec<u8>) -> io::Result<(Vec<u8>, usize)> {
        let count = match self {
            Self::File(source) => return source.read(buffer).await,
            Self::Socket(stream) => stream.read(&mut buffer).await?,
            Self::Pipe(stream) => stream.read(&mut buffer).await?,
        };
        Ok((buffer, count))
    }
}

impl FileSource {
    fn new(descriptor: OwnedFd) -> io::Result<Self> {
        let offset = rustix::fs::tell(&descriptor)?;
        Ok(Self { file: Arc::new(descriptor.into()), offset, try_cache: true })
    }

    async fn read(&mut self, mut buffer: Vec<u8>) -> io::Result<(Vec<u8>, usize)> {
        if let Some(count) = self.read_cached(&mut buffer)? {
            return Ok((buffer, count));
        }
        let (file, offset) = (Arc::clone(&self.file), self.offset);
        let (buffer, count) = spawn_blocking(move || {
            let count = file.read_at(&mut buffer, offset);
            (buffer, count)
        })
        .await?;
        let count = count?;
        self.offset += count as u64;
        Ok((buffer, count))
    }

    /// Reads from the page cache. `None` where a disk must be waited for, or where the file system cannot say.
    fn read_cached(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        if !self.try_cache {
            return Ok(None);
        }
        let mut target = [IoSliceMut::new(buffer)];
        match rustix::io::preadv2(&self.file, &mut target, self.offset, ReadWriteFlags::NOWAIT) {
            Ok(count) => {
                self.offset += count as u64;
                Ok(Some(count))
            }
            Err(Errno::AGAIN) => Ok(None),
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL | Errno::PERM) => {
                self.try_cache = false;
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl Sink {
    pub(crate) fn new(descriptor: OwnedFd) -> io::Result<Self> {
        Ok(match kind(&descriptor)? {
            FileType::Socket => Self::Socket(socket(descriptor)?),
            FileType::Fifo => Self::Pipe(pipe::Sender::from_owned_fd(descriptor)?),
            _ => Self::File { file: Arc::new(descriptor.into()), writing: None },
        })
    }

    /// Takes the first `count` octets of the buffer and gives a buffer back, maybe before they are written: the next
    /// call returns an error of this write.
    pub(crate) async fn write(&mut self, buffer: Vec<u8>, count: usize) -> io::Result<Option<Vec<u8>>> {
        let octets = buffer.get(..count).unwrap_or_default();
        match self {
            Self::Socket(stream) => stream.write_all(octets).await?,
            Self::Pipe(stream) => stream.write_all(octets).await?,
            Self::File { file, writing } => {
                let last = settle(writing).await?;
                let file = Arc::clone(file);
                *writing = Some(spawn_blocking(move || {
                    let result = (&*file).write_all(buffer.get(..count).unwrap_or_default());
                    (buffer, result)
                }));
                return Ok(last);
            }
        }
        Ok(Some(buffer))
    }

    /// Waits until no write is under way: the ftpd must not finish a file that is still written to.
    pub(crate) async fn settle(&mut self) -> io::Result<()> {
        match self {
            Self::File { writing, .. } => settle(writing).await.map(drop),
            Self::Socket(stream) => stream.shutdown().await,
            Self::Pipe(_) => Ok(()),
        }
    }
}

async fn settle(writing: &mut Option<JoinHandle<(Vec<u8>, io::Result<()>)>>) -> io::Result<Option<Vec<u8>>> {
    let Some(handle) = writing else { return Ok(None) };
    let finished = handle.await;
    // Only now: a future dropped before leaves the handle for the next call.
    *writing = None;
    let (buffer, result) = finished?;
    result.map(|()| Some(buffer))
}

fn kind(descriptor: &OwnedFd) -> io::Result<FileType> {
    Ok(FileType::from_raw_mode(rustix::fs::fstat(descriptor)?.st_mode))
}

fn socket(descriptor: OwnedFd) -> io::Result<UnixStream> {
    let stream = std::os::unix::net::UnixStream::from(descriptor);
    stream.set_nonblocking(true)?;
    UnixStream::from_std(stream)
}

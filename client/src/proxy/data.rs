//! The plain client's data connection, and the octets between it and the protected one.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use socket2::SockRef;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::{
    failure::{DataError, Incomplete},
    session::{CHUNK, DataStream, Direction},
};

/// How the plain client's data connection comes about.
#[derive(Debug)]
pub(super) enum LocalData {
    /// The client dials, from this address.
    Listening(TcpListener, IpAddr),
    /// The client is dialled.
    Dialling(SocketAddr),
}

/// The plain client's data connection. Whatever ends it before [`LocalStream::close`] is a reset, which nobody takes for
/// the end of a file.
#[derive(Debug)]
pub(super) struct LocalStream(TcpStream);

/// Moves all octets. An upload's end is then not yet told to the server, nor a download's to the client: whether it is
/// the end is for the caller to judge.
pub(super) async fn move_octets(
    local: LocalData,
    data: &mut DataStream,
    direction: Direction,
    limit: Duration,
) -> Result<LocalStream, DataError> {
    let mut local = local.connect(limit).await.map_err(|error| broken(&error))?;
    match direction {
        Direction::FromServer => download(&mut local.0, data).await?,
        Direction::ToServer => upload(&mut local.0, data).await?,
    }
    Ok(local)
}

impl LocalStream {
    fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
        Ok(Self(stream))
    }

    /// The end of the file, in order.
    pub(super) async fn close(mut self) {
        // A client that has closed before does not matter any more: it will read the reply.
        let _ = SockRef::from(&self.0).set_linger(None);
        let _ = self.0.shutdown().await;
    }
}

impl LocalData {
    async fn connect(self, limit: Duration) -> io::Result<LocalStream> {
        let connected = async {
            match self {
                Self::Listening(listener, peer) => accept_from(&listener, peer).await,
                Self::Dialling(address) => TcpStream::connect(address).await,
            }
        };
        LocalStream::new(tokio::time::timeout(limit, connected).await??)
    }
}

async fn accept_from(listener: &TcpListener, peer: IpAddr) -> io::Result<TcpStream> {
    loop {
        let (stream, address) = listener.accept().await?;
        if address.ip() == peer {
            return Ok(stream);
        }
    }
}

async fn download(local: &mut TcpStream, data: &mut DataStream) -> Result<(), DataError> {
    loop {
        let octets = data.receive().await?;
        if octets.is_empty() {
            return Ok(());
        }
        local.write_all(octets).await.map_err(|error| broken(&error))?;
    }
}

async fn upload(local: &mut TcpStream, data: &mut DataStream) -> Result<(), DataError> {
    let mut buffer = vec![0; CHUNK];
    loop {
        let count = local.read(&mut buffer).await.map_err(|error| broken(&error))?;
        if count == 0 {
            return Ok(());
        }
        data.send(buffer.get(..count).unwrap_or_default()).await?;
    }
}

fn broken(error: &io::Error) -> DataError {
    Incomplete::Broken(format!("the plain client's side of it: {error}")).into()
}

//! The plain client's data connection, and the octets between it and the protected one.

use std::{io, net::SocketAddr, time::Duration};

use socket2::SockRef;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use super::{local::Client, owner};
use crate::{
    failure::{DataError, Incomplete},
    session::{CHUNK, DataStream, Direction},
    terminal,
};

/// How the plain client's data connection comes about.
#[derive(Debug)]
pub(super) enum LocalData {
    /// The client dials. It is waited for from the first moment on: whose a connection is can be asked only while it is
    /// open, and a client that has sent a small file closes at once.
    Listening(JoinSet<io::Result<TcpStream>>),
    /// The client is dialled.
    Dialling(SocketAddr, Client),
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
    /// Takes the first connection of this client; others are dropped.
    pub(super) fn listening(listener: TcpListener, client: Client) -> Self {
        let mut accepting = JoinSet::new();
        accepting.spawn(async move { accept_from(&listener, client).await });
        Self::Listening(accepting)
    }

    async fn connect(self, limit: Duration) -> io::Result<LocalStream> {
        let connected = async {
            match self {
                Self::Listening(mut accepting) => match accepting.join_next().await {
                    Some(accepted) => accepted.map_err(io::Error::other)?,
                    None => Err(io::ErrorKind::NotConnected.into()),
                },
                Self::Dialling(address, client) => dial(address, client).await,
            }
        };
        LocalStream::new(tokio::time::timeout(limit, connected).await??)
    }
}

/// Loopback is every user's: whoever knows the port may be first. Only the client's own user gets its data.
async fn accept_from(listener: &TcpListener, client: Client) -> io::Result<TcpStream> {
    loop {
        let (stream, address) = listener.accept().await?;
        let user = owner::of_connection(address, stream.local_addr()?)?;
        if address.ip() == client.address && user == Some(client.user) {
            return Ok(stream);
        }
        let whose = user.map_or_else(|| "nobody any more".into(), |user| format!("the user with the number {user}"));
        terminal::tell(&format!("dropped a data connection of {whose}: its client runs as {}", client.user));
    }
}

async fn dial(address: SocketAddr, client: Client) -> io::Result<TcpStream> {
    if owner::of_listener(address)? != Some(client.user) {
        return Err(io::Error::other(format!("the client's user does not listen on port {}", address.port())));
    }
    TcpStream::connect(address).await
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

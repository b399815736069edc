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

/// The plain client's next data connection.
#[derive(Debug)]
pub(super) enum LocalData {
    /// The client connects. Accepting starts at once: the owner of a connection is known only while it is open, and a
    /// client that has sent a small file closes immediately.
    Listening(JoinSet<io::Result<TcpStream>>),
    /// The proxy connects to the client.
    Dialling(SocketAddr, Client),
}

/// The plain client's open data connection. Unless [`LocalStream::close`] ends it, it ends with a reset, which is not
/// taken for the end of a file.
#[derive(Debug)]
pub(super) struct LocalStream(TcpStream);

/// Moves all octets. The end of the file is not passed on yet, to the server or to the client: the caller decides
/// whether it is the end.
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

    /// Passes on the end of the file.
    pub(super) async fn close(mut self) {
        // A client that has closed already gets the reply on its control connection.
        let _ = SockRef::from(&self.0).set_linger(None);
        let _ = self.0.shutdown().await;
    }
}

impl LocalData {
    /// Accepts the first connection of this client and drops others.
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

/// Accepts a connection of the client's own user only: any user of the machine can connect to loopback first.
async fn accept_from(listener: &TcpListener, client: Client) -> io::Result<TcpStream> {
    loop {
        let (stream, address) = listener.accept().await?;
        let user = owner::of_connection(address, stream.local_addr()?)?;
        if address.ip() == client.address && user == Some(client.user) {
            return Ok(stream);
        }
        let owner = user.map_or_else(|| "an unknown user".into(), |user| format!("UID {user}"));
        terminal::tell(&format!("dropped a data connection of {owner}: the client runs as UID {}", client.user));
    }
}

async fn dial(address: SocketAddr, client: Client) -> io::Result<TcpStream> {
    if owner::of_listener(address)? != Some(client.user) {
        return Err(io::Error::other(format!("port {} was not opened by the client's user", address.port())));
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
    Incomplete::Broken(format!("the side of the plain client: {error}")).into()
}

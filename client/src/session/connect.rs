//! From a name to a greeted and protected session.

use std::{io, net::SocketAddr, time::Duration};

use safetp_protocol::reply::Reply;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpStream, lookup_host};

use super::{
    Features, Options, Session, control::Control, data::Protection, replies::shown, security, timeout::within,
};
use crate::{
    failure::{ConnectionError, Failure, Result, SecurityError},
    url::{Host, Server},
};

/// Load balancers forget idle connections after minutes, while a long transfer leaves the control connection idle.
const KEEPALIVE: Duration = Duration::from_secs(45);

impl Session {
    /// Connects, receives the greeting, and protects the session; the login is the next step. While the person is asked
    /// about a certificate there is no connection, since the server would not keep it open for so long.
    pub(crate) async fn connect(server: &Server, options: Options) -> Result<Self> {
        match Self::connect_once(server, options.clone()).await {
            Err(Failure::Security(SecurityError::UnknownCertificate { facts, .. }))
                if security::is_accepted(server, &facts)? =>
            {
                options.known_servers.accept(server, facts.fingerprint).map_err(SecurityError::from)?;
                Self::connect_once(server, options).await
            }
            outcome => outcome,
        }
    }

    async fn connect_once(server: &Server, options: Options) -> Result<Self> {
        let stream = dial(server, options.timeout).await?;
        let (peer, local) = addresses(&stream).map_err(ConnectionError::Broken)?;
        keep_alive(&stream).map_err(ConnectionError::Broken)?;
        let mut control = Control::new(server.clone(), stream, options.timeout, options.dialogue);
        let greeting = greeting(&mut control).await?;
        let security = security::protect(&mut control, server, peer.ip().to_canonical(), &options).await?;
        Ok(Self {
            server: server.clone(),
            options,
            control,
            peer,
            local,
            greeting,
            security,
            protection: Protection::Unset,
            features: Features::default(),
            pasv_only: false,
        })
    }
}

/// Connects to one address.
pub(super) async fn dial_address(address: SocketAddr, limit: Duration) -> io::Result<TcpStream> {
    let timed_out = || io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {} s", limit.as_secs()));
    let stream = tokio::time::timeout(limit, TcpStream::connect(address)).await.map_err(|_| timed_out())??;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Connects to the first of the server's addresses that answers.
async fn dial(server: &Server, limit: Duration) -> Result<TcpStream> {
    let addresses = resolve(server, limit).await?;
    let mut failure = None;
    for address in addresses {
        match dial_address(address, limit).await {
            Ok(stream) => return Ok(stream),
            Err(source) => failure = Some(ConnectionError::Dial { address, source }),
        }
    }
    Err(failure.unwrap_or_else(|| no_address(server, io::ErrorKind::NotFound.into())).into())
}

async fn resolve(server: &Server, limit: Duration) -> Result<Vec<SocketAddr>> {
    match &server.host {
        Host::Address(address) => Ok(vec![SocketAddr::new(*address, server.port)]),
        Host::Name(name) => {
            let found = within(limit, lookup_host((name.as_str(), server.port))).await?;
            Ok(found.map_err(|source| no_address(server, source))?.collect())
        }
    }
}

fn no_address(server: &Server, source: io::Error) -> ConnectionError {
    ConnectionError::Name { server: server.clone(), source }
}

fn addresses(stream: &TcpStream) -> io::Result<(SocketAddr, SocketAddr)> {
    Ok((stream.peer_addr()?, stream.local_addr()?))
}

fn keep_alive(stream: &TcpStream) -> io::Result<()> {
    SockRef::from(stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE))
}

/// Receives the 220, which may follow a 120 with a delay (RFC 959 §5.4).
async fn greeting(control: &mut Control) -> Result<Reply> {
    let mut reply = control.reply().await?;
    while reply.code().is_preliminary() {
        reply = control.reply().await?;
    }
    if reply.code().is_success() { Ok(reply) } else { Err(ConnectionError::Greeting(shown(&reply)).into()) }
}

//! Opening a data connection: passive by EPSV or PASV, active by PORT or EPRT, then the command that uses it.

use std::net::{IpAddr, SocketAddr};

use safetp_protocol::{endpoint, reply::Reply};
use tokio::net::{TcpListener, TcpStream};

use super::{DataStream, Direction};
use crate::{
    failure::{ConnectionError, Failure, Incomplete, Result},
    session::{CommandLine, Session, connect::dial_address, refused, replies::shown},
};

/// The client's half of the next data connection.
#[derive(Debug)]
pub(crate) enum Prepared {
    /// Connected already.
    Passive(TcpStream),
    /// Waits for the server to connect.
    Active(TcpListener),
}

impl Session {
    /// Prepares a data connection. To be called right before [`Session::open`]; only a REST may come between.
    pub(crate) async fn prepare(&mut self) -> Result<Prepared> {
        if self.options.active { self.prepare_active().await } else { self.prepare_passive().await }
    }

    /// Sets the offset of the next transfer by REST (RFC 3659 §5), in octets.
    pub(crate) async fn restart_at(&mut self, offset: u64) -> Result<()> {
        let command = CommandLine::of("REST", offset);
        let reply = self.ask(&command).await?;
        if reply.code().number() == 350 { Ok(()) } else { Err(refused(&command, &reply).into()) }
    }

    /// Sends a command that opens a data connection, and opens it. A refusal is a failure.
    pub(crate) async fn open(
        &mut self,
        prepared: Prepared,
        command: &CommandLine,
        direction: Direction,
    ) -> Result<DataStream> {
        match self.try_open(prepared, command, direction).await? {
            (_, Some(data)) => Ok(data),
            (reply, None) => Err(refused(command, &reply).into()),
        }
    }

    /// As [`Session::open`], with the server's reply: its 1yz and the data connection, or its refusal and none.
    pub(crate) async fn try_open(
        &mut self,
        prepared: Prepared,
        command: &CommandLine,
        direction: Direction,
    ) -> Result<(Reply, Option<DataStream>)> {
        let number = self.control.next_number();
        let reply = self.ask(command).await?;
        if !reply.code().is_preliminary() {
            return Ok((reply, None));
        }
        let opened = match self.connected(prepared).await {
            Ok(stream) => DataStream::begin(self, stream, direction, number).await,
            Err(error) => Err(error),
        };
        match opened {
            Ok(data) => Ok((reply, Some(data))),
            Err(error) => Err(self.explained(error).await),
        }
    }

    async fn prepare_passive(&mut self) -> Result<Prepared> {
        let port = self.passive_port().await?;
        let address = SocketAddr::new(self.peer.ip(), port);
        let stream = dial_address(address, self.options.timeout).await;
        Ok(Prepared::Passive(stream.map_err(|source| ConnectionError::DialData { address, source })?))
    }

    /// EPSV works through every NAT; PASV is for IPv4 only (RFC 2428), and used once the server has refused EPSV.
    async fn passive_port(&mut self) -> Result<u16> {
        if !self.pasv_only {
            let command = CommandLine::verb("EPSV");
            let reply = self.ask(&command).await?;
            if reply.code().number() == 229 {
                let port = endpoint::read_epsv_reply(reply.text());
                return Ok(port.ok_or_else(|| ConnectionError::NoPort(shown(&reply)))?);
            }
            let is_v4 = self.peer.ip().to_canonical().is_ipv4();
            if reply.code().number() < 500 || !is_v4 {
                return Err(refused(&command, &reply).into());
            }
            self.pasv_only = true;
        }
        let command = CommandLine::verb("PASV");
        let reply = self.ask(&command).await?;
        if reply.code().number() != 227 {
            return Err(refused(&command, &reply).into());
        }
        // The address in it is not used: a server behind NAT may report a wrong one, an evil server another host's.
        let endpoint = endpoint::read_pasv_reply(reply.text());
        Ok(endpoint.ok_or_else(|| ConnectionError::NoPort(shown(&reply)))?.port())
    }

    async fn prepare_active(&mut self) -> Result<Prepared> {
        let address = SocketAddr::new(self.local.ip(), 0);
        let listener = TcpListener::bind(address).await.map_err(ConnectionError::Listen)?;
        let port = listener.local_addr().map_err(ConnectionError::Listen)?.port();
        self.expect(&port_command(SocketAddr::new(self.local.ip().to_canonical(), port))).await?;
        Ok(Prepared::Active(listener))
    }

    async fn connected(&self, prepared: Prepared) -> Result<TcpStream> {
        let listener = match prepared {
            Prepared::Passive(stream) => return Ok(stream),
            Prepared::Active(listener) => listener,
        };
        let port = listener.local_addr().map_err(ConnectionError::Listen)?.port();
        let waited = self.options.timeout;
        let accepted = tokio::time::timeout(waited, accept_from(&listener, self.peer.ip())).await;
        Ok(accepted.map_err(|_| ConnectionError::NotDialled { port, waited })??)
    }

    /// Replaces a vague error of the data connection by the server's reply, which says more about the cause.
    async fn explained(&mut self, error: Failure) -> Failure {
        let reply = self.reply().await;
        let is_vague = matches!(error, Failure::Connection(ConnectionError::Broken(_) | ConnectionError::Closed));
        match reply {
            Ok(reply) if is_vague => Incomplete::Reply(shown(&reply)).into(),
            _ => error,
        }
    }
}

/// Accepts the first connection from the server's address and drops others.
async fn accept_from(listener: &TcpListener, peer: IpAddr) -> Result<TcpStream, ConnectionError> {
    loop {
        let (stream, address) = listener.accept().await.map_err(ConnectionError::Listen)?;
        if address.ip().to_canonical() == peer.to_canonical() {
            return Ok(stream);
        }
    }
}

fn port_command(address: SocketAddr) -> CommandLine {
    match address {
        SocketAddr::V4(v4) => CommandLine::of("PORT", endpoint::port_argument(v4)),
        SocketAddr::V6(_) => CommandLine::of("EPRT", endpoint::eprt_argument(address)),
    }
}

//! One session with a server, which is protected before a name or a password is sent.

use std::{net::SocketAddr, time::Duration};

use safetp_protocol::reply::Reply;

mod command_line;
mod connect;
mod control;
mod data;
mod dialogue;
mod hash;
mod lines;
mod login;
mod options;
mod replies;
mod security;
mod timeout;

pub(crate) use command_line::CommandLine;
pub(crate) use data::{CHUNK, DataStream, Direction, Prepared};
pub(crate) use dialogue::Dialogue;
pub(crate) use options::{DataLevel, Mechanism, Options, TlsVersion};
pub(crate) use replies::{Entry, EntryKind, Features};

use crate::{
    failure::{ConnectionError, Refusal, Result, SecurityError},
    url::Server,
};
use control::Control;
use data::Protection;
pub(crate) use replies::{directory, modified, shown, size};
use security::Security;

/// A session, from AUTH to QUIT.
#[derive(Debug)]
pub(crate) struct Session {
    server: Server,
    options: Options,
    control: Control,
    /// The server's end of the control connection; data connections go to the same address.
    peer: SocketAddr,
    local: SocketAddr,
    greeting: Reply,
    security: Security,
    protection: Protection,
    features: Features,
    /// The server has refused EPSV, so PASV is used from then on.
    pasv_only: bool,
}

impl Session {
    pub(crate) fn server(&self) -> &Server {
        &self.server
    }

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    /// The server's first reply.
    pub(crate) fn greeting(&self) -> &Reply {
        &self.greeting
    }

    /// The features that FEAT has listed.
    pub(crate) fn features(&self) -> &Features {
        &self.features
    }

    /// Sends a command and returns its reply, whatever the code. A 421 is a failure, since it ends the session.
    pub(crate) async fn ask(&mut self, command: &CommandLine) -> Result<Reply> {
        self.control.send(command).await?;
        self.reply().await
    }

    /// As [`Session::ask`], with a time limit of its own.
    pub(crate) async fn ask_within(&mut self, command: &CommandLine, limit: Duration) -> Result<Reply> {
        self.control.set_timeout(limit);
        let reply = self.ask(command).await;
        self.control.set_timeout(self.options.timeout);
        reply
    }

    /// Receives the next reply. Under X-SafeTP1 a 535 means that the server could not verify a command.
    pub(crate) async fn reply(&mut self) -> Result<Reply> {
        let reply = self.control.reply().await?;
        match (reply.code().number(), &self.security) {
            (421, _) => Err(ConnectionError::Ended(shown(&reply)).into()),
            (535, Security::SafeTp1(_)) => Err(SecurityError::Tampered(shown(&reply).to_string()).into()),
            _ => Ok(reply),
        }
    }

    /// Sends a command that must succeed: by 2yz, or by 3yz where the next command completes it.
    pub(crate) async fn expect(&mut self, command: &CommandLine) -> Result<Reply> {
        let reply = self.ask(command).await?;
        if reply.code().number() < 400 { Ok(reply) } else { Err(refused(command, &reply).into()) }
    }

    /// Sends QUIT and waits for its reply, so that the server sees an orderly end.
    pub(crate) async fn quit(mut self) {
        if self.ask(&CommandLine::verb("QUIT")).await.is_ok() {
            self.control.close().await;
        }
    }
}

/// The failure for a negative reply.
pub(crate) fn refused(command: &CommandLine, reply: &Reply) -> Refusal {
    Refusal::Reply { command: command.to_string(), reply: shown(reply) }
}

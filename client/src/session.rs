//! One session with a server: protected from the first command that says anything of anybody.

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
    /// Where the control connection ends; data connections go to the same address.
    peer: SocketAddr,
    local: SocketAddr,
    greeting: Reply,
    security: Security,
    protection: Protection,
    features: Features,
    /// The server has refused EPSV once, so PASV it is.
    pasv_only: bool,
}

impl Session {
    /// Whom this session is with.
    pub(crate) fn server(&self) -> &Server {
        &self.server
    }

    /// How it was asked to be.
    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    /// What the server said first.
    pub(crate) fn greeting(&self) -> &Reply {
        &self.greeting
    }

    /// What the server says that it can do.
    pub(crate) fn features(&self) -> &Features {
        &self.features
    }

    /// Sends a command and waits for its reply, whatever that is. A 421 ends the session.
    pub(crate) async fn ask(&mut self, command: &CommandLine) -> Result<Reply> {
        self.control.send(command).await?;
        self.reply().await
    }

    /// As [`Session::ask`], for what may take longer than a step usually may.
    pub(crate) async fn ask_within(&mut self, command: &CommandLine, limit: Duration) -> Result<Reply> {
        self.control.set_timeout(limit);
        let reply = self.ask(command).await;
        self.control.set_timeout(self.options.timeout);
        reply
    }

    /// The next reply of the server. Under X-SafeTP1 a 535 says that it could not verify a command.
    pub(crate) async fn reply(&mut self) -> Result<Reply> {
        let reply = self.control.reply().await?;
        match (reply.code().number(), &self.security) {
            (421, _) => Err(ConnectionError::Ended(shown(&reply)).into()),
            (535, Security::SafeTp1(_)) => Err(SecurityError::Tampered(shown(&reply).to_string()).into()),
            _ => Ok(reply),
        }
    }

    /// Sends a command that must be done: 2yz, or 3yz where the next command is part of it.
    pub(crate) async fn expect(&mut self, command: &CommandLine) -> Result<Reply> {
        let reply = self.ask(command).await?;
        if reply.code().number() < 400 { Ok(reply) } else { Err(refused(command, &reply).into()) }
    }

    /// Says QUIT and waits for what the server says to it, which is of no interest any more.
    pub(crate) async fn quit(mut self) {
        if self.ask(&CommandLine::verb("QUIT")).await.is_ok() {
            self.control.close().await;
        }
    }
}

/// A refusal, for people.
pub(crate) fn refused(command: &CommandLine, reply: &Reply) -> Refusal {
    Refusal::Reply { command: command.to_string(), reply: shown(reply) }
}

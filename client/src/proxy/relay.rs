//! One plain client and its protected session: the relay of commands and replies. Security is handled by the proxy
//! alone.

use std::{collections::VecDeque, future::Future, net::SocketAddr};

use safetp_protocol::{
    command::{Command, Epsv, TransferVerb},
    endpoint::{self, ActiveTarget},
    line::Line,
    reply::Reply,
};
use tokio::net::TcpListener;

use super::{
    data::{self, LocalData, LocalStream},
    local::Local,
};
use crate::{
    failure::{DataError, Failure, Result},
    session::{CommandLine, DataStream, Direction, Prepared, Session},
};

/// The most commands that a client may send ahead while a transfer runs.
const MAX_AHEAD: usize = 64;

/// One plain client and its protected session.
pub(super) struct Relay {
    local: Local,
    upstream: Session,
    pending: Option<Pending>,
    /// Lines received while a transfer was running.
    ahead: VecDeque<Line>,
    is_data_protected: bool,
}

/// Both halves of the next data connection.
struct Pending {
    local: LocalData,
    upstream: Prepared,
}

/// Whether the session continues.
enum Next {
    Continue,
    End,
}

impl Relay {
    pub(super) fn new(local: Local, upstream: Session) -> Self {
        Self { local, upstream, pending: None, ahead: VecDeque::new(), is_data_protected: false }
    }

    /// Relays until one side ends. A failure of the protected session is reported to the client.
    pub(super) async fn run(mut self) -> Result<()> {
        let greeting = self.upstream.greeting().clone();
        self.local.reply(&greeting).await;
        loop {
            let line = match self.ahead.pop_front() {
                Some(line) => line,
                None => match self.local.next_line().await {
                    Some(line) => line,
                    None => return Ok(()),
                },
            };
            match self.handle_line(&line).await {
                Ok(Next::Continue) => {}
                Ok(Next::End) => return Ok(()),
                Err(failure) => {
                    self.local.tell_end(&failure).await;
                    return Err(failure);
                }
            }
        }
    }

    async fn handle_line(&mut self, line: &Line) -> Result<Next> {
        let Line::Whole(line) = line else { return self.refuse(500, "Line too long.").await };
        let Some(command) = CommandLine::relayed(line) else {
            return self.refuse(501, "A command cannot contain a line end or a NUL.").await;
        };
        match Command::parse(line) {
            Ok(parsed) => self.handle_command(parsed, &command).await,
            Err(error) => self.refuse(501, &error.to_string()).await,
        }
    }

    async fn handle_command(&mut self, parsed: Command, command: &CommandLine) -> Result<Next> {
        match parsed {
            Command::Auth(_)
            | Command::Pbsz(_)
            | Command::Prot(_)
            | Command::Adat(_)
            | Command::Protected(..)
            | Command::Ccc => {
                self.refuse(502, "The proxy handles security: the connection to the server is protected.").await
            }
            // REIN would end the protection; the others open data connections that have not been prepared.
            Command::NotOffered => self.refuse(502, "This proxy does not relay this command.").await,
            Command::Feat => self.relay_features(command).await,
            Command::Pasv => self.handle_passive(false).await,
            Command::Epsv(Epsv::Any | Epsv::V4 | Epsv::V6) => self.handle_passive(true).await,
            Command::Epsv(Epsv::OtherProtocol) => self.refuse(522, "Network protocol not supported, use (1,2)").await,
            Command::Epsv(Epsv::All) => self.refuse(200, "Only EPSV from now on.").await,
            Command::Active(target) => self.handle_active(target).await,
            Command::Transfer { verb, .. } => self.handle_transfer(verb, command).await,
            Command::Quit => {
                self.relay(command).await?;
                Ok(Next::End)
            }
            Command::User(_)
            | Command::Pass(_)
            | Command::Type(_)
            | Command::Rest(_)
            | Command::Abor
            | Command::Help
            | Command::Noop
            | Command::Syst
            | Command::Stat
            | Command::Relay { .. }
            | Command::Unknown => self.relay(command).await,
        }
    }

    async fn refuse(&mut self, code: u16, text: &str) -> Result<Next> {
        self.local.reply(&Reply::new(code, text)).await;
        Ok(Next::Continue)
    }

    async fn relay(&mut self, command: &CommandLine) -> Result<Next> {
        let mut reply = self.upstream.ask(command).await?;
        while reply.code().is_preliminary() {
            self.local.reply(&reply).await;
            reply = self.upstream.reply().await?;
        }
        // 232: the mechanism has identified the user (RFC 2228 §3).
        if matches!(reply.code().number(), 230 | 232) && !self.is_data_protected {
            self.upstream.protect_data().await?;
            self.is_data_protected = true;
        }
        self.local.reply(&reply).await;
        Ok(Next::Continue)
    }

    /// Removes the features that the proxy handles itself.
    async fn relay_features(&mut self, command: &CommandLine) -> Result<Next> {
        let reply = self.upstream.ask(command).await?;
        let is_security = |line: &&[u8]| {
            let text = String::from_utf8_lossy(line).trim().to_ascii_uppercase();
            matches!(text.split(' ').next(), Some("AUTH" | "PBSZ" | "PROT" | "CCC"))
        };
        let lines: Vec<_> = reply.inner_lines().filter(|line| !is_security(line)).map(without_indent).collect();
        let is_list = reply.code().is_success() && reply.inner_lines().next().is_some();
        let reply = if is_list { Reply::with_lines(211, "Features:", lines, "End") } else { reply };
        self.local.reply(&reply).await;
        Ok(Next::Continue)
    }

    async fn handle_passive(&mut self, extended: bool) -> Result<Next> {
        self.pending = None;
        let own = self.local.own().to_canonical();
        let Ok(listener) = TcpListener::bind(SocketAddr::new(own, 0)).await else {
            return self.refuse(425, "The proxy found no free port.").await;
        };
        let Ok(address) = listener.local_addr() else {
            return self.refuse(425, "The proxy found no free port.").await;
        };
        let reply = match (extended, address) {
            (true, address) => endpoint::epsv_reply(address.port()),
            (false, SocketAddr::V4(address)) => endpoint::pasv_reply(address),
            (false, SocketAddr::V6(_)) => return self.refuse(425, "PASV has no IPv6: use EPSV.").await,
        };
        self.prepare(LocalData::listening(listener, self.local.client()), reply).await
    }

    /// Connects only to the client's own address, and to no port below 1024.
    async fn handle_active(&mut self, target: ActiveTarget) -> Result<Next> {
        self.pending = None;
        let ActiveTarget::Address(address) = target else {
            return self.refuse(522, "Network protocol not supported, use (1,2)").await;
        };
        if address.ip().to_canonical() != self.local.client().address.to_canonical() || address.port() < 1024 {
            return self.refuse(504, "Only ports from 1024 on your own address are allowed.").await;
        }
        self.prepare(
            LocalData::Dialling(address, self.local.client()),
            Reply::new(200, "Active mode: the proxy will connect to that port."),
        )
        .await
    }

    /// Prepares the upstream half at once, so that its failure is reported here and a REST stays next to its command.
    async fn prepare(&mut self, local: LocalData, reply: Reply) -> Result<Next> {
        if !self.is_data_protected {
            return self.refuse(530, "Log in first.").await;
        }
        match self.upstream.prepare().await {
            Ok(upstream) => {
                self.pending = Some(Pending { local, upstream });
                self.local.reply(&reply).await;
                Ok(Next::Continue)
            }
            Err(failure) => self.tell_no_data(failure).await,
        }
    }

    async fn handle_transfer(&mut self, verb: TransferVerb, command: &CommandLine) -> Result<Next> {
        let Some(pending) = self.pending.take() else {
            return self.refuse(425, "Use EPSV, PASV, EPRT or PORT first.").await;
        };
        let direction = if verb.is_upload() { Direction::ToServer } else { Direction::FromServer };
        match self.upstream.try_open(pending.upstream, command, direction).await {
            Ok((preliminary, Some(data))) => {
                self.local.reply(&preliminary).await;
                self.transfer(pending.local, data, direction).await
            }
            Ok((refusal, None)) => {
                self.local.reply(&refusal).await;
                Ok(Next::Continue)
            }
            Err(failure) => self.tell_no_data(failure).await,
        }
    }

    async fn transfer(&mut self, local_data: LocalData, mut data: DataStream, direction: Direction) -> Result<Next> {
        let moving = data::move_octets(local_data, &mut data, direction, self.upstream.options().timeout);
        match watch(&mut self.local, &mut self.ahead, moving).await {
            // A killed client closes everything; its data connection alone would look like the end of the file.
            Watched::Ended(Ok(_)) if direction == Direction::ToServer && self.local.is_gone() => {
                data.abort();
                Ok(Next::End)
            }
            Watched::Ended(moved) => self.end_transfer(moved, data, direction).await,
            Watched::Aborted(line) => {
                data.abort();
                let reply = self.upstream.reply().await?;
                self.local.reply(&reply).await;
                self.relay(&line).await
            }
            Watched::Gone => {
                data.abort();
                Ok(Next::End)
            }
        }
    }

    /// Ends both data connections and relays the server's reply, or 426 if the client's side has failed.
    async fn end_transfer(
        &mut self,
        moved: Result<LocalStream, DataError>,
        data: DataStream,
        direction: Direction,
    ) -> Result<Next> {
        let moved = match (moved, direction) {
            (Ok(local), Direction::ToServer) => data.finish().await.map(|()| local),
            (Ok(local), Direction::FromServer) => {
                data.close().await;
                Ok(local)
            }
            (Err(error), _) => {
                data.abort();
                Err(error)
            }
        };
        let reply = self.upstream.reply().await?;
        match moved {
            Ok(local) if reply.code().is_success() => {
                local.close().await;
                self.local.reply(&reply).await;
            }
            // Whatever the reply: data that does not verify ends the session.
            Err(DataError::Security(error)) => return Err(error.into()),
            Err(error) if reply.code().is_success() => self.local.reply(&Reply::new(426, error.to_string())).await,
            Ok(_) | Err(_) => self.local.reply(&reply).await,
        }
        Ok(Next::Continue)
    }

    /// Reports why there is no data connection. If the session has ended as well, its next command reports that.
    async fn tell_no_data(&mut self, failure: Failure) -> Result<Next> {
        match failure {
            Failure::Security(error) => Err(error.into()),
            failure => self.refuse(425, &failure.to_string()).await,
        }
    }
}

/// The first event during a transfer.
enum Watched<T> {
    Ended(T),
    Aborted(CommandLine),
    Gone,
}

/// Runs a transfer while its client may send ABOR or disconnect.
async fn watch<T>(local: &mut Local, ahead: &mut VecDeque<Line>, moving: impl Future<Output = T>) -> Watched<T> {
    tokio::pin!(moving);
    loop {
        tokio::select! {
            // In this order, so that the end of the data does not hide that the client is gone.
            biased;
            line = local.next_line(), if ahead.len() < MAX_AHEAD => match line {
                Some(line) if is_abor(&line) => return Watched::Aborted(CommandLine::verb("ABOR")),
                Some(line) => ahead.push_back(line),
                None => return Watched::Gone,
            },
            ended = &mut moving => return Watched::Ended(ended),
        }
    }
}

fn without_indent(line: &[u8]) -> Vec<u8> {
    line.trim_ascii_start().to_vec()
}

fn is_abor(line: &Line) -> bool {
    matches!(line, Line::Whole(line) if Command::parse(line) == Ok(Command::Abor))
}

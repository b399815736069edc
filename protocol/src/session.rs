//! One control connection, from the greeting to the last reply, as a state machine without I/O.

use std::{
    collections::VecDeque,
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    command::{Command, CommandError, Type},
    data_ports::SessionId,
    line::{Line, LineDecoder},
    policy::{self, Demands, Facts},
    reply::{Reply, ReplyDecoder},
    security::{DataProtection, Protection},
};

mod backend;
mod client;
mod failure;
mod output;
mod passive;
mod timers;
mod transfer;

pub use failure::{Blame, Failure};
pub use output::{Event, Output, Transfer};
pub use passive::Announced;

/// How many commands are held while an earlier one is under way. Beyond that the client is not read from.
const MAX_HELD: usize = 32;

/// What AUTH TLS gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Not among the mechanisms: 504.
    NotOffered,
    /// Offered, but there is no usable certificate yet: 431.
    NotReady,
    /// 234.
    Ready,
}

/// What a session is told at its beginning and keeps, whatever the configuration becomes.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What must be protected.
    pub demands: Demands,
    /// What AUTH TLS gets.
    pub tls: Tls,
    /// How long a command line may be.
    pub max_line: usize,
    /// From the connection to a finished login.
    pub login_time: Duration,
    /// Without a command or a transfer until 421.
    pub idle_time: Duration,
}

/// One session of a client, between its control connection and the backend's.
///
/// Tell it what happens with the `handle_*` functions, in the order in which it happens, each with the present moment.
/// After each of them do what [`Session::poll_output`] says until it says nothing more, and call
/// [`Session::handle_timeout`] at the moment of [`Session::poll_timeout`]. Read from the client only while
/// [`Session::wants_client_input`].
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts about one session, all combinations occur")]
pub struct Session {
    settings: Arc<Settings>,
    phase: Phase,
    lines: LineDecoder,
    held: VecDeque<Line>,
    protection: Protection,
    replies: ReplyDecoder,
    expected: VecDeque<Expected>,
    outputs: VecDeque<Output>,
    user: Option<String>,
    logged_in: bool,
    epsv_only: bool,
    passive: bool,
    transfer_type: Type,
    rest: u64,
    accepted_on: Option<Announced>,
    address: Option<Announced>,
    moved_at: Option<Instant>,
    draining: bool,
    began: Instant,
    active: Instant,
    asked_backend: Instant,
}

/// What the session is waiting for.
#[derive(Debug)]
enum Phase {
    /// The backend's 220.
    Starting,
    /// The next command.
    Ready,
    /// The TLS handshake.
    Handshaking,
    /// The backend's reply to one command.
    Asking,
    /// A data port for PASV or EPSV.
    AwaitingPort(passive::Kind),
    /// A transfer, from its command to its last reply.
    Transferring(transfer::State),
    /// Nothing: all is over but the flushing.
    Closed,
}

/// Whose reply the backend owes next.
#[derive(Debug)]
enum Expected {
    Greeting,
    Peer,
    User,
    Pass,
    Relayed,
    Type(Type),
    Rest(u64),
    Features,
    Transfer,
}

impl Session {
    /// A session whose client has just connected and whose backend connection is open. `address` is what is announced
    /// at this moment, so that a later move is seen.
    pub fn new(id: SessionId, peer: IpAddr, settings: Arc<Settings>, address: Option<Announced>, now: Instant) -> Self {
        let greet = Output::ToBackend(format!("XPEER {peer} {}\r\n", id.0).into_bytes());
        Self {
            phase: Phase::Starting,
            lines: LineDecoder::for_commands(settings.max_line),
            held: VecDeque::new(),
            protection: Protection::default(),
            replies: ReplyDecoder::default(),
            expected: [Expected::Greeting, Expected::Peer].into(),
            outputs: [greet].into(),
            user: None,
            logged_in: false,
            epsv_only: false,
            passive: false,
            transfer_type: Type::Ascii,
            rest: 0,
            accepted_on: address.clone(),
            address,
            moved_at: None,
            draining: false,
            began: now,
            active: now,
            asked_backend: now,
            settings,
        }
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Whether octets from the client are wanted now. Not during the handshake, and not while too much is held.
    pub fn wants_client_input(&self) -> bool {
        !matches!(self.phase, Phase::Closed | Phase::Handshaking) && self.held.len() < MAX_HELD
    }

    /// Whether a transfer is between its command and its last reply.
    pub fn is_transferring(&self) -> bool {
        matches!(self.phase, Phase::Transferring(_))
    }

    /// How the next data connection is to be protected.
    pub fn data_protection(&self) -> DataProtection {
        self.protection.data()
    }

    /// Whether the session has ended.
    pub fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed)
    }

    /// Takes octets from the client.
    pub fn handle_client_bytes(&mut self, octets: &[u8], now: Instant) {
        self.lines.push(octets);
        while let Some(line) = self.lines.next_line() {
            self.active = now;
            self.held.push_back(line);
        }
        self.advance(now);
    }

    /// The client has closed its side. A transfer under way has lost its owner and breaks off.
    pub fn handle_client_closed(&mut self) {
        self.close_silently();
    }

    /// The handshake that [`Output::StartTls`] asked for is done.
    pub fn handle_protected(&mut self, now: Instant) {
        if !matches!(self.phase, Phase::Handshaking) {
            return;
        }
        self.protection.handle_protected();
        self.phase = Phase::Ready;
        self.active = now;
        self.advance(now);
    }

    /// Something of ours went wrong that the client cannot help: says so and ends the session.
    pub fn handle_backend_lost(&mut self) {
        self.close(&Reply::new(421, "The file server behind this gateway went away; try again."));
    }

    /// Goes on with held commands as far as it can, and ends a draining session once nothing is under way.
    fn advance(&mut self, now: Instant) {
        while matches!(self.phase, Phase::Ready) {
            if self.draining {
                return self.close(&Reply::new(421, "The server is shutting down; connect again."));
            }
            let Some(line) = self.held.pop_front() else { return };
            self.active = now;
            self.handle_line(&line, now);
        }
        if self.is_transferring() {
            // Wherever they stand: what is before them waits for the very end that they are about.
            let held = std::mem::take(&mut self.held);
            self.held = held.into_iter().filter(|line| !self.handle_urgent(line)).collect();
        }
    }

    fn handle_line(&mut self, line: &Line, now: Instant) {
        let parsed = match line {
            Line::Whole(line) => Command::parse(line),
            Line::TooLong => return self.reply(500, "This line is longer than any command."),
        };
        match parsed {
            Ok(command) => self.handle_command(command, now),
            Err(error) => {
                let code = match error {
                    CommandError::NoVerb => 500,
                    CommandError::TypeNotOffered => 504,
                    _ => 501,
                };
                self.reply(code, &format!("Not understood: {error}."));
            }
        }
    }

    fn handle_command(&mut self, command: Command, now: Instant) {
        let facts = Facts {
            protected: self.protection.control(),
            data_private: self.protection.data() == DataProtection::Private,
            logged_in: self.logged_in,
            epsv_only: self.epsv_only,
        };
        match policy::decide(&command, self.settings.demands, facts) {
            Ok(()) => self.execute(command, now),
            Err(refusal) => self.send(&refusal.reply()),
        }
    }

    fn send(&mut self, reply: &Reply) {
        self.outputs.push_back(Output::ToClient(reply.encode()));
    }

    fn reply(&mut self, code: u16, text: &str) {
        self.send(&Reply::new(code, text));
    }

    fn ask_backend(&mut self, line: Vec<u8>, expected: Expected, now: Instant) {
        self.outputs.push_back(Output::ToBackend(line));
        self.expected.push_back(expected);
        self.asked_backend = now;
    }

    fn close(&mut self, last: &Reply) {
        if !self.is_closed() {
            self.send(last);
            self.close_silently();
        }
    }

    fn close_silently(&mut self) {
        if !self.is_closed() {
            self.phase = Phase::Closed;
            self.held.clear();
            self.outputs.push_back(Output::Close);
        }
    }
}

#[cfg(test)]
mod tests;

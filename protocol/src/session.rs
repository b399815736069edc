//! One control connection, from the greeting to the last reply, as a state machine without I/O.

use std::{collections::VecDeque, net::IpAddr, sync::Arc, time::Instant};

use crate::{
    command::{self, Command},
    data_ports::SessionId,
    dialect::{Peer, Word},
    line::Line,
    policy::{self, Facts},
    reply::Reply,
    security::{
        DataProtection, Mechanism, Protection,
        safetp1::{DataKeys, Unverified},
    },
};

mod active;
mod address;
mod admission;
mod backend;
mod backend_link;
mod channel;
mod clocks;
mod commands;
mod current_transfer;
mod exchange;
mod failure;
mod held;
mod login;
mod negotiation;
mod output;
mod parameters;
mod passive;
mod phase;
mod protection;
mod settings;
mod timers;
mod transfer;

pub use address::Announced;
pub use admission::Progress;
pub use exchange::{Answer, Question};
pub use failure::{Blame, Failure};
pub use output::{DataSecurity, Event, Output, Route, Transfer};
pub use settings::{SafeTp1, Settings, Tls};

use address::Address;
use backend_link::{BackendLink, Expected};
use channel::ControlChannel;
use clocks::Clocks;
use exchange::Negotiation;
use held::{CommandSecurity, Held};
use login::Login;
use parameters::TransferParameters;
use phase::Phase;

/// One session of a client, between its control connection and the backend's.
///
/// Report what happens with the `handle_*` functions, in the order in which it happens, each with the present moment.
/// After each of them do what [`Session::poll_output`] returns until it returns nothing more, then close the connection
/// if [`Session::is_closed`], and call [`Session::handle_timeout`] at the moment of [`Session::poll_timeout`]. Read
/// from the client only while [`Session::wants_client_input`].
#[derive(Debug)]
pub struct Session {
    settings: Arc<Settings>,
    client: Peer,
    phase: Phase,
    outputs: VecDeque<Output>,
    channel: ControlChannel,
    protection: Protection,
    negotiation: Negotiation,
    backend: BackendLink,
    login: Login,
    parameters: TransferParameters,
    address: Address,
    clocks: Clocks,
    /// The gateway shuts down.
    is_draining: bool,
}

impl Session {
    /// A session whose client has just connected and whose backend connection is open. `address` is what is announced
    /// at this moment, so that a later move is seen.
    pub fn new(id: SessionId, peer: IpAddr, settings: Arc<Settings>, address: Option<Announced>, now: Instant) -> Self {
        let mut session = Self {
            client: Peer { address: peer, session: id },
            phase: Phase::Starting,
            outputs: VecDeque::new(),
            channel: ControlChannel::new(settings.max_line),
            protection: Protection::default(),
            negotiation: Negotiation::default(),
            backend: BackendLink::opened(now),
            login: Login::default(),
            parameters: TransferParameters::default(),
            address: Address::new(address),
            clocks: Clocks::new(now),
            is_draining: false,
            settings,
        };
        session.greet_backend();
        session
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Whether the client may be read from: not while its protection changes, nor while too much is held.
    pub fn wants_client_input(&self) -> bool {
        let changing = matches!(self.phase, Phase::Handshaking(_) | Phase::Negotiating | Phase::Clearing);
        !changing && !self.is_closed() && self.has_room()
    }

    fn has_room(&self) -> bool {
        self.channel.has_room(self.login.is_done())
    }

    /// Whether a transfer is between its command and its last reply.
    pub fn is_transferring(&self) -> bool {
        matches!(self.phase, Phase::Transferring(_))
    }

    /// Whether the next data connection can prove by TLS that it belongs to this session.
    pub fn data_connection_can_resume(&self) -> bool {
        self.protection.mechanism() == Some(Mechanism::Tls) && self.protection.data() == DataProtection::Private
    }

    /// The keys of [`DataSecurity::Blocks`].
    pub fn data_keys(&self) -> Option<&DataKeys> {
        self.channel.data_keys()
    }

    /// The user who is logged in.
    pub fn login(&self) -> Option<&str> {
        self.login.user()
    }

    /// Whether the session has ended.
    pub fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed)
    }

    /// Takes octets from the client.
    pub fn handle_client_bytes(&mut self, octets: &[u8], now: Instant) {
        self.clocks.note_octets(now);
        self.channel.push(octets);
        self.advance(now);
    }

    /// The client has closed its side. A transfer under way has lost its owner and breaks off.
    pub fn handle_client_closed(&mut self) {
        self.close_silently();
    }

    /// The backend's connection is lost, which the client cannot help: says so and ends the session.
    pub fn handle_backend_lost(&mut self) {
        self.close(&Reply::new(421, "The connection to the file server of this gateway was lost; try again."));
    }

    /// Continues with held commands as far as it can, and ends a draining session once nothing is under way.
    fn advance(&mut self, now: Instant) {
        while matches!(self.phase, Phase::Ready) {
            if self.is_draining {
                return self.close(&Reply::new(421, "The server is shutting down; connect again."));
            }
            let next = self.channel.next_command();
            let Some(held) = self.verified(next) else { return };
            self.clocks.note_activity(now);
            self.channel.set_answers_clear(held.came_in_the_clear());
            match held {
                Held::Line(line, security) => self.handle_line(&line, security, now),
                Held::Refused(refusal) => self.send(&refusal),
            }
            self.channel.set_answers_clear(false);
        }
        self.look_ahead();
    }

    /// Looks for ABOR and STAT during a transfer, wherever they stand: what is before them waits for the very end that
    /// they are about.
    fn look_ahead(&mut self) {
        while self.is_transferring()
            && self.has_room()
            && let Some(command) = self.next_line()
        {
            if !self.handle_urgent(&command) {
                self.channel.hold(command);
            }
        }
    }

    /// The next command that has come, although others may be held before it.
    fn next_line(&mut self) -> Option<Held> {
        let next = self.channel.next_line();
        self.verified(next)
    }

    /// A command that does not verify ends the session.
    fn verified(&mut self, command: Result<Option<Held>, Unverified>) -> Option<Held> {
        if command.is_err() {
            self.close(&Reply::new(535, "This message did not verify; connect again."));
        }
        command.ok().flatten()
    }

    fn handle_line(&mut self, line: &Line, security: CommandSecurity, now: Instant) {
        let parsed = match line {
            Line::Whole(line) if command::is_http(line) => {
                return self.close(&Reply::new(421, "This is an FTP server."));
            }
            Line::Whole(line) => Command::parse(line),
            Line::TooLong => return self.reply(500, "This line is longer than any command."),
        };
        match parsed {
            Ok(command) => self.handle_command(command, security, now),
            Err(error) => self.send(&error.reply()),
        }
    }

    fn handle_command(&mut self, command: Command, security: CommandSecurity, now: Instant) {
        let facts = Facts {
            mechanism: self.protection.mechanism(),
            command_protected: security != CommandSecurity::Clear,
            data_private: self.protection.data() == DataProtection::Private,
            logged_in: self.login.is_done(),
            epsv_only: self.parameters.epsv_only,
        };
        match policy::decide(&command, self.settings.demands, facts) {
            Ok(()) => self.execute(command, security, now),
            Err(refusal) => self.send(&refusal.reply(self.settings.auth_command())),
        }
    }

    fn reply(&mut self, code: u16, text: &str) {
        self.send(&Reply::new(code, text));
    }

    fn send(&mut self, reply: &Reply) {
        match self.channel.encode(reply) {
            Some(octets) => self.outputs.push_back(Output::ToClient(octets)),
            // No reply can be protected any more, and no client would believe an unprotected one.
            None => self.close_silently(),
        }
    }

    fn ask_backend(&mut self, line: Vec<u8>, expected: Expected, now: Instant) {
        self.outputs.push_back(Output::ToBackend(line));
        self.backend.expect(expected, now);
    }

    /// Tells the backend on its new connection who its client is.
    fn greet_backend(&mut self) {
        self.outputs.push_back(Output::ToBackend(Word::Peer(self.client).line()));
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
            self.channel.drop_held();
        }
    }
}

#[cfg(test)]
mod tests;

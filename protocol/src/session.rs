//! One control connection, from the greeting to the last reply, as a state machine without I/O.

use std::{
    collections::VecDeque,
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    command::{self, Command, Type},
    data_ports::SessionId,
    line::{Line, LineDecoder},
    policy::{self, Demands, Facts},
    reply::{Reply, ReplyDecoder},
    security::{
        DataProtection, Mechanism, Protection,
        safetp1::{DataKeys, SigningKey},
    },
};

mod active;
mod backend;
mod channel;
mod client;
mod failure;
mod held;
mod login;
mod negotiation;
mod output;
mod passive;
mod restart;
mod timers;
mod transfer;

pub use failure::{Blame, Failure};
pub use login::Progress;
pub use negotiation::{Answer, Question};
pub use output::{DataSecurity, Event, Output, Route, Transfer};
pub use passive::Announced;

use channel::{Channel, Held, Origin};
use held::HeldCommands;

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

/// What AUTH X-SafeTP1 gets.
#[derive(Clone, Debug)]
pub enum SafeTp1 {
    /// Not among the mechanisms: 504.
    NotOffered,
    /// Offered, but there is no usable key yet: 431.
    NotReady,
    /// 334, once an external address is known.
    Ready(Arc<SigningKey>),
}

/// What a session is told at its beginning and keeps, whatever the configuration becomes.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What must be protected.
    pub demands: Demands,
    /// What AUTH TLS gets.
    pub tls: Tls,
    /// What AUTH X-SafeTP1 gets.
    pub safetp1: SafeTp1,
    /// How long a command line may be.
    pub max_line: usize,
    /// From the client's first octet to a finished login.
    pub login_time: Duration,
    /// Without a command or a transfer until 421.
    pub idle_time: Duration,
}

/// One session of a client, between its control connection and the backend's.
///
/// Tell it what happens with the `handle_*` functions, in the order in which it happens, each with the present moment.
/// After each of them do what [`Session::poll_output`] says until it says nothing more, then close the connection if
/// [`Session::is_closed`], and call [`Session::handle_timeout`] at the moment of [`Session::poll_timeout`]. Read from the
/// client only while [`Session::wants_client_input`].
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts about one session, all combinations occur")]
pub struct Session {
    settings: Arc<Settings>,
    phase: Phase,
    id: SessionId,
    peer: IpAddr,
    channel: Channel,
    lines: LineDecoder,
    held: HeldCommands,
    protection: Protection,
    replies: ReplyDecoder,
    expected: VecDeque<Expected>,
    outputs: VecDeque<Output>,
    user: Option<String>,
    logged_in: bool,
    epsv_only: bool,
    route: Option<Route>,
    data_keys: Option<DataKeys>,
    exchanges: u8,
    /// The command that is answered at this moment came in the clear.
    answers_clear: bool,
    /// The backend was told something since its connection began, and may remember it.
    backend_told: bool,
    transfer_type: Type,
    rest: u64,
    accepted_on: Option<Announced>,
    address: Option<Announced>,
    moved_at: Option<Instant>,
    draining: bool,
    greeted: Instant,
    first_octet: Option<Instant>,
    active: Instant,
    asked_backend: Instant,
}

/// What the session is waiting for.
#[derive(Debug)]
enum Phase {
    /// The backend's 220.
    Starting,
    /// The 220 of a backend connection that knows nothing of what was said in the clear.
    Restarting,
    /// The next command.
    Ready,
    /// The TLS handshake, after which data connections are as the name of the mechanism implies.
    Handshaking(DataProtection),
    /// The answer to message 2 of X-SafeTP1, which takes a while to compute.
    Negotiating,
    /// The end of TLS behind CCC.
    Clearing,
    /// The backend's reply to one command.
    Asking,
    /// A place among the users. The backend's welcome comes after it.
    Admitting(Reply),
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
        let mut session = Self {
            phase: Phase::Starting,
            id,
            peer,
            channel: Channel::Clear,
            lines: LineDecoder::for_commands(settings.max_line),
            held: HeldCommands::default(),
            protection: Protection::default(),
            replies: ReplyDecoder::default(),
            expected: VecDeque::new(),
            outputs: VecDeque::new(),
            user: None,
            logged_in: false,
            epsv_only: false,
            route: None,
            data_keys: None,
            exchanges: 0,
            answers_clear: false,
            backend_told: false,
            transfer_type: Type::Ascii,
            rest: 0,
            accepted_on: address.clone(),
            address,
            moved_at: None,
            draining: false,
            greeted: now,
            first_octet: None,
            active: now,
            asked_backend: now,
            settings,
        };
        session.greet_backend(now);
        session
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Whether octets from the client are wanted now. Not while its protection changes, and not while too much is held.
    pub fn wants_client_input(&self) -> bool {
        let changing = matches!(self.phase, Phase::Handshaking(_) | Phase::Negotiating | Phase::Clearing);
        !changing && !self.is_closed() && self.has_room()
    }

    fn has_room(&self) -> bool {
        self.lines.waiting() + self.held.octets() < held::most_octets(self.logged_in)
    }

    /// Whether a transfer is between its command and its last reply.
    pub fn is_transferring(&self) -> bool {
        matches!(self.phase, Phase::Transferring(_))
    }

    /// Whether the next data connection can show by TLS whose it is.
    pub fn data_connection_can_resume(&self) -> bool {
        self.protection.mechanism() == Some(Mechanism::Tls) && self.protection.data() == DataProtection::Private
    }

    /// The keys of [`DataSecurity::Blocks`].
    pub fn data_keys(&self) -> Option<&DataKeys> {
        self.data_keys.as_ref()
    }

    /// Who is logged in.
    pub fn login(&self) -> Option<&str> {
        self.user.as_deref().filter(|_| self.logged_in)
    }

    /// Whether the session has ended.
    pub fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed)
    }

    /// Takes octets from the client.
    pub fn handle_client_bytes(&mut self, octets: &[u8], now: Instant) {
        self.first_octet.get_or_insert(now);
        self.lines.push(octets);
        self.advance(now);
    }

    /// The client has closed its side. A transfer under way has lost its owner and breaks off.
    pub fn handle_client_closed(&mut self) {
        self.close_silently();
    }

    /// The handshake that [`Output::StartTls`] asked for is done.
    pub fn handle_protected(&mut self, now: Instant) {
        let Phase::Handshaking(implied) = self.phase else { return };
        self.protection.handle_protected(Mechanism::Tls);
        if implied == DataProtection::Private {
            self.protection.imply_private_data();
        }
        self.change_channel(Channel::Tls);
        self.phase = Phase::Ready;
        self.active = now;
        self.forget_the_clear(now);
        self.advance(now);
    }

    /// The end of TLS that [`Output::StopTls`] asked for is done: what comes now is in the clear.
    pub fn handle_cleared(&mut self, now: Instant) {
        if !matches!(self.phase, Phase::Clearing) {
            return;
        }
        self.hold_what_came_protected();
        if self.is_closed() {
            return;
        }
        self.change_channel(Channel::Cleared);
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
            let Some(held) = self.held.pop().or_else(|| self.take_command()) else { return };
            self.active = now;
            self.answers_clear = held.came_in_the_clear();
            match held {
                Held::Line(line, origin) => self.handle_line(&line, origin, now),
                Held::Refused(refusal) => self.send(&refusal),
            }
            self.answers_clear = false;
        }
        self.look_ahead();
    }

    /// Looks for ABOR and STAT during a transfer, wherever they stand: what is before them waits for the very end that
    /// they are about.
    fn look_ahead(&mut self) {
        while self.is_transferring()
            && self.has_room()
            && let Some(command) = self.take_command()
        {
            if !self.handle_urgent(&command) {
                self.held.push(command);
            }
        }
    }

    fn handle_line(&mut self, line: &Line, origin: Origin, now: Instant) {
        let parsed = match line {
            Line::Whole(line) if command::is_http(line) => {
                return self.close(&Reply::new(421, "This is an FTP server."));
            }
            Line::Whole(line) => Command::parse(line),
            Line::TooLong => return self.reply(500, "This line is longer than any command."),
        };
        match parsed {
            Ok(command) => self.handle_command(command, origin, now),
            Err(error) => self.send(&error.reply()),
        }
    }

    fn handle_command(&mut self, command: Command, origin: Origin, now: Instant) {
        let facts = Facts {
            mechanism: self.protection.mechanism(),
            command_protected: origin != Origin::Clear,
            data_private: self.protection.data() == DataProtection::Private,
            logged_in: self.logged_in,
            epsv_only: self.epsv_only,
        };
        match policy::decide(&command, self.settings.demands, facts) {
            Ok(()) => self.execute(command, origin, now),
            Err(refusal) => self.send(&refusal.reply(self.auth_command())),
        }
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
            self.held = HeldCommands::default();
        }
    }
}

#[cfg(test)]
mod tests;

//! The control channel: what lies between the octets of the client's connection and the session's commands and replies.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use super::held::{CommandSecurity, Held, HeldCommands, most_octets};
use crate::{
    command::{Command, ProtectedKind},
    line::{Line, LineDecoder},
    reply::Reply,
    security::safetp1::{Control, DataKeys, Secured, Unverified, wire_profile::MAX_WIRE_LINE},
};

/// Longest protected line that is kept for a stranger: room for the message of the longest command, and no more.
const LINE_BEFORE_LOGIN: usize = 8 * 1024;

/// Protection of the control channel at the moment.
#[derive(Debug)]
pub(super) enum ChannelSecurity {
    /// None: AUTH has not succeeded yet, or CCC has ended TLS.
    Clear,
    /// TLS, beneath the session.
    Tls,
    /// X-SafeTP1.
    SafeTp1(Box<Secured>),
}

/// The control channel of one session.
#[derive(Debug)]
pub(super) struct ControlChannel {
    security: ChannelSecurity,
    lines: LineDecoder,
    held: HeldCommands,
    /// Longest command, in octets without its end.
    max_line: usize,
    /// The command that is answered at this moment came in the clear.
    answers_clear: bool,
}

impl ControlChannel {
    pub(super) fn new(max_line: usize) -> Self {
        Self {
            security: ChannelSecurity::Clear,
            lines: LineDecoder::for_commands(max_line),
            held: HeldCommands::default(),
            max_line,
            answers_clear: false,
        }
    }

    /// Takes octets from the client.
    pub(super) fn push(&mut self, octets: &[u8]) {
        self.lines.push(octets);
    }

    /// The next command by its turn: a held one, else the next that has come.
    pub(super) fn next_command(&mut self) -> Result<Option<Held>, Unverified> {
        match self.held.pop() {
            Some(held) => Ok(Some(held)),
            None => self.next_line(),
        }
    }

    /// The next command that has come, although others may be held before it.
    pub(super) fn next_line(&mut self) -> Result<Option<Held>, Unverified> {
        let Some(line) = self.lines.next_line() else { return Ok(None) };
        match &mut self.security {
            ChannelSecurity::Clear => Ok(Some(Held::Line(line, CommandSecurity::Clear))),
            ChannelSecurity::Tls => Ok(Some(Held::Line(line, CommandSecurity::Tls))),
            ChannelSecurity::SafeTp1(secured) => open(line, &mut secured.control, self.max_line).map(Some),
        }
    }

    /// Keeps a command for its turn.
    pub(super) fn hold(&mut self, command: Held) {
        self.held.push(command);
    }

    pub(super) fn drop_held(&mut self) {
        self.held = HeldCommands::default();
    }

    /// Whether more octets may wait.
    pub(super) fn has_room(&self, logged_in: bool) -> bool {
        self.waiting() < most_octets(logged_in)
    }

    /// Octets that wait, as they came and as held commands.
    pub(super) fn waiting(&self) -> usize {
        self.lines.waiting() + self.held.octets()
    }

    /// Whether anything waits: octets, the beginning of a line, or a command.
    pub(super) fn holds_anything(&self) -> bool {
        self.lines.holds_octets() || !self.held.is_empty()
    }

    /// Changes the protection. Nothing that came under the old one is the beginning of what comes under the new one:
    /// neither half a line nor half a telnet command.
    pub(super) fn change(&mut self, security: ChannelSecurity) {
        let limit = match security {
            ChannelSecurity::SafeTp1(_) => LINE_BEFORE_LOGIN,
            ChannelSecurity::Clear | ChannelSecurity::Tls => self.max_line,
        };
        self.security = security;
        self.lines = LineDecoder::for_commands(limit);
    }

    /// A user may send what a stranger may not: the longest message of X-SafeTP1.
    pub(super) fn allow_long_lines(&mut self) {
        if matches!(self.security, ChannelSecurity::SafeTp1(_)) {
            self.lines.set_limit(MAX_WIRE_LINE);
        }
    }

    /// Whether what is sent now can be neither read nor changed on the way.
    pub(super) fn is_protected(&self) -> bool {
        matches!(self.security, ChannelSecurity::Tls | ChannelSecurity::SafeTp1(_))
    }

    /// X-SafeTP1's keys for data connections.
    pub(super) fn data_keys(&self) -> Option<&DataKeys> {
        match &self.security {
            ChannelSecurity::SafeTp1(secured) => Some(&secured.data),
            ChannelSecurity::Clear | ChannelSecurity::Tls => None,
        }
    }

    /// The next replies answer a command that came in the clear, or no such command.
    pub(super) fn set_answers_clear(&mut self, answers_clear: bool) {
        self.answers_clear = answers_clear;
    }

    /// A reply as the client gets it. None once no reply can be protected any more.
    pub(super) fn encode(&mut self, reply: &Reply) -> Option<Vec<u8>> {
        match &mut self.security {
            ChannelSecurity::SafeTp1(secured) => seal(reply, &mut secured.control, self.answers_clear),
            ChannelSecurity::Clear | ChannelSecurity::Tls => Some(reply.encode()),
        }
    }
}

/// RFC 2228 §3: inside of a protected session a command in the clear is 533. PORT and EPRT alone are left to the
/// policy.
fn open(line: Line, control: &mut Control, max_line: usize) -> Result<Held, Unverified> {
    let Line::Whole(octets) = &line else { return Ok(Held::Line(line, CommandSecurity::Clear)) };
    let message = match Command::parse(octets) {
        Ok(Command::Protected(ProtectedKind::Private, message)) => message,
        Ok(Command::Protected(..)) => return Ok(Held::Refused(Reply::new(537, "X-SafeTP1 has ENC only."))),
        Ok(Command::Active(_)) => return Ok(Held::Line(line, CommandSecurity::Clear)),
        Ok(_) => return Ok(Held::Refused(Reply::new(533, "This session is protected: send commands with ENC."))),
        Err(error) => return Ok(Held::Refused(error.reply())),
    };
    let opened = control.open(&message)?;
    let line = if opened.line.len() > max_line { Line::TooLong } else { Line::Whole(opened.line) };
    Ok(Held::Line(line, CommandSecurity::SafeTp1(opened.number)))
}

/// Seals every line by itself, as RFC 2228 §7 wants for replies of several lines.
fn seal(reply: &Reply, control: &mut Control, answers_clear: bool) -> Option<Vec<u8>> {
    let seal_line = if answers_clear { Control::seal_answer_to_clear } else { Control::seal };
    let clear = reply.encode();
    let mut lines = clear.split_inclusive(|octet| *octet == b'\n').peekable();
    let mut wire = Vec::with_capacity(clear.len() * 2 + 64);
    while let Some(line) = lines.next() {
        let message = seal_line(control, line).ok()?;
        wire.extend_from_slice(if lines.peek().is_some() { b"632-" } else { b"632 " });
        wire.extend_from_slice(BASE64.encode(message).as_bytes());
        wire.extend_from_slice(b"\r\n");
    }
    Some(wire)
}

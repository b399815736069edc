//! What lies between the octets of the control connection and the session's commands and replies.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use super::{Output, Session, negotiation::Exchange};
use crate::{
    command::{Command, ProtectedKind},
    line::{Line, LineDecoder},
    reply::Reply,
    security::safetp1::{Control, Unverified, wire_profile::MAX_WIRE_LINE},
};

/// What a stranger can make us keep of a protected line: room for the message of the longest command, and no more.
const LINE_BEFORE_LOGIN: usize = 8 * 1024;

/// How the control connection is protected at the moment.
#[derive(Debug)]
pub(super) enum Channel {
    /// Not, until AUTH.
    Clear,
    /// Not yet: X-SafeTP1's exchange is under way.
    Exchanging(Exchange),
    /// By TLS, beneath the session.
    Tls,
    /// By X-SafeTP1.
    SafeTp1(Box<Control>),
    /// Not any more, behind CCC.
    Cleared,
}

/// How a command came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Readable by anyone.
    Clear,
    /// Through TLS.
    Tls,
    /// As X-SafeTP1's message of this number.
    SafeTp1(u32),
}

/// What has come and waits for its turn, so that replies keep the order of the commands.
#[derive(Debug)]
pub(super) enum Held {
    Line(Line, Origin),
    /// It came in the clear into a protected session, and will get this reply.
    Refused(Reply),
}

impl Held {
    pub(super) fn came_in_the_clear(&self) -> bool {
        matches!(self, Self::Line(_, Origin::Clear) | Self::Refused(_))
    }
}

impl Session {
    /// The next command, if its line is whole. One that does not verify ends the session.
    pub(super) fn take_command(&mut self) -> Option<Held> {
        let line = self.lines.next_line()?;
        let command = match &mut self.channel {
            Channel::Clear | Channel::Exchanging(_) | Channel::Cleared => Ok(Held::Line(line, Origin::Clear)),
            Channel::Tls => Ok(Held::Line(line, Origin::Tls)),
            Channel::SafeTp1(control) => open(line, control, self.settings.max_line),
        };
        if command.is_err() {
            self.close(&Reply::new(535, "This message does not verify; connect again."));
        }
        command.ok()
    }

    /// After CCC: what the client sent before its end of TLS came protected, whatever the channel is from here on.
    pub(super) fn hold_what_came_protected(&mut self) {
        while let Some(command) = self.take_command() {
            self.held.push(command);
            if !self.has_room() {
                return self.close(&Reply::new(421, "Too many commands after CCC; wait for its reply."));
            }
        }
    }

    /// What came over the channel before is no beginning of what comes over the new one: neither half a line nor half a
    /// telnet command.
    pub(super) fn change_channel(&mut self, channel: Channel) {
        self.channel = channel;
        self.lines = LineDecoder::for_commands(self.longest_line());
    }

    /// How many octets a line may have on the wire at this moment.
    pub(super) fn longest_line(&self) -> usize {
        match self.channel {
            Channel::SafeTp1(_) if self.logged_in => MAX_WIRE_LINE,
            Channel::SafeTp1(_) => LINE_BEFORE_LOGIN,
            _ => self.settings.max_line,
        }
    }

    /// Whether nobody between can read or change what is said now.
    pub(super) fn is_protected(&self) -> bool {
        matches!(self.channel, Channel::Tls | Channel::SafeTp1(_))
    }

    /// Sends a reply as the channel wants it.
    pub(super) fn send(&mut self, reply: &Reply) {
        let octets = match &mut self.channel {
            Channel::SafeTp1(control) => seal(reply, control, self.answers_clear),
            _ => Some(reply.encode()),
        };
        match octets {
            Some(octets) => self.outputs.push_back(Output::ToClient(octets)),
            // No reply can be protected any more, and an unprotected one would be believed by nobody.
            None => self.close_silently(),
        }
    }
}

/// RFC 2228 §3: inside of a protected session a command in the clear is 533. PORT and EPRT alone are left to the policy.
fn open(line: Line, control: &mut Control, max_line: usize) -> Result<Held, Unverified> {
    let Line::Whole(octets) = &line else { return Ok(Held::Line(line, Origin::Clear)) };
    let message = match Command::parse(octets) {
        Ok(Command::Protected(ProtectedKind::Private, message)) => message,
        Ok(Command::Protected(..)) => return Ok(Held::Refused(Reply::new(537, "X-SafeTP1 has ENC only."))),
        Ok(Command::Active(_)) => return Ok(Held::Line(line, Origin::Clear)),
        Ok(_) => return Ok(Held::Refused(Reply::new(533, "This session is protected: send commands by ENC."))),
        Err(error) => return Ok(Held::Refused(error.reply())),
    };
    let opened = control.open(&message)?;
    let line = if opened.line.len() > max_line { Line::TooLong } else { Line::Whole(opened.line) };
    Ok(Held::Line(line, Origin::SafeTp1(opened.number)))
}

/// Every line by itself, as RFC 2228 §7 wants for replies of many lines.
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

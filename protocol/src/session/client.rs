//! Commands that the policy has let through.

use std::time::Instant;

use super::{Expected, Output, Phase, Session, Tls};
use crate::{
    command::{Argument, Command, RelayVerb, TransferVerb, Type},
    line::Line,
    reply::Reply,
};

impl Session {
    /// ABOR and STAT do not wait for a transfer's end, since they are about it. Tells whether the line was one of them.
    pub(super) fn handle_urgent(&mut self, line: &Line) -> bool {
        let Line::Whole(line) = line else { return false };
        match Command::parse(line) {
            Ok(Command::Abor) => self.abort_by_client(),
            Ok(Command::Stat) => self.send_status(),
            _ => return false,
        }
        true
    }

    pub(super) fn execute(&mut self, command: Command, now: Instant) {
        match command {
            Command::Auth(mechanism) => self.handle_auth(&mechanism),
            Command::Pbsz(size) => {
                let reply = self.protection.handle_pbsz(size);
                self.send(&reply);
            }
            Command::Prot(level) => {
                let reply = self.protection.handle_prot(level, !self.settings.demands.data_protected);
                self.send(&reply);
            }
            Command::User(name) => self.handle_user(&name, now),
            Command::Pass(password) => self.ask([b"PASS ", password.expose()].concat(), Expected::Pass, now),
            Command::Pasv => self.handle_pasv(),
            Command::Epsv(epsv) => self.handle_epsv(epsv),
            Command::Type(wanted) => self.handle_type(wanted, now),
            Command::Rest(offset) => self.ask(format!("REST {offset}").into_bytes(), Expected::Rest(offset), now),
            Command::Transfer { verb, argument } => self.handle_transfer(verb, argument.as_ref(), now),
            Command::Relay { verb, argument } => {
                self.ask(line_of(verb.as_str(), argument.as_ref()), Expected::Relayed, now);
            }
            Command::Feat => self.ask(b"FEAT".to_vec(), Expected::Features, now),
            Command::Quit => self.close(&Reply::new(221, "Goodbye.")),
            Command::Stat => self.send_status(),
            other => self.answer(&other),
        }
    }

    /// Commands whose answer is always the same.
    fn answer(&mut self, command: &Command) {
        match command {
            Command::Abor => {
                self.give_up_port();
                self.reply(226, "No transfer is under way.");
            }
            Command::Help => self.send(&help()),
            Command::Noop => self.reply(200, "Nothing done."),
            Command::Syst => self.reply(215, "UNIX Type: L8"),
            Command::OtherSecurity => self.reply(502, "AUTH TLS has no such command here."),
            Command::Unknown => self.reply(500, "There is no such command."),
            _ => self.reply(502, "This command is not offered."),
        }
    }

    /// RFC 4217 §4. `TLS-C` is its older name for the same.
    fn handle_auth(&mut self, mechanism: &str) {
        match (mechanism, self.settings.tls) {
            ("TLS" | "TLS-C", Tls::Ready) => self.start_tls(),
            ("TLS" | "TLS-C", Tls::NotReady) => self.reply(431, "There is no usable certificate yet; try again."),
            (_, Tls::NotOffered) => self.reply(504, "This server offers no such mechanism."),
            _ => self.reply(504, "This server offers AUTH TLS."),
        }
    }

    /// Whoever writes into the clear channel behind AUTH may not be the one who ends the handshake, so nothing of it
    /// must ever be read as protected; and a client that waits for 234 sends nothing there.
    fn start_tls(&mut self) {
        if self.lines.holds_octets() || !self.held.is_empty() {
            return self.close(&Reply::new(421, "Commands in the clear behind AUTH are refused; wait for 234."));
        }
        self.reply(234, "Begin the TLS handshake.");
        self.outputs.push_back(Output::StartTls);
        self.phase = Phase::Handshaking;
    }

    fn handle_user(&mut self, name: &Argument, now: Instant) {
        self.user = Some(String::from_utf8_lossy(name.as_bytes()).into_owned());
        self.ask(line_of("USER", Some(name)), Expected::User, now);
    }

    fn handle_type(&mut self, wanted: Type, now: Instant) {
        let line = match wanted {
            Type::Ascii => b"TYPE A".to_vec(),
            Type::Image => b"TYPE I".to_vec(),
        };
        self.ask(line, Expected::Type(wanted), now);
    }

    /// Sends a line to the backend and waits for its reply.
    fn ask(&mut self, mut line: Vec<u8>, expected: Expected, now: Instant) {
        line.extend_from_slice(b"\r\n");
        self.ask_backend(line, expected, now);
        self.phase = Phase::Asking;
    }

    fn send_status(&mut self) {
        let yes_no = |yes| if yes { "yes" } else { "no" };
        let lines = [
            format!("User: {}", self.user.as_deref().filter(|_| self.logged_in).unwrap_or("not logged in")),
            format!("Control connection protected: {}", yes_no(self.protection.control())),
            format!("Data connections: {:?}", self.protection.data()),
            format!("Type: {:?}", self.transfer_type),
            format!("Transfer under way: {}", yes_no(self.is_transferring())),
        ];
        self.send(&Reply::with_lines(211, "Status:", lines.map(String::into_bytes), "End"));
    }
}

/// A command's line without its end.
pub(super) fn line_of(verb: &str, argument: Option<&Argument>) -> Vec<u8> {
    let mut line = verb.as_bytes().to_vec();
    if let Some(argument) = argument {
        line.push(b' ');
        line.extend_from_slice(argument.as_bytes());
    }
    line
}

fn help() -> Reply {
    let own = ["ABOR", "AUTH", "EPSV", "FEAT", "HELP", "NOOP", "PASS", "PASV", "PBSZ", "PROT", "QUIT", "REST"];
    let more = ["SYST", "TYPE", "USER"];
    let transfers = TransferVerb::ALL.iter().map(|verb| verb.as_str());
    let relayed = RelayVerb::ALL.iter().map(|verb| verb.as_str());
    let mut verbs: Vec<&str> = own.into_iter().chain(more).chain(transfers).chain(relayed).collect();
    verbs.sort_unstable();
    let lines: Vec<Vec<u8>> = verbs.chunks(8).map(|row| row.join(" ").into_bytes()).collect();
    Reply::with_lines(214, "These commands are known:", lines, "AUTH TLS, USER, PASS, then the rest.")
}

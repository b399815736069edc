//! Commands that the policy has let through.

use std::time::Instant;

use super::{
    Output, Route, Session,
    backend_link::Expected,
    held::{CommandSecurity, Held},
    phase::Phase,
};
use crate::{
    command::{Argument, Command, ProtLevel, RelayVerb, SessionVerb, TransferVerb, Type},
    line::Line,
    reply::Reply,
};

impl Session {
    /// ABOR and STAT do not wait for a transfer's end, since they are about it. Returns whether the line was one of
    /// them.
    pub(super) fn handle_urgent(&mut self, held: &Held) -> bool {
        let Held::Line(Line::Whole(line), _) = held else { return false };
        match Command::parse(line) {
            Ok(Command::Abor) => self.abort_by_client(),
            Ok(Command::Stat) => self.send_status(),
            _ => return false,
        }
        true
    }

    pub(super) fn execute(&mut self, command: Command, security: CommandSecurity, now: Instant) {
        match command {
            Command::Auth(mechanism) => self.handle_auth(&mechanism),
            Command::Pbsz(size) => {
                let reply = self.protection.handle_pbsz(size);
                self.send(&reply);
            }
            Command::Prot(level) => self.handle_prot(level),
            Command::Adat(message) => self.handle_adat(message, now),
            Command::Ccc => self.handle_ccc(),
            Command::User(name) => self.handle_user(&name, now),
            Command::Pass(password) => self.ask([b"PASS ", password.expose()].concat(), Expected::Pass, now),
            Command::Pasv => self.handle_pasv(),
            Command::Epsv(epsv) => self.handle_epsv(epsv),
            Command::Active(target) => self.handle_active(target),
            Command::Type(wanted) => self.handle_type(wanted, now),
            Command::Rest(offset) => self.ask(format!("REST {offset}").into_bytes(), Expected::Rest(offset), now),
            Command::Transfer { verb, argument } => self.handle_transfer(verb, argument.as_ref(), security, now),
            Command::Relay { verb, argument } => {
                self.ask(line_of(verb.as_str(), argument.as_ref()), Expected::Relayed, now);
            }
            Command::Feat => self.ask(b"FEAT".to_vec(), Expected::Features, now),
            Command::Quit => self.close(&Reply::new(221, "Goodbye.")),
            Command::Stat => self.send_status(),
            Command::Abor => {
                self.give_up_port();
                self.reply(226, "No transfer is under way.");
            }
            Command::Help => self.send(&help()),
            Command::Noop => self.reply(200, "Nothing done."),
            Command::Syst => self.reply(215, "UNIX Type: L8"),
            Command::Protected(..) => self.refuse_protected(),
            Command::Unknown => self.reply(500, "Unknown command."),
            Command::NotOffered => self.reply(502, "This command is not offered."),
        }
    }

    /// A port that is held was chosen by what its connection can prove, which may have changed.
    fn handle_prot(&mut self, level: ProtLevel) {
        let before = self.protection.data();
        let reply = self.protection.handle_prot(level, self.settings.demands.data_protected);
        if self.protection.data() != before && self.parameters.route == Some(Route::Passive) {
            self.give_up_port();
        }
        self.send(&reply);
    }

    fn handle_ccc(&mut self) {
        self.reply(200, "The control channel is in the clear from now on.");
        self.outputs.push_back(Output::StopTls);
        self.phase = Phase::Clearing;
    }

    /// MIC, CONF and ENC where no mechanism takes them.
    fn refuse_protected(&mut self) {
        match self.protection.mechanism() {
            None => self.reply(503, "Protected commands come after AUTH X-SafeTP1."),
            Some(_) => self.reply(537, "The protection of this session has no such commands."),
        }
    }

    fn handle_user(&mut self, name: &Argument, now: Instant) {
        self.login.begin(String::from_utf8_lossy(name.as_bytes()).into_owned());
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
            format!("User: {}", self.login().unwrap_or("not logged in")),
            format!("Control connection protected: {}", yes_no(self.channel.is_protected())),
            format!("Data connections: {:?}", self.protection.data()),
            format!("Type: {:?}", self.parameters.transfer_type),
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
    let own = SessionVerb::ALL.iter().filter(|verb| verb.is_offered()).map(|verb| verb.as_str());
    let transfers = TransferVerb::ALL.iter().map(|verb| verb.as_str());
    let relayed = RelayVerb::ALL.iter().map(|verb| verb.as_str());
    let mut verbs: Vec<&str> = own.chain(transfers).chain(relayed).collect();
    verbs.sort_unstable();
    let lines: Vec<Vec<u8>> = verbs.chunks(8).map(|row| row.join(" ").into_bytes()).collect();
    Reply::with_lines(214, "These commands are recognized:", lines, "AUTH, USER, PASS, then the rest.")
}

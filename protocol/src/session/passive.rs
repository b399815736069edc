//! PASV and EPSV: the address and port that a client gets.

use std::{net::SocketAddrV4, time::Instant};

use super::{
    Announced, Event, Output, Route, Session,
    phase::{PassiveKind, Phase},
};
use crate::{command::Epsv, endpoint, reply::Reply};

impl Session {
    /// The announced address has changed, or is lost.
    pub fn handle_address(&mut self, address: Option<Announced>, now: Instant) {
        self.address.change(address, now);
    }

    /// A port was found, or none in time.
    pub fn handle_port(&mut self, port: Option<u16>, now: Instant) {
        let Phase::AwaitingPort(kind) = self.phase else { return };
        self.phase = Phase::Ready;
        self.clocks.note_activity(now);
        let Some(port) = port else {
            self.outputs.push_back(Output::Event(Event::NoDataPort));
            self.reply(425, "All data ports are in use; try again.");
            return self.advance(now);
        };
        // The address may have changed while the port was awaited.
        match self.passive_reply(kind, port) {
            Ok(reply) => {
                self.parameters.route = Some(Route::Passive);
                self.send(&reply);
            }
            Err(refusal) => {
                self.outputs.push_back(Output::ReleasePort);
                self.send(&refusal);
            }
        }
        self.advance(now);
    }

    /// No connection came to the port in time, so it is no longer this session's.
    pub fn handle_port_expired(&mut self) {
        self.parameters.route = None;
    }

    pub(super) fn handle_pasv(&mut self) {
        self.request_port(PassiveKind::Pasv);
    }

    pub(super) fn handle_epsv(&mut self, epsv: Epsv) {
        let (v4, v6) = self.address.families();
        match epsv {
            Epsv::All => {
                self.parameters.epsv_only = true;
                self.reply(200, "EPSV only from now on.");
            }
            Epsv::V4 if !v4 => self.reply(522, "Network protocol not supported, use (2)"),
            Epsv::V6 if !v6 => self.reply(522, "Network protocol not supported, use (1)"),
            Epsv::OtherProtocol => self.reply(522, "Network protocol not supported, use (1,2)"),
            Epsv::Any | Epsv::V4 | Epsv::V6 => self.request_port(PassiveKind::Epsv),
        }
    }

    pub(super) fn give_up_port(&mut self) {
        self.parameters.route = None;
        self.outputs.push_back(Output::ReleasePort);
    }

    fn request_port(&mut self, kind: PassiveKind) {
        // Refused before a port is taken if it will be refused anyway.
        if let Err(refusal) = self.passive_reply(kind, 0) {
            return self.send(&refusal);
        }
        self.parameters.route = None;
        self.phase = Phase::AwaitingPort(kind);
        self.outputs.push_back(Output::RequestPort);
    }

    fn passive_reply(&self, kind: PassiveKind, port: u16) -> Result<Reply, Reply> {
        let Some(address) = self.address.current() else {
            return Err(Reply::new(425, "No external address is known yet; try again."));
        };
        match kind {
            // EPSV carries no address, so the client would dial the one that it dialled before, where nothing listens
            // now.
            PassiveKind::Epsv if self.address.has_moved() => {
                Err(Reply::new(425, "This server's address has moved; connect again."))
            }
            PassiveKind::Epsv => Ok(endpoint::epsv_reply(port)),
            PassiveKind::Pasv => {
                let v4 = address.v4.ok_or_else(|| Reply::new(425, "No IPv4 address is known; use EPSV."))?;
                Ok(endpoint::pasv_reply(SocketAddrV4::new(v4, port)))
            }
        }
    }
}

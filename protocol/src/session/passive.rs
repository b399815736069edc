//! PASV and EPSV: which address and port a client is told.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddrV4},
    time::Instant,
};

use super::{Event, Output, Phase, Route, Session};
use crate::{command::Epsv, endpoint, reply::Reply};

/// The address that is announced at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announced {
    /// What the load balancer or the user said: an address or a name. Another text is another address, while a name
    /// stays the same whatever it resolves to.
    pub text: String,
    /// The octets for 227; a name may not resolve, and some servers have IPv6 only.
    pub v4: Option<Ipv4Addr>,
    /// The same where it has, or is, an IPv6 address.
    pub v6: Option<Ipv6Addr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Pasv,
    Epsv,
}

impl Session {
    /// The announced address has changed, or is lost.
    pub fn handle_address(&mut self, address: Option<Announced>, now: Instant) {
        self.address = address;
        // One that came while none was known was dialled at an address all the same: the first that becomes known.
        self.accepted_on = self.accepted_on.take().or_else(|| self.address.clone());
        self.moved_at = self.has_moved().then(|| self.moved_at.unwrap_or(now));
    }

    /// A port was found, or none in time.
    pub fn handle_port(&mut self, port: Option<u16>, now: Instant) {
        let Phase::AwaitingPort(kind) = self.phase else { return };
        self.phase = Phase::Ready;
        self.active = now;
        let Some(port) = port else {
            self.outputs.push_back(Output::Event(Event::NoDataPort));
            self.reply(425, "All data ports are in use; try again.");
            return self.advance(now);
        };
        // The address may have changed while the port was awaited.
        match self.passive_reply(kind, port) {
            Ok(reply) => {
                self.route = Some(Route::Passive);
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
        self.route = None;
    }

    pub(super) fn handle_pasv(&mut self) {
        self.request_port(Kind::Pasv);
    }

    pub(super) fn handle_epsv(&mut self, epsv: Epsv) {
        let (v4, v6) = self.families();
        match epsv {
            Epsv::All => {
                self.epsv_only = true;
                self.reply(200, "EPSV only from here on.");
            }
            Epsv::V4 if !v4 => self.reply(522, "Network protocol not supported, use (2)"),
            Epsv::V6 if !v6 => self.reply(522, "Network protocol not supported, use (1)"),
            Epsv::OtherProtocol => self.reply(522, "Network protocol not supported, use (1,2)"),
            Epsv::Any | Epsv::V4 | Epsv::V6 => self.request_port(Kind::Epsv),
        }
    }

    pub(super) fn give_up_port(&mut self) {
        self.route = None;
        self.outputs.push_back(Output::ReleasePort);
    }

    pub(super) fn has_moved(&self) -> bool {
        match (&self.accepted_on, &self.address) {
            (Some(accepted), Some(now)) => accepted.text != now.text,
            _ => false,
        }
    }

    /// Families that clients can be told, both where that is not known.
    fn families(&self) -> (bool, bool) {
        match &self.address {
            Some(Announced { v4: Some(_), v6, .. }) => (true, v6.is_some()),
            Some(Announced { v4: None, v6: Some(_), .. }) => (false, true),
            _ => (true, true),
        }
    }

    fn request_port(&mut self, kind: Kind) {
        // Refused before a port is taken if it will be refused anyway.
        if let Err(refusal) = self.passive_reply(kind, 0) {
            return self.send(&refusal);
        }
        self.route = None;
        self.phase = Phase::AwaitingPort(kind);
        self.outputs.push_back(Output::RequestPort);
    }

    fn passive_reply(&self, kind: Kind, port: u16) -> Result<Reply, Reply> {
        let Some(address) = &self.address else {
            return Err(Reply::new(425, "No external address is known yet; try again."));
        };
        match kind {
            // EPSV tells no address, so the client would dial the one it dialled before, where nobody listens now.
            Kind::Epsv if self.has_moved() => Err(Reply::new(425, "This server's address has moved; connect again.")),
            Kind::Epsv => Ok(endpoint::epsv_reply(port)),
            Kind::Pasv => {
                let v4 = address.v4.ok_or_else(|| Reply::new(425, "No IPv4 address is known; use EPSV."))?;
                Ok(endpoint::pasv_reply(SocketAddrV4::new(v4, port)))
            }
        }
    }
}

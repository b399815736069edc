//! The beginning and the end of protection: nothing that was said in the clear counts after AUTH (RFC 2228 §3), and
//! what came before CCC came protected.

use std::time::Instant;

use super::{
    Output, Session, backend_link::BackendLink, channel::ChannelSecurity, login::Login, parameters::TransferParameters,
    phase::Phase,
};
use crate::{
    reply::Reply,
    security::{DataProtection, Mechanism},
};

impl Session {
    /// The handshake that [`Output::StartTls`] asked for is done.
    pub fn handle_protected(&mut self, now: Instant) {
        let Phase::Handshaking(implied) = self.phase else { return };
        self.protection.handle_protected(Mechanism::Tls);
        if implied == DataProtection::Private {
            self.protection.imply_private_data();
        }
        self.channel.change(ChannelSecurity::Tls);
        self.phase = Phase::Ready;
        self.clocks.note_activity(now);
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
        self.channel.change(ChannelSecurity::Clear);
        self.phase = Phase::Ready;
        self.clocks.note_activity(now);
        self.advance(now);
    }

    /// The connection that [`Output::RestartBackend`] asked for is open.
    pub fn handle_backend_restarted(&mut self, now: Instant) {
        if matches!(self.phase, Phase::Restarting) {
            self.backend = BackendLink::opened(now);
            self.greet_backend();
        }
    }

    /// After CCC: what the client sent before its end of TLS came protected, whatever the channel is from here on.
    fn hold_what_came_protected(&mut self) {
        while let Some(command) = self.next_line() {
            self.channel.hold(command);
            if !self.has_room() {
                return self.close(&Reply::new(421, "Too many commands after CCC; wait for its reply."));
            }
        }
    }

    /// What came in the clear may have come from an attacker, so the client begins anew: with its login, and with a
    /// backend that has heard nothing. The count of exchanges stays, since it is held against the connection.
    pub(super) fn forget_the_clear(&mut self, now: Instant) {
        if self.parameters.route.is_some() {
            self.give_up_port();
        }
        if self.login.is_done() {
            self.clocks.restart_login(now);
        }
        self.login = Login::default();
        self.parameters = TransferParameters::default();
        if self.backend.was_told() {
            self.phase = Phase::Restarting;
            self.backend.restart_clock(now);
            self.outputs.push_back(Output::RestartBackend);
        }
    }
}

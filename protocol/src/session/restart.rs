//! The beginning of protection: nothing that was said in the clear counts any more (RFC 2228 §3, AUTH).

use std::time::Instant;

use super::{Expected, Output, Phase, Session};
use crate::{
    command::Type,
    dialect::{Peer, Word},
    reply::ReplyDecoder,
};

impl Session {
    /// The connection that [`Output::RestartBackend`] asked for is open.
    pub fn handle_backend_restarted(&mut self, now: Instant) {
        if matches!(self.phase, Phase::Restarting) {
            self.greet_backend(now);
        }
    }

    /// Tells the backend who its client is, and awaits its 220.
    pub(super) fn greet_backend(&mut self, now: Instant) {
        self.replies = ReplyDecoder::default();
        self.expected = [Expected::Greeting, Expected::Peer].into();
        let peer = Word::Peer(Peer { address: self.peer, session: self.id });
        self.outputs.push_back(Output::ToBackend(peer.line()));
        self.backend_told = false;
        self.asked_backend = now;
    }

    /// What came in the clear may have come from anybody, so the client begins anew: with its login, and with a backend
    /// that has heard nothing. The count of exchanges stays, since it is held against the connection.
    pub(super) fn forget_the_clear(&mut self, now: Instant) {
        if self.route.is_some() {
            self.give_up_port();
        }
        if self.logged_in {
            // The time for the login that has to follow runs from here.
            self.first_octet = Some(now);
        }
        self.user = None;
        self.logged_in = false;
        self.epsv_only = false;
        self.transfer_type = Type::Ascii;
        self.rest = 0;
        if self.backend_told {
            self.phase = Phase::Restarting;
            self.asked_backend = now;
            self.outputs.push_back(Output::RestartBackend);
        }
    }
}

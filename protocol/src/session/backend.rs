//! Replies of the backend: the commands that they belong to, and what they change.

use std::time::Instant;

use super::{Event, Session, backend_link::Expected, phase::Phase};
use crate::{
    command::{Feature, SessionVerb},
    policy::ActiveMode,
    reply::Reply,
};

impl Session {
    /// Takes octets from the backend.
    pub fn handle_backend_bytes(&mut self, octets: &[u8], now: Instant) {
        self.backend.push(octets);
        while !self.is_closed() {
            match self.backend.next_reply() {
                Ok(Some(reply)) => self.handle_reply(reply, now),
                Ok(None) => break,
                Err(error) => {
                    self.close(&Reply::new(421, format!("Internal error: {error}.")));
                }
            }
        }
        self.advance(now);
    }

    fn handle_reply(&mut self, reply: Reply, now: Instant) {
        if reply.code().number() == 421 {
            if let Some(asked) = self.backend.take_expected() {
                self.note(&asked, &reply);
            }
            return self.close(&reply);
        }
        self.clocks.note_activity(now);
        let Some(expected) = self.backend.take_expected() else {
            return self
                .close(&Reply::new(421, "Internal error: the file server sent a reply that no command asked for."));
        };
        // RFC 959 §4.2: another reply to the same command follows.
        if reply.code().is_preliminary() && !matches!(expected, Expected::Transfer) {
            self.backend.expect_another(expected);
            return self.send(&reply);
        }
        match expected {
            Expected::Greeting => self.handle_greeting(&reply, now),
            Expected::Peer => {}
            Expected::Transfer => self.handle_transfer_reply(&reply, now),
            Expected::User | Expected::Pass if matches!(reply.code().number(), 230 | 232) => self.ask_for_place(reply),
            other => {
                self.note(&other, &reply);
                let reply = if matches!(other, Expected::Features) { self.features(&reply) } else { reply };
                self.send(&reply);
                self.phase = Phase::Ready;
            }
        }
    }

    fn handle_greeting(&mut self, reply: &Reply, now: Instant) {
        if !reply.code().is_success() {
            return self.close(&Reply::new(421, "The file server behind this gateway is not ready; try again."));
        }
        if matches!(self.phase, Phase::Starting) {
            self.reply(220, "SafeTP gateway ready.");
        }
        self.phase = Phase::Ready;
        self.clocks.note_greeting(now);
    }

    /// Notes what a reply to a relayed command changes here.
    fn note(&mut self, asked: &Expected, reply: &Reply) {
        match (asked, reply.code().number()) {
            (Expected::Pass, code) if code >= 400 => self.tell_login(Event::LoginRefused),
            (Expected::Type(wanted), 200) => self.parameters.transfer_type = *wanted,
            (Expected::Rest(offset), 350) => self.parameters.rest = *offset,
            _ => {}
        }
    }

    /// RFC 2389 §3.2: the gateway's features, then those of the backend that are its own.
    fn features(&self, backend: &Reply) -> Reply {
        let own = SessionVerb::ALL.iter().flat_map(|verb| self.own_features(*verb)).map(String::into_bytes);
        let theirs = backend.inner_lines().filter(|_| backend.code().is_success()).map(<[u8]>::trim_ascii);
        let theirs = theirs.filter(|line| !is_own_feature(line)).map(<[u8]>::to_vec);
        Reply::with_lines(211, "Features:", own.chain(theirs), "End")
    }

    fn own_features(&self, verb: SessionVerb) -> Vec<String> {
        let mechanisms = self.settings.mechanisms();
        let demands = self.settings.demands;
        let is_listed = match verb.feature() {
            Feature::Unlisted => false,
            Feature::Listed => true,
            Feature::ListedByMechanism => {
                return mechanisms.iter().map(|mechanism| format!("{} {mechanism}", verb.as_str())).collect();
            }
            Feature::ListedForMechanisms => !mechanisms.is_empty(),
            Feature::ListedForClearing => self.settings.offers_tls() && demands.clear_command_channel,
            Feature::ListedForActiveMode => demands.active_mode != ActiveMode::Off,
        };
        if is_listed { vec![verb.as_str().to_owned()] } else { Vec::new() }
    }
}

/// Whether the feature is the gateway's: whatever a backend says about it does not hold.
fn is_own_feature(line: &[u8]) -> bool {
    let name = line.split(|octet| *octet == b' ').next().unwrap_or_default();
    let mut own = SessionVerb::ALL.iter().filter(|verb| verb.feature() != Feature::Unlisted);
    own.any(|verb| name.eq_ignore_ascii_case(verb.as_str().as_bytes()))
}

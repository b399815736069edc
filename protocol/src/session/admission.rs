//! A client's progress towards a login, and its place among the users at the end of it.

use std::time::Instant;

use super::{Event, Output, Session, phase::Phase};
use crate::reply::Reply;

/// Progress of a session, which decides which session has to leave when there is no room for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// No octet has come.
    Silent,
    /// Something was said in the clear.
    Speaking,
    /// The control connection is protected.
    Protected,
    /// The backend checks a name or a password: the client waits for us.
    LoggingIn,
    /// A user is logged in.
    LoggedIn,
}

impl Session {
    /// The progress of the session.
    pub fn progress(&self) -> Progress {
        match self.clocks.first_octet() {
            _ if self.login.is_done() => Progress::LoggedIn,
            None => Progress::Silent,
            Some(_) if self.backend.is_checking_login() => Progress::LoggingIn,
            Some(_) if self.protection.mechanism().is_some() => Progress::Protected,
            Some(_) => Progress::Speaking,
        }
    }

    /// The result of [`Output::Admit`]: the session is a user's from here on, or ends with this reply.
    pub fn handle_admission(&mut self, admission: Result<(), Reply>, now: Instant) {
        let welcome = match std::mem::replace(&mut self.phase, Phase::Ready) {
            Phase::Admitting(welcome) => welcome,
            other => {
                self.phase = other;
                return;
            }
        };
        if let Err(refusal) = admission {
            return self.close(&refusal);
        }
        self.login.finish();
        self.channel.allow_long_lines();
        self.clocks.note_activity(now);
        self.tell_login(Event::LoggedIn);
        self.send(&welcome);
        self.advance(now);
    }

    /// The backend's welcome waits until the session has its place.
    pub(super) fn ask_for_place(&mut self, welcome: Reply) {
        self.phase = Phase::Admitting(welcome);
        self.outputs.push_back(Output::Admit);
    }

    pub(super) fn tell_login(&mut self, event: fn(String) -> Event) {
        let user = self.login.claimed().unwrap_or_default().to_owned();
        self.outputs.push_back(Output::Event(event(user)));
    }
}

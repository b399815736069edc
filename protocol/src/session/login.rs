//! How far a client has come on its way to a login, and its place among the users at the end of it.

use std::time::{Duration, Instant};

use super::{Event, Expected, Output, Phase, Session};
use crate::reply::Reply;

/// From the greeting to a client's first octet: programs send it at once. [`super::Settings::login_time`] begins there.
pub(super) const FIRST_OCTET_TIME: Duration = Duration::from_secs(10);

/// How far a session has come: what decides who goes when there is no room for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Not an octet has come.
    Silent,
    /// Something was said in the clear.
    Speaking,
    /// The control connection is protected.
    Protected,
    /// The backend checks a name or a password: it is we who let the client wait.
    LoggingIn,
    /// A user.
    LoggedIn,
}

impl Session {
    /// How far the session has come.
    pub fn progress(&self) -> Progress {
        let checking = matches!(self.expected.front(), Some(Expected::User | Expected::Pass));
        match self.first_octet {
            _ if self.logged_in => Progress::LoggedIn,
            None => Progress::Silent,
            Some(_) if checking => Progress::LoggingIn,
            Some(_) if self.protection.mechanism().is_some() => Progress::Protected,
            Some(_) => Progress::Speaking,
        }
    }

    /// What became of [`Output::Admit`]: the session is a user's from here on, or ends with this reply.
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
        self.logged_in = true;
        self.lines.set_limit(self.longest_line());
        self.active = now;
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
        let user = self.user.clone().unwrap_or_default();
        self.outputs.push_back(Output::Event(event(user)));
    }
}

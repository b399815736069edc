//! Whether anybody was deceived.

use crate::{
    case::{Profile, Protection, Scenario, Task},
    framing::{CHANGE_CIPHER_SPEC, Kind},
    tamperer::Tampering,
    tape::{Channel, Direction, Effect},
};

/// What the file is at its destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// As before.
    Old,
    /// The new one, whole.
    New,
    /// Neither.
    Other,
}

/// What is left after a case.
#[derive(Clone, Debug)]
pub struct Evidence<'a> {
    /// What the client did.
    pub scenario: Scenario,
    /// What was done to it.
    pub tampering: &'a Tampering,
    /// How far that got.
    pub effect: Effect,
    /// What goes over the wires otherwise.
    pub profile: &'a Profile,
    /// The client's exit code; none for a signal.
    pub code: Option<i32>,
    /// The file at its destination.
    pub found: Found,
}

/// Nobody was deceived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Judgement {
    /// The client said that it failed, and the file is the old one.
    Detected,
    /// The client said that it failed, and the file is there all the same: it had gone through whole, and the word on
    /// that had not.
    Unconfirmed,
    /// The client said that all is well, and it is, since what was hit is nothing that counts.
    Harmless(&'static str),
    /// The unit never came.
    Untouched,
}

impl Evidence<'_> {
    /// Judges. An error is a sentence that says what went wrong.
    pub fn judge(&self) -> Result<Judgement, String> {
        match (self.code, self.found) {
            (_, Found::Other) => Err("the file is neither the old one nor the new one".into()),
            (Some(0), Found::Old) => Err("the client says that it is done, and the file is the old one".into()),
            (Some(0), Found::New) => self.judge_success(),
            (Some(1..=7), _) if self.effect == Effect::None => Err("it failed, and nothing had been done to it".into()),
            (Some(1..=7), Found::New) if self.scenario.task == Task::Put => self.judge_unconfirmed(),
            (Some(1..=7), _) => Ok(Judgement::Detected),
            (code, _) => Err(format!("the client ended with {code:?}")),
        }
    }

    fn judge_success(&self) -> Result<Judgement, String> {
        if self.effect == Effect::None {
            return Ok(Judgement::Untouched);
        }
        let reason = self.why_harmless();
        reason.map(Judgement::Harmless).ok_or_else(|| "it was accepted".into())
    }

    /// The only reasons for which a session that was tampered with may end well. Each names something that neither the
    /// file nor the word on it can depend on.
    fn why_harmless(&self) -> Option<&'static str> {
        if self.effect == Effect::Restored {
            return Some("the unit was late, and nothing came behind it");
        }
        if self.is_behind_the_end() {
            return Some("the file was through, with its authentic end");
        }
        if self.is_behind_the_last_word() {
            return Some("the server's word on the transfer was through");
        }
        if self.is_against_the_file() {
            return Some("the file goes the other way");
        }
        self.why_nothing()
    }

    /// Octets that mean nothing, or that nothing can protect yet: what depends on them is compared afterwards, in the
    /// TLS handshake or in the exchange.
    fn why_nothing(&self) -> Option<&'static str> {
        let kinds = self.profile.kinds(self.tampering.stream);
        match (kinds.get(self.tampering.first_hit())?, self.effect) {
            (Kind::ClearLine, _) => Some("a line from before the protection"),
            (Kind::Record(CHANGE_CIPHER_SPEC), _) if self.scenario.protection == Protection::Tls13 => {
                Some("TLS 1.3's change_cipher_spec")
            }
            (Kind::Record(_), Effect::Changed { position: 1 | 2, .. }) => Some("a record's legacy version"),
            (Kind::ProtectedLine, Effect::Changed { position: 0..3, from, to }) if from.eq_ignore_ascii_case(&to) => {
                Some("capitals in ENC")
            }
            _ => None,
        }
    }

    fn is_behind_the_end(&self) -> bool {
        let file = self.scenario.file_stream();
        self.tampering.stream == file && self.tampering.first_hit() >= self.profile.kinds(file).len()
    }

    fn is_behind_the_last_word(&self) -> bool {
        let direction = self.tampering.stream.direction;
        let before_word = self.profile.control_before_end(self.scenario, direction);
        let first_that_may_differ = match direction {
            Direction::ToServer => before_word,
            Direction::ToClient => before_word + 1,
        };
        self.tampering.stream.channel == Channel::Control && self.tampering.first_hit() >= first_that_may_differ
    }

    fn is_against_the_file(&self) -> bool {
        let file = self.scenario.file_stream();
        self.tampering.stream.channel == file.channel && self.tampering.stream.direction != file.direction
    }

    /// The file went through whole and untouched, and then the client did not hear, or not believe, that it did.
    fn judge_unconfirmed(&self) -> Result<Judgement, String> {
        let direction = self.tampering.stream.direction;
        let is_after_command = self.tampering.stream.channel == Channel::Control
            && self.tampering.first_hit() >= self.profile.control_before_file(self.scenario, direction);
        if is_after_command || self.is_behind_the_end() || self.is_against_the_file() {
            Ok(Judgement::Unconfirmed)
        } else {
            Err("the client says that it failed, and the file was stored".into())
        }
    }
}

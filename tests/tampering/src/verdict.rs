//! The judge: was the client or the gateway deceived?

use crate::{
    case::{Profile, Protection, Scenario, Task},
    framing::{CHANGE_CIPHER_SPEC, Kind},
    operation::{Operation, Tampering},
    stream::{Channel, Direction},
    tape::Effect,
};

/// The file at its destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// As before.
    Old,
    /// The new one, whole.
    New,
    /// Neither.
    Other,
}

/// The evidence that a case leaves.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// The session.
    pub scenario: Scenario,
    /// The tampering with it.
    pub tampering: &'a Tampering,
    /// Its effect.
    pub effect: Effect,
    /// The same session without it.
    pub profile: &'a Profile,
    /// The client's exit code; none for a signal.
    pub code: Option<i32>,
    /// The file at its destination.
    pub found: Found,
}

/// A case in which no side was deceived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Judgement {
    /// The client said that it failed, and the file is the old one.
    Detected,
    /// The client said that it failed, and the file is there all the same: it had gone through whole, and the reply
    /// had not.
    Unconfirmed,
    /// The client reported success, and rightly: what was hit does not matter.
    Harmless(&'static str),
    /// The unit never came, and the session succeeded.
    Untouched,
    /// The client gave up before the unit came.
    Missed,
}

impl Evidence<'_> {
    /// Judges. An error is a sentence that says what went wrong.
    pub fn judge(&self) -> Result<Judgement, String> {
        match (self.code, self.found) {
            (_, Found::Other) => Err("the file is neither the old one nor the new one".into()),
            (Some(0), Found::Old) => Err("the client says that it is done, and the file is the old one".into()),
            (Some(0), Found::New) => self.judge_success(),
            (Some(1..=7), _) if self.effect == Effect::None => Ok(Judgement::Missed),
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
    /// file nor the reply on it can depend on.
    fn why_harmless(&self) -> Option<&'static str> {
        if self.effect == Effect::Restored {
            return Some("the unit was late, and nothing came after it");
        }
        if self.is_after_the_end() {
            return Some("the file was through, with its authentic end");
        }
        if self.is_after_the_last_reply() {
            return Some("the server's reply on the transfer was through");
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
        let is_in_clear = kinds.get(self.tampering.first_hit()) == Some(&Kind::ClearLine);
        match (kinds.get(self.tampering.index)?, self.effect) {
            (Kind::ClearLine, _) if is_in_clear => Some("a line from before the protection"),
            (Kind::Record(CHANGE_CIPHER_SPEC), _) if self.is_empty_in_tls13() => Some("TLS 1.3's change_cipher_spec"),
            (Kind::Record(_), Effect::Changed { position: 1 | 2, .. }) => Some("a record's legacy version"),
            (Kind::ProtectedLine, Effect::Changed { position: 0..3, from, to }) if from.eq_ignore_ascii_case(&to) => {
                Some("capitals in ENC")
            }
            _ => None,
        }
    }

    /// TLS 1.3's `change_cipher_spec` may come and go, but what is put before or after it must not.
    fn is_empty_in_tls13(&self) -> bool {
        let is_alone = !self.tampering.operation.inserts() && self.tampering.operation != Operation::Cut;
        self.scenario.protection == Protection::Tls13 && is_alone
    }

    fn is_after_the_end(&self) -> bool {
        let file = self.scenario.file_stream();
        self.tampering.stream == file && self.tampering.first_hit() >= self.profile.kinds(file).len()
    }

    fn is_after_the_last_reply(&self) -> bool {
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
        if is_after_command || self.is_after_the_end() || self.is_against_the_file() {
            Ok(Judgement::Unconfirmed)
        } else {
            Err("the client says that it failed, and the file was stored".into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{stream::Stream, tape::Event};

    const UP: Stream = Stream { channel: Channel::Control, direction: Direction::ToServer };
    const DOWN: Stream = Stream { channel: Channel::Control, direction: Direction::ToClient };
    const FILE: Stream = Stream { channel: Channel::Data(0), direction: Direction::ToServer };
    const PUT: Scenario = Scenario { protection: Protection::Private, task: Task::Put, is_second: false };

    /// AUTH and its reply in the clear, STOR, 150, two blocks, 226, QUIT, 221.
    fn profile() -> Profile {
        let unit = |stream, kind| Event::Unit(stream, kind);
        let (clear, protected) = (Kind::ClearLine, Kind::ProtectedLine);
        Profile::new(vec![
            unit(UP, clear),
            unit(DOWN, clear),
            unit(UP, protected),
            unit(DOWN, protected),
            unit(FILE, Kind::Block),
            unit(FILE, Kind::Block),
            Event::End(FILE),
            unit(DOWN, protected),
            unit(UP, protected),
            unit(DOWN, protected),
        ])
    }

    fn judge(stream: Stream, index: usize, operation: Operation, outcome: (i32, Found)) -> Result<Judgement, String> {
        let tampering = Tampering { stream, index, operation, seed: 0 };
        let (code, found) = outcome;
        let effect = Effect::Done;
        let evidence =
            Evidence { scenario: PUT, tampering: &tampering, effect, profile: &profile(), code: Some(code), found };
        evidence.judge()
    }

    #[test]
    fn a_dropped_block_must_not_be_accepted() {
        assert!(judge(FILE, 0, Operation::Drop, (0, Found::New)).is_err());
        assert!(judge(FILE, 1, Operation::Drop, (0, Found::New)).is_err());
        assert_eq!(judge(FILE, 1, Operation::Drop, (6, Found::Old)), Ok(Judgement::Detected));
    }

    #[test]
    fn a_success_without_the_file_is_an_error() {
        assert!(judge(DOWN, 3, Operation::Drop, (0, Found::Old)).is_err());
        assert!(judge(DOWN, 3, Operation::Drop, (6, Found::Other)).is_err());
    }

    #[test]
    fn a_panic_or_a_signal_is_not_a_detection() {
        assert!(judge(FILE, 0, Operation::Drop, (101, Found::Old)).is_err());
    }

    #[test]
    fn a_stored_file_may_go_unconfirmed_only_if_it_went_through_whole() {
        assert_eq!(judge(DOWN, 2, Operation::Drop, (3, Found::New)), Ok(Judgement::Unconfirmed));
        assert_eq!(judge(UP, 1, Operation::Inject("NOOP"), (4, Found::New)), Ok(Judgement::Unconfirmed));
        assert!(judge(UP, 1, Operation::Drop, (3, Found::New)).is_err());
        assert!(judge(FILE, 0, Operation::Drop, (6, Found::New)).is_err());
    }

    #[test]
    fn units_after_the_final_reply_do_not_count() {
        assert!(judge(DOWN, 2, Operation::Drop, (0, Found::New)).is_err());
        assert!(matches!(judge(DOWN, 3, Operation::Drop, (0, Found::New)), Ok(Judgement::Harmless(_))));
        assert!(matches!(judge(FILE, 1, Operation::Duplicate, (0, Found::New)), Ok(Judgement::Harmless(_))));
    }

    #[test]
    fn a_line_before_the_protection_counts_for_nothing_but_one_after_it_does() {
        assert!(matches!(judge(DOWN, 0, Operation::FlipBody, (0, Found::New)), Ok(Judgement::Harmless(_))));
        assert!(judge(DOWN, 0, Operation::Inject("226 Done."), (0, Found::New)).is_err());
    }
}

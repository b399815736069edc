//! Commands, read from lines: everything that the gateway decides by is a type, everything that it passes on is octets
//! that cannot break out of their line.

use crate::endpoint::ActiveTarget;

mod argument;
mod error;
mod verb;

pub use argument::{Argument, Epsv, Password, ProtLevel, ProtectedKind, Type};
pub use error::CommandError;
pub(crate) use verb::{Feature, Stage, is_http};
pub use verb::{RelayVerb, SessionVerb, TransferVerb};

/// One command of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// `AUTH`, with the mechanism's name in capitals (RFC 2228 §3).
    Auth(String),
    /// `PBSZ` (RFC 2228 §3).
    Pbsz(u32),
    /// `PROT` (RFC 2228 §3).
    Prot(ProtLevel),
    /// `ADAT` (RFC 2228 §3), its base64 decoded.
    Adat(Vec<u8>),
    /// `MIC`, `CONF` or `ENC` (RFC 2228 §3), its base64 decoded: another command is inside.
    Protected(ProtectedKind, Vec<u8>),
    /// `CCC` (RFC 2228 §3).
    Ccc,
    /// `USER`.
    User(Argument),
    /// `PASS`; an empty one is a password too.
    Pass(Password),
    /// `PASV`.
    Pasv,
    /// `EPSV`.
    Epsv(Epsv),
    /// `PORT` or `EPRT`: the client wants to be dialled.
    Active(ActiveTarget),
    /// `TYPE`.
    Type(Type),
    /// `REST`, in octets (RFC 3659 §5).
    Rest(u64),
    /// A command that opens a data connection.
    Transfer {
        /// Its verb.
        verb: TransferVerb,
        /// A path, or another argument of the verb.
        argument: Option<Argument>,
    },
    /// `ABOR`.
    Abor,
    /// `FEAT` (RFC 2389).
    Feat,
    /// `HELP`.
    Help,
    /// `NOOP`.
    Noop,
    /// `SYST`.
    Syst,
    /// `STAT` without a path: the state of the session.
    Stat,
    /// `QUIT`.
    Quit,
    /// A command that is the backend's alone.
    Relay {
        /// Its verb.
        verb: RelayVerb,
        /// Its argument.
        argument: Option<Argument>,
    },
    /// A verb that exists but is not offered: 502.
    NotOffered,
    /// An unknown verb: 500.
    Unknown,
}

/// The verb of a line, and what comes after the space that ends it.
pub(crate) fn split_verb(line: &[u8]) -> (&[u8], &[u8]) {
    let mut parts = line.splitn(2, |octet| *octet == b' ');
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}

impl Command {
    /// Reads one line, which [`crate::line::LineDecoder`] has already bounded.
    pub fn parse(line: &[u8]) -> Result<Self, CommandError> {
        let (verb, rest) = split_verb(line);
        if verb.is_empty() || !verb.iter().all(u8::is_ascii_alphanumeric) {
            return Err(CommandError::NoVerb);
        }
        if rest.iter().any(|octet| matches!(octet, b'\r' | b'\n' | 0)) {
            return Err(CommandError::HarmfulArgument);
        }
        if let Some(verb) = SessionVerb::parse(verb) {
            return Self::of_session(verb, rest);
        }
        let argument = Argument::new(rest);
        if let Some(verb) = TransferVerb::parse(verb) {
            let missing = verb.needs_name() && argument.is_none();
            return if missing { Err(CommandError::NoArgument) } else { Ok(Self::Transfer { verb, argument }) };
        }
        Ok(match RelayVerb::parse(verb) {
            Some(RelayVerb::Stat) if argument.is_none() => Self::Stat,
            Some(verb) => Self::Relay { verb, argument },
            None => Self::Unknown,
        })
    }

    fn of_session(verb: SessionVerb, rest: &[u8]) -> Result<Self, CommandError> {
        Ok(match verb {
            SessionVerb::Auth => Self::Auth(argument::word(rest)?),
            SessionVerb::Pbsz => Self::Pbsz(argument::number(rest)?),
            SessionVerb::Prot => Self::Prot(argument::prot_level(rest)?),
            SessionVerb::Ccc => Self::Ccc,
            SessionVerb::Adat => Self::Adat(argument::base64(rest)?),
            SessionVerb::Mic => Self::Protected(ProtectedKind::Safe, argument::base64(rest)?),
            SessionVerb::Conf => Self::Protected(ProtectedKind::Confidential, argument::base64(rest)?),
            SessionVerb::Enc => Self::Protected(ProtectedKind::Private, argument::base64(rest)?),
            SessionVerb::User => Self::User(Argument::new(rest).ok_or(CommandError::NoArgument)?),
            SessionVerb::Pass => Self::Pass(Password(rest.to_vec())),
            SessionVerb::Pasv => Self::Pasv,
            SessionVerb::Epsv => Self::Epsv(argument::epsv(rest)?),
            SessionVerb::Port => Self::Active(argument::port(rest)?),
            SessionVerb::Eprt => Self::Active(argument::eprt(rest)?),
            SessionVerb::Type => Self::Type(argument::transfer_type(rest)?),
            SessionVerb::Rest => Self::Rest(argument::number(rest)?),
            SessionVerb::Abor => Self::Abor,
            SessionVerb::Feat => Self::Feat,
            SessionVerb::Help => Self::Help,
            SessionVerb::Noop => Self::Noop,
            SessionVerb::Syst => Self::Syst,
            SessionVerb::Quit => Self::Quit,
            SessionVerb::Rein | SessionVerb::Smnt | SessionVerb::Lprt | SessionVerb::Lpsv => Self::NotOffered,
        })
    }

    /// The stage of the session from which on the command is taken: its verb's, but for STAT and EPSV ALL, which are
    /// about the session alone. A command that is refused anyway is refused at once.
    pub(crate) fn stage(&self) -> Stage {
        match self {
            Self::Stat | Self::Epsv(Epsv::All) => Stage::BeforeLogin,
            Self::NotOffered | Self::Unknown => Stage::Connected,
            Self::Transfer { .. } => Stage::LoggedIn,
            Self::Relay { verb, .. } => verb.stage(),
            Self::Auth(_) => SessionVerb::Auth.stage(),
            Self::Pbsz(_) => SessionVerb::Pbsz.stage(),
            Self::Prot(_) => SessionVerb::Prot.stage(),
            Self::Adat(_) => SessionVerb::Adat.stage(),
            Self::Protected(kind, _) => kind.verb().stage(),
            Self::Ccc => SessionVerb::Ccc.stage(),
            Self::User(_) => SessionVerb::User.stage(),
            Self::Pass(_) => SessionVerb::Pass.stage(),
            Self::Pasv => SessionVerb::Pasv.stage(),
            Self::Epsv(Epsv::Any | Epsv::V4 | Epsv::V6 | Epsv::OtherProtocol) => SessionVerb::Epsv.stage(),
            Self::Active(_) => SessionVerb::Port.stage(),
            Self::Type(_) => SessionVerb::Type.stage(),
            Self::Rest(_) => SessionVerb::Rest.stage(),
            Self::Abor => SessionVerb::Abor.stage(),
            Self::Feat => SessionVerb::Feat.stage(),
            Self::Help => SessionVerb::Help.stage(),
            Self::Noop => SessionVerb::Noop.stage(),
            Self::Syst => SessionVerb::Syst.stage(),
            Self::Quit => SessionVerb::Quit.stage(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn argument(text: &str) -> Option<Argument> {
        Argument::new(text.as_bytes())
    }

    #[test]
    fn verbs_are_known_in_any_case() {
        assert_eq!(Command::parse(b"auth tls"), Ok(Command::Auth("TLS".into())));
        let retr = Command::Transfer { verb: TransferVerb::Retr, argument: argument("a b ") };
        assert_eq!(Command::parse(b"rEtR a b "), Ok(retr));
    }

    #[test]
    fn unknown_verbs_and_words_of_the_dialect_are_unknown_commands() {
        for line in ["FOO", "XPEER 1.2.3.4 5", "XCOMPLETE", "XFAILED", "XDIGEST"] {
            assert_eq!(Command::parse(line.as_bytes()), Ok(Command::Unknown), "{line}");
        }
    }

    #[test]
    fn a_command_is_taken_at_the_stage_of_its_verb() {
        let argument = |verb: SessionVerb| match verb {
            SessionVerb::Port => "192,0,2,7,7,208",
            SessionVerb::Eprt => "|1|192.0.2.7|2000|",
            SessionVerb::Type => "I",
            SessionVerb::Epsv => "",
            SessionVerb::Pbsz | SessionVerb::Rest => "0",
            _ => "AA==",
        };
        for verb in SessionVerb::ALL {
            let line = format!("{} {}", verb.as_str(), argument(*verb));
            assert_eq!(Command::parse(line.as_bytes()).map(|command| command.stage()), Ok(verb.stage()), "{line}");
        }
    }

    #[test]
    fn an_argument_cannot_carry_a_second_command() {
        assert_eq!(Command::parse(b"DELE a\rQUIT"), Err(CommandError::HarmfulArgument));
        assert_eq!(Command::parse(b"DELE a\0b"), Err(CommandError::HarmfulArgument));
    }

    #[test]
    fn a_password_does_not_reach_a_log() {
        let command = Command::parse(b"PASS  correct horse").unwrap();
        assert!(!format!("{command:?}").contains("correct"));
        assert_eq!(command, Command::Pass(Password(b" correct horse".to_vec())));
        assert_eq!(Command::parse(b"PASS"), Ok(Command::Pass(Password(Vec::new()))));
    }

    #[test]
    fn numbers_are_digits_and_nothing_else() {
        assert_eq!(Command::parse(b"PBSZ 0"), Ok(Command::Pbsz(0)));
        assert_eq!(Command::parse(b"REST 18446744073709551615"), Ok(Command::Rest(u64::MAX)));
        for line in ["PBSZ -1", "PBSZ +0", "PBSZ x", "REST 18446744073709551616", "PBSZ 4294967296"] {
            assert_eq!(Command::parse(line.as_bytes()), Err(CommandError::BadArgument), "{line}");
        }
        assert_eq!(Command::parse(b"PBSZ"), Err(CommandError::NoArgument));
    }

    #[test]
    fn arguments_that_are_not_base64_are_an_error() {
        assert_eq!(Command::parse(b"ADAT AAEC"), Ok(Command::Adat(vec![0, 1, 2])));
        assert_eq!(Command::parse(b"ENC AA=="), Ok(Command::Protected(ProtectedKind::Private, vec![0])));
        for line in ["ADAT AAE", "ADAT A A=", "ENC *", "MIC =", "CONF AA_-"] {
            assert_eq!(Command::parse(line.as_bytes()), Err(CommandError::NotBase64), "{line}");
        }
        assert_eq!(Command::parse(b"ENC"), Err(CommandError::NoArgument));
    }

    #[test]
    fn epsv_parses_all_four_forms() {
        assert_eq!(Command::parse(b"EPSV"), Ok(Command::Epsv(Epsv::Any)));
        assert_eq!(Command::parse(b"EPSV all"), Ok(Command::Epsv(Epsv::All)));
        assert_eq!(Command::parse(b"EPSV 2"), Ok(Command::Epsv(Epsv::V6)));
        assert_eq!(Command::parse(b"EPSV 3"), Ok(Command::Epsv(Epsv::OtherProtocol)));
        assert_eq!(Command::parse(b"EPSV x"), Err(CommandError::BadArgument));
    }

    #[test]
    fn stat_with_a_path_is_relayed_and_stat_alone_is_not() {
        assert_eq!(Command::parse(b"STAT"), Ok(Command::Stat));
        assert_eq!(Command::parse(b"STAT /a"), Ok(Command::Relay { verb: RelayVerb::Stat, argument: argument("/a") }));
    }

    #[test]
    fn file_transfers_other_than_stou_need_a_name() {
        assert_eq!(Command::parse(b"RETR"), Err(CommandError::NoArgument));
        assert_eq!(Command::parse(b"STOU"), Ok(Command::Transfer { verb: TransferVerb::Stou, argument: None }));
        assert_eq!(Command::parse(b"LIST"), Ok(Command::Transfer { verb: TransferVerb::List, argument: None }));
    }

    proptest! {
        #[test]
        fn no_line_makes_the_parser_panic(line: Vec<u8>) {
            let _ = Command::parse(&line);
        }

        #[test]
        fn no_relayed_argument_holds_a_line_end(line in "(DELE|MKD|RNFR|CWD) [\\x00-\\x7f]{0,12}") {
            if let Ok(Command::Relay { argument: Some(argument), .. }) = Command::parse(line.as_bytes()) {
                prop_assert!(!argument.as_bytes().iter().any(|octet| matches!(octet, 0 | b'\r' | b'\n')));
            }
        }
    }
}

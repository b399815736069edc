//! Lines to commands: everything that the gateway decides by is a type, everything that it passes on is octets that
//! cannot break out of their line.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use crate::endpoint::{self, ActiveTarget};

mod error;
mod verb;

pub use error::CommandError;
pub(crate) use verb::is_http;
pub use verb::{RelayVerb, TransferVerb};

/// A command's argument: never empty, no CR, LF or NUL, otherwise any octets (names need not be UTF-8).
#[derive(Clone, PartialEq, Eq)]
pub struct Argument(Vec<u8>);

impl Argument {
    /// The argument, unless it is empty or could end its line.
    pub fn new(octets: &[u8]) -> Option<Self> {
        let harmful = |octet: &u8| matches!(octet, b'\r' | b'\n' | 0);
        (!octets.is_empty() && !octets.iter().any(harmful)).then(|| Self(octets.to_vec()))
    }

    /// The octets.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&String::from_utf8_lossy(&self.0), f)
    }
}

/// A password: goes to the backend, never to a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Vec<u8>);

impl Password {
    /// The octets, for the backend only.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// RFC 2428 §3: what EPSV asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Epsv {
    /// No argument: the server chooses.
    Any,
    /// `1`.
    V4,
    /// `2`.
    V6,
    /// A network protocol that nobody here knows: 522.
    OtherProtocol,
    /// `ALL`: from now on EPSV only, for a firewall's sake.
    All,
}

/// Representation types of RFC 959 §3.1.1, as far as FTP servers of today go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Type {
    /// `A`, `A N`: lines end in CRLF on the wire. The default.
    #[default]
    Ascii,
    /// `I`, `L 8`: octets as they are.
    Image,
}

/// RFC 2228 §3: protection of the data channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtLevel {
    /// `C`.
    Clear,
    /// `S`: integrity alone.
    Safe,
    /// `E`: confidentiality alone.
    Confidential,
    /// `P`: both.
    Private,
    /// Anything else: 504.
    Unknown,
}

/// RFC 2228 §3: what a protected command claims of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtectedKind {
    /// `MIC`: integrity alone.
    Safe,
    /// `CONF`: confidentiality alone.
    Confidential,
    /// `ENC`: both.
    Private,
}

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
        /// Which one.
        verb: TransferVerb,
        /// A path or what else the verb takes.
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
    /// `STAT` without a path: how the session is.
    Stat,
    /// `QUIT`.
    Quit,
    /// Whatever is the backend's alone.
    Relay {
        /// Which one.
        verb: RelayVerb,
        /// Its argument.
        argument: Option<Argument>,
    },
    /// A verb that exists but is not offered: 502.
    NotOffered,
    /// A verb that nobody knows: 500.
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
        Self::of_verb(&String::from_utf8_lossy(verb).to_ascii_uppercase(), rest)
    }

    fn of_verb(verb: &str, rest: &[u8]) -> Result<Self, CommandError> {
        let argument = Argument::new(rest);
        Ok(match verb {
            "AUTH" => Self::Auth(word(rest)?),
            "PBSZ" => Self::Pbsz(number(rest)?),
            "PROT" => Self::Prot(prot_level(&word(rest)?)),
            "CCC" => Self::Ccc,
            "ADAT" => Self::Adat(base64(rest)?),
            "MIC" => Self::Protected(ProtectedKind::Safe, base64(rest)?),
            "CONF" => Self::Protected(ProtectedKind::Confidential, base64(rest)?),
            "ENC" => Self::Protected(ProtectedKind::Private, base64(rest)?),
            "USER" => Self::User(argument.ok_or(CommandError::NoArgument)?),
            "PASS" => Self::Pass(Password(rest.to_vec())),
            "PASV" => Self::Pasv,
            "EPSV" => Self::Epsv(epsv(rest)?),
            "PORT" => Self::Active(port(text(rest)?)?),
            "EPRT" => Self::Active(endpoint::read_eprt(text(rest)?).ok_or(CommandError::BadArgument)?),
            "TYPE" => Self::Type(transfer_type(&word(rest)?)?),
            "REST" => Self::Rest(number(rest)?),
            "ABOR" => Self::Abor,
            "FEAT" => Self::Feat,
            "HELP" => Self::Help,
            "NOOP" => Self::Noop,
            "SYST" => Self::Syst,
            "QUIT" => Self::Quit,
            "STAT" if argument.is_none() => Self::Stat,
            "REIN" | "SMNT" | "LPRT" | "LPSV" => Self::NotOffered,
            verb => other(verb, argument)?,
        })
    }
}

fn other(verb: &str, argument: Option<Argument>) -> Result<Command, CommandError> {
    if let Some(verb) = TransferVerb::parse(verb) {
        let missing = verb.needs_argument() && argument.is_none();
        return if missing { Err(CommandError::NoArgument) } else { Ok(Command::Transfer { verb, argument }) };
    }
    Ok(RelayVerb::parse(verb).map_or(Command::Unknown, |verb| Command::Relay { verb, argument }))
}

fn text(rest: &[u8]) -> Result<&str, CommandError> {
    let text = std::str::from_utf8(rest).map_err(|_| CommandError::BadArgument)?.trim();
    if text.is_empty() { Err(CommandError::NoArgument) } else { Ok(text) }
}

fn word(rest: &[u8]) -> Result<String, CommandError> {
    text(rest).map(str::to_ascii_uppercase)
}

fn base64(rest: &[u8]) -> Result<Vec<u8>, CommandError> {
    let text = text(rest)?;
    BASE64.decode(text).map_err(|_| CommandError::NotBase64)
}

fn number<T: std::str::FromStr>(rest: &[u8]) -> Result<T, CommandError> {
    let text = text(rest)?;
    // `parse` alone would take a sign.
    let digits = text.bytes().all(|octet| octet.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or(CommandError::BadArgument)
}

fn prot_level(word: &str) -> ProtLevel {
    match word {
        "C" => ProtLevel::Clear,
        "S" => ProtLevel::Safe,
        "E" => ProtLevel::Confidential,
        "P" => ProtLevel::Private,
        _ => ProtLevel::Unknown,
    }
}

fn epsv(rest: &[u8]) -> Result<Epsv, CommandError> {
    if rest.trim_ascii().is_empty() {
        return Ok(Epsv::Any);
    }
    match word(rest)?.as_str() {
        "ALL" => Ok(Epsv::All),
        "1" => Ok(Epsv::V4),
        "2" => Ok(Epsv::V6),
        digits if digits.bytes().all(|octet| octet.is_ascii_digit()) => Ok(Epsv::OtherProtocol),
        _ => Err(CommandError::BadArgument),
    }
}

fn port(argument: &str) -> Result<ActiveTarget, CommandError> {
    endpoint::read_port(argument).map(|address| ActiveTarget::Address(address.into())).ok_or(CommandError::BadArgument)
}

fn transfer_type(word: &str) -> Result<Type, CommandError> {
    match word {
        "A" | "A N" => Ok(Type::Ascii),
        "I" | "L 8" => Ok(Type::Image),
        _ => Err(CommandError::TypeNotOffered),
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
    fn a_verb_that_nobody_knows_is_unknown_and_so_is_the_dialect_of_the_pod() {
        for line in ["FOO", "XPEER 1.2.3.4 5", "XCOMPLETE", "XFAILED", "XDIGEST"] {
            assert_eq!(Command::parse(line.as_bytes()), Ok(Command::Unknown), "{line}");
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
    fn what_should_be_base64_and_is_not_is_told() {
        assert_eq!(Command::parse(b"ADAT AAEC"), Ok(Command::Adat(vec![0, 1, 2])));
        assert_eq!(Command::parse(b"ENC AA=="), Ok(Command::Protected(ProtectedKind::Private, vec![0])));
        for line in ["ADAT AAE", "ADAT A A=", "ENC *", "MIC =", "CONF AA_-"] {
            assert_eq!(Command::parse(line.as_bytes()), Err(CommandError::NotBase64), "{line}");
        }
        assert_eq!(Command::parse(b"ENC"), Err(CommandError::NoArgument));
    }

    #[test]
    fn epsv_is_asked_in_four_ways() {
        assert_eq!(Command::parse(b"EPSV"), Ok(Command::Epsv(Epsv::Any)));
        assert_eq!(Command::parse(b"EPSV all"), Ok(Command::Epsv(Epsv::All)));
        assert_eq!(Command::parse(b"EPSV 2"), Ok(Command::Epsv(Epsv::V6)));
        assert_eq!(Command::parse(b"EPSV 3"), Ok(Command::Epsv(Epsv::OtherProtocol)));
        assert_eq!(Command::parse(b"EPSV x"), Err(CommandError::BadArgument));
    }

    #[test]
    fn stat_of_a_path_is_the_backends_and_stat_alone_is_ours() {
        assert_eq!(Command::parse(b"STAT"), Ok(Command::Stat));
        assert_eq!(Command::parse(b"STAT /a"), Ok(Command::Relay { verb: RelayVerb::Stat, argument: argument("/a") }));
    }

    #[test]
    fn what_moves_a_file_needs_its_name() {
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
        fn what_is_relayed_never_holds_a_line_end(line in "(DELE|MKD|RNFR|CWD) [\\x00-\\x7f]{0,12}") {
            if let Ok(Command::Relay { argument: Some(argument), .. }) = Command::parse(line.as_bytes()) {
                prop_assert!(!argument.as_bytes().iter().any(|octet| matches!(octet, 0 | b'\r' | b'\n')));
            }
        }
    }
}

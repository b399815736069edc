//! Arguments of commands, from octets to types.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use super::{error::CommandError, verb::SessionVerb};
use crate::endpoint::{self, ActiveTarget};

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

/// A password: sent to the backend, never to a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(pub(super) Vec<u8>);

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

/// Argument of EPSV (RFC 2428 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Epsv {
    /// None: the server chooses.
    Any,
    /// `1`.
    V4,
    /// `2`.
    V6,
    /// A network protocol other than IPv4 and IPv6: 522.
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

/// Protection levels of the data channel (RFC 2228 §3).
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

/// Protection that a protected command claims to have (RFC 2228 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtectedKind {
    /// `MIC`: integrity alone.
    Safe,
    /// `CONF`: confidentiality alone.
    Confidential,
    /// `ENC`: both.
    Private,
}

impl ProtectedKind {
    pub(super) fn verb(self) -> SessionVerb {
        match self {
            Self::Safe => SessionVerb::Mic,
            Self::Confidential => SessionVerb::Conf,
            Self::Private => SessionVerb::Enc,
        }
    }
}

fn text(rest: &[u8]) -> Result<&str, CommandError> {
    let text = std::str::from_utf8(rest).map_err(|_| CommandError::BadArgument)?.trim();
    if text.is_empty() { Err(CommandError::NoArgument) } else { Ok(text) }
}

pub(super) fn word(rest: &[u8]) -> Result<String, CommandError> {
    text(rest).map(str::to_ascii_uppercase)
}

pub(super) fn base64(rest: &[u8]) -> Result<Vec<u8>, CommandError> {
    let text = text(rest)?;
    BASE64.decode(text).map_err(|_| CommandError::NotBase64)
}

pub(super) fn number<T: std::str::FromStr>(rest: &[u8]) -> Result<T, CommandError> {
    let text = text(rest)?;
    // `parse` alone would take a sign.
    let digits = text.bytes().all(|octet| octet.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or(CommandError::BadArgument)
}

pub(super) fn prot_level(rest: &[u8]) -> Result<ProtLevel, CommandError> {
    Ok(match word(rest)?.as_str() {
        "C" => ProtLevel::Clear,
        "S" => ProtLevel::Safe,
        "E" => ProtLevel::Confidential,
        "P" => ProtLevel::Private,
        _ => ProtLevel::Unknown,
    })
}

pub(super) fn epsv(rest: &[u8]) -> Result<Epsv, CommandError> {
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

pub(super) fn port(rest: &[u8]) -> Result<ActiveTarget, CommandError> {
    let endpoint = endpoint::read_port(text(rest)?).ok_or(CommandError::BadArgument)?;
    Ok(ActiveTarget::Address(endpoint.into()))
}

pub(super) fn eprt(rest: &[u8]) -> Result<ActiveTarget, CommandError> {
    endpoint::read_eprt(text(rest)?).ok_or(CommandError::BadArgument)
}

pub(super) fn transfer_type(rest: &[u8]) -> Result<Type, CommandError> {
    match word(rest)?.as_str() {
        "A" | "A N" => Ok(Type::Ascii),
        "I" | "L 8" => Ok(Type::Image),
        _ => Err(CommandError::TypeNotOffered),
    }
}

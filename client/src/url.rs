//! URLs: the user, the server and the path.

use std::{fmt, net::IpAddr, str::FromStr};

use percent_encoding::percent_decode_str;
use rustls_pki_types::{DnsName, ServerName};
use safetp_protocol::command::Argument;

/// FTP's own port (RFC 959 §5.2).
const DEFAULT_PORT: u16 = 21;

/// `safetp://[user@]host[:port]/path`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) scheme: Scheme,
    /// The user, if the URL names one.
    pub(crate) user: Option<String>,
    pub(crate) server: Server,
    pub(crate) path: RemotePath,
}

/// The scheme, which selects the mechanism. None of them selects clear text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// `safetp:`: TLS, or X-SafeTP1 with a known key.
    SafeTp,
    /// `ftpes:` and `ftp:`: TLS by AUTH.
    Ftpes,
}

/// Host and port, as in the URL and in the file of known servers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Server {
    pub(crate) host: Host,
    /// The control port.
    pub(crate) port: u16,
}

/// A name in lower case, or an address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Host {
    Name(String),
    Address(IpAddr),
}

/// A path on the server: relative to the login directory, or from the root if it begins with a slash. Empty is the
/// login directory itself. It cannot break out of its command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RemotePath(Vec<u8>);

/// The reason why a text is not a URL of this client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UrlError {
    /// No scheme, or one that this client does not support.
    #[error("a URL starts with safetp://, ftpes:// or ftp://")]
    Scheme,
    /// Implicit TLS is another protocol.
    #[error("ftps:// means implicit TLS, which is not supported: use ftpes:// for TLS by AUTH")]
    Implicit,
    /// Other users of this machine would see it.
    #[error("do not put a password in a URL, where other users can see it: use SAFETP_PASSWORD or ~/.netrc")]
    Password,
    /// No host.
    #[error("the URL has no valid host")]
    Host,
    /// Not a port.
    #[error("the port in the URL is not a number from 1 to 65535")]
    Port,
    /// A line end in the decoded path or user.
    #[error("a path or a user name cannot contain a line end or a NUL")]
    Harmful,
}

impl FromStr for Target {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = text.split_once("://").ok_or(UrlError::Scheme)?;
        let scheme = Scheme::parse(scheme)?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, server) = match authority.rsplit_once('@') {
            Some((user, server)) => (Some(decoded_user(user)?), server),
            None => (None, authority),
        };
        Ok(Self { scheme, user, server: server.parse()?, path: path.parse()? })
    }
}

impl Scheme {
    fn parse(text: &str) -> Result<Self, UrlError> {
        match text.to_ascii_lowercase().as_str() {
            "safetp" => Ok(Self::SafeTp),
            "ftpes" | "ftp" => Ok(Self::Ftpes),
            "ftps" => Err(UrlError::Implicit),
            _ => Err(UrlError::Scheme),
        }
    }
}

impl FromStr for Server {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        // An IPv6 address is in brackets, since it has colons itself (RFC 3986 §3.2.2).
        if let Some(rest) = text.strip_prefix('[') {
            let (address, port) = rest.split_once(']').ok_or(UrlError::Host)?;
            let address = address.parse().map_err(|_| UrlError::Host)?;
            let port = if port.is_empty() { None } else { Some(port.strip_prefix(':').ok_or(UrlError::Port)?) };
            return Ok(Self { host: Host::Address(IpAddr::V6(address)), port: parse_port(port)? });
        }
        let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
        Ok(Self { host: host.parse()?, port: parse_port(port)? })
    }
}

impl FromStr for Host {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        if let Ok(address) = text.parse() {
            return Ok(Self::Address(address));
        }
        let name = DnsName::try_from(text.to_ascii_lowercase()).map_err(|_| UrlError::Host)?;
        Ok(Self::Name(name.as_ref().to_owned()))
    }
}

impl Server {
    /// The name that a certificate must carry.
    pub(crate) fn name(&self) -> Option<ServerName<'static>> {
        match &self.host {
            Host::Name(name) => ServerName::try_from(name.clone()).ok(),
            Host::Address(address) => Some(ServerName::IpAddress((*address).into())),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(address) => address.fmt(f),
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Address(IpAddr::V6(address)) => write!(f, "[{address}]:{}", self.port),
            host => write!(f, "{host}:{}", self.port),
        }
    }
}

impl FromStr for RemotePath {
    type Err = UrlError;

    /// Decodes percent escapes. Nothing else is special: `?` and `#` occur in file names.
    fn from_str(text: &str) -> Result<Self, UrlError> {
        Self::new(percent_decode_str(text).collect())
    }
}

impl RemotePath {
    /// The path of these octets, unchanged.
    pub(crate) fn new(octets: Vec<u8>) -> Result<Self, UrlError> {
        if octets.is_empty() || Argument::new(&octets).is_some() { Ok(Self(octets)) } else { Err(UrlError::Harmful) }
    }

    /// The argument of a command; `None` for the login directory.
    pub(crate) fn argument(&self) -> Option<Argument> {
        Argument::new(&self.0)
    }

    /// Returns whether a directory is meant, so that a file goes into it.
    pub(crate) fn is_directory(&self) -> bool {
        self.0.is_empty() || self.0.ends_with(b"/")
    }

    /// The name after the last slash.
    pub(crate) fn file_name(&self) -> &[u8] {
        self.0.rsplit(|octet| *octet == b'/').next().unwrap_or_default()
    }

    /// The path of `name` in this directory.
    pub(crate) fn join(&self, name: &[u8]) -> Result<Self, UrlError> {
        let slash: &[u8] = if self.is_directory() { b"" } else { b"/" };
        Self::new([self.0.as_slice(), slash, name].concat())
    }
}

impl fmt::Display for RemotePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::text::printable(&self.0))
    }
}

fn parse_port(text: Option<&str>) -> Result<u16, UrlError> {
    let Some(text) = text else { return Ok(DEFAULT_PORT) };
    let digits = text.bytes().all(|octet| octet.is_ascii_digit());
    text.parse().ok().filter(|port| *port > 0 && digits).ok_or(UrlError::Port)
}

fn decoded_user(text: &str) -> Result<String, UrlError> {
    if text.contains(':') {
        return Err(UrlError::Password);
    }
    let user = percent_decode_str(text).decode_utf8().map_err(|_| UrlError::Harmful)?.into_owned();
    if Argument::new(user.as_bytes()).is_some() { Ok(user) } else { Err(UrlError::Harmful) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn target(text: &str) -> Target {
        text.parse().unwrap()
    }

    fn path(text: &str) -> Vec<u8> {
        target(&format!("safetp://host{text}")).path.0
    }

    #[test]
    fn a_url_has_user_server_and_path() {
        let target = target("safetp://alice@Files.Example.org:2121/a/b.txt");
        assert_eq!(target.user.as_deref(), Some("alice"));
        assert_eq!(target.server.to_string(), "files.example.org:2121");
        assert_eq!(target.path.0, b"a/b.txt");
    }

    #[test]
    fn the_default_port_is_21_and_an_ipv6_address_is_in_brackets() {
        assert_eq!(target("ftpes://192.0.2.1").server.to_string(), "192.0.2.1:21");
        assert_eq!(target("ftp://[2001:db8::1]:2121/").server.to_string(), "[2001:db8::1]:2121");
        assert_eq!("safetp://host:0/".parse::<Target>(), Err(UrlError::Port));
        assert_eq!("safetp://host:+21/".parse::<Target>(), Err(UrlError::Port));
        assert_eq!("safetp://[::1]2121/".parse::<Target>(), Err(UrlError::Port));
    }

    #[test]
    fn a_path_is_relative_unless_it_starts_with_a_second_slash() {
        assert_eq!(path(""), b"");
        assert_eq!(path("/"), b"");
        assert_eq!(path("/a"), b"a");
        assert_eq!(path("//a"), b"/a");
        assert_eq!(path("/%2Fa"), b"/a");
    }

    #[test]
    fn a_path_is_percent_decoded_and_keeps_query_and_fragment() {
        assert_eq!(path("/a%20b%FF"), b"a b\xff");
        assert_eq!(path("/what?#1;type=a"), b"what?#1;type=a");
    }

    #[test]
    fn a_path_cannot_carry_a_second_command() {
        assert_eq!("safetp://h/a%0D%0ADELE%20b".parse::<Target>(), Err(UrlError::Harmful));
        assert_eq!("safetp://h/a%00".parse::<Target>(), Err(UrlError::Harmful));
        assert_eq!("safetp://a%0Ab@h/".parse::<Target>(), Err(UrlError::Harmful));
    }

    #[test]
    fn a_password_in_a_url_is_refused_without_being_repeated() {
        let error = "safetp://alice:secret@host/".parse::<Target>().unwrap_err();
        assert_eq!(error, UrlError::Password);
        assert!(!error.to_string().contains("secret"));
    }

    #[test]
    fn schemes_of_other_protocols_are_refused() {
        assert_eq!("ftps://host/".parse::<Target>(), Err(UrlError::Implicit));
        assert_eq!("http://host/".parse::<Target>(), Err(UrlError::Scheme));
        assert_eq!("host/path".parse::<Target>(), Err(UrlError::Scheme));
        assert_eq!("safetp:///path".parse::<Target>(), Err(UrlError::Host));
    }

    #[test]
    fn a_file_goes_into_a_path_that_ends_in_a_slash() {
        assert!(target("safetp://h/a/").path.is_directory());
        assert!(target("safetp://h").path.is_directory());
        assert!(!target("safetp://h/a").path.is_directory());
        assert_eq!(target("safetp://h/a/").path.join(b"b").unwrap().0, b"a/b");
        assert_eq!(target("safetp://h/a").path.join(b"b").unwrap().0, b"a/b");
        assert_eq!(target("safetp://h").path.join(b"b").unwrap().0, b"b");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "(safetp://)?[ -~]{0,40}") {
            let _ = text.parse::<Target>();
        }
    }
}
